"""Two causes: what each answer does between them, and what one takes from the other."""

from itertools import permutations
from math import inf, log10

import pytest

from calfbayes import ArgumentError, NoPosteriorError
from support.models import model_of, random_model, shipped
from support.small_models import small_content

PATIENT = {"age": 67, "pain_on_walking": True, "cold_feet": True, "night_cramps": True}
FIRST, SECOND = "peripheral_artery_disease", "lumbosacral_radiculopathy"


def test_ratios_are_the_mean_over_all_orders_and_add_up() -> None:
    model = shipped("tutorial")
    contest = model.diagnose(PATIENT).compare_causes(FIRST, SECOND)

    def ratio(names: tuple[str, ...]) -> float:
        result = model.diagnose({name: PATIENT[name] for name in names})
        return 10 * log10(result[FIRST].probability / result[SECOND].probability)

    orders = list(permutations(PATIENT))
    for entry in contest.ratios:
        added = [ratio(o[: o.index(entry.id) + 1]) - ratio(o[: o.index(entry.id)]) for o in orders]
        assert entry.decibans == pytest.approx(sum(added) / len(orders), abs=1e-9)
        assert entry.likelihood_ratio == pytest.approx(10 ** (entry.decibans / 10))
    assert contest.share_decibans == pytest.approx(ratio(()), abs=1e-9)
    assert contest.posterior_decibans == pytest.approx(ratio(tuple(PATIENT)), abs=1e-9)


def test_one_explains_the_other_away() -> None:
    content = small_content({"a": (1.0, {"f": 0.75}), "b": (1.0, {"f": 0.75})}, {"f": 0.0})
    contest = model_of(content).diagnose({"f": True}).compare_causes("a", "b")
    assert contest.explains_away
    assert contest.first_without == pytest.approx(1.0, abs=1e-12)
    assert (contest.first_with, contest.first_without) == pytest.approx((contest.second_with, contest.second_without))
    assert contest.both == pytest.approx(contest.probabilities[0] + contest.probabilities[1] - 1.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_sets_of_causes_agree_with_the_probabilities_of_the_causes(seed: int) -> None:
    """With every set listed, those that hold a cause sum to its probability."""
    model = random_model(seed)
    result = model.diagnose({"finding_0": True})
    sets = result.cause_sets(count=16, most=4)
    assert sum(s.probability for s in sets) == pytest.approx(1.0, abs=1e-9)
    for entry in result.causes:
        assert sum(s.probability for s in sets if entry.id in s.causes) == pytest.approx(entry.probability, abs=1e-9)
    assert [s.probability for s in sets] == sorted((s.probability for s in sets), reverse=True)


def test_what_rules_one_of_them_out_decides() -> None:
    content = small_content({"a": (1.0, {"f": 1.0}), "b": (1.0, {"g": 0.5})}, {"f": 0.25, "g": 0.25})
    contest = model_of(content).diagnose({"f": False, "g": True}).compare_causes("a", "b")
    assert {r.id: r.decibans for r in contest.ratios}["f"] == -inf
    assert contest.posterior_decibans == -inf
    assert contest.to_dict()["posterior_decibans"] == "-inf"
    back = model_of(content).diagnose({"f": False, "g": True}).compare_causes("b", "a")
    assert {r.id: r.likelihood_ratio for r in back.ratios}["f"] == inf


def test_what_cannot_be_compared_is_refused() -> None:
    content = small_content({"a": (1.0, {"f": 1.0}), "b": (1.0, {"f": 1.0}), "c": (1.0, {})}, {"f": 0.25})
    result = model_of(content).diagnose({"f": False})
    with pytest.raises(ArgumentError, match="both ruled out"):
        result.compare_causes("a", "b")
    with pytest.raises(ArgumentError, match="two different causes"):
        result.compare_causes("a", "a")
    with pytest.raises(NoPosteriorError):
        model_of(content).diagnose({"complaint": False}).cause_sets()


def test_what_cannot_be_supposed_is_said_not_computed() -> None:
    content = small_content({"a": (1.0, {"f": 0.75}), "b": (1.0, {"g": 0.75, "f": 0.5})}, {"f": 0.0, "g": 0.0})
    contest = model_of(content).diagnose({"f": True, "g": True}).compare_causes("a", "b")
    assert contest.probabilities[1] == 1.0
    assert contest.first_without is None
    assert contest.first_with == pytest.approx(contest.probabilities[0])
    assert "cannot be if not" in repr(contest)


def test_numbers_of_sets_are_checked() -> None:
    result = shipped("tutorial").diagnose(PATIENT)
    for wrong in ({"count": 0}, {"count": 2.5}, {"most": True}, {"most": 10**9}):
        with pytest.raises(ArgumentError, match="a whole number from 1"):
            result.cause_sets(**wrong)
