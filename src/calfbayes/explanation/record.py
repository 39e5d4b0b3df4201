"""One document from which a result can be repeated years later, and the check that it is.

A record holds the versions, the digest and every number of the model with its doubt, the evidence with the origin and time of
each item, and the result with the reasons for its level. Replayed with the same model it must give the same: probabilities
and all other numbers to 1e-12; level, ranks, reasons, outcome, open rules and advice exactly. Replayed with another version,
the numbers that were edited are named, and what each of them changed is found by putting the old number back alone, with its
doubt: a value that has left its old range does not load without the old range.

Everything that is recorded is compared, but for origins and times, of which the model knows nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from math import inf, isfinite, log
from typing import Any

from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.result import Diagnosis, ModelIdentity
from calfbayes.errors import ArgumentError, CalfBayesError, Fault, UnknownNameError
from calfbayes.evidence import Evidence, read_evidence
from calfbayes.inference.solved import SolvedNetwork, solve
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, Elicited, KnowledgeBase, Mechanism, OddsRatio, RiskFactor
from calfbayes.knowledge.wording import short, shown
from calfbayes.network import compile_network
from calfbayes.version import __version__

RECORD_VERSION = 2
SAME = 1e-12
MOST_TRIED = 6  # edited numbers whose effect is computed, the largest changes first
TOLD = 3  # effects of one of them, the largest
SHOWN = 8  # differences, and edited numbers, in words
LONGEST = 200
KEYS = {"record_version", "calfbayes", "model", "evidence", "policy", "result", "numbers"}
VALUES, PARTS = {"value", "link", "probability", "n"}, {"range", "probabilities"}  # keys of what is elicited
TOLD_OF = ("origin", "time")  # of an item, beside its value
DIGITS = 12  # of a digest, in words
NOT_THERE = "not there"
RANKED = ("causes", "complications")
Ranked = tuple[str, str]  # which of the two, and an id
Number = float | str  # a level is one, too: it decides as a number does


@dataclass(frozen=True, slots=True)
class Edited:
    """A number, or a level, that is not what it was.

    Attributes:
        place: Where it stands: the keys of the model's files, joined by dots.
        before: In the record; None if the model had no such number.
        after: In the model now; None likewise.
        effects: What the change did, each as text, together with what else was edited of the same elicited number (its value,
            sample size and range are put back as one); empty if nothing of note; None if that is not known.
        tried: Whether it was put back. Where effects are None nevertheless, it does not fit the rest of the model by itself.
    """

    place: str
    before: Number | None
    after: Number | None
    effects: tuple[str, ...] | None = None
    tried: bool = False

    @property
    def number(self) -> str:
        """Where the elicited number stands that this is the value or the doubt of; its own place if it is none."""
        keys = self.place.split(".")
        if len(keys) > 2 and keys[-2] in PARTS:
            return ".".join(keys[:-2])
        return ".".join(keys[:-1]) if keys[-1] in VALUES else self.place

    @property
    def size(self) -> float:
        """How large the change is: of a value by the logarithm of the ratio, infinite if there is none; of a doubt 0."""
        if self.place.removeprefix(self.number).startswith((".n", ".range")):
            return 0.0
        if isinstance(self.before, float | int) and isinstance(self.after, float | int) and self.before * self.after > 0.0:
            return abs(log(self.after / self.before))
        return inf


@dataclass(frozen=True, slots=True)
class Maker:
    """What made a result.

    Attributes:
        calfbayes: Version of this library.
        model: The model with its version and digest.
    """

    calfbayes: str
    model: ModelIdentity

    def __str__(self) -> str:
        name, version, digest = map(shown, (self.model.name, self.model.version, self.model.digest[:DIGITS]))
        return f"calfbayes {shown(self.calfbayes)} and model {name} {version} ({digest})"


@dataclass(frozen=True, slots=True, repr=False)
class Replay:
    """What came of repeating a record.

    Attributes:
        result: The result now.
        recorded: What had made it.
        repeated: What made it now.
        differences: What is not as recorded, each as text.
        edited: The numbers of the model that differ, the largest changes first.
        gaps: What the result holds now and another version of this library did not record; by the same version it is a
            difference.
    """

    result: Diagnosis
    recorded: Maker
    repeated: Maker
    differences: tuple[str, ...]
    edited: tuple[Edited, ...]
    gaps: tuple[str, ...]

    @property
    def same_model(self) -> bool:
        """Whether the model is the recorded one, by its digest."""
        return self.recorded.model.digest == self.repeated.model.digest

    @property
    def reproduced(self) -> bool:
        """Whether everything that was recorded of the result is as recorded."""
        return not self.differences

    def __str__(self) -> str:
        same = self.recorded == self.repeated
        as_far = ", as far as it was recorded" if self.gaps else ""
        lines = [f"reproduced{as_far}" if self.reproduced else "not reproduced"]
        lines += [f"recorded with {self.recorded}", f"repeated with {'the same' if same else self.repeated}"]
        lines += [f"  {difference}" for difference in self.differences[:SHOWN]]
        if len(self.differences) > SHOWN:
            lines.append(f"  and {len(self.differences) - SHOWN} more differences")
        if self.gaps:
            lines.append(f"not recorded: {', '.join(self.gaps)}")
        if not self.same_model and not self.edited:
            lines.append("the model differs, but in none of its numbers and levels: words, rules, advice or arcs do")
        numbers = _by_number(self.edited)
        for parts in numbers[:SHOWN]:
            changes = "; ".join(f"{shown(e.place)} was {_told(e.before)}, is {_told(e.after)}" for e in parts)
            lines.append(f"edited: {changes}{_did(parts[0])}")
        if len(numbers) > SHOWN:
            lines.append(f"and {len(numbers) - SHOWN} more edited numbers")
        return "\n".join(lines)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        edited = [
            {
                "place": e.place,
                "before": e.before,
                "after": e.after,
                "effects": None if e.effects is None else list(e.effects),
                "tried": e.tried,
            }
            for e in self.edited
        ]
        return {
            "reproduced": self.reproduced,
            "same_model": self.same_model,
            "recorded": asdict(self.recorded),
            "repeated": asdict(self.repeated),
            "differences": list(self.differences),
            "edited": edited,
            "gaps": list(self.gaps),
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
        ArgumentError: If these are no mappings, or an origin or time is no short text.
    """
    evidence = result.evidence.to_dict()
    items = {name: {"value": value} for name, value in evidence["items"].items()}
    for key, given in (("origin", origins), ("time", times)):
        if given is not None and not isinstance(given, Mapping):
            raise ArgumentError(f"{key}s", short(given), f"a mapping of ids to texts, or None where no {key} is known")
        for name, text in (given or {}).items():
            if name not in items:
                raise UnknownNameError("item", str(name)[:LONGEST], (), "this evidence")
            _check_told_of(text, f"{key}s[{name!r}]")
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
        was = short(document["policy"])
        raise ArgumentError("policy", "none", f"the policy of the record, which was not the model's ({was})")
    given = document["evidence"]
    items = {name: item["value"] for name, item in given["items"].items()}
    assumed = given["setting"] == solved.network.knowledge.default_setting and document["result"]["evidence"]["setting"] is None
    evidence = read_evidence(solved.network, items, setting=None if assumed else given["setting"])
    now = _diagnose(solved, evidence, policy)
    recorded = Maker(document["calfbayes"], ModelIdentity(**document["model"]))
    repeated = Maker(__version__, now.model)
    same_model = recorded.model.digest == now.model.digest
    edited = _edited(document["numbers"], numbers_of(solved.network.knowledge))
    differences = tuple(_all_differences(document, now, edited if same_model else ()))
    if same_model:
        edited = ()
    elif differences:
        numbers = _by_number(edited)
        tried = [_with_effects(solved, content, parts, now, policy) for parts in numbers[:MOST_TRIED]]
        edited = tuple(entry for parts in [*tried, *numbers[MOST_TRIED:]] for entry in parts)
    before, after = _without_key_facts(document["result"]), _without_key_facts(json.loads(now.to_json()))
    gaps = () if recorded.calfbayes == __version__ else tuple(_gaps(before, after))
    return Replay(now, recorded, repeated, differences, edited, gaps)


