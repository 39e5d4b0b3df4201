"""Tables with named axes: numbers over variables, the axes always in rising order of the variables.

In front of the named axes stands one axis of *lanes* (length 1 or n): parallel computations that ride along.

A table may remember what it was made of: its `pull` hands a derivative with respect to the table on to those with respect
to its sources, which is the chain rule read backwards. `Gradient` collects them, latest table first.

References:
    Griewank, Walther (2008), Evaluating derivatives, chapter 3: the reverse mode.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calfbayes.network import Numbers

Array = NDArray[np.float64]
Axes = tuple[int, ...]

_stamps = count()


def union(*axes: Axes) -> Axes:
    """All axes that occur, in rising order."""
    return tuple(sorted({axis for group in axes for axis in group}))


def widen(values: Array, axes: Axes, onto: Axes) -> Array:
    """Insert axes of length 1, so that tables over `axes` and over `onto` (a superset) broadcast."""
    if axes == onto:
        return values
    sizes = iter(values.shape[1:])
    return values.reshape(values.shape[:1] + tuple(next(sizes) if axis in axes else 1 for axis in onto))


def narrow(values: Array, axes: Axes, keep: Axes) -> Array:
    """Sum over the axes that are not kept."""
    gone = tuple(1 + k for k, axis in enumerate(axes) if axis not in keep)
    return values.sum(axis=gone) if gone else values


class Gradient:
    """Derivatives of something, lane by lane, with respect to tables and in the end to the network's numbers.

    Attributes:
        numbers: The derivatives with respect to the numbers, each of shape (lanes, ...).
    """

    def __init__(self, numbers: Numbers, lanes: int) -> None:
        parts = (numbers.logits, numbers.links, numbers.log_odds, numbers.priors)
        self.numbers = Numbers(*(np.zeros((lanes, part.shape[1])) for part in parts))
        self.lanes = lanes
        self._of: dict[int, tuple[Table, Array]] = {}
        self._latest: list[int] = []
        self._own: set[int] = set()  # tables whose derivative was allocated here

    def add(self, table: "Table", g: Array) -> None:
        """Add to the derivative with respect to a table; `g` has the table's shape but for the lanes."""
        if table.pull is None:
            return
        if table.stamp in self._of:
            self._of[table.stamp] = table, self._of[table.stamp][1] + g
        else:
            self._of[table.stamp] = table, g
            heappush(self._latest, -table.stamp)

    def add_to(self, table: "Table", where: Any, g: Array) -> None:
        """Add to the derivative with respect to a part of a table."""
        if table.pull is None:
            return
        if table.stamp not in self._own:
            self.add(table, np.zeros((self.lanes, *table.values.shape[1:])))
            self._of[table.stamp] = table, self._of[table.stamp][1] + np.zeros(1)
            self._own.add(table.stamp)
        self._of[table.stamp][1][where] += g

    def run(self) -> Numbers:
        """Hand all derivatives on until only those with respect to the network's numbers are left."""
        while self._latest:
            table, g = self._of.pop(-heappop(self._latest))
            if table.pull is not None:
                shape = (self.lanes, *table.values.shape[1:])
                table.pull(g if g.shape == shape else np.broadcast_to(g, shape), self)
        return self.numbers


Pull = Callable[[Array, Gradient], None]


@dataclass(slots=True, eq=False)
class Table:
    """Numbers over some variables; shape (lanes, states of each axis).

    Attributes:
        pull: Hands a derivative with respect to this table on to what it was made of; None for a constant.
        stamp: Rises with every table that is made, so that a table is younger than its sources.
    """

    axes: Axes
    values: Array
    pull: Pull | None = None
    stamp: int = field(default_factory=lambda: next(_stamps))

    def times(self, other: "Table") -> "Table":
        """The product with another table."""
        onto = self.axes if other.axes in ((), self.axes) else union(self.axes, other.axes)
        mine, theirs = widen(self.values, self.axes, onto), widen(other.values, other.axes, onto)

        def pull(g: Array, into: Gradient) -> None:
            into.add(self, narrow(g * theirs, onto, self.axes))
            into.add(other, narrow(g * mine, onto, other.axes))

        return Table(onto, mine * theirs, pull)

    def plus(self, other: "Table") -> "Table":
        """The sum with a table over the same axes."""

        def pull(g: Array, into: Gradient) -> None:
            into.add(self, g)
            into.add(other, g)

        return Table(self.axes, self.values + other.values, pull)

    def without(self, axis: int) -> "Table":
        """The sum over the states of one axis."""
        rest = tuple(other for other in self.axes if other != axis)
        position = 1 + self.axes.index(axis)
        shape = self.values.shape[1:]

        def pull(g: Array, into: Gradient) -> None:
            into.add(self, np.broadcast_to(np.expand_dims(g, position), (len(g), *shape)))

        return Table(rest, self.values.sum(axis=position), pull)

    def at(self, axis: int, state: int) -> "Table":
        """The part in which one axis has one state."""
        rest = tuple(other for other in self.axes if other != axis)
        where = (slice(None),) * (1 + self.axes.index(axis)) + (state,)

        def pull(g: Array, into: Gradient) -> None:
            into.add_to(self, where, g)

        return Table(rest, self.values[where], pull)


