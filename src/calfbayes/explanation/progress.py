"""How far long work has come, on the stream for messages; or told to a function, or to nobody."""

import sys
from collections.abc import Callable
from time import monotonic

from calfbayes.errors import ArgumentError
from calfbayes.knowledge.wording import short

Progress = bool | Callable[[int, int], None]
PATIENCE = 1.0  # seconds of work of which nobody needs to be told


def teller(progress: Progress, what: str) -> Callable[[int, int], None]:
    """What to call with the number of steps done, and of all.

    Args:
        progress: True to show long work on stderr, False to be silent, or a function that is told instead.
        what: What is done, as shown.

    Raises:
        ArgumentError: If `progress` is neither.
    """
    if callable(progress):
        return progress
    if not isinstance(progress, bool):
        raise ArgumentError("progress", short(progress), "True, False, or a function of steps done and all steps")
    began = monotonic()
    told = False

    def tell(done: int, of: int) -> None:
        nonlocal told
        if told or monotonic() - began > PATIENCE:
            told = True
            sys.stderr.write(f"\r{what}: {done} of {of}" + ("\n" if done == of else ""))
            sys.stderr.flush()

    return tell if progress else lambda _done, _of: None
