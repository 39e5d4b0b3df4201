"""The records that a file of constraints is made of: what must hold of a model, for whom, and who says so.

One class a kind of constraint. A constraint speaks of the patients it states; with a scope, of every patient who answers
some of the items of the scope besides. `times` is always the factor in the direction that the kind names: of how much a
probability grows (`raises`) or shrinks (`lowers`).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import Self

from calfbayes.diagnosis.urgency import Outcome
from calfbayes.knowledge.terms import Level

Causes = tuple[str, ...]  # counted as one: any of them
Value = bool | str | float

LITTLE = 1e-6  # a demand to move by less than this fraction is one to move at all


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a number has to lie, ends included."""

    low: float = 0.0
    high: float = inf

    def hold(self, number: float) -> bool:
        """Say whether a number lies within; NaN does not."""
        return self.low <= number <= self.high

    @classmethod
    def around(cls, probability: float, factor: float) -> Self:
        """Probabilities whose odds differ from those of a probability by no more than a factor."""
        absent = 1 - probability
        return cls(probability / (probability + absent * factor), probability * factor / (probability * factor + absent))

    def widened(self, by: float) -> "Bounds":
        """The bounds with both ends moved outwards by a distance."""
        return Bounds(self.low - by, self.high + by)

    def stretched(self, by: float) -> "Bounds":
        """The bounds with both ends moved outwards by a fraction."""
        return Bounds(self.low / (1 + by), self.high * (1 + by))

    def __str__(self) -> str:
        if self.high == inf:
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}" if self.low > 0 else f"at most {self.high:g}"


def factor(a: float, b: float) -> float:
    """A quotient of probabilities, in which an impossible cause that stays impossible has not moved."""
    if a == b:
        return 1.0
    return a / b if b > 0 else inf


def _inverse(number: float) -> float:
    return 1 / number if number > 0 else inf


@dataclass(frozen=True, slots=True)
class Selection:
    """Some patients: by a table of answers, or by an expression of the language of the audit.

    Attributes:
        answers: Id and value of findings and risk factors.
        expression: Such as `redness or fever`; empty if the answers say all.
    """

    answers: tuple[tuple[str, Value], ...] = ()
    expression: str = ""

    def __str__(self) -> str:
        return self.expression or ", ".join(_answer(name, value) for name, value in self.answers) or "anyone"


NOBODY_IN_PARTICULAR = Selection()


