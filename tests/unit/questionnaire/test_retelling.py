"""What is told later joins what is known: presence wins over a denial, and everything else that differs is said."""

from typing import Any

import pytest

from calfbayes import ContradictionError, Likelihood
from calfbayes.questionnaire.retelling import with_told, without_overlooked
from support.models import shipped

NETWORK = shipped("calf")._solved.network


@pytest.mark.parametrize(
    ("before", "now", "then"),
    [
        ({}, {"fever": None}, {"fever": None}),
        ({"fever": True}, {"fever": None}, {"fever": True}),
        ({"fever": None}, {"fever": False}, {"fever": False}),
        ({"fever": False}, {"fever": True}, {"fever": True}),
        ({"fever": False}, {"fever": Likelihood(5)}, {"fever": Likelihood(5)}),
        ({"fever": Likelihood(5)}, {"fever": False}, {"fever": False}),
        ({"fever": True}, {"fever": Likelihood(5)}, {"fever": True}),
        ({"fever": False}, {"fever": Likelihood(0.2)}, {"fever": False}),
        ({"pregnancy": False}, {"pregnancy": True}, {"pregnancy": True}),
        ({"age": 40}, {"age": 40.0}, {"age": 40}),
        ({"limp": False}, {"unable_to_bear_weight": True}, {"unable_to_bear_weight": True}),
        ({"limp": True}, {"unable_to_bear_weight": True}, {"limp": True, "unable_to_bear_weight": True}),
    ],
)
def test_more_is_told(before: dict[str, Any], now: dict[str, Any], then: dict[str, Any]) -> None:
    assert with_told(NETWORK, before, now) == then


def test_a_number_is_kept_beside_the_state_that_it_lies_in() -> None:
    age = next(factor for factor in shipped("calf").risk_factors if factor.id == "age")
    state, other = age.states[1], age.states[2]
    number = age.lower_bounds[1] + 1
    assert with_told(NETWORK, {"age": number}, {"age": state}) == {"age": number}
    assert with_told(NETWORK, {"age": state}, {"age": number}) == {"age": number}
    with pytest.raises(ContradictionError, match="age"):
        with_told(NETWORK, {"age": number}, {"age": other})


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"fever": True}, {"fever": False}),
        ({"fever": True}, {"fever": Likelihood(0.2)}),
        ({"pregnancy": True}, {"pregnancy": False}),
        ({"age": 40}, {"age": 3}),
        ({"sex": "male"}, {"sex": "female"}),
    ],
)
def test_one_thing_told_in_two_ways_is_a_contradiction(before: dict[str, Any], now: dict[str, Any]) -> None:
    with pytest.raises(ContradictionError, match="told as"):
        with_told(NETWORK, before, now)


def test_an_empty_box_for_what_is_present_was_overlooked() -> None:
    known = {"unable_to_bear_weight": True, "pregnancy": True, "redness": False}
    said = {"unable_to_bear_weight": False, "limp": False, "pregnancy": False, "redness": False, "fever": True}
    assert without_overlooked(NETWORK, known, said) == {"redness": False, "fever": True}
