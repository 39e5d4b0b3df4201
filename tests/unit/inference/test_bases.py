from dataclasses import replace
from fractions import Fraction
from math import exp
from typing import Any

import numpy as np
import pytest

from calfbayes import ModelFileError
from calfbayes.inference.base_equations import BaseEquations, Given
from calfbayes.inference.bases import Bases, shares_of, solve_bases, solve_in_lanes
from calfbayes.inference.exact import answer, infer
from calfbayes.inference.reduction import Query
from calfbayes.inference.solved import nothing_known
from calfbayes.inference.tables import Array
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.network import Network, compile_network
from support.enumeration import enumerate_model
from support.models import SHIPPED, model_of, random_model, shipped
from support.random_models import number
from support.small_models import small_content


def network_of(content: Content) -> Network:
    return compile_network(knowledge_from_content(content, name="small"))


def with_factor(content: Content, p: float, odds: dict[str, dict[str, float]]) -> Content:
    """Add a yes/no risk factor: its frequency, and its odds ratios by cause and state."""
    prior = {key: value for key, value in number(0.0).items() if key != "value"}
    content["risk_factors"]["factor"] = {
        "label": "factor",
        "question": "factor",
        "group": "some",
        "burden": 1,
        "states": ["absent", "present"],
        "reference": "absent",
        "prior": [{**prior, "when": {}, "probabilities": {"present": p}}],
    }
    for cause, by_state in odds.items():
        content["causes"][cause]["odds"]["factor"] = {state: number(ratio) for state, ratio in by_state.items()}
    return content


def by_name(network: Network, values: Any) -> dict[str, float]:
    return {network.nodes[cause].id: float(values[cause]) for cause in network.causes}


def probability(x: float) -> float:
    return 1 / (1 + exp(-x))


def check_shares(network: Network, bases: Bases, setting: str) -> None:
    posterior = infer(network, bases.logits, nothing_known(network), cost_limit=float("inf"))
    for cause, share in enumerate(shares_of(network, setting)):
        assert posterior.hidden[cause] == pytest.approx(share, abs=1e-9), network.nodes[cause].id
        assert bases.shares[cause] == share
    assert exp(posterior.log_joint) == pytest.approx(bases.complaint, rel=1e-9)


def test_shares_are_weights_over_their_sum_times_one_plus_coincidence() -> None:
    network = network_of(small_content({"a": (1, {}), "b": (2, {}), "c": (5, {})}, {}, coincidence=0.2))
    assert by_name(network, shares_of(network, "here")) == pytest.approx({"a": 0.15, "b": 0.3, "c": 0.75})


