"""One model in many hands: threads give the answers of one thread, and a copy is made without solving anything again."""

import pickle
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from calfbayes import ContradictionError, Model, load_model
from calfbayes.inference import solved
from support.models import SHIPPED, model_of, shipped

TOLERANCE = 1e-12
N_THREADS = 4


@pytest.fixture
def hasty_switching() -> Iterator[None]:
    """Let the interpreter change threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def patients(model: Model, n: int) -> list[dict[str, object]]:
    """Answers of different lengths: up to four findings present and as many absent, some risk factors known."""
    rng = Random(3)
    findings = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]
    binary = [factor.id for factor in model.risk_factors if factor.is_binary]
    given: list[dict[str, object]] = []
    while len(given) < n:
        answers: dict[str, object] = {"age": rng.randint(20, 90), "sex": rng.choice(["female", "male"])}
        answers |= dict.fromkeys(rng.sample(binary, len(binary) // 2), False)
        answers |= {name: rng.random() < 0.5 for name in rng.sample(findings, rng.randint(1, 8))}
        try:
            model.evidence(answers)
        except ContradictionError:
            continue
        given.append(answers)
    return given


@pytest.mark.usefixtures("hasty_switching")
@pytest.mark.parametrize("name", SHIPPED)
def test_threads_that_ask_the_same_questions_at_once_get_the_answers_of_one_thread(name: str) -> None:
    model = model_of(shipped(name)._content)  # a fresh one: nothing is cached yet
    questions = patients(model, 6)

    def ask_all(first: int) -> dict[int, dict[str, float]]:
        """Every question, each thread beginning with another one."""
        order = [(first + k) % len(questions) for k in range(len(questions))]
        return {k: {cause.id: cause.probability for cause in model.diagnose(questions[k]).causes} for k in order}

    with ThreadPoolExecutor(N_THREADS) as pool:
        answers = list(pool.map(ask_all, range(N_THREADS)))
    alone = [{cause.id: cause.probability for cause in shipped(name).diagnose(question).causes} for question in questions]
    for answer in answers:
        for k, expected in enumerate(alone):
            assert answer[k] == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("name", SHIPPED)
def test_loading_and_unpickling_solve_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bases are the slow part; the snapshot and the pickle hold them."""
    question = patients(shipped(name), 1)[0]
    pickled = pickle.dumps(shipped(name))

    def refuse(*_: object) -> None:
        pytest.fail("the bases were solved again")

    monkeypatch.setattr(solved, "solve_bases", refuse)
    for copy in (pickle.loads(pickled), load_model(name)):
        assert copy == shipped(name)
        assert copy.diagnose(question).to_json() == shipped(name).diagnose(question).to_json()
