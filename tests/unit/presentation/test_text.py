"""A diagnosis in words: what is said, in which order, and that it is said of the result and nothing else."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import Diagnosis, Likelihood, load_model
from calfbayes.diagnosis.safety_net import Signs
from calfbayes.presentation.facts import signs_told
from calfbayes.presentation.plain import percent
from calfbayes.presentation.text import diagnosis_text
from support.models import shipped

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


def patient(**more: object) -> Diagnosis:
    return CAR.diagnose({"smell_of_fuel": True, "mileage": 160, "lights_dim": False, **more}, setting="garage")


def place(text: str, part: str) -> int:
    assert text.count(part) == 1, part
    return text.index(part)


def test_urgency_stands_first_and_the_paragraphs_follow_in_order() -> None:
    text = diagnosis_text(patient(), care=True)
    assert text.startswith("EMERGENCY\n  Get out, keep away, and call the fire brigade.\n\nWhy\n")
    starts = (
        "EMERGENCY",
        "\nWhy\n",
        "\nOutcome: ",
        "\nCauses ",
        "\nComplications\n",
        "\nAvoid\n",
        "\nCome back\n",
        "\nWhat was known\n",
    )
    places = [place(text, start) for start in (*starts, "\nModel car 1.0.0, digest ")]
    assert places == sorted(places)
    assert text.endswith(f"\n{CAR.knowledge.intended_use}")


def test_a_rule_names_what_made_it_fire_in_words() -> None:
    text = " ".join(diagnosis_text(patient()).split())
    assert "Because: Smell of fuel; Mileage: 160 thousand km. [manual, nowhere]" in text
    assert "Same day: Fuel that can be smelt is leaking. Because: Smell of fuel. [manual]" in text


def test_open_rules_say_what_to_ask() -> None:
    result = CAR.diagnose({"lights_dim": True})
    text = " ".join(diagnosis_text(result).split())
    assert f"Outcome: insufficient - {result.outcome_reason} " in text
    assert (
        "Emergency: Smoke, or fuel smelt near a hot old engine, may mean a fire. Ask: Smoke from the bonnet; Smell of fuel"
        in text
    )
    assert "Same day: Fuel that can be smelt is leaking. Ask: Smell of fuel." in text


def test_many_open_rules_are_shortened_to_a_count() -> None:
    result = CAR.diagnose({"lights_dim": True})
    rules = result.urgency.open_rules * 3  # two emergency rules' worth of lines, and the rest counted
    text = diagnosis_text(replace(result, urgency=replace(result.urgency, open_rules=rules)))
    assert text.count(" Ask: ") == 4
    assert "further rules that answers could still fire: 1 emergency, 1 same day" in text


def test_every_kind_of_answer_is_told_apart() -> None:
    evidence = {"smoke": Likelihood(0.25), "clicking": None, "cold_night": True, "fuel": "battery_only", "mileage": 60.5}
    known = diagnosis_text(CAR.diagnose({**evidence, "lights_dim": False})).partition("What was known\n")[2]
    assert known.splitlines()[:6] == [
        "  Patient    Fuel: battery only; Mileage: 60.5 thousand km",
        "  Present    Frost last night",
        "  Absent     Dim lights",
        "  Doubtful   no: Smoke from the bonnet (likelihood ratio 0.25)",
        "  Not known  Clicking starter",
        "  Setting    At the roadside (assumed, none was given)",
    ]


def test_a_setting_that_was_given_is_not_called_assumed() -> None:
    assert "  Setting    In a garage\n" in diagnosis_text(patient())


def test_each_cause_stands_with_probability_share_and_level() -> None:
    result = patient()
    table = diagnosis_text(result).partition("\nCauses ")[2].partition("\nComplications")[0].splitlines()[1:]
    for line, entry in zip(table, result.causes, strict=False):
        expected = (
            rf"  {entry.label} +\S+ +{percent(entry.probability)}  from +{percent(entry.share)}  (self-care|routine|same day)"
        )
        assert re.fullmatch(expected, line)


@pytest.mark.parametrize("top", [1, 2, 3, 9])
def test_top_limits_the_causes_and_says_what_is_left(top: int) -> None:
    result = patient()
    text = diagnosis_text(result, top=top)
    assert sum(f"\n  {entry.label} " in text for entry in result.causes) == min(top, 3)
    left = f"… and {3 - top} more, each {percent(result.causes[min(top, 2)].probability)} or less"
    assert (left in text) == (top < 3)


def test_care_names_what_each_advice_is_for_and_only_if_asked() -> None:
    result = patient()
    assert "\nAvoid\n" not in diagnosis_text(result)
    text = diagnosis_text(result, care=True)
    labels = {entry.id: entry.label for entry in (*result.causes, *result.complications)}
    shown = " ".join(text.split())
    leads = [(entry, "for") for entry in (*result.care.who, *result.care.come_back)]
    for advised, lead in (*leads, *((entry, "because it may be") for entry in result.care.avoid)):
        assert f"- {advised.text.rstrip('.')} ({lead} {', '.join(labels[name] for name in advised.causes)})" in shown


def test_without_probabilities_the_level_of_the_rules_and_the_reason_are_shown() -> None:
    result = CAR.diagnose({"smoke": True, "smell_of_fuel": True}, cost_limit=1e-3)
    assert result.log_evidence is None
    text = diagnosis_text(result, care=True)
    assert text.startswith("EMERGENCY\n")
    assert "Outcome: insufficient - an exact answer is predicted to need" in " ".join(text.split())
    assert "\nCauses" not in text
    assert "\nComplications" not in text
    assert "\nAvoid\n" not in text


def test_labels_cannot_write_on_the_terminal() -> None:
    result = patient()
    evil = replace(result.causes[0], label="Evil\x1b[2J\u202e\nlabel")
    text = diagnosis_text(replace(result, causes=(evil, *result.causes[1:]), disclaimer="no\x1b]0;title\x07"))
    assert r"Evil\x1b[2J\u202e\nlabel" in text
    assert r"no\x1b]0;title\x07" in text
    assert not set(text) & set("\x1b\x07\u202e")


def test_repr_is_this_text() -> None:
    assert repr(patient()) == diagnosis_text(patient(), width=100)


def test_colour_adds_nothing_but_colour() -> None:
    coloured = diagnosis_text(patient(), colour=True, care=True)
    assert coloured.startswith("\x1b[1;97;41mEMERGENCY\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == diagnosis_text(patient(), care=True)


@given(
    st.dictionaries(
        st.sampled_from(["lights_dim", "clicking", "smell_of_fuel", "smoke", "cell_voltage_low"]),
        st.sampled_from([True, False, None]),
    ),
    st.integers(0, 140),
)
def test_no_line_is_wider_than_the_page(evidence: dict[str, bool | None], width: int) -> None:
    text = diagnosis_text(CAR.diagnose(evidence), width=width, care=True)
    assert max(map(len, text.splitlines())) <= max(width, 60)


def test_signs_that_count_together_cannot_be_read_as_signs_that_count_alone() -> None:
    """Labels hold their own "or": "A with B or C" would be read as "A with B, or C alone"."""
    labels = {
        name: shipped("calf")._solved.network.records[name].label for name in ("fever", "chills", "redness", "palpable_mass")
    }
    fever, chills, red, lump = labels.values()
    either = ("fever",), ("chills",)
    told = Signs("Infection", (((), ("redness",)), (either, ("redness", "palpable_mass")), ((("fever",),), ("redness",))))
    product = f"one of ({fever} / {chills}) together with one of ({red} / {lump})"
    assert signs_told(shipped("calf")._solved.network, told) == f"Infection: {red}; {product}; {fever} together with {red}"
