"""What an ordinary query of the calf model costs: planned, never computed.

Risk arcs are a budget. A patient tells a few complaints and the usual answers "no", and of the risk factors age and sex
only: every other one is then summed over, and each one that several causes share makes the query dearer.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from calfbayes import Evidence, load_model
from calfbayes.diagnosis.encoding import encode
from calfbayes.evaluation.case_files import read_cases
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import reduce
from calfbayes.knowledge.terms import Observer
from calfbayes.model import Model

BUDGET = COST_LIMIT / 10
N_SIMULATED = 1_000
N_PRESENT = (3, 8)
SEED = 20


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("calf")


def operations(model: Model, evidence: Evidence) -> float:
    """Predicted number of state operations of the posterior."""
    solved = model._solved
    bases = solved.bases[evidence.setting or model.knowledge.default_setting]
    return make_plan(reduce(solved.network, bases.logits, encode(solved.network, evidence))).operations


def published(model: Model) -> Iterator[Evidence]:
    for case in read_cases(Path(__file__).parent / "cases" / "cases.jsonl"):
        yield model.evidence(dict(case.known), setting=case.setting)


def simulated(model: Model) -> Iterator[Evidence]:
    """Patients who report some of their complaints and twice as many absent ones, the settings by turns."""
    observable = [f.id for f in model.findings if f.observer == Observer.PATIENT and f.id != model.knowledge.complaint]
    settings = [setting.id for setting in model.settings]
    rng = Random(SEED)
    for turn, setting in enumerate(settings):
        n = len(range(turn, N_SIMULATED, len(settings)))
        for _, patient in model.simulate(n, seed=SEED + turn, setting=setting).iterrows():
            present = [name for name in observable if patient[name]]
            absent = [name for name in observable if not patient[name]]
            reported = rng.sample(present, min(len(present), rng.randint(*N_PRESENT)))
            denied = rng.sample(absent, 2 * len(reported))
            answers = dict.fromkeys(reported, True) | dict.fromkeys(denied, False)
            yield model.evidence({"age": patient["age"], "sex": patient["sex"], **answers}, setting=setting)


@pytest.mark.parametrize("patients", [published, simulated], ids=["published", "simulated"])
def test_the_ordinary_query_lies_within_the_budget(model: Model, patients: Callable[[Model], Iterator[Evidence]]) -> None:
    costs = [operations(model, evidence) for evidence in patients(model)]
    most = float(np.quantile(costs, 0.99))
    assert most < BUDGET, f"median {np.median(costs):.2g}, 99th percentile {most:.2g}, largest {max(costs):.2g}"
