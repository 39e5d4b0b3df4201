"""Numbers of the model in the text about its doubt."""

import pytest

from calfbayes.presentation.doubt import number


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.0421, "0.0421"), (0.99999, "1 - 1e-05"), (1.0, "1"), (1.0001, "1"), (32.04, "32")]
)
def test_a_number_just_below_1_is_told_by_what_it_lacks(value: float, shown: str) -> None:
    assert number(value) == shown
