"""The numbers that were elicited: where each stands, how sure it is, and what it moves in the network.

A number has a scale of its own, on which it may go anywhere: log odds for probabilities (links, leaks, priors), the
logarithm for weights, odds ratios and the coincidence. One that is exactly 0 or 1 stays as it is, a probability or ratio:
on its scale it would be infinite, and it could not move.

Doubt is a Beta distribution for probabilities, with the number as its mean, and a log-normal for the others, with the number
as its median. Its standard deviation is given on the number's scale. For a Beta that is the deviation of the probability
divided by m (1 - m): what is computed from the network is linear in each probability, or a quotient of two such, so its
doubt follows that of the probability itself, and not the long tail of the log odds of a small one.

References:
    Diez, Druzdzel (2006), Canonical probabilistic models for knowledge engineering: the two conventions of links.
    Woolf (1955), On estimating the relation between blood group and disease: the standard error of a log odds ratio.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from itertools import product
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.bases import weights_of
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.terms import Cause, Elicited, Finding, Link, OddsRatio, PriorRow, RiskFactor

WIDTH = 2 * 1.6448536269514722  # of a 90 % range, in standard deviations
MOST_DOUBT = 0.5  # of the largest variance that a probability with this mean can have: a Beta without peaks at its ends


class Kind(StrEnum):
    """What an elicited number is."""

    COINCIDENCE = "coincidence"
    WEIGHT = "weight"
    ODDS_RATIO = "odds_ratio"
    LEAK = "leak"
    LINK = "link"  # the background excluded
    PROBABILITY = "probability"  # a link, the background included
    PRIOR = "prior"  # of a risk factor: the probability of not being in its reference state


class Scale(StrEnum):
    """On what a number is moved."""

    LOG_ODDS = "log_odds"
    LOG = "log"
    ITSELF = "itself"  # 0 or 1


Positions = NDArray[np.intp]
PROBABILITIES = frozenset({Kind.LEAK, Kind.LINK, Kind.PROBABILITY, Kind.PRIOR})


@dataclass(frozen=True, slots=True)
class ElicitedNumber:
    """One elicited number.

    Attributes:
        file: Path of the file inside the model's folder.
        place: Dotted path inside the file, as errors name it.
        scale: What `deviation`, and every derivative in this number, refers to.
        deviation: Standard deviation on that scale; 0 for a number that holds by definition.
        position: Of what it stands for among the network's numbers (`Numbers.in_a_row`, then the shares): a logit, a link, a
            log odds ratio, the first entry of a prior, the share of a weight's cause.
        number: The number with its origin.
    """

    file: str
    place: str
    kind: Kind
    scale: Scale
    deviation: float
    position: int
    number: Elicited

    @property
    def value(self) -> float:
        """The number."""
        return self.number.value


@dataclass(frozen=True, eq=False)
class ElicitedNumbers:
    """All elicited numbers that answers in one care setting rest on: those of other settings, and losses, are not among them.

    Attributes:
        numbers: In the order of the files.
        deviations: Their standard deviations, shape (n,).
        varies: Whether a number's doubt counts, shape (n,); the coincidence is held, as in draws of models.
        moves: What each number moves, on its own scale: the number's position, that of what it moves (the network's
            numbers one after the other as in `Numbers.in_a_row`, then the shares), and the derivative.
    """

    numbers: tuple[ElicitedNumber, ...]
    deviations: Array
    varies: NDArray[np.bool_]
    moves: tuple[Positions, Positions, Array]

    def __len__(self) -> int:
        return len(self.numbers)

    def chained(self, slopes: Array, of_shares: Array) -> Array:
        """Derivatives in the elicited numbers from those in what they move, shares held by the bases.

        Args:
            slopes: Shape (quantities, network's numbers), see `Numbers.in_a_row`.
            of_shares: Shape (quantities, n_causes).

        Returns:
            Shape (quantities, n).
        """
        number, position, factor = self.moves
        parts = np.concatenate([slopes, of_shares], axis=1)[:, position] * factor
        first = np.flatnonzero(np.diff(number, prepend=-1))  # the moves stand in the order of the numbers, each has some
        return np.asarray(np.add.reduceat(parts, first, axis=1))


@lru_cache(maxsize=32)
def elicited_numbers(solved: SolvedNetwork, setting: str) -> ElicitedNumbers:
    """Collect the elicited numbers of a model that answers in a care setting rest on."""
    collected = list(_Collection(solved, setting).entries())
    moves = [(k, position, factor) for k, (_, moved) in enumerate(collected) for position, factor in moved]
    numbers = tuple(entry for entry, _ in collected)
    deviations = np.array([entry.deviation for entry in numbers])
    varies = np.array([entry.kind != Kind.COINCIDENCE for entry in numbers])
    number, position = np.array([move[:2] for move in moves], dtype=np.intp).T
    factor = np.array([move[2] for move in moves])
    for part in (deviations, varies, number, position, factor):
        part.flags.writeable = False
    return ElicitedNumbers(numbers, deviations, varies, (number, position, factor))


Moves = list[tuple[int, float]]


class _Collection:
    """Goes through the files and says of each number what it moves."""

    def __init__(self, solved: SolvedNetwork, setting: str) -> None:
        self.network = solved.network
        self.setting = setting
        self.shares = solved.bases[setting].shares
        self.sum_of_weights = float(weights_of(solved.network, setting).sum())
        numbers = self.network.numbers(solved.bases[setting].logits)
        sizes = [part.shape[1] for part in (numbers.logits, numbers.links, numbers.log_odds, numbers.priors)]
        self.links, self.log_odds, self.priors, self.of_shares = np.cumsum(sizes).tolist()
        self.arcs = {ends: k for k, ends in enumerate(self.network.layout.arcs)}
        self.leaks = {r.id: r.leak for r in self.network.records.values() if not isinstance(r, Cause | RiskFactor)}

    def entries(self) -> Iterator[tuple[ElicitedNumber, Moves]]:
        """Yield every number with what it moves."""
        index = Index(self.network.knowledge)
        for setting in self.network.knowledge.settings:
            if setting.id == self.setting:
                place = f"settings.{setting.id}.coincidence"
                yield self._entry("model.toml", place, Kind.COINCIDENCE, setting.coincidence, self._of_coincidence)
        for factor in self.network.knowledge.risk_factors:
            for k, row in enumerate(factor.prior):
                moves = partial(self._of_prior, factor, row)
                yield self._entry("risk_factors.toml", f"{factor.id}.prior[{k}]", Kind.PRIOR, row.number, moves)
        for _, record, file, prefix in index.nodes():
            node = self.network.node_index[record.id]
            if isinstance(record, Cause):
                number = next(weight.number for weight in record.weights if weight.setting == self.setting)
                yield self._entry(file, f"weight.{self.setting}", Kind.WEIGHT, number, partial(self._of_weight, node))
            elif node != self.network.complaint:  # whose leak is 0 by definition
                yield self._entry(file, f"{prefix}leak", Kind.LEAK, record.leak, partial(self._of_leak, node))
            for odds in record.odds:
                moves = partial(self._of_odds, node, odds)
                yield self._entry(file, f"{prefix}odds.{odds.factor}.{odds.state}", Kind.ODDS_RATIO, odds.number, moves)
        for arc in index.arcs():
            ends = self.network.node_index[arc.parent], self.network.node_index[arc.link.child]
            kind = Kind.PROBABILITY if arc.link.includes_leak else Kind.LINK
            yield self._entry(arc.file, arc.place, kind, arc.link.number, partial(self._of_link, self.arcs[ends], arc.link))

    def _entry(
        self, file: str, place: str, kind: Kind, number: Elicited, moves: Callable[[], Moves]
    ) -> tuple[ElicitedNumber, Moves]:
        x = number.value
        if x == 0.0 or (x == 1.0 and kind in PROBABILITIES):
            scale, per_scale = Scale.ITSELF, 1.0
        elif kind in PROBABILITIES:
            scale, per_scale = Scale.LOG_ODDS, x * (1.0 - x)
        else:
            scale, per_scale = Scale.LOG, x
        deviation = deviation_of_probability(number) / per_scale if kind in PROBABILITIES else deviation_of_log(number)
        moved = [(position, slope * per_scale) for position, slope in moves()]
        return ElicitedNumber(file, place, kind, scale, deviation, moved[0][0], number), moved

    # what one unit of a number, itself, moves by how much

    def _of_coincidence(self) -> Moves:
        sum_of_shares = self.shares.sum()
        return [(self.of_shares + i, share / sum_of_shares) for i, share in enumerate(self.shares.tolist())]

    def _of_weight(self, cause: int) -> Moves:
        """share_i = weight_i / sum of weights * sum of shares."""
        moves = [(self.of_shares + i, -share / self.sum_of_weights) for i, share in enumerate(self.shares.tolist())]
        return [(self.of_shares + cause, float(self.shares.sum()) / self.sum_of_weights), *moves]

    def _of_prior(self, factor: RiskFactor, row: PriorRow) -> Moves:
        """The other states share the probability of not being in the reference state in fixed parts."""
        reference = factor.states.index(factor.reference)
        others = 1.0 - row.probabilities[reference]
        parts = [p / others if others > 0.0 else 1.0 / max(1, len(factor.states) - 1) for p in row.probabilities]
        parts[reference] = -1.0
        position = self.network.risk_index[factor.id]
        table = np.arange(self.network.risks[position].prior.size).reshape(self.network.risks[position].prior.shape)
        start = self.priors + self.network.layout.priors[position]
        states = {name: self.network.risks[risk].states for name, risk in self.network.risk_index.items()}
        when = dict(row.when)
        parents = [self.network.risks[parent].id for parent in self.network.risks[position].parents]
        covered = [[states[parent].index(state) for state in when.get(parent, states[parent])] for parent in parents]
        rows = (table[at] for at in product(*covered))
        return [(start + int(entry), part) for entries in rows for entry, part in zip(entries, parts, strict=True)]

    def _of_leak(self, node: int) -> Moves:
        """Its logit, and the links to it whose elicited probabilities include it."""
        leak = self.leaks[self.network.nodes[node].id].value
        own = 1.0 / (leak * (1.0 - leak)) if 0.0 < leak < 1.0 else 1.0
        per_gap = 1.0 / (1.0 - leak) ** 2 if leak < 1.0 else 0.0
        links = [(self.links + arc, -(1.0 - p) * per_gap) for arc, p in self._probabilities_of(node)]
        return [(node, own), *links]

    def _probabilities_of(self, node: int) -> Iterator[tuple[int, float]]:
        """Yield the arcs into a node whose links were elicited with its leak, and P(node | parent alone)."""
        name = self.network.nodes[node].id
        for parent, arc in self.network.layout.parents[node]:
            record = self.network.records[self.network.nodes[parent].id]
            for link in () if isinstance(record, Finding | RiskFactor) else record.links:
                if link.child == name and link.includes_leak:
                    yield arc, link.number.value

    def _of_odds(self, node: int, odds: OddsRatio) -> Moves:
        risk = self.network.risk_index[odds.factor]
        start = dict(self.network.layout.odds[node])[risk]
        ratio = odds.number.value
        return [
            (self.log_odds + start + self.network.risks[risk].states.index(odds.state), 1.0 / ratio if ratio > 0.0 else 1.0)
        ]

    def _of_link(self, arc: int, link: Link) -> Moves:
        leak = self.leaks[link.child].value if link.includes_leak else 0.0
        return [(self.links + arc, 1.0 / (1.0 - leak) if leak < 1.0 else 0.0)]


def deviation_of_probability(number: Elicited) -> float:
    """Standard deviation of a probability; with a sample size n that of a Beta with parameters n m and n (1 - m)."""
    m = number.value
    if number.n is not None:
        return sqrt(m * (1.0 - m) / (number.n + 1.0))
    low, high = _range(number)
    return min((high - low) / WIDTH, sqrt(MOST_DOUBT * m * (1.0 - m))) if 0.0 < m < 1.0 else (high - low) / WIDTH


def deviation_of_log(number: Elicited) -> float:
    """Standard deviation of the logarithm of a weight, odds ratio or coincidence; of 0 that of the number itself.

    A sample size n means n patients evenly over the four cells of a table.
    """
    if number.n is not None:
        return 4.0 / sqrt(number.n) if number.value > 0.0 else 0.0
    low, high = _range(number)
    if number.value == 0.0:
        return (high - low) / WIDTH
    return log(high / low) / WIDTH if low > 0.0 else log(high / number.value) / (WIDTH / 2)


def _range(number: Elicited) -> tuple[float, float]:
    """The 90 % range; every number without a sample size has one."""
    return (
        number.value if number.low is None else number.low,
        number.value if number.high is None else number.high,
    )
