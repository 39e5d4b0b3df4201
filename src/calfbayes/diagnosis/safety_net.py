"""When to come back: the smallest sets of things a person could notice that would raise the level of the answer.

They are the prime implicants of the red-flag rules above the level, given what is known. What is denied today may appear
tomorrow, so denials count only where they tell how it began. Risk factors do not appear, they are asked for: a set that
needs one which is not known is left to the open rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from calfbayes.diagnosis.foresight import Foresight
from calfbayes.diagnosis.rules import minimal_sets
from calfbayes.diagnosis.urgency import UrgencyResult
from calfbayes.evidence import Evidence, read_evidence
from calfbayes.knowledge.terms import AllOf, Atom, Level
from calfbayes.network import Network


@dataclass(frozen=True, slots=True)
class Watch:
    """Findings that raise the level if they appear together.

    Attributes:
        findings: Ids; none can be left out.
        rule: Id of the rule that would fire.
        kind: The heading that the rule stands under in the model's file; empty if under none.
        chance: Roughly how probable it is that all of them are there, or come.
    """

    level: Level
    findings: tuple[str, ...]
    rule: str
    kind: str
    chance: float


@dataclass(frozen=True, slots=True)
class ComeBack:
    """What raises the answer to one level.

    Attributes:
        text: What to do if any of it appears, in words.
        any_of: Sets of findings, those of one finding first, then the most probable.
    """

    level: Level
    text: str
    any_of: tuple[Watch, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "level": str(self.level),
            "text": self.text,
            "any_of": [{"findings": list(w.findings), "rule": w.rule, "kind": w.kind, "chance": w.chance} for w in self.any_of],
        }

    @property
    def by_kind(self) -> tuple["Signs", ...]:
        """The same under their headings, the most probable first, and sets that differ in one finding put together."""
        kinds = {watch.kind: [other for other in self.any_of if other.kind == watch.kind] for watch in self.any_of}
        ranked = sorted(kinds, key=lambda kind: -sum(watch.chance for watch in kinds[kind]))
        return tuple(Signs(kind, _together(kinds[kind])) for kind in ranked)


@dataclass(frozen=True, slots=True)
class Signs:
    """What is told under one heading.

    Attributes:
        kind: The heading; empty for rules that stand under none.
        any_of: Products: one of the first sets of ids, which may be the empty one, together with one of the second ids.
    """

    kind: str
    any_of: tuple[tuple[tuple[tuple[str, ...], ...], tuple[str, ...]], ...]


def safety_net(
    network: Network, evidence: Evidence, urgency: UrgencyResult, probability: Mapping[str, float]
) -> tuple[ComeBack, ...]:
    """Find what to watch for.

    Args:
        probability: Of each cause and complication by id: the posterior, or the shares if there is none.

    Returns:
        What raises the level, most urgent first. No set holds another one of at least its level. Levels without words in
        the model's file are left out.
    """
    asking = network.knowledge.asking
    kind_of = {rule: kind for kind, rules in asking.kinds for rule in rules}
    lasting = _lasting(network, evidence, asking.history)
    foresight = Foresight(network, lasting, {network.node_index[name]: p for name, p in probability.items()})
    found: list[Watch] = []
    for rule in urgency.policy.rules:
        sets = minimal_sets(rule.condition, lasting) if rule.level > urgency.level else None
        for one in sets or ():
            names = sorted(atom.id for atom in one)
            if 0 < len(names) <= asking.together and all(_may_appear(network, name, asking.history) for name in names):
                chance = foresight.chance(AllOf(tuple(Atom(name, "present") for name in names)))
                found.append(Watch(rule.level, tuple(names), rule.id, kind_of.get(rule.id, ""), chance))
    found.sort(key=lambda watch: (-watch.level.severity, len(watch.findings), -watch.chance, watch.findings, watch.rule))
    kept = [watch for place, watch in enumerate(found) if not _is_covered(watch, found[:place])]
    words = dict(asking.come_back)
    levels = [level for level in Level if level in words and any(watch.level == level for watch in kept)]
    return tuple(ComeBack(level, words[level], tuple(w for w in kept if w.level == level)) for level in levels)


def _together(watches: Iterable[Watch]) -> tuple[tuple[tuple[tuple[str, ...], ...], tuple[str, ...]], ...]:
    """Sets as products: what most of them share, and the rest one by one. Greedy, so short and not always the shortest."""
    left = [watch.findings for watch in watches]
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    while left:
        shares: dict[tuple[str, ...], list[str]] = {}
        for names in left:
            for name in names:
                shares.setdefault(tuple(other for other in names if other != name), []).append(name)
        shared = min(shares, key=lambda core: (len(core) > 0, -len(shares[core])))  # of equals the more probable
        found.setdefault(tuple(shares[shared]), []).append(shared)
        left = [names for names in left if not any({*shared, name} == set(names) for name in shares[shared])]
    return tuple((tuple(sets), ones) for ones, sets in found.items())


def _lasting(network: Network, evidence: Evidence, history: Iterable[str]) -> Evidence:
    """What will still be so tomorrow: what is present, the person, and how it began."""
    kept = {name: value for name, value in evidence.items() if name in network.risk_index or value is True or name in history}
    return read_evidence(network, kept, setting=evidence.setting)


def _may_appear(network: Network, name: str, history: Iterable[str]) -> bool:
    return name in network.node_index and name not in history


def _is_covered(watch: Watch, others: Iterable[Watch]) -> bool:
    return any(set(other.findings) <= set(watch.findings) for other in others)
