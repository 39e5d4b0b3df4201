"""The audit of the calf model: its evidence table, and that every deviation has been looked at."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

import pytest

from calfbayes.audit.comparison import Comparison, Verdict, audit, deviation
from calfbayes.audit.report import audit_text
from calfbayes.audit.table import CONFIDENCES, POPULATIONS, Figure, Kind, find_tables, read_table
from support.models import shipped

SOLVED = shipped("calf")._solved
TABLE = read_table(SOLVED.network, find_tables("calf"))


@pytest.fixture(scope="module")
def comparisons() -> Sequence[Comparison]:
    return audit(SOLVED, TABLE)


def test_the_table_is_large_and_begins_with_what_was_read_in_print() -> None:
    assert len(TABLE) >= 400
    assert [figure.confidence for figure in TABLE] == sorted((f.confidence for f in TABLE), key=CONFIDENCES.index)
    assert sum(figure.confidence == "verified" for figure in TABLE) >= 400


def test_every_kind_of_figure_is_in_the_table() -> None:
    assert {figure.kind for figure in TABLE} == set(Kind)


def test_every_published_figure_says_where_it_was_read() -> None:
    assert [figure.id for figure in TABLE if figure.confidence == "verified" and not figure.url] == []


def test_every_population_is_used() -> None:
    lines = (find_tables("calf") / POPULATIONS).read_text(encoding="utf-8").splitlines()[1:]
    assert {line.split(",")[0] for line in lines} == {figure.population.id for figure in TABLE}


def test_most_causes_have_evidence() -> None:
    covered = {cause for figure in TABLE for cause in figure.causes}
    causes = {cause.id for cause in SOLVED.network.knowledge.causes}
    assert len(covered & causes) >= 0.7 * len(causes)


def test_a_reason_is_a_clause_of_its_own() -> None:
    reasons = [figure.reason for figure in TABLE if figure.reason]
    assert all(len(reason.split()) >= 4 for reason in reasons)
    assert max(Counter(reasons).values()) <= 15


def test_no_deviation_is_unexplained(comparisons: Sequence[Comparison]) -> None:
    failing = {c.figure.id for c in comparisons if c.verdict == Verdict.FAILS}
    assert failing == set(), audit_text(comparisons)


def test_a_reason_explains_little_more_than_there_is(comparisons: Sequence[Comparison]) -> None:
    """A reach that explains everything guards nothing; room is left so that a number can be mended without a hundred rows."""
    room = [deviation(c.ratio / c.figure.reach) for c in comparisons if c.verdict == Verdict.EXPLAINED]
    assert len(room) >= 100
    assert median(room) <= 1.3
    assert max(room) <= 2.0


def test_what_was_read_in_print_is_mostly_close(comparisons: Sequence[Comparison]) -> None:
    printed = [deviation(c.ratio) for c in comparisons if c.figure.confidence == "verified"]
    assert median(printed) <= 1.8


def test_likelihood_ratios_point_the_right_way(comparisons: Sequence[Comparison]) -> None:
    """A sign that clearly speaks for a cause in print must not speak against it in the model, nor the reverse."""

    def clear(figure: Figure) -> bool:
        return figure.kind in {Kind.LR_POSITIVE, Kind.LR_NEGATIVE} and not 0.7 <= figure.value <= 1.6

    verified = [c for c in comparisons if c.figure.confidence == "verified" and clear(c.figure)]
    wrong = [c.figure.id for c in verified if (c.implied > 1) != (c.figure.value > 1)]
    assert len(verified) >= 30
    assert wrong == []
