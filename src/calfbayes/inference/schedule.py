"""Sums of products of the same tables again and again, with other numbers: the order is found once, then only numbers move.

References:
    Zhang, Poole (1994), A simple approach to Bayesian network computations: variable elimination.
"""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from calfbayes.inference.tables import Array, Axes, elimination_order, union


class Schedule:
    """How to multiply some tables and sum over every axis that is not kept; immutable."""

    def __init__(self, scopes: Sequence[Axes], sizes: Mapping[int, int], keep: Axes) -> None:
        """Find the order.

        Args:
            scopes: The axes of each table, in rising order.
            sizes: Number of states of each axis.
            keep: Axes of the result, in rising order.
        """
        left = dict(enumerate(scopes))
        self._steps: list[tuple[list[tuple[int, tuple[int, ...]]], int]] = []
        for axis in elimination_order(scopes, sizes, keep):
            inputs = [k for k, scope in left.items() if axis in scope]
            onto = union(*(left[k] for k in inputs))
            self._steps.append((_shapes(inputs, left, sizes, onto), 1 + onto.index(axis)))
            for k in inputs:
                del left[k]
            left[len(scopes) + len(self._steps) - 1] = tuple(other for other in onto if other != axis)
        self._last = _shapes(list(left), left, sizes, keep)

    def __call__(self, tables: Sequence[Array]) -> Array:
        """Compute; tables and result have shape (lanes, states of each axis), lanes of 1 broadcast."""
        values = list(tables)
        for inputs, axis in self._steps:
            values.append(_product(values, inputs).sum(axis=axis))
        return _product(values, self._last)


def _shapes(
    inputs: Sequence[int], scopes: Mapping[int, Axes], sizes: Mapping[int, int], onto: Axes
) -> list[tuple[int, tuple[int, ...]]]:
    """Each table with the shape that lets it broadcast over all axes, the smallest first."""
    shapes = [(k, tuple(sizes[axis] if axis in scopes[k] else 1 for axis in onto)) for k in inputs]
    return sorted(shapes, key=lambda entry: prod(entry[1]))


def _product(values: Sequence[Array], inputs: Sequence[tuple[int, tuple[int, ...]]]) -> Array:
    if not inputs:
        return np.ones(1)
    k, shape = inputs[0]
    result = values[k].reshape(-1, *shape)
    for k, shape in inputs[1:]:
        result = result * values[k].reshape(-1, *shape)
    return result
