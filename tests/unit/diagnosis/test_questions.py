"""Next questions: their worth against direct computation, danger first, guards of tests, and what is never asked."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import ArgumentError, ContradictionError, Diagnosis, Level, Model
from calfbayes.diagnosis.questions import NextQuestion, next_questions
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.knowledge.chances import in_words
from calfbayes.knowledge.terms import Finding, Observer, RiskFactor
from support.models import shipped
from support.queries import AFFORDABLE, answers, models

CALF = shipped("calf")
TUTORIAL = shipped("tutorial")
TUTORIAL_AGES = next(factor.states for factor in TUTORIAL.risk_factors if factor.id == "age")
BOUND = CALF.knowledge.advice.possible_above[Level.EMERGENCY.severity]


def asked(result: Diagnosis, **options: object) -> dict[str, NextQuestion]:
    return {question.id: question for question in result.next_questions(200, **options)}  # type: ignore[arg-type]


def value_of(state: str) -> bool | str:
    return state == "present" if state in {"absent", "present"} else state


@pytest.mark.parametrize("known", [{}, {"age": 67, "smoking": True}, {"unilateral_calf_swelling": True, "redness": False}])
def test_worth_is_the_expected_gain_of_asking_and_then_diagnosing(known: dict[str, object]) -> None:
    result = TUTORIAL.diagnose(known, setting="primary_care")
    policy = TUTORIAL.urgency_policy
    floor = result.urgency.rules_level.severity
    assert result.urgency.doubt is not None
    for question in asked(result, who="clinician").values():
        gain = 0.0
        assert sum(answer.chance for answer in question.answers) == pytest.approx(1.0, abs=1e-9)
        for answer in question.answers:
            then = TUTORIAL.diagnose({**known, question.id: value_of(answer.state)}, setting="primary_care")
            assert then.log_evidence is not None
            assert answer.watched == pytest.approx(then[question.watched].probability, abs=1e-9)
            likely = then.urgency.level_probabilities
            assert answer.level == result.urgency.level_of(likely, then.urgency.rules_level)
            losses = policy.expected_losses(policy.cautious(likely, result.urgency.doubt.deviations))
            gain += answer.chance * (losses[result.urgency.level.severity] - min(losses[floor:]))
        assert question.loss_reduction == pytest.approx(gain, abs=1e-7)


@given(data=st.data(), source=st.sampled_from(("random", "tutorial", "calf")))
def test_nothing_known_is_asked_and_no_worth_is_negative(data: st.DataObject, source: str) -> None:
    model = data.draw(models(source))
    who = data.draw(st.sampled_from(("patient", "clinician")))
    objective = data.draw(st.sampled_from(("urgency", "cause")))
    try:
        result = model.diagnose(data.draw(answers(model, most=5)), cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    questions = next_questions(result, n=10, who=who, budget=None, objective=objective, cost_limit=AFFORDABLE)
    assert len({question.id for question in questions}) == len(questions)
    for question in questions:
        record = model._solved.network.records[question.id]
        assert isinstance(record, Finding | RiskFactor)
        assert question.text == record.question
        assert question.repeat or question.id not in result.evidence
        assert who == "clinician" or not isinstance(record, Finding) or record.observer == Observer.PATIENT
        assert min(question.danger, question.loss_reduction or 0.0, question.level_bits or 0.0, question.cause_bits or 0.0) >= 0
        assert set(question.could_fire) <= {rule.id for rule in result.urgency.open_rules}
        for answer in question.answers:
            assert 0 < answer.chance <= 1 + 1e-9
            assert 0 <= answer.watched <= 1
        json.dumps(question.to_dict(), allow_nan=False)


def test_danger_comes_first_then_worth_for_its_burden() -> None:
    questions = CALF.diagnose({"age": 50, "sex": "male"}).next_questions(40)
    dangerous = [question.danger > BOUND for question in questions]
    assert dangerous == sorted(dangerous, reverse=True)
    assert any(dangerous)
    assert not all(dangerous)
    worths = [(q.loss_reduction or 0.0) / q.burden for q in questions if q.danger <= BOUND]
    assert worths == sorted(worths, reverse=True)
    assert all("Emergency" in q.reason for q in questions if q.danger > BOUND)


def test_the_order_of_the_answers_and_the_reasons_are_those_of_the_evidence() -> None:
    one = CALF.diagnose({"age": 50, "sex": "male", "cold_feet": True}).next_questions(8)
    other = CALF.diagnose({"cold_feet": True, "sex": "male", "age": 50}).next_questions(8)
    assert one == other


@given(data=st.data(), source=st.sampled_from(("random", "tutorial", "calf")))
def test_few_questions_are_the_first_of_many(data: st.DataObject, source: str) -> None:
    """Those that come first by their danger alone are computed without the others, which must change nothing."""
    model = data.draw(models(source))
    n = data.draw(st.integers(1, 6))
    try:
        result = model.diagnose(data.draw(answers(model, most=5)), cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    few, many = (
        next_questions(result, n=count, who="patient", budget=None, objective="urgency", cost_limit=COST_LIMIT)
        for count in (n, 200)
    )
    assert [q.id for q in few] == [q.id for q in many[:n]]
    for one, other in zip(few, many, strict=False):
        assert one.watched == other.watched
        for mine, theirs in zip(one.answers, other.answers, strict=True):
            assert (mine.chance, mine.watched) == pytest.approx((theirs.chance, theirs.watched), abs=1e-9)
            assert (mine.state, mine.level) == (theirs.state, theirs.level)


@pytest.mark.parametrize(("model", "yes", "no"), [(CALF, "{} if yes", "{} if no"), (TUTORIAL, "{} (present)", "{} (absent)")])
def test_a_reason_says_which_answer_leads_where(model: Model, yes: str, no: str) -> None:
    result = model.diagnose({"unilateral_calf_swelling": True} | ({"age": 50, "sex": "male"} if model is CALF else {}))
    told = [q for objective in ("urgency", "cause") for q in result.next_questions(30, objective=objective) if q.watched]
    told = [q for q in told if q.answers]
    assert {len(q.answers) for q in told} == ({2} if model is CALF else {2, len(TUTORIAL_AGES)})
    for question in told:
        then = {answer.state: in_words(answer.watched, model._solved.network.knowledge.urgency) for answer in question.answers}
        if set(then) == {"present", "absent"}:
            assert f"{yes.format(then['present'])}, {no.format(then['absent'])}" in question.reason
        else:
            least, most = (end(question.answers, key=lambda answer: answer.watched) for end in (min, max))
            for end in (least, most):
                assert any(f"{then[end.state]} {word}" in question.reason for word in ("if it is “", "("))
                assert end.state.replace("_", " ") in question.reason


def test_unasked_risk_factors_compete() -> None:
    questions = CALF.diagnose({"age": 60, "sex": "female", "unilateral_calf_swelling": True}).next_questions(200)
    assert [q for q in questions if q.id in {f.id for f in CALF.risk_factors}]


def test_a_budget_holds_for_all_together() -> None:
    result = CALF.diagnose({"age": 50, "sex": "male"})
    assert sum(question.burden for question in result.next_questions(50, budget=3)) <= 3
    assert len(result.next_questions(2)) == 2


def test_the_objective_of_the_cause_goes_by_what_is_told_about_causes() -> None:
    questions = CALF.diagnose({"age": 50, "sex": "male"}).next_questions(10, objective="cause")
    per_burden = [(q.cause_bits or 0.0) / q.burden for q in questions]
    assert per_burden == sorted(per_burden, reverse=True)
    assert per_burden[0] > 0


CLOT_UNLIKELY = {
    "age": 35,
    "sex": "female",
    "calf_girth_difference_3cm": False,
    "unilateral_calf_swelling": False,
    "muscle_tenderness": True,
}


def proposed(known: dict[str, object], test: str) -> NextQuestion | None:
    return asked(CALF.diagnose(known), who="clinician", objective="cause").get(test)


def test_d_dimer_is_for_people_in_whom_a_clot_is_unlikely() -> None:
    from calfbayes.diagnosis.questions import _Panel

    def may(known: dict[str, object]) -> bool:
        return _Panel.of(CALF.diagnose(known), Observer.LABORATORY)._may_be_proposed("positive_d_dimer")

    assert CALF.diagnose(CLOT_UNLIKELY)["deep_vein_thrombosis"].probability < 0.15
    assert may(CLOT_UNLIKELY)
    for forbidding in ("pregnancy", "active_cancer", "recent_surgery", "anticoagulant_use", "fever"):
        assert not may({**CLOT_UNLIKELY, forbidding: True}), forbidding
        assert may({**CLOT_UNLIKELY, forbidding: False}), forbidding
    likely = {
        "age": 60,
        "sex": "male",
        "previous_vte": True,
        "recent_immobilisation": True,
        "calf_girth_difference_3cm": True,
        "entire_leg_swelling": True,
    }
    assert CALF.diagnose(likely)["deep_vein_thrombosis"].probability > 0.15
    assert not may(likely)


def test_what_may_forbid_a_test_is_to_be_known_first() -> None:
    known = {**CLOT_UNLIKELY, "active_cancer": False, "unilateral_calf_swelling": True, "onset_after_injury": True}
    known |= {"bruising": True, "palpable_gap": True}
    question = proposed(known, "positive_d_dimer")
    assert question is not None
    assert {"pregnancy", "recent_surgery", "anticoagulant_use", "fever"} <= set(question.check_first)
    assert "active_cancer" not in question.check_first
    assert question.note


def test_a_negative_scan_under_high_suspicion_is_repeated() -> None:
    suspected = {"age": 60, "sex": "male", "previous_vte": True, "active_cancer": True, "entire_leg_swelling": True}
    suspected |= {"calf_girth_difference_3cm": True, "tenderness_along_deep_veins": True, "pitting_oedema": True}
    again = CALF.diagnose({**suspected, "vein_ultrasound_positive": False})
    assert again["deep_vein_thrombosis"].probability > 0.05
    for objective in ("urgency", "cause"):
        assert [q.repeat for q in again.next_questions(3, who="clinician", objective=objective)] == [True, False, False]
    (question,) = (q for q in again.next_questions(200, who="clinician") if q.repeat)
    assert question.id == "vein_ultrasound_positive"
    assert "repeated" in question.reason
    harmless = CALF.diagnose({**CLOT_UNLIKELY, "vein_ultrasound_positive": False})
    assert not [q for q in harmless.next_questions(200, who="clinician") if q.repeat]
    assert not [q for q in again.next_questions(200, who="patient") if q.repeat]


def test_a_normal_ankle_brachial_index_excludes_nothing_in_diabetes() -> None:
    known = {"age": 70, "sex": "male", "smoking": True, "pain_on_walking": True, "pain_relieved_by_standing_still": True}
    without, with_diabetes = (proposed({**known, "diabetes": has}, "ankle_brachial_index_low") for has in (False, True))
    assert without is not None
    assert with_diabetes is not None
    assert [answer.state for answer in without.answers] == ["absent", "present"]
    assert [answer.state for answer in with_diabetes.answers] == ["present"]


def test_without_probabilities_the_rules_are_asked_about() -> None:
    result = CALF.diagnose({"age": 50, "sex": "male"}, cost_limit=1e-300)
    questions = result.next_questions(12)
    assert len(questions) == 12
    assert all(question.could_fire and question.loss_reduction is None and question.answers == () for question in questions)


def test_a_dear_batch_is_halved_until_it_can_be_paid() -> None:
    result = CALF.diagnose({"age": 50, "sex": "male"})
    every = next_questions(result, n=50, who="patient", budget=None, objective="urgency")
    some = next_questions(result, n=50, who="patient", budget=None, objective="urgency", cost_limit=2e5)
    assert all(question.answers for question in every)
    assert not all(question.answers for question in some)


@pytest.mark.parametrize(
    "options",
    [
        {"n": 0},
        {"n": True},
        {"n": 2.0},
        {"who": "nurse"},
        {"budget": 0},
        {"budget": float("nan")},
        {"budget": "3"},
        {"objective": "all"},
    ],
)
def test_wrong_arguments_are_told(options: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        CALF.diagnose({}).next_questions(**options)  # type: ignore[arg-type]
