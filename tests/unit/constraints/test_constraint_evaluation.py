"""Verdicts of each kind of constraint, against what the model says when it is asked directly."""

from functools import partial
from math import exp
from pathlib import Path
from typing import Any

import pytest

from calfbayes import Model
from calfbayes.constraints import evaluation
from calfbayes.constraints.cohorts import Scored, scored
from calfbayes.constraints.judging import check_constraints
from calfbayes.constraints.reading import read_constraints
from calfbayes.constraints.terms import Status, Verdict
from calfbayes.constraints.text import constraints_text
from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY
from support.models import shipped, with_constraints

MODEL = shipped("tutorial")
DVT, PAD, OVERUSE = "deep_vein_thrombosis", "peripheral_artery_disease", "overuse"
HEAD = '[[constraints]]\nid = "one"\nsource = ["goodacre_2005"]\nwhy = "for a test"\nsetting = "primary_care"\n'


def verdict(folder: Path, body: str, model: Model = MODEL) -> Verdict:
    constraints = read_constraints(model._solved.network, with_constraints(folder, HEAD + body)).constraints
    (result,) = check_constraints(model._solved, constraints)
    return result


def p(cause: str, **given: Any) -> float:
    return MODEL.diagnose(given, setting="primary_care")[cause].probability


def odds(probability: float) -> float:
    return probability / (1 - probability)


@pytest.mark.parametrize(("at_most", "holds"), [(0.7, True), (0.1, False)])
def test_probability(tmp_path: Path, at_most: float, holds: bool) -> None:
    expected = p(DVT, unilateral_calf_swelling=True, age=67)
    result = verdict(
        tmp_path,
        f'kind = "probability"\ncause = "{DVT}"\ngiven = {{ unilateral_calf_swelling = true, age = 67 }}\nat_most = {at_most}',
    )
    assert result.holds is holds
    assert result.observed == pytest.approx(expected, rel=1e-12)
    said = f"the probability of {DVT} is {expected:.3g}; wanted at most {at_most}"
    assert result.text == f"in primary_care, unilateral_calf_swelling, age 67: {said}"


def test_probability_of_any(tmp_path: Path) -> None:
    result = verdict(tmp_path, f'kind = "probability"\ncause = ["{DVT}", "{OVERUSE}"]\nat_least = 0.9')
    expected = MODEL.diagnose(setting="primary_care").probability_of_any([DVT, OVERUSE])
    assert result.observed == pytest.approx(expected, rel=1e-9)
    assert not result.holds


@pytest.mark.parametrize(("within", "holds"), [(1, False), (5, True)])
def test_ranks(tmp_path: Path, within: int, holds: bool) -> None:
    result = verdict(
        tmp_path, f'kind = "ranks"\ncause = "electrolyte_deficit"\nwithin = {within}\ngiven = {{ redness = false }}'
    )
    ranking = [entry.id for entry in MODEL.diagnose({"redness": False}, setting="primary_care").causes]
    assert result.observed == 1 + ranking.index("electrolyte_deficit")
    assert result.holds is holds
    assert f"{ranking[0]} 0." in result.text


def test_dominates(tmp_path: Path) -> None:
    given = "given = { age = 70, pain_on_walking = true, absent_foot_pulses = true }"
    right = verdict(tmp_path, f'kind = "dominates"\ncauses = ["{PAD}", "{DVT}"]\n{given}')
    wrong = verdict(tmp_path, f'kind = "dominates"\ncauses = ["{DVT}", "{PAD}"]\n{given}')
    assert right.holds
    assert not wrong.holds
    assert dict(right.numbers) == pytest.approx(
        {c: p(c, age=70, pain_on_walking=True, absent_foot_pulses=True) for c in (PAD, DVT)}
    )


