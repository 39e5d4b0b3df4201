"""Patients drawn from the model, forwards from the risk factors, kept if they have the complaint.

Where states of risk factors are given, nobody else is drawn: a given state is set, and the people are kept in proportion to
how probable it is with their other risk factors.

Findings are drawn independently given their parents, except where logic ties them; then each keeps its own probability
as far as logic allows, and what is forbidden is never drawn. Findings that imply one another share one random number
(present if it is below the finding's probability), so the rarer is present only with the commoner. Of findings that
exclude each other the first is drawn as it is, the next with p2 / (1 - p1) where the first is absent.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from calfbayes.evidence import implied_by
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.network import Network

MAX_BATCH = 200_000
MOST_BATCHES = 20  # of people like one patient; who has not been met by then hardly exists in the model


def simulate_states(
    network: Network, cause_logits: Array, n: int, generator: np.random.Generator, known: Sequence[int] = ()
) -> dict[str, NDArray[np.generic]]:
    """Draw n patients with the complaint.

    Args:
        known: For each risk factor the position of the state that all of them have, or -1; none for anybody.

    Returns:
        For each risk factor an array of its states (text), for each node an array of bool; shape (n,) each. With known
        states they may be fewer, if hardly anybody with these has the complaint.
    """
    batches: list[dict[str, NDArray[np.generic]]] = []
    have, size = 0, max(64, 2 * n)
    while have < n and not (known and len(batches) == MOST_BATCHES):
        batch = _draw(network, cause_logits, min(size, MAX_BATCH), generator, known)
        complaint = batch[network.nodes[network.complaint].id]
        batches.append({name: values[complaint] for name, values in batch.items()})
        have += int(complaint.sum())
        size *= 2
    if not batches:
        batches.append(_draw(network, cause_logits, 0, generator))
    return {name: np.concatenate([batch[name] for batch in batches])[:n] for name in batches[0]}


def simulate_findings(
    network: Network, cause_logits: Array, n_people: int, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], Array]:
    """Draw people, keep those with the complaint, and look at their findings only.

    Returns:
        What is present, and how probable it was by itself given the patient's risk states, causes and mechanisms; shape
        (n_patients, n_findings) each, in the order of the network. The number of patients is left to chance.
    """
    _, _, chance = _draw_hidden(network, cause_logits, n_people, generator)
    findings = draw_findings(network, chance, n_people, generator)
    kept = findings[network.nodes[network.complaint].id]
    names = [network.nodes[node].id for node in network.findings]
    return np.stack([findings[name] for name in names], axis=1)[kept], np.stack([chance[name] for name in names], axis=1)[kept]


def _draw(
    network: Network, cause_logits: Array, n: int, generator: np.random.Generator, known: Sequence[int] = ()
) -> dict[str, NDArray[np.generic]]:
    """Draw n people with or without the complaint; with known states those of them who are kept."""
    states, nodes, chance = _draw_hidden(network, cause_logits, n, generator, known)
    n = len(nodes[0])
    result: dict[str, NDArray[np.generic]] = {
        risk.id: np.array(risk.states)[state] for risk, state in zip(network.risks, states, strict=True)
    }
    result.update({node.id: present for node, present in zip(network.nodes, nodes, strict=False)})
    result.update(draw_findings(network, chance, n, generator))
    return result


def _draw_hidden(
    network: Network, cause_logits: Array, n: int, generator: np.random.Generator, known: Sequence[int] = ()
) -> tuple[list[NDArray[np.intp]], list[NDArray[np.bool_]], dict[str, Array]]:
    """Draw the states of the risk factors and of the hidden nodes, by position, and the chance of each finding by id."""
    states = _draw_risks(network, n, generator, known)
    n = len(states[0]) if states else n
    nodes: list[NDArray[np.bool_]] = []
    chance: dict[str, Array] = {}
    for position, node in enumerate(network.nodes):
        p = chance_present(network, cause_logits, position, states, nodes, n)
        if position < network.n_hidden:
            nodes.append(generator.random(n) < p)
        else:
            chance[node.id] = p
    return states, nodes, chance


def _draw_risks(network: Network, n: int, generator: np.random.Generator, known: Sequence[int]) -> list[NDArray[np.intp]]:
    """The states of the risk factors of n people; with known states of those of them who are kept."""
    states: list[NDArray[np.intp]] = []
    kept = np.ones(n)
    for position, risk in enumerate(network.risks):
        prior = risk.prior[tuple(states[parent] for parent in risk.parents)]
        state = known[position] if known else -1
        if state >= 0:
            given = tuple(slice(None) if known[parent] < 0 else known[parent] for parent in risk.parents)
            most = risk.prior[given][..., state].max()
            kept *= np.broadcast_to(prior[..., state], n) / (most if most > 0.0 else 1.0)
            states.append(np.full(n, state))
        else:
            draw = generator.random(n)[:, None]
            states.append((draw >= prior.cumsum(axis=-1)[..., :-1]).sum(axis=-1))
    if not known:
        return states
    some = np.flatnonzero(generator.random(n) < kept)
    return [of_risk[some] for of_risk in states]


def chance_present(
    network: Network,
    cause_logits: Array,
    position: int,
    states: Sequence[NDArray[np.intp]],
    present: Sequence[NDArray[np.bool_]],
    n: int,
) -> Array:
    """P(node present | its parents) of each of n people, shape (n,).

    Args:
        states: State of each risk factor, shape (n,) each.
        present: Whether each node before this one is present, likewise.
    """
    node = network.nodes[position]
    logit = np.full(n, cause_logits[position] if position < network.n_causes else node.base_logit)
    for odds in node.odds:
        logit = logit + odds.log_odds[states[odds.risk]]
    absent = expit_pair(logit)[1]
    for parent, w in node.parents:
        absent = absent * np.where(present[parent], 1.0 - w, 1.0)
    return np.asarray(1.0 - absent)


def draw_findings(
    network: Network, chance: Mapping[str, Array], n: int, generator: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    """Draw every finding, given the chance of each by itself."""
    tied = {name: implied_by(network, name) for name in chance}
    group = {name: name for name in chance}
    for name, (present, _) in tied.items():
        for other in present:
            old, new = group[other], group[name]
            group = {member: new if of == old else of for member, of in group.items()}
    numbers: dict[str, Array] = {}
    p: dict[str, Array] = {}
    drawn: dict[str, NDArray[np.bool_]] = {}
    for name in chance:
        p[name] = np.max([chance[name], *(chance[other] for other in chance if name in tied[other][0])], axis=0)
        room, possible = np.ones(n), np.ones(n, dtype=bool)
        taken: dict[str, Array] = {}
        for other, answer in drawn.items():
            if other in tied[name][1] or name in tied[other][1]:
                taken[group[other]] = np.maximum(taken.get(group[other], 0.0), p[other])
                possible &= ~answer
        for part in taken.values():
            room = room - part
        if group[name] not in numbers:
            numbers[group[name]] = generator.random(n)
        drawn[name] = possible & (numbers[group[name]] * np.maximum(room, 0.0) < p[name])
    return drawn
