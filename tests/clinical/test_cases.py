"""The calf model on published patients: what has to be reached, whatever number is changed next."""

from pathlib import Path

import pytest

from calfbayes import Level, load_model
from calfbayes.evaluation.case_files import read_cases
from calfbayes.evaluation.scores import Answer, Scores, evaluate

CASES = read_cases(Path(__file__).parent / "cases" / "cases.jsonl")


@pytest.fixture(scope="module")
def scores() -> Scores:
    return evaluate(load_model("calf")._solved, CASES)


def told(answers: list[Answer]) -> str:
    """What to look at when a demand is not met."""
    return "\n".join(
        f"{a.case.id} {a.case.final_diagnosis}: rank {a.rank}, first three {', '.join(a.ranked[:3])}; "
        f"needed {a.case.true_urgency}, given {a.level}"
        for a in answers
    )


def test_all_cases_are_there_with_their_sources() -> None:
    assert [case.id for case in CASES] == [f"D{number:03}" for number in range(1, 59)]
    assert all(case.source and case.url.startswith("http") for case in CASES)


def test_every_published_cause_is_in_the_model(scores: Scores) -> None:
    assert [a.case.id for a in scores.answers if not a.in_model] == []


def test_the_published_cause_comes_first(scores: Scores) -> None:
    """The aim is 0.55; what has been reached must not be lost."""
    reached = scores.first
    assert reached >= 0.46, told([a for a in scores.answers if not a.first])


def test_an_acceptable_cause_is_among_the_first_three(scores: Scores) -> None:
    reached = scores.short_listed
    assert reached >= 0.80, told([a for a in scores.answers if not a.short_listed])


def test_every_emergency_is_flagged_at_least_same_day(scores: Scores) -> None:
    emergencies = [a for a in scores.answers if a.case.true_urgency == Level.EMERGENCY]
    assert emergencies
    assert told([a for a in emergencies if a.level not in {Level.SAME_DAY, Level.EMERGENCY}]) == ""


def test_no_urgency_is_two_levels_too_low(scores: Scores) -> None:
    assert told([a for a in scores.answers if a.levels_too_high <= -2]) == ""


def test_few_urgencies_are_too_high(scores: Scores) -> None:
    reached = scores.too_high
    assert reached <= 0.25, told([a for a in scores.answers if a.levels_too_high > 0])
