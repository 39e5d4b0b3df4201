"""From names to positions: evidence as the engine reads it.

A negative test of which the model's file says that it says nothing in this patient is not weighed. What asks how often such a
result occurs, as audit and constraints do, takes evidence as it is told.
"""

from dataclasses import replace

from calfbayes.diagnosis.rules import holds
from calfbayes.evidence import Evidence, Likelihood, Value, silent_items
from calfbayes.inference.reduction import Encoded
from calfbayes.knowledge.terms import TestGuard
from calfbayes.network import Network


def encode(network: Network, evidence: Evidence) -> Encoded:
    """Turn names into positions; what is not weighed, or implied by other answers, is left out, and so is the complaint."""
    return encode_as_told(network, weighed(evidence))


def encode_as_told(network: Network, evidence: Evidence) -> Encoded:
    """The same, with every negative test weighed."""
    silent = silent_items(network, evidence)
    states = [-1] * len(network.risks)
    for name, state in evidence.risk_states.items():
        position = network.risk_index[name]
        states[position] = network.risks[position].states.index(state)
    findings = []
    for name, value in evidence.items_by_id:
        if name in network.node_index and name not in silent and name != network.knowledge.complaint and value is not None:
            findings.append((network.node_index[name], *_likelihood(value)))
    return Encoded(tuple(states), tuple(sorted(findings)))


def not_weighed(evidence: Evidence) -> tuple[TestGuard, ...]:
    """The guards of the negative tests that say nothing in this patient."""
    return tuple(
        guard
        for guard in evidence._network.knowledge.asking.tests
        if _is_denied(evidence.get(guard.test)) and says_nothing_if_absent(guard, evidence)
    )


def says_nothing_if_absent(guard: TestGuard, evidence: Evidence) -> bool:
    """Say whether a negative result of this test says nothing in this patient."""
    return guard.absent_says_nothing_if is not None and holds(guard.absent_says_nothing_if, evidence)


def weighed(evidence: Evidence) -> Evidence:
    """The evidence without these tests, as if they had not been done."""
    silent = {guard.test for guard in not_weighed(evidence)}
    if not silent:
        return evidence
    return replace(evidence, items_by_id=tuple(item for item in evidence.items_by_id if item[0] not in silent))


def _is_denied(value: Value) -> bool:
    return value is False or (isinstance(value, Likelihood) and value.ratio < 1)


def _likelihood(value: object) -> tuple[float, float]:
    """P(report | absent) and P(report | present), the larger of them 1."""
    if isinstance(value, Likelihood):
        return (1.0, value.ratio) if value.ratio <= 1 else (1.0 / value.ratio, 1.0)
    return (0.0, 1.0) if value else (1.0, 0.0)
