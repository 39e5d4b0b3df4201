"""One document from which a result can be repeated years later, and the check that it is.

A record holds the versions, the digest and every number of the model, the evidence with the origin and time of each item,
and the result with the reasons for its level. Replayed with the same model it must give the same: probabilities to 1e-12;
level, ranks and reasons exactly. Replayed with another version, the numbers that were edited are named, and what each of
them changed is found by putting the old number back alone.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, ModelFileError, UnknownNameError
from calfbayes.evidence import Evidence, read_evidence
from calfbayes.inference.solved import SolvedNetwork, solve
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, KnowledgeBase, Link, OddsRatio
from calfbayes.knowledge.wording import short
from calfbayes.network import compile_network
from calfbayes.version import __version__

RECORD_VERSION = 1
SAME = 1e-12
MOST_TRIED = 6  # edited numbers whose effect is computed
TOLD = 3  # effects of one of them, the largest
SHOWN = 8  # differences, in words
LONGEST = 200
KEYS = {"record_version", "calfbayes", "model", "evidence", "policy", "result", "numbers"}


@dataclass(frozen=True, slots=True)
class Edited:
    """A number that is not what it was.

    Attributes:
        place: Where it stands: the keys of the model's files, joined by dots.
        before: In the record; None if the model had no such number.
        after: In the model now; None likewise.
        effects: What the change did, each as text; empty if nothing of note; None if it was not tried.
    """

    place: str
    before: float | None
    after: float | None
    effects: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of repeating a record.

    Attributes:
        result: The result now.
        same_model: Whether the model is the recorded one, by its digest.
        differences: What is not as recorded, each as text.
        edited: The numbers of the model that differ.
    """

    result: Diagnosis
    same_model: bool
    differences: tuple[str, ...]
    edited: tuple[Edited, ...]

    @property
    def reproduced(self) -> bool:
        """Whether probabilities, level, ranks and reasons are as recorded."""
        return not self.differences

    def __str__(self) -> str:
        lines = ["reproduced" if self.reproduced else "not reproduced"]
        lines += [f"  {difference}" for difference in self.differences[:SHOWN]]
        if len(self.differences) > SHOWN:
            lines.append(f"  and {len(self.differences) - SHOWN} more differences")
        if not self.same_model and not self.edited:
            lines.append("the model differs, but in none of the values it lists: ranges, bands, words, rules or arcs do")
        lines += [
            f"edited: {entry.place} was {_told(entry.before)}, is {_told(entry.after)}{_did(entry)}" for entry in self.edited
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        edited = [
            {"place": e.place, "before": e.before, "after": e.after, "effects": None if e.effects is None else list(e.effects)}
            for e in self.edited
        ]
        return {
            "reproduced": self.reproduced,
            "same_model": self.same_model,
            "differences": list(self.differences),
            "edited": edited,
        }


def record(
    result: Diagnosis, *, origins: Mapping[str, str] | None = None, times: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Everything that is needed to repeat a result, as plain values for JSON.

    Args:
        origins: Who or what told an item, by its id.
        times: When it was told, by its id.

    Raises:
        UnknownNameError: If an id is not among the items.
        ArgumentError: If an origin or time is no short text.
    """
    evidence = result.evidence.to_dict()
    items = {name: {"value": value} for name, value in evidence["items"].items()}
    for key, given in (("origin", origins), ("time", times)):
        for name, text in (given or {}).items():
            if name not in items:
                raise UnknownNameError("item", str(name)[:LONGEST], (), "this evidence")
            if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
                raise ArgumentError(f"{key}s[{name!r}]", short(text), f"text of at most {LONGEST} characters")
            items[name][key] = text
    return {
        "record_version": RECORD_VERSION,
        "calfbayes": __version__,
        "model": {"name": result.model.name, "version": result.model.version, "digest": result.model.digest},
        "evidence": {"setting": result.setting, "items": items},
        "policy": result.urgency.policy_origin.name.lower(),
        "result": result.to_dict(),
        "numbers": numbers_of(result._solved.network.knowledge),
    }


def replay(
    solved: SolvedNetwork, content: Content, document: Mapping[str, Any], *, policy: UrgencyPolicy | None = None
) -> Replay:
    """Repeat a recorded result.

    Args:
        content: Of the model's files; old numbers are put back into it.
        policy: The urgency policy, if the record was made with another than the model's.

    Raises:
        ArgumentError: If the document is no record, or was made with another policy and none is given.
        CalfBayesError: If the model no longer takes the evidence.
    """
    _check(document)
    if document["policy"] != PolicyOrigin.MODEL.name.lower() and policy is None:
        raise ArgumentError("policy", "none", f"the policy of the record, which was {document['policy']} than the model's")
    given = document["evidence"]
    items = {name: item["value"] for name, item in given["items"].items()}
    evidence = read_evidence(solved.network, items, setting=given["setting"])
    now = _diagnose(solved, evidence, policy)
    same_model = solved.network.knowledge.digest == document["model"]["digest"]
    edited = () if same_model else _edited(document["numbers"], numbers_of(solved.network.knowledge))
    differences = tuple(_differences(document["result"], now.to_dict()))
    if differences:
        tried = [_with_effects(solved, content, entry, now, policy) for entry in edited[:MOST_TRIED]]
        edited = (*tried, *edited[MOST_TRIED:])
    return Replay(now, same_model, differences, edited)


def numbers_of(knowledge: KnowledgeBase) -> dict[str, float]:
    """Every number that can change a result, by the place where it stands in the model's files."""
    return dict(_numbers(knowledge))


def _numbers(k: KnowledgeBase) -> Iterator[tuple[str, float]]:
    for setting in k.settings:
        yield f"model.settings.{setting.id}.coincidence.value", setting.coincidence.value
    for factor in k.risk_factors:
        for index, row in enumerate(factor.prior):
            for state, p in zip(factor.states, row.probabilities, strict=True):
                if state != factor.reference:
                    yield f"risk_factors.{factor.id}.prior.{index}.probabilities.{state}", p
    for role, records in (("causes", k.causes), ("complications", k.complications), ("mechanisms", k.mechanisms)):
        for record_ in records:
            place = f"{role}.{record_.id}"
            if isinstance(record_, Cause):
                yield from ((f"{place}.weight.{weight.setting}.value", weight.number.value) for weight in record_.weights)
            else:
                yield f"{place}.leak.value", record_.leak.value
            yield from _of_odds(place, record_.odds)
            yield from _of_links(place, record_.links)
    for finding in k.findings:
        yield f"findings.{finding.id}.leak.value", finding.leak.value
        yield from _of_odds(f"findings.{finding.id}", finding.odds)
    for acted, row_of_losses in zip(LEVELS_BY_SEVERITY, k.urgency.loss, strict=True):
        for needed, loss in zip(LEVELS_BY_SEVERITY, row_of_losses, strict=True):
            yield f"urgency.loss.acted.{acted}.{needed}", loss


def _of_odds(place: str, odds: tuple[OddsRatio, ...]) -> Iterator[tuple[str, float]]:
    for ratio in odds:
        yield f"{place}.odds.{ratio.factor}.{ratio.state}.value", ratio.number.value


def _of_links(place: str, links: tuple[Link, ...]) -> Iterator[tuple[str, float]]:
    for link in links:
        yield f"{place}.links.{link.child}.{'probability' if link.includes_leak else 'link'}", link.number.value


def _check(document: object) -> None:
    """Refuse what is no record; what stands inside evidence is checked by the gate."""
    expected = "what Diagnosis.record() gives"
    if not isinstance(document, Mapping) or not set(document) >= KEYS:
        raise ArgumentError("record", short(document), expected)
    if document["record_version"] != RECORD_VERSION:
        raise ArgumentError(
            "record_version", short(document["record_version"]), f"{RECORD_VERSION}; a newer calfbayes may read it"
        )
    parts = {
        "model": {"digest"},
        "evidence": {"setting", "items"},
        "result": {"causes", "complications", "urgency"},
        "numbers": set(),
    }
    for part, keys in parts.items():
        if not isinstance(document[part], Mapping) or not set(document[part]) >= keys:
            raise ArgumentError(f"record[{part!r}]", short(document[part]), expected)
    items = document["evidence"]["items"]
    if not isinstance(items, Mapping) or not all(isinstance(item, Mapping) and "value" in item for item in items.values()):
        raise ArgumentError("record['evidence']", short(items), expected)
    if not all(isinstance(number, int | float) for number in document["numbers"].values()):
        raise ArgumentError("record['numbers']", "something else than numbers", expected)
    try:
        _key_facts(document["result"])
    except (KeyError, TypeError):
        raise ArgumentError("record['result']", "something incomplete", expected) from None


def _diagnose(solved: SolvedNetwork, evidence: Evidence, policy: UrgencyPolicy | None) -> Diagnosis:
    return diagnose(solved, evidence, policy=policy, allow_laxer_policy=policy is not None)


def _key_facts(result: Mapping[str, Any]) -> tuple[str, str, list[str], list[Any], dict[str, float]]:
    """Level, outcome, ranks, reasons and probabilities."""
    entries = [*result["causes"], *result["complications"]]
    ranks = [entry["id"] for entry in entries]
    probabilities = {entry["id"]: float(entry["probability"]) for entry in entries}
    return result["urgency"]["level"], result["outcome"], ranks, list(result["urgency"]["reasons"]), probabilities


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    level, outcome, ranks, reasons, old = _key_facts(before)
    new_level, new_outcome, new_ranks, new_reasons, new = _key_facts(after)
    if level != new_level:
        yield f"the urgency was {level}, is {new_level}"
    if outcome != new_outcome:
        yield f"the outcome was {outcome}, is {new_outcome}"
    if _reasons(reasons) != _reasons(new_reasons):
        yield f"the reasons were {_reasons(reasons)}, are {_reasons(new_reasons)}"
    if ranks != new_ranks:
        moved = [name for name, other in zip(ranks, new_ranks, strict=False) if name != other]
        yield f"the order of the causes differs, first at {moved[0] if moved else 'its end'}"
    for name in sorted(set(old) ^ set(new)):
        yield f"{name} is in one of the two only"
    moves = [(abs(new[name] - old[name]), name) for name in old if name in new and not abs(new[name] - old[name]) <= SAME]
    for _, name in sorted(moves, key=lambda move: (-move[0], move[1])):
        yield f"{name} was {old[name]:.6g}, is {new[name]:.6g}"
    if reasons != new_reasons and _reasons(reasons) == _reasons(new_reasons):
        yield "the reasons are the same, told in other words or with other numbers"


def _reasons(reasons: list[Any]) -> str:
    return ", ".join(str(reason["id"]) for reason in reasons) or "none"


def _edited(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Edited, ...]:
    places = [place for place in {**before, **after} if before.get(place) != after.get(place)]
    return tuple(Edited(place, before.get(place), after.get(place)) for place in sorted(places))


def _with_effects(
    solved: SolvedNetwork, content: Content, edited: Edited, now: Diagnosis, policy: UrgencyPolicy | None
) -> Edited:
    """What one edited number did: the result without that edit against the result now."""
    if edited.before is None or edited.after is None:
        return edited
    try:
        other = _solved_anew(solved, _put_back(content, edited.place, edited.before), now.setting)
        earlier = _diagnose(other, read_evidence(other.network, now.evidence, setting=now.setting), policy)
    except (ModelFileError, KeyError, IndexError):  # the old number alone does not fit the rest of the model
        return edited
    effects = tuple(_differences(earlier.to_dict(), now.to_dict()))[:TOLD]
    return Edited(edited.place, edited.before, edited.after, effects)


def _put_back(content: Content, place: str, value: float) -> Content:
    copied = copy.deepcopy(content)
    *path, last = place.split(".")
    table: Any = copied
    for key in path:
        table = table[int(key)] if isinstance(table, list) else table[key]
    table[last] = value
    return copied


def _solved_anew(solved: SolvedNetwork, content: Content, setting: str) -> SolvedNetwork:
    """The network of other content, solved for one care setting; the others keep what they had and are not asked."""
    kept = {s: (bases, solved.baseline[s]) for s, bases in solved.bases.items() if s != setting}
    return solve(compile_network(knowledge_from_content(content, name="edited model")), kept)


def _told(number: float | None) -> str:
    return "not there" if number is None else f"{number:.9g}"


def _did(entry: Edited) -> str:
    if entry.effects is None:
        return ""
    return f"; because of it {'; '.join(entry.effects)}" if entry.effects else "; it changed nothing here"
