"""KnowledgeBase -> Network: names become positions, elicited numbers become read-only arrays.

One kind of node carries everything but the risk factors: the leaky noisy-OR

    P(v absent | parents, risks) = (1 - leak_v(risks)) * product over present parents u of (1 - w_uv)
    logit leak_v(risks)          = logit base_v + sum over risk factors of log odds_ratio(v, risk state)

Nodes are numbered causes first (parents before children), then complications, mechanisms, findings. The
complaint is a finding like the others: its leak is 0 and every cause is linked to it with w = 1.

The bases of the causes depend on the care setting and are solved in `inference.bases`.

References:
    Henrion (1989), Some practical issues in constructing belief networks: the leak.
    Diez, Druzdzel (2006), Canonical probabilistic models for knowledge engineering: the two conventions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import product

import numpy as np
from numpy.typing import NDArray

from calfbayes.knowledge.terms import (
    Cause,
    Complication,
    Finding,
    KnowledgeBase,
    Mechanism,
    OddsRatio,
    RiskFactor,
)

Array = NDArray[np.float64]
Node = Cause | Complication | Mechanism | Finding


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk factor as numbers.

    Attributes:
        parents: Positions of the risk factors that its prior depends on.
        prior: P(state | parents), shape (states of each parent..., states).
    """

    id: str
    states: tuple[str, ...]
    parents: tuple[int, ...]
    prior: Array


@dataclass(frozen=True, slots=True)
class RiskOdds:
    """The log odds ratios of one risk factor on one node.

    Attributes:
        risk: Position of the risk factor.
        log_odds: One per state; -inf rules the node's own activation out in that state.
    """

    risk: int
    log_odds: Array


