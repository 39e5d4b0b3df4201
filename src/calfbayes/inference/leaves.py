"""What the network's own numbers become in a query: tables of priors and of own activations.

These are the leaves of everything that is computed, so here derivatives end: a table's `pull` hands what reaches it on to the
numbers that it was made of. What is observed of the risk factors is selected first.
"""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.tables import Array, Axes, Gradient, Table, expit_pair
from calfbayes.network import Network, Numbers

Index = NDArray[np.intp]
ROWS: Axes = (0,)  # the one axis of a table that is a row of numbers
ENTRIES = 6.0  # of a row of activations at a time: logits, leaks, what they lack to 1, and what these are computed from


def prior_table(network: Network, numbers: Numbers, position: int, risk_states: Sequence[int]) -> Table:
    """P(risk factor | its parents), with what is known selected."""
    return prior_of(numbers, *prior_entries(network, position, risk_states))


def prior_entries(network: Network, position: int, risk_states: Sequence[int]) -> tuple[Axes, Index]:
    """What a prior depends on once what is known has been selected, and where its entries stand."""
    family = (*network.risks[position].parents, position)
    states = [risk_states[member] for member in family]
    entries = network.layout.prior_entries[position]
    axes = [member for member, state in zip(family, states, strict=True) if state < 0]
    if len(axes) < len(family):
        entries = np.asarray(entries[tuple(slice(None) if state < 0 else state for state in states)])
    if len(axes) > 1:
        entries = entries.transpose(sorted(range(len(axes)), key=axes.__getitem__))
    return tuple(sorted(axes)), entries


def prior_of(numbers: Numbers, axes: Axes, entries: Index) -> Table:
    """The table of some entries of the priors; its derivatives go to those entries."""

    def pull(g: Array, into: Gradient) -> None:
        into.numbers.priors[:, entries] += g

    return Table(axes, numbers.priors[:, entries], pull)


class Activations:
    """Of each node 1 - leak and leak in each joint state of the unobserved risk factors that move it.

    Derivatives are with respect to logits and log odds ratios. Where one is infinite they are with respect to what is finite
    there: the odds of a leak (or base) of 0, the probability of a leak of 1, an odds ratio of 0.

    Attributes:
        logits: Logit of the leak, node after node, row after row.
        off: 1 - leak.
        on: The leak.
        node_of_row: Which of the nodes each row belongs to.
    """

    def __init__(
        self,
        network: Network,
        numbers: Numbers,
        risk_states: Sequence[int],
        nodes: Sequence[int],
        pay: Callable[[float], None] | None = None,
    ) -> None:
        """Compute them.

        Args:
            pay: Is told how many entries they will take, before these are allocated.
        """
        self.nodes = nodes
        self.axes: dict[int, Axes] = dict.fromkeys(nodes, ())
        odds = [(k, risk, start) for k, node in enumerate(nodes) for risk, start in network.layout.odds[node]]
        known = [(k, start + risk_states[risk]) for k, risk, start in odds if risk_states[risk] >= 0]
        self.moved, self.entry = np.array(known, dtype=np.intp).reshape(-1, 2).T
        self.unknown: dict[int, list[slice]] = {}
        for k, risk, start in odds:  # in rising order of the risk factors
            if risk_states[risk] < 0:
                self.axes[nodes[k]] += (risk,)
                self.unknown.setdefault(k, []).append(slice(start, start + network.risks[risk].prior.shape[-1]))
        self.shapes = {node: tuple(of.stop - of.start for of in self.unknown.get(k, ())) for k, node in enumerate(nodes)}
        lengths = [prod(self.shapes[node]) for node in nodes]
        if pay is not None:
            pay(ENTRIES * max(len(numbers.logits), len(numbers.log_odds)) * sum(lengths))
        ends = np.cumsum(lengths)
        self.first = np.asarray(ends - lengths, dtype=np.intp)
        self.where = {node: slice(end - n, end) for node, end, n in zip(nodes, ends.tolist(), lengths, strict=True)}
        self.node_of_row = np.repeat(np.arange(len(nodes)), lengths)
        self.logits = rows = self._sums(numbers.logits, numbers.log_odds)
        on, off = expit_pair(rows)

        def pull(g: Array, into: Gradient) -> None:
            self._hand_on(g * on * off, into.numbers)
            if np.isinf(rows).any():
                of_certain = Gradient(numbers, into.lanes).numbers
                self._hand_on(g * self._beside_certainty(numbers), of_certain)
                into.numbers.logits[...] += np.where(np.isinf(numbers.logits), of_certain.logits, 0.0)
                into.numbers.log_odds[...] += np.where(np.isinf(numbers.log_odds), of_certain.log_odds, 0.0)

        probabilities = Table(ROWS, on, pull)
        self.off = Table(ROWS, off, lambda g, into: into.add(probabilities, -g))
        self.on = Table(ROWS, on, lambda g, into: into.add(probabilities, g))

    def _sums(self, logits: Array, log_odds: Array) -> Array:
        """Logit of the base plus log odds ratios, row after row."""
        lanes = max(len(logits), len(log_odds))
        x = np.broadcast_to(logits[:, self.nodes], (lanes, len(self.nodes))).copy()
        np.add.at(x.T, self.moved, log_odds[:, self.entry].T)
        parts = []
        for k in range(len(self.nodes)):
            part = x[:, k]
            for entries in self.unknown.get(k, ()):
                part = part[..., None] + log_odds[:, entries].reshape(-1, *(1,) * (part.ndim - 1), entries.stop - entries.start)
            parts.append(part.reshape(lanes, -1))
        return np.concatenate(parts, axis=1)

    def _hand_on(self, g: Array, into: Numbers) -> None:
        """Add derivatives with respect to the rows to those with respect to the numbers that they are sums of."""
        for k, slices in self.unknown.items():
            node = self.nodes[k]
            of_node = g[:, self.where[node]].reshape(len(g), *self.shapes[node])
            for axis, entries in enumerate(slices):
                others = tuple(1 + other for other in range(len(slices)) if other != axis)
                into.log_odds[:, entries] += of_node.sum(axis=others)
        of_nodes = np.add.reduceat(g, self.first, axis=1)
        into.log_odds[:, self.entry] += of_nodes[:, self.moved]
        into.logits[:, self.nodes] += of_nodes

    def _beside_certainty(self, numbers: Numbers) -> Array:
        """Derivative of the leak in an odds or odds ratio of 0, or a probability of 1: the product of the other odds."""
        infinite = self._sums(*(np.isinf(part).astype(float) for part in (numbers.logits, numbers.log_odds)))
        rest = self._sums(*(np.where(np.isinf(part), 0.0, part) for part in (numbers.logits, numbers.log_odds)))
        return np.where(infinite == 1.0, np.exp(rest), 0.0)

    def rows_of(self, n: int) -> int:
        """Number of rows of the first n nodes."""
        return int(np.searchsorted(self.node_of_row, n))

    def part(self, table: Table, node: int) -> Table:
        """The part of a table of rows that belongs to a node."""
        where = self.where[node]

        def pull(g: Array, into: Gradient) -> None:
            into.add_to(table, np.s_[:, where], g.reshape(len(g), -1))

        values = table.values[:, where]
        return Table(self.axes[node], values.reshape(len(values), *self.shapes[node]), pull)

    def leak(self, node: int) -> tuple[Table, Table]:
        """1 - leak and leak of a node."""
        return self.part(self.off, node), self.part(self.on, node)
