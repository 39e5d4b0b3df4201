"""Patients who were asked the same, parted into batches that are cheap to answer.

A batch in one plan is as dear as its most entangled patient. Where that is dear the batch is halved by the answer that parts
it most evenly: a finding that all of a batch deny costs next to nothing.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

HALVED = 3e7  # operations; a dearer batch is worth two plans
PLAN = 3e6  # operations that a plan of its own takes as long as
WIDE = 12  # present findings of a batch that is halved unseen: its plan would take long, too

Positions = NDArray[np.intp]
Said = NDArray[np.int8]  # of each asked finding: 1 present, -1 absent, 0 nothing


def batches(said: Said, members: Positions, price: Callable[[Said], float]) -> Iterator[tuple[Positions, float]]:
    """Who is answered together, and what that costs in state operations.

    Args:
        said: What each patient tells, shape (patients, asked).
        members: The patients who are to be answered.
        price: Of one plan for some patients.
    """
    present = (said[members] > 0).sum(axis=0)
    item = int(np.minimum(present, len(members) - present).argmax())
    differ = 0 < present[item] < len(members)
    is_wide = differ and np.count_nonzero(present) > WIDE
    operations = np.inf if is_wide else price(said[members])
    if operations <= HALVED or not differ:
        yield members, operations + PLAN
    else:
        has_it = said[members, item] > 0
        yield from batches(said, members[has_it], price)
        yield from batches(said, members[~has_it], price)
