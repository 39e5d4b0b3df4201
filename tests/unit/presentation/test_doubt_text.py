"""Numbers of the model in the text about its doubt."""

import pytest

from calfbayes.presentation.doubt import number, roughly


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.0421, "0.0421"), (0.99999, "1 - 1e-05"), (1.0, "1"), (1.0001, "1"), (32.04, "32")]
)
def test_a_number_just_below_1_is_told_by_what_it_lacks(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("limit", "value", "shown"),
    [(0.0421, 0.2, "0.04"), (32.4, 20.0, "30"), (0.34, 0.31, "0.34"), (0.342, 0.341, "0.342"), (0.97, 0.9, "0.97")],
)
def test_a_limit_by_derivative_has_one_digit_or_as_many_as_tell_it_from_the_number(
    limit: float, value: float, shown: str
) -> None:
    assert roughly(limit, value) == shown
