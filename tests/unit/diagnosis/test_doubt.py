"""Doubt about the numbers counts as danger: the bound, what it changes, and what is said when it is too dear."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import ContradictionError, Level, UrgencyPolicy
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Caution
from support.models import shipped
from support.policies import N, policies, stricter_policies

CALF, TUTORIAL = shipped("calf"), shipped("tutorial")
BASE = CALF.urgency_policy
SAME_DAY = Level.SAME_DAY.severity

likely = st.lists(st.integers(0, 64), min_size=N, max_size=N).filter(any).map(lambda w: tuple(x / sum(w) for x in w))
doubts = st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.2, 4.0]), min_size=N - 1, max_size=N - 1)


def least_of(policy: UrgencyPolicy, probabilities: tuple[float, ...], deviations: list[float]) -> Level:
    """The highest of the levels that are best up to rounding."""
    losses = policy.expected_losses(policy.cautious(probabilities, deviations))
    return max(level for level in Level if losses[level.severity] <= min(losses) + 1e-9 * max(map(max, policy.loss)))


def test_the_bound_worked_out_by_hand() -> None:
    policy = replace(BASE, caution=Caution(Level.SAME_DAY, 2.0, 0.0))
    counted = policy.cautious((0.1, 0.2, 0.4, 0.2, 0.1), [9.0, 9.0, 0.25, 0.5])
    odds_same_day, odds_emergency = 0.3 / 0.7 * exp(0.5), 0.1 / 0.9 * exp(1.0)
    same_day, emergency = odds_same_day / (1 + odds_same_day), odds_emergency / (1 + odds_emergency)
    assert counted == pytest.approx((0.1, 0.2, 0.7 - same_day, same_day - emergency, emergency), abs=1e-12)


def test_what_is_impossible_or_certain_stays_so_and_what_needs_more_needs_as_much() -> None:
    policy = replace(BASE, caution=Caution(Level.SAME_DAY, 1.645, 0.0))
    assert policy.cautious((0.5, 0.5), [1.0, float("inf"), float("inf"), float("inf")]) == (0.5, 0.5, 0.0, 0.0, 0.0)
    assert policy.cautious((0.0, 0.0, 0.0, 0.0, 1.0), [float("inf")] * 4) == (0.0, 0.0, 0.0, 0.0, 1.0)
    raised = policy.cautious((0.6, 0.1, 0.1, 0.1, 0.1), [0.0, 0.0, 0.0, 3.0])  # the bound of emergencies passes the others
    at_least = np.cumsum(raised[::-1])[::-1]
    assert log(at_least[4] / (1 - at_least[4])) == pytest.approx(log(0.1 / 0.9) + 3 * 1.645)
    assert at_least[1:] == pytest.approx([at_least[4]] * 4)
    assert min(raised) >= 0.0


@given(policy=policies(BASE), probabilities=likely, deviations=doubts, data=st.data())
def test_more_doubt_or_more_danger_never_lowers_the_level(
    policy: UrgencyPolicy, probabilities: tuple[float, ...], deviations: list[float], data: st.DataObject
) -> None:
    level = policy.least_loss(policy.cautious(probabilities, deviations))
    wider = [deviation + data.draw(st.sampled_from([0.0, 0.3, 2.0])) for deviation in deviations]
    assert least_of(policy, probabilities, wider) >= level
    low, high = sorted(data.draw(st.lists(st.integers(0, N - 1), min_size=2, max_size=2, unique=True)))
    more = list(probabilities)
    more[low], more[high] = 0.0, more[high] + more[low]
    assert least_of(policy, tuple(more), deviations) >= level


@given(data=st.data(), probabilities=likely, deviations=doubts)
def test_a_stricter_policy_never_lowers_the_level(
    data: st.DataObject, probabilities: tuple[float, ...], deviations: list[float]
) -> None:
    base = data.draw(policies(BASE))
    stricter = data.draw(stricter_policies(base))
    assert least_of(stricter, probabilities, deviations) >= base.least_loss(base.cautious(probabilities, deviations))


@pytest.mark.parametrize(
    "caution",
    [
        None,
        Caution(Level.EMERGENCY, 1.645, 0.8),
        Caution(Level.SAME_DAY, 1.0, 0.8),
        Caution(Level.SAME_DAY, 1.645, 0.5),
    ],
)
def test_a_policy_that_counts_less_doubt_is_laxer(caution: Caution | None) -> None:
    assert not replace(BASE, caution=caution).is_as_strict_as(BASE)
    assert BASE.is_as_strict_as(replace(BASE, caution=caution))


def test_the_result_says_what_doubt_changed() -> None:
    """The level without doubt is that of a policy that does not count it; where much doubt counts, some answers hang on it."""
    anxious, frank = replace(BASE, caution=Caution(Level.SAME_DAY, 6.0, 1.0)), replace(BASE, caution=None)
    fragile = 0
    for told in ({}, {"age": 85, "night_cramps": True}, {"redness": True, "age": 60}):
        for setting in ("community", "primary_care", "emergency"):
            urgency = CALF.diagnose(told, setting=setting, policy=anxious).urgency
            without = CALF.diagnose(told, setting=setting, policy=frank, allow_laxer_policy=True).urgency
            assert urgency.doubt is not None
            assert without.doubt is None
            assert urgency.doubt.level_without == without.level <= urgency.level
            assert urgency.is_fragile == (without.level != urgency.level)
            assert urgency.level == urgency.level_of(urgency.level_probabilities)
            assert urgency.doubt.probabilities == pytest.approx(
                anxious.cautious(urgency.level_probabilities, urgency.doubt.deviations), abs=1e-15
            )
            fragile += urgency.is_fragile
            told_so = any("Without that doubt" in reason.text for reason in urgency.reasons)
            assert told_so == (without.model_level != urgency.model_level)
            assert urgency.to_dict()["is_fragile"] == urgency.is_fragile
    assert fragile


def test_an_emergency_by_a_rule_needs_no_numbers() -> None:
    urgency = CALF.diagnose({"shortness_of_breath": True}).urgency
    assert urgency.rules_level == urgency.level == Level.EMERGENCY
    assert (urgency.doubt, urgency.doubt_refused, urgency.is_fragile) == (None, "", False)


def test_where_doubt_is_too_dear_it_counts_as_large_and_the_result_says_so() -> None:
    """Slopes need all lanes of the labels, so there is a limit that lets the probabilities pass and not their doubt."""
    told = {"night_cramps": True, "age": 50}
    limits = 10.0 ** np.linspace(1, 8, 60)
    results = [CALF.diagnose(told, cost_limit=float(limit)) for limit in limits]
    refused = [result for result in results if result.causes and result.urgency.doubt_refused]
    assert refused
    for result in refused:
        assert "operations" in result.urgency.doubt_refused
        assert any(CALF.knowledge.urgency.said("no_doubt") in reason.text for reason in result.urgency.reasons)
        assert result.urgency.doubt is not None
        assert BASE.caution is not None
        assert set(result.urgency.doubt.deviations) == {BASE.caution.if_too_dear}
    assert results[-1].urgency.doubt is not None
    assert results[-1].urgency.doubt_refused == ""


def limit_for_doubt(told: dict[str, object]) -> float:
    """About the least cost limit that lets the probabilities pass; their doubt costs more."""
    too_low, enough = 1.0, 1e8
    while enough / too_low > 1.001:
        middle = (too_low * enough) ** 0.5
        too_low, enough = (too_low, middle) if CALF.diagnose(told, cost_limit=middle).causes else (middle, enough)
    assert CALF.diagnose(told, cost_limit=enough).urgency.doubt_refused
    return enough


@pytest.mark.parametrize(
    "told",
    [{"night_cramps": True}, {"redness": True, "age": 60}, {"cold_feet": True, "age": 70}, {"subjective_leg_swelling": True}],
)
def test_doubt_that_is_too_dear_never_lowers_the_level(told: dict[str, object]) -> None:
    limit = limit_for_doubt(told)
    levels = [
        CALF.diagnose(told, policy=policy, allow_laxer_policy=True, cost_limit=limit).urgency.level
        for policy in (
            replace(BASE, caution=None),
            *(replace(BASE, caution=Caution(Level.SAME_DAY, 1.645, if_too_dear)) for if_too_dear in (0.0, 0.3, 1.0, 3.0)),
        )
    ]
    assert levels[0] == levels[1]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1]


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({"shortness_of_breath": True, "pregnancy": True, "sex": "male"}, Level.EMERGENCY),
        ({"pregnancy": True, "sex": "male", "age": 30}, None),
        ({"sudden_onset": True, "gradual_onset": True, "cool_skin": True}, Level.EMERGENCY),
        ({"sudden_onset": True, "gradual_onset": True}, None),
    ],
)
def test_a_contradiction_keeps_the_level_of_the_rules(told: dict[str, object], level: Level | None) -> None:
    with pytest.raises(ContradictionError) as caught:
        CALF.diagnose(told)
    assert caught.value.level == level
    assert (f"ask for: {level}" in str(caught.value)) == (level is not None)


def test_levels_stand_by_severity_in_what_is_told() -> None:
    document = TUTORIAL.diagnose({"age": 50}).urgency.to_dict()["doubt"]
    assert list(document["probabilities"]) == [str(level) for level in LEVELS_BY_SEVERITY]
    assert list(document["deviations"]) == [str(level) for level in LEVELS_BY_SEVERITY[1 : 1 + len(document["deviations"])]]
