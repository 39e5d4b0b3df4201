"""What a verdict rests on: laws, an exhausted scope, random patients, a shrunk counterexample, explaining away."""

from collections.abc import Mapping
from math import inf
from typing import Any

import pytest

from calfbayes import Model, ModelFileError
from calfbayes.constraints.evaluation import Comparison
from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import read_tables
from calfbayes.constraints.scopes import patients, size
from calfbayes.constraints.terms import Constraint, Status, Verdict
from calfbayes.errors import QueryTooCostlyError
from calfbayes.testing.editing import REMOVED, edited
from support.models import model_of, shipped
from support.random_models import number
from support.small_models import small_content

TUTORIAL = shipped("tutorial")
DVT = "deep_vein_thrombosis"


def constraint(model: Model, kind: str, **table: Any) -> Constraint:
    source = model.sources[0].id
    demand = {"id": "one", "kind": kind, "source": [source], "why": "for a test", **table}
    return read_tables(model._solved.network, {"constraints": [demand]}).constraints[0]


def judged(model: Model, kind: str, **table: Any) -> Verdict:
    return Judge(model._solved).verdict(constraint(model, kind, **table))


def two_causes(*, link: float = 0.1, leak: float = 0.0) -> Model:
    """Bases of 0.1 each: c and d share g, and f comes with d, and sometimes with c and by itself."""
    causes: Mapping[str, tuple[float, Mapping[str, float]]] = {
        "c": (1.0, {"g": 0.5, **({"f": link} if link else {})}),
        "d": (1.0, {"g": 0.5, "f": 0.9}),
    }
    return model_of(small_content(causes, {"g": 0.0, "f": leak}, coincidence=0.2 / 0.19 - 1))


# --- explaining away ---


@pytest.mark.parametrize("kind", ["raises", "must_not_lower"])
def test_a_fall_by_competition_is_a_lawful_exception_that_names_the_competitor(kind: str) -> None:
    verdict = judged(two_causes(), kind, cause="c", given={"g": True}, of={"f": True})
    assert verdict.status is Status.LAWFUL_EXCEPTION
    assert verdict.competitors == ("d",)
    assert not verdict.holds  # nobody has allowed it
    wanted = {"raises": "a rise", "must_not_lower": "no fall"}[kind]
    assert f"with f, c falls to 0.406 of itself, from 0.538 to 0.219; wanted {wanted};" in verdict.text
    assert verdict.text.endswith("d explains the evidence away")


def test_an_exception_that_the_author_allows_holds() -> None:
    verdict = judged(two_causes(), "raises", cause="c", given={"g": True}, of={"f": True}, allow_explaining_away=True)
    assert verdict.holds
    assert verdict.status is Status.LAWFUL_EXCEPTION


def test_the_competitor_that_rises_is_raised() -> None:
    assert judged(two_causes(), "raises", cause="d", given={"g": True}, of={"f": True}).status is Status.PROVEN


def test_a_fall_without_a_competitor_is_a_fault() -> None:
    content = small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"g": 0.5})}, {"g": 0.1})
    verdict = judged(model_of(content), "raises", cause="c", of={"g": False})
    assert verdict.status is Status.REFUTED
    assert verdict.competitors == ()


def test_what_speaks_for_the_competitor_only_does_not_raise_the_cause() -> None:
    """With d held still, f says nothing about c: its fall is the rise of d."""
    content = small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"g": 0.5, "f": 0.9})}, {"g": 0.1, "f": 0.1})
    assert judged(model_of(content), "must_not_lower", cause="c", of={"f": True}).competitors == ("d",)


@pytest.mark.parametrize("bound", [{"by_at_least": 1000}, {"by_at_most": 1.1}])
def test_who_moves_as_demanded_but_misses_a_magnitude_has_nobody_to_blame(bound: dict[str, float]) -> None:
    of = {"unilateral_calf_swelling": True}
    verdict = judged(TUTORIAL, "raises", cause=DVT, of=of, **bound, allow_explaining_away=True)
    assert verdict.observed == pytest.approx(TUTORIAL.diagnose(of)[DVT].probability / TUTORIAL.diagnose()[DVT].probability)
    assert verdict.status is Status.REFUTED
    assert not verdict.holds


