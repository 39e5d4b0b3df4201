"""Answers are values: what each says, what replaces what, and that every combination is coherent evidence."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import ArgumentError, CalfBayesError, UnknownNameError, load_model
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.session import Answers, Choice
from calfbayes.questionnaire.terms import Kind, Question

HERE = Path(__file__).parent
MODEL = load_model(HERE.parent / "bad_models" / "base")
QUESTIONNAIRE = read_questionnaire(HERE, MODEL._solved.network)
START = QUESTIONNAIRE.start()


def after(**answers: object) -> Answers:
    result = START
    for name, choice in answers.items():
        result = result.answer(name, choice)  # type: ignore[arg-type]
    return result


def choices(question: Question) -> st.SearchStrategy[Choice]:
    if question.kind == Kind.NUMBER:
        return st.none() | st.integers(0, 120) | st.floats(0, 120)
    ids = [option.id for option in question.options]
    one = st.none() | st.sampled_from(ids).map(lambda name: (name,))
    if question.kind == Kind.ONE:
        return one
    boxes = st.sets(st.sampled_from([name for name in ids if name != "none"]), min_size=1)
    return one | boxes.map(lambda chosen: tuple(name for name in ids if name in chosen))


ALL_ANSWERS = st.fixed_dictionaries({}, optional={q.id: choices(q) for q in QUESTIONNAIRE.questions})


# --- what an answer says


def test_no_answers_say_nothing() -> None:
    assert START.evidence() == {}
    assert START.given == ()


@pytest.mark.parametrize(
    ("question", "choice", "evidence"),
    [
        ("sex", "male", {"sex": "male"}),
        ("sex", ["female"], {"sex": "female"}),
        ("sex", None, {"sex": None}),
        ("colour", "red", {"redness": True}),
        ("colour", "pale", {"pale_skin": True, "thick_calf": False}),
        ("colour", None, {"redness": None, "pale_skin": None, "thick_calf": None}),
        ("signs", "thick", {"thick_calf": True, "short_breath": False}),
        ("signs", {"breath", "thick"}, {"thick_calf": True, "short_breath": True}),
        ("signs", ("breath", "breath"), {"thick_calf": False, "short_breath": True}),
        ("signs", ["well"], {"thick_calf": False, "short_breath": False}),
        ("signs", "none", {"thick_calf": False, "short_breath": False}),
        ("signs", None, {"thick_calf": None, "short_breath": None}),
        ("pregnancy", "yes", {"pregnancy": True}),
        ("age", 67, {"age": 67}),
        ("age", 0.5, {"age": 0.5}),
        ("age", np.int64(120), {"age": 120}),
        ("age", None, {"age": None}),
    ],
)
def test_what_one_answer_says(question: str, choice: object, evidence: dict[str, object]) -> None:
    told = after(**{question: choice}).evidence()
    assert told == evidence
    assert MODEL.evidence(told)


def test_what_is_present_wins_over_an_empty_box_and_over_not_known() -> None:
    assert after(signs="none", colour="pale").evidence()["thick_calf"] is False
    assert after(signs="thick", colour="pale").evidence()["thick_calf"] is True
    assert after(signs=None, colour="pale").evidence()["thick_calf"] is False
    assert after(signs="none", colour=None).evidence()["thick_calf"] is False
    assert after(signs="thick", colour=None).evidence()["thick_calf"] is True


def test_what_a_present_finding_implies_is_not_denied() -> None:
    answers = after(signs="none", sex="female", pregnancy="yes", dent="yes")
    assert answers.evidence() == {"short_breath": False, "sex": "female", "pregnancy": True, "pitting": True}
    assert MODEL.diagnose(answers.evidence()).evidence.present == {"pitting"}


# --- which question comes next


def test_questions_come_in_order_and_once() -> None:
    put = []
    answers = START
    while question := answers.next():
        put.append(question.id)
        answers = answers.skip(question.id)
    assert put == ["signs", "age", "sex", "pregnancy", "colour"]
    assert answers.evidence() == {}
    assert answers.skipped == set(put)


def test_a_question_with_a_condition_is_asked_only_then() -> None:
    def asked(**answers: object) -> list[str]:
        return [question.id for question in after(**answers).asked if question.id in {"pregnancy", "dent"}]

    assert asked() == ["pregnancy"]
    assert asked(signs="thick") == ["pregnancy", "dent"]
    assert asked(sex="female", pregnancy="yes") == ["pregnancy", "dent"]
    assert asked(sex="male") == []
    assert asked(age=80) == []
    assert asked(age=64.9, sex="female") == ["pregnancy"]
    assert asked(sex=None) == ["pregnancy"]


def test_an_answer_no_longer_asked_for_does_not_count_until_it_is() -> None:
    mother = after(sex="female", pregnancy="yes", dent="yes")
    father = mother.answer("sex", "male")
    assert father.evidence() == {"sex": "male"}
    assert MODEL.diagnose(father.evidence()).causes
    assert father.answer("sex", "female") == mother


# --- changing one's mind


def test_a_new_answer_replaces_the_former_one() -> None:
    assert after(signs="thick", age=30).answer("signs", ["breath"]) == after(age=30, signs="breath")
    assert after(sex="male").answer("sex", None) == after(sex=None)
    assert after(sex="male").skip("sex").evidence() == {}
    assert after(sex="male").skip("sex").answer("sex", "female") == after(sex="female")
    assert after(sex="male").without("sex") == START
    assert START.skip("sex").without("sex") == START


def test_answers_never_change() -> None:
    first = after(signs="thick")
    told = first.evidence()
    told["thick_calf"] = False
    second = first.answer("signs", "none").skip("age")
    assert first.evidence()["thick_calf"] is True
    assert second != first
    assert hash(first) == hash(after(signs=["thick"]))
    with pytest.raises(FrozenInstanceError):
        first.skipped = frozenset()  # type: ignore[misc]


# --- what cannot be


@pytest.mark.parametrize(
    ("question", "choice", "error", "words"),
    [
        ("sek", "male", UnknownNameError, "question 'sek' is not in model tiny .* nearest: 'sex'"),
        ("sex", "mal", UnknownNameError, "option of sex 'mal' .* nearest: 'male'"),
        ("signs", ["thick", "breth"], UnknownNameError, "nearest: 'breath'"),
        ("signs", "x" * 10_000, UnknownNameError, "nothing"),
        (3, "male", ArgumentError, "id of a question"),
        (None, "male", ArgumentError, "id of a question"),
        ("sex", ["female", "male"], ArgumentError, "sex=female, male .* exactly one option"),
        ("sex", [], ArgumentError, "exactly one option"),
        ("signs", [], ArgumentError, "none says that all boxes stay empty"),
        ("signs", ["none", "thick"], ArgumentError, "either none or other options"),
        ("signs", True, ArgumentError, "ids of options"),
        ("signs", 3, ArgumentError, "ids of options"),
        ("signs", [3], ArgumentError, "ids of options as text"),
        ("signs", {"thick": True}, ArgumentError, "ids of options"),
        ("signs", object(), ArgumentError, "<object>"),
        ("age", "67", ArgumentError, "'67' cannot be; expected a number"),
        ("age", True, ArgumentError, "a number"),
        ("age", [67], ArgumentError, "a number"),
        ("age", -1, ArgumentError, "a number of years from 0 to 120"),
        ("age", 120.5, ArgumentError, "from 0 to 120"),
        ("age", float("nan"), ArgumentError, "from 0 to 120"),
        ("age", float("inf"), ArgumentError, "from 0 to 120"),
        ("age", 10**400, ArgumentError, "a huge number"),
        ("age", 1 + 1j, ArgumentError, "<complex>"),
    ],
)
def test_what_is_no_answer_is_refused(question: object, choice: object, error: type[CalfBayesError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        START.answer(question, choice)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("method", ["skip", "without"])
def test_no_other_question_can_be_skipped_or_taken_back(method: str) -> None:
    with pytest.raises(UnknownNameError, match="nearest: 'colour'"):
        getattr(START, method)("color")


# --- JSON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        '{"answers": []}',
        '{"skipped": {}}',
        '{"answer": {}}',
        '{"answers": {"age": NaN}}',
        '{"answers": {"age": "old"}}',
        '{"answers": {"sex": ["x"]}}',
        '{"answers": {"signs": [["thick"]]}}',
        '{"answers": {"weather": null}}',
        '{"skipped": ["weather"]}',
        '{"skipped": [[]]}',
        "[" * 100_000,
        '{"answers": {"age": ' + "9" * 5_000 + "}}",
        b"\xff",
    ],
)
def test_json_that_holds_no_answers_is_refused(text: str | bytes) -> None:
    with pytest.raises((ArgumentError, UnknownNameError)):
        QUESTIONNAIRE.answers_from_json(text)


def test_json_in_words() -> None:
    answers = after(signs=["breath", "thick"], age=67, sex=None).skip("colour")
    document = {"answers": {"signs": ["thick", "breath"], "age": 67, "sex": None}, "skipped": ["colour"]}
    assert json.loads(answers.to_json()) == document == answers.to_dict()
    assert QUESTIONNAIRE.answers_from_json("{}") == START


@given(given=ALL_ANSWERS, skipped=st.sets(st.sampled_from([q.id for q in QUESTIONNAIRE.questions])), seed=st.integers(0, 99))
def test_every_combination_of_answers_is_coherent_in_any_order_and_in_json(
    given: dict[str, Choice], skipped: set[str], seed: int
) -> None:
    answers = START
    for name in sorted(skipped):
        answers = answers.skip(name)
    order = sorted(given)
    Random(seed).shuffle(order)
    for name in order:
        answers = answers.answer(name, given[name])
    assert dict(answers.given) == given
    assert answers.skipped == skipped - set(given)
    again = read_questionnaire(HERE, MODEL._solved.network).answers_from_json(answers.to_json())
    assert again == answers
    assert again.evidence() == answers.evidence()
    assert MODEL.diagnose(answers.evidence()).causes  # no ContradictionError
    following = answers.next()
    assert following is None or following.id not in {*given, *skipped}
