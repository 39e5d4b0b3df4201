"""How far a frequency may be relied on that was counted in few trials."""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray


def wilson_interval(share: ArrayLike, n: ArrayLike, level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The score interval of a binomial frequency; unlike the usual one it stays within 0 to 1 and has width at 0 and 1.

    Args:
        share: Frequencies seen, any shape.
        n: Trials they were counted in, at least 1, same shape.
        level: Chance that the interval holds the true frequency.

    Returns:
        Lower and upper ends, shape of `share`.

    References:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    seen, trials = np.asarray(share, float), np.asarray(n, float)
    z = NormalDist().inv_cdf((1 + level) / 2)
    below = 1 + z**2 / trials
    middle = (seen + z**2 / (2 * trials)) / below
    half = z * np.sqrt(seen * (1 - seen) / trials + z**2 / (4 * trials**2)) / below
    # the ends at 0 and 1 are exact, but for rounding
    return np.clip(middle - half, 0.0, seen), np.clip(middle + half, seen, 1.0)


def share_text(seen: int, n: int) -> str:
    """A share counted in n trials, at least 1, with its interval: `78 %, 95 % interval 67 to 86 %`."""
    low, high = wilson_interval(seen / n, n, level=0.95)
    return f"{100 * seen / n:.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %"
