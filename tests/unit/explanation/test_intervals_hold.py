"""Intervals hold what they promise, on patients of drawn models; `make coverage` asks the same of the calf model."""

import pytest

from support.coverage import Coverage, coverage
from support.models import shipped


@pytest.fixture(scope="module")
def tutorial() -> Coverage:
    return coverage(shipped("tutorial"), "primary_care", patients=100, draws=100, told=6, seed=2)


def test_ninety_per_cent_intervals_hold_nine_truths_in_ten(tutorial: Coverage) -> None:
    """Within three clustered standard errors, which are small."""
    assert tutorial.pairs == 600
    for covered, error in ((tutorial.covered, tutorial.error), (tutorial.covered_by_delta, tutorial.error_by_delta)):
        assert error < 0.02
        assert abs(covered - 0.9) < 3 * error


def test_delta_method_and_sampling_agree_on_a_hundred_patients(tutorial: Coverage) -> None:
    """But for few intervals, which are flagged; the ends lie a small part of half an interval apart."""
    assert tutorial.patients == 100
    assert tutorial.agree > 0.98
    assert tutorial.apart[0] < 0.25
