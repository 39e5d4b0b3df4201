"""Care while a red-flag rule holds: it is about what the rule is about, and nobody in danger is told to wait."""

from collections.abc import Mapping

import pytest

from calfbayes import Diagnosis, Level, Model
from calfbayes.diagnosis.rules import minimal_sets
from calfbayes.knowledge.terms import Atom, Cause, Complication, Rule
from calfbayes.presentation.facts import because
from calfbayes.presentation.text import diagnosis_text
from calfbayes.testing.editing import edited
from support.models import SHIPPED, shipped

TUTORIAL = shipped("tutorial")
BLOCKED = {"sudden_onset": True, "cold_feet": True}
BREATHLESS = {"shortness_of_breath": True}
CLOT, STRAINED, ARTERIES, BACK = (
    "deep_vein_thrombosis",
    "overuse",
    "peripheral_artery_disease",
    "lumbosacral_radiculopathy",
)
NO_PROBABILITIES = 1e-300
KIND = {"label": "Raising the leg", "avoid": "Do not raise the leg."}
RAISED = [{"text": "Raise the leg.", "kinds": ["elevation"]}]


def changed(rules: Mapping[str, object], more: Mapping[str, object] | None = None) -> Model:
    """The tutorial model with keys of rules, a kind of advice about raising the leg, and more."""
    given = {f"urgency.rules.{place}": value for place, value in rules.items()}
    return edited(TUTORIAL, {"advice.kinds.elevation": KIND, **given, **(more or {})})


def texts(result: Diagnosis, key: str) -> list[str]:
    return [entry.text for entry in getattr(result.care, key)]


def urgent_rules() -> list[tuple[str, str]]:
    return [(name, r.id) for name in SHIPPED for r in shipped(name).urgency_policy.rules if r.level >= Level.SAME_DAY]


def on_one_set(model: Model, rule: Rule) -> Diagnosis:
    """A patient of whom no more is known than makes the rule hold."""
    sets = minimal_sets(rule.condition)
    assert sets
    shortest = min(sets, key=lambda one: (len(one), sorted(map(str, one))))
    return model.diagnose({atom.id: _value(atom) for atom in shortest})


def _value(atom: Atom) -> object:
    return True if atom.state == "present" else atom.state


@pytest.mark.parametrize(("name", "rule_id"), urgent_rules())
def test_a_rule_that_holds_is_what_the_advice_is_about(name: str, rule_id: str) -> None:
    model = shipped(name)
    rule = next(rule for rule in model.urgency_policy.rules if rule.id == rule_id)
    result = on_one_set(model, rule)
    care = result.care
    every: list[Cause | Complication] = [*model.knowledge.causes, *model.knowledge.complications]
    records = {record.id: record for record in every}
    for entry in care.who:  # nobody is sent to two places
        assert entry.text == care.action or all(records[c].urgency == result.urgency.level for c in entry.causes)
    barred = {k.id for k in model.knowledge.advice.kinds if k.not_from is not None and result.urgency.level >= k.not_from}
    assert not [entry for entry in care.helps if barred & set(entry.kinds) and not entry.rules]  # first help is never too late
    assert care.who or not rule.suspects
    assert set(rule.suspects) <= {name for entry in care.come_back for name in entry.causes}
    assert set(rule.first_help) <= set(texts(result, "helps"))
    if rule.level == Level.EMERGENCY:
        assert rule.suspects or rule.first_help


def test_what_a_rule_suspects_comes_first_however_improbable() -> None:
    result = changed({"sudden_loss_of_blood_supply.suspects": [ARTERIES, CLOT]}).diagnose({**BLOCKED, "age": 30})
    assert result.urgency.level == Level.EMERGENCY
    assert result.causes[0].id not in {ARTERIES, CLOT}
    care = result.care
    for entries in (care.examinations, care.come_back):
        assert [entry.causes[0] for entry in entries][:1] == [ARTERIES]
        assert result.causes[0].id in {name for entry in entries for name in entry.causes}
    assert care.helps[0].rules == ("sudden_loss_of_blood_supply",)
    assert care.helps[1].causes == (ARTERIES,)


def test_what_harms_a_suspect_is_withheld() -> None:
    more = {
        f"causes.{CLOT}.care.harmed_by": ["elevation"],
        f"causes.{STRAINED}.care.helps": RAISED,
        "advice.possible_above.by_urgency.same_day": 0.9,
    }
    model = changed({}, more)
    sore = {"onset_after_exertion": True, "muscle_tenderness": True, "radiating_pain_from_back": False}
    calm, alarmed = model.diagnose(sore), model.diagnose({**sore, **BREATHLESS})
    assert "Raise the leg." in texts(calm, "helps")
    assert "Raise the leg." not in texts(alarmed, "helps")
    assert [entry.causes for entry in alarmed.care.withheld] == [(CLOT,)]
    assert KIND["avoid"] in texts(alarmed, "avoid")


def test_without_probabilities_the_suspects_lead_alone() -> None:
    model = changed({"leg_pain_with_chest_signs.first_help": ["Sit up."]}, {f"causes.{CLOT}.care.helps": RAISED})
    result = model.diagnose(BREATHLESS, cost_limit=NO_PROBABILITIES)
    assert not result.causes
    assert result.care.come_back[0].causes == (CLOT,)
    assert texts(result, "helps") == ["Sit up.", "Raise the leg."]
    assert texts(result, "who") == [result.urgency.action], "the clot's own words are for less urgent ones"


def test_without_probabilities_everything_is_possible() -> None:
    more = {f"causes.{CLOT}.care.helps": RAISED, f"causes.{ARTERIES}.care.harmed_by": ["elevation"]}
    result = changed({}, more).diagnose(BREATHLESS, cost_limit=NO_PROBABILITIES)
    assert texts(result, "helps") == []
    assert [entry.causes for entry in result.care.withheld] == [(ARTERIES,)]


