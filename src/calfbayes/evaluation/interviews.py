"""How interviews end with patients drawn from the model, held against all that these patients could have told.

A simulated patient knows everything that a patient can tell and answers truthfully: ticks the boxes that are so, and those
without which something that is so would be denied; chooses the option that fits, and says "don't know" where none does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from calfbayes.errors import QueryTooCostlyError
from calfbayes.evaluation.frequency import wilson_interval
from calfbayes.evidence import Value, read_evidence
from calfbayes.inference.simulation import simulate_states
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level, Observer, RiskFactor
from calfbayes.questionnaire.completions import level_of
from calfbayes.questionnaire.interview import Interview, Stop, begin
from calfbayes.questionnaire.session import Questionnaire
from calfbayes.questionnaire.terms import NONE, Kind, Question

COST_LIMIT = 2e9  # of the level of full information: ten times that of a diagnosis, so that few patients are too dear


@dataclass(frozen=True, slots=True)
class Ended:
    """How one interview ended.

    Attributes:
        full: The level that all that the patient could tell gives; None if that is too dear to compute.
        level: The level of the interview at its end.
        without_floor: The level of its result, which an earlier and higher one does not hold up.
        screens: How many screens it took.
    """

    full: Level | None
    level: Level
    without_floor: Level
    screens: int
    stop: Stop


@dataclass(frozen=True, slots=True)
class InterviewScores:
    """Counts over interviews; what is held against full information leaves those out for which that is too dear."""

    ended: tuple[Ended, ...]

    @property
    def agreed(self) -> float:
        """Share that ended at the level of full information."""
        return self._share(e.level == e.full for e in self.ended)

    @property
    def agreed_without_floor(self) -> float:
        """Share whose result ended there, whatever was said earlier in the interview."""
        return self._share(e.without_floor == e.full for e in self.ended)

    @property
    def too_low(self) -> float:
        """Share that ended below it."""
        return self._share(e.full is not None and e.level < e.full for e in self.ended)

    @property
    def emergency_missed(self) -> float:
        """Share that ended below an emergency that full information shows."""
        return self._share(e.full == Level.EMERGENCY != e.level for e in self.ended)

    @property
    def median_screens(self) -> float:
        """Median of the screens."""
        return float(median(e.screens for e in self.ended))

    @property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Interviews by level of full information (rows) and level at the end (columns), both least urgent first."""
        pairs = [(e.full, e.level) for e in self.ended]
        return tuple(tuple(pairs.count((full, level)) for level in LEVELS_BY_SEVERITY) for full in LEVELS_BY_SEVERITY)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; shares with their 95 % Wilson intervals."""
        compared = sum(e.full is not None for e in self.ended)
        names = [str(level) for level in LEVELS_BY_SEVERITY]
        shares = ("agreed", "agreed_without_floor", "too_low", "emergency_missed")
        return {
            "patients": len(self.ended),
            "too_dear": len(self.ended) - compared,
            **{name: _with_interval(getattr(self, name), compared) for name in shares},
            "median_screens": self.median_screens,
            "most_screens": max(e.screens for e in self.ended),
            "stops": {str(stop): sum(e.stop == stop for e in self.ended) for stop in Stop},
            "levels": {full: dict(zip(names, row, strict=True)) for full, row in zip(names, self.levels, strict=True)},
        }

    def _share(self, held: Iterable[bool]) -> float:
        return sum(held) / max(1, sum(e.full is not None for e in self.ended))


def interviews(
    solved: SolvedNetwork,
    questionnaire: Questionnaire,
    setting: str,
    n: int,
    *,
    seed: int,
    known: Iterable[str],
    budget: int | None = None,
    epsilon: float | None = None,
    part: int = 0,
    parts: int = 1,
) -> Iterator[Ended]:
    """Interview patients drawn from the model.

    Args:
        n: How many are drawn.
        known: Risk factors and findings that are known before the interview.
        part: The first one who is interviewed, from 0.
        parts: Then every so-manieth: several processes draw the same patients and share them out.
    """
    patients = simulate_states(solved.network, solved.bases[setting].logits, n, np.random.default_rng(seed))
    given = tuple(known)
    for k in range(part, n, parts):
        answers = told_by(solved, {name: values[k] for name, values in patients.items()})
        start = read_evidence(solved.network, {name: answers[name] for name in given}, setting=setting)
        interview = begin(solved, questionnaire, start, budget=budget, epsilon=epsilon, seed=seed)
        yield _ended(interview, answers)


def reply(question: Question, answers: Mapping[str, Value]) -> tuple[str, ...] | float | None:
    """What somebody who knows these answers says to a question."""
    if question.kind == Kind.NUMBER:
        value = answers[question.number]
        return float(value) if isinstance(value, int | float) else None
    fitting = [o for o in question.options if o.id != NONE and all(answers[name] == value for name, value in o.sets)]
    if question.kind == Kind.MANY:
        told = {name for option in fitting for name, _ in option.sets}
        denied = {name for name in question.names if answers[name] is True} - told
        is_ticked = ((o in fitting and o.sets) or any(name in denied for name, _ in o.sets) for o in question.options)
        return tuple(o.id for o, ticked in zip(question.options, is_ticked, strict=True) if ticked) or (NONE,)
    best = max(fitting, key=lambda option: len(option.sets), default=None)
    return None if best is None else (best.id,)


def _ended(interview: Interview, answers: Mapping[str, Value]) -> Ended:
    while (question := interview.next()) is not None:
        interview = interview.answer(reply(question, answers))
    solved = interview._solved
    everything = read_evidence(solved.network, answers, setting=interview.start.setting)
    policy = interview.result.urgency.policy
    try:
        full = level_of(solved, interview.result.setting, everything, policy, COST_LIMIT)
    except QueryTooCostlyError:
        full = None
    assert interview.stopped is not None  # nothing is asked any more
    return Ended(full, interview.level, interview.result.urgency.level, interview.screens, interview.stopped)


def told_by(solved: SolvedNetwork, drawn: Mapping[str, Any]) -> dict[str, Value]:
    """Everything that a patient can tell."""
    knowledge = solved.network.knowledge
    answers: dict[str, Value] = {}
    for factor in knowledge.risk_factors:
        answers[factor.id] = _value(factor, str(drawn[factor.id]))
    for finding in knowledge.findings:
        if finding.observer == Observer.PATIENT and finding.id != knowledge.complaint:
            answers[finding.id] = bool(drawn[finding.id])
    return answers


def _with_interval(share: float, n: int) -> dict[str, float | int]:
    if not n:
        return {"value": share, "low": 0.0, "high": 1.0, "n": 0}
    low, high = wilson_interval(share, n, level=0.95)
    return {"value": share, "low": float(low), "high": float(high), "n": n}


def _value(factor: RiskFactor, state: str) -> Value:
    if factor.unit:
        return factor.lower_bounds[factor.states.index(state)]
    return state == "present" if factor.is_binary else state
