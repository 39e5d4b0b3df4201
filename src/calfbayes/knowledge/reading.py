"""Model folder -> content -> records: bytes are untrusted, every fault is told in one error.

Three stages, each a function:

1. `read_content`: the TOML files become one dictionary of plain values whose shape is right (`schema`).
   Size is bounded, links out of the folder are refused, nothing is executed.
2. `build`: the content becomes records (`terms`); nothing can fail here but the rule language.
3. `checking.faults_of`: what the records mean to each other.

The digest is SHA-256 over the content with sorted keys, so comments, key order and the way a table is
written do not change it, and any other edit does.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from calfbayes.errors import Fault, ModelFileError
from calfbayes.knowledge import checking
from calfbayes.knowledge.terms import (
    AllOf,
    AnyOf,
    Atom,
    Care,
    Cause,
    Codes,
    Complication,
    Condition,
    Elicited,
    Finding,
    KnowledgeBase,
    Level,
    LevelText,
    Link,
    Mechanism,
    Observer,
    OddsRatio,
    PriorRow,
    RiskFactor,
    Rule,
    Setting,
    Source,
    Urgency,
    Weight,
)

MAX_FILE_BYTES = 4_000_000
MAX_FILES = 2_000
MAX_RULE_DEPTH = 20

SINGLE_TABLES = {"model": "ModelTable", "urgency": "UrgencyTable"}
TABLES_BY_ID = {
    "risk_factors": "RiskFactorTable",
    "mechanisms": "MechanismTable",
    "findings": "FindingTable",
    "sources": "SourceTable",
}
FOLDERS = {"causes": "CauseTable", "complications": "ComplicationTable"}
OPTIONAL = {"mechanisms", "complications"}

Content = dict[str, Any]


def knowledge_from_folder(folder: Path) -> tuple[KnowledgeBase, Content]:
    """Read and check a model folder.

    Returns:
        The records, and the content they were built from (plain values, shape already checked).

    Raises:
        ModelFileError: If anything is wrong; it lists every fault of the first stage that has any.
    """
    content = read_content(folder)
    return knowledge_from_content(content, name=str(folder)), content


def knowledge_from_content(content: Content, *, name: str) -> KnowledgeBase:
    """Build records from content whose shape is right, and check what they mean to each other.

    Raises:
        ModelFileError: If the content contradicts itself; it lists every fault.
    """
    knowledge = build(content, digest_of(content))
    faults = checking.faults_of(knowledge)
    if faults:
        raise ModelFileError(name, tuple(faults))
    return knowledge


def digest_of(content: Content) -> str:
    """SHA-256 of the content, independent of key order, as 64 hexadecimal digits."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


# --- stage 1: files -> content ---------------------------------------------------------------------------------------


def read_content(folder: Path) -> Content:
    """Read every file of a model folder into plain values.

    Raises:
        ModelFileError: If a file is missing, unreadable, too large, no TOML, or of the wrong shape.
    """
    faults: list[Fault] = []
    raw: dict[str, Any] = {}
    for file, path in model_files(folder, faults):
        table = _read_toml(file, path, faults)
        if table is not None:
            raw[file] = table
    content = _content_from_tables(raw, faults)
    if faults:
        raise ModelFileError(str(folder), tuple(faults))
    return content