def numbers_of(knowledge: KnowledgeBase) -> dict[str, Number]:
    """Every number that can change a result and the level of every cause, by the place where it stands in the model's files.

    With a number goes its doubt, the sample size or both ends of the range, on which a level may depend.
    """
    return dict(_numbers(knowledge))


def _numbers(k: KnowledgeBase) -> Iterator[tuple[str, Number]]:
    for name, *ends in k.scope:
        yield from ((f"model.scope.{name}.{side}", end) for side, end in enumerate(ends))
    for setting in k.settings:
        yield from _of_elicited(f"model.settings.{setting.id}.coincidence", "value", setting.coincidence)
    for factor in k.risk_factors:
        yield from _of_risk_factor(f"risk_factors.{factor.id}", factor)
    yield from _of_nodes(k)
    for finding in k.findings:
        yield from _of_elicited(f"findings.{finding.id}.leak", "value", finding.leak)
        yield from _of_odds(f"findings.{finding.id}", finding.odds)
    for acted, row_of_losses in zip(LEVELS_BY_SEVERITY, k.urgency.loss, strict=True):
        for needed, loss in zip(LEVELS_BY_SEVERITY, row_of_losses, strict=True):
            yield f"urgency.loss.acted.{acted}.{needed}", loss
    if k.urgency.caution:
        yield "urgency.caution.level", str(k.urgency.caution.level)
        yield "urgency.caution.deviations", k.urgency.caution.deviations
    if k.urgency.atypical_below > 0.0:
        yield "urgency.typicality.atypical_below", k.urgency.atypical_below


