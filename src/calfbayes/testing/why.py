"""Why a constraint is not met: what each answer does, and which elicited numbers would have to move, and how far.

Only numbers on the way are tried: weights, odds and links of the causes that the constraint speaks of and of their
strongest rivals, as far as they lead to what is known, and the backgrounds of what is known. Each is moved a little by
itself and the bases are solved anew. For the few that matter most, the value is then looked for at which the demand
would just be met.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, isnan, log

from calfbayes.audit.expression import parse
from calfbayes.constraints.evaluation import Examiner
from calfbayes.constraints.terms import (
    Constraint,
    Dominates,
    LikelihoodRatio,
    Monotone,
    Moves,
    Probability,
    Ranks,
    RuleStratum,
    Selection,
    Takes,
    UrgencyIs,
    Verdict,
    Yields,
)
from calfbayes.errors import CalfBayesError
from calfbayes.knowledge.terms import Cause, Complication, RiskFactor
from calfbayes.model import Model
from calfbayes.testing.editing import number_at, with_number

STEP = 0.2  # of log odds (probabilities) or of logarithms (weights, odds ratios)
FARTHEST = 4.0  # likewise; a number that would have to move further mends nothing by itself
HALVINGS = 6
MOST_RIVALS = 2
MOST_ANSWERS = 8


@dataclass(frozen=True, slots=True)
class Influence:
    """What one elicited number does to a demand.

    Attributes:
        place: Where it stands in the files, such as `causes.myositis.links.redness`.
        value: What it is.
        needed: At which value the demand would just be met, all else as it is; None if no sensible value does.
        slope: By how much the margin of the demand grows for a unit of log odds (probabilities) or of logarithms.
    """

    place: str
    value: float
    needed: float | None
    slope: float

    def __str__(self) -> str:
        if self.needed is None:
            return f"{self.place} is {self.value:.3g}; no sensible value of it would do by itself"
        return f"{self.place} is {self.value:.3g}; {self.needed:.3g} would do by itself"


def explanation(model: Model, constraint: Constraint, verdict: Verdict, *, most: int = 3) -> list[str]:
    """Lines that tell why a demand is not met by the patient of whom the verdict speaks."""
    constraint = replace(constraint, besides=Selection(verdict.besides))
    influences = numbers_that_matter(model, constraint, most=most)
    return [*ledger(model, constraint), *map(str, influences)]


def ledger(model: Model, constraint: Constraint) -> list[str]:
    """What would be observed without each of the answers that are given."""
    examiner = Examiner(model._solved)
    lines = []
    for name, _ in (*constraint.given.answers, *constraint.besides.answers)[:MOST_ANSWERS]:
        fewer = replace(constraint, given=_without(constraint.given, name), besides=_without(constraint.besides, name))
        try:
            observed = examiner.compare(fewer).observed
        except CalfBayesError:
            continue
        lines.append(f"without {name} it would be {observed if isinstance(observed, str) else f'{observed:.3g}'}")
    return lines


def _without(selection: Selection, name: str) -> Selection:
    return replace(selection, answers=tuple(answer for answer in selection.answers if answer[0] != name))


def numbers_that_matter(model: Model, constraint: Constraint, *, most: int = 3) -> tuple[Influence, ...]:
    """The elicited numbers to which a demand yields most, those that matter most first.

    Empty where the demand is met, or no number decides: a red-flag rule alone, or the middle one of simulated patients.
    """
    examiner = Examiner(model._solved)
    try:
        comparison = examiner.compare(constraint)
    except CalfBayesError:
        return ()
    if comparison.holds or not isfinite(comparison.margin) or isinstance(constraint, RuleStratum):
        return ()
    slopes: dict[str, float] = {}
    for place in dict.fromkeys(_places(model, examiner, constraint)):
        value = number_at(model, place)
        if value > 0 and (value < 1 or not _is_probability(place)):
            moved = _margin(model, constraint, place, _moved(place, value, STEP))
            slopes[place] = 0.0 if isnan(moved) else (moved - comparison.margin) / STEP
    chosen = sorted((place for place, slope in slopes.items() if slope), key=lambda place: (-abs(slopes[place]), place))
    return tuple(
        Influence(place, number_at(model, place), _needed(model, constraint, place, slopes[place]), slopes[place])
        for place in chosen[:most]
    )


def _needed(model: Model, constraint: Constraint, place: str, slope: float) -> float | None:
    """The value at which the demand is just met, by halving."""
    value = number_at(model, place)
    sign = 1.0 if slope > 0 else -1.0
    near, far = 0.0, STEP
    while not _margin(model, constraint, place, _moved(place, value, sign * far)) >= 0:
        near, far = far, 2 * far
        if far > FARTHEST:
            return None
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        if _margin(model, constraint, place, _moved(place, value, sign * middle)) >= 0:
            far = middle
        else:
            near = middle
    return _moved(place, value, sign * far)


def _margin(model: Model, constraint: Constraint, place: str, value: float) -> float:
    """The margin of the demand with another number; NaN where the model would be wrong."""
    try:
        return Examiner(with_number(model, place, value)._solved).compare(constraint).margin
    except CalfBayesError:
        return float("nan")


def _moved(place: str, value: float, by: float) -> float:
    if not _is_probability(place):
        return value * exp(by)
    odds = exp(log(value) - log(1 - value) + by)
    return odds / (1 + odds)


def _is_probability(place: str) -> bool:
    return ".weight." not in place and ".odds." not in place


# --- which numbers are on the way -------------------------------------------------------------------------------------


def _places(model: Model, examiner: Examiner, constraint: Constraint) -> Iterator[str]:
    network = model._solved.network
    known = {name for selection in _selections(constraint) for name in _named(model, selection)}
    findings = {name for name in known if not isinstance(network.records[name], RiskFactor)}
    for name in findings:
        yield f"findings.{name}.leak"
    leading = {
        mechanism.id: [link.child for link in mechanism.links if link.child in findings] for mechanism in model.mechanisms
    }
    used: set[str] = set()
    for record in _causes(model, examiner, constraint):
        folder = "causes" if isinstance(record, Cause) else "complications"
        if isinstance(record, Cause):
            yield f"causes.{record.id}.weight.{constraint.setting}"
        for odds in record.odds:
            if odds.factor in known:
                yield f"{folder}.{record.id}.odds.{odds.factor}.{odds.state}"
        for link in record.links:
            if link.child in findings or leading.get(link.child):
                yield f"{folder}.{record.id}.links.{link.child}"
                used.add(link.child)
    for mechanism, children in leading.items():
        if mechanism in used:
            yield f"mechanisms.{mechanism}.leak"
            yield from (f"mechanisms.{mechanism}.links.{child}" for child in children)


def _selections(constraint: Constraint) -> Iterator[Selection]:
    yield constraint.given
    yield constraint.besides
    if isinstance(constraint, Moves | LikelihoodRatio | Takes):
        yield constraint.of
    if isinstance(constraint, Moves):
        yield constraint.compared_with
    if isinstance(constraint, Yields):
        yield Selection(tuple((name, True) for name in constraint.to))
    if isinstance(constraint, Monotone):
        yield Selection(((constraint.along, constraint.states[0]),))


def _named(model: Model, selection: Selection) -> list[str]:
    if selection.expression:
        return list(parse(model._solved.network, selection.expression).choices)
    return [name for name, _ in selection.answers]


def _causes(model: Model, examiner: Examiner, constraint: Constraint) -> list[Cause | Complication]:
    """Those that the constraint speaks of, and their strongest rivals."""
    belief = examiner.beliefs.about(constraint.setting, *constraint.whom)
    match constraint:
        case Probability() | LikelihoodRatio() | Takes() | Dominates():
            named = list(constraint.causes)
        case Ranks() | Yields() | Monotone():
            named = [constraint.cause]
        case Moves():
            worst = min(constraint.targets, key=lambda target: _room(examiner, constraint, target))
            named = list(worst)
        case UrgencyIs():
            named = []
        case _:
            return []
    rivals = [cause for cause in belief.ranking() if cause not in named][: MOST_RIVALS + (0 if named else 2)]
    records: list[Cause | Complication] = [*model.causes, *model.complications]
    return [record for record in records if record.id in {*named, *rivals}]


def _room(examiner: Examiner, constraint: Moves, target: tuple[str, ...]) -> float:
    margin = examiner.compare(replace(constraint, targets=(target,))).margin
    return inf if isnan(margin) else margin
