"""Outcomes: when a result may be relied on, which answers would settle it, and when the patient is strange to the model."""

import numpy as np
import pytest

from calfbayes import ContradictionError, Diagnosis, Level, Model, Outcome
from calfbayes.diagnosis.typicality import typicality
from calfbayes.diagnosis.urgency import OpenRule
from calfbayes.knowledge.terms import atoms
from support.models import shipped

CALF = shipped("calf")
TOLD = [finding.id for finding in CALF.findings if finding.kind != "test" and finding.id != CALF.knowledge.complaint]


def drawn_by_lot(model: Model, n: int, rng: np.random.Generator) -> dict[str, object]:
    while True:
        given: dict[str, object] = dict.fromkeys(rng.choice(TOLD, n, replace=False).tolist(), True)
        try:
            model.evidence(given)
        except ContradictionError:
            continue
        return given


def emergencies(result: Diagnosis) -> list[OpenRule]:
    return [rule for rule in result.urgency.open_rules if rule.level == Level.EMERGENCY]


def test_denying_what_would_settle_it_settles_it() -> None:
    patient = {"age": 34, "sex": "male", "muscle_tenderness": True}
    before = CALF.diagnose(patient, cost_limit=1e-300)
    factors = {factor.id for factor in CALF.risk_factors}
    assert before.would_settle
    assert not set(before.would_settle) & set(patient)
    answered = {**patient, **dict.fromkeys(before.would_settle, False)}
    after = CALF.diagnose(answered)
    assert not emergencies(after)
    assert after.would_settle == ()
    assert after.outcome == Outcome.ASSESSED, after.outcome_reason
    everything = {
        atom.id for rule in CALF.urgency_policy.rules if rule.level == Level.EMERGENCY for atom in atoms(rule.condition)
    }
    assert len(before.would_settle) < 0.6 * len(everything)
    assert factors & everything  # among what was spared are risk factors


def test_what_bears_on_the_most_probable_emergencies_would_settle_it_first() -> None:
    result = CALF.diagnose({"age": 34, "sex": "male", "muscle_tenderness": True})
    bearing = [sum(rule.chance for rule in emergencies(result) if name in rule.ask) for name in result.would_settle]
    assert bearing == sorted(bearing, reverse=True)
    assert bearing[0] > emergencies(result)[0].chance  # it bears on several
    assert bearing[-1] < bearing[0] / 100


def test_patients_of_the_model_are_usual_and_the_percentile_is_uniform() -> None:
    """Of simulated patients who tell nine things by lot about as many lie below each percentile as it says."""
    rng = np.random.default_rng(5)
    table = CALF.simulate(400, seed=6, setting="primary_care")
    ranks = []
    for _, row in table.iterrows():
        present = [name for name in TOLD if row[name]]
        absent = [name for name in TOLD if not row[name]]
        if len(present) >= 3:
            told = dict.fromkeys(rng.choice(present, 3, replace=False).tolist(), True)
            told |= dict.fromkeys(rng.choice(absent, 6, replace=False).tolist(), False)
            ranks.append(typicality(CALF._solved, "primary_care", CALF.evidence(told)))
    found = np.array(ranks, dtype=float)
    for level in (0.1, 0.25, 0.5, 0.75, 0.9):
        spread = 4 * (level * (1 - level) * (1 / len(found) + 1 / 800)) ** 0.5  # four standard errors of both samples
        assert abs((found <= level).mean() - level) < spread


def test_signs_drawn_by_lot_are_mostly_strange() -> None:
    rng = np.random.default_rng(7)
    ranks = [typicality(CALF._solved, "primary_care", CALF.evidence(drawn_by_lot(CALF, 12, rng))) for _ in range(40)]
    strange = [rank for rank in ranks if rank is not None and rank <= CALF.knowledge.urgency.atypical_below]
    assert len(strange) > 20


def test_a_patient_without_the_complaint_is_outside_the_scope_for_that_reason_alone() -> None:
    result = CALF.diagnose({CALF.knowledge.complaint: False, "redness": True})
    assert result.outcome == Outcome.OUTSIDE_SCOPE
    assert result.outcome_reason.count(result.outcome_reason[:20]) == 1


def test_answers_that_hardly_go_together_are_outside_the_scope_and_keep_their_level() -> None:
    rng = np.random.default_rng(8)
    while True:
        given = drawn_by_lot(CALF, 12, rng)
        rank = typicality(CALF._solved, "primary_care", CALF.evidence(given))
        if rank is not None and rank <= CALF.knowledge.urgency.atypical_below:
            break
    result = CALF.diagnose({"age": 50, "sex": "female", **given})
    assert result.outcome == Outcome.OUTSIDE_SCOPE
    assert "answers like these are rare" in result.outcome_reason
    assert result.typicality == rank
    refused = CALF.diagnose({"age": 50, "sex": "female", **given}, cost_limit=1.0)
    assert refused.outcome == Outcome.OUTSIDE_SCOPE
    assert refused.outcome_reason.startswith(f"{result.outcome_reason}; an exact answer is predicted to need")
    fired = [reason.level for reason in result.urgency.reasons if reason.origin == "rule"]
    assert result.urgency.level >= max(fired, key=lambda level: level.severity, default=Level.SELF_CARE)


@pytest.mark.parametrize(
    "given", [{}, {"age": 3}, {"redness": True, "fever": True, "chills": False}, {"positive_d_dimer": True}]
)
def test_little_told_is_not_strange(given: dict[str, object]) -> None:
    assert CALF.diagnose(given, setting="primary_care").typicality is None


def test_more_than_a_simulated_patient_can_tell_is_not_judged() -> None:
    every = dict.fromkeys(TOLD, True)
    kept: dict[str, object] = {}
    for name, value in every.items():
        try:
            CALF.evidence({**kept, name: value})
        except ContradictionError:
            continue
        kept[name] = value
    assert typicality(CALF._solved, "community", CALF.evidence(kept)) is None