def _of_risk_factor(place: str, factor: RiskFactor) -> Iterator[tuple[str, Number]]:
    if factor.unit:
        yield from ((f"{place}.lower_bounds.{band}", bound) for band, bound in enumerate(factor.lower_bounds))
        yield f"{place}.upper_bound", factor.upper_bound
    for index, row in enumerate(factor.prior):
        for state, p in zip(factor.states, row.probabilities, strict=True):
            if state != factor.reference:
                yield f"{place}.prior.{index}.probabilities.{state}", p
        yield from _of_doubt(f"{place}.prior.{index}", row.number)


def _of_nodes(k: KnowledgeBase) -> Iterator[tuple[str, Number]]:
    for role, records in (("causes", k.causes), ("complications", k.complications), ("mechanisms", k.mechanisms)):
        for record_ in records:
            place = f"{role}.{record_.id}"
            if isinstance(record_, Cause):
                for weight in record_.weights:
                    yield from _of_elicited(f"{place}.weight.{weight.setting}", "value", weight.number)
            else:
                yield from _of_elicited(f"{place}.leak", "value", record_.leak)
            if not isinstance(record_, Mechanism):
                yield f"{place}.urgency", str(record_.urgency)
            yield from _of_odds(place, record_.odds)
            for link in record_.links:
                key = "probability" if link.includes_leak else "link"
                yield from _of_elicited(f"{place}.links.{link.child}", key, link.number)


def _of_odds(place: str, odds: tuple[OddsRatio, ...]) -> Iterator[tuple[str, Number]]:
    for ratio in odds:
        yield from _of_elicited(f"{place}.odds.{ratio.factor}.{ratio.state}", "value", ratio.number)


def _of_elicited(place: str, key: str, number: Elicited) -> Iterator[tuple[str, Number]]:
    yield f"{place}.{key}", number.value
    yield from _of_doubt(place, number)


def _of_doubt(place: str, number: Elicited) -> Iterator[tuple[str, Number]]:
    if number.n is not None:
        yield f"{place}.n", number.n
    yield from ((f"{place}.range.{k}", end) for k, end in enumerate((number.low, number.high)) if end is not None)


