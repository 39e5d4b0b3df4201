"""The public names, and what importing the package costs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import calfbayes
from calfbayes.knowledge.shipped import models_folder


def test_public_names_are_frozen() -> None:
    """Changing this list is a deliberate edit, with a note in CHANGELOG.md."""
    assert sorted(calfbayes.__all__) == [
        "ArgumentError",
        "CalfBayesError",
        "CauseResult",
        "ContradictionError",
        "Diagnosis",
        "Evidence",
        "EvidenceError",
        "Fault",
        "Level",
        "Likelihood",
        "MissingExtraError",
        "Model",
        "ModelFileError",
        "NoPosteriorError",
        "NoSuchModelError",
        "Outcome",
        "PolicyOrigin",
        "QueryTooCostlyError",
        "UnknownNameError",
        "UrgencyPolicy",
        "UrgencyResult",
        "__version__",
        "compare",
        "evaluate",
        "load_model",
    ]
    assert all(hasattr(calfbayes, name) for name in calfbayes.__all__)


def test_methods_that_others_call_are_frozen() -> None:
    def public(kind: type) -> list[str]:
        return sorted(name for name in dir(kind) if not name.startswith("_"))

    assert public(calfbayes.Model) == [
        "audit",
        "causes",
        "complications",
        "constraints",
        "diagnose",
        "diagnose_frame",
        "digest",
        "evaluate",
        "evidence",
        "evidence_from_json",
        "explore",
        "findings",
        "graph",
        "interview",
        "interview_from_json",
        "judge",
        "knowledge",
        "mechanisms",
        "name",
        "questionnaire",
        "replay",
        "risk_factors",
        "settings",
        "simulate",
        "sources",
        "to_pgmpy",
        "urgency_policy",
        "version",
        "with_weights",
    ]


def test_importing_is_light_and_quiet() -> None:
    script = (
        "import sys, calfbayes; "
        "heavy = {'pandas', 'pgmpy', 'networkx', 'matplotlib', 'scipy', 'hypothesis', 'pydantic'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_shipped_model_opens_and_answers_without_slow_imports() -> None:
    script = (
        "import sys, calfbayes; calfbayes.load_model('tutorial').diagnose({}); "
        "heavy = {'pandas', 'pgmpy', 'networkx', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "text",
    [
        '{"items": {"shortness_of_breath": true, "shortness_of_breath": false}}',
        '{"setting": "emergency", "setting": "community"}',
    ],
)
def test_a_repeated_key_in_json_is_refused(text: str) -> None:
    """The second of two answers must not silently erase a red flag."""
    with pytest.raises(calfbayes.ArgumentError, match="more than once"):
        calfbayes.load_model("tutorial").evidence_from_json(text)


@pytest.mark.parametrize("doubt", [calfbayes.Likelihood(0.01), calfbayes.Likelihood(3.0)])
def test_the_complaint_cannot_be_doubtful(doubt: calfbayes.Likelihood) -> None:
    with pytest.raises(calfbayes.EvidenceError, match="True or False"):
        calfbayes.load_model("tutorial").evidence({"calf_pain": doubt})


@pytest.mark.parametrize(
    "call",
    [
        lambda model, result: model.diagnose({}, engine=[]),
        lambda model, result: result[[]],
        lambda model, result: result.probability_of_any(None),
        lambda model, result: result.probability_of_any("deep_vein_thrombosis"),
        lambda model, result: result.evidence.with_(5),
        lambda model, result: result.evidence.without([]),
    ],
)
def test_wrong_types_end_in_our_own_errors(call: Callable[[calfbayes.Model, calfbayes.Diagnosis], object]) -> None:
    model = calfbayes.load_model("tutorial")
    with pytest.raises(calfbayes.CalfBayesError):
        call(model, model.diagnose({}))


def test_a_result_is_a_table_of_its_causes() -> None:
    result = calfbayes.load_model("tutorial").diagnose({"age": 67, "pain_on_walking": True})
    table = result.to_frame()
    assert list(table.columns) == ["label", "group", "urgency", "probability", "share"]
    assert list(table.index) == [cause.id for cause in result.causes]
    assert list(table["probability"]) == [cause.probability for cause in result.causes]
    assert list(table["share"]) == [cause.share for cause in result.causes]


def test_a_model_is_judged_by_what_stands_beside_its_files(tmp_path: Path) -> None:
    model = calfbayes.load_model("tutorial")
    constraints = model.constraints()
    assert constraints
    verdicts = model.judge()
    assert [verdict.id for verdict in verdicts] == [constraint.id for constraint in constraints]
    assert model.judge(constraints[1:3]) == verdicts[1:3]
    assert model.judge(()) == ()
    with pytest.raises(calfbayes.NoSuchModelError, match=r"evidence\.csv"):
        model.audit()
    folder = shutil.copytree(models_folder() / "tutorial", tmp_path / "mine", ignore=shutil.ignore_patterns("constraints"))
    mine = calfbayes.load_model(folder)
    with pytest.raises(calfbayes.ModelFileError, match="holds no constraint"):
        mine.constraints()
    assert mine.judge(constraints[:1])[0].holds
    (folder / "populations.csv").write_text("id,setting,evidence,description\nall,primary_care,,whoever comes\n")
    head = "id,kind,cause,item,comparator,population,value,low,high,confidence,citation,url,reason,reach"
    rows = [f"{name},sensitivity,deep_vein_thrombosis,unilateral_calf_swelling,,all,0.5,,,verified,Nobody,,," for name in "abc"]
    (folder / "evidence.csv").write_text("\n".join([head, *rows, ""]))
    assert [comparison.figure.id for comparison in mine.audit()] == ["a", "b", "c"]
    assert [comparison.figure.id for comparison in mine.audit(every=2)] == ["a", "c"]


@pytest.mark.parametrize("wrong", [0, True, 2.0, "all"])
def test_a_sample_of_the_audit_is_every_nth_row(wrong: Any) -> None:
    with pytest.raises(calfbayes.ArgumentError, match="a whole number from 1"):
        calfbayes.load_model("tutorial").audit(every=wrong)


@pytest.mark.parametrize("wrong", [3, "ranks", ["ranks"]])
def test_only_constraints_judge(wrong: Any) -> None:
    with pytest.raises(calfbayes.ArgumentError, match=r"such as model\.constraints\(\) gives"):
        calfbayes.load_model("tutorial").judge(wrong)
