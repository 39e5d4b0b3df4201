"""The bytes of a model are untrusted: what is too large, too deep or lies elsewhere is refused before it is read."""

import os
import shutil
from pathlib import Path

import pytest

from calfbayes import ModelFileError, load_model
from calfbayes.errors import Fault
from calfbayes.knowledge import files
from support.models import with_constraints

BASE = Path(__file__).parent.parent / "bad_models" / "base"
CRAMP = "causes/cramp.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "model"))


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(ModelFileError) as caught:
        load_model(folder)
    return caught.value.faults


def prepend(path: Path, text: str) -> None:
    path.write_text(text + path.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = " + "[" * 5_000 + "\n", "is nested too deeply"),
        ("x = " + "{a=" * 5_000 + "\n", "is nested too deeply"),
        ("a" + ".a" * 101 + " = 1\n", "line 1 holds more than 100 dots"),
        ("x = " + "9" * 5_000 + "\n", "Exceeds the limit"),
        ("x = 2020-02-30\n", "line 1 is no TOML"),
        ("\x00\n", "line 1 is no TOML"),
        ("#" * files.MAX_FILE_BYTES + "\n", "is too large"),
    ],
    ids=["arrays", "tables", "dots", "digits", "date", "nul", "size"],
)
def test_files_that_are_not_worth_reading(folder: Path, text: str, problem: str) -> None:
    prepend(folder / CRAMP, text)
    (fault,) = faults_of(folder)
    assert (fault.file, fault.place) == (CRAMP, "")
    assert problem in fault.problem
    assert len(str(fault)) < 300


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_line_is_named_when_the_file_breaks_off(folder: Path, end: str) -> None:
    (folder / CRAMP).write_text(f'label = "Cramp"\ncare{end}', encoding="utf-8")
    (fault,) = faults_of(folder)
    assert fault.problem.startswith("line 2 is no TOML: Expected '=' after a key")
    assert fault.problem.endswith("(given: 'care')")


@pytest.mark.parametrize("table", ["findings", "mechanisms"])
def test_numbers_that_python_refuses_to_print(folder: Path, table: str) -> None:
    prepend(folder / f"{table}.toml", "x = 0x" + "f" * 5_000 + "\n")
    (fault,) = faults_of(folder)
    assert (fault.file, fault.place, fault.problem) == (f"{table}.toml", "x", "is a huge number and no table")


def test_tables_that_are_deeper_than_any_of_ours(folder: Path) -> None:
    path = "x" + ".a" * 99
    with (folder / CRAMP).open("a", encoding="utf-8") as file:
        file.write(f"[{path}]\n{path} = {{ a = [[[[[[1]]]]]] }}\n")
    (fault,) = faults_of(folder)
    assert (fault.place, fault.problem) == ("x", "is no key of this table")


def test_a_model_that_is_too_large_as_a_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(len(path.read_text(encoding="utf-8")) for path in folder.rglob("*.toml"))
    monkeypatch.setattr(files, "MAX_MODEL_BYTES", size)
    assert load_model(folder).name == "tiny"
    monkeypatch.setattr(files, "MAX_MODEL_BYTES", size - 1)
    assert "is too large" in {fault.problem for fault in faults_of(folder)}


def test_too_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    assert [fault.problem for fault in faults_of(folder)] == ["the model has 10 files"]


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / CRAMP).unlink()
    os.mkfifo(folder / CRAMP)
    assert [(fault.file, fault.problem) for fault in faults_of(folder)] == [(CRAMP, "is no plain file")]


def test_a_link_is_refused_even_if_it_dangles(folder: Path) -> None:
    (folder / CRAMP).unlink()
    (folder / CRAMP).symlink_to("/nowhere/at/all.toml")
    assert [(fault.file, fault.problem) for fault in faults_of(folder)] == [(CRAMP, "is no plain file")]


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "findings.toml").unlink()
    (folder / "findings.toml").mkdir()
    assert [(fault.file, fault.problem) for fault in faults_of(folder)] == [("findings.toml", "is missing")]


def test_hidden_files_and_other_files_are_left_alone(folder: Path) -> None:
    (folder / "causes" / "._cramp.toml").write_bytes(b"\x00\x05\x16\x07")
    (folder / "causes" / "cramp.toml~").write_text("an editor's copy", encoding="utf-8")
    with_constraints(folder, "read elsewhere")
    (folder / "notes").mkdir()
    (folder / "notes" / "README.md").write_text("notes", encoding="utf-8")
    assert load_model(folder) == load_model(BASE)


def test_a_file_beside_the_folder_that_it_belongs_into(folder: Path) -> None:
    (folder / "constraints.toml").write_text("", encoding="utf-8")
    (fault,) = faults_of(folder)
    assert fault.problem == "no file of this name belongs to a model"
    assert fault.remedy.startswith("nearest: constraints/THEME.toml")


def test_folders_inside_the_folder_of_the_causes_would_be_lost(folder: Path) -> None:
    (folder / "causes" / "rare").mkdir()
    shutil.move(folder / CRAMP, folder / "causes" / "rare" / "cramp.toml")
    assert [(fault.file, fault.problem) for fault in faults_of(folder)] == [
        ("causes/rare", "no folder of this name belongs to a model")
    ]


def test_names_that_a_terminal_would_obey_are_shown_escaped(folder: Path) -> None:
    (folder / "causes" / "\x1b[2J.toml").write_text("", encoding="utf-8")
    assert all(fault.file.isprintable() and str(fault).isprintable() for fault in faults_of(folder))
    assert r"'causes/\x1b[2J.toml'" in {fault.file for fault in faults_of(folder)}


def test_names_that_are_no_unicode_are_shown_escaped(folder: Path) -> None:
    (folder / "causes" / os.fsdecode(b"\xff.toml")).write_text("", encoding="utf-8")
    text = "\n".join(map(str, faults_of(folder)))
    assert r"\udcff" in text
    assert text.encode()
