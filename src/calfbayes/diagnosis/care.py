"""What to do: who to see, what is examined, what helps and what to avoid, for all that it may be and not for one guess.

The advice comes from the leading causes and, if a doctor is needed soon, from the most probable cause that needs one. No
advice is given that harms a leading cause or one that is still possible; it is listed as withheld, with the causes that
forbid it. So no kind of advice is both given and warned of. What is possible, which advice harms what, and all words stand
in the model's files.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calfbayes.diagnosis.safety_net import ComeBack, safety_net
from calfbayes.diagnosis.urgency import UrgencyResult
from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import AdviceKind, Cause, Complication, KnowledgeBase, Level
from calfbayes.network import Network


@dataclass(frozen=True, slots=True)
class Advised:
    """One piece of advice.

    Attributes:
        causes: Ids of the causes and complications that it is for, or that forbid what it warns of; most probable first.
        kinds: The kinds of advice that it gives or warns of, as far as they can harm.
    """

    text: str
    causes: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class CareAdvice:
    """What to do about one patient. Empty but for the action if there are no probabilities.

    Attributes:
        action: What the urgency level asks for.
        who: Who to see.
        examinations: What may be examined.
        helps: What helps, and harms nothing that is still possible.
        withheld: What would help a leading cause but harm one that is possible; `causes` are those that forbid it.
        avoid: What to avoid, what concerns the most urgent cause first: each kind of advice that would help or harm a leading
            cause and harms something possible, once and with all that forbid it, and what else the files of the leading causes
            warn of.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "action": self.action,
            **{
                key: [
                    {"text": entry.text, "causes": list(entry.causes), "kinds": list(entry.kinds)}
                    for entry in getattr(self, key)
                ]
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
    records: list[Cause | Complication] = [*knowledge.causes, *knowledge.complications] if probability else []
    ranked = sorted(records, key=lambda record: (-probability[record.id], record.id))
    leading = _leading(ranked, probability, urgency.level, knowledge)
    forbidding = {kind.id: _harmed(kind, ranked, leading, probability) for kind in knowledge.advice.kinds}
    helps, withheld, tempting = [], [], {kind for record in leading for kind in record.care.harmed_by}
    for record in leading:
        for text, kinds in zip(record.care.helps, record.care.help_kinds, strict=True):
            forbid = {other.id for kind in kinds for other in forbidding[kind]}
            if forbid:
                withheld.append(Advised(text, tuple(other.id for other in ranked if other.id in forbid), kinds))
                tempting.update(kinds)
            else:
                helps.append(Advised(text, (record.id,), kinds))
    warned = {kind.id: kind for kind in knowledge.advice.kinds if kind.id in tempting and forbidding[kind.id]}
    included = {name for kind in warned.values() for name in kind.includes}
    avoid = [_warning(kind, forbidding, warned) for kind in warned.values() if kind.id not in included]
    avoid += [
        Advised(text, (record.id,))
        for record in leading
        for text, kind in zip(record.care.avoid, record.care.avoid_kinds, strict=True)
        if not kind or kind not in (*record.care.harmed_by, *warned)
    ]
    severity = {record.id: record.urgency.severity for record in records}
    return CareAdvice(
        level=urgency.level,
        action=urgency.action,
        who=_of([record for record in leading if record.urgency >= urgency.level], "who"),
        examinations=_of(leading, "examinations"),
        helps=_merged(helps),
        withheld=_merged(withheld),
        avoid=tuple(sorted(_merged(avoid), key=lambda entry: -max(severity[name] for name in entry.causes))),
        come_back=_of(leading, "come_back"),
        come_back_if=safety_net(network, evidence, urgency, probability or shares),
    )


def _harmed(
    kind: AdviceKind,
    ranked: Iterable[Cause | Complication],
    leading: Sequence[Cause | Complication],
    probability: Mapping[str, float],
) -> list[Cause | Complication]:
    """Whom this kind of advice harms: what is possible, and whatever is advised on."""
    return [
        record
        for record in ranked
        if kind.id in record.care.harmed_by
        and (record in leading or probability[record.id] > kind.possible_above[record.urgency.severity])
    ]


def _warning(kind: AdviceKind, forbidding: Mapping[str, Sequence[Cause | Complication]], warned: Container[str]) -> Advised:
    """Words that hold for all who are harmed: those of their files if they agree, else those of the kind."""
    kinds = (kind.id, *(name for name in kind.includes if name in warned))
    words = {
        dict(zip(record.care.avoid_kinds, record.care.avoid, strict=True)).get(kind.id, kind.avoid)
        for record in forbidding[kind.id]
    }
    text = words.pop() if len(words) == 1 and len(kinds) == 1 else kind.avoid
    return Advised(text, tuple(dict.fromkeys(record.id for name in kinds for record in forbidding[name])), kinds)


def _leading(
    ranked: list[Cause | Complication], probability: Mapping[str, float], level: Level, knowledge: KnowledgeBase
) -> list[Cause | Complication]:
    """The causes whose advice is given: the one that the level is for, if it is still possible, then the likely ones."""
    asking, possible_above = knowledge.asking, knowledge.advice.possible_above
    causes: list[Cause | Complication] = [record for record in ranked if isinstance(record, Cause)]
    likely: list[Cause | Complication] = causes[:1] + [
        record for record in causes[1 : asking.leading] if probability[record.id] >= asking.likely
    ]
    needing = [r for r in ranked if r.urgency >= level and probability[r.id] > possible_above[r.urgency.severity]]
    if level > Level.ROUTINE and needing and not any(record.urgency >= level for record in likely):
        return [needing[0], *likely]
    return likely


def _of(records: Iterable[Cause | Complication], key: str) -> tuple[Advised, ...]:
    found = []
    for record in records:
        given = getattr(record.care, key)
        found += [Advised(text, (record.id,)) for text in ((given,) if isinstance(given, str) else given)]
    return _merged(found)


def _merged(given: Iterable[Advised]) -> tuple[Advised, ...]:
    """Each text once, with all that it is for and all kinds of advice that it gives."""
    merged: dict[str, Advised] = {}
    for entry in given:
        known = merged.get(entry.text, entry)
        causes, kinds = (tuple(dict.fromkeys(pair)) for pair in (known.causes + entry.causes, known.kinds + entry.kinds))
        merged[entry.text] = Advised(entry.text, causes, kinds)
    return tuple(merged.values())