@dataclass(frozen=True, slots=True)
class Alike:
    """A table of which many lanes are alike: each sort of lane stands in it once.

    Attributes:
        sort: Which row of the table each lane is; None if each lane has its own, or all have the same. Then derivatives
            find their way back, and else they do not.
    """

    table: Table
    sort: NDArray[np.intp] | None = None

    @classmethod
    def of(cls, values: Array, axis: int) -> "Alike":
        """A table over one axis, shape (lanes, states)."""
        sort = np.zeros(len(values), dtype=np.intp)
        for of_state in values.T:
            sort = _sorts(sort, np.unique(of_state, return_inverse=True)[1])[0]
        first = np.unique(sort, return_index=True)[1]
        return cls(Table((axis,), values[first]), sort)

    def times(self, other: "Alike") -> "Alike":
        """The product with another table."""
        if self.sort is None or other.sort is None:
            sorted_, plain = (self, other) if other.sort is None else (other, self)
            if sorted_.sort is None or len(plain.table.values) == 1:
                return Alike(self.table.times(other.table), sorted_.sort)
            return Alike(self.whole().times(other.whole()))
        sort, first = _sorts(self.sort, other.sort)
        mine = Table(self.table.axes, self.table.values[self.sort[first]])
        theirs = Table(other.table.axes, other.table.values[other.sort[first]])
        return Alike(mine.times(theirs), sort)

    def without(self, axis: int) -> "Alike":
        """The sum over the states of one axis."""
        return Alike(self.table.without(axis), self.sort)

    def whole(self) -> Table:
        """The table lane by lane."""
        return self.table if self.sort is None else Table(self.table.axes, self.table.values[self.sort])


def _sorts(a: NDArray[np.intp], b: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sorts of lanes that differ in one thing or another: that of each lane, and the first lane of each."""
    _, first, sort = np.unique(a * (b.max() + 1) + b, return_index=True, return_inverse=True)
    return sort, first


def sum_product(tables: Sequence[Table], keep: Axes) -> Table:
    """Multiply tables and sum over every axis that is not kept.

    Returns:
        A table over `keep`.

    References:
        Zhang, Poole (1994), A simple approach to Bayesian network computations: variable elimination.
    """
    sizes = {axis: n for table in tables for axis, n in zip(table.axes, table.values.shape[1:], strict=True)}
    left = list(tables)
    for axis in elimination_order([table.axes for table in tables], sizes, keep):
        merged = _product([table for table in left if axis in table.axes]).without(axis)
        left = [table for table in left if axis not in table.axes] + [merged]
    result = _product(left)
    onto = union(result.axes, keep)
    return result if onto == result.axes else result.times(Table(onto, np.ones((1,) * (1 + len(onto)))))


def elimination_order(scopes: Sequence[Axes], sizes: Mapping[int, int], keep: Axes) -> list[int]:
    """The axes that are not kept; next is always the one whose joint table is smallest, ties by position."""
    tables = [frozenset(scope) for scope in scopes]
    todo = set().union(*tables) - set(keep)
    joint = {axis: frozenset().union(*(scope for scope in tables if axis in scope)) for axis in todo}
    order = []
    while todo:
        axis = min(todo, key=lambda axis: (prod(sizes[other] for other in joint[axis]), axis))
        merged = joint[axis] - {axis}
        tables = [scope for scope in tables if axis not in scope] + [merged]
        todo.remove(axis)
        for other in merged & todo:
            joint[other] = frozenset().union(*(scope for scope in tables if other in scope))
        order.append(axis)
    return order


def _product(tables: Sequence[Table]) -> Table:
    result = Table((), np.ones(1))
    for table in sorted(tables, key=lambda table: table.values.size):
        result = result.times(table)
    return result


def expit_pair(x: Array) -> tuple[Array, Array]:
    """P and 1 - P from a logit, each to full relative precision, infinities included."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x)), 1.0 / (1.0 + np.exp(x))
