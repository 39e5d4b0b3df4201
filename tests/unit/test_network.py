import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network, compile_network, link_from_probability, logit
from support.models import SHIPPED, shipped
from support.random_models import probability, random_content
from support.small_models import small_content

NETWORKS = [shipped(name)._solved.network for name in SHIPPED]


def random_network(seed: int) -> Network:
    content = random_content(Random(seed), n_causes=6, n_complications=2, n_mechanisms=3, n_findings=8, n_risks=4)
    return compile_network(knowledge_from_content(content, name="random"))


@given(st.integers(0, 63), st.integers(0, 64))
def test_the_background_is_taken_out_of_a_probability(leak: int, above: int) -> None:
    """P = 1 - (1 - leak)(1 - w)."""
    p = Fraction(leak, 64) + (1 - Fraction(leak, 64)) * Fraction(above, 64)
    w = link_from_probability(float(p), leak / 64)
    assert w == pytest.approx(above / 64, abs=1e-15)
    assert 0.0 <= w <= 1.0


def test_a_probability_equal_to_the_leak_is_no_link() -> None:
    assert link_from_probability(0.3, 0.3) == 0.0
    assert link_from_probability(1.0, 1.0) == 0.0
    assert link_from_probability(1.0, 0.3) == 1.0


@given(st.floats(1e-9, 0.999), st.floats(1e-12, 1e-6))
def test_a_small_link_keeps_its_precision(leak: float, w: float) -> None:
    p = 1 - (1 - Fraction(leak)) * (1 - Fraction(w))
    exact = (Fraction(float(p)) - Fraction(leak)) / (1 - Fraction(leak))
    assert link_from_probability(float(p), leak) == pytest.approx(float(exact), rel=1e-12)


def test_both_conventions_give_the_same_network() -> None:
    content = small_content({"a": (1, {"sign": 0.5}), "b": (1, {"sign": 0.25})}, {"sign": 0.25})
    same = small_content({"a": (1, {"sign": 0.5}), "b": (1, {"sign": 0.25})}, {"sign": 0.25})
    same["causes"]["a"]["links"]["sign"] = probability(1 - 0.75 * 0.5)
    one, other = (compile_network(knowledge_from_content(c, name="small")) for c in (content, same))
    assert [node.parents for node in one.nodes] == [node.parents for node in other.nodes]


def test_logits() -> None:
    assert logit(0.0) == -math.inf
    assert logit(1.0) == math.inf
    assert logit(0.5) == 0.0
    assert logit(1e-300) == pytest.approx(math.log(1e-300))


@pytest.mark.parametrize("network", [*NETWORKS, *map(random_network, range(5))], ids=lambda network: network.name)
def test_causes_complications_mechanisms_and_findings_follow_each_other_parents_first(network: Network) -> None:
    knowledge = network.knowledge
    ids = [node.id for node in network.nodes]
    assert {ids[k] for k in network.causes} == {cause.id for cause in knowledge.causes}
    assert [ids[k] for k in network.complications] == [record.id for record in knowledge.complications]
    assert [ids[k] for k in network.mechanisms] == [record.id for record in knowledge.mechanisms]
    assert [ids[k] for k in network.findings] == [record.id for record in knowledge.findings]
    assert all(network.node_index[name] == k for k, name in enumerate(ids))
    for position, node in enumerate(network.nodes):
        assert all(parent < position for parent, _ in node.parents)
        assert all((position, w) in network.nodes[parent].children for parent, w in node.parents)
        assert all((position, w) in network.nodes[child].parents for child, w in node.children)
    for position, risk in enumerate(network.risks):
        assert all(parent < position for parent in risk.parents)


@pytest.mark.parametrize("network", [*NETWORKS, *map(random_network, range(5))], ids=lambda network: network.name)
def test_the_complaint_is_the_plain_or_of_the_causes(network: Network) -> None:
    complaint = network.nodes[network.complaint]
    assert complaint.id == network.knowledge.complaint
    assert complaint.base_logit == -math.inf
    assert complaint.odds == ()
    assert complaint.parents == tuple((cause, 1.0) for cause in network.causes)


@pytest.mark.parametrize("network", [*NETWORKS, *map(random_network, range(5))], ids=lambda network: network.name)
def test_tables_are_probabilities_and_no_array_can_be_written(network: Network) -> None:
    for risk in network.risks:
        assert risk.prior.shape == (*(len(network.risks[parent].states) for parent in risk.parents), len(risk.states))
        assert risk.prior.sum(axis=-1) == pytest.approx(1.0, abs=1e-15)
        assert (risk.prior >= 0).all()
        with pytest.raises(ValueError, match="read-only"):
            risk.prior[...] = 0.0
    for odds in (odds for node in network.nodes for odds in node.odds):
        assert odds.log_odds.shape == (len(network.risks[odds.risk].states),)
        with pytest.raises(ValueError, match="read-only"):
            odds.log_odds[0] = 1.0


@pytest.mark.parametrize("name", SHIPPED)
def test_no_array_of_the_solved_bases_can_be_written(name: str) -> None:
    for bases in shipped(name)._solved.bases.values():
        for array in (bases.logits, bases.shares):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0.0


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_a_state_that_is_not_listed_has_odds_ratio_1(network: Network) -> None:
    for node in network.nodes:
        record = network.records[node.id]
        assert not isinstance(record, RiskFactor)
        listed = {(ratio.factor, ratio.state): ratio.number.value for ratio in record.odds}
        for odds in node.odds:
            risk = network.risks[odds.risk]
            expected = [listed.get((risk.id, state), 1.0) for state in risk.states]
            assert np.exp(odds.log_odds) == pytest.approx(np.array(expected))
