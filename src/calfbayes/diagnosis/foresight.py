"""Roughly how probable each answer is that has not been given, and with it that an open rule would fire.

Only for putting open rules in order: the causes are taken as independent with their posterior probabilities, and so are
the answers. One pass over the arcs, some thousandths of a query. What is to be relied on is asked of the engine instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calfbayes.diagnosis.rules import could_hold, holds
from calfbayes.evidence import Evidence
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.knowledge.terms import AnyOf, Atom, Condition, RiskFactor
from calfbayes.network import Network


@dataclass(frozen=True)
class Foresight:
    """What may be expected of a patient.

    Attributes:
        hidden: Posterior of causes, complications and of the mechanisms that were computed, by position.
    """

    network: Network
    evidence: Evidence
    hidden: Mapping[int, float]

    def chance(self, condition: Condition) -> float:
        """Roughly the probability that a condition would hold if everything that is open were asked."""
        if holds(condition, self.evidence):
            return 1.0
        if not could_hold(condition, self.evidence):
            return 0.0
        if isinstance(condition, Atom):
            return self._chance_of(condition)
        chances = [self.chance(part) for part in condition.parts]
        if isinstance(condition, AnyOf):
            return 1.0 - float(np.prod([1.0 - p for p in chances]))
        return float(np.prod(chances))

    def _chance_of(self, atom: Atom) -> float:
        record = self.network.records[atom.id]
        if isinstance(record, RiskFactor):
            position = self.network.risk_index[atom.id]
            return float(self._risks[position][self.network.risks[position].states.index(atom.state)])
        return self._node(self.network.node_index[atom.id])

    def _node(self, node: int) -> float:
        """P(present), each parent being present independently of the others."""
        if node in self.hidden:
            return self.hidden[node]
        absent = float(expit_pair(np.array([self._base_logit(node)]))[1][0])
        for parent, w in self.network.nodes[node].parents:
            absent *= 1.0 - w * self._node(parent)
        return 1.0 - absent

    def _base_logit(self, node: int) -> float:
        """The base logit, the unknown risk factors at their mean."""
        logit = self.network.nodes[node].base_logit
        for odds in self.network.nodes[node].odds:
            chances = self._risks[odds.risk]
            with np.errstate(divide="ignore"):
                logit += float(np.log(np.sum(chances * np.exp(odds.log_odds))))
        return logit

    @cached_property
    def _risks(self) -> tuple[Array, ...]:
        """Prior of each risk factor given those that are known; a known one is certain."""
        found: list[Array] = []
        for risk in self.network.risks:
            state = self.evidence.risk_states.get(risk.id)
            if state is not None:
                found.append(np.eye(len(risk.states))[risk.states.index(state)])
                continue
            chances = risk.prior
            for parent in risk.parents:  # each sums the first axis out
                chances = np.tensordot(found[parent], chances, axes=(0, 0))
            found.append(chances)
        return tuple(found)