@pytest.mark.parametrize(("expected", "holds"), [(0.5, True), (0.02, False)])
def test_frequencies(tmp_path: Path, expected: float, holds: bool) -> None:
    """P(finding | cause) by Bayes' rule, from posteriors and from how often the finding is seen."""
    of = f"{{ unilateral_calf_swelling = {expected}, 'age >= 60' = 0.5 }}"
    result = verdict(tmp_path, f'kind = "frequencies"\ncause = "{DVT}"\nof = {of}\nwithin_factor = 3')
    swollen = MODEL.diagnose({"unilateral_calf_swelling": True}, setting="primary_care")
    assert swollen.log_evidence is not None
    seen = swollen[DVT].probability * exp(swollen.log_evidence) / p(DVT)
    assert dict(result.numbers)["unilateral_calf_swelling"] == pytest.approx(seen, rel=1e-9)
    assert result.holds is holds
    assert (odds(expected) / 3 < odds(seen) < odds(expected) * 3) is holds
    assert ("age >= 60 in" in result.text) is holds  # only what is out of bounds is told where something is


def test_yields_names_the_finding_that_decides(tmp_path: Path) -> None:
    findings = ["unilateral_calf_swelling", "absent_foot_pulses", "potassium_low"]
    result = verdict(tmp_path, f'kind = "yields"\ncause = "{OVERUSE}"\nto = {findings}')
    explaining = {
        "unilateral_calf_swelling": DVT,
        "absent_foot_pulses": PAD,
        "potassium_low": "electrolyte_deficit",
    }
    leads = {f: p(c, **{f: True}) / p(OVERUSE, **{f: True}) for f, c in explaining.items()}
    assert dict(result.numbers) == pytest.approx(leads)
    worst = min(leads, key=lambda finding: leads[finding])
    assert result.observed == pytest.approx(leads[worst])
    assert result.holds is (leads[worst] > 1)
    assert f"with {worst} it is {OVERUSE}" in result.text


def test_yields_fails_where_nothing_else_explains_the_finding(tmp_path: Path) -> None:
    result = verdict(tmp_path, f'kind = "yields"\ncause = "{PAD}"\nto = ["absent_foot_pulses"]')
    assert not result.holds
    assert "nothing else brings absent_foot_pulses about" in result.text


@pytest.mark.parametrize(
    ("kind", "bounds", "holds"),
    [
        ("raises", "", True),
        ("raises", "by_at_least = 50", False),
        ("raises", "by_at_most = 1.01", False),
        ("lowers", "", False),
        ("must_not_lower", "", True),
        ("must_not_raise", "", False),
        ("must_not_raise", "by_more_than = 100", True),
    ],
)
def test_moves(tmp_path: Path, kind: str, bounds: str, holds: bool) -> None:
    body = f'kind = "{kind}"\ncause = "{DVT}"\ngiven = {{ age = 50 }}\nof = {{ unilateral_calf_swelling = true }}\n{bounds}'
    result = verdict(tmp_path, body)
    factor = p(DVT, age=50, unilateral_calf_swelling=True) / p(DVT, age=50)
    assert result.observed == pytest.approx(factor if "raise" in kind else 1 / factor, rel=1e-9)
    assert result.holds is holds


def test_what_does_not_move_neither_raises_nor_lowers(tmp_path: Path) -> None:
    """What is told a second time is no news."""
    for kind, holds in (("raises", False), ("lowers", False), ("must_not_raise", True), ("must_not_lower", True)):
        body = f'kind = "{kind}"\ncause = "{DVT}"\ngiven = "redness"\nof = {{ redness = true }}'
        assert verdict(tmp_path, body).holds is holds


def test_a_group_is_judged_by_its_worst_member(tmp_path: Path) -> None:
    body = (
        f'kind = "must_not_raise"\ngroup = "any"\nexcept_for = ["{PAD}"]\nof = {{ pain_on_walking = true }}\nby_more_than = 1'
    )
    result = verdict(tmp_path, body)
    factors = {c.id: p(c.id, pain_on_walking=True) / p(c.id) for c in MODEL.causes if c.id != PAD}
    assert dict(result.numbers) == pytest.approx(factors)
    assert result.observed == pytest.approx(max(factors.values()))


def test_moves_compared_with_the_opposite(tmp_path: Path) -> None:
    body = f'kind = "raises"\ncause = "{PAD}"\nof = {{ smoking = true }}\ncompared_with = {{ smoking = false }}'
    result = verdict(tmp_path, body)
    assert result.observed == pytest.approx(p(PAD, smoking=True) / p(PAD, smoking=False), rel=1e-9)
    assert "with smoking rather than no smoking" in result.text


