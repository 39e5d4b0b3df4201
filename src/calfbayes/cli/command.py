"""What a command is, and the kinds of numbers that commands take."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it says of itself, its arguments (given the words on the line, to know the model), what it does."""

    summary: str
    add: Callable[[argparse.ArgumentParser, Sequence[str]], None]
    run: Callable[[argparse.Namespace], int]
    epilog: str = ""


def add_nothing(_: argparse.ArgumentParser, __: Sequence[str]) -> None:
    """The command has no arguments."""


def count(text: str) -> int:
    """A whole number from 1, as an argument."""
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0, as an argument."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError("expected a whole number from 0")
    return int(text)
