"""Verdicts as plain text."""

from collections.abc import Sequence

from calfbayes.constraints.terms import Constraint, Verdict
from calfbayes.presentation.plain import wrapped


def constraints_text(constraints: Sequence[Constraint], verdicts: Sequence[Verdict], *, width: int = 100) -> str:
    """Write what does not hold, with the reason of each demand, and how many hold."""
    lines = []
    for constraint, verdict in zip(constraints, verdicts, strict=True):
        if not verdict.holds:
            lines += wrapped(f"{verdict.id}: {verdict.text}.", width, "", "    ")
            lines += wrapped(f"{constraint.why} [{', '.join(constraint.sources)}]", width, "    ", "    ")
    n_held = sum(verdict.holds for verdict in verdicts)
    return "\n".join([*lines, f"{n_held} of {len(verdicts)} constraints hold."])
