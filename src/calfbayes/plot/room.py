"""Room for texts: measured before they are drawn, wrapped or cut to what there is, and smaller where axes come out smaller.

On a figure of its own a drawing is as large as it needs. On axes that are given it keeps to their cell: that of their grid,
or their own rectangle if they stand in none. So nothing of it covers a neighbour.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from calfbayes.presentation.plain import printable

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

POINTS = 72  # an inch
SIZE, SMALL, TITLE = 9.0, 8.0, 10.0  # points
LEAST = 5.0  # points that can still be read
SPACING = 1.35  # from line to line, in sizes of the text; small sizes are rounded up when drawn
SLACK = 1.08  # a text as drawn may be so much wider than measured
LABELS = 0.42  # of the width may be taken by the names of rows
PADS = 0.35  # inches between names, axes and edge
AROUND = 1.3  # inches that title, ticks and legend take above and below rows
LEAST_INNER = 0.8  # inches
ROOMY = 3.0  # inches; in less room texts are smaller, and titles shorter
TICKED = 1.8  # inches in which round numbers from 0 to 100 keep apart
ROUNDS = 3  # ticks may change when axes shrink, so it is measured again


class Room:
    """Axes to draw on and the room for them and all that stands around them.

    Attributes:
        axes: Where to draw.
        width: Inches, names of rows, title and legend included.
        height: Inches likewise.
        size: Points that texts have here.
        small: Points of texts of which there are many.
    """

    def __init__(self, axes: "Axes", width: float, height: float) -> None:
        self.axes, self.width, self.height = axes, width, height
        self.scale = min(1.0, width / ROOMY, height / ROOMY)
        self.size, self.small = SIZE * self.scale, SMALL * self.scale
        self._rows = 1
        self._names = 0.3  # inches that the names of rows take; ticks that are numbers take as much
        self._below = 2 * self.size + 8  # points under the axes that ticks take

    @property
    def inner(self) -> float:
        """Inches that the axes will be wide, about."""
        return max(self.width - self._names - PADS, LEAST_INNER)

    @property
    def most_rows(self) -> int:
        """How many rows of one line can be read here."""
        return max(1, int((self.height - AROUND) * POINTS / (SPACING * LEAST)))

    def name_rows(self, names: Sequence[str], *, small: bool = False, lines: int = 2) -> None:
        """Name the rows 0, 1, ... from top to bottom, in at most so many lines each."""
        self._rows = len(names)
        size = self.small if small else self.size
        pitch = (self.height - AROUND) * POINTS / len(names)
        lines = min(lines, max(1, int(pitch / (0.8 * SPACING * size))))  # rather smaller than cut
        fitting = [fitted(name, LABELS * self.width, size, lines) for name in names]
        self._names = max(width_of(line, size) for name in fitting for line in name.split("\n"))
        self.axes.set_yticks(range(len(names)), labels=fitting)
        self.axes.tick_params(axis="y", length=0, labelsize=size)
        self.axes.set_ylim(len(names) - 0.4, -0.6)
        most = 1 + max(name.count("\n") for name in fitting)
        keep_apart(self.axes, self.axes.get_yticklabels(), height=(len(names) + 0.2) * most * SPACING * size / POINTS)

    def title(self, *texts: str) -> None:
        """Write a title over the axes, each text on lines of its own."""
        size = TITLE * self.scale
        lines = [fitted(text, self.inner, size, 3 if self.scale == 1.0 else 1) for text in texts]
        self.axes.set_title("\n".join(lines), fontsize=size, loc="left")

    def label_x(self, text: str, *, dense: bool = False) -> None:
        """Name the x axis; dense ticks leave no room between them."""
        words = fitted(text, self.inner, self.size, 4)
        self.axes.set_xlabel(words, fontsize=self.size)
        self.axes.tick_params(axis="x", labelsize=self.size)
        keep_apart(self.axes, self.axes.get_xticklabels(), width=self.inner if dense else min(self.inner, TICKED))
        self._below = (2.2 + SPACING * (1 + words.count("\n"))) * self.size + 8

    def label_y(self, text: str) -> None:
        """Name the y axis; it is about as long as the x axis."""
        self.axes.set_ylabel(fitted(text, min(self.inner, self.height - AROUND), self.size, 4), fontsize=self.size)
        self.axes.tick_params(axis="y", labelsize=self.size)

    def legend(self, **options: Any) -> None:
        """Write the legend under everything else, in one row if there is room for it."""
        from matplotlib.transforms import ScaledTranslation

        axes = self.axes
        handles = options.get("handles") or axes.get_legend_handles_labels()[0]
        words = [str(handle.get_label()) for handle in handles]
        one_row = sum(width_of(text, self.size) + 0.6 for text in words) <= self.width
        down = ScaledTranslation(0, -self._below / POINTS, axes.figure.dpi_scale_trans)
        axes.legend(
            loc="upper right",
            bbox_to_anchor=(1.0, 0.0),
            bbox_transform=axes.transAxes + down,
            ncols=len(words) if one_row else 1,
            fontsize=self.size,
            borderaxespad=0.0,
            columnspacing=1.2,
            **options,
        )

    def beside(self, texts: "Iterable[Text]") -> None:
        """Let texts that stand beside bars, one in a row, shrink with the axes."""
        height = (self._rows + 0.2) * SPACING * self.small / POINTS
        keep_apart(self.axes, texts, width=self.inner, height=height)


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, weight: str = "normal") -> float:
    """How wide a line is, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    points, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size, weight=weight), ismath=False)
    return SLACK * float(points) / POINTS


