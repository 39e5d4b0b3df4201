"""The records that a model is made of: frozen, hashable, without arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal, TypeAlias

from calfbayes.errors import ArgumentError
from calfbayes.knowledge.wording import short


class Level(StrEnum):
    """How soon a person needs care. `severity` orders the levels: greater is more urgent."""

    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    WITHIN_DAYS = "within_days"
    ROUTINE = "routine"
    SELF_CARE = "self_care"

    @property
    def severity(self) -> int:
        """0 (self care) to 4 (emergency)."""
        return len(Level) - 1 - list(Level).index(self)

    # as text "emergency" would come before "within_days": levels compare by severity, and with levels only
    def __lt__(self, other: str) -> bool:
        return self.severity < _level(other).severity

    def __le__(self, other: str) -> bool:
        return self.severity <= _level(other).severity

    def __gt__(self, other: str) -> bool:
        return self.severity > _level(other).severity

    def __ge__(self, other: str) -> bool:
        return self.severity >= _level(other).severity


def _level(other: object) -> Level:
    if not isinstance(other, Level):
        raise ArgumentError("level", short(other), "a Level, such as Level.SAME_DAY")
    return other


LEVELS_BY_SEVERITY: tuple[Level, ...] = tuple(reversed(Level))


class Observer(IntEnum):
    """The least equipped person who can tell whether a finding is present."""

    PATIENT = 0
    CLINICIAN = 1
    LABORATORY = 2


@dataclass(frozen=True, slots=True)
class Elicited:
    """A number with its origin and its doubt.

    Attributes:
        value: The number.
        kind: `measured`, `derived` or `judged`.
        sources: Ids in the bibliography.
        n: Equivalent sample size, or None if `low` and `high` are given.
        low: Lower end of the 90 % range, or None.
        high: Upper end of the 90 % range, or None.
        why: One clause of reasoning; may be empty for measured numbers.
    """

    value: float
    kind: str
    sources: tuple[str, ...]
    n: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An arc into a noisy-OR node.

    Attributes:
        child: Id of the node that the arc points at.
        number: The elicited probability, in the convention below.
        includes_leak: True if the number is P(child | parent alone), background included; False if it is the
            link probability itself.
    """

    child: str
    number: Elicited
    includes_leak: bool


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """The odds ratio of one state of a risk factor on a node's own probability."""

    factor: str
    state: str
    number: Elicited


@dataclass(frozen=True, slots=True)
class Weight:
    """How often something is a cause of the complaint in one care setting, relative to the other causes."""

    setting: str
    number: Elicited


@dataclass(frozen=True, slots=True)
class Care:
    """What to do about a cause or complication, in words for lay people.

    Attributes:
        who: Who to see.
        help_kinds: For each entry of `helps` the kinds of advice that it gives and that could harm somebody else.
        avoid_kinds: For each entry of `avoid` the kind of advice that it warns of in words of its own, "" if of none;
            one that is not in `harmed_by` is a warning for some patients only, and left out where all are warned of the kind.
        harmed_by: Kinds of advice that harm somebody who has this.
        come_back: The safety net: when to come back at once.
    """

    who: str
    examinations: tuple[str, ...]
    helps: tuple[str, ...]
    avoid: tuple[str, ...]
    come_back: str
    sources: tuple[str, ...]
    help_kinds: tuple[tuple[str, ...], ...]
    avoid_kinds: tuple[str, ...]
    harmed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """Identifiers of a concept in one terminology."""

    system: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """A condition that is (part of) why this calf hurts."""

    id: str
    label: str
    description: str
    group: str
    urgency: Level
    synonyms: tuple[str, ...]
    codes: tuple[Codes, ...]
    weights: tuple[Weight, ...]
    odds: tuple[OddsRatio, ...]
    links: tuple[Link, ...]
    care: Care


@dataclass(frozen=True, slots=True)
class Complication:
    """What a cause may lead to, and what then sets the urgency."""

    id: str
    label: str
    description: str
    group: str
    urgency: Level
    synonyms: tuple[str, ...]
    codes: tuple[Codes, ...]
    leak: Elicited
    odds: tuple[OddsRatio, ...]
    links: tuple[Link, ...]
    care: Care


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A hidden process that several findings share."""

    id: str
    label: str
    description: str
    leak: Elicited
    odds: tuple[OddsRatio, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A symptom, sign or test: present, absent or unknown."""

    id: str
    label: str
    question: str
    kind: Literal["symptom", "sign", "test"]
    group: str
    observer: Observer
    burden: int
    synonyms: tuple[str, ...]
    codes: tuple[Codes, ...]
    implies: tuple[str, ...]
    excludes: tuple[str, ...]
    leak: Elicited
    odds: tuple[OddsRatio, ...]


