"""The terminal: what is read from it, and text written to it whatever it can show."""

import os
import shutil
import sys
from pathlib import Path

from calfbayes.errors import CalfBayesError
from calfbayes.presentation.plain import ASCII_SIGNS, printable

MAX_BYTES = 4_000_000


class InputError(CalfBayesError):
    """A file that the command line was told to read or write cannot be."""


def read(file: str) -> bytes:
    """The bytes of a file, or of standard input if it is named `-`."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{file}: is larger than the {MAX_BYTES} bytes that are read")
    return data


def write(text: str) -> None:
    """Print to standard output, in plainer signs where it cannot show them."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(ASCII_SIGNS)
    print(text)


def complain(text: str) -> None:
    """Say on standard error what is wrong."""
    lines = [printable(line) for line in text.splitlines()]
    print("\n".join(["calfbayes: " + lines[0], *lines[1:]]) if lines else "calfbayes: failed", file=sys.stderr)


def colour() -> bool:
    """Whether to write in colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """How many characters a line holds, from 60 to 120."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)
