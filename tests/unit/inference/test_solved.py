import pickle
from collections.abc import Sequence
from math import ceil, log2
from random import Random

import numpy as np
import pytest

from calfbayes.diagnosis.encoding import encode
from calfbayes.errors import ContradictionError, QueryTooCostlyError
from calfbayes.inference.exact import infer
from calfbayes.inference.price import STEP
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.solved import Clash, clashing, is_possible, needed, nothing_known, severities, solve
from calfbayes.model import Model
from support.models import SHIPPED, model_of, random_model, shipped
from support.queries import ABSENT, PRESENT
from support.random_models import link, number
from support.small_models import factor, small_content


def test_what_is_known_is_not_solved_again() -> None:
    solved = random_model(1)._solved
    known = {"here": (solved.bases["here"], solved.baseline["here"])}
    again = solve(solved.network, known)
    assert again.bases["here"] is solved.bases["here"]
    assert again.baseline["here"] is solved.baseline["here"]
    assert np.array_equal(again.bases["there"].logits, solved.bases["there"].logits)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_baseline_is_the_posterior_of_nothing(name: str) -> None:
    solved = shipped(name)._solved
    for setting, baseline in solved.baseline.items():
        posterior = infer(solved.network, solved.bases[setting].logits, nothing_known(solved.network), cost_limit=float("inf"))
        assert baseline.log_joint == pytest.approx(posterior.log_joint, abs=1e-12)
        assert baseline.hidden == pytest.approx(posterior.hidden, abs=1e-12)


def test_the_severities_stand_in_the_order_of_the_nodes() -> None:
    content = small_content({"mild": (1, {}), "grave": (1, {})}, {}, levels={"mild": "self_care", "grave": "emergency"})
    network = model_of(content)._solved.network
    assert severities(network)[network.node_index["mild"]] == 0
    assert severities(network)[network.node_index["grave"]] == 4


def test_a_clash_leaves_out_what_does_not_matter() -> None:
    """The sign has no other cause than a, and a always brings the mark."""
    links = {"a": {"sign": 0.5, "mark": 1.0}, "b": {"other": 0.5}}
    leaks = {"sign": 0.0, "mark": 0.0, "other": 0.1}
    solved = model_of(small_content({name: (1, links[name]) for name in links}, leaks))._solved
    sign, mark, other = (solved.network.node_index[name] for name in leaks)
    evidence = Encoded((), tuple(sorted([(sign, *PRESENT), (mark, *ABSENT), (other, *PRESENT)])))
    assert clashing(solved.network, solved.bases["here"], evidence) == Clash((), tuple(sorted((sign, mark))), is_minimal=True)


def twice_impossible() -> tuple[Model, dict[str, bool]]:
    """Two risk factors that exclude each other, and the clash of sign and mark."""
    content = small_content({"a": (1, {"sign": 0.5, "mark": 1.0}), "b": (1, {})}, {"sign": 0.0, "mark": 0.0, "other": 0.1})
    content["risk_factors"] = {"one": factor("one", 0.5), "two": factor("two", 0.5, excluded_by="one")}
    return model_of(content), {"one": True, "two": True, "sign": True, "mark": False, "other": True}


def test_a_clash_leaves_findings_out_first() -> None:
    """Without them it is cheap to ask what becomes of risk factors that are left open."""
    model, answers = twice_impossible()
    network, evidence = model._solved.network, encode(model._solved.network, model.evidence(answers))
    assert clashing(network, model._solved.bases["here"], evidence) == Clash((0, 1), (), is_minimal=True)


def test_the_limit_of_a_clash_is_that_of_all_its_questions_together_and_of_their_planning() -> None:
    model, answers = twice_impossible()
    solved, evidence = model._solved, encode(model._solved.network, model.evidence(answers))
    found = {}
    for limit in np.geomspace(1.0, 1e7, 60).tolist():
        clash = found[limit] = clashing(solved.network, solved.bases["here"], evidence, cost_limit=limit)
        assert not is_possible(solved.network, solved.bases["here"], subset(evidence, clash.risks, clash.findings))
        for k in clash.risks if clash.is_minimal else ():
            others = tuple(risk for risk in clash.risks if risk != k)
            assert is_possible(solved.network, solved.bases["here"], subset(evidence, others, clash.findings))
    assert found[1.0] == Clash((0, 1), tuple(node for node, _, _ in evidence.findings), is_minimal=False)
    assert found[1e7] == Clash((0, 1), (), is_minimal=True)
    enough = min(limit for limit, clash in found.items() if clash.is_minimal)
    assert enough > 10 * STEP, "what the questions themselves cost is hardly anything"
    assert all(clash.is_minimal for limit, clash in found.items() if limit > enough)
    with pytest.raises(QueryTooCostlyError):
        is_possible(solved.network, solved.bases["here"], evidence, cost_limit=1.0)


def test_a_contradiction_that_names_too_much_says_so() -> None:
    model, answers = twice_impossible()
    with pytest.raises(ContradictionError, match=r"correct or leave out one of them$") as caught:
        model.diagnose(answers)
    assert set(caught.value.clash) == {"one", "two"}
    with pytest.raises(ContradictionError, match="some of them may have no part in it") as caught:
        model.diagnose(answers, cost_limit=STEP)
    assert set(caught.value.clash) == set(answers)
    assert not pickle.loads(pickle.dumps(caught.value)).is_minimal


