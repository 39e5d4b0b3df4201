"""Model folder -> records: bytes are untrusted, and every fault is told in one error.

Five steps, each a module:

1. `files`: bytes -> raw tables, bounded.
2. `schema`: raw tables -> content, plain values whose shape is right.
3. `blanks`: what is wrong so far stands blank, so that the next steps can still run.
4. `records`: content -> records; nothing can fail there.
5. `checking`: what the records mean to each other.

The digest is SHA-256 over the content with sorted keys, so comments, key order and the way a table is written do not
change it, and any other edit does.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from calfbayes.errors import Fault, ModelFileError
from calfbayes.knowledge import checking
from calfbayes.knowledge.blanks import blanked, without_consequences
from calfbayes.knowledge.files import FILES, Raw, names_of_files, read_files
from calfbayes.knowledge.records import Content, build
from calfbayes.knowledge.terms import KnowledgeBase
from calfbayes.knowledge.wording import short, shown

__all__ = ["Content", "digest_of", "knowledge_from_content", "knowledge_from_folder"]

TABLES = {"model": "ModelTable", "urgency": "UrgencyTable"}
TABLES_BY_ID = {
    "risk_factors": "RiskFactorTable",
    "mechanisms": "MechanismTable",
    "findings": "FindingTable",
    "sources": "SourceTable",
}
FOLDERS = {"causes": "CauseTable", "complications": "ComplicationTable"}


def knowledge_from_folder(folder: Path) -> tuple[KnowledgeBase, Content]:
    """Read and check a model folder.

    Returns:
        The records, and the content they were built from (plain values, shape already checked).

    Raises:
        ModelFileError: If anything is wrong; it lists every fault, sorted by file.
    """
    faults: list[Fault] = []
    names = names_of_files(folder, faults)
    all_there = not faults
    raw = read_files(folder, names, faults)
    _refuse_a_newer_format(raw, folder)
    content = _content(raw, faults)
    if all_there and all(raw[file] is not None for file in FILES if file in raw):
        knowledge = build(content, "" if faults else digest_of(content))
        faults += without_consequences(checking.faults_of(knowledge), faults)
    if faults:  # without all its files a model's ids are not known, and nearly everything would seem to be at fault
        raise ModelFileError(str(folder), tuple(sorted(faults, key=lambda fault: fault.file)))
    return knowledge, content


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


def _refuse_a_newer_format(raw: Raw, folder: Path) -> None:
    """A newer format is the only fault that is told: all others would be consequences."""
    from calfbayes.knowledge.schema import FORMAT

    given = (raw.get("model.toml") or {}).get("format")
    if isinstance(given, int) and given > FORMAT:
        problem = f"is {short(given)}, newer than this calfbayes, which reads format {FORMAT}"
        raise ModelFileError(str(folder), (Fault("model.toml", "format", problem, "install a newer calfbayes"),))


def _content(raw: Raw, faults: list[Fault]) -> Content:
    """Raw tables -> content; what is wrong is added to the faults and stands blank."""
    from calfbayes.knowledge import schema  # the validator is slow to import, and not needed with a snapshot
    from calfbayes.knowledge.shape_faults import id_faults

    content: Content = {key: {} for key in (*TABLES, *TABLES_BY_ID, *FOLDERS)}
    for file, table in raw.items():
        head, _, tail = file.removesuffix(".toml").partition("/")
        if tail:
            faults += id_faults(shown(file), "", tail)
            content[head][tail] = _validated(getattr(schema, FOLDERS[head]), file, "", table, faults)
        elif head in TABLES:
            content[head] = _validated(getattr(schema, TABLES[head]), file, "", table, faults)
        else:
            for key, entry in (table or {}).items():
                faults += id_faults(file, shown(key), key)
                content[head][key] = _validated(getattr(schema, TABLES_BY_ID[head]), file, shown(key), entry, faults)
    return content


def _validated(shape: Any, file: str, prefix: str, table: Any, faults: list[Fault]) -> dict[str, Any]:
    from pydantic import ValidationError

    from calfbayes.knowledge.shape_faults import shape_fault

    if table is None:  # a file that could not be read, which has been told
        return blanked(table, ())
    try:
        values: dict[str, Any] = shape.model_validate(table).model_dump(exclude_defaults=True)
    except ValidationError as error:
        items = error.errors(include_url=False)
        faults += [shape_fault(shape, shown(file), prefix, table, item) for item in items]
        return blanked(table, [item["loc"] for item in items])
    return values
