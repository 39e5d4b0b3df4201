"""Explanations in words: every number is the result's, and no sentence is surer than the result."""

import re
from dataclasses import replace
from typing import Any

import pytest

from calfbayes import Diagnosis, Level, Likelihood, Outcome, compare
from calfbayes.presentation.plain import of_draws, percent, signed
from calfbayes.presentation.reasons import LEAST_CHANGE, conflict_sentences, supposed
from support.models import SHIPPED, model_of, shipped
from support.small_models import small_content

PATIENT = {"age": 67, "smoking": True, "pain_on_walking": True, "unilateral_calf_swelling": False, "night_cramps": True}
FIRST, SECOND = "peripheral_artery_disease", "lumbosacral_radiculopathy"


def with_words(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "explanation": shipped("tutorial")._content["explanation"]}


def result() -> Diagnosis:
    return shipped("tutorial").diagnose(PATIENT)


def test_the_account_of_a_cause_tells_its_numbers() -> None:
    ledger = result().explain(FIRST)
    text = " ".join(ledger.sentences)
    entry = result()[FIRST]
    assert f"{percent(entry.probability)}, from {percent(entry.share)}" in text
    for weight in ledger.supporting[:4]:
        if weight.decibans >= 1.0:
            assert f"{weight.label}" in text
            assert f"odds times {10 ** (weight.decibans / 10):.2g}" in text
    rival = ledger.competitors[0]
    assert f"If the pain comes from {rival.label} ({percent(rival.probability)})" in text
    assert percent(rival.with_it) in text
    assert ledger.unasked
    assert ledger.unasked[0].label in text


def test_a_rival_explains_the_complaint_and_is_not_only_there() -> None:
    """Known varices hardly make a clot less likely; a pain that comes from them does."""
    assert not any(" present" in shipped(name)._content["explanation"]["sentences"]["competitor"] for name in SHIPPED)
    contest = result().compare_causes(FIRST, SECOND)
    second = contest.labels[1]
    assert f"{supposed(contest.first_with)} if {second} has a part in it, {supposed(contest.first_without)} if not" in " ".join(
        repr(contest).split()
    )
    assert all("is present" not in page for page in (contest._repr_html_(), result().explain(FIRST)._repr_html_()))


def test_trifles_are_told_only_where_there_is_nothing_else() -> None:
    ledger = result().explain(FIRST)
    trifle = replace(ledger.weights[0], decibans=0.5, parent="", competitor="", routes=())
    weight = replace(trifle, id="smoking", value=True, decibans=4.0)
    for weights, told in (((weight, trifle), ("odds times 2.5",)), ((trifle,), ("odds times 1.1",))):
        said = next(s for s in replace(ledger, weights=weights).sentences if s.startswith("For it"))
        assert said.count("odds times") == len(told)
        assert all(text in said for text in told)


def test_the_table_holds_every_answer_with_its_sources() -> None:
    ledger = result().explain(FIRST)
    text = repr(ledger)
    assert text.count("\n  now ") == 1
    for weight in ledger.weights:
        assert signed(weight.decibans) in text
        assert all(source in text for route in weight.routes[:1] for source in route.sources)
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("seed", range(3))
def test_no_sentence_promises_a_certainty_that_the_result_lacks(seed: int) -> None:
    model = shipped("tutorial")
    rows = model.simulate(4, seed=seed)
    names = [finding.id for finding in model.findings[1:8]]
    for _, row in rows.iterrows():
        answer = model.diagnose({name: bool(row[name]) for name in names} | {"age": str(row["age"])})
        for entry in answer.causes:
            text = " ".join(answer.explain(entry.id).sentences)
            assert 0.0 < entry.probability < 1.0
            assert not re.search(r"(?<![\d.>])100 %|(?<![\d.<])0 %", text), text
            assert " is ruled out" not in text


MAY_BE_CERTAIN = {"ruled_out", "certain", "outside_setting"}
CERTAIN = r"certain|sure|definit|always|never|impossible|\bprove|exclud|(?<!not )rule[sd]? out|guarantee|doubtless|must|cannot"


