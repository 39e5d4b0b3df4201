"""Whatever stands in a model's files, loading ends in a model that can diagnose, or in a CalfBayesError."""

import copy
import json
import shutil
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import CalfBayesError, load_model

BASE = Path(__file__).parent.parent / "unit" / "bad_models" / "base"
FILES = sorted(path.relative_to(BASE).as_posix() for path in BASE.rglob("*.toml"))
TABLES = {file: tomllib.loads((BASE / file).read_text(encoding="utf-8")) for file in FILES}


def words(value: Any) -> Iterator[str]:
    """Every key and every text of nested tables: what a wrong file is most likely made of."""
    match value:
        case str():
            yield value
        case dict():
            yield from value
            for inner in value.values():
                yield from words(inner)
        case list():
            for inner in value:
                yield from words(inner)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value inside nested tables."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*place, key))


KNOWN_WORDS = sorted(set(words(TABLES)))
PLACES = [place for place in places(TABLES) if len(place) > 1]
NUMBERS = [place for place in PLACES if place[-1] in {"value", "probability", "link"}]

numbers = (
    st.sampled_from([0, 1, -1, 0.5, 1e-300, 1e-12, 1 - 1e-12, 1e9, 1e300, 10**400, 2**63])
    | st.floats()
    | st.floats(min_value=0, max_value=1)
    | st.integers()
)
probabilities = st.sampled_from([0, 1e-300, 1e-12, 0.5, 1 - 1e-12, 1]) | st.floats(0, 1)
texts = st.sampled_from(KNOWN_WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = numbers | texts | st.booleans() | st.just(date(2020, 2, 29))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def toml(value: Any) -> str:
    """A value as TOML; tables inline."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if abs(value) > 2**63:
            return hex(value) if value > 0 else "0"  # only hexadecimal numbers may have thousands of digits
        case str():
            return json.dumps(value, ensure_ascii=True) if value.isascii() and value.isprintable() else quoted(value)
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return str(value)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


def document(table: dict[str, Any]) -> str:
    return "\n".join(f"{quoted(key)} = {toml(inner)}" for key, inner in table.items())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(BASE, tmp_path_factory.mktemp("gate") / "model"))


def check(folder: Path, changed: dict[str, bytes]) -> None:
    """Load the model with some files changed, and put them back."""
    for file, content in changed.items():
        (folder / file).write_bytes(content)
    try:
        model = load_model(folder)
        for evidence in ({}, {"thick_calf": True, "pale_skin": True, "sex": "female"}):
            for cause in model.diagnose(evidence).causes:
                assert 0 <= cause.probability <= 1
    except CalfBayesError as error:
        message = str(error)
        assert message.replace("\n", "").isprintable()
    finally:
        for file in changed:
            shutil.copy(BASE / file, folder / file)


def test_toml_is_written_as_it_was_read(folder: Path) -> None:
    for file, table in TABLES.items():
        assert tomllib.loads(document(table)) == table, file
    check(folder, {file: document(table).encode() for file, table in TABLES.items()})


@given(
    file=st.sampled_from(FILES),
    content=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")),
)
def test_arbitrary_bytes(folder: Path, file: str, content: bytes) -> None:
    check(folder, {file: content})


@given(file=st.sampled_from(FILES), table=st.dictionaries(texts, values, max_size=6))
def test_arbitrary_tables(folder: Path, file: str, table: dict[str, Any]) -> None:
    check(folder, {file: document(table).encode()})


@given(data=st.data(), count=st.integers(1, 3))
def test_arbitrary_mutations(folder: Path, data: st.DataObject, count: int) -> None:
    tables = copy.deepcopy(TABLES)
    changed = set()
    for place in data.draw(st.lists(st.sampled_from(PLACES), min_size=count, max_size=count)):
        holder: Any = tables
        try:
            for part in place[:-1]:
                holder = holder[part]
            if data.draw(st.booleans(), label="delete"):
                del holder[place[-1]]
            else:
                holder[place[-1]] = data.draw(values, label="new value")
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
        changed.add(place[0])
    check(folder, {file: document(tables[file]).encode() for file in changed})


@given(changes=st.dictionaries(st.sampled_from(NUMBERS), probabilities | numbers, min_size=1, max_size=3))
def test_arbitrary_numbers(folder: Path, changes: dict[tuple[Any, ...], float]) -> None:
    tables = copy.deepcopy(TABLES)
    for place, value in changes.items():
        holder: Any = tables
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] = value
        holder.pop("range", None)
        holder["n"] = 20
    check(folder, {place[0]: document(tables[place[0]]).encode() for place in changes})
