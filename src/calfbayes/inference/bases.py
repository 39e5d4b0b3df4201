"""Weights -> shares -> bases: with nothing known but the setting, the posterior of every cause is its share.

share_i = weight_i / sum of weights * (1 + coincidence). Let Z be P(complaint), the probability that some cause is
present. A cause implies the complaint, so P(i | complaint) = P(i) / Z, and the bases have to give

    P(i) = share_i Z   for every cause,   and   1 - P(no cause) = Z.

Given Z, the causes are solved one after the other, parents first: P(i) rises with its own base and depends on nothing
else but the risk factors and the bases of its parents, both known by then. So one root Z in (0, 1] remains. Without
risk factors and arcs it is the root of Z = 1 - product(1 - share_i Z), which exists exactly if the shares sum to more
than 1. With an arc u -> i the parent alone must not already give more than share_i, and the coincidence must leave room
for the pairs that the arcs make.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calfbayes.errors import Fault, ModelFileError
from calfbayes.inference.base_equations import MAX_STEPS, BaseEquations, Given, rows_of_widest
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import Cause
from calfbayes.network import Network, Numbers

TOLERANCE = 1e-13  # of Z
LAST_STEP = 1e-9  # of Z; by secants the next one, of the order of the product of the last two, would change nothing
AT_ONCE = 2**19  # numbers of one kind that are worth holding at once
SMALL = 1e-6  # below every Z of interest


@dataclass(frozen=True, slots=True)
class Bases:
    """The bases of one care setting.

    Attributes:
        logits: Logit of the base of each cause, shape (n_causes,); -inf for a weight of 0.
        shares: Posterior of each cause with nothing known but the setting, shape (n_causes,).
        complaint: Z, the probability of the complaint under the model.
    """

    logits: Array
    shares: Array
    complaint: float


def shares_of(network: Network, setting: str) -> Array:
    """The shares that the weights of a setting mean, shape (n_causes,); they sum to 1 + coincidence."""
    weights = weights_of(network, setting)
    coincidence = next(s.coincidence.value for s in network.knowledge.settings if s.id == setting)
    shares: Array = weights / weights.sum() * (1.0 + coincidence)
    return shares


def weights_of(network: Network, setting: str) -> Array:
    """The weights of a setting, shape (n_causes,)."""
    records = (network.records[network.nodes[cause].id] for cause in network.causes)
    weights = [w.number.value for r in records if isinstance(r, Cause) for w in r.weights if w.setting == setting]
    return np.array(weights)


def solve_bases(network: Network, setting: str) -> Bases:
    """Find the bases of one care setting.

    Raises:
        ModelFileError: If no bases give these shares; it names the cause, and the arc if one is to blame.
    """
    shares = shares_of(network, setting)
    solved = solve_in_lanes(network, network.numbers(np.zeros(network.n_causes)), shares[None])
    if not solved.feasible[0]:
        raise ModelFileError(network.knowledge.name, (_fault_of(network, setting, shares, solved),))
    return Bases(_read_only(solved.logits[0]), _read_only(shares), float(solved.complaint[0]))


@dataclass(frozen=True, eq=False)
class BasesInLanes:
    """Bases of several networks of one structure.

    Attributes:
        logits: Logit of the base of each cause, shape (lanes, n_causes).
        complaint: Z, shape (lanes,).
        feasible: Whether these bases give the shares, shape (lanes,); where none do, the others mean nothing.
        too_much: Where the parents alone give a cause more than its share, shape (lanes, n_causes).
        too_little: Where the risk states that allow a cause cannot give it its share, shape (lanes, n_causes).
        missing: How much more coincidence would be needed at least, shape (lanes,); 0 if there is enough.
    """

    logits: Array
    complaint: Array
    feasible: NDArray[np.bool_]
    too_much: NDArray[np.bool_]
    too_little: NDArray[np.bool_]
    missing: Array


def solve_in_lanes(network: Network, numbers: Numbers, shares: Array) -> BasesInLanes:
    """Find the bases of a batch, lanes of numbers, of shares, or of both.

    Args:
        numbers: The bases of the causes in it are not looked at.
        shares: Posterior of each cause with nothing known but the setting, shape (lanes, n_causes).
    """
    lanes = max(numbers.lanes, len(shares))
    at_once = max(1, AT_ONCE // rows_of_widest(network))
    parts = [slice(first, first + at_once) for first in range(0, lanes, at_once)]
    solved = [_solved(network, numbers.part(part), shares if len(shares) == 1 else shares[part]) for part in parts]
    if len(solved) == 1:
        return solved[0]
    names = ("logits", "complaint", "feasible", "too_much", "too_little", "missing")
    return BasesInLanes(*(np.concatenate([getattr(of, name) for of in solved]) for name in names))


def _solved(network: Network, numbers: Numbers, shares: Array) -> BasesInLanes:
    equations = BaseEquations(network, numbers, np.minimum(shares, 1.0))
    near: Given | None = None

    def excess(z: Array) -> Array:
        """P(some cause) - z over z, nearly a line in z, with the bases that belong to z."""
        nonlocal near
        near = equations.at(z, near)
        return near.some_cause / z - 1.0

    start, slope = _independent_roots(shares, equations.lanes)
    z = _largest_roots(excess, start, slope / start)
    given = equations.at(z, near)
    missing = np.zeros(equations.lanes)
    rootless = (np.abs(given.some_cause - z) > LAST_STEP * z) | (z < 2 * SMALL)
    if rootless.any():  # a concave function that falls from 0 on is nowhere above it
        at_small = equations.at(np.full(equations.lanes, SMALL))
        missing = np.where(rootless, np.maximum(1.0 - at_small.some_cause / SMALL, 0.0), 0.0)
        z = np.where(missing > 0.0, SMALL, z)
        given = equations.at(z, at_small)
    reached = ~(given.too_much | given.too_little).any(axis=1) & (shares <= 1.0).all(axis=1)
    return BasesInLanes(given.logits, z, reached & (missing == 0.0), given.too_much, given.too_little, missing)


def _independent_roots(shares: Array, lanes: int) -> tuple[Array, Array]:
    """Z without risk factors and arcs, and the slope of P(some cause) - Z there, shape (lanes,) each."""

    def no_cause(z: Array) -> Array:
        return np.asarray(np.log1p(-np.minimum(shares * z[:, None], 1 - 1e-16)).sum(axis=1))

    def excess(z: Array) -> Array:
        return np.asarray(-np.expm1(no_cause(z)) - z)

    z = _largest_roots(excess, np.ones(lanes), np.full(lanes, -1.0))
    odds = shares / (1.0 - np.minimum(shares * z[:, None], 1 - 1e-16))
    return z, np.exp(no_cause(z)) * odds.sum(axis=1) - 1.0


def _fault_of(network: Network, setting: str, shares: Array, solved: BasesInLanes) -> Fault:
    """Why no bases give the shares."""
    over = int(np.argmax(shares))
    if shares[over] > 1.0:
        problem = f"its share would be {shares[over]:.3g}, more than 1"
        return _fault_of_cause(network, setting, over, "weight", problem, "lower the weight or the coincidence")
    too_much, too_little = solved.too_much[0], solved.too_little[0]
    for cause in np.flatnonzero(too_much | too_little).tolist():
        if too_much[cause]:
            return _parents_give_too_much(network, setting, shares, cause)
        problem = f"its share {shares[cause]:.3g} is more than the states that allow it can give"
        remedy = "lower its weight, or the number of states with odds ratio 0"
        return _fault_of_cause(network, setting, cause, "odds", problem, remedy)
    coincidence = float(shares.sum()) - 1.0
    problem = (
        f"is {coincidence:.3g}, but causes that bring each other (links between causes, shared risk factors) "
        f"need more than {coincidence + float(solved.missing[0]):.3g}"
    )
    return Fault("model.toml", f"settings.{setting}.coincidence", problem, "raise it, or lower the links between causes")


def _parents_give_too_much(network: Network, setting: str, shares: Array, cause: int) -> Fault:
    nodes = network.nodes
    child, share = nodes[cause].id, shares[cause]
    parent, w = max(nodes[cause].parents, key=lambda arc: arc[1] * shares[arc[0]])
    given = sum(link * shares[other] for other, link in nodes[cause].parents)
    largest = max(0.0, w - (given - share) / shares[parent])
    problem = (
        f"no base gives {child} its share {share:.3g} in {setting}: its parents alone give about {given:.3g}, "
        f"most of it by {nodes[parent].id} -> {child} ({w:.3g})"
    )
    remedy = f"lower that link to {largest:.3g} or less, or raise the weight of {child}"
    return Fault(f"causes/{nodes[parent].id}.toml", f"links.{child}", problem, remedy)


def _fault_of_cause(network: Network, setting: str, cause: int, place: str, problem: str, remedy: str) -> Fault:
    return Fault(f"causes/{network.nodes[cause].id}.toml", place, f"in {setting}, {problem}", remedy)


def _largest_roots(f: Callable[[Array], Array], start: Array, slope: Array) -> Array:
    """The root of functions with f(1) <= 0 that are above 0 only below it, one a lane: secant steps kept inside brackets.

    Where f is nowhere above 0 the result means nothing.

    Args:
        slope: What the slope at the start may be.
    """
    low, high = np.full_like(start, SMALL), np.ones_like(start)
    b = np.minimum(start, 1.0)
    a = fa = np.full_like(b, np.nan)
    found = np.zeros(len(start), dtype=bool)
    for _ in range(MAX_STEPS):
        fb = f(b)
        low, high = np.where(fb > 0.0, np.maximum(low, b), low), np.where(fb > 0.0, high, np.minimum(high, b))
        found |= (fb == 0.0) | (high - low < TOLERANCE * high)
        with np.errstate(divide="ignore", invalid="ignore"):
            secant = (fb - fa) / (b - a)
            slope = np.where(np.isfinite(secant), secant, slope)
            step = b - fb / slope
        inside = (low < step) & (step < high)
        a, fa, b = b, fb, np.where(found, b, np.where(inside, step, (low + high) / 2))
        found |= np.abs(b - a) < np.where(inside, LAST_STEP, TOLERANCE) * b
        if found.all():
            break
    return b


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
