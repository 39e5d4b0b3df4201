"""How does the network hang together, and which part of it speaks about one patient?

Roles stand in columns from left to right: risk factors, causes, mechanisms and complications, findings. Arcs lead to the
right; one within a column has an arrowhead. What cannot be observed has a broken edge. The complaint, which
every cause brings, is left out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from calfbayes.adapters.graph import to_networkx
from calfbayes.arguments import whole_number
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.model import Model
from calfbayes.plot.canvas import (
    A_MODEL,
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    canvas,
    checked_type,
    figure_of,
    with_posteriors,
)
from calfbayes.plot.layers import COLUMN, rows
from calfbayes.plot.room import POINTS, SIZE, SLACK, SPACING, before_drawing, fitted, width_of
from calfbayes.presentation.facts import fact, headline, kind_of
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

FONT, HEAD_FONT = 7.0, 8.0  # points
TOP, BOTTOM = 45 / POINTS, 24 / POINTS  # inches for heads and a title of one line, and for the legend
BOLD = 1.15  # how much wider bold text is, about
GAP = 1.3  # inches between columns
LABEL = 2.8  # inches
HEAD = 0.08  # inches, of an arrow
LEAST_TITLE, TITLE_LINES = 6.0, 3  # inches that a title may take at least, and lines
HEADS = ("Risk factors", "Causes", "Mechanisms, complications", "Findings")
INFERRED = {"cause", "complication", "mechanism"}
PALE = {BLUE: "#d9e9f4", VERMILLION: "#fbe1d0", ORANGE: "#fbeecb", PURPLE: "#f3e3ec", GREY: "#ffffff"}
STATES = {"Patient": (VERMILLION, ""), "Present": (VERMILLION, "+ "), "Absent": (BLUE, "\N{MINUS SIGN} ")}
STATES |= {"Doubtful": (ORANGE, "? "), "Not known": (GREY, "? ")}


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        graph: Nodes have `role`, `text` and `colour`; arcs have `influence` (0 to 1) and `colour`.
        legend: Words and their colours; may be empty.
        pitch: Points from row to row in the fullest column.
        faint: Width in points and opacity of an arc without influence, and what full influence adds to each.
    """

    graph: "nx.DiGraph[str]"
    title: str
    legend: Mapping[str, str]
    pitch: float
    faint: tuple[tuple[float, float], tuple[float, float]]


def network(model: Model, *, ax: "Axes | None" = None) -> "Figure":
    """Draw the whole network of a model.

    An arc is as wide as its link probability; that of a risk factor, as the logarithm of the odds ratio that is farthest
    from 1 (full width at 10 or 1/10).

    Args:
        ax: Axes to draw on; None makes a figure that is large enough for all labels.

    Raises:
        ArgumentError: If `model` is no model, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    graph = _without_complaint(checked_type("model", model, Model, A_MODEL)._solved.network)
    colours = {"risk_factor": ORANGE, "cause": VERMILLION, "complication": VERMILLION, "mechanism": PURPLE, "finding": BLUE}
    for name, data in graph.nodes(data=True):
        data |= {"text": fitted(data["label"], LABEL, FONT), "colour": colours[data["role"]], "name": name}
    for parent, _, data in graph.edges(data=True):
        data |= {"influence": _strength(data), "colour": graph.nodes[parent]["colour"]}
    title = f"{model.knowledge.title}: {len(graph)} nodes, {graph.number_of_edges()} arcs"
    crowd = min(1.0, 150 / (1 + graph.number_of_edges()))  # many arcs are drawn finer, else they hide each other
    return _drawn(Drawing(graph, title, {}, 12.5, ((0.3, 0.8 + 2.2 * crowd), (0.1 + 0.2 * crowd, 0.45))), ax)


def patient_network(result: Diagnosis, *, top: int = 6, ax: "Axes | None" = None) -> "Figure":
    """Draw the part of the network that speaks about a patient: the answers, the likeliest causes, and what joins them.

    An arc is as wide as the probability that its parent is there and turns its child on (through a mechanism: along the
    strongest way); that of a risk factor, as in `network`, for the state of this patient. Arcs have the colour of the
    answer that they lead to or come from; between what is inferred they are grey.

    Args:
        top: How many causes; causes without an answer in their neighbourhood are drawn all the same.
        ax: Axes to draw on; None makes a figure that is large enough for all labels.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        ArgumentError: If `top` is no whole number from 1, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    graph = _active(with_posteriors(result), whole_number("top", top, 1))
    for name, data in graph.nodes(data=True):
        data.update(_patient_node(result, name, data))
    for parent, child, data in graph.edges(data=True):
        data |= {"influence": _patient_influence(result, graph, parent, child), "colour": _arc_colour(graph, parent, child)}
    legend = {"present, or a state": VERMILLION, "absent": BLUE, "doubtful": ORANGE, "inferred": PURPLE}
    if GREY in {colour for *_, colour in graph.edges(data="colour")}:
        legend["grey arc: between what is inferred"] = GREY
    return _drawn(Drawing(graph, headline(result), legend, 20, ((0.6, 5.0), (0.5, 0.4))), ax)