@dataclass(frozen=True, slots=True)
class PriorRow:
    """One row of a risk factor's table.

    Attributes:
        when: For each parent the states that the row covers.
        probabilities: Probability of each state, in the order of the factor's states.
        number: Origin and doubt; its value is the probability of not being in the reference state.
    """

    when: tuple[tuple[str, tuple[str, ...]], ...]
    probabilities: tuple[float, ...]
    number: Elicited


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """What alters a probability before any finding is known.

    Attributes:
        states: All states; two (`absent`, `present`) for a yes/no factor.
        reference: The state whose odds ratios are 1.
        unit: Unit of the number that is asked, or empty if a state is asked.
        lower_bounds: With a unit, the lower end of each state's half-open band.
        upper_bound: With a unit, the largest number that is accepted (it belongs to the last band).
        parents: Ids of the risk factors that its prior depends on.
    """

    id: str
    label: str
    question: str
    group: str
    burden: int
    synonyms: tuple[str, ...]
    states: tuple[str, ...]
    reference: str
    unit: str
    lower_bounds: tuple[float, ...]
    upper_bound: float
    parents: tuple[str, ...]
    prior: tuple[PriorRow, ...]

    @property
    def is_binary(self) -> bool:
        """True for a yes/no factor."""
        return self.states == ("absent", "present")


@dataclass(frozen=True, slots=True)
class Setting:
    """A care setting: which weights hold, and how many causes one patient has on average (minus 1)."""

    id: str
    label: str
    coincidence: Elicited


@dataclass(frozen=True, slots=True)
class Atom:
    """A finding that is present (`state` is `present`), or a state of a risk factor."""

    id: str
    state: str

    def __str__(self) -> str:
        return self.id if self.state == "present" else f"{self.id}={self.state}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds if one of its parts holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds if all of its parts hold."""

    parts: tuple["Condition", ...]


Condition: TypeAlias = "Atom | AnyOf | AllOf"


@dataclass(frozen=True, slots=True)
class Rule:
    """A red flag: when its condition holds, the urgency is at least its level.

    Attributes:
        suspects: Ids of the causes and complications that it is about: while it holds, their advice comes first.
        first_help: What to do at once while it holds.
        help_kinds: For each entry of `first_help` the kinds of advice that it gives; nothing warns of these while it holds.
        avoid: What not to do while it holds.
        avoid_kinds: For each entry of `avoid` the kind of advice that it warns of, "" if of none; it is not given meanwhile.
    """

    id: str
    level: Level
    reason: str
    sources: tuple[str, ...]
    condition: Condition
    suspects: tuple[str, ...] = ()
    first_help: tuple[str, ...] = ()
    help_kinds: tuple[tuple[str, ...], ...] = ()
    avoid: tuple[str, ...] = ()
    avoid_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelText:
    """How a level is shown."""

    level: Level
    label: str
    action: str


@dataclass(frozen=True, slots=True)
class Caution:
    """How far doubt about the numbers counts as danger.

    Attributes:
        level: From this level on, P(the level or more is needed) counts at an upper bound.
        deviations: So many standard deviations of its log odds lie between the probability and the bound; 0 or more.
        if_too_dear: The standard deviation that counts where computing it costs too much; 0 or more.
    """

    level: Level
    deviations: float
    if_too_dear: float


@dataclass(frozen=True, slots=True)
class Urgency:
    """Levels, losses and red-flag rules.

    Attributes:
        loss: `loss[a][b]` is the cost of acting at level a when level b was needed; both by severity, least first.
        caution: None if doubt about the numbers does not count.
        atypical_below: If fewer simulated patients tell nothing more probable, a patient is outside the scope.
        surely_above: Above this likelihood ratio a doubtful report counts as present for the rules; infinite if none does.
        sources: Ids in the bibliography of the last three.
        words: Templates of the reasons by name; what stands in braces is filled in.
    """

    levels: tuple[LevelText, ...]
    loss: tuple[tuple[float, ...], ...]
    loss_number: Elicited
    rules: tuple[Rule, ...]
    caution: Caution | None
    atypical_below: float
    surely_above: float
    sources: tuple[str, ...]
    words: tuple[tuple[str, str], ...]

    def said(self, word: str, **parts: object) -> str:
        """A sentence of the model with its parts filled in."""
        return dict(self.words)[word].format(**parts)


