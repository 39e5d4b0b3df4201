"""What differs between two results is what two diagnoses say."""

from dataclasses import replace

import pytest

from calfbayes import ArgumentError, Level, UnknownNameError, compare
from support.models import shipped

PATIENT = {"age": 67, "smoking": True, "pain_on_walking": True, "redness": False}
CAUSE = "peripheral_artery_disease"


def test_what_if_says_what_a_new_diagnosis_says() -> None:
    model = shipped("tutorial")
    result = model.diagnose(PATIENT, setting="community")
    changed = result.what_if({"age": 30}, shortness_of_breath=True, remove=["redness"])
    again = model.diagnose(
        {"age": 30, "smoking": True, "pain_on_walking": True, "shortness_of_breath": True}, setting="community"
    )
    assert changed.after == again
    assert [(a.id, a.before, a.after) for a in changed.answers] == [
        ("age", 67, 30),
        ("redness", False, None),
        ("shortness_of_breath", None, True),
    ]
    assert changed[CAUSE].before == result[CAUSE].probability
    assert changed[CAUSE].after == again[CAUSE].probability
    assert changed.levels == (result.urgency.level, Level.EMERGENCY)
    assert changed.reasons_gained
    assert {reason.origin for reason in changed.reasons_gained} >= {"rule"}
    assert [abs(c.difference) for c in changed.causes] == sorted((abs(c.difference) for c in changed.causes), reverse=True)


def test_differences_of_the_ledger_add_up() -> None:
    result = shipped("tutorial").diagnose(PATIENT)
    changed = result.what_if(cold_feet=True, remove=["age"])
    moved = {change.id: change.difference for change in changed.ledger(CAUSE)}
    before, after = result.explain(CAUSE), changed.after.explain(CAUSE)
    assert moved["share"] == 0.0
    assert sum(moved.values()) == pytest.approx(after.posterior_decibans - before.posterior_decibans, abs=1e-9)
    assert moved["age"] == -before["age"].decibans
    assert moved["cold_feet"] == after["cold_feet"].decibans


def test_settings_and_models_are_compared() -> None:
    model = shipped("tutorial")
    here = model.diagnose(PATIENT)
    there = here.what_if(setting="emergency")
    assert there.settings == ("primary_care", "emergency")
    share = {change.id: change for change in there.ledger(CAUSE)}["share"]
    assert share.difference != 0.0
    other = model.with_weights("primary_care", {CAUSE: 2.0}).diagnose(PATIENT)
    versions = compare(here, other)
    assert versions.models == (model.digest, other.model.digest)
    assert versions.answers == ()
    assert versions[CAUSE].difference > 0.0
    assert versions.to_dict()["causes"][0]["id"] == versions.causes[0].id


def test_a_cause_that_one_model_does_not_know_has_no_probability_there() -> None:
    small = shipped("tutorial").diagnose({"age": 67})
    large = shipped("calf").diagnose({"age": 67})
    changed = compare(small, large)
    assert changed["ruptured_bakers_cyst"].before is None
    assert changed["ruptured_bakers_cyst"].after == large["ruptured_bakers_cyst"].probability


def test_a_change_that_leaves_the_scope_is_told() -> None:
    model = shipped("calf")
    comparison = model.diagnose({"age": 58, "unilateral_calf_swelling": True}).what_if(calf_pain=False)
    assert [str(outcome) for outcome in comparison.outcomes] == ["insufficient", "outside_scope"]
    assert comparison.to_dict()["outcomes"] == ["insufficient", "outside_scope"]
    assert comparison.levels[0] != comparison.levels[1]
    before = f"{comparison.before.urgency.label} (insufficient)"
    assert comparison.sentences[0] == f"Urgency: {before}, then {comparison.after.headline}."
    assert comparison.after.outcome_reason in comparison.after.headline
    assert not any(sentence.startswith("How far") for sentence in comparison.sentences)  # which the headlines tell
    routine = model.diagnose({"age": 30, "sudden_onset": True, "onset_after_exertion": True}).what_if(calf_pain=False)
    assert routine.levels[0] == routine.levels[1]
    reason = routine.after.outcome_reason
    assert routine.sentences[0] == f"How far it may be relied on: insufficient, then outside the scope: {reason}."


def test_an_own_policy_is_kept() -> None:
    model = shipped("tutorial")
    result = model.diagnose(PATIENT, policy=replace(model.urgency_policy, rules=()), allow_laxer_policy=True)
    changed = result.what_if(shortness_of_breath=True)
    assert changed.after.urgency.policy == result.urgency.policy
    assert changed.after.urgency.level < model.diagnose({**PATIENT, "shortness_of_breath": True}).urgency.level


def test_wrong_arguments_are_named() -> None:
    result = shipped("tutorial").diagnose(PATIENT)
    with pytest.raises(ArgumentError, match="a list of ids"):
        result.what_if(remove="age")
    with pytest.raises(UnknownNameError, match=r"^item 'cold_feet' is not in this evidence; "):
        result.what_if(remove=["cold_feet"])
    with pytest.raises(ArgumentError, match="a mapping"):
        result.what_if(["age"])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"a result of model\.diagnose"):
        compare(result, PATIENT)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        result.what_if(redness=True)["no_such_cause"]


def test_a_setting_is_told_by_its_label() -> None:
    there = shipped("tutorial").diagnose(PATIENT, setting="primary_care").what_if(setting="emergency")
    labels = {setting.id: setting.label for setting in shipped("tutorial").knowledge.settings}
    told = f"Setting: {labels['primary_care']} -> {labels['emergency']}"
    assert told in repr(there)
    assert "primary_care" not in there._repr_html_()


def test_a_result_without_probabilities_is_not_told_as_one_in_which_nothing_changed() -> None:
    model = shipped("tutorial")
    refused, answered = model.diagnose(PATIENT, cost_limit=1), model.diagnose(PATIENT)
    assert not refused.causes
    for before, after, when in ((refused, answered, "Before"), (answered, refused, "After")):
        text = " ".join(repr(compare(before, after)).split())
        assert f"{when}, there are no probabilities: {' '.join(refused.outcome_reason.split())}" in text
        assert "nothing of note" not in text
        assert f"{when}, there are no probabilities" in compare(before, after)._repr_html_()
    assert "no probabilities" not in repr(compare(answered, answered))


def test_causes_that_only_one_model_knows_are_named() -> None:
    small, large = (shipped(name).diagnose({"age": 67}) for name in ("tutorial", "calf"))
    only = {entry.id for entry in (*large.causes, *large.complications)} - {entry.id for entry in small.causes}
    text = " ".join(repr(compare(small, large)).split())
    unknown = [change.label for change in compare(small, large).causes if change.before is None]
    assert len(unknown) == len(only)
    assert f"Only the second model knows {', '.join(unknown[:3])} and {len(only) - 3} more" in text
    assert "Only the first" not in text
