"""Arguments of explanations are what they are said to be, numpy's numbers included, or an error names them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from calfbayes import ArgumentError, Diagnosis
from support.models import shipped


def result() -> Diagnosis:
    return shipped("tutorial").diagnose({"age": 67, "smoking": True, "pain_on_walking": True})


def test_counts_may_be_numbers_of_numpy() -> None:
    assert result().cause_sets(count=np.int64(3), most=np.uint8(2)) == result().cause_sets(count=3, most=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: result().record(origins=["patient"]),  # type: ignore[arg-type]
        lambda: result().record(times="noon"),  # type: ignore[arg-type]
        lambda: result().intervals(level=1 - 1e-16),
        lambda: result().intervals(level=1e-300),
        lambda: result().intervals(level=0.009),
        lambda: result().intervals(level=np.float64(1.0)),
        lambda: result().intervals(level=float("nan")),
        lambda: result().intervals(level=True),
        lambda: result().intervals(method="sampling", draws=np.float64(50)),  # type: ignore[arg-type]
        lambda: result().cause_sets(count=101),
    ],
)
def test_an_argument_that_cannot_be_is_an_argument_error(ask: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError):
        ask()


def test_levels_and_draws_may_be_numbers_of_numpy() -> None:
    assert result().intervals(level=np.float64(0.5)).to_dict() == result().intervals(level=0.5).to_dict()
    few: dict[str, Any] = {"method": "sampling", "progress": False}
    numbers: list[tuple[Any, Any]] = [(20, 1), (np.int64(20), np.int32(1))]
    drawn = [result().intervals(draws=draws, seed=seed, **few) for draws, seed in numbers]
    assert drawn[0].to_dict() == drawn[1].to_dict()
