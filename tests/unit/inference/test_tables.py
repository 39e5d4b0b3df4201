import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes.inference.schedule import Schedule
from calfbayes.inference.tables import (
    Alike,
    Axes,
    Table,
    elimination_order,
    expit_pair,
    narrow,
    sum_product,
    union,
    widen,
)

SIZES = {0: 2, 1: 3, 2: 4, 3: 2, 4: 3}
NAMES = "abcde"


def table(axes: Axes, seed: int) -> Table:
    return Table(axes, np.random.default_rng(seed).random((1, *(SIZES[axis] for axis in axes))))


def scopes() -> st.SearchStrategy[Axes]:
    return st.sets(st.sampled_from(sorted(SIZES)), max_size=3).map(lambda axes: tuple(sorted(axes)))


def test_union_is_in_rising_order() -> None:
    assert union((2, 5), (1,), (), (2, 3)) == (1, 2, 3, 5)
    assert union() == ()


def test_widen_and_narrow_keep_the_lanes_in_front() -> None:
    values = np.arange(12.0).reshape(2, 2, 3)
    assert widen(values, (1, 4), (0, 1, 3, 4)).shape == (2, 1, 2, 1, 3)
    assert narrow(values, (1, 4), (4,)).tolist() == values.sum(axis=1).tolist()
    assert narrow(values, (1, 4), (1, 4)) is values


def test_tables_of_one_lane_multiply_tables_of_many() -> None:
    many = Table((0,), np.arange(6.0).reshape(3, 2))
    product = many.times(Table((1,), np.array([[1.0, 10.0, 100.0]])))
    assert product.axes == (0, 1)
    assert product.values.shape == (3, 2, 3)
    assert product.values[2, 1].tolist() == [5.0, 50.0, 500.0]


@given(st.lists(scopes(), min_size=1, max_size=5), scopes())
def test_sums_of_products_equal_the_plain_sum(axes_of: list[Axes], wanted: Axes) -> None:
    tables = [table(axes, seed) for seed, axes in enumerate(axes_of)]
    keep = tuple(axis for axis in wanted if axis in union(*axes_of))
    result = sum_product(tables, keep)
    letters = ",".join("".join(NAMES[axis] for axis in axes) for axes in axes_of)
    expected = np.einsum(f"{letters}->{''.join(NAMES[axis] for axis in keep)}", *(t.values[0] for t in tables))
    assert result.axes == keep
    assert result.values[0] == pytest.approx(expected, rel=1e-12)
    scheduled = Schedule(axes_of, SIZES, keep)([t.values for t in tables])
    assert scheduled.shape == (1, *expected.shape)
    assert scheduled[0] == pytest.approx(expected, rel=1e-12)


@given(st.lists(scopes(), min_size=1, max_size=5), scopes())
def test_every_axis_that_is_not_kept_is_eliminated_once(axes_of: list[Axes], keep: Axes) -> None:
    order = elimination_order(axes_of, SIZES, keep)
    assert sorted(order) == sorted(set(union(*axes_of)) - set(keep))


@given(st.floats(-1e4, 1e4))
def test_both_probabilities_of_a_logit_have_full_relative_precision(x: float) -> None:
    on, off = expit_pair(np.array([x]))
    assert on[0] + off[0] == pytest.approx(1.0, abs=1e-15)
    if abs(x) < 700:
        assert np.log(on[0]) - np.log(off[0]) == pytest.approx(x, rel=1e-13, abs=1e-13)


def test_an_infinite_logit_is_certain() -> None:
    on, off = expit_pair(np.array([-np.inf, np.inf]))
    assert on.tolist() == [0.0, 1.0]
    assert off.tolist() == [1.0, 0.0]


def test_a_schedule_serves_tables_of_one_lane_and_of_many() -> None:
    one, many = np.array([[1.0, 2.0]]), np.arange(12.0).reshape(2, 2, 3)
    result = Schedule([(0,), (0, 1)], SIZES, (1,))([one, many])
    assert result.tolist() == [[6.0, 9.0, 12.0], [24.0, 27.0, 30.0]]


@given(st.lists(st.integers(0, 2), min_size=6, max_size=6), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_lanes_that_are_alike_stand_in_a_table_once(one: list[int], other: list[int]) -> None:
    """Whatever is multiplied and summed: with the few, with the whole, and with tables that have one lane or all of them."""
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 2))[one], rng.random((3, 3))[other]
    shared, full = table((0, 1), 1), Table((1,), rng.random((6, 3)))
    few, other_few = Alike.of(a, 0), Alike.of(b, 1)
    assert len(few.table.values) == len(set(one))
    both = Alike(shared).times(few).times(other_few)
    assert len(both.table.values) == len(set(zip(one, other, strict=True)))
    expected = shared.values * a[:, :, None] * b[:, None, :]
    np.testing.assert_array_equal(few.whole().values, a)
    np.testing.assert_allclose(both.whole().values, expected, rtol=1e-15)
    np.testing.assert_allclose(both.without(0).whole().values, expected.sum(axis=1), rtol=1e-15)
    np.testing.assert_allclose(both.times(Alike(full)).whole().values, expected * full.values[:, None], rtol=1e-15)
    np.testing.assert_allclose(Alike(full).times(both).whole().values, expected * full.values[:, None], rtol=1e-15)
