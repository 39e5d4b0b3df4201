"""What a model says of the patients that a constraint states. Each kind has a function that asks and compares."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from calfbayes.constraints.beliefs import Belief, Beliefs, names_of, pieces
from calfbayes.constraints.cohorts import Scored, draw, scored, tell
from calfbayes.constraints.terms import (
    Bounds,
    Causes,
    Constraint,
    Dominates,
    Frequencies,
    LikelihoodRatio,
    Measure,
    MedianUrgency,
    Monotone,
    Moves,
    Probability,
    Ranks,
    RuleFires,
    RuleStratum,
    Selection,
    Takes,
    UrgencyIs,
    Value,
    Yields,
    factor,
)
from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.diagnosis.rules import holds as rule_holds
from calfbayes.errors import ContradictionError, NoPosteriorError
from calfbayes.evidence import read_evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level

ROUNDING = 1e-9  # by how much exact answers may differ; no medicine is decided here


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was demanded of some patients, and what the model says; the attributes are those of a verdict.

    Attributes:
        failing: With the kinds that move: the targets that do not move as demanded.
        simulated: With the kinds that simulate: how many patients it speaks of.
    """

    holds: bool
    observed: float | str
    wanted: str
    numbers: tuple[tuple[str, float], ...]
    text: str
    failing: tuple[Causes, ...] = ()
    simulated: int = 0


