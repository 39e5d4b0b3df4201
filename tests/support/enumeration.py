"""The oracle: enumerate every joint state of a small model in exact fractions.

It reads the model's records and knows nothing of the engine: no logs, no order of elimination, no reduction. Each risk
configuration is summed in whole numbers over one common denominator, which is exact, and faster than fractions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from calfbayes.knowledge.terms import Cause, Complication, Finding, KnowledgeBase, Mechanism, OddsRatio, RiskFactor

Arcs = Mapping[str, Sequence[tuple[str, Fraction]]]


@dataclass(frozen=True)
class Answer:
    """Probabilities, none of them divided by another.

    Attributes:
        joint: P(evidence, complaint).
        complaint: P(complaint).
        hidden: P(node present, evidence, complaint).
        risks: P(risk state, evidence, complaint), by factor and state.
        worst_label: P(highest label, evidence, complaint).
    """

    joint: Fraction
    complaint: Fraction
    hidden: Mapping[str, Fraction]
    risks: Mapping[tuple[str, str], Fraction]
    worst_label: Mapping[int, Fraction]


@dataclass(frozen=True)
class Gate:
    """A leaky noisy-OR in one risk configuration, in whole numbers: P(absent | parents) = absent(parents) / whole.

    Attributes:
        no_leak: Numerator of 1 - leak.
        inhibitors: Of each parent its bit, and the numerators of 1 - w (if it is present) and of 1 (if it is not).
    """

    no_leak: int
    inhibitors: tuple[tuple[int, int, int], ...]
    whole: int

    def absent(self, present: int) -> int:
        result = self.no_leak
        for bit, if_present, if_absent in self.inhibitors:
            result *= if_present if present & bit else if_absent
        return result


def enumerate_model(
    knowledge: KnowledgeBase,
    bases: Mapping[str, Fraction],
    *,
    risks: Mapping[str, str],
    findings: Mapping[str, tuple[Fraction, Fraction]],
    labels: Mapping[str, int] | None = None,
) -> Answer:
    """Sum over everything.

    Args:
        bases: Base of each cause.
        risks: Known risk states.
        findings: P(report | absent) and P(report | present) of each observed finding.
        labels: Numbers of some nodes; the answer holds the distribution of the highest number among those present.
    """
    inner: list[Complication | Mechanism] = [*knowledge.complications, *knowledge.mechanisms]
    nodes: list[Cause | Complication | Mechanism] = [*knowledge.causes, *inner]
    leaky: list[Complication | Mechanism | Finding] = [*inner, *knowledge.findings]
    own = {**bases, **{record.id: Fraction(record.leak.value) for record in leaky}}
    odds = {record.id: record.odds for record in (*knowledge.causes, *leaky)}
    into = _arcs(nodes, own)
    order = _parents_first([node.id for node in nodes], into)
    bits = {name: 1 << position for position, name in enumerate(order)}
    some_cause = sum(bits[cause.id] for cause in knowledge.causes)
    reports = {name: _whole(off, on) for name, (off, on) in findings.items()}

    joint = complaint = Fraction(0)
    hidden_joint = dict.fromkeys(order, Fraction(0))
    risk_joint: dict[tuple[str, str], Fraction] = {}
    worst: dict[int, Fraction] = {}
    for states, p_states in _risk_configurations(knowledge.risk_factors):
        gate = {name: _gate(_leak(own[name], odds[name], states), into.get(name, ()), bits) for name in (*order, *reports)}
        configurations = _hidden_configurations([gate[name] for name in order])
        with_cause = [(present, weight) for present, weight in configurations if present & some_cause]
        unit = p_states / prod(gate[name].whole for name in order)
        complaint += unit * sum(weight for _, weight in with_cause)
        if any(states[name] != state for name, state in risks.items()):
            continue
        terms = _weighed(with_cause, [(gate[name], off, on) for name, (off, on, _) in reports.items()])
        unit /= prod(gate[name].whole * whole for name, (_, _, whole) in reports.items())
        p = unit * sum(term for _, term in terms)
        joint += p
        for name in order:
            hidden_joint[name] += unit * sum(term for present, term in terms if present & bits[name])
        for item in states.items():
            risk_joint[item] = risk_joint.get(item, Fraction(0)) + p
        for top, total in _by_label(terms, [(bits[name], label) for name, label in (labels or {}).items()]).items():
            worst[top] = worst.get(top, Fraction(0)) + unit * total
    return Answer(joint, complaint, hidden_joint, risk_joint, worst)


def _weighed(configurations: Sequence[tuple[int, int]], reports: Sequence[tuple[Gate, int, int]]) -> list[tuple[int, int]]:
    """Each configuration with its weight times that of every report."""
    terms = []
    for present, weight in configurations:
        term = weight
        for gate, off, on in reports:
            absent = gate.absent(present)
            term *= off * absent + on * (gate.whole - absent)
        terms.append((present, term))
    return terms


def _by_label(terms: Sequence[tuple[int, int]], labels: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Sum of the terms by the highest label among the present nodes that have one."""
    totals: dict[int, int] = {}
    for present, term in terms:
        top = max((label for bit, label in labels if present & bit), default=0)
        totals[top] = totals.get(top, 0) + term
    return totals


