"""What a person reads of a check."""

from calfbayes.constraints.terms import Bounds, Probability, Selection, Status, Verdict
from calfbayes.constraints.text import constraints_text

CONSTRAINT = Probability(
    id="a_demand",
    kind="probability",
    sources=("nobody_2020", "somebody_2021"),
    why="twelve of a hundred had it",
    setting="primary_care",
    given=Selection((("redness", True), ("fever", False))),
    causes=("cellulitis",),
    wanted=Bounds(0.1, 0.2),
)


def verdict(*, holds: bool) -> Verdict:
    text = "in primary_care, redness, no fever: it is 0.4; wanted 0.1 to 0.2"
    status = Status.PROVEN if holds else Status.REFUTED
    return Verdict("a_demand", holds, 0.4, "0.1 to 0.2", (), text, status, "everybody was asked")


def test_only_what_fails_is_told_with_its_reason_and_sources() -> None:
    text = constraints_text([CONSTRAINT, CONSTRAINT], [verdict(holds=True), verdict(holds=False)], width=200)
    assert text.splitlines() == [
        "a_demand: refuted. in primary_care, redness, no fever: it is 0.4; wanted 0.1 to 0.2.",
        "    Verdict: everybody was asked.",
        "    twelve of a hundred had it [nobody_2020, somebody_2021]",
        "1 of 2 constraints hold: 1 proven, 1 refuted.",
    ]


def test_a_verbose_report_tells_what_holds_too() -> None:
    text = constraints_text([CONSTRAINT, CONSTRAINT], [verdict(holds=True), verdict(holds=False)], width=200, verbose=True)
    assert [line.split(".")[0] for line in text.splitlines()[::3]] == [
        "a_demand: proven",
        "a_demand: refuted",
        "1 of 2 constraints hold: 1 proven, 1 refuted",
    ]


def test_lines_are_no_longer_than_the_page() -> None:
    lines = constraints_text([CONSTRAINT], [verdict(holds=False)], width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) > 3


def test_bounds_read_as_people_say_them() -> None:
    assert [str(bounds) for bounds in (Bounds(0.1, 0.2), Bounds(0, 0.02), Bounds(0.2))] == [
        "0.1 to 0.2",
        "at most 0.02",
        "at least 0.2",
    ]
    assert not Bounds().hold(float("nan"))
