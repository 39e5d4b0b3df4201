"""Arguments of the public functions, checked one way everywhere: numpy's numbers are numbers, True is none."""

from collections.abc import Callable, Collection

import numpy as np

from calfbayes.errors import ArgumentError
from calfbayes.knowledge.wording import short


def whole_number(name: str, given: object, least: int, most: int | None = None) -> int:
    """A whole number in its bounds, both included.

    Raises:
        ArgumentError: If it is none.
    """
    expected = f"a whole number from {least}" + ("" if most is None else f" to {most}")
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise ArgumentError(name, short(given), expected)
    if given < least or (most is not None and given > most):
        raise ArgumentError(name, short(given), expected)
    return int(given)


def number(name: str, given: object, expected: str, fits: Callable[[float], bool]) -> float:
    """A number that fits.

    Args:
        expected: What would do, as the message says it.

    Raises:
        ArgumentError: If it is no number, too large for one, or does not fit.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | np.integer | np.floating):
        raise ArgumentError(name, short(given), expected)
    try:
        value = float(given)
    except OverflowError:
        raise ArgumentError(name, short(given), expected) from None
    if not fits(value):
        raise ArgumentError(name, short(given), expected)
    return value


def flag(name: str, given: object) -> bool:
    """True or False.

    Raises:
        ArgumentError: If it is neither.
    """
    if not isinstance(given, bool):
        raise ArgumentError(name, short(given), "True or False")
    return given


def one_of(name: str, given: object, options: Collection[str]) -> str:
    """One of some words.

    Raises:
        ArgumentError: If it is none of them.
    """
    if not isinstance(given, str) or given not in options:
        raise ArgumentError(name, short(given), " or ".join(map(repr, options)))
    return given