def test_likelihood_ratio_is_the_ratio_of_odds(tmp_path: Path) -> None:
    body = f'kind = "likelihood_ratio"\ncause = "{DVT}"\ngiven = {{ age = 50 }}\nof = {{ redness = true }}\nbetween = [1, 5]'
    result = verdict(tmp_path, body)
    expected = odds(p(DVT, age=50, redness=True)) / odds(p(DVT, age=50))
    assert result.observed == pytest.approx(expected, rel=1e-9)
    assert result.holds is (1 <= expected <= 5)


def test_likelihood_ratio_against_another_cause(tmp_path: Path) -> None:
    body = f'kind = "likelihood_ratio"\ncause = "{DVT}"\nagainst = "{PAD}"\nof = "redness and not cold_feet"\nat_least = 0.001'
    result = verdict(tmp_path, body)
    before, after = {c: p(c) for c in (DVT, PAD)}, {c: p(c, redness=True, cold_feet=False) for c in (DVT, PAD)}
    assert result.observed == pytest.approx(after[DVT] / before[DVT] / (after[PAD] / before[PAD]), rel=1e-9)


def test_takes_applies_the_likelihood_ratio_to_a_start(tmp_path: Path) -> None:
    body = f'kind = "takes"\ncause = "{PAD}"\nof = {{ absent_foot_pulses = true }}\nstart = 0.2\nat_most = 0.1'
    result = verdict(tmp_path, body)
    end = odds(p(PAD, absent_foot_pulses=True)) / odds(p(PAD)) * odds(0.2)
    assert result.observed == pytest.approx(end / (1 + end), rel=1e-9)
    assert not result.holds


@pytest.mark.parametrize(("direction", "holds"), [("rises", True), ("falls", False)])
def test_monotone(tmp_path: Path, direction: str, holds: bool) -> None:
    result = verdict(tmp_path, f'kind = "monotone"\ncause = "{PAD}"\nalong = "age"\ndirection = "{direction}"')
    assert result.holds is holds
    assert dict(result.numbers) == pytest.approx(
        {state: p(PAD, age=state) for state in ("age_0_39", "age_40_59", "age_60_79", "age_80_plus")}
    )


def test_states_in_which_nobody_is_are_left_out_and_their_neighbours_compared(tmp_path: Path) -> None:
    """The one in the middle would hide that the probability rises from the first to the last."""
    given = 'given = "age < 40 or age >= 60"'
    result = verdict(tmp_path, f'kind = "monotone"\ncause = "{PAD}"\nalong = "age"\ndirection = "falls"\n{given}')
    assert not result.holds
    assert list(dict(result.numbers)) == ["age_0_39", "age_60_79", "age_80_plus"]
    assert "and nobody is at age_40_59" in result.text
    assert result.observed == pytest.approx(min(p(PAD, age=20) - p(PAD, age=67), p(PAD, age=67) - p(PAD, age=90)))


def test_a_single_state_shows_no_order(tmp_path: Path) -> None:
    given = 'given = "40 <= age < 60"'
    result = verdict(tmp_path, f'kind = "monotone"\ncause = "{PAD}"\nalong = "age"\ndirection = "rises"\n{given}')
    assert not result.holds
    assert "there is no other state to compare it with" in result.text


@pytest.mark.parametrize(
    ("bounds", "holds"),
    [
        ('at_least = "emergency"', True),
        ('at_most = "same_day"', False),
        ('at_least = "same_day"\noutcome = "assessed"', True),
        ('at_least = "same_day"\noutcome = "insufficient"', False),
    ],
)
def test_urgency(tmp_path: Path, bounds: str, holds: bool) -> None:
    given = "given = { age = 30, shortness_of_breath = true }"
    result = verdict(tmp_path, f'kind = "urgency"\n{given}\n{bounds}')
    assert result.observed == "emergency"
    assert result.holds is holds
    assert "New breathlessness" in result.text


def test_no_red_flags_lowers_the_level(tmp_path: Path) -> None:
    told = (
        'kind = "urgency"\ngiven = { age = 30, onset_after_exertion = true, muscle_tenderness = true }\noutcome = "assessed"\n'
    )
    assert not verdict(tmp_path, told).holds
    assert verdict(tmp_path, f'{told}no_red_flags = true\nat_most = "self_care"').holds


