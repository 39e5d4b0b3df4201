"""Derivatives of log P(evidence) with respect to the network's numbers against central differences.

A number is moved by itself. One at the end of its range (a link of 0 or 1, a leak, base or odds ratio of 0) is moved
inwards only, by a difference of second order: the network knows it as infinite, and its exponential is moved.
"""

from dataclasses import replace

import numpy as np
import pytest

from calfbayes import Likelihood
from calfbayes.diagnosis.encoding import encode
from calfbayes.evidence import Value
from calfbayes.inference.exact import answer
from calfbayes.inference.reduction import Query
from calfbayes.inference.tables import Array
from calfbayes.network import Network, Numbers
from support.cases import random_case
from support.models import shipped

STEP = 2.0**-17
FIELDS = ("logits", "links", "log_odds", "priors")


def moved(field: str, x: float) -> tuple[Array, Array]:
    """Values to compute at, and the weights that make a derivative of what comes out (errors of third or fourth order)."""
    outwards = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, -8.0, 8.0, -1.0]) / 12.0
    inwards = np.array([0.0, 1.0, 2.0, 3.0]), np.array([-11.0, 18.0, -9.0, 2.0]) / 6.0
    with np.errstate(divide="ignore"):
        if field in ("logits", "log_odds"):
            if x == -np.inf:
                return np.log(inwards[0] * STEP), inwards[1] / STEP
            if x == np.inf:
                return -np.log(inwards[0] * STEP), -inwards[1] / STEP
            return x + 64 * STEP * outwards[0], outwards[1] / STEP / 64
        if x == 0.0:
            return x + STEP * inwards[0], inwards[1] / STEP
        if x == 1.0:
            return x - STEP * inwards[0], -inwards[1] / STEP
    h = min(STEP * 8, x / 4, (1 - x) / 4)
    return x + h * outwards[0], outwards[1] / h


def differences(network: Network, numbers: Numbers, query: Query, field: str, positions: list[int]) -> Array:
    """The derivative of log P(evidence) in each of some numbers, numerically; all of them in the lanes of one batch."""
    values = getattr(numbers, field)[0]
    steps = [moved(field, float(values[position])) for position in positions]
    lanes = np.repeat(values[None], 4 * len(steps), axis=0)
    for k, (position, (at, _)) in enumerate(zip(positions, steps, strict=True)):
        lanes[4 * k : 4 * k + 4, position] = at
    # asked for slopes, the engine also keeps risk factors that nothing depends on: their priors do not sum to 1 here
    batch = replace(numbers, **{field: lanes})
    logs = answer(network, batch, query, slopes=field == "priors", cost_limit=np.inf).log_joint.reshape(-1, 4)
    return np.array([weights @ (of - of[0]) for of, (_, weights) in zip(logs, steps, strict=True)])


def check(network: Network, numbers: Numbers, query: Query, *, most: int = 10**6) -> None:
    slopes = answer(network, numbers, query, slopes=True, cost_limit=np.inf).slopes
    assert slopes is not None
    generator = np.random.default_rng(0)
    for field in FIELDS:
        found = getattr(slopes, field)[0]
        assert np.isfinite(found).all()
        some = np.sort(generator.permutation(len(found))[:most]).tolist()
        if some:
            expected = differences(network, numbers, query, field, some)
            assert found[some] == pytest.approx(expected, rel=1e-6, abs=2e-8), field


@pytest.mark.parametrize("seed", range(150))
def test_slopes_equal_differences_on_random_networks(seed: int) -> None:
    while random_case(seed).answer.joint == 0:
        seed += 1000
    case = random_case(seed)
    check(case.network, case.network.numbers(case.logits), Query.of(case.encoded))


def test_slopes_equal_differences_in_lanes() -> None:
    """Each lane has evidence and numbers of its own, zeros in some lanes only."""
    case = random_case(33)
    network = case.network
    given = network.numbers(case.logits)
    generator = np.random.default_rng(1)
    numbers = replace(
        given,
        links=given.links * generator.choice([0.0, 0.5, 1.0], (3, given.links.shape[1])),
        logits=np.where(generator.random((3, given.logits.shape[1])) < 0.2, -np.inf, given.logits),
        log_odds=np.where(generator.random((3, given.log_odds.shape[1])) < 0.2, -np.inf, given.log_odds),
    )
    numbers.links[:, [child == network.complaint for _, child in network.layout.arcs]] = 1.0
    reports = {node: (np.array([off, 1.0, 1.0]), np.array([on, 1.0, 0.0])) for node, off, on in case.encoded.findings}
    held = {0: (np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0]))}
    query = replace(Query.of(case.encoded), reports=reports, weights=held)
    slopes = answer(network, numbers, query, slopes=True).slopes
    assert slopes is not None
    for lane in range(3):
        of_lane = slice(lane, lane + 1)
        for field in FIELDS:
            positions = list(range(getattr(numbers, field).shape[1]))
            expected = differences(network, numbers.part(of_lane), query.part(of_lane), field, positions)
            assert getattr(slopes, field)[lane] == pytest.approx(expected, rel=1e-6, abs=2e-8)


@pytest.mark.parametrize(
    "given",
    [
        {"unilateral_calf_swelling": True, "redness": False, "age": 70},
        {"age": 45, "sex": "female", "pain_on_walking": True, "redness": True, "fever": Likelihood(3.0)},
        {"age": 60, "sex": "male", "smoking": False},
    ],
)
def test_slopes_equal_differences_on_the_calf(given: dict[str, Value]) -> None:
    model = shipped("calf")
    network = model._solved.network
    numbers = network.numbers(model._solved.bases["primary_care"].logits)
    check(network, numbers, Query.of(encode(network, model.evidence(given))), most=12)
