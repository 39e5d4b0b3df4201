"""`constraints.toml` -> plain values whose shape is right; the bytes are untrusted."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from calfbayes.constraints.schema import TABLES, ScoreTable
from calfbayes.errors import Fault
from calfbayes.knowledge.schema import SourceTable, Table
from calfbayes.knowledge.shape_faults import id_faults, shape_fault
from calfbayes.knowledge.wording import nearest, short, shown

FILE = "constraints.toml"
MAX_BYTES = 2_000_000

Content = dict[str, Any]
Entries = TypeVar("Entries", dict[str, Any], list[Any])


def content_of(folder: Path, faults: list[Fault]) -> Content:
    """Read the file and check the shape of every table; faults are added to the list.

    Returns:
        The tables that have none; None stands for a source or score that has.
    """
    return checked(_toml(folder / FILE, faults), faults)


def checked(raw: dict[str, Any], faults: list[Fault]) -> Content:
    """Check the shape of every table, as `content_of`."""
    foreign = sorted(raw.keys() - {"sources", "scores", "constraints"})
    faults += [Fault(FILE, shown(key), "is no key of this file", "known are sources, scores, constraints") for key in foreign]
    content: Content = {"sources": {}, "scores": {}, "constraints": []}
    shapes: dict[str, type[Table]] = {"sources": SourceTable, "scores": ScoreTable}
    for part, shape in shapes.items():
        for key, entry in _entries(raw, part, {}, faults).items():
            place = f"{part}.{shown(key)}"
            faults += id_faults(FILE, place, key)
            content[part][key] = next(iter(_validated(shape, place, entry, faults)), None)
    for position, entry in enumerate(_entries(raw, "constraints", [], faults)):
        kind, name = (entry.get("kind"), entry.get("id")) if isinstance(entry, dict) else (None, None)
        place = f"constraints.{shown(name)}" if isinstance(name, str) else f"constraints[{position}]"
        if isinstance(kind, str) and kind in TABLES:
            content["constraints"] += _validated(TABLES[kind], place, entry, faults)
        else:
            faults.append(Fault(FILE, f"{place}.kind", f"{short(kind)} is no kind", nearest(str(kind), TABLES)))
    return content


def _toml(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return tomllib.loads(data.decode("utf-8"))
        faults.append(Fault(FILE, "", "is too large", f"give at most {MAX_BYTES} bytes"))
    except RecursionError:
        faults.append(Fault(FILE, "", "is nested too deeply", "use flat tables as in models/README.md"))
    except (OSError, ValueError) as error:  # what is no UTF-8, too
        faults.append(Fault(FILE, "", f"is no TOML: {shown(str(error))}", "mend the syntax at this place"))
    return {}


def _entries(raw: dict[str, Any], part: str, default: Entries, faults: list[Fault]) -> Entries:
    entries = raw.get(part, default)
    if isinstance(entries, type(default)):
        return entries
    faults.append(Fault(FILE, part, f"is {short(entries)}", "models/README.md describes it"))
    return default


def _validated(shape: type[Table], place: str, entry: Any, faults: list[Fault]) -> list[dict[str, Any]]:
    """The values of a table, or nothing if it has a fault."""
    try:
        return [shape.model_validate(entry).model_dump()]
    except ValidationError as error:
        faults += [shape_fault(shape, FILE, place, entry, item) for item in error.errors(include_url=False)]
        return []