def model_files(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every file that belongs to a model, sorted by name."""
    names = [f"{stem}.toml" for stem in (*SINGLE_TABLES, *TABLES_BY_ID)]
    found: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        if path.name in names:
            found.append(path.name)
        else:
            known = ", ".join(sorted(names))
            faults.append(Fault(path.name, "", "no file of this name belongs to a model", f"known are {known}"))
    for sub in FOLDERS:
        if (folder / sub).is_symlink():
            faults.append(Fault(sub, "", "is a symbolic link", "put the files themselves into the model's folder"))
            continue
        found += [f"{sub}/{path.name}" for path in sorted((folder / sub).glob("*.toml"))]
    for name in names:
        if name not in found and name.removesuffix(".toml") not in OPTIONAL:
            faults.append(Fault(name, "", "is missing", "add it; models/README.md describes each file"))
    if not any(name.startswith("causes/") for name in found):
        faults.append(Fault("causes", "", "holds no cause", "add one file a cause, named ID.toml"))
    if len(found) > MAX_FILES:
        faults.append(Fault("", "", f"{len(found)} files", f"at most {MAX_FILES} are read"))
        return
    for name in found:
        yield name, folder / name


def _read_toml(file: str, path: Path, faults: list[Fault]) -> dict[str, Any] | None:
    if path.is_symlink() or not path.is_file():
        faults.append(Fault(file, "", "is not a plain file", "put the file itself into the model's folder"))
        return None
    if path.stat().st_size > MAX_FILE_BYTES:
        faults.append(Fault(file, "", f"is {path.stat().st_size} bytes", f"at most {MAX_FILE_BYTES} are read"))
        return None
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except RecursionError:
        faults.append(Fault(file, "", "is nested too deeply", "use flat tables as in models/README.md"))
    except UnicodeDecodeError as error:
        faults.append(Fault(file, "", f"is not UTF-8 (byte {error.start})", "save it as UTF-8"))
    except (ValueError, OSError) as error:  # TOMLDecodeError is a ValueError, and tomllib passes on those of int() and date()
        faults.append(Fault(file, "", f"is no TOML: {error}", "mend the syntax at this place"))
    return None


def _content_from_tables(raw: Mapping[str, Any], faults: list[Fault]) -> Content:
    from calfbayes.knowledge import schema  # the validator is slow to import and only needed here

    content: Content = {key: {} for key in (*SINGLE_TABLES, *TABLES_BY_ID, *FOLDERS)}
    for file, table in raw.items():
        head, _, tail = file.removesuffix(".toml").partition("/")
        if tail:
            content[head][_checked_id(file, "", tail, faults)] = _validated(
                getattr(schema, FOLDERS[head]), file, "", table, faults
            )
        elif head in SINGLE_TABLES:
            content[head] = _validated(getattr(schema, SINGLE_TABLES[head]), file, "", table, faults)
        else:
            shape = getattr(schema, TABLES_BY_ID[head])
            for key, entry in table.items():
                content[head][_checked_id(file, key, key, faults)] = _validated(shape, file, key, entry, faults)
    return content


def _checked_id(file: str, place: str, name: str, faults: list[Fault]) -> str:
    if not (
        0 < len(name) <= 80
        and name.isascii()
        and name[0].isalpha()
        and name == name.lower()
        and name.replace("_", "a").isalnum()
    ):
        faults.append(Fault(file, place, f"{name!r} is no id", "use small letters, digits and underscores, a letter first"))
    return name


def _validated(shape: Any, file: str, place: str, table: Any, faults: list[Fault]) -> dict[str, Any]:
    from pydantic import ValidationError

    if place == "" and file == "model.toml" and isinstance(table, dict):
        newer = _newer_format(table.get("format"))
        if newer:
            faults.append(newer)
            return {}
    try:
        values: dict[str, Any] = shape.model_validate(table).model_dump(exclude_defaults=True)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            where = ".".join(str(part) for part in (place, *item["loc"]) if part != "")
            faults.append(Fault(file, where, _problem(item), _remedy(item)))
        return {}
    return values


def _newer_format(given: Any) -> Fault | None:
    from calfbayes.knowledge.schema import FORMAT

    if isinstance(given, int) and not isinstance(given, bool) and given > FORMAT:
        return Fault(
            "model.toml",
            "format",
            f"is {given}, newer than this calfbayes, which reads format {FORMAT}",
            "install a newer calfbayes",
        )
    return None


def _problem(item: Any) -> str:
    given = "" if item["type"] == "missing" else f" (given: {_short(item['input'])})"
    return f"{item['msg'].removeprefix('Value error, ')}{given}"


def _remedy(item: Any) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        return "remove the key or mend its spelling"
    if kind == "missing":
        return "add the key"
    if kind in {"greater_than_equal", "less_than_equal", "greater_than"}:
        return "give a number within the bounds"
    return "models/README.md describes this table"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# --- stage 2: content -> records -------------------------------------------------------------------------------------


def build(content: Content, digest: str) -> KnowledgeBase:
    """Turn content of the right shape into records.

    Raises:
        ModelFileError: If a rule's condition is not in the rule language.
    """
    model = content["model"]
    return KnowledgeBase(
        name=model["name"],
        version=model["version"],
        title=model["title"],
        intended_use=model["intended_use"],
        population=model["population"],
        not_for=tuple(model["not_for"]),
        licence=model["licence"],
        complaint=model["complaint"],
        scope=tuple((factor, low, high) for factor, (low, high) in model.get("scope", {}).items()),
        default_setting=model["default_setting"],
        settings=tuple(Setting(key, t["label"], _number(t["coincidence"])) for key, t in model["settings"].items()),
        risk_factors=tuple(_risk_factor(key, t) for key, t in content["risk_factors"].items()),
        causes=tuple(
            Cause(id=key, weights=tuple(Weight(s, _number(n)) for s, n in t["weight"].items()), **_node(t))
            for key, t in content["causes"].items()
        ),
        complications=tuple(
            Complication(id=key, leak=_number(t["leak"]), **_node(t)) for key, t in content["complications"].items()
        ),
        mechanisms=tuple(_mechanism(key, t) for key, t in content["mechanisms"].items()),
        findings=tuple(_finding(key, t) for key, t in content["findings"].items()),
        urgency=_urgency(content["urgency"], model["name"]),
        sources=tuple(Source(key, t["citation"], t["url"], t["kind"]) for key, t in content["sources"].items()),
        digest=digest,
    )


def _number(table: Mapping[str, Any], value: float | None = None) -> Elicited:
    low, high = table.get("range") or (None, None)
    return Elicited(
        value=float(table["value"] if value is None else value),
        kind=table["kind"],
        sources=tuple(table["source"]),
        n=table.get("n"),
        low=low,
        high=high,
        why=table.get("why", ""),
    )


def _odds(table: Mapping[str, Any]) -> tuple[OddsRatio, ...]:
    return tuple(
        OddsRatio(factor, state, _number(number))
        for factor, states in table.get("odds", {}).items()
        for state, number in states.items()
    )


def _links(table: Mapping[str, Any]) -> tuple[Link, ...]:
    return tuple(
        Link(child, _number(t, t["probability"] if "probability" in t else t["link"]), includes_leak="probability" in t)
        for child, t in table.get("links", {}).items()
    )


def _codes(table: Mapping[str, Any]) -> tuple[Codes, ...]:
    return tuple(Codes(system, tuple(codes)) for system, codes in table.get("codes", {}).items())


def _node(table: Mapping[str, Any]) -> dict[str, Any]:
    care = table["care"]
    return {
        "label": table["label"],
        "description": table["description"],
        "group": table["group"],
        "urgency": Level(table["urgency"]),
        "synonyms": tuple(table.get("synonyms", ())),
        "codes": _codes(table),
        "odds": _odds(table),
        "links": _links(table),
        "care": Care(
            who=care["who"],
            examinations=tuple(care["examinations"]),
            helps=tuple(care["helps"]),
            avoid=tuple(care["avoid"]),
            come_back=care["come_back"],
            sources=tuple(care["source"]),
        ),
    }


def _mechanism(key: str, table: Mapping[str, Any]) -> Mechanism:
    return Mechanism(key, table["label"], table["description"], _number(table["leak"]), _odds(table), _links(table))


def _finding(key: str, table: Mapping[str, Any]) -> Finding:
    return Finding(
        id=key,
        label=table["label"],
        question=table["question"],
        kind=table["kind"],
        group=table["group"],
        observer=Observer[table["observer"].upper()],
        burden=table["burden"],
        synonyms=tuple(table.get("synonyms", ())),
        codes=_codes(table),
        implies=tuple(table.get("implies", ())),
        excludes=tuple(table.get("excludes", ())),
        leak=_number(table["leak"]),
        odds=_odds(table),
    )


def _risk_factor(key: str, table: Mapping[str, Any]) -> RiskFactor:
    states = tuple(table.get("states", ("absent", "present")))
    reference = table.get("reference", "absent")
    rows = tuple(_prior_row(row, states, reference) for row in table["prior"])
    return RiskFactor(
        id=key,
        label=table["label"],
        question=table["question"],
        group=table["group"],
        burden=table["burden"],
        synonyms=tuple(table.get("synonyms", ())),
        states=states,
        reference=reference,
        unit=table.get("unit", ""),
        lower_bounds=tuple(float(bound) for bound in table.get("lower_bounds", ())),
        upper_bound=float(table.get("upper_bound", 0.0)),
        parents=tuple(dict.fromkeys(parent for row in rows for parent, _ in row.when)),
        prior=rows,
    )


def _prior_row(row: Mapping[str, Any], states: tuple[str, ...], reference: str) -> PriorRow:
    given = row["probabilities"]
    rest = 1.0 - sum(probability for state, probability in given.items() if state != reference)
    # what the reference state is given, if anything, is compared with this remainder in `checking`
    probabilities = tuple(
        rest if state == reference and state not in given else float(given.get(state, 0.0)) for state in states
    )
    when = tuple((parent, tuple(covered)) for parent, covered in row.get("when", {}).items())
    number = _number(row, value=sum(probability for state, probability in given.items() if state != reference))
    return PriorRow(when, probabilities, number)


def _urgency(table: Mapping[str, Any], model: str) -> Urgency:
    by_severity = tuple(reversed(Level))
    faults: list[Fault] = []
    acted = table["loss"]["acted"]
    loss = tuple(tuple(float(acted.get(a, {}).get(b, float("nan"))) for b in by_severity) for a in by_severity)
    rules = tuple(
        Rule(
            id=rule["id"],
            level=Level(rule["level"]),
            reason=rule["reason"],
            sources=tuple(rule["source"]),
            condition=_condition(rule["when"], f"rules.{rule['id']}.when", 0, faults),
        )
        for rule in table.get("rules", ())
    )
    if faults:
        raise ModelFileError(model, tuple(faults))
    return Urgency(
        levels=tuple(LevelText(Level(key), t["label"], t["action"]) for key, t in table["levels"].items()),
        loss=loss,
        loss_number=_number({**table["loss"], "n": 1.0}, value=0.0),
        rules=rules,
    )


def _condition(table: Any, place: str, depth: int, faults: list[Fault]) -> Condition:
    if isinstance(table, str):
        name, _, state = table.partition("=")
        return Atom(name, state or "present")
    if isinstance(table, dict) and len(table) == 1 and depth < MAX_RULE_DEPTH:
        key, parts = next(iter(table.items()))
        if key in {"any", "all"} and isinstance(parts, list) and parts:
            conditions = tuple(
                _condition(part, f"{place}.{key}[{index}]", depth + 1, faults) for index, part in enumerate(parts)
            )
            return AnyOf(conditions) if key == "any" else AllOf(conditions)
    faults.append(
        Fault(
            "urgency.toml",
            place,
            f"{_short(table)} is no condition",
            'write "finding", "factor=state", { any = [...] } or { all = [...] }',
        )
    )
    return Atom("", "present")
