"""Each file of `bad_models` breaks the valid model in `bad_models/base` in the way of its name, and lists the faults."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ModelFileError, load_model

BAD_MODELS = Path(__file__).parent.parent / "bad_models"


def broken(folder: Path, edits: list[dict[str, Any]]) -> Path:
    """A copy of the valid model after some edits."""
    shutil.copytree(BAD_MODELS / "base", folder)
    for edit in edits:
        path = folder / edit["file"]
        path.parent.mkdir(exist_ok=True)
        match edit:
            case {"old": old, "new": new}:
                text = path.read_text(encoding="utf-8")
                assert old in text, f"{old!r} is not in {edit['file']}"
                path.write_text(text.replace(old, new, 1), encoding="utf-8")
            case {"add": text}:
                with path.open("a", encoding="utf-8") as file:
                    file.write(text)
            case {"rename": name}:
                path.rename(folder / name)
            case {"copy_of": name}:
                shutil.copy(folder / name, path)
            case {"hex": digits}:
                path.write_bytes(bytes.fromhex(digits))
            case {"link_to": target}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                path.symlink_to(target)
            case {"remove": True}:
                path.unlink()
            case _:
                raise AssertionError(edit)
    return folder


def test_the_base_is_valid() -> None:
    assert load_model(BAD_MODELS / "base").name == "tiny"


@pytest.mark.parametrize("path", sorted(BAD_MODELS.glob("*.toml")), ids=lambda path: path.stem)
def test_exactly_these_faults(path: Path, tmp_path: Path) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    with pytest.raises(ModelFileError) as caught:
        load_model(broken(tmp_path / path.stem, case["edit"]))
    faults = caught.value.faults
    assert [(fault.file, fault.place) for fault in faults] == [(told["file"], told["place"]) for told in case["fault"]]
    for fault, told in zip(faults, case["fault"], strict=True):
        assert told["problem"] in fault.problem
        assert told["remedy"] in fault.remedy
        assert str(fault) in str(caught.value)
