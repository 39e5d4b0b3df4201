"""A battery of checks for any model, run on patients drawn from it.

Every check counts what it has looked at, and has a minimum that follows from the model: a check that found nothing to
look at, or was too costly to carry out, does not pass. Where a model has nothing of the kind, no rules or no constraints,
the check does not apply, and is not counted as held.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from calfbayes.arguments import whole_number
from calfbayes.constraints.content import has_constraints
from calfbayes.constraints.judging import Judge
from calfbayes.constraints.laws import odds_ratio
from calfbayes.constraints.reading import read_constraints
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.diagnosis.rules import holds
from calfbayes.errors import CalfBayesError, ContradictionError, ModelFileError
from calfbayes.evidence import Evidence, Value
from calfbayes.inference.simulation import simulate_states
from calfbayes.knowledge.terms import AllOf, Atom, Condition, RiskFactor
from calfbayes.model import Model
from calfbayes.testing.assertions import assert_same_diagnosis

TOLERANCE = 1e-9
MOST_TOLD = 5  # failures of one check
MOST_PRESENT, MOST_ABSENT = 5, 3  # findings that a drawn patient tells

Looked = Iterator[str]  # for each thing that was looked at: what is wrong with it, or nothing


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        count: How many things were looked at.
        minimum: How many there have to be at least; 0 if the model has nothing of the kind.
        failures: What is wrong, each in a sentence.
    """

    id: str
    demand: str
    count: int
    minimum: int
    failures: tuple[str, ...]

    @property
    def applies(self) -> bool:
        """The model has what is checked."""
        return self.minimum > 0

    @property
    def ok(self) -> bool:
        """Nothing is wrong, and enough was looked at."""
        return not self.failures and self.count >= self.minimum

    def __str__(self) -> str:
        if self.failures:
            shown = "".join(f"\n      {failure}" for failure in self.failures[:MOST_TOLD])
            more = f"\n      and {len(self.failures) - MOST_TOLD} more" if len(self.failures) > MOST_TOLD else ""
            return f"FAILED {self.id}: {self.demand} ({len(self.failures)} of {self.count} do not){shown}{more}"
        if self.count < self.minimum:
            return f"TOO FEW {self.id}: {self.demand} (only {self.count} were looked at, {self.minimum} are needed)"
        if not self.applies:
            return f"does not apply {self.id}: {self.demand} ({self.count})"
        return f"held {self.id}: {self.demand} ({self.count}, at least {self.minimum})"


