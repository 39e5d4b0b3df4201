"""Tables over unobserved risk factors: numbers with named axes, kept in the order of the risk factors.

A table's axes are positions of risk factors in rising order; arrays may have further axes in front, which
broadcast. Three operations are all that inference needs: widening to more axes, laying out in the rows of
a frontier, and summing a risk factor out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Axes = tuple[int, ...]


def union(*axes: Axes) -> Axes:
    """All axes that occur, in rising order."""
    return tuple(sorted({axis for group in axes for axis in group}))


def widen(array: Array, axes: Axes, onto: Axes) -> Array:
    """Insert axes of length 1, so that tables over `axes` and over `onto` (a superset) broadcast."""
    lead = array.ndim - len(axes)
    sizes = iter(array.shape[lead:])
    return array.reshape(array.shape[:lead] + tuple(next(sizes) if axis in axes else 1 for axis in onto))


def in_rows(array: Array, axes: Axes, rows: Sequence[int], sizes: Sequence[int]) -> Array:
    """Lay a table out over the joint states of `rows`.

    Args:
        array: Shape (..., states of each of `axes`).
        axes: A subset of `rows`.
        rows: Risk factors in the order in which the frontier holds them, the last one fastest.
        sizes: Number of states of each of `rows`.

    Returns:
        Shape (..., product of sizes).
    """
    lead = array.ndim - len(axes)
    order = sorted(range(len(axes)), key=lambda k: rows.index(axes[k]))
    moved = array.transpose([*range(lead), *(lead + k for k in order)])
    shape = array.shape[:lead] + tuple(size if row in axes else 1 for row, size in zip(rows, sizes, strict=True))
    full = np.broadcast_to(moved.reshape(shape), array.shape[:lead] + tuple(sizes))
    return np.ascontiguousarray(full).reshape((*array.shape[:lead], -1))


def from_rows(array: Array, axes: Axes, rows: Sequence[int], sizes: Sequence[int]) -> Array:
    """The transpose of `in_rows`: sum over the rows that are not in `axes`, and put the axes in rising order."""
    lead = array.ndim - 1
    full = array.reshape(array.shape[:lead] + tuple(sizes))
    gone = tuple(lead + k for k, row in enumerate(rows) if row not in axes)
    kept = [row for row in rows if row in axes]
    order = sorted(range(len(kept)), key=kept.__getitem__)
    return full.sum(axis=gone).transpose([*range(lead), *(lead + k for k in order)])


@dataclass(slots=True)
class Table:
    """Weights over some unobserved risk factors; shape (kinds of weight, states of each axis)."""

    axes: Axes
    weights: Array

    def multiply(self, axes: Axes, factors: Array) -> None:
        """Multiply by factors of shape (kinds of weight, states of each of `axes`)."""
        onto = union(self.axes, axes)
        self.weights = widen(self.weights, self.axes, onto) * widen(factors, axes, onto)
        self.axes = onto

    def sum_out(self, axis: int) -> None:
        """Sum over the states of one axis."""
        self.weights = self.weights.sum(axis=self.weights.ndim - len(self.axes) + self.axes.index(axis))
        self.axes = tuple(other for other in self.axes if other != axis)


def sum_product(tables: Sequence[Table], keep: Axes) -> Table:
    """Multiply tables and sum over every axis that is not kept; the axis whose table is smallest goes first.

    Args:
        tables: Each with one kind of weight, shape (1, states of its axes).

    Returns:
        A table over `keep`.

    References:
        Zhang, Poole (1994), A simple approach to Bayesian network computations: variable elimination.
    """
    left = list(tables)
    sizes = {axis: size for table in left for axis, size in zip(table.axes, table.weights.shape[1:], strict=True)}
    todo = set(sizes) - set(keep)

    def size_without(axis: int) -> tuple[int, int]:
        joint = union(*(table.axes for table in left if axis in table.axes))
        return prod(sizes[other] for other in joint), axis

    while todo:
        axis = min(todo, key=size_without)
        todo.remove(axis)
        merged = _product([table for table in left if axis in table.axes])
        merged.sum_out(axis)
        left = [table for table in left if axis not in table.axes] + [merged]
    result = _product(left)
    onto = union(result.axes, keep)
    return Table(onto, widen(result.weights, result.axes, onto))


def _product(tables: Sequence[Table]) -> Table:
    result = Table((), np.ones(1))
    for table in sorted(tables, key=lambda table: table.weights.size):
        result.multiply(table.axes, table.weights)
    return result


def expit_pair(x: Array) -> tuple[Array, Array]:
    """P and 1 - P from a logit, each to full relative precision, infinities included."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x)), 1.0 / (1.0 + np.exp(x))
