"""What to do: who to see, what is examined, what helps and what to avoid, for all that it may be and not for one guess.

While a red-flag rule holds, the advice is first of all about what the rule suspects, however probable that is: the rule's own
first help and warnings, then the advice of its suspects. Then comes that of the leading causes and, if a doctor is needed soon
and no rule says for what, of the most probable cause that needs one.

No advice is given that harms a leading cause, one that is still possible, or somebody who is known to have what it harms; it is
listed as withheld, with what forbids it. So no kind of advice is both given and warned of. Advice to wait is not given from the
level on that its kind names. What is possible, which advice harms what, and all words stand in the model's files.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        who: Who to see; the action, if what a rule suspects usually needs less.
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
    knowledge = network.knowledge
    every: list[Record] = [*knowledge.causes, *knowledge.complications]
    records = {record.id: record for record in every}
    by_id = {rule.id: rule for rule in urgency.policy.rules}
    rules = [by_id[reason.id] for reason in urgency.reasons if reason.origin == "rule"]
    foremost = [rule for rule in rules if rule.level == urgency.level]
    suspects = [records[name] for name in dict.fromkeys(name for rule in rules for name in rule.suspects)]
    at_once = Advised(urgency.action, tuple(record.id for record in suspects))
    is_named = any(rule.suspects for rule in foremost)
    ranked = sorted(every, key=lambda record: (-probability.get(record.id, 0.0), record.id))
    likely = _likely(ranked, probability, urgency.level, knowledge, is_named=is_named) if probability else []
    leading = [*suspects, *(record for record in likely if record not in suspects)]

    urged = {kind for rule in foremost for kinds in rule.help_kinds for kind in kinds}
    forbidden = _forbidden(knowledge, evidence, rules, ranked, leading, probability, urged)
    too_late = {kind.id for kind in knowledge.advice.kinds if kind.not_from is not None and urgency.level >= kind.not_from}
    helps, withheld = _first_help(foremost), []
    for offer in (*_first_help(rules[len(foremost) :]), *_helps(leading)):
        if not too_late.isdisjoint(offer.kinds):
            continue
        against = [forbidden[kind] for kind in offer.kinds if kind in forbidden]
        if against:
            withheld += [replace(entry, text=offer.text, kinds=offer.kinds) for entry in against]
        else:
            helps.append(offer)
    tempting = {kind for record in leading for kind in record.care.harmed_by}.union(*(entry.kinds for entry in withheld))
    return CareAdvice(
        level=urgency.level,
        action=urgency.action,
        who=_of([r for r in leading if r.urgency >= urgency.level], "who") or ((at_once,) if suspects else ()),
        examinations=_of(leading, "examinations"),
        helps=_merged(helps),
        withheld=_merged(withheld),
        avoid=_avoid(knowledge, records, rules, leading, forbidden, urged, tempting),
        come_back=_of(leading, "come_back"),
        come_back_if=safety_net(network, evidence, urgency, probability or shares),
        _evidence=evidence,
    )


def _likely(
    ranked: Sequence[Record], probability: Mapping[str, float], level: Level, knowledge: KnowledgeBase, *, is_named: bool
) -> list[Record]:
    """The likely causes; before them the one that the level is for, if it is still possible and no rule has named any.

    Where a rule has, and the level is one for suspects alone, less urgent causes are left out.
    """
    asking, possible_above = knowledge.asking, knowledge.advice.possible_above
    causes: list[Record] = [record for record in ranked if isinstance(record, Cause)]
    likely = causes[:1] + [record for record in causes[1 : asking.leading] if probability[record.id] >= asking.likely]
    if is_named and asking.suspects_alone_from is not None and level >= asking.suspects_alone_from:
        return [record for record in likely if record.urgency >= asking.suspects_alone_from]
    needing = [r for r in ranked if r.urgency >= level and probability[r.id] > possible_above[r.urgency.severity]]
    if is_named or level <= Level.ROUTINE or not needing or any(record.urgency >= level for record in likely):
        return likely
    return [needing[0], *likely]


def _forbidden(
    knowledge: KnowledgeBase,
    evidence: Evidence,
    rules: Sequence[Rule],
    ranked: Sequence[Record],
    leading: Sequence[Record],
    probability: Mapping[str, float],
    urged: Collection[str],
) -> dict[str, Advised]:
    """The kinds of advice that are not given, each with its warning and all that forbids it.

    That is what leads or is still possible (without probabilities everything), a rule, or what is known of the patient. What
    first help does is not among them.
    """
    found = {}
    for kind in knowledge.advice.kinds:
        harmed = tuple(
            record.id
            for record in ranked
            if kind.id in record.care.harmed_by
            and (record in leading or probability.get(record.id, 1.0) > kind.possible_above[record.urgency.severity])
        )
        warning = tuple(rule.id for rule in rules if kind.id in rule.avoid_kinds)
        states = because(kind.harms_if, evidence) if kind.harms_if and holds(kind.harms_if, evidence) else ()
        if kind.id not in urged and (harmed or warning or states):
            found[kind.id] = Advised(kind.avoid, harmed, (kind.id,), warning, states)
    return found


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


def _avoid(
    knowledge: KnowledgeBase,
    records: Mapping[str, Record],
    rules: Iterable[Rule],
    leading: Sequence[Record],
    forbidden: Mapping[str, Advised],
    urged: Collection[str],
    tempting: Collection[str],
) -> tuple[Advised, ...]:
    """What the rules warn of, then the warnings of kinds and of the leading causes, of the most urgent first; a kind once."""
    first: dict[str, Advised] = {}  # by kind, or by text
    for rule in rules:
        for text, kind in zip(rule.avoid, rule.avoid_kinds, strict=True):
            if kind not in urged:
                entry = forbidden[kind] if kind else Advised(text, (), rules=(rule.id,))
                causes = tuple(dict.fromkeys((*rule.suspects, *entry.causes)))
                first.setdefault(kind or text, replace(entry, text=text, causes=causes))
    warned = {
        kind.id: kind
        for kind in knowledge.advice.kinds
        if kind.id in forbidden and kind.id not in first and (kind.id in tempting or forbidden[kind.id].states)
    }
    included = {name for kind in warned.values() for name in kind.includes}
    others = [_warning(kind, records, forbidden, warned) for kind in warned.values() if kind.id not in included]
    others += [
        Advised(text, (record.id,))
        for record in leading
        for text, kind in zip(record.care.avoid, record.care.avoid_kinds, strict=True)
        if not kind or kind not in (*record.care.harmed_by, *warned, *first, *urged)
    ]
    severity = {name: record.urgency.severity for name, record in records.items()}
    rest = sorted(_merged(others), key=lambda entry: -max((severity[name] for name in entry.causes), default=0))
    return (*first.values(), *rest)


def _warning(
    kind: AdviceKind, records: Mapping[str, Record], forbidden: Mapping[str, Advised], warned: Container[str]
) -> Advised:
    """Words that hold for all who are harmed: those of their files if they agree, else those of the kind."""
    entries = [forbidden[kind.id], *(forbidden[name] for name in kind.includes if name in warned)]
    own = [records[name].care for name in entries[0].causes]
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
