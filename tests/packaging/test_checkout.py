"""What is kept under version control: the top level holds what a reader looks for, and nothing left behind."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"src", "models", "notebooks", "tests", ".ci"}
FILES = {"pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md", ".gitignore", ".gitattributes"}


def test_the_top_level_holds_only_what_the_project_is_made_of() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = [Path(name) for name in listed.split("\0") if name]
    assert {path.parts[0] for path in tracked if len(path.parts) > 1} == FOLDERS
    assert {path.name for path in tracked if len(path.parts) == 1} == FILES
    assert [path for path in tracked if path.parts[0] == ".ci"] == [Path(".ci/run")]
