"""Whatever is typed or piped in: an exit code that is documented and words on the right stream, never a traceback."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calfbayes import load_model
from calfbayes.cli import main

CAR = str(Path(__file__).parent / "car")
IDS = sorted(load_model(CAR)._solved.network.records)
OPTIONS = ["--model", "--setting", "--evidence", "--engine", "--top", "--care", "--json", "--mileage", "--fuel", "--help", "--"]
VALUES = ["garage", "60", "1e999", "-0", "nan", "old", "diesel", "exact", "-", "3", "present", "absent", "unknown", ""]

ids = st.sampled_from(IDS)
values = st.sampled_from(VALUES) | st.floats().map(str) | st.text(max_size=20)
items = (
    ids
    | st.builds("{}:{}".format, st.sampled_from(["no", "unknown", "maybe", ""]), ids)
    | st.builds("{}={}".format, ids | st.text(max_size=5), values)
)
words = items | st.sampled_from(OPTIONS) | values | st.builds("{}={}".format, st.sampled_from(OPTIONS), values)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ids | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
documents = st.fixed_dictionaries(
    {}, optional={"setting": json_values | st.just("garage"), "items": st.dictionaries(ids, json_values, max_size=5)}
)


@pytest.fixture(autouse=True, scope="module")
def small_default_model() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calfbayes.cli.models.DEFAULT_MODEL", CAR)
        yield


def run(argv: list[str], piped: bytes = b"") -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped)))
        code = main(argv)
    return code, out.getvalue(), err.getvalue()


def answered_or_refused(code: int, out: str, err: str) -> None:
    assert "Traceback" not in err
    if code == 0:
        assert out
        assert not err
    else:
        assert code in {1, 2}
        assert err
        assert not out


@given(st.lists(words, max_size=8), st.binary(max_size=50))
@settings(max_examples=120)
def test_diagnose_takes_any_words(argv: list[str], piped: bytes) -> None:
    answered_or_refused(*run(["diagnose", *argv], piped))


@given(st.lists(items, max_size=6))
def test_diagnose_takes_any_items(argv: list[str]) -> None:
    answered_or_refused(*run(["diagnose", *argv]))


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_text_is_a_command_line(argv: list[str]) -> None:
    answered_or_refused(*run(argv))


@given(st.sampled_from(["findings", "causes"]), st.lists(st.text(max_size=20) | ids, max_size=4))
def test_any_words_can_be_searched(command: str, argv: list[str]) -> None:
    answered_or_refused(*run([command, *argv]))


@given(st.text(max_size=60))
def test_any_path_can_be_checked(path: str) -> None:
    answered_or_refused(*run(["check", "--", path]))


@given(json_values | documents)
@settings(max_examples=80)
def test_any_json_can_be_piped_in(document: Any) -> None:
    code, out, err = run(["diagnose", "--evidence", "-", "--json"], json.dumps(document).encode())
    answered_or_refused(code, out, err)
    if code == 0:
        evidence = json.loads(out)["evidence"]
        assert evidence["items"].keys() == document.get("items", {}).keys()


@given(st.binary(max_size=200))
def test_any_bytes_can_be_piped_in(piped: bytes) -> None:
    answered_or_refused(*run(["diagnose", "--evidence", "-"], piped))
