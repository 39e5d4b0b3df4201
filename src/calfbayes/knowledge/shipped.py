"""Which models ship, where they lie, and the snapshot that opens them quickly.

A shipped model's `snapshot.json` holds the content of its files, already checked, and the solved bases. It is used only
while the SHA-256 of the files' bytes is the one it was made from; after any edit the files themselves are read and
checked. Only shipped models use it: a snapshot in somebody else's folder is not trusted and not looked at.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from calfbayes.errors import ArgumentError, NoSuchModelError
from calfbayes.knowledge.files import READ_ELSEWHERE
from calfbayes.knowledge.reading import knowledge_from_folder
from calfbayes.knowledge.records import Content, build
from calfbayes.knowledge.terms import KnowledgeBase

PACKAGE = Path(__file__).resolve().parent.parent
SNAPSHOT = "snapshot.json"


@dataclass(frozen=True, eq=False)
class Opened:
    """A model as it was opened.

    Attributes:
        content: Plain values of the files.
        bases: Solved bases by setting as the snapshot holds them (logits, shares, complaint); empty without a snapshot.
        folder: Where the files lie.
    """

    knowledge: KnowledgeBase
    content: Content
    bases: dict[str, Any]
    folder: Path


@cache
def models_folder() -> Path:
    """The folder of the shipped models: inside the package when installed, else in the checkout."""
    inside = PACKAGE / "models"
    return inside if inside.is_dir() else PACKAGE.parent.parent / "models"


def shipped_models() -> tuple[str, ...]:
    """Names of the models that ship."""
    return tuple(sorted(path.parent.name for path in models_folder().glob("*/model.toml")))


def open_model(name_or_path: str | Path) -> Opened:
    """Open a shipped model by name, or any model by the path of its folder.

    Raises:
        NoSuchModelError: If there is none.
        ModelFileError: If its files are wrong.
        ArgumentError: If the argument is neither text nor a path.
    """
    if not isinstance(name_or_path, str | Path):
        raise ArgumentError("model", f"a {type(name_or_path).__name__}", "the name of a shipped model or a path")
    if name_or_path in shipped_models():
        folder = models_folder() / str(name_or_path)
        return _from_snapshot(folder) or Opened(*knowledge_from_folder(folder), {}, folder)
    folder = Path(name_or_path)
    try:
        found = (folder / "model.toml").is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise NoSuchModelError(str(name_or_path)[:200], shipped_models())
    return Opened(*knowledge_from_folder(folder), {}, folder)


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of a model's TOML files, as hexadecimal digits."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*.toml") if path.relative_to(folder).parts[0] not in READ_ELSEWHERE):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def write_snapshot(folder: Path, content: Content, digest: str, bases: dict[str, Any]) -> Path:
    """Write the snapshot of a shipped model; returns its path."""
    path = folder / SNAPSHOT
    document = {"files": fingerprint(folder), "digest": digest, "bases": bases, "content": content}
    path.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def _from_snapshot(folder: Path) -> Opened | None:
    """What the snapshot holds, or None if it is of other files or of an older code."""
    try:
        document = json.loads((folder / SNAPSHOT).read_text(encoding="utf-8"))
        if document["files"] != fingerprint(folder):
            return None
        return Opened(build(document["content"], document["digest"]), document["content"], document["bases"], folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
