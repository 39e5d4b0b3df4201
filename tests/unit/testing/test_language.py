"""Constraints in Python mean what the same constraints mean in a file of constraints."""

import tomllib
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calfbayes import ArgumentError, CalfBayesError, Likelihood, ModelFileError
from calfbayes.constraints.reading import read_constraints, read_tables
from calfbayes.constraints.schema import TABLES
from calfbayes.constraints.terms import Constraint
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


# what each kind cannot do without, and a value of everything else that a kind may say
LEAST: dict[str, dict[str, Any]] = {
    "probability": {"cause": DVT, "at_most": 0.9},
    "ranks": {"cause": DVT, "within": 2},
    "dominates": {"causes": [DVT, PAD]},
    "yields": {"cause": DVT, "to": ["redness"]},
    **{kind: {"cause": DVT, "of": {"redness": True}} for kind in ("raises", "lowers", "must_not_raise", "must_not_lower")},
    "likelihood_ratio": {"cause": DVT, "of": {"redness": True}, "at_most": 9},
    "frequencies": {"cause": DVT, "of": {"redness": 0.2}, "within_factor": 2},
    "takes": {"cause": DVT, "of": {"redness": True}, "start": 0.1, "at_most": 0.9},
    "monotone": {"cause": PAD, "along": "age", "direction": "rises"},
    "urgency": {"at_least": "routine"},
    "rule": {"rule": RULE, "at_least": "emergency", "pictures": [["sudden_onset", "cold_feet"]]},
    "median_urgency": {"tell": ["age"], "patients": 5, "seed": 1, "at_least": "routine"},
    "rule_stratum": {"score": "simple", "points": [-2, 0], "probability": [0.1, 0.5]},
}
MORE: dict[str, Any] = {
    "setting": "emergency",
    "given": {"night_cramps": True},
    "no_red_flags": True,
    "scope": ["smoking"],
    "trials": 7,
    "tolerance": 0.05,
    "allow_explaining_away": True,
    "between": [0.1, 0.9],
    "at_least": 0.1,
    "at_most": 0.9,
    "cause": [DVT, PAD],
    "group": "any",
    "except_for": [PAD],
    "compared_with": {"redness": False},
    "by_at_least": 2.0,
    "by_at_most": 9.0,
    "by_more_than": 3.0,
    "against": [PAD],
    "states": ["age_0_39", "age_40_59"],
    "outcome": "assessed",
    "each_of": ["cold_feet"],
    "each_needed": False,
    "likelihood_ratio": [0.1, 0.5],
    "probability": [0.1, 0.5],
}
LEVELS = {"at_least": "within_days", "at_most": "same_day"}
RIVALS = ({"between", "at_least", "at_most"}, {"cause", "group"}, {"likelihood_ratio", "probability"})
OPTIONS = [(kind, key) for kind, shape in TABLES.items() for key, f in shape.model_fields.items() if not f.is_required()]


def value_of(kind: str, key: str) -> Any:
    return LEVELS[key] if "urgency" in kind and key in LEVELS else MORE[key]


def keys_of(kind: str, key: str, value: Any) -> dict[str, Any]:
    """What a kind says at least, and a key besides."""
    least = {other: said for other, said in LEAST[kind].items() if not any({key, other} <= rivals for rivals in RIVALS)}
    if key == "except_for":
        least = {**LEAST[kind], "cause": None, "group": "any"}
    return {name: said for name, said in {**least, key: value}.items() if said is not None}


def in_python(kind: str, keys: dict[str, Any]) -> Demand:
    keys = dict(keys)
    patients = given(keys.pop("given", None), setting=keys.pop("setting", None), no_red_flags=keys.pop("no_red_flags", False))
    if kind == "dominates":
        return patients.dominates(*keys.pop("causes"), **keys, **ABOUT)
    if kind == "rule_stratum":
        keys["score"] = SCORE
    demand: Demand = getattr(patients, kind)(**keys, **ABOUT)
    return demand


def read(table: dict[str, Any]) -> Constraint | list[str]:
    """A constraint as it stands in a file, or what is wrong with it."""
    about = {**ABOUT, "source": [ABOUT["source"]]}
    scores = {"simple": {key: value for key, value in SCORE.items() if key != "id"}}
    return outcome(
        lambda: read_tables(MODEL._solved.network, {"constraints": [table | about], "scores": scores}).constraints[0]
    )


