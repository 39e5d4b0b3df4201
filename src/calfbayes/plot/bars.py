"""What may it be, and how did the answers change that?"""

from typing import TYPE_CHECKING

from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, NoPosteriorError
from calfbayes.plot.canvas import BLACK, BLUE, canvas, figure_of, label
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.32  # inches


def causes(result: Diagnosis, *, top: int = 8, ax: "Axes | None" = None) -> "Figure":
    """Draw the most probable causes: a bar for now, a mark for before anything but the care setting was known.

    Args:
        top: How many.
        ax: Axes to draw on; None makes a figure.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        ArgumentError: If `top` is no whole number from 1, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ArgumentError("top", repr(top)[:80], "a whole number from 1")
    if not result.causes:
        raise NoPosteriorError(result.outcome_reason)
    entries = result.causes[:top]
    rows = range(len(entries))
    with canvas(ax, 7, 1.2 + ROW * len(entries)) as axes:
        axes.barh(rows, [100 * entry.probability for entry in entries], height=0.6, color=BLUE, label="now")
        shares = [100 * entry.share for entry in entries]
        axes.plot(shares, rows, linestyle="", marker="|", markersize=14, markeredgewidth=2, color=BLACK, label="before")
        for row, entry in zip(rows, entries, strict=True):
            end = 100 * max(entry.probability, entry.share)
            axes.annotate(percent(entry.probability), (end, row), (6, 0), textcoords="offset points", va="center")
        axes.set_yticks(rows, labels=[label(entry.label) for entry in entries])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(entries) - 0.4, -0.6)
        axes.set_xlim(0, 110)  # the figure beside the longest bar needs room
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("probability (%); several causes may be present together")
        axes.set_title(label(f"{result.urgency.label}: {result.setting.replace('_', ' ')}", 80))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return figure_of(axes)
