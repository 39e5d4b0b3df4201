"""Scores on answers that can be counted by hand."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ArgumentError, Level, load_model
from calfbayes.evaluation.case_files import Case, CaseFileError
from calfbayes.evaluation.report import scores_text
from calfbayes.evaluation.scores import Answer, Scores, evaluate

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


def a_case(final: str = "a", *, needed: Level = Level.ROUTINE, accepted: tuple[str, ...] = (), dangerous: bool = False) -> Case:
    return Case("C1", "source", "url", "exam", None, (), (), final, (), accepted, needed, dangerous, "")


def an_answer(ranked: str, level: Level = Level.ROUTINE, *, in_model: bool = True, case: Case | None = None) -> Answer:
    return Answer(case or a_case(), in_model, tuple(ranked), level)


def test_rank_counts_from_one_and_is_none_without_probabilities() -> None:
    assert [an_answer(ranked).rank for ranked in ("abc", "bca", "")] == [1, 3, None]


@pytest.mark.parametrize(
    ("ranked", "accepted", "short_listed"),
    [("bca", (), True), ("bcda", (), False), ("bcda", ("d",), True), ("bcda", ("a",), False), ("", ("a",), False)],
)
def test_an_acceptable_cause_counts_among_the_first_three(ranked: str, accepted: tuple[str, ...], short_listed: bool) -> None:
    assert an_answer(ranked, case=a_case(accepted=accepted)).short_listed is short_listed


def test_a_cause_that_the_model_lacks_counts_for_the_short_list_only() -> None:
    scores = Scores((an_answer("ab"), an_answer("ba"), an_answer("bc", in_model=False), an_answer("bcd", in_model=False)))
    assert scores.first == 1 / 2
    assert scores.short_listed == 2 / 4


def test_triage_tells_direction_and_distance() -> None:
    needed = (Level.SELF_CARE, Level.SAME_DAY, Level.EMERGENCY, Level.EMERGENCY)
    given = (Level.ROUTINE, Level.SAME_DAY, Level.SAME_DAY, Level.ROUTINE)
    pairs = zip(needed, given, strict=True)
    scores = Scores(tuple(an_answer("a", g, case=a_case(needed=n, dangerous=n is Level.EMERGENCY)) for n, g in pairs))
    assert [answer.levels_too_high for answer in scores.answers] == [1, 0, -1, -3]
    assert (scores.too_high, scores.too_low, scores.must_not_miss) == (1 / 4, 2 / 4, 0.0)
    assert scores.triage == ((0, 1, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 1, 0), (0, 1, 0, 1, 0))


def test_shares_of_nothing_are_not_a_number() -> None:
    nothing = Scores(())
    assert all(map(math.isnan, (nothing.first, nothing.short_listed, nothing.too_high, nothing.too_low, nothing.must_not_miss)))


def test_a_case_is_answered_as_the_model_would_answer() -> None:
    known = {"lights_dim": True, "smoke": False, "smell_of_fuel": False}
    case = Case("C1", "", "", "exam", "garage", tuple(known.items()), (), "flat_battery", (), (), Level.SELF_CARE, False, "")
    (answer,) = evaluate(CAR._solved, [case]).answers
    result = CAR.diagnose(known, setting="garage")
    probabilities = tuple(cause.probability for cause in result.causes)
    assert answer == Answer(case, True, tuple(cause.id for cause in result.causes), result.urgency.level, probabilities)
    assert answer.first


def test_what_was_stated_stands_beside_what_was_published() -> None:
    told = replace(an_answer("abc"), probabilities=(0.5, 0.25, 0.125))
    other = replace(an_answer("bca", case=a_case("b")), probabilities=(0.75, 0.5, 0.0))
    unknown = replace(an_answer("abc", in_model=False), probabilities=(0.5, 0.25, 0.125))
    probability, happened = Scores((told, other, unknown, an_answer("abc"))).stated
    assert probability.tolist() == [0.5, 0.25, 0.125, 0.75, 0.5, 0.0]
    assert happened.tolist() == [True, False, False, True, False, False]


def test_what_the_model_does_not_take_is_told_of_every_case() -> None:
    case = Case("C1", "", "", "exam", None, (("redness", True),), (), "flat_battery", (), (), Level.SELF_CARE, False, "")
    fine = replace(case, id="C2", known=())
    with pytest.raises(CaseFileError, match="2 faults in cases given") as caught:
        evaluate(CAR._solved, [case, fine, replace(case, id="C3", known=(("mileage", -1),))])
    places = [(fault.file, fault.problem.split(" ")[0]) for fault in caught.value.faults]
    assert places == [("case C1", "finding"), ("case C3", "mileage=-1:")]


def test_causes_that_the_model_does_not_know_are_named() -> None:
    case = Case("C1", "", "", "exam", None, (), (), "flat_batery", (), ("rust", "flat_battery"), Level.SELF_CARE, False, "")
    fine = replace(case, id="C2", final_diagnosis="flat_battery")
    scores = evaluate(CAR._solved, [case, fine])
    assert scores.unknown_causes == {"flat_batery": ("C1",), "rust": ("C1", "C2")}
    assert scores.to_dict()["unknown_causes"] == {"flat_batery": ["C1"], "rust": ["C1", "C2"]}
    assert "  flat_batery  C1\n  rust         C1, C2" in scores_text(scores)


@pytest.mark.parametrize("cases", [None, 3, [None], ["C1"], [{"id": "C1"}]])
def test_what_is_no_case_is_refused(cases: Any) -> None:
    with pytest.raises(ArgumentError, match="cases"):
        CAR.evaluate(cases)


@pytest.mark.parametrize("p", [0.6, 0.75, 0.85])
def test_bootstrap_intervals_hold_the_true_share_about_as_often_as_they_say(p: float) -> None:
    """Coverage over all outcomes of a binomial experiment, each weighed by its exact probability: about 95 %."""
    n, covered = 40, 0.0
    for right in range(n + 1):
        scores = Scores((*[an_answer("a")] * right, *[an_answer("b")] * (n - right)))
        found = scores.measures(resamples=1000, seed=right)["first"]
        assert (found.value, found.n) == (right / n, n)
        assert found.low <= found.value <= found.high
        if found.low <= p <= found.high:
            covered += math.comb(n, right) * p**right * (1 - p) ** (n - right)
    assert 0.90 <= covered <= 0.98
