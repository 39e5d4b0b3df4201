"""What would mend a model: a number that is changed as told makes the demand hold, just."""

from typing import Any

import pytest

from calfbayes import ArgumentError, UnknownNameError
from calfbayes.testing import Demand, given
from calfbayes.testing.editing import REMOVED, edited, number_at, value_at, with_number
from calfbayes.testing.why import explanation, ledger, missing, numbers_that_matter
from support.models import shipped

MODEL = shipped("tutorial")
DVT, PAD = "deep_vein_thrombosis", "peripheral_artery_disease"
ABOUT: Any = {"source": "goodacre_2005", "why": "for a test"}
SWOLLEN = given(unilateral_calf_swelling=True, age=67, setting="primary_care")

AGES = ["age_0_39", "age_40_59"]

UNMET = {
    "probability": SWOLLEN.probability(DVT, at_most=0.2, **ABOUT),
    "ranks": SWOLLEN.ranks(PAD, within=1, **ABOUT),
    "dominates": SWOLLEN.dominates("overuse", DVT, **ABOUT),
    "raises": given(age=67).raises(DVT, of={"unilateral_calf_swelling": True}, by_at_least=4, **ABOUT),
    "likelihood_ratio": given(age=67).likelihood_ratio(DVT, of={"redness": True}, at_least=4, **ABOUT),
    "frequencies": given(age=67).frequencies(DVT, of={"redness": 0.9, "pitting_oedema": 0.4}, within_factor=3, **ABOUT),
    "takes": given(age=67).takes(DVT, of={"redness": True}, start=0.1, at_least=0.3, **ABOUT),
    "yields": given(onset_after_exertion=True).yields("overuse", to=["pitting_oedema", "night_cramps"], **ABOUT),
    "monotone": given(unilateral_calf_swelling=True).monotone(DVT, along="age", direction="falls", states=AGES, **ABOUT),
    "urgency": given(age=67, night_cramps=True, setting="community").urgency(at_least="same_day", **ABOUT),
}


@pytest.mark.parametrize("kind", UNMET)
def test_the_value_that_is_told_would_do_and_a_nearer_one_would_not(kind: str) -> None:
    demand: Demand = UNMET[kind]
    constraint = demand.constraint(MODEL)
    assert not demand.check(MODEL).holds
    influences = numbers_that_matter(MODEL, constraint)
    assert influences
    for influence in influences:
        assert influence.value == number_at(MODEL, influence.place)
        assert demand.check(with_number(MODEL, influence.place, influence.needed)).holds
        nearer = influence.value + 0.9 * (influence.needed - influence.value)
        assert not demand.check(with_number(MODEL, influence.place, nearer)).holds


def test_those_of_the_narrowest_reach_come_first_and_of_these_the_steepest() -> None:
    """A background that is too high is told before the weight of the cause, which would mend the demand, too."""
    wrong = with_number(MODEL, "findings.redness.leak", 0.12)
    demand = given(redness=True, setting="primary_care").probability(DVT, at_least=0.25, **ABOUT)
    assert not demand.check(wrong).holds
    told = numbers_that_matter(wrong, demand.constraint(wrong), most=50)
    assert told[0].place == "findings.redness.leak"
    assert len(told) > 2
    others = [abs(influence.slope) for influence in told if "redness" not in influence.place]
    assert others == sorted(others, reverse=True)
    assert all("redness" in influence.place for influence in told[: len(told) - len(others)])


def test_where_no_number_would_do_by_itself_none_is_told() -> None:
    demand = given(setting="primary_care").likelihood_ratio(DVT, of={"redness": True}, at_least=1e6, **ABOUT)
    assert numbers_that_matter(MODEL, demand.constraint(MODEL)) == ()
    assert explanation(MODEL, demand.constraint(MODEL), demand.check(MODEL)) == ["no number would do by itself"]


def test_each_frequency_that_is_missed_is_explained() -> None:
    """No number would mend both."""
    demand = given().frequencies(DVT, of={"redness": 0.9, "cold_feet": 0.6, "age >= 60": 0.5}, within_factor=3, **ABOUT)
    lines = explanation(MODEL, demand.constraint(MODEL), demand.check(MODEL))
    assert lines[0] == f"no link leads from {DVT} to cold_feet"
    assert [line.split(" is ")[0] for line in lines[1:]] == [f"causes.{DVT}.links.redness", "findings.cold_feet.leak"]
    assert all(line.endswith("would do by itself") for line in lines[1:])


def test_a_demand_that_is_met_needs_no_number() -> None:
    assert numbers_that_matter(MODEL, SWOLLEN.probability(DVT, at_least=0.01, **ABOUT).constraint(MODEL)) == ()


def test_the_ledger_tells_what_each_answer_does() -> None:
    p = MODEL.diagnose({"age": 67}, setting="primary_care")[DVT].probability
    lines = ledger(MODEL, UNMET["probability"].constraint(MODEL))
    assert lines[0].startswith(f"it would be {p:.3g} were unilateral_calf_swelling not known, ")


