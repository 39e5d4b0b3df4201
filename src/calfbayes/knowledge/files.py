"""Model folder -> raw tables. The bytes are untrusted.

Size is bounded, links out of the folder are refused, nothing is executed. A file whose name belongs to no model is a
fault, lest a misspelt name loses a disease.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from calfbayes.errors import Fault
from calfbayes.knowledge.wording import nearest, short, shown

MAX_FILES = 2_000
MAX_FILE_BYTES = 2_000_000
MAX_MODEL_BYTES = 20_000_000
MAX_DOTS_PER_LINE = 100  # the reader needs time with the square of the length of a dotted key

FOLDERS = ("causes", "complications")
FILES = (
    "model.toml",
    "risk_factors.toml",
    "mechanisms.toml",
    "findings.toml",
    "urgency.toml",
    "advice.toml",
    "asking.toml",
    "explanation.toml",
    "sources.toml",
)
OPTIONAL = ("mechanisms.toml", "advice.toml", "asking.toml", "explanation.toml")
READ_ELSEWHERE = ("constraints", "questionnaire.toml")  # stand beside the model and do not change its answers

Raw = dict[str, dict[str, Any] | None]


def names_of_files(folder: Path, faults: list[Fault]) -> tuple[str, ...]:
    """The files of a model by their paths inside the folder; what is missing or of a wrong name is added to the faults."""
    names = tuple(_names(folder, faults))
    faults += [
        Fault(name, "", "is missing", "add it; models/README.md describes each file")
        for name in FILES
        if name not in names and name not in OPTIONAL
    ]
    if not any(name.startswith("causes/") for name in names):
        faults.append(Fault("causes", "", "holds no cause", "add one file a cause, named ID.toml"))
    if len(names) > MAX_FILES:
        faults.append(Fault("causes", "", f"the model has {len(names)} files", f"at most {MAX_FILES} are read"))
    return names[:MAX_FILES]


def read_files(folder: Path, names: Iterable[str], faults: list[Fault]) -> Raw:
    """Read the files of a model; faults are added to the list.

    Returns:
        The table of each file by its path inside the folder; None if the file cannot be read.
    """
    raw: Raw = {}
    left = MAX_MODEL_BYTES
    for name in names:
        text = _text(shown(name), folder / name, min(left, MAX_FILE_BYTES), faults)
        left -= len(text or "")
        raw[name] = None if text is None else _table(shown(name), text, faults)
    return raw


def _names(folder: Path, faults: list[Fault]) -> Iterator[str]:
    """Yield the names of the files that belong to the model: first those of the folder itself."""
    for path in _visible(folder):
        if path.is_dir() and not path.is_symlink():
            _note_folder(path.name, path, (*FOLDERS, *READ_ELSEWHERE), faults)
        elif path.name in FILES:
            yield path.name
        elif path.suffix.lower() == ".toml" and path.name not in READ_ELSEWHERE:
            known = (*FILES, "questionnaire.toml", "constraints/THEME.toml")
            faults.append(Fault(shown(path.name), "", "no file of this name belongs to a model", nearest(path.name, known)))
    for sub in FOLDERS:
        yield from names_within(folder, sub, faults)


def names_within(folder: Path, sub: str, faults: list[Fault]) -> Iterator[str]:
    """Yield the names of all TOML files of a folder in the model's folder; what would be lost is added to the faults."""
    if (folder / sub).is_symlink():
        faults.append(Fault(sub, "", "is a symbolic link", "put the files themselves into the model's folder"))
        return
    for path in _visible(folder / sub):
        name = f"{sub}/{path.name}"
        if path.is_dir() and not path.is_symlink():
            _note_folder(name, path, FOLDERS, faults)
        elif path.suffix == ".toml":
            yield name
        elif path.suffix.lower() == ".toml":
            remedy = nearest(name, [f"{sub}/{path.stem.lower()}.toml"])
            faults.append(Fault(shown(name), "", "no file of this name belongs to a model", remedy))


def _visible(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*"))


def _note_folder(name: str, path: Path, known: Iterable[str], faults: list[Fault]) -> None:
    """A folder of an unknown name whose files would be lost is a fault."""
    if name not in known and any(path.glob("*.toml")):
        faults.append(Fault(shown(name), "", "no folder of this name belongs to a model", nearest(name, known)))


def _text(file: str, path: Path, limit: int, faults: list[Fault]) -> str | None:
    try:
        if path.is_symlink() or not path.is_file():
            faults.append(Fault(file, "", "is no plain file", "put the file itself into the model's folder"))
            return None
        with path.open("rb") as handle:
            data = handle.read(limit + 1)
    except OSError as error:
        faults.append(Fault(file, "", f"cannot be read: {error.strerror}", "make it readable"))
        return None
    if len(data) > limit:
        bounds = f"{MAX_FILE_BYTES} bytes a file and {MAX_MODEL_BYTES} a model"
        faults.append(Fault(file, "", "is too large", f"at most {bounds} are read"))
        return None
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        faults.append(Fault(file, "", f"line {line} is not UTF-8 (byte {data[error.start]:#04x})", "save the file as UTF-8"))
        return None


def _table(file: str, text: str, faults: list[Fault]) -> dict[str, Any] | None:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MAX_DOTS_PER_LINE:
            faults.append(Fault(file, "", f"line {number} holds more than {MAX_DOTS_PER_LINE} dots", "break the line"))
            return None
    try:
        return tomllib.loads(text)
    except RecursionError:
        faults.append(Fault(file, "", "is nested too deeply", "use flat tables as in models/README.md"))
    except ValueError as error:  # TOMLDecodeError is one, and the reader passes on those of int() and date()
        faults.append(_syntax_fault(file, text, str(error)))
    return None


def _syntax_fault(file: str, text: str, message: str) -> Fault:
    """Point at the line; the reader tells it in its message only."""
    position = re.search(r" \((?:at line (\d+), column \d+|at end of document)\)$", message)
    if not position:
        return Fault(file, "", f"is no TOML: {shown(message)}", "mend the syntax")
    lines = text.split("\n")
    number = int(position[1] or len(text.rstrip().split("\n")))
    given = short(lines[number - 1].strip())
    if message.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return Fault(file, "", f"line {number} gives a key or table for the second time: {given}", "keep one of the two")
    problem = f"line {number} is no TOML: {shown(message[: position.start()])} (given: {given})"
    return Fault(file, "", problem, "mend the syntax of this line")
