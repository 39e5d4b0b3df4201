"""Figures looked at by a program: which texts they show, and whether these keep apart."""

from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

TOUCH = 0.5  # pixels by which antialiased edges may meet


def shown_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that is drawn, with the box that it takes, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # fixes the layout
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    axes: list[Any] = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    drawn = {
        tick for axis in axes if axis.axes.axison for tick in axis._update_ticks()
    }  # others lie beyond the ends of their axis
    idle = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks) if tick not in drawn]
    hidden = {text for tick in idle for text in (tick.label1, tick.label2)}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible() and text not in hidden]
    boxes = [(text.get_text(), (text.get_bbox_patch() or text).get_window_extent(renderer)) for text in texts]
    return [(words, box) for words, box in boxes if words.strip() and box.width > 0]


def illegible(figure: Figure) -> list[str]:
    """Texts that cover each other, or reach beyond the edge of the figure."""
    shown = shown_texts(figure)
    edge = figure.bbox.padded(1)
    cut = [f"{words} is cut off" for words, box in shown if not (edge.contains(*box.min) and edge.contains(*box.max))]
    pairs = [(one, other) for one, other in combinations(shown, 2) if _cover(one[1], other[1])]
    return cut + [f"{one} and {other} cover each other" for (one, _), (other, _) in pairs]


def _cover(a: Bbox, b: Bbox) -> bool:
    return bool(min(a.x1, b.x1) - max(a.x0, b.x0) > TOUCH and min(a.y1, b.y1) - max(a.y0, b.y0) > TOUCH)
