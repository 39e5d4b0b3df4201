"""What the command line prints, word for word.

`CALFBAYES_UPDATE_SNAPSHOTS=1 pytest tests/cli` writes the files anew; a changed file is a visible change and is to be read.
The model is about a car, so that a better medical number never changes a snapshot.
"""

import io
import os
import re
from pathlib import Path

import pytest

from calfbayes.cli import main

HERE = Path(__file__).parent
SNAPSHOTS = HERE / "snapshots"
UPDATE = bool(os.environ.get("CALFBAYES_UPDATE_SNAPSHOTS"))

COMMANDS = {
    "nothing_known": ["diagnose"],
    "explain": ["explain", "lights_dim", "no:smoke", "clicking=3", "--fuel", "diesel", "--cause", "flat_battery"],
    "explain_against": ["explain", "lights_dim", "clicking", "--against", "empty_tank"],
    "explain_doubt": ["explain", "lights_dim", "clicking", "--intervals", "--sensitivity", "urgency"],
    "error_explain_sensitivity": ["explain", "lights_dim", "--sensitivity", "flat_batery"],
    "error_explain_cause": ["explain", "lights_dim", "--cause", "flat_batery"],
    "error_no_record": ["replay", "-"],
    "self_care": ["diagnose", "lights_dim", "clicking", "no:smell_of_fuel", "no:smoke", "--setting", "garage"],
    "emergency_by_rule": ["diagnose", "smell_of_fuel", "--mileage", "160", "--fuel", "petrol"],
    "emergency_rule_open": ["diagnose", "smell_of_fuel", "unknown:smoke", "cold_night"],
    "doubtful_reports": ["diagnose", "clicking=3", "smell_of_fuel=0.25", "cell_voltage_low", "mileage=49.5"],
    "care": ["diagnose", "lights_dim", "--care", "--top", "2"],
    "outside_scope": ["diagnose", "lights_dim", "--mileage", "999"],
    "wrong_complaint": ["diagnose", "no:does_not_start"],
    "evidence_from_stdin": ["diagnose", "--evidence", "-", "no:lights_dim"],
    "error_unknown_finding": ["diagnose", "lights_dimm"],
    "error_cause_as_finding": ["diagnose", "flat_battery"],
    "error_number_out_of_bounds": ["diagnose", "--mileage", "-1"],
    "error_no_number": ["diagnose", "--mileage", "nan"],
    "error_state": ["diagnose", "fuel=vodka"],
    "error_bare_factor": ["diagnose", "fuel"],
    "error_finding_as_text": ["diagnose", "clicking=loudly"],
    "error_ratio_of_one": ["diagnose", "clicking=1"],
    "error_given_twice": ["diagnose", "clicking", "no:clicking"],
    "error_contradiction": ["diagnose", "clicking", "lights_dim", "lights_bright"],
    "error_setting": ["diagnose", "--setting", "moon"],
    "error_no_such_evidence_file": ["diagnose", "--evidence", "nowhere.json"],
    "error_no_such_model": ["diagnose", "--model", "nowhere"],
    "findings": ["findings"],
    "findings_by_synonym": ["findings", "petrol", "ODOUR"],
    "findings_misspelt": ["findings", "volltage"],
    "findings_none": ["findings", "xylophone"],
    "causes": ["causes"],
    "causes_in_garage": ["causes", "fuel", "--setting", "garage"],
    "check_fine": ["check", "car"],
    "check_broken": ["check", "broken_car"],
}
STDIN = '{"setting": "garage", "items": {"lights_dim": true, "clicking": {"likelihood_ratio": 4.0}, "fuel": "diesel"}}'


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_as_frozen(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr("calfbayes.cli.models.DEFAULT_MODEL", "car")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(STDIN.encode())))
    code = main(COMMANDS[name])
    out, err = capsys.readouterr()
    text = f"$ calfbayes {' '.join(COMMANDS[name])}\n{out}{err}[exit code {code}]\n"
    text = re.sub(r"digest [0-9a-f]{12}", "digest ............", text)  # changes with the format, not with the wording
    path = SNAPSHOTS / f"{name}.txt"
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_snapshot_has_its_command() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(COMMANDS)
