"""Constraints in Python mean what the same constraints mean in a file of constraints."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ModelFileError
from calfbayes.constraints.reading import read_constraints
from calfbayes.constraints.schema import TABLES
from calfbayes.testing import Citation, Demand, Status, given
from support.models import shipped, with_constraints

MODEL = shipped("tutorial")
DVT, PAD = "deep_vein_thrombosis", "peripheral_artery_disease"
RULE = "sudden_loss_of_blood_supply"
ABOUT: Any = {"source": "goodacre_2005", "why": "for a test"}
SWOLLEN = given(unilateral_calf_swelling=True, age=67, setting="emergency")
SCORE = {
    "id": "simple",
    "label": "a simple score",
    "cause": DVT,
    "items": [{"points": 1, "when": "recent_surgery"}, {"points": -2, "other_diagnosis": True}],
    "patients": 20,
    "seed": 7,
}

DEMANDS: dict[str, Callable[[], Demand]] = {
    "probability": lambda: SWOLLEN.probability([DVT, PAD], between=(0.1, 0.9), tolerance=0.01, scope=["redness"], **ABOUT),
    "ranks": lambda: SWOLLEN.ranks(DVT, within=2, **ABOUT),
    "dominates": lambda: SWOLLEN.dominates(DVT, PAD, "myositis", id="order", **ABOUT),
    "yields": lambda: given("age >= 40 and redness").yields(PAD, to=["pitting_oedema"], **ABOUT),
    "raises": lambda: SWOLLEN.raises(DVT, of={"recent_surgery": True}, by_at_least=1.5, allow_explaining_away=True, **ABOUT),
    "lowers": lambda: SWOLLEN.lowers(DVT, of="night_cramps or redness", compared_with={"redness": False}, **ABOUT),
    "must_not_raise": lambda: given().must_not_raise(group="any", except_for=[DVT], of={"redness": True}, **ABOUT),
    "must_not_lower": lambda: SWOLLEN.must_not_lower(DVT, of={"redness": True}, by_more_than=2, scope="anything", **ABOUT),
    "likelihood_ratio": lambda: SWOLLEN.likelihood_ratio(DVT, of={"redness": True}, against=PAD, at_most=6, **ABOUT),
    "frequencies": lambda: SWOLLEN.frequencies(DVT, of={"redness": 0.2, "age >= 60": 0.5}, within_factor=3, **ABOUT),
    "takes": lambda: SWOLLEN.takes(DVT, of={"redness": True}, start=0.3, at_least=0.2, **ABOUT),
    "monotone": lambda: given().monotone(PAD, along="age", direction="rises", **ABOUT),
    "urgency": lambda: given(no_red_flags=True).urgency(at_most="same_day", outcome="insufficient", **ABOUT),
    "rule": lambda: given().rule(
        RULE, at_least="emergency", pictures=[["sudden_onset", "cold_feet"], ["sudden_onset", "leg_weakness"]], **ABOUT
    ),
    "median_urgency": lambda: given().median_urgency(tell=["age"], patients=5, seed=1, at_least="routine", **ABOUT),
    "rule_stratum": lambda: given().rule_stratum(SCORE, points=(-2, 0), likelihood_ratio=(0.1, 0.5), **ABOUT),
}


def test_every_kind_has_its_word() -> None:
    assert DEMANDS.keys() == TABLES.keys()


@pytest.mark.parametrize("kind", DEMANDS)
def test_what_is_pasted_into_the_file_is_the_same_constraint(kind: str, tmp_path: Path) -> None:
    demand = DEMANDS[kind]()
    text = demand.to_toml()
    assert tomllib.loads(text)["constraints"][0]["kind"] == kind
    assert read_constraints(MODEL._solved.network, with_constraints(tmp_path, text)).constraints == (demand.constraint(MODEL),)


def test_a_demand_that_is_met_gives_its_verdict() -> None:
    verdict = given(age=70, pain_on_walking=True, absent_foot_pulses=True).ranks(PAD, **ABOUT).hold(MODEL)
    assert verdict.status is Status.PROVEN


def test_a_demand_that_is_not_met_tells_the_patient_the_numbers_and_the_reason() -> None:
    p = MODEL.diagnose({"age": 30, "redness": True}, setting="community")[DVT].probability
    demand = given(age=30, redness=True, setting="community").probability(DVT, at_least=0.9, id="red_is_a_clot", **ABOUT)
    with pytest.raises(AssertionError) as error:
        demand.hold(MODEL)
    told = " ".join(str(error.value).split())
    for part in ("red_is_a_clot: refuted", "in community, age 30, redness", f"{p:.3g}", "at least 0.9", "[goodacre_2005]"):
        assert part in told


def test_a_source_of_ones_own_is_cited_in_place() -> None:
    own = Citation("our_audit_2024", "Audit of our own clinic, 2024")
    demand = SWOLLEN.ranks(DVT, within=3, source=[own, "goodacre_2005"], why="seen here")
    assert demand.constraint(MODEL).sources == ("our_audit_2024", "goodacre_2005")
    assert 'citation = "Audit of our own clinic, 2024"' in demand.to_toml()


def test_an_expression_and_answers_are_both_meant() -> None:
    both = given("age >= 60 or redness", recent_surgery=True, night_cramps=False, sex="male").answers
    assert both == "(age >= 60 or redness) and recent_surgery and not night_cramps and sex == male"
    assert given(both).probability(DVT, at_least=0, **ABOUT).hold(MODEL)


def test_an_unknown_id_gets_the_nearest_known_ones() -> None:
    with pytest.raises(ModelFileError, match=r"'deep_vein_trombosis' is no cause.*deep_vein_thrombosis"):
        given().ranks("deep_vein_trombosis", **ABOUT).check(MODEL)
