"""Mutants: what is planted, whose influence counts, and who notices."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from calfbayes.cli import main
from calfbayes.evaluation.case_files import read_cases
from calfbayes.knowledge.shipped import models_folder
from calfbayes.testing.mutation import Mutant, MutationReport, Tried, mutants, mutation_score
from support.models import shipped

TUTORIAL = shipped("tutorial")
FOLDER = models_folder() / "tutorial"
PAD = "peripheral_artery_disease"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    common: dict[str, Any] = {
        "source": "nobody",
        "url": "https://example.org",
        "kind": "vignette",
        "other_findings": [],
        "note": "",
    }
    common |= {"also_present": [], "acceptable_top3": [], "must_not_miss": True, "setting": "primary_care"}
    walker = {"risk_factors": {"smoking": True}, "findings": {"pain_on_walking": True, "absent_foot_pulses": True}}
    breathless = {"risk_factors": {}, "findings": {"unilateral_calf_swelling": True, "shortness_of_breath": True}}
    lines = [
        {"id": "A", "age": 67, "sex": "male", "final_diagnosis": PAD, "true_urgency": "routine", **common, **walker},
        {
            "id": "B",
            "age": 50,
            "sex": "female",
            "final_diagnosis": "deep_vein_thrombosis",
            "true_urgency": "emergency",
            **common,
            **breathless,
        },
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_the_same_seed_gives_the_same_mutants_of_every_kind() -> None:
    first, second = ([str(mutant) for mutant in islice(mutants(TUTORIAL, 7), 60)] for _ in range(2))
    assert first == second
    assert first != [str(mutant) for mutant in islice(mutants(TUTORIAL, 8), 60)]
    for words in ("became 0.", "exchanged with", "deleted", "lost ", "urgency.rules."):
        assert any(words in mutant for mutant in first), words


def test_a_mutant_differs_from_the_model_and_leaves_it_alone() -> None:
    digest = TUTORIAL.digest
    for mutant in islice(mutants(TUTORIAL, 1), 9):
        try:
            assert mutant.make().digest != digest
        except ValueError:
            continue  # the loader has noticed
    assert TUTORIAL.digest == digest


def test_who_notices(cases: Path) -> None:
    report = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=25, seed=3)
    assert len(report.tried) == 25
    assert report.influential
    assert 0 < report.score <= 1
    assert {tried.mutant for tried in report.survivors} <= {tried.mutant for tried in report.influential}
    assert all(tried.influence >= 0.02 or tried.levels for tried in report.influential)
    assert mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=25, seed=3) == report


def test_a_lost_rule_is_noticed(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calfbayes.testing import mutation
    from calfbayes.testing.editing import REMOVED, edited

    place = "urgency.rules.leg_pain_with_chest_signs"
    lost = Mutant("deleted", place, lambda: edited(TUTORIAL, {place: REMOVED}))
    monkeypatch.setattr(mutation, "mutants", lambda *_: iter([lost]))
    (tried,) = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=1).tried
    assert tried.levels >= 1
    assert tried.noticed_by == "breathless_with_a_sore_calf"


def test_the_report_lists_what_nobody_noticed_first() -> None:
    tried = (Tried("a", 0.01, 0, ""), Tried("b", 0.3, 0, "one"), Tried("c", 0.03, 0, ""), Tried("d", 0.5, 1, ""))
    report = MutationReport(tried, 0)
    assert report.score == pytest.approx(1 / 3)
    assert [t.mutant for t in report.survivors] == ["d", "c"]
    assert str(report).splitlines()[0] == "4 mutants (seed 0), 3 influential, 1 noticed: 33%"
    assert "NOT NOTICED" in str(report).splitlines()[1]


def test_the_command(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "tutorial", "--cases", str(cases), "-n", "3", "--seed", "0"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("3 mutants (seed 0)")
    assert len(err.splitlines()) == 3
    assert main(["mutate", "tutorial", "--cases", "nowhere.jsonl"]) == 1
