"""The small parts of all text output: safe characters, percentages, bars, wrapped lines, colour."""

import textwrap
from collections.abc import Iterable
from decimal import Decimal
from unicodedata import category

from calfbayes.knowledge.chances import percent
from calfbayes.knowledge.wording import BLANK

__all__ = ["bar", "bullets", "multiple", "painted", "percent", "printable", "shortened", "wrapped"]

FULL = "█"
EMPTY = "·"
MARK = "│"
ASCII_SIGNS = {ord(FULL): "#", ord(EMPTY): ".", ord(MARK): "|", ord("…"): "~", ord("“"): '"', ord("”"): '"', ord("∞"): "inf"}

BOLD = "1"
DIM = "2"

# control, format (right-to-left overrides among them) and surrogate characters, line and paragraph separators
UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """The text with every character escaped that could move the cursor or hide what is written."""
    if text.isascii() and text.isprintable():  # hundreds of labels a display: the usual case is told quickly
        return text
    return "".join(
        sign.encode("unicode_escape").decode("ascii") if sign in BLANK or category(sign) in UNSAFE_CATEGORIES else sign
        for sign in text
    )


def multiple(ratio: float) -> str:
    """A ratio in two significant digits, never with an exponent: 0.0031, 3.5, 86, 700, 2,500."""
    digits = f"{ratio:.2g}"
    return f"{float(digits):,.0f}" if "e+" in digits else format(Decimal(digits), "f")


def bar(probability: float, share: float, width: int) -> str:
    """A bar of the probability in `width` signs, with a mark where the share lies."""
    filled = round(probability * width)
    signs = [FULL] * filled + [EMPTY] * (width - filled)
    signs[min(int(share * width), width - 1)] = MARK
    return "".join(signs)


def shortened(text: str, width: int) -> str:
    """The text, cut to a width."""
    return text if len(text) <= width else text[: width - 1] + "…"


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most `width` signs; `first` and `rest` stand before the first and the other lines."""
    lines = textwrap.wrap(
        printable(" ".join(text.split())), width=width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
    return lines or [first.rstrip()]


def bullets(texts: Iterable[str], width: int, indent: str = "  ") -> list[str]:
    """Each text as a wrapped point of a list."""
    return [line for text in texts for line in wrapped(text, width, f"{indent}- ", f"{indent}  ")]


def painted(text: str, code: str, *, colour: bool) -> str:
    """The text between the escape sequences of a colour, or as it is."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def of_draws(n: int, draws: int) -> str:
    """How many of some draws, in percent unless none or all: draws never show that a share is 0 or 1."""
    if n in {0, draws}:
        return "all" if n else "none"
    return percent(n / draws)


def signed(number: float) -> str:
    """A number with its sign and one decimal; what rounds to 0 has no sign."""
    text = f"{number:+.1f}"
    return text[1:] if text in {"+0.0", "-0.0"} else text
