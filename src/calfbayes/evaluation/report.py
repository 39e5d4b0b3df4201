"""Scores as text for a terminal."""

from collections.abc import Sequence

from calfbayes.evaluation.scores import RESAMPLES, Measured, Scores
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY
from calfbayes.presentation.plain import percent, printable

WORDS = {
    "first": "published cause first",
    "short_listed": "acceptable cause among the first three",
    "too_high": "over-triage: level too high",
    "too_low": "under-triage: level too low",
    "far_too_low": "level too low by two or more",
    "must_not_miss": "not to be missed, level high enough",
    "emergency_flagged": "emergencies flagged emergency",
    "emergency_same_day": "emergencies flagged same day or higher",
}


def scores_text(scores: Scores, *, resamples: int = RESAMPLES, seed: int = 0) -> str:
    """The shares with their intervals, the triage table, and a row for each published cause."""
    measures = scores.measures(resamples=resamples, seed=seed)
    width = max(map(len, WORDS.values()))
    count = f"{len(scores.answers)} cases; in brackets 95 % of {resamples} bootstrap samples, seed {seed}"
    lines = [f"{count} (where all agree: Wilson's interval)", ""]
    lines += [f"  {WORDS[name]:<{width}}  {_measured(measured)}" for name, measured in measures.items()]
    lines += ["", "Level needed (rows) and given (columns)", *_table(_triage(scores))]
    lines += ["", "By published cause", *_table(_causes(scores))]
    unknown = [[printable(name), ", ".join(map(printable, cases))] for name, cases in scores.unknown_causes.items()]
    if unknown:
        lines += ["", "Named as a cause, in these cases, and no cause of the model, so counted as missed", *_table(unknown)]
    return "\n".join(lines)


def _measured(measured: Measured) -> str:
    if not measured.n:
        return "no such case"
    # counted and not computed, so that all is all
    value, low, high = (percent(share, exact=True) for share in (measured.value, measured.low, measured.high))
    return f"{value:>7}  [{low} to {high}]  of {measured.n}"


def _triage(scores: Scores) -> list[list[str]]:
    names = [str(level) for level in LEVELS_BY_SEVERITY]
    rows = [[name, *map(str, row)] for name, row in zip(names, scores.triage, strict=True)]
    return [["", *names], *rows]


def _causes(scores: Scores) -> list[list[str]]:
    head = ["cause", "cases", "first", "first three", "too low", "too high", "ranks"]
    rows = [
        [
            printable(row.cause),
            *map(str, (row.n, row.first, row.short_listed, row.too_low, row.too_high)),
            ", ".join("-" if rank is None else str(rank) for rank in row.ranks),
        ]
        for row in scores.by_cause
    ]
    return [head, *rows]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under one another: words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            entry.ljust(width) if column in {0, 6} or len(row) == 2 else entry.rjust(width)
            for column, (entry, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
