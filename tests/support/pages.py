"""HTML read back as a browser would read it: which elements there are, and which text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "link", "hr"}
PAGE = {"html", "head", "meta", "title", "style", "body", "main", "h1"}
BLOCKS = {"div", "section", "header", "footer", "p", "ul", "ol", "li", "dl", "dt", "dd", "details", "summary"}
TABLES = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
INLINE = {"strong", "small", "span", "code", "a"}
HARMLESS = PAGE | BLOCKS | TABLES | INLINE


@dataclass
class Page:
    """What a page holds.

    Attributes:
        elements: Tag and attributes of each element, in order.
        text: All text outside of style sheets, in order, with an element's end as a space.
    """

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    styles: str = ""

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} stands twice"
        self.page.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} is closed and was never opened"
        assert self.open.pop() == tag
        self.page.text += " "

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.page.styles += data
        else:
            self.page.text += data


def read_page(html: str) -> Page:
    """Read HTML whose elements are all closed in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"never closed: {reader.open}"
    return reader.page


def is_harmless(page: Page) -> bool:
    """Whether nothing on the page can run, be fetched or lead anywhere but to the web."""
    links = [attributes.get("href") or "" for tag, attributes in page.elements if tag == "a"]
    scripts = [
        name for _, attributes in page.elements for name in attributes if name.startswith("on") or name in {"src", "srcset"}
    ]
    return set(page.tags) <= HARMLESS and not scripts and all(url.startswith(("http://", "https://")) for url in links)
