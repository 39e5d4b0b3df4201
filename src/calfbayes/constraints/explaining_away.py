"""Explaining away: evidence that speaks for a cause may lower it, since it speaks for a competitor more.

That is lawful in a network of causes that share findings (design section 6), and looks like a fault. It is told from a
fault in two ways. The cause must have moved against the demand: one that moved as demanded, but too little or too far, has
nobody to blame. And the competitor is held still: with it known to be present, and with it known to be absent, the same
evidence must move the cause as demanded, or in one of the two not at all. What moved it must then be the rise (or fall) of
the competitor.

References:
    Wellman, Henrion (1993), Explaining "explaining away".
"""

from collections.abc import Sequence
from dataclasses import replace

from calfbayes.constraints.beliefs import Beliefs
from calfbayes.constraints.terms import LITTLE, Bounds, Causes, Moves, Selection

MOST_TRIED = 12  # competitors, those that move most first
ROUNDING = 1e-9
UNMOVED = Bounds(1 - LITTLE, 1 + LITTLE)


def competitors(beliefs: Beliefs, constraint: Moves, target: Causes) -> tuple[str, ...]:
    """Causes each of which alone accounts for a movement of the target against the demand; none if it did not move so."""
    network, sides = beliefs.network, ((*constraint.whom, constraint.compared_with), (*constraint.whom, constraint.of))
    before, after = (beliefs.masses(constraint.setting, target, *side) for side in sides)
    times = constraint.moved(before[0] / sum(before), after[0] / sum(after))
    is_demanded = constraint.times.low > 0  # else it is forbidden
    if times >= 1 if is_demanded else times <= 1:
        return ()
    # where the target fell the competitor rose, and the other way round
    sign = 1 if constraint.upward == is_demanded else -1
    first, second = (beliefs.about(constraint.setting, *side) for side in sides)
    shifts = {
        network.nodes[k].id: sign * (second.of(network.nodes[k].id) - first.of(network.nodes[k].id))
        for k in network.causes
        if network.nodes[k].id not in target
    }
    tried = sorted((cause for cause, shift in shifts.items() if shift > ROUNDING), key=lambda cause: (-shifts[cause], cause))
    return tuple(cause for cause in tried[:MOST_TRIED] if _as_demanded(beliefs, constraint, target, cause, sides))


def _as_demanded(
    beliefs: Beliefs, constraint: Moves, target: Causes, competitor: str, sides: Sequence[Sequence[Selection]]
) -> bool:
    """Say whether the target moves as demanded, in one of the two cases perhaps not at all, with the competitor held still."""
    before, after = (_shares_within(beliefs, constraint.setting, target, competitor, side) for side in sides)
    if before is None or after is None:
        return False
    bounds = constraint.times.stretched(constraint.tolerance)
    if bounds.low > 1:
        bounds = replace(bounds, low=max(bounds.low, UNMOVED.high))
    moved = [constraint.moved(*shares) for shares in zip(before, after, strict=True)]
    return any(map(bounds.hold, moved)) and all(bounds.hold(times) or UNMOVED.hold(times) for times in moved)


def _shares_within(
    beliefs: Beliefs, setting: str, target: Causes, competitor: str, selections: Sequence[Selection]
) -> tuple[float, float] | None:
    """P(target | competitor, selections), with it present and with it absent; None if there are no such patients."""
    of_target, not_target = beliefs.masses(setting, target, *selections)
    of_competitor, not_competitor = beliefs.masses(setting, (competitor,), *selections)
    of_either, _ = beliefs.masses(setting, (*target, competitor), *selections)
    if min(of_competitor, not_competitor) <= ROUNDING * (of_target + not_target):
        return None
    of_both = max(of_target + of_competitor - of_either, 0.0)
    return of_both / of_competitor, max(of_either - of_competitor, 0.0) / not_competitor
