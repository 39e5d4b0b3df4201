"""Mutants: what is planted, whose influence counts, and who notices."""

import csv
import io
import json
import re
import shutil
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from calfbayes import Model, ModelFileError
from calfbayes.cli import main
from calfbayes.diagnosis.encoding import encode
from calfbayes.evaluation.case_files import read_cases
from calfbayes.inference.elicited import elicited_numbers
from calfbayes.inference.sensitivity import sensitivities
from calfbayes.knowledge.shipped import models_folder
from calfbayes.testing import given, mutation
from calfbayes.testing.editing import REMOVED, edited, number_at, with_number
from calfbayes.testing.influence import Foretold, Screen
from calfbayes.testing.mutation import Mutant, MutationReport, Tried, mutants, mutation_score
from calfbayes.testing.noticing import Check, Guard, Reach
from support.models import random_model, shipped, with_constraints

TUTORIAL = shipped("tutorial")
CALF = shipped("calf")
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
    report = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=12, seed=3)
    assert len(report.influential) == 12
    assert report.screened > 0
    assert 0 < report.score <= 1
    assert set(report.survivors) <= set(report.influential)
    assert all(tried.influence >= 0.02 or tried.levels for tried in report.influential)
    assert mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=12, seed=3) == report


def test_a_lost_rule_is_noticed(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "urgency.rules.leg_pain_with_chest_signs"
    lost = Mutant("deleted", place, lambda: edited(TUTORIAL, {place: REMOVED}))
    monkeypatch.setattr(mutation, "mutants", lambda *_: iter([lost]))
    (tried,) = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=1).tried
    assert tried.levels >= 1
    assert tried.noticed_by == "case B"


