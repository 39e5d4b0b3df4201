"""The calf model on published patients that were gathered later, without sight of its numbers: what may not get worse."""

from pathlib import Path

import pytest

from calfbayes import Level, load_model
from calfbayes.evaluation.case_files import read_cases
from calfbayes.evaluation.scores import Scores, evaluate

FOLDER = Path(__file__).parent / "cases"
CASES = read_cases(FOLDER / "more_cases.jsonl")


@pytest.fixture(scope="module")
def scores() -> Scores:
    return evaluate(load_model("calf")._solved, CASES)


def test_they_are_other_patients_and_have_their_sources() -> None:
    others = {case.url for case in read_cases(FOLDER / "cases.jsonl")}
    assert len({case.id for case in CASES}) == len(CASES) >= 130
    assert all(case.source and case.url.startswith("http") for case in CASES)
    assert not others & {case.url for case in CASES}


def test_every_cause_is_among_them() -> None:
    assert {cause.id for cause in load_model("calf").causes} == {case.final_diagnosis for case in CASES}


def test_every_emergency_is_flagged_at_least_same_day(scores: Scores) -> None:
    emergencies = [a for a in scores.answers if a.case.true_urgency == Level.EMERGENCY]
    assert len(emergencies) >= 30
    assert [(a.case.id, str(a.level)) for a in emergencies if a.level not in {Level.SAME_DAY, Level.EMERGENCY}] == []


def test_hardly_any_urgency_is_two_levels_too_low(scores: Scores) -> None:
    """An infected spine told without fever, and inflamed muscle that looked like a viral illness."""
    assert {a.case.final_diagnosis for a in scores.answers if a.levels_too_high <= -2} <= {"spondylodiscitis", "myositis"}


def test_most_have_an_acceptable_cause_among_the_first_three(scores: Scores) -> None:
    assert scores.first >= 0.44
    assert scores.short_listed >= 0.74
    assert scores.too_high <= 0.30
