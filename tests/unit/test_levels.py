"""Levels compare by severity, never as text."""

import pytest

from calfbayes import ArgumentError, Level


def test_more_urgent_is_greater() -> None:
    assert sorted(Level) == [Level.SELF_CARE, Level.ROUTINE, Level.WITHIN_DAYS, Level.SAME_DAY, Level.EMERGENCY]
    assert max(Level) is Level.EMERGENCY
    assert Level.SAME_DAY >= Level.WITHIN_DAYS > Level.ROUTINE
    assert not Level.EMERGENCY <= Level.SAME_DAY
    assert str(Level.EMERGENCY) == "emergency"


@pytest.mark.parametrize("text", ["same_day", "zzz"])
def test_a_level_does_not_compare_with_other_text(text: str) -> None:
    with pytest.raises(ArgumentError):
        assert text > Level.EMERGENCY
    with pytest.raises(ArgumentError):
        assert max(text, Level.EMERGENCY)
