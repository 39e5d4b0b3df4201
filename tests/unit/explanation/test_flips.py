"""What would flip the flag is held against diagnoses with these answers."""

import json

import pytest

from calfbayes import ArgumentError
from support.models import shipped

TUTORIAL = shipped("tutorial")
TOLD = {"age": 60, "sex": "female", "unilateral_calf_swelling": True}


def test_answers_do_what_they_are_said_to() -> None:
    """With doubt as it is now."""
    result = TUTORIAL.diagnose(TOLD)
    found = result.flips("clinician")
    assert found.raising
    for flip in (*found.raising, *found.lowering):
        assert not flip.rule  # this model has no safety net
        answers = {name: state == "present" if state in {"present", "absent"} else state for name, state in flip.answers}
        then = TUTORIAL.diagnose({**TOLD, **answers}).urgency
        assert result.urgency.level_of(then.level_probabilities, then.rules_level) == flip.level != result.urgency.level
    assert all(flip.level > result.urgency.level for flip in found.raising)
    assert all(flip.level < result.urgency.level for flip in found.lowering)
    assert found.numbers
    assert {margin.changes for margin in found.numbers} == {"urgency"}
    assert json.loads(json.dumps(found.to_dict()))["numbers"]


def test_without_probabilities_only_the_rules_can_flip_it() -> None:
    found = TUTORIAL.diagnose({"age": 60}, cost_limit=1e-300).flips()
    assert found.numbers == ()
    assert found.lowering == ()
    assert all(flip.rule for flip in found.raising)


def test_the_sets_of_the_safety_net_raise_the_level() -> None:
    model = shipped("calf")
    result = model.diagnose({"age": 60}, cost_limit=1e-300)
    found = result.flips().raising
    assert {flip.rule for flip in found} == {watch.rule for group in result.care.come_back_if for watch in group.any_of}
    for flip in found[:20]:
        then = model.diagnose({"age": 60, **{name: True for name, _ in flip.answers}}, cost_limit=1e-300).urgency
        assert flip.rule in {reason.id for reason in then.reasons}
        assert then.level >= flip.level > result.urgency.level


def test_nobody_else_can_be_asked() -> None:
    with pytest.raises(ArgumentError, match="who"):
        TUTORIAL.diagnose({}).flips("nobody")  # type: ignore[arg-type]
