"""Why a constraint is not met: what each answer does, and which elicited numbers would have to move, and how far.

The derivatives of the margin in every number say which matter most, and foretell at which value the demand would just be
met (`margins`). For the few that are told the value is tried in an edited model, and corrected where the foretelling is
not exact.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import exp, isfinite, log

from calfbayes.constraints.evaluation import Examiner
from calfbayes.constraints.terms import (
    Causes,
    Constraint,
    Frequencies,
    LikelihoodRatio,
    Moves,
    Probability,
    Ranks,
    Selection,
    Takes,
    UrgencyIs,
    Verdict,
)
from calfbayes.errors import CalfBayesError
from calfbayes.inference.elicited import ElicitedNumber, Kind, Scale, elicited_numbers
from calfbayes.model import Model
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
    influences = map(str, numbers_that_matter(model, constraint, most=most))
    return [*ledger(model, constraint), *missing(model, constraint), *influences]


def ledger(model: Model, constraint: Constraint) -> list[str]:
    """What would be observed without each of the answers that are given, as far as it differs."""
    examiner = Examiner(model._solved)
    observed, told = _observed(examiner, constraint), []
    for name, _ in (*constraint.given.answers, *constraint.besides.answers):
        fewer = replace(constraint, given=_without(constraint.given, name), besides=_without(constraint.besides, name))
        instead = _observed(examiner, fewer)
        if instead and instead != observed:
            told.append(f"{instead} without {name}")
    lines = [f"it would be {', '.join(told[:MOST_ANSWERS])}"] if told else []
    if isinstance(constraint, UrgencyIs):
        lines += _levels(model, constraint)
    return lines


def _observed(examiner: Examiner, constraint: Constraint) -> str:
    try:
        observed = examiner.compare(constraint).observed
    except CalfBayesError:
        return ""
    return observed if isinstance(observed, str) else f"{observed:.3g}"


def _levels(model: Model, constraint: UrgencyIs) -> list[str]:
    """The levels that the files give to the most probable causes."""
    belief = Examiner(model._solved).beliefs.about(constraint.setting, *constraint.whom)
    level = {cause.id: cause.urgency for cause in model.causes}
    named = [f"{cause} ({belief.of(cause):.2g}) needs {level[cause]}" for cause in belief.ranking()[:MOST_CAUSES]]
    return [f"as the files say, {', '.join(named)}"]


def missing(model: Model, constraint: Constraint) -> list[str]:
    """What is known of the patients and stands in no relation to a cause that the demand speaks of: a link may be lost."""
    examiner, network = Examiner(model._solved), model._solved.network
    known = dict(answer for selection in _spoken_of(examiner, constraint) for answer in selection.answers)
    lines = []
    for cause in _causes(constraint):
        factors = {network.risks[odds.risk].id for odds in network.nodes[network.node_index[cause]].odds}
        signs = [name for name in known if name in network.node_index and known[name] is True]
        unlinked = [name for name in signs if not examiner.brings_about(cause, name)]
        unmoved = [name for name in known if name in network.risk_index and name not in factors]
        lines += [f"no link leads from {cause} to {', '.join(unlinked)}"] if unlinked else []
        lines += [f"no odds ratio of {cause} speaks of {', '.join(unmoved)}"] if unmoved else []
    return lines


def _spoken_of(examiner: Examiner, constraint: Constraint) -> Iterator[Selection]:
    yield constraint.given
    yield constraint.besides
    if isinstance(constraint, Moves | LikelihoodRatio | Takes):
        yield constraint.of
    if isinstance(constraint, Frequencies):
        seen = dict(examiner.compare(constraint).numbers)
        rare = [str(these) for these, wanted in constraint.wanted if seen[str(these)] < wanted.low]
        yield Selection(tuple((name, True) for name in rare if name in examiner.beliefs.network.node_index))


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
    """The elicited numbers to which a demand yields most and that could meet it by themselves, the steepest first.

    Weights, odds ratios, links and backgrounds are looked at. If none would do, those to which it yields most. Empty where
    the demand is met, or no number decides: a red-flag rule alone, or simulated patients.
    """
    examiner = Examiner(model._solved)
    try:
        margin = None if examiner.compare(constraint).holds else margin_of(examiner, constraint)
    except CalfBayesError:
        return ()
    if margin is None:
        return ()
    numbers = elicited_numbers(model._solved, constraint.setting).numbers
    slopes = {
        position: (margin.at(position, STEP) - margin.at(position, -STEP)) / (2 * STEP)
        for position, number in enumerate(numbers)
        if number.kind in TOLD and number.scale is not Scale.ITSELF
    }
    steepest = sorted((k for k, slope in slopes.items() if isfinite(slope) and slope), key=lambda k: (-abs(slopes[k]), k))
    looked_at = (_influence(model, constraint, margin, k, numbers[k], slopes[k]) for k in steepest[:MOST_TRIED])
    told = tuple(islice((influence for influence in looked_at if influence.needed is not None), most))
    return told or tuple(Influence(place_of(numbers[k]), numbers[k].value, None, slopes[k]) for k in steepest[:most])


def _influence(
    model: Model, constraint: Constraint, margin: Margin, position: int, number: ElicitedNumber, slope: float
) -> Influence:
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
    return Influence(place, number.value, None if by is None else _moved(number, by), slope)


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
