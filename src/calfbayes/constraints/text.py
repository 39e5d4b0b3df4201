"""Verdicts as plain text."""

from collections import Counter
from collections.abc import Callable, Sequence

from calfbayes.constraints.terms import Constraint, Status, Verdict
from calfbayes.presentation.plain import wrapped


def constraints_text(
    constraints: Sequence[Constraint],
    verdicts: Sequence[Verdict],
    *,
    width: int = 100,
    verbose: bool = False,
    explain: Callable[[Constraint, Verdict], Sequence[str]] | None = None,
) -> str:
    """Write what is not proven or held, with the reason of each demand, and how many verdicts there are of each status.

    Args:
        verbose: Write what is proven or held, too.
        explain: Gives further lines about a constraint that is not met.
    """
    lines = []
    for constraint, verdict in zip(constraints, verdicts, strict=True):
        if verbose or verdict.status not in {Status.PROVEN, Status.HELD}:
            why = explain(constraint, verdict) if explain and not verdict.holds else ()
            lines += verdict_lines(constraint, verdict, width, why)
    counts = Counter(verdict.status for verdict in verdicts)
    told = ", ".join(f"{counts[status]} {_counted(status)}" for status in Status if counts[status])
    n_held = sum(verdict.holds for verdict in verdicts)
    return "\n".join([*lines, f"{n_held} of {len(verdicts)} constraints hold{f': {told}' if told else ''}."])


def verdict_lines(constraint: Constraint, verdict: Verdict, width: int, why: Sequence[str] = ()) -> list[str]:
    """A verdict with what it rests on, and why the demand is made."""
    lines = wrapped(f"{verdict.id}: {verdict.status}. {verdict.text}.", width, "", "    ")
    lines += wrapped(f"Verdict: {verdict.basis}.", width, "    ", "    ") if verdict.basis else []
    lines += wrapped(f"{constraint.why} [{', '.join(constraint.sources)}]", width, "    ", "    ")
    return lines + [line for text in why for line in wrapped(text, width, "    - ", "      ")]


def _counted(status: Status) -> str:
    return {Status.HELD: "held in random patients", Status.LAWFUL_EXCEPTION: "lawful exceptions"}.get(status, str(status))
