"""Why is a cause as probable as it is?"""

from itertools import accumulate
from math import inf, isfinite, isinf, log10
from typing import TYPE_CHECKING, Any

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
WORDS = 0.36  # of the breadth, for what stands beside a bar
EDGE = 0.2  # of the breadth, to the edge from what can be reached without an answer that decides
TICKS = (0.5, 0.1, 0.9, 0.01, 0.99, 0.001, 0.999, 0.3, 0.7, 0.03, 0.97, 0.003, 0.997, 0.2, 0.8, 0.05, 0.95, 0.4, 0.6)


def waterfall(ledger: Ledger, *, top: int = 12, ax: "Axes | None" = None) -> "Figure":
    """Draw how the answers lead from the share of a cause to its probability, on the scale of odds.

    A bar to the right speaks for the cause, to the left against it; it is as long as the odds are multiplied. An answer that
    rules the cause out, or leaves no other, comes last and is drawn to the edge, where the scale has no numbers.

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
    steps.sort(key=lambda step: isinf(step[1]))  # what decides comes last
    finite = [decibans for _, decibans in steps if isfinite(decibans)]
    at = [*accumulate(finite, initial=ledger.share_decibans)]
    low, high = min(at), max(at)
    breadth = max(high - low, 6.0)
    total, last = ledger.posterior_decibans, len(steps) + 1
    left = low - (0.06 if isfinite(total) else EDGE if total < 0.0 else WORDS) * breadth
    right = high + (EDGE if total == inf else WORDS) * breadth
    edge = left if total < 0.0 else right
    starts = [*at, *[at[-1]] * (last - len(at))]
    ends = [*at[1:], *[edge] * (last - len(at))]
    with canvas(ax, 7, 1.2 + ROW * (last + 1)) as room:
        from matplotlib.markers import CARETLEFT, CARETRIGHT

        axes = room.axes
        for row, ((_, decibans), start, end) in enumerate(zip(steps, starts, ends, strict=False), start=1):
            axes.barh(row, end - start, left=start, height=0.62, color=BLUE if end >= start else VERMILLION)
            _beside(
                axes,
                start if end == right else max(start, end),
                row,
                what_it_does(decibans, "odds"),
                before=end == right,
                size=room.small,
            )
        for row, x in enumerate((at[0], *ends)):
            axes.plot([x, x], [row, row + 1], color=GREY, linewidth=0.8, zorder=0)
        now = percent(ledger.probability, exact=True) if ledger.decided_by else percent(ledger.probability)
        for row, x, chance in ((0, at[0], percent(ledger.share)), (last, (at[0], *ends)[-1], now)):
            sign = "D" if x not in {left, right} else CARETLEFT if x == left else CARETRIGHT  # beyond the edge
            axes.plot(x, row, marker=sign, markersize=7, color=BLACK, linestyle="")
            _beside(axes, x, row, chance, before=x == right, weight="bold", size=room.size)
        axes.set_xlim(left, right)
        room.name_rows(["before anything was known", *(name for name, _ in steps), "now"])
        axes.set_ylim(last + 0.6, -0.6)
        scale = low if total == -inf else left, high if total == inf else right  # beyond, nothing stands at its odds
        _probability_ticks(axes, *scale, 1.3 * width_of("99.9 %", room.size) / room.inner)
        room.beside(axes.texts)
        room.label_x("probability, on the scale of odds; right: for it, left: against it", dense=True)
        room.title(ledger.label)
        return figure_of(axes)


def _beside(axes: "Axes", x: float, row: int, words: str, *, before: bool, **style: Any) -> None:
    """Write words after, or before, what ends there."""
    away, side = (-7, "right") if before else (7, "left")
    axes.annotate(words, (x, row), (away, 0), textcoords="offset points", ha=side, va="center", **style)


def _probability_ticks(axes: "Axes", low: float, high: float, apart: float) -> None:
    """Ticks at round probabilities between two places, the roundest first, each where there is room: so much of the axis."""
    left, right = axes.get_xlim()
    places: dict[float, float] = {}
    for p in TICKS:
        x = 10 * log10(p / (1 - p))
        if low <= x <= high and all(abs(x - other) > apart * (right - left) for other in places):
            places[x] = p
    axes.set_xticks(sorted(places), labels=[f"{100 * places[x]:g} %" for x in sorted(places)])
