"""The pytest plugin, and a stranger who has only the public documentation.

The runs are subprocesses in fresh folders. The plugin is found by the entry point that pyproject.toml declares, written
into a folder as an installer would write it.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.models import with_constraints

ROOT = Path(__file__).resolve().parents[2]
CAR = ROOT / "tests" / "cli" / "car"

CONSTRAINTS = """
[[constraints]]
id = "dim_lights_mean_a_flat_battery"
kind = "ranks"
cause = "flat_battery"
within = 1
given = { lights_dim = true }
source = ["manual"]
why = "what feeds the lights feeds the starter"

[[constraints]]
id = "fuel_on_the_road_is_dangerous"
kind = "urgency"
given = { lights_dim = true }
at_least = "emergency"
source = ["manual"]
why = "it burns"

[[constraints]]
id = "a_click_speaks_for_the_battery"
kind = "raises"
cause = "flat_battery"
of = { clicking = true }
scope = "anything"
trials = 30
source = ["manual"]
why = "the starter tries"
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder as if calfbayes had been installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["pytest11"]
    installed = folder / "site" / "calfbayes_declared-0.dist-info"
    installed.mkdir(parents=True, exist_ok=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: calfbayes-declared\nVersion: 0\n", encoding="utf-8")
    lines = ["[pytest11]", *(f"{name} = {module}" for name, module in declared.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    path = os.pathsep.join([str(folder / "site"), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = shutil.copytree(CAR, tmp_path / "car")
    return with_constraints(folder, CONSTRAINTS)


def test_every_constraint_is_a_test(model: Path) -> None:
    done = run(model.parent, "--calfbayes-model", "car", "-v")
    assert done.returncode == 1
    assert re.search(r"dim_lights_mean_a_flat_battery PASSED", done.stdout)
    assert "1 failed, 2 passed" in done.stdout
    assert "collected 3 items" in done.stdout
    assert "FAILED car/constraints/test.toml::fuel_on_the_road_is_dangerous" in done.stdout
    assert "calfbayes: of 2 constraints that are met, 2 proven" in done.stdout or "1 held" in done.stdout
    told = " ".join(done.stdout.split())
    assert "fuel_on_the_road_is_dangerous: refuted. in roadside, lights_dim: the level is" in told
    assert "it burns [manual]" in told
    assert "Traceback" not in done.stdout


def test_one_constraint_can_be_chosen(model: Path) -> None:
    done = run(model.parent, "--calfbayes-model", "car", "-k", "dim_lights")
    assert done.returncode == 0
    assert "1 passed, 2 deselected" in done.stdout


@pytest.mark.parametrize("option", [(), ("--calfbayes-model", "car/../car")])
def test_what_a_run_prints_of_a_constraint_runs_it_again(model: Path, option: tuple[str, ...]) -> None:
    done = run(model.parent, *option, "car/constraints/test.toml::fuel_on_the_road_is_dangerous")
    assert done.returncode == 1
    assert "collected 1 item" in done.stdout
    assert "FAILED car/constraints/test.toml::fuel_on_the_road_is_dangerous" in done.stdout


def test_files_of_constraints_that_nobody_names_are_no_tests(model: Path) -> None:
    assert run(model.parent, ".").returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    (model / "model.toml").unlink()
    done = run(model.parent, "car/constraints/test.toml")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


def test_a_failure_tells_the_numbers_that_would_mend_it(model: Path) -> None:
    wrong = CONSTRAINTS.replace('"ranks"\n', '"probability"\n').replace("within = 1\n", "at_most = 0.9\n")
    with_constraints(model, wrong)
    done = run(model.parent, "--calfbayes-model", "car", "-k", "dim_lights")
    assert "would do by itself" in done.stdout, done.stdout + done.stderr


def test_a_model_that_cannot_be_read_is_a_usage_error(model: Path) -> None:
    with_constraints(model, CONSTRAINTS.replace('"flat_battery"', '"flat_batery"'))
    done = run(model.parent, "--calfbayes-model", "car")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'flat_batery' is no cause" in done.stderr
    assert "flat_battery" in done.stderr
    with_constraints(model, "# nothing yet")
    done = run(model.parent, "--calfbayes-model", "car")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "constraints: holds no constraint" in done.stderr
    assert run(model.parent, "--calfbayes-model", "no_car").returncode == pytest.ExitCode.USAGE_ERROR


def test_without_the_option_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    assert 'pytest_calfbayes' in sys.modules\n"
        "    assert not {'calfbayes', 'numpy', 'pydantic'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    done = run(tmp_path, "-p", "no:hypothesispytest", "test_nothing.py")
    assert done.returncode == 0, done.stdout + done.stderr


# --- a stranger's project: their own small model, and ten lines that the documentation has taught them ---

STRANGERS_TEST = """\
import calfbayes as cb
from calfbayes.testing import assert_valid_model, check_model, given
from calfbayes.testing.strategies import patients
from hypothesis import given as examples, settings

model = assert_valid_model("lamp")

def test_battery(): check_model(model, patients=5).require()

def test_dark(): given(dark=True).ranks("bulb", source="me", why="bulbs go first").hold(model)

@settings(max_examples=20, deadline=None)
@examples(patients(model, cause="fuse"))
def test_fuse(patient): assert model.diagnose(patient)["fuse"].probability > 0
"""

NUMBER = 'kind = "judged", source = ["me"], n = 20, why = "by eye"'
CARE = '[care]\nwho = "me"\nexaminations = []\nhelps = []\navoid = []\ncome_back = "if it stays dark"\nsource = ["me"]\n'


def cause(label: str, weight: float, links: str) -> str:
    return f"""label = "{label}"
description = "{label}."
group = "electric"
urgency = "routine"
[weight]
home = {{ value = {weight}, {NUMBER} }}
[links]
{links}
{CARE}"""


def finding(name: str, leak: float) -> str:
    return f"""[{name}]
label = "{name}"
question = "{name}?"
kind = "symptom"
group = "lamp"
observer = "patient"
burden = 1
leak = {{ value = {leak}, {NUMBER} }}
"""


LEVELS = ("self_care", "routine", "within_days", "same_day", "emergency")
LAMP = {
    "model.toml": f"""format = 1
name = "lamp"
version = "0.0.1"
title = "A lamp"
intended_use = "A test."
population = "Lamps."
not_for = []
licence = "CC0-1.0"
complaint = "no_light"
default_setting = "home"
[settings.home]
label = "At home"
coincidence = {{ value = 0.2, {NUMBER} }}
""",
    "findings.toml": finding("no_light", 0) + finding("dark", 0.05) + finding("other_lamps_off", 0.05),
    "risk_factors.toml": "",
    "mechanisms.toml": "",
    "sources.toml": '[me]\ncitation = "Me"\nurl = ""\nkind = "judgement"\n',
    "causes/bulb.toml": cause("Bulb", 0.6, f"dark = {{ probability = 0.9, {NUMBER} }}"),
    "causes/fuse.toml": cause("Fuse", 0.4, f"other_lamps_off = {{ probability = 0.9, {NUMBER} }}"),
    "urgency.toml": "".join(f'[levels.{level}]\nlabel = "{level}"\naction = "{level}"\n' for level in LEVELS)
    + '[loss]\nkind = "judged"\nsource = ["me"]\nwhy = "by eye"\n'
    + "".join(
        f"[loss.acted.{acted}]\n"
        + "".join(f"{need} = {float(max(0, b - a) ** 2 * 4 + max(0, a - b))}\n" for b, need in enumerate(LEVELS))
        for a, acted in enumerate(LEVELS)
    ),
}


def test_a_stranger_tests_a_model_of_their_own(tmp_path: Path) -> None:
    for name, text in LAMP.items():
        path = tmp_path / "lamp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with_constraints(
        tmp_path / "lamp",
        '[[constraints]]\nid = "dark_street"\nkind = "raises"\ncause = "fuse"\nof = { other_lamps_off = true }\n'
        'source = ["me"]\nwhy = "they hang on it"\n',
    )
    (tmp_path / "test_lamp.py").write_text(STRANGERS_TEST, encoding="utf-8")
    done = run(tmp_path, "--calfbayes-model", "lamp", "-W", "error")
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert "calfbayes: of 1 constraints that are met, 1 proven" in done.stdout
    bulb = tmp_path / "lamp" / "causes" / "bulb.toml"
    broken = bulb.read_text(encoding="utf-8").replace("dark = ", "other_lamps_off = ").replace("value = 0.6", "value = 0.35")
    bulb.write_text(broken, encoding="utf-8")
    done = run(tmp_path, "test_lamp.py")
    assert "ranks: refuted. in home, dark: bulb is number 2" in done.stdout, done.stdout