def test_the_middle_patient(tmp_path: Path) -> None:
    body = 'kind = "median_urgency"\ntell = ["age", "shortness_of_breath"]\npatients = 40\nseed = 3\nat_most = "same_day"'
    result = verdict(tmp_path, body)
    patients = MODEL.simulate(1_000, seed=3, setting="primary_care").head(40)  # the same draw, of a batch of 1,000
    levels = [
        MODEL.diagnose({"age": age, "shortness_of_breath": bool(breath)}, setting="primary_care").urgency.level
        for age, breath in zip(patients["age"], patients["shortness_of_breath"], strict=True)
    ]
    assert dict(result.numbers) == {str(level): levels.count(level) for level in LEVELS_BY_SEVERITY}
    assert result.observed == sorted(levels, key=lambda level: level.severity)[20]
    assert result.holds is (result.observed != "emergency")


def test_who_is_drawn_by_an_expression_tells_it(tmp_path: Path) -> None:
    """Breathlessness is an emergency only if it is told."""
    body = 'kind = "median_urgency"\ntell = ["age"]\npatients = 20\nseed = 3\nat_least = "emergency"'
    assert verdict(tmp_path, f'{body}\ngiven = "shortness_of_breath and night_cramps"').holds
    assert verdict(tmp_path, f"{body}\ngiven = {{ shortness_of_breath = true, night_cramps = true }}").holds


def test_nobody_answers_one_question_in_two_ways(tmp_path: Path) -> None:
    body = (
        'kind = "urgency"\ngiven = { shortness_of_breath = false }\neach_of = ["shortness_of_breath"]\nat_least = "emergency"'
    )
    result = verdict(tmp_path, body)
    assert not result.holds
    assert "these cannot all be true: no shortness_of_breath, shortness_of_breath" in result.text


def test_impossible_patients_hold_nowhere(tmp_path: Path) -> None:
    body = 'kind = "ranks"\ncause = "overuse"\nwithin = 5\ngiven = "redness and not redness"'
    result = verdict(tmp_path, body)
    assert not result.holds
    assert result.observed == "impossible"
    assert not verdict(
        tmp_path, f'kind = "probability"\ncause = "{DVT}"\ngiven = "redness and not redness"\nat_most = 0.9'
    ).holds


IMPOSSIBLE = 'given = "redness and not redness"\n'


@pytest.mark.parametrize(
    "body",
    [
        f'kind = "raises"\ncause = "{DVT}"\nof = {{ cold_feet = true }}\n{IMPOSSIBLE}',
        f'kind = "must_not_lower"\ncause = "{DVT}"\ngiven = {{ redness = true }}\nof = "not redness"',
        f'kind = "likelihood_ratio"\ncause = "{DVT}"\nof = {{ cold_feet = true }}\nat_least = 0.1\n{IMPOSSIBLE}',
        f'kind = "likelihood_ratio"\ncause = "{DVT}"\ngiven = {{ redness = true }}\nof = "not redness"\nat_least = 0.1',
        f'kind = "frequencies"\ncause = "{DVT}"\nof = {{ cold_feet = 0.5 }}\nwithin_factor = 1000\n{IMPOSSIBLE}',
        f'kind = "takes"\ncause = "{DVT}"\nof = {{ cold_feet = true }}\nstart = 0.2\nat_least = 0.1\n{IMPOSSIBLE}',
        f'kind = "monotone"\ncause = "{DVT}"\nalong = "age"\ndirection = "rises"\n{IMPOSSIBLE}',
    ],
)
def test_where_nobody_is_left_to_count_no_kind_holds_and_none_counts(tmp_path: Path, body: str) -> None:
    result = verdict(tmp_path, body)
    assert not result.holds
    assert "nan" not in result.text
    assert result.observed == "impossible"
    assert result.basis == "the model knows no such patient"


def test_a_frequency_of_what_is_impossible_with_the_cause_is_zero(tmp_path: Path) -> None:
    given = "given = { redness = true }"
    body = f'kind = "frequencies"\ncause = "{DVT}"\n{given}\nof = {{ "not redness" = 0.5 }}\nwithin_factor = 9'
    result = verdict(tmp_path, body)
    assert not result.holds
    assert result.observed == 0


