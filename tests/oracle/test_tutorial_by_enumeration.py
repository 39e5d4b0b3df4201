"""The tutorial model is small enough to write down every joint state: the engine must agree with the plain sum."""

from dataclasses import dataclass
from functools import cache
from math import log
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

import calfbayes as cb
from calfbayes.knowledge.terms import Cause, Complication, Finding, Mechanism

Array = NDArray[np.float64]
MODEL = cb.load_model("tutorial")
SETTINGS = [setting.id for setting in MODEL.settings]
HIDDEN: tuple[Cause | Complication | Mechanism, ...] = (*MODEL.causes, *MODEL.complications, *MODEL.mechanisms)
ASKABLE = [finding.id for finding in MODEL.findings if finding.id != "calf_pain"]
N_SETS = 60


@dataclass(frozen=True)
class JointStates:
    """Every joint state of risk factors and hidden nodes as one column.

    Attributes:
        states: Position of the state of each risk factor, 0 or 1 for each hidden node; each of shape (n_columns,).
        probability: P(column and some cause), shape (n_columns,).
        present: P(finding present | column), each of shape (n_columns,).
    """

    states: dict[str, NDArray[np.intp]]
    probability: Array
    present: dict[str, Array]


@cache
def joint_states(setting: str) -> JointStates:
    sizes = {factor.id: len(factor.states) for factor in MODEL.risk_factors} | {node.id: 2 for node in HIDDEN}
    columns = np.indices(tuple(sizes.values())).reshape(len(sizes), -1)
    states = dict(zip(sizes, columns, strict=True))

    probability = np.ones(columns.shape[1])
    for factor in MODEL.risk_factors:
        for row in factor.prior:
            covered = np.ones(columns.shape[1], dtype=bool)
            for parent, names in row.when:
                covered &= np.isin(states[parent], [_states_of(parent).index(name) for name in names])
            probability[covered] *= np.array(row.probabilities)[states[factor.id][covered]]
    for node in HIDDEN:
        on = activation(node, setting, states)
        probability *= np.where(states[node.id] == 1, on, 1.0 - on)
    probability *= np.any([states[cause.id] == 1 for cause in MODEL.causes], axis=0)
    return JointStates(states, probability, {f.id: activation(f, setting, states) for f in MODEL.findings if f.id in ASKABLE})


def activation(node: Cause | Complication | Mechanism | Finding, setting: str, states: dict[str, NDArray[np.intp]]) -> Array:
    """P(node present | risk states and parents): the leaky noisy-OR as design and model format state it."""
    odds = np.full(len(states["age"]), _base_odds(node, setting))
    for ratio in node.odds:
        odds[states[ratio.factor] == _states_of(ratio.factor).index(ratio.state)] *= ratio.number.value
    absent = 1.0 / (1.0 + odds)
    for parent in HIDDEN:
        for link in parent.links:
            if link.child == node.id:
                w = link.number.value
                if link.includes_leak and not isinstance(node, Cause):
                    w = 1.0 - (1.0 - w) / (1.0 - node.leak.value)
                absent = absent * np.where(states[parent.id] == 1, 1.0 - w, 1.0)
    return np.asarray(1.0 - absent)


def _base_odds(node: Cause | Complication | Mechanism | Finding, setting: str) -> float:
    if isinstance(node, Cause):
        solved = MODEL._solved
        return float(np.exp(solved.bases[setting].logits[solved.network.node_index[node.id]]))
    return node.leak.value / (1.0 - node.leak.value)


def _states_of(factor: str) -> tuple[str, ...]:
    return next(f.states for f in MODEL.risk_factors if f.id == factor)


def random_evidence(rng: Random) -> dict[str, bool | str | cb.Likelihood]:
    """From nothing known to nearly everything known."""
    known = rng.random()
    evidence: dict[str, bool | str | cb.Likelihood] = {}
    for factor in MODEL.risk_factors:
        if rng.random() < known:
            state = rng.choice(factor.states)
            evidence[factor.id] = state == "present" if factor.is_binary else state
    for name in ASKABLE:
        if rng.random() < known:
            answers: list[bool | cb.Likelihood] = [True, False, cb.Likelihood(rng.choice([0.05, 0.4, 3.0, 25.0]))]
            evidence[name] = rng.choice(answers)
    return evidence


def weights_of(evidence: dict[str, bool | str | cb.Likelihood], setting: str) -> Array:
    """P(column, evidence and some cause), up to the scale that a likelihood ratio leaves open."""
    joint = joint_states(setting)
    weights = joint.probability.copy()
    for name, value in evidence.items():
        if name in joint.present:
            p = joint.present[name]
            if isinstance(value, cb.Likelihood):
                top = max(value.ratio, 1.0)  # the engine's scale: the larger of P(report | present), P(report | absent) is 1
                weights *= p * (value.ratio / top) + (1.0 - p) / top
            else:
                weights *= p if value else 1.0 - p
        else:
            state = value if isinstance(value, str) else ("present" if value else "absent")
            weights *= joint.states[name] == _states_of(name).index(state)
    return weights


def assert_close(given: float, expected: float) -> None:
    assert abs(given - expected) <= 1e-12
    assert abs(given - expected) <= 1e-9 * abs(expected) + 1e-15


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_enumeration_itself_is_sound(setting: str) -> None:
    joint = joint_states(setting)
    complaint = MODEL._solved.bases[setting].complaint
    assert joint.probability.size == 4 * 2 * 2 * 2 * 2**7
    assert joint.probability.sum() == pytest.approx(complaint, rel=1e-12)
    assert all(((p > 0) & (p < 1)).all() for p in joint.present.values())


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("seed", range(N_SETS))
def test_posteriors_equal_the_plain_sum(setting: str, seed: int) -> None:
    evidence = random_evidence(Random(f"{setting} {seed}"))
    weights = weights_of(evidence, setting)
    joint = joint_states(setting)

    result = MODEL.diagnose(evidence, setting=setting)

    assert result.log_evidence is not None
    assert_close(result.log_evidence, log(weights.sum()) - log(joint.probability.sum()))
    for cause in MODEL.causes:
        expected = weights[joint.states[cause.id] == 1].sum() / weights.sum()
        assert_close(result[cause.id].probability, float(expected))


def test_the_random_evidence_covers_all_kinds_of_answers() -> None:
    """Else the comparison above would be weaker than it looks."""
    drawn = [random_evidence(Random(f"{setting} {seed}")) for setting in SETTINGS for seed in range(N_SETS)]
    for factor in MODEL.risk_factors:
        seen = {evidence.get(factor.id) for evidence in drawn}
        assert None in seen
        assert len(seen - {None}) == len(factor.states)
    for name in ASKABLE:
        kinds = {type(evidence[name]).__name__ if name in evidence else "unknown" for evidence in drawn}
        assert kinds == {"bool", "Likelihood", "unknown"}
        assert {True, False} <= {evidence[name] for evidence in drawn if isinstance(evidence.get(name), bool)}
