"""Hypothesis strategies: evidence, patients, twins, models and loss tables.

What is drawn shrinks to few answers and prints as code: evidence as the call of `model.evidence` that makes it, models
as the call of `random_model`, loss tables as plain tables.

References:
    MacIver, Hatfield-Dodds (2019), Hypothesis: a new approach to property-based testing.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calfbayes.errors import ArgumentError, ContradictionError, MissingExtraError, UnknownNameError
from calfbayes.evidence import Evidence, Likelihood, Value
from calfbayes.inference.simulation import simulate_states
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, RiskFactor
from calfbayes.model import Model
from calfbayes.network import Network
from calfbayes.testing.random_models import random_model

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    raise MissingExtraError("hypothesis", "testing") from None

POOL = 256  # simulated patients that `patients` draws from
DRAWN = 4_000  # simulated people of whom those with a cause are a part
LARGEST_LOSS = 20
DOUBT = (0.2, 0.5, 2.0, 5.0)  # likelihood ratios of doubtful reports

Losses = dict[str, dict[str, float]]


class Twins(NamedTuple):
    """Two patients who differ in one item; `first` has it, or has its later state."""

    first: Evidence
    second: Evidence
    item: str


@st.composite
def evidence(
    draw: st.DrawFn,
    model: Model,
    *,
    setting: str | None = None,
    most: int = 6,
    known: Mapping[str, Value] | None = None,
    doubtful: bool = True,
) -> Evidence:
    """Anything that may be known of a patient: answers that no logic and no table of risk factors forbids together.

    Rare combinations are drawn as often as common ones; `patients` draws what the model expects.

    Args:
        model: Whose findings and risk factors.
        setting: A care setting; None for any of the model's.
        most: Largest number of findings, and of risk factors.
        known: Answers that are always among them.
        doubtful: Whether findings may be "not known" or a doubtful report.
    """
    told: dict[str, Value] = dict(known or {})
    chosen = setting or draw(st.sampled_from([s.id for s in model.settings]))
    factors = {factor.id: _values_of(factor) for factor in model.risk_factors if factor.id not in told}
    findings = {name: _finding_values(doubtful=doubtful) for name in _findings(model) if name not in told}
    for values in (factors, findings):
        for name, value in draw(_answers(values, most)):
            if _allowed(model, {**told, name: value}):
                told[name] = value
    return model.evidence(told, setting=chosen)


def patients(
    model: Model, *, cause: str | None = None, setting: str | None = None, most: int = 6, absent: int = 3
) -> st.SearchStrategy[Evidence]:
    """Patients as the model expects them: drawn forwards from the risk factors, so that nothing in them contradicts itself.

    Each tells some of their risk factors, some of what they have, and some of what they have not.

    Args:
        model: Which patients.
        cause: A cause or complication that all of them have; it is not told.
        setting: A care setting; None for the model's default.
        most: Largest number of present findings that are told.
        absent: Largest number of absent findings that are told.
    """
    # simulated here, since it takes longer than Hypothesis allows for one example
    pool = simulated(model, setting or model.knowledge.default_setting, cause)

    @st.composite
    def teller(draw: st.DrawFn) -> Evidence:
        states, present = pool[draw(st.integers(0, len(pool) - 1))]
        told: dict[str, Value] = {}
        for name in draw(_some(list(states), len(states))):
            told[name] = states[name]
        for name in draw(_some(present, most)):
            told[name] = True
        for name in draw(_some([name for name in _findings(model) if name not in present], absent)):
            told[name] = False
        return model.evidence(told, setting=setting)

    return teller()


def near_twins(model: Model, *, item: str | None = None, setting: str | None = None, most: int = 6) -> st.SearchStrategy[Twins]:
    """Two patients who differ in one item, a finding (present, absent) or a risk factor (two states).

    Args:
        model: Which patients.
        item: The item; None for any finding or risk factor.
        setting: A care setting; None for the model's default.
        most: Largest number of present findings that are told.
    """
    names = [*_findings(model), *(factor.id for factor in model.risk_factors)]
    if item is not None and item not in names:
        raise UnknownNameError("finding or risk factor", item, tuple(get_close_matches(item, names)), f"model {model.name}")
    return _twins(patients(model, setting=setting, most=most), model, st.just(item) if item else st.sampled_from(names))


@st.composite
def _twins(draw: st.DrawFn, whom: st.SearchStrategy[Evidence], model: Model, items: st.SearchStrategy[str]) -> Twins:
    """Two patients who tell the same but for one item."""
    name = draw(items)
    record = model._solved.network.records[name]
    values: Sequence[Value] = (True, False)
    if isinstance(record, RiskFactor) and not record.is_binary:
        low, high = sorted(draw(st.lists(st.integers(0, len(record.states) - 1), min_size=2, max_size=2, unique=True)))
        values = (record.states[high], record.states[low])
    common: dict[str, Value] = {}
    told = draw(whom)
    for other, value in told.items():
        if other != name and all(_allowed(model, {**common, other: value, name: either}) for either in values):
            common[other] = value
    first, second = (model.evidence({**common, name: value}, setting=told.setting) for value in values)
    return Twins(first, second, name)


def networks(*, most_causes: int = 5, most_findings: int = 7, most_risk_factors: int = 3) -> st.SearchStrategy[Model]:
    """Random valid models of the whole class.

    They have risk factors with parents, co-occurrence arcs, complications, mechanisms, odds on leaks, red-flag rules, logic
    between findings, and now and then probabilities of 0 and 1.
    """
    if most_causes < 2 or most_findings < 5 or most_risk_factors < 0:
        given = f"{most_causes}, {most_findings}, {most_risk_factors}"
        raise ArgumentError("most_causes, most_findings, most_risk_factors", given, "at least 2, 5 and 0")
    common: dict[str, st.SearchStrategy[Any]] = {
        "seed": st.integers(0, 9_999),
        "n_causes": st.integers(2, most_causes),
        "n_complications": st.integers(0, 2),
        "n_mechanisms": st.integers(0, 2),
        "n_risks": st.integers(0, most_risk_factors),
        "n_rules": st.integers(0, 4),
    }
    plain = st.builds(random_model, **common, n_findings=st.integers(1, most_findings), extremes=st.booleans())
    with_logic = st.builds(random_model, **common, n_findings=st.integers(5, most_findings), logic=st.just(True))
    return st.one_of(plain, with_logic)


@st.composite
def policies(draw: st.DrawFn) -> Losses:
    """Loss tables as in `[loss.acted]`, with nothing lost where the need is met and with decreasing differences.

    References:
        Topkis (1998), Supermodularity and complementarity: such a table is a sum of what each step adds.
    """
    n = len(LEVELS_BY_SEVERITY)
    steps = {
        (i, j): draw(st.integers(1 if j in {i, i + 1} else 0, LARGEST_LOSS))
        for i in range(n - 1)
        for j in range(n)  # up to i: acting one level higher than needed; above: one level lower
    }

    def loss(acted: int, needed: int) -> float:
        if acted < needed:
            return float(sum(steps[i, j] for i in range(acted, needed) for j in range(i + 1, needed + 1)))
        return float(sum(steps[i, j] for i in range(needed, acted) for j in range(needed, i + 1)))

    names = [str(level) for level in LEVELS_BY_SEVERITY]
    return {a: {b: loss(i, j) for j, b in enumerate(names)} for i, a in enumerate(names)}


# --- simulated patients -----------------------------------------------------------------------------------------------

Columns = Mapping[str, NDArray[np.generic]]
Rows = NDArray[np.intp]
Told = tuple[Mapping[str, Value], Sequence[str]]


@lru_cache(maxsize=64)
def simulated(model: Model, setting: str, cause: str | None) -> Sequence[Told]:
    """Some patients who have a cause: their risk factors, and the findings that are present.

    People are drawn with the cause's base raised, and those who have it are kept in proportion to how often they would
    have had it otherwise.

    References:
        Rubin (1988), Using the SIR algorithm to simulate posterior distributions.
    """
    network = model._solved.network
    logits = model._solved.bases[model.evidence({}, setting=setting).setting or setting].logits
    generator = np.random.default_rng(0)
    columns, rows = _drawn(network, logits, cause, generator)
    binary = {factor.id for factor in model.risk_factors if factor.is_binary}
    findings = _findings(model)
    pool = []
    for row in rows:
        states = {f.id: str(columns[f.id][row]) for f in model.risk_factors}
        told = {name: state == "present" if name in binary else state for name, state in states.items()}
        pool.append((told, [name for name in findings if columns[name][row]]))
    return pool


def _drawn(network: Network, logits: Array, cause: str | None, generator: np.random.Generator) -> tuple[Columns, Rows]:
    """Simulated people, and the rows of those in the pool."""
    if cause is None:
        return simulate_states(network, logits, POOL, generator), np.arange(POOL)
    hidden = [network.nodes[k].id for k in (*network.causes, *network.complications)]
    if cause not in hidden:
        raise UnknownNameError("cause or complication", cause, tuple(get_close_matches(cause, hidden)), f"model {network.name}")
    position = network.node_index[cause]
    is_cause = position in network.causes
    raised = logits.copy()
    if is_cause:
        raised[position] = max(logits[position], 0.0)
    columns = simulate_states(network, raised, DRAWN if is_cause else 10 * DRAWN, generator)
    rows = np.flatnonzero(columns[cause])
    if not len(rows):
        raise ContradictionError((cause,), "hardly ever drawn")
    if not is_cause:
        return columns, generator.choice(rows, size=POOL)
    usual, drawn = (_chance(network, columns, rows, position, base[position]) for base in (logits, raised))
    weight = usual / drawn
    return columns, generator.choice(rows, size=POOL, p=weight / weight.sum())


def _chance(network: Network, columns: Columns, rows: Rows, position: int, base: float) -> Array:
    """P(cause | risk states and causes above it) of each patient."""
    node = network.nodes[position]
    logit = np.full(len(rows), base)
    for odds in node.odds:
        states = network.risks[odds.risk].states
        logit = logit + odds.log_odds[[states.index(str(state)) for state in columns[network.risks[odds.risk].id][rows]]]
    absent = expit_pair(logit)[1]
    for parent, w in node.parents:
        absent = absent * np.where(columns[network.nodes[parent].id][rows], 1 - w, 1.0)
    return 1 - absent


# --- parts ------------------------------------------------------------------------------------------------------------


def _some(names: Sequence[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=most, unique=True) if names else st.just([])


@lru_cache(maxsize=64)
def _findings(model: Model) -> Sequence[str]:
    return [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]


def _answers(values: Mapping[str, st.SearchStrategy[Value]], most: int) -> st.SearchStrategy[list[tuple[str, Value]]]:
    """Ids with a value each; an answer is drawn in one piece, so that it can be left out in one piece."""
    if not values:
        return st.just([])
    answer = st.sampled_from(list(values)).flatmap(lambda name: st.tuples(st.just(name), values[name]))
    return st.lists(answer, max_size=most, unique_by=lambda pair: pair[0])


def _values_of(factor: RiskFactor) -> st.SearchStrategy[Value]:
    """What may be given for a risk factor: yes or no, a state, or a number."""
    if factor.is_binary:
        return st.booleans()
    if not factor.unit:
        return st.sampled_from(factor.states)
    bands = zip(factor.lower_bounds, (*factor.lower_bounds[1:], factor.upper_bound), strict=True)
    return st.sampled_from([value for low, high in bands for value in (low, (low + high) / 2)])


def _finding_values(*, doubtful: bool) -> st.SearchStrategy[Value]:
    plain: st.SearchStrategy[Value] = st.booleans()
    return st.one_of(plain, plain, st.none(), st.sampled_from(DOUBT).map(Likelihood)) if doubtful else plain


def _allowed(model: Model, told: Mapping[str, Value]) -> bool:
    """Say whether neither logic nor the tables of the risk factors forbid these answers together."""
    network = model._solved.network
    try:
        states = model.evidence(told).risk_states
    except ContradictionError:
        return False
    for risk in network.risks:
        if risk.id in states:
            index = tuple(
                network.risks[k].states.index(states[network.risks[k].id]) if network.risks[k].id in states else slice(None)
                for k in risk.parents
            )
            if not np.max(risk.prior[(*index, risk.states.index(states[risk.id]))]) > 0:
                return False
    return True