def _arcs(
    nodes: Sequence[Cause | Complication | Mechanism], leaks: Mapping[str, Fraction]
) -> dict[str, list[tuple[str, Fraction]]]:
    into: dict[str, list[tuple[str, Fraction]]] = {}
    for node in nodes:
        for link in node.links:
            p = Fraction(link.number.value)
            if link.includes_leak:
                leak = leaks[link.child]
                p = (p - leak) / (1 - leak) if leak < 1 else Fraction(0)
            into.setdefault(link.child, []).append((node.id, p))
    return into


def _parents_first(names: Sequence[str], into: Arcs) -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for parent, _ in into.get(name, ()):
                visit(parent)
            order.append(name)

    for name in names:
        visit(name)
    return order


def _whole(*fractions: Fraction) -> tuple[int, ...]:
    """Numerators over a common denominator, and that denominator."""
    denominator = prod(fraction.denominator for fraction in fractions)
    return *(int(fraction * denominator) for fraction in fractions), denominator


def _gate(leak: Fraction, parents: Sequence[tuple[str, Fraction]], bits: Mapping[str, int]) -> Gate:
    inhibitors = tuple((bits[parent], w.denominator - w.numerator, w.denominator) for parent, w in parents)
    return Gate(leak.denominator - leak.numerator, inhibitors, leak.denominator * prod(whole for _, _, whole in inhibitors))


def _leak(base: Fraction, odds: Sequence[OddsRatio], states: Mapping[str, str]) -> Fraction:
    up, down = base, 1 - base
    for ratio in odds:
        if states[ratio.factor] == ratio.state:
            up *= Fraction(ratio.number.value)
    return up / (up + down)


def _risk_configurations(factors: Sequence[RiskFactor]) -> Iterator[tuple[dict[str, str], Fraction]]:
    for combination in product(*(factor.states for factor in factors)):
        states = {factor.id: state for factor, state in zip(factors, combination, strict=True)}
        p = Fraction(1)
        for factor in factors:
            (row,) = [r for r in factor.prior if all(states[parent] in covered for parent, covered in r.when)]
            given = [Fraction(x) for x in row.probabilities]
            p *= given[factor.states.index(states[factor.id])] / sum(given)
        if p:
            yield states, p


def _hidden_configurations(gates: Sequence[Gate]) -> list[tuple[int, int]]:
    """Every set of present nodes, as bits, with its probability times the product of the gates' wholes."""
    configurations = [(0, 1)]
    for position, gate in enumerate(gates):
        longer = []
        for present, weight in configurations:
            absent = gate.absent(present)
            longer += [(present, weight * absent), (present | 1 << position, weight * (gate.whole - absent))]
        configurations = [(present, weight) for present, weight in longer if weight]
    return configurations
