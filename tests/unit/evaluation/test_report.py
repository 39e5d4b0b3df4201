"""Scores with intervals, by cause, as JSON and as text."""

import json
import math
from pathlib import Path

import pytest

import calfbayes
from calfbayes import Level
from calfbayes.cli import main
from calfbayes.evaluation.case_files import Case, CaseFileError
from calfbayes.evaluation.report import scores_text
from calfbayes.evaluation.scores import MEASURES, Answer, Scores
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY

CAR = Path(__file__).parents[2] / "cli" / "car"
CASE: dict[str, object] = {
    "id": "C1", "source": "s", "url": "", "kind": "exam", "age": None, "sex": None, "setting": "garage", "risk_factors": {},
    "findings": {"lights_dim": True, "smoke": False}, "other_findings": [], "final_diagnosis": "flat_battery",
    "also_present": [], "acceptable_top3": [], "true_urgency": "self_care", "must_not_miss": False, "note": "",
}  # fmt: skip


def scored(*outcomes: tuple[str, Level, Level]) -> Scores:
    """Answers whose published cause is `a`: the causes ranked, the level needed and the level given."""
    return Scores(
        tuple(
            Answer(
                Case(f"C{k}", "", "", "exam", None, (), (), "a", (), (), needed, needed == Level.EMERGENCY, ""),
                True,
                tuple(ranked),
                given,
            )
            for k, (ranked, needed, given) in enumerate(outcomes)
        )
    )


def cases_file(folder: Path, *changes: dict[str, object]) -> Path:
    path = folder / "cases.jsonl"
    path.write_text("\n".join(json.dumps({**CASE, **change}) for change in changes), encoding="utf-8")
    return path


MIXED = scored(
    ("ab", Level.EMERGENCY, Level.EMERGENCY),
    ("ba", Level.EMERGENCY, Level.SAME_DAY),
    ("bcda", Level.ROUTINE, Level.SAME_DAY),
    ("ab", Level.SAME_DAY, Level.SELF_CARE),
)


def test_every_measure_is_a_share_of_the_cases_that_count() -> None:
    found = {name: (measured.value, measured.n) for name, measured in MIXED.measures().items()}
    assert found == {
        "first": (2 / 4, 4),
        "short_listed": (3 / 4, 4),
        "too_high": (1 / 4, 4),
        "too_low": (2 / 4, 4),
        "far_too_low": (1 / 4, 4),
        "must_not_miss": (1 / 2, 2),
        "emergency_flagged": (1 / 2, 2),
        "emergency_same_day": (2 / 2, 2),
    }


def test_intervals_hold_the_value_and_follow_the_seed() -> None:
    first, again, other = MIXED.measures(seed=3), MIXED.measures(seed=3), MIXED.measures(seed=4, resamples=50)
    assert first == again
    assert other != first
    assert all(0 <= m.low <= m.value <= m.high <= 1 for m in first.values())


def test_where_all_agree_the_interval_still_has_a_width() -> None:
    """Bounds of Wilson (1927): of n successes in n trials, n / (n + 1.96^2) and 1."""
    found = scored(*[("ab", Level.EMERGENCY, Level.EMERGENCY)] * 9).measures()
    assert (found["first"].value, found["first"].high) == (1.0, 1.0)
    assert found["first"].low == pytest.approx(9 / (9 + 1.959964**2))
    assert (found["too_low"].value, found["too_low"].low) == (0.0, 0.0)
    assert found["too_low"].high == pytest.approx(1.959964**2 / (9 + 1.959964**2))


def test_the_interval_of_a_share_is_about_that_of_the_binomial() -> None:
    outcomes = [("ab", Level.ROUTINE, Level.ROUTINE)] * 60 + [("ba", Level.ROUTINE, Level.ROUTINE)] * 40
    measured = scored(*outcomes).measures()["first"]
    half = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert measured.low == pytest.approx(0.6 - half, abs=0.02)
    assert measured.high == pytest.approx(0.6 + half, abs=0.02)


def test_nothing_counts_among_no_cases() -> None:
    assert all(math.isnan(m.value) and math.isnan(m.low) and m.n == 0 for m in Scores(()).measures().values())
    assert json.dumps(Scores(()).to_dict(), allow_nan=False)
    assert "no such case" in scores_text(Scores(()))


def test_a_row_for_each_cause() -> None:
    (row,) = MIXED.by_cause
    assert (row.cause, row.n, row.first, row.short_listed, row.too_low, row.too_high) == ("a", 4, 2, 3, 2, 1)
    assert row.ranks == (1, 2, 4, 1)


def test_text_tells_every_measure_and_every_level() -> None:
    text = scores_text(MIXED, seed=3)
    assert text.count(" of 4") == sum(m.n == 4 for m in MIXED.measures().values())
    assert len([line for line in text.splitlines() if " to " in line]) == len(MEASURES)
    assert all(str(level) in text for level in LEVELS_BY_SEVERITY)


def test_what_was_counted_of_all_is_told_as_all() -> None:
    text = scores_text(scored(*[("ab", Level.EMERGENCY, Level.EMERGENCY)] * 3))
    assert "100 %  [44 % to 100 %]  of 3" in text
    assert "99.9" not in text


def test_a_file_is_evaluated_from_python_and_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = cases_file(tmp_path, {}, {"id": "C2", "findings": {"lights_dim": False}})
    scores = calfbayes.evaluate(path, model=CAR)
    assert [answer.case.id for answer in scores.answers] == ["C1", "C2"]
    assert main(["evaluate", str(path), "--model", str(CAR), "--json", "--seed", "5", "--resamples", "100"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(scores.to_dict(seed=5, resamples=100)))
    assert main(["evaluate", str(path), "--model", str(CAR)]) == 0
    assert capsys.readouterr().out.startswith("2 cases")


def test_a_wrong_file_names_its_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = cases_file(tmp_path, {"true_urgency": "soon"})
    with pytest.raises(CaseFileError, match="true_urgency"):
        calfbayes.evaluate(path, model=CAR)
    assert main(["evaluate", str(path), "--model", str(CAR)]) == 1
    assert "true_urgency" in capsys.readouterr().err
