"""Hypothesis strategies: urgency policies, and ones that are stricter by construction."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from calfbayes import Level, UrgencyPolicy
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Caution

N = len(LEVELS_BY_SEVERITY)


@st.composite
def loss_tables(draw: st.DrawFn) -> tuple[tuple[float, ...], ...]:
    """A table with decreasing differences.

    Going one level up costs more the less it is needed, and gains more the more it is needed: for each step a cost that
    falls along the needs, above 0 before the step and below 0 after it. Summed from the diagonal they make the table.
    """
    steps = np.zeros((N, N))  # steps[k, n]: cost of acting at k instead of k - 1 when n is needed
    for k in range(1, N):
        too_early = sorted(draw(st.lists(st.integers(0, 40), min_size=k, max_size=k)), reverse=True)
        too_late = sorted(draw(st.lists(st.integers(0, 400), min_size=N - k, max_size=N - k)))
        steps[k] = [*too_early, *(-cost for cost in too_late)]
    return table_of(steps)


def table_of(steps: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """The table of losses whose rows differ by these steps."""
    loss = np.zeros((N, N))
    for needed in range(N):
        for acted in range(needed + 1, N):
            loss[acted, needed] = loss[acted - 1, needed] + steps[acted, needed]
        for acted in range(needed - 1, -1, -1):
            loss[acted, needed] = loss[acted + 1, needed] - steps[acted + 1, needed]
    return tuple(tuple(float(cost) for cost in row) for row in loss)


@st.composite
def policies(draw: st.DrawFn, base: UrgencyPolicy) -> UrgencyPolicy:
    """A policy with any table, and some of the rules of another one at any level."""
    kept = draw(st.lists(st.sampled_from(base.rules), max_size=4, unique_by=lambda rule: rule.id)) if base.rules else []
    rules = tuple(replace(rule, level=draw(st.sampled_from(list(Level)))) for rule in kept)
    return replace(base, loss=draw(loss_tables()), rules=rules, caution=draw(st.none() | cautions()))


@st.composite
def cautions(draw: st.DrawFn) -> Caution:
    """How far doubt counts."""
    return Caution(
        draw(st.sampled_from(list(Level))), draw(st.sampled_from([0.0, 0.5, 1.645, 3.0])), draw(st.sampled_from([0.0, 1.0]))
    )


@st.composite
def stricter_policies(draw: st.DrawFn, base: UrgencyPolicy) -> UrgencyPolicy:
    """A policy that never gives a lower level: too late costs more, some rules demand more."""
    loss = np.array(base.loss)
    steps = np.diff(loss, axis=0, prepend=loss[:1])
    for k in range(1, N):
        dearer = sorted(draw(st.lists(st.integers(0, 100), min_size=N - k, max_size=N - k)))
        steps[k, k:] -= dearer
    raised = draw(st.sets(st.sampled_from([rule.id for rule in base.rules]), max_size=3)) if base.rules else set()
    rules = tuple(replace(rule, level=Level.EMERGENCY) if rule.id in raised else rule for rule in base.rules)
    caution = base.caution or draw(cautions())
    level = draw(st.sampled_from([level for level in Level if level <= caution.level]))
    caution = Caution(level, caution.deviations + draw(st.sampled_from([0.0, 0.7])), caution.if_too_dear)
    return replace(base, loss=table_of(steps), rules=rules, caution=caution)
