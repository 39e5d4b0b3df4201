import tracemalloc
from collections.abc import Mapping
from math import inf, log
from random import Random

import numpy as np
import pytest

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference import reduction
from calfbayes.inference.exact import answer, infer
from calfbayes.inference.plan import make_plan
from calfbayes.inference.price import ENTRY, Purse
from calfbayes.inference.problem import Problem
from calfbayes.inference.program import program_of
from calfbayes.inference.reduction import Encoded, Query, reduce
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.network import Network, compile_network
from support.queries import ABSENT, PRESENT
from support.random_models import number, random_content
from support.small_models import factor, small_content

BASE = 0.25


def content() -> Content:
    """Two causes, a mechanism of both, and findings of one, both, the mechanism, and none."""
    links = {
        "first": {"process": 0.5, "own": 0.75, "shared": 0.5},
        "second": {"process": 0.25, "shared": 0.25},
    }
    leaks = {"own": 0.125, "shared": 0.25, "sign": 0.25, "mark": 0.25, "nobodys": 0.125}
    causes = {name: (1.0, links[name]) for name in links}
    return small_content(causes, leaks, mechanisms={"process": {"sign": 0.5, "mark": 0.75}})


def network_of(given: Content) -> Network:
    return compile_network(knowledge_from_content(given, name="small"))


def reduced(
    network: Network,
    reports: Mapping[str, tuple[float, float]],
    *,
    risks: tuple[int, ...] = (),
    also: tuple[str, ...] = (),
) -> Problem:
    logits = np.full(network.n_causes, log(BASE / (1 - BASE)))
    findings = tuple(sorted((network.node_index[name], off, on) for name, (off, on) in reports.items()))
    return reduce(network, logits, Encoded(risks, findings), also=[network.node_index[name] for name in also])


def hidden(network: Network, problem: Problem) -> set[str]:
    """Causes and mechanisms that are left, as items or as bits."""
    left = {item.node for item in problem.items} | set(problem.bits)
    return {network.nodes[node].id for node in left if 0 <= node < network.n_hidden}


def weights(network: Network, problem: Problem, cause: str) -> tuple[float, float]:
    (item,) = [item for item in problem.items if item.node == network.node_index[cause]]
    return float(item.absent.values.item()), float(item.present.values.item())


def test_what_is_not_observed_is_barren() -> None:
    network = network_of(content())
    problem = reduced(network, {})
    assert hidden(network, problem) == {"first", "second"}
    assert set(problem.bits) == {network.complaint}
    assert problem.sizes == {}


def test_a_mechanism_is_kept_for_a_finding_of_its_own_or_if_it_is_asked_for() -> None:
    network = network_of(content())
    assert "process" in hidden(network, reduced(network, {"sign": ABSENT}))
    assert "process" in hidden(network, reduced(network, {"sign": PRESENT}))
    assert "process" in hidden(network, reduced(network, {}, also=("process",)))
    assert "process" not in hidden(network, reduced(network, {"shared": PRESENT}))


def test_an_absent_finding_costs_no_bit() -> None:
    network = network_of(content())
    problem = reduced(network, {"shared": ABSENT})
    assert set(problem.bits) == {network.complaint}
    assert weights(network, problem, "first") == pytest.approx((1 - BASE, BASE * 0.5))
    assert weights(network, problem, "second") == pytest.approx((1 - BASE, BASE * 0.75))
    assert problem.log_factor == pytest.approx(log(1 - 0.25))


def test_a_present_finding_of_several_parents_is_a_bit() -> None:
    network = network_of(content())
    problem = reduced(network, {"shared": PRESENT})
    assert set(problem.bits) == {network.complaint, network.node_index["shared"]}


@pytest.mark.parametrize(("off", "on"), [PRESENT, ABSENT, (0.25, 0.5), (1.0, 0.125)])
def test_a_report_of_a_finding_of_one_parent_is_two_factors_of_the_parent(off: float, on: float) -> None:
    network = network_of(content())
    problem = reduced(network, {"own": (off, on)})
    without, with_ = 1 - 0.125, (1 - 0.125) * (1 - 0.75)
    expected = (1 - BASE) * (off * without + on * (1 - without)), BASE * (off * with_ + on * (1 - with_))
    assert set(problem.bits) == {network.complaint}
    absent, present = weights(network, problem, "first")
    assert present / absent == pytest.approx(expected[1] / expected[0], rel=1e-14)
    scale = problem.log_factor + log(absent)
    assert scale == pytest.approx(log(expected[0]), abs=1e-14)