def test_a_mutant_is_tried_once(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same edit planted again would count its luck twice."""
    place = "urgency.rules.leg_pain_with_chest_signs"
    lost = mutation._ruled_out(TUTORIAL, "leg_pain_with_chest_signs")

    def refused() -> Model:
        raise ModelFileError("tutorial", ())

    broken = Mutant("deleted", "settings", refused)
    monkeypatch.setattr(mutation, "mutants", lambda *_: cycle([lost, broken]))
    report = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=2)
    assert [str(tried) for tried in report.tried] == [f"{place}: deleted"]
    assert (report.refused, report.screened) == (1, 0)


def test_links_exchanged_either_way_are_one_edit() -> None:
    made = {str(m) for m in islice(mutants(TUTORIAL, 0), 2_000) if "exchanged" in m.kind}
    for edit in made:
        place, other = edit.split(": exchanged with ")
        assert f"{place.rpartition('.')[0]}.{other}: exchanged with {place.rpartition('.')[2]}" not in made


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(CALF, models_folder() / "calf")


@pytest.mark.parametrize("rule", ["leg_pain_with_chest_signs", "cauda_equina"])
def test_a_rule_is_lost_with_its_place_under_a_heading(rule: str, guard: Guard) -> None:
    """Each does not load without the other; the heading of the signs of the chest has no other rule, that of the nerves has."""
    wrong = mutation._ruled_out(CALF, rule).make()
    assert {r.id for r in wrong.urgency_policy.rules} == {r.id for r in CALF.urgency_policy.rules} - {rule}
    told = guard.noticed_by(f"urgency.rules.{rule}", wrong)
    assert told == f"constraint rule_{rule}, which speaks of what is gone"


def test_the_report_lists_what_nobody_noticed_first() -> None:
    tried = tuple(
        Tried(place, "deleted", influence, levels, noticed)
        for place, influence, levels, noticed in (
            ("a", 0.01, 0, ""),
            ("b", 0.3, 0, "one"),
            ("c", 0.03, 0, ""),
            ("d", 0.5, 1, ""),
        )
    )
    report = MutationReport(tried, screened=5, refused=2, seed=0, digest="0123456789abcdef")
    assert report.score == pytest.approx(1 / 3)
    assert [t.place for t in report.survivors] == ["d", "c"]
    assert str(report).splitlines()[0] == (
        "11 mutants (seed 0), 2 refused by the loader, 3 influential, 1 noticed: 33 %, 95 % interval 6 to 79 %"
    )
    assert "NOT NOTICED" in str(report).splitlines()[1]
    assert next(csv.DictReader(io.StringIO(report.to_csv()))) == {
        "digest": "0123456789ab",
        "seed": "0",
        "place": "b",
        "edit": "deleted",
        "influence": "0.300",
        "levels": "0",
        "noticed_by": "one",
    }


def test_what_is_screened_out_would_not_have_been_influential(cases: Path) -> None:
    """Every link, odds ratio, weight and background of the tutorial, shifted both ways, made and foretold."""
    patients = read_cases(cases)
    before = [TUTORIAL.diagnose(dict(case.known), setting=case.setting) for case in patients]
    told = [(result.setting, encode(TUTORIAL._solved.network, result.evidence)) for result in before]
    screen = Screen(TUTORIAL._solved, TUTORIAL.urgency_policy, told)
    made = influential = 0
    for place in mutation._numbers(TUTORIAL):
        mutant = mutation._shifted(TUTORIAL, place, mutation.SHIFT)
        if mutant is None:
            continue
        try:
            wrong = mutant.make()
        except ModelFileError:
            continue
        made += 1
        touched = screen.touched(mutant.moved, mutation.SCREENED)
        for k, (case, was) in enumerate(zip(patients, before, strict=True)):
            now = wrong.diagnose(dict(case.known), setting=case.setting)
            influence = max(abs(entry.probability - was[entry.id].probability) for entry in now.causes)
            if influence >= mutation.INFLUENCE or now.urgency.level != was.urgency.level:
                influential += 1
                assert k in touched, place
    assert made > 60
    assert influential > 10


@pytest.mark.parametrize("seed", range(3))
def test_posteriors_along_a_link_are_foretold_exactly(seed: int) -> None:
    model = random_model(seed)
    result = model.diagnose({f.id: True for f in model.findings[1:4]})
    solved = model._solved
    slopes = sensitivities(solved, result.setting, encode(solved.network, result.evidence), tuple(solved.network.causes))
    foretold = Foretold(elicited_numbers(solved, result.setting), slopes)
    # the bases do not move along with links to findings and mechanisms
    below = {finding.id for finding in model.findings} | {mechanism.id for mechanism in model.mechanisms}
    links = [f"causes.{cause.id}.links.{link.child}" for cause in model.causes for link in cause.links if link.child in below]
    for place in links[:4]:
        moved = (1 + number_at(model, place)) / 2
        now = with_number(model, place, moved).diagnose(dict(result.evidence), setting=result.setting)
        p, _ = foretold.with_numbers({place: moved})
        assert p == pytest.approx([now[cause.id].probability for cause in model.causes], abs=1e-9), place


@pytest.mark.parametrize(
    ("place", "finding", "concerned"),
    [
        ("findings.redness.leak", "redness", True),
        ("findings.redness.leak", "night_cramps", False),
        ("mechanisms.local_swelling.leak", "pitting_oedema", True),
        ("causes.deep_vein_thrombosis.links.local_swelling", "night_cramps", False),
        ("causes.deep_vein_thrombosis.weight.primary_care", "night_cramps", True),
        ("causes.deep_vein_thrombosis.weight.emergency", "redness", False),
        ("causes.deep_vein_thrombosis.urgency", "redness", False),
    ],
)
def test_only_those_whom_an_edit_may_concern_are_asked(place: str, finding: str, concerned: bool) -> None:
    demand = given(**{finding: True}, setting="primary_care").probability(PAD, at_most=0.9, source="fowkes_2013", why="a test")
    constraint = demand.constraint(TUTORIAL)
    check = Check(constraint, frozenset(re.findall(r"\w+", repr(constraint))))
    assert Reach(TUTORIAL._solved.network, place).concerns(check) is concerned


@pytest.mark.parametrize(("published", "reason"), [(1.0, ","), (0.5, "a spectrum,3")])
def test_a_row_of_the_audit_notices(tmp_path: Path, published: float, reason: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "tutorial")
    shutil.rmtree(folder / "constraints")
    with_constraints(
        folder,
        '[[constraints]]\nid = "one"\nkind = "rule"\nrule = "sudden_loss_of_blood_supply"\nat_least = "emergency"\n'
        'pictures = [["sudden_onset", "cold_feet"]]\nsource = ["calfbayes_judgement"]\nwhy = "which no number moves"\n',
    )
    place = "mechanisms.local_swelling.links.unilateral_calf_swelling"
    p = TUTORIAL.diagnose({"unilateral_calf_swelling": True}, setting="primary_care")["deep_vein_thrombosis"].probability
    p *= published
    (folder / "populations.csv").write_text("id,setting,evidence,description\nall,primary_care,,everyone\n", encoding="utf-8")
    header = "id,kind,cause,item,comparator,population,value,low,high,confidence,citation,url,reason,reach"
    row = f"swollen,post_test,deep_vein_thrombosis,unilateral_calf_swelling,,all,{p},,,verified,Somebody,https://example.org,{reason}"
    (folder / "evidence.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    guard = Guard(TUTORIAL, folder)
    assert guard.noticed_by(place, with_number(TUTORIAL, place, 0.01)) == "figure swollen"
    assert not guard.noticed_by(place, with_number(TUTORIAL, place, number_at(TUTORIAL, place)))


def test_progress_tells_what_was_found_so_far(cases: Path) -> None:
    told: list[MutationReport] = []
    report = mutation_score(TUTORIAL, FOLDER, read_cases(cases), n=2, progress=told.append)
    assert [len(so_far.tried) for so_far in told] == list(range(1, len(report.tried) + 1))
    assert told[-1].to_csv() == report.to_csv()


def test_the_command(cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "tutorial", "--cases", str(cases), "-n", "3", "--seed", "0"]) == 0
    out, err = capsys.readouterr()
    assert re.match(r"\d+ mutants \(seed 0\), 1 refused by the loader, 3 influential, ", out)
    assert len(err.splitlines()) >= 3
    table = tmp_path / "mutants.csv"
    assert main(["mutate", "tutorial", "--cases", str(cases), "-n", "1", "--table", str(table)]) == 0
    assert table.read_text(encoding="utf-8").startswith("digest,seed,place,edit,influence,levels,noticed_by")
    assert main(["mutate", "tutorial", "--cases", "nowhere.jsonl"]) == 1
