"""The laws of urgency: a rule that holds keeps holding, and the level is never below it."""

import json
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calfbayes import CalfBayesError, ContradictionError, Diagnosis, Level, Model, Outcome
from calfbayes.evidence import Value
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, AnyOf, Atom, Condition, Observer, Rule
from support.editing import less_sure
from support.models import SHIPPED, SOURCES, shipped
from support.queries import AFFORDABLE, answers, models, with_consistent

every_source = pytest.mark.parametrize("source", SOURCES)
Given = dict[str, Value]


def rules_only(model: Model, given_answers: Given) -> Diagnosis:
    """A refused query: quick, and its level is that of the rules."""
    return model.diagnose(given_answers, cost_limit=1e-300)


@cache
def level_of_the_setting(model: Model) -> Level:
    return model.diagnose({}, cost_limit=float("inf")).urgency.level


def fired(result: Diagnosis) -> dict[str, Level]:
    return {reason.id: reason.level for reason in result.urgency.reasons if reason.origin == "rule"}


def firing(data: st.DataObject, model: Model, rule: Rule) -> Given:
    """Answers that fire a rule: one part of each `any`, all parts of each `all`."""
    factors = {factor.id: factor for factor in model.risk_factors}

    def atoms(condition: Condition) -> list[Atom]:
        if isinstance(condition, Atom):
            return [condition]
        parts = [data.draw(st.sampled_from(condition.parts))] if isinstance(condition, AnyOf) else condition.parts
        return [atom for part in parts for atom in atoms(part)]

    given_answers: Given = {}
    for atom in atoms(rule.condition):
        is_binary = atom.id not in factors or factors[atom.id].is_binary
        value: Value = atom.state == "present" if is_binary else atom.state
        assume(given_answers.get(atom.id, value) == value)
        given_answers[atom.id] = value
    return given_answers


def answers_around_a_rule(data: st.DataObject, model: Model) -> Given:
    """Answers of any kind, often with a rule that fires among them."""
    rule = data.draw(st.sampled_from(model.knowledge.urgency.rules))
    sure = firing(data, model, rule) if data.draw(st.integers(0, 3)) else {}
    possible = [one for one in ({**data.draw(answers(model, most=5)), **sure}, sure) if agree(model, one)]
    assume(possible)  # one way to fire the rule may exclude itself
    return possible[0]


def agree(model: Model, given_answers: Given) -> bool:
    try:
        model.evidence(given_answers)
    except ContradictionError:
        return False
    return True


