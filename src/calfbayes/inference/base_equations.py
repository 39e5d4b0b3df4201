"""The equations that the bases solve, in lanes: given Z, which bases give P(cause) = share Z, and what P(some cause) is then.

Given Z, the causes are solved one after the other, parents first: P(i) rises with its own base and depends on nothing else
but the risk factors and the bases of its parents, both known by then. Causes without parents are solved all at once.

For one cause the equation is: sum over the joint states r of its risk factors of P(r, no parent activates it)
expit(x + log odds(r)) = wanted. Newton's steps are taken on the log odds of both sides, on which it is nearly a line.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.leaves import Activations, prior_table
from calfbayes.inference.schedule import Schedule
from calfbayes.inference.tables import Array, Axes, union
from calfbayes.network import Network, Numbers

STEP = 1e-8  # of the logit of a base; Newton's next step, by then the square of the last, would change nothing
MAX_STEPS = 100
CERTAIN = 700.0  # a logit whose probability is 1 in floating point, though it is finite


@dataclass(frozen=True, eq=False)
class Given:
    """What holds at some Z, one a lane.

    Attributes:
        z: Shape (lanes,).
        logits: The bases, shape (lanes, n_causes). Where nothing gives the share they come as near as they can.
        some_cause: P(some cause is present), shape (lanes,).
        too_much: Where the parents alone give a cause more than its share, shape (lanes, n_causes).
        too_little: Where the risk states that allow a cause cannot give it its share, shape (lanes, n_causes).
    """

    z: Array
    logits: Array
    some_cause: Array
    too_much: NDArray[np.bool_]
    too_little: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Group:
    """Causes that are solved together: none has another one above it.

    Attributes:
        causes: Their positions.
        rows: Where the joint states of their risk factors stand, one cause after the other.
        first: Where each cause's begin among `rows`.
        of_row: Which of the causes each of `rows` belongs to.
        above: The causes above the one cause that has parents; none for the others.
        idle: Per cause P(risk states, no parent activates it), from the tables that `_Structure.tables` lists.
    """

    causes: NDArray[np.intp]
    rows: NDArray[np.intp]
    first: NDArray[np.intp]
    of_row: NDArray[np.intp]
    above: tuple[int, ...]
    idle: tuple[tuple[tuple[int, ...], Schedule], ...]


@dataclass(frozen=True, eq=False)
class _Possible:
    """The joint risk states of a group that occur at all.

    Attributes:
        rows: Which of the group's rows they are.
        first: Where each cause's begin among them.
        of_row: Which of the causes each belongs to.
        ratios: Their odds ratios, shape (lanes, rows).
    """

    rows: NDArray[np.intp]
    first: NDArray[np.intp]
    of_row: NDArray[np.intp]
    ratios: Array

    def per_cause(self, values: Array) -> Array:
        """Sums over the rows of each cause, shape (lanes, causes)."""
        return np.asarray(np.add.reduceat(values, self.first, axis=1))


@dataclass(frozen=True, eq=False)
class _Structure:
    """All that depends on the network's structure only."""

    groups: tuple[_Group, ...]
    no_cause: Schedule


