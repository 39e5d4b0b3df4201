"""What is said in few words of a result."""

from pathlib import Path

from calfbayes import Outcome, load_model
from calfbayes.presentation.facts import headline, setting_label

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


def test_a_level_is_told_with_how_far_it_may_be_relied_on() -> None:
    is_open = CAR.diagnose({"lights_dim": True})
    assert is_open.outcome == Outcome.INSUFFICIENT
    assert headline(is_open) == is_open.headline == f"{is_open.urgency.label} (insufficient: {is_open.outcome_reason})"
    assessed = CAR.diagnose({"smoke": True})
    assert headline(assessed) == f"{assessed.urgency.label} (assessed)"
    outside = load_model("tutorial").diagnose({"age": 8, "redness": True})
    assert headline(outside) == f"{outside.urgency.label} (outside scope: {outside.outcome_reason})"


def test_a_setting_that_was_not_given_is_told_as_assumed() -> None:
    first, second = CAR.settings
    assert setting_label(CAR.evidence({}, setting=second.id)) == second.label
    assert CAR.knowledge.default_setting == first.id
    assert setting_label(CAR.evidence({})) == f"{first.label} (assumed, none was given)"