def _check(document: object) -> None:
    """Refuse what is no record; what stands inside evidence is checked by the gate."""
    expected = "what Diagnosis.record() gives"
    if not isinstance(document, Mapping) or not set(document) >= KEYS:
        raise ArgumentError("record", short(document), expected)
    if document["record_version"] != RECORD_VERSION:
        raise ArgumentError(
            "record_version", short(document["record_version"]), f"{RECORD_VERSION}; another calfbayes may read it"
        )
    parts = {
        "model": set(ModelIdentity.__slots__),
        "evidence": {"setting", "items"},
        "result": {"causes", "complications", "urgency", "evidence", "model"},
        "numbers": set(),
    }
    for part, keys in parts.items():
        if not isinstance(document[part], Mapping) or not set(document[part]) >= keys:
            raise ArgumentError(f"record[{part!r}]", short(document[part]), expected)
    made_by = [document["calfbayes"], *document["model"].values()]
    if len(made_by) != 1 + len(ModelIdentity.__slots__) or not all(isinstance(text, str) for text in made_by):
        raise ArgumentError("record['model']", short(document["model"]), expected)
    _check_keys(document, KEYS, "record")
    _check_keys(document["evidence"], parts["evidence"], "record['evidence']")
    items = document["evidence"]["items"]
    if not isinstance(items, Mapping) or not all(isinstance(item, Mapping) and "value" in item for item in items.values()):
        raise ArgumentError("record['evidence']", short(items), expected)
    for name, item in items.items():
        _check_keys(item, {"value", *TOLD_OF}, f"the item {short(name)} of the record")
        for key in TOLD_OF:
            if key in item:
                _check_told_of(item[key], f"{key} of the item {short(name)} of the record")
    if not all(isinstance(number, str) or _is_finite(number) for number in document["numbers"].values()):
        raise ArgumentError("record['numbers']", "something else than numbers and levels", expected)
    try:
        level, outcome, ranks, reasons, probabilities = _key_facts(document["result"])
        document["result"]["evidence"]["setting"]
        texts = [level, outcome, *(name for _, name in ranks), *(reason["id"] for reason in reasons)]
    except (KeyError, TypeError, ValueError):
        raise ArgumentError("record['result']", "something incomplete", expected) from None
    if not all(isinstance(text, str) for text in texts):
        raise ArgumentError("record['result']", "an id or level that is no text", expected)
    if not all(map(_is_finite, probabilities.values())):
        raise ArgumentError("record['result']", "a probability that is no number", expected)


def _check_keys(table: Mapping[str, Any], known: set[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise ArgumentError(place, f"one with {short(key)}", f"nothing but {', '.join(sorted(known))}")


def _check_told_of(text: object, place: str) -> None:
    """Refuse an origin or a time that is no short text."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise ArgumentError(place, short(text), f"text of at most {LONGEST} characters")


def _is_finite(number: object) -> bool:
    try:
        return isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number)
    except OverflowError:  # of a whole number too large for a float
        return False


def _diagnose(solved: SolvedNetwork, evidence: Evidence, policy: UrgencyPolicy | None) -> Diagnosis:
    return diagnose(solved, evidence, policy=policy, allow_laxer_policy=policy is not None)


def _key_facts(result: Mapping[str, Any]) -> tuple[str, str, list[Ranked], list[Any], dict[Ranked, float]]:
    """Level, outcome, ranks, reasons and probabilities."""
    probabilities = [((part, entry["id"]), entry["probability"]) for part in RANKED for entry in result[part]]
    ranks = [ranked for ranked, _ in probabilities]
    return result["urgency"]["level"], result["outcome"], ranks, list(result["urgency"]["reasons"]), dict(probabilities)


def _all_differences(document: Mapping[str, Any], now: Diagnosis, forged: tuple[Edited, ...]) -> Iterator[str]:
    """What differs between a record and the result now.

    Args:
        forged: Numbers that are not those of the model though the record names it.
    """
    before, after = document["result"], json.loads(now.to_json())
    yield from _differences_of_results(before, after, is_whole=document["calfbayes"] == __version__)
    policy = now.urgency.policy_origin.name.lower()
    if document["policy"] != policy:
        yield f"the policy was {short(document['policy'])}, is {policy}"
    if document["model"] != before["model"]:
        yield "the record names two models"
    for entry in forged:
        yield f"the record holds {shown(entry.place)} = {_told(entry.before)}; its own model has {_told(entry.after)}"


def _differences_of_results(before: Mapping[str, Any], after: Mapping[str, Any], *, is_whole: bool) -> Iterator[str]:
    """All that differs between two results, the weightiest first.

    Args:
        is_whole: Whether what the first lacks counts as left out; an older version may have recorded less.
    """
    yield from _differences(before, after)
    yield from _rest(_without_key_facts(before), _without_key_facts(after), "", is_whole)


def _without_key_facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """What `_differences` does not tell of a result, causes and complications by their ids; nor which model it was."""
    texts = {
        part: {entry["id"]: {key: value for key, value in entry.items() if key != "probability"} for entry in result[part]}
        for part in RANKED
    }
    urgency = {key: value for key, value in result["urgency"].items() if key not in {"level", "reasons"}}
    rest = {key: value for key, value in result.items() if key not in {*RANKED, "outcome", "model"}}
    return {**rest, "urgency": urgency, **texts}


def _rest(before: Any, after: Any, place: str, is_whole: bool) -> Iterator[str]:
    """Everything in which two values of JSON differ; what only the second has, if the first `is_whole`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if is_whole and key not in before)):
            inside = f"{place}.{shown(str(key))}" if place else shown(str(key))
            yield from _rest(before.get(key, NOT_THERE), after.get(key, NOT_THERE), inside, is_whole)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for k, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _rest(old, new, f"{place}.{k}", is_whole)
    elif not _is_same(before, after):
        numbers = all(_is_finite(value) for value in (before, after))
        was, is_ = _apart(before, after) if numbers else (_in_short(before), _in_short(after))
        yield f"{place} was {was}, is {is_}"