@pytest.mark.parametrize("name", SHIPPED)
def test_no_words_of_a_model_but_those_for_certainty_are_certain(name: str) -> None:
    """Of every template and of every word for a probability or a strength; "how sure the numbers are" is a question."""
    content = shipped(name)._content
    explanation, urgency = content["explanation"], content["urgency"]
    words = {key: text for key, text in explanation["sentences"].items() if key not in MAY_BE_CERTAIN}
    words |= {
        f"{key}{k}": band["text"] for key in ("probability", "dangerous", "strength") for k, band in enumerate(explanation[key])
    }
    words |= urgency["words"] | content.get("asking", {}).get("words", {})
    assert len(words) > 60
    told = {key: text for key, text in words.items() if re.search(CERTAIN, text.lower().replace("how sure", ""))}
    assert told == {}
    assert all(re.search(CERTAIN, explanation["sentences"][key]) for key in ("ruled_out", "certain"))
    assert all("as far as this model knows" in explanation["sentences"][key] for key in ("ruled_out", "certain"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_small_chance_of_a_dangerous_cause_is_not_called_unlikely(name: str) -> None:
    result = shipped(name).diagnose()
    dangerous = [e for e in (*result.causes, *result.complications) if e.urgency >= Level.SAME_DAY and e.share > 0.0]
    assert dangerous
    for entry in dangerous:
        summary = result.explain(entry.id, cost_limit=1e8).sentences[0]
        assert "unlikely" not in summary
        assert percent(entry.probability).strip("<") in summary
    harmless = min((e for e in result.causes if e.urgency < Level.SAME_DAY and e.share > 0.0), key=lambda e: e.share)
    assert "unlikely" in result.explain(harmless.id).sentences[0]


def test_an_embolism_of_two_per_cent_is_not_ruled_out() -> None:
    told = {"age": 58, "recent_surgery": True, "unilateral_calf_swelling": True, "pitting_oedema": True}
    ledger = shipped("calf").diagnose(told).explain("pulmonary_embolism")
    assert 0.01 < ledger.probability < 0.04
    assert ledger.sentences[0].startswith(f"{ledger.label} is not ruled out: {percent(ledger.probability)}, from ")


def test_a_report_that_speaks_against_a_finding_does_not_read_as_its_presence() -> None:
    told = {"unilateral_calf_swelling": Likelihood(0.2), "pitting_oedema": Likelihood(0.2)}
    ledger = shipped("calf").diagnose(told).explain("deep_vein_thrombosis")
    text = " ".join(ledger.sentences)
    label = ledger["unilateral_calf_swelling"].label
    assert f"rather no “{label}”, a report 5 times likelier without it" in text
    assert "doubtful" not in text
    assert f"no: {label} (likelihood ratio 0.2)" in repr(ledger)
    assert "same process" not in text
    likely = shipped("calf").diagnose({name: Likelihood(5.0) for name in told}).explain("deep_vein_thrombosis")
    assert f"“{label}”, doubtful with a likelihood ratio of 5" in " ".join(likely.sentences)
    assert f"no “{label}”" not in " ".join(likely.sentences)
    assert "same process" in " ".join(likely.sentences)


def test_of_two_causes_one_that_is_ruled_out_is_told_so_without_infinite_ratios() -> None:
    content = small_content({"a": (1.0, {"f": 1.0}), "b": (1.0, {"g": 0.5}), "c": (0.0, {"g": 0.5})}, {"f": 0.25, "g": 0.25})
    answer = model_of(with_words(content)).diagnose({"f": False, "g": True})
    for contest in (answer.compare_causes("a", "b"), answer.compare_causes("b", "a")):
        assert "a is ruled out, as far as this model knows, by: no “a finding”." in contest.sentences
        assert (contest.decided_by, contest.to_dict()["decided_by"]) == (("f",), ["f"])
        for text in (*contest.sentences, repr(contest), contest._repr_html_().partition("</style>")[2]):
            assert "∞" not in text
            assert "ratio inf" not in text
            assert not re.search(r"ratio 0\b(?!\.)", text)
        assert "rules out a" in repr(contest)
        assert "rules out a" in contest._repr_html_()
    assert "c is not weighed in this setting: here." in answer.compare_causes("b", "c").sentences


def test_what_is_ruled_out_is_told_so_with_what_decided() -> None:
    content = small_content({"a": (1.0, {"f": 1.0}), "b": (1.0, {"g": 0.5}), "c": (1.0, {})}, {"f": 0.25, "g": 0.25})
    (sentence,) = model_of(with_words(content)).diagnose({"f": False, "g": True}).explain("a").sentences
    assert sentence.startswith("a is ruled out")
    assert "no “a finding”" in sentence


def test_what_only_rounds_to_1_is_told_as_certain_nowhere() -> None:
    """Neither in an account, a contest, a change, nor in the reasons for the urgency; even a likelihood ratio of 1e18."""
    names = [f"f{k}" for k in range(10)]
    content = with_words(
        small_content(
            {"a": (1.0, dict.fromkeys(names, 1 - 2**-10)), "b": (1.0, {})},
            dict.fromkeys(names, 2**-10),
            levels={"a": "same_day"},
        )
    )
    content["urgency"] = {**content["urgency"], "words": shipped("tutorial")._content["urgency"]["words"]}
    model = model_of(content)
    for value in (True, Likelihood(1e18)):
        sure = model.diagnose(dict.fromkeys(names, value))
        assert sure["a"].probability == 1.0
        ledger, contest = sure.explain("a"), sure.compare_causes("a", "b")
        reasons = [reason.text for reason in sure.urgency.reasons]
        for text in (ledger.sentences[0], contest.sentences[0], *compare(model.diagnose({}), sure).sentences, *reasons):
            assert "100 %" not in text
        assert "over 99.9 %" in ledger.sentences[0]
        assert "over 99.9 %" in " ".join(reasons)
        for text in (repr(ledger), repr(contest), repr(compare(model.diagnose({}), sure)), repr(sure.intervals())):
            assert " 100 %" not in text


def test_two_causes_are_told_apart() -> None:
    contest = result().compare_causes(FIRST, SECOND)
    text = " ".join(contest.sentences)
    assert f"{contest.labels[0]} {percent(contest.probabilities[0])}" in text
    assert f"together: {percent(contest.both)}" in text
    assert f"{contest.sets[0].labels[0]} ({percent(contest.sets[0].probability)})" in text
    assert f"{supposed(contest.first_with)} if" in repr(contest)


def test_what_would_tell_most_says_which_answer_leads_where() -> None:
    ledger = result().explain(FIRST)
    (sentence,) = (s for s in ledger.sentences if s.startswith("Would tell most"))
    entry = next(entry for entry in ledger.unasked or () if entry.id == "absent_foot_pulses")
    chances = {answer.state: percent(answer.probability) for answer in entry.answers}
    assert f"{entry.label} ({chances['present']} with it, {chances['absent']} without it)" in sentence
    of_age = replace(entry, answers=tuple(replace(answer, state=f"age_{answer.state}") for answer in entry.answers))
    (sentence,) = (s for s in replace(ledger, unasked=(of_age,)).sentences if s.startswith("Would tell most"))
    assert sentence == f"Would tell most: {entry.label} (then {chances['absent']} to {chances['present']})."


def test_a_danger_whose_odds_have_doubled_is_told_first_however_small() -> None:
    causes = {"a": (1.0, {"f": 0.4}), "b": (0.002, {"f": 0.9}), "c": (0.002, {"f": 0.9}), "d": (1.0, {})}
    model = model_of(with_words(small_content(causes, {"f": 0.125}, levels={"b": "same_day"})))
    changed = model.diagnose({"f": False}).what_if(f=True)
    assert changed["b"].difference == pytest.approx(changed["c"].difference)
    assert changed["b"].difference < LEAST_CHANGE < abs(changed["a"].difference)
    told = [s for s in changed.sentences if s[1] == ":"]
    now = changed["b"]
    assert told[0] == f"b: {percent(now.before or 0.0)}, then {percent(now.after or 0.0)}."
    assert {sentence[0] for sentence in told[1:]} == {"a", "d"}
    assert "b: " not in " ".join(changed.after.what_if(f=False).sentences)


def test_what_is_outside_the_scope_is_told_so_with_the_reason() -> None:
    strange = replace(result(), outcome=Outcome.OUTSIDE_SCOPE, outcome_reason="the answers hardly go together")
    for said, usual in (
        (strange.explain(FIRST).sentences, result().explain(FIRST).sentences),
        (strange.compare_causes(FIRST, SECOND).sentences, result().compare_causes(FIRST, SECOND).sentences),
    ):
        assert said == ("Caution, this is outside what the model is meant for: the answers hardly go together.", *usual)


def test_differences_are_told() -> None:
    changed = result().what_if(shortness_of_breath=True, remove=["age"])
    text = " ".join(changed.sentences)
    assert f"Urgency: {changed.before.urgency.label} (insufficient), then {changed.after.headline}." in text
    assert changed.after.headline == "Emergency (assessed)"
    swollen = result().what_if(unilateral_calf_swelling=True)
    assert swollen.before.outcome == swollen.after.outcome == "insufficient"
    assert f"Urgency: {swollen.before.urgency.label}, then {swollen.after.headline}." in swollen.sentences
    assert "not asked -> Short of breath" in repr(changed)
    same = result().what_if(setting="primary_care")
    assert same.sentences == ()
    assert "nothing" in repr(same)


def test_a_conflict_is_told_as_a_caution_with_its_numbers() -> None:
    apart = {"a": (1.0, {"f": 0.75}), "b": (1.0, {"g": 0.75}), "c": (1.0, {})}
    content = small_content(apart, {"f": 0.015625, "g": 0.015625}, coincidence=0.0625)
    answer = model_of(with_words(content)).diagnose({"f": True, "g": True})
    found = answer.conflict()
    assert found.percentile is not None
    caution, where = conflict_sentences(answer, found)
    assert caution.startswith("Caution")
    assert f"{found.pairs[0].times:.2g} times" in caution
    stands = found.percentile
    share = of_draws(stands.alike, stands.patients)
    for number in (share, f"{100 * stands.error:.2g} %", str(stands.patients)):
        assert number in where
        assert number in repr(found)
    _, unknown = conflict_sentences(answer, replace(found, percentile=None, no_percentile="too dear"))
    assert "not computed" in unknown
    assert "too dear" in repr(replace(found, percentile=None, no_percentile="too dear"))


def test_where_all_or_none_of_the_simulated_conflict_as_much_no_certainty_is_told() -> None:
    usual = shipped("tutorial").diagnose({"unilateral_calf_swelling": True, "calf_girth_difference_3cm": True}).conflict()
    assert usual.percentile is not None
    assert (usual.percentile.alike, usual.percentile.share) == (usual.percentile.patients, 1.0)
    assert usual.percentile.error > 0.0
    assert "all (standard error 0.1 %) of 1000 simulated patients" in " ".join(repr(usual).split())
    none = replace(usual, percentile=replace(usual.percentile, share=1 / 1001))
    assert "none (standard error 0.1 %) of 1000 simulated patients" in " ".join(repr(none).split())


def test_a_conflict_that_is_spread_over_many_answers_is_told_as_a_caution() -> None:
    """A cause brings ten findings nearly always; a rare one, half of the time, lets no pair of them stand out."""
    names = [f"f{k}" for k in range(10)]
    causes = {"a": (1.0, dict.fromkeys(names, 0.875)), "b": (1.0, {}), "c": (0.01, dict.fromkeys(names, 0.5))}
    model = model_of(with_words(small_content(causes, dict.fromkeys(names, 1 / 64), coincidence=0.0625)))
    strange, usual = (model.diagnose({name: k % n < n - 1 for k, name in enumerate(names)}).conflict() for n in (2, 10))
    assert strange.pairs == usual.pairs == ()
    assert strange.percentile is not None
    assert usual.percentile is not None
    assert strange.percentile.share <= 0.01 < usual.percentile.share
    caution, where = strange.sentences
    assert caution.startswith("Caution")
    assert f"{of_draws(strange.percentile.alike, strange.percentile.patients)} (standard error" in where
    assert (strange.to_dict()["is_spread"], usual.to_dict()["is_spread"]) == (True, False)
    assert usual.sentences == ()


def test_a_model_without_sentences_shows_its_tables() -> None:
    content = small_content({"a": (1.0, {"f": 0.5}), "b": (1.0, {})}, {"f": 0.25})
    answer = model_of(content).diagnose({"f": True})
    assert answer.explain("a").sentences == answer.compare_causes("a", "b").sentences == ()
    assert answer.what_if(f=False).sentences == conflict_sentences(answer, answer.conflict()) == ()
    assert "Weights of evidence" in repr(answer.explain("a"))


def test_a_competitor_that_changes_nothing_to_be_seen_is_not_told() -> None:
    ledger = result().explain(FIRST)
    rival = ledger.competitors[0]
    assert any(rival.label in sentence for sentence in ledger.sentences)
    for with_it, without_it in (
        (ledger.probability, ledger.probability + 0.2),  # "falls to" what it is
        (rival.with_it, rival.with_it + 1e-6),  # "falls to 12 %; if it is not, it is at 12 %"
    ):
        dull = replace(ledger, competitors=(replace(rival, with_it=with_it, without_it=without_it),))
        assert not any(rival.label in sentence for sentence in dull.sentences)
    behind = replace(ledger, competitors=(replace(rival, with_it=rival.without_it), *ledger.competitors))
    assert any(rival.label in sentence for sentence in behind.sentences)
