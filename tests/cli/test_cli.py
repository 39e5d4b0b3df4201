"""What the command line does beyond its wording: JSON in and out, streams, colour, models, exit codes."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from calfbayes import Likelihood, __version__, load_model
from calfbayes.cli import main
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY
from calfbayes.model import Model
from support.models import SHIPPED, shipped, with_constraints

CAR = str(Path(__file__).parent / "car")


@pytest.fixture(scope="module")
def car() -> Model:
    return load_model(CAR)


@pytest.fixture(autouse=True)
def default_model_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calfbayes.cli.models.DEFAULT_MODEL", CAR)


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_json_is_the_result(car: Model, capsys: pytest.CaptureFixture[str]) -> None:
    given = "lights_dim no:smoke unknown:clicking smell_of_fuel=3 cold_night --mileage 60 --fuel diesel --setting garage --json"
    assert main(["diagnose", *given.split()]) == 0
    evidence = {
        "lights_dim": True,
        "smoke": False,
        "clicking": None,
        "smell_of_fuel": Likelihood(3.0),
        "cold_night": True,
        "mileage": 60,
        "fuel": "diesel",
    }
    out = capsys.readouterr().out
    assert json.loads(out) == json.loads(car.diagnose(evidence, setting="garage").to_json())
    assert len(out.splitlines()) == 1


def test_an_interview_says_the_level_to_act_on_first(
    car: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(monkeypatch, "?\nq\n")
    assert main(["ask", "--setting", "garage", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    interview = car.interview_from_json(json.dumps(told["interview"]))
    assert interview.screens == 1
    assert list(told) == ["level", "action", "interview", "result"]
    assert told["level"] == told["interview"]["level"] == str(interview.level)
    assert told["action"] == car.urgency_policy.text_of(interview.level).action
    assert told["result"] == json.loads(interview.result.to_json())


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("cold_night=present", True),
        ("cold_night=no", False),
        ("cold_night=unknown", None),
        ("no:cold_night", False),
        ("mileage=60", 60),
        ("mileage=60.5", 60.5),
        ("mileage=old", "old"),
        ("fuel=battery_only", "battery_only"),
        ("smoke=yes", True),
        ("smoke=absent", False),
        ("smoke=0.5", {"likelihood_ratio": 0.5}),
    ],
)
def test_each_way_to_write_an_item(item: str, value: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", item, "--json"]) == 0
    items = json.loads(capsys.readouterr().out)["evidence"]["items"]
    assert items == {re.split("[:=]", item.removeprefix("no:"))[0]: value}


@pytest.mark.parametrize("number", ["1_0", "nan", "inf", " 60", "\uff16\uff10", "0x10", "1e", ""])
@pytest.mark.parametrize("name", ["mileage", "smoke"])
def test_what_is_no_plain_number_is_none(name: str, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", f"{name}={number}"]) == 1
    assert name in capsys.readouterr().err


def test_items_and_options_may_be_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--json", "smoke", "--mileage", "60", "no:clicking", "--fuel=petrol", "lights_dim"]) == 0
    assert set(json.loads(capsys.readouterr().out)["evidence"]["items"]) == {
        "smoke",
        "mileage",
        "clicking",
        "fuel",
        "lights_dim",
    }


def test_evidence_round_trips_through_json(
    car: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = car.evidence({"lights_dim": True, "clicking": None, "smoke": Likelihood(0.5), "mileage": 7}, setting="garage")
    stdin(monkeypatch, evidence.to_json())
    assert main(["diagnose", "--evidence", "-", "--json"]) == 0
    from_stdin = capsys.readouterr().out
    path = tmp_path / "evidence.json"
    path.write_text(evidence.to_json(), encoding="utf-8")
    assert main(["diagnose", "--evidence", str(path), "--json"]) == 0
    assert from_stdin == capsys.readouterr().out
    assert json.loads(from_stdin)["evidence"] == evidence.to_dict()


def test_an_item_replaces_what_the_file_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, '{"setting": "garage", "items": {"smoke": true, "clicking": true}}')
    assert main(["diagnose", "--evidence", "-", "no:smoke", "--setting", "roadside", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evidence"] == {
        "setting": "roadside",
        "items": {"smoke": False, "clicking": True},
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"items": []}', '{"item": {}}', "[" * 100_000, '{"items": {"smoke": NaN}}'])
def test_what_is_no_evidence_is_refused(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, text)
    assert main(["diagnose", "--evidence", "-"]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("calfbayes: ")


def test_too_much_evidence_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.json"
    path.write_text(" " * 5_000_000, encoding="utf-8")
    assert main(["diagnose", "--evidence", str(path)]) == 1
    assert "larger than" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--"],
        ["unknown"],
        ["--unknown"],
        ["check"],
        ["demo", "more"],
        ["diagnose", "--unknown"],
        ["diagnose", "--top", "0"],
        ["diagnose", "--top", "x"],
        ["diagnose", "--model"],
        ["diagnose", "--engine", "magic"],
        ["diagnose", "--mil", "60"],
    ],
)
def test_a_wrong_command_gives_2_and_the_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("usage: calfbayes")


def test_help_lists_commands_exit_codes_and_the_model_s_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    top = capsys.readouterr().out
    assert all(f"    {name} " in top for name in ("diagnose", "check", "findings", "causes", "demo", "snapshot"))
    assert "exit codes:\n    0 " in top
    assert main(["diagnose", "--help"]) == 0
    own = capsys.readouterr().out
    assert "--mileage" in own
    assert "{petrol,diesel,battery_only}" in own
    assert "--cold_night" not in own
    assert "--age" not in own
    assert "exit codes:\n    0 " in own


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"calfbayes {__version__}\n"


def test_a_factor_named_like_an_option_is_still_an_item(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(CAR, tmp_path / "car")
    for path in folder.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("fuel.", "top.").replace("[fuel]", "[top]").replace("[[fuel.", "[[top."), encoding="utf-8")
    assert main(["diagnose", "--model", str(folder), "top=diesel", "--top", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evidence"]["items"] == {"top": "diesel"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "is_terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_is_for_terminals_only(
    environment: dict[str, str], is_terminal: bool, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for command in (["diagnose", "smoke"], ["findings"], ["causes"]):
        stream = Terminal() if is_terminal else io.StringIO()
        monkeypatch.setattr("sys.stdout", stream)
        assert main(command) == 0
        assert ("\x1b[" in stream.getvalue()) == coloured


def test_a_terminal_without_the_signs_gets_plainer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["diagnose", "smoke"]) == 0
    sys.stdout.flush()
    assert re.search(r"Flat battery +#+\.+\|", raw.getvalue().decode("ascii"))


def test_a_reader_who_goes_away_is_no_traceback() -> None:
    command = [sys.executable, "-m", "calfbayes", "findings", "--model", CAR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        code = process.wait(timeout=60)
    assert (code, err) == (141, b"")


def test_interruption_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> Model:
        raise KeyboardInterrupt

    monkeypatch.setattr("calfbayes.cli.models.load", interrupt)
    assert main(["causes"]) == 130


def test_second_opinion_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    probabilities = []
    for engine in ("exact", "pgmpy"):
        assert main(["diagnose", "lights_dim", "no:clicking", "--engine", engine, "--json"]) == 0
        causes = json.loads(capsys.readouterr().out)["causes"]
        probabilities.append({entry["id"]: entry["probability"] for entry in causes})
    assert probabilities[1] == pytest.approx(probabilities[0], rel=1e-9)


def test_check_names_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(CAR, tmp_path / "car")
    assert main(["check", str(folder)]) == 0
    (folder / "causes" / "empty_tank.toml").write_text("label = 3\n", encoding="utf-8")
    (folder / "sources.toml").write_text("[nowhere\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "causes/empty_tank.toml: label" in out
    assert "sources.toml" in out
    assert not err


CONSTRAINT = """
[[constraints]]
id = "dim_lights_mean_a_flat_battery"
kind = "ranks"
cause = "{cause}"
within = 1
given = {{ lights_dim = true }}
source = ["manual"]
why = "what feeds the lights feeds the starter"
"""


@pytest.mark.parametrize(("cause", "code", "said"), [("flat_battery", 0, "1 proven"), ("empty_tank", 1, "1 refuted")])
def test_check_judges_a_model_by_its_constraints(
    cause: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(CAR, tmp_path / "car")
    with_constraints(folder, CONSTRAINT.format(cause=cause))
    assert main(["check", str(folder), "--constraints"]) == code
    out = capsys.readouterr().out
    assert f"of 1 constraints hold: {said}." in out
    assert ("what feeds the lights feeds the starter [manual]" in out) is bool(code)
    assert ("would do by itself" in out) is bool(code)
    assert main(["check", str(folder), "--constraints", "--verbose"]) == code
    assert "what feeds the lights feeds the starter [manual]" in capsys.readouterr().out
    assert main(["check", str(folder)]) == 0  # nobody asked


def test_check_says_what_is_wrong_with_the_constraints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(CAR, tmp_path / "car")
    assert main(["check", str(folder), "--constraints"]) == 1
    assert "constraints: holds no constraint" in capsys.readouterr().out
    with_constraints(folder, CONSTRAINT.format(cause="flat_tyre"))
    assert main(["check", str(folder), "--constraints"]) == 1
    assert "'flat_tyre' is no cause" in capsys.readouterr().out


def test_check_reads_the_files_of_a_shipped_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(CAR, tmp_path / "car")
    monkeypatch.setattr("calfbayes.cli.upkeep.models_folder", lambda: tmp_path)
    monkeypatch.setattr("calfbayes.cli.upkeep.shipped_models", lambda: ("car",))
    assert main(["check", "car"]) == 0
    (tmp_path / "car" / "sources.toml").unlink()
    assert main(["check", "car"]) == 1
    assert "sources.toml: is missing" in capsys.readouterr().out


def test_snapshot_is_written_in_a_checkout_only(
    car: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(CAR, tmp_path / "car")
    for place in ("calfbayes.cli.upkeep", "calfbayes.knowledge.shipped"):
        monkeypatch.setattr(f"{place}.models_folder", lambda: tmp_path)
        monkeypatch.setattr(f"{place}.shipped_models", lambda: ("car",))
    assert main(["snapshot"]) == 0
    assert (folder / "snapshot.json").is_file()
    monkeypatch.setattr("calfbayes.inference.solved.solve_bases", None)  # bases come from the snapshot, or this fails
    opened = load_model("car")
    assert opened == car
    given = {"lights_dim": True, "mileage": 60}
    assert opened.diagnose(given).to_dict() == car.diagnose(given).to_dict()

    monkeypatch.setattr("calfbayes.cli.upkeep.PACKAGE", tmp_path.parent)
    capsys.readouterr()
    assert main(["snapshot"]) == 1
    assert "is installed" in capsys.readouterr().err


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_answers(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("calfbayes.cli.models.load", shipped)
    assert main(["diagnose", "--model", name]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    model = shipped(name)
    assert first in {text.label.upper() for text in model.urgency_policy.levels}
    assert any(line.startswith("Outcome: insufficient - ") for line in rest)
    assert main(["findings", "--model", name]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line and not line.startswith(" ")}
    assert listed == {finding.id for finding in model.findings} | {factor.id for factor in model.risk_factors}
    assert main(["causes", "--model", name]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line and not line.startswith(" ")}
    assert listed == {cause.id for cause in model.causes}


def test_demo_shows_three_published_patients_urgency_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("calfbayes.cli.models.load", lambda: shipped("calf"))
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    patients = re.split(r"^=+$", out, flags=re.MULTILINE)[1:]
    assert len(patients) == 3
    model = shipped("calf")
    labels = {text.label.upper(): text.level for text in model.urgency_policy.levels}
    flagged = []
    for text in patients:
        lines = text.splitlines()
        places = [next(k for k, line in enumerate(lines) if line.startswith(start)) for start in ORDER_IN_DEMO]
        assert places == sorted(places)
        flags = [(k, labels[line]) for k, line in enumerate(lines) if line in labels]
        assert len(flags) == 1
        assert places[1] < flags[0][0] < places[2]
        assert "https://" in text
        flagged.append(flags[0][1])
    assert len(set(flagged)) >= 2  # one patient who must hurry, one who need not
    assert max(flagged, key=LEVELS_BY_SEVERITY.index) == LEVELS_BY_SEVERITY[-1]


ORDER_IN_DEMO = ("Patient ", "What was known", "Why", "Outcome:", "Causes", "Published", "Model calf")


def test_demo_patients_are_known_to_the_model() -> None:
    model = shipped("calf")
    text = (Path(__file__).parents[2] / "models" / "calf" / "demo_patients.json").read_text(encoding="utf-8")
    patients = json.loads(text)["patients"]
    known = {finding.id for finding in model.findings} | {factor.id for factor in model.risk_factors}
    causes = {cause.id for cause in model.causes}
    for patient in patients:
        assert {*patient["findings"], *patient["risk_factors"]} <= known
        assert patient["final_diagnosis"] in causes
        assert patient["url"].startswith("https://")
    assert {patient["true_urgency"] for patient in patients} >= {"emergency", "routine"}


def test_python_dash_m_is_the_command_line() -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    run = subprocess.run(
        [sys.executable, "-m", "calfbayes", "--version"], capture_output=True, text=True, check=True, env=environment
    )
    assert run.stdout == f"calfbayes {__version__}\n"


def test_explanations_are_the_results_own(car: Model, capsys: pytest.CaptureFixture[str]) -> None:
    result = car.diagnose({"lights_dim": True, "clicking": True})
    assert main(["explain", "lights_dim", "clicking", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ledger"] == json.loads(json.dumps(result.explain(result.causes[0].id).to_dict()))
    assert document["against"] is None
    assert document["conflict"] == result.conflict().to_dict()
    assert main(["explain", "lights_dim", "clicking", "--cause", "empty_tank", "--against", "flat_battery", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["against"]["probabilities"] == [result["empty_tank"].probability, result["flat_battery"].probability]
    assert document["intervals"] is document["sensitivity"] is None
    assert main(["explain", "lights_dim", "clicking", "--draws", "20", "--sensitivity", "empty_tank", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    drawn = result.intervals(method="sampling", draws=20, progress=False)
    assert document["intervals"] == json.loads(json.dumps(drawn.to_dict()))
    assert document["sensitivity"] == json.loads(json.dumps(result.sensitivity(of="empty_tank").to_dict()))


def test_too_few_draws_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "lights_dim", "--draws", "5"]) == 1
    assert "draws" in capsys.readouterr().err


def test_without_probabilities_nothing_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "no:does_not_start"]) == 1
    assert "no probabilities" in capsys.readouterr().err


def test_a_record_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "lights_dim", "clicking=3", "--fuel", "diesel", "--record"]) == 0
    file = tmp_path / "record.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["replay", str(file)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "reproduced"
    assert re.fullmatch(r"recorded with calfbayes \S+ and model car \S+ \([0-9a-f]{12}\)", said[1])
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(file.read_text(encoding="utf-8").replace('"name": "car"', '"name": "bicycle"'), encoding="utf-8")
    assert main(["replay", str(elsewhere)]) == 1
    assert "is of model 'bicycle', which is not shipped" in capsys.readouterr().err
    twice = tmp_path / "twice.json"
    twice.write_text(file.read_text(encoding="utf-8").replace('"policy"', '"policy": "given", "policy"'), encoding="utf-8")
    assert main(["replay", str(twice)]) == 1
    assert "'policy' given more than once" in capsys.readouterr().err
    edited = tmp_path / "car"
    shutil.copytree(CAR, edited)
    findings = edited / "findings.toml"
    text = findings.read_text(encoding="utf-8")
    before = re.search(r"leak = \{ value = ([0-9.]+)", text[text.index("[clicking]") :])
    assert before
    start = text.index("[clicking]")
    findings.write_text(text[:start] + text[start:].replace(before[0], "leak = { value = 0.0625", 1), encoding="utf-8")
    assert main(["replay", str(file), "--model", str(edited), "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert [entry["place"] for entry in outcome["edited"]] == ["findings.clicking.leak.value"]
    assert outcome["edited"][0]["effects"]
    assert not outcome["reproduced"]
