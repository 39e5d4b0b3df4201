"""Is it right? The audit, the urgency given, and the probabilities given, against what was published or happened."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calfbayes.arguments import whole_number
from calfbayes.audit.comparison import EXPERT_TOLERANCE, TOLERANCE, Comparison, Verdict
from calfbayes.audit.table import RATIOS
from calfbayes.errors import ArgumentError
from calfbayes.evaluation.frequency import wilson_interval
from calfbayes.evaluation.scores import Scores
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY
from calfbayes.plot.canvas import BLACK, BLUE, GREY, ORANGE, VERMILLION, canvas, checked_type, figure_of
from calfbayes.plot.room import keep_apart, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FARTHEST = 1e4  # odds and ratios are drawn between 1 / FARTHEST and FARTHEST
ROWS = "a list of comparisons, such as calfbayes.audit.comparison.audit gives"
VERDICTS = ((Verdict.PASS, BLUE, "o"), (Verdict.EXPLAINED, ORANGE, "s"), (Verdict.FAILS, VERMILLION, "X"))


def audit(comparisons: Sequence[Comparison], *, ax: "Axes | None" = None) -> "Figure":
    """Draw what the model implies against what was published.

    Probabilities are drawn as odds, ratios as they are, so that the tolerated factor is the same band everywhere;
    what was judged may lie in a wider, paler one.

    Args:
        comparisons: Of `calfbayes.audit.comparison.audit`.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If there is nothing to draw, or something other than comparisons, or `ax` is no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    for comparison in checked_type("comparisons", comparisons, Sequence, ROWS):  # type: ignore[type-abstract]
        checked_type("comparisons", comparison, Comparison, ROWS)
    if not comparisons:
        raise ArgumentError("comparisons", "an empty list", ROWS)
    with canvas(ax, 6.4, 6) as room:
        axes = room.axes
        published = np.array([_as_odds(c, c.figure.value) for c in comparisons])
        implied = np.array([_as_odds(c, c.implied) for c in comparisons])
        ends = np.array([np.nanmin([published, implied]) / 2, np.nanmax([published, implied]) * 2])
        for times, of, shade in ((TOLERANCE, "", 0.25), (EXPERT_TOLERANCE, " (judgements)", 0.13)):
            words = f"within {times:g} times{of}"
            axes.fill_between(ends, ends / times, ends * times, color=GREY, alpha=shade, linewidth=0, label=words)
        axes.plot(ends, ends, color=BLACK, linewidth=0.8)
        for verdict, colour, marker in VERDICTS:
            chosen = np.array([c.verdict is verdict for c in comparisons])
            words = f"{verdict} ({chosen.sum()})"
            axes.scatter(
                published[chosen], implied[chosen], s=18, c=colour, marker=marker, alpha=0.6, linewidths=0, label=words
            )
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
        room.label_x("published (odds of a probability, or a ratio)")
        room.label_y("implied by the model")
        room.title(f"{len(comparisons)} published figures")
        axes.legend(loc="upper left", fontsize=room.size)
        return figure_of(axes)