def _answer(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What all kinds have.

    Attributes:
        sources: Ids in the bibliography of the model or of the file itself.
        why: The reason, in a clause or two.
        setting: The care setting.
        given: Whom it is about.
        denied: What a red-flag rule could still ask them, and is answered with no.
        scope: Ids that may be answered in any way, or not at all, besides.
        trials: How many patients of the scope are asked about at most; if there are more, they are drawn.
        tolerance: By how much the demand may be missed: a probability where probabilities are demanded or compared, a
            fraction where the demand is a ratio.
        allow_explaining_away: Whether a lawful exception is met with consent.
        besides: What one patient of the scope answers.
    """

    id: str
    kind: str
    sources: tuple[str, ...]
    why: str
    setting: str
    given: Selection
    denied: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    trials: int = 200
    tolerance: float = 0.0
    allow_explaining_away: bool = False
    besides: Selection = NOBODY_IN_PARTICULAR

    @property
    def whom(self) -> tuple[Selection, ...]:
        """Whom it is about, all in all."""
        denied = Selection(tuple((name, False) for name in self.denied))
        return tuple(selection for selection in (self.given, self.besides, denied) if selection != NOBODY_IN_PARTICULAR)

    def answering(self, name: str, value: Value) -> Self:
        """The same constraint for patients who answer this besides."""
        return replace(self, besides=Selection((*self.besides.answers, (name, value))))

    def __str__(self) -> str:
        denied = ", and no to every question of a red-flag rule" if self.denied else ""
        besides = f", besides {self.besides}" if self.besides != NOBODY_IN_PARTICULAR else ""
        return f"in {self.setting}, {self.given}{besides}{denied}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability(Constraint):
    """P(any of the causes | given) lies within bounds."""

    causes: Causes
    wanted: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks(Constraint):
    """A cause is among the first ones."""

    cause: str
    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominates(Constraint):
    """Each cause is more probable than the next one."""

    causes: Causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Yields(Constraint):
    """With each of some findings, a cause that brings the finding about is more probable than this one."""

    cause: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves(Constraint):
    """Further evidence changes the probability of each target by a factor within bounds.

    Attributes:
        targets: Each a set of causes that counts as one.
        of: The further evidence.
        compared_with: What it is compared with; by default that it is not known.
        upward: Whether `times` is the probability after over that before, or the reverse.
    """

    targets: tuple[Causes, ...]
    of: Selection
    compared_with: Selection
    upward: bool
    times: Bounds

    def moved(self, before: float, after: float) -> float:
        """The factor that `times` bounds."""
        return factor(after, before) if self.upward else factor(before, after)

    def movement(self, times: float) -> str:
        """What moves by this factor, as a verb: `falls to 0.4 of itself`."""
        growth = times if self.upward else _inverse(times)
        if abs(growth - 1) <= LITTLE:
            return "does not move"
        if growth == inf:
            return "comes up from nothing"
        return f"grows {growth:.3g} times" if growth > 1 else f"falls to {growth:.3g} of itself"

    @property
    def demand(self) -> str:
        """What is wanted, as a noun: `a rise of at least 2 times`."""
        change, is_demanded = "rise" if self.upward else "fall", self.times.low > 0
        at_all = self.times.low <= 1 + LITTLE and self.times.high == inf if is_demanded else self.times.high <= 1 + LITTLE
        if at_all:
            return f"a {change}" if is_demanded else f"no {change}"
        if self.upward:
            return f"a rise of {self.times} times"
        return f"a fall to {Bounds(_inverse(self.times.high), _inverse(self.times.low))} of itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodRatio(Constraint):
    """P(of | causes, given) / P(of | others, given) lies within bounds.

    Attributes:
        against: The causes of the others; empty for everybody without the causes.
    """

    causes: Causes
    of: Selection
    against: Causes
    wanted: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies(Constraint):
    """Among the patients with any of the causes, each kind of patient is about as frequent as is said of it.

    Attributes:
        wanted: Within which bounds P(these patients | causes, given) lies.
    """

    causes: Causes
    wanted: tuple[tuple[Selection, Bounds], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes(Constraint):
    """Evidence takes a patient with some probability of the causes to one within bounds: a likelihood ratio at work."""

    causes: Causes
    of: Selection
    start: float
    wanted: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Monotone(Constraint):
    """The probability of a cause never falls (or never rises) along the states of a risk factor."""

    cause: str
    along: str
    states: tuple[str, ...]
    rising: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyIs(Constraint):
    """The level lies between two levels, and the outcome is this one if one is named.

    Attributes:
        each_of: Findings and yes/no risk factors; with each of them by itself the level is such. Empty for what is given.
    """

    least: Level
    most: Level
    outcome: Outcome | None
    each_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFires(Constraint):
    """A red-flag rule holds on each of some pictures, and asks for at least a level.

    Attributes:
        pictures: Each a set of answers that are enough for the rule.
        each_needed: Whether none of the answers of a picture can be spared.
    """

    rule: str
    least: Level
    pictures: tuple[Selection, ...]
    each_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianUrgency(Constraint):
    """The middle one of the levels of simulated patients lies between two levels.

    Attributes:
        tell: Findings and risk factors that each patient tells, beside what is given.
    """

    least: Level
    most: Level
    tell: tuple[str, ...]
    patients: int
    seed: int


class Measure(StrEnum):
    """What is read off a stratum of a score."""

    LIKELIHOOD_RATIO = "likelihood_ratio"
    PROBABILITY = "probability"


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """An item of a published score.

    Attributes:
        when: Expression for which the points are given; empty for the item "another diagnosis is at least as likely".
    """

    points: float
    when: str


@dataclass(frozen=True, slots=True)
class Score:
    """A published score.

    Attributes:
        cause: What it predicts.
        ask: What is known of each patient beside the items, when other diagnoses are weighed.
        no_diagnosis: Causes that do not count as another diagnosis.
        patients: How many simulated patients it is read off.
    """

    id: str
    label: str
    cause: str
    items: tuple[ScoreItem, ...]
    ask: tuple[str, ...]
    no_diagnosis: tuple[str, ...]
    patients: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStratum(Constraint):
    """Patients whose score lies within a stratum have its cause as often as published."""

    score: Score
    stratum: Bounds
    measure: Measure
    wanted: Bounds


class Status(StrEnum):
    """How much a verdict says. There is no mere "passed"."""

    PROVEN = "proven"  # every patient of the scope was asked about, or a law of this class of networks says so
    HELD = "held"  # by every one of a number of random patients
    LAWFUL_EXCEPTION = "lawful exception"  # not so, because other causes explain the evidence away
    REFUTED = "refuted"
    NOT_SETTLED = "not settled"  # too few could be asked about


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a model fared with one constraint.

    Attributes:
        holds: Whether the demand is met: proven, held, or a lawful exception that the constraint allows.
        observed: The number, or the level or cause, that decides.
        wanted: What would hold, in words.
        numbers: All numbers that were compared, by name.
        text: One sentence with the patient, the values and what was wanted.
        status: How much this says.
        basis: What the status rests on, in words.
        besides: What the patient of the scope answers who decides; with a counterexample, no answer of it can be left out.
        competitors: The causes that explain the evidence away.
    """

    id: str
    holds: bool
    observed: float | str
    wanted: str
    numbers: tuple[tuple[str, float], ...]
    text: str
    status: Status
    basis: str
    besides: tuple[tuple[str, Value], ...] = ()
    competitors: tuple[str, ...] = ()
