import numpy as np
import pytest

from calfbayes.errors import ContradictionError
from calfbayes.inference.exact import infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.solved import clashing, nothing_known, severities, solve
from support.models import SHIPPED, model_of, random_model, shipped
from support.queries import ABSENT, PRESENT
from support.small_models import small_content


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
    assert clashing(solved.network, solved.bases["here"], evidence) == ((), tuple(sorted((sign, mark))))


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
