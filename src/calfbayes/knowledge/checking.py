"""What the records of a model mean to each other: every check is a function that yields faults.

The checks need no arithmetic beyond comparing numbers; whether bases exist for the elicited shares is
told by `inference.bases`, which raises the same kind of error.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import product

from calfbayes.errors import Fault
from calfbayes.knowledge.terms import (
    AnyOf,
    Atom,
    Cause,
    Complication,
    Condition,
    Elicited,
    Finding,
    KnowledgeBase,
    Level,
    Link,
    Mechanism,
    Observer,
    OddsRatio,
    PriorRow,
    RiskFactor,
    atoms,
)

Node = Cause | Complication | Mechanism | Finding
Ids = Mapping[str, str]  # id -> role

ALLOWED_CHILDREN = {
    "cause": ("cause", "complication", "mechanism", "finding"),
    "complication": ("finding",),
    "mechanism": ("finding",),
}


def faults_of(knowledge: KnowledgeBase) -> list[Fault]:
    """List everything that is wrong in a model whose shape is right."""
    roles = _roles(knowledge)
    checks: tuple[Callable[[KnowledgeBase, Ids], Iterator[Fault]], ...] = (
        _ids_are_unique,
        _complaint_and_settings_exist,
        _weights_cover_the_settings,
        _sources_exist,
        _risk_factor_states_are_sound,
        _prior_tables_are_complete,
        _odds_point_at_states,
        _arcs_are_allowed,
        _there_is_no_cycle,
        _probabilities_reach_the_leak,
        _implied_findings_exist,
        _urgency_is_sound,
        _rules_are_sound,
    )
    return [fault for check in checks for fault in check(knowledge, roles)]


def file_of(role: str, name: str) -> str:
    """The file in which an id of this role stands."""
    return {
        "cause": f"causes/{name}.toml",
        "complication": f"complications/{name}.toml",
        "mechanism": "mechanisms.toml",
        "finding": "findings.toml",
        "risk_factor": "risk_factors.toml",
    }[role]


def _groups(knowledge: KnowledgeBase) -> tuple[tuple[str, tuple[Node | RiskFactor, ...]], ...]:
    return (
        ("risk_factor", knowledge.risk_factors),
        ("cause", knowledge.causes),
        ("complication", knowledge.complications),
        ("mechanism", knowledge.mechanisms),
        ("finding", knowledge.findings),
    )


def _roles(knowledge: KnowledgeBase) -> dict[str, str]:
    return {record.id: role for role, records in _groups(knowledge) for record in records}


def _nodes(knowledge: KnowledgeBase) -> Iterator[tuple[str, Node, str]]:
    """Yield role, record and the prefix of its place inside its file."""
    for role, records in _groups(knowledge):
        for record in records:
            if not isinstance(record, RiskFactor):
                yield role, record, "" if role in {"cause", "complication"} else f"{record.id}."


def _linking(knowledge: KnowledgeBase) -> Iterator[tuple[str, Cause | Complication | Mechanism, Link, str]]:
    """Yield role and record of the parent, the link and its place."""
    for role, record, prefix in _nodes(knowledge):
        if not isinstance(record, Finding):
            for link in record.links:
                yield role, record, link, f"{prefix}links.{link.child}"


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"nearest: {', '.join(near)}" if near else f"known are: {', '.join(sorted(known)[:12])}"


def _ids_are_unique(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    for role, records in _groups(knowledge):
        for record in records:
            if roles[record.id] != role:
                problem = (
                    f"the id {record.id} is a {role} here and a {roles[record.id]} in {file_of(roles[record.id], record.id)}"
                )
                yield Fault(file_of(role, record.id), record.id, problem, "give one of them another id")


def _complaint_and_settings_exist(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    if roles.get(knowledge.complaint) != "finding":
        yield Fault(
            "model.toml",
            "complaint",
            f"{knowledge.complaint} is no finding",
            _nearest(knowledge.complaint, _ids(knowledge, "finding")),
        )
    for finding in knowledge.findings:
        if finding.id == knowledge.complaint and (finding.leak.value != 0 or finding.odds):
            yield Fault(
                "findings.toml",
                f"{finding.id}.leak",
                "the complaint is the plain OR of the causes and has no leak or odds",
                "set it to 0 by definition",
            )
    settings = tuple(setting.id for setting in knowledge.settings)
    if knowledge.default_setting not in settings:
        yield Fault(
            "model.toml",
            "default_setting",
            f"{knowledge.default_setting} is no setting",
            _nearest(knowledge.default_setting, settings),
        )
    for setting in knowledge.settings:
        if not 0 < setting.coincidence.value <= 1:
            yield Fault(
                "model.toml",
                f"settings.{setting.id}.coincidence",
                f"is {setting.coincidence.value}",
                "the shares must sum to more than 1: give a number above 0, 0.05 to 0.30 as a rule",
            )
    numeric = tuple(factor.id for factor in knowledge.risk_factors if factor.unit)
    for factor, low, high in knowledge.scope:
        if factor not in numeric:
            yield Fault("model.toml", f"scope.{factor}", f"{factor} is no risk factor with a unit", _nearest(factor, numeric))
        if low >= high:
            yield Fault("model.toml", f"scope.{factor}", f"{low:g}..{high:g} is empty", "give two numbers, the lower first")


def _ids(knowledge: KnowledgeBase, role: str) -> tuple[str, ...]:
    return tuple(record.id for group, records in _groups(knowledge) if group == role for record in records)


def _weights_cover_the_settings(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    del roles
    settings = [setting.id for setting in knowledge.settings]
    for cause in knowledge.causes:
        given = [weight.setting for weight in cause.weights]
        for setting in settings:
            if setting not in given:
                yield Fault(f"causes/{cause.id}.toml", "weight", f"has no weight for {setting}", "add one")
        for setting in given:
            if setting not in settings:
                yield Fault(
                    f"causes/{cause.id}.toml",
                    f"weight.{setting}",
                    f"{setting} is no care setting",
                    _nearest(setting, tuple(settings)),
                )
    for setting in settings:
        total = sum(weight.number.value for cause in knowledge.causes for weight in cause.weights if weight.setting == setting)
        if total <= 0:
            yield Fault("causes", f"weight.{setting}", "all weights are 0", "give at least two causes a weight above 0")


def _numbers(knowledge: KnowledgeBase) -> Iterator[tuple[str, str, Elicited]]:
    """Yield file, place and number of every elicited number."""
    for setting in knowledge.settings:
        yield "model.toml", f"settings.{setting.id}.coincidence", setting.coincidence
    for factor in knowledge.risk_factors:
        for index, row in enumerate(factor.prior):
            yield "risk_factors.toml", f"{factor.id}.prior[{index}]", row.number
    for role, record, prefix in _nodes(knowledge):
        file = file_of(role, record.id)
        if isinstance(record, Cause):
            for weight in record.weights:
                yield file, f"{prefix}weight.{weight.setting}", weight.number
        else:
            yield file, f"{prefix}leak", record.leak
        for odds in record.odds:
            yield file, f"{prefix}odds.{odds.factor}.{odds.state}", odds.number
        if not isinstance(record, Finding):
            for link in record.links:
                yield file, f"{prefix}links.{link.child}", link.number
    yield "urgency.toml", "loss", knowledge.urgency.loss_number


def _sources_exist(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    del roles
    known = tuple(source.id for source in knowledge.sources)
    cited = [(file, place, number.sources) for file, place, number in _numbers(knowledge)]
    cited += [(f"causes/{c.id}.toml", "care", c.care.sources) for c in knowledge.causes]
    cited += [(f"complications/{c.id}.toml", "care", c.care.sources) for c in knowledge.complications]
    cited += [("urgency.toml", f"rules.{rule.id}", rule.sources) for rule in knowledge.urgency.rules]
    for file, place, sources in cited:
        for source in sources:
            if source not in known:
                yield Fault(
                    file, f"{place}.source", f"{source} is not in sources.toml", f"add it there; {_nearest(source, known)}"
                )


def _risk_factor_states_are_sound(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    del roles
    for factor in knowledge.risk_factors:
        fault = partial(Fault, "risk_factors.toml")
        if len(set(factor.states)) < len(factor.states):
            yield fault(f"{factor.id}.states", "a state stands twice", "name each state once")
        if factor.reference not in factor.states:
            yield fault(f"{factor.id}.reference", f"{factor.reference} is no state", _nearest(factor.reference, factor.states))
        bounds = factor.lower_bounds
        if bool(factor.unit) != bool(bounds):
            yield fault(f"{factor.id}.lower_bounds", "a number needs both unit and lower_bounds", "give both or neither")
        if bounds and (len(bounds) != len(factor.states) or any(a >= b for a, b in zip(bounds, bounds[1:], strict=False))):
            yield fault(
                f"{factor.id}.lower_bounds",
                f"are {list(bounds)} for {len(factor.states)} states",
                "give one rising number for each state",
            )
        elif bounds and factor.upper_bound <= bounds[-1]:
            yield fault(
                f"{factor.id}.upper_bound",
                f"is {factor.upper_bound:g}, not above {bounds[-1]:g}",
                "give the largest number accepted",
            )


def _prior_tables_are_complete(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    factors = {factor.id: factor for factor in knowledge.risk_factors}
    for factor in knowledge.risk_factors:
        sound = True
        for index, row in enumerate(factor.prior):
            for fault in _row_faults(factor, row, f"{factor.id}.prior[{index}]", factors, roles):
                sound = False
                yield fault
        if sound:
            yield from _coverage_faults(factor, factors)


def _row_faults(
    factor: RiskFactor, row: PriorRow, place: str, factors: Mapping[str, RiskFactor], roles: Ids
) -> Iterator[Fault]:
    fault = partial(Fault, "risk_factors.toml")
    for parent, states in row.when:
        if parent not in factors:
            role = f", it is a {roles[parent]}" if parent in roles else ""
            yield fault(f"{place}.when.{parent}", f"{parent} is no risk factor{role}", _nearest(parent, tuple(factors)))
            continue
        for state in states:
            if state not in factors[parent].states:
                yield fault(
                    f"{place}.when.{parent}", f"{state} is no state of {parent}", _nearest(state, factors[parent].states)
                )
        if len(set(states)) < len(states):
            yield fault(f"{place}.when.{parent}", "a state stands twice", "name each state once")
    if len(row.probabilities) != len(factor.states):
        return
    total = sum(row.probabilities)
    if not math.isclose(total, 1.0, abs_tol=1e-9) or min(row.probabilities) < 0:
        yield fault(
            f"{place}.probabilities",
            f"sum to {total:.6g} with {min(row.probabilities):.6g} the least",
            "they must sum to 1, none below 0",
        )


def _coverage_faults(factor: RiskFactor, factors: Mapping[str, RiskFactor]) -> Iterator[Fault]:
    covered: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(factor.prior):
        when = dict(row.when)
        for states in product(*(when.get(parent, factors[parent].states) for parent in factor.parents)):
            covered.setdefault(states, []).append(index)
    for states in product(*(factors[parent].states for parent in factor.parents)):
        rows = covered.get(states, [])
        if len(rows) != 1:
            which = ", ".join(f"{parent}={state}" for parent, state in zip(factor.parents, states, strict=True)) or "the factor"
            problem = f"{which} is covered by {'no row' if not rows else f'rows {rows}'}"
            yield Fault("risk_factors.toml", f"{factor.id}.prior", problem, "let exactly one row cover each combination")
            return  # one example says it all


def _odds_point_at_states(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    factors = {factor.id: factor for factor in knowledge.risk_factors}
    for role, record, prefix in _nodes(knowledge):
        for odds in record.odds:
            yield from _odds_faults(role, record, odds, f"{prefix}odds.{odds.factor}", factors, roles)
        leakless = not isinstance(record, Cause) and record.leak.value in {0.0, 1.0}
        if record.odds and leakless:
            problem = f"odds ratios cannot move a leak of {record.leak.value:g}"  # type: ignore[union-attr]
            yield Fault(file_of(role, record.id), f"{prefix}odds", problem, "give a leak between 0 and 1, or no odds")


def _odds_faults(
    role: str, record: Node, odds: OddsRatio, place: str, factors: Mapping[str, RiskFactor], roles: Ids
) -> Iterator[Fault]:
    fault = partial(Fault, file_of(role, record.id))
    if odds.factor not in factors:
        what = f"{odds.factor} is a {roles[odds.factor]}" if odds.factor in roles else f"there is no {odds.factor}"
        yield fault(place, f"odds ratios belong to risk factors; {what}", _nearest(odds.factor, tuple(factors)))
        return
    factor = factors[odds.factor]
    if odds.state not in factor.states:
        yield fault(f"{place}.{odds.state}", f"{odds.state} is no state of {factor.id}", _nearest(odds.state, factor.states))
    elif odds.state == factor.reference and not isinstance(record, Cause):
        yield fault(
            f"{place}.{odds.state}",
            f"{odds.state} is the reference state of {factor.id}, its odds ratio is 1",
            "leave it out; the leak is the probability there",
        )


def _arcs_are_allowed(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    for role, parent, link, place in _linking(knowledge):
        child_role = roles.get(link.child)
        file = file_of(role, parent.id)
        if child_role is None:
            known = tuple(name for name, r in roles.items() if r in ALLOWED_CHILDREN[role])
            yield Fault(file, place, f"there is no {link.child}", _nearest(link.child, known))
        elif link.child == knowledge.complaint:
            yield Fault(file, place, "every cause is linked to the complaint already", "remove the link")
        elif child_role not in ALLOWED_CHILDREN[role]:
            allowed = ", ".join(ALLOWED_CHILDREN[role])
            yield Fault(file, place, f"a {role} cannot link to a {child_role} ({link.child})", f"allowed are: {allowed}")
        elif link.includes_leak and (child_role != "finding" or role == "mechanism"):
            yield Fault(
                file,
                place,
                f"from a {role} to a {child_role} the number excludes the background",
                "write link instead of probability",
            )


def _there_is_no_cycle(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    parents: dict[str, list[str]] = {factor.id: list(factor.parents) for factor in knowledge.risk_factors}
    for _, parent, link, _ in _linking(knowledge):
        parents.setdefault(link.child, []).append(parent.id)
    try:
        tuple(TopologicalSorter(parents).static_order())
    except CycleError as error:
        nodes: list[str] = error.args[1]
        first = nodes[0]
        yield Fault(
            file_of(roles[first], first) if first in roles else "causes",
            "links",
            f"a cycle: {' -> '.join(nodes)}",
            "remove one of these arcs, the least certain",
        )


def _probabilities_reach_the_leak(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    leaks = {finding.id: finding.leak.value for finding in knowledge.findings}
    for role, parent, link, place in _linking(knowledge):
        if link.includes_leak and roles.get(link.child) == "finding" and link.number.value < leaks[link.child]:
            yield Fault(
                file_of(role, parent.id),
                place,
                f"probability {link.number.value:g} lies below the leak {leaks[link.child]:g} of {link.child}",
                "lower the leak in findings.toml, or leave the link out",
            )


def _implied_findings_exist(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    known = _ids(knowledge, "finding")
    for finding in knowledge.findings:
        for key, others in (("implies", finding.implies), ("excludes", finding.excludes)):
            for other in others:
                if roles.get(other) != "finding" or other in {finding.id, knowledge.complaint}:
                    yield Fault(
                        "findings.toml",
                        f"{finding.id}.{key}",
                        f"{other} is no finding that can stand here",
                        _nearest(other, known),
                    )


def _urgency_is_sound(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    del roles
    urgency = knowledge.urgency
    described = [text.level for text in urgency.levels]
    for level in Level:
        if level not in described:
            yield Fault("urgency.toml", "levels", f"{level} is not described", "add its label and action")
    loss = urgency.loss
    names = list(reversed(Level))
    size = len(names)
    missing = [(a, b) for a in range(size) for b in range(size) if math.isnan(loss[a][b])]
    for a, b in missing:
        yield Fault("urgency.toml", f"loss.acted.{names[a]}", f"{names[b]} is missing", "give the cost")
    if missing:
        return
    for a in range(size):
        if loss[a][a] != 0:
            yield Fault("urgency.toml", f"loss.acted.{names[a]}.{names[a]}", "acting as needed costs something", "set it to 0")
    for a, b in product(range(size - 1), range(size - 1)):
        # acting at a+1 instead of a must gain at least as much when b+1 is needed as when b is: then more danger never lowers the level
        before, after = loss[a + 1][b] - loss[a][b], loss[a + 1][b + 1] - loss[a][b + 1]
        if after > before + 1e-12:
            yield Fault(
                "urgency.toml",
                f"loss.acted.{names[a + 1]}.{names[b + 1]}",
                f"the differences do not decrease: {names[a + 1]} instead of {names[a]} costs {before:g} more when {names[b]} is needed "
                f"but {after:g} more when {names[b + 1]} is",
                "raise the cost of acting too late or lower that of acting too early",
            )


def _rules_are_sound(knowledge: KnowledgeBase, roles: Ids) -> Iterator[Fault]:
    factors = {factor.id: factor for factor in knowledge.risk_factors}
    findings = {finding.id: finding for finding in knowledge.findings}
    seen: set[str] = set()
    for rule in knowledge.urgency.rules:
        place = f"rules.{rule.id}"
        if rule.id in seen:
            yield Fault("urgency.toml", place, "the id stands twice", "give each rule its own id")
        seen.add(rule.id)
        for atom in atoms(rule.condition):
            if atom.id in factors:
                if atom.state not in factors[atom.id].states:
                    yield Fault(
                        "urgency.toml",
                        f"{place}.when",
                        f"{atom.state} is no state of {atom.id}",
                        f"write {atom.id}=STATE; {_nearest(atom.state, factors[atom.id].states)}",
                    )
            elif atom.id not in findings or atom.state != "present":
                known = tuple(name for name, role in roles.items() if role in {"finding", "risk_factor"})
                yield Fault("urgency.toml", f"{place}.when", f"{atom} is no finding or risk state", _nearest(atom.id, known))
        if not _patient_can_fire(rule.condition, findings):
            yield Fault(
                "urgency.toml",
                f"{place}.when",
                "nothing that a patient can report fires the rule",
                "add a finding that a patient can tell",
            )


def _patient_can_fire(condition: Condition, findings: Mapping[str, Finding]) -> bool:
    """Say whether the condition holds when everything that a patient can tell is present."""
    if isinstance(condition, Atom):
        return condition.id not in findings or findings[condition.id].observer == Observer.PATIENT
    holds = (_patient_can_fire(part, findings) for part in condition.parts)
    return any(holds) if isinstance(condition, AnyOf) else all(holds)