def test_with_the_competitor_held_still_the_whole_demand_has_to_be_met() -> None:
    excused = judged(two_causes(), "raises", cause="c", given={"g": True}, of={"f": True}, by_at_least=1.005)
    assert excused.status is Status.LAWFUL_EXCEPTION  # with d, f multiplies the odds of c by 0.91 / 0.9, which is little
    too_much = judged(two_causes(), "raises", cause="c", given={"g": True}, of={"f": True}, by_at_least=2)
    assert too_much.status is Status.REFUTED


@pytest.mark.parametrize("leak", [0.0, 0.05])
def test_a_link_that_is_deleted_is_not_excused(leak: float) -> None:
    """Without its link the cause does not move with the competitor held still: nothing would raise it."""
    table: Mapping[str, Any] = {"cause": "c", "given": {"g": True}, "of": {"f": True}, "allow_explaining_away": True}
    assert judged(two_causes(leak=leak), "raises", **table).competitors == ("d",)
    assert judged(two_causes(link=0, leak=leak), "raises", **table).status is Status.REFUTED
    assert judged(two_causes(link=0, leak=0.05), "must_not_lower", **table).competitors == ("d",)  # no rise is demanded


@pytest.mark.parametrize(
    ("kind", "bound", "wanted"),
    [
        ("raises", {"by_at_least": 2}, "a rise of at least 2 times"),
        ("raises", {"by_at_most": 3}, "a rise of 1 to 3 times"),
        ("lowers", {}, "a fall"),
        ("lowers", {"by_at_least": 2}, "a fall to at most 0.5 of itself"),
        ("lowers", {"by_at_least": 2, "by_at_most": 4}, "a fall to 0.25 to 0.5 of itself"),
        ("must_not_raise", {"by_more_than": 2}, "a rise of at most 2 times"),
        ("must_not_lower", {"by_more_than": 2}, "a fall to at least 0.5 of itself"),
    ],
)
def test_a_demanded_movement_is_told_in_the_units_of_what_is_seen(kind: str, bound: dict[str, float], wanted: str) -> None:
    verdict = judged(two_causes(), kind, cause="d", given={"g": True}, of={"f": True}, **bound)
    assert f"with f, d grows 1.7 times, from 0.538 to 0.913; wanted {wanted}" in verdict.text


# --- laws ---


def test_the_only_parent_of_a_finding_is_raised_whatever_else_is_known() -> None:
    content = small_content({"c": (1.0, {"g": 0.5, "own": 0.4}), "d": (1.0, {"g": 0.5})}, {"g": 0.1, "own": 0.2})
    model = model_of(content)
    raised = judged(model, "must_not_lower", cause="c", of={"own": True}, scope="anything")
    assert raised.status is Status.PROVEN
    assert "multiplies its odds by exactly 2.6, whatever else is known" in raised.basis
    ratio = judged(model, "likelihood_ratio", cause="c", of={"own": True}, given="g", between=[2.59, 2.61])
    assert ratio.status is Status.PROVEN
    assert ratio.observed == pytest.approx((1 - 0.6 * 0.8) / 0.2)
    assert "whatever else" in ratio.basis
    for given in ({}, {"g": True}, {"g": False}):
        p, q = (model.diagnose({**given, **more})["c"].probability for more in ({}, {"own": True}))
        assert (q / (1 - q)) / (p / (1 - p)) == pytest.approx(2.6)


def test_the_law_is_silent_where_the_finding_has_two_parents() -> None:
    content = small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"g": 0.4})}, {"g": 0.1})
    verdict = judged(model_of(content), "likelihood_ratio", cause="c", of={"g": True}, at_least=1)
    assert "whatever else" not in verdict.basis


def test_a_finding_that_nothing_brings_about_changes_no_cause() -> None:
    content = small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"g": 0.4})}, {"g": 0.1, "idle": 0.3})
    verdict = judged(model_of(content), "must_not_raise", group="any", of={"idle": True}, scope="anything")
    assert verdict.status is Status.PROVEN
    assert verdict.basis == "no path leads to idle, so it changes no cause"


