"""Sharing a change fairly: the mean of what each item adds, over all orders in which the items could have been learnt.

With v(S) the value when the items S are known, item i of n is given

    phi_i = sum over S without i of  |S|! (n - |S| - 1)! / n!  (v(S and i) - v(S))

No order is preferred, two items that do the same get the same, and the shares add up to v(all) - v(nothing). With many
items the mean is over some orders only, drawn with a seed; each is walked forwards and backwards, which cancels much of
the error, and the shares still add up.

References:
    Shapley (1953), A value for n-person games.
    Castro, Gomez, Tejada (2009), Polynomial calculation of the Shapley value based on sampling.
    Mitchell, Cooper, Frank, Holmes (2022), Sampling permutations for Shapley value estimation: antithetic orders.
    Fisher, Cornish (1960), The percentile points of distributions having known cumulants: Student's t near the normal.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.tables import Array

Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Design:
    """Which sets of items have to be looked at.

    Attributes:
        sets: Whether a set holds an item, shape (sets, items), no set twice; the first is empty, the last is full.
        walks: Position of the set after each item of an order, the empty one first: shape (orders, items + 1). Orders come
            in pairs, one the reverse of the other. None if the sets are all sets.
        orders: The items in each order, shape (orders, items); None likewise.
    """

    sets: Rows
    walks: NDArray[np.intp] | None = None
    orders: NDArray[np.intp] | None = None


def every_order(n_items: int) -> Design:
    """All sets of items."""
    numbers = np.arange(2**n_items)
    return Design((numbers[:, None] >> np.arange(n_items)) & 1 == 1)


def some_orders(n_items: int, n_orders: int, seed: int) -> Design:
    """The sets along some orders.

    Args:
        n_orders: How many; an even number.
    """
    generator = np.random.default_rng([seed, n_items])
    forwards = np.array([generator.permutation(n_items) for _ in range(n_orders // 2)])
    orders = np.stack([forwards, forwards[:, ::-1]], axis=1).reshape(-1, n_items)
    along = np.zeros((len(orders), n_items + 1, n_items), dtype=bool)
    for step in range(n_items):
        along[:, step + 1] = along[:, step]
        along[np.arange(len(orders)), step + 1, orders[:, step]] = True
    sets, walks = np.unique(along.reshape(-1, n_items), axis=0, return_inverse=True)
    return Design(sets, walks.reshape(len(orders), n_items + 1), orders)


def shares(design: Design, values: Array) -> tuple[Array, Array]:
    """Share the change from the empty set to the full one.

    Args:
        values: Value of each set, shape (sets,); finite.

    Returns:
        The share of each item, and its standard error (0 if all orders are counted); shape (items,) each. From few orders the
        error is itself uncertain and is told larger, so that twice the error holds the truth 19 times in 20 all the same.
    """
    n_items = design.sets.shape[1]
    if design.walks is None or design.orders is None:
        return np.array([share_of(design, values, item) for item in range(n_items)]), np.zeros(n_items)
    added = np.empty((len(design.orders), n_items))
    np.put_along_axis(added, design.orders, np.diff(values[design.walks], axis=1), axis=1)
    pairs = added.reshape(-1, 2, n_items).mean(axis=1)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
    return pairs.mean(axis=0), error * _student(len(pairs) - 1)


def _student(freedom: int) -> float:
    """The factor by which the 97.5 % quantile of Student's t exceeds that of the normal distribution, by its expansion."""
    z = NormalDist().inv_cdf(0.975)
    return 1.0 + (z**2 + 1) / (4 * freedom) + (5 * z**4 + 16 * z**2 + 3) / (96 * freedom**2)


def share_of(design: Design, values: Array, item: int) -> Array:
    """The share of one item in the change of many things at once, shape (things,).

    Args:
        values: Value of each set, shape (sets, things); or of one thing, shape (sets,).
    """
    if design.walks is not None and design.orders is not None:
        orders = np.arange(len(design.orders))
        at = (design.orders == item).argmax(axis=1)
        added = values[design.walks[orders, at + 1]] - values[design.walks[orders, at]]
        return np.asarray(added.mean(axis=0))
    without, with_it = _split(item, values)
    return np.asarray(_weights(design.sets.shape[1]) @ (with_it - without))


def turning_points(design: Design, values: Array) -> list[int]:
    """The items that in some order turn a finite value into an infinite one."""
    finite = np.isfinite(values)
    if design.walks is not None and design.orders is not None:
        turned = finite[design.walks[:, :-1]] & ~finite[design.walks[:, 1:]]
        return sorted(set(design.orders[turned].tolist()))
    found = []
    for item in range(design.sets.shape[1]):
        without, with_it = _split(item, values)
        if np.any(np.isfinite(without) & ~np.isfinite(with_it)):
            found.append(item)
    return found


@lru_cache(maxsize=16)
def _weights(n_items: int) -> Array:
    """|S|! (n - |S| - 1)! / n! of every set S of all items but one, in the order of their numbers."""
    sizes = [number.bit_count() for number in range(2 ** (n_items - 1))]
    return 1.0 / (n_items * np.array([comb(n_items - 1, size) for size in sizes]))


def _split(item: int, values: Array) -> tuple[Array, Array]:
    """The values of the sets without an item, and of the same sets with it."""
    has_it = np.arange(len(values)) >> item & 1 == 1
    return values[~has_it], values[has_it]