def test_the_ledger_tells_units_and_how_many_answers_it_leaves_out() -> None:
    moved = given(age=67).must_not_raise(DVT, of={"unilateral_calf_swelling": True}, **ABOUT)
    p, q = (MODEL.diagnose(e)[DVT].probability for e in ({}, {"unilateral_calf_swelling": True}))
    assert ledger(MODEL, moved.constraint(MODEL)) == [f"it grows {q / p:.3g} times were age not known"]
    (along,) = ledger(MODEL, UNMET["monotone"].constraint(MODEL))
    young, old = (MODEL.diagnose({"age": age}, setting="primary_care")[DVT].probability for age in (20, 50))
    assert along == f"it would be a rise by {old - young:.2g} at worst were unilateral_calf_swelling not known"
    (first,) = ledger(MODEL, given(redness=False, age=67).ranks(PAD, within=1, **ABOUT).constraint(MODEL))
    assert "it would be number " in first
    assert "were redness not known" in first or "were age not known" in first
    many = [f.id for f in MODEL.findings if f.id != MODEL.knowledge.complaint][:11]
    (line,) = ledger(MODEL, given(dict.fromkeys(many, False)).probability(DVT, at_most=0, **ABOUT).constraint(MODEL))
    assert line.endswith(" more answers change it")
    assert line.count("not known") == 8


def test_a_link_that_is_lost_is_missed() -> None:
    without = edited(MODEL, {f"causes.{DVT}.links.local_swelling": REMOVED, f"causes.{DVT}.odds.age": REMOVED})
    demand = SWOLLEN.probability(DVT, at_least=0.2, **ABOUT)
    assert missing(MODEL, demand.constraint(MODEL)) == []
    assert missing(without, demand.constraint(without)) == [
        f"no link leads from {DVT} to unilateral_calf_swelling",
        f"no odds ratio of {DVT} speaks of age",
    ]


def test_no_link_is_missed_where_another_cause_brings_both_about() -> None:
    """A clot in a superficial vein makes a cord, and goes along with a deep one."""
    calf = shipped("calf")
    demand = given(palpable_tender_cord=True).probability(DVT, at_least=0.99, source="calfbayes_judgement", why="for a test")
    assert missing(calf, demand.constraint(calf)) == []


@pytest.mark.parametrize(
    "demand",
    [
        given().yields(PAD, to=["absent_foot_pulses"], **ABOUT),  # nothing else brings it about
        given("redness and not redness").frequencies(
            "myositis", of={"cold_feet": 0.5, "redness": 0.1}, within_factor=2, **ABOUT
        ),
        given("age < 40").monotone(DVT, along="age", direction="rises", **ABOUT),
        given(age=20, shortness_of_breath=False).urgency(at_least="emergency", each_of=["shortness_of_breath"], **ABOUT),
    ],
    ids=["yields", "frequencies", "monotone", "urgency"],
)
def test_what_no_number_can_mend_is_told_all_the_same(demand: Demand) -> None:
    with pytest.raises(AssertionError) as error:
        demand.hold(MODEL)
    assert "would do by itself" not in str(error.value)
    assert "no link leads" not in str(error.value)


def test_where_a_level_is_demanded_the_levels_of_the_files_are_told() -> None:
    (line,) = (line for line in ledger(MODEL, UNMET["urgency"].constraint(MODEL)) if line.startswith("as the files say"))
    leading = MODEL.diagnose({"age": 67, "night_cramps": True}, setting="community").causes[0]
    assert f"{leading.id} ({leading.probability:.2g}) needs " in line


def test_the_message_of_a_test_tells_the_numbers() -> None:
    with pytest.raises(AssertionError) as error:
        UNMET["probability"].hold(MODEL)
    assert "would do by itself" in str(error.value)


def test_the_counterexample_of_a_scope_is_what_is_explained() -> None:
    demand = given().probability(DVT, at_most=0.4, scope=["unilateral_calf_swelling"], **ABOUT)
    verdict = demand.check(MODEL)
    assert dict(verdict.besides) == {"unilateral_calf_swelling": True}
    assert any("unilateral_calf_swelling" in line for line in explanation(MODEL, demand.constraint(MODEL), verdict))


def test_a_place_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="deep_vein_thrombosis"):
        edited(MODEL, {"causes.deep_vein_trombosis.group": "x"})
    with pytest.raises(ArgumentError, match="elicited number"):
        number_at(MODEL, "causes.myositis")


def test_edits_change_a_copy_of_the_files() -> None:
    rule = MODEL.urgency_policy.rules[0].id
    without = edited(MODEL, {f"urgency.rules.{rule}": REMOVED})
    assert rule not in {r.id for r in without.urgency_policy.rules}
    assert rule in {r.id for r in MODEL.urgency_policy.rules}
    assert value_at(edited(MODEL, {"causes.myositis.urgency": "emergency"}), "causes.myositis.urgency") == "emergency"
    again = with_number(MODEL, "findings.redness.leak", number_at(MODEL, "findings.redness.leak"))
    assert again.diagnose({"redness": True})[DVT].probability == pytest.approx(
        MODEL.diagnose({"redness": True})[DVT].probability, rel=1e-9
    )
