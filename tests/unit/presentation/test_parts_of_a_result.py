"""What is shown of a part of a result by itself: its flag, its advice, one cause, what would flip it; and of a policy."""

from dataclasses import replace
from pathlib import Path

from calfbayes import Level, load_model
from calfbayes.presentation.facts import NONE_OPEN
from calfbayes.presentation.plain import percent
from support.pages import is_harmless, read_page

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
RESULT = CAR.diagnose({"lights_dim": True}, setting="garage")
TOP = RESULT.causes[0]


def words_of(thing: object) -> str:
    """Its text, on one line."""
    lines = repr(thing).splitlines()
    assert max(map(len, lines)) <= 120
    return " ".join(repr(thing).split())


def test_a_flag_tells_what_is_not_ruled_out_since_it_holds_no_outcome() -> None:
    flag = RESULT.urgency
    page = read_page(flag._repr_html_())
    assert is_harmless(page)
    rank = f"(Urgency {flag.level.severity + 1} of 5)"
    assert page.words.startswith(f"{flag.label} {rank} {flag.action} Not yet ruled out: 1 emergency Why ")
    assert "How the urgency was weighed" in page.words
    assert words_of(flag).startswith(f"{flag.label.upper()} {flag.action} Why - {flag.reasons[0].text}")
    assert "Not yet ruled out: ask - Emergency: Smoke, or fuel smelt" in words_of(flag)
    closed = replace(flag, open_rules=())
    assert f"{flag.action} {NONE_OPEN}. Why" in read_page(closed._repr_html_()).words
    assert words_of(closed).endswith(f"{NONE_OPEN}.")


def test_advice_shows_itself_with_its_sources() -> None:
    care = RESULT.care
    page = read_page(care._repr_html_())
    assert is_harmless(page)
    assert page.words.startswith(f"{care.action} What to do Who to see ")
    assert "Sources " in page.words
    assert words_of(care).startswith(f"{care.action} See - {care.who[0].text.rstrip('.')} (for ")


def test_one_cause_is_one_line() -> None:
    chances = f"{percent(TOP.probability)}, {percent(TOP.share)} before anything was known"
    assert repr(TOP) == f"{TOP.label} ({TOP.id}): {chances}; {str(TOP.urgency).replace('_', ' ')} if it is present"
    assert "\x1b" not in repr(replace(TOP, label="red\x1b[31m"))


def test_one_question_tells_its_answers() -> None:
    question = RESULT.next_questions(n=1)[0]
    assert str(question) == question.text
    told = words_of(question)
    assert told.startswith(f"{question.text} ({question.id}) {question.reason}")
    for answer in question.answers:
        assert f"{answer.state}: {percent(answer.chance)}, then {str(answer.level).replace('_', ' ')}" in told


def test_what_would_flip_the_flag_is_told_with_the_outcome_now() -> None:
    flips = RESULT.flips()
    page = read_page(flips._repr_html_())
    assert is_harmless(page)
    assert flips.raising
    assert f"Now: {RESULT.headline}" in page.words
    assert words_of(flips).startswith(f"Now: {RESULT.headline} Answers that would raise it - ")
    labels = {f.id: f.label for f in CAR.findings} | {f.id: f.label for f in CAR.risk_factors}
    name, state = flips.raising[0].answers[0]
    assert f"- {labels[name]}: {state.removeprefix(f'{name}_')} -> Emergency ({percent(flips.raising[0].chance)})" in words_of(
        flips
    )
    assert f"{labels[name]}: {state.removeprefix(f'{name}_')} {percent(flips.raising[0].chance)} Emergency" in page.words
    none = replace(flips, raising=(), lowering=(), numbers=None)
    assert "Answers that would raise it: none was found." in read_page(none._repr_html_()).words
    assert "would be too dear to compute" in words_of(none)
    assert "would be too dear to compute" in read_page(none._repr_html_()).words


def test_a_policy_tells_losses_rules_and_what_doubt_does() -> None:
    policy = CAR.urgency_policy
    page = read_page(policy._repr_html_())
    assert is_harmless(page)
    for level in Level:
        row = " ".join(f"{cost:g}" for cost in policy.loss[level.severity])
        assert f"{policy.text_of(level).label} {row} " in page.words
    assert all(rule.reason in page.words for rule in policy.rules)
    assert words_of(policy).startswith(f"Urgency policy, {len(policy.rules)} red-flag rules: ")
    doubtless = replace(policy, caution=None, rules=())
    assert words_of(doubtless).startswith(
        "Urgency policy, no red-flag rules Doubt about the numbers of a model does not count."
    )


def test_an_interview_tells_what_is_known() -> None:
    begun = load_model("tutorial").interview()
    assert repr(begun).endswith("- nothing is known yet")
    told = repr(begun.tell({"redness": True, "age": 40}))
    assert told.startswith("Interview: 0 screens answered or skipped, floor ")
    assert "- Patient: Age: 40 years" in told
    assert "- Present: Redness" in told or "- Present: Red skin" in told
