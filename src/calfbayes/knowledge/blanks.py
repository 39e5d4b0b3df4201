"""What stands where a table is wrong, so that the rest of the model is still checked and every fault comes out at once.

The smallest part that holds a fault of shape is left blank: a number becomes NaN, which no comparison finds at fault,
words become empty, the states of a risk factor become unknown. A fault of meaning inside a blank part is a consequence
and is not told.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from calfbayes.errors import Fault
from calfbayes.knowledge.terms import Level

Place = tuple[int | str, ...]

WRONG_KEY = "[key]"  # how the validator ends the place of a key that is wrong itself

_NUMBER = {"value": math.nan, "link": math.nan, "kind": "judged", "source": []}

# Parts of a table that are left blank one by one: how deep they stand, and what stands there instead.
_PARTS: dict[str, tuple[int, Any]] = {
    "links": (2, _NUMBER),
    "odds": (3, _NUMBER),
    "weight": (2, _NUMBER),
    "settings": (2, {"label": "", "coincidence": _NUMBER}),
    "levels": (2, {"label": "", "action": ""}),
    "rules": (2, {}),
}

# All else is left blank as a whole. The keys of every kind of table stand together here; each kind reads its own.
_BLANK: dict[str, Any] = {
    **{key: {} for key in ("links", "odds", "weight", "settings", "levels", "codes", "scope")},
    **{key: [] for key in ("rules", "synonyms", "implies", "excludes", "states", "not_for")},
    **dict.fromkeys(("label", "description", "question", "group", "unit", "reference", "citation", "url"), ""),
    **dict.fromkeys(("name", "version", "title", "intended_use", "population", "licence", "complaint", "default_setting"), ""),
    "urgency": Level.SELF_CARE,
    "kind": "symptom",
    "observer": "patient",
    "burden": 0,
    "lower_bounds": [math.nan],
    "upper_bound": math.nan,
    "care": {"who": "", "examinations": [], "helps": [], "avoid": [], "come_back": "", "source": []},
    "leak": _NUMBER,
    "prior": [{**_NUMBER, "probabilities": {}}],
    "possible_above": {"source": [], "why": "", "by_urgency": dict.fromkeys(Level, 1.0)},
    "kinds": {},
    "advised": {"leading": 1, "likely": 1.0, "source": [], "why": ""},
    "safety_net": {"together": 1, "by_level": {}},
    "interview": {"floor_from": Level.SAME_DAY, "boxes": 1, "epsilon": 0.5, "checklist": "", "more": ""},
    "caution": None,
    "typicality": None,
    "doubtful_reports": None,
    "words": {},
    "tests": {},
    "probability": [],
    "strength": [],
    "sentences": {},
    "loss": {**_NUMBER, "acted": {acted: dict.fromkeys(Level, 0.0) for acted in Level}},
}


def blanked(table: object, wrong: Collection[Place]) -> dict[str, Any]:
    """A table with the parts that hold these places left blank; what is no table becomes all blank."""
    if not isinstance(table, dict) or () in wrong:
        return dict(_BLANK)
    result: dict[str, Any] = table
    for place in sorted(wrong, key=lambda place: WRONG_KEY in place):  # entries that go for good go last
        top = str(place[0])
        depth, blank = _PARTS.get(top, (1, None))
        if top not in _BLANK:
            continue  # an unknown key: nobody reads it
        if depth > 1 and WRONG_KEY in place[: depth + 1]:
            result = _replaced(result, place[: place.index(WRONG_KEY)], None)
        elif depth > 1 and len(place) >= depth:
            result = _replaced(result, place[:depth], blank)
        else:
            result = _replaced(result, place[:1], _BLANK[top])
    return result


def without_consequences(meaning: Iterable[Fault], shape: Iterable[Fault]) -> list[Fault]:
    """The faults of meaning that stand outside of every place with a fault of shape."""
    blank = {(fault.file, fault.place) for fault in shape}
    return [fault for fault in meaning if not any((fault.file, place) in blank for place in _around(fault.place))]


def _around(place: str) -> Iterator[str]:
    """Yield a place and every place that holds it, the whole file included."""
    yield from ("", place)
    yield from (place[:end] for end, character in enumerate(place) if character in ".[")


def _replaced(value: Any, path: Sequence[int | str], blank: object) -> Any:
    """A copy of nested tables in which `blank` stands at the path, as far as it is still there; None removes the entry."""
    key, *rest = path
    copy = value.copy()
    if rest and key in copy:
        copy[key] = _replaced(copy[key], rest, blank)
    elif rest:
        pass
    elif blank is None:
        copy.pop(key, None)
    else:
        copy[key] = blank
    return copy
