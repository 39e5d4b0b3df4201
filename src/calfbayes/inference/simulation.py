"""Patients drawn from the model, forwards from the risk factors, kept if they have the complaint.

Findings are drawn independently given their parents, except where logic ties them: of findings that exclude or imply
each other, each keeps its own probability, but forbidden combinations are never drawn. (Draw the first; given it is
present, what it excludes is absent; given it is absent, the other has p2 / (1 - p1), so that its overall probability
stays p2, as long as p1 + p2 <= 1. What implies another is present with p1 / p2 given the other.)
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.tables import Array, expit_pair
from calfbayes.knowledge.terms import Finding
from calfbayes.network import Network

MAX_BATCH = 200_000


def simulate_states(
    network: Network, cause_logits: Array, n: int, generator: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    """Draw n patients with the complaint.

    Returns:
        For each risk factor an array of its states (text), for each node an array of bool; shape (n,) each.
    """
    batches: list[dict[str, NDArray[np.generic]]] = []
    have, size = 0, max(64, 2 * n)
    while have < n:
        batch = _draw(network, cause_logits, min(size, MAX_BATCH), generator)
        complaint = batch[network.nodes[network.complaint].id]
        batches.append({name: values[complaint] for name, values in batch.items()})
        have += int(complaint.sum())
        size *= 2
    if not batches:
        batches.append(_draw(network, cause_logits, 0, generator))
    return {name: np.concatenate([batch[name] for batch in batches])[:n] for name in batches[0]}


def _draw(network: Network, cause_logits: Array, n: int, generator: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Draw n people with or without the complaint."""
    states: list[NDArray[np.intp]] = []
    for risk in network.risks:
        cumulative = risk.prior[tuple(states[parent] for parent in risk.parents)].cumsum(axis=-1)
        draw = generator.random(n)[:, None]
        states.append((draw >= cumulative[..., :-1]).sum(axis=-1))
    nodes: list[NDArray[np.bool_]] = []
    drawn: dict[str, NDArray[np.bool_]] = {}
    chance: dict[str, Array] = {}
    for position, node in enumerate(network.nodes):
        logit = np.full(n, cause_logits[position] if position < network.n_causes else node.base_logit)
        for odds in node.odds:
            logit = logit + odds.log_odds[states[odds.risk]]
        absent = expit_pair(logit)[1]
        for parent, w in node.parents:
            if parent < network.n_hidden:
                absent = absent * np.where(nodes[parent], 1.0 - w, 1.0)
        chance[node.id] = 1.0 - absent
        p = chance[node.id]
        record = network.records[node.id]
        if isinstance(record, Finding):
            p = _coherent(network, record, p, drawn, chance)
        present = generator.random(n) < p
        if isinstance(record, Finding):
            drawn[node.id] = present
        nodes.append(present)
    result: dict[str, NDArray[np.generic]] = {
        risk.id: np.array(risk.states)[state] for risk, state in zip(network.risks, states, strict=True)
    }
    result.update({node.id: present for node, present in zip(network.nodes, nodes, strict=True)})
    return result


def _coherent(
    network: Network, finding: Finding, p: Array, drawn: Mapping[str, NDArray[np.bool_]], chance: Mapping[str, Array]
) -> Array:
    """The chance of a finding, given the findings drawn before that logic ties it to."""
    for other, present in drawn.items():
        record = network.records[other]
        if not isinstance(record, Finding):
            continue
        q = chance[other]
        with np.errstate(divide="ignore", invalid="ignore"):
            if other in finding.excludes or finding.id in record.excludes:
                p = np.where(present, 0.0, np.minimum(1.0, np.where(q < 1, p / (1.0 - q), 0.0)))
            elif other in finding.implies:
                p = np.where(present, np.minimum(1.0, np.where(q > 0, p / q, 0.0)), 0.0)
            elif finding.id in record.implies:
                p = np.where(present, 1.0, np.where(q < 1, np.maximum(0.0, (p - q) / (1.0 - q)), 0.0))
    return p
