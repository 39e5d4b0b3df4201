"""The shape of `constraints.toml`: keys, types and bounds, one class a kind of constraint.

As strict as the shape of the model files. What the ids mean is checked in `reading`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from calfbayes.knowledge.schema import Id, Label, LevelName, Sources, SourceTable, Table, Text

Positive = Annotated[float, Field(gt=0, le=1e9)]
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
Inside = Annotated[float, Field(gt=0, lt=1)]
Pair = Annotated[list[NotNegative], Field(min_length=2, max_length=2)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=500)]
OneOrAny = Id | Ids
Given = dict[Id, bool | Annotated[str, Field(max_length=80)] | Annotated[float, Field(ge=-1e9, le=1e9)]] | Text
Seed = Annotated[int, Field(ge=0, le=2**31)]
Patients = Annotated[int, Field(ge=1, le=100_000)]


class ConstraintTable(Table):
    id: Id
    kind: str
    source: Sources
    why: Text
    setting: Id = ""
    given: Given = Field(default_factory=dict)
    no_red_flags: bool = False


class WithBounds(ConstraintTable):
    between: Pair | None = None
    at_least: NotNegative | None = None
    at_most: NotNegative | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.between, self.at_least, self.at_most)) != 1:
            raise ValueError("exactly one of between, at_least and at_most must be given")
        if self.between is not None and self.between[0] > self.between[1]:
            raise ValueError(f"between {self.between} must rise")
        return self


class ProbabilityTable(WithBounds):
    kind: Literal["probability"]
    cause: OneOrAny


class RanksTable(ConstraintTable):
    kind: Literal["ranks"]
    cause: Id
    within: Annotated[int, Field(ge=1, le=1_000)]


class DominatesTable(ConstraintTable):
    kind: Literal["dominates"]
    causes: Annotated[list[Id], Field(min_length=2, max_length=20)]


class YieldsTable(ConstraintTable):
    kind: Literal["yields"]
    cause: Id
    to: Ids


class MovesTable(ConstraintTable):
    cause: OneOrAny | None = None
    group: Id = ""
    except_for: list[Id] = Field(default_factory=list)
    of: Given
    compared_with: Given = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.cause is None) == (not self.group):
            raise ValueError('exactly one of cause and group (or group = "any", for every cause) must be given')
        return self


class MustMoveTable(MovesTable):
    kind: Literal["raises", "lowers"]
    by_at_least: Annotated[float, Field(gt=1, le=1e9)] | None = None
    by_at_most: Annotated[float, Field(gt=1, le=1e9)] | None = None


class MustNotMoveTable(MovesTable):
    kind: Literal["must_not_raise", "must_not_lower"]
    by_more_than: Annotated[float, Field(ge=1, le=1e9)] = 1.0


class LikelihoodRatioTable(WithBounds):
    kind: Literal["likelihood_ratio"]
    cause: OneOrAny
    of: Given
    against: OneOrAny | None = None


class TakesTable(WithBounds):
    kind: Literal["takes"]
    cause: OneOrAny
    of: Given
    start: Inside


class MonotoneTable(ConstraintTable):
    kind: Literal["monotone"]
    cause: Id
    along: Id
    direction: Literal["rises", "falls"]
    states: list[Id] = Field(default_factory=list)


class UrgencyTable(ConstraintTable):
    kind: Literal["urgency"]
    at_least: LevelName = "self_care"
    at_most: LevelName = "emergency"
    outcome: Literal["assessed", "insufficient", "outside_scope"] | None = None


class MedianUrgencyTable(ConstraintTable):
    kind: Literal["median_urgency"]
    at_least: LevelName = "self_care"
    at_most: LevelName = "emergency"
    tell: Ids
    patients: Patients
    seed: Seed


class RuleStratumTable(ConstraintTable):
    kind: Literal["rule_stratum"]
    score: Id
    points: Annotated[list[Annotated[float, Field(ge=-1e3, le=1e3)]], Field(min_length=2, max_length=2)]
    likelihood_ratio: Pair | None = None
    probability: Pair | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.likelihood_ratio is None) == (self.probability is None):
            raise ValueError("exactly one of likelihood_ratio and probability must be given")
        return self


AnyConstraintTable = Annotated[
    ProbabilityTable
    | RanksTable
    | DominatesTable
    | YieldsTable
    | MustMoveTable
    | MustNotMoveTable
    | LikelihoodRatioTable
    | TakesTable
    | MonotoneTable
    | UrgencyTable
    | MedianUrgencyTable
    | RuleStratumTable,
    Field(discriminator="kind"),
]


class ScoreItemTable(Table):
    points: Annotated[float, Field(ge=-1e3, le=1e3)]
    when: Text = ""
    other_diagnosis: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if bool(self.when) == (self.other_diagnosis is not None):
            raise ValueError("exactly one of when and other_diagnosis must be given")
        return self


class ScoreTable(Table):
    label: Label
    cause: Id
    items: Annotated[list[ScoreItemTable], Field(min_length=1, max_length=50)]
    ask: list[Id] = Field(default_factory=list)
    no_diagnosis: list[Id] = Field(default_factory=list)
    patients: Patients
    seed: Seed


class ConstraintFile(Table):
    sources: dict[Id, SourceTable] = Field(default_factory=dict)
    scores: dict[Id, ScoreTable] = Field(default_factory=dict)
    constraints: Annotated[list[AnyConstraintTable], Field(max_length=5_000)]
