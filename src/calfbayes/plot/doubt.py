"""Which numbers of the model does an answer hang on?"""

from typing import TYPE_CHECKING

from calfbayes.arguments import whole_number
from calfbayes.errors import ArgumentError
from calfbayes.explanation.tornado import Effect, Sensitivity
from calfbayes.plot.canvas import BLACK, BLUE, ORANGE, canvas, checked_type, figure_of
from calfbayes.plot.room import POINTS, width_of
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.32  # inches


def tornado(sensitivity: Sensitivity, *, top: int = 10, ax: "Axes | None" = None) -> "Figure":
    """Draw how far the probability moves over the 90 % range of one number at a time, the widest first.

    What stands at the ends of a bar is the number there, or that no model is coherent with it.

    Args:
        sensitivity: Of `result.sensitivity`.
        top: How many numbers.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If no number moves it within its range, `top` is no whole number from 1, or `ax` no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    checked_type("sensitivity", sensitivity, Sensitivity, "what result.sensitivity gives")
    effects = sensitivity.effects[: whole_number("top", top, 1)]
    if not effects:
        raise ArgumentError("sensitivity", "of what no number moves", "one with a number whose range moves it")
    now = 100 * sensitivity.probability
    with canvas(ax, 9, 1.6 + ROW * len(effects)) as room:
        axes = room.axes
        from matplotlib.patches import Patch

        for row, effect in enumerate(effects):
            _draw(axes, row, effect, now, room.small)
        axes.axvline(now, color=BLACK, linewidth=1)
        ends = [100 * p for e in effects for p in (e.at_low, e.at_high) if p is not None] + [now]
        room.name_rows([_name(effect) for effect in effects], small=True)
        widest = max(width_of(text.get_text(), room.small) for text in axes.texts) + 6 / POINTS
        taken = min(widest / room.inner, 0.4)  # of the axes, at either end
        margin = max(max(ends) - min(ends), 1e-3) * taken / (1 - 2 * taken)
        axes.set_xlim(min(ends) - margin, max(ends) + margin)
        room.beside(axes.texts)
        room.label_x("probability (%)")
        room.title(f"{sensitivity.quantity}: {percent(sensitivity.probability)}")
        keys = [Patch(color=ORANGE, label="at its low end"), Patch(color=BLUE, label="at its high end")]
        room.legend(handles=keys)
        return figure_of(axes)


def _draw(axes: "Axes", row: int, effect: Effect, now: float, size: float) -> None:
    texts = []
    for p, value, colour in ((effect.at_low, effect.low, ORANGE), (effect.at_high, effect.high, BLUE)):
        x = now if p is None else 100 * p
        axes.barh(row, x - now, left=now, height=0.62, color=colour)
        texts.append((x, f"{value:.3g} incoherent" if p is None else f"{value:.3g}"))
    for (x, text), (alignment, away) in zip(sorted(texts), (("right", -4), ("left", 4)), strict=True):
        beyond = min(x, now) if alignment == "right" else max(x, now)  # both ends may lie on one side
        place = (beyond, row)
        axes.annotate(text, place, (away, 0), textcoords="offset points", ha=alignment, va="center", size=size)


def _name(effect: Effect) -> str:
    file = effect.file.rpartition("/")[2].removesuffix(".toml")
    return f"{effect.place} ({file})"