def test_a_finding_of_a_mechanism_without_causes_still_speaks_about_causes() -> None:
    """k tells of m, which explains h away, for which c is the other explanation."""
    content = small_content(
        {"c": (1.0, {"h": 0.5}), "d": (1.0, {})}, {"h": 0.01, "k": 0.1}, mechanisms={"m": {"h": 0.8, "k": 0.7}}
    )
    content["mechanisms"]["m"]["leak"] = number(0.3)
    model = model_of(content)
    p, q = (model.diagnose(evidence)["c"].probability for evidence in ({"h": True}, {"h": True, "k": True}))
    assert q < 0.9 * p
    assert judged(model, "must_not_lower", cause="c", of={"k": True}, scope=["h"]).status is Status.REFUTED


def test_no_law_speaks_of_patients_who_are_selected_by_the_finding() -> None:
    """Among those with own or s, own speaks against s; among those with k or own, k is no mere noise."""
    causes: Mapping[str, tuple[float, Mapping[str, float]]] = {
        "c": (1.0, {"own": 0.3, "s": 0.9, "h": 0.6}),
        "d": (1.0, {"h": 0.5}),
    }
    model = model_of(small_content(causes, {"own": 0.2, "s": 0.001, "h": 0.05, "k": 0.3}))
    ratio = judged(model, "likelihood_ratio", cause="c", given="own or s", of={"own": True}, at_most=1, scope=["h"])
    assert ratio.basis == "scope exhausted: 3 patients; 0 more are impossible"  # the law says 2.2
    table: Mapping[str, Any] = {"cause": "c", "given": "k or own", "of": {"k": True}, "by_more_than": 1.126}
    assert judged(model, "must_not_lower", **table).status is Status.PROVEN
    assert judged(model, "must_not_lower", **table, scope=["h"]).status is Status.REFUTED


def test_a_rule_that_holds_proves_its_level_whatever_is_learnt() -> None:
    content = small_content(
        {"c": (1.0, {"g": 0.5}), "d": (1.0, {})},
        {"g": 0.1, "flag": 0.1, "other": 0.1},
        rules={"alarm": ("emergency", {"any": ["flag", "other"]})},
    )
    model = model_of(content)
    proven = judged(model, "urgency", at_least="emergency", each_of=["flag", "other"], scope="anything")
    assert proven.status is Status.PROVEN
    assert "a red-flag rule that holds (alarm)" in proven.basis
    missing = judged(model, "urgency", at_least="emergency", each_of=["flag", "g"])
    assert missing.status is Status.REFUTED
    assert "besides g: the level is" in missing.text


PICTURES = [["sudden_onset", "cold_feet"], ["sudden_onset", "leg_weakness"]]


def test_a_rule_holds_on_every_picture_at_its_level() -> None:
    rule = "sudden_loss_of_blood_supply"
    verdict = judged(TUTORIAL, "rule", rule=rule, at_least="emergency", pictures=PICTURES)
    assert verdict.status is Status.PROVEN
    verdict = judged(TUTORIAL, "rule", rule=rule, at_least="emergency", pictures=[*PICTURES, ["cold_feet"]])
    assert verdict.status is Status.REFUTED
    assert f"rule {rule} asks for emergency, but does not hold with cold_feet" in verdict.text
    milder = edited(TUTORIAL, {f"urgency.rules.{rule}.level": "same_day"})
    assert judged(milder, "rule", rule=rule, at_least="emergency", pictures=PICTURES).observed == "same_day"
    gone = edited(TUTORIAL, {f"urgency.rules.{rule}": REMOVED})
    with pytest.raises(ModelFileError, match="is no red-flag rule"):
        judged(gone, "rule", rule=rule, at_least="emergency", pictures=PICTURES)


def test_a_rule_that_holds_on_less_than_a_picture_is_told_unless_that_is_allowed() -> None:
    table: Mapping[str, Any] = {"rule": "sudden_loss_of_blood_supply", "at_least": "emergency"}
    more = [*PICTURES, ["sudden_onset", "leg_weakness", "age=age_0_39"]]
    verdict = judged(TUTORIAL, "rule", **table, pictures=more)
    assert verdict.status is Status.REFUTED
    assert "holds even with sudden_onset, leg_weakness, age age_0_39 without age; wanted" in verdict.text
    assert judged(TUTORIAL, "rule", **table, pictures=more, each_needed=False).holds
    grown = edited(TUTORIAL, {"urgency.rules.sudden_loss_of_blood_supply.when": {"any": ["cold_feet", "leg_weakness"]}})
    assert (
        "holds even with sudden_onset, cold_feet without sudden_onset" in judged(grown, "rule", **table, pictures=PICTURES).text
    )


