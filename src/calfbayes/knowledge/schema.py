"""The shape of the model files: keys, types and bounds, one class a table.

Only `reading` uses this module. It is strict: no coercion, no unknown keys, no infinities. What the
words mean to each other (ids that exist, arcs that are allowed) is checked in `checking`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FORMAT = 1

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Probability = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
Sources = Annotated[list[Id], Field(min_length=1, max_length=40)]
LevelName = Literal["emergency", "same_day", "within_days", "routine", "self_care"]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Origin(Table):
    """Where a number comes from and how sure it is."""

    kind: Literal["measured", "derived", "judged"]
    source: Sources
    n: Annotated[float, Field(gt=0, le=1e9)] | None = None
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    why: Annotated[str, StringConstraints(max_length=2_000)] = ""

    def quantity(self) -> float | None:
        """The number that the range is about, or None if there is no single one."""
        return None

    @model_validator(mode="after")
    def _doubt_and_reason(self) -> Self:
        if (self.n is None) == (self.range is None):
            raise ValueError("exactly one of n (equivalent sample size) and range (90 %) must be given")
        quantity = self.quantity()
        if self.range is not None and quantity is not None and not self.range[0] <= quantity <= self.range[1]:
            raise ValueError(f"the range {self.range} does not contain the value {quantity}")
        if self.kind != "measured" and not self.why:
            raise ValueError(f"a {self.kind} number needs its reason in why")
        return self


class ProbabilityNumber(Origin):
    value: Probability

    def quantity(self) -> float:
        return self.value


class PositiveNumber(Origin):
    value: NotNegative

    def quantity(self) -> float:
        return self.value


class LinkNumber(Origin):
    probability: Probability | None = None
    link: Probability | None = None

    def quantity(self) -> float | None:
        return self.probability if self.probability is not None else self.link

    @model_validator(mode="after")
    def _one_convention(self) -> Self:
        if (self.probability is None) == (self.link is None):
            raise ValueError("exactly one of probability (background included) and link (background excluded) must be given")
        return self


Odds = dict[Id, dict[Id, PositiveNumber]]
Links = dict[Id, LinkNumber]
CodeLists = dict[Id, list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:./-]{1,40}$")]]]


class CareTable(Table):
    who: Text
    examinations: list[Text]
    helps: list[Text]
    avoid: list[Text]
    come_back: Text
    source: Sources


class NodeTable(Table):
    label: Label
    description: Text
    group: Id
    urgency: LevelName
    synonyms: list[Label] = []
    codes: CodeLists = {}
    odds: Odds = {}
    links: Links = {}
    care: CareTable


class CauseTable(NodeTable):
    weight: dict[Id, PositiveNumber]


class ComplicationTable(NodeTable):
    leak: ProbabilityNumber


class MechanismTable(Table):
    label: Label
    description: Text
    leak: ProbabilityNumber
    odds: Odds = {}
    links: Links = {}


class FindingTable(Table):
    label: Label
    question: Text
    kind: Literal["symptom", "sign", "test"]
    group: Id
    observer: Literal["patient", "clinician", "laboratory"]
    burden: Annotated[int, Field(ge=0, le=1_000)]
    synonyms: list[Label] = []
    codes: CodeLists = {}
    implies: list[Id] = []
    excludes: list[Id] = []
    leak: ProbabilityNumber
    odds: Odds = {}


class PriorTable(Origin):
    when: dict[Id, Annotated[list[Id], Field(min_length=1)]] = {}
    probabilities: Annotated[dict[Id, Probability], Field(min_length=1)]

    def quantity(self) -> float | None:
        return next(iter(self.probabilities.values())) if len(self.probabilities) == 1 else None


class RiskFactorTable(Table):
    label: Label
    question: Text
    group: Id
    burden: Annotated[int, Field(ge=0, le=1_000)]
    synonyms: list[Label] = []
    states: Annotated[list[Id], Field(min_length=2, max_length=40)] = ["absent", "present"]
    reference: Id = "absent"
    unit: Annotated[str, StringConstraints(max_length=20)] = ""
    lower_bounds: list[float] = []
    upper_bound: float = 0.0
    prior: Annotated[list[PriorTable], Field(min_length=1)]


class SettingTable(Table):
    label: Label
    coincidence: PositiveNumber


class ModelTable(Table):
    format: Annotated[int, Field(ge=1, le=FORMAT)]
    name: Id
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    title: Label
    intended_use: Text
    population: Text
    not_for: list[Text]
    licence: Label
    complaint: Id
    scope: dict[Id, Annotated[list[float], Field(min_length=2, max_length=2)]] = {}
    default_setting: Id
    settings: Annotated[dict[Id, SettingTable], Field(min_length=1)]


class LevelTable(Table):
    label: Label
    action: Text


class LossTable(Table):
    kind: Literal["measured", "derived", "judged"]
    source: Sources
    why: Text
    acted: dict[LevelName, dict[LevelName, NotNegative]]


class RuleTable(Table):
    id: Id
    level: LevelName
    reason: Text
    source: Sources
    when: Any  # a small language of its own, read in `reading`


class UrgencyTable(Table):
    levels: dict[LevelName, LevelTable]
    loss: LossTable
    rules: list[RuleTable] = []


class SourceTable(Table):
    citation: Text
    url: Annotated[str, StringConstraints(max_length=1_000)]
    kind: Literal["article", "guideline", "web", "judgement"]
