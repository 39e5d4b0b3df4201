"""Search by the words that people say."""

from pathlib import Path

import pytest

from calfbayes import load_model
from calfbayes.knowledge.terms import Finding, RiskFactor
from calfbayes.presentation.listing import causes_text, findings_text, search

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
RECORDS: tuple[Finding | RiskFactor, ...] = (*CAR.findings, *CAR.risk_factors)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["smell_of_fuel"], ["smell_of_fuel"]),
        (["Smell OF fuel"], ["smell_of_fuel"]),
        (["odour", "petrol"], ["smell_of_fuel"]),
        (["frost"], ["cold_night"]),
        (["volts"], ["cell_voltage_low"]),
        (["light"], ["lights_dim", "lights_bright"]),
        ([], [record.id for record in RECORDS]),
        (["  "], [record.id for record in RECORDS]),
    ],
)
def test_every_word_must_stand_somewhere_in_the_record(words: list[str], found: list[str]) -> None:
    matches = search(RECORDS, words)
    assert matches.exact
    assert [record.id for record in matches.records] == found


@pytest.mark.parametrize(
    ("words", "first"), [(["clickin", "startr"], "clicking"), (["voltge"], "cell_voltage_low"), (["milage"], "mileage")]
)
def test_misspelt_words_find_what_is_most_alike(words: list[str], first: str) -> None:
    matches = search(RECORDS, words)
    assert not matches.exact
    assert matches.records[0].id == first


def test_words_that_are_like_nothing_find_nothing() -> None:
    assert search(RECORDS, ["xylophone"]).records == ()
    assert findings_text(CAR.knowledge, ["xylophone"]) == ""
    assert causes_text(CAR.diagnose({}), ["xylophone"]) == ""


def test_findings_tell_what_they_are_and_who_can_tell() -> None:
    text = findings_text(CAR.knowledge)
    for line in (
        "lights_dim  (sign, patient)",
        "cell_voltage_low  (test, laboratory)",
        "mileage  (risk factor, a number of thousand km from 0 to 1000)",
        "fuel  (risk factor: petrol, diesel, battery_only)",
        "cold_night  (risk factor)",
        "    also: frost, ice",
        "    Dim lights. Are the lights dim or dead?",
    ):
        assert line in text.splitlines()


def test_a_misspelt_search_says_so() -> None:
    assert findings_text(CAR.knowledge, ["milage"]).startswith("Nothing holds these words; nearest:\nmileage ")


@pytest.mark.parametrize("setting", ["roadside", "garage"])
def test_causes_stand_by_share(setting: str) -> None:
    result = CAR.diagnose({"lights_dim": True}, setting=setting)
    heads = [line.split()[0] for line in causes_text(result).splitlines() if not line.startswith(" ")]
    assert heads == [entry.id for entry in sorted(result.causes, key=lambda entry: (-entry.share, entry.id))]


def test_colour_only_if_wanted() -> None:
    assert "\x1b" not in findings_text(CAR.knowledge)
    assert findings_text(CAR.knowledge, colour=True).startswith("\x1b[1mdoes_not_start\x1b[0m  (")
