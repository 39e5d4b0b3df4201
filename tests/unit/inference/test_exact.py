import tracemalloc
from fractions import Fraction
from math import exp, inf, isinf, log
from random import Random

import numpy as np
import pytest

from calfbayes import QueryTooCostlyError
from calfbayes.inference.exact import COST_LIMIT, highest_label, infer
from calfbayes.inference.plan import make_plan
from calfbayes.inference.price import Purse
from calfbayes.inference.program import program_of
from calfbayes.inference.reduction import Encoded, reduce
from calfbayes.inference.tables import Array
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.network import Network, compile_network, logit
from support.models import random_model
from support.queries import ABSENT, PRESENT
from support.random_models import random_content
from support.small_models import small_content

NOTHING = Encoded((), ())


def two_causes() -> tuple[Network, Array]:
    """Two causes with bases 1/2 and 1/4, of one finding with leak 1/8."""
    content = small_content({"a": (1, {"sign": 0.5}), "b": (1, {"sign": 0.75})}, {"sign": 0.125})
    network = compile_network(knowledge_from_content(content, name="small"))
    bases = {"a": 0.5, "b": 0.25}
    return network, np.array([logit(bases[network.nodes[cause].id]) for cause in network.causes])


def dense(n_causes: int, n_findings: int) -> Network:
    """Every cause is linked to every finding: nothing can be summed out early."""
    links = {f"finding_{k}": 0.5 for k in range(n_findings)}
    causes = {f"cause_{k}": (1.0, links) for k in range(n_causes)}
    return compile_network(knowledge_from_content(small_content(causes, dict.fromkeys(links, 0.1)), name="dense"))


def test_by_hand() -> None:
    """P(a, b): 1/8; P(a, no b): 3/8; P(b, no a): 1/8; each times P(sign | ...)."""
    network, logits = two_causes()
    a, b, sign = (network.node_index[name] for name in ("a", "b", "sign"))
    posterior = infer(network, logits, Encoded((), ((sign, *PRESENT),)))
    both, only_a, only_b = (
        Fraction(1, 8) * (1 - Fraction(7, 8) / 2 / 4),
        Fraction(3, 8) * (1 - Fraction(7, 8) / 2),
        Fraction(1, 8) * (1 - Fraction(7, 8) / 4),
    )
    joint = both + only_a + only_b
    assert posterior.log_joint == pytest.approx(log(joint), abs=1e-15)
    assert posterior.hidden == pytest.approx({a: float((both + only_a) / joint), b: float((both + only_b) / joint)}, abs=1e-15)


def test_a_report_of_a_doubtful_answer_lies_between_the_plain_ones() -> None:
    network, logits = two_causes()
    a, sign = network.node_index["a"], network.node_index["sign"]

    def p(off: float, on: float) -> float:
        return infer(network, logits, Encoded((), ((sign, off, on),))).hidden[a]

    order = [p(*PRESENT), p(0.25, 1.0), p(1.0, 1.0), p(1.0, 0.25), p(*ABSENT)]
    assert order == sorted(order), "the other cause explains the sign better, so that its presence speaks against this one"
    assert p(1.0, 1.0) == pytest.approx(infer(network, logits, NOTHING).hidden[a], abs=1e-15)
    assert p(0.125, 0.5) == pytest.approx(p(0.25, 1.0), abs=1e-15), "only the ratio counts"


def test_an_impossible_cause_and_a_certain_one() -> None:
    network, logits = two_causes()
    a, b = network.node_index["a"], network.node_index["b"]
    logits[a] = -inf
    assert infer(network, logits, NOTHING).hidden == {a: 0.0, b: 1.0}
    logits[a] = inf
    assert infer(network, logits, NOTHING).hidden == pytest.approx({a: 1.0, b: 0.25})


def test_without_any_possible_cause_there_is_no_answer() -> None:
    network, _ = two_causes()
    posterior = infer(network, np.full(2, -inf), NOTHING)
    assert posterior.log_joint == -inf
    assert posterior.hidden == {}
    assert not highest_label(network, np.full(2, -inf), NOTHING, [0, 1], 2).any()


def test_the_highest_label_needs_what_has_it() -> None:
    network, logits = two_causes()
    labels = [0, 0]
    labels[network.node_index["b"]] = 2
    only_a, some_b = Fraction(3, 8) / Fraction(5, 8), Fraction(2, 8) / Fraction(5, 8)
    expected = [float(only_a), 0.0, float(some_b)]
    assert highest_label(network, logits, NOTHING, labels, 3) == pytest.approx(np.array(expected), abs=1e-15)
    assert infer(network, logits, NOTHING, labels=labels).labels == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("seed", range(10))
