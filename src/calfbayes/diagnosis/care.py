"""What to do: who to see, what is examined, what helps and what to avoid, for all that it may be and not for one guess.

The advice comes from the leading causes and, if a doctor is needed soon, from the most probable cause that needs one. No
advice is given that harms a cause which is still possible; it is listed as withheld, with the causes that forbid it. What
is possible, which advice harms what, and all words stand in the model's files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from calfbayes.diagnosis.safety_net import ComeBack, safety_net
from calfbayes.diagnosis.urgency import UrgencyResult
from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import Asking, Cause, Complication, Level
from calfbayes.network import Network


@dataclass(frozen=True, slots=True)
class Advised:
    """One piece of advice.

    Attributes:
        causes: Ids of the causes and complications that it is for, or that forbid what it warns of; most probable first.
    """

    text: str
    causes: tuple[str, ...]

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
        avoid: What to avoid: first kinds of advice that would help or harm a leading cause and harm something possible, with
            all that forbid them, then what the files of the leading causes say.
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
                key: [{"text": entry.text, "causes": list(entry.causes)} for entry in getattr(self, key)]
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
    possible = [r for r in ranked if probability[r.id] > knowledge.advice.possible_above[r.urgency.severity]]
    leading = _leading(ranked, possible, probability, urgency.level, knowledge.asking)
    forbidding = {kind.id: tuple(r.id for r in possible if kind.id in r.care.harmed_by) for kind in knowledge.advice.kinds}
    helps, withheld, tempting = [], [], {kind for record in leading for kind in record.care.harmed_by}
    for record in leading:
        for text, kinds in zip(record.care.helps, record.care.help_kinds, strict=True):
            forbid = {name for kind in kinds for name in forbidding[kind] if name != record.id}
            if forbid:
                withheld.append((text, tuple(r.id for r in possible if r.id in forbid)))
                tempting.update(kinds)
            else:
                helps.append((text, (record.id,)))
    kinds_to_avoid = [kind for kind in knowledge.advice.kinds if kind.id in tempting and forbidding[kind.id]]
    warnings = [(kind.avoid, forbidding[kind.id]) for kind in kinds_to_avoid]
    return CareAdvice(
        level=urgency.level,
        action=urgency.action,
        who=_of([record for record in leading if record.urgency >= urgency.level], "who"),
        examinations=_of(leading, "examinations"),
        helps=_merged(helps),
        withheld=_merged(withheld),
        avoid=_merged([*warnings, *((text, (record.id,)) for record in leading for text in record.care.avoid)]),
        come_back=_of(leading, "come_back"),
        come_back_if=safety_net(network, evidence, urgency, probability or shares),
    )


def _leading(
    ranked: list[Cause | Complication],
    possible: list[Cause | Complication],
    probability: Mapping[str, float],
    level: Level,
    asking: Asking,
) -> list[Cause | Complication]:
    """The causes whose advice is given: the one that the level is for, if it is still possible, then the likely ones."""
    causes: list[Cause | Complication] = [record for record in ranked if isinstance(record, Cause)]
    likely: list[Cause | Complication] = causes[:1] + [
        record for record in causes[1 : asking.leading] if probability[record.id] >= asking.likely
    ]
    needing = [record for record in possible if record.urgency >= level]
    if level > Level.ROUTINE and needing and not any(record.urgency >= level for record in likely):
        return [needing[0], *likely]
    return likely


def _of(records: Iterable[Cause | Complication], key: str) -> tuple[Advised, ...]:
    found = []
    for record in records:
        given = getattr(record.care, key)
        found += [(text, (record.id,)) for text in ((given,) if isinstance(given, str) else given)]
    return _merged(found)


def _merged(given: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[Advised, ...]:
    """Each text once, with all that it is for."""
    merged: dict[str, dict[str, None]] = {}
    for text, causes in given:
        merged.setdefault(text, {}).update(dict.fromkeys(causes))
    return tuple(Advised(text, tuple(causes)) for text, causes in merged.items())
