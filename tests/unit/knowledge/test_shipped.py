"""Opening a model by name or path; a snapshot is used only while it is of the files beside it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ArgumentError, ModelFileError, NoSuchModelError, load_model
from calfbayes.knowledge import shipped
from calfbayes.knowledge.shipped import SNAPSHOT, fingerprint, open_model, shipped_models, write_snapshot
from calfbayes.model import bases_as_json
from support.models import with_constraints

BASE = Path(__file__).parent.parent / "bad_models" / "base"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped models that holds the tiny one, and is the one in use."""
    shutil.copytree(BASE, tmp_path / "models" / "tiny")
    monkeypatch.setattr(shipped, "models_folder", lambda: tmp_path / "models")
    return tmp_path / "models"


def snapshot_of(folder: Path, **changes: Any) -> None:
    """Write the snapshot that `folder` should have, with some parts changed."""
    model = load_model(folder)
    path = write_snapshot(folder, open_model(folder).content, model.digest, bases_as_json(model))
    if changes:
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_names_of_the_shipped_models(models: Path) -> None:
    (models / "notes").mkdir()
    assert shipped_models() == ("tiny",)


def test_a_fresh_snapshot_is_used(models: Path) -> None:
    plain = load_model("tiny")
    assert open_model("tiny").bases == {}
    snapshot_of(models / "tiny")
    assert set(open_model("tiny").bases) == {"clinic", "home"}
    quick = load_model("tiny")
    assert quick.knowledge == plain.knowledge
    assert quick.digest == plain.digest
    assert quick.diagnose({}).causes == plain.diagnose({}).causes


def test_a_fresh_snapshot_is_believed(models: Path) -> None:
    snapshot_of(models / "tiny", digest="0" * 64)
    assert load_model("tiny").digest == "0" * 64


@pytest.mark.parametrize("file", ["causes/cramp.toml", "sources.toml"])
def test_a_stale_snapshot_is_ignored(models: Path, file: str) -> None:
    snapshot_of(models / "tiny", digest="0" * 64)
    with (models / "tiny" / file).open("a", encoding="utf-8") as handle:
        handle.write("\n# edited\n")
    assert load_model("tiny").digest == load_model(BASE).digest
    assert open_model("tiny").bases == {}


def test_a_snapshot_is_stale_if_a_file_comes_goes_or_is_renamed(models: Path) -> None:
    folder = models / "tiny"
    prints = {fingerprint(folder)}
    shutil.copy(folder / "causes" / "cramp.toml", folder / "causes" / "spasm.toml")
    prints.add(fingerprint(folder))
    (folder / "causes" / "cramp.toml").unlink()
    prints.add(fingerprint(folder))
    (folder / "causes" / "spasm.toml").unlink()
    prints.add(fingerprint(folder))
    assert len(prints) == 4
    with_constraints(folder, "read elsewhere")
    assert fingerprint(folder) in prints


def test_a_model_that_went_wrong_is_not_saved_by_its_snapshot(models: Path) -> None:
    snapshot_of(models / "tiny")
    (models / "tiny" / "findings.toml").unlink()
    with pytest.raises(ModelFileError):
        load_model("tiny")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"files": 1}', "\udcff"])
def test_a_snapshot_that_is_none_is_ignored(models: Path, text: str) -> None:
    (models / "tiny" / SNAPSHOT).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert load_model("tiny").name == "tiny"


def test_a_snapshot_of_an_older_code_is_ignored(models: Path) -> None:
    snapshot_of(models / "tiny", content={"model": {}})
    assert load_model("tiny").digest == load_model(BASE).digest


def test_a_snapshot_in_a_folder_that_is_not_shipped_is_not_trusted(models: Path) -> None:
    snapshot_of(models / "tiny", digest="0" * 64)
    assert load_model(models / "tiny").digest == load_model(BASE).digest


def test_a_model_opens_by_path_as_text_or_path(models: Path) -> None:
    assert open_model(str(models / "tiny")).knowledge == open_model(models / "tiny").knowledge == open_model("tiny").knowledge


@pytest.mark.parametrize("name", ["tiny ", "TINY", "nowhere", "", "tiny/model.toml", "a\0b", "x" * 5_000, "\udcff"])
def test_there_is_no_such_model(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoSuchModelError) as caught:
        open_model(name)
    assert caught.value.shipped == ("tiny",)
    assert "tiny" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert isinstance(caught.value, FileNotFoundError)


def test_a_folder_without_model_toml_is_no_model(models: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoSuchModelError):
        open_model(tmp_path / "empty")


@pytest.mark.parametrize("argument", [None, 3, b"tiny", ["tiny"], 10**5_000], ids=lambda argument: type(argument).__name__)
def test_a_model_is_named_by_text_or_path(argument: Any) -> None:
    with pytest.raises(ArgumentError, match="the name of a shipped model or a path"):
        open_model(argument)
