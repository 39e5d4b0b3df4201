"""The built wheel, installed outside the checkout, opens every shipped model and gives the same answers."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import calfbayes
from calfbayes.knowledge.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, calfbayes
from calfbayes.knowledge.shipped import shipped_models
models = {name: calfbayes.load_model(name) for name in shipped_models()}
print(json.dumps({
    "file": calfbayes.__file__,
    "digests": {name: model.digest for name, model in models.items()},
    "styled": ".cb-banner {" in models["tutorial"].diagnose({})._repr_html_(),
    "first": models["tutorial"].diagnose({"age": 67, "smoking": True, "pain_on_walking": True}).causes[0].id,
}))
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT), cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "env", system_site_packages=False, with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(run(str(python), "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip())
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel), cwd=tmp_path)
    # the dependencies come from the environment of the tests; the package itself must not
    here = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))
    answer = json.loads(run(str(python), "-c", SCRIPT, cwd=tmp_path))
    assert answer["file"].startswith(str(tmp_path))
    assert answer["styled"]
    assert set(answer["digests"]) == set(shipped_models())
    assert answer["digests"] == {name: calfbayes.load_model(name).digest for name in shipped_models()}
    assert (
        answer["first"]
        == calfbayes.load_model("tutorial").diagnose({"age": 67, "smoking": True, "pain_on_walking": True}).causes[0].id
    )
