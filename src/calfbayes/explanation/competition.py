"""Two causes against each other, and the sets of causes that together explain the complaint.

The weight of an item between two causes is its share in the change of P(a | e) / P(b | e), over all orders (`shapley`): what
the item multiplies their ratio by. Unlike the odds of either, the ratio is not moved by what a third cause takes from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isinf, log
from typing import Any

import numpy as np

from calfbayes.arguments import whole_number
from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, NoPosteriorError
from calfbayes.explanation.ledger import DECIBANS, LIMIT, weights_of
from calfbayes.explanation.weighing import Weighing
from calfbayes.inference.exact import COST_LIMIT, Answers
from calfbayes.inference.hypothetical import given_each, likeliest_sets
from calfbayes.inference.tables import Array

MOST_SETS = 100
MOST_IN_SET = 6


@dataclass(frozen=True, slots=True)
class ItemRatio:
    """What one answer does between two causes.

    Attributes:
        decibans: Its weight for the first against the second; infinite if it has decided.
        error: Standard error of the weight; 0 if all orders were counted.
    """

    id: str
    label: str
    decibans: float
    error: float

    @property
    def likelihood_ratio(self) -> float:
        """The factor by which the answer multiplies the ratio of the two probabilities."""
        return inf if isinf(self.decibans) and self.decibans > 0 else float(10 ** (self.decibans / 10))


@dataclass(frozen=True, slots=True)
class CauseSet:
    """Some causes, and no other.

    Attributes:
        probability: P(these are all the causes | evidence).
    """

    causes: tuple[str, ...]
    labels: tuple[str, ...]
    probability: float


@dataclass(frozen=True, repr=False)
class Contest:
    """Two causes against each other.

    Attributes:
        probabilities: Of the two.
        shares: Of the two, with nothing known.
        both: P(both are present | evidence).
        first_with, first_without: Probability of the first if the second is present, and if it is absent; None of what
            cannot be.
        second_with, second_without: The same the other way round.
        ratios: What each answer does between them, the largest weight first.
        n_orders: In how many orders the answers were learnt; 0 if all were counted.
        sets: The sets of causes that are most probably all there are.
    """

    causes: tuple[str, str]
    labels: tuple[str, str]
    probabilities: tuple[float, float]
    shares: tuple[float, float]
    both: float
    first_with: float | None
    first_without: float | None
    second_with: float | None
    second_without: float | None
    ratios: tuple[ItemRatio, ...]
    n_orders: int
    sets: tuple[CauseSet, ...]
    _result: Diagnosis

    @property
    def sentences(self) -> tuple[str, ...]:
        """The comparison in the words of the model; none if it has no `explanation.toml`."""
        from calfbayes.presentation.reasons import contest_sentences

        return contest_sentences(self)

    def __repr__(self) -> str:
        from calfbayes.presentation.reasons import contest_text

        return contest_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.reasons_display import contest_html

        return contest_html(self)

    @property
    def decided_by(self) -> tuple[str, ...]:
        """Ids of the answers that have ruled one of the two out."""
        return tuple(ratio.id for ratio in self.ratios if isinf(ratio.decibans))

    @property
    def explains_away(self) -> bool:
        """Whether each is less probable if the other is present."""
        return self.first_with is not None and self.first_without is not None and self.first_with < self.first_without

    @property
    def share_decibans(self) -> float:
        """Ratio of the shares, in decibans."""
        return _ratio(*self.shares)

    @property
    def posterior_decibans(self) -> float:
        """Ratio of the posteriors, in decibans: that of the shares and all weights together."""
        return self.share_decibans + sum(ratio.decibans for ratio in self.ratios)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; infinite weights are the texts "inf" and "-inf"."""
        first, second = self.causes
        return {
            "causes": [first, second],
            "probabilities": list(self.probabilities),
            "shares": list(self.shares),
            "share_decibans": _plain(self.share_decibans),
            "posterior_decibans": _plain(self.posterior_decibans),
            "both": self.both,
            first: {"with_other": self.first_with, "without_other": self.first_without},
            second: {"with_other": self.second_with, "without_other": self.second_without},
            "decided_by": list(self.decided_by),
            "n_orders": self.n_orders,
            "ratios": [{"id": r.id, "decibans": _plain(r.decibans), "error": r.error} for r in self.ratios],
            "sets": [{"causes": list(s.causes), "probability": s.probability} for s in self.sets],
            "sentences": list(self.sentences),
        }