def test_a_refused_query_is_no_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without probabilities the level is that of the rules, which would make a lenient verdict."""
    monkeypatch.setattr(evaluation, "diagnose", partial(diagnose, cost_limit=1))
    result = verdict(tmp_path, 'kind = "urgency"\ngiven = { redness = true }\nat_most = "same_day"')
    assert result.status is Status.NOT_SETTLED
    assert not result.holds
    result = verdict(tmp_path, 'kind = "urgency"\ngiven = { shortness_of_breath = true }\nat_least = "emergency"')
    assert result.status is Status.PROVEN  # by a rule, which needs no probability


def test_a_query_that_is_refused_leaves_the_other_constraints_their_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "diagnose", partial(diagnose, cost_limit=1))
    first = f'{HEAD}kind = "urgency"\ngiven = {{ redness = true }}\nat_most = "same_day"\n'
    second = f'{HEAD.replace("one", "two")}kind = "ranks"\ncause = "overuse"\nwithin = 5\n'
    file = read_constraints(MODEL._solved.network, with_constraints(tmp_path, first + second))
    dear, cheap = check_constraints(MODEL._solved, file.constraints)
    assert (dear.status, cheap.status) == (Status.NOT_SETTLED, Status.PROVEN)
    text = constraints_text(file.constraints, (dear, cheap))
    assert "one: not settled. in primary_care, redness: this result holds no probabilities" in " ".join(text.split())
    assert "1 of 2 constraints hold: 1 proven, 1 not settled." in text


@pytest.mark.parametrize(
    ("points", "told"), [([3, 3], "says nothing"), ([1, 2], "gives deep_vein_thrombosis a probability of")]
)
def test_a_stratum_of_hardly_any_patients_says_nothing(tmp_path: Path, points: list[int], told: str) -> None:
    items = "".join(f'{{ points = 1, when = "{item}" }}, ' for item in ("redness", "shortness_of_breath", "positive_d_dimer"))
    score = f'[scores.s]\nlabel = "s"\ncause = "{DVT}"\nitems = [{items}]\npatients = 8\nseed = 1\n'
    stratum = f'{HEAD}kind = "rule_stratum"\nscore = "s"\npoints = {points}\nprobability = [0, 0.99]\n'
    file = read_constraints(MODEL._solved.network, with_constraints(tmp_path, score + stratum))
    (result,) = check_constraints(MODEL._solved, file.constraints)
    assert result.status is Status.NOT_SETTLED
    assert not result.holds
    assert told in result.text
    assert "at least 10 are needed" in result.basis


def test_a_score_may_ask_for_nothing_but_another_diagnosis(tmp_path: Path) -> None:
    items = "items = [{ points = 1, other_diagnosis = true }]"
    score = f'[scores.s]\nlabel = "s"\ncause = "{DVT}"\n{items}\npatients = 20\nseed = 1\n'
    stratum = f'{HEAD}kind = "rule_stratum"\nscore = "s"\npoints = [1, 1]\nprobability = [0, 0.99]\n'
    file = read_constraints(MODEL._solved.network, with_constraints(tmp_path, score + stratum))
    (result,) = check_constraints(MODEL._solved, file.constraints)
    assert result.observed == pytest.approx(p(DVT))  # of everybody another cause is more probable


def test_a_shared_score_is_read_off_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*args: Any) -> Scored:
        calls.append(args)
        return scored(*args)

    monkeypatch.setattr(evaluation, "scored", counted)
    score = (
        f'[scores.simple]\nlabel = "a score"\ncause = "{DVT}"\nitems = [{{ points = 1, when = "recent_surgery" }}]\n'
        "patients = 30\nseed = 1\n"
    )
    strata = "".join(
        f'{HEAD.replace("one", name)}kind = "rule_stratum"\nscore = "simple"\npoints = {points}\nprobability = [0, 0.99]\n'
        for name, points in (("low", [0, 0]), ("high", [1, 1]))
    )
    file = read_constraints(MODEL._solved.network, with_constraints(tmp_path, score + strata))
    verdicts = check_constraints(MODEL._solved, file.constraints)
    assert len(calls) == 1
    assert sum(dict(v.numbers)["patients"] for v in verdicts) == 30