@every_source
@given(data=st.data())
def test_a_rule_fires_on_what_it_asks_for(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    rule = data.draw(st.sampled_from(model.knowledge.urgency.rules))
    sure = firing(data, model, rule)
    try:
        result = rules_only(model, sure)
    except ContradictionError:
        assume(False)
    assert fired(result).get(rule.id) == rule.level
    (reason,) = [reason for reason in result.urgency.reasons if reason.id == rule.id]
    assert {name.partition("=")[0] for name in reason.because} >= set(sure)
    assert set(reason.sources) == set(rule.sources)


@every_source
@given(data=st.data())
def test_the_level_is_never_below_a_rule_that_holds(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = answers_around_a_rule(data, model)
    try:
        result = model.diagnose(given_answers, cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    highest = max((level.severity for level in fired(result).values()), default=0)
    assert result.urgency.level.severity >= highest
    if result.urgency.model_level is not None:
        assert result.urgency.level.severity == max(highest, result.urgency.model_level.severity)
    assert fired(rules_only(model, given_answers)) == fired(result)


@every_source
@given(data=st.data())
def test_adding_evidence_never_unfires_a_rule(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = answers_around_a_rule(data, model)
    before = rules_only(model, given_answers)
    added = {name: value for name, value in data.draw(answers(model)).items() if name not in given_answers}
    after = rules_only(model, with_consistent(model, given_answers, added))
    assert fired(after).items() >= fired(before).items()
    assert after.urgency.level.severity >= max((level.severity for level in fired(before).values()), default=0)


@every_source
@given(data=st.data())
def test_a_rule_above_the_level_that_answers_of_a_patient_can_still_fire_is_open(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = answers_around_a_rule(data, model)
    settled = {name: value for name, value in given_answers.items() if isinstance(value, bool | str | int | float)}
    urgency = rules_only(model, given_answers).urgency
    assert not {rule.id for rule in urgency.open_rules} & {reason.id for reason in urgency.reasons}
    for open_rule in urgency.open_rules:
        assert open_rule.level.severity > urgency.level.severity
        assert open_rule.ask
        assert not set(open_rule.ask) & set(settled)
    above = [rule for rule in model.knowledge.urgency.rules if rule.level.severity > urgency.level.severity]
    if not above:
        return
    rule = data.draw(st.sampled_from(above))
    of_patients = {f.id for f in model.findings if f.observer == Observer.PATIENT} | {r.id for r in model.risk_factors}
    asked = {name: value for name, value in firing(data, model, rule).items() if name in of_patients}
    try:
        reached = fired(rules_only(model, {**asked, **settled}))
    except ContradictionError:
        reached = {}
    assert rule.id not in reached or rule.id in {other.id for other in urgency.open_rules}


@every_source
@given(data=st.data())
def test_a_refused_query_still_returns_the_level_of_the_rules_and_of_the_setting(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = answers_around_a_rule(data, model)
    result = rules_only(model, given_answers)
    assume(not result.causes)  # if nothing is left to sum over, there is nothing to refuse
    assert result.outcome == Outcome.OUTSIDE_SCOPE or "operations" in result.outcome_reason
    assert result.outcome != Outcome.ASSESSED
    assert result.complications == ()
    assert result.log_evidence is None
    levels = (level_of_the_setting(model), *fired(result).values())
    assert result.urgency.level.severity == max(level.severity for level in levels)
    json.loads(result.to_json())


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
def test_more_danger_never_lowers_the_level_with_the_least_expected_loss(source: str, data: st.DataObject) -> None:
    """Moving probability from one level to a more urgent one; ties go to the more urgent level."""
    policy = data.draw(models(source)).urgency_policy
    n = len(LEVELS_BY_SEVERITY)
    weights = np.array(data.draw(st.lists(st.integers(0, 64), min_size=n, max_size=n).filter(any)), dtype=float)
    low, high = sorted(data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=2, unique=True)))
    moved = weights[low] * data.draw(st.floats(0, 1))
    more = weights.copy()
    more[low] -= moved
    more[high] += moved

    def least(given_weights: np.ndarray) -> int:
        losses = policy.expected_losses(tuple((given_weights / given_weights.sum()).tolist()))
        return max(k for k in range(n) if losses[k] <= min(losses) + 1e-12)

    assert least(more) >= least(weights)


@every_source
@given(data=st.data())
def test_nothing_asked_but_the_setting_is_insufficient_and_no_emergency(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    setting = data.draw(st.sampled_from([*(setting.id for setting in model.settings), None]))
    result = model.diagnose({}, setting=setting)
    assert result.outcome == Outcome.INSUFFICIENT
    if source != "random":  # a random model may well be an emergency by itself
        assert result.urgency.level != Level.EMERGENCY
    assert result.assumed == (() if setting else (f"setting={model.knowledge.default_setting}",))


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
def test_no_limit_on_the_cost_makes_a_diagnosis_fail(source: str, data: st.DataObject) -> None:
    """Whatever the limit, there is a result: with probabilities, or without and saying so."""
    model = data.draw(models(source))
    given_answers = data.draw(answers(model, most=4))
    limit = 10.0 ** data.draw(st.floats(0, 6))
    try:
        result = model.diagnose(given_answers, cost_limit=limit)
    except ContradictionError:
        assume(False)
    except CalfBayesError as error:
        pytest.fail(f"{type(error).__name__}: {error}")
    assert bool(result.causes) == (result.log_evidence is not None)
    assert bool(result.causes) or result.outcome != Outcome.ASSESSED


@pytest.mark.parametrize("name", [source for source in SOURCES if source != "random"])
def test_no_rule_of_a_shipped_model_fires_on_nothing(name: str) -> None:
    assert not fired(rules_only(shipped(name), {}))


@cache
def unsure(name: str, seed: int) -> Model:
    """A shipped model with the same numbers, of which half are less sure."""
    return less_sure(shipped(name), Random(seed))


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=25)
@given(data=st.data())
def test_less_sure_numbers_never_lower_the_level(name: str, data: st.DataObject) -> None:
    """Smaller samples and wider ranges in the files: the probabilities stay, their deviations grow, the level does not fall."""
    model, less = shipped(name), unsure(name, data.draw(st.integers(0, 2)))
    given_answers = data.draw(answers(model, most=4))
    try:
        before, after = (m.diagnose(given_answers, cost_limit=AFFORDABLE).urgency for m in (model, less))
    except ContradictionError:
        assume(False)
    assert after.level_probabilities == pytest.approx(before.level_probabilities, abs=1e-12)
    assert after.level >= before.level
    assert (after.doubt is None) == (before.doubt is None)
    if before.doubt is not None and after.doubt is not None:
        assert np.all(np.array(after.doubt.deviations) >= np.array(before.doubt.deviations) * (1 - 1e-9))


def test_doubt_enough_raises_the_level() -> None:
    """The law above is not empty: some answer is raised by what the files no longer know for sure."""
    raised = []
    for told in (
        {"age": age, sign: True} for age in (40, 50, 60, 70) for sign in ("heaviness", "night_pain", "pain_on_walking")
    ):
        levels = [m.diagnose(told).urgency.level for m in (shipped("calf"), unsure("calf", 0), unsure("calf", 1))]
        raised.append(max(levels) > levels[0])
    assert any(raised)
