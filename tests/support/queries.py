"""Hypothesis strategies: networks with encoded evidence, and models with answers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, inf, isinf
from random import Random

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from calfbayes import ContradictionError, Likelihood, Model, QueryTooCostlyError
from calfbayes.evidence import Value
from calfbayes.inference.exact import Posterior, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network, compile_network, logit
from support.models import random_model, shipped
from support.random_models import random_content

PRESENT, ABSENT = (0.0, 1.0), (1.0, 0.0)
AFFORDABLE = 2e6  # state operations of one query in a property
MOST_UNKNOWN = 7  # risk factors that a drawn query leaves unknown

Reports = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Query:
    """A network with bases of its causes, and evidence in positions."""

    network: Network
    logits: Array
    risk_states: tuple[int, ...]
    reports: Reports

    def __repr__(self) -> str:
        named = {self.network.nodes[node].id: report for node, report in self.reports.items()}
        return f"Query(risk_states={self.risk_states}, reports={named}, logits={self.logits.tolist()}, {self.network.nodes})"

    @property
    def evidence(self) -> Encoded:
        return Encoded(self.risk_states, tuple(sorted((node, off, on) for node, (off, on) in self.reports.items())))

    def with_report(self, node: int, report: tuple[float, float]) -> "Query":
        return replace(self, reports={**self.reports, node: report})

    def posterior(self, *, also: Sequence[int] = ()) -> Posterior:
        """The engine's answer; a query that is impossible or dear is not considered."""
        try:
            answer = infer(self.network, self.logits, self.evidence, also=also, cost_limit=AFFORDABLE)
        except QueryTooCostlyError:
            reject()
        if isinf(answer.log_joint):
            reject()
        return answer


def reports() -> st.SearchStrategy[tuple[float, float]]:
    """P(report | absent), P(report | present): mostly plain answers, some doubtful ones."""
    return st.one_of(st.just(PRESENT), st.just(ABSENT), st.sampled_from([(0.25, 1.0), (1.0, 0.5), (0.125, 0.75)]))


@st.composite
def networks(draw: st.DrawFn, source: str) -> tuple[Network, Array]:
    """A network of some shape with random bases, or a shipped one with its own in some setting."""
    if source != "random":
        model = shipped(source)
        setting = draw(st.sampled_from([setting.id for setting in model.settings]))
        return model._solved.network, model._solved.bases[setting].logits
    rng = Random(draw(st.integers(0, 2**32)))
    content = random_content(
        rng,
        n_causes=draw(st.integers(1, 5)),
        n_complications=draw(st.integers(0, 2)),
        n_mechanisms=draw(st.integers(0, 3)),
        n_findings=draw(st.integers(1, 7)),
        n_risks=draw(st.integers(0, 4)),
        extremes=draw(st.booleans()),
    )
    network = compile_network(knowledge_from_content(content, name="random"))
    return network, np.array([logit(rng.randint(1, 48) / 64) for _ in network.causes])


@st.composite
def queries(
    draw: st.DrawFn,
    network: Network,
    logits: Array,
    *,
    sure: Reports | None = None,
    avoid: Collection[int] = (),
    known: Collection[int] = (),
) -> Query:
    """A query of a network.

    Args:
        sure: Reports that are in the query.
        avoid: Findings that are not.
        known: Risk factors whose state is known.
    """
    fixed = sure or {}
    open_findings = [f for f in network.findings if f not in avoid and f not in fixed and f != network.complaint]
    some = draw(st.lists(st.sampled_from(open_findings), max_size=9, unique=True)) if open_findings else []
    states = list(draw(risk_states(network)))
    may_be_unknown = [risk for risk in range(len(states)) if risk not in known]
    if may_be_unknown:
        for risk in draw(st.sets(st.sampled_from(may_be_unknown), max_size=MOST_UNKNOWN)):
            states[risk] = -1
    return Query(network, logits, tuple(states), {**{node: draw(reports()) for node in some}, **fixed})


@st.composite
def risk_states(draw: st.DrawFn, network: Network) -> tuple[int, ...]:
    """A state of each risk factor, possible together."""
    rng = Random(draw(st.integers(0, 2**32)))
    states: list[int] = []
    for risk in network.risks:
        prior = risk.prior[tuple(states[parent] for parent in risk.parents)]
        states.append(rng.choice(np.flatnonzero(prior > 0).tolist()))
    return tuple(states)


@st.composite
def any_query(draw: st.DrawFn, source: str) -> Query:
    """Any query of any network of a source."""
    return draw(queries(*draw(networks(source))))


# --- the same through the gate ---------------------------------------------------------------------------------------


@st.composite
def models(draw: st.DrawFn, source: str) -> Model:
    """A shipped model, or a random one with rules and logic between findings."""
    if source != "random":
        return shipped(source)
    return random_model(draw(st.integers(0, 500)), n_causes=draw(st.integers(3, 5)), n_rules=4, logic=True)


@st.composite
def answers(draw: st.DrawFn, model: Model, *, most: int = 8) -> dict[str, Value]:
    """What a patient may answer; no answer contradicts another by logic, and no risk states exclude each other.

    Args:
        most: Largest number of findings.
    """
    network = model._solved.network
    given: dict[str, Value] = {}
    for risk, state in zip(network.risks, draw(risk_states(network)), strict=True):
        given[risk.id] = draw(_value_of(model, risk.id, state))
    for name in draw(st.sets(st.sampled_from(sorted(given)), max_size=MOST_UNKNOWN)) if given else ():
        del given[name]
    findings = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]
    some = draw(st.lists(st.sampled_from(findings), max_size=most, unique=True))
    values: dict[str, Value] = {name: draw(_finding_values()) for name in some}
    return with_consistent(model, given, values)


def with_consistent(model: Model, given: Mapping[str, Value], more: Mapping[str, Value]) -> dict[str, Value]:
    """Add the answers that do not contradict, by logic, those before them."""
    together = {**given, **more}
    try:
        model.evidence(together)
    except ContradictionError:
        together = dict(given)
        for name, value in more.items():
            try:
                model.evidence({**together, name: value})
            except ContradictionError:
                continue
            together[name] = value
    return together


def _finding_values() -> st.SearchStrategy[Value]:
    return st.one_of(st.booleans(), st.booleans(), st.none(), st.floats(-3, 3).map(lambda x: Likelihood(exp(x))))


@cache
def _factors(model: Model) -> dict[str, RiskFactor]:
    return {factor.id: factor for factor in model.risk_factors}


def _value_of(model: Model, name: str, state: int) -> st.SearchStrategy[Value]:
    factor = _factors(model)[name]
    if factor.is_binary:
        return st.just(bool(state))
    if not factor.unit:
        return st.just(factor.states[state])
    above = (*factor.lower_bounds, inf)[state + 1]
    return st.floats(factor.lower_bounds[state], min(above, factor.upper_bound), exclude_max=above < inf)
