"""Negative tests that say nothing in a patient are not weighed, anywhere, and the result says so."""

import pytest

from calfbayes import Likelihood, Model
from calfbayes.evidence import Value
from calfbayes.testing.editing import edited
from support.models import shipped

CALF = shipped("calf")
INDEX, ARTERIES = "ankle_brachial_index_low", "peripheral_artery_disease"
WALKER: dict[str, Value] = {"age": 68, "smoking": True, "pain_on_walking": True, "pain_relieved_by_rest": True}
DIABETIC = {**WALKER, "diabetes": True}
DENIALS = pytest.mark.parametrize("denied", [False, Likelihood(0.1)])


def always_weighed() -> Model:
    return edited(CALF, {f"asking.tests.{INDEX}.absent_says_nothing_if": None})


@DENIALS
def test_a_normal_index_in_diabetes_changes_nothing(denied: Value) -> None:
    without, with_it = CALF.diagnose(DIABETIC), CALF.diagnose({**DIABETIC, INDEX: denied})
    assert with_it.causes == without.causes
    assert with_it.urgency.level == without.urgency.level
    assert with_it.log_evidence == without.log_evidence
    assert always_weighed().diagnose({**DIABETIC, INDEX: denied})[ARTERIES].probability < 0.9 * without[ARTERIES].probability


@DENIALS
def test_it_is_weighed_in_whom_it_tells_something(denied: Value) -> None:
    for told in (WALKER, {**WALKER, "diabetes": False}, {**WALKER, "diabetes": None}):
        result = CALF.diagnose({**told, INDEX: denied})
        assert result[ARTERIES].probability < CALF.diagnose(told)[ARTERIES].probability
        assert result.not_weighed == {}
    assert CALF.diagnose({**DIABETIC, INDEX: True})[ARTERIES].probability > CALF.diagnose(DIABETIC)[ARTERIES].probability


def test_explanations_and_intervals_do_not_weigh_it_either() -> None:
    without, with_it = CALF.diagnose(DIABETIC), CALF.diagnose({**DIABETIC, INDEX: False})
    ledgers = [result.explain(ARTERIES) for result in (without, with_it)]
    assert INDEX not in {weight.id for weight in ledgers[1].weights}
    assert [w.decibans for w in ledgers[0].weights] == [w.decibans for w in ledgers[1].weights]
    assert without.intervals()[ARTERIES] == with_it.intervals()[ARTERIES]
    questions = [[(q.id, q.loss_reduction) for q in result.next_questions(n=5)] for result in (without, with_it)]
    assert questions[0] == questions[1]


def test_the_result_says_what_was_not_weighed_and_why() -> None:
    result = CALF.diagnose({**DIABETIC, INDEX: False})
    (text,) = result.not_weighed.values()
    guard = next(guard for guard in CALF.knowledge.asking.tests if guard.test == INDEX)
    assert guard.note in text
    assert CALF._solved.network.records[INDEX].label in text
    assert result.to_dict()["not_weighed"] == {INDEX: text}
    assert guard.note in " ".join(repr(result).split())
    assert guard.note in result._repr_html_()
    assert "not_weighed" in CALF.diagnose(WALKER).to_dict()


def test_what_makes_a_negative_result_worthless_is_asked_first() -> None:
    asked = CALF.diagnose({"age": 68, "pain_on_walking": True}).next_questions(n=500, who="clinician")
    assert "diabetes" in next(question for question in asked if question.id == INDEX).check_first
