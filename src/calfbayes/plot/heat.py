"""Which findings does each cause or complication bring?"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from calfbayes.arguments import number
from calfbayes.errors import ArgumentError, UnknownNameError
from calfbayes.inference.alone import findings_of_causes
from calfbayes.knowledge.wording import short
from calfbayes.model import Model
from calfbayes.network import Network
from calfbayes.plot.canvas import A_MODEL, canvas, checked_type, figure_of
from calfbayes.plot.room import LABELS, POINTS, SPACING, fitted, keep_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.19  # inches; a label of 8 points fits into it
MARGIN = 3.4
LONGEST = 2.4  # inches of the name of a column


def presentations(
    model: Model,
    *,
    causes: Iterable[str] | None = None,
    findings: Iterable[str] | None = None,
    at_least: float = 0.0,
    ax: "Axes | None" = None,
) -> "Figure":
    """Draw how often each finding shows when one cause is there and no other is, at the reference states of the risk factors.

    A complication is drawn likewise, as if no cause were there.

    Args:
        causes: Ids of causes and complications, drawn from top to bottom; None draws all by group, complications last.
        findings: Ids, drawn from left to right; None draws all that what is drawn here brings about.
        at_least: Findings that nothing drawn here shows so often are left out.
        ax: Axes to draw on; None makes a figure that is large enough for all labels.

    Raises:
        UnknownNameError: If an id is not in the model.
        ArgumentError: If there is nothing to draw, `at_least` is no probability, `model` is no model, the ids are no lists,
            or `ax` is no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    network = checked_type("model", model, Model, A_MODEL)._solved.network
    shown = findings_of_causes(network)
    by_group = [cause.id for cause in sorted(model.causes, key=lambda cause: cause.group)]
    by_group += [complication.id for complication in model.complications]
    rows = _positions(network, range(len(shown)), "cause", by_group if causes is None else causes)
    columns = _positions(network, network.findings, "finding", _brought(network, rows) if findings is None else findings)
    at_least = number("at_least", at_least, "a number from 0 to 1", lambda x: 0 <= x <= 1)
    columns = [column for column in columns if shown[rows, column - network.n_hidden].max(initial=0.0) >= at_least]
    if not rows or not columns:
        raise ArgumentError("causes, findings", "nothing", "at least one cause and one finding")
    values = 100 * shown[np.ix_(rows, [column - network.n_hidden for column in columns])]
    labels = {node: network.records[network.nodes[node].id].label for node in (*rows, *columns)}
    labels |= {node: f"{labels[node]} (complication)" for node in rows if node in network.complications}
    with canvas(ax, max(6.0, MARGIN + CELL * len(columns)), MARGIN + CELL * len(rows)) as room:
        axes = room.axes
        image = axes.imshow(values, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        room.name_rows([labels[node] for node in rows], small=True, lines=1)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        longest = min(LONGEST, LABELS * room.height)
        names = [fitted(labels[node], longest, room.small) for node in columns]
        axes.set_xticks(range(len(columns)), labels=names, rotation=90, fontsize=room.small)
        keep_apart(axes, axes.get_xticklabels(), width=len(columns) * SPACING * room.small / POINTS)
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(len(columns)) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(rows)) - 0.5, minor=True)
        axes.grid(which="minor", color="#d0d0d0", linewidth=0.5)
        axes.tick_params(which="minor", length=0)
        high = max(room.height - longest - 0.9, 0.5)  # of the axes, in inches, about
        bar = axes.inset_axes((0.0, 1.0 + 0.1 / high, min(1.0, 3.0 / room.inner), 0.1 / high))
        figure_of(axes).colorbar(image, cax=bar, orientation="horizontal", ticklocation="top")
        bar.tick_params(labelsize=room.small)
        words = fitted("how often each by itself shows a finding (%)", room.inner, room.size, 3)
        bar.set_title(words, fontsize=room.size, loc="left")
        return figure_of(axes)


def _brought(network: Network, causes: Sequence[int]) -> list[str]:
    """Findings but the complaint that hang on one of these, directly or through a mechanism or a complication."""
    between = {child for cause in causes for child, _ in network.nodes[cause].children if child >= network.n_causes}
    reached = {child for node in between if node < network.n_hidden for child, _ in network.nodes[node].children} | between
    return [network.nodes[node].id for node in network.findings if node in reached and node != network.complaint]


def _positions(network: Network, allowed: range, kind: str, names: Iterable[str]) -> list[int]:
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        raise ArgumentError(f"{kind}s", short(names), "a list of ids")
    positions = []
    for name in names:
        position = network.node_index.get(name, -1) if isinstance(name, str) else -1
        if position not in allowed:
            known = [network.nodes[node].id for node in allowed]
            raise UnknownNameError(
                kind, str(name)[:200], tuple(get_close_matches(str(name)[:200], known)), f"model {network.name}"
            )
        positions.append(position)
    return positions
