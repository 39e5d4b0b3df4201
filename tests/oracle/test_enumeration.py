"""The engine against enumeration in exact fractions, on random small networks of the whole class."""

from fractions import Fraction
from math import inf, ldexp, log
from random import Random

import numpy as np
import pytest

from calfbayes.inference.exact import highest_label, infer
from calfbayes.knowledge.reading import Content
from support.cases import ABSENT, N_LABELS, PRESENT, Case, log_of, random_case
from support.quickscore import signed_quickscore
from support.random_models import random_content
from support.small_models import small_content

SEEDS = range(300)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_marginals_and_the_probability_of_the_evidence_equal_enumeration(seed: int) -> None:
    case = random_case(seed)
    network = case.network
    posterior = infer(network, case.logits, case.encoded)
    with_all = infer(network, case.logits, case.encoded, also=tuple(network.mechanisms))
    in_one_pass = infer(network, case.logits, case.encoded, labels=case.labels).labels
    highest = highest_label(network, case.logits, case.encoded, case.labels, N_LABELS)
    if case.answer.joint == 0:
        assert posterior.log_joint == with_all.log_joint == -inf
        assert posterior.hidden == with_all.hidden == {}
        assert not highest.any()
        return
    assert posterior.log_joint == pytest.approx(log_of(case.answer.joint), abs=1e-12)
    assert with_all.log_joint == pytest.approx(log_of(case.answer.joint), abs=1e-12)
    assert set(posterior.hidden) >= {*network.causes, *network.complications}
    assert set(with_all.hidden) == set(range(network.n_hidden))
    for node, p in (*posterior.hidden.items(), *with_all.hidden.items()):
        assert p == pytest.approx(case.exact(node), abs=1e-12), network.nodes[node].id
    assert len(in_one_pass) == max(case.labels) + 1
    for label, p in (*enumerate(highest), *enumerate(in_one_pass)):
        assert p == pytest.approx(float(case.answer.worst_label.get(label, 0) / case.answer.joint), abs=1e-12), label


def test_the_random_networks_cover_the_whole_class() -> None:
    cases = [random_case(seed) for seed in SEEDS]
    networks = [case.network for case in cases]
    arcs = [(network, node, child, w) for network in networks for node in network.nodes for child, w in node.children]
    reports = [report for case in cases for report in case.encoded.findings]
    assert max(network.n_causes for network in networks) == 8
    assert {network.n_mechanisms for network in networks} == {0, 1, 2, 3}
    assert sum(child < network.n_causes for network, _, child, _ in arcs) > 100, "co-occurrence"
    assert sum(child in network.complications for network, _, child, _ in arcs) > 100
    assert sum(w == 0 for *_, w in arcs) > 10
    assert sum(w == 1 and child != network.complaint for network, _, child, w in arcs) > 10
    assert sum(bool(risk.parents) for network in networks for risk in network.risks) > 50
    assert sum(len(risk.states) > 2 for network in networks for risk in network.risks) > 50
    assert sum((risk.prior == 0).any() for network in networks for risk in network.risks) > 10
    assert sum(bool(np.isinf(odds.log_odds).any()) for n in networks for node in n.nodes for odds in node.odds) > 10
    assert sum(bool(node.odds) for network in networks for node in network.nodes[network.n_causes :]) > 100
    assert sum(node.base_logit == inf for network in networks for node in network.nodes) > 5
    assert sum((off, on) not in {(0.0, 1.0), (1.0, 0.0)} for _, off, on in reports) > 50, "virtual evidence"
    assert sum(case.answer.joint == 0 for case in cases) > 3, "impossible evidence"


