"""What to do: who to see, what is examined, what helps and what to avoid, for all that it may be and not for one guess.

While a red-flag rule holds, the advice is first of all about what the rule suspects, however probable that is: the rule's own
first help and warnings, then the advice of its suspects. Then comes that of the leading causes and, if a doctor is needed soon
and no rule says for what, of the most probable cause that needs one.

No advice is given that harms a leading cause, one that is still possible, or somebody who is known to have what it harms; it is
listed as withheld, with what forbids it. So no kind of advice is both given and warned of. Advice to wait is not given from the
level on that its kind names. What is possible, which advice harms what, and all words stand in the model's files.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from calfbayes.diagnosis.rules import because, holds
from calfbayes.diagnosis.safety_net import ComeBack, safety_net
from calfbayes.diagnosis.urgency import UrgencyResult
from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import AdviceKind, Cause, Complication, KnowledgeBase, Level, Rule
from calfbayes.network import Network

Record = Cause | Complication


@dataclass(frozen=True, slots=True)
class Advised:
    """One piece of advice.

    Attributes:
        causes: Ids of the causes and complications that it is for, or that forbid what it warns of.
        kinds: The kinds of advice that it gives or warns of, as far as they can harm.
        rules: Ids of the rules that ask for it, or that forbid what it warns of.
        states: What is known of the patient that forbids it, or what it warns of: ids of findings and risk factors, or
            `factor=state`.
    """

    text: str
    causes: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        lists = {key: list(getattr(self, key)) for key in ("causes", "kinds", "rules", "states")}
        return {"text": self.text, **lists}


@dataclass(frozen=True, slots=True, repr=False)
class CareAdvice:
    """What to do about one patient. Without probabilities it is for what the rules suspect, and all else counts as possible.

    Attributes:
        action: What the urgency level asks for.
        who: Who to see, in the words of leading causes that need this level; the action, if what a rule suspects usually needs
            another. So no page sends somebody to two places.
        examinations: What may be examined.
        helps: What helps, and harms nothing that is still possible; first help of the most urgent rules stands first.
        withheld: What would help but harms what is possible; `causes`, `rules` and `states` are what forbids it.
        avoid: What to avoid: what the rules warn of, then what concerns the most urgent cause first: each kind of advice that
            would help or harm a leading cause and harms something possible, once and with all that forbid it, and what else
            the files of the leading causes warn of.
        come_back: When to come back at once, in the words of the leading causes.
        come_back_if: The smallest sets of findings that would raise the level by a rule, by level.
    """

    level: Level
    action: str
    who: tuple[Advised, ...]
    examinations: tuple[Advised, ...]
    helps: tuple[Advised, ...]
    withheld: tuple[Advised, ...]
    avoid: tuple[Advised, ...]
    come_back: tuple[Advised, ...]
    come_back_if: tuple[ComeBack, ...]
    _evidence: Evidence = field(compare=False)

    def __repr__(self) -> str:
        from calfbayes.presentation.text import care_text

        return care_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.care_display import care_html

        return care_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "action": self.action,
            **{
                key: [entry.to_dict() for entry in getattr(self, key)]
                for key in ("who", "examinations", "helps", "withheld", "avoid", "come_back")
            },
            "come_back_if": [entry.to_dict() for entry in self.come_back_if],
        }


def care_advice(
    network: Network,
    evidence: Evidence,
    urgency: UrgencyResult,
    probability: Mapping[str, float],
    shares: Mapping[str, float],
) -> CareAdvice:
    """Gather the advice for one patient.

    Args:
        probability: Posterior of each cause and complication by id; empty if there are no probabilities.
        shares: The same of a person of whom only the care setting is known.
    """
    patient = _Patient(network.knowledge, evidence, urgency, probability)
    helps, withheld = _first_help(patient.foremost), []
    for offer in (*_first_help(patient.rules[len(patient.foremost) :]), *_helps(patient.leading)):
        if not patient.too_late.isdisjoint(offer.kinds):
            continue
        against = [patient.forbidden[kind] for kind in offer.kinds if kind in patient.forbidden]
        if against:
            withheld += [replace(entry, text=offer.text, kinds=offer.kinds) for entry in against]
        else:
            helps.append(offer)
    suspects = tuple(record.id for record in patient.suspects)
    who = _of([record for record in patient.leading if record.urgency == urgency.level], "who")
    return CareAdvice(
        level=urgency.level,
        action=urgency.action,
        who=who or ((Advised(urgency.action, suspects),) if suspects else ()),
        examinations=_of(patient.leading, "examinations"),
        helps=_merged(helps),
        withheld=_merged(withheld),
        avoid=_avoid(patient, {kind for entry in withheld for kind in entry.kinds}),
        come_back=_of(patient.leading, "come_back"),
        come_back_if=safety_net(network, evidence, urgency, probability or shares),
        _evidence=evidence,
    )


@dataclass(frozen=True)
class _Patient:
    """What holds for one patient, as far as advice depends on it.

    Attributes:
        probability: Posterior of each cause and complication by id; empty if there are no probabilities.
    """

    knowledge: KnowledgeBase
    evidence: Evidence
    urgency: UrgencyResult
    probability: Mapping[str, float]

    @cached_property
    def records(self) -> dict[str, Record]:
        """The causes and complications, by id."""
        every: list[Record] = [*self.knowledge.causes, *self.knowledge.complications]
        return {record.id: record for record in every}

    @cached_property
    def ranked(self) -> list[Record]:
        """The same, the most probable first."""
        return sorted(self.records.values(), key=lambda record: (-self.probability.get(record.id, 0.0), record.id))

    @cached_property
    def rules(self) -> list[Rule]:
        """The rules that hold, most urgent first."""
        by_id = {rule.id: rule for rule in self.urgency.policy.rules}
        return [by_id[reason.id] for reason in self.urgency.reasons if reason.origin == "rule"]

    @cached_property
    def foremost(self) -> list[Rule]:
        """Those of them that give the level."""
        return [rule for rule in self.rules if rule.level == self.urgency.level]

    @cached_property
    def suspects(self) -> list[Record]:
        """What the rules suspect."""
        return [self.records[name] for name in dict.fromkeys(name for rule in self.rules for name in rule.suspects)]

    @cached_property
    def leading(self) -> list[Record]:
        """What the advice is about: the suspects, then what is likely."""
        return [*self.suspects, *(record for record in self._likely if record not in self.suspects)]

    @property
    def _likely(self) -> list[Record]:
        """The likely causes; before them the one that the model's level is for, if it is still possible and no rule names any.

        From the level on that is for suspects alone, less urgent causes are left out.
        """
        if not self.probability:
            return []
        asking, possible_above, level = self.knowledge.asking, self.knowledge.advice.possible_above, self.urgency.level
        causes: list[Record] = [record for record in self.ranked if isinstance(record, Cause)]
        likely = causes[:1] + [record for record in causes[1 : asking.leading] if self.probability[record.id] >= asking.likely]
        if asking.suspects_alone_from is not None and level >= asking.suspects_alone_from:
            likely = [record for record in likely if record.urgency >= asking.suspects_alone_from]
        by_rules = self.urgency.model_level is None or self.urgency.model_level < level
        is_named = by_rules or any(rule.suspects or rule.first_help for rule in self.foremost)
        if is_named or level <= Level.ROUTINE or any(record.urgency >= level for record in likely):
            return likely
        urgent = (record for record in self.ranked if record.urgency >= level)
        needing = [record for record in urgent if self.probability[record.id] > possible_above[record.urgency.severity]]
        return [*needing[:1], *likely]

    @cached_property
    def urged(self) -> set[str]:
        """The kinds of advice that first help gives."""
        return {kind for rule in self.foremost for kinds in rule.help_kinds for kind in kinds}

    @cached_property
    def too_late(self) -> set[str]:
        """The kinds of advice to wait that are not given at this level."""
        kinds = self.knowledge.advice.kinds
        return {kind.id for kind in kinds if kind.not_from is not None and self.urgency.level >= kind.not_from}

    @cached_property
    def forbidden(self) -> dict[str, Advised]:
        """The kinds of advice that are not given, each with its warning and all that forbids it.

        That is what leads or is still possible (without probabilities everything), a rule, or what is known of the patient.
        What is forbidden forbids the kinds that it includes. What first help does is not among them.
        """
        found = {}
        for kind in self.knowledge.advice.kinds:
            harmed = tuple(
                record.id for record in self.ranked if kind.id in record.care.harmed_by and self._may_be(record, kind)
            )
            warning = tuple(rule.id for rule in self.rules if kind.id in rule.avoid_kinds)
            states = because(kind.harms_if, self.evidence) if kind.harms_if and holds(kind.harms_if, self.evidence) else ()
            if kind.id not in self.urged and (harmed or warning or states):
                found[kind.id] = Advised(kind.avoid, harmed, (kind.id,), warning, states)
        by_id = {kind.id: kind for kind in self.knowledge.advice.kinds}
        included = {name: entry for kind, entry in found.items() for name in by_id[kind].includes}
        for name, entry in included.items():
            if name not in found and name not in self.urged:
                found[name] = replace(entry, text=by_id[name].avoid, kinds=(name,))
        return found

    def _may_be(self, record: Record, kind: AdviceKind) -> bool:
        """Say whether a cause leads, or is too probable for a kind of advice that harms it."""
        bound = kind.possible_above[record.urgency.severity]
        careful = kind.leading_from is None or self.urgency.level >= kind.leading_from
        return (careful and record in self.leading) or self.probability.get(record.id, 1.0 if careful else 0.0) > bound


def _first_help(rules: Iterable[Rule]) -> list[Advised]:
    return [
        Advised(text, rule.suspects, kinds, (rule.id,))
        for rule in rules
        for text, kinds in zip(rule.first_help, rule.help_kinds, strict=True)
    ]


def _helps(leading: Iterable[Record]) -> list[Advised]:
    return [
        Advised(text, (record.id,), kinds)
        for record in leading
        for text, kinds in zip(record.care.helps, record.care.help_kinds, strict=True)
    ]


def _avoid(patient: _Patient, withheld: Collection[str]) -> tuple[Advised, ...]:
    """What the rules warn of, then the warnings of kinds and of the leading causes, of the most urgent first; a kind once.

    Args:
        withheld: Kinds of what would help, and is not given.
    """
    forbidden, urged = patient.forbidden, patient.urged
    first: dict[str, Advised] = {}  # by kind, or by text
    for rule in patient.rules:
        for text, kind in zip(rule.avoid, rule.avoid_kinds, strict=True):
            if kind not in urged:
                entry = forbidden[kind] if kind else Advised(text, (), rules=(rule.id,))
                causes = tuple(dict.fromkeys((*rule.suspects, *entry.causes)))
                first.setdefault(kind or text, replace(entry, text=text, causes=causes))
    tempting = {kind for record in patient.leading for kind in record.care.harmed_by}.union(withheld)
    warned = {
        kind.id: kind
        for kind in patient.knowledge.advice.kinds
        if kind.id in forbidden and kind.id not in first and (kind.id in tempting or forbidden[kind.id].states)
    }
    included = {name for kind in warned.values() for name in kind.includes}
    others = [_warning(kind, patient, warned) for kind in warned.values() if kind.id not in included]
    others += [
        Advised(text, (record.id,))
        for record in patient.leading
        for text, kind in zip(record.care.avoid, record.care.avoid_kinds, strict=True)
        if not kind or kind not in (*record.care.harmed_by, *warned, *first, *urged)
    ]
    severity = {name: record.urgency.severity for name, record in patient.records.items()}
    rest = sorted(_merged(others), key=lambda entry: -max((severity[name] for name in entry.causes), default=0))
    return (*first.values(), *rest)


def _warning(kind: AdviceKind, patient: _Patient, warned: Container[str]) -> Advised:
    """Words that hold for all who are harmed: those of their files if they agree, else those of the kind."""
    entries = [patient.forbidden[name] for name in (kind.id, *(name for name in kind.includes if name in warned))]
    own = [patient.records[name].care for name in entries[0].causes]
    words = {dict(zip(care.avoid_kinds, care.avoid, strict=True)).get(kind.id, kind.avoid) for care in own}
    text = words.pop() if len(words) == 1 and len(entries) == 1 and not entries[0].states else kind.avoid
    return _merged(replace(entry, text=text) for entry in entries)[0]


def _of(records: Iterable[Record], key: str) -> tuple[Advised, ...]:
    found = []
    for record in records:
        given = getattr(record.care, key)
        found += [Advised(text, (record.id,)) for text in ((given,) if isinstance(given, str) else given)]
    return _merged(found)


def _merged(given: Iterable[Advised]) -> tuple[Advised, ...]:
    """Each text once, with all that it is for and all that forbids it."""
    merged: dict[str, Advised] = {}
    for entry in given:
        if entry.text not in merged:
            merged[entry.text] = entry
            continue
        pairs = ((getattr(merged[entry.text], key), getattr(entry, key)) for key in ("causes", "kinds", "rules", "states"))
        merged[entry.text] = Advised(entry.text, *(tuple(dict.fromkeys((*known, *new))) for known, new in pairs))
    return tuple(merged.values())