@dataclass(frozen=True, slots=True)
class Report:
    """What a battery found."""

    model: str
    digest: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Every check held on enough."""
        return all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        checks = [
            {
                "id": c.id,
                "ok": c.ok,
                "applies": c.applies,
                "demand": c.demand,
                "count": c.count,
                "minimum": c.minimum,
                "failures": list(c.failures),
            }
            for c in self.checks
        ]
        return {"model": self.model, "digest": self.digest, "ok": self.ok, "checks": checks}

    def __str__(self) -> str:
        applied = [check for check in self.checks if check.applies]
        head = f"{self.model}, digest {self.digest[:12]}: {sum(c.ok for c in applied)} of {len(applied)} checks held"
        idle = len(self.checks) - len(applied)
        more = f", {idle} {'do' if idle > 1 else 'does'} not apply" if idle else ""
        return "\n".join([head + more, *(f"  {check}" for check in self.checks)])

    def require(self) -> "Report":
        """The report itself, for tests.

        Raises:
            AssertionError: If a check failed or looked at too little.
        """
        if not self.ok:
            raise AssertionError(str(self))
        return self


def check_model(model: Model, *, patients: int = 30, seed: int = 0) -> Report:
    """Run the battery.

    Args:
        patients: How many are drawn in each care setting, at least 1.
        seed: Of the random generator; the same seed gives the same patients.

    Raises:
        ArgumentError: If one of the two is no such whole number.
    """
    n, start = whole_number("patients", patients, 1), whole_number("seed", seed, 0)
    drawn = list(_patients(model, n, start))
    results = [result for result in (_asked(model, evidence) for evidence in drawn) if result is not None]
    rules = model.urgency_policy.rules
    factors = model.risk_factors
    n_alone = len(model.findings) - 1 + sum(len(factor.states) for factor in factors)
    lawful = _lawful(model)
    # a model may well make a few patients too costly to ask about, but not many
    enough = max(1, int(0.9 * len(drawn)))
    return Report(
        model.name,
        model.digest,
        (
            _checked(
                "shares",
                "with nothing known every cause has its share",
                _shares(model),
                len(model.causes) * len(model.settings),
            ),
            _checked("sums", "probabilities lie in 0 to 1, and some cause is present", map(_sums, results), enough),
            _checked("order", "order and 'not known' change nothing", (_order(model, r) for r in results), enough),
            _checked("json", "evidence survives JSON", (_json(model, r) for r in results), enough),
            _checked("tables", "rows of a table equal single calls", _rows(model, results[:10]), min(10, enough)),
            _checked("alone", "every answer can be given by itself", _alone(model), n_alone),
            _checked(
                "odds", "a finding with one cause moves its odds by a fixed ratio", _odds(model, lawful, results), len(lawful)
            ),
            _checked("rules", "a rule that holds sets the level, and more answers keep it", _rules(model, drawn), len(rules)),
            _constraints(model),
        ),
    )


def _checked(name: str, demand: str, looked: Iterable[str], minimum: int) -> Check:
    told = list(looked)
    return Check(name, demand, len(told), minimum, tuple(failure for failure in told if failure))


def _patients(model: Model, n: int, seed: int) -> Iterator[Evidence]:
    """Patients who tell their risk factors, and some of what they have and have not."""
    generator = np.random.default_rng(seed)
    network = model._solved.network
    binary = {factor.id for factor in model.risk_factors if factor.is_binary}
    findings = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]
    for setting in model.settings:
        columns = simulate_states(network, model._solved.bases[setting.id].logits, n, generator)
        for row in range(n):
            told: dict[str, Value] = {}
            for factor in model.risk_factors:
                state = str(columns[factor.id][row])
                told[factor.id] = state == "present" if factor.id in binary else state
            order = [findings[k] for k in generator.permutation(len(findings))]
            told |= dict.fromkeys([name for name in order if columns[name][row]][:MOST_PRESENT], True)
            told |= dict.fromkeys([name for name in order if not columns[name][row]][:MOST_ABSENT], False)
            yield model.evidence(told, setting=setting.id)


def _asked(model: Model, evidence: Evidence) -> Diagnosis | None:
    """The answer, unless it would be too costly."""
    result = model.diagnose(evidence)
    return result if result.causes else None


def _shares(model: Model) -> Looked:
    for setting in model.settings:
        weights = {c.id: next(w.number.value for w in c.weights if w.setting == setting.id) for c in model.causes}
        total = sum(weights.values())
        result = model.diagnose(setting=setting.id)
        for cause, weight in weights.items():
            share, p = weight / total * (1 + setting.coincidence.value), result[cause].probability
            yield "" if abs(share - p) <= TOLERANCE else f"{cause} has {p:.6g} in {setting.id}, its share is {share:.6g}"


def _sums(result: Diagnosis) -> str:
    outside = [e.id for e in (*result.causes, *result.complications) if not 0 <= e.probability <= 1]
    some = result.probability_of_any([entry.id for entry in result.causes])
    if outside:
        return f"{', '.join(outside)} outside 0 to 1 for {result.evidence!r}"
    return "" if abs(some - 1) <= TOLERANCE else f"P(some cause) is {some:.12g} for {result.evidence!r}"


def _order(model: Model, result: Diagnosis) -> str:
    asked = dict(result.evidence)
    unknown = next((f.id for f in model.findings if f.id not in asked and f.id != model.knowledge.complaint), None)
    silent = {unknown: None} if unknown else {}
    return _difference(result, model.diagnose({**dict(reversed(asked.items())), **silent}, setting=result.setting))


def _json(model: Model, result: Diagnosis) -> str:
    again = model.evidence_from_json(result.evidence.to_json())
    return "" if again == result.evidence else f"{result.evidence!r} comes back as {again!r}"


def _rows(model: Model, results: list[Diagnosis]) -> Looked:
    import pandas as pd

    if not results:
        return
    frame = pd.DataFrame([{**dict(result.evidence), "setting": result.setting} for result in results])
    table = model.diagnose_frame(frame)
    for row, result in enumerate(results):
        worst = max(abs(float(table[cause.id].iloc[row]) - result[cause.id].probability) for cause in model.causes)
        yield "" if worst <= TOLERANCE else f"a row differs by {worst:.3g} from the single call for {result.evidence!r}"


def _alone(model: Model) -> Looked:
    answers: list[tuple[str, Value]] = [(f.id, True) for f in model.findings if f.id != model.knowledge.complaint]
    for factor in model.risk_factors:
        answers += [(factor.id, state == "present" if factor.is_binary else state) for state in factor.states]
    for name, value in answers:
        try:
            result = model.diagnose({name: value})
        except ContradictionError as error:
            yield f"{name}={value} is impossible: {error}"
        else:
            yield "" if result.causes else f"{name}={value} alone is too costly: {result.outcome_reason}"


def _lawful(model: Model) -> list[tuple[str, str, bool, float]]:
    """Findings that one cause alone brings about, and what they multiply its odds by."""
    network = model._solved.network
    found = []
    for node in network.findings:
        parents = [k for k, w in network.nodes[node].parents if w > 0 and k in network.causes]
        for present in (True, False):
            if len(parents) == 1 and node != network.complaint:
                name, cause = network.nodes[node].id, network.nodes[parents[0]].id
                ratio = odds_ratio(network, name, cause, present=present)
                if ratio is not None and 0 < ratio < float("inf"):
                    found.append((name, cause, present, ratio))
    return found


def _odds(model: Model, lawful: list[tuple[str, str, bool, float]], results: list[Diagnosis]) -> Looked:
    for position, (name, cause, present, ratio) in enumerate(lawful):
        if not results:
            return
        result = results[position % len(results)]
        before = model.diagnose(result.evidence.without(*({name} & set(result.evidence))))
        after = model.diagnose(before.evidence.with_({name: present}))
        p, q = before[cause].probability, after[cause].probability
        expected = ratio * p / (1 - p + ratio * p)
        sign = name if present else f"no {name}"
        told = f"{sign} takes {cause} from {p:.6g} to {q:.6g} and not to {expected:.6g} for {before.evidence!r}"
        yield "" if abs(q - expected) <= TOLERANCE else told


def _rules(model: Model, drawn: list[Evidence]) -> Looked:
    for position, rule in enumerate(model.urgency_policy.rules):
        way = next((way for way in _ways(model, rule.condition) if _possible(model, way)), None)
        if way is None:
            continue  # nobody can fire it: the minimum count says so
        evidence = _together(model, way, drawn[position % len(drawn)])
        alone, together = (model.diagnose(e).urgency.level for e in (model.evidence(way), evidence))
        fires = holds(rule.condition, evidence)
        right = fires and min(alone, together) >= rule.level
        yield "" if right else f"{rule.id} wants {rule.level}; level {alone} for {way}, {together} for {evidence!r}"


def _ways(model: Model, condition: Condition) -> Iterator[dict[str, Value]]:
    """Answers that make a condition hold."""
    if isinstance(condition, Atom):
        record = model._solved.network.records[condition.id]
        binary = not isinstance(record, RiskFactor) or record.is_binary
        yield {condition.id: condition.state == "present" if binary else condition.state}
    elif isinstance(condition, AllOf):
        for parts in product(*(list(_ways(model, part)) for part in condition.parts)):
            if all(a[k] == b[k] for a in parts for b in parts for k in a.keys() & b.keys()):
                yield {name: value for part in parts for name, value in part.items()}
    else:
        for part in condition.parts:
            yield from _ways(model, part)


def _together(model: Model, way: dict[str, Value], patient: Evidence) -> Evidence:
    """The answers that fire a rule, with all that a patient tells and that does not contradict them."""
    told = {name: value for name, value in patient.items() if name not in way}
    while True:
        try:
            evidence = model.evidence({**told, **way}, setting=patient.setting)
            model.diagnose(evidence)
        except ContradictionError as error:
            told = {name: value for name, value in told.items() if name not in error.clash}
        else:
            return evidence


def _possible(model: Model, answers: dict[str, Value]) -> bool:
    try:
        model.diagnose(answers)
    except CalfBayesError:
        return False
    return True


def _constraints(model: Model) -> Check:
    """Judge the model by its own constraints, if it has any."""
    demand = "the constraints of the model's folder hold"
    if model._folder is None or not has_constraints(model._folder):
        return Check("constraints", demand, 0, 0, ())
    try:
        constraints = read_constraints(model._solved.network, model._folder).constraints
    except ModelFileError as error:
        return Check("constraints", demand, len(error.faults), 1, tuple(map(str, error.faults)))
    judge: Callable[[Any], Any] = Judge(model._solved).verdict
    verdicts = [judge(constraint) for constraint in constraints]
    failures = tuple(f"{v.id}: {v.status}. {v.text}" for v in verdicts if not v.holds)
    return Check("constraints", demand, len(verdicts), max(1, len(constraints)), failures)


def _difference(first: Diagnosis, second: Diagnosis) -> str:
    try:
        assert_same_diagnosis(first, second, tolerance=TOLERANCE)
    except AssertionError as error:
        return str(error)
    return ""
