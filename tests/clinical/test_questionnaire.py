"""The questionnaire of the calf model: what it asks, in which order, and that every answer means something to the model."""

import csv
import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest

from calfbayes import ArgumentError, ContradictionError, Level
from calfbayes.diagnosis.rules import holds
from calfbayes.diagnosis.urgency import Outcome
from calfbayes.evaluation.interviews import reply, told_by
from calfbayes.inference.simulation import simulate_states
from calfbayes.knowledge.shipped import models_folder
from calfbayes.knowledge.terms import Atom, Observer, RiskFactor, Rule, atoms
from calfbayes.presentation.text import diagnosis_text
from calfbayes.questionnaire.asking import ask
from calfbayes.questionnaire.interview import Stop
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.session import Answers
from calfbayes.questionnaire.terms import NONE, Kind, Option, Question
from support.models import shipped

MODEL = shipped("calf")
NETWORK = MODEL._solved.network
QUESTIONNAIRE = read_questionnaire(models_folder() / "calf", NETWORK)
OPTIONS = [(question, option) for question in QUESTIONNAIRE.questions for option in question.options]

REPORTABLE = {finding.id for finding in MODEL.findings if finding.observer == Observer.PATIENT}.union(NETWORK.risk_index)

COST = 1e7  # of a query; dearer ones are answered by the rules alone

# What a patient can report and no question asks.
NOT_ASKED = {"calf_pain": "the complaint itself: whoever answers has it"}

SORE_AFTER_SPORT = {
    "age": 35,
    "sex": "male",
    "intensity": "dull",
    "onset": "after_exertion",
    "before": "effort",
    "side": "both",
    "since": "days",
    "duration": "spells",
    "time_of_day": "day",
    "character": ["aching"],
    "walking": ["walking"],
    "relief": ["rest"],
    "touch": ["sore"],
    "tiptoe": "yes",
    "training": "no",
}


def filled(answers: dict[str, object]) -> Answers:
    """These answers, and `none` to every other list of boxes."""
    result = QUESTIONNAIRE.start()
    while question := result.next():
        default = NONE if question.kind == Kind.MANY else None
        result = result.answer(question.id, answers.get(question.id, default))  # type: ignore[arg-type]
    return result


def can_be_set() -> set[str]:
    present = {name for _, option in OPTIONS for name, value in option.sets if value is not False}
    return present | {question.number for question in QUESTIONNAIRE.questions if question.kind == Kind.NUMBER}


# --- what is asked


@pytest.mark.parametrize(("question", "option"), OPTIONS, ids=lambda record: record.id)
def test_the_model_takes_what_each_option_sets(question: Question, option: Option) -> None:
    told = QUESTIONNAIRE.start().answer(question.id, option.id)
    if not question.asked_if.parts:
        assert told.evidence().items() >= dict(option.sets).items()
    assert len(MODEL.evidence(dict(option.sets))) == len(option.sets)
    assert {name for name, _ in option.sets} <= REPORTABLE


def test_everything_a_patient_can_report_is_asked() -> None:
    assert REPORTABLE - can_be_set() == set(NOT_ASKED)


def choices_for(question: Question, wanted: set[Atom]) -> list[object]:
    """The answers to a question that say something of what is wanted."""
    if question.kind == Kind.NUMBER:
        factor = NETWORK.records[question.number]
        assert isinstance(factor, RiskFactor)
        bands = zip(factor.states, factor.lower_bounds, strict=True)
        return [bound for state, bound in bands if Atom(factor.id, state) in wanted]
    said = {
        option.id: {Atom(name, "present" if value is True else str(value)) for name, value in option.sets}
        for option in question.options
    }
    helpful = [name for name, statements in said.items() if statements & wanted]
    return [helpful] if question.kind == Kind.MANY and helpful else [*helpful]


@pytest.mark.parametrize("rule", MODEL.urgency_policy.rules, ids=lambda rule: rule.id)
def test_every_rule_can_be_fired_by_answers_alone(rule: Rule) -> None:
    choices = {question.id: choices_for(question, set(atoms(rule.condition))) for question in QUESTIONNAIRE.questions}
    ways = [[(name, choice) for choice in given] for name, given in choices.items() if given]

    def told(way: Iterable[tuple[str, object]]) -> Answers:
        result = QUESTIONNAIRE.start()
        for name, choice in way:
            result = result.answer(name, choice)  # type: ignore[arg-type]
        return result

    assert any(holds(rule.condition, MODEL.evidence(told(way).evidence())) for way in product(*ways))


def test_alarm_signs_come_first() -> None:
    """What makes an emergency by itself is asked before the person and the story."""
    order = {name: place for place, question in reversed(list(enumerate(QUESTIONNAIRE.questions))) for name in question.names}
    alone = {
        atom.id
        for rule in MODEL.urgency_policy.rules
        if rule.level == Level.EMERGENCY
        for atom in atoms(rule.condition)
        if atom.id in order and atom.id in NETWORK.node_index and holds(rule.condition, MODEL.evidence({atom.id: True}))
    }
    assert {"severe_disproportionate_pain", "saddle_anaesthesia", "chest_pain", "bleeding_varicose_vein"} <= alone
    assert max(order[name] for name in alone) < order["age"]