def compare_causes(result: Diagnosis, first: str, second: str, *, cost_limit: float = LIMIT) -> Contest:
    """Hold two causes or complications against each other.

    Args:
        cost_limit: As in `ledger.explain`.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        UnknownNameError: If there is no such cause or complication.
        ArgumentError: If the two are the same, or both are ruled out.
        QueryTooCostlyError: If even a few orders cost more than the limit, or each beside the other more than that and `LIMIT`.
    """
    a, b = result[first], result[second]
    if first == second:
        raise ArgumentError("causes", f"{first!r} twice", "two different causes")
    if a.probability == b.probability == 0.0 or a.share == b.share == 0.0:
        raise ArgumentError("causes", f"{first!r} and {second!r}, both ruled out,", "at least one that is possible")
    network = result._solved.network
    nodes = network.node_index[first], network.node_index[second]

    def log_ratio(table: Weighing) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(table.hidden[:, nodes[0]]) - np.log(table.hidden[:, nodes[1]]))

    found, n_orders, decided = weights_of(result, log_ratio, cost_limit)
    weights: Mapping[str, tuple[float, float]] = {**found, **{item: (weight, 0.0) for item, weight in decided.items()}}
    ratios = [ItemRatio(name, network.records[name].label, w, error) for name, (w, error) in weights.items()]
    numbers = network.numbers(result._solved.bases[result.setting].logits)
    evidence = encode(network, result.evidence)
    most = max(cost_limit, LIMIT)
    present, absent = (given_each(network, numbers, evidence, nodes, present=so, cost_limit=most)[1] for so in (True, False))
    first_with, first_without = (_supposed(answers, 1, nodes[0]) for answers in (present, absent))
    second_with, second_without = (_supposed(answers, 0, nodes[1]) for answers in (present, absent))
    return Contest(
        causes=(first, second),
        labels=(a.label, b.label),
        probabilities=(a.probability, b.probability),
        shares=(a.share, b.share),
        both=b.probability * (first_with or 0.0),
        first_with=first_with,
        first_without=first_without,
        second_with=second_with,
        second_without=second_without,
        ratios=tuple(sorted(ratios, key=lambda ratio: (-abs(ratio.decibans), ratio.id))),
        n_orders=n_orders,
        sets=cause_sets(result),
        _result=result,
    )


def cause_sets(result: Diagnosis, *, count: int = 5, most: int = 3, cost_limit: float = COST_LIMIT) -> tuple[CauseSet, ...]:
    """The sets of causes that are most probably all the causes there are.

    Args:
        count: How many sets.
        most: How many causes a set may have.

    Raises:
        ArgumentError: If a number is no whole number in its bounds.
        NoPosteriorError: If the result holds no probabilities.
        QueryTooCostlyError: If it would cost more than the limit.
    """
    count, most = whole_number("count", count, 1, MOST_SETS), whole_number("most", most, 1, MOST_IN_SET)
    if not result.causes:
        raise NoPosteriorError(result.outcome_reason)
    network = result._solved.network
    numbers = network.numbers(result._solved.bases[result.setting].logits)
    found = likeliest_sets(network, numbers, encode(network, result.evidence), count=count, most=most, cost_limit=cost_limit)
    names = [(tuple(network.nodes[node].id for node in nodes), p) for nodes, p in found]
    return tuple(CauseSet(ids, tuple(result[name].label for name in ids), p) for ids, p in names)


def _supposed(answers: Answers, lane: int, node: int) -> float | None:
    """The probability of a node in one lane; None if what is supposed there cannot be."""
    return float(answers.hidden[lane, node]) if answers.log_joint[lane] > -inf else None


def _ratio(a: float, b: float) -> float:
    if a == 0.0 or b == 0.0:
        return -inf if a == 0.0 else inf
    return DECIBANS * (log(a) - log(b))


def _plain(number: float) -> float | str:
    return str(number) if isinf(number) else number
