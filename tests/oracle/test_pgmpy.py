"""The second opinion: pgmpy, on the exported network, must agree with the own engine."""

import logging
import sys
from collections.abc import Sequence
from itertools import combinations, product
from math import exp, inf, log
from random import Random

import numpy as np
import pytest

import calfbayes as cb
from calfbayes.adapters.to_pgmpy import infer_with_pgmpy, to_pgmpy
from calfbayes.errors import MissingExtraError, QueryTooCostlyError
from calfbayes.inference.exact import Posterior, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.network import Network, compile_network, logit
from support.models import SHIPPED, shipped
from support.random_models import random_content
from support.small_models import small_content

ABSENT, PRESENT = (1.0, 0.0), (0.0, 1.0)
DOUBTFUL = [(0.25, 1.0), (1.0, 0.5), (0.75, 0.125)]
TOLERANCE = 1e-9
TUTORIAL = shipped("tutorial")
NETWORK = TUTORIAL._solved.network
SETTINGS = [setting.id for setting in TUTORIAL.settings]
ASKABLE = [node for node in NETWORK.findings if node != NETWORK.complaint]
N_SETS = 250  # pairs, and as many triples, in each setting


def assert_agrees(network: Network, logits: Array, evidence: Encoded) -> Posterior:
    own, other = infer(network, logits, evidence), infer_with_pgmpy(network, logits, evidence)
    if own.log_joint == -inf:
        assert other == Posterior(-inf, {})
        return own
    visible = [*network.causes, *network.complications]
    assert sorted(other.hidden) == visible
    assert abs(other.log_joint - own.log_joint) <= TOLERANCE
    assert max(abs(other.hidden[node] - own.hidden[node]) for node in visible) <= TOLERANCE
    return own


def answered(nodes: Sequence[int], answers: Sequence[tuple[float, float]]) -> Encoded:
    reports = sorted(zip(nodes, answers, strict=True))
    return Encoded((-1,) * len(NETWORK.risks), tuple((node, off, on) for node, (off, on) in reports))


def random_network(rng: Random, *, extremes: bool = False) -> tuple[Network, Array]:
    content = random_content(
        rng,
        n_causes=rng.randint(2, 7),
        n_complications=rng.randint(0, 2),
        n_mechanisms=rng.randint(1, 3),
        n_findings=rng.randint(2, 9),
        n_risks=rng.randint(1, 4),
        extremes=extremes,
    )
    network = compile_network(knowledge_from_content(content, name="random"))
    return network, np.array([logit(rng.randint(1, 48) / 64) for _ in network.causes])


def random_evidence(rng: Random, network: Network) -> Encoded:
    states = tuple(rng.randrange(len(risk.states)) if rng.random() < 0.4 else -1 for risk in network.risks)
    some = [node for node in network.findings if node != network.complaint and rng.random() < 0.7]
    return Encoded(states, tuple((node, *rng.choice([ABSENT, PRESENT, rng.choice(DOUBTFUL)])) for node in some))


# --- agreement ---


@pytest.mark.parametrize("setting", SETTINGS)
def test_agrees_on_nothing_and_every_single_finding_of_the_tutorial_model(setting: str) -> None:
    logits = TUTORIAL._solved.bases[setting].logits
    assert_agrees(NETWORK, logits, answered([], []))
    for node, answer in product(ASKABLE, (ABSENT, PRESENT)):
        assert_agrees(NETWORK, logits, answered([node], [answer]))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("setting", SETTINGS)
def test_agrees_on_pairs_and_triples_of_the_tutorial_model(setting: str, size: int) -> None:
    logits = TUTORIAL._solved.bases[setting].logits
    everything = list(product(combinations(ASKABLE, size), product((ABSENT, PRESENT), repeat=size)))
    for nodes, answers in Random(f"{setting} {size}").sample(everything, N_SETS):
        assert_agrees(NETWORK, logits, answered(nodes, answers))


