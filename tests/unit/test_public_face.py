"""The public names, and what importing the package costs."""

import subprocess
import sys

import calfbayes


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
        "QueryTooCostlyError",
        "UnknownNameError",
        "UrgencyResult",
        "__version__",
        "load_model",
    ]
    assert all(hasattr(calfbayes, name) for name in calfbayes.__all__)


def test_methods_that_others_call_are_frozen() -> None:
    def public(kind: type) -> list[str]:
        return sorted(name for name in dir(kind) if not name.startswith("_"))

    assert public(calfbayes.Model) == [
        "causes",
        "complications",
        "diagnose",
        "diagnose_frame",
        "digest",
        "evidence",
        "evidence_from_json",
        "findings",
        "graph",
        "knowledge",
        "mechanisms",
        "name",
        "questionnaire",
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
