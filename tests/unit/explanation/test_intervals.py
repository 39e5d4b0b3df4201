"""How sure: the delta method against sampling, and the flag where the problem is not nearly linear."""

from dataclasses import FrozenInstanceError
from math import log
from typing import Literal

import numpy as np
import pytest

from calfbayes import ArgumentError, Diagnosis, NoPosteriorError, QueryTooCostlyError, UnknownNameError
from calfbayes.explanation.intervals import Interval
from calfbayes.inference.draws import drawn_models
from support.models import model_of, shipped
from support.small_models import small_content

GIVEN = {"age": 67, "sex": "male", "pain_on_walking": True, "redness": False, "unilateral_calf_swelling": True}


def tutorial() -> Diagnosis:
    return shipped("tutorial").diagnose(dict(GIVEN))


def logit(p: float) -> float:
    return log(p) - log(1.0 - p)


def test_delta_and_sampling_agree_within_what_few_draws_leave_open() -> None:
    """The ends differ by less than a quarter of half an interval, three standard errors of the draws apart."""
    result = tutorial()
    delta, drawn = result.intervals(), result.intervals(method="sampling", draws=2_000, seed=3, progress=False)
    for one, other in zip(delta, drawn, strict=True):
        assert (one.id, one.probability) == (other.id, other.probability)
        half = (logit(one.high) - logit(one.low)) / 2
        for a, b, error in ((one.low, other.low, other.errors[0]), (one.high, other.high, other.errors[1])):
            assert abs(logit(a) - logit(b)) < 0.25 * half + 3 * error / (b * (1.0 - b)), one.id
        assert one.nearly_linear is not False
        assert other.nearly_linear


def test_probabilities_are_those_of_the_result_and_lie_inside() -> None:
    result = tutorial()
    found = result.intervals()
    assert [entry.id for entry in found.causes] == [entry.id for entry in result.causes]
    for entry in (*found.causes, *found.complications):
        assert entry.probability == pytest.approx(result[entry.id].probability, rel=1e-12)
        assert 0.0 < entry.low < entry.probability < entry.high < 1.0
    severities = result.urgency.level_probabilities
    chances = [sum(severities[k:]) for k in range(1, 1 + len(found.urgency))]
    assert [entry.probability for entry in found.urgency] == pytest.approx(chances, rel=1e-9)


@pytest.mark.parametrize("method", ["delta", "sampling"])
def test_surer_intervals_are_wider(method: Literal["delta", "sampling"]) -> None:
    result = tutorial()
    inner, middle, outer = (result.intervals(level, method, draws=200, progress=False) for level in (0.5, 0.8, 0.95))
    for a, b, c in zip(inner, middle, outer, strict=True):
        assert c.low < b.low < a.low < a.high < b.high < c.high


def test_an_interval_that_is_not_nearly_linear_is_flagged() -> None:
    """A leak that nearly spans all probabilities: its answer bends long before the ends. With little doubt it does not."""
    content = small_content({"a": (1.0, {"f": 0.75}), "b": (1.0, {})}, {"f": 0.25}, coincidence=0.0625)
    flags = []
    for ends in ([0.001, 0.74], [0.24, 0.26]):
        number = content["findings"]["f"]["leak"]
        number.pop("n", None)
        content["findings"]["f"]["leak"] = {**number, "range": ends}
        result = model_of(content).diagnose({"f": True})
        flags.append(result.intervals()["a"].nearly_linear)
    assert flags == [False, True]


def test_one_seed_gives_the_same_intervals_and_another_gives_others() -> None:
    result = tutorial()
    first, again, other = (
        result.intervals(method="sampling", draws=60, seed=seed, progress=False).to_dict() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_draws_count_how_often_the_answer_is_the_same() -> None:
    found = tutorial().intervals(method="sampling", draws=100, progress=False)
    assert (found.draws, found.impossible) == (100, 0)
    assert found.same_first is not None
    assert found.same_level is not None
    assert 0.5 < found.same_first < 1.0
    assert 0.5 < found.same_level <= 1.0
    assert tutorial().intervals().same_first is None


def test_progress_is_told_shown_and_silenced(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    result = tutorial()
    result.intervals(method="sampling", draws=120, progress=lambda done, of: told.append((done, of)))
    assert told == [(50, 120), (100, 120), (120, 120)]
    monkeypatch.setattr("calfbayes.explanation.progress.PATIENCE", -1.0)
    result.intervals(method="sampling", draws=20, progress=False)
    assert capsys.readouterr() == ("", "")
    result.intervals(method="sampling", draws=20)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "20 of 20" in shown.err


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0.0},
        {"level": 1.0},
        {"level": True},
        {"level": "0.9"},
        {"level": float("nan")},
        {"method": "bootstrap"},
        {"draws": 1},
        {"draws": 100.0},
        {"seed": -1},
        {"progress": "yes"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ArgumentError) as caught:
        tutorial().intervals(**wrong)  # type: ignore[arg-type]
    assert caught.value.name == name


def test_what_costs_too_much_or_has_no_probabilities_is_refused() -> None:
    with pytest.raises(QueryTooCostlyError):
        tutorial().intervals(method="sampling", cost_limit=10.0)
    model = shipped("tutorial")
    with pytest.raises(NoPosteriorError):
        model.diagnose({model.knowledge.complaint: False}).intervals()
    with pytest.raises(UnknownNameError):
        tutorial().intervals()["gout"]


def test_few_draws_tell_their_error() -> None:
    few, more = (tutorial().intervals(method="sampling", draws=draws, progress=False) for draws in (40, 400))
    errors = [2 * max(max(entry.errors) for entry in (*found.causes[:8], *found.urgency)) for found in (few, more)]
    assert errors[0] > 1.5 * errors[1] > 0.0
    for found, error in zip((few, more), errors, strict=True):
        assert f"with {found.draws} draws an end may be off by up to {100 * error:.2g} points" in repr(found)
        assert repr(found).count("(standard error ") == 2
    assert "may be off" not in repr(tutorial().intervals())


def test_intervals_are_values_with_text_and_a_table() -> None:
    found = tutorial().intervals()
    with pytest.raises(FrozenInstanceError):
        found.level = 0.5  # type: ignore[misc]
    text = repr(found)
    assert text.startswith("90 % intervals")
    first: Interval = found.causes[0]
    assert first.label in text
    frame = found.to_frame()
    assert frame.loc[first.id, "low"] == first.low == found.to_dict()["causes"][0]["low"]
    assert len(frame) == len(list(found))
    assert np.all(frame["low"] < frame["high"])


def test_too_few_draws_for_a_level_are_refused() -> None:
    """The ends would be the least and the greatest draw, and stand for a lower level."""
    result = shipped("tutorial").diagnose({"redness": True})
    with pytest.raises(ArgumentError, match="200 at least"):
        result.intervals(method="sampling", draws=100, level=0.99)


def test_draws_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    result = shipped("tutorial").diagnose({"unilateral_calf_swelling": True, "redness": False})

    def drawn(threads: int) -> dict[str, object]:
        monkeypatch.setattr("calfbayes.explanation.intervals.THREADS", threads)
        drawn_models.cache_clear()
        return result.intervals(method="sampling", draws=130, progress=False).to_dict()

    assert drawn(1) == drawn(2)
