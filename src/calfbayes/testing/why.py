"""Why a constraint is not met: what each answer does, and which elicited numbers would have to move, and how far.

The derivatives of the margin in every number say which matter most, and foretell at which value the demand would just be
met (`margins`). For the few that are told the value is tried in an edited model, and corrected where the foretelling is
not exact. Of these, a number that only patients like the demand's rest on is told first: where a background is wrong, a
weight would mend the demand, too, and break others.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from math import exp, isfinite, log

from calfbayes.constraints.beliefs import names_of
from calfbayes.constraints.evaluation import Examiner
from calfbayes.constraints.terms import (
    LITTLE,
    Causes,
    Constraint,
    Frequencies,
    LikelihoodRatio,
    Monotone,
    Moves,
    Probability,
    Ranks,
    Selection,
    Takes,
    UrgencyIs,
    Verdict,
    Yields,
)
from calfbayes.errors import CalfBayesError
from calfbayes.evidence import state_of
from calfbayes.inference.elicited import ElicitedNumber, Kind, Scale, elicited_numbers
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.model import Model
from calfbayes.network import Network
from calfbayes.testing.editing import with_number
from calfbayes.testing.influence import per_unit, place_of
from calfbayes.testing.margins import Margin, margin_of

STEP = 1e-4  # of a number's scale, for the slope of a margin
FARTHEST = 4.0  # on a number's scale; one that would have to move further mends nothing by itself
EXACT = 1e-9  # on a number's scale
ROOM = 1.02  # how exactly a value is told that would do: one that lies so much nearer on its scale would not
STEPS = 80
MOST_ANSWERS = 8
MOST_CAUSES = 3
MOST_TRIED = 12
TOLD = {Kind.WEIGHT, Kind.ODDS_RATIO, Kind.LEAK, Kind.LINK, Kind.PROBABILITY}


@dataclass(frozen=True, slots=True)
class Influence:
    """What one elicited number does to a demand.

    Attributes:
        place: Where it stands in the files, such as `causes.myositis.links.redness`.
        value: What it is.
        needed: At which value the demand would just be met, all else as it is.
        slope: By how much the margin of the demand grows for a unit of log odds (probabilities) or of logarithms.
    """

    place: str
    value: float
    needed: float
    slope: float

    def __str__(self) -> str:
        return f"{self.place} is {self.value:.3g}; {self.needed:.3g} would do by itself"


def explanation(model: Model, constraint: Constraint, verdict: Verdict, *, most: int = 3) -> list[str]:
    """Lines that tell why a demand is not met by the patient of whom the verdict speaks."""
    constraint = replace(constraint, besides=Selection(verdict.besides))
    if not _observed(Examiner(model._solved), constraint):  # there is nobody, or it is too costly to say
        return ledger(model, constraint)
    misses = _misses(model, constraint)
    influences = [str(one) for miss in misses for one in numbers_that_matter(model, miss, most=max(1, most // len(misses)))]
    if not influences and any(_margin(Examiner(model._solved), miss) for miss in misses):
        influences = ["no number would do by itself"]
    return [*ledger(model, constraint), *missing(model, constraint), *influences]


def _misses(model: Model, constraint: Constraint) -> Sequence[Constraint]:
    """Demands that several figures lie within their bounds, one by one, as far as they are not met."""
    if not isinstance(constraint, Frequencies):
        return [constraint]
    examiner, each = Examiner(model._solved), [replace(constraint, wanted=(one,)) for one in constraint.wanted]
    return [one for one in each if not examiner.compare(one).holds]


def ledger(model: Model, constraint: Constraint) -> list[str]:
    """What would be observed if each of the answers that are given were not known, as far as it differs."""
    examiner = Examiner(model._solved)
    observed, told = _observed(examiner, constraint), []
    for name, _ in (*constraint.given.answers, *constraint.besides.answers):
        fewer = replace(constraint, given=_without(constraint.given, name), besides=_without(constraint.besides, name))
        instead = _observed(examiner, fewer)
        if instead and instead != observed:
            told.append(f"{instead} were {name} not known")
    others = f"; {len(told) - MOST_ANSWERS} more answers change it" if len(told) > MOST_ANSWERS else ""
    it = "it" if isinstance(constraint, Moves) else "it would be"
    lines = [f"{it} {', '.join(told[:MOST_ANSWERS])}{others}"] if told else []
    if isinstance(constraint, UrgencyIs):
        lines += _levels(model, constraint)
    return lines


def _observed(examiner: Examiner, constraint: Constraint) -> str:
    try:
        observed = examiner.compare(constraint).observed
    except CalfBayesError:
        return ""
    if isinstance(observed, str):
        return observed
    match constraint:
        case Moves():
            return constraint.movement(observed)
        case Monotone():
            return f"a {'rise' if constraint.rising == (observed > 0) else 'fall'} by {abs(observed):.2g} at worst"
        case Ranks():
            return f"number {observed:g}"
    return f"{observed:.3g}"


def _levels(model: Model, constraint: UrgencyIs) -> list[str]:
    """The levels that the files give to the most probable causes."""
    try:
        belief = Examiner(model._solved).beliefs.about(constraint.setting, *constraint.whom)
    except CalfBayesError:  # there is nobody, or it is too costly to say
        return []
    level = {cause.id: cause.urgency for cause in model.causes}
    named = [f"{cause} ({belief.of(cause):.2g}) needs {level[cause]}" for cause in belief.ranking()[:MOST_CAUSES]]
    return [f"as the files say, {', '.join(named)}"]


def missing(model: Model, constraint: Constraint) -> list[str]:
    """What is known of the patients and stands in no relation to a cause that the demand speaks of: a link may be lost."""
    examiner, network = Examiner(model._solved), model._solved.network
    stated = _too_rare(examiner, constraint) if isinstance(constraint, Frequencies) else constraint
    known = dict(answer for selection in _spoken_of(stated) for answer in selection.answers)
    lines = []
    for cause in _causes(constraint):
        factors = {network.risks[odds.risk].id for odds in network.nodes[network.node_index[cause]].odds}
        signs = [name for name in known if name in network.node_index and known[name] is True]
        unlinked = [
            name for name in signs if not (examiner.brings_about(cause, name) or _speaks_for(examiner, constraint, cause, name))
        ]
        unmoved = [name for name in known if name in network.risk_index and name not in factors]
        lines += [f"no link leads from {cause} to {', '.join(unlinked)}"] if unlinked else []
        lines += [f"no odds ratio of {cause} speaks of {', '.join(unmoved)}"] if unmoved else []
    return lines


def _too_rare(examiner: Examiner, constraint: Frequencies) -> Frequencies:
    """The demand without what is seen often enough."""
    seen = dict(examiner.compare(constraint).numbers)
    return replace(constraint, wanted=tuple(pair for pair in constraint.wanted if seen[str(pair[0])] < pair[1].low))


def _speaks_for(examiner: Examiner, constraint: Constraint, cause: str, sign: str) -> bool:
    """Say whether a sign that a cause does not bring about speaks for it all the same, by way of a cause of both."""
    before = [_without(selection, sign) for selection in constraint.whom]
    masses = partial(examiner.beliefs.masses, constraint.setting, (cause,))
    try:
        (had, had_not), (has, has_not) = masses(*before), masses(*before, Selection(((sign, True),)))
    except CalfBayesError:  # nobody, or too costly to say
        return False
    return has * had_not > had * has_not * (1 + LITTLE)


def _spoken_of(constraint: Constraint) -> Iterator[Selection]:
    """Whom the demand is about, and what it weighs."""
    yield constraint.given
    yield constraint.besides
    match constraint:
        case Moves():
            yield from (constraint.of, constraint.compared_with)
        case LikelihoodRatio() | Takes():
            yield constraint.of
        case Frequencies():
            yield from (these for these, _ in constraint.wanted)
        case Yields():
            yield from (Selection(((finding, True),)) for finding in constraint.to)
        case Monotone():
            yield Selection(((constraint.along, constraint.states[-1]),))
        case UrgencyIs():
            yield from (Selection(((sign, True),)) for sign in constraint.each_of)


def _causes(constraint: Constraint) -> Causes:
    match constraint:
        case Probability() | LikelihoodRatio() | Frequencies() | Takes():
            return constraint.causes
        case Ranks():
            return (constraint.cause,)
        case Moves() if len(constraint.targets) == 1:
            return constraint.targets[0]
    return ()


def _without(selection: Selection, name: str) -> Selection:
    return replace(selection, answers=tuple(answer for answer in selection.answers if answer[0] != name))


def numbers_that_matter(model: Model, constraint: Constraint, *, most: int = 3) -> tuple[Influence, ...]:
    """Elicited numbers that could meet a demand by themselves, of those to which it yields most.

    Weights, odds ratios, links and backgrounds are looked at. Those of the narrowest reach come first: backgrounds of
    findings that the demand speaks of, then links and odds ratios of what it speaks of, then the others; the steepest of
    each first. Empty where the demand is met, or no number decides: a red-flag rule alone, or simulated patients.
    """
    margin = _margin(Examiner(model._solved), constraint)
    if margin is None:
        return ()
    numbers = elicited_numbers(model._solved, constraint.setting).numbers
    slopes = {
        position: (margin.at(position, STEP) - margin.at(position, -STEP)) / (2 * STEP)
        for position, number in enumerate(numbers)
        if number.kind in TOLD and number.scale is not Scale.ITSELF
    }
    steepest = sorted((k for k, slope in slopes.items() if isfinite(slope) and slope), key=lambda k: (-abs(slopes[k]), k))
    words = {word for these in _spoken_of(constraint) for word in _words(model._solved.network, these)}
    looked_at = sorted(steepest[:MOST_TRIED], key=lambda k: _reach(numbers[k], words))
    influences = (_influence(model, constraint, margin, k, numbers[k], slopes[k]) for k in looked_at)
    return tuple(islice((influence for influence in influences if influence is not None), most))


def _margin(examiner: Examiner, constraint: Constraint) -> Margin | None:
    """The margin of a demand that is not met; None where no number decides."""
    try:
        return None if examiner.compare(constraint).holds else margin_of(examiner, constraint)
    except CalfBayesError:
        return None


def _words(network: Network, these: Selection) -> Iterator[str]:
    """What places of numbers contain that speak of these patients: findings, and risk factors with the state that is known."""
    for name in names_of(network, these):
        record, known = network.records[name], dict(these.answers)
        yield f".{name}.{state_of(record, known[name])}." if isinstance(record, RiskFactor) and known else f".{name}."


def _reach(number: ElicitedNumber, words: Collection[str]) -> int:
    """How many other patients a number bears on, roughly: 0 for the fewest."""
    if not any(word in f".{place_of(number)}." for word in words):
        return 2
    return 0 if number.kind is Kind.LEAK else 1


def _influence(
    model: Model, constraint: Constraint, margin: Margin, position: int, number: ElicitedNumber, slope: float
) -> Influence | None:
    """None if no sensible value of the number would do."""
    place, far = place_of(number), FARTHEST if slope > 0 else -FARTHEST

    def foretold(by: float) -> bool:
        return margin.at(position, (_moved(number, by) - number.value) / per_unit(number)) >= 0

    def tried(by: float) -> bool:
        try:
            return Examiner(with_number(model, place, _moved(number, by))._solved).compare(constraint).holds
        except CalfBayesError:  # no coherent model
            return False

    steps = [far * step / STEPS for step in range(STEPS + 1)]
    near_and_by = next((pair for pair in pairwise(steps) if foretold(pair[1])), None)  # a value too far may break another bound
    by = near_and_by and _corrected(tried, _least(foretold, *near_and_by))
    return None if by is None else Influence(place, number.value, _moved(number, by), slope)


def _least(met: Callable[[float], bool], near: float, far: float) -> float:
    """The smallest movement that does, between one that does not and one that does."""
    while abs(far - near) > EXACT:
        middle = (near + far) / 2
        near, far = (near, middle) if met(middle) else (middle, far)
    return far


def _corrected(met: Callable[[float], bool], by: float) -> float | None:
    """The smallest movement that does to one part in fifty, from where it was foretold; None if none does."""
    near = by / ROOM
    if met(by):
        while met(near) and abs(near) > EXACT:
            near, by = near / 2, near
    else:
        while not met(by):
            near, by = by, by * 1.5
            if abs(near) >= FARTHEST:
                return None
    while abs(by - near) > (1 - 1 / ROOM) * abs(by):
        middle = (near + by) / 2
        near, by = (near, middle) if met(middle) else (middle, by)
    return by


def _moved(number: ElicitedNumber, by: float) -> float:
    """A number at another place of its scale."""
    if number.scale is Scale.LOG:
        return number.value * exp(by)
    odds = exp(log(number.value) - log(1 - number.value) + by)
    return odds / (1 + odds)
