"""What is wrong stands blank: it is told where it stands, and nothing else seems to be wrong because of it."""

import copy
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calfbayes.errors import Fault
from calfbayes.knowledge.blanks import without_consequences
from calfbayes.knowledge.checking import faults_of
from calfbayes.knowledge.content import content_of
from calfbayes.knowledge.records import build

BASE = Path(__file__).parent.parent / "bad_models" / "base"
TABLES = {
    path.relative_to(BASE).as_posix(): tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(BASE.rglob("*.toml"))
}

Place = tuple[Any, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of everything inside nested tables, outer before inner."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from places(inner, (*place, key))


def holder_of(tables: Any, place: Place) -> Any:
    for part in place[:-1]:
        tables = tables[part]
    return tables


def faults_by_kind(tables: dict[str, Any]) -> tuple[list[Fault], list[Fault]]:
    """Faults of shape, and faults of meaning that are told beside them."""
    shape: list[Fault] = []
    knowledge = build(content_of(tables, shape), "")
    return shape, without_consequences(faults_of(knowledge), shape)


ALL_PLACES = [place for place in places(TABLES) if len(place) > 1]


@pytest.mark.parametrize("file", TABLES)
def test_a_wrong_value_anywhere_has_no_consequences(file: str) -> None:
    for place in ALL_PLACES:
        if place[0] == file:
            tables = copy.deepcopy(TABLES)
            holder_of(tables, place)[place[-1]] = date(2020, 2, 29)
            shape, meaning = faults_by_kind(tables)
            assert [fault.file for fault in shape] == [file], place
            assert meaning == [], place


@pytest.mark.parametrize("file", TABLES)
def test_a_wrong_key_anywhere_has_no_consequences(file: str) -> None:
    for place in ALL_PLACES:
        if place[0] == file and isinstance(place[-1], str):
            tables = copy.deepcopy(TABLES)
            holder_of(tables, place)["No Id"] = 0
            shape, meaning = faults_by_kind(tables)
            assert {fault.file for fault in shape} == {file}, place
            assert meaning == [], place
