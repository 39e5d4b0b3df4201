"""Simulated patients against the engine's probabilities: within four standard errors, seeds fixed."""

from functools import cache
from math import exp, sqrt

import numpy as np
import pandas as pd
import pytest

from calfbayes import ArgumentError, Model
from calfbayes.diagnosis.encoding import encode
from calfbayes.inference.exact import infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.simulation import simulate_states
from support.models import SHIPPED, SOURCES, model_of, random_model, shipped
from support.queries import PRESENT
from support.small_models import small_content

N = 20_000
SIGMAS = 4.0
ENOUGH = 400  # patients who share an answer


@cache
def model(source: str) -> Model:
    return random_model(11, n_causes=5) if source == "random" else shipped(source)


@cache
def patients(source: str, setting: str) -> pd.DataFrame:
    return model(source).simulate(N, seed=4, setting=setting)


def settings(source: str) -> list[str]:
    return [setting.id for setting in model(source).settings]


CASES = [(source, setting) for source in SOURCES for setting in (settings(source)[0], settings(source)[-1])]


def check(frequency: float, p: float, n: int, name: str) -> None:
    assert abs(frequency - p) <= SIGMAS * sqrt(max(p * (1 - p), 1 / n) / n), f"{name}: {frequency} of {n}, expected {p}"


@pytest.mark.parametrize(("source", "setting"), CASES)
def test_causes_and_complications_are_as_frequent_as_with_no_evidence(source: str, setting: str) -> None:
    drawn = patients(source, setting)
    expected = model(source).diagnose({}, setting=setting, cost_limit=float("inf"))
    for entry in (*expected.causes, *expected.complications):
        check(drawn[entry.id].mean(), entry.probability, N, entry.id)


@pytest.mark.parametrize("source", SOURCES)
def test_findings_are_as_frequent_as_the_engine_says(source: str) -> None:
    """Also those that imply others. Of two that exclude each other each keeps its own probability while they leave room for
    both; where the network would have them together in most patients, they are less frequent than it says.
    """
    excluding = {name for f in model(source).findings for other in f.excludes for name in (f.id, other)}
    implying = {name for f in model(source).findings for other in f.implies for name in (f.id, other)}
    solved, setting = model(source)._solved, settings(source)[0]
    network, drawn, bases = solved.network, patients(source, setting), solved.bases[setting]
    assert drawn[network.nodes[network.complaint].id].all()
    for node in network.findings:
        name = network.nodes[node].id
        if node == network.complaint or (node % 4 and name not in excluding | implying):
            continue
        joint = infer(network, bases.logits, Encoded((-1,) * len(network.risks), ((node, *PRESENT),))).log_joint
        p = exp(joint - solved.baseline[setting].log_joint)
        frequency = drawn[name].mean()
        check(max(frequency, p) if name in excluding else frequency, p, N, name)


@pytest.mark.parametrize("source", SOURCES)
def test_among_those_who_share_an_answer_causes_are_as_frequent_as_the_posterior(source: str) -> None:
    setting = settings(source)[-1]
    drawn = patients(source, setting)
    tied = {other for f in model(source).findings for other in (*f.implies, *f.excludes, *([f.id] if f.implies else []))}
    findings = [f.id for f in model(source).findings if f.id not in tied and f.id != model(source).knowledge.complaint]
    for name in findings[:25]:
        alike = drawn[drawn[name]]
        if len(alike) >= ENOUGH:
            for entry in model(source).diagnose({name: True}, setting=setting).causes:
                check(alike[entry.id].mean(), entry.probability, len(alike), f"{entry.id} given {name}")


@pytest.mark.parametrize("source", SOURCES)
def test_risk_factors_are_as_frequent_as_the_engine_says(source: str) -> None:
    solved, setting = model(source)._solved, settings(source)[0]
    network, drawn = solved.network, patients(source, settings(source)[0])
    for position, risk in list(enumerate(network.risks))[::4]:
        for state, name in enumerate(risk.states):
            known = tuple(state if k == position else -1 for k in range(len(network.risks)))
            joint = infer(network, solved.bases[setting].logits, Encoded(known, ())).log_joint
            p = exp(joint - solved.baseline[setting].log_joint)
            check((drawn[risk.id] == name).mean(), p, N, f"{risk.id}={name}")


@pytest.mark.parametrize("source", SOURCES)
def test_what_logic_forbids_is_never_drawn(source: str) -> None:
    drawn = patients(source, settings(source)[0])
    for finding in model(source).findings:
        for other in finding.excludes:
            assert not (drawn[finding.id] & drawn[other]).any()
        for other in finding.implies:
            assert not (drawn[finding.id] & ~drawn[other]).any()


