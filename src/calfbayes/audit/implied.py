"""What a model itself implies for a published figure, exactly: sums of queries over disjoint pieces of evidence.

All kinds of figures come from three probabilities in a population: of the item, of the cause, and of both. They are
P(evidence) and P(evidence) P(cause | evidence), added up over the pieces of an expression.

References:
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.4: conditioning, where one query would be too dear.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import exp

import numpy as np

from calfbayes.audit.expression import both
from calfbayes.audit.table import COMPARED_BY_ITEM, Figure, Kind, Population, split_causes
from calfbayes.diagnosis.encoding import encode_as_told
from calfbayes.errors import ContradictionError, QueryTooCostlyError
from calfbayes.evidence import read_evidence
from calfbayes.inference.exact import Posterior, highest_label, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.solved import SolvedNetwork

Causes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Masses:
    """Probabilities of one expression given only the care setting and the complaint.

    Attributes:
        everyone: P(expression).
        affected: P(expression and at least one of the causes).
    """

    everyone: float
    affected: float

    def __sub__(self, other: "Masses") -> "Masses":
        return Masses(self.everyone - other.everyone, self.affected - other.affected)

    @property
    def odds(self) -> float:
        """Odds of the causes."""
        return _ratio(self.affected, self.everyone - self.affected)

    @property
    def risk(self) -> float:
        """Probability of the causes."""
        return _ratio(self.affected, self.everyone)


@dataclass
class Queries:
    """Answers about one model; what has been asked once is remembered, since many rows share a population."""

    solved: SolvedNetwork
    _posteriors: dict[tuple[str, Encoded], Posterior] = field(default_factory=dict)
    _parts: dict[tuple[str, Encoded], tuple[Encoded, ...]] = field(default_factory=dict)
    _any: dict[tuple[str, Encoded, Causes], float] = field(default_factory=dict)

    def implied(self, figure: Figure) -> float:
        """What the model implies for a figure; NaN where it holds the figure's patients impossible."""
        if figure.kind == Kind.BACKGROUND:
            return self._background(figure.item)
        if figure.kind == Kind.CO_OCCURRENCE:
            return self._co_occurrence(figure)
        if figure.kind in COMPARED_BY_ITEM:
            return self._compared_by_item(figure)
        causes, population = figure.causes, figure.population
        whole, found = self.masses(population, "", causes), self.masses(population, figure.item, causes)
        if figure.kind == Kind.PREVALENCE:
            return whole.risk
        if figure.kind == Kind.POST_TEST:
            return found.risk
        if figure.kind == Kind.ITEM_FREQUENCY:
            return _ratio(found.everyone, whole.everyone)
        in_cause = _ratio(found.affected, whole.affected)
        if figure.kind in {Kind.SENSITIVITY, Kind.FREQUENCY_IN_CAUSE}:
            return in_cause
        if figure.comparator:
            others = split_causes(figure.comparator)
            outside = self.masses(population, figure.item, others).affected, self.masses(population, "", others).affected
        else:
            outside = found.everyone - found.affected, whole.everyone - whole.affected
        elsewhere = _ratio(*outside)
        if figure.kind == Kind.SPECIFICITY:
            return 1 - elsewhere
        if figure.kind == Kind.FREQUENCY_WITHOUT_CAUSE:
            return elsewhere
        return _ratio(in_cause, elsewhere) if figure.kind == Kind.LR_POSITIVE else _ratio(1 - in_cause, 1 - elsewhere)

    def masses(self, population: Population, item: str, causes: Causes) -> Masses:
        """Probability of an item in a population, and of the item together with any of the causes."""
        network = self.solved.network
        everyone, affected = [], []
        for piece in both(network, population.evidence, item).pieces:
            try:
                encoded = encode_as_told(network, read_evidence(network, piece, setting=population.setting))
            except ContradictionError:
                continue  # logic alone rules this piece out
            for part in self._affordable(population.setting, encoded):
                log_joint = self._posterior(population.setting, part).log_joint
                p = exp(log_joint - self.solved.baseline[population.setting].log_joint)
                if p > 0:
                    everyone.append(p)
                    affected.append(p * self._probability_of_any(population.setting, part, causes))
        return Masses(sum(everyone), sum(affected))

    def _compared_by_item(self, figure: Figure) -> float:
        population, causes = figure.population, figure.causes
        exposed = self.masses(population, figure.item, causes)
        if figure.comparator:
            unexposed = self.masses(population, figure.comparator, causes)
        else:
            unexposed = self.masses(population, "", causes) - exposed
        if figure.kind == Kind.ODDS_RATIO:
            return _ratio(exposed.odds, unexposed.odds)
        return _ratio(exposed.risk, unexposed.risk)

    def _co_occurrence(self, figure: Figure) -> float:
        """P(a and b) / P(a), with P(a and b) = P(a) + P(b) - P(a or b)."""
        others = split_causes(figure.item)
        first, second, either = (
            self.masses(figure.population, "", causes).affected for causes in (figure.causes, others, figure.causes + others)
        )
        return _ratio(first + second - either, first)

    def _background(self, finding: str) -> float:
        """Probability of a finding without any cause: its own leak, or a mechanism that came by itself."""
        network = self.solved.network
        node = network.nodes[network.node_index[finding]]
        absent = 1 - _expit(node.base_logit)
        for parent, w in node.parents:
            if parent in network.mechanisms:
                absent *= 1 - _expit(network.nodes[parent].base_logit) * w
        return 1 - absent

    def _affordable(self, setting: str, encoded: Encoded) -> tuple[Encoded, ...]:
        """The evidence itself or, if the query is too dear, the evidence with each state of one more risk factor."""
        key = (setting, encoded)
        if key not in self._parts:
            try:
                self._posterior(setting, encoded)
                self._parts[key] = (encoded,)
            except QueryTooCostlyError:
                unknown = [risk for risk in self._risks_by_reach if encoded.risk_states[risk] < 0]
                if not unknown:
                    raise
                split = (_with_risk(encoded, unknown[0], k) for k in range(len(self.solved.network.risks[unknown[0]].states)))
                self._parts[key] = tuple(part for piece in split for part in self._affordable(setting, piece))
        return self._parts[key]

    @cached_property
    def _risks_by_reach(self) -> tuple[int, ...]:
        """Risk factors, those first that most nodes depend on: knowing them parts a query best."""
        network = self.solved.network
        reach = Counter(odds.risk for node in network.nodes for odds in node.odds)
        return tuple(sorted(range(len(network.risks)), key=lambda risk: -reach[risk]))

    def _posterior(self, setting: str, encoded: Encoded) -> Posterior:
        key = (setting, encoded)
        if key not in self._posteriors:
            self._posteriors[key] = infer(self.solved.network, self.solved.bases[setting].logits, encoded)
        return self._posteriors[key]

    def _probability_of_any(self, setting: str, encoded: Encoded, causes: Causes) -> float:
        network = self.solved.network
        if not causes:
            return 0.0
        if len(causes) == 1:
            return self._posterior(setting, encoded).hidden[network.node_index[causes[0]]]
        key = (setting, encoded, causes)
        if key not in self._any:
            labels: Sequence[int] = [int(network.nodes[k].id in causes) for k in (*network.causes, *network.complications)]
            self._any[key] = float(highest_label(network, self.solved.bases[setting].logits, encoded, labels, 2)[1])
        return self._any[key]


def _with_risk(encoded: Encoded, risk: int, state: int) -> Encoded:
    """The evidence with one risk factor known."""
    return Encoded((*encoded.risk_states[:risk], state, *encoded.risk_states[risk + 1 :]), encoded.findings)


def _ratio(a: float, b: float) -> float:
    """A quotient; NaN where nobody is left to count, and never an error."""
    return float(np.divide(a, b)) if b > 0 else float("nan")


def _expit(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))