def _without_complaint(solved: Any) -> "nx.DiGraph[str]":
    graph = to_networkx(solved)
    graph.remove_node(solved.knowledge.complaint)
    return graph


def _strength(arc: dict[str, Any], state: str | None = None) -> float:
    """How strong an arc is, from 0 to 1; of a risk factor in one state, or at its strongest."""
    if "odds_ratios" not in arc:
        return float(arc.get("link", 0.0))
    ratios = arc["odds_ratios"]
    chosen = list(ratios.values()) if state is None else [ratios.get(state, 1.0)]
    return max(min(1.0, abs(log(ratio)) / log(10)) if ratio > 0 else 1.0 for ratio in chosen)


# --- one patient -----------------------------------------------------------------------------------------------------


def _active(result: Diagnosis, top: int) -> "nx.DiGraph[str]":
    """The answers, the likeliest causes, and the mechanisms and complications on a way from these to an answer."""
    import networkx as nx

    graph = _without_complaint(result._solved.network)
    role = dict(graph.nodes(data="role"))
    answers = {name for name, value in result.evidence.items() if name in graph and value is not None}
    causes = {entry.id for entry in result.causes[:top]}
    between = {
        name
        for name in graph
        if role[name] in {"mechanism", "complication"}
        and not causes.isdisjoint(graph.predecessors(name))
        and not answers.isdisjoint(graph.successors(name))
    }
    kept = answers | causes | between
    found: nx.DiGraph[str] = nx.DiGraph()  # in the order of the model: that of `subgraph` is that of a set, another in each run
    found.add_nodes_from((name, data) for name, data in graph.nodes(data=True) if name in kept)
    found.add_edges_from((a, b, data) for a, b, data in graph.edges(data=True) if a in kept and b in kept)
    states = result.evidence.risk_states
    idle = [arc for arc in found.edges if role[arc[0]] == "risk_factor" and _strength(found.edges[arc], states[arc[0]]) == 0]
    found.remove_edges_from(idle)
    return found


def _patient_node(result: Diagnosis, name: str, data: dict[str, Any]) -> dict[str, Any]:
    evidence = result.evidence
    if name in evidence:
        colour, sign = STATES[kind_of(evidence[name])]
        words = f"{sign}{fact(result._solved.network.records[name], evidence[name])}"
        return {"text": fitted(words, LABEL, FONT), "colour": colour}
    chance = "" if data["role"] == "mechanism" else f"  {percent(result[name].probability)}"
    return {"text": f"{fitted(data['label'], LABEL, FONT)}{chance}", "colour": PURPLE}


def _patient_influence(result: Diagnosis, graph: "nx.DiGraph[str]", parent: str, child: str) -> float:
    role, arc = graph.nodes[parent]["role"], graph.edges[parent, child]
    if role == "risk_factor":
        return _strength(arc, result.evidence.risk_states[parent])
    if role == "mechanism":
        ways = [_patient_influence(result, graph, cause, parent) for cause in graph.predecessors(parent)]
        return float(arc["link"] * max(ways, default=0.0))
    return float(arc["link"] * result[parent].probability)


def _arc_colour(graph: "nx.DiGraph[str]", parent: str, child: str) -> str:
    ends = {graph.nodes[end]["role"]: graph.nodes[end]["colour"] for end in (parent, child)}
    return str(ends.get("finding") or ends.get("risk_factor") or GREY)


# --- drawing ---------------------------------------------------------------------------------------------------------


