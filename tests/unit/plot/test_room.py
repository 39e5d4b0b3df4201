"""Texts of any length keep within the figure, and on axes that are given within their cell."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure, SubFigure

from calfbayes import Diagnosis, Likelihood, Model, load_model, plot
from calfbayes.audit.comparison import compare
from calfbayes.audit.table import Figure as Row
from calfbayes.audit.table import Kind, Population
from calfbayes.plot.room import SLACK, cell_of, fitted, width_of
from support.models import model_of
from support.pictures import illegible, shown_texts

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
LONG = {
    "one_word": "WWWWWWWWWW" * 15,
    "words": "A name that somebody wrote who did not know how long a name of a finding or of a cause ought to be, " * 2,
}
ROW = Row("r", Kind.SENSITIVITY, ("a",), "b", "", Population("p", "here", "", ""), 0.5, 0.4, 0.6, "verified", "", "", "")


@cache
def model(kind: str) -> Model:
    content = copy.deepcopy(CAR._content)
    for group in ("causes", "findings", "complications", "mechanisms", "risk_factors"):
        for record in content[group].values():
            record["label"] = LONG[kind]
            if "question" in record:
                record["question"] = LONG[kind]
    for level in content["urgency"]["levels"].values():
        level["label"] = LONG[kind]
    content["model"]["title"] = LONG[kind]
    return model_of(content)


@cache
def result(kind: str) -> Diagnosis:
    given = {"smell_of_fuel": True, "mileage": 160, "lights_dim": False, "smoke": Likelihood(2)}
    return model(kind).diagnose(given, setting="garage")


@cache
def figures(kind: str) -> dict[str, Callable[..., Figure]]:
    """The figures whose texts come from a model, and one whose texts are our own."""
    of_all = replace(result(kind).sensitivity(of="leaking_fuel_line"), quantity=LONG[kind])
    first = of_all.effects[0]
    lost = replace(of_all, effects=(replace(first, place=LONG[kind], at_high=None), *of_all.effects[1:6]))
    intervals = result(kind).intervals()
    ledger = result(kind).explain("leaking_fuel_line")
    questions = model(kind).diagnose({"lights_dim": True}).next_questions()
    return {
        "causes": lambda **more: plot.causes(result(kind), intervals=intervals, **more),
        "waterfall": lambda **more: plot.waterfall(ledger, **more),
        "tornado": lambda **more: plot.tornado(lost, **more),
        "next_questions": lambda **more: plot.next_questions(questions, **more),
        "presentations": lambda **more: plot.presentations(model(kind), **more),
        "network": lambda **more: plot.network(model(kind), **more),
        "patient_network": lambda **more: plot.patient_network(result(kind), **more),
        "audit": lambda **more: plot.audit([compare(ROW, 0.55), compare(ROW, 0.9)], **more),
    }


NAMES = ("causes", "waterfall", "tornado", "next_questions", "presentations", "network", "patient_network", "audit")


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("name", NAMES)
def test_long_labels_keep_within_a_figure_of_its_own(name: str, kind: str) -> None:
    assert not illegible(figures(kind)[name]())


@pytest.mark.parametrize("size", [(14, 10), (9, 7)], ids=["large", "small"])
@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("names", [NAMES[:4], NAMES[4:]], ids=["bars", "others"])
def test_long_labels_keep_within_the_cells_of_a_grid(names: Any, kind: str, layout: Any, size: tuple[int, int]) -> None:
    figure = Figure(figsize=size, layout=layout)
    grid = figure.subplots(2, 2).flat
    for name, axes in zip(names, grid, strict=True):
        assert figures(kind)[name](ax=axes) is figure
    assert len(shown_texts(figure)) > 40
    assert not illegible(figure)


def test_neighbours_of_any_kind_are_left_alone() -> None:
    figure = Figure(figsize=(11, 7))
    spans = figure.add_gridspec(2, 3)
    upper, lower = figure.add_subplot(spans[0, :2]), figure.add_subplot(spans[1, 1:])
    free = figure.add_axes((0.72, 0.55, 0.27, 0.4))
    inner = figure.add_subplot(spans[1, 0].subgridspec(2, 1)[0])
    for axes, name in ((upper, "causes"), (lower, "tornado"), (free, "waterfall"), (inner, "causes")):
        cell = cell_of(axes).transformed(figure.transFigure)
        figures("words")[name](ax=axes)
        taken = axes.get_tightbbox()
        assert taken is not None
        assert cell.padded(1).contains(*taken.min)
        assert cell.padded(1).contains(*taken.max)
    assert not illegible(figure)


def test_part_of_a_figure_is_a_figure_too() -> None:
    figure = Figure(figsize=(12, 5))
    parts: Any = figure.subfigures(1, 2)
    right: SubFigure = parts[1]
    assert figures("words")["causes"](ax=right.subplots(1, 1)) is figure
    assert min(box.x0 for _, box in shown_texts(figure)) > right.bbox.x0
    assert not illegible(figure)


def test_texts_are_wrapped_at_words_and_cut_only_at_the_end() -> None:
    text = "one calf swollen and tender"
    lines = fitted(text, 0.9, 9, 5).split("\n")
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(width_of(line, 9) <= 0.9 for line in lines)
    assert fitted(text, 0.9, 9, 5).count("…") == 0
    cut = fitted(text, 0.9, 9, 2).split("\n")
    assert len(cut) == 2
    assert cut[0] == lines[0]
    assert cut[1].endswith("…")
    assert all(width_of(line, 9) <= 0.9 for line in cut)
    assert fitted("", 1, 9) == ""
    assert fitted("wide", 0.01, 9) == "w…"[:1] + "…"


def test_a_measured_width_is_that_of_the_drawn_text() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(8, 1), dpi=100)
    text = figure.text(0, 0.5, "Narrowing of the spinal canal", size=9)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    drawn = text.get_window_extent(renderer).width / 100
    assert drawn <= width_of(text.get_text(), 9) <= SLACK * drawn * 1.03
