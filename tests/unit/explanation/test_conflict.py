"""What does not go together is what no single cause brings together."""

from math import exp

import pytest

from calfbayes import NoPosteriorError
from support.models import model_of, shipped
from support.small_models import small_content

APART = {"a": (1.0, {"f": 0.75}), "b": (1.0, {"g": 0.75}), "c": (1.0, {})}
LEAKS = {"f": 0.015625, "g": 0.015625}


def test_signs_of_different_causes_conflict_by_the_stated_measure() -> None:
    model = model_of(small_content(APART, LEAKS, coincidence=0.0625))

    def chance(given: dict[str, bool]) -> float:
        answers = model.diagnose(given).log_evidence
        assert answers is not None
        return exp(answers)

    (pair,) = model.diagnose({"f": True, "g": True}).conflict().pairs
    assert (pair.first, pair.second) == ("f", "g")
    expected = chance({"f": True}) * chance({"g": True}) / chance({"f": True, "g": True})
    assert pair.times == pytest.approx(expected, rel=1e-9)


def test_signs_of_one_cause_do_not_conflict() -> None:
    together = {**APART, "d": (0.01, {"f": 0.5, "g": 0.5})}
    model = model_of(small_content(together, LEAKS, coincidence=0.0625))
    assert model.diagnose({"f": True, "g": True}).conflict().pairs == ()


def test_what_is_missing_conflicts_with_what_brings_it() -> None:
    """One cause brings both, nearly always; one without the other fits nothing."""
    always = {"a": (1.0, {"f": 1 - 2**-10, "g": 1 - 2**-10}), "b": (1.0, {})}
    model = model_of(small_content(always, LEAKS, coincidence=0.0625))
    found = model.diagnose({"f": True, "g": False}).conflict()
    assert found.items == ("f", "g")
    assert model.diagnose({"f": True, "g": True}).conflict().pairs == ()
    assert model.diagnose({"f": False, "g": False}).conflict().pairs == ()


def test_pairs_are_told_the_worst_first() -> None:
    model = shipped("tutorial")
    strange = {
        "radiating_pain_from_back": True,
        "absent_foot_pulses": True,
        "unilateral_calf_swelling": True,
        "creatine_kinase_raised": True,
        "redness": True,
    }
    found = model.diagnose(strange).conflict()
    assert found.pairs
    assert found.to_dict()["pairs"][0]["times"] == found.pairs[0].times == max(pair.times for pair in found.pairs)


def test_without_probabilities_nothing_is_said() -> None:
    with pytest.raises(NoPosteriorError):
        shipped("tutorial").diagnose({"calf_pain": False}).conflict()