@dataclass(frozen=True, slots=True)
class AdviceKind:
    """A kind of advice that helps some and harms others.

    Attributes:
        avoid: The words that warn of it.
        includes: Other kinds of which these words warn, too.
        not_from: No advice of this kind is given if the level is this or more urgent; None if no level forbids it.
        harms_if: It harms whoever is known to have this, whatever the causes are; None if it harms by causes alone.
        leading_from: From this level on it is not given where it harms a cause that leads the advice, however improbable, or
            where nothing is known of probabilities; below only where that cause is possible. None if it is so at every level.
        possible_above: By severity of a cause's urgency, least first: above this probability the cause is still possible, and
            no advice of this kind is given that harms it.
        sources: Of the bounds, if they are other than the usual ones.
    """

    id: str
    label: str
    avoid: str
    includes: tuple[str, ...]
    not_from: Level | None
    harms_if: "Condition | None"
    leading_from: Level | None
    possible_above: tuple[float, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The kinds of advice that can harm, and when a cause counts as still possible.

    Attributes:
        possible_above: By severity of a cause's urgency, least first: above this probability it is still possible, unless
            the kind of advice has bounds of its own.
    """

    kinds: tuple[AdviceKind, ...]
    possible_above: tuple[float, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """When an absent result of a test is not believed, and the test is done again.

    Attributes:
        cause: Id of the cause or complication that is feared.
        above: Still above this probability after the test.
    """

    cause: str
    above: float
    text: str


@dataclass(frozen=True, slots=True)
class TestGuard:
    """When a test may be proposed, and what its result is worth.

    Attributes:
        test: Id of a finding.
        not_if: The test is not proposed if this holds; None if nothing forbids it.
        only_below: Causes with the probability below which alone the test is proposed.
        absent_says_nothing_if: Where this holds, only a present result counts; None if both always do.
        repeat: When an absent result is not believed; None if it always is.
        note: Why, in words.
    """

    test: str
    not_if: "Condition | None"
    only_below: tuple[tuple[str, float], ...]
    absent_says_nothing_if: "Condition | None"
    repeat: Repeat | None
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """How to go on with a patient: whose advice is given, when to come back, what is asked first, when tests make sense.

    Attributes:
        leading: Of so many causes at most the advice is given.
        likely: Least probability of a cause whose advice is given, but for the most probable.
        suspects_alone_from: While a rule of this level or above names what it suspects, causes of a lower level give no
            advice; None if they always may.
        history: Findings that tell how it began; they cannot appear later.
        together: The safety net names sets of at most so many findings.
        come_back: What to do if something appears that needs this level, in words.
        kinds: Headings under which what may appear is told, each with the ids of its rules.
        floor_from: An interview does not take back a level from this one on, of rules at once, of the model once no
            emergency rule is open.
        first: Risk factors and findings that an interview asks first.
        boxes: A checklist has at most so many.
        checklist: The question above a checklist of alarm signs.
        checklist_help: Further explanation; may be empty.
        more: The question above another checklist.
        epsilon: An interview is settled below this chance that all further answers would give another level.
        words: Templates by name; what stands in braces is filled in.
    """

    leading: int
    likely: float
    suspects_alone_from: Level | None
    history: tuple[str, ...]
    together: int
    come_back: tuple[tuple[Level, str], ...]
    kinds: tuple[tuple[str, tuple[str, ...]], ...]
    floor_from: Level
    first: tuple[str, ...]
    boxes: int
    checklist: str
    checklist_help: str
    more: str
    epsilon: float
    words: tuple[tuple[str, str], ...]
    tests: tuple[TestGuard, ...]
    sources: tuple[str, ...]

    def said(self, word: str, **parts: object) -> str:
        """A sentence of the model with its parts filled in."""
        return dict(self.words)[word].format(**parts)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a result is told in words.

    Attributes:
        probability: From which probability on which words hold, rising, the first from 0.
        dangerous_from: From which level on a cause or complication has words of its own.
        dangerous: These words, likewise.
        strength: From which weight of evidence on, in decibans without its sign, which words hold; likewise.
        conflict_below: Share of simulated patients up to which answers that conflict as much are told as a caution, though no
            pair of them stands out.
        sentences: Templates by name; what stands in braces is filled in.
    """

    probability: tuple[tuple[float, str], ...]
    dangerous_from: Level
    dangerous: tuple[tuple[float, str], ...]
    strength: tuple[tuple[float, str], ...]
    conflict_below: float
    sentences: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An entry of the bibliography."""

    id: str
    citation: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """Everything that a model's files say.

    Attributes:
        complaint: Id of the finding that brings the person: the plain OR of all causes.
        scope: Numeric risk factors with the lowest and highest number that the model is meant for.
        digest: SHA-256 over the canonical content of the files, as hexadecimal digits.
    """

    name: str
    version: str
    title: str
    intended_use: str
    population: str
    not_for: tuple[str, ...]
    licence: str
    complaint: str
    scope: tuple[tuple[str, float, float], ...]
    default_setting: str
    settings: tuple[Setting, ...]
    risk_factors: tuple[RiskFactor, ...]
    causes: tuple[Cause, ...]
    complications: tuple[Complication, ...]
    mechanisms: tuple[Mechanism, ...]
    findings: tuple[Finding, ...]
    urgency: Urgency
    advice: Advice
    asking: Asking
    explanation: Explanation | None
    sources: tuple[Source, ...]
    digest: str


def atoms(condition: Condition) -> Iterator[Atom]:
    """Yield every atom of a condition, from left to right."""
    if isinstance(condition, Atom):
        yield condition
    else:
        for part in condition.parts:
            yield from atoms(part)
