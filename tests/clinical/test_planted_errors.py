"""Errors planted in a copy of the calf model: each is caught, by a message from which a clinician would find it.

Errors of the kind that people make: a slip of the decimal point, a ratio upside down, two lines exchanged, a rule lost.
The model as it is keeps to every one of these constraints, so it is the error that is noticed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from calfbayes import Model, ModelFileError
from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import find_constraints, read_constraints
from calfbayes.constraints.terms import Constraint, Verdict
from calfbayes.testing.editing import REMOVED, edited, number_at, value_at, with_number
from calfbayes.testing.why import explanation
from support.models import shipped

CALF = shipped("calf")
DVT = "causes.deep_vein_thrombosis"
PAD = "causes.peripheral_artery_disease"


@dataclass(frozen=True)
class Planted:
    """An error, the constraint that notices it, words of its message that lead there, and of the line that
    names the place, where the message does not."""

    plant: Callable[[], Model]
    noticed_by: str
    words: tuple[str, ...]
    explained: str = ""


def slipped(place: str, factor: float) -> Callable[[], Model]:
    """A number off by a factor."""
    return lambda: with_number(CALF, place, min(number_at(CALF, place) * factor, 0.99))


def inverted(place: str) -> Callable[[], Model]:
    """An odds ratio upside down: what raises a risk lowers it."""
    return lambda: with_number(CALF, place, 1 / number_at(CALF, place))


def changed(changes: Mapping[str, Any]) -> Callable[[], Model]:
    return lambda: edited(CALF, changes)


def exchanged(first: str, second: str) -> Callable[[], Model]:
    """Two lines exchanged."""
    return lambda: edited(CALF, {first: value_at(CALF, second), second: value_at(CALF, first)})


FLESH = value_at(CALF, "urgency.rules.flesh_destroying_infection.when")["any"]

PLANTED = {
    "a link swapped to another mechanism": Planted(
        changed(
            {
                f"{DVT}.links.local_inflammation": value_at(CALF, f"{DVT}.links.local_swelling"),
                f"{DVT}.links.local_swelling": REMOVED,
            }
        ),
        "new_one_sided_swelling",
        ("primary_care, unilateral_calf_swelling", "deep_vein_thrombosis", "wanted 0.08 to 0.25"),
        "no link leads from deep_vein_thrombosis to unilateral_calf_swelling",
    ),
    "a background ten times too high": Planted(
        slipped("findings.palpable_tender_cord.leak", 10),
        "tender_cord_does_not_clear_a_clot",
        ("palpable_tender_cord: the probability of deep_vein_thrombosis is 0.0", "wanted 0.1 to 0.3"),
        "findings.palpable_tender_cord.leak is 0.06",
    ),
    "a red flag lost from a rule": Planted(
        changed({"urgency.rules.leg_pain_with_chest_signs.when": {"any": ["shortness_of_breath", "chest_pain", "syncope"]}}),
        "rule_leg_pain_with_chest_signs",
        ("rule leg_pain_with_chest_signs", "does not hold with coughing_blood"),
    ),
    "a red flag that asks for too little": Planted(
        changed({"urgency.rules.cauda_equina.level": "within_days"}),
        "rule_cauda_equina",
        ("rule cauda_equina asks for within_days", "wanted at least emergency"),
    ),
    "a rule that lost a condition": Planted(
        changed({"urgency.rules.flesh_destroying_infection.when": {"any": [*FLESH[:2], FLESH[2]["all"][1], *FLESH[3:]]}}),
        "rule_flesh_destroying_infection",
        ("rule flesh_destroying_infection", "holds even with", "numbness without rapidly_spreading_redness"),
    ),
    "an odds ratio upside down": Planted(
        inverted(f"{DVT}.odds.active_cancer.present"),
        "one_sided_swelling_with_cancer",
        ("unilateral_calf_swelling, active_cancer", "deep_vein_thrombosis", "wanted at least 0.2"),
        f"{DVT}.odds.active_cancer.present is 0.25",
    ),
    "two findings exchanged": Planted(
        exchanged("findings.pain_relieved_by_standing_still.leak", "findings.pain_relieved_by_rest.leak"),
        "relief_by_standing_still",
        ("pain_relieved_by_standing_still has probability", "lumbar_spinal_stenosis", "wanted 6 to 30"),
        "findings.pain_relieved_by_standing_still.leak is 0.22",
    ),
    "a weight with its decimal point moved": Planted(
        slipped(f"{DVT}.weight.primary_care", 10),
        "no_swelling_and_no_clot_risk",
        ("no unilateral_calf_swelling", "deep_vein_thrombosis", "wanted at most 0.02"),
        f"{DVT}.weight.primary_care is 0.35",
    ),
    "a definition forgotten": Planted(
        changed({"causes.statin_myopathy.odds.statin_use": REMOVED}),
        "no_statin_no_statin_myopathy",
        ("no statin_use", "statin_myopathy", "wanted at most 0"),
        "no odds ratio of statin_myopathy speaks of statin_use",
    ),
    "a sensitivity entered as its complement": Planted(
        lambda: with_number(
            CALF, f"{PAD}.links.ankle_brachial_index_low", 1 - number_at(CALF, f"{PAD}.links.ankle_brachial_index_low")
        ),
        "low_ankle_brachial_index",
        ("ankle_brachial_index_low takes peripheral_artery_disease", "wanted 0.5 to 0.8"),
        f"{PAD}.links.ankle_brachial_index_low is 0.29",
    ),
    "a harmless cause made an emergency": Planted(
        changed({"causes.overuse.urgency": "emergency"}),
        "sore_after_exertion_needs_nobody",
        ("onset_after_exertion", "the level is emergency", "wanted self_care"),
        "overuse (0.95) needs emergency",
    ),
}


@cache
def constraints() -> Mapping[str, Constraint]:
    file = read_constraints(CALF._solved.network, find_constraints("calf"))
    return {constraint.id: constraint for constraint in file.constraints}


@cache
def judged_as_it_is(constraint: str) -> Verdict:
    return Judge(CALF._solved).verdict(constraints()[constraint])


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_noticed(error: str) -> None:
    planted = PLANTED[error]
    assert judged_as_it_is(planted.noticed_by).holds
    model, constraint = planted.plant(), constraints()[planted.noticed_by]
    verdict = Judge(model._solved).verdict(constraint)
    assert not verdict.holds, verdict.text
    assert all(word in verdict.text for word in planted.words), verdict.text
    explained = (line for most in (1, 3) for line in explanation(model, constraint, verdict, most=most))  # mostly the first
    assert any(planted.explained in line for line in explained) or not planted.explained


def test_a_rule_that_is_gone_is_missed() -> None:
    with pytest.raises(ModelFileError, match="cauda_equina is no rule"):
        edited(CALF, {"urgency.rules.cauda_equina": REMOVED})
    heading = "asking.safety_net.kinds.nerves.rules"
    left = [rule for rule in value_at(CALF, heading) if rule != "cauda_equina"]
    gone = edited(CALF, {"urgency.rules.cauda_equina": REMOVED, heading: left})
    with pytest.raises(ModelFileError, match="'cauda_equina' is no red-flag rule"):
        read_constraints(gone._solved.network, find_constraints("calf"))


def test_there_are_at_least_ten() -> None:
    assert len(PLANTED) >= 10