def test_first_help_comes_first_is_never_withheld_and_nothing_warns_of_it() -> None:
    own = "Do not raise the leg to ease pain at rest."
    more = {
        f"causes.{ARTERIES}.care.harmed_by": ["elevation"],
        f"causes.{ARTERIES}.care.avoid": [{"text": own, "kind": "elevation"}],
    }
    rules = {"sudden_loss_of_blood_supply.suspects": [ARTERIES]}
    forbidden = changed(rules, more).diagnose(BLOCKED)
    assert own in texts(forbidden, "avoid")
    both = changed({**rules, "leg_pain_with_chest_signs.first_help": RAISED}, more).diagnose({**BLOCKED, **BREATHLESS})
    assert "Raise the leg." in texts(both, "helps")[:2]
    assert not [entry for entry in (*both.care.avoid, *both.care.withheld) if "elevation" in entry.kinds]
    assert own not in texts(both, "avoid")


def test_first_help_of_a_less_urgent_rule_gives_way_to_what_it_harms() -> None:
    more = {f"causes.{CLOT}.care.harmed_by": ["elevation"]}
    result = changed({"sciatica_with_a_weak_leg.first_help": RAISED}, more).diagnose(
        {**BREATHLESS, "radiating_pain_from_back": True, "leg_weakness": True}
    )
    assert [(entry.text, entry.causes) for entry in result.care.withheld] == [("Raise the leg.", (CLOT,))]


def test_a_rule_warns_first_and_of_what_it_warns_none_is_advised() -> None:
    rules = {"sudden_loss_of_blood_supply.avoid": [{"text": "Keep the leg down.", "kind": "elevation"}]}
    result = changed(rules, {f"causes.{BACK}.care.helps": RAISED, f"causes.{CLOT}.care.harmed_by": ["elevation"]}).diagnose(
        {**BLOCKED, "radiating_pain_from_back": True}
    )
    assert BACK in {name for entry in result.care.come_back for name in entry.causes}
    assert texts(result, "avoid")[0] == "Keep the leg down."
    assert KIND["avoid"] not in texts(result, "avoid")
    assert "Raise the leg." not in texts(result, "helps")
    assert result.care.withheld[0].rules == ("sudden_loss_of_blood_supply",)
    assert "- Keep the leg down" in diagnosis_text(result, care=True)


@pytest.mark.parametrize("level", ["self_care", "routine", "within_days"])
def test_nobody_is_told_to_wait_from_a_level_on(level: str) -> None:
    told = changed({}, {"advice.kinds.waiting.not_from": level}).diagnose(
        {"radiating_pain_from_back": True, "leg_weakness": True}
    )
    assert told.urgency.level == Level.WITHIN_DAYS
    assert not [entry for entry in (*told.care.helps, *told.care.withheld) if "waiting" in entry.kinds]
    patient = changed({}, {"advice.kinds.waiting.not_from": "same_day"}).diagnose(
        {"radiating_pain_from_back": True, "leg_weakness": True}
    )
    assert [entry.causes for entry in patient.care.helps if "waiting" in entry.kinds] == [(BACK,)]


def test_a_kind_of_advice_may_harm_by_what_is_known_of_the_patient() -> None:
    kind = {**KIND, "harms_if": {"any": ["smoking", {"all": ["recent_surgery", "sex=male"]}]}}
    model = changed({}, {"advice.kinds.elevation": kind, f"causes.{STRAINED}.care.helps": RAISED})
    sore = {"onset_after_exertion": True, "muscle_tenderness": True}
    for told in ({}, {"smoking": False}, {"smoking": None}, {"recent_surgery": True, "sex": "female"}):
        assert "Raise the leg." in texts(model.diagnose({**sore, **told}), "helps")
    male = {"recent_surgery": True, "sex": "male"}
    for told, states in (({"smoking": True}, ("smoking",)), (male, ("recent_surgery", "sex=male"))):
        result = model.diagnose({**sore, **told})
        assert "Raise the leg." not in texts(result, "helps")
        assert [(entry.causes, entry.states) for entry in result.care.withheld] == [((), states)]
        assert [entry.states for entry in result.care.avoid if entry.text == KIND["avoid"]] == [states]
        said = ", ".join(because(result.evidence, states))
        assert f"Raise the leg (because of {said})" in diagnosis_text(result, care=True)
        assert f"Raise the leg<small> (because of {said})" in result._repr_html_()


def test_what_harms_by_a_risk_factor_is_warned_of_even_where_nothing_tempts() -> None:
    kind = {**KIND, "harms_if": "smoking"}
    result = changed({}, {"advice.kinds.elevation": kind}).diagnose({"smoking": True})
    assert KIND["avoid"] in texts(result, "avoid")


def test_who_has_to_go_now_is_not_told_of_cramps() -> None:
    """From the level on that the file names, causes below it give no advice while a rule says what it suspects."""
    calf = shipped("calf")
    alone_from = calf.knowledge.asking.suspects_alone_from
    assert alone_from == Level.EMERGENCY
    conditions: list[Cause | Complication] = [*calf.knowledge.causes, *calf.knowledge.complications]
    level = {condition.id: condition.urgency for condition in conditions}
    for evidence, suspect in (({"saddle_anaesthesia": True}, "cauda_equina_syndrome"), ({"sepsis_signs": True}, "sepsis")):
        care = calf.diagnose(evidence).care
        named = {name for entry in (*care.helps, *care.examinations) for name in entry.causes}
        assert suspect in named
        assert {name for name in named if level[name] < alone_from} == set()
