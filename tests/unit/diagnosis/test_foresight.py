"""Foresight: rough chances of what has not been asked, good enough to put open rules in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes.diagnosis.foresight import Foresight
from calfbayes.diagnosis.rules import could_hold, holds
from calfbayes.knowledge.terms import Atom
from support.models import shipped
from support.queries import answers, models

TUTORIAL = shipped("tutorial")


def test_with_nothing_known_a_finding_is_about_as_probable_as_among_simulated_patients() -> None:
    patients = TUTORIAL.simulate(4000, seed=3, setting="primary_care")
    foresight = Foresight(TUTORIAL._solved.network, TUTORIAL.evidence({}), TUTORIAL._solved.baseline["primary_care"].hidden)
    for finding in TUTORIAL.findings:
        if finding.id != TUTORIAL.knowledge.complaint and finding.observer == 0:
            assert foresight.chance(Atom(finding.id, "present")) == pytest.approx(patients[finding.id].mean(), abs=0.06)
    for factor in TUTORIAL.risk_factors:
        for state in factor.states:
            seen = (patients[factor.id] == state).mean()
            assert foresight.chance(Atom(factor.id, state)) == pytest.approx(seen, abs=0.06)


@given(data=st.data(), source=st.sampled_from(("random", "tutorial")))
def test_chances_are_probabilities_and_certain_where_logic_is(data: st.DataObject, source: str) -> None:
    model = data.draw(models(source))
    evidence = model.evidence(data.draw(answers(model)))
    network = model._solved.network
    foresight = Foresight(network, evidence, model._solved.baseline[model.knowledge.default_setting].hidden)
    for rule in model.urgency_policy.rules:
        chance = foresight.chance(rule.condition)
        assert 0 <= chance <= 1 + 1e-12
        if holds(rule.condition, evidence):
            assert chance == 1
        if not could_hold(rule.condition, evidence):
            assert chance == 0


def test_open_rules_come_by_level_and_then_by_chance() -> None:
    urgency = shipped("calf").diagnose({"age": 50, "sex": "female", "back_pain": True}).urgency
    keys = [(-rule.level.severity, -rule.chance) for rule in urgency.open_rules]
    assert keys == sorted(keys)
    assert len(keys) > 10


def test_a_low_level_says_what_is_likely_what_was_cleared_and_what_remains() -> None:
    given_answers = {
        "age": 35,
        "sex": "male",
        "recent_unaccustomed_exercise": True,
        "muscle_tenderness": True,
        "unilateral_calf_swelling": False,
        "redness": False,
        "local_warmth": False,
    }
    result = shipped("calf").diagnose(given_answers, setting="community")
    assert result.urgency.level <= result.urgency.level.ROUTINE
    (reason,) = [reason for reason in result.urgency.reasons if reason.origin == "model"]
    assert f"Most likely: {result.causes[0].label}" in reason.text
    assert "Made less likely: Deep vein thrombosis" in reason.text
    assert "What remains: a chance of" in reason.text
