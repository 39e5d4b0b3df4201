"""Explaining away: evidence that speaks for a cause may lower it, since it speaks for a competitor more.

That is lawful in a network of causes that share findings (design section 6), and looks like a fault. It is told from a
fault by holding the competitor still: with the competitor known to be present, and with it known to be absent, the same
evidence moves the cause as demanded or not at all. What moved it must then be the rise (or fall) of the competitor.

References:
    Wellman, Henrion (1993), Explaining "explaining away".
"""

from collections.abc import Sequence

from calfbayes.constraints.beliefs import Beliefs
from calfbayes.constraints.terms import Causes, Moves, Selection

MOST_TRIED = 12  # competitors, those that move most first
ROUNDING = 1e-9


def competitors(beliefs: Beliefs, constraint: Moves, target: Causes) -> tuple[str, ...]:
    """Causes and complications each of which alone accounts for the movement of the target against the demand."""
    network, whom = beliefs.network, constraint.whom
    before, after = ((*whom, more) for more in (constraint.compared_with, constraint.of))
    first, second = (beliefs.about(constraint.setting, *selections) for selections in (before, after))
    # where the target fell the competitor rose, and the other way round
    sign = _sign(beliefs, constraint, target, before, after)
    shifts = {
        network.nodes[k].id: sign * (second.of(network.nodes[k].id) - first.of(network.nodes[k].id))
        for k in network.causes
        if network.nodes[k].id not in target
    }
    tried = sorted((cause for cause, shift in shifts.items() if shift > ROUNDING), key=lambda cause: (-shifts[cause], cause))
    return tuple(
        cause
        for cause in tried[:MOST_TRIED]
        if all(_as_demanded(beliefs, constraint, target, cause, (before, after), present=present) for present in (True, False))
    )


def _sign(
    beliefs: Beliefs, constraint: Moves, target: Causes, before: Sequence[Selection], after: Sequence[Selection]
) -> float:
    """1 if the evidence lowers the target, so that competitors rise; -1 otherwise."""
    p, q = (_share(beliefs, constraint.setting, target, selections) for selections in (before, after))
    return 1.0 if q < p else -1.0


def _as_demanded(
    beliefs: Beliefs,
    constraint: Moves,
    target: Causes,
    competitor: str,
    sides: tuple[Sequence[Selection], Sequence[Selection]],
    *,
    present: bool,
) -> bool:
    """Say whether the target moves as demanded, or stays, among patients in whom the competitor is known."""
    p, q = (_share_within(beliefs, constraint.setting, target, competitor, side, present=present) for side in sides)
    if p is None or q is None:
        return False
    if constraint.times.low > 0:  # a movement is demanded
        return q >= p * (1 - ROUNDING) if constraint.upward else q <= p * (1 + ROUNDING)
    larger, smaller = (q, p) if constraint.upward else (p, q)
    return larger <= smaller * constraint.times.stretched(constraint.tolerance).high


def _share(beliefs: Beliefs, setting: str, target: Causes, selections: Sequence[Selection]) -> float:
    with_target, without = beliefs.masses(setting, target, *selections)
    return with_target / (with_target + without) if with_target + without > 0 else float("nan")


def _share_within(
    beliefs: Beliefs, setting: str, target: Causes, competitor: str, selections: Sequence[Selection], *, present: bool
) -> float | None:
    """P(target | competitor present or absent, the selections); None if there is no such patient."""
    of_target, not_target = beliefs.masses(setting, target, *selections)
    of_competitor, not_competitor = beliefs.masses(setting, (competitor,), *selections)
    of_either, _ = beliefs.masses(setting, (*target, competitor), *selections)
    if present:
        mass, joint = of_competitor, of_target + of_competitor - of_either
    else:
        mass, joint = not_competitor, of_either - of_competitor
    everyone = of_target + not_target
    if mass <= ROUNDING * everyone:
        return None
    return max(joint, 0.0) / mass