def outcome(constraint: Callable[[], Constraint]) -> Constraint | list[str]:
    try:
        return constraint()
    except ModelFileError as error:
        return list(map(str, error.faults))


@pytest.mark.parametrize(("kind", "key"), OPTIONS)
def test_every_key_means_the_same_in_python_and_in_a_file(kind: str, key: str) -> None:
    """Also where a file would not allow it: nothing that is said is dropped."""
    values: list[Any] = [value_of(kind, key), False, True, 0, 1, "", [], {}]
    for value in values:
        keys = keys_of(kind, key, value)
        demand = in_python(kind, keys)
        file = read({"id": kind, "kind": kind, **keys})
        assert outcome(partial(demand.constraint, MODEL)) == file, value
        if not isinstance(file, list):
            assert read(tomllib.loads(demand.to_toml())["constraints"][0]) == file


@pytest.mark.parametrize(("kind", "key"), OPTIONS)
def test_every_key_is_told(kind: str, key: str) -> None:
    """A value of each that is allowed, so that the test above compares constraints and not only faults."""
    value = value_of(kind, key)
    constraint = outcome(lambda: in_python(kind, keys_of(kind, key, value)).constraint(MODEL))
    never = key == "allow_explaining_away" and isinstance(constraint, list)
    never |= key in {"tolerance", "scope"} and kind in {"urgency", "rule", "median_urgency", "rule_stratum"}
    assert never or not isinstance(constraint, list), constraint


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
    assert given(both).probability(DVT, at_least=0.0001, **ABOUT).hold(MODEL)


def test_numbers_of_numpy_and_ages_beside_an_expression_are_answers() -> None:
    answers: Any = {"age": np.int64(70), "redness": np.bool_(True)}
    within: Any = np.int64(2)
    table = given(answers).ranks(DVT, within=within, **ABOUT)
    assert table.constraint(MODEL) == given(age=70, redness=True).ranks(DVT, within=2, **ABOUT).constraint(MODEL)
    assert table.to_toml() == given(age=70, redness=True).ranks(DVT, within=2, **ABOUT).to_toml()
    beside = given("redness", age=np.float64(70)).probability(DVT, at_least=0.01, **ABOUT)
    bounds: Any = np.array([0.1, 0.9])
    assert SWOLLEN.probability(DVT, between=bounds, **ABOUT) == SWOLLEN.probability(DVT, between=(0.1, 0.9), **ABOUT)
    assert given(redness=True, age=70).probability(DVT, at_least=0.01, **ABOUT).check(MODEL).observed == pytest.approx(
        beside.check(MODEL).observed
    )


@pytest.mark.parametrize("why", ['é \x7f \u2028 \x1b \\ "q"', "\n\t", "💊"])
def test_any_text_is_written_as_toml(why: str) -> None:
    own = Citation("mine", why)
    demand = given({"é": True, "a b": float("inf"), "c.d": float("nan")}).frequencies(
        DVT, of={why: 0.2}, within_factor=2, source=own, why=why
    )
    read = tomllib.loads(demand.to_toml())
    assert read["constraints"][0]["why"] == read["sources"]["mine"]["citation"] == why
    assert list(read["constraints"][0]["given"]) == ["é", "a b", "c.d"]
    assert read["constraints"][0]["of"] == {why: 0.2}


@pytest.mark.parametrize("value", [None, {"redness"}, Likelihood(3.0), "\ud800"])
def test_what_no_file_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match="a file"):
        given(redness=value).ranks(DVT, **ABOUT).to_toml()
    with pytest.raises(CalfBayesError):
        given(redness=value).ranks(DVT, **ABOUT).check(MODEL)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), date(1979, 5, 27), [True]])
def test_an_answer_that_is_none_is_named(value: Any) -> None:
    with pytest.raises(ModelFileError, match=r"given: age is .* and no answer; write true, false, a state or a number"):
        given(redness=True, age=value).ranks(DVT, **ABOUT).check(MODEL)


def test_an_unknown_id_gets_the_nearest_known_ones() -> None:
    with pytest.raises(ModelFileError, match=r"'deep_vein_trombosis' is no cause.*deep_vein_thrombosis"):
        given().ranks("deep_vein_trombosis", **ABOUT).check(MODEL)
