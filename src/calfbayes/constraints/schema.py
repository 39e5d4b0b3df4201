"""The shape of a file of constraints: keys, types and bounds, one class a kind of constraint.

As strict as the shape of the model files. What the ids mean is checked in `reading`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from calfbayes.knowledge.schema import ATOM, LARGEST, Id, Label, LevelName, Sources, Table, Text
from calfbayes.knowledge.wording import short, shown


def _probability(value: float) -> float:
    if value > 1:
        raise ValueError(f"is {value:g} and no probability; write one from 0 to 1 ({value:g} % is {value / 100:g})")
    return value


def _tolerance(value: float) -> float:
    if value >= 1:
        raise ValueError(f"is {value:g} and leaves nothing demanded; give a fraction below 1 ({value:g} % is {value / 100:g})")
    return value


def _rising(pair: list[float]) -> list[float]:
    if pair[0] > pair[1]:
        raise ValueError(f"{pair} falls; exchange the two ends")
    return pair


TWO = Field(min_length=2, max_length=2)
NotNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Probability = Annotated[NotNegative, AfterValidator(_probability)]
Tolerance = Annotated[NotNegative, AfterValidator(_tolerance)]
Inside = Annotated[float, Field(gt=0, lt=1)]
Pair = Annotated[list[NotNegative], TWO, AfterValidator(_rising)]
Probabilities = Annotated[list[Probability], TWO, AfterValidator(_rising)]
Points = Annotated[float, Field(ge=-1_000, le=1_000)]
Stratum = Annotated[list[Points], TWO, AfterValidator(_rising)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=500)]
Seed = Annotated[int, Field(ge=0, le=2**31)]
Patients = Annotated[int, Field(ge=1, le=100_000)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


OneOrAny = Annotated[Ids, BeforeValidator(_listed)]


def _given(value: Any) -> Any:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict):
        return {name: _answer(name, answer) for name, answer in value.items()}
    raise ValueError(f"is {short(value)}; write a table of answers, or an expression such as `redness or fever`")


def _answer(name: Any, value: Any) -> bool | str | float:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST:  # NaN is not
        return float(value)
    raise ValueError(f"{shown(str(name))} is {short(value)} and no answer; write true, false, a state or a number")


Given = Annotated[Any, AfterValidator(_given)]
Atom = Annotated[str, StringConstraints(pattern=f"^{ATOM}$")]
Scope = Annotated[list[Id], BeforeValidator(_listed), Field(max_length=1_000)]
EVERYONE = "everyone meets it; give narrower bounds"
Trials = Annotated[int, Field(ge=1, le=1_000_000)]


class ConstraintTable(Table):
    id: Id
    kind: str
    source: Sources
    why: Text
    setting: Id = ""
    given: Given = Field(default_factory=dict)
    no_red_flags: bool = False
    scope: Scope = Field(default_factory=list)
    trials: Trials = 200
    tolerance: Tolerance = 0.0
    allow_explaining_away: bool = False


class WithBounds(ConstraintTable):
    between: Pair | None = None
    at_least: NotNegative | None = None
    at_most: NotNegative | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.between, self.at_least, self.at_most)) != 1:
            raise ValueError("needs exactly one of between, at_least and at_most; keep one")
        if self.at_least == 0:
            raise ValueError(EVERYONE)
        return self


class WithProbabilities(WithBounds):
    between: Probabilities | None = None
    at_least: Probability | None = None
    at_most: Probability | None = None

    @model_validator(mode="after")
    def _some_demand(self) -> Self:
        _refuse_all(self.between or [self.at_least or 0.0, 1.0 if self.at_most is None else self.at_most], self.tolerance)
        return self


def _refuse_all(probabilities: list[float], tolerance: float) -> None:
    low, high = probabilities
    if low <= tolerance and high + tolerance >= 1:
        raise ValueError(EVERYONE)


class ProbabilityTable(WithProbabilities):
    cause: OneOrAny


class RanksTable(ConstraintTable):
    cause: Id
    within: Annotated[int, Field(ge=1, le=1_000)]


class DominatesTable(ConstraintTable):
    causes: Annotated[list[Id], Field(min_length=2, max_length=20)]


class YieldsTable(ConstraintTable):
    cause: Id
    to: Ids


class MovesTable(ConstraintTable):
    cause: Annotated[list[Id] | None, BeforeValidator(_listed)] = None
    group: Id = ""
    except_for: list[Id] = Field(default_factory=list)
    of: Given
    compared_with: Given = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.cause is None) == (not self.group):
            raise ValueError('needs exactly one of cause and group; keep one (group = "any" stands for every cause)')
        if self.except_for and not self.group:
            raise ValueError("except_for spares members of a group; leave it out")
        return self


class MustMoveTable(MovesTable):
    by_at_least: Annotated[float, Field(gt=1, le=LARGEST)] | None = None
    by_at_most: Annotated[float, Field(gt=1, le=LARGEST)] | None = None

    @model_validator(mode="after")
    def _some_factor(self) -> Self:
        if self.by_at_least and self.by_at_most and self.by_at_least > self.by_at_most:
            raise ValueError("by_at_least is above by_at_most; exchange the two")
        return self


class MustNotMoveTable(MovesTable):
    by_more_than: Annotated[float, Field(ge=1, le=LARGEST)] = 1.0


class LikelihoodRatioTable(WithBounds):
    cause: OneOrAny
    of: Given
    against: Annotated[list[Id], BeforeValidator(_listed)] = Field(default_factory=list)


class FrequenciesTable(ConstraintTable):
    cause: OneOrAny
    of: Annotated[dict[Text, Inside], Field(min_length=1, max_length=500)]
    within_factor: Annotated[float, Field(gt=1, le=LARGEST)]


class TakesTable(WithProbabilities):
    cause: OneOrAny
    of: Given
    start: Inside


class MonotoneTable(ConstraintTable):
    cause: Id
    along: Id
    direction: Literal["rises", "falls"]
    states: list[Id] = Field(default_factory=list)


class UrgencyTable(ConstraintTable):
    at_least: LevelName = "self_care"
    at_most: LevelName = "emergency"
    outcome: Literal["assessed", "insufficient", "outside_scope"] | None = None
    each_of: list[Id] = Field(default_factory=list)


class RuleTable(ConstraintTable):
    rule: Id
    at_least: LevelName
    each_needed: bool = True
    pictures: Annotated[list[Annotated[list[Atom], Field(min_length=1, max_length=20)]], Field(min_length=1, max_length=200)]


class MedianUrgencyTable(ConstraintTable):
    at_least: LevelName = "self_care"
    at_most: LevelName = "emergency"
    tell: Ids
    patients: Patients
    seed: Seed


class RuleStratumTable(ConstraintTable):
    score: Id
    points: Stratum
    likelihood_ratio: Pair | None = None
    probability: Probabilities | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.likelihood_ratio is None) == (self.probability is None):
            raise ValueError("needs exactly one of likelihood_ratio and probability; keep one")
        if self.probability is not None:
            _refuse_all(self.probability, self.tolerance)
        return self


class ScoreItemTable(Table):
    points: Points
    when: Text = ""
    other_diagnosis: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if bool(self.when) == (self.other_diagnosis is not None):
            raise ValueError("needs exactly one of when and other_diagnosis; keep one")
        return self


class ScoreTable(Table):
    label: Label
    cause: Id
    items: Annotated[list[ScoreItemTable], Field(min_length=1, max_length=50)]
    ask: list[Id] = Field(default_factory=list)
    no_diagnosis: list[Id] = Field(default_factory=list)
    patients: Patients
    seed: Seed


TABLES: dict[str, type[ConstraintTable]] = {
    "probability": ProbabilityTable,
    "ranks": RanksTable,
    "dominates": DominatesTable,
    "yields": YieldsTable,
    "raises": MustMoveTable,
    "lowers": MustMoveTable,
    "must_not_raise": MustNotMoveTable,
    "must_not_lower": MustNotMoveTable,
    "likelihood_ratio": LikelihoodRatioTable,
    "frequencies": FrequenciesTable,
    "takes": TakesTable,
    "monotone": MonotoneTable,
    "urgency": UrgencyTable,
    "rule": RuleTable,
    "median_urgency": MedianUrgencyTable,
    "rule_stratum": RuleStratumTable,
}
