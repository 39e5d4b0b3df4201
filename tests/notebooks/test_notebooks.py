"""Every notebook is kept without outputs and runs from top to bottom."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import calfbayes

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 300  # seconds until a cell that hangs is ended; no demand on speed


def names(path: Path) -> str:
    return path.stem


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_nothing_that_a_run_leaves_behind_is_kept(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert not [cell.id for cell in cells if cell.outputs or cell.execution_count is not None]
    assert not [cell.id for cell in notebook.cells if cell.metadata]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_a_notebook_asks_a_question_and_ends_with_a_conclusion(path: Path) -> None:
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert texts[0].startswith("# ")
    assert "?" in texts[0]
    assert texts[-1].startswith("## Conclusion\n")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    """With the calfbayes of these tests, and without the settings of whoever runs them."""
    notebook = nbformat.read(path, as_version=4)
    package = str(Path(calfbayes.__file__).parents[1])
    settings = {"IPYTHONDIR": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path), "PYTHONPATH": package}
    client = NotebookClient(notebook, timeout=LONGEST_CELL, resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env={**os.environ, **settings})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
