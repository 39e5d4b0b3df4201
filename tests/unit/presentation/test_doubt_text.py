"""Numbers of the model in the text about its doubt."""

from dataclasses import replace

import pytest

from calfbayes.presentation.doubt import intervals_text, notes, number, roughly
from support.models import shipped


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


def test_complications_are_shown_and_what_was_not_checked_is_marked() -> None:
    given = shipped("calf").diagnose({"age": 58, "unilateral_calf_swelling": True}).intervals()
    lines = intervals_text(given).splitlines()
    assert all(any(line.startswith(f"  {entry.label}") for line in lines) for entry in given.complications)
    of_causes = [next(line for line in lines if line.startswith(f"  {e.label[:30]}")) for e in given.causes[:8]]
    assert [line.endswith("  ?") for line in of_causes] == [entry.nearly_linear is None for entry in given.causes[:8]]
    assert "? not checked whether nearly linear" in notes(given)
    assert "not checked" in given._repr_html_()
    checked = replace(given, causes=given.causes[:1])
    assert not any("not checked" in note for note in notes(checked))
