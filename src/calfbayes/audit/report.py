"""The audit as text, for a terminal, and as comma-separated values, for a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from math import isnan

from calfbayes.audit.comparison import Comparison, Verdict, deviation, summarise
from calfbayes.audit.table import COLUMNS, FIGURES, RATIOS

RESULTS = ("implied", "ratio", "verdict")


def audit_text(comparisons: Sequence[Comparison], *, verbose: bool = False) -> str:
    """The rows that fail, worst first, and the counts; all rows if `verbose`."""
    shown = [c for c in comparisons if verbose or c.verdict == Verdict.FAILS]
    lines = [line for c in sorted(shown, key=lambda c: -deviation(c.ratio)) for line in _lines(c)]
    summary = summarise(comparisons)
    lines.append(f"{summary.n_rows} figures: {_counts(summary.by_verdict)}")
    lines += [f"  {name:<9}  {_counts(counts)}" for name, counts in summary.by_confidence.items()]
    within = ", ".join(f"{share:.0%} within a factor {bound:g}" for bound, share in summary.within.items())
    lines.append(f"  {within} (of odds; of likelihood, odds and risk ratios themselves)")
    return "\n".join(lines)


def audit_csv(comparisons: Sequence[Comparison]) -> str:
    """The evidence table with what the model implies, the ratio and the verdict in further columns."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*COLUMNS[FIGURES], *RESULTS])
    for c in comparisons:
        f = c.figure
        ends = ["" if isnan(end) else f"{end:g}" for end in (f.low, f.high)]
        named = [f.id, f.kind, " or ".join(f.causes), f.item, f.comparator, f.population.id, f"{f.value:g}", *ends]
        told = [f.confidence, f.citation, f.url, f.reason, "" if f.reach == 1 else f"{f.reach:g}"]
        writer.writerow([*named, *told, f"{c.implied:.4g}", f"{c.ratio:.3g}", c.verdict])
    return stream.getvalue()


def _lines(c: Comparison) -> list[str]:
    f = c.figure
    interval = "" if isnan(f.low) else f" ({f.low:g} to {f.high:g})"
    of = "" if f.kind in RATIOS else " of the odds"
    lines = [
        f"{c.verdict:<9}  {f.id}",
        f"           published {f.value:g}{interval}, model {c.implied:.3g}, {c.ratio:.2f} times{of}",
        f"           {f.confidence}: {f.citation}",
        f"           in: {f.population.description}",
    ]
    reach = "nothing beyond the tolerance" if f.reach == 1 else f"up to {f.reach:g} times"
    return [*lines, f"           why: {f.reason} (explains {reach})"] if f.reason else lines


def _counts(by_verdict: dict[Verdict, int]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in by_verdict.items())