@pytest.mark.parametrize("seed", range(30))
def test_what_is_needed_for_a_clash_is_minimal_and_found_with_few_questions(seed: int) -> None:
    """Of n items of which k clash QuickXplain asks at most 2k log2(n / k) + 2k questions (Junker 2004, theorem 2)."""
    rng = Random(seed)
    items = list(range(rng.choice([1, 2, 7, 64, 200])))
    clashes = [set(rng.sample(items, rng.randint(0, min(4, len(items))))) for _ in range(rng.randint(1, 3))]
    asked = []

    def clash(some: Sequence[int]) -> bool:
        asked.append(set(some))
        return any(of <= set(some) for of in clashes)

    found = set(needed(items, clash))
    assert found in clashes
    assert not any(of < found for of in clashes)
    k = max(len(found), 1)
    assert len(asked) <= 2 * k * log2(2 ** ceil(log2(len(items))) / k) + 2 * k + 1


def test_nothing_is_needed_for_what_clashes_anyway() -> None:
    assert needed([], lambda _: True) == []
    assert needed([1, 2, 3], lambda _: True) == []


def subset(evidence: Encoded, risks: tuple[int, ...], findings: tuple[int, ...]) -> Encoded:
    states = tuple(state if k in risks else -1 for k, state in enumerate(evidence.risk_states))
    return Encoded(states, tuple(report for report in evidence.findings if report[0] in findings))


@pytest.mark.parametrize("answer", [ABSENT, PRESENT])
def test_very_many_answers_about_one_cause_are_possible(answer: tuple[float, float]) -> None:
    """The sign comes from a alone; half of each of 1,100 marks multiplied underflows."""
    names = ["sign", *(f"mark_{k}" for k in range(1100))]
    solved = model_of(small_content({"a": (1, dict.fromkeys(names, 0.5)), "b": (1, {})}, dict.fromkeys(names, 0.0)))._solved
    sign, *marks = (solved.network.node_index[name] for name in names)
    evidence = Encoded((), tuple(sorted([(sign, *PRESENT), *((mark, *answer) for mark in marks)])))
    assert is_possible(solved.network, solved.bases["here"], evidence)


def test_very_many_absent_findings_that_an_unknown_risk_factor_moves_are_possible() -> None:
    """Half of each of 1,100 marks multiplied underflows, whatever the state."""
    content = small_content({"a": (1, {}), "b": (1, {})}, {f"mark_{k}": 0.5 for k in range(1100)})
    content["risk_factors"] = {"one": factor("one", 0.5)}
    for k in range(1100):
        content["findings"][f"mark_{k}"]["odds"] = {"one": {"present": number(2.0)}}
    solved = model_of(content)._solved
    absent = tuple((solved.network.node_index[f"mark_{k}"], *ABSENT) for k in range(1100))
    assert is_possible(solved.network, solved.bases["here"], Encoded((-1,), tuple(sorted(absent))))


def test_very_many_findings_of_a_cause_that_is_ruled_out_are_possible_by_their_backgrounds() -> None:
    """The cause brings the sign, which is absent; without it the marks are (2/3)^1900 times as probable, an underflow."""
    names = [f"mark_{k}" for k in range(1900)]
    content = small_content(
        {"a": (1, {**dict.fromkeys(names, 0.5), "c": 1.0}), "b": (1, {})}, dict.fromkeys([*names, "sign"], 0.5)
    )
    complication = {key: value for key, value in content["causes"]["b"].items() if key != "weight"}
    content["complications"] = {"c": {**complication, "leak": number(0.1), "links": {"sign": link(1.0)}}}
    solved = model_of(content)._solved
    reports = [(solved.network.node_index["sign"], *ABSENT), *((solved.network.node_index[name], *PRESENT) for name in names)]
    assert is_possible(solved.network, solved.bases["here"], Encoded((), tuple(sorted(reports))))


@pytest.mark.parametrize(("n_marks", "almost"), [(20, 0.999999), (60, 0.999999), (60, 1.0)])
def test_evidence_lost_to_rounding_is_told_from_a_contradiction(n_marks: int, almost: float) -> None:
    """The sign comes from a alone, and a hardly ever lacks one of its marks: P(evidence) is (1e-6)^n, or 0."""
    marks = [f"mark_{k}" for k in range(n_marks)]
    content = small_content(
        {"a": (1.0, {"sign": 0.5, **dict.fromkeys(marks, almost)}), "b": (1.0, {})}, dict.fromkeys(["sign", *marks], 0.0)
    )
    model, answers = model_of(content), {"sign": True, **dict.fromkeys(marks, False)}
    if almost == 1.0:
        with pytest.raises(ContradictionError) as caught:
            model.diagnose(answers)
        assert len(caught.value.clash) == 2, "the sign and one of the marks"
    elif n_marks == 20:
        result = model.diagnose(answers)
        assert result["a"].probability == 1.0
        assert result.log_evidence == pytest.approx(np.log(0.6 * 0.5) + n_marks * np.log1p(-almost), abs=1e-9)
    else:
        result = model.diagnose(answers)
        assert "lost to rounding" in result.outcome_reason
        assert not result.causes