class BaseEquations:
    """The equations of one care setting in lanes of numbers and shares."""

    def __init__(self, network: Network, numbers: Numbers, shares: Array) -> None:
        """Prepare.

        Args:
            numbers: The bases of the causes in it are not looked at.
            shares: Shape (lanes, n_causes).
        """
        self.network = network
        self.links = numbers.links
        self.shares = shares
        self.lanes = max(numbers.lanes, len(shares))
        unknown = (-1,) * len(network.risks)
        self.priors = [prior_table(network, numbers, risk, unknown).values for risk in range(len(network.risks))]
        without = Numbers(np.zeros((1, len(network.nodes))), numbers.links, numbers.log_odds, numbers.priors)
        self.own = Activations(network, without, unknown, list(network.causes))
        self.odds = np.exp(self.own.logits)
        self.structure = _structure(network)
        self.possible = [self._possible(group) for group in self.structure.groups]
        self.rows_without_parents = self._idle(self.structure.groups[0], {})

    @np.errstate(divide="ignore", invalid="ignore", over="ignore")  # where nothing gives the share, or a cause is all there is
    def at(self, z: Array, near: Given | None = None) -> Given:
        """Solve at some Z.

        Args:
            z: Shape (lanes,).
            near: The solution at another Z, to begin with.
        """
        shape = self.lanes, self.network.n_causes
        logits = np.empty(shape)
        flags = np.zeros((2, *shape), dtype=bool)
        absent: dict[int, Array] = {}
        for group, possible in zip(self.structure.groups, self.possible, strict=True):
            rows = self._idle(group, absent) if group.above else self.rows_without_parents
            begin = None if near is None else (near.logits + np.log(z / near.z)[:, None])[:, group.causes]
            logits[:, group.causes], flags[:, :, group.causes] = self._solved(group, possible, rows[:, possible.rows], z, begin)
            off = 1.0 / (1.0 + np.exp(logits[:, group.causes])[:, group.of_row] * self.odds[:, group.rows])
            for cause, first, last in zip(
                group.causes.tolist(), group.first, np.append(group.first[1:], len(group.rows)), strict=True
            ):
                absent[cause] = off[:, first:last].reshape(self.lanes, *self.own.shapes[cause])
        no_cause = self.structure.no_cause([*self.priors, *(absent[cause] for cause in self.network.causes)])
        return Given(z, logits, 1.0 - no_cause, flags[0], flags[1])

    def _possible(self, group: _Group) -> _Possible:
        nobody = {cause: np.ones((1, *self.own.shapes[cause])) for cause in group.above}
        rows = np.flatnonzero(self._idle(group, nobody).any(axis=0))
        of_row = group.of_row[rows]
        return _Possible(rows, np.flatnonzero(np.diff(of_row, prepend=-1)), of_row, self.odds[:, group.rows[rows]])

    def _idle(self, group: _Group, absent: dict[int, Array]) -> Array:
        """P(risk states of a cause, no parent activates it), one cause of the group after the other."""
        above = [self._given_parents(cause, absent[cause]) for cause in group.above]
        parts = []
        for cause, (risks, schedule) in zip(group.causes.tolist(), group.idle, strict=True):
            inhibitors = [self._inhibitor(arc) for _, arc in self.network.layout.parents[cause]]
            values = schedule([*(self.priors[risk] for risk in risks), *above, *inhibitors])
            parts.append(values.reshape(len(values), -1))
        lanes = max(map(len, parts), default=1)
        return np.concatenate([np.broadcast_to(part, (lanes, part.shape[1])) for part in parts], axis=1)

    def _inhibitor(self, arc: int) -> Array:
        """1 or, if the parent is present, 1 - w."""
        w = self.links[:, arc]
        return np.stack([np.ones_like(w), 1.0 - w], axis=-1)

    def _given_parents(self, cause: int, absent: Array) -> Array:
        """P(cause | risk states, parent causes), the cause itself as the last axis."""
        for _, arc in self.network.layout.parents[cause]:
            inhibitor = self._inhibitor(arc)
            absent = absent[..., None] * inhibitor.reshape(len(inhibitor), *(1,) * (absent.ndim - 1), 2)
        return np.stack([absent, 1.0 - absent], axis=-1)

    def _solved(
        self, group: _Group, possible: _Possible, rows: Array, z: Array, begin: Array | None
    ) -> tuple[Array, NDArray[np.bool_]]:
        """The bases of a group; and whether the parents give too much, the allowed states too little."""
        ratios, per_cause = possible.ratios, possible.per_cause
        total = reachable = per_cause(rows)
        if not ratios.all():
            reachable = per_cause(rows * (ratios > 0.0))
        shares = self.shares[:, group.causes]
        wanted = shares * z[:, None] - (1.0 - total if group.above else 0.0)
        nothing = (shares == 0.0) | (np.abs(wanted) <= 1e-16)
        too_much = ~nothing & (wanted < 0.0)
        too_little = ~nothing & ~too_much & (wanted >= reachable * (1.0 - 1e-12))
        open_ = ~(nothing | too_much | too_little)
        target = _logit(np.where(open_, wanted, reachable / 2) / reachable)
        if begin is None:
            middle = per_cause(rows * np.log(np.where(ratios > 0.0, ratios, 1.0))) / total
            x = target - middle
        else:
            x = np.where(np.isfinite(begin) & (begin < CERTAIN), begin, target)
        for _ in range(MAX_STEPS):
            odds = np.exp(x)[:, possible.of_row] * ratios  # as fast as can be: these are many rows
            off = 1.0 / (1.0 + odds)
            odds *= off
            odds *= rows
            given = per_cause(odds)
            odds *= off
            slope = per_cause(odds) * reachable / (given * (reachable - given))
            step = np.where(open_, (_logit(given / reachable) - target) / slope, 0.0)
            x = x - np.clip(step, -8.0, 8.0)
            if not (open_ & ~(np.abs(step) < STEP * np.maximum(1.0, np.abs(x)))).any():
                break
        x = np.where(nothing | too_much, -np.inf, np.where(too_little, CERTAIN, x))
        return x, np.stack(np.broadcast_arrays(too_much, too_little))


