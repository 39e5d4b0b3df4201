"""The engine on the shipped models against elimination with 80 digits, down to evidence that is all but impossible."""

from decimal import Decimal
from random import Random

import numpy as np
import pytest

from calfbayes.inference.exact import infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.network import Network
from support.decimals import DIGITS, infer_in_decimals
from support.models import SHIPPED, random_model, shipped
from support.queries import ABSENT, PRESENT

DOUBTFUL = (0.25, 0.75)
LN_10 = Decimal(10).ln()


def question(name: str, *, n_unknown: int, n_present: int) -> tuple[Network, Array, Encoded]:
    """Findings that do not belong together, so that P(evidence) is tiny; the care settings by turns."""
    rng = Random(100 * n_unknown + n_present)
    solved = shipped(name)._solved
    network = solved.network
    states: list[int] = []
    for risk in network.risks:
        states.append(rng.choice(np.flatnonzero(risk.prior[tuple(states[parent] for parent in risk.parents)]).tolist()))
    for risk_position in rng.sample(range(len(states)), min(n_unknown, len(states))):
        states[risk_position] = -1
    answers = [PRESENT] * n_present + [DOUBTFUL] + [ABSENT] * 2 * n_present
    findings = rng.sample([node for node in network.findings if node != network.complaint], len(answers))
    reports = sorted((node, off, on) for node, (off, on) in zip(findings, answers, strict=True))
    setting = sorted(solved.bases)[n_present % len(solved.bases)]
    return network, solved.bases[setting].logits, Encoded(tuple(states), tuple(reports))


def assert_agrees(network: Network, logits: Array, evidence: Encoded) -> Decimal:
    """Compare log P and every posterior, mechanisms included; returns log10 of P(evidence, complaint)."""
    exact = infer_in_decimals(network, logits.tolist(), evidence)
    ours = infer(network, logits, evidence, also=tuple(network.mechanisms))
    assert abs(Decimal(ours.log_joint) - exact.log_joint) < 1e-10
    assert set(ours.hidden) == set(exact.hidden)
    for node, p in ours.hidden.items():
        assert abs(Decimal(p) - exact.hidden[node]) <= Decimal("1e-10") * exact.hidden[node], network.nodes[node].id
    return exact.log_joint / LN_10


@pytest.mark.parametrize(("n_unknown", "n_present"), [(0, 1), (4, 7), (6, 9), (25, 5), (40, 3)])
def test_calf_posteriors_are_right(n_unknown: int, n_present: int) -> None:
    assert_agrees(*question("calf", n_unknown=n_unknown, n_present=n_present))


def test_calf_posteriors_are_right_where_the_evidence_has_probability_1e_minus_30_and_less() -> None:
    assert assert_agrees(*question("calf", n_unknown=12, n_present=8)) < -30


@pytest.mark.parametrize("n_present", [1, 2, 3, 4])
def test_tutorial_posteriors_are_right(n_present: int) -> None:
    assert_agrees(*question("tutorial", n_unknown=0, n_present=n_present))


@pytest.mark.parametrize("seed", range(8))
def test_random_models_with_every_finding_answered(seed: int) -> None:
    solved = random_model(seed, n_causes=6, n_findings=8)._solved
    findings = [node for node in solved.network.findings if node != solved.network.complaint]
    reports = tuple((node, *(PRESENT, PRESENT, ABSENT, DOUBTFUL)[k % 4]) for k, node in enumerate(findings))
    unknown = (-1,) * len(solved.network.risks)
    assert_agrees(solved.network, next(iter(solved.bases.values())).logits, Encoded(unknown, reports))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_oracle_has_digits_to_spare(name: str) -> None:
    """Its terms have signs, so it loses digits; were these too few, half as many again would give another answer."""
    network, logits, evidence = question(name, n_unknown=2, n_present=4)
    few, many = (infer_in_decimals(network, logits.tolist(), evidence, digits=digits) for digits in (DIGITS, DIGITS * 3 // 2))
    assert abs(few.log_joint - many.log_joint) < Decimal("1e-40")
    assert max(abs(few.hidden[node] - many.hidden[node]) for node in few.hidden) < Decimal("1e-40")
