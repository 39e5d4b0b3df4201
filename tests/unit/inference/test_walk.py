"""However a plan is laid out for arrays, the answers are the same."""

import numpy as np
import pytest

from calfbayes.inference import or_product, plan, program
from calfbayes.inference.exact import answer
from calfbayes.inference.reduction import Query
from calfbayes.inference.tables import Array
from support.cases import Case, random_case

CASES = [random_case(seed) for seed in range(40)]


@pytest.mark.parametrize(
    "constant",
    ["items by pieces of one child", "the OR bit by bit", "matrix products row by row", "messages always merged"],
)
def test_answers_do_not_depend_on_how_messages_are_cut(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [_answer(case) for case in CASES]
    if constant.startswith("items"):
        monkeypatch.setattr(program, "MOST_CHILDREN", 1)
    elif constant.startswith("messages"):
        monkeypatch.setattr(plan, "LARGEST_AGAIN", -1.0)
    elif constant.startswith("matrix"):
        monkeypatch.setattr(or_product, "ALONE", 1)
    else:
        monkeypatch.setattr(or_product, "LEADING", 0)
        monkeypatch.setattr(or_product, "MANY", 1000)
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
