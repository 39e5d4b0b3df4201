"""Which open questions may matter: a cheap measure that puts candidates in order before the engine is asked.

A finding bears on a cause as strongly as the cause switches it on, along all paths, taken as independent:

    reach(c, v) = 1 - product over parents u of v (1 - reach(c, u) w_uv)
    cov(c, f)   = p_c (1 - p_c) reach(c, f) (1 - p_f)          roughly, for the posterior p_c and the chance p_f

and the answer is expected to explain cov^2 / (p_f (1 - p_f)) of the cause's variance. Causes count by what missing them
would cost. Nothing here is shown to anybody: it decides what is computed, not what is answered.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from calfbayes.diagnosis.foresight import Foresight
from calfbayes.inference.tables import Array
from calfbayes.network import Network


def relevance(foresight: Foresight, stake: Mapping[int, float], names: Sequence[str]) -> Array:
    """A rough worth of knowing each finding or risk factor, shape (names,).

    Args:
        stake: What it costs to be wrong about each cause or complication, by position.
    """
    network = foresight.network
    nodes = list(stake)
    p = np.array([foresight.hidden[node] for node in nodes])
    doubt = np.array(list(stake.values())) * p * (1.0 - p)
    reach = _reach(network)[nodes]
    worth = []
    for name in names:
        if name in network.node_index:
            chance = min(max(foresight.of_finding(name), 1e-6), 1 - 1e-6)
            moved = doubt * reach[:, network.node_index[name]] * (1.0 - chance)
            worth.append(float(np.sqrt(np.sum(moved**2) / (chance * (1.0 - chance)))))
        else:
            worth.append(_worth_of_risk(foresight, name, nodes, doubt))
    return np.array(worth)


def _worth_of_risk(foresight: Foresight, name: str, nodes: Sequence[int], doubt: Array) -> float:
    """How far the states spread the odds of each cause."""
    network, chances = foresight.network, foresight.of_states(name)
    risk, total = network.risk_index[name], 0.0
    for node, at_stake in zip(nodes, doubt, strict=True):
        for odds in network.nodes[node].odds:
            if odds.risk == risk:
                ratios = np.exp(odds.log_odds)
                mean = float(chances @ ratios)
                spread = float(chances @ (ratios / mean - 1.0) ** 2) if mean > 0 else 0.0
                total += float(at_stake) ** 2 * spread
    return float(np.sqrt(total))


@lru_cache(maxsize=8)
def _reach(network: Network) -> Array:
    """P(node on | this hidden node alone), along all paths: shape (n_hidden, n_nodes)."""
    reach = np.zeros((network.n_hidden, len(network.nodes)))
    for position, node in enumerate(network.nodes):  # parents come first
        absent = np.ones(network.n_hidden)
        for parent, w in node.parents:
            absent *= 1.0 - reach[:, parent] * w
        reach[:, position] = 1.0 - absent
        if position < network.n_hidden:
            reach[position, position] = 1.0
    reach.flags.writeable = False
    return reach
