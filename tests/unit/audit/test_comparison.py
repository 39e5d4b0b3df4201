"""Verdicts, counts and how they are shown."""

import csv
import io
from dataclasses import replace
from math import inf, isnan, nan

import pytest

from calfbayes.audit.comparison import Verdict, compare, deviation, summarise
from calfbayes.audit.report import audit_csv, audit_text
from calfbayes.audit.table import Figure, Kind, Population

POPULATION = Population("some", "here", "", "people of the test")
ROW = Figure("row", Kind.SENSITIVITY, ("a",), "b", "", POPULATION, 0.5, 0.4, 0.6, "verified", "Nobody 2020", "", "")
ABOVE, BELOW = (replace(ROW, reason="a spectrum", reach=reach) for reach in (4.0, 0.25))
RATIO = replace(ROW, kind=Kind.LR_POSITIVE, value=4.0)


@pytest.mark.parametrize(
    ("figure", "implied", "ratio", "verdict"),
    [
        (ROW, 0.5, 1.0, Verdict.PASS),
        (ROW, 0.6, 1.5, Verdict.PASS),  # odds 1.5 against 1
        (ROW, 0.61, 0.61 / 0.39, Verdict.FAILS),
        (ROW, 0.39, 0.39 / 0.61, Verdict.FAILS),
        (replace(ROW, confidence="secondary"), 0.61, 0.61 / 0.39, Verdict.FAILS),
        (replace(ROW, confidence="expert"), 0.66, 0.66 / 0.34, Verdict.PASS),
        (replace(ROW, confidence="expert"), 0.67, 0.67 / 0.33, Verdict.FAILS),
        (ABOVE, 0.8, 4.0, Verdict.EXPLAINED),
        (ABOVE, 0.857, 0.857 / 0.143, Verdict.EXPLAINED),  # the tolerance beyond the reach
        (ABOVE, 0.858, 0.858 / 0.142, Verdict.FAILS),
        (ABOVE, 0.5, 1.0, Verdict.PASS),
        (ABOVE, 0.39, 0.39 / 0.61, Verdict.FAILS),  # the other side is not explained
        (BELOW, 0.2, 0.25, Verdict.EXPLAINED),
        (BELOW, 0.14, 0.14 / 0.86, Verdict.FAILS),
        (BELOW, 0.61, 0.61 / 0.39, Verdict.FAILS),
        (replace(BELOW, confidence="expert"), 0.14, 0.14 / 0.86, Verdict.EXPLAINED),
        (replace(ROW, reason="a spectrum"), 0.61, 0.61 / 0.39, Verdict.FAILS),  # it explains nothing
        (RATIO, 5.9, 5.9 / 4, Verdict.PASS),
        (RATIO, 6.1, 6.1 / 4, Verdict.FAILS),
        (RATIO, 2.6, 2.6 / 4, Verdict.FAILS),
        (ROW, 1.0, inf, Verdict.FAILS),
        (ABOVE, 1.0, inf, Verdict.FAILS),
        (ROW, 0.0, 0.0, Verdict.FAILS),
    ],
)
def test_a_verdict_is_a_matter_of_odds_and_of_reasons(figure: Figure, implied: float, ratio: float, verdict: Verdict) -> None:
    compared = compare(figure, implied)
    assert compared.ratio == pytest.approx(ratio)
    assert compared.verdict == verdict


def test_a_figure_that_the_model_cannot_have_fails() -> None:
    compared = compare(ROW, nan)
    assert isnan(compared.ratio)
    assert compared.verdict == Verdict.FAILS


def test_a_deviation_is_the_same_in_both_directions() -> None:
    assert deviation(2.0) == deviation(0.5) == 2.0
    assert deviation(0.0) == deviation(nan) == inf


COMPARED = [compare(replace(ROW, id=name), implied) for name, implied in (("good", 0.5), ("off", 0.7), ("far_off", 0.95))]


def test_a_summary_counts_every_row_once() -> None:
    summary = summarise([*COMPARED, compare(replace(ROW, confidence="expert", reason="why", reach=50.0), 0.99)])
    assert summary.by_verdict == {Verdict.PASS: 1, Verdict.EXPLAINED: 1, Verdict.FAILS: 2}
    assert list(summary.by_confidence) == ["verified", "expert"]
    assert sum(sum(counts.values()) for counts in summary.by_confidence.values()) == summary.n_rows == 4
    assert summary.within == {1.5: 0.25, 2.0: 0.25, 3.0: 0.5}


def test_nothing_compared_is_summarised_as_nothing() -> None:
    assert summarise([]).within == {1.5: 0.0, 2.0: 0.0, 3.0: 0.0}


def test_the_text_names_failures_worst_first_and_everything_if_asked() -> None:
    text = audit_text(COMPARED)
    assert text.index("far_off") < text.index("off\n")
    assert "good" not in text
    assert "published 0.5 (0.4 to 0.6), model 0.95, 19.00 times of the odds\n           verified: Nobody 2020" in text
    assert "in: people of the test" in text
    assert "3 figures: 1 pass, 0 explained, 2 fails" in text
    assert "good" in audit_text(COMPARED, verbose=True)
    assert "why: a spectrum (explains up to 4 times)" in audit_text([compare(ABOVE, 0.95)])
    assert "why: a spectrum (explains nothing beyond the tolerance)" in audit_text([compare(replace(ABOVE, reach=1.0), 0.95)])


def test_the_values_for_a_spreadsheet_hold_a_row_for_each_figure() -> None:
    rows = list(csv.DictReader(io.StringIO(audit_csv([*COMPARED, compare(replace(ABOVE, low=nan, high=nan), 0.5)]))))
    assert [row["reach"] for row in rows] == ["", "", "", "4"]
    assert [row["verdict"] for row in rows] == ["pass", "fails", "fails", "pass"]
    assert rows[1]["implied"] == "0.7"
    assert (rows[0]["low"], rows[3]["low"]) == ("0.4", "")
    assert all(row["population"] == "some" for row in rows)