@pytest.mark.parametrize("seed", range(20))
def test_improbable_evidence_loses_no_precision(seed: int) -> None:
    """Tiny leaks and links, ten positive findings: P(evidence) near 1e-30 and below."""
    rng = Random(seed)
    content = random_content(rng, n_causes=5, n_complications=1, n_mechanisms=2, n_findings=10, n_risks=2)
    _make_rare(content, leak=ldexp(1, -12), link=ldexp(1, -9))
    reports = {f"finding_{k}": PRESENT for k in range(10)}
    case = Case.of(content, rng, risks={}, reports=reports, base=Fraction(1, 1024))
    assert log_of(case.answer.joint) / log(10) < -28
    posterior = infer(case.network, case.logits, case.encoded, also=tuple(case.network.mechanisms))
    assert posterior.log_joint == pytest.approx(log_of(case.answer.joint), abs=1e-10)
    for node, p in posterior.hidden.items():
        assert p == pytest.approx(case.exact(node), rel=1e-10), case.network.nodes[node].id


@pytest.mark.parametrize("w", [0.0, ldexp(1, -20)], ids=["of no cause", "of one cause"])
def test_evidence_may_be_more_improbable_than_a_float_can_hold(w: float) -> None:
    """Sixty findings, each with P(present) near 1e-9 or 1e-6, which only logarithms can multiply."""
    findings = {f"finding_{k}": PRESENT for k in range(60)}
    causes = {"first": (1.0, dict.fromkeys(findings, w) if w else {}), "second": (1.0, {})}
    content = small_content(causes, dict.fromkeys(findings, ldexp(1, -30)))
    case = Case.of(content, Random(0), risks={}, reports=findings)
    posterior = infer(case.network, case.logits, case.encoded)
    assert log_of(case.answer.joint) < log(5e-324)
    assert posterior.log_joint == pytest.approx(log_of(case.answer.joint), rel=1e-14)
    for node, p in posterior.hidden.items():
        assert p == pytest.approx(case.exact(node), abs=1e-14)


def _make_rare(content: Content, *, leak: float, link: float) -> None:
    for name, table in content["findings"].items():
        if name != "complaint":
            table["leak"]["value"] *= leak
    for section in ("causes", "complications", "mechanisms"):
        for table in content[section].values():
            for child, number in table["links"].items():
                if child in content["findings"]:
                    key = "link" if "link" in number else "probability"
                    number[key] *= link


# --- why not Quickscore ----------------------------------------------------------------------------------------------


def two_layers(n_positive: int) -> Case:
    """Six causes without risk factors and mechanisms; some findings present, two absent."""
    rng = Random(7)
    content = random_content(rng, n_causes=6, n_complications=0, n_mechanisms=0, n_findings=n_positive + 2, n_risks=0)
    for table in content["causes"].values():
        table["links"] = {child: number for child, number in table["links"].items() if child in content["findings"]}
    _make_rare(content, leak=1 / 16, link=1.0)
    reports = {f"finding_{k}": PRESENT if k < n_positive else ABSENT for k in range(n_positive + 2)}
    return Case.of(content, rng, risks={}, reports=reports, base=Fraction(1, 16))


def errors(n_positive: int) -> tuple[float, float]:
    """Largest error of a posterior: of signed Quickscore, and of the engine."""
    case = two_layers(n_positive)
    network = case.network
    positive = [network.complaint, *(node for node, off, _ in case.encoded.findings if off == 0)]
    negative = [node for node, _, on in case.encoded.findings if on == 0]
    joint, with_cause = signed_quickscore(network, np.full(network.n_causes, 1 / 16), positive, negative)
    posterior = infer(network, case.logits, case.encoded).hidden
    exact = np.array([case.exact(cause) for cause in network.causes])
    ours = np.array([posterior[cause] for cause in network.causes])
    return float(np.abs(with_cause / joint - exact).max()), float(np.abs(ours - exact).max())


@pytest.mark.parametrize("n_positive", [1, 2, 3])
def test_signed_quickscore_is_right_with_few_positive_findings(n_positive: int) -> None:
    quickscore, engine = errors(n_positive)
    assert quickscore < 1e-10
    assert engine < 1e-14


@pytest.mark.parametrize(("n_positive", "lost"), [(8, 1e-9), (12, 1e-6), (16, 0.1)])
def test_signed_quickscore_loses_digits_with_every_positive_finding_and_the_engine_none(n_positive: int, lost: float) -> None:
    quickscore, engine = errors(n_positive)
    assert quickscore > lost
    assert engine < 1e-14