@pytest.mark.parametrize("source", SOURCES)
def test_simulated_patients_pass_the_gate(source: str) -> None:
    drawn = patients(source, settings(source)[0]).head(50)
    asked = [record.id for record in model(source).findings] + [factor.id for factor in model(source).risk_factors]
    binary = {factor.id for factor in model(source).risk_factors if factor.is_binary}
    for row in drawn[asked].to_dict("records"):
        given = {str(k): (v == "present" if k in binary else v) for k, v in row.items()}
        assert len(model(source).evidence(given)) == len(asked)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_seed_gives_the_same_patients(name: str) -> None:
    first, again, other = (shipped(name).simulate(50, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    columns = [*(r.id for r in shipped(name).risk_factors), *(n.id for n in shipped(name)._solved.network.nodes)]
    assert sorted(first.columns) == sorted(columns)


@pytest.mark.parametrize("n", [0, 1, 7, np.int64(3)])
def test_as_many_patients_as_asked_for(n: int) -> None:
    drawn = shipped("tutorial").simulate(n, seed=0)
    assert len(drawn) == n
    assert all(drawn[cause.id].dtype == bool for cause in shipped("tutorial").causes)


@pytest.mark.parametrize(("n", "seed"), [(-1, 0), (10**8, 0), (1.5, 0), (True, 0), (None, 0), (1, -1), (1, None), (1, 0.5)])
def test_a_wrong_number_is_refused(n: int, seed: int) -> None:
    with pytest.raises(ArgumentError):
        shipped("tutorial").simulate(n, seed=seed)


def test_a_finding_that_implies_another_and_one_that_excludes_it() -> None:
    """Logic is kept where the network alone would break it often."""
    causes = {"a": (1, {"week": 0.5, "day": 0.25}), "b": (1, {"day": 0.75, "sudden": 0.5, "slow": 0.25})}
    content = small_content(causes, {"week": 0.1, "day": 0.25, "sudden": 0.25, "slow": 0.25}, coincidence=0.1)
    content["findings"]["week"]["implies"] = ["day"]
    content["findings"]["sudden"]["excludes"] = ["slow"]
    drawn = model_of(content).simulate(2_000, seed=1)
    assert drawn["week"].sum() > 100
    assert not (drawn["week"] & ~drawn["day"]).any()
    assert not (drawn["sudden"] & drawn["slow"]).any()


def test_a_finding_that_implies_a_chain_keeps_its_frequency() -> None:
    """A month implies a week and a day, a week implies a day: the week is all that a month needs."""
    causes = {"a": (1, {"month": 0.25, "week": 0.5, "day": 0.5}), "b": (1, {"day": 0.25})}
    content = small_content(causes, {"day": 0.25, "week": 0.125, "month": 0.0625}, coincidence=0.1)
    content["findings"]["week"]["implies"] = ["day"]
    content["findings"]["month"]["implies"] = ["week", "day"]
    solved = model_of(content)
    drawn = solved.simulate(N, seed=1)
    for name in ("day", "week", "month"):
        log_p = solved.diagnose({name: True}).log_evidence
        assert log_p is not None
        check(drawn[name].mean(), exp(log_p), N, name)


@pytest.mark.parametrize("known", [{"age": 71, "sex": "female"}, {"pregnancy": True}])
def test_people_with_known_risk_factors_are_those_of_the_engine(known: dict[str, object]) -> None:
    """Pregnancy depends on age and sex, which are left open: who is kept is as old as the engine says."""
    whole = shipped("calf")
    network, setting = whole._solved.network, "primary_care"
    result = whole.diagnose(known, setting=setting)
    states = encode(network, result.evidence).risk_states
    generator = np.random.default_rng(7)
    drawn = simulate_states(network, whole._solved.bases[setting].logits, 4_000, generator, states)
    for entry in result.causes[:20]:
        check(float(drawn[entry.id].mean()), entry.probability, len(drawn[entry.id]), entry.id)
    for position, state in enumerate(states):
        risk = network.risks[position]
        if state >= 0:
            assert set(drawn[risk.id].tolist()) == {risk.states[state]}
    older = whole.diagnose({**known, "age": 25}, setting=setting)
    if "age" not in known and older.log_evidence is not None and result.log_evidence is not None:
        of_age = float((drawn["age"] == older.evidence.risk_states["age"]).mean())
        check(of_age, exp(older.log_evidence - result.log_evidence), len(drawn["age"]), "age")
