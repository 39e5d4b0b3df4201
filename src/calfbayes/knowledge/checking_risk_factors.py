"""Checks of risk factors: their states, and the tables of their priors."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import pairwise, product

from calfbayes.errors import Fault
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.terms import PriorRow, RiskFactor
from calfbayes.knowledge.wording import nearest

MAX_ROWS = 10_000
SUM_TOLERANCE = 1e-9

_fault = partial(Fault, "risk_factors.toml")


def states_are_sound(index: Index) -> Iterator[Fault]:
    """States are distinct, the reference is one of them, and bands rise."""
    for factor in index.knowledge.risk_factors:
        if len(set(factor.states)) < len(factor.states):
            yield _fault(f"{factor.id}.states", "a state stands twice", "name each state once")
        if factor.states and factor.reference not in factor.states:
            problem = f"{factor.reference} is no state of {factor.id}"
            yield _fault(f"{factor.id}.reference", problem, nearest(factor.reference, factor.states))
        if factor.states and not any(map(math.isnan, factor.lower_bounds)):
            yield from _band_faults(factor)


def _band_faults(factor: RiskFactor) -> Iterator[Fault]:
    bounds = factor.lower_bounds
    missing = [key for key, given in (("unit", factor.unit), ("lower_bounds", bounds)) if not given]
    if len(missing) == 1:
        yield _fault(
            f"{factor.id}.{missing[0]}", "is missing", "a number needs both unit and lower_bounds: give both or neither"
        )
    if bounds and (len(bounds) != len(factor.states) or any(a >= b for a, b in pairwise(bounds))):
        problem = (
            f"{len(bounds)} numbers for {len(factor.states)} states" if len(bounds) != len(factor.states) else "do not rise"
        )
        yield _fault(f"{factor.id}.lower_bounds", problem, "give one rising number for each state")
    elif bounds and factor.upper_bound <= bounds[-1]:
        problem = f"is {factor.upper_bound:g}, not above the last of lower_bounds, {bounds[-1]:g}"
        yield _fault(f"{factor.id}.upper_bound", problem, "give the largest number that is accepted")


def prior_tables_are_complete(index: Index) -> Iterator[Fault]:
    """Every combination of the parents' states has exactly one row, and every row sums to 1."""
    for factor in index.knowledge.risk_factors:
        faults = [
            fault
            for number, row in enumerate(factor.prior)
            for fault in (
                *_condition_faults(index, row, f"{factor.id}.prior[{number}]"),
                *_row_faults(factor, row, f"{factor.id}.prior[{number}]"),
            )
        ]
        yield from faults or _coverage_faults(index, factor)


def _condition_faults(index: Index, row: PriorRow, place: str) -> Iterator[Fault]:
    for name, states in row.when:
        parent = index.factors.get(name)
        fault = partial(_fault, f"{place}.when.{name}")
        if parent is None:
            role = index.roles.get(name)
            yield fault(f"{name} is no risk factor{f', it is a {role}' if role else ''}", nearest(name, index.factors))
            continue
        for state in states:
            if parent.states and state not in parent.states:
                yield fault(f"{state} is no state of {name}", nearest(state, parent.states))
        if len(set(states)) < len(states):
            yield fault("a state stands twice", "name each state once")


def _row_faults(factor: RiskFactor, row: PriorRow, place: str) -> Iterator[Fault]:
    if factor.reference not in factor.states or len(set(factor.states)) < len(factor.states):
        return  # told already
    total, number = sum(row.probabilities), row.number
    if not math.isclose(total, 1.0, abs_tol=SUM_TOLERANCE) or min(row.probabilities) < 0:
        problem = f"{', '.join(factor.states)} get {total:.6g} in sum, the least {min(row.probabilities):.6g}"
        yield _fault(f"{place}.probabilities", problem, "name these states only; they must sum to 1, none below 0")
    elif number.low is not None and number.high is not None and not number.low <= number.value <= number.high:
        problem = (
            f"[{number.low:g}, {number.high:g}] does not contain {number.value:g}, the probability of being elsewhere than in"
        )
        yield _fault(f"{place}.range", f"{problem} {factor.reference}", "give the 90 % range around that probability")


def _coverage_faults(index: Index, factor: RiskFactor) -> Iterator[Fault]:
    sizes = [len(index.factors[parent].states) for parent in factor.parents]
    if math.prod(sizes) > MAX_ROWS:
        problem = f"has {' x '.join(map(str, sizes))} combinations of states of its parents"
        yield _fault(f"{factor.id}.prior", problem, f"at most {MAX_ROWS} are read: use fewer parents")
        return
    covered: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(factor.prior):
        when = dict(row.when)
        for states in product(*(when.get(parent, index.factors[parent].states) for parent in factor.parents)):
            if states in covered:
                yield _coverage_fault(factor, states, f"rows {covered[states]} and {number}")
                return  # one example says it all
            covered[states] = number
    missing = (s for s in product(*(index.factors[parent].states for parent in factor.parents)) if s not in covered)
    for states in missing:
        yield _coverage_fault(factor, states, "no row")
        return


def _coverage_fault(factor: RiskFactor, states: tuple[str, ...], rows: str) -> Fault:
    which = ", ".join(f"{parent}={state}" for parent, state in zip(factor.parents, states, strict=True)) or factor.id
    return _fault(f"{factor.id}.prior", f"{which} is covered by {rows}", "let exactly one row cover each combination")
