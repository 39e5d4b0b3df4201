"""Model folder -> records: bytes are untrusted, and every fault is told in one error.

Four steps, each a module:

1. `files`: bytes -> raw tables, bounded.
2. `content`: raw tables -> plain values whose shape (`schema`) is right; what is wrong stands blank (`blanks`).
3. `records`: content -> records; nothing can fail there.
4. `checking`: what the records mean to each other.

The digest is SHA-256 over the content with sorted keys, so comments, key order and the way a table is written do not
change it, and any other edit does.
"""

import hashlib
import json
from pathlib import Path

from calfbayes.errors import Fault, ModelFileError
from calfbayes.knowledge import checking
from calfbayes.knowledge.blanks import without_consequences
from calfbayes.knowledge.files import FILES, names_of_files, read_files
from calfbayes.knowledge.records import Content, build
from calfbayes.knowledge.terms import KnowledgeBase

__all__ = ["Content", "digest_of", "knowledge_from_content", "knowledge_from_folder"]


def knowledge_from_folder(folder: Path) -> tuple[KnowledgeBase, Content]:
    """Read and check a model folder.

    Returns:
        The records, and the content they were built from (plain values, shape already checked).

    Raises:
        ModelFileError: If anything is wrong; it lists every fault, sorted by file.
    """
    from calfbayes.knowledge.content import content_of, newer_format  # slow: the validator; not needed with a snapshot

    faults: list[Fault] = []
    names = names_of_files(folder, faults)
    all_there = not faults
    raw = read_files(folder, names, faults)
    newer = newer_format(raw)
    if newer:
        raise ModelFileError(str(folder), (newer,))
    content = content_of(raw, faults)
    if all_there and all(raw[file] is not None for file in FILES if file in raw):  # else the ids of the model are not known
        knowledge = build(content, "" if faults else digest_of(content))
        faults += without_consequences(checking.faults_of(knowledge), faults)
    if faults:
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
