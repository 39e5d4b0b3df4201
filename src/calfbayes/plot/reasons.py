"""Why is a cause as probable as it is?"""

from math import isfinite, log10
from typing import TYPE_CHECKING

from calfbayes.arguments import whole_number
from calfbayes.errors import ArgumentError
from calfbayes.explanation.ledger import Certainty, Ledger
from calfbayes.plot.canvas import BLACK, BLUE, GREY, VERMILLION, canvas, checked_type, figure_of
from calfbayes.plot.room import width_of
from calfbayes.presentation.plain import percent
from calfbayes.presentation.reasons import Names, what_it_does

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.32  # inches
DECIDES = 12.0  # decibans; as far a bar of infinite weight is drawn
TICKS = (0.5, 0.1, 0.9, 0.01, 0.99, 0.001, 0.999, 0.3, 0.7, 0.03, 0.97, 0.003, 0.997, 0.2, 0.8, 0.05, 0.95, 0.4, 0.6)


def waterfall(ledger: Ledger, *, top: int = 12, ax: "Axes | None" = None) -> "Figure":
    """Draw how the answers lead from the share of a cause to its probability, on the scale of odds.

    A bar to the right speaks for the cause, to the left against it; it is as long as the odds are multiplied. An answer that
    rules the cause out, or leaves no other, is drawn to the edge.

    Args:
        ledger: Of `result.explain`.
        top: How many answers, the weightiest; the others are drawn as one.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If the cause is not weighed in this care setting, `top` is no whole number from 1, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    if checked_type("ledger", ledger, Ledger, "what result.explain gives").certainty == Certainty.OUTSIDE_SETTING:
        raise ArgumentError("ledger", f"of {ledger.label}, which is not weighed in this setting", "that of another cause")
    names = Names(ledger._result)
    shown = ledger.weights if len(ledger.weights) <= whole_number("top", top, 1) else ledger.weights[:top]
    steps = [(names.fact(w.id, w.value), w.decibans) for w in shown]
    if rest := ledger.weights[len(shown) :]:
        steps.append((f"{len(rest)} more answers", sum(weight.decibans for weight in rest)))
    at = [ledger.share_decibans]
    for _, decibans in steps:
        at.append(at[-1] + (decibans if isfinite(decibans) else DECIDES if decibans > 0 else -DECIDES))
    last = len(steps) + 1
    with canvas(ax, 7, 1.2 + ROW * (last + 1)) as room:
        axes = room.axes
        for row, (_, decibans) in enumerate(steps, start=1):
            start, end = at[row - 1], at[row]
            axes.barh(row, end - start, left=start, height=0.62, color=BLUE if end >= start else VERMILLION)
            axes.annotate(
                what_it_does(decibans, "odds"),
                (max(start, end), row),
                (5, 0),
                textcoords="offset points",
                va="center",
                size=room.small,
            )
        for row, x in enumerate(at):
            axes.plot([x, x], [row, row + 1], color=GREY, linewidth=0.8, zorder=0)
        for row, x, chance in ((0, at[0], ledger.share), (last, at[-1], ledger.probability)):
            axes.plot(x, row, marker="D", markersize=6, color=BLACK, linestyle="")
            axes.annotate(
                percent(chance), (x, row), (8, 0), textcoords="offset points", va="center", weight="bold", size=room.size
            )
        low, high = min(at), max(at)
        breadth = max(high - low, 6.0)
        axes.set_xlim(low - 0.06 * breadth, high + 0.36 * breadth)  # what stands beside the last bar needs room
        room.name_rows(["before anything was known", *(name for name, _ in steps), "now"])
        axes.set_ylim(last + 0.6, -0.6)
        _probability_ticks(axes, 1.3 * width_of("99.9 %", room.size) / room.inner)
        room.beside(axes.texts)
        room.label_x("probability, on the scale of odds; right: for it, left: against it", dense=True)
        room.title(ledger.label)
        return figure_of(axes)


def _probability_ticks(axes: "Axes", apart: float) -> None:
    """Ticks at round probabilities, the roundest first, each only where there is room for it: so much of the axis."""
    low, high = axes.get_xlim()
    places: dict[float, float] = {}
    for p in TICKS:
        x = 10 * log10(p / (1 - p))
        if low <= x <= high and all(abs(x - other) > apart * (high - low) for other in places):
            places[x] = p
    axes.set_xticks(sorted(places), labels=[f"{100 * places[x]:g} %" for x in sorted(places)])