def _drawn(drawing: Drawing, ax: "Axes | None") -> "Figure":
    """Draw with inches as coordinates; on axes that are given, everything shrinks or grows together."""
    from matplotlib.collections import PathCollection, PolyCollection

    graph = drawing.graph
    height = rows(graph)
    widths = {name: _width(data["text"]) for name, data in graph.nodes(data=True)}
    column = {name: COLUMN[role] for name, role in graph.nodes(data="role")}
    columns = sorted(set(column.values()))
    middle, total = {}, 0.15
    for k in columns:
        breadth = max([widths[name] for name in graph if column[name] == k] + [width_of(HEADS[k], HEAD_FONT, "bold")])
        middle[k] = total + breadth / 2
        total += breadth + GAP
    total = max(total + 0.15 - GAP, 0.15 + sum(_width(words) + 0.15 for words in drawing.legend))
    title = fitted(drawing.title, max(total - 0.3, LEAST_TITLE) / BOLD, SIZE, TITLE_LINES)
    total = max(total, *(0.3 + width_of(line, SIZE, "bold") for line in title.split("\n")))
    top = TOP + title.count("\n") * SPACING * SIZE / POINTS
    deep = max(Counter(column.values()).values()) * drawing.pitch / POINTS
    foot = top + deep + (BOTTOM if drawing.legend else 0)
    y = {name: top + height[name] * deep for name in graph}
    with canvas(ax, total, foot, margins=False) as room:
        axes = room.axes
        scale = min(room.width / total, room.height / foot)
        axes.set(xlim=(0, total), ylim=(foot, 0))
        axes.set_axis_off()
        arcs = graph.edges(data=True)
        starts = [(middle[column[a]] + widths[a] / 2, y[a]) for a, _, _ in arcs]
        bulging = [column[a] == column[b] for a, b, _ in arcs]
        ends = [
            (middle[column[b]] + (widths[b] if bulges else -widths[b]) / 2, y[b])
            for (_, b, _), bulges in zip(arcs, bulging, strict=True)
        ]
        (thin, thickening), (pale, darkening) = drawing.faint
        lines = PathCollection(
            [_curve(*curve) for curve in zip(starts, ends, bulging, strict=True)],
            facecolors="none",
            edgecolors=[data["colour"] for _, _, data in arcs],
            linewidths=[(thin + thickening * data["influence"]) * scale for _, _, data in arcs],
            alpha=[pale + darkening * data["influence"] for _, _, data in arcs] or None,
        )
        axes.add_collection(lines, autolim=False)
        within = [k for k, bulges in enumerate(bulging) if bulges]  # others all lead to the right
        heads = PolyCollection(
            [[ends[k], (ends[k][0] + HEAD, ends[k][1] - HEAD / 2), (ends[k][0] + HEAD, ends[k][1] + HEAD / 2)] for k in within],
            facecolors=[colour for k, (*_, colour) in enumerate(graph.edges(data="colour")) if k in within],
            linewidths=0,
        )
        axes.add_collection(heads, autolim=False)
        for name, data in graph.nodes(data=True):
            _box(axes, middle[column[name]], y[name], data["text"], data["colour"], scale, inferred=data["role"] in INFERRED)
        for k in columns:
            axes.text(middle[k], top - 15 / POINTS, HEADS[k], size=HEAD_FONT * scale, weight="bold", ha="center", va="center")
        axes.text(0.15, 5 / POINTS, title, size=SIZE * scale, weight="bold", va="top")
        x = 0.15
        for words, colour in drawing.legend.items():
            _box(axes, x + _width(words) / 2, foot - 12 / POINTS, words, colour, scale, inferred=words == "inferred")
            x += _width(words) + 0.15
        _keep_in_proportion(axes, scale, total, foot)
        return figure_of(axes)


def _box(axes: "Axes", x: float, y: float, text: str, colour: str, scale: float, *, inferred: bool) -> None:
    box: dict[str, Any] = {"boxstyle": "round,pad=0.25", "facecolor": PALE[colour], "edgecolor": colour}
    box |= {"linewidth": 0.8 * scale, "linestyle": (0, (3, 1.5)) if inferred else "-"}
    axes.text(x, y, text, size=FONT * scale, color=BLACK, ha="center", va="center", bbox=box)


def _width(text: str) -> float:
    """Width of a label with its box, in inches."""
    return width_of(text.replace(r"\$", "$"), FONT) / SLACK + FONT / POINTS  # arcs begin at the edge


def _keep_in_proportion(axes: "Axes", drawn: float, width: float, height: float) -> None:
    """Let texts and lines follow the axes when a layout gives these another size than they were drawn for."""
    sizes = [(text, float(text.get_fontsize()) / drawn) for text in axes.texts]
    widths = [(lines, np.atleast_1d(lines.get_linewidth()) / drawn) for lines in axes.collections]

    def follow() -> None:
        box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
        scale = min(box.width / width, box.height / height)
        for text, size in sizes:
            text.set_fontsize(size * scale)
        for lines, thick in widths:
            lines.set_linewidth((thick * scale).tolist())

    for text in axes.texts:
        text.set_in_layout(False)  # else boxes at the edge would move it
    before_drawing(axes, follow)


def _curve(start: tuple[float, float], end: tuple[float, float], bulges: bool) -> "Path":
    from matplotlib.path import Path

    bend = 0.6 if bulges else (end[0] - start[0]) / 2
    controls = [start, (start[0] + bend, start[1]), (end[0] + (bend if bulges else -bend), end[1]), end]
    return Path(controls, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
