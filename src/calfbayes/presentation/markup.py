"""HTML from parts, with one place where text is escaped.

A model file is untrusted, so its labels are text and never markup: whatever is not `Html` already is escaped on its way
into an element, as a child and as the value of an attribute alike.

>>> str(element("p", "1 < 2 ", element("b", "so", title='"quoted"'), class_="note"))
'<p class="note">1 &lt; 2 <b title="&quot;quoted&quot;">so</b></p>'
"""

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from calfbayes.presentation.plain import printable


class Html(str):
    """Text that is markup already; made by `element`, `joined` and `escaped` only."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"
RIGHT_TO_LEFT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"  # blocks of such scripts
RUN = re.compile(rf"(?!\d){RIGHT_TO_LEFT}+(?: +{RIGHT_TO_LEFT}+)*")  # digits alone are written from left to right
VOID = frozenset({"meta", "br"})
WEB = ("https://", "http://")


def escaped(text: str) -> Html:
    """The text with nothing left in it that a browser could take for markup, or that could hide what is written.

    Words written from right to left are isolated: a number that follows them would else be shown before them.

    References:
        Unicode Standard Annex 9, explicit directional isolates.
    """
    safe = escape(printable(text.translate({ord("\n"): " ", ord("\t"): " "})))
    return Html(safe if safe.isascii() else RUN.sub("\u2067\\g<0>\u2069", safe))


def element(name: str, /, *children: Child, **attributes: str | bool) -> Html:
    """An element with its children.

    Args:
        name: Tag of the element.
        children: Text, which is escaped; `Html`; or iterables of these. None stands for nothing.
        attributes: `class_` stands for `class`, `aria_label` for `aria-label`; True gives a bare name, False nothing.
    """
    head = "".join([name, *(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())])
    return Html(f"<{head}>" if name in VOID else f"<{head}>{joined(children)}</{name}>")


def joined(children: Child) -> Html:
    """Children one after another, without an element around them."""
    if children is None:
        return Html()
    if isinstance(children, Html):
        return children
    return escaped(children) if isinstance(children, str) else Html("".join(map(joined, children)))


def link(text: str, url: str) -> Html:
    """The text as a link to a page of the web; any other address is shown as text, and followed by nobody."""
    if not url:
        return escaped(text)
    return element("a", text, href=url, rel="noopener") if url.startswith(WEB) else escaped(f"{text} ({url})")


def _attribute(name: str, value: str | bool) -> str:
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{escaped(value)}"'
