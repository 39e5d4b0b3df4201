"""Intervals of frequencies."""

import numpy as np
import pytest

from calfbayes.evaluation.frequency import share_text, wilson_interval


@pytest.mark.parametrize(
    ("share", "n", "low", "high"), [(0.0, 10, 0.0, 0.2129), (0.5, 20, 0.3274, 0.6726), (1.0, 10, 0.7871, 1.0)]
)
def test_wilson_intervals(share: float, n: int, low: float, high: float) -> None:
    """At no event the upper end is z^2 / (n + z^2); at one half the half width is z / (2 sqrt(n + z^2))."""
    assert wilson_interval(share, n, level=0.9) == pytest.approx((low, high), abs=1e-4)


def test_an_interval_for_each_frequency() -> None:
    share = np.array([[0.0, 1.0], [0.5, 0.2]])
    low, high = wilson_interval(share, [[1, 2], [3, 4]], level=0.95)
    assert low.shape == high.shape == share.shape
    assert ((low >= 0) & (low <= share) & (share <= high) & (high <= 1)).all()


def test_a_share_is_told_with_its_interval() -> None:
    assert share_text(56, 72) == "78 %, 95 % interval 67 to 86 %"