@pytest.mark.parametrize("seed", range(30))
def test_agrees_on_random_networks(seed: int) -> None:
    rng = Random(seed)
    network, logits = random_network(rng, extremes=seed % 3 == 0)
    for _ in range(3):
        own = assert_agrees(network, logits, random_evidence(rng, network))
        assert own.log_joint > -inf or seed % 3 == 0


def test_agrees_on_more_nodes_than_are_asked_for_at_a_time() -> None:
    rng = Random(0)
    content = random_content(rng, n_causes=9, n_complications=2, n_findings=5)
    network = compile_network(knowledge_from_content(content, name="random"))
    assert_agrees(network, np.full(9, -1.5), random_evidence(rng, network))


@pytest.mark.parametrize("n_findings", [4, 18])
def test_engine_pgmpy_gives_the_same_diagnosis(n_findings: int) -> None:
    evidence: dict[str, object] = {"age": 67, "sex": "male"}
    evidence |= {
        NETWORK.nodes[node].id: cb.Likelihood(3.0) if node % 5 == 0 else node % 2 == 0 for node in ASKABLE[:n_findings]
    }
    own, other = (TUTORIAL.diagnose(evidence, setting="emergency", engine=engine) for engine in ("exact", "pgmpy"))
    assert own.log_evidence is not None
    assert other.log_evidence == pytest.approx(own.log_evidence, abs=TOLERANCE)
    assert {cause.id: cause.probability for cause in other.causes} == pytest.approx(
        {cause.id: cause.probability for cause in own.causes}, abs=TOLERANCE
    )
    assert other.urgency.level == own.urgency.level


# --- the exported network ---


@pytest.mark.parametrize("name", SHIPPED)
def test_export_of_a_shipped_model_is_valid_and_narrow(name: str) -> None:
    model = shipped(name)
    exported = model.to_pgmpy()
    assert exported.check_model()
    risk_factors = {factor.id for factor in model.risk_factors}
    for table in exported.get_cpds():
        parents = table.variables[1:]
        if not (parents and risk_factors.issuperset(parents)):
            assert len(parents) <= 2
        elif table.variable in risk_factors:
            assert len(parents) <= 4


def test_export_keeps_ids_and_states() -> None:
    exported = TUTORIAL.to_pgmpy(setting="community")
    for factor in TUTORIAL.risk_factors:
        assert exported.states[factor.id] == list(factor.states)
    for node in NETWORK.nodes:
        assert exported.states[node.id] == ["absent", "present"]
    added = set(exported.nodes()) - set(NETWORK.risk_index) - set(NETWORK.node_index)
    assert added
    for name in added:
        owner, kind, *parent = name.split(".")
        assert owner in NETWORK.node_index
        assert (kind, len(parent)) in {("leak", 0), ("or", 1)}
        assert NETWORK.node_index.keys() >= set(parent)


def test_chain_of_a_noisy_or_by_hand() -> None:
    content = small_content({"first": (0.5, {"sign": 0.5}), "second": (0.5, {"sign": 0.25})}, {"sign": 0.2})
    network = compile_network(knowledge_from_content(content, name="hand"))
    exported = to_pgmpy(network, np.array([0.0, log(3.0)]))
    assert sorted(exported.nodes()) == ["complaint", "complaint.or.first", "first", "second", "sign", "sign.or.first"]
    tables = {name: exported.get_cpds(name).get_values() for name in exported.nodes()}
    assert tables["first"] == pytest.approx(np.array([[0.5], [0.5]]))
    assert tables["second"] == pytest.approx(np.array([[0.25], [0.75]]))
    assert tables["sign.or.first"] == pytest.approx(np.array([[0.8, 0.4], [0.2, 0.6]]))
    assert exported.get_cpds("sign").variables == ["sign", "sign.or.first", "second"]
    assert tables["sign"] == pytest.approx(np.array([[1.0, 0.75, 0.0, 0.0], [0.0, 0.25, 1.0, 1.0]]))
    assert tables["complaint"] == pytest.approx(np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]))


