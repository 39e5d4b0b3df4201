"""Care: whom the advice is for, and that none of it harms what is still possible."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import ContradictionError, Diagnosis, Level
from calfbayes.diagnosis.care import care_advice
from calfbayes.evaluation.case_files import Case, read_cases
from calfbayes.knowledge.terms import AdviceKind, Care, Cause, Complication
from support.models import shipped
from support.queries import AFFORDABLE, answers

CALF = shipped("calf")
EVERY: tuple[Cause | Complication, ...] = (*CALF.causes, *CALF.complications)
RECORDS = {record.id: record for record in EVERY}
NETWORK = CALF._solved.network
EMPTY = CALF.diagnose({}, cost_limit=1e-300)
NOTHING = dict.fromkeys(RECORDS, 0.0)
CASES = Path(__file__).parents[2] / "clinical" / "cases" / "cases.jsonl"
SHORT, PAGE = 9, 18  # warnings for one cause, and for a mixed picture


def check_harmless(result: Diagnosis) -> None:
    """No kind of advice is both given and warned of, and none is given that harms what is possible or advised on."""
    care = result.care
    advised_on = {name for entry in care.come_back for name in entry.causes}
    for kind in CALF.knowledge.advice.kinds:
        given = [entry for entry in care.helps if kind.id in entry.kinds]
        warned = [entry for entry in care.avoid if kind.id in entry.kinds]
        assert len(warned) <= 1, kind.id
        assert not (given and warned), (given, warned)
        leading = advised_on if kind.leading_from is None or result.urgency.level >= kind.leading_from else set()
        harmed = {
            r.id
            for r in EVERY
            if kind.id in r.care.harmed_by
            and (r.id in leading or result[r.id].probability > kind.possible_above[r.urgency.severity])
        }
        assert not (given and harmed), (given, harmed)
        assert all(harmed <= set(entry.causes) for entry in warned)
        broader = [other for other in CALF.knowledge.advice.kinds if kind.id in other.includes]
        assert not (given and any(other.id in entry.kinds for other in broader for entry in care.avoid)), given
    for entry in care.withheld:
        assert entry.causes or entry.states or entry.rules
        assert entry.text not in {helped.text for helped in care.helps}


@given(data=st.data())
def test_no_kind_of_advice_is_given_that_harms_or_is_warned_of(data: st.DataObject) -> None:
    try:
        result = CALF.diagnose(data.draw(answers(CALF, most=6)), cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    assume(result.causes)
    check_harmless(result)


@pytest.mark.parametrize("case", read_cases(CASES), ids=lambda case: case.id)
def test_published_patients_are_told_nothing_that_harms(case: Case) -> None:
    result = CALF.diagnose(dict(case.known), setting=case.setting)
    check_harmless(result)
    assert len(result.care.avoid) <= PAGE


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_the_advice_of_one_cause_does_not_contradict_itself(name: str) -> None:
    record = RECORDS[name]
    care = care_advice(NETWORK, EMPTY.evidence, EMPTY.urgency, {**NOTHING, name: 1.0}, NOTHING)
    given = {kind for entry in care.helps if name in entry.causes for kind in entry.kinds}
    warned = {kind for entry in care.avoid for kind in entry.kinds}
    assert not given & warned
    if isinstance(record, Cause):
        assert {entry.text for entry in care.helps} == set(record.care.helps)
        assert warned == set(record.care.harmed_by)
        assert len(care.avoid) <= SHORT


@pytest.mark.parametrize("evidence", [{"sudden_onset": True}, {"calf_enlarging_rapidly": True, "anticoagulant_use": True}])
def test_warnings_come_most_urgent_first(evidence: dict[str, bool]) -> None:
    severities = [max(RECORDS[name].urgency.severity for name in entry.causes) for entry in CALF.diagnose(evidence).care.avoid]
    assert severities == sorted(severities, reverse=True)
    assert len(set(severities)) > 1


def test_no_massage_while_a_clot_is_possible_and_no_exercise_while_it_is_not_remote() -> None:
    sore = CALF.diagnose({"age": 45, "sex": "male", "muscle_tenderness": True, "trigger_points": True}, setting="primary_care")
    assert 0.01 < sore["deep_vein_thrombosis"].probability < 0.05
    assert not [entry for entry in sore.care.helps if "massage" in entry.kinds]
    assert "deep_vein_thrombosis" in next(entry for entry in sore.care.avoid if "massage" in entry.kinds).causes
    assert not [
        entry for entry in sore.care.withheld if "deep_vein_thrombosis" in entry.causes and entry.kinds == ("exercise",)
    ]
    swollen = CALF.diagnose(
        {"age": 45, "sex": "male", "muscle_tenderness": True, "trigger_points": True, "unilateral_calf_swelling": True}
    )
    assert swollen["deep_vein_thrombosis"].probability > 0.05
    for kind in ("massage", "exercise", "stretching", "compression"):
        assert not [entry for entry in swollen.care.helps if kind in entry.kinds]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("varicose_veins", ["massage"]),
        ("deep_vein_thrombosis", ["massage", "compression"]),
        ("superficial_vein_thrombosis", ["massage"]),
        ("acute_limb_ischaemia", ["elevation", "heat", "cold", "massage", "compression", "walking"]),
        ("compartment_syndrome", ["elevation", "heat", "massage", "compression"]),
        ("peripheral_artery_disease", ["compression", "heat"]),
        ("diabetic_angiopathy", ["compression", "heat"]),
        ("chronic_limb_threatening_ischaemia", ["compression", "heat", "elevation"]),
        ("calf_muscle_strain", ["heat", "massage"]),
        ("contusion", ["heat", "massage"]),
        ("calf_haematoma", ["massage", "heat", "compression", "anti_inflammatory"]),
    ],
)
def test_what_harms_most_is_marked(name: str, kinds: list[str]) -> None:
    assert set(kinds) <= set(RECORDS[name].care.harmed_by)


def test_the_general_words_stand_where_more_than_one_is_harmed() -> None:
    kinds = {kind.id: kind for kind in CALF.knowledge.advice.kinds}

    def heat(**likely: float) -> str:
        care = care_advice(NETWORK, EMPTY.evidence, EMPTY.urgency, {**NOTHING, **likely}, NOTHING)
        return next(entry.text for entry in care.avoid if entry.kinds == ("heat",))

    assert heat(calf_muscle_strain=0.9) == "Do not put heat on the leg in the first 72 hours."
    assert heat(calf_muscle_strain=0.9, contusion=0.5) == heat(calf_muscle_strain=0.9)
    assert heat(calf_muscle_strain=0.9, calf_haematoma=0.02) == kinds["heat"].avoid


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


def test_without_probabilities_and_rules_there_is_only_the_action() -> None:
    result = CALF.diagnose({"redness": True}, cost_limit=1e-300)
    assert not result.causes
    care = result.care
    assert care.action == result.urgency.action
    assert care.who == care.helps == care.withheld == care.avoid == care.come_back == ()


SPEAKS_OF = {  # kinds of advice by the words that give them away
    "massage": r"massag|\brub (?!an)|knead|hard rubbing|manual treatment",
    "heat": r"heat on|hot[- ](water|bath|foot)|\bwarm (a leg|it)|or warm shower",
    "cold": r"cold pack|cool or warm|cold[- ](water|dousing)|\bice\b",
    "stretching": r"stretch|pull the toes",
    "compression": r"compression|stocking|wear .*bandage|put on .*bandage",
    "elevation": r"raised leg|leg raised|rais(e|ing) the legs?|legs up",
    "bed_rest": r"in bed",
    "manipulation": r"manipulat",
}
SPEAKS_ONLY = {  # and does not advise it, or warns of part of it
    ("growing_pains", "massage"),
    ("growing_pains", "heat"),
}
CLINICIANS = r"(?i)intravenous|incis|biops|fasciotomy|analges|thromb|ischaem|haemat|prophyla|down to the skin|aspirat"


def words_of(care: Care, field: str) -> list[tuple[str, tuple[str, ...]]]:
    if field == "helps":
        return list(zip(care.helps, care.help_kinds, strict=True))
    return [(text, (kind,) if kind else ()) for text, kind in zip(care.avoid, care.avoid_kinds, strict=True)]


@pytest.mark.parametrize("field", ["helps", "avoid"])
@pytest.mark.parametrize("name", sorted(RECORDS))
def test_advice_names_its_kind(name: str, field: str) -> None:
    for text, kinds in words_of(RECORDS[name].care, field):
        for kind, words in SPEAKS_OF.items():
            if re.search(words, text, re.IGNORECASE) and (name, kind) not in SPEAKS_ONLY:
                assert kind in kinds, text


def test_a_warning_for_some_is_left_out_where_all_are_warned() -> None:
    def massage(**likely: float) -> list[str]:
        care = care_advice(NETWORK, EMPTY.evidence, EMPTY.urgency, {**NOTHING, **likely}, NOTHING)
        return [entry.text for entry in care.avoid if re.search("massage|knead", entry.text)]

    assert massage(overuse=0.9) == ["Do not knead a calf that is swollen on one side."]
    assert massage(overuse=0.9, deep_vein_thrombosis=0.005) == massage(overuse=0.9)
    assert massage(overuse=0.9, deep_vein_thrombosis=0.3) == [RECORDS["deep_vein_thrombosis"].care.avoid[0]]


@pytest.mark.parametrize("care", [pytest.param(r.care, id=r.id) for r in (*EVERY, *shipped("tutorial").causes)])
def test_patients_read_plain_sentences(care: Care) -> None:
    for text in (care.who, *care.helps, *care.avoid, care.come_back):
        assert re.fullmatch(r"[A-Z][^.!?]*\.", text), "one sentence with a capital and a full stop"
        assert len(text) <= 200, "too long to be read in a fright"
        assert not re.search(CLINICIANS, text), "a word or an act of clinicians"
    assert re.match(r"(See|Go|Call|You need to see nobody)\b", care.who)
    assert care.come_back.startswith("Come back at once if ")
    for text in care.avoid:
        assert text.startswith("Do not "), text
    for text in care.helps:
        assert not re.match(r"(Do not|Don't|No|Never|Avoid|Stopping|The|A|An)\b", text), "tell what to do"
        assert not re.match(r"\w+ing\b", text), "tell what to do"
    for text in care.examinations:
        assert re.fullmatch(r"[A-Z].*[^.]", text)


@pytest.mark.parametrize("kind", CALF.knowledge.advice.kinds, ids=lambda kind: kind.id)
def test_kinds_are_warned_of_in_plain_sentences(kind: AdviceKind) -> None:
    assert re.fullmatch(r"Do not [^.!?]*\.", kind.avoid)
    assert kind.not_from or kind.harms_if or any(kind.id in record.care.harmed_by for record in EVERY)


def test_nobody_is_kept_without_food_for_a_remote_chance() -> None:
    """A toddler who limps and a joint that is hot are seen today, not operated on now."""
    for told in (
        {"age": 2, "sex": "male", "limp": True},
        {"age": 70, "sex": "male", "hot_swollen_joint": True, "diabetes": True},
    ):
        result = CALF.diagnose(told)
        assert result.urgency.level < Level.EMERGENCY
        assert not any("fluids" in entry.kinds for entry in result.care.avoid), told
    bent = CALF.diagnose({"age": 40, "sex": "male", "limb_deformity_or_open_fracture": True})
    assert any("fluids" in entry.kinds for entry in bent.care.avoid)


def test_a_rule_alone_brings_no_cause_that_has_nothing_to_do_with_it() -> None:
    result = CALF.diagnose({"age": 50, "sex": "male", "foot_drop": True, "radiating_pain_from_back": True, "back_pain": True})
    assert {reason.id for reason in result.urgency.reasons} >= {"acute_foot_drop"}
    assert result.urgency.model_level is not None
    assert result.urgency.model_level < result.urgency.level
    assert result["deep_vein_thrombosis"].probability < CALF.knowledge.asking.likely
    assert "deep_vein_thrombosis" not in {name for entry in result.care.helps for name in entry.causes}


def test_an_emergency_tells_nothing_of_less_urgent_causes() -> None:
    ill = CALF.diagnose({"age": 9, "sex": "male", "thirst_and_polyuria": True, "abdominal_pain": True, "night_cramps": True})
    assert ill.urgency.level == Level.EMERGENCY
    told = {name for entry in (*ill.care.helps, *ill.care.avoid) for name in entry.causes}
    assert all(RECORDS[name].urgency == Level.EMERGENCY for name in told), told


def test_a_claudicant_may_walk() -> None:
    told = {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "pain_relieved_by_standing_still": True}
    care = CALF.diagnose(told, setting="primary_care").care
    assert any("walking" in entry.kinds for entry in care.helps)


def test_who_takes_a_blood_thinner_and_may_bleed_is_not_told_to_expect_one() -> None:
    care = CALF.diagnose({"age": 76, "anticoagulant_use": True, "calf_enlarging_rapidly": True, "bruising": True}).care
    assert not any("expect a blood thinner" in entry.text.lower() for entry in care.helps)
