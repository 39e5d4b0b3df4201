"""One elicited number moves, the others held: what becomes of the probabilities, in a closed form where there is one.

Every joint probability is affine in a link, P(A, e) = u + v x: in each product of the network a child is absent with a factor
1 - w for a parent that is present, or it is present with the rest. So it is in a leak that no risk factor moves and that no
other number includes. Where the number stands below the causes the bases do not depend on it, and all that is conditional on e
has one denominator. With d the way from the number's value, p and p' the probability and its derivative there,

    P(A | e) = p + p' t,      t = d / (1 + s d),      s = d log P(e) / dx.

What is linear in the probabilities is linear in t, and on that scale comes to 0 where the derivative says. For the other
numbers (weights, odds ratios, priors, links between causes, backgrounds with odds ratios) the model is solved again.

References:
    Castillo, Gutierrez, Hadi (1997), Sensitivity analysis in discrete Bayesian networks: quotients of affine functions.
    van der Gaag, Renooij (2001), Analysing sensitivity data from probabilistic networks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calfbayes.explanation.intervals import Asked
from calfbayes.inference.elicited import ElicitedNumbers, Kind, Scale, elicited_numbers
from calfbayes.inference.sensitivity import Posteriors
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import Cause, RiskFactor

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OneWay:
    """What a result's quantities, those of `Asked`, become when one number moves.

    Attributes:
        p: The quantities now, shape (n,).
        of_p: Their derivatives in each number on its own scale, shape (n, numbers).
        posteriors: The same as probabilities of nodes and labels, and with those of log P(e).
        values: The numbers now, shape (numbers,).
        per_scale: By how much each changes when it moves on its own scale, shape (numbers,).
        lowest: Where the closed form of each begins, NaN where there is none, shape (numbers,).
    """

    asked: Asked
    numbers: ElicitedNumbers
    p: Array
    of_p: Array
    posteriors: Posteriors
    values: Array
    per_scale: Array
    lowest: Array

    @classmethod
    def of(cls, asked: Asked, cost_limit: float, some: Sequence[int]) -> "OneWay":
        """Differentiate.

        Args:
            some: Positions of the nodes that are wanted; see `Asked.slopes`.
        """
        numbers = elicited_numbers(asked.solved, asked.setting)
        values = np.array([number.value for number in numbers.numbers])
        on_log_odds = np.array([number.scale == Scale.LOG_ODDS for number in numbers.numbers])
        per_scale = np.where(on_log_odds, values * (1.0 - values), 1.0)
        lowest = _lowest(asked.solved, asked.setting)
        return cls(asked, numbers, *asked.slopes(cost_limit, some), values, per_scale, lowest)

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Whether there is a closed form, shape (numbers,)."""
        return ~np.isnan(self.lowest)

    def at(self, some: Positions, x: Array, *wanted: tuple[Collection[int], NDArray[np.bool_]]) -> Array:
        """The quantities with one number moved in each lane, shape (lanes, n); NaN where there is no such model.

        Args:
            some: Positions of the numbers, shape (lanes,).
            x: What each is then, shape (lanes,).
            wanted: As in `Asked.of_values`.
        """
        again = np.flatnonzero(~self.closed[some])
        found = self._followed(some, x)
        if len(again):
            values = np.repeat(self.values[None], len(again), axis=0)
            values[np.arange(len(again)), some[again]] = x[again]
            found[again] = self.asked.of_values(values, *((of, lanes[again]) for of, lanes in wanted))
        return found

    def _followed(self, some: Positions, x: Array) -> Array:
        """The closed form; it means nothing where there is none."""
        d = np.fmax(x, self.lowest[some]) - self.values[some]
        whole = 1.0 + self._log_slope[some] * d  # P(e) as a part of what it is now
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(whole > 0.0, d / whole, np.nan)
        return np.clip(self.p + (self.of_p[:, some] / self.per_scale[some] * t).T, 0.0, 1.0)

    def step(self, k: int, linear: Array) -> Array:
        """How far a number with a closed form has to go for what `linear` steps do by the derivative.

        Args:
            linear: On the number's own scale, like the result.

        Returns:
            The steps, infinite where the number cannot go so far.
        """
        now, t = self.values[k], linear * self.per_scale[k]
        with np.errstate(divide="ignore", invalid="ignore"):
            d = t / (1.0 - self._log_slope[k] * t)
            there = (now + d > self.lowest[k]) & (now + d < 1.0) & (d * t >= 0.0)
            steps = d if self.numbers.numbers[k].scale == Scale.ITSELF else np.log1p(d / now) - np.log1p(-d / (1.0 - now))
        return np.asarray(np.where(there, steps, np.inf))

    @property
    def _log_slope(self) -> Array:
        """Derivatives of log P(e) in the numbers themselves."""
        return np.asarray(self.posteriors.of_log_evidence / self.per_scale)


@lru_cache(maxsize=32)
def _lowest(solved: SolvedNetwork, setting: str) -> Array:
    """For each number with a closed form where this begins, NaN for the others, shape (numbers,).

    Below the background that it includes, the probability of a finding given a cause changes nothing any more.
    """
    network, elicited = solved.network, elicited_numbers(solved, setting)
    n_nodes, arcs = len(network.nodes), network.layout.arcs
    number, position, _ = elicited.moves
    alone = np.bincount(number, minlength=len(elicited)) == 1
    lowest = np.full(len(elicited), np.nan)
    for k, moved in zip(number[alone[number]].tolist(), position[alone[number]].tolist(), strict=True):
        kind = elicited.numbers[k].kind
        if kind == Kind.LEAK and not network.layout.odds[moved]:
            lowest[k] = 0.0
        elif kind in {Kind.LINK, Kind.PROBABILITY} and (child := arcs[moved - n_nodes][1]) >= network.n_causes:
            record = network.records[network.nodes[child].id]
            lowest[k] = record.leak.value if kind == Kind.PROBABILITY and not isinstance(record, Cause | RiskFactor) else 0.0
    lowest.flags.writeable = False
    return lowest
