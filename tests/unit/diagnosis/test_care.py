"""Care: whom the advice is for, and that none of it harms what is still possible."""

import re
import tomllib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import ContradictionError, Level
from calfbayes.knowledge.shipped import models_folder
from calfbayes.knowledge.terms import Cause, Complication
from support.models import shipped
from support.queries import AFFORDABLE, answers

CALF = shipped("calf")
EVERY: tuple[Cause | Complication, ...] = (*CALF.causes, *CALF.complications)
RECORDS = {record.id: record for record in EVERY}


@given(data=st.data())
def test_no_advice_harms_a_cause_that_is_still_possible(data: st.DataObject) -> None:
    try:
        result = CALF.diagnose(data.draw(answers(CALF, most=6)), cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    assume(result.causes)
    bounds = CALF.knowledge.advice.possible_above
    possible = [r for r in RECORDS.values() if result[r.id].probability > bounds[r.urgency.severity]]
    harming = {r.id: set(r.care.harmed_by) for r in possible}
    for advised in result.care.helps:
        for name in advised.causes:
            care = RECORDS[name].care
            kinds = set(care.help_kinds[care.helps.index(advised.text)])
            assert not any(kinds & harmed for other, harmed in harming.items() if other != name), (advised, kinds)
    for withheld in result.care.withheld:
        assert withheld.causes
        assert set(withheld.causes) <= set(harming)
        assert withheld.text not in {
            advised.text for advised in result.care.helps if set(advised.causes) >= set(withheld.causes)
        }


def test_no_massage_or_exercise_while_a_clot_is_possible() -> None:
    result = CALF.diagnose(
        {"age": 45, "sex": "male", "muscle_tenderness": True, "trigger_points": True}, setting="primary_care"
    )
    assert result["deep_vein_thrombosis"].probability > 0.01
    assert not [
        advised for advised in result.care.helps if re.search("massage|rub|manual|exercise", advised.text, re.IGNORECASE)
    ]
    massage = next(entry for entry in result.care.avoid if "massage" in entry.text)
    assert "deep_vein_thrombosis" in massage.causes


def test_advice_comes_from_the_cause_that_the_level_is_for() -> None:
    result = CALF.diagnose({"age": 35, "sex": "male", "unilateral_calf_swelling": True}, setting="primary_care")
    assert result.urgency.level == Level.SAME_DAY
    named = {name for entry in result.care.who for name in entry.causes}
    assert named & {"deep_vein_thrombosis", "calf_haematoma", "cellulitis", "ruptured_bakers_cyst"}
    assert all(RECORDS[name].urgency >= Level.SAME_DAY for name in named)
    assert result.care.action == result.urgency.action
    assert set(result.to_dict()["care"]) == {
        "action",
        "who",
        "examinations",
        "helps",
        "withheld",
        "avoid",
        "come_back",
        "come_back_if",
    }


def test_without_probabilities_there_is_only_the_action() -> None:
    care = CALF.diagnose({"saddle_anaesthesia": True}, cost_limit=1e-300).care
    assert care.level == Level.EMERGENCY
    assert care.action
    assert care.helps == care.who == care.avoid == ()


WARNED = {"massage": r"massage|knead", "heat": r"\bheat\b|hot[- ]water", "compression": r"tight bandage|tight knee bandage"}
ABOUT_OTHERS = {  # the file warns of another condition that may hide behind this one
    ("massage", "lumbosacral_radiculopathy"),
    ("massage", "myofascial_pain_syndrome"),
    ("massage", "nonspecific_calf_pain"),
    ("massage", "overuse"),
    ("massage", "viral_myalgia"),
    ("compression", "cellulitis"),
}


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_what_a_file_warns_of_harms_its_condition(name: str) -> None:
    folder = "causes" if isinstance(RECORDS[name], Cause) else "complications"
    care = tomllib.loads((models_folder() / "calf" / folder / f"{name}.toml").read_text(encoding="utf-8"))["care"]
    assert "harmed_by" in care, "say which kinds of advice harm it, or []"
    for kind, words in WARNED.items():
        if any(re.search(words, text, re.IGNORECASE) for text in care["avoid"]) and (kind, name) not in ABOUT_OTHERS:
            assert kind in care["harmed_by"], (kind, care["avoid"])