def test_a_finding_without_parents_is_a_number() -> None:
    network = network_of(content())
    problem = reduced(network, {"nobodys": PRESENT})
    assert hidden(network, problem) == {"first", "second"}
    assert problem.log_factor == pytest.approx(log(0.125))


def with_factors(**odds: dict[str, float]) -> Content:
    """The same with risk factors: for each the odds ratios of its presence on causes and findings."""
    given = content()
    for name, of_nodes in odds.items():
        given["risk_factors"][name] = factor(name, 0.5)
        for node, ratio in of_nodes.items():
            section = "causes" if node in given["causes"] else "findings"
            given[section][node]["odds"][name] = {"present": number(ratio)}
    return given


def test_a_known_risk_factor_is_no_variable() -> None:
    network = network_of(with_factors(habit={"first": 3.0, "second": 2.0}))
    problem = reduced(network, {}, risks=(1,))
    assert problem.sizes == {}
    odds = BASE / (1 - BASE)
    assert weights(network, problem, "first")[1] == pytest.approx(odds * 3 / (1 + odds * 3))
    assert weights(network, problem, "second")[1] == pytest.approx(odds * 2 / (1 + odds * 2))
    assert problem.log_factor == pytest.approx(log(0.5)), "the prior of what is known"


def test_an_unknown_risk_factor_of_one_cause_is_summed_out_and_a_shared_one_stays() -> None:
    network = network_of(with_factors(habit={"first": 3.0}, age={"first": 2.0, "second": 2.0}))
    problem = reduced(network, {}, risks=(-1, -1))
    assert set(problem.sizes) == {network.risk_index["age"]}
    assert problem.sizes[network.risk_index["age"]] == 2


def test_an_unknown_risk_factor_of_nothing_that_is_left_disappears() -> None:
    network = network_of(with_factors(habit={"sign": 3.0}))
    problem = reduced(network, {}, risks=(-1,))
    assert problem.sizes == {}
    assert problem.log_factor == pytest.approx(0.0, abs=1e-15)


def test_an_impossible_risk_state_leaves_probability_0() -> None:
    given = content()
    given["risk_factors"]["habit"] = factor("habit", 0.0)
    problem = reduced(network_of(given), {}, risks=(1,))
    assert problem.log_factor == -np.inf


# --- the price -------------------------------------------------------------------------------------------------------


def test_what_is_dear_to_reduce_is_refused_before_it_is_allocated() -> None:
    """One cause that 24 unknown risk factors move: its table has 2^24 entries, and its plan would be cheap."""
    network = network_of(with_factors(**{f"risk_{k}": {"first": 2.0} for k in range(24)}))
    logits = np.full(network.n_causes, -1.0)
    tracemalloc.start()
    with pytest.raises(QueryTooCostlyError) as caught:
        infer(network, logits, Encoded((-1,) * 24, ()), cost_limit=2.0**24)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.operations > 2.0**24
    assert caught.value.limit == 2.0**24
    assert peak < 2e6
    few = Encoded((-1,) * 4 + (0,) * 20, ())
    assert infer(network, logits, few, cost_limit=1e5).hidden


def test_what_risk_factors_shared_with_a_finding_cost_is_priced_too() -> None:
    """The leak of a finding that one cause has alone is moved by other risk factors than the cause: their product is large."""
    of_cause = {f"cause_{k}": {"first": 2.0} for k in range(12)}
    network = network_of(with_factors(**of_cause, **{f"leak_{k}": {"own": 2.0} for k in range(12)}))
    evidence = Encoded((-1,) * 24, ((network.node_index["own"], *PRESENT),))
    tracemalloc.start()
    with pytest.raises(QueryTooCostlyError):
        infer(network, np.full(network.n_causes, -1.0), evidence, cost_limit=2.0**24)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


@pytest.mark.parametrize("answer", [{}, {"own": PRESENT}, {"own": ABSENT}, {"own": (0.5, 1.0)}])
@pytest.mark.parametrize("lanes", [1, 4])
def test_tables_take_no_more_memory_than_is_paid_for(answer: dict[str, tuple[float, float]], lanes: int) -> None:
    risks = {f"risk_{k}": {"first": 2.0, "own": 2.0} for k in range(12)} | {f"only_{k}": {"first": 2.0} for k in range(4)}
    network = network_of(with_factors(**risks))
    numbers, first = network.numbers(np.full(network.n_causes, -1.0)), network.node_index["first"]
    reports = {network.node_index[name]: (np.array([off]), np.array([on])) for name, (off, on) in answer.items()}
    query = Query((-1,) * 16, reports, weights={first: (np.ones(lanes), np.linspace(0.5, 1.0, lanes))})
    purse = Purse(inf)
    tracemalloc.start()
    reduction.reduce_batch(network, numbers, query, purse=purse)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    paid = 8 * purse.spent / ENTRY
    assert paid / 2 < peak < paid + 1e5


