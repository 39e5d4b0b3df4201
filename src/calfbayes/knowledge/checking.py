"""What the records of a model mean to each other: every check is a function that yields faults.

The checks need no arithmetic beyond comparing numbers; whether bases exist for the elicited shares is told by
`inference.bases`, which raises the same kind of error. A part that had a fault of shape stands blank, see `blanks`:
comparisons with its numbers are written so that NaN passes.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from graphlib import CycleError, TopologicalSorter

from calfbayes.errors import Fault
from calfbayes.knowledge.checking_advice import advice_is_sound
from calfbayes.knowledge.checking_asking import asking_is_sound
from calfbayes.knowledge.checking_risk_factors import prior_tables_are_complete, states_are_sound
from calfbayes.knowledge.checking_urgency import levels_and_losses_are_sound, rules_are_sound
from calfbayes.knowledge.index import Index, Standing, file_of
from calfbayes.knowledge.terms import Cause, Finding, KnowledgeBase, OddsRatio
from calfbayes.knowledge.wording import nearest

ALLOWED_CHILDREN = {
    "cause": ("cause", "complication", "mechanism", "finding"),
    "complication": ("finding",),
    "mechanism": ("finding",),
}
MAX_CYCLES = 20


def faults_of(knowledge: KnowledgeBase) -> list[Fault]:
    """List everything that is wrong in a model whose shape is right."""
    index = Index(knowledge)
    checks: tuple[Callable[[Index], Iterator[Fault]], ...] = (
        _ids_are_unique,
        _complaint_is_a_plain_or,
        _settings_are_sound,
        _scope_is_sound,
        _weights_cover_the_settings,
        _sources_exist,
        states_are_sound,
        prior_tables_are_complete,
        _odds_point_at_states,
        _arcs_are_allowed,
        _there_is_no_cycle,
        _probabilities_reach_the_leak,
        _implied_findings_exist,
        _logic_can_hold,
        levels_and_losses_are_sound,
        rules_are_sound,
        advice_is_sound,
        asking_is_sound,
    )
    return [fault for check in checks for fault in check(index)]


def _ids_are_unique(index: Index) -> Iterator[Fault]:
    for role, records in index.by_role.items():
        for record in records:
            other = index.roles[record.id]
            if other != role:
                problem = f"the id {record.id} is a {role} here and a {other} in {file_of(other, record.id)}"
                place = "" if role in {"cause", "complication"} else record.id
                yield Fault(file_of(role, record.id), place, problem, "give one of them another id")


def _complaint_is_a_plain_or(index: Index) -> Iterator[Fault]:
    complaint = index.findings.get(index.knowledge.complaint)
    if complaint is None:
        problem = f"{index.knowledge.complaint} is no finding"
        yield Fault("model.toml", "complaint", problem, nearest(index.knowledge.complaint, index.findings))
        return
    fault = partial(Fault, "findings.toml")
    if complaint.leak.value > 0:
        problem = f"the complaint has no leak, it comes from the causes alone; given: {complaint.leak.value:g}"
        yield fault(f"{complaint.id}.leak", problem, "set it to 0 by definition")
    for key, given in (("odds", complaint.odds), ("implies", complaint.implies), ("excludes", complaint.excludes)):
        if given:
            yield fault(f"{complaint.id}.{key}", f"the complaint is always present and has no {key}", "remove the key")


def _settings_are_sound(index: Index) -> Iterator[Fault]:
    settings = [setting.id for setting in index.knowledge.settings]
    default = index.knowledge.default_setting
    if settings and default not in settings:
        yield Fault("model.toml", "default_setting", f"{default} is no setting", nearest(default, settings))
    for setting in index.knowledge.settings:
        coincidence = setting.coincidence.value
        if coincidence <= 0 or coincidence > 1:
            place = f"settings.{setting.id}.coincidence"
            remedy = "the shares must sum to more than 1: give a number above 0, 0.05 to 0.30 as a rule"
            yield Fault("model.toml", place, f"is {coincidence:g}", remedy)


def _scope_is_sound(index: Index) -> Iterator[Fault]:
    numeric = [factor.id for factor in index.knowledge.risk_factors if factor.unit or factor.lower_bounds]
    for name, low, high in index.knowledge.scope:
        fault = partial(Fault, "model.toml", f"scope.{name}")
        if name in index.factors and not index.factors[name].states:
            continue
        if name not in numeric:
            yield fault(f"{name} is no risk factor with a unit", nearest(name, numeric))
        elif low >= high:
            yield fault(f"{low:g}..{high:g} is empty", "give two numbers, the lower first")


def _weights_cover_the_settings(index: Index) -> Iterator[Fault]:
    settings = [setting.id for setting in index.knowledge.settings]
    if not settings:
        return
    for cause in index.knowledge.causes:
        given = [weight.setting for weight in cause.weights]
        fault = partial(Fault, file_of("cause", cause.id))
        for setting in settings:
            if setting not in given:
                yield fault(f"weight.{setting}", "is missing", f"add the weight of this cause in {setting}")
        for setting in given:
            if setting not in settings:
                yield fault(f"weight.{setting}", f"{setting} is no care setting", nearest(setting, settings))
    for setting in settings:
        weights = [w.number.value for cause in index.knowledge.causes for w in cause.weights if w.setting == setting]
        if weights and sum(weights) == 0:
            problem = f"all weights in {setting} are 0"
            yield Fault("causes", f"weight.{setting}", problem, "give at least two causes a weight above 0")


def _sources_exist(index: Index) -> Iterator[Fault]:
    knowledge = index.knowledge
    known = {source.id for source in knowledge.sources}
    cited = [(file, place, number.sources) for file, place, number in index.numbers()]
    cited += [(file_of("cause", cause.id), "care", cause.care.sources) for cause in knowledge.causes]
    cited += [(file_of("complication", c.id), "care", c.care.sources) for c in knowledge.complications]
    cited.append(("advice.toml", "possible_above", knowledge.advice.sources))
    cited += [("advice.toml", f"kinds.{kind.id}.possible_above", kind.sources) for kind in knowledge.advice.kinds]
    cited.append(("asking.toml", "advised", knowledge.asking.sources))
    cited.append(("urgency.toml", "caution, typicality and doubtful_reports", knowledge.urgency.sources))
    cited += [("asking.toml", f"tests.{guard.test}", guard.sources) for guard in knowledge.asking.tests]
    cited += [("urgency.toml", f"rules.{rule.id}", rule.sources) for rule in knowledge.urgency.rules]
    for file, place, sources in cited:
        for source in sources:
            if source not in known:
                yield Fault(
                    file, f"{place}.source", f"{source} is not in sources.toml", f"add it there; {nearest(source, known)}"
                )


def _odds_point_at_states(index: Index) -> Iterator[Fault]:
    for node in index.nodes():
        for odds in node.record.odds:
            yield from _odds_faults(index, node, odds)
        if node.record.odds and not isinstance(node.record, Cause) and node.record.leak.value in {0.0, 1.0}:
            problem = f"odds ratios cannot move a leak of {node.record.leak.value:g}"
            yield Fault(node.file, f"{node.prefix}odds", problem, "give a leak between 0 and 1, or no odds")


def _odds_faults(index: Index, node: Standing, odds: OddsRatio) -> Iterator[Fault]:
    place = f"{node.prefix}odds.{odds.factor}"
    factor = index.factors.get(odds.factor)
    if factor is None:
        role = index.roles.get(odds.factor)
        problem = (
            f"odds ratios belong to risk factors; {f'{odds.factor} is a {role}' if role else f'there is no {odds.factor}'}"
        )
        yield Fault(node.file, place, problem, nearest(odds.factor, index.factors))
    elif factor.states and odds.state not in factor.states:
        problem = f"{odds.state} is no state of {factor.id}"
        yield Fault(node.file, f"{place}.{odds.state}", problem, nearest(odds.state, factor.states))
    elif odds.state == factor.reference and not isinstance(node.record, Cause):
        problem = f"{odds.state} is the reference state of {factor.id}, its odds ratio is 1"
        yield Fault(node.file, f"{place}.{odds.state}", problem, "leave it out; the leak is the probability there")


def _arcs_are_allowed(index: Index) -> Iterator[Fault]:
    for role, _, link, file, place in index.arcs():
        child = index.roles.get(link.child)
        allowed = ALLOWED_CHILDREN[role]
        if child is None:
            yield Fault(file, place, f"there is no {link.child}", nearest(link.child, index.ids(*allowed)))
        elif child == "finding" and link.child == index.knowledge.complaint:
            yield Fault(file, place, "every cause is linked to the complaint already", "remove the link")
        elif child not in allowed:
            problem = f"a {role} cannot link to a {child} ({link.child})"
            yield Fault(file, place, problem, f"allowed are: {', '.join(allowed)}")
        elif link.includes_leak and (child != "finding" or role == "mechanism"):
            problem = f"from a {role} to a {child} the number excludes the background"
            yield Fault(file, place, problem, "write link instead of probability")


def _there_is_no_cycle(index: Index) -> Iterator[Fault]:
    priors = [(parent, factor.id) for factor in index.knowledge.risk_factors for parent in factor.parents]
    for first, second, cycle in _cycles(priors):
        remedy = f"for instance let the prior of {second} not depend on {first}"
        yield Fault("risk_factors.toml", f"{second}.prior", cycle, remedy)
    causes = set(index.ids("cause"))
    links = [(arc.parent, arc.link.child) for arc in index.arcs() if arc.parent in causes and arc.link.child in causes]
    for first, second, cycle in _cycles(links):
        yield Fault(file_of("cause", first), f"links.{second}", cycle, "remove one of these arcs, the least certain")
    implied = [(finding.id, other) for finding in index.findings.values() for other in finding.implies if other != finding.id]
    for first, _, cycle in _cycles(implied):
        remedy = "findings that imply each other are one finding: keep one of them"
        yield Fault("findings.toml", f"{first}.implies", cycle, remedy)


def _cycles(arcs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield the first arc of each cycle and the cycle node by node; the arc is taken out before the next one is sought."""
    parents: dict[str, list[str]] = {}
    for parent, child in arcs:
        parents.setdefault(child, []).append(parent)
    for _ in range(MAX_CYCLES):
        try:
            TopologicalSorter(parents).prepare()
        except CycleError as error:
            nodes: list[str] = error.args[1]
            yield nodes[0], nodes[1], f"a cycle: {' -> '.join(nodes)}"
            parents[nodes[1]] = [parent for parent in parents[nodes[1]] if parent != nodes[0]]
        else:
            return