def triage(scores: Scores, *, ax: "Axes | None" = None) -> "Figure":
    """Draw the level given against the level needed, in cases; right of the diagonal too little was done, left of it too much.

    Args:
        scores: Of `calfbayes.evaluation.scores.evaluate`.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If there are no cases, these are no scores, or `ax` is no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    counts = np.array(checked_type("scores", scores, Scores, "what model.evaluate gives").triage)[
        ::-1, ::-1
    ]  # most urgent first, as people read
    if not counts.sum():
        raise ArgumentError("scores", "no cases", "the scores of at least one case")
    names = [str(level).replace("_", " ") for level in reversed(LEVELS_BY_SEVERITY)]
    with canvas(ax, 6.2, 5.2) as room:
        axes = room.axes
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for (row, column), count in np.ndenumerate(counts):
            colour = BLUE if row == column else VERMILLION if column > row else ORANGE
            shade = 0.08 + 0.5 * shares[row, column] if count else 0.03
            axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color=colour, alpha=shade, linewidth=0)
            if count:
                weight = "bold" if row == column else "normal"
                axes.text(column, row, str(count), ha="center", va="center", color=BLACK, weight=weight, size=room.size)
        axes.set_xticks(range(len(names)), labels=[name.replace(" ", "\n") for name in names])
        axes.tick_params(axis="x", length=0)
        room.name_rows(names)
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
        room.label_x("level given")
        keep_apart(axes, axes.get_xticklabels(), width=len(names) * (width_of("emergency", room.size) + 0.1))
        room.label_y("level needed")
        room.title(f"{counts.sum()} cases: {scores.too_low:.0%} too low (right), {scores.too_high:.0%} too high (left)")
        return figure_of(axes)


def calibration(probability: ArrayLike, happened: ArrayLike, *, bins: int = 10, ax: "Axes | None" = None) -> "Figure":
    """Draw how often it happened against the probability that was given.

    Answers are put into bins of equal width; each bin is a dot, larger the more answers it holds, with the 90 % Wilson
    interval of its frequency.

    Args:
        probability: Probabilities given, any shape; with `happened`, of an evaluation: `*scores.stated`.
        happened: Whether it was so, same shape.
        bins: How many.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If the two do not fit, hold anything but probabilities and yes or no, or are empty, or `ax` is no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    given, so = _checked(probability, happened)
    bins = whole_number("bins", bins, 1, 1000)
    place = np.minimum((given * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    held = n > 0
    n = n[held]
    mean = np.bincount(place, given, minlength=bins)[held] / n
    share = np.bincount(place, so, minlength=bins)[held] / n
    low, high = wilson_interval(share, n, level=0.9)
    with canvas(ax, 5.6, 5.4) as room:
        axes = room.axes
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle="--", label="as it should be")
        axes.vlines(100 * mean, 100 * low, 100 * high, color=BLUE, linewidth=1.2, label="90 % interval")
        sizes = 12 + 140 * n / n.max()
        axes.scatter(100 * mean, 100 * share, s=sizes, color=BLUE, zorder=3, label="observed; larger: more answers")
        axes.set(xlim=(-2, 102), ylim=(-2, 102))
        axes.set(xticks=range(0, 101, 20), yticks=range(0, 101, 20), aspect="equal")
        room.label_x("probability given (%)")
        room.label_y("how often it was so (%)")
        room.title(f"{given.size} answers")
        room.legend()
        return figure_of(axes)


def _checked(probability: ArrayLike, happened: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    given, so = _numbers("probability", probability), _numbers("happened", happened)
    if given.shape != so.shape or not given.size:
        raise ArgumentError("probability, happened", f"shapes {given.shape} and {so.shape}", "one answer for each probability")
    if not ((given >= 0) & (given <= 1)).all():
        raise ArgumentError("probability", "a value outside 0 to 1", "probabilities; leave out patients without any")
    if not np.isin(so, (0, 1)).all():
        raise ArgumentError("happened", "a value that is neither yes nor no", "True and False")
    return given.ravel(), so.ravel()


def _numbers(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """The numbers given; text is none, even if it looks like one."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise ArgumentError(name, "rows of different lengths", "an array of numbers, or of yes and no") from None
    if array.dtype.kind not in "biuf" and array.size:
        raise ArgumentError(name, f"{type(value).__name__} of {array.dtype.name}", "an array of numbers, or of yes and no")
    return array.astype(float)


def _as_odds(comparison: Comparison, value: float) -> float:
    odds = value if comparison.figure.kind in RATIOS else value / (1 - value) if value < 1 else FARTHEST
    return float(np.clip(odds, 1 / FARTHEST, FARTHEST)) if odds == odds else np.nan  # noqa: PLR0124  NaN is drawn nowhere
