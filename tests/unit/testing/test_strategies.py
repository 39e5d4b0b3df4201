"""Strategies: what they draw is coherent, shrinks to few answers, and prints as code."""

import subprocess
import sys
from math import exp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from calfbayes import ArgumentError, Evidence, Likelihood, Model, UnknownNameError, load_model
from calfbayes.evidence import Value
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY
from calfbayes.testing import random_model
from calfbayes.testing.editing import edited
from calfbayes.testing.strategies import evidence, near_twins, networks, patients, policies, simulated
from support.models import shipped

TUTORIAL = shipped("tutorial")
CALF = shipped("calf")
SEARCH = settings(
    max_examples=500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=tuple(Phase),
)


@given(evidence(TUTORIAL))
def test_evidence_prints_as_the_call_that_makes_it(drawn: Evidence) -> None:
    assert eval(repr(drawn), {"model": TUTORIAL, "Likelihood": Likelihood}) == drawn


@given(evidence(CALF, known={"sex": "male"}, setting="emergency", most=3, doubtful=False))
def test_evidence_keeps_to_what_is_asked_for(drawn: Evidence) -> None:
    assert drawn["sex"] == "male"
    assert drawn.setting == "emergency"
    assert drawn.get("pregnancy") is not True
    findings = [name for name in drawn if name not in {factor.id for factor in CALF.risk_factors}]
    assert len(findings) <= 3
    assert all(isinstance(drawn[name], bool) for name in findings)


def test_a_counterexample_has_no_more_than_it_needs() -> None:
    found = find(evidence(TUTORIAL), lambda drawn: drawn.get("redness") is True, settings=SEARCH)
    assert repr(found) == "model.evidence({'redness': True}, setting='community')"
    twins = find(near_twins(TUTORIAL), lambda twins: twins.item == "redness", settings=SEARCH)
    assert twins.first == TUTORIAL.evidence({"redness": True})
    assert twins.second == TUTORIAL.evidence({"redness": False})


def test_the_example_of_a_failing_test_is_code() -> None:
    @given(drawn=patients(TUTORIAL, cause="deep_vein_thrombosis"))
    @SEARCH
    def fails(drawn: Evidence) -> None:
        assert "unilateral_calf_swelling" not in drawn.present

    with pytest.raises(AssertionError) as error:
        fails()
    assert "model.evidence({'unilateral_calf_swelling': True})" in "\n".join(error.value.__notes__)


@given(patients(CALF, cause="pulmonary_embolism"))
def test_patients_are_possible(drawn: Evidence) -> None:
    assert not (drawn.get("sex") == "male" and drawn.get("pregnancy"))
    assert CALF.evidence(dict(drawn)) == drawn


@pytest.mark.parametrize("cause", ["deep_vein_thrombosis", "myositis"])
def test_patients_with_a_cause_have_its_findings_and_risk_factors_as_often_as_the_model_says(cause: str) -> None:
    """By Bayes: P(item | cause) = P(cause | item) P(item) / P(cause)."""
    pool = simulated(TUTORIAL, "primary_care", cause)
    share = TUTORIAL.diagnose({}, setting="primary_care")[cause].probability
    asked: list[tuple[str, Value]] = [("sex", "male"), ("smoking", True)]
    asked += [(finding.id, True) for finding in TUTORIAL.findings if finding.id != "calf_pain"]
    for name, value in asked:
        result = TUTORIAL.diagnose({name: value}, setting="primary_care")
        assert result.log_evidence is not None
        expected = result[cause].probability * exp(result.log_evidence) / share
        found = sum(states.get(name) == value or name in present for states, present in pool) / len(pool)
        assert abs(found - expected) < 4.5 * (expected * (1 - expected) / len(pool)) ** 0.5 + 0.01, name


def test_an_unknown_cause_is_told() -> None:
    with pytest.raises(UnknownNameError, match="deep_vein_thrombosis"):
        simulated(TUTORIAL, "primary_care", "deep_vein_trombosis")
    with pytest.raises(UnknownNameError, match="nearest: 'redness'"):
        near_twins(TUTORIAL, item="rednes")


@given(near_twins(CALF))
def test_twins_differ_in_one_item(twins: Any) -> None:
    first, second = dict(twins.first), dict(twins.second)
    assert first.pop(twins.item) != second.pop(twins.item)
    assert first == second


@given(networks())
@settings(max_examples=15)
def test_networks_are_models_that_answer(model: Model) -> None:
    result = model.diagnose({})
    assert result.probability_of_any([cause.id for cause in model.causes]) == pytest.approx(1)


def test_a_network_prints_as_the_call_that_makes_it() -> None:
    @given(model=networks(most_causes=3, most_findings=5, most_risk_factors=1))
    @settings(SEARCH, max_examples=10, phases=(Phase.generate,))
    def fails(model: Model) -> None:
        assert len(model.causes) < 3

    with pytest.raises(AssertionError) as error:
        fails()
    assert "model=random_model(" in "\n".join(error.value.__notes__)


def test_networks_say_what_they_cannot_make() -> None:
    with pytest.raises(ArgumentError):
        networks(most_causes=1)


@given(policies())
@settings(max_examples=15)
def test_policies_are_loss_tables_that_a_model_accepts(losses: dict[str, dict[str, float]]) -> None:
    model = edited(TUTORIAL, {"urgency.loss.acted": losses})
    names = [str(level) for level in LEVELS_BY_SEVERITY]
    assert model.urgency_policy.loss == tuple(tuple(losses[a][b] for b in names) for a in names)


@given(policies(), st.lists(st.integers(0, 50), min_size=5, max_size=5))
def test_more_danger_never_lowers_the_level_of_least_loss(losses: dict[str, dict[str, float]], weights: list[int]) -> None:
    names = [str(level) for level in LEVELS_BY_SEVERITY]

    def best(chances: list[int]) -> int:
        expected = [sum(w * losses[a][b] for w, b in zip(chances, names, strict=True)) for a in names]
        return max(range(5), key=lambda k: (-expected[k], k))

    for position in range(4):
        worse = list(weights)
        worse[position + 1] += worse[position]
        worse[position] = 0
        assert best(worse) >= best(weights)


def test_patients_are_simulated_when_the_strategy_is_made() -> None:
    """Within a test it would take the time that Hypothesis allows for one example."""
    simulated.cache_clear()
    drawn, twins = patients(TUTORIAL, cause="myositis"), near_twins(TUTORIAL, setting="emergency")
    misses = simulated.cache_info().misses
    find(drawn, lambda _: True, settings=SEARCH)
    find(twins, lambda _: True, settings=SEARCH)
    assert misses == simulated.cache_info().misses == 2


def test_simulated_patients_are_forgotten_when_there_are_many() -> None:
    assert simulated.cache_info().maxsize is not None


def test_random_models_repeat() -> None:
    assert random_model(seed=3, n_causes=3).digest == random_model(seed=3, n_causes=3).digest


def test_without_hypothesis_the_error_says_what_to_install() -> None:
    script = """
import sys
sys.modules["hypothesis"] = None
import calfbayes.testing
from calfbayes import MissingExtraError
try:
    import calfbayes.testing.strategies
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "hypothesis, which is not installed; pip install 'calfbayes[testing]'" in done.stdout


def test_the_testing_package_itself_needs_no_hypothesis() -> None:
    script = "import sys, calfbayes.testing; assert 'hypothesis' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_model_that_is_loaded_twice_shares_its_simulated_patients() -> None:
    assert simulated(load_model("tutorial"), "community", None) is simulated(load_model("tutorial"), "community", None)
