"""The laws of inference, over random networks of the whole class and over every shipped model.

Laws that compare a network with an edited one are stated for the network with given bases: raising a base, a link, or
adding a finding leaves the bases of all other causes as they are.
"""

from collections.abc import Sequence
from functools import cache
from math import exp
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import ContradictionError, Model
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.inference.exact import highest_label
from calfbayes.knowledge.terms import Finding, RiskFactor
from calfbayes.network import Network, RiskOdds
from support.editing import rearranged, with_finding, with_link
from support.models import SOURCES, model_of, shipped
from support.queries import ABSENT, AFFORDABLE, PRESENT, Query, answers, any_query, models, networks, queries, reports

SLACK = 1e-12  # rounding

every_source = pytest.mark.parametrize("source", SOURCES)


def diagnosis(model: Model, given_answers: object, setting: str | None = None) -> Diagnosis:
    """A diagnosis that has probabilities."""
    assert isinstance(given_answers, dict)
    try:
        result = model.diagnose(given_answers, setting=setting, cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    assume(result.causes)
    return result


def ids(records: Sequence[Finding] | Sequence[RiskFactor]) -> list[str]:
    return [record.id for record in records]


def probabilities(result: Diagnosis) -> dict[str, float]:
    return {entry.id: entry.probability for entry in (*result.causes, *result.complications)}


# --- what changes nothing ---------------------------------------------------------------------------------------------


@every_source
@given(data=st.data())
def test_the_order_of_the_evidence_changes_nothing(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = data.draw(answers(model))
    shuffled = dict(data.draw(st.permutations(list(given_answers.items()))))
    assert model.evidence(shuffled) == model.evidence(given_answers)
    assert diagnosis(model, shuffled).to_json() == diagnosis(model, given_answers).to_json()


@every_source
@given(data=st.data())
def test_the_names_and_the_order_in_the_files_change_nothing(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    other, names = renamed(model) if source == "random" else renamed_shipped(source)
    given_answers = data.draw(answers(model))
    setting = data.draw(st.sampled_from([setting.id for setting in model.settings]))
    before = diagnosis(model, given_answers, setting)
    after = diagnosis(other, {names[name]: value for name, value in given_answers.items()}, setting)
    assert probabilities(after) == pytest.approx({names[k]: p for k, p in probabilities(before).items()}, abs=1e-9)
    assert after.log_evidence == pytest.approx(before.log_evidence, abs=1e-9)
    assert [(r.id, r.level) for r in after.urgency.reasons if r.origin == "rule"] == [
        (r.id, r.level) for r in before.urgency.reasons if r.origin == "rule"
    ]
    assert after.urgency.expected_loss == pytest.approx(before.urgency.expected_loss, abs=1e-9)


def renamed(model: Model) -> tuple[Model, dict[str, str]]:
    content, rng = model._content, Random(1)
    sections = ("causes", "complications", "mechanisms", "findings", "risk_factors")
    ids: list[str] = [name for section in sections for name in content[section]]
    others = [f"thing_{k:03}" for k in range(len(ids))]
    rng.shuffle(others)
    names = dict(zip(ids, others, strict=True))
    return model_of(rearranged(content, names, rng)), names


@cache
def renamed_shipped(name: str) -> tuple[Model, dict[str, str]]:
    return renamed(shipped(name))


@every_source
@given(data=st.data())
def test_unknown_and_not_asked_change_nothing(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_answers = data.draw(answers(model))
    askable = [name for name in (*ids(model.findings), *ids(model.risk_factors)) if name not in given_answers]
    unknown = data.draw(st.lists(st.sampled_from(askable), unique=True)) if askable else []
    before = diagnosis(model, given_answers)
    after = diagnosis(model, {**given_answers, **dict.fromkeys(unknown)})
    assert probabilities(after) == probabilities(before)
    assert after.log_evidence == before.log_evidence
    assert after.urgency == before.urgency
    assert after.outcome == before.outcome


@every_source
@given(data=st.data())
def test_a_likelihood_ratio_of_one_changes_nothing(source: str, data: st.DataObject) -> None:
    network, logits = data.draw(networks(source))
    finding = data.draw(st.sampled_from([finding for finding in network.findings if finding != network.complaint]))
    query = data.draw(queries(network, logits, avoid={finding}))
    before, after = query.posterior(), query.with_report(finding, (1.0, 1.0)).posterior()
    for node in (*network.causes, *network.complications):
        assert after.hidden[node] == pytest.approx(before.hidden[node], abs=SLACK)
    assert after.log_joint == pytest.approx(before.log_joint, abs=SLACK)


@every_source
@given(data=st.data())
def test_empty_evidence_returns_the_shares(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    setting = data.draw(st.sampled_from([setting.id for setting in model.settings]))
    result = model.diagnose({}, setting=setting, cost_limit=float("inf"))
    coincidence = next(s.coincidence.value for s in model.settings if s.id == setting)
    weights = {cause.id: next(w.number.value for w in cause.weights if w.setting == setting) for cause in model.causes}
    for entry in result.causes:
        share = weights[entry.id] / sum(weights.values()) * (1 + coincidence)
        assert entry.probability == pytest.approx(share, abs=1e-9)
        assert entry.share == pytest.approx(share, abs=1e-9)
    assert result.log_evidence == pytest.approx(0.0, abs=1e-12)


# --- probabilities are probabilities ---------------------------------------------------------------------------------


@every_source
@given(data=st.data())
def test_every_probability_lies_between_0_and_1_and_some_cause_is_present(source: str, data: st.DataObject) -> None:
    query = data.draw(any_query(source))
    posterior = query.posterior(also=query.network.mechanisms)
    assert set(posterior.hidden) == set(range(query.network.n_hidden))
    assert all(0.0 <= p <= 1.0 for p in posterior.hidden.values())
    assert posterior.log_joint <= SLACK
    network = query.network
    is_cause = [1] * network.n_causes + [0] * network.n_complications
    none, some = highest_label(network, query.logits, query.evidence, is_cause, 2)
    assert none == 0.0
    assert some == 1.0


# --- what raises a probability ----------------------------------------------------------------------------------------


@every_source
@given(data=st.data())
def test_raising_a_base_never_lowers_the_cause(source: str, data: st.DataObject) -> None:
    query = data.draw(any_query(source))
    cause = data.draw(st.sampled_from(query.network.causes))
    logits = query.logits.copy()
    logits[cause] += data.draw(st.floats(0.01, 8))
    raised = Query(query.network, logits, query.risk_states, query.reports)
    assert raised.posterior().hidden[cause] >= query.posterior().hidden[cause] - SLACK


def draw_arc(data: st.DataObject, network: Network, children: range) -> tuple[int, int, float]:
    """An arc from a cause to one of the children that can be raised."""
    arcs = [(i, j, w) for i in network.causes for j, w in network.nodes[i].children if j in children and w < 1]
    assume(arcs)
    return data.draw(st.sampled_from(arcs))


@every_source
@pytest.mark.parametrize("present", [True, False])
@given(data=st.data())
def test_raising_a_direct_link_never_lowers_the_cause_if_the_finding_is_present_nor_raises_it_if_absent(
    source: str, present: bool, data: st.DataObject
) -> None:
    network, logits = data.draw(networks(source))
    cause, finding, w = draw_arc(data, network, network.findings)
    report = data.draw(st.sampled_from([PRESENT, (0.2, 0.7)] if present else [ABSENT, (0.7, 0.2)]))
    query = data.draw(queries(network, logits, sure={finding: report}))
    edited = with_link(network, cause, finding, w + data.draw(st.floats(0.05, 1)) * (1 - w))
    raised = Query(edited, logits, query.risk_states, query.reports)
    difference = raised.posterior().hidden[cause] - query.posterior().hidden[cause]
    assert difference >= -SLACK if present else difference <= SLACK


@every_source
@given(data=st.data())
def test_raising_a_link_to_a_mechanism_never_lowers_the_cause_if_all_its_observed_findings_are_present(
    source: str, data: st.DataObject
) -> None:
    network, logits = data.draw(networks(source))
    cause, mechanism, w = draw_arc(data, network, network.mechanisms)
    below = [child for child, _ in network.nodes[mechanism].children]
    present = data.draw(st.lists(st.sampled_from(below), min_size=1, max_size=4, unique=True)) if below else []
    query = data.draw(queries(network, logits, sure=dict.fromkeys(present, PRESENT), avoid=below))
    edited = with_link(network, cause, mechanism, w + data.draw(st.floats(0.05, 1)) * (1 - w))
    raised = Query(edited, logits, query.risk_states, query.reports)
    assert raised.posterior().hidden[cause] >= query.posterior().hidden[cause] - SLACK


# --- the finding of one cause, and the finding of none ----------------------------------------------------------------


@every_source
@given(data=st.data())
def test_a_finding_of_a_single_cause_multiplies_its_odds_by_exactly_its_likelihood_ratio(
    source: str, data: st.DataObject
) -> None:
    """By (1 - (1 - w)(1 - leak)) / leak if present and by 1 - w if absent, whatever else is known."""
    network, logits = data.draw(networks(source))
    own = [
        f for f in network.findings if len(network.nodes[f].parents) == 1 and network.nodes[f].parents[0][0] in network.causes
    ]
    finding = data.draw(st.sampled_from([*own, network.complaint]))  # the complaint stands for one that is added
    if finding == network.complaint:
        arc = data.draw(st.sampled_from(network.causes)), data.draw(st.floats(0, 1))
        odds = draw_odds(data, network)
        network, finding = with_finding(network, base_logit=data.draw(st.floats(-7, 3)), odds=odds, parents=(arc,))
    ((cause, w),) = network.nodes[finding].parents
    moving = [odds.risk for odds in network.nodes[finding].odds]
    query = data.draw(queries(network, logits, avoid={finding}, known=moving))
    off, on = report = data.draw(reports())
    p, after = query.posterior().hidden[cause], query.with_report(finding, report).posterior().hidden[cause]

    x = network.nodes[finding].base_logit + sum(o.log_odds[query.risk_states[o.risk]] for o in network.nodes[finding].odds)
    leak, no_leak = 1 / (1 + exp(-x)) if x > -700 else 0.0, 1 / (1 + exp(x)) if x < 700 else 0.0
    if_absent = off * no_leak + on * leak
    if_present = off * no_leak * (1 - w) + on * (w + leak * (1 - w))
    expected = p * if_present / (p * if_present + (1 - p) * if_absent)
    # p itself is known to rounding only; by how much that can move the expected value is its derivative
    derivative = if_present * if_absent / (p * if_present + (1 - p) * if_absent) ** 2
    assert after == pytest.approx(expected, abs=SLACK * max(1.0, derivative))


def draw_odds(data: st.DataObject, network: Network) -> tuple[RiskOdds, ...]:
    """Odds of up to two risk factors."""
    if not network.risks:
        return ()
    chosen = data.draw(st.sets(st.sampled_from(range(len(network.risks))), max_size=2))
    return tuple(
        RiskOdds(risk, np.array([0.0, *(data.draw(st.floats(-2, 2)) for _ in network.risks[risk].states[1:])]))
        for risk in sorted(chosen)
    )


def without_path(query: Query) -> list[int]:
    """Findings, not in the evidence, that no directed path leads to from a hidden node or an unobserved risk factor.

    A mechanism counts even without a cause: by its leak it may be what explains another finding of its own.
    """
    reached = set(range(query.network.n_hidden))
    for node in query.network.findings:
        record = query.network.nodes[node]
        by_risk = any(query.risk_states[odds.risk] < 0 for odds in record.odds)
        if by_risk or any(parent in reached for parent, w in record.parents if w > 0):
            reached.add(node)
    return [f for f in query.network.findings if f not in reached and f not in query.reports]


@every_source
@given(data=st.data())
def test_a_finding_that_no_path_leads_to_changes_no_cause(source: str, data: st.DataObject) -> None:
    network, logits = data.draw(networks(source))
    edited, added = with_finding(network, base_logit=data.draw(st.floats(-7, 3)), odds=draw_odds(data, network))
    known = [odds.risk for odds in edited.nodes[added].odds]
    query = data.draw(queries(edited, logits, avoid={added}, known=known))
    finding = data.draw(st.sampled_from(without_path(query)))
    before, after = query.posterior(), query.with_report(finding, data.draw(reports())).posterior()
    for cause in network.causes:
        assert after.hidden[cause] == pytest.approx(before.hidden[cause], abs=SLACK)
