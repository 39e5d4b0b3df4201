"""The oracle: enumerate every joint state of a small model in exact fractions.

It reads the model's records and knows nothing of the engine: no positions, no logs, no order of elimination.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from calfbayes.knowledge.terms import Cause, Complication, KnowledgeBase, Mechanism, OddsRatio, RiskFactor

One = Fraction(1)


@dataclass(frozen=True)
class Answer:
    """P(evidence, complaint), P(complaint), and the joint of each hidden node and risk state with the evidence and the complaint."""

    joint: Fraction
    complaint: Fraction
    hidden: Mapping[str, Fraction]
    risks: Mapping[tuple[str, str], Fraction]
    worst_label: Mapping[int, Fraction]


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
    """
    joint = complaint = Fraction(0)
    hidden_joint: dict[str, Fraction] = {}
    risk_joint: dict[tuple[str, str], Fraction] = {}
    worst: dict[int, Fraction] = {}
    records = [*knowledge.causes, *knowledge.complications, *knowledge.mechanisms]
    into: dict[str, list[tuple[str, Fraction]]] = {}
    leaks = {r.id: Fraction(r.leak.value) for r in (*knowledge.complications, *knowledge.mechanisms, *knowledge.findings)}
    for record in records:
        for link in record.links:
            p = Fraction(link.number.value)
            w = (p - leaks[link.child]) / (1 - leaks[link.child]) if link.includes_leak else p
            into.setdefault(link.child, []).append((record.id, w))
    order = _parents_first(records, into)
    odds = {r.id: r.odds for r in (*records, *knowledge.findings)}
    cause_ids = {cause.id for cause in knowledge.causes}

    for states, p_states in _risk_configurations(knowledge.risk_factors):
        own = {name: _leak(bases[name] if name in cause_ids else leaks[name], odds[name], states) for name in (*order, *leaks)}
        known = all(states[name] == state for name, state in risks.items())
        for present, p_hidden in _hidden_configurations(order, own, into):
            if not any(name in cause_ids for name in present):
                continue
            p = p_states * p_hidden
            complaint += p
            if not known:
                continue
            for name, (off, on) in findings.items():
                absent = 1 - own[name]
                for parent, w in into.get(name, ()):
                    if parent in present:
                        absent *= 1 - w
                p *= off * absent + on * (1 - absent)
            joint += p
            for name in present:
                hidden_joint[name] = hidden_joint.get(name, Fraction(0)) + p
            for item in states.items():
                risk_joint[item] = risk_joint.get(item, Fraction(0)) + p
            if labels is not None:
                top = max((labels.get(name, 0) for name in present), default=0)
                worst[top] = worst.get(top, Fraction(0)) + p
    return Answer(joint, complaint, {name: hidden_joint.get(name, Fraction(0)) for name in order}, risk_joint, worst)


def _parents_first(
    records: list[Cause | Complication | Mechanism], into: Mapping[str, list[tuple[str, Fraction]]]
) -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for parent, _ in into.get(name, ()):
                visit(parent)
            order.append(name)

    for record in records:
        visit(record.id)
    return order


def _leak(base: Fraction, odds: tuple[OddsRatio, ...], states: Mapping[str, str]) -> Fraction:
    up, down = base, 1 - base
    for ratio in odds:
        if states[ratio.factor] == ratio.state:
            up *= Fraction(ratio.number.value)
    return up / (up + down)


def _risk_configurations(factors: tuple[RiskFactor, ...]) -> Iterator[tuple[dict[str, str], Fraction]]:
    for combination in product(*(factor.states for factor in factors)):
        states = {factor.id: state for factor, state in zip(factors, combination, strict=True)}
        p = One
        for factor in factors:
            (row,) = [r for r in factor.prior if all(states[parent] in covered for parent, covered in r.when)]
            given = [Fraction(x) for x in row.probabilities]
            p *= given[factor.states.index(states[factor.id])] / sum(given)
        if p:
            yield states, p


def _hidden_configurations(
    order: list[str], own: Mapping[str, Fraction], into: Mapping[str, list[tuple[str, Fraction]]]
) -> Iterator[tuple[frozenset[str], Fraction]]:
    def extend(position: int, present: frozenset[str], p: Fraction) -> Iterator[tuple[frozenset[str], Fraction]]:
        if p == 0:
            return
        if position == len(order):
            yield present, p
            return
        name = order[position]
        absent = 1 - own[name]
        for parent, w in into.get(name, ()):
            if parent in present:
                absent *= 1 - w
        yield from extend(position + 1, present, p * absent)
        yield from extend(position + 1, present | {name}, p * (1 - absent))

    yield from extend(0, frozenset(), One)
