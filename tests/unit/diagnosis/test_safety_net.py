"""When to come back: every set raises the level, none is larger than it must be, and nothing dangerous is left out."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import ContradictionError, Diagnosis, Level
from calfbayes.evidence import read_evidence
from calfbayes.knowledge.terms import Observer
from calfbayes.presentation.text import diagnosis_text
from support.models import shipped
from support.queries import answers

CALF = shipped("calf")
NETWORK = CALF._solved.network
ASKING = CALF.knowledge.asking
NO_QUERY = 1e-300


def with_present(result: Diagnosis, names: tuple[str, ...]) -> Diagnosis:
    """The same person on the day when these findings have appeared."""
    lasting = {
        name: value
        for name, value in result.evidence.items()
        if name in NETWORK.risk_index or value is True or name in ASKING.history
    }
    later = read_evidence(NETWORK, {**lasting, **dict.fromkeys(names, True)}, setting=result.evidence.setting)
    return CALF.diagnose(later, cost_limit=NO_QUERY)


@given(data=st.data())
def test_every_set_fires_its_rule_and_no_part_of_it_does(data: st.DataObject) -> None:
    try:
        result = CALF.diagnose(data.draw(answers(CALF, most=6)), cost_limit=NO_QUERY)
    except ContradictionError:
        assume(False)
    watches = [watch for entry in result.care.come_back_if for watch in entry.any_of]
    assume(watches)
    for watch in data.draw(st.lists(st.sampled_from(watches), min_size=1, max_size=4)):
        assert watch.level > result.urgency.level
        assert len(watch.findings) <= ASKING.together
        assert not set(watch.findings) & set(ASKING.history)
        assert all(NETWORK.records[name].observer == Observer.PATIENT for name in watch.findings)  # type: ignore[union-attr]
        later = with_present(result, watch.findings)
        assert watch.rule in {reason.id for reason in later.urgency.reasons}
        assert later.urgency.level >= watch.level
        for left_out in watch.findings:
            part = tuple(name for name in watch.findings if name != left_out)
            assert watch.rule not in {reason.id for reason in with_present(result, part).urgency.reasons}


@pytest.mark.parametrize(
    "alarm", ["shortness_of_breath", "chest_pain", "saddle_anaesthesia", "dark_urine", "severe_disproportionate_pain"]
)
def test_what_is_denied_today_may_appear_tomorrow(alarm: str) -> None:
    result = CALF.diagnose(
        {"age": 30, "sex": "male", "recent_unaccustomed_exercise": True, "muscle_tenderness": True, alarm: False}
    )
    (emergency,) = (entry for entry in result.care.come_back_if if entry.level == Level.EMERGENCY)
    assert (alarm,) in {watch.findings for watch in emergency.any_of}
    assert emergency.text == dict(ASKING.come_back)[Level.EMERGENCY]


def test_what_is_present_makes_the_sets_smaller() -> None:
    person = {"age": 60, "sex": "male"}

    def sets(**more: bool) -> set[tuple[str, ...]]:
        care = CALF.diagnose({**person, **more}, cost_limit=NO_QUERY).care
        return {watch.findings for entry in care.come_back_if for watch in entry.any_of}

    assert ("chills",) not in sets()
    assert ("unable_to_bear_weight",) in sets(fever=True)
    assert ("fever", "unable_to_bear_weight") in sets()


def test_in_an_emergency_there_is_nothing_to_wait_for() -> None:
    result = CALF.diagnose({"saddle_anaesthesia": True}, cost_limit=NO_QUERY)
    assert result.urgency.level == Level.EMERGENCY
    assert result.care.come_back_if == ()
    assert result.to_dict()["care"]["come_back_if"] == []


@given(data=st.data())
def test_headings_hold_every_set_once(data: st.DataObject) -> None:
    """Put together or not, what is told is what raises the level: nothing more, nothing left out."""
    try:
        result = CALF.diagnose(data.draw(answers(CALF, most=6)), cost_limit=NO_QUERY)
    except ContradictionError:
        assume(False)
    for entry in result.care.come_back_if:
        told = [
            (signs.kind, tuple(sorted({*shared, name})))
            for signs in entry.by_kind
            for sets, ones in signs.any_of
            for shared in sets
            for name in ones
        ]
        assert sorted(told) == sorted((watch.kind, watch.findings) for watch in entry.any_of)
        assert all(signs.kind for signs in entry.by_kind)
        assert sum(len(signs.any_of) for signs in entry.by_kind) <= len(entry.any_of)


def test_the_text_is_short_and_names_every_sign() -> None:
    result = CALF.diagnose({"age": 45, "sex": "female", "muscle_tenderness": True}, cost_limit=NO_QUERY)
    text = " ".join(diagnosis_text(result, width=100, care=True).split())
    (emergency,) = (entry for entry in result.care.come_back_if if entry.level == Level.EMERGENCY)
    told = text.partition(emergency.text)[2].partition(dict(ASKING.come_back)[Level.SAME_DAY])[0]
    assert all(NETWORK.records[name].label in told for watch in emergency.any_of for name in watch.findings)
    assert "more" not in told.replace("more than", "")
    assert len(emergency.by_kind) <= 11 < len(emergency.any_of)
    assert sum(len(signs.any_of) for signs in emergency.by_kind) < len(emergency.any_of) / 2
    chances = [sum(w.chance for w in emergency.any_of if w.kind == signs.kind) for signs in emergency.by_kind]
    assert chances == sorted(chances, reverse=True)
