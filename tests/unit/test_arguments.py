"""One way of checking arguments serves all public functions."""

from typing import Any

import numpy as np
import pytest

from calfbayes import ArgumentError
from calfbayes.arguments import flag, number, one_of, whole_number


@pytest.mark.parametrize("given", [0, 7, np.int64(7), np.uint8(7)])
def test_whole_numbers_of_numpy_are_whole_numbers(given: Any) -> None:
    assert whole_number("n", given, 0, 10) == given
    assert type(whole_number("n", given, 0, 10)) is int


@pytest.mark.parametrize("given", [-1, 11, True, np.True_, 7.0, "7", None, 10**400, np.array(7)])
def test_what_is_no_whole_number_in_its_bounds_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"n=.* cannot be; expected a whole number from 0 to 10"):
        whole_number("n", given, 0, 10)


def test_a_whole_number_without_upper_bound_is_as_large_as_it_likes() -> None:
    assert whole_number("seed", 10**30, 0) == 10**30


@pytest.mark.parametrize("given", [0.5, np.float32(0.5), 1, np.int8(1)])
def test_a_number_that_fits_is_a_float(given: Any) -> None:
    assert number("x", given, "above 0", lambda x: x > 0) == given
    assert type(number("x", given, "above 0", lambda x: x > 0)) is float


@pytest.mark.parametrize("given", [0, float("nan"), True, "1", None, 10**400, 1j, np.array([1.0])])
def test_what_is_no_number_that_fits_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"x=.* cannot be; expected above 0"):
        number("x", given, "above 0", lambda x: x > 0)


@pytest.mark.parametrize("given", [0, 1, None, "yes", np.True_])
def test_only_true_and_false_are_flags(given: Any) -> None:
    assert flag("is_so", True)
    assert not flag("is_so", False)
    with pytest.raises(ArgumentError, match="True or False"):
        flag("is_so", given)


@pytest.mark.parametrize("given", ["c", "", None, 1, ["a"], {"a"}, b"a"])
def test_what_is_none_of_some_words_is_refused(given: Any) -> None:
    assert one_of("who", "a", {"a": 1, "b": 2}) == "a"
    with pytest.raises(ArgumentError, match=r"who=.* cannot be; expected 'a' or 'b'"):
        one_of("who", given, {"a": 1, "b": 2})
