"""Tables with named axes: numbers over variables, the axes always in rising order of the variables.

In front of the named axes stands one axis of *lanes* (length 1 or n): parallel computations that ride along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Axes = tuple[int, ...]


def union(*axes: Axes) -> Axes:
    """All axes that occur, in rising order."""
    return tuple(sorted({axis for group in axes for axis in group}))


def widen(values: Array, axes: Axes, onto: Axes) -> Array:
    """Insert axes of length 1, so that tables over `axes` and over `onto` (a superset) broadcast."""
    sizes = iter(values.shape[1:])
    return values.reshape(values.shape[:1] + tuple(next(sizes) if axis in axes else 1 for axis in onto))


def narrow(values: Array, axes: Axes, keep: Axes) -> Array:
    """Sum over the axes that are not kept."""
    gone = tuple(1 + k for k, axis in enumerate(axes) if axis not in keep)
    return values.sum(axis=gone) if gone else values


@dataclass(slots=True)
class Table:
    """Numbers over some variables; shape (lanes, states of each axis)."""

    axes: Axes
    values: Array

    def times(self, axes: Axes, values: Array) -> "Table":
        """The product with another table."""
        onto = union(self.axes, axes)
        return Table(onto, widen(self.values, self.axes, onto) * widen(values, axes, onto))

    def without(self, axis: int) -> "Table":
        """The sum over the states of one axis."""
        rest = tuple(other for other in self.axes if other != axis)
        return Table(rest, narrow(self.values, self.axes, rest))


def table_in_order(axes: Sequence[int], values: Array) -> Table:
    """Make a table of an array whose axes stand in any order; a lane axis is put in front."""
    return Table(tuple(sorted(axes)), values.transpose(sorted(range(len(axes)), key=list(axes).__getitem__))[None])


def sum_product(tables: Sequence[Table], keep: Axes, order: Sequence[int]) -> Table:
    """Multiply tables and sum over every axis that is not kept.

    Args:
        order: The axes to sum over, as `elimination_order` gives them.

    Returns:
        A table over `keep`.

    References:
        Zhang, Poole (1994), A simple approach to Bayesian network computations: variable elimination.
    """
    left = list(tables)
    for axis in order:
        merged = _product([table for table in left if axis in table.axes]).without(axis)
        left = [table for table in left if axis not in table.axes] + [merged]
    result = _product(left)
    onto = union(result.axes, keep)
    return Table(onto, widen(result.values, result.axes, onto))


def elimination_order(tables: Sequence[Table], keep: Axes) -> list[int]:
    """The axes that are not kept; next is always the one whose joint table is smallest, ties by position."""
    sizes: Mapping[int, int] = {axis: n for table in tables for axis, n in zip(table.axes, table.values.shape[1:], strict=True)}
    scopes = [frozenset(table.axes) for table in tables]
    todo = set(sizes) - set(keep)
    order = []

    def joint(axis: int) -> frozenset[int]:
        return frozenset().union(*(scope for scope in scopes if axis in scope))

    while todo:
        axis = min(todo, key=lambda axis: (prod(sizes[other] for other in joint(axis)), axis))
        merged = joint(axis) - {axis}
        scopes = [scope for scope in scopes if axis not in scope] + [merged]
        todo.remove(axis)
        order.append(axis)
    return order


def _product(tables: Sequence[Table]) -> Table:
    result = Table((), np.ones(1))
    for table in sorted(tables, key=lambda table: table.values.size):
        result = result.times(table.axes, table.values)
    return result


def expit_pair(x: Array) -> tuple[Array, Array]:
    """P and 1 - P from a logit, each to full relative precision, infinities included."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x)), 1.0 / (1.0 + np.exp(x))
