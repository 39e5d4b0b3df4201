"""The battery finds what is wrong, and does not pass what it has not looked at."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ArgumentError, Model
from calfbayes.testing import Check, assert_same_diagnosis, assert_valid_model, battery, check_model, random_model
from calfbayes.testing.editing import with_number
from support.models import model_of, shipped, with_constraints
from support.small_models import small_content

TUTORIAL = shipped("tutorial")


@pytest.mark.parametrize("seed", [3, 4])
def test_random_models_pass(seed: int) -> None:
    report = check_model(random_model(seed, n_rules=3), patients=5).require()
    assert all(check.count >= check.minimum > 0 for check in report.checks if check.id not in {"odds", "constraints"})


def test_the_tutorial_passes_with_every_check_carried_out() -> None:
    report = check_model(TUTORIAL, patients=5)
    assert report.ok, report
    assert all(check.count >= check.minimum > 0 for check in report.checks)
    assert report.to_dict()["checks"][0]["count"] == len(TUTORIAL.causes) * len(TUTORIAL.settings)
    assert "9 of 9 checks held" in str(report)


def test_a_check_that_looked_at_too_little_does_not_pass() -> None:
    check = Check("rules", "rules hold", 0, 4, ())
    assert not check.ok
    assert str(check) == "TOO FEW rules: rules hold (only 0 were looked at, 4 are needed)"
    report = replace(check_model(TUTORIAL, patients=1), checks=(check,))
    with pytest.raises(AssertionError, match="TOO FEW rules"):
        report.require()


@pytest.mark.parametrize("patients", [0, -5, True, 2.5, "3"])
def test_a_battery_without_patients_is_refused(patients: Any) -> None:
    with pytest.raises(ArgumentError, match=r"patients=.*a whole number from 1"):
        check_model(TUTORIAL, patients=patients)


def test_what_a_model_has_nothing_of_is_not_counted_as_held() -> None:
    model = model_of(small_content({"c": (1.0, {"g": 0.5}), "d": (1.0, {"g": 0.5})}, {"g": 0.1}))
    report = check_model(model, patients=1)
    assert report.ok
    assert {check.id for check in report.checks if not check.applies} == {"odds", "rules", "constraints"}
    head, *lines = str(report).splitlines()
    assert head.endswith("6 of 6 checks held, 3 do not apply")
    assert "  does not apply odds: a finding with one cause moves its odds by a fixed ratio (0)" in lines
    assert [check["applies"] for check in report.to_dict()["checks"]].count(False) == 3


def test_an_edited_model_is_judged_by_the_constraints_of_its_folder() -> None:
    wrong = with_number(TUTORIAL, "causes.deep_vein_thrombosis.weight.primary_care", 5.0)
    (constraints,) = (check for check in check_model(wrong, patients=1).checks if check.id == "constraints")
    assert constraints.failures


def test_constraints_that_cannot_be_read_are_a_failure(tmp_path: Path) -> None:
    model = Model(TUTORIAL._solved, TUTORIAL._content, with_constraints(tmp_path, '[[constraints]]\nid = "one"'))
    (constraints,) = (check for check in check_model(model, patients=1).checks if check.id == "constraints")
    assert constraints.failures[0].startswith("constraints/test.toml: constraints.one.kind: None is no kind")


def test_an_engine_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of another model in place of its own."""
    other = TUTORIAL.with_weights("primary_care", {"deep_vein_thrombosis": 0.2})
    wrong = Model(replace(TUTORIAL._solved, bases=other._solved.bases, baseline=other._solved.baseline), TUTORIAL._content)
    failed = {check.id for check in check_model(wrong, patients=3).checks if not check.ok}
    assert failed == {"shares"}
    monkeypatch.setattr(battery, "odds_ratio", lambda *_, **__: 1.5)
    failed = {check.id for check in check_model(TUTORIAL, patients=3).checks if not check.ok}
    assert failed == {"odds"}


def test_costly_models_do_not_pass_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(battery, "_asked", lambda *_: None)
    failed = {check.id for check in check_model(TUTORIAL, patients=3).checks if not check.ok}
    assert {"sums", "order", "json", "tables", "odds"} <= failed


def test_same_diagnosis() -> None:
    first = TUTORIAL.diagnose({"redness": True, "age": 40})
    assert_same_diagnosis(first, TUTORIAL.diagnose({"age": 40, "redness": True, "night_cramps": None}))
    second = TUTORIAL.diagnose({"redness": True, "age": 40, "shortness_of_breath": True})
    with pytest.raises(AssertionError) as error:
        assert_same_diagnosis(first, second)
    told = str(error.value)
    dvt = "deep_vein_thrombosis"
    assert f"level: {first.urgency.level} against emergency" in told
    assert f"{dvt}: {first[dvt].probability:.6g} against {second[dvt].probability:.6g}" in told
    assert "model.evidence({'age': 40, 'redness': True" in told


def test_differences_within_the_tolerance_are_none() -> None:
    first, second = (TUTORIAL.diagnose({"night_cramps": x, "potassium_low": True}, setting="community") for x in (True, None))
    with pytest.raises(AssertionError):
        assert_same_diagnosis(first, second, tolerance=1e-6)
    if first.urgency.level == second.urgency.level:
        assert_same_diagnosis(first, second, tolerance=1.0)


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), -1, True, "0"])
def test_a_tolerance_that_is_none_is_refused(tolerance: Any) -> None:
    result = TUTORIAL.diagnose({"redness": True})
    with pytest.raises(ArgumentError, match=r"tolerance=.*a finite number from 0"):
        assert_same_diagnosis(result, result, tolerance=tolerance)


def test_two_refused_results_say_the_same_of_the_same_patient_only() -> None:
    redness, cramps = (TUTORIAL.diagnose({name: True}, cost_limit=1) for name in ("redness", "night_cramps"))
    assert not redness.causes
    assert_same_diagnosis(redness, redness)
    with pytest.raises(AssertionError, match="neither holds probabilities, and the patients differ"):
        assert_same_diagnosis(redness, cramps)


def test_a_valid_model_is_returned_and_a_wrong_one_tells_every_fault() -> None:
    assert assert_valid_model("tutorial").digest == TUTORIAL.digest
    with pytest.raises(AssertionError, match="neither a shipped model"):
        assert_valid_model("nowhere")
    with pytest.raises(AssertionError, match=r"faults? in model"):
        assert_valid_model(Path(__file__).parents[2] / "cli" / "broken_car")
