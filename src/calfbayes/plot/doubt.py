"""Which numbers of the model does an answer hang on?"""

from typing import TYPE_CHECKING

from calfbayes.errors import ArgumentError
from calfbayes.explanation.tornado import Effect, Sensitivity
from calfbayes.plot.canvas import BLACK, BLUE, ORANGE, canvas, checked_count, checked_type, figure_of, label
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.32  # inches
LABEL = 64


def tornado(sensitivity: Sensitivity, *, top: int = 10, ax: "Axes | None" = None) -> "Figure":
    """Draw how far the probability moves over the 90 % range of one number at a time, the widest first.

    What stands at the ends of a bar is the number there, or that no model is coherent with it.

    Args:
        sensitivity: Of `result.sensitivity`.
        top: How many numbers.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If no number has a range, `top` is no whole number from 1, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    checked_type("sensitivity", sensitivity, Sensitivity, "what result.sensitivity gives")
    effects = sensitivity.effects[: checked_count("top", top)]
    if not effects:
        raise ArgumentError("sensitivity", "of a model whose numbers are all certain", "one with a number that has a range")
    now = 100 * sensitivity.probability
    with canvas(ax, 9, 1.3 + ROW * len(effects)) as axes:
        from matplotlib.patches import Patch

        for row, effect in enumerate(effects):
            _draw(axes, row, effect, now)
        axes.axvline(now, color=BLACK, linewidth=1)
        ends = [100 * p for e in effects for p in (e.at_low, e.at_high) if p is not None] + [now]
        room = max(max(ends) - min(ends), 1e-3)
        lacks_one = any(p is None for e in effects for p in (e.at_low, e.at_high))
        room *= 0.5 if lacks_one else 0.2  # for what stands at the ends
        axes.set_xlim(min(ends) - room, max(ends) + room)
        axes.set_yticks(range(len(effects)), labels=[_name(effect) for effect in effects], fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(effects) - 0.4, -0.6)
        axes.set_xlabel("probability (%)")
        axes.set_title(label(f"{sensitivity.quantity}: {percent(sensitivity.probability)}", 80))
        keys = [Patch(color=ORANGE, label="at its low end"), Patch(color=BLUE, label="at its high end")]
        axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return figure_of(axes)


def _draw(axes: "Axes", row: int, effect: Effect, now: float) -> None:
    texts = []
    for p, value, colour in ((effect.at_low, effect.low, ORANGE), (effect.at_high, effect.high, BLUE)):
        x = now if p is None else 100 * p
        axes.barh(row, x - now, left=now, height=0.62, color=colour)
        texts.append((x, f"{value:.3g} incoherent" if p is None else f"{value:.3g}"))
    for (x, text), (alignment, away) in zip(sorted(texts), (("right", -4), ("left", 4)), strict=True):
        beyond = min(x, now) if alignment == "right" else max(x, now)  # both ends may lie on one side
        place = (beyond, row)
        axes.annotate(text, place, (away, 0), textcoords="offset points", ha=alignment, va="center", fontsize=8)


def _name(effect: Effect) -> str:
    file = effect.file.rpartition("/")[2].removesuffix(".toml")
    return label(f"{effect.place} ({file})", LABEL)
