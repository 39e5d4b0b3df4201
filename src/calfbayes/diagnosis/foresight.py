"""Roughly how probable each answer is that has not been given, and with it that an open rule would fire.

Only for putting open rules in order: the causes are taken as independent with their posterior probabilities, and so are
the answers. One pass over the arcs, some thousandths of a query. What is to be relied on is asked of the engine instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from calfbayes.diagnosis.rules import could_hold, holds
from calfbayes.evidence import Evidence
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.knowledge.terms import AnyOf, Atom, Condition, RiskFactor, atoms
from calfbayes.network import Network


def together(condition: Condition, chances: Mapping[Atom, float]) -> float:
    """The probability of a condition whose atoms are independent."""
    if isinstance(condition, Atom):
        return chances[condition]
    parts = [together(part, chances) for part in condition.parts]
    return 1.0 - prod(1.0 - p for p in parts) if isinstance(condition, AnyOf) else prod(parts)


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
        return together(condition, self.chances([condition]))

    def chances(self, conditions: Iterable[Condition]) -> dict[Atom, float]:
        """Roughly the probability of every atom of some conditions; 1 and 0 where that is settled."""
        found: dict[Atom, float] = {}
        for condition in conditions:
            for atom in atoms(condition):
                if atom not in found:
                    found[atom] = self._chance_of(atom)
        return found

    def _chance_of(self, atom: Atom) -> float:
        if holds(atom, self.evidence):
            return 1.0
        if not could_hold(atom, self.evidence):
            return 0.0
        record = self.network.records[atom.id]
        if isinstance(record, RiskFactor):
            position = self.network.risk_index[atom.id]
            return float(self._risks[position][self.network.risks[position].states.index(atom.state)])
        return self._node(self.network.node_index[atom.id])

    def of_finding(self, name: str) -> float:
        """Roughly P(present) of a finding, whoever can tell it."""
        return self._node(self.network.node_index[name])

    def of_states(self, name: str) -> Array:
        """Roughly the probability of each state of a risk factor, shape (states,)."""
        return self._risks[self.network.risk_index[name]]

    def _node(self, node: int) -> float:
        """P(present), each parent being present independently of the others."""
        if node not in self._found:
            self._found[node] = self._chance_of_node(node)
        return self._found[node]

    @cached_property
    def _found(self) -> dict[int, float]:
        return dict(self.hidden)

    def _chance_of_node(self, node: int) -> float:
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
