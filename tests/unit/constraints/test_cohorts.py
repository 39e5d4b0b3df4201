"""Simulated patients and the figures read off them, against exact sums on the tutorial model."""

from itertools import product
from math import exp

import numpy as np
import pytest

from calfbayes.constraints.beliefs import Beliefs
from calfbayes.constraints.cohorts import Scored, draw, scored
from calfbayes.constraints.terms import Bounds, Measure, Score, ScoreItem, Selection
from support.models import shipped

MODEL = shipped("tutorial")
SETTING = "primary_care"
DVT = "deep_vein_thrombosis"
SUSPECTED = Selection(expression="unilateral_calf_swelling or redness")
ITEMS = ("recent_surgery", "pitting_oedema", "calf_girth_difference_3cm")
SCORE = Score(
    id="simple",
    label="a simple score",
    cause=DVT,
    items=(*(ScoreItem(1, item) for item in ITEMS), ScoreItem(-2, "")),
    ask=(),
    no_diagnosis=("overuse",),
    patients=4_000,
    seed=11,
)
LOW, HIGH = Bounds(-2, 0), Bounds(1, 3)


def exact(stratum: Bounds, measure: Measure) -> float:
    """Sum over every answer to the items and to what selects the patients."""
    inside = {True: 0.0, False: 0.0}
    everyone = {True: 0.0, False: 0.0}
    names = ("unilateral_calf_swelling", "redness", *ITEMS)
    for answers in product((True, False), repeat=len(names)):
        told = dict(zip(names, answers, strict=True))
        if not (told["unilateral_calf_swelling"] or told["redness"]):
            continue
        result = MODEL.diagnose(told, setting=SETTING)
        assert result.log_evidence is not None
        p, affected = exp(result.log_evidence), result[DVT].probability
        other = max(entry.probability for entry in result.causes if entry.id not in {DVT, "overuse"})
        points = sum(told[item] for item in ITEMS) - 2 * (other >= affected)
        for has_it, share in ((True, affected), (False, 1 - affected)):
            everyone[has_it] += p * share
            inside[has_it] += p * share * (stratum.low <= points <= stratum.high)
    if measure == Measure.PROBABILITY:
        return inside[True] / (inside[True] + inside[False])
    return inside[True] / everyone[True] / (inside[False] / everyone[False])


@pytest.mark.parametrize("stratum", [LOW, HIGH])
@pytest.mark.parametrize("measure", list(Measure))
def test_strata_agree_with_the_exact_sum(stratum: Bounds, measure: Measure) -> None:
    estimate = scored(Beliefs(MODEL._solved), SCORE, SETTING, (SUSPECTED,)).read(stratum, measure)
    expected = exact(stratum, measure)
    assert estimate.error < 0.1 * expected
    assert abs(estimate.value - expected) < 3 * estimate.error


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    generator = np.random.default_rng(5)
    estimates = []
    for _ in range(400):
        affected = generator.beta(1, 4, size=200)
        points = (generator.random(200) < affected).astype(float)
        estimates.append(Scored(np.ones(200), affected, points).read(Bounds(1, 1), Measure.LIKELIHOOD_RATIO))
    spread = float(np.std([estimate.value for estimate in estimates]))
    assert float(np.mean([estimate.error for estimate in estimates])) == pytest.approx(spread, rel=0.15)


def test_equal_patients_are_asked_about_once_and_counted_all() -> None:
    patients = scored(Beliefs(MODEL._solved), SCORE, SETTING, (SUSPECTED,))
    assert patients.weight.sum() == SCORE.patients
    assert len(patients.weight) <= 3 * 2 ** len(ITEMS)
    assert patients.number(LOW) + patients.number(HIGH) == SCORE.patients


def test_an_empty_stratum_has_no_figure() -> None:
    patients = Scored(np.ones(3), np.array([0.1, 0.2, 0.3]), np.zeros(3))
    for measure in Measure:
        assert np.isnan(patients.read(Bounds(2, 3), measure).value)


def test_all_drawn_patients_are_among_those_selected() -> None:
    beliefs = Beliefs(MODEL._solved)
    columns = draw(beliefs, SETTING, (SUSPECTED, Selection((("age", 67.0), ("recent_surgery", False)))), 30, 2)
    assert len(columns["age"]) == 30
    assert set(columns["age"].tolist()) == {"age_60_79"}
    assert set(columns["recent_surgery"].tolist()) == {"absent"}
    assert np.logical_or(columns["unilateral_calf_swelling"], columns["redness"]).all()


def test_nobody_is_drawn_where_there_is_nobody() -> None:
    columns = draw(Beliefs(MODEL._solved), SETTING, (Selection(expression="redness and not redness"),), 5, 2)
    assert len(columns["age"]) == 0