def test_the_price_counts_each_lane_that_differs() -> None:
    network = network_of(with_factors(habit={"first": 3.0}, age={"first": 2.0, "second": 2.0}))
    numbers, cause = network.numbers(np.full(network.n_causes, -1.0)), network.node_index["second"]
    queries = [Query((-1, -1), weights={cause: (np.ones(n), np.ones(n))}) for n in (1, 3)]
    purses = [Purse(inf) for _ in queries]
    for query, purse in zip(queries, purses, strict=True):
        reduction.reduce_batch(network, numbers, query, purse=purse)
    one, three = (purse.spent for purse in purses)
    assert three == one + ENTRY * 2 * 2 * 2  # two lanes more of the two weights of `second` by age


# --- wide items ------------------------------------------------------------------------------------------------------


def wide_network() -> Network:
    """Causes with many findings each, risk factors on causes and on leaks, mechanisms, co-occurrence."""
    given = random_content(Random(2), n_causes=5, n_complications=1, n_mechanisms=2, n_findings=12, n_risks=3)
    return network_of(given)


def everything_present(network: Network) -> Encoded:
    findings = [node for node in network.findings if node != network.complaint]
    return Encoded((-1,) * len(network.risks), tuple((node, *PRESENT) for node in findings))


@pytest.mark.parametrize("width", [2, 4, 8])
def test_items_taken_apart_change_no_answer_and_no_derivative(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = wide_network()
    numbers, query = network.numbers(np.full(network.n_causes, -1.0)), Query.of(everything_present(network))
    answers, n_items = [], []
    for wide in (1000, width):
        monkeypatch.setattr(reduction, "WIDEST", wide)
        n_items.append(len(reduction.reduce_batch(network, numbers, query).items))
        answers.append(answer(network, numbers, query, also=tuple(network.mechanisms), slopes=True, cost_limit=1e8))
    whole, apart = answers
    assert n_items[1] > n_items[0]
    assert apart.log_joint == pytest.approx(whole.log_joint, abs=1e-12)
    assert apart.hidden == pytest.approx(whole.hidden, abs=1e-12)
    assert whole.slopes is not None
    assert apart.slopes is not None
    for field in ("logits", "links", "log_odds", "priors"):
        assert getattr(apart.slopes, field) == pytest.approx(getattr(whole.slopes, field), abs=1e-10), field


def test_a_wide_item_leaves_its_children_to_a_point() -> None:
    """Fourteen findings that three causes share: one of the causes is tied to all."""
    names = [f"sign_{k}" for k in range(14)]
    causes = {
        "wide": (1.0, dict.fromkeys(names, 0.5)),
        "left": (1.0, dict.fromkeys(names[:7], 0.25)),
        "right": (1.0, dict.fromkeys(names[7:], 0.25)),
    }
    network = network_of(small_content(causes, dict.fromkeys(names, 0.125)))
    problem = reduced(network, dict.fromkeys(names, PRESENT))
    assert hidden(network, problem) == set(causes)
    by_node = {item.node: item for item in problem.items if item.node >= 0}
    wide, left = (by_node[network.node_index[name]] for name in ("wide", "left"))
    assert wide.children == []
    assert len(left.children) == 8  # and the complaint
    (point,) = wide.present.axes
    readers = [item for item in problem.items if item.node < 0 and item.present.axes == (point,)]
    assert sorted(len(item.children) for item in readers) == [1] * 15
    assert make_plan(problem).width < 12


def test_an_item_of_few_risk_factors_with_many_states_is_wide_too() -> None:
    """Five of ten states: as many matrices with 4^3 entries each as there are joint states would take 195 MiB."""
    given = content()
    states = [f"state_{k}" for k in range(10)]
    for k in range(5):
        prior = {**factor("many", 0.5)["prior"][0], "probabilities": dict.fromkeys(states[1:], 0.05)}
        given["risk_factors"][f"risk_{k}"] = factor("many", 0.5) | {"states": states, "reference": states[0], "prior": [prior]}
        for cause in given["causes"].values():
            cause["odds"][f"risk_{k}"] = {state: number(2.0) for state in states[1:]}
    problem = reduced(network_of(given), {"shared": PRESENT, "sign": PRESENT}, risks=(-1,) * 5)
    assert {axis for item in problem.items for axis in item.present.axes} >= set(range(5))
    assert not any(item.children for item in problem.items if set(item.present.axes) >= set(range(5)))
    assert program_of(problem.structure()).memory < 32 * 2**20
