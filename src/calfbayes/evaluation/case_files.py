"""Published patients: one JSON object a line.

    id, source, url          who they are and where they stand
    kind                     case_report, exam, textbook, vignette, ...
    age, sex                 a number and a state of the risk factor, or null
    setting                  a care setting, or null for the model's default
    risk_factors, findings   ids to true or false; what is not mentioned is left out
    other_findings           what the publication tells beyond the model's ids; nothing is computed from it
    final_diagnosis          the published cause
    also_present             other causes that were there, too
    acceptable_top3          causes that a reasonable clinician would accept instead
    true_urgency             the level that was needed at first contact
    must_not_miss            whether missing it does harm
    note                     free text

A diagnosis is given age, sex, setting, risk_factors and findings, and nothing else.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calfbayes.errors import ArgumentError, CalfBayesError, Fault
from calfbayes.knowledge.terms import Level

MAX_BYTES = 20_000_000


class CaseFileError(CalfBayesError, ValueError):
    """Cases are wrong, or a model does not take them; `faults` lists everything that was found."""

    def __init__(self, path: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(path, faults)
        self.path = path
        self.faults = faults

    def __str__(self) -> str:
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        return "\n".join([f"{count} in cases {self.path}:", *(f"  {fault}" for fault in self.faults)])


@dataclass(frozen=True, slots=True)
class Case:
    """A published patient; see the module for the fields.

    Attributes:
        known: What a diagnosis is given: age, sex, risk factors and findings by id.
    """

    id: str
    source: str
    url: str
    kind: str
    setting: str | None
    known: tuple[tuple[str, Any], ...]
    other_findings: tuple[str, ...]
    final_diagnosis: str
    also_present: tuple[str, ...]
    acceptable_top3: tuple[str, ...]
    true_urgency: Level
    must_not_miss: bool
    note: str


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read a file of cases; empty lines are passed over. Whether a model knows their ids is seen when it is asked, not here.

    Raises:
        CaseFileError: If the file cannot be read or its shape is wrong; it names every line that is.
    """
    faults: list[Fault] = []
    cases: list[Case] = []
    for number, line in enumerate(_lines(path), start=1):
        place = f"line {number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(path.name, place, f"is no JSON ({error})", "write one JSON object a line"))
            continue
        wrong = _wrong(record)
        faults += [Fault(path.name, f"{place}: {key}" if key else place, problem, remedy) for key, problem, remedy in wrong]
        if not wrong:
            cases.append(_case(record))
    repeated = {case.id for case in cases if sum(case.id == other.id for other in cases) > 1}
    faults += [
        Fault(path.name, "id", f"{name!r} stands more than once", "give every case its own") for name in sorted(repeated)
    ]
    if not cases and not faults:
        faults.append(Fault(path.name, "", "holds no case", "write one JSON object a line"))
    if faults:
        raise CaseFileError(str(path), tuple(faults))
    return tuple(cases)


def checked_cases(given: object) -> tuple[Case, ...]:
    """Cases that a caller gives.

    Raises:
        ArgumentError: If they are none.
    """
    cases = tuple(given) if isinstance(given, Iterable) else (given,)
    strange = [case for case in cases if not isinstance(case, Case)]
    if strange:
        expected = "the path of a file, or cases that were read from one"
        raise ArgumentError("cases", f"something of type {type(strange[0]).__name__}", expected)
    return cases


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")  # with or without the mark that some programs put first
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise CaseFileError(str(path), (Fault(path.name, "", problem, "give a UTF-8 file of JSON lines"),)) from None
    if len(data) > MAX_BYTES:
        problem = f"is larger than the {MAX_BYTES} bytes that are read"
        raise CaseFileError(str(path), (Fault(path.name, "", problem, "split it"),))
    return text.split("\n")  # not splitlines: other line separators may stand inside a text


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"{repeated[:80]!r} stands twice in one object")
    return dict(pairs)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_age(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _are_answers(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(answer, bool) for answer in value.values())


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_level(value: object) -> bool:
    return isinstance(value, str) and value in list(Level)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


SHAPE: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "id": (_is_id, "text that is not empty"),
    "source": (_is_text, "text"),
    "url": (_is_text, "text"),
    "kind": (_is_text, "text"),
    "age": (_is_age, "a number or null"),
    "sex": (_is_text_or_null, "text or null"),
    "setting": (_is_text_or_null, "text or null"),
    "risk_factors": (_are_answers, "an object of true and false by id"),
    "findings": (_are_answers, "an object of true and false by id"),
    "other_findings": (_are_texts, "a list of texts"),
    "final_diagnosis": (_is_id, "an id"),
    "also_present": (_are_texts, "a list of ids"),
    "acceptable_top3": (_are_texts, "a list of ids"),
    "true_urgency": (_is_level, f"one of {', '.join(Level)}"),
    "must_not_miss": (_is_bool, "true or false"),
    "note": (_is_text, "text"),
}


def _wrong(record: object) -> list[tuple[str, str, str]]:
    """Key, problem and remedy of everything that is wrong with a line."""
    if not isinstance(record, dict):
        return [("", "is no JSON object", f"give {', '.join(SHAPE)}")]
    wrong = [(key, "is no key of a case", f"the keys are {', '.join(SHAPE)}") for key in record if key not in SHAPE]
    for key, (fits, expected) in SHAPE.items():
        if key not in record:
            wrong.append((key, "is missing", f"give {expected}"))
        elif not fits(record[key]):
            wrong.append((key, f"{json.dumps(record[key])[:80]} cannot be", f"give {expected}"))
    if not wrong:
        places = (key for part in ("risk_factors", "findings") for key in record[part])
        told = [*(name for name in ("age", "sex") if record[name] is not None), *places]
        repeated = sorted({name for name in told if told.count(name) > 1})
        wrong += [("", f"{name[:80]!r} is given in two places", "give it once") for name in repeated]
    return wrong


def _case(record: Mapping[str, Any]) -> Case:
    person = {name: record[name] for name in ("age", "sex") if record[name] is not None}
    return Case(
        id=record["id"],
        source=record["source"],
        url=record["url"],
        kind=record["kind"],
        setting=record["setting"],
        known=tuple({**person, **record["risk_factors"], **record["findings"]}.items()),
        other_findings=tuple(record["other_findings"]),
        final_diagnosis=record["final_diagnosis"],
        also_present=tuple(record["also_present"]),
        acceptable_top3=tuple(record["acceptable_top3"]),
        true_urgency=Level(record["true_urgency"]),
        must_not_miss=record["must_not_miss"],
        note=record["note"],
    )