def test_the_questions_of_the_source_document_are_there() -> None:
    with (models_folder() / "calf" / "coverage.csv").open(encoding="utf-8", newline="") as file:
        rows = [row["where"].split(";") for row in csv.DictReader(file) if row["kind"] == "question" and row["where"]]
    asked = set()
    for question, *names in rows:
        record = QUESTIONNAIRE[question.removeprefix("question:")]
        asked.add(record.id)
        assert {name.partition(":")[2] for name in names} <= set(record.names)
    assert asked == {"onset", "side", "before", "character", "time_of_day", "intensity", "duration"}


# --- what answers mean


@cache
def a_girl() -> Answers:
    """Somebody who is asked every question of kind one."""
    return filled({"injury": ["trapped"], "swelling": ["calf"], "onset": "at_once", "age": 15, "sex": "female"})


@pytest.mark.parametrize("question", [q for q in QUESTIONNAIRE.questions if q.kind == Kind.ONE], ids=lambda q: q.id)
def test_options_of_one_question_exclude_each_other(question: Question) -> None:
    asked = a_girl()
    assert question in asked.asked
    alone = [asked.answer(question.id, option.id) for option in question.options]
    for first, second in pairwise([*alone, alone[0]]):
        again = first.answer(question.id, dict(second.given)[question.id])
        assert again.evidence() == second.evidence()
    with pytest.raises(ArgumentError):
        asked.answer(question.id, [option.id for option in question.options])


@pytest.mark.parametrize("question", [q for q in QUESTIONNAIRE.questions if q.kind == Kind.ONE], ids=lambda q: q.id)
def test_no_choice_of_one_option_hides_what_makes_an_emergency(question: Question) -> None:
    """Whatever is so together, what an emergency rule names is told by the chosen option, or has a box of its own.

    Who woke up with a sudden pain could not tell that it was sudden, and a blocked artery stayed unseen.
    """
    named = {atom for rule in MODEL.urgency_policy.rules if rule.level == Level.EMERGENCY for atom in atoms(rule.condition)}
    boxes = {name for q, option in OPTIONS if q.kind == Kind.MANY for name, value in option.sets if value is True}
    tried = 0
    for values in product(*(possible(name) for name in question.names)):
        had = dict(zip(question.names, values, strict=True))
        try:
            MODEL.evidence(had)
        except ContradictionError:
            continue
        told = question.said(reply(question, had))
        for name, value in had.items():
            if value is not False and Atom(name, "present" if value is True else str(value)) in named:
                tried += 1
                assert told.get(name) == value or name in boxes, f"{name} is hidden by {reply(question, had)} where {had}"
    assert tried or not named & {Atom(name, "present") for name in question.names}


def possible(name: str) -> tuple[bool | str, ...]:
    record = NETWORK.records[name]
    return record.states if isinstance(record, RiskFactor) and not record.is_binary else (False, True)


@pytest.mark.parametrize(("option", "excluded"), [("at_once", "gradual_onset"), ("over_hours", "sudden_onset")])
def test_what_excludes_what_stands_in_the_model(option: str, excluded: str) -> None:
    said = QUESTIONNAIRE.start().answer("onset", option).evidence()
    assert excluded not in said
    with pytest.raises(ContradictionError, match=excluded):
        MODEL.evidence({**said, excluded: True})


def test_over_a_week_implies_over_a_day_and_a_half() -> None:
    weeks = MODEL.evidence(QUESTIONNAIRE.start().answer("since", "weeks").evidence())
    assert dict(weeks) == {"pain_persisting_over_7_days": True}
    assert MODEL.diagnose(weeks).causes == MODEL.diagnose(weeks.with_(pain_persisting_over_36h=True)).causes
    hours = MODEL.evidence(QUESTIONNAIRE.start().answer("since", "hours").evidence())
    with pytest.raises(ContradictionError):
        hours.with_(pain_persisting_over_7_days=True)


@pytest.mark.parametrize("question", [q for q in QUESTIONNAIRE.questions if q.kind == Kind.MANY], ids=lambda q: q.id)
def test_none_of_a_list_denies_all_of_it(question: Question) -> None:
    assert question.said((NONE,)) == dict.fromkeys(question.names, False)
    boxes = tuple(option.id for option in question.options if option.id != NONE)
    everything = question.said(boxes)
    assert everything == dict.fromkeys(question.names, True)
    MODEL.evidence(everything)


