"""The shape of the model files: keys, types and bounds, one class a table.

Only `reading` uses this module. It is strict: no coercion, no unknown keys, no infinities, no characters that cannot be
seen. What the words mean to each other (ids that exist, arcs that are allowed) is checked in `checking`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from calfbayes.knowledge.templates import ASKING, URGENCY, template_fault, words_fault
from calfbayes.knowledge.wording import BLANK, short

FORMAT = 1
MAX_RULE_DEPTH = 20
LARGEST = 1e9

ID = r"^[a-z][a-z0-9_]{0,79}$"
URL = r"^(https?://[!-~]{1,990})?$"
CODE = r"^[A-Za-z0-9:./-]{1,40}$"
VERSION = r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$"
ATOM = r"[a-z][a-z0-9_]{0,79}(=[a-z][a-z0-9_]{0,79})?"
CONDITIONS = 'write "finding", "factor=state", { any = [...] } or { all = [...] }'
HELPS = 'write "text" or { text = "...", kinds = ["massage"] }'
WARNINGS = 'write "text" or { text = "...", kind = "massage" }'
TURNS_TEXT_AROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _legible(text: str) -> str:
    for character in "" if text.isascii() and text.isprintable() else text:
        control = unicodedata.category(character) in {"Cc", "Zl", "Zp"} and character != "\n"
        if control or character in TURNS_TEXT_AROUND or character in BLANK:
            raise ValueError(f"holds U+{ord(character):04X}, a character that cannot be seen; remove it")
    if text and not text.strip():
        raise ValueError("is nothing but spaces; write something")
    return text


def _on_one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("holds a line break; write it on one line")
    return text


def _condition(value: Any) -> Any:
    _check_condition(value, MAX_RULE_DEPTH)
    return value


def _check_condition(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"is nested more than {MAX_RULE_DEPTH} deep; make two rules of it")
    if isinstance(value, str) and re.fullmatch(ATOM, value):
        return
    parts = next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 and {*value} <= {"any", "all"} else None
    if not isinstance(parts, list) or not parts:
        raise ValueError(f"{short(value)} is no condition; {CONDITIONS}")
    for part in parts:
        _check_condition(part, depth - 1)


def _help(value: Any) -> Any:
    """Text, or a table of text and the kinds of advice that it gives."""
    kinds = _told(value, "kinds", "advice", HELPS)
    if kinds is not None and not (isinstance(kinds, list) and kinds and all(map(_is_id, kinds))):
        raise ValueError(f"kinds is {short(kinds)} and no list of ids; {HELPS}")
    return value


def _warning(value: Any) -> Any:
    """Text, or a table of text and the one kind of advice that it warns of."""
    kind = _told(value, "kind", "warning", WARNINGS)
    if kind is not None and not _is_id(kind):
        raise ValueError(f"kind is {short(kind)} and no id; {WARNINGS}")
    return value


def _told(value: Any, key: str, what: str, form: str) -> Any:
    """What stands under the key beside the text, None if nothing."""
    table = {"text": value} if isinstance(value, str) else value
    if not isinstance(table, dict) or "text" not in table or not {*table} <= {"text", key}:
        raise ValueError(f"{short(value)} is no {what}; {form}")
    text = table["text"]
    if not isinstance(text, str) or not 0 < len(text) <= 2_000:
        raise ValueError(f"text is {short(text)} and no words; {form}")
    _legible(text)
    return table.get(key)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(ID, value) is not None


Id = Annotated[str, StringConstraints(pattern=ID)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_legible)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_legible), AfterValidator(_on_one_line)]
Why = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_legible)]
Url = Annotated[str, StringConstraints(pattern=URL)]
Code = Annotated[str, StringConstraints(pattern=CODE)]
Version = Annotated[str, StringConstraints(pattern=VERSION)]
Probability = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Bound = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Burden = Annotated[int, Field(ge=0, le=1_000)]
Sources = Annotated[list[Id], Field(min_length=1, max_length=40)]
LevelName = Literal["emergency", "same_day", "within_days", "routine", "self_care"]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def known_keys(shape: type[Table], place: Sequence[int | str]) -> list[str]:
    """The keys of the table, inside tables of this shape, that has or should have the last part of the place."""
    kind: Any = shape
    for part in place[:-1]:
        fields = getattr(kind, "model_fields", None)
        kind = fields[part].annotation if fields else get_args(kind)[-1]  # else a dictionary or a list
    return list(kind.model_fields)


class Origin(Table):
    """Where a number comes from and how sure it is."""

    largest: ClassVar[float] = 1.0

    kind: Literal["measured", "derived", "judged"]
    source: Sources
    n: Annotated[float, Field(ge=1, le=LARGEST)] | None = None
    range: Annotated[Annotated[list[float], Field(min_length=2, max_length=2)] | None, Field(validate_default=True)] = None
    why: Annotated[Why, Field(validate_default=True)] = ""

    def _quantity(self) -> float | None:
        """The number that the range is about, if it stands under one key."""
        return None

    @field_validator("range")
    @classmethod
    def _one_doubt(cls, ends: list[float] | None, info: ValidationInfo) -> list[float] | None:
        if "n" in info.data and (info.data["n"] is None) == (ends is None):
            given = "neither n nor range is" if ends is None else "both n and range are"
            raise ValueError(f"{given} given; give either the equivalent sample size n or the 90 % range")
        if ends is not None and not 0 <= ends[0] <= ends[1] <= cls.largest:
            raise ValueError(f"is {ends}; give two numbers within 0..{cls.largest:g}, the lower first")
        return ends

    @field_validator("why")
    @classmethod
    def _reason(cls, why: str, info: ValidationInfo) -> str:
        if info.data.get("kind", "measured") != "measured" and not why:
            raise ValueError(f"is missing for a {info.data['kind']} number; give the reason")
        return why

    @model_validator(mode="after")
    def _value_in_range(self) -> Self:
        quantity = self._quantity()
        if self.range is not None and quantity is not None and not self.range[0] <= quantity <= self.range[1]:
            raise ValueError(f"the range {self.range} does not contain {quantity:g}; mend one of the two")
        return self


class ProbabilityNumber(Origin):
    value: Probability

    def _quantity(self) -> float:
        return self.value


class NotNegativeNumber(Origin):
    largest: ClassVar[float] = LARGEST

    value: NotNegative

    def _quantity(self) -> float:
        return self.value


class LinkNumber(Origin):
    probability: Probability | None = None
    link: Probability | None = None

    def _quantity(self) -> float | None:
        return self.probability if self.probability is not None else self.link

    @model_validator(mode="after")
    def _one_convention(self) -> Self:
        if (self.probability is None) == (self.link is None):
            given = "neither probability nor link is" if self.link is None else "both probability and link are"
            raise ValueError(f"{given} given; give a probability (background included) or a link (background excluded)")
        return self


Odds = dict[Id, dict[Id, NotNegativeNumber]]
Links = dict[Id, LinkNumber]
CodeLists = dict[Id, list[Code]]


class CareTable(Table):
    who: Text
    examinations: list[Text]
    helps: list[Annotated[Any, AfterValidator(_help)]]
    avoid: list[Annotated[Any, AfterValidator(_warning)]]
    harmed_by: list[Id] = []
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
    weight: dict[Id, NotNegativeNumber]


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
    burden: Burden
    synonyms: list[Label] = []
    codes: CodeLists = {}
    implies: list[Id] = []
    excludes: list[Id] = []
    leak: ProbabilityNumber
    odds: Odds = {}


class PriorTable(Origin):
    when: dict[Id, Annotated[list[Id], Field(min_length=1)]] = {}
    probabilities: Annotated[dict[Id, Probability], Field(min_length=1)]


class RiskFactorTable(Table):
    label: Label
    question: Text
    group: Id
    burden: Burden
    synonyms: list[Label] = []
    states: Annotated[list[Id], Field(min_length=2, max_length=40)] = ["absent", "present"]
    reference: Id = "absent"
    unit: Annotated[Label, StringConstraints(max_length=20)] = ""
    lower_bounds: list[Bound] = []
    upper_bound: Bound = 0.0
    prior: Annotated[list[PriorTable], Field(min_length=1)]


class SettingTable(Table):
    label: Label
    coincidence: NotNegativeNumber


class ModelTable(Table):
    format: Annotated[int, Field(ge=1, le=FORMAT)]
    name: Id
    version: Version
    title: Label
    intended_use: Text
    population: Text
    not_for: list[Text]
    licence: Label
    complaint: Id
    scope: dict[Id, Annotated[list[Bound], Field(min_length=2, max_length=2)]] = {}
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


class PossibleTable(Table):
    source: Sources
    why: Text
    by_urgency: dict[LevelName, Probability]


class AdviceKindTable(Table):
    label: Label
    avoid: Text
    includes: list[Id] = []
    not_from: LevelName | None = None
    harms_if: Annotated[Any, AfterValidator(_condition)] = None
    leading_from: LevelName | None = None
    possible_above: PossibleTable | None = None


class AdviceTable(Table):
    possible_above: PossibleTable
    kinds: Annotated[dict[Id, AdviceKindTable], Field(min_length=1)]


class AdvisedTable(Table):
    leading: Annotated[int, Field(ge=1, le=20)]
    likely: Probability
    suspects_alone_from: LevelName | None = None
    source: Sources
    why: Text


class WatchKindTable(Table):
    text: Label
    rules: Annotated[list[Id], Field(min_length=1)]


class SafetyNetTable(Table):
    history: list[Id] = []
    together: Annotated[int, Field(ge=1, le=4)]
    by_level: dict[LevelName, Text]
    kinds: dict[Id, WatchKindTable] = {}


class InterviewTable(Table):
    floor_from: LevelName
    first: list[Id] = []
    boxes: Annotated[int, Field(ge=1, le=39)]
    epsilon: Annotated[float, Field(gt=0, lt=1)]
    checklist: Label
    help: Why = ""
    more: Label


class RepeatTable(Table):
    cause: Id
    above: Probability
    text: Text


class TestTable(Table):
    not_if: Annotated[Any, AfterValidator(_condition)] = None
    only_below: dict[Id, Probability] = {}
    absent_says_nothing_if: Annotated[Any, AfterValidator(_condition)] = None
    repeat_if_absent: RepeatTable | None = None
    note: Text
    source: Sources
    why: Why = ""


class WordsTable(Table):
    """Each template holds what the plain one of its name holds."""

    plain: ClassVar[Mapping[str, str]]

    @model_validator(mode="before")
    @classmethod
    def _fills_in_what_it_says(cls, table: Any) -> Any:
        for name, text in table.items() if isinstance(table, dict) else ():
            problem = words_fault(cls.plain, name, text)
            if problem:
                raise ValueError(f"{name} {problem}")
        return table


class AskingWordsTable(WordsTable):
    plain = ASKING

    could_reveal: Text
    would_move: Text
    if_present: Text
    if_absent: Text
    if_state: Text
    how: Text
    one: Label
    many: Label
    number: Label
    number_of: Label
    settled: Text
    budget: Text
    nothing_left: Text
    unanswered: Text
    kept: Text
    not_weighed: Text | None = None


class UrgencyWordsTable(WordsTable):
    plain = URGENCY

    preferred: Text
    danger: Text
    likely: Text
    cleared: Text
    cleared_cause: Text
    remains: Text
    cause: Text
    doubt: Text
    no_doubt: Text
    no_probabilities: Text
    nothing_known: Text
    open_rule: Text
    open_rules: Text
    outside: Text
    atypical: Text
    no_complaint: Text
    under: Text
    over: Text


class AskingTable(Table):
    advised: AdvisedTable
    safety_net: SafetyNetTable
    interview: InterviewTable
    words: AskingWordsTable
    tests: dict[Id, TestTable] = {}


class ProbabilityWords(Table):
    at_least: Annotated[float, Field(ge=0, lt=1)]
    text: Label


class StrengthWords(Table):
    at_least: NotNegative
    text: Label


class SentencesTable(Table):
    """Each template with what it must hold; `template_faults` says what else it may."""

    summary: Text
    supports: Text
    opposes: Text
    supporting: Text
    opposing: Text
    absent: Text
    doubtful: Text
    doubted: Text
    state: Text
    nothing: Text
    indirect: Text
    speaks_for: Text
    speaks_against: Text
    process: Text
    through_parent: Text
    through_child: Text
    competitor: Text
    unasked: Text
    would_change: Text
    would_tell: Text
    ruled_out: Text
    certain: Text
    outside_setting: Text
    several_orders: Text
    unasked_near: Text
    unasked_unknown: Text
    contest: Text
    telling: Text
    between: Text
    no_difference: Text
    both: Text
    sets: Text
    one_set: Text
    change: Text
    level_change: Text
    outcome_change: Text
    assessed: Text
    insufficient: Text
    outside_scope: Text
    beyond: Text
    conflict: Text
    pair: Text
    spread: Text
    percentile: Text
    no_percentile: Text

    @model_validator(mode="before")
    @classmethod
    def _fills_in_what_it_says(cls, table: Any) -> Any:
        for name, text in table.items() if isinstance(table, dict) else ():
            problem = template_fault(name, text)
            if problem:
                raise ValueError(f"{name} {problem}")
        return table


class ExplanationTable(Table):
    probability: Annotated[list[ProbabilityWords], Field(min_length=1, max_length=20)]
    dangerous_from: LevelName
    dangerous: Annotated[list[ProbabilityWords], Field(min_length=1, max_length=20)]
    strength: Annotated[list[StrengthWords], Field(min_length=1, max_length=20)]
    conflict_below: Probability
    sentences: SentencesTable

    @field_validator("probability", "dangerous", "strength")
    @classmethod
    def _rising_from_0(cls, bands: list[Any]) -> list[Any]:
        bounds = [band.at_least for band in bands]
        if bounds[0] != 0 or bounds != sorted(set(bounds)):
            raise ValueError(f"begins at {bounds[0]:g} or does not rise; begin at 0 and let at_least rise")
        return bands


class RuleTable(Table):
    id: Id
    level: LevelName
    reason: Text
    source: Sources
    suspects: list[Id] = []
    first_help: list[Annotated[Any, AfterValidator(_help)]] = []
    avoid: list[Annotated[Any, AfterValidator(_warning)]] = []
    when: Annotated[Any, AfterValidator(_condition)]


class CautionTable(Table):
    level: LevelName
    deviations: Annotated[float, Field(ge=0, le=10)]
    if_too_dear: Annotated[float, Field(ge=0, le=10)]
    source: Sources
    why: Text


class TypicalityTable(Table):
    atypical_below: Probability
    source: Sources
    why: Text


class DoubtfulReportsTable(Table):
    surely_above: Annotated[float, Field(ge=1, le=LARGEST)]
    source: Sources
    why: Text


class UrgencyTable(Table):
    levels: dict[LevelName, LevelTable]
    loss: LossTable
    caution: CautionTable | None = None
    typicality: TypicalityTable | None = None
    doubtful_reports: DoubtfulReportsTable | None = None
    words: UrgencyWordsTable | None = None
    rules: list[RuleTable] = []


class SourceTable(Table):
    citation: Text
    url: Url
    kind: Literal["article", "guideline", "web", "judgement"]
