"""What may it be, how did the answers change that, and how sure is it?"""

from math import isclose
from typing import TYPE_CHECKING, Any

from calfbayes.arguments import whole_number
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError
from calfbayes.explanation.intervals import Intervals
from calfbayes.plot.canvas import BLACK, BLUE, SKY, canvas, figure_of, with_posteriors
from calfbayes.plot.room import POINTS
from calfbayes.presentation.facts import headline, setting_label
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.32  # inches
COMPLICATIONS = "Complications"


def causes(result: Diagnosis, *, top: int = 8, intervals: Intervals | None = None, ax: "Axes | None" = None) -> "Figure":
    """Draw the most probable causes: a bar for now, a mark for before anything but the care setting was known.

    Below them, in a group of their own, stand the complications: what a cause may have led to.

    Args:
        top: How many causes, and how many complications at most. On axes that are given, causes that could not be read are
            counted in a row instead.
        intervals: Of this result, drawn as whiskers.
        ax: Axes to draw on; None makes a figure.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        ArgumentError: If `top` is no whole number from 1, `intervals` are those of another result, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    first, below = with_posteriors(result).causes[: whole_number("top", top, 1)], result.complications[:top]
    ends = {} if intervals is None else _whiskers(result, intervals)
    heads = [COMPLICATIONS] if below else []
    with canvas(ax, 7, 1.9 + ROW * (len(first) + len(heads) + len(below))) as room:
        from matplotlib.patheffects import withStroke

        over = len(first) + len(heads) + len(below) - room.most_rows
        if over > 0 and len(first) > 1:
            first = first[: max(1, len(first) - over - 1)]
            heads.insert(0, f"{min(top, len(result.causes)) - len(first)} causes less probable")
        entries = (*first, *below)
        rows = [*range(len(first)), *range(len(first) + len(heads), len(entries) + len(heads))]
        axes = room.axes
        colour = SKY if ends else BLUE  # black whiskers need a lighter ground
        axes.barh(rows, [100 * entry.probability for entry in entries], height=0.6, color=colour, label="now")
        shares = [100 * entry.share for entry in entries]
        mark_size = min(14.0, 0.7 * room.height * POINTS / (len(entries) + len(heads)))
        around: Any = [withStroke(linewidth=4, foreground="white")]  # seen on a dark bar, too
        mark: Any = {"marker": "|", "markersize": mark_size, "markeredgewidth": 2, "color": BLACK, "path_effects": around}
        axes.plot(shares, rows, linestyle="", label="before", **mark)
        if intervals is not None:
            middles = [sum(ends[entry.id]) / 2 for entry in entries]
            halves = [(ends[entry.id][1] - ends[entry.id][0]) / 2 for entry in entries]
            words = f"{100 * intervals.level:g} % interval"
            axes.errorbar(middles, rows, xerr=halves, fmt="none", color=BLACK, elinewidth=1, capsize=3, label=words)
        for row, entry in zip(rows, entries, strict=True):
            end = max(100 * entry.probability, 100 * entry.share, *ends.get(entry.id, ()))
            axes.annotate(
                percent(entry.probability), (end, row), (6, 0), textcoords="offset points", va="center", size=room.size
            )
        room.name_rows([entry.label for entry in first] + heads + [entry.label for entry in below])
        if below:
            axes.get_yticklabels()[len(first) + len(heads) - 1].set_fontstyle("italic")
        axes.set_xlim(0, 114)  # the figure beside the longest bar needs room
        axes.set_xticks(range(0, 101, 20))
        room.label_x("probability (%); causes may be present together")
        room.title(headline(result), f"Setting: {setting_label(result.evidence)}")
        room.beside(axes.texts)
        room.legend()
        return figure_of(axes)


def _whiskers(result: Diagnosis, intervals: Intervals) -> dict[str, tuple[float, float]]:
    """Both ends for each cause and complication, in per cent."""
    if isinstance(intervals, Intervals):
        given = (*intervals.causes, *intervals.complications)
        pairs = list(zip((*result.causes, *result.complications), given, strict=False))
        same = [one.id == other.id and isclose(one.probability, other.probability, rel_tol=1e-6) for one, other in pairs]
        if len(given) == len(same) == len(result.causes) + len(result.complications) and all(same):
            return {entry.id: (100 * entry.low, 100 * entry.high) for entry in given}
    raise ArgumentError("intervals", "those of something else", "result.intervals() of the same result")