def test_without_risk_factors_and_arcs_one_root_gives_all_bases() -> None:
    """Z = 1 - product of (1 - share Z), for two causes (s + t - 1) / (s t)."""
    network = network_of(small_content({"a": (1, {}), "b": (2, {})}, {}, coincidence=0.2))
    bases = solve_bases(network, "here")
    z = (0.4 + 0.8 - 1) / (0.4 * 0.8)
    assert bases.complaint == pytest.approx(z, rel=1e-12)
    assert by_name(network, [probability(x) for x in bases.logits]) == pytest.approx({"a": 0.4 * z, "b": 0.8 * z}, rel=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_the_bases_give_the_shares_by_the_engine_and_by_enumeration(seed: int) -> None:
    model = random_model(seed, n_causes=5, n_findings=1, n_risks=3, extremes=seed % 2 == 0)
    network = model._solved.network
    for setting, bases in model._solved.bases.items():
        check_shares(network, bases, setting)
        chances = {name: Fraction(p) for name, p in by_name(network, [probability(x) for x in bases.logits]).items()}
        answer = enumerate_model(model.knowledge, chances, risks={}, findings={})
        for cause, share in by_name(network, bases.shares).items():
            assert float(answer.hidden[cause] / answer.complaint) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_bases_of_a_shipped_model_give_its_shares(name: str) -> None:
    """Those it ships with and those that are solved anew."""
    network = shipped(name)._solved.network
    for setting, bases in shipped(name)._solved.bases.items():
        check_shares(network, bases, setting)
        assert solve_bases(network, setting).logits == pytest.approx(bases.logits, rel=1e-9)


def test_a_weight_of_0_rules_a_cause_out() -> None:
    model = model_of(small_content({"a": (0, {}), "b": (1, {}), "c": (1, {})}, {}))
    assert model.diagnose({})["a"].probability == 0.0


def test_a_cause_that_a_risk_state_rules_out_keeps_its_share() -> None:
    content = small_content({"a": (0.1, {}), "b": (0.5, {}), "c": (0.5, {})}, {}, coincidence=0.1)
    model = model_of(with_factor(content, 0.4, {"a": {"absent": 0.0}}))
    assert model.diagnose({})["a"].probability == pytest.approx(0.1, abs=1e-9)
    assert model.diagnose({"factor": False})["a"].probability == 0.0
    assert model.diagnose({"factor": True})["a"].probability > 0.1


def test_a_share_may_exceed_the_frequency_of_the_states_that_allow_the_cause() -> None:
    """Among those who hurt the state is more frequent than among all: 0.3 of them have the cause, 0.25 of all the state."""
    content = small_content({"a": (0.3, {}), "b": (0.45, {}), "c": (0.45, {})}, {}, coincidence=0.2)
    model = model_of(with_factor(content, 0.25, {"a": {"absent": 0.0}}))
    assert model.diagnose({})["a"].probability == pytest.approx(0.3, abs=1e-9)


def test_parents_that_come_together_may_give_a_cause_less_than_the_sum_of_their_parts() -> None:
    causes = {"p": (0.6, {"child": 0.5}), "q": (0.6, {"child": 0.5}), "child": (0.595, {}), "other": (0.15, {})}
    shares = {name: weight for name, (weight, _) in causes.items()}
    model = model_of(small_content(causes, {}, coincidence=sum(shares.values()) - 1))
    assert {entry.id: entry.probability for entry in model.diagnose({}).causes} == pytest.approx(shares, abs=1e-9)


# --- shares that no bases give ----------------------------------------------------------------------------------------


def faults(content: Content) -> str:
    with pytest.raises(ModelFileError) as caught:
        model_of(content)
    return str(caught.value)


def test_a_share_above_1_is_refused() -> None:
    assert "more than 1" in faults(small_content({"a": (20, {}), "b": (1, {})}, {}, coincidence=0.3))


def test_an_arc_that_gives_more_than_the_share_is_refused_with_the_largest_link() -> None:
    """Half of the patients have the parent; it alone gives 0.45 of the child where the share is 0.3."""

    def content(w: float) -> Content:
        causes = {"parent": (0.5, {"child": w}), "child": (0.3, {}), "other": (0.7, {})}
        return small_content(causes, {}, coincidence=0.5)

    message = faults(content(0.9))
    assert "causes/parent.toml" in message
    assert "parent -> child (0.9)" in message
    assert "0.6 or less" in message
    model = model_of(content(0.599))
    assert model.diagnose({})["child"].probability == pytest.approx(0.3, abs=1e-9)
    faults(content(0.601))


def test_too_little_coincidence_for_the_links_between_causes_is_refused_with_what_is_needed() -> None:
    causes = {"parent": (0.5, {"child": 0.8}), "child": (0.5, {}), "other": (0.1, {})}
    assert "coincidence" in faults(small_content(causes, {}, coincidence=0.05))
    assert model_of(small_content(causes, {}, coincidence=0.7))


def test_a_share_that_the_states_that_allow_it_cannot_give_is_refused() -> None:
    content = small_content({"a": (0.9, {}), "b": (0.6, {})}, {}, coincidence=0.5)
    assert "causes/a.toml" in faults(with_factor(content, 0.05, {"a": {"absent": 0.0}}))


# --- in lanes ---------------------------------------------------------------------------------------------------------


def test_bases_in_lanes_equal_those_of_one_model_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes differ in shares and in all numbers; they are solved in parts, too."""
    network = random_model(7, n_causes=5, extremes=True)._solved.network
    generator = np.random.default_rng(7)
    given = network.numbers(np.zeros(network.n_causes))
    risk = network.risks[0]
    prior = given.priors.repeat(3, axis=0)
    prior[:, : risk.prior.size] = generator.dirichlet(np.ones(risk.prior.size), 3)
    numbers = replace(
        given,
        links=given.links * generator.uniform(0.3, 1.0, (3, given.links.shape[1])),
        log_odds=given.log_odds * generator.uniform(0.5, 1.5, (3, given.log_odds.shape[1])),
        priors=prior,
    )
    numbers.links[:, [child == network.complaint for _, child in network.layout.arcs]] = 1.0
    shares = shares_of(network, "here") * generator.uniform(0.95, 1.05, (3, network.n_causes))
    together = solve_in_lanes(network, numbers, shares)
    assert together.feasible.all()
    for lane in range(3):
        alone = solve_in_lanes(network, numbers.part(slice(lane, lane + 1)), shares[lane : lane + 1])
        assert together.logits[lane] == pytest.approx(alone.logits[0], rel=1e-10)
        assert together.complaint[lane] == pytest.approx(alone.complaint[0], rel=1e-12)
    solved = replace(numbers, logits=network.numbers(together.logits).logits)
    nothing = Query.of(nothing_known(network))
    assert answer(network, solved, nothing).hidden[:, : network.n_causes] == pytest.approx(shares, abs=1e-11)
    monkeypatch.setattr("calfbayes.inference.bases.AT_ONCE", 1)
    assert solve_in_lanes(network, numbers, shares).logits == pytest.approx(together.logits, rel=1e-10)


def test_a_lane_that_nothing_solves_is_marked_and_the_others_are_solved() -> None:
    causes = {"parent": (0.5, {"child": 0.59}), "child": (0.3, {}), "other": (0.7, {})}
    network = network_of(small_content(causes, {}, coincidence=0.5))
    numbers = network.numbers(np.zeros(network.n_causes))
    arc = network.layout.arcs.index((network.node_index["parent"], network.node_index["child"]))
    links = numbers.links.repeat(5, axis=0)
    links[1, arc] = 0.9  # gives the child more than its share
    shares = shares_of(network, "here")[None].repeat(5, axis=0)
    shares[2] /= 1.5  # no coincidence
    shares[3] *= 2.0  # one above 1
    solved = solve_in_lanes(network, replace(numbers, links=links), shares)
    assert solved.feasible.tolist() == [True, False, False, False, True]
    single = solve_bases(network, "here")
    assert solved.logits[[0, 4]] == pytest.approx(np.stack([single.logits] * 2), rel=1e-12)
    assert not np.isnan(solved.logits).any()


def test_the_bases_of_the_calf_model_are_solved_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a solve costs is the number of times that all causes are solved for one Z."""
    steps: list[float] = []
    at = BaseEquations.at

    def counted(self: BaseEquations, z: Array, near: Given | None = None) -> Given:
        steps.append(float(z[0]))
        return at(self, z, near)

    monkeypatch.setattr(BaseEquations, "at", counted)
    network = shipped("calf")._solved.network
    for setting in network.knowledge.settings:
        steps.clear()
        solve_bases(network, setting.id)
        assert len(steps) <= 9
