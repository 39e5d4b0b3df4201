"""What is said in few words of a result."""

from pathlib import Path

from calfbayes import Outcome, load_model
from calfbayes.presentation.facts import headline, outcome_words, setting_label
from support.models import model_of, shipped

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


def test_a_level_is_told_with_how_far_it_may_be_relied_on() -> None:
    is_open = CAR.diagnose({"lights_dim": True})
    assert is_open.outcome == Outcome.INSUFFICIENT
    assert headline(is_open) == is_open.headline == f"{is_open.urgency.label} (insufficient: {is_open.outcome_reason})"
    assessed = CAR.diagnose({"smoke": True})
    assert headline(assessed) == f"{assessed.urgency.label} (assessed)"
    outside = load_model("tutorial").diagnose({"age": 8, "redness": True})
    assert headline(outside) == f"{outside.urgency.label} (outside the scope: {outside.outcome_reason})"


def test_an_outcome_is_told_in_the_words_of_the_model() -> None:
    """Those of its `explanation.toml`, or plain ones."""
    content = {**shipped("tutorial")._content}
    sentences = {**content["explanation"]["sentences"], "outside_scope": "not one of ours"}
    own = model_of({**content, "explanation": {**content["explanation"], "sentences": sentences}})
    plain = model_of({key: part for key, part in content.items() if key != "explanation"})
    for model, words in ((own, "not one of ours"), (plain, "outside scope")):
        result = model.diagnose({"age": 8, "redness": True})
        assert outcome_words(result, " - ") == f"{words} - {result.outcome_reason}"
        assert f"Outcome: {words} - " in repr(result)


def test_a_setting_that_was_not_given_is_told_as_assumed() -> None:
    first, second = CAR.settings
    assert setting_label(CAR.evidence({}, setting=second.id)) == second.label
    assert CAR.knowledge.default_setting == first.id
    assert setting_label(CAR.evidence({})) == f"{first.label} (assumed, none was given)"