def rows_of_widest(network: Network) -> int:
    """Largest number of joint risk states that one equation sums over."""
    return max(len(group.rows) for group in _structure(network).groups)


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


@lru_cache(maxsize=8)
def _structure(network: Network) -> _Structure:
    sizes = {risk: record.prior.shape[-1] for risk, record in enumerate(network.risks)}
    sizes |= {len(network.risks) + cause: 2 for cause in network.causes}
    axes = {cause: tuple(risk for risk, _ in network.layout.odds[cause]) for cause in network.causes}
    families = [tuple(sorted((*risk.parents, position))) for position, risk in enumerate(network.risks)]
    orphans = [cause for cause in network.causes if not network.layout.parents[cause]]
    groups = [orphans, *([cause] for cause in network.causes if network.layout.parents[cause])]
    ends = np.cumsum([0, *(int(np.prod([sizes[risk] for risk in axes[cause]])) for cause in network.causes)])
    return _Structure(
        tuple(_group(network, causes, axes, families, sizes, ends) for causes in groups),
        Schedule([*families, *axes.values()], sizes, ()),
    )


def _group(
    network: Network,
    causes: list[int],
    axes: dict[int, Axes],
    families: list[Axes],
    sizes: dict[int, int],
    ends: NDArray[np.intp],
) -> _Group:
    rows = [np.arange(ends[cause], ends[cause + 1]) for cause in causes]
    lengths = [len(part) for part in rows]
    above = ancestors(network, causes[0])
    idle = []
    for cause in causes:
        risks = risks_above(network, union(axes[cause], *(axes[other] for other in above)))
        scopes = [families[risk] for risk in risks]
        own = len(network.risks)
        scopes += [(*axes[c], *(own + p for p, _ in network.layout.parents[c]), own + c) for c in above]
        scopes += [(own + parent,) for parent, _ in network.layout.parents[cause]]
        idle.append((risks, Schedule(scopes, sizes, axes[cause])))
    return _Group(
        np.array(causes, dtype=np.intp),
        np.concatenate(rows),
        np.cumsum([0, *lengths[:-1]]),
        np.repeat(np.arange(len(causes)), lengths),
        above,
        tuple(idle),
    )


def ancestors(network: Network, cause: int) -> tuple[int, ...]:
    """The causes above a cause, in rising order."""
    found: set[int] = set()
    stack = [parent for parent, _ in network.layout.parents[cause]]
    while stack:
        parent = stack.pop()
        if parent not in found:
            found.add(parent)
            stack += [grandparent for grandparent, _ in network.layout.parents[parent]]
    return tuple(sorted(found))


def risks_above(network: Network, risks: Axes) -> tuple[int, ...]:
    """Risk factors with all that their priors depend on, in rising order."""
    found: set[int] = set()
    stack = list(risks)
    while stack:
        risk = stack.pop()
        if risk not in found:
            found.add(risk)
            stack += network.risks[risk].parents
    return tuple(sorted(found))
