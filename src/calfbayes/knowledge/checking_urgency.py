"""Checks of the levels, the table of losses, and the red-flag rules."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import combinations, pairwise, product

from calfbayes.errors import Fault
from calfbayes.knowledge.checking_conditions import condition_faults
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, AllOf, AnyOf, Atom, Condition, Level, Observer, Rule

ROUNDING = 1e-12

_fault = partial(Fault, "urgency.toml")


def levels_and_losses_are_sound(index: Index) -> Iterator[Fault]:
    """Each level is described, and the losses are complete, zero on the diagonal, with decreasing differences."""
    described = [text.level for text in index.knowledge.urgency.levels]
    for level in Level:
        if level not in described:
            yield _fault(f"levels.{level}", "is missing", "add its label and action")
    loss = {
        (acted, needed): index.knowledge.urgency.loss[acted.severity][needed.severity] for acted in Level for needed in Level
    }
    missing = [pair for pair, cost in loss.items() if math.isnan(cost)]
    for acted, needed in missing:
        yield _fault(f"loss.acted.{acted}.{needed}", "is missing", "give the cost")
    if missing:
        return
    for level in Level:
        if loss[level, level] != 0:
            yield _fault(f"loss.acted.{level}.{level}", "acting as needed costs something", "set it to 0")
    # Acting at a higher level must gain no less, the higher the level that is needed: then more danger never lowers the level.
    for (low, high), (less, more) in product(pairwise(LEVELS_BY_SEVERITY), repeat=2):
        before, after = loss[high, less] - loss[low, less], loss[high, more] - loss[low, more]
        if after > before + ROUNDING:
            problem = (
                f"the differences do not decrease: {high} instead of {low} costs {before:g} more when {less} is needed "
                f"but {after:g} more when {more} is"
            )
            remedy = "raise the cost of acting too late or lower that of acting too early"
            yield _fault(f"loss.acted.{high}.{more}", problem, remedy)


def rules_are_sound(index: Index) -> Iterator[Fault]:
    """Each rule has its own id, speaks of what exists, and can fire on what a patient can report."""
    seen: set[str] = set()
    for rule in index.knowledge.urgency.rules:
        if rule.id in seen:
            yield _fault(f"rules.{rule.id}", "the id stands twice", "give each rule its own id")
        seen.add(rule.id)
        faults = [*condition_faults(index, "urgency.toml", f"rules.{rule.id}.when", rule.condition)]
        yield from faults or _firing_faults(index, rule)


def _firing_faults(index: Index, rule: Rule) -> Iterator[Fault]:
    fault = partial(_fault, f"rules.{rule.id}.when")
    if not _patient_can_fire(index, rule.condition):
        yield fault("nothing that a patient can report fires the rule", "add a finding that a patient can tell")
    for one, other in _demanded_together(rule.condition):
        if _exclude_each_other(index, one, other):
            yield fault(f"{one} and {other} exclude each other and cannot both hold", "join them by any")


def _patient_can_fire(index: Index, condition: Condition) -> bool:
    """Say whether the condition holds when everything that a patient can tell is present."""
    if isinstance(condition, Atom):
        return condition.id not in index.findings or index.findings[condition.id].observer == Observer.PATIENT
    holds = (_patient_can_fire(index, part) for part in condition.parts)
    return any(holds) if isinstance(condition, AnyOf) else all(holds)


def _demanded_together(condition: Condition) -> Iterator[tuple[Atom, Atom]]:
    """Yield the pairs of atoms that stand side by side in an `all`, or in an `all` inside it."""
    if isinstance(condition, AllOf):
        yield from combinations(_demanded(condition), 2)
    if not isinstance(condition, Atom):
        for part in condition.parts:
            if not isinstance(condition, AllOf) or not isinstance(part, AllOf):  # its pairs are among these already
                yield from _demanded_together(part)


def _demanded(condition: Condition) -> Iterator[Atom]:
    if isinstance(condition, Atom):
        yield condition
    elif isinstance(condition, AllOf):
        for part in condition.parts:
            yield from _demanded(part)


def _exclude_each_other(index: Index, one: Atom, other: Atom) -> bool:
    if one.id in index.findings and other.id in index.findings:
        return other.id in index.findings[one.id].excludes or one.id in index.findings[other.id].excludes
    if one.id == other.id:
        return one.state != other.state
    return _leaves_no_chance(index, one, other) or _leaves_no_chance(index, other, one)


def _leaves_no_chance(index: Index, one: Atom, other: Atom) -> bool:
    """Say whether the table of a risk factor gives this state probability 0 wherever another one has that state."""
    given, factor = index.factors.get(one.id), index.factors.get(other.id)
    if given is None or factor is None or one.id not in factor.parents:
        return False
    place = factor.states.index(other.state)
    rows = [row for row in factor.prior if one.state in dict(row.when).get(one.id, given.states)]
    return bool(rows) and all(row.probabilities[place] == 0 for row in rows)
