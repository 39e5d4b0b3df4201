"""What a model says of published patients, held against what was published.

Two questions are scored apart, for they fail apart: whether the published cause comes first, or an acceptable one among
the first three; and whether the urgency is the one that was needed, and if not, by how many levels and in which direction.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from calfbayes.diagnosis.result import diagnose
from calfbayes.evaluation.case_files import Case
from calfbayes.evidence import read_evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level

SHORT_LIST = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one published patient.

    Attributes:
        in_model: Whether the model knows the published cause at all.
        ranked: Ids of all causes, most probable first; empty if the result holds no probabilities.
        level: The urgency level that was given.
    """

    case: Case
    in_model: bool
    ranked: tuple[str, ...]
    level: Level

    @property
    def rank(self) -> int | None:
        """Rank of the published cause, from 1; None if it was not ranked."""
        name = self.case.final_diagnosis
        return self.ranked.index(name) + 1 if name in self.ranked else None

    @property
    def first(self) -> bool:
        """Whether the published cause comes first."""
        return self.rank == 1

    @property
    def short_listed(self) -> bool:
        """Whether the published cause, or an acceptable one, is among the first three."""
        accepted = {self.case.final_diagnosis, *self.case.acceptable_top3}
        return not accepted.isdisjoint(self.ranked[:SHORT_LIST])

    @property
    def levels_too_high(self) -> int:
        """Levels given above the one needed; negative if it was too low."""
        return self.level.severity - self.case.true_urgency.severity


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts over the answers, in their order; everything else is a method of these."""

    answers: tuple[Answer, ...]

    @property
    def first(self) -> float:
        """Share of cases with the published cause first, among those whose cause the model knows."""
        return _share([answer.first for answer in self.answers if answer.in_model])

    @property
    def short_listed(self) -> float:
        """Share of cases with an acceptable cause among the first three."""
        return _share([answer.short_listed for answer in self.answers])

    @property
    def too_high(self) -> float:
        """Share of cases whose level is above the one needed."""
        return _share([answer.levels_too_high > 0 for answer in self.answers])

    @property
    def too_low(self) -> float:
        """Share of cases whose level is below the one needed."""
        return _share([answer.levels_too_high < 0 for answer in self.answers])

    @property
    def must_not_miss(self) -> float:
        """Share of the cases that must not be missed whose level is at least the one needed."""
        return _share([answer.levels_too_high >= 0 for answer in self.answers if answer.case.must_not_miss])

    @property
    def triage(self) -> tuple[tuple[int, ...], ...]:
        """Cases by level needed (rows) and level given (columns), both least urgent first."""
        pairs = [(answer.case.true_urgency, answer.level) for answer in self.answers]
        return tuple(tuple(pairs.count((needed, given)) for given in LEVELS_BY_SEVERITY) for needed in LEVELS_BY_SEVERITY)

    def given_when_needed(self, level: Level) -> tuple[Level, ...]:
        """The levels that were given where this one was needed."""
        return tuple(answer.level for answer in self.answers if answer.case.true_urgency == level)


def evaluate(solved: SolvedNetwork, cases: Iterable[Case]) -> Scores:
    """Diagnose every case and score the answers.

    Raises:
        CalfBayesError: If a case holds an id or a value that the model does not know, or contradicts itself.
    """
    return Scores(tuple(_answer(solved, case) for case in cases))


def _answer(solved: SolvedNetwork, case: Case) -> Answer:
    diagnosis = diagnose(solved, read_evidence(solved.network, dict(case.known), setting=case.setting))
    in_model = any(cause.id == case.final_diagnosis for cause in solved.network.knowledge.causes)
    return Answer(case, in_model, tuple(entry.id for entry in diagnosis.causes), diagnosis.urgency.level)


def _share(held: list[bool]) -> float:
    """Share of those that held; NaN of none."""
    return sum(held) / len(held) if held else float("nan")
