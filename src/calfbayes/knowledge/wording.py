"""How faults speak of what stands in a file: untrusted text made short and printable, and the nearest known names."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 80
# letters, marks and signs that show nothing, though they are no control characters: joiners, fillers, selectors, empty braille
BLANK = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0") | {
    chr(code) for first, last in ((0xFE00, 0xFE0D), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
}


def shown(text: str) -> str:
    """Text as a message may hold it: no control characters, no half characters, not too long."""
    printable = text if text.isprintable() else ascii(text[:LONGEST])
    return _cut(printable)


def short(value: object) -> str:
    """A value of a file or a caller in a few characters; what a table or a list holds is left out."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"  # Python refuses to print the largest ones
    if isinstance(value, str) and not value.isprintable():
        return _cut(ascii(value[:LONGEST]))
    try:
        return _cut(repr(value))
    except Exception:  # noqa: BLE001  a caller's repr may fail in any way
        return f"<{type(value).__name__}>"


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names look most like a name, or which there are."""
    names = sorted(set(known))
    near = get_close_matches(name[:LONGEST], names, n=3, cutoff=0.5)
    if near:
        return f"nearest: {', '.join(near)}"
    return f"known are: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else "there are none"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