def test_the_chance_of_any_of_a_set_lies_between_the_largest_of_them_and_their_sum(seed: int) -> None:
    model = random_model(seed, n_causes=5)
    rng = Random(seed)
    answers = {f.id: rng.random() < 0.5 for f in model.findings if f.id != "complaint" and rng.random() < 0.6}
    result = model.diagnose(answers)
    some = rng.sample([cause.id for cause in model.causes], 3)
    chances = [result[name].probability for name in some]
    assert max(chances) - 1e-12 <= result.probability_of_any(some) <= min(1.0, sum(chances)) + 1e-12
    assert result.probability_of_any(some[:1]) == pytest.approx(chances[0], abs=1e-12)
    assert result.probability_of_any([]) == 0.0


def price_of(network: Network, logits: Array, evidence: Encoded) -> float:
    purse = Purse(inf)
    return make_plan(reduce(network, logits, evidence, purse=purse)).operations + purse.spent


def test_a_dear_query_is_refused_before_anything_is_allocated() -> None:
    network = dense(30, 40)
    evidence = Encoded((), tuple((node, *PRESENT) for node in network.findings if node != network.complaint))
    logits = np.zeros(network.n_causes)
    tracemalloc.start()
    with pytest.raises(QueryTooCostlyError) as caught:
        infer(network, logits, evidence)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.operations > 2.0**38
    assert caught.value.operations == price_of(network, logits, evidence)
    assert caught.value.limit < caught.value.operations
    assert f"{caught.value.operations:.2g}" in str(caught.value)
    assert peak < 20e6


def test_the_limit_is_the_largest_price_that_is_paid() -> None:
    network = dense(6, 4)
    evidence = Encoded((), tuple((node, *PRESENT) for node in network.findings if node != network.complaint))
    logits = np.zeros(network.n_causes)
    price = price_of(network, logits, evidence)
    assert infer(network, logits, evidence, cost_limit=price).hidden
    with pytest.raises(QueryTooCostlyError):
        infer(network, logits, evidence, cost_limit=price * 0.999)


def test_the_memory_that_is_held_at_once_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes for labels are walked together, so each counts."""
    network = dense(6, 4)
    evidence = Encoded((), tuple((node, *PRESENT) for node in network.findings if node != network.complaint))
    logits, labels = np.zeros(network.n_causes), [0, 1, 2, 0, 1, 2]
    program = program_of(reduce(network, logits, evidence).structure())
    assert program.memory > 8.0 * (program.plan.states + 2.0 * program.matrices), "a matrix is held more than once"
    monkeypatch.setattr("calfbayes.inference.exact.MEMORY_LIMIT", 2.5 * program.memory)
    assert infer(network, logits, evidence).hidden
    with pytest.raises(QueryTooCostlyError, match="GiB of memory, the limit is") as caught:
        infer(network, logits, evidence, labels=labels)
    assert caught.value.memory == pytest.approx(3.0 * program.memory, rel=0.3), "one lane for each label"
    with pytest.raises(QueryTooCostlyError, match="memory"):
        highest_label(network, logits, evidence, labels, 3)
    assert infer(network, logits, evidence, labels=labels, cost_limit=4 * COST_LIMIT).labels, "more with a higher limit"


def test_adding_up_over_the_answers_of_a_finding_gives_the_whole() -> None:
    """P(e) = P(e, f present) + P(e, f absent), and likewise for every marginal."""
    content = random_content(Random(3), n_causes=6, n_complications=2, n_mechanisms=3, n_findings=8, n_risks=3)
    network = compile_network(knowledge_from_content(content, name="random"))
    logits = np.linspace(-3, 1, network.n_causes)
    findings = [node for node in network.findings if node != network.complaint]
    base = Encoded((-1,) * len(network.risks), ((findings[0], *PRESENT), (findings[1], *ABSENT)))
    for node in findings[2:]:
        answers = [infer(network, logits, Encoded(base.risk_states, (*base.findings, (node, *a)))) for a in (PRESENT, ABSENT)]
        whole = infer(network, logits, base)
        shares = [exp(answer.log_joint - whole.log_joint) for answer in answers]
        assert sum(shares) == pytest.approx(1.0, abs=1e-12)
        for hidden, p in whole.hidden.items():
            mixed = sum(share * answer.hidden[hidden] for share, answer in zip(shares, answers, strict=True))
            assert mixed == pytest.approx(p, abs=1e-12)


def test_no_evidence_is_as_probable_as_the_complaint() -> None:
    model = random_model(3)
    solved = model._solved
    for setting, bases in solved.bases.items():
        nothing = infer(solved.network, bases.logits, Encoded((-1,) * len(solved.network.risks), ()))
        assert not isinf(nothing.log_joint)
        assert exp(nothing.log_joint) == pytest.approx(bases.complaint, rel=1e-10), setting
