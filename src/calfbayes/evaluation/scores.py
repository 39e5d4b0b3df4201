"""What a model says of published patients, held against what was published.

Two questions are scored apart, for they fail apart: whether the published cause comes first, or an acceptable one among
the first three; and whether the urgency is the one that was needed, and if not, by how many levels and in which direction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.errors import CalfBayesError, Fault
from calfbayes.evaluation.case_files import Case, CaseFileError
from calfbayes.evaluation.frequency import wilson_interval
from calfbayes.evidence import read_evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level

SHORT_LIST = 3
RESAMPLES = 2_000
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one published patient.

    Attributes:
        in_model: Whether the model knows the published cause at all.
        unknown: The published cause and the acceptable ones, as far as they are no causes of the model.
        ranked: Ids of all causes, most probable first; empty if the result holds no probabilities.
        level: The urgency level that was given.
        probabilities: Of the causes, in the order of `ranked`; empty if they were not kept.
    """

    case: Case
    in_model: bool
    ranked: tuple[str, ...]
    level: Level
    probabilities: tuple[float, ...] = ()
    unknown: tuple[str, ...] = ()

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
class Measured:
    """A share of the cases, with its 95 % interval.

    Attributes:
        value: NaN if no case counts.
        low: 2.5th percentile of the bootstrap, or, at a share of 0 or 1, the end of the score interval; NaN likewise.
        high: 97.5th percentile, or the other end.
        n: Cases that count.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class OfCause:
    """How the cases with one published cause come out.

    Attributes:
        first, short_listed, too_low, too_high: Numbers of cases.
        ranks: Rank of the cause in each case, from 1; None where it was not ranked.
    """

    cause: str
    n: int
    first: int
    short_listed: int
    too_low: int
    too_high: int
    ranks: tuple[int | None, ...]


# What is measured of a case: whether it came out so, or None if the case does not count.
MEASURES: Mapping[str, Callable[[Answer], bool | None]] = {
    "first": lambda answer: answer.first if answer.in_model else None,
    "short_listed": lambda answer: answer.short_listed,
    "too_high": lambda answer: answer.levels_too_high > 0,
    "too_low": lambda answer: answer.levels_too_high < 0,
    "far_too_low": lambda answer: answer.levels_too_high < -1,
    "must_not_miss": lambda answer: answer.levels_too_high >= 0 if answer.case.must_not_miss else None,
    "emergency_flagged": lambda answer: answer.level == Level.EMERGENCY if _is_emergency(answer) else None,
    "emergency_same_day": lambda answer: answer.level >= Level.SAME_DAY if _is_emergency(answer) else None,
}


@dataclass(frozen=True, slots=True)
class Scores:
    """The answers, in the order of the cases; everything else is computed from these."""

    answers: tuple[Answer, ...]

    @property
    def first(self) -> float:
        """Share of cases with the published cause first, among those whose cause the model knows."""
        return self._share("first")

    @property
    def short_listed(self) -> float:
        """Share of cases with an acceptable cause among the first three."""
        return self._share("short_listed")

    @property
    def too_high(self) -> float:
        """Over-triage: share of cases whose level is above the one needed."""
        return self._share("too_high")

    @property
    def too_low(self) -> float:
        """Under-triage: share of cases whose level is below the one needed."""
        return self._share("too_low")

    @property
    def must_not_miss(self) -> float:
        """Recall: share of the cases that must not be missed whose level is at least the one needed."""
        return self._share("must_not_miss")

    @property
    def triage(self) -> tuple[tuple[int, ...], ...]:
        """Cases by level needed (rows) and level given (columns), both least urgent first."""
        pairs = [(answer.case.true_urgency, answer.level) for answer in self.answers]
        return tuple(tuple(pairs.count((needed, given)) for given in LEVELS_BY_SEVERITY) for needed in LEVELS_BY_SEVERITY)

    @property
    def by_cause(self) -> tuple[OfCause, ...]:
        """One row for each published cause, in alphabetical order."""
        causes = sorted({answer.case.final_diagnosis for answer in self.answers})
        return tuple(_of_cause(name, [a for a in self.answers if a.case.final_diagnosis == name]) for name in causes)

    @property
    def unknown_causes(self) -> dict[str, tuple[str, ...]]:
        """What the cases name as a cause and the model does not know, which counts as missed, with the ids of the cases."""
        names = sorted({name for answer in self.answers for name in answer.unknown})
        return {name: tuple(answer.case.id for answer in self.answers if name in answer.unknown) for name in names}

    @property
    def stated(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Every probability that was given to a cause, and whether that cause was the published one, shape (n,) each.

        Cases whose cause the model does not know are left out. Patients are published because they are remarkable, so this
        shows whether the model is too sure of itself, not whether it is calibrated in a practice.
        """
        told = [
            (probability, name == answer.case.final_diagnosis)
            for answer in self.answers
            if answer.in_model
            for name, probability in zip(answer.ranked, answer.probabilities, strict=False)
        ]
        return np.array([p for p, _ in told], dtype=float), np.array([so for _, so in told], dtype=bool)

    def measures(self, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Measured]:
        """Every share of `MEASURES` with a bootstrap interval: the cases are drawn again with replacement.

        Where all cases agree they do so however they are drawn, and the bootstrap has no width. There stands the score
        interval: nine of nine may well be 70 %.

        Args:
            resamples: How often.
            seed: Of the random generator; the same seed gives the same intervals.

        References:
            Efron, Tibshirani (1993), An introduction to the bootstrap, chapter 13: the percentile interval.
            Wilson (1927), Probable inference, the law of succession, and statistical inference: the score interval.
        """
        n = len(self.answers)
        times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) if n else np.zeros((0, 0))
        found = {}
        for name in MEASURES:
            outcomes = [MEASURES[name](answer) for answer in self.answers]
            counted = np.array([outcome is not None for outcome in outcomes], dtype=float)
            held = np.array([outcome is True for outcome in outcomes], dtype=float)
            found[name] = _measured(held.sum(), counted.sum(), times @ held, times @ counted)
        return found

    def to_dict(self, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
        """Plain values for JSON; a share of no case is null."""
        levels = [str(level) for level in LEVELS_BY_SEVERITY]
        return {
            "schema_version": SCHEMA_VERSION,
            "cases": len(self.answers),
            "measures": {
                name: {
                    "value": _or_null(measured.value),
                    "low": _or_null(measured.low),
                    "high": _or_null(measured.high),
                    "n": measured.n,
                }
                for name, measured in self.measures(resamples=resamples, seed=seed).items()
            },
            "bootstrap": {"resamples": resamples, "seed": seed},
            "triage": {needed: dict(zip(levels, row, strict=True)) for needed, row in zip(levels, self.triage, strict=True)},
            "by_cause": [asdict(row) for row in self.by_cause],
            "unknown_causes": {name: list(cases) for name, cases in self.unknown_causes.items()},
            "answers": [
                {
                    "id": answer.case.id,
                    "cause": answer.case.final_diagnosis,
                    "rank": answer.rank,
                    "first_three": list(answer.ranked[:SHORT_LIST]),
                    "needed": str(answer.case.true_urgency),
                    "given": str(answer.level),
                }
                for answer in self.answers
            ],
        }

    def _share(self, name: str) -> float:
        return _share([outcome for outcome in map(MEASURES[name], self.answers) if outcome is not None])


def evaluate(solved: SolvedNetwork, cases: Iterable[Case], *, origin: str = "given") -> Scores:
    """Diagnose every case and score the answers.

    Args:
        origin: Where the cases come from, for the error.

    Raises:
        CaseFileError: If cases hold an id or a value that the model does not know, or contradict themselves; it names all.
    """
    answers: list[Answer] = []
    faults: list[Fault] = []
    for case in cases:
        try:
            answers.append(_answer(solved, case))
        except CalfBayesError as error:
            faults.append(Fault(f"case {case.id}", "", str(error), "correct the case or leave it out"))
    if faults:
        raise CaseFileError(origin, tuple(faults))
    return Scores(tuple(answers))


def _answer(solved: SolvedNetwork, case: Case) -> Answer:
    diagnosis = diagnose(solved, read_evidence(solved.network, dict(case.known), setting=case.setting))
    known = {cause.id for cause in solved.network.knowledge.causes}
    unknown = tuple(name for name in dict.fromkeys((case.final_diagnosis, *case.acceptable_top3)) if name not in known)
    ranked = tuple(entry.id for entry in diagnosis.causes)
    probabilities = tuple(entry.probability for entry in diagnosis.causes)
    return Answer(case, case.final_diagnosis in known, ranked, diagnosis.urgency.level, probabilities, unknown)


def _is_emergency(answer: Answer) -> bool:
    return answer.case.true_urgency == Level.EMERGENCY


def _of_cause(name: str, answers: Sequence[Answer]) -> OfCause:
    return OfCause(
        cause=name,
        n=len(answers),
        first=sum(answer.first for answer in answers),
        short_listed=sum(answer.short_listed for answer in answers),
        too_low=sum(answer.levels_too_high < 0 for answer in answers),
        too_high=sum(answer.levels_too_high > 0 for answer in answers),
        ranks=tuple(answer.rank for answer in answers),
    )


def _or_null(number: float) -> float | None:
    return None if isnan(number) else number


def _measured(held: float, n: float, held_again: NDArray[np.float64], n_again: NDArray[np.float64]) -> Measured:
    """A share and its 95 % interval.

    Args:
        held_again, n_again: Of the samples of the bootstrap, shape (resamples,) each.
    """
    if not n:
        return Measured(float("nan"), float("nan"), float("nan"), 0)
    value = float(held / n)
    if value in {0.0, 1.0}:
        low, high = (float(end) for end in wilson_interval(value, n, level=0.95))
    else:
        low, high = np.percentile(held_again[n_again > 0] / n_again[n_again > 0], [2.5, 97.5]).tolist()
    return Measured(value, low, high, int(n))


def _share(held: list[bool]) -> float:
    """Share of those that held; NaN of none."""
    return sum(held) / len(held) if held else float("nan")