@pytest.mark.parametrize(
    ("person", "asked", "spared"),
    [
        ({"sex": "male", "age": 30}, set(), {"pregnancy", "training"}),
        ({"sex": "female", "age": 30}, {"pregnancy"}, {"training"}),
        ({"sex": "female", "age": 70}, set(), {"pregnancy", "training"}),
        ({"sex": "female", "age": 9}, {"training"}, {"pregnancy"}),
        ({}, {"pregnancy", "training", "swelling_tested", "stretch"}, {"tiptoe"}),
        ({"injury": ["pop"]}, {"tiptoe"}, set()),
        ({"injury": ["pop", "no_weight"]}, set(), {"tiptoe"}),
    ],
)
def test_who_is_asked_what(person: dict[str, object], asked: set[str], spared: set[str]) -> None:
    answers = QUESTIONNAIRE.start()
    for name, choice in person.items():
        answers = answers.answer(name, choice)  # type: ignore[arg-type]
    ids = {question.id for question in answers.asked}
    assert asked <= ids
    assert not spared & ids


# --- whole questionnaires


def test_soreness_after_sport_without_alarm_signs_is_self_care() -> None:
    result = MODEL.diagnose(filled(SORE_AFTER_SPORT).evidence())
    assert result.outcome == Outcome.ASSESSED
    assert result.urgency.level == Level.SELF_CARE
    assert result.causes[0].id == "overuse"


def test_knowing_nothing_of_anything_changes_nothing() -> None:
    answers = QUESTIONNAIRE.start()
    while question := answers.next():
        answers = answers.answer(question.id, None)
    result = MODEL.diagnose(answers.evidence())
    assert result.causes == MODEL.diagnose({}).causes
    assert result.outcome == Outcome.INSUFFICIENT


def drawn(rng: Random) -> Answers:
    """Answers of somebody who answers at random, ticks few boxes, and changes their mind now and then."""
    answers = QUESTIONNAIRE.start()
    while question := answers.next():
        boxes = [option.id for option in question.options if option.id != NONE]
        match question.kind:
            case Kind.NUMBER:
                choice: object = rng.randint(0, 120)
            case Kind.ONE:
                choice = rng.choice(boxes)
            case Kind.MANY:
                choice = [box for box in boxes if rng.random() < 0.04] or NONE
        answers = answers.answer(question.id, choice if rng.random() < 0.9 else None)  # type: ignore[arg-type]
        if rng.random() < 0.1 and answers.given:
            answers = answers.without(rng.choice([name for name, _ in answers.given]))
    return answers


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_answered_there_is_a_result(seed: int) -> None:
    answers = drawn(Random(seed))
    evidence = MODEL.evidence(answers.evidence())
    assert QUESTIONNAIRE.answers_from_json(answers.to_json()).evidence() == answers.evidence()
    result = MODEL.diagnose(evidence, cost_limit=COST)
    held = [rule for rule in MODEL.urgency_policy.rules if holds(rule.condition, evidence)]
    assert all(result.urgency.level.severity >= rule.level.severity for rule in held)


def test_a_patient_at_a_terminal() -> None:
    """A swollen calf after an operation: the alarm signs are asked for and denied, and the result is for today."""
    ticked = {"thicker than the other", "operation"}
    shown: list[str] = []

    def read(_: str) -> str:
        question = next(text for text in reversed(shown) if re.match(r"\n\d+ ", text))
        boxes = re.findall(r"^ +(\d+)  (.*)$", question, re.MULTILINE)
        return " ".join(number for number, words in boxes if any(word in words for word in ticked)) or (
            boxes[-1][0] if boxes and boxes[-1][1] == "None of these" else ""
        )

    start = MODEL.interview({"age": 58, "sex": "female"}, setting="primary_care", budget=6)
    interview = ask(start.tell({"unilateral_calf_swelling": True, "recent_surgery": True}), read=read, write=shown.append)
    evidence = interview.evidence
    assert interview.stopped == Stop.BUDGET
    assert interview.screens == 6
    assert evidence["shortness_of_breath"] is False
    assert len(interview.emergencies_to_ask) < len(start.emergencies_to_ask)
    text = diagnosis_text(interview.result)
    assert text.startswith("SAME DAY")
    assert "Deep vein thrombosis" in text


def test_patients_can_tell_all_that_they_know() -> None:
    """Whoever answers every question tells what is so; kept back is only what would hurt to try, and what two options share."""
    patients = simulate_states(NETWORK, MODEL._solved.bases["primary_care"].logits, 60, np.random.default_rng(7))
    for k in range(60):
        knows = told_by(MODEL._solved, {name: values[k] for name, values in patients.items()})
        answers = QUESTIONNAIRE.start()
        while (question := answers.next()) is not None:
            answers = answers.answer(question.id, reply(question, knows))
        told = MODEL.evidence(answers.evidence())
        said = {name for name, value in told.items() if value is True} | told.surely_present
        kept_back = {name for name, value in knows.items() if value is True} - said
        assert kept_back <= {"unable_to_toe_raise", "gradual_onset", "onset_on_waking"}
        assert not {name for name in told.surely_absent if knows[name] is True}
