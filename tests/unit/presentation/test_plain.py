"""Characters, percentages, bars and lines."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes.presentation.plain import (
    EMPTY,
    FULL,
    MARK,
    bar,
    bullets,
    multiple,
    of_draws,
    painted,
    percent,
    printable,
    shortened,
    signed,
    wrapped,
)

probabilities = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Wadenschmerz, größer", "Wadenschmerz, größer"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\rb\nc", r"a\rb\nc"),
        ("right\u202eleft", r"right\u202eleft"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("join\u034fer", r"join\u034fer"),
        ("fill\u3164er", r"fill\u3164er"),
        ("empty\u2800", r"empty\u2800"),
        ("half\udc80", r"half\udc80"),
    ],
)
def test_what_could_move_the_cursor_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_holds_no_control_and_stays_as_it_is(text: str) -> None:
    once = printable(text)
    assert not {category(sign) for sign in once} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable(once) == once


@pytest.mark.parametrize(
    ("probability", "shown"),
    [
        (0.0, "0 %"),
        (1e-12, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.5, "50 %"),
        (0.9949, "99 %"),
        (0.997, "99.7 %"),
        (0.9999999, ">99.9 %"),
        (1.0, ">99.9 %"),  # all digits are nines
    ],
)
def test_percentages(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_what_was_counted_may_be_all() -> None:
    assert percent(1.0, exact=True) == "100 %"
    assert percent(1.0 - 2**-53, exact=True) == ">99.9 %"


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (1.0, "1"),
        (3.46, "3.5"),
        (86.4, "86"),
        (99.6, "100"),
        (704.0, "700"),
        (2512.0, "2,500"),
        (1e6, "1,000,000"),
        (0.031, "0.031"),
        (2e-7, "0.0000002"),
    ],
)
def test_a_ratio_has_two_digits_and_no_exponent(ratio: float, shown: str) -> None:
    assert multiple(ratio) == shown


@given(probabilities)
def test_a_percentage_is_right_to_a_rounding_and_never_a_false_certainty(probability: float) -> None:
    shown = percent(probability)
    assert shown != "100 %"
    if shown == "0 %":
        assert probability == 0.0
    elif shown[0] in "<>":
        assert probability < 0.001 or probability > 0.999
    else:
        number = float(shown.removesuffix(" %"))
        assert abs(number - 100 * probability) <= (0.5001 if number >= 10 else 0.05001)


@given(probabilities, probabilities, st.integers(8, 60))
def test_a_bar_has_its_width_one_mark_and_the_right_length(probability: float, share: float, width: int) -> None:
    drawn = bar(probability, share, width)
    assert len(drawn) == width
    assert drawn.count(MARK) == 1
    assert drawn.index(MARK) == min(int(share * width), width - 1)
    full = drawn.replace(MARK, FULL).rstrip(EMPTY)
    assert abs(drawn.count(FULL) - probability * width) <= 1.5
    assert FULL not in drawn[len(full) :]


@given(st.text(), st.integers(20, 100))
def test_lines_keep_to_the_width(text: str, width: int) -> None:
    for lines in (wrapped(text, width, "  - ", "    "), bullets([text], width)):
        assert lines
        assert all(len(line) <= width for line in lines)
        assert lines[0].startswith("  -")


def test_wrapping_loses_no_word() -> None:
    text = "one two\nthree   four-five\tsix"
    assert " ".join(line.strip() for line in wrapped(text, 20)) == "one two three four-five six"


def test_short_text_is_kept_and_long_text_is_marked() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def test_paint_is_put_around_and_only_if_wanted() -> None:
    assert painted("text", "1", colour=True) == "\x1b[1mtext\x1b[0m"
    assert painted("text", "1", colour=False) == "text"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(-0.04, "0.0"), (0.04, "0.0"), (-0.0, "0.0"), (-0.06, "-0.1"), (3.14, "+3.1"), (float("-inf"), "-inf")],
)
def test_what_rounds_to_0_has_no_sign(number: float, shown: str) -> None:
    assert signed(number) == shown


@pytest.mark.parametrize(("n", "shown"), [(0, "none"), (1, "1.7 %"), (59, "98 %"), (60, "all")])
def test_draws_show_no_certainty(n: int, shown: str) -> None:
    assert of_draws(n, 60) == shown
