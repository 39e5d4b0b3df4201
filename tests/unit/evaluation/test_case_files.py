"""Reading published patients: what a case is, and what is said of a file that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from calfbayes import Level
from calfbayes.evaluation.case_files import CaseFileError, read_cases

RECORD: dict[str, Any] = {
    "id": "C1",
    "source": "Roadside reports 1999",
    "url": "https://example.org/c1",
    "kind": "case_report",
    "age": None,
    "sex": None,
    "setting": "garage",
    "risk_factors": {"old_car": True},
    "findings": {"lights_dim": True, "smoke": False},
    "other_findings": ["it rained"],
    "final_diagnosis": "flat_battery",
    "also_present": [],
    "acceptable_top3": ["flat_battery"],
    "true_urgency": "self_care",
    "must_not_miss": False,
    "note": "",
}


def written(folder: Path, *lines: object) -> Path:
    path = folder / "cases.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(CaseFileError) as caught:
        read_cases(path)
    assert str(caught.value).startswith(f"{len(caught.value.faults)} fault")
    return [str(fault) for fault in caught.value.faults]


def test_a_diagnosis_is_given_only_what_was_known_at_the_bedside(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, RECORD))
    assert dict(case.known) == {"old_car": True, "lights_dim": True, "smoke": False}
    assert case.setting == "garage"
    assert case.true_urgency is Level.SELF_CARE


def test_age_and_sex_are_given_if_they_are_known(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, {**RECORD, "age": 67, "sex": "male"}))
    assert dict(case.known) == {"age": 67, "sex": "male", "old_car": True, "lights_dim": True, "smoke": False}


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    line = json.dumps({**RECORD, "note": "one\u2028two"}, ensure_ascii=False)
    (case,) = read_cases(written(tmp_path, line))
    assert case.note == "one\u2028two"


def test_empty_lines_and_a_mark_before_the_text_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    lines = ["", json.dumps(RECORD), "  ", json.dumps({**RECORD, "id": "C2"}), ""]
    path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    assert [case.id for case in read_cases(path)] == ["C1", "C2"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"risk_factors": {"smoke": True}}, "smoke"),
        ({"age": 40, "findings": {"age": True}}, "age"),
    ],
)
def test_what_is_given_in_two_places_is_refused(tmp_path: Path, change: dict[str, Any], name: str) -> None:
    (fault,) = faults(written(tmp_path, {**RECORD, **change}))
    assert f"line 1: {name!r} is given in two places; give it once" in fault


def test_what_stands_twice_in_one_object_is_refused(tmp_path: Path) -> None:
    line = json.dumps(RECORD).replace('"smoke": false', '"smoke": false, "smoke": true')
    (fault,) = faults(written(tmp_path, line))
    assert "'smoke' stands twice" in fault


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", ""),
        ("age", "67"),
        ("age", True),
        ("sex", 1),
        ("risk_factors", ["old_car"]),
        ("findings", {"smoke": None}),
        ("other_findings", "it rained"),
        ("acceptable_top3", [1]),
        ("final_diagnosis", None),
        ("true_urgency", "soon"),
        ("must_not_miss", "no"),
        ("setting", 3),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_would_do(tmp_path: Path, key: str, value: object) -> None:
    (fault,) = faults(written(tmp_path, RECORD, {**RECORD, "id": "C2", key: value}))
    assert f"line 2: {key}: {json.dumps(value)} cannot be; give " in fault


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    short = {key: value for key, value in RECORD.items() if key != "note"}
    found = faults(written(tmp_path, "{", "[1]", {**short, "shoe_size": 43}, RECORD, RECORD))
    assert len(found) == 5
    assert "line 1: is no JSON" in found[0]
    assert "line 2: is no JSON object" in found[1]
    assert "line 3: shoe_size: is no key of a case" in found[2]
    assert "line 3: note: is missing" in found[3]
    assert "'C1' stands more than once" in found[4]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\n"])
def test_a_file_without_cases_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(data)
    assert len(faults(path)) == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path / "none.jsonl")
    assert "cannot be read" in fault
