"""Interviews: pure and resumable values that stop for a reason, with a floor that holds."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calfbayes import ArgumentError, ContradictionError, Level, QueryTooCostlyError, UnknownNameError, load_model
from calfbayes.diagnosis.foresight import Foresight
from calfbayes.diagnosis.questions import worth_by_rules
from calfbayes.errors import StaleInterviewError
from calfbayes.evaluation.interviews import Ended, InterviewScores, interviews, reply
from calfbayes.evidence import Value
from calfbayes.inference.exact import infer
from calfbayes.knowledge.terms import Atom, Observer, Rule
from calfbayes.questionnaire.completions import completions, with_answers
from calfbayes.questionnaire.interview import COMPLETIONS, Interview, Outlook, Stop
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.screens import CHECKLIST, plain_questionnaire
from calfbayes.questionnaire.terms import NONE, Kind
from support.models import shipped

HERE = Path(__file__).parent
CALF = shipped("calf")
TUTORIAL = shipped("tutorial")
MODEL = load_model(HERE.parent / "bad_models" / "base")
QUESTIONNAIRE = read_questionnaire(HERE, MODEL._solved.network)
COLD = Rule("cold", Level.EMERGENCY, "Cold feet.", (), Atom("cold_feet", "present"))


def some_choice(data: st.DataObject, interview: Interview) -> object:
    question = interview.next()
    assert question is not None
    if question.kind == Kind.NUMBER:
        return data.draw(st.none() | st.integers(0, 99))
    ids = [option.id for option in question.options]
    return data.draw(st.none() | st.sampled_from(ids).map(lambda name: [name]))


def all_of_it(interview: Interview, choice: str | None) -> Interview:
    """The interview after the same answer to every screen."""
    while (question := interview.next()) is not None:
        interview = interview.answer(choice if choice in {None, *(o.id for o in question.options)} else None)
    return interview


@settings(max_examples=6)
@given(data=st.data())
def test_every_path_ends_and_every_step_is_a_pure_resumable_value(data: st.DataObject) -> None:
    interview = TUTORIAL.interview(seed=data.draw(st.integers(0, 9)))
    put: set[str] = set()
    ticked: dict[str, Value] = {}
    told = [interview.level]
    while (question := interview.next()) is not None:
        before = interview.to_json()
        assert not set(question.names) <= put
        put |= set(question.names)
        choice = some_choice(data, interview)
        after = interview.skip() if data.draw(st.booleans()) else interview.answer(choice)  # type: ignore[arg-type]
        assert interview.to_json() == before
        again = TUTORIAL.interview_from_json(after.to_json())
        assert again == after
        assert again.next() == after.next()
        assert again.level == after.level
        assert after.screens == interview.screens + 1
        if after.evidence != interview.evidence:  # it was answered and not skipped
            options = [option for option in question.options if option.id in (choice or [])]  # type: ignore[operator]
            ticked |= {name: value for option in options for name, value in option.sets if value is True}
        # whoever says that something is there is not overheard: rules speak only of what is present
        assert all(after.evidence[name] is True for name in ticked)
        assert after.level >= TUTORIAL.diagnose(ticked).urgency.rules_level
        told.append(after.level)
        interview = after
    assert interview.stopped is not None
    assert (interview.stopped == Stop.EMERGENCY) == (Level.EMERGENCY in told)
    if interview.stopped == Stop.SETTLED:
        open_rules = interview.result.urgency.open_rules
        assert all(put.intersection(rule.ask) for rule in open_rules if rule.level == Level.EMERGENCY)


def test_it_is_not_settled_while_an_emergency_is_to_be_asked_for() -> None:
    """However little is expected of further answers: here nearly everything counts as settled."""
    person = {"age": 40, "sex": "male"}
    interview = TUTORIAL.interview(person, epsilon=0.999)
    assert interview.outlook.chance < interview.epsilon
    assert interview.emergencies_to_ask
    assert interview.stopped is None
    alarms = {name for rule in interview.result.urgency.open_rules if rule.level == Level.EMERGENCY for name in rule.ask}
    asked = interview.tell(dict.fromkeys(alarms, False))
    assert asked.emergencies_to_ask == ()
    assert asked.stopped == Stop.SETTLED


def test_first_comes_what_the_model_puts_first_then_alarm_signs() -> None:
    interview = CALF.interview(setting="primary_care", budget=9)
    age = interview.next()
    assert age is not None
    assert age.names == ("age",)
    sex = interview.answer(40).next()
    assert sex is not None
    assert sex.names == ("sex",)
    alarm = interview.answer(40).answer("female").next()
    assert alarm is not None
    assert alarm.id == CHECKLIST
    assert alarm.text == CALF.knowledge.asking.checklist
    assert len(alarm.options) == CALF.knowledge.asking.boxes + 1
    of_emergencies = {
        name for rule in CALF.diagnose({}).urgency.open_rules if rule.level == Level.EMERGENCY for name in rule.ask
    }
    assert set(alarm.names) <= of_emergencies


def test_what_was_asked_in_vain_closes_rules_though_another_such_answer_is_implied() -> None:
    said = (("pain_persisting_over_7_days", True),)
    asked = frozenset({"pain_persisting_over_36h", "sudden_onset"})
    interview = replace(CALF.interview(), said=said, put=asked)
    assert interview._as_denied["sudden_onset"] is False
    assert interview._as_denied.get("pain_persisting_over_36h") is not False


def test_an_emergency_ends_it_at_once() -> None:
    interview = CALF.interview({"age": 40, "sex": "female"}).tell({"saddle_anaesthesia": True})
    assert interview.stopped == Stop.EMERGENCY
    assert interview.next() is None
    assert interview.screens == 0
    with pytest.raises(ArgumentError, match="has ended"):
        interview.answer("none")


def test_a_budget_ends_it() -> None:
    interview = CALF.interview({"age": 40, "sex": "female"}, budget=1)
    assert interview.stopped is None
    after = interview.answer(NONE)
    assert after.stopped == Stop.BUDGET
    assert after.next() is None
    assert CALF.interview(budget=0).stopped == Stop.BUDGET


COLD_AND_NUMB = {"cool_skin": True, "numbness": True}  # an emergency for what the model expects: no rule holds
NERVES = {
    **dict.fromkeys(("gradual_onset", "tingling", "burning_pain", "diabetes", "bilateral_pain"), True),
    **dict.fromkeys(("sudden_onset", "suddenly_worse", "pale_or_blue_skin", "leg_weakness"), False),
    **dict.fromkeys(("pain_at_rest", "constant_pain", "severe_disproportionate_pain"), False),
}


@pytest.mark.parametrize("known_before", [False, True])
def test_an_emergency_that_ended_it_is_not_taken_back(known_before: bool) -> None:
    person = {"age": 72, "sex": "male"}
    first = CALF.interview({**person, **(COLD_AND_NUMB if known_before else {})}, setting="primary_care")
    urgent = first if known_before else first.tell(COLD_AND_NUMB)
    assert urgent.stopped == Stop.EMERGENCY
    assert urgent.result.urgency.rules_level < Level.EMERGENCY
    assert urgent.emergencies_to_ask
    later = CALF.interview_from_json(urgent.to_json()).tell(NERVES)
    assert later.result.urgency.level < Level.EMERGENCY
    assert (later.level, later.stopped) == (Level.EMERGENCY, Stop.EMERGENCY)


def test_the_level_on_which_the_budget_ended_it_is_not_taken_back() -> None:
    person = {"age": 70, "sex": "female", "chills": True}
    ended = CALF.interview(person, setting="primary_care", budget=1).skip()
    assert ended.stopped == Stop.BUDGET
    assert ended.emergencies_to_ask
    assert ended.result.urgency.rules_level < Level.SAME_DAY == ended.level
    goes_on = CALF.interview(person, setting="primary_care", budget=2).skip()
    denied = dict.fromkeys(("fever", "redness", "local_warmth", "malaise", "unilateral_calf_swelling"), False)
    assert ended.tell(denied).result.urgency.level < Level.SAME_DAY == ended.tell(denied).level
    assert goes_on.tell(denied).level < Level.SAME_DAY  # a first impression, which nobody was sent home with


def test_an_alarm_sign_told_after_it_was_denied_counts() -> None:
    asked = CALF.interview({"age": 40, "sex": "female", "shortness_of_breath": False, "limp": False})
    told = asked.tell({"shortness_of_breath": True})
    assert told.evidence["shortness_of_breath"] is True
    assert told.level == Level.EMERGENCY
    assert CALF.interview_from_json(told.to_json()) == told
    lame = CALF.interview({"age": 40, "sex": "male", "fever": True, "limp": False}).tell({"unable_to_bear_weight": True})
    assert "limp" not in lame.evidence
    assert lame.level == Level.EMERGENCY


def test_a_box_that_stays_empty_takes_back_nothing() -> None:
    known = CALF.interview({"age": 40, "sex": "female", "fever": True, "unable_to_bear_weight": True})
    for question in CALF.questionnaire().questions:
        if question.kind == Kind.MANY and {"fever", "limp"} & set(question.names):
            after = known._after(question, question.said((NONE,)))
            assert after.evidence["fever"] is True
            assert after.evidence.get("limp") is None
            assert after.level == known.level


def test_what_contradicts_itself_is_said_with_the_level_that_holds() -> None:
    known = CALF.interview({"age": 40, "sex": "male", "fever": True})
    for facts in (
        {"unable_to_bear_weight": True, "limp": False},  # among themselves
        {"unable_to_bear_weight": True, "fever": False},  # with what was known
        {"unable_to_bear_weight": True, "age": 3},
        {"unable_to_bear_weight": True, "pregnancy": True},  # under the model
    ):
        with pytest.raises(ContradictionError) as caught:
            known.tell(facts)
        assert caught.value.level == Level.EMERGENCY
        assert known.at_least(Level.EMERGENCY).stopped == Stop.EMERGENCY
    child = CALF.interview({"age": 2, "sex": "male"}).tell({"limp": True})
    assert child.result.urgency.rules_level == Level.SAME_DAY
    with pytest.raises(ContradictionError) as caught:
        child.tell({"age": 40})
    assert caught.value.level == Level.SAME_DAY


def test_what_contradicts_itself_before_the_first_screen_has_its_level_too() -> None:
    facts = {"age": 40, "fever": True, "unable_to_bear_weight": True, "limp": False}
    for begun in (CALF.interview, CALF.evidence):
        with pytest.raises(ContradictionError) as caught:
            begun(facts)
        assert caught.value.level == Level.EMERGENCY


def test_a_stored_interview_that_contradicts_itself_is_refused() -> None:
    stored = CALF.interview({"age": 40, "sex": "male", "fever": True}).to_dict()
    for said in ({"fever": False, "unable_to_bear_weight": True}, {"age": 3, "unable_to_bear_weight": True}):
        with pytest.raises(ContradictionError) as caught:
            CALF.interview_from_json(json.dumps({**stored, "said": said}))
        assert caught.value.level == Level.EMERGENCY


def test_an_interview_may_go_by_a_stricter_policy() -> None:
    own = TUTORIAL.urgency_policy
    stricter = replace(own, rules=(*own.rules, COLD))
    person = {"age": 40, "sex": "male"}
    interview = TUTORIAL.interview(person, policy=stricter)
    assert "cold" in interview.emergencies_to_ask
    told = interview.tell({"cold_feet": True})
    assert told.stopped == Stop.EMERGENCY
    assert TUTORIAL.interview(person).tell({"cold_feet": True}).level < Level.EMERGENCY
    assert TUTORIAL.interview_from_json(told.to_json(), policy=stricter) == told
    laxer = replace(own, rules=())
    with pytest.raises(ArgumentError, match="allow_laxer_policy"):
        TUTORIAL.interview(person, policy=laxer)
    lax = TUTORIAL.interview(person, policy=laxer, allow_laxer_policy=True)
    assert TUTORIAL.interview_from_json(lax.to_json(), policy=laxer, allow_laxer_policy=True) == lax
    with pytest.raises(ContradictionError) as caught:
        interview.tell({"cold_feet": True, "age": 3})
    assert caught.value.level == Level.EMERGENCY


def test_an_interview_does_not_go_on_under_another_policy() -> None:
    """Nor under one that is stricter, too: what it was told then is not lost."""
    own = TUTORIAL.urgency_policy
    stricter, other = (replace(own, rules=(*own.rules, rule)) for rule in (COLD, replace(COLD, reason="Cold, cold feet.")))
    begun = TUTORIAL.interview({"age": 40, "sex": "male"}, policy=stricter)
    told = begun.tell({"cold_feet": True})
    assert begun.to_dict()["policy"] == {"origin": "stricter", "digest": stricter.digest}
    for policy in (other, None):
        with pytest.raises(StaleInterviewError, match="the policy that it was begun with") as caught:
            TUTORIAL.interview_from_json(told.to_json(), policy=policy)
        assert caught.value.level == Level.EMERGENCY
    with pytest.raises(StaleInterviewError):
        TUTORIAL.interview_from_json(TUTORIAL.interview().to_json(), policy=stricter)


@pytest.mark.parametrize("change", [{"model": {"digest": "0"}}, {"schema_version": 3}])
def test_an_interview_of_another_model_hands_back_the_level_that_it_told(change: dict[str, object]) -> None:
    told = {"level": "emergency", "floor": "same_day"}
    document = {**TUTORIAL.interview().to_dict(), **change}
    with pytest.raises(StaleInterviewError, match="begin anew") as caught:
        TUTORIAL.interview_from_json(json.dumps({**document, **told}))
    assert caught.value.level == Level.EMERGENCY
    assert pickle.loads(pickle.dumps(caught.value)).level == Level.EMERGENCY
    with pytest.raises(StaleInterviewError) as caught:
        TUTORIAL.interview_from_json(json.dumps({**document, "level": None, "floor": ["soon"]}))
    assert caught.value.level is None


def test_json_says_where_it_stands() -> None:
    interview = CALF.interview({"age": 40, "sex": "female"}, budget=1)
    told = interview.to_dict()
    assert (told["level"], told["stopped"]) == (str(interview.level), None)
    ended = interview.at_least(Level.SAME_DAY).skip()
    assert (ended.to_dict()["level"], ended.to_dict()["stopped"]) == ("same_day", "budget")
    assert (told["outcome"], told["outcome_reason"]) == ("insufficient", interview.result.outcome_reason)


def test_json_tells_the_outlook_where_the_end_hangs_on_it() -> None:
    person = {"age": 40, "sex": "male"}
    begun = TUTORIAL.interview(person)
    assert begun.emergencies_to_ask
    settled = all_of_it(begun, "no")
    assert (settled.to_dict()["outcome"], settled.to_dict()["stopped"]) == ("assessed", "settled")
    assert settled.to_dict()["outlook"] == settled.outlook.to_dict()
    assert settled.outlook.chance < settled.epsilon
    for other in (begun, TUTORIAL.interview(person, budget=0), settled.at_least(Level.EMERGENCY)):
        assert other.to_dict()["outlook"] is None
    for one in (begun, settled):
        assert TUTORIAL.interview_from_json(one.to_json()) == one


def test_alarm_signs_that_were_asked_in_vain_are_told_at_the_end() -> None:
    ends = {}
    for answer in ("no", None):
        ends[answer] = all_of_it(TUTORIAL.interview({"age": 40, "sex": "male"}), answer)
        assert ends[answer].emergencies_to_ask == ()
        still_open = {rule.id for rule in ends[answer].result.urgency.open_rules if rule.level == Level.EMERGENCY}
        assert set(ends[answer].unanswered_emergencies) == still_open
    assert ends["no"].unanswered_emergencies == ()
    assert len(ends[None].unanswered_emergencies) > 0
    assert "unanswered_emergencies" in ends[None].to_dict()
    begun = TUTORIAL.interview({"age": 40, "sex": "male"})
    assert begun.emergencies_to_ask
    assert begun.unanswered_emergencies == ()  # nothing was asked yet


def test_the_floor_is_the_highest_level() -> None:
    interview = CALF.interview({"age": 40, "sex": "female"})
    assert interview.floor == Level.SELF_CARE
    urgent = interview.at_least(Level.SAME_DAY)
    assert (urgent.floor, urgent.level, interview.level < Level.SAME_DAY) == (Level.SAME_DAY, Level.SAME_DAY, True)
    assert urgent.at_least(Level.ROUTINE) is urgent
    assert CALF.interview_from_json(urgent.tell({"tingling": True}).to_json()).level == Level.SAME_DAY


def test_a_first_impression_counts_only_once_the_alarm_signs_are_asked() -> None:
    first = CALF.interview({"age": 70, "sex": "female"}, budget=30).tell({"chills": True})
    assert first.result.urgency.rules_level < Level.SAME_DAY == first.level
    assert first.floor == Level.SELF_CARE
    asked = first
    while asked.emergencies_to_ask:
        question = asked.next()
        assert question is not None
        asked = asked.answer(NONE if question.kind == Kind.MANY else None)
    assert asked.floor == Level.SELF_CARE
    assert asked.level < Level.SAME_DAY

    later = asked.tell({"popliteal_lump": True, "subjective_leg_swelling": True})
    assert later.result.urgency.rules_level < Level.SAME_DAY == later.level
    assert not later.emergencies_to_ask
    veins = ("known_varicose_veins", "dilated_superficial_veins", "skin_pigmentation_or_eczema", "bilateral_ankle_swelling")
    worse = ("heaviness", "pain_worse_standing", "pain_relieved_by_elevation", "gradual_onset", "bilateral_pain")
    elsewhere = ("knee_pain", "muscle_tenderness", "joint_pain", "pitting_oedema", "limp", "local_warmth")
    explained = later.tell({**dict.fromkeys((*veins, *worse), True), **dict.fromkeys(elsewhere, False)})
    assert explained.result.urgency.level < Level.SAME_DAY == explained.level


def test_a_checklist_says_that_empty_boxes_are_not_so() -> None:
    interview = CALF.interview({"age": 40, "sex": "female"}, budget=5)
    screen = interview.next()
    assert screen is not None
    denied = interview.answer(NONE)
    assert all(denied.evidence[name] is False for name in screen.names)
    unknown = interview.answer(None)
    assert all(unknown.evidence[name] is None for name in screen.names)
    assert set(screen.names) <= denied.put & unknown.put
    assert len(denied.emergencies_to_ask) < len(interview.emergencies_to_ask)


@pytest.mark.parametrize("choice", ["injury", None])
def test_what_the_choice_of_one_option_leaves_unsaid_can_be_told_elsewhere(choice: str | None) -> None:
    """A pain that began with an injury may be there at rest, too: the box that says so is still shown."""
    interview = CALF.interview({"age": 40, "sex": "female"}, budget=5)
    before = next(question for question in CALF.questionnaire().questions if question.id == "before")
    after = interview._after(before, before.said(None if choice is None else (choice,)))
    assert "onset_after_injury" in after.put
    assert "pain_at_rest" not in after.put | set(after.evidence)
    left = {question.id: question for question in after._left()}
    assert "before" not in left
    assert "pain_at_rest" in left["walking"].names
    assert CALF.interview_from_json(after.to_json()) == after


def test_what_is_known_is_not_asked() -> None:
    interview = CALF.interview({"age": 30, "sex": "male", "fever": False, "back_pain": True}, budget=40)
    for _ in range(4):
        question = interview.next()
        assert question is not None
        assert not {"age", "sex", "fever", "back_pain"} & ({*question.names} if question.kind != Kind.ONE else set())
        interview = interview.skip()


def test_one_question_for_each_thing_where_there_is_no_questionnaire() -> None:
    network = TUTORIAL._solved.network
    names = {name for question in plain_questionnaire(network).questions for name in question.names}
    told = {f.id for f in TUTORIAL.findings if f.observer == Observer.PATIENT} - {TUTORIAL.knowledge.complaint}
    assert names == told | {factor.id for factor in TUTORIAL.risk_factors}
    assert all_of_it(TUTORIAL.interview(), "no").stopped in {Stop.SETTLED, Stop.NOTHING_LEFT}


def test_when_little_is_left_the_level_is_proven_or_a_witness_is_shown() -> None:
    told = {f.id: False for f in TUTORIAL.findings if f.observer == Observer.PATIENT and f.id != TUTORIAL.knowledge.complaint}
    person = {"age": 30, "sex": "male"}
    known = {**told, **person, **{f.id: False for f in TUTORIAL.risk_factors if f.is_binary and f.id not in person}}
    sure = TUTORIAL.interview(known).outlook
    assert (sure.proven, sure.chance, sure.error, sure.witness) == (True, 0.0, 0.0, None)
    for name in told:
        interview = TUTORIAL.interview({other: value for other, value in known.items() if other != name})
        found = interview.outlook
        then = {value: TUTORIAL.diagnose({**known, name: value}).urgency.level for value in (False, True)}
        other = {value: level for value, level in then.items() if max(level, interview.floor) != interview.level}
        assert found.proven == (not other)
        if found.witness is not None:
            ((told_name, value),) = found.witness
            assert told_name == name
            assert found.witness_level == other[value is True]


def test_a_witness_of_a_completion_changes_the_level() -> None:
    interview = TUTORIAL.interview({"age": 70, "sex": "male"}, seed=4, epsilon=0.05)
    found = interview.outlook
    assert not found.proven
    assert found.witness is not None
    result = TUTORIAL.diagnose({**interview.evidence, **dict(found.witness)})
    assert result.urgency.level == found.witness_level != interview.level
    assert 0 < found.chance <= 1
    assert found.error > 0
    assert isinstance(found, Outlook)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_completion_is_judged_by_all_that_it_tells() -> None:
    """Denials count, too: who leaves news out finds the level more settled than it is, and stops too early."""
    interview = TUTORIAL.interview({"age": 40, "sex": "male"}, setting="primary_care")
    levels = []
    for answers in completions(TUTORIAL._solved, "primary_care", interview.evidence, interview.result._hidden, 12, seed=1):
        if with_answers(interview.evidence, answers) is not None:
            present = [finding.id for finding in TUTORIAL.findings if answers.get(finding.id) is True]
            whole = TUTORIAL.diagnose(interview.evidence.with_(answers)).urgency.level
            assert interview._level_weighing(answers, present) == whole
            levels.append(whole)
    assert len(set(levels)) > 1


def test_findings_are_left_unweighed_only_as_far_as_the_limit_demands() -> None:
    interview = replace(CALF.interview({"age": 40, "sex": "male"}, setting="primary_care"), cost_limit=COMPLETIONS * 5e5)
    network = CALF._solved.network
    drawn = completions(CALF._solved, "primary_care", interview.evidence, interview.result._hidden, 12, seed=1)
    for answers in drawn:
        present = [name for name, value in answers.items() if value is True and name in network.node_index]
        if len(present) > 8 and interview._level_with(answers, set(present), 1e9) not in {None, Level.EMERGENCY}:
            limit = interview.cost_limit / COMPLETIONS
            with pytest.raises(QueryTooCostlyError):
                interview._level_with(answers, frozenset(), limit)
            assert interview._level_weighing(answers, present) is not None
            break
    else:
        pytest.fail("no such patient was drawn")


def test_questions_that_could_fire_a_rule_count_by_what_missing_it_costs() -> None:
    result = CALF.diagnose({"age": 30, "sex": "female", "pain_on_walking": True, "saddle_anaesthesia": False})
    worth = worth_by_rules(result)
    rule = next(rule for rule in result.urgency.policy.rules if rule.id == "leg_pain_in_pregnancy_or_after_birth")
    row = result.urgency.policy.loss[result.urgency.level.severity]
    chance = Foresight(CALF._solved.network, result.evidence, result._hidden).chance(rule.condition)
    assert worth["pregnancy"] == pytest.approx(chance * row[rule.level.severity])
    assert "saddle_anaesthesia" not in worth
    assert set(worth) == {name for rule in result.urgency.open_rules for name in rule.ask}
    assert all(value >= 0 for value in worth.values())


def test_after_the_alarm_signs_a_list_asks_for_what_else_is_worth_knowing() -> None:
    interview = CALF.interview({"age": 40, "sex": "male"}, setting="primary_care", budget=30)
    while interview.emergencies_to_ask and (question := interview.next()) is not None:
        interview = interview.answer([NONE] if question.kind == Kind.MANY else None)
    question = interview.next()
    assert question is not None
    assert question.id == CHECKLIST
    assert question.text == CALF.knowledge.asking.more
    assert 2 < len(question.options) <= CALF.knowledge.asking.boxes + 1
    assert not set(question.names) & interview.put


def test_completions_come_from_the_posterior() -> None:
    """Share of completions with a finding against the probability that the engine gives it."""
    known = {"age": 67, "smoking": True, "pain_on_walking": True, "unilateral_calf_swelling": False}
    result = TUTORIAL.diagnose(known, setting="primary_care")
    solved, network = TUTORIAL._solved, TUTORIAL._solved.network
    n = 4000
    drawn = list(completions(solved, "primary_care", result.evidence, result._hidden, n, seed=3))
    assert len(drawn) == n
    logits = solved.bases["primary_care"].logits
    from calfbayes.diagnosis.encoding import encode

    now = infer(network, logits, encode(network, result.evidence)).log_joint
    checked = 0
    for finding in TUTORIAL.findings:
        if finding.observer == Observer.PATIENT and finding.id not in known and not finding.implies and not finding.excludes:
            if finding.id == TUTORIAL.knowledge.complaint:
                continue
            then = infer(network, logits, encode(network, result.evidence.with_({finding.id: True}))).log_joint
            share = np.mean([answers[finding.id] is True for answers in drawn])
            assert share == pytest.approx(np.exp(then - now), abs=0.05), finding.id
            checked += 1
    assert checked > 3
    assert all(with_answers(result.evidence, answers) is not None for answers in drawn[:50])
    assert all(answers[name] == value for answers in drawn[:50] for name, value in known.items())


def test_patients_who_answer_truly_are_scored() -> None:
    questionnaire = plain_questionnaire(TUTORIAL._solved.network)
    found = list(interviews(TUTORIAL._solved, questionnaire, "primary_care", 10, seed=2, known=("age", "sex")))
    again = interviews(TUTORIAL._solved, questionnaire, "primary_care", 10, seed=2, known=("age", "sex"))
    assert found[:2] == [next(again), next(again)]
    part = interviews(TUTORIAL._solved, questionnaire, "primary_care", 10, seed=2, known=("age", "sex"), part=1, parts=4)
    assert list(part) == found[1::4]
    scores = InterviewScores(tuple(found))
    assert all(ended.without_floor <= ended.level for ended in found)
    assert scores.agreed >= 0.8
    assert scores.emergency_missed == 0
    told = scores.to_dict()
    assert told["patients"] == sum(told["stops"].values()) == 10
    json.dumps(told, allow_nan=False)


def test_scores_of_interviews_counted_by_hand() -> None:
    low, mid, high = Level.SELF_CARE, Level.ROUTINE, Level.EMERGENCY
    ended = (
        Ended(mid, mid, mid, 3, Stop.SETTLED),
        Ended(low, mid, low, 5, Stop.SETTLED),
        Ended(high, mid, mid, 20, Stop.NOTHING_LEFT),
        Ended(high, high, high, 1, Stop.EMERGENCY),
        Ended(None, high, high, 2, Stop.EMERGENCY),
    )
    scores = InterviewScores(ended)
    assert (scores.agreed, scores.agreed_without_floor) == (2 / 4, 3 / 4)
    assert (scores.too_low, scores.emergency_missed, scores.median_screens) == (1 / 4, 1 / 4, 3)
    assert scores.levels == ((0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0,) * 5, (0,) * 5, (0, 1, 0, 0, 1))
    told = scores.to_dict()
    assert told["too_dear"] == 1
    assert told["levels"]["emergency"]["routine"] == 1
    assert told["agreed"] == pytest.approx({"value": 0.5, "low": 0.1500, "high": 0.8500, "n": 4}, abs=1e-4)  # Wilson (1927)


def test_a_patient_chooses_what_fits() -> None:
    questions = {question.id: question for question in QUESTIONNAIRE.questions}
    answers: dict[str, Value] = {
        "thick_calf": True,
        "short_breath": False,
        "age": 30.0,
        "sex": "male",
        "redness": False,
        "pale_skin": False,
    }
    assert reply(questions["signs"], answers) == ("thick",)
    assert reply(questions["age"], answers) == 30.0
    assert reply(questions["sex"], answers) == ("male",)
    assert reply(questions["colour"], answers) is None


def test_answers_that_contradict_what_was_known_are_told_and_change_nothing() -> None:
    interview = CALF.interview({"age": 40, "sex": "male"}, budget=5)
    with pytest.raises(ContradictionError):
        interview.tell({"pain_persisting_over_7_days": True, "pain_persisting_over_36h": False})
    with pytest.raises(UnknownNameError):
        interview.answer("no_such_box")
    with pytest.raises(ArgumentError):
        interview.answer([])
    assert interview.screens == 0


@pytest.mark.parametrize(
    "options", [{"budget": -1}, {"budget": True}, {"epsilon": 0}, {"epsilon": "a"}, {"seed": -1}, {"seed": 1.5}]
)
def test_wrong_arguments_are_told(options: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        TUTORIAL.interview(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"model": "calf"}, {"model": {"digest": "0"}}, {"put": ["nowhere"]}, {"put": "age"}, {"asked": ["nowhere"]},
        {"screens": -1}, {"floor": "soon"}, {"more": 1}, {"policy": "model"}, {"policy": None},
        {"schema_version": 2}, {"said": {"no_such_finding": True}}, {"budget": "many"},
    ],
)  # fmt: skip
def test_json_that_cannot_be_is_told(change: dict[str, object]) -> None:
    document = {**TUTORIAL.interview().to_dict(), **change}
    with pytest.raises((ArgumentError, UnknownNameError)):
        TUTORIAL.interview_from_json(json.dumps(document))
    with pytest.raises(ArgumentError):
        TUTORIAL.interview_from_json("{")
