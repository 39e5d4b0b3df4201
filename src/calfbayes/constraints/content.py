"""The folder of constraints -> plain values whose shape is right, file by file; the bytes are untrusted."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from calfbayes.constraints.schema import TABLES, ScoreTable
from calfbayes.errors import Fault
from calfbayes.knowledge.files import names_within, read_files
from calfbayes.knowledge.schema import SourceTable, Table
from calfbayes.knowledge.shape_faults import id_faults, shape_fault
from calfbayes.knowledge.wording import nearest, short, shown

FOLDER = "constraints"

Content = dict[str, Any]
Entries = TypeVar("Entries", dict[str, Any], list[Any])


def has_constraints(folder: Path) -> bool:
    """Whether a model's folder has constraints."""
    return any((folder / FOLDER).glob("[!.]*.toml"))


def contents_of(folder: Path, faults: list[Fault]) -> dict[str, Content]:
    """Read the files and check the shape of every table; faults are added to the list.

    Returns:
        By file the tables that have none; None stands for a source or score that has.
    """
    raw = read_files(folder, names_within(folder, FOLDER, faults), faults)
    return {file: checked(file, tables, faults) for file, tables in raw.items() if tables is not None}


def checked(file: str, raw: dict[str, Any], faults: list[Fault]) -> Content:
    """Check the shape of every table of a file, as `contents_of`."""
    foreign = sorted(raw.keys() - {"sources", "scores", "constraints"})
    faults += [Fault(file, shown(key), "is no key of this file", "known are sources, scores, constraints") for key in foreign]
    content: Content = {"sources": {}, "scores": {}, "constraints": []}
    shapes: dict[str, type[Table]] = {"sources": SourceTable, "scores": ScoreTable}
    for part, shape in shapes.items():
        for key, entry in _entries(file, raw, part, {}, faults).items():
            place = f"{part}.{shown(key)}"
            faults += id_faults(file, place, key)
            content[part][key] = next(iter(_validated(shape, file, place, entry, faults)), None)
    for position, entry in enumerate(_entries(file, raw, "constraints", [], faults)):
        kind, name = (entry.get("kind"), entry.get("id")) if isinstance(entry, dict) else (None, None)
        place = f"constraints.{shown(name)}" if isinstance(name, str) else f"constraints[{position}]"
        if isinstance(kind, str) and kind in TABLES:
            content["constraints"] += _validated(TABLES[kind], file, place, entry, faults)
        else:
            faults.append(Fault(file, f"{place}.kind", f"{short(kind)} is no kind", nearest(str(kind), TABLES)))
    return content


def _entries(file: str, raw: dict[str, Any], part: str, default: Entries, faults: list[Fault]) -> Entries:
    entries = raw.get(part, default)
    if isinstance(entries, type(default)):
        return entries
    faults.append(Fault(file, part, f"is {short(entries)}", "models/README.md describes it"))
    return default


def _validated(shape: type[Table], file: str, place: str, entry: Any, faults: list[Fault]) -> list[dict[str, Any]]:
    """The values of a table, or nothing if it has a fault."""
    try:
        return [shape.model_validate(entry).model_dump()]
    except ValidationError as error:
        faults += [shape_fault(shape, file, place, entry, item) for item in error.errors(include_url=False)]
        return []
