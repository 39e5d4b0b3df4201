"""The validator's words -> ours: what was found, why it cannot be, what would do."""

import re
from collections.abc import Mapping
from typing import Any

from calfbayes.errors import Fault
from calfbayes.knowledge.blanks import WRONG_KEY, Place
from calfbayes.knowledge.schema import CODE, ID, URL, VERSION, known_keys
from calfbayes.knowledge.wording import nearest, short, shown

BY_TYPE = {
    "missing": ("is missing", "add the key"),
    "extra_forbidden": ("is no key of this table", "{nearest}"),
    "model_type": ("is {given} and no table", "write a table, as in models/README.md"),
    "dict_type": ("is {given} and no table", "write a table, as in models/README.md"),
    "list_type": ("is {given} and no list", "write a list, in square brackets"),
    "float_type": ("is {given} and no number", "write a number, without quotes"),
    "int_type": ("is {given} and no whole number", "write a whole number, without quotes"),
    "string_type": ("is {given} and no text", "write text, in quotes"),
    "finite_number": ("is {given}", "give a finite number"),
    "less_than_equal": ("is {given}", "give a number of at most {le:g}"),
    "greater_than_equal": ("is {given}", "give a number of at least {ge:g}"),
    "too_short": ("holds {actual_length}", "give at least {min_length}"),
    "too_long": ("holds {actual_length}", "give at most {max_length}"),
    "string_too_short": ("is empty", "write something"),
    "string_too_long": ("is too long", "write at most {max_length} characters"),
    "literal_error": ("is {given}", "write {expected}"),
}
OTHERWISE = ("is {given}: {message}", "models/README.md describes this key")
BY_PATTERN = {
    ID: ("{given} is no id", "use small letters, digits and underscores, a letter first"),
    URL: ("{given} is no web address", "begin it with https://, or leave it empty"),
    CODE: ("{given} is no code", "use letters, digits and . : / -"),
    VERSION: ("{given} is no version", "write three numbers, such as 1.0.0"),
}


def shape_fault(shape: Any, file: str, prefix: str, table: Any, item: Mapping[str, Any]) -> Fault:
    """Tell one thing that the validator found.

    Args:
        shape: The class that the table was validated as.
        prefix: Begins the place inside the file.
        table: What was validated.
        item: One of the validator's errors.
    """
    words: dict[str, Any] = {"given": short(item["input"]), "message": item["msg"], **item.get("ctx", {})}
    if item["type"] == "value_error":  # raised in `schema`, in our words
        problem, _, remedy = str(words["error"]).rpartition("; ")
        return Fault(file, _place(prefix, table, item["loc"]), problem, remedy)
    if item["type"] == "extra_forbidden":
        words["nearest"] = nearest(str(item["loc"][-1]), known_keys(shape, item["loc"]))
    problem, remedy = BY_PATTERN.get(words.get("pattern", ""), BY_TYPE.get(item["type"], OTHERWISE))
    return Fault(file, _place(prefix, table, item["loc"]), problem.format(**words), remedy.format(**words))


def id_faults(file: str, place: str, name: str) -> list[Fault]:
    """The fault of a name that is no id, if it is none."""
    problem, remedy = BY_PATTERN[ID]
    return [] if re.fullmatch(ID, name) else [Fault(file, place, problem.format(given=short(name)), remedy)]


def _place(prefix: str, table: Any, path: Place) -> str:
    """The place as a reader finds it: rules by their id, other items of a list by their number."""
    place = prefix
    for part in path:
        if isinstance(part, int):
            if not isinstance(table, list):
                continue  # one text where several may stand counts as a list of one
            table = table[part]
            name = table.get("id") if isinstance(table, dict) else None
            place += f".{shown(name)}" if isinstance(name, str) else f"[{part}]"
        elif part != WRONG_KEY:
            table = table.get(part) if isinstance(table, dict) else None
            place += f".{shown(part)}" if place else shown(part)
    return place
