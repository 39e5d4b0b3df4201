import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from calfbayes.inference import plan as planning
from calfbayes.inference.plan import Absorb, Merge, Multiply, Plan, make_plan
from calfbayes.inference.price import MATRIX
from calfbayes.inference.problem import Problem
from calfbayes.inference.program import program_of
from calfbayes.inference.reduction import Encoded, reduce
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.network import Network, compile_network
from support.queries import ABSENT, PRESENT
from support.random_models import random_content

TESTS = Path(__file__).parents[2]
PRINT_THE_PLAN = """
from test_plan import large, problem_of
from calfbayes.inference.plan import make_plan
network = large()
print(repr(make_plan(problem_of(network, 6))))
"""


def content() -> Content:
    return random_content(Random(5), n_causes=16, n_complications=2, n_mechanisms=3, n_findings=24, n_risks=5)


def large() -> Network:
    return compile_network(knowledge_from_content(content(), name="large"))


def problem_of(network: Network, n_positive: int, *, n_negative: int = 0, n_known: int = 0) -> Problem:
    """A query with the first findings present, the next ones absent, and the first risk factors known."""
    findings = [node for node in network.findings if node != network.complaint]
    answers = [PRESENT] * n_positive + [ABSENT] * n_negative
    reports = tuple((node, *answer) for node, answer in zip(findings, answers, strict=False))
    states = tuple(0 if k < n_known else -1 for k in range(len(network.risks)))
    return reduce(network, np.zeros(network.n_causes), Encoded(states, reports))


def test_a_plan_is_deterministic() -> None:
    again = planning.plan_of.__wrapped__(problem_of(large(), 6).structure())  # plans are kept, and equal structures share one
    assert make_plan(problem_of(large(), 6)) == again


def test_a_plan_does_not_depend_on_the_order_that_python_hashes_in() -> None:
    def plan_with(seed: int) -> str:
        environment = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": f"{TESTS.parent / 'src'}:{TESTS}:{Path(__file__).parent}"}
        done = subprocess.run(
            [sys.executable, "-c", PRINT_THE_PLAN], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert plan_with(1) == plan_with(2) == repr(make_plan(problem_of(large(), 6))) + "\n"


def test_a_plan_prints_its_price() -> None:
    plan = make_plan(problem_of(large(), 4))
    text = str(plan)
    assert f"{len(plan.steps)} steps" in text
    assert f"2^{plan.width:.1f}" in text
    assert f"{plan.operations:.3g} operations" in text
    assert f"{plan.states * 8 / 2**20:.3g} MiB of messages" in text
    program = program_of(problem_of(large(), 4).structure())
    matrices = program.memory - 8 * plan.states
    assert str(program) == f"{text} and {matrices / 2**20:.3g} MiB of matrices"


def test_the_price_grows_with_the_positive_findings() -> None:
    network = large()
    prices = [make_plan(problem_of(network, n)).operations for n in (0, 3, 6, 9, 12)]
    assert prices == sorted(prices)
    assert prices[-1] > 10 * prices[0]


def test_the_price_falls_with_the_risk_factors_that_are_known() -> None:
    network = large()
    prices = [make_plan(problem_of(network, 6, n_known=n)).operations for n in range(len(network.risks) + 1)]
    assert prices[-1] < prices[0] / 4
    assert min(prices) == prices[-1]


def test_an_absent_finding_of_causes_alone_costs_nothing() -> None:
    given = random_content(Random(5), n_causes=16, n_complications=0, n_mechanisms=0, n_findings=24, n_risks=0)
    network = compile_network(knowledge_from_content(given, name="large"))
    assert make_plan(problem_of(network, 5, n_negative=15)).operations <= make_plan(problem_of(network, 5)).operations


def test_sizes_follow_from_the_scopes() -> None:
    network = large()
    problem = problem_of(network, 6)
    plan = make_plan(problem)
    sizes = [2.0 ** len(scope.bits) * np.prod([problem.sizes[point] for point in scope.points]) for scope in plan.scopes]
    assert len(plan.scopes) == len(plan.steps) + 1
    assert plan.states == pytest.approx(sum(sizes))
    assert plan.width == pytest.approx(np.log2(max(sizes)))
    assert plan.scopes[-1].bits == plan.scopes[-1].points == ()


def test_every_message_is_used_once_and_every_item_and_factor_taken_in_once() -> None:
    problem = problem_of(large(), 6)
    plan = make_plan(problem)
    used = [message for message in _inputs(plan) if message > 0]
    assert sorted(used) == list(range(1, len(plan.steps)))
    assert sorted(step.item for step in plan.steps if hasattr(step, "item")) == list(range(len(problem.items)))
    assert sorted(step.table for step in plan.steps if hasattr(step, "table")) == list(range(len(problem.tables)))
    assert {step.bit for step in plan.steps if hasattr(step, "bit")} == set(problem.bits)
    assert {step.point for step in plan.steps if hasattr(step, "point")} == set(problem.sizes)


def test_the_price_is_that_of_the_steps() -> None:
    problem = problem_of(large(), 6)
    plan = make_plan(problem)
    sizes = [2.0 ** len(scope.bits) * np.prod([problem.sizes[point] for point in scope.points]) for scope in plan.scopes]
    price = 0.0
    for step, after in zip(plan.steps, range(1, len(plan.scopes)), strict=True):
        if isinstance(step, Absorb):
            price += MATRIX * (3 + len(problem.items[step.item].children)) * sizes[after]
        elif isinstance(step, Merge):
            shared = set(plan.scopes[step.left].bits) & set(plan.scopes[step.right].bits)
            price += 1.5 ** len(shared) * sizes[after]
        elif isinstance(step, Multiply):
            price += MATRIX * sizes[after]
        else:
            price += MATRIX * max(sizes[after], sizes[step.message])
    assert plan.operations == pytest.approx(2 * price)


def test_a_dear_query_is_planned_several_times_and_a_cheap_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best of several is kept; the choice among orders is seeded, so it is always the same."""
    dear, cheap = problem_of(large(), 3).structure(), problem_of(large(), 1, n_known=5).structure()
    searched = {structure: planning.plan_of.__wrapped__(structure) for structure in (dear, cheap)}
    assert searched[dear] == planning.plan_of.__wrapped__(dear)
    monkeypatch.setattr(planning, "MOST_SEARCHES", 0)
    once = {structure: planning.plan_of.__wrapped__(structure) for structure in (dear, cheap)}
    assert searched[dear].operations < once[dear].operations
    assert searched[cheap] == once[cheap]


def test_messages_that_share_many_bits_are_not_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done to one is done to the other instead; that is cheaper, and messages stay small."""
    structure = problem_of(large(), 5, n_known=5).structure()
    monkeypatch.setattr(planning, "LARGEST_AGAIN", 16.0)  # these messages are all large
    instead = planning.plan_of.__wrapped__(structure)
    monkeypatch.setattr(planning, "LARGEST_AGAIN", -1.0)
    merged = planning.plan_of.__wrapped__(structure)
    assert sum(isinstance(step, Merge) for step in instead.steps) < sum(isinstance(step, Merge) for step in merged.steps)
    assert instead.operations < merged.operations
    assert instead.width <= max(merged.width, 16.0)


def _inputs(plan: Plan) -> list[int]:
    inputs: list[int] = []
    for step in plan.steps:
        inputs += [step.left, step.right] if isinstance(step, Merge) else [step.message]
    return inputs
