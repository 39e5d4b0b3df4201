"""Batches and what is derived from them against enumeration, and against one query after the other."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import exp, inf
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from calfbayes.errors import NoPosteriorError
from calfbayes.inference.exact import answer, infer
from calfbayes.inference.hypothetical import (
    Supposed,
    given_each,
    given_each_answer,
    likeliest_sets,
    probability_of_any,
    set_probabilities,
    without_some,
)
from calfbayes.inference.reduction import Encoded, Query
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.network import Numbers, compile_network
from support.cases import Case, random_case
from support.models import random_model
from support.queries import ABSENT, PRESENT
from support.small_models import small_content

SEEDS = range(60)


def possible_case(seed: int) -> Case:
    while random_case(seed).answer.joint == 0:
        seed += 1000
    return random_case(seed)


def numbers_of(case: Case) -> Numbers:
    return case.network.numbers(case.logits)


def open_findings(case: Case) -> list[int]:
    asked = {node for node, _, _ in case.encoded.findings} | {case.network.complaint}
    return [node for node in case.network.findings if node not in asked]


def unknown_risks(case: Case) -> list[int]:
    return [risk for risk, state in enumerate(case.encoded.risk_states) if state < 0]


def with_finding(evidence: Encoded, node: int, report: tuple[float, float]) -> Encoded:
    return replace(evidence, findings=tuple(sorted((*evidence.findings, (node, *report)))))


def with_state(evidence: Encoded, risk: int, state: int) -> Encoded:
    states = list(evidence.risk_states)
    states[risk] = state
    return replace(evidence, risk_states=tuple(states))


@pytest.mark.parametrize("seed", range(300))
def test_the_posteriors_of_unknown_risk_factors_equal_enumeration(seed: int) -> None:
    case = random_case(seed)
    answers = answer(case.network, numbers_of(case), Query.of(case.encoded), risks=True)
    assert sorted(answers.risks) == unknown_risks(case)
    for risk, posterior in answers.risks.items():
        record = case.network.risks[risk]
        exact = [case.answer.risks.get((record.id, state), Fraction(0)) / (case.answer.joint or 1) for state in record.states]
        assert posterior[0] == pytest.approx([float(p) for p in exact], abs=1e-12), record.id


@pytest.mark.parametrize("seed", SEEDS)
def test_lanes_equal_one_query_after_the_other(seed: int) -> None:
    """Findings reported differently, risk factors known here and not there, causes held, and other numbers in each lane."""
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    network, lanes = case.network, 5
    findings = [node for node in network.findings if node != network.complaint]
    kinds = np.array([[1.0, 1.0], PRESENT, ABSENT, [0.25, 1.0]])
    reports = {node: kinds[rng.choice(4, lanes, p=[0.4, 0.3, 0.2, 0.1])] for node in findings}
    risks = {risk: rng.integers(-1, len(record.states), lanes) for risk, record in enumerate(network.risks)}
    held = {
        int(node): rng.integers(0, 3, lanes) for node in rng.choice(network.n_causes, min(2, network.n_causes), replace=False)
    }
    logits = case.logits + rng.normal(size=(lanes, network.n_causes))
    given = network.numbers(logits)
    links = np.clip(given.links * rng.uniform(0.5, 1.1, (lanes, given.links.shape[1])), 0.0, 1.0)
    links[:, [child == network.complaint for _, child in network.layout.arcs]] = 1.0
    numbers = replace(given, links=links)
    together = answer(
        network,
        numbers,
        Query(
            (-1,) * len(network.risks),
            {node: (of[:, 0], of[:, 1]) for node, of in reports.items()},
            {risk: _likelihood(states, len(network.risks[risk].states)) for risk, states in risks.items()},
            {node: (np.where(how == 1, 0.0, 1.0), np.where(how == 2, 0.0, 1.0)) for node, how in held.items()},
        ),
        risks=True,
        labels=case.labels,
    )
    for lane in range(lanes):
        told = tuple((node, *of[lane]) for node, of in reports.items() if tuple(of[lane]) != (1.0, 1.0))
        query = Query.of(Encoded(tuple(int(states[lane]) for states in risks.values()), told))
        weights = {node: (np.array([float(how[lane] != 1)]), np.array([float(how[lane] != 2)])) for node, how in held.items()}
        alone = answer(
            network, numbers.part(slice(lane, lane + 1)), replace(query, weights=weights), risks=True, labels=case.labels
        )
        assert together.log_joint[lane] == pytest.approx(alone.log_joint[0], abs=1e-12)
        for node in alone.kept:
            assert together.hidden[lane, node] == pytest.approx(alone.hidden[0, node], abs=1e-12)
        assert together.labels[lane] == pytest.approx(alone.labels[0], abs=1e-12)
        for risk, posterior in alone.risks.items():
            assert together.risks[risk][lane] == pytest.approx(posterior[0], abs=1e-12)
    assert not np.isnan(together.hidden).any()
    assert not np.isnan(together.labels).any()


def _likelihood(states: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    return np.array([np.ones(n) if state < 0 else np.eye(n)[state] for state in states])


def test_an_impossible_lane_has_log_probability_minus_infinity_and_no_marginals() -> None:
    case = next(random_case(seed) for seed in range(300) if random_case(seed).answer.joint == 0)
    network = case.network
    reports = {node: (np.array([off, 1.0]), np.array([on, 1.0])) for node, off, on in case.encoded.findings}
    answers = answer(
        network, numbers_of(case), replace(Query.of(case.encoded), reports=reports), slopes=True, labels=case.labels
    )
    assert answers.log_joint[0] == -inf
    assert answers.log_joint[1] > -inf
    assert not answers.hidden[0].any()
    assert not answers.labels[0].any()
    assert answers.hidden[1].any()
    assert answers.slopes is not None
    assert all(np.isfinite(part).all() for part in (answers.slopes.logits, answers.slopes.links, answers.slopes.priors))


def test_many_lanes_are_answered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    case = possible_case(1)
    nodes = list(case.network.causes)
    whole = given_each(case.network, numbers_of(case), case.encoded, nodes)
    monkeypatch.setattr("calfbayes.inference.exact.MEMORY", 1.0)
    parts = given_each(case.network, numbers_of(case), case.encoded, nodes)
    assert parts[1].hidden == pytest.approx(whole[1].hidden, abs=1e-13)
    assert parts[1].log_joint == pytest.approx(whole[1].log_joint, abs=1e-13)


@pytest.mark.parametrize("slopes", [False, True])
def test_a_mechanism_that_one_part_of_the_lanes_says_nothing_of_keeps_its_posterior(
    monkeypatch: pytest.MonkeyPatch, *, slopes: bool
) -> None:
    solved = random_model(0, n_mechanisms=2)._solved
    network = solved.network
    finding = network.nodes[network.mechanisms[0]].children[0][0]
    told = Encoded((-1,) * len(network.risks), ((finding, *PRESENT),))
    query = without_some(network, told, np.array([[True], [False]]))
    numbers = network.numbers(solved.bases["here"].logits)
    whole = answer(network, numbers, query, risks=True, slopes=slopes)
    monkeypatch.setattr("calfbayes.inference.exact.MEMORY", 1.0)
    parts = answer(network, numbers, query, risks=True, slopes=slopes)
    assert parts.kept == whole.kept
    assert whole.hidden[1, network.mechanisms[0]] > 0.0
    assert parts.hidden == pytest.approx(whole.hidden, abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_joint_of_two_nodes_is_symmetric_and_has_the_right_margins(seed: int) -> None:
    case = possible_case(seed)
    nodes = [*case.network.causes, *case.network.complications]
    now, given = given_each(case.network, numbers_of(case), case.encoded, nodes)
    _, without = given_each(case.network, numbers_of(case), case.encoded, nodes, present=False)
    p = now.hidden[0, nodes]
    joint = p[:, None] * given.hidden[:, nodes]
    assert joint == pytest.approx(joint.T, abs=1e-12)
    assert np.diag(joint) == pytest.approx(p, abs=1e-12)
    assert np.exp(given.log_joint - now.log_joint) == pytest.approx(p, abs=1e-12)
    assert np.exp(without.log_joint - now.log_joint) == pytest.approx(1.0 - p, abs=1e-12)
    assert joint + (1.0 - p)[:, None] * without.hidden[:, nodes] == pytest.approx(np.tile(p, (len(p), 1)), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_answer_to_each_open_question_equals_asking_it(seed: int) -> None:
    case = possible_case(seed)
    network = case.network
    outcomes = given_each_answer(
        network, numbers_of(case), case.encoded, open_findings(case), unknown_risks(case), labels=case.labels
    )
    whole = infer(network, case.logits, case.encoded, labels=case.labels)
    visible = [*network.causes, *network.complications]

    def check(supposed: Supposed, evidence: Encoded) -> None:
        asked = infer(network, case.logits, evidence, labels=case.labels)
        chance = exp(asked.log_joint - whole.log_joint) if asked.log_joint > -inf else 0.0
        assert supposed.chance == pytest.approx(chance, abs=1e-12)
        if chance > 1e-6:
            assert supposed.hidden[visible] == pytest.approx([asked.hidden[node] for node in visible], abs=1e-10)
            assert supposed.labels == pytest.approx(asked.labels, abs=1e-10)
        assert not np.isnan(supposed.hidden).any()

    for node, (absent, present) in outcomes.findings.items():
        check(absent, with_finding(case.encoded, node, ABSENT))
        check(present, with_finding(case.encoded, node, PRESENT))
    for risk, states in outcomes.risks.items():
        for state, supposed in enumerate(states):
            check(supposed, with_state(case.encoded, risk, state))


def test_impossible_evidence_leaves_nothing_to_ask() -> None:
    """What cannot be present is: no cause has the sign, and it has no background."""
    content = small_content({"a": (1.0, {"mark": 0.5}), "b": (1.0, {})}, {"sign": 0.0, "mark": 0.25})
    network = compile_network(knowledge_from_content(content, name="small"))
    sign, mark = (network.node_index[name] for name in ("sign", "mark"))
    with pytest.raises(NoPosteriorError, match="impossible together"):
        given_each_answer(network, network.numbers(np.zeros(2)), Encoded((), ((sign, *PRESENT),)), [mark])


@pytest.mark.parametrize("seed", range(20))
def test_subsets_of_the_evidence_equal_asking_less(seed: int) -> None:
    case = possible_case(seed)
    known = [risk for risk, state in enumerate(case.encoded.risk_states) if state >= 0]
    kept = np.random.default_rng(seed).random((8, len(known) + len(case.encoded.findings))) < 0.6
    answers = answer(case.network, numbers_of(case), without_some(case.network, case.encoded, kept))
    for lane, keeps in enumerate(kept):
        gone = {risk for risk, keep in zip(known, keeps, strict=False) if not keep}
        states = tuple(-1 if risk in gone else state for risk, state in enumerate(case.encoded.risk_states))
        findings = tuple(f for f, keep in zip(case.encoded.findings, keeps[len(known) :], strict=True) if keep)
        alone = infer(case.network, case.logits, Encoded(states, findings))
        assert answers.log_joint[lane if len(answers.log_joint) > 1 else 0] == pytest.approx(alone.log_joint, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_likeliest_sets_are_those_of_all_sets(seed: int) -> None:
    case = possible_case(seed)
    network, numbers = case.network, numbers_of(case)
    every = [frozenset(c) for n in range(1, network.n_causes + 1) for c in combinations(network.causes, n)]
    logs = set_probabilities(network, numbers, case.encoded, every)
    whole = infer(network, case.logits, case.encoded)
    p = np.exp(logs - whole.log_joint)
    assert p.sum() == pytest.approx(1.0, abs=1e-12), "some cause is present"
    for cause in network.causes:
        assert sum(x for x, members in zip(p, every, strict=True) if cause in members) == pytest.approx(
            whole.hidden[cause], abs=1e-12
        )
    best = sorted((x for x, members in zip(p, every, strict=True) if len(members) <= 3 and x > 0.0), reverse=True)
    found = likeliest_sets(network, numbers, case.encoded, count=4)
    assert [chance for _, chance in found] == pytest.approx(best[:4], abs=1e-12)
    by_set = dict(zip(every, p, strict=True))
    assert all(chance == pytest.approx(by_set[frozenset(members)], abs=1e-12) for members, chance in found)


@pytest.mark.parametrize("seed", range(20))
def test_the_chance_of_any_is_that_of_the_sets_that_hold_one(seed: int) -> None:
    case = possible_case(seed)
    network, numbers = case.network, numbers_of(case)
    wanted = Random(seed).sample(list(network.causes), min(2, network.n_causes))
    every = [frozenset(c) for n in range(1, network.n_causes + 1) for c in combinations(network.causes, n)]
    logs = set_probabilities(network, numbers, case.encoded, every)
    p = np.exp(logs - infer(network, case.logits, case.encoded).log_joint)
    expected = sum(x for x, members in zip(p, every, strict=True) if members & set(wanted))
    assert probability_of_any(network, numbers, Query.of(case.encoded), wanted)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("limit", "value"), [("RARE", 2.0), ("MOST_BARREN", -1)])
def test_what_is_computed_directly_equals_what_rides_along(limit: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    case = possible_case(4)
    assert open_findings(case)
    along = given_each_answer(case.network, numbers_of(case), case.encoded, open_findings(case))
    monkeypatch.setattr(f"calfbayes.inference.hypothetical.{limit}", value)
    directly = given_each_answer(case.network, numbers_of(case), case.encoded, open_findings(case))
    visible = [*case.network.causes, *case.network.complications]
    for node, outcomes in along.findings.items():
        for one, other in zip(outcomes, directly.findings[node], strict=True):
            assert one.chance == pytest.approx(other.chance, abs=1e-12)
            assert one.hidden[visible] == pytest.approx(other.hidden[visible], abs=1e-12)
