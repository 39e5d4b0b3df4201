"""However a plan is laid out for arrays, the answers are the same."""

from itertools import product

import numpy as np
import pytest

from calfbayes.inference import plan, program, walk
from calfbayes.inference.exact import answer
from calfbayes.inference.reduction import Query
from calfbayes.inference.tables import Array
from support.cases import Case, random_case

CASES = [random_case(seed) for seed in range(40)]


@pytest.mark.parametrize(
    "constant", ["items by pieces of one child", "the OR split down to single bits", "messages always merged"]
)
def test_answers_do_not_depend_on_how_messages_are_cut(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [_answer(case) for case in CASES]
    if constant.startswith("items"):
        monkeypatch.setattr(program, "MOST_CHILDREN", 1)
    elif constant.startswith("messages"):
        monkeypatch.setattr(plan, "LARGEST_AGAIN", -1.0)
    else:
        monkeypatch.setattr(walk, "CACHED", 1)
    _forget_plans()
    try:
        cut = [_answer(case) for case in CASES]
    finally:
        _forget_plans()
    for before, after in zip(usual, cut, strict=True):
        for part, same in zip(before, after, strict=True):
            np.testing.assert_allclose(same, part, rtol=1e-11, atol=1e-13)


def _forget_plans() -> None:
    plan.plan_of.cache_clear()
    program.program_of.cache_clear()


def _answer(case: Case) -> list[Array]:
    answers = answer(
        case.network, case.network.numbers(case.logits), Query.of(case.encoded), labels=case.labels, risks=True, slopes=True
    )
    slopes = answers.slopes
    assert slopes is not None
    parts = [slopes.logits, slopes.links, slopes.log_odds, slopes.priors]
    return [answers.log_joint, answers.hidden, answers.labels, *answers.risks.values(), *parts]


@pytest.mark.parametrize("n_shared", [0, 1, 2, 3, 4, 7])
def test_two_messages_meet_in_the_or_of_their_bits(n_shared: int) -> None:
    rng = np.random.default_rng(n_shared)
    n = 2**n_shared
    a, b, g = rng.random((2, 3, n, 2)), rng.random((1, 3, n, 4)), rng.random((2, 3, n, 2, 4))
    expected = np.zeros((2, 3, n, 2, 4))
    for left, right in product(range(n), repeat=2):
        expected[:, :, left | right] += a[:, :, left, :, None] * b[:, :, right, None, :]
    np.testing.assert_allclose(walk._or_product(a, b, n_shared), expected, rtol=1e-13)
    of_a, of_b = walk._or_product_backward(g, a, b, n_shared)
    whole = (g * expected).sum(axis=(1, 2, 3, 4))  # linear in either message
    np.testing.assert_allclose((of_a * a).sum(axis=(1, 2, 3)), whole, rtol=1e-13)
    np.testing.assert_allclose((of_b * b).sum(axis=(1, 2, 3)), whole, rtol=1e-13)