@dataclass(frozen=True, slots=True)
class NoisyOr:
    """One node: cause, complication, mechanism or finding.

    Attributes:
        base_logit: Logit of the base; NaN for causes, whose bases depend on the care setting.
        odds: What moves the base.
        parents: Position and link probability of each parent.
        children: Position and link probability of each child.
    """

    id: str
    base_logit: float
    odds: tuple[RiskOdds, ...]
    parents: tuple[tuple[int, float], ...]
    children: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Numbers:
    """All numbers of a network, apart from its structure; or of several networks of one structure, one a lane.

    Attributes:
        logits: Logit of each node's base, shape (lanes, n_nodes).
        links: Link probability of each arc, in the order of `Layout.arcs`, shape (lanes, n_arcs).
        log_odds: One risk factor on one node after the other, state by state: shape (lanes, ...), see `Layout`.
        priors: One risk factor's table after the other, flattened: shape (lanes, ...), see `Layout`.

    Each has an axis of lanes of its own, of length 1 if the lanes agree in it.
    """

    logits: Array
    links: Array
    log_odds: Array
    priors: Array

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return max(len(part) for part in (self.logits, self.links, self.log_odds, self.priors))

    @property
    def in_a_row(self) -> Array:
        """All numbers of each lane, logits, links, log odds, priors, shape (lanes, ...)."""
        parts = (self.logits, self.links, self.log_odds, self.priors)
        return np.concatenate([np.broadcast_to(part, (self.lanes, part.shape[1])) for part in parts], axis=1)

    def from_rows(self, rows: Array) -> "Numbers":
        """Numbers of the same network out of what `in_a_row` gives, shape (lanes, ...)."""
        ends = np.cumsum([part.shape[1] for part in (self.logits, self.links, self.log_odds)])
        return Numbers(*np.split(rows, ends, axis=1))

    def part(self, lanes: slice) -> "Numbers":
        """Some of the lanes."""
        return self._with_arrays(lambda values: values if len(values) == 1 else values[lanes])

    def repeated(self, times: int) -> "Numbers":
        """All lanes, several times over."""
        return self._with_arrays(lambda values: values if len(values) == 1 else np.concatenate([values] * times))

    def _with_arrays(self, change: Callable[[Array], Array]) -> "Numbers":
        return Numbers(*map(change, (self.logits, self.links, self.log_odds, self.priors)))


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each number of a network stands in `Numbers`.

    Attributes:
        arcs: Parent and child of each arc.
        parents: For each node its parents, each with the position of the arc.
        odds: For each node the risk factors that move it, each with the position of the first state's log odds.
        priors: For each risk factor the position of its table's first entry.
        prior_entries: For each risk factor the positions of its table's entries, in the table's shape.
    """

    arcs: tuple[tuple[int, int], ...]
    parents: tuple[tuple[tuple[int, int], ...], ...]
    odds: tuple[tuple[tuple[int, int], ...], ...]
    priors: tuple[int, ...]
    prior_entries: tuple[NDArray[np.intp], ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A compiled model; made once by `compile_network` and never changed.

    Attributes:
        risks: The risk factors, parents before children.
        nodes: Causes (parents before children), complications, mechanisms, findings.
        complaint: Position of the presenting complaint among the nodes.
    """

    knowledge: KnowledgeBase
    risks: tuple[Risk, ...]
    nodes: tuple[NoisyOr, ...]
    n_causes: int
    n_complications: int
    n_mechanisms: int
    complaint: int
    risk_index: Mapping[str, int] = field(repr=False)
    node_index: Mapping[str, int] = field(repr=False)

    @property
    def n_hidden(self) -> int:
        """Number of causes, complications and mechanisms; the findings follow them."""
        return self.n_causes + self.n_complications + self.n_mechanisms

    @property
    def causes(self) -> range:
        """Positions of the causes."""
        return range(self.n_causes)

    @property
    def complications(self) -> range:
        """Positions of the complications."""
        return range(self.n_causes, self.n_causes + self.n_complications)

    @property
    def mechanisms(self) -> range:
        """Positions of the mechanisms."""
        return range(self.n_causes + self.n_complications, self.n_hidden)

    @property
    def findings(self) -> range:
        """Positions of the findings."""
        return range(self.n_hidden, len(self.nodes))

    @cached_property
    def layout(self) -> Layout:
        """Where each number stands."""
        arcs = [(parent, child) for child, node in enumerate(self.nodes) for parent, _ in node.parents]
        arc = {ends: position for position, ends in enumerate(arcs)}
        sizes = [len(odds.log_odds) for node in self.nodes for odds in node.odds]
        starts = iter(np.cumsum([0, *sizes]).tolist())
        priors = np.cumsum([0, *(risk.prior.size for risk in self.risks)]).tolist()[:-1]
        return Layout(
            arcs=tuple(arcs),
            parents=tuple(tuple((p, arc[p, child]) for p, _ in node.parents) for child, node in enumerate(self.nodes)),
            odds=tuple(tuple((odds.risk, next(starts)) for odds in node.odds) for node in self.nodes),
            priors=tuple(priors),
            prior_entries=tuple(
                start + np.arange(risk.prior.size).reshape(risk.prior.shape)
                for start, risk in zip(priors, self.risks, strict=True)
            ),
        )

    @cached_property
    def _numbers(self) -> Numbers:
        """The numbers but for the bases of the causes, which depend on the care setting."""
        links = [w for node in self.nodes for _, w in node.parents]
        log_odds = [np.empty(0), *(odds.log_odds for node in self.nodes for odds in node.odds)]
        priors = [np.empty(0), *(risk.prior.ravel() for risk in self.risks)]
        logits = np.array([[node.base_logit for node in self.nodes]])
        return Numbers(logits, np.array([links]), np.concatenate(log_odds)[None], np.concatenate(priors)[None])

    def numbers(self, cause_logits: Array) -> Numbers:
        """The numbers with the bases of one care setting.

        Args:
            cause_logits: Logit of the base of each cause, shape (n_causes,) or (lanes, n_causes).
        """
        given = np.atleast_2d(cause_logits)
        rest = np.broadcast_to(self._numbers.logits[:, self.n_causes :], (len(given), len(self.nodes) - self.n_causes))
        return replace(self._numbers, logits=np.concatenate([given, rest], axis=1))

    @cached_property
    def records(self) -> Mapping[str, Node | RiskFactor]:
        """Every record of the model by its id."""
        k = self.knowledge
        return {r.id: r for group in (k.risk_factors, k.causes, k.complications, k.mechanisms, k.findings) for r in group}

    @cached_property
    def name(self) -> str:
        """Name and version of the model, for messages."""
        return f"{self.knowledge.name} {self.knowledge.version}"