class Examiner:
    """Examines one model; what constraints share is computed once."""

    def __init__(self, solved: SolvedNetwork) -> None:
        self.solved = solved
        self.beliefs = Beliefs(solved)
        self._scored: dict[tuple[str, str, tuple[Selection, ...]], Scored] = {}

    def compare(self, constraint: Constraint) -> Comparison:
        """Ask about the patients of a constraint.

        Raises:
            ContradictionError: If there are none under the model.
            QueryTooCostlyError: If the constraint leaves so much open that the model cannot answer exactly.
            NoPosteriorError: Likewise, where it asks for a level.
        """
        match constraint:
            case Probability():
                return self._probability(constraint)
            case Ranks():
                return self._ranks(constraint)
            case Dominates():
                return self._dominates(constraint)
            case Yields():
                return self._yields(constraint)
            case Moves():
                return self._moves(constraint)
            case LikelihoodRatio():
                return self._likelihood_ratio(constraint)
            case Frequencies():
                return self._frequencies(constraint)
            case Takes():
                return self._takes(constraint)
            case Monotone():
                return self._monotone(constraint)
            case UrgencyIs():
                return self._urgency(constraint)
            case RuleFires():
                return self._rule(constraint)
            case MedianUrgency():
                return self._median_urgency(constraint)
            case RuleStratum():
                return self._rule_stratum(constraint)
        raise TypeError(constraint)

    def _probability(self, constraint: Probability) -> Comparison:
        p = self._share(constraint, constraint.causes)
        said = f"the probability of {_any(constraint.causes)} is {p:.3g}"
        return _compared(
            constraint,
            constraint.wanted.widened(constraint.tolerance).hold(p),
            p,
            str(constraint.wanted),
            said,
            {"probability": p},
        )

    def _ranks(self, constraint: Ranks) -> Comparison:
        belief = self._belief(constraint)
        ranking = belief.ranking()
        rank = 1 + ranking.index(constraint.cause)
        shown = dict.fromkeys((*ranking[: constraint.within + 1], constraint.cause))
        said = f"{constraint.cause} is number {rank} ({_listed(belief, shown)})"
        wanted = "first" if constraint.within == 1 else f"among the first {constraint.within}"
        numbers = {cause: belief.of(cause) for cause in shown}
        behind = belief.of(ranking[min(constraint.within, len(ranking)) - 1]) - belief.of(constraint.cause)
        holds = rank <= constraint.within or behind <= constraint.tolerance
        return _compared(constraint, holds, float(rank), wanted, said, numbers)

    def _dominates(self, constraint: Dominates) -> Comparison:
        belief = self._belief(constraint)
        p = {cause: belief.of(cause) for cause in constraint.causes}
        leads = [factor(a, b) for a, b in pairwise(p.values())]
        holds = all(a > b - constraint.tolerance for a, b in pairwise(p.values()))
        said = f"the probabilities are {_listed(belief, p)}"
        wanted = " above ".join(p)
        return _compared(constraint, holds, min(leads), wanted, said, p)

    def _yields(self, constraint: Yields) -> Comparison:
        """The finding with which the cause comes closest to winning, or wins most, decides."""
        lead, said, holds = inf, "", True
        numbers: dict[str, float] = {}
        for finding in constraint.to:
            belief = self._belief(constraint, Selection(((finding, True),)))
            explaining = self.explaining(belief, constraint.cause, finding)
            if not explaining:
                return _compared(constraint, False, finding, "a cause of it", f"nothing else brings {finding} about", {})
            ratio = factor(belief.of(explaining[0]), belief.of(constraint.cause))
            numbers[finding] = ratio
            holds = holds and belief.of(explaining[0]) > belief.of(constraint.cause) - constraint.tolerance
            if ratio <= lead:
                lead, said = ratio, f"with {finding} it is {_listed(belief, (constraint.cause, explaining[0]))}"
        wanted = f"a cause of the finding above {constraint.cause}"
        return _compared(constraint, holds, lead, wanted, f"at worst, {said}", numbers)

    def _moves(self, constraint: Moves) -> Comparison:
        """The target that is moved furthest out of bounds, or comes closest to them, decides."""
        moved = {}
        for target in constraint.targets:
            before = self._share(constraint, target, constraint.compared_with)
            after = self._share(constraint, target, constraint.of)
            moved[target] = before, after, constraint.moved(before, after)
        bounds = constraint.times.stretched(constraint.tolerance)
        failing = tuple(target for target, (_, _, times) in moved.items() if not bounds.hold(times))
        target = min(moved, key=lambda target: _room(bounds, moved[target][2]))
        before, after, times = moved[target]
        compared = f" rather than {constraint.compared_with}" if constraint.compared_with != Selection() else ""
        moves = constraint.movement(times)
        said = f"with {constraint.of}{compared}, {_any(target)} {moves}, from {before:.3g} to {after:.3g}"
        numbers = {_any(target): times for target, (_, _, times) in moved.items()}
        comparison = _compared(constraint, not failing, times, constraint.demand, said, numbers)
        return replace(comparison, failing=failing)

    def _likelihood_ratio(self, constraint: LikelihoodRatio) -> Comparison:
        with_causes, others = self._chances(constraint)
        ratio = factor(with_causes, others)
        against = _any(constraint.against) if constraint.against else f"no {_any(constraint.causes)}"
        said = (
            f"{constraint.of} has probability {with_causes:.3g} with {_any(constraint.causes)} "
            f"and {others:.3g} with {against}, a likelihood ratio of {ratio:.3g}"
        )
        numbers = {"with": with_causes, "without": others}
        return _compared(
            constraint,
            constraint.wanted.stretched(constraint.tolerance).hold(ratio),
            ratio,
            str(constraint.wanted),
            said,
            numbers,
        )

    def _frequencies(self, constraint: Frequencies) -> Comparison:
        """Those that are out of bounds are told, or all of them if none is; the first of these decides."""
        p = {str(these): self._chance(constraint, constraint.causes, these) for these, _ in constraint.wanted}
        bounds = {str(these): wanted for these, wanted in constraint.wanted}
        missed = [these for these in p if not bounds[these].widened(constraint.tolerance).hold(p[these])]
        told = missed or list(p)
        seen = ", ".join(f"{these} in {p[these]:.3g} ({bounds[these]})" for these in told)
        said = f"of those with {_any(constraint.causes)}, there is {seen}"
        return _compared(constraint, not missed, p[told[0]], "each within its bounds", said, p)

    def _takes(self, constraint: Takes) -> Comparison:
        with_causes, others = self._chances(constraint)
        ratio = factor(with_causes, others)
        odds = ratio * constraint.start / (1 - constraint.start)
        end = odds / (1 + odds) if odds < inf else 1.0
        said = f"{constraint.of} takes {_any(constraint.causes)} from {constraint.start:g} to {end:.3g}"
        numbers = {"likelihood_ratio": ratio, "with": with_causes, "without": others}
        return _compared(
            constraint,
            constraint.wanted.widened(constraint.tolerance).hold(end),
            end,
            str(constraint.wanted),
            said,
            numbers,
        )

    def _monotone(self, constraint: Monotone) -> Comparison:
        """States that are impossible are left out, and their neighbours compared."""
        p: dict[str, float] = {}
        left_out = []
        for state in constraint.states:
            try:
                p[state] = self._share(constraint, (constraint.cause,), Selection(((constraint.along, state),)))
            except ContradictionError:
                left_out.append(state)
        if not p:
            raise ContradictionError((*map(str, constraint.whom), constraint.along), "impossible under the model")
        steps = [b - a if constraint.rising else a - b for a, b in pairwise(p.values())]
        said = f"{constraint.cause} is {', '.join(f'{x:.3g} at {state}' for state, x in p.items())}"
        said += f", and nobody is at {', '.join(left_out)}" if left_out else ""
        said += "" if steps else ", and there is no other state to compare it with"
        wanted = f"{'never falling' if constraint.rising else 'never rising'} along {constraint.along}"
        holds = bool(steps) and min(steps) >= -ROUNDING - constraint.tolerance
        return _compared(constraint, holds, min(steps, default="a single state"), wanted, said, p)

    def _urgency(self, constraint: UrgencyIs) -> Comparison:
        """Of several patients, the first one who is not at such a level decides, or else the last one."""
        wanted = _between(constraint.least, constraint.most)
        if constraint.outcome:
            wanted = f"{wanted}, outcome {constraint.outcome}"
        patients = [constraint.answering(sign, True) for sign in constraint.each_of] or [constraint]
        for patient in patients:
            result = self._diagnose(patient, {})
            level = result.urgency.level
            holds = constraint.least.severity <= level.severity <= constraint.most.severity
            holds = holds and constraint.outcome in {None, result.outcome}
            if not holds or patient is patients[-1]:
                break
        said = f"the level is {level}, the outcome {result.outcome}. {result.urgency.reasons[0]}"
        numbers = dict(zip(map(str, LEVELS_BY_SEVERITY), result.urgency.level_probabilities, strict=True))
        return _compared(patient, holds, str(level), wanted, said, numbers)

    def _rule(self, constraint: RuleFires) -> Comparison:
        """No probability is asked for: a rule speaks of what is present."""
        network = self.beliefs.network
        rule = next(rule for rule in network.knowledge.urgency.rules if rule.id == constraint.rule)
        about = {**dict(constraint.given.answers), **dict(constraint.besides.answers)}

        def fires(picture: Iterable[tuple[str, Value]]) -> bool:
            return rule_holds(rule.condition, read_evidence(network, {**about, **dict(picture)}, setting=constraint.setting))

        silent = [str(picture) for picture in constraint.pictures if not fires(picture.answers)]
        hasty = [
            f"{picture} without {name}"
            for picture in constraint.pictures
            for name, value in picture.answers
            if constraint.each_needed and fires(answer for answer in picture.answers if answer != (name, value))
        ]
        wanted = f"at least {constraint.least} with each of {len(constraint.pictures)} pictures"
        level = f"rule {rule.id} asks for {rule.level}"
        said = f"{level}, but does not hold with {'; nor with '.join(silent)}" if silent else f"{level} with each picture"
        said += f", and holds even with {'; and with '.join(hasty)}" if hasty else ""
        wanted += ", and with no less" if constraint.each_needed else ""
        holds = not silent and not hasty and rule.level >= constraint.least
        return _compared(constraint, holds, str(rule.level), wanted, said, {})

    def _median_urgency(self, constraint: MedianUrgency) -> Comparison:
        columns = draw(self.beliefs, constraint.setting, (constraint.given,), constraint.patients, constraint.seed)
        counts = dict.fromkeys(LEVELS_BY_SEVERITY, 0)
        told_by_each = tell(
            self.beliefs.network, columns, (*constraint.tell, *names_of(self.beliefs.network, constraint.given))
        )
        for told, count in Counter(told_by_each).items():
            counts[self._diagnose(constraint, dict(told)).urgency.level] += count
        if not any(counts.values()):
            raise ContradictionError((str(constraint.given),), "hardly ever drawn")
        severities = [level for level, count in counts.items() for _ in range(count)]
        median = severities[len(severities) // 2]  # the more urgent of the middle two
        holds = constraint.least.severity <= median.severity <= constraint.most.severity
        shown = ", ".join(f"{count} {level}" for level, count in counts.items())
        said = f"of {len(severities)} simulated patients (seed {constraint.seed}) {shown}: the middle one is {median}"
        numbers = {str(level): float(count) for level, count in counts.items()}
        wanted = _between(constraint.least, constraint.most)
        comparison = _compared(constraint, holds, str(median), wanted, said, numbers)
        return replace(comparison, simulated=len(severities))

    def _rule_stratum(self, constraint: RuleStratum) -> Comparison:
        score = constraint.score
        key = (score.id, constraint.setting, constraint.whom)
        if key not in self._scored:
            self._scored[key] = scored(self.beliefs, score, constraint.setting, constraint.whom)
        patients = self._scored[key]
        figure, n = patients.read(constraint.stratum, constraint.measure), patients.number(constraint.stratum)
        measure = str(constraint.measure).replace("_", " ")
        points = f"{constraint.stratum.low:g} to {constraint.stratum.high:g}"
        said = f"{score.label} of {points} ({n} of {patients.weight.sum():g} simulated patients, seed {score.seed})"
        said += (
            f" gives {score.cause} a {measure} of {figure.value:.3g}, standard error {figure.error:.2g}"
            if n
            else " says nothing"
        )
        numbers = {"standard_error": figure.error, "patients": float(n)}
        tolerated = constraint.wanted.stretched if _demands_ratio(constraint) else constraint.wanted.widened
        holds = tolerated(constraint.tolerance).hold(figure.value)
        return replace(_compared(constraint, holds, figure.value, str(constraint.wanted), said, numbers), simulated=n)

    # --- questions to the model ---

    def _belief(self, constraint: Constraint, *more: Selection) -> Belief:
        return self.beliefs.about(constraint.setting, *constraint.whom, *more)

    def _share(self, constraint: Constraint, causes: Causes, *selections: Selection) -> float:
        """P(any of the causes | the patients of the constraint, and these selections)."""
        with_causes, without = self.beliefs.masses(constraint.setting, causes, *constraint.whom, *selections)
        return with_causes / (with_causes + without)

    def _chances(self, constraint: LikelihoodRatio | Takes) -> tuple[float, float]:
        """P(of | causes) and P(of | others) among the patients of the constraint; not both are 0."""
        causes, of = constraint.causes, constraint.of
        against = constraint.against if isinstance(constraint, LikelihoodRatio) else ()
        found = self._chance(constraint, causes, of)
        others = self._chance(constraint, against, of) if against else self._chance(constraint, causes, of, inverted=True)
        if found == others == 0:
            raise ContradictionError((*map(str, constraint.whom), str(of)), "seen in none of those who are compared")
        return found, others

    def _chance(self, constraint: Constraint, causes: Causes, these: Selection, *, inverted: bool = False) -> float:
        """P(these | causes) among the patients of the constraint; inverted, P(these | none of the causes)."""
        everyone = self.beliefs.masses(constraint.setting, causes, *constraint.whom)[inverted]
        if everyone == 0:
            no = "no " if inverted else ""
            raise ContradictionError((*map(str, constraint.whom), f"{no}{_any(causes)}"), "impossible under the model")
        try:
            return self.beliefs.masses(constraint.setting, causes, *constraint.whom, these)[inverted] / everyone
        except ContradictionError:
            return 0.0

    def _diagnose(self, constraint: Constraint, told: Mapping[str, Value]) -> Diagnosis:
        """Answer for one patient, who tells this besides, unless it is given otherwise.

        Raises:
            ContradictionError: If there is no such patient.
            NoPosteriorError: If the query is too costly, since the level would be that of the rules only.
        """
        answers = pieces(self.beliefs.network, [Selection(selection.answers) for selection in constraint.whom])
        if not answers:
            raise ContradictionError(tuple(map(str, constraint.whom)), "two answers to one question")
        patient = {**told, **answers[0]}
        result = diagnose(self.solved, read_evidence(self.beliefs.network, patient, setting=constraint.setting))
        if not result.causes:
            raise NoPosteriorError(result.outcome_reason)
        return result

    def explaining(self, belief: Belief, cause: str, finding: str) -> list[str]:
        """Causes but one that bring a finding about, most probable first."""
        return [other for other in belief.ranking() if other != cause and self.brings_about(other, finding)]

    def brings_about(self, cause: str, finding: str) -> bool:
        """Say whether a path leads from a cause to a finding."""
        network = self.beliefs.network
        todo, seen = [network.node_index[cause]], set[int]()
        while todo:
            node = todo.pop()
            seen.add(node)
            todo += [child for child, w in network.nodes[node].children if w > 0 and child not in seen]
        return network.node_index[finding] in seen


def _compared(
    constraint: Constraint,
    holds: bool,
    observed: float | str,
    wanted: str,
    said: str,
    numbers: Mapping[str, float],
) -> Comparison:
    if constraint.tolerance:
        leeway = f"{100 * constraint.tolerance:g} %" if _demands_ratio(constraint) else f"{constraint.tolerance:g}"
        wanted = f"{wanted}, with a tolerance of {leeway}"
    text = f"{constraint}: {said}; wanted {wanted}"
    return Comparison(holds, observed, wanted, tuple(numbers.items()), text)


def _demands_ratio(constraint: Constraint) -> bool:
    """Whether a tolerance is a fraction, and no probability."""
    stratum = isinstance(constraint, RuleStratum) and constraint.measure == Measure.LIKELIHOOD_RATIO
    return stratum or isinstance(constraint, Moves | LikelihoodRatio)


def _room(bounds: Bounds, number: float) -> float:
    """How far a number is from the nearest bound, negative outside."""
    return min(bounds.high - number, number - bounds.low if bounds.low > 0 else inf)


def _any(causes: Causes) -> str:
    return " or ".join(causes)


def _between(least: Level, most: Level) -> str:
    if least == most:
        return str(least)
    if least == Level.SELF_CARE:
        return f"at most {most}"
    return f"at least {least}" if most == Level.EMERGENCY else f"{least} to {most}"


def _listed(belief: Belief, causes: Iterable[str]) -> str:
    return ", ".join(f"{cause} {belief.of(cause):.3g}" for cause in causes)