# --- scopes ---


def test_a_small_scope_is_exhausted() -> None:
    table: Mapping[str, Any] = {"cause": DVT, "of": {"unilateral_calf_swelling": True}, "scope": ["redness", "sex"]}
    demand = constraint(TUTORIAL, "raises", **table)
    assert size(TUTORIAL._solved.network, demand) == 9
    everyone = list(patients(TUTORIAL._solved.network, demand))
    assert len(set(everyone)) == 9
    assert [len(patient.answers) for patient in everyone] == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    verdict = judged(TUTORIAL, "raises", **table)
    assert verdict.status is Status.PROVEN
    assert verdict.basis == "scope exhausted: 9 patients; 0 more are impossible"


def test_a_large_scope_is_drawn_and_only_held() -> None:
    table = {"cause": DVT, "at_most": 0.9999, "scope": "anything", "trials": 20}
    verdict = judged(TUTORIAL, "probability", **table)
    assert verdict.status is Status.HELD
    assert verdict.basis.startswith("in 20 random patients, of ") or "impossible" in verdict.basis
    first, second = (list(patients(TUTORIAL._solved.network, constraint(TUTORIAL, "probability", **table))) for _ in range(2))
    assert first == second


def test_no_patient_is_drawn_twice() -> None:
    scope = ["redness", "cold_feet", "night_cramps", "sex", "smoking"]
    verdict = judged(TUTORIAL, "probability", cause=DVT, at_most=0.9999, scope=scope)
    assert verdict.status is Status.HELD
    assert verdict.basis == "in 200 random patients, of 2.4e+02"
    drawn = list(
        patients(TUTORIAL._solved.network, constraint(TUTORIAL, "probability", cause=DVT, at_most=0.9999, scope=scope))
    )
    assert len({frozenset(patient.answers) for patient in drawn}) == len(drawn)


def test_where_most_patients_are_too_costly_nothing_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(TUTORIAL._solved)
    compare = judge.examiner.compare

    def costly(demand: Constraint) -> Comparison:
        if demand.besides.answers:
            raise QueryTooCostlyError(1e12, 1e9)
        return compare(demand)

    monkeypatch.setattr(judge.examiner, "compare", costly)
    verdict = judge.verdict(constraint(TUTORIAL, "probability", cause=DVT, at_most=0.9999, scope=["redness", "sex"]))
    assert verdict.status is Status.NOT_SETTLED
    assert not verdict.holds
    assert verdict.basis.startswith("in 1 random patients, of 9; 8 more would have been too costly to ask about; at least 10")


def test_a_single_random_patient_settles_nothing() -> None:
    verdict = judged(TUTORIAL, "probability", cause=DVT, at_most=0.9999, scope="anything", trials=1)
    assert verdict.status is Status.NOT_SETTLED


def test_a_counterexample_says_no_more_than_it_needs() -> None:
    limit = TUTORIAL.diagnose({"redness": True})[DVT].probability
    scope = ["redness", "cold_feet", "night_cramps", "muscle_tenderness", "unilateral_calf_swelling", "pitting_oedema"]
    for trials in (10_000, 100):  # exhausted, drawn
        verdict = judged(TUTORIAL, "probability", cause=DVT, at_most=limit * 1.0001, scope=scope, trials=trials)
        assert verdict.status is Status.REFUTED
        for position in range(len(verdict.besides)):
            fewer = dict(verdict.besides[:position] + verdict.besides[position + 1 :])
            assert TUTORIAL.diagnose(fewer)[DVT].probability <= limit * 1.0001
        assert TUTORIAL.diagnose(dict(verdict.besides))[DVT].probability > limit * 1.0001


def test_exceptions_in_a_scope_are_counted_and_named() -> None:
    verdict = judged(two_causes(), "must_not_lower", cause="c", of={"f": True}, scope=["g"])
    assert verdict.status is Status.LAWFUL_EXCEPTION
    assert verdict.competitors == ("d",)
    assert verdict.basis.startswith("so in ")