def _gaps(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Where a second value of JSON holds what a first does not, though the first has what it would stand in."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in after.items():
            inside = f"{place}.{key}" if place else key
            if key not in before:
                yield inside
            else:
                yield from _gaps(before[key], value, inside)
    elif isinstance(before, list) and isinstance(after, list):
        for k, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from _gaps(old, new, f"{place}.{k}")


def _in_short(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return NOT_THERE if value is NOT_THERE else short(value)


def _is_same(before: Any, after: Any) -> bool:
    """Whether two values are equal, numbers to `SAME`."""
    if isinstance(before, bool | str | None) or isinstance(after, bool | str | None):
        return type(before) is type(after) and bool(before == after)
    if isinstance(before, int | float) and isinstance(after, int | float):
        return _is_finite(before) and abs(before - after) <= SAME * max(1.0, abs(after))
    return bool(before == after)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    level, outcome, ranks, reasons, old = _key_facts(before)
    new_level, new_outcome, new_ranks, new_reasons, new = _key_facts(after)
    if level != new_level:
        yield f"the urgency was {shown(level)}, is {new_level}"
    if outcome != new_outcome:
        yield f"the outcome was {shown(outcome)}, is {new_outcome}"
    if _reasons(reasons) != _reasons(new_reasons):
        yield f"the reasons were {_reasons(reasons)}, are {_reasons(new_reasons)}"
    if ranks != new_ranks:
        moved = [one[1] for one, other in zip(ranks, new_ranks, strict=False) if one != other]
        yield f"the order of the causes differs, first at {shown(moved[0]) if moved else 'its end'}"
    for part, name in sorted(set(old) ^ set(new)):
        yield f"{shown(name)} is among the {part} in one of the two only"
    moves = [(abs(new[one] - old[one]), one) for one in old if one in new and not abs(new[one] - old[one]) <= SAME]
    for _, one in sorted(moves, key=lambda move: (-move[0], move[1])):
        was, is_ = _apart(old[one], new[one])
        yield f"{one[1]} was {was}, is {is_}"
    if reasons != new_reasons and _reasons(reasons) == _reasons(new_reasons):
        yield "the reasons are the same, told in other words or with other numbers"


def _reasons(reasons: list[Any]) -> str:
    return ", ".join(shown(str(reason["id"])) for reason in reasons) or "none"


def _edited(before: Mapping[str, Number], after: Mapping[str, Number]) -> tuple[Edited, ...]:
    """All that differs, the elicited numbers of the largest changes first."""
    places = sorted(place for place in {**before, **after} if before.get(place) != after.get(place))
    numbers = _by_number([Edited(place, before.get(place), after.get(place)) for place in places])
    return tuple(entry for parts in sorted(numbers, key=lambda parts: -max(e.size for e in parts)) for entry in parts)


def _by_number(edited: Sequence[Edited]) -> list[tuple[Edited, ...]]:
    """What belongs to one elicited number together; it stands together already."""
    return [tuple(parts) for _, parts in groupby(edited, key=lambda entry: entry.number)]


def _with_effects(
    solved: SolvedNetwork, content: Content, parts: tuple[Edited, ...], now: Diagnosis, policy: UrgencyPolicy | None
) -> tuple[Edited, ...]:
    """What the edit of one number did: the result without that edit against the result now."""
    number = parts[0].number
    tried = tuple(replace(entry, tried=True) for entry in parts)
    if all(e.before is None for e in parts) or all(e.after is None for e in parts):  # the number itself is new, or gone
        return tried
    before = _put_back(content, number.split("."), {e.place.removeprefix(number): e.before for e in parts})
    if not _has_shape(before, number):
        return tried
    try:
        other = _solved_anew(solved, before, now.setting)
        earlier = _diagnose(other, read_evidence(other.network, dict(now.evidence), setting=now.evidence.setting), policy)
    except CalfBayesError:  # the old number alone does not fit the rest of the model, or the answers
        return tried
    effects = tuple(_differences_of_results(json.loads(earlier.to_json()), json.loads(now.to_json()), is_whole=True))[:TOLD]
    return tuple(replace(entry, effects=effects) for entry in tried)


def _put_back(table: Any, path: Sequence[str], old: Mapping[str, Number | None]) -> Any:
    """The same tables and lists with one number as it was.

    Args:
        old: What is to be put back of it: its parts by the rest of their places, such as `.value` and `.range.0`; None for
            what it did not have.
    """
    if path:
        key, *rest = path
        if isinstance(table, Mapping):
            return {**table, key: _put_back(table[key], rest, old)}
        position = int(key)
        return [*table[:position], _put_back(table[position], rest, old), *table[position + 1 :]]
    if "" in old:
        return old[""]
    number = dict(table)
    ends = [old.get(f".range.{k}", end) for k, end in enumerate(number.pop("range", None) or (None, None))]
    if None not in ends:
        number["range"] = ends
    if "probabilities" in number:
        number["probabilities"] = {state: old.get(f".probabilities.{state}", p) for state, p in number["probabilities"].items()}
    for key in VALUES:
        if f".{key}" in old:
            number[key] = old[f".{key}"]
    return {key: value for key, value in number.items() if value is not None}


def _has_shape(content: Content, place: str) -> bool:
    """Whether the file with a place is one that could be read: a record may hold any number."""
    from calfbayes.knowledge.content import FILES_BY_ID, content_of  # slow: the validator

    faults: list[Fault] = []
    head, name, *_ = place.split(".")
    file, table = (f"{head}/{name}.toml", content[head][name]) if head in FILES_BY_ID else (f"{head}.toml", content[head])
    content_of({file: table}, faults)
    return not faults


def _solved_anew(solved: SolvedNetwork, content: Content, setting: str) -> SolvedNetwork:
    """The network of other content, solved for one care setting; the others keep what they had and are not asked."""
    kept = {s: (bases, solved.baseline[s]) for s, bases in solved.bases.items() if s != setting}
    return solve(compile_network(knowledge_from_content(content, name="edited model")), kept)


def _told(number: Number | None) -> str:
    if number is None:
        return NOT_THERE
    return short(number) if isinstance(number, str) else f"{number:.9g}"


def _apart(before: float, after: float) -> tuple[str, str]:
    """Two numbers in as few digits, six at least, as tell them apart."""
    told = [(f"{before:.{digits}g}", f"{after:.{digits}g}") for digits in (6, 9, 12, 15, 17)]
    return next((pair for pair in told if pair[0] != pair[1]), told[-1])


def _did(entry: Edited) -> str:
    if entry.effects is None:
        return "; it cannot be put back by itself" if entry.tried else "; what it did was not looked at"
    return f"; because of it {'; '.join(entry.effects)}" if entry.effects else "; it changed nothing here"
