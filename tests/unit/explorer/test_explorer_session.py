"""The answers behind the explorer."""

from pathlib import Path

import pytest

from calfbayes import ContradictionError, EvidenceError, load_model
from calfbayes.explorer.session import Session

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
NEW = Session(CAR, CAR.evidence({}))


def test_answers_come_and_go_without_changing_what_was() -> None:
    one = NEW.answered("smoke", True)
    two = one.answered("smoke", False).answered("mileage", 20)
    assert (dict(NEW.evidence), dict(one.evidence), dict(two.evidence)) == (
        {},
        {"smoke": True},
        {"smoke": False, "mileage": 20},
    )
    assert two.withdrawn("smoke").withdrawn("mileage") == NEW
    assert NEW.withdrawn("smoke") is NEW
    assert two.result.urgency.level == CAR.diagnose({"smoke": False, "mileage": 20}).urgency.level


def test_the_setting_changes_and_the_answers_stay() -> None:
    garage = NEW.answered("smoke", True).in_setting("garage")
    assert (garage.evidence.setting, dict(garage.evidence)) == ("garage", {"smoke": True})
    assert garage.withdrawn("smoke").evidence.setting == "garage"


def test_asked_and_not_known_is_not_the_same_as_never_asked() -> None:
    unknown = NEW.answered("smoke", None).answered("fuel", None)
    assert dict(unknown.evidence) == {"smoke": None, "fuel": None}
    assert "smoke" in {question.id for question in NEW.questions}
    assert "smoke" not in {question.id for question in unknown.questions}  # nobody is asked twice
    again = Session(CAR, CAR.evidence_from_json(unknown.to_json()))
    assert again == unknown
    assert again != NEW


def test_what_cannot_be_is_refused() -> None:
    bright = NEW.answered("lights_bright", True)
    with pytest.raises(ContradictionError):
        bright.answered("lights_dim", True)
    with pytest.raises(EvidenceError, match=r"lies outside 0\.\.1000"):
        NEW.answered("mileage", -3)


def test_without_words_what_open_rules_ask_stands_first_and_what_is_answered_last() -> None:
    session = NEW.answered("clicking", False)
    shown = [item.id for item in session.shown()]
    assert shown[:2] == ["smoke", "smell_of_fuel"]
    assert shown[-1] == "clicking"
    assert sorted(shown) == sorted(item.id for item in NEW.items)
    assert session.shown(["  "]) == session.shown()


def test_the_answered_are_found_by_themselves() -> None:
    session = NEW.answered("clicking", False).answered("cold_night", True).answered("mileage", 20)
    assert {item.id for item in session.shown(only_answered=True)} == {"clicking", "cold_night"}
    assert [item.id for item in session.shown(["frost"], only_answered=True)] == ["cold_night"]
    assert session.shown(["smoke"], only_answered=True) == ()


def test_words_search_findings_and_risk_factors() -> None:
    assert [item.id for item in NEW.shown(["frost"])] == ["cold_night"]
    assert [item.id for item in NEW.shown(["smel", "fuel"])] == ["smell_of_fuel"]
    assert NEW.shown(["xylophone"]) == ()


def test_the_complaint_is_not_asked_and_numbers_stand_apart() -> None:
    assert CAR.knowledge.complaint not in {item.id for item in NEW.items}
    assert {factor.id for factor in NEW.persons} == {"mileage", "fuel"}


def test_answers_round_trip_as_json() -> None:
    session = NEW.answered("smoke", True).answered("mileage", 20).in_setting("garage")
    assert Session(CAR, CAR.evidence_from_json(session.to_json())) == session
