"""How much answers conflict, against simulated patients asked the same: the share, its error, and what is said without one."""

from math import exp, log, sqrt

import pytest

from calfbayes import Likelihood, Model
from calfbayes.explanation.percentile import FEWEST, PATIENTS, Percentile, percentile
from support.models import model_of, shipped
from support.small_models import small_content

APART = {"a": (1.0, {"f": 0.75}), "b": (1.0, {"g": 0.75}), "c": (1.0, {})}
LEAKS = {"f": 0.125, "g": 0.125}
BOTH = [(f, g) for f in (False, True) for g in (False, True)]
SIGMAS = 4.0


def apart() -> Model:
    return model_of(small_content(APART, LEAKS, coincidence=0.0625))


def stands(model: Model, answers: dict[str, object], cost_limit: float = 1e9) -> Percentile:
    found = percentile(model.diagnose(answers), cost_limit=cost_limit)
    assert isinstance(found, Percentile)
    return found


def test_the_share_is_that_of_all_who_would_answer_so() -> None:
    """Two findings: four ways to answer, whose probabilities and measures are read off single results."""
    model = apart()

    def log_chance(given: dict[str, object]) -> float:
        told = model.diagnose(given).log_evidence
        assert told is not None
        return told

    chance = {(f, g): exp(log_chance({"f": f, "g": g})) for f, g in BOTH}
    measure = {(f, g): log_chance({"f": f}) + log_chance({"g": g}) - log(chance[f, g]) for f, g in BOTH}
    for f, g in BOTH:
        expected = sum(p for both, p in chance.items() if measure[both] >= measure[f, g] - 1e-9)
        found = stands(model, {"f": f, "g": g})
        assert abs(found.share - expected) <= SIGMAS * sqrt(max(expected * (1 - expected), 1 / PATIENTS) / PATIENTS)
        assert found.error == pytest.approx(sqrt(max(expected * (1 - expected), 0.0) / PATIENTS), abs=0.005)
        assert found.patients == PATIENTS


def test_patients_of_the_model_stand_everywhere() -> None:
    """At most a quarter of them among the last quarter, and so on: ties make it fewer."""
    model = shipped("tutorial")
    asked = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint][:9]
    drawn = model.simulate(60, seed=3)
    shares = [
        stands(model, {"sex": row["sex"], **{name: bool(row[name]) for name in asked}}).share for _, row in drawn.iterrows()
    ]
    for bound in (0.1, 0.25, 0.5):
        below = sum(share <= bound for share in shares) / len(shares)
        assert below <= bound + SIGMAS * sqrt(bound * (1 - bound) / len(shares))
    assert min(shares) < 0.25 < max(shares)


def test_answers_that_conflict_stand_among_the_last() -> None:
    model = apart()
    assert stands(model, {"f": True, "g": True}).share < stands(model, {"f": True, "g": False}).share


def test_the_same_answers_give_the_same_percentile_however_batches_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    model = shipped("tutorial")
    answers: dict[str, object] = {"age": 61, "unilateral_calf_swelling": True, "redness": True, "muscle_tenderness": False}
    whole = stands(model, answers)
    monkeypatch.setattr("calfbayes.explanation.batches.HALVED", 0.0)
    assert stands(model, answers) == whole


def test_doubtful_answers_and_unknown_ones_are_left_out() -> None:
    model = shipped("tutorial")
    plain: dict[str, object] = {"age": 61, "unilateral_calf_swelling": True, "redness": False}
    more = {**plain, "muscle_tenderness": Likelihood(3.0), "pitting_oedema": None}
    assert stands(model, more) == stands(model, plain)


def test_where_all_would_be_too_dear_fewer_patients_are_taken_and_then_none() -> None:
    result = shipped("tutorial").diagnose({"unilateral_calf_swelling": True, "redness": True, "muscle_tenderness": False})
    some = percentile(result, cost_limit=1.5e7)
    assert isinstance(some, Percentile)
    assert FEWEST <= some.patients < PATIENTS
    assert "limit" in str(percentile(result, cost_limit=1e5))


def test_too_little_to_compare_is_said() -> None:
    result = shipped("tutorial").diagnose({"age": 61, "unilateral_calf_swelling": True})
    assert percentile(result, cost_limit=1e9) == "fewer than two findings were answered with yes or no"
    found = result.conflict()
    assert found.percentile is None
    assert found.to_dict()["no_percentile"] == found.no_percentile != ""


def test_too_few_people_like_the_patient_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calfbayes.inference.simulation.MOST_BATCHES", 0)
    result = shipped("tutorial").diagnose({"unilateral_calf_swelling": True, "redness": True})
    assert "only 0" in str(percentile(result, cost_limit=1e9))