def compile_network(knowledge: KnowledgeBase) -> Network:
    """Turn a checked model into a network."""
    factors = {factor.id: factor for factor in knowledge.risk_factors}
    risk_order = tuple(TopologicalSorter({f.id: f.parents for f in factors.values()}).static_order())
    risk_index = {name: position for position, name in enumerate(risk_order)}

    causes = {cause.id: cause for cause in knowledge.causes}
    cause_parents: dict[str, list[str]] = {name: [] for name in causes}
    for cause in knowledge.causes:
        for link in cause.links:
            if link.child in causes:
                cause_parents[link.child].append(cause.id)
    records: list[Node] = [causes[name] for name in TopologicalSorter(cause_parents).static_order()]
    records += [*knowledge.complications, *knowledge.mechanisms, *knowledge.findings]
    node_index = {record.id: position for position, record in enumerate(records)}
    complaint = node_index[knowledge.complaint]

    leaks = {record.id: record.leak.value for record in records if not isinstance(record, Cause)}
    arcs: list[tuple[int, int, float]] = []
    for position, record in enumerate(records):
        if isinstance(record, Finding):
            continue
        for link in record.links:
            p = link.number.value
            w = link_from_probability(p, leaks[link.child]) if link.includes_leak else p
            arcs.append((position, node_index[link.child], w))
        if isinstance(record, Cause):
            arcs.append((position, complaint, 1.0))

    children: list[list[tuple[int, float]]] = [[] for _ in records]
    parents: list[list[tuple[int, float]]] = [[] for _ in records]
    for parent, child, w in arcs:
        children[parent].append((child, w))
        parents[child].append((parent, w))

    return Network(
        knowledge=knowledge,
        risks=tuple(_risk(factors[name], factors, risk_index) for name in risk_order),
        nodes=tuple(
            NoisyOr(
                id=record.id,
                base_logit=float("nan") if isinstance(record, Cause) else logit(record.leak.value),
                odds=_risk_odds(record.odds, factors, risk_index),
                parents=tuple(sorted(parents[position])),
                children=tuple(sorted(children[position])),
            )
            for position, record in enumerate(records)
        ),
        n_causes=len(knowledge.causes),
        n_complications=len(knowledge.complications),
        n_mechanisms=len(knowledge.mechanisms),
        complaint=complaint,
        risk_index=risk_index,
        node_index=node_index,
    )


def link_from_probability(probability: float, leak: float) -> float:
    """Take the background out of P(child | parent alone): w = 1 - (1 - P) / (1 - leak), for P at least the leak."""
    return 1.0 - (1.0 - probability) / (1.0 - leak) if leak < 1 else 0.0


def logit(p: float) -> float:
    """Log odds of a probability; minus and plus infinity at 0 and 1."""
    with np.errstate(divide="ignore"):
        return float(np.log(p) - np.log1p(-p))


def _risk(factor: RiskFactor, factors: Mapping[str, RiskFactor], risk_index: Mapping[str, int]) -> Risk:
    parents = sorted(factor.parents, key=risk_index.__getitem__)
    prior = np.empty([len(factors[parent].states) for parent in parents] + [len(factor.states)])
    for row in factor.prior:
        when = dict(row.when)
        covered = [
            [factors[parent].states.index(state) for state in when.get(parent, factors[parent].states)] for parent in parents
        ]
        for position in product(*covered):
            prior[position] = row.probabilities
    prior /= prior.sum(axis=-1, keepdims=True)  # the files are checked to 1e-9; sums over states are exact from here on
    prior.flags.writeable = False
    return Risk(factor.id, factor.states, tuple(risk_index[parent] for parent in parents), prior)


def _risk_odds(
    odds: tuple[OddsRatio, ...], factors: Mapping[str, RiskFactor], risk_index: Mapping[str, int]
) -> tuple[RiskOdds, ...]:
    by_factor: dict[str, Array] = {}
    for ratio in odds:
        states = factors[ratio.factor].states
        log_odds = by_factor.setdefault(ratio.factor, np.zeros(len(states)))
        with np.errstate(divide="ignore"):
            log_odds[states.index(ratio.state)] = np.log(ratio.number.value)
    for log_odds in by_factor.values():
        log_odds.flags.writeable = False
    return tuple(RiskOdds(risk_index[name], by_factor[name]) for name in sorted(by_factor, key=risk_index.__getitem__))
