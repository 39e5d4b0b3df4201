"""The audit: each row of the evidence table beside what the model implies, with a verdict.

A reason explains a deviation to one side and so far: its `reach`. So a row that has one can still fail.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from calfbayes.audit.implied import Queries
from calfbayes.audit.table import RATIOS, Figure
from calfbayes.inference.solved import SolvedNetwork

TOLERANCE = 1.5  # in odds, or as a ratio of ratios
EXPERT_TOLERANCE = 2.0  # a judgement is coarser than a measurement


class Verdict(StrEnum):
    """What the audit says about a row."""

    PASS = "pass"  # noqa: S105  no password
    EXPLAINED = "explained"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure and what the model implies for it.

    Attributes:
        implied: The model's own figure; NaN where it holds the figure's patients impossible.
        ratio: Implied over published: of odds, or of the ratios themselves.
        verdict: `pass` within the tolerance, else `explained` if no more than the tolerance beyond what the row's reason
            explains, else `fails`.
    """

    figure: Figure
    implied: float
    ratio: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Summary:
    """How an audit came out.

    Attributes:
        by_verdict: Rows with each verdict.
        by_confidence: Rows with each verdict, by the confidence of the figure.
        within: Share of the rows whose deviation is at most 1.5, 2 and 3.
    """

    n_rows: int
    by_verdict: dict[Verdict, int]
    by_confidence: dict[str, dict[Verdict, int]]
    within: dict[float, float]


def audit(solved: SolvedNetwork, table: Iterable[Figure]) -> tuple[Comparison, ...]:
    """Compare a model with published figures, in the order of the table.

    Raises:
        QueryTooCostlyError: If a row's population leaves so much open that the model cannot answer exactly.
    """
    queries = Queries(solved)
    return tuple(compare(figure, queries.implied(figure)) for figure in table)


def compare(figure: Figure, implied: float) -> Comparison:
    """Judge one figure."""
    ratio = implied / figure.value if figure.kind in RATIOS else _odds(implied) / _odds(figure.value)
    tolerance = EXPERT_TOLERANCE if figure.confidence == "expert" else TOLERANCE
    if deviation(ratio) <= tolerance:
        return Comparison(figure, implied, ratio, Verdict.PASS)
    low, high = sorted((1.0, figure.reach))
    explained = low / tolerance <= ratio <= high * tolerance
    return Comparison(figure, implied, ratio, Verdict.EXPLAINED if explained else Verdict.FAILS)


def deviation(ratio: float) -> float:
    """How far a ratio lies from 1, in either direction; infinite if there is none."""
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def summarise(comparisons: Sequence[Comparison]) -> Summary:
    """Count the verdicts."""
    confidences = sorted({c.figure.confidence for c in comparisons}, reverse=True)
    return Summary(
        n_rows=len(comparisons),
        by_verdict=_counts(comparisons),
        by_confidence={name: _counts([c for c in comparisons if c.figure.confidence == name]) for name in confidences},
        within={
            bound: sum(deviation(c.ratio) <= bound for c in comparisons) / max(1, len(comparisons)) for bound in (1.5, 2.0, 3.0)
        },
    )


def _counts(comparisons: Sequence[Comparison]) -> dict[Verdict, int]:
    counts = Counter(c.verdict for c in comparisons)
    return {verdict: counts[verdict] for verdict in Verdict}


def _odds(p: float) -> float:
    return math.inf if p >= 1 else p / (1 - p)
