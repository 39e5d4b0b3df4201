"""The 90 % range of each elicited number: the one that was given, or the one that its sample size means.

With a sample size n, a probability m has the range of the Beta distribution with parameters n m and n (1 - m), and a ratio
that of the log-normal with its standard deviation.

References:
    Press, Teukolsky, Vetterling, Flannery (2007), Numerical recipes, 6.4: the continued fraction of the incomplete beta.
"""

from functools import lru_cache
from math import lgamma

import numpy as np

from calfbayes.inference.elicited import PROBABILITIES, WIDTH, elicited_numbers
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array

TAIL = 0.05
FARTHEST = 700.0  # log odds that are looked at; beyond them a probability is 0 or 1 in all its digits
HALVINGS = 64
MOST_TERMS = 10_000
TINY = 1e-300


@lru_cache(maxsize=32)
def ranges(solved: SolvedNetwork, setting: str) -> Array:
    """Lower and upper end of the 90 % range of every number of `elicited_numbers`, in that order, shape (n, 2)."""
    elicited = elicited_numbers(solved, setting)
    result = np.array([[number.value, number.value] for number in elicited.numbers])
    with_size = []
    for k, entry in enumerate(elicited.numbers):
        number = entry.number
        if number.n is None:
            result[k] = [end if end is not None else number.value for end in (number.low, number.high)]
        elif entry.kind not in PROBABILITIES:
            result[k] *= np.exp(np.array([-0.5, 0.5]) * WIDTH * entry.deviation)
        elif 0.0 < number.value < 1.0:
            with_size.append(k)
    if with_size:
        m = result[with_size, 0]
        n = np.array([elicited.numbers[k].number.n for k in with_size], dtype=np.float64)
        q = np.repeat([TAIL, 1.0 - TAIL], len(with_size))
        result[with_size] = beta_quantile(q, np.tile(n * m, 2), np.tile(n * (1.0 - m), 2)).reshape(2, -1).T
    result.flags.writeable = False
    return result


def beta_quantile(q: float | Array, a: Array, b: Array) -> Array:
    """Where a Beta distribution has the probability q below it, by halving on the scale of log odds.

    Args:
        q: One for all, or shape (n,).
        a: First parameters, above 0, shape (n,).
        b: Second parameters, likewise.

    Returns:
        Shape (n,).
    """
    low, high = np.full(len(a), -FARTHEST), np.full(len(a), FARTHEST)
    log_whole = _log_beta(a, b)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = beta_below(middle, a, b, log_whole) < q
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(1.0 / (1.0 + np.exp(-(low + high) / 2)))


def beta_below(log_odds: Array, a: Array, b: Array, log_whole: Array | None = None) -> Array:
    """P(X < x) of a Beta distribution, x given by its log odds so that the ends keep their digits; shape (n,).

    Args:
        log_whole: Logarithm of the beta function of a and b, if it is known.
    """
    log_whole = _log_beta(a, b) if log_whole is None else log_whole
    swapped = 1.0 / (1.0 + np.exp(-log_odds)) > (a + 1.0) / (a + b + 2.0)  # the fraction converges fast on one side only
    y = np.where(swapped, -log_odds, log_odds)
    a, b = np.where(swapped, b, a), np.where(swapped, a, b)
    x = 1.0 / (1.0 + np.exp(-y))
    log_front = -a * np.logaddexp(0.0, -y) - b * np.logaddexp(0.0, y) - log_whole - np.log(a)
    part = np.exp(log_front) * _fraction(x, a, b)
    return np.asarray(np.where(swapped, 1.0 - part, part))


def _log_beta(a: Array, b: Array) -> Array:
    return np.array([lgamma(p) + lgamma(q) - lgamma(p + q) for p, q in zip(a.tolist(), b.tolist(), strict=True)])


def _fraction(x: Array, a: Array, b: Array) -> Array:
    """The continued fraction, by Lentz's method."""

    def kept(z: Array) -> Array:
        return np.where(np.abs(z) < TINY, TINY, z)

    c = np.ones_like(x)
    d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0))
    h = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        change = np.ones_like(x)
        for term in (even, odd):
            d = 1.0 / kept(1.0 + term * d)
            c = kept(1.0 + term / c)
            change = d * c
            h = h * change
        if np.all(np.abs(change - 1.0) < 1e-14):
            break
    return h