def fitted(text: str, width: float, size: float, lines: int = 1) -> str:
    """A text in at most so many lines of at most so many inches, cut if it has to be; nothing in it is read as a formula."""
    left, done = printable(text).strip(), list[str]()
    while left:
        end = _fitting(left, "", width, size)
        if end < len(left) and len(done) == lines - 1:
            left, end = left[: _fitting(left, "…", width, size)].rstrip() + "…", len(left) + 1
        elif end < len(left):
            space = left.rfind(" ", 1, end + 1)
            end = space if space > 0 else end
        done.append(left[:end].rstrip())
        left = left[end:].lstrip()
    return "\n".join(done).replace("$", r"\$")


def keep_apart(axes: "Axes", texts: "Iterable[Text]", *, width: float = 0.0, height: float = 0.0) -> None:
    """Let texts shrink when the axes are drawn smaller than they need, in inches: whatever a layout leaves, they keep apart."""
    sizes = [(text, float(text.get_fontsize())) for text in texts]

    def fit() -> None:
        box = axes.get_window_extent()
        dpi = axes.figure.dpi
        scale = min([1.0, *([box.width / dpi / width] if width else []), *([box.height / dpi / height] if height else [])])
        for text, size in sizes:
            text.set_fontsize(max(scale * size, 0.1))

    before_drawing(axes, fit)


def before_drawing(axes: "Axes", action: Any) -> "Artist":
    """Call something each time when the axes are about to be drawn and their place is known."""
    from matplotlib.artist import Artist

    class Before(Artist):
        """Drawn first, and draws nothing."""

        zorder = -1e6

        def draw(self, renderer: object) -> None:
            """Act."""
            del renderer
            action()

    before = Before()
    before.set_in_layout(False)
    return axes.add_artist(before)


def cell_of(axes: "Axes") -> "Bbox":
    """The part of its figure that axes and all around them may take, as fractions: up to half way to the neighbours."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec
    from matplotlib.transforms import Bbox

    spec = axes.get_subplotspec()
    if spec is None:
        return axes.get_position(original=True)
    grid = spec.get_gridspec()
    bottoms, tops, lefts, rights = grid.get_grid_positions(axes.figure)  # type: ignore[arg-type]
    nested = isinstance(grid, GridSpecFromSubplotSpec)
    # at the top, half of the room is left to a title of the whole figure
    outer = (lefts[0], bottoms[-1], rights[-1], tops[0]) if nested else (0.0, 0.0, 1.0, (1.0 + tops[0]) / 2)
    row, column, last_row, last_column = spec.rowspan.start, spec.colspan.start, spec.rowspan.stop, spec.colspan.stop
    left = (rights[column - 1] + lefts[column]) / 2 if column else outer[0]
    right = (rights[last_column - 1] + lefts[last_column]) / 2 if last_column < len(lefts) else outer[2]
    top = (bottoms[row - 1] + tops[row]) / 2 if row else outer[3]
    bottom = (bottoms[last_row - 1] + tops[last_row]) / 2 if last_row < len(tops) else outer[1]
    return Bbox.from_extents(left, bottom, right, top)


def settle(axes: "Axes", cell: "Bbox") -> None:
    """Make axes so small that they and all around them lie in the cell."""
    from matplotlib.transforms import Bbox

    figure = axes.figure
    pad = 4 / POINTS * figure.dpi
    slot = cell.transformed(figure.transSubfigure).padded(-pad)
    for _ in range(ROUNDS):
        inner, outer = axes.get_window_extent(), axes.get_tightbbox()
        assert outer is not None  # axes that are shown have a box
        left, bottom = slot.x0 + inner.x0 - outer.x0, slot.y0 + inner.y0 - outer.y0
        right, top = slot.x1 + inner.x1 - outer.x1, slot.y1 + inner.y1 - outer.y1
        box = Bbox.from_extents(left, bottom, max(right, left + 1), max(top, bottom + 1))
        axes.set_position(box.transformed(figure.transSubfigure.inverted()))


def _fitting(text: str, end: str, width: float, size: float) -> int:
    """How many signs of a text have room, with an end behind them; one at least."""
    return max(1, bisect_right(range(1, len(text) + 1), width, key=lambda n: width_of(text[:n] + end, size)))