def _probabilities_reach_the_leak(index: Index) -> Iterator[Fault]:
    for _, _, link, file, place in index.arcs():
        child = index.findings.get(link.child)
        if link.includes_leak and child and child.id != index.knowledge.complaint and link.number.value < child.leak.value:
            problem = f"probability {link.number.value:g} lies below the leak {child.leak.value:g} of {child.id}"
            yield Fault(file, place, problem, "lower the leak in findings.toml, or leave the link out")


def _implied_findings_exist(index: Index) -> Iterator[Fault]:
    for finding in index.findings.values():
        cannot_stand_here = {finding.id, index.knowledge.complaint}
        for key, others in (("implies", finding.implies), ("excludes", finding.excludes)):
            for other in others:
                if other not in index.findings or other in cannot_stand_here:
                    remedy = nearest(other, index.findings.keys() - cannot_stand_here)
                    yield Fault("findings.toml", f"{finding.id}.{key}", f"{other} is no finding that can stand here", remedy)


def _logic_can_hold(index: Index) -> Iterator[Fault]:
    for finding in index.findings.values():
        clash = _clash(index, finding.id)
        if clash and not any(_clash(index, other) for other in finding.implies):  # else it is told there
            problem = f"{finding.id} can never be present: it brings {clash[0]} and {clash[1]}, which exclude each other"
            yield Fault("findings.toml", f"{finding.id}.implies", problem, "remove one of these ids from implies or excludes")


def _clash(index: Index, name: str) -> tuple[str, str] | None:
    """Two findings that exclude each other among a finding and all that it implies, directly or not."""
    together: dict[str, Finding] = {}
    stack = [name]
    while stack:
        finding = index.findings.get(stack.pop())
        if finding and finding.id not in together:
            together[finding.id] = finding
            stack += finding.implies
    pairs = ((one.id, other) for one in together.values() for other in one.excludes if other in together and other != one.id)
    return next(pairs, None)
