"""The parts that all HTML displays are made of: sections, foldings, tables, bars, a numbered bibliography.

Nothing here needs a script. What the eye reads off a bar stands beside it in words or numbers, and readers of the screen are
told these instead.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from calfbayes.knowledge.terms import KnowledgeBase, Level, Source
from calfbayes.presentation.markup import Child, Html, element, link


@cache
def style() -> Html:
    """The style sheet as an element; its rules touch nothing outside the displays."""
    return element("style", Html(files("calfbayes.presentation").joinpath("display.css").read_text(encoding="utf-8")))


def section(label: str, *children: Child) -> Html:
    """A display with the style sheet before it; a notebook that sets formulas is told to leave its text alone."""
    classes = "calfbayes mathjax_ignore tex2jax_ignore"
    return element("div", style(), element("section", *children, aria_label=label), class_=classes)


def folding(title: Child, *children: Child, is_open: bool = False) -> Html:
    """Something that opens with a click or a key."""
    return element("details", element("summary", title), *children, open=is_open)


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: Sequence[str] = (), bars: str = ""
) -> Html:
    """A table whose first column names the rows.

    Args:
        numbers: Heads of the columns that stand to the right.
        bars: Head of the column of bars, if there is one; for the eye alone: to the ear it would be a column of nothing.
    """
    kinds = ["cb-number" if head in numbers else "cb-text" for head in heads]
    seen = ["true" if head == bars else False for head in heads]
    columns = list(zip(kinds, seen, strict=True))
    head = [element("th", h, scope="col", class_=k, aria_hidden=s) for h, (k, s) in zip(heads, columns, strict=True)]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            [element("td", cell, class_=k, aria_hidden=s) for (k, s), cell in zip(columns[1:], row[1:], strict=True)],
        )
        for row in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="cb-table",
    )
    return element("div", whole, class_="cb-scroll")


def heading(*title: Child) -> Html:
    """A heading to those who listen, yet no `h2`: notebooks would put every one into their table of contents."""
    return element("p", title, role="heading", aria_level="2", class_="cb-heading")


def banner(level: Level, head: Child, *lines: Child) -> Html:
    """What to do, on the colour of its level; the words have to say all by themselves."""
    told = [element("p", line) for line in lines]
    title = element("p", head, role="heading", aria_level="2", class_="cb-level")
    return element("header", title, told, class_=f"cb-banner cb-{level}")


def listed(points: Iterable[Child]) -> Html:
    """A list of points."""
    return element("ul", [element("li", point) for point in points])


def pairs(entries: Iterable[tuple[str, Child]]) -> Html:
    """Names and what belongs to them, each pair in a group that paper keeps together."""
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in entries], class_="cb-pairs"
    )


def bar(probability: float, share: float | None = None) -> Html:
    """A bar from 0 to the probability, with a mark at the share if there is one."""
    return _bar(_fill(0.0, probability), None if share is None else _mark(share))


def interval_bar(probability: float, low: float, high: float) -> Html:
    """A bar from 0 to the probability, and a whisker from one end of its interval to the other."""
    whisker = element("span", class_="cb-whisker", style=f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%")
    return _bar(_fill(0.0, probability), whisker)


def span_bar(one: float, other: float, mark: float, scale: tuple[float, float]) -> Html:
    """A bar between two values with a mark at a third, on a scale from its first to its second end."""
    start, width = scale[0], scale[1] - scale[0]
    low, high, at = ((value - start) / width if width > 0.0 else 0.5 for value in (*sorted((one, other)), mark))
    return _bar(_fill(low, high), _mark(at))


def leaning_bar(value: float, widest: float) -> Html:
    """A bar from the middle to the left for a value below 0, to the right above; half the room stands for `widest`."""
    reach = min(abs(value) / widest, 1.0) / 2 if widest > 0.0 else 0.0
    fill = _fill(0.5 - reach, 0.5, "cb-against") if value < 0 else _fill(0.5, 0.5 + reach)
    return _bar(fill, _mark(0.5))


def _bar(*parts: Child) -> Html:
    return element("span", *parts, class_="cb-bar", aria_hidden="true")


def _fill(low: float, high: float, *kinds: str) -> Html:
    return element("span", class_=" ".join(["cb-fill", *kinds]), style=f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%")


def _mark(at: float) -> Html:
    return element("span", class_="cb-mark", style=f"left:{100 * at:.1f}%")


class Bibliography:
    """Sources, numbered in the order in which they are cited."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.by_id = {source.id: source for source in sources}
        self.cited: list[str] = []

    def cite(self, ids: Iterable[str]) -> Html | None:
        """Numbers in brackets."""
        self.cited += [name for name in dict.fromkeys(ids) if name not in self.cited]
        numbers = ", ".join(str(self.cited.index(name) + 1) for name in dict.fromkeys(ids))
        return element("span", f" [{numbers}]", class_="cb-cite") if numbers else None

    def list(self) -> Html:
        """What has been cited."""
        return element("ol", [element("li", source_line(self.by_id[name])) for name in self.cited])


def source_line(source: Source) -> Html:
    """A source, as a link if it has an address."""
    return link(source.citation, source.url)


def level_labels(knowledge: KnowledgeBase) -> dict[Level, str]:
    """The words for each level."""
    return {text.level: text.label for text in knowledge.urgency.levels}
