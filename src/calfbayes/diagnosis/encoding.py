"""From names to positions: evidence as the engine reads it."""

from calfbayes.evidence import Evidence, Likelihood, silent_items
from calfbayes.inference.reduction import Encoded
from calfbayes.network import Network


def encode(network: Network, evidence: Evidence) -> Encoded:
    """Turn names into positions; answers that others imply are left out, and so is the complaint."""
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


def _likelihood(value: object) -> tuple[float, float]:
    """P(report | absent) and P(report | present), the larger of them 1."""
    if isinstance(value, Likelihood):
        return (1.0, value.ratio) if value.ratio <= 1 else (1.0 / value.ratio, 1.0)
    return (0.0, 1.0) if value else (1.0, 0.0)