EXCLUSIVE: Mapping[str, Mapping[str, Any]] = {
    "probability": {"cause": "c", "at_most": 0.99},
    "likelihood_ratio": {"cause": "c", "of": {"g": True}, "at_least": 0.1},
    "must_not_raise": {"cause": "d", "of": {"g": True}},
    "takes": {"cause": "c", "of": {"g": True}, "start": 0.1, "at_least": 0.01},
    "frequencies": {"cause": "c", "of": {"g": 0.5}, "within_factor": 100},
}


@pytest.mark.parametrize("kind", EXCLUSIVE)
def test_an_impossible_patient_of_a_scope_refutes_nothing(kind: str) -> None:
    """Nothing brings h about, and it has no background: no patient has it."""
    content = small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"k": 0.5, "g": 0.05})}, {"g": 0.1, "k": 0.1, "h": 0.0})
    verdict = judged(model_of(content), kind, **EXCLUSIVE[kind], scope=["h", "k"])
    assert verdict.status is Status.PROVEN, verdict.text
    assert verdict.basis == "scope exhausted: 6 patients; 3 more are impossible"


# --- what only one cause brings about ---


def hallmark() -> Model:
    """Who has `own` has c."""
    content = small_content({"c": (1.0, {"g": 0.5, "own": 0.4}), "d": (1.0, {"g": 0.5})}, {"g": 0.1, "own": 0.0})
    return model_of(content)


def test_a_sign_without_a_background_has_an_infinite_ratio_and_settles_the_cause() -> None:
    ratio = judged(hallmark(), "likelihood_ratio", cause="c", of={"own": True}, at_least=10)
    assert ratio.holds
    assert ratio.observed == inf
    assert ratio.basis == "only c brings own about, so own makes it certain, whatever else is known"
    taken = judged(hallmark(), "takes", cause="c", of={"own": True}, start=0.1, at_least=0.9)
    assert taken.holds
    assert taken.observed == 1
    first = judged(hallmark(), "dominates", causes=["c", "d"], given={"own": True})
    assert first.holds
    assert not judged(hallmark(), "likelihood_ratio", cause="c", of={"own": True}, at_most=10).holds


def test_a_cause_that_is_certain_cannot_be_raised_by_its_own_finding() -> None:
    """That the finding multiplies its odds is a law; that its probability rises is not so of everybody."""
    content = small_content({"c": (1.0, {"own": 0.4, "sign": 0.5}), "d": (1.0, {})}, {"own": 0.0, "sign": 0.1})
    verdict = judged(model_of(content), "raises", cause="c", of={"sign": True}, scope=["own"])
    assert verdict.status is Status.REFUTED
    assert verdict.besides == (("own", True),)
    assert judged(model_of(content), "must_not_lower", cause="c", of={"sign": True}, scope=["own"]).status is Status.PROVEN


def test_where_the_cause_is_certain_there_is_nobody_to_compare_with() -> None:
    verdict = judged(hallmark(), "likelihood_ratio", cause="c", given={"own": True}, of={"g": True}, at_least=0.5)
    assert not verdict.holds
    assert "these cannot all be true: own, no c" in verdict.text


# --- tolerance ---


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("probability", {"cause": "c", "at_most": 0.5}),
        ("ranks", {"cause": "d", "within": 1}),
        ("dominates", {"causes": ["d", "c"]}),
        ("must_not_raise", {"cause": "c", "of": {"g": True}}),
        ("likelihood_ratio", {"cause": "c", "of": {"g": True}, "at_most": 1.5}),
        ("takes", {"cause": "c", "of": {"g": True}, "start": 0.5, "at_most": 0.5}),
    ],
)
def test_a_tolerance_lets_a_near_miss_pass_and_no_more(kind: str, table: dict[str, Any]) -> None:
    model = model_of(small_content({"c": (1.1, {"g": 0.5}), "d": (1.0, {})}, {"g": 0.3}))
    assert judged(model, kind, **table).status is Status.REFUTED
    assert judged(model, kind, **table, tolerance=0.49).holds
    missed = judged(model, kind, **table, tolerance=0.001)
    assert not missed.holds
    leeway = "0.1 %" if kind in {"must_not_raise", "likelihood_ratio"} else "0.001"  # a fraction where a ratio is demanded
    assert missed.text.endswith(f"with a tolerance of {leeway}")
