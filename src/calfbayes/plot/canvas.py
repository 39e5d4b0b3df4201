"""What all figures share: axes to draw on, colours, and checks of what is to be drawn."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, MissingExtraError, NoPosteriorError
from calfbayes.plot.room import Room, cell_of, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe, Ito (2008), Color universal design
BLACK, GREY = "#1a1a1a", "#767676"
BLUE, SKY, GREEN, ORANGE, VERMILLION, PURPLE = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"
A_MODEL = "a model, such as load_model() gives"
Kind = TypeVar("Kind")
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.usetex": False,  # labels of a model are not to be run
    "savefig.dpi": 120,
    "figure.dpi": 100,
}


@contextmanager
def canvas(ax: "Axes | None", width: float, height: float, *, margins: bool = True) -> Iterator[Room]:
    """The room on axes that are given, or on those of a new figure of this size in inches; the style holds meanwhile.

    Axes that are given are made linear: on others nothing that is drawn would stand where it belongs.

    Args:
        margins: Whether room for ticks and titles is kept around the axes; without it a drawing has all of them to itself.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        ArgumentError: If `ax` is given and no straight axes of a figure of matplotlib.
    """
    try:
        import matplotlib as mpl
        from matplotlib.axes import Axes
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    if ax is not None:
        checked_type("ax", ax, Axes, "axes of matplotlib, such as plt.subplots()[1]")
        if ax.name != "rectilinear":
            raise ArgumentError("ax", f"{ax.name} axes", "axes with a straight x and y")
        figure_of(ax)
        ax.set(xscale="linear", yscale="linear")
    with mpl.rc_context(STYLE):
        if ax is None:
            yield Room(_new_axes(width, height, margins=margins), width, height)
        else:
            cell = cell_of(ax) if margins else ax.get_position()
            size = cell.transformed(ax.figure.transSubfigure).transformed(ax.figure.dpi_scale_trans.inverted())
            yield Room(ax, size.width, size.height)
            if margins and figure_of(ax).get_layout_engine() is None:
                settle(ax, cell)


def figure_of(ax: "Axes") -> "Figure":
    """The figure that axes belong to."""
    from matplotlib.figure import Figure

    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise ArgumentError("ax", "axes without a figure", "axes of a figure")
    return figure


def checked_type(name: str, value: object, kind: type[Kind], expected: str) -> Kind:
    """What was given, if it is of this kind.

    Raises:
        ArgumentError: If it is not.
    """
    if not isinstance(value, kind):
        raise ArgumentError(name, _article(type(value).__name__), expected)
    return value


def with_posteriors(result: Diagnosis) -> Diagnosis:
    """The result, if it has something to draw.

    Raises:
        NoPosteriorError: If it holds no probabilities.
        ArgumentError: If it is no result.
    """
    if not checked_type("result", result, Diagnosis, "a result of model.diagnose").causes:
        raise NoPosteriorError(result.outcome_reason)
    return result


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def _new_axes(width: float, height: float, *, margins: bool) -> "Axes":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that notebooks show although pyplot knows nothing of it."""

        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=STYLE["savefig.dpi"])
            return stream.getvalue()

    figure = Picture(figsize=(width, height), layout="constrained" if margins else None)
    FigureCanvasAgg(figure)
    return figure.add_subplot() if margins else figure.add_axes((0, 0, 1, 1))
