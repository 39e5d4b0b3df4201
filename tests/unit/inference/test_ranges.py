"""Ranges of elicited numbers: given ones as they are, those of sample sizes against closed forms and draws."""

import numpy as np
import pytest

from calfbayes.inference.elicited import elicited_numbers
from calfbayes.inference.ranges import beta_below, beta_quantile, ranges
from support.models import shipped

LARGE = np.array([0.01, 0.5, 1.0, 3.0, 40.0, 5e4])


@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_quantiles_of_distributions_with_a_closed_form(q: float) -> None:
    """P(X < x) is x^a if b is 1, and 1 - (1 - x)^b if a is 1."""
    one = np.ones_like(LARGE)
    assert beta_quantile(q, LARGE, one) == pytest.approx(q ** (1.0 / LARGE), rel=1e-9)
    assert beta_quantile(q, one, LARGE) == pytest.approx(-np.expm1(np.log1p(-q) / LARGE), rel=1e-9)


def test_quantiles_are_where_draws_lie() -> None:
    drawn = np.random.default_rng(1).beta(2.5, 9.0, 200_000)
    below = [float((drawn < beta_quantile(q, np.array([2.5]), np.array([9.0]))[0]).mean()) for q in (0.05, 0.5, 0.95)]
    assert below == pytest.approx([0.05, 0.5, 0.95], abs=5 * 0.5 / np.sqrt(200_000))


def test_a_quantile_has_its_probability_below_it() -> None:
    a, b = np.array([0.2, 3.0, 700.0]), np.array([11.0, 0.4, 300.0])
    x = beta_quantile(0.05, a, b)
    assert beta_below(np.log(x) - np.log1p(-x), a, b) == pytest.approx(np.full(3, 0.05), rel=1e-9)


def test_given_ranges_are_kept_and_every_range_holds_its_number() -> None:
    solved = shipped("tutorial")._solved
    found = ranges(solved, "primary_care")
    numbers = elicited_numbers(solved, "primary_care").numbers
    assert found.shape == (len(numbers), 2)
    with_range = [k for k, entry in enumerate(numbers) if entry.number.n is None]
    assert with_range
    for k in with_range:
        assert found[k].tolist() == [numbers[k].number.low, numbers[k].number.high]
    assert all(low <= entry.value <= high for (low, high), entry in zip(found.tolist(), numbers, strict=True))