@pytest.mark.parametrize("seed", range(10))
def test_export_asked_directly_agrees(seed: int) -> None:
    rng = Random(seed)
    network, logits = random_network(rng)
    exported = to_pgmpy(network, logits)
    assert exported.check_model()
    from pgmpy.inference import VariableElimination  # here, since the first import warns, unless to_pgmpy has done it

    engine = VariableElimination(exported)
    complaint = network.nodes[network.complaint].id
    nothing = Encoded((-1,) * len(network.risks), ())
    p_complaint = engine.query([complaint], show_progress=False).get_value(**{complaint: "present"})
    assert p_complaint == pytest.approx(exp(infer(network, logits, nothing).log_joint), abs=TOLERANCE)

    states = tuple(rng.randrange(len(risk.states)) if rng.random() < 0.5 else -1 for risk in network.risks)
    reports = {node: rng.choice([ABSENT, PRESENT]) for node in network.findings if node != network.complaint}
    own = infer(network, logits, Encoded(states, tuple((node, *report) for node, report in reports.items())))
    known = {risk.id: risk.states[state] for risk, state in zip(network.risks, states, strict=True) if state >= 0}
    known |= {network.nodes[node].id: "present" if report == PRESENT else "absent" for node, report in reports.items()}
    for node, p in own.hidden.items():  # mechanisms, too
        name = network.nodes[node].id
        posterior = engine.query([name], evidence={**known, complaint: "present"}, show_progress=False)
        assert posterior.get_value(**{name: "present"}) == pytest.approx(p, abs=TOLERANCE)


# --- edges ---


def test_impossible_evidence_has_no_posterior() -> None:
    content = small_content({"only": (1.0, {"always": 1.0})}, {"always": 0.0, "never": 0.0})
    network = compile_network(knowledge_from_content(content, name="hand"))
    never, always = network.node_index["never"], network.node_index["always"]
    for finding in ((never, 0.0, 1.0), (always, 1.0, 0.0), (never, 0.0, 0.5), (always, 0.0, 0.0)):
        assert infer_with_pgmpy(network, np.zeros(1), Encoded((), (finding,))) == Posterior(-inf, {})
    possible = Encoded((), tuple(sorted([(always, 0.0, 0.5), (never, 0.25, 0.0)])))
    answer = infer_with_pgmpy(network, np.zeros(1), possible)
    assert answer.log_joint == pytest.approx(log(1 / 16))
    assert answer.hidden == {0: 1.0}


def price_of(evidence: Encoded) -> float:
    """What pgmpy is predicted to need for a question about the tutorial model."""
    with pytest.raises(QueryTooCostlyError) as caught:
        infer_with_pgmpy(NETWORK, TUTORIAL._solved.bases[SETTINGS[0]].logits, evidence, cost_limit=10.0)
    assert caught.value.limit == 10.0
    return caught.value.operations


def test_costly_query_is_refused_with_its_price() -> None:
    price = price_of(answered([], []))
    assert price > 10.0
    logits = TUTORIAL._solved.bases[SETTINGS[0]].logits
    assert infer_with_pgmpy(NETWORK, logits, answered([], []), cost_limit=price).hidden
    with pytest.raises(QueryTooCostlyError):
        infer_with_pgmpy(NETWORK, logits, answered([], []), cost_limit=price * 0.99)


def test_absent_findings_are_cheap() -> None:
    absent, present = (price_of(answered(ASKABLE, [answer] * len(ASKABLE))) for answer in (ABSENT, PRESENT))
    assert absent < 1.5 * price_of(answered([], [])) < present


def test_says_what_to_install_if_pgmpy_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pgmpy"]:
        monkeypatch.setitem(sys.modules, name, None)
    for use in (TUTORIAL.to_pgmpy, lambda: TUTORIAL.diagnose(engine="pgmpy")):
        with pytest.raises(MissingExtraError, match=r"pip install 'calfbayes\[pgmpy\]'"):
            use()


def test_is_quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    TUTORIAL.to_pgmpy()
    TUTORIAL.diagnose(engine="pgmpy")
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
