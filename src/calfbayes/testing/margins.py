"""How the margin of a demand moves with the elicited numbers: from derivatives, without an edited model.

Nearly every demand bounds a difference of logarithms of masses: P(given, cause) against P(given, rival) where causes are
ranked, P(given, of, cause) against the other three where a likelihood ratio is bounded. A mass is linear in any one link,
leak or prior; so its value and slope here give the margin everywhere along such a number, and nearly so along a weight or
an odds ratio. A level is decided by expected losses, which are linear in the probabilities of the levels.

References:
    Chan, Darwiche (2002), When do numbers really matter?: the least change of a parameter that enforces a query constraint.
    Coupe, van der Gaag (2002), Properties of sensitivity analysis of Bayesian belief networks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log
from typing import Protocol

import numpy as np

from calfbayes.constraints.evaluation import Examiner
from calfbayes.constraints.terms import (
    Bounds,
    Causes,
    Constraint,
    Dominates,
    Frequencies,
    LikelihoodRatio,
    Monotone,
    Moves,
    Probability,
    Ranks,
    Selection,
    Takes,
    UrgencyIs,
    Yields,
)
from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.policy import UrgencyPolicy, policy_of
from calfbayes.evidence import read_evidence
from calfbayes.inference.elicited import elicited_numbers
from calfbayes.inference.sensitivity import sensitivities
from calfbayes.inference.solved import severities
from calfbayes.inference.tables import Array
from calfbayes.testing.influence import Foretold

LEAST = 1e-300  # of a mass whose logarithm is taken


class Margin(Protocol):
    """How far inside a demand the model lies, as a function of one elicited number; negative outside."""

    def at(self, position: int, change: float) -> float:
        """The margin if one number moves.

        Args:
            position: Of the number among `elicited_numbers` of the constraint's setting.
            change: In units of the derivatives in it, see `ElicitedNumber.scale`.
        """
        ...


@dataclass(frozen=True, eq=False)
class Mass:
    """A probability given only the setting and the complaint, with its derivatives, shape (numbers,)."""

    value: float
    slopes: Array

    def log_at(self, position: int, change: float) -> float:
        """Its logarithm if one number moves."""
        return log(max(self.value + float(self.slopes[position]) * change, LEAST))


@dataclass(frozen=True, eq=False)
class LogMargin:
    """Of a sum of logarithms of masses, each with a sign, within bounds on that scale."""

    terms: tuple[tuple[int, Mass], ...]
    low: float
    high: float

    def at(self, position: int, change: float) -> float:
        """As demanded."""
        here = sum(sign * mass.log_at(position, change) for sign, mass in self.terms)
        return min(here - self.low, self.high - here)


@dataclass(frozen=True, eq=False)
class LevelMargin:
    """By how much acting at a demanded level is expected to lose less than acting at another."""

    foretold: Foretold
    policy: UrgencyPolicy
    constraint: UrgencyIs

    def at(self, position: int, change: float) -> float:
        """As demanded."""
        losses = self.policy.expected_losses(tuple(self.foretold.along((position,), (change,))[1].tolist()))
        least, most = self.constraint.least.severity, self.constraint.most.severity
        outside = (*losses[:least], *losses[most + 1 :])
        return min(outside, default=inf) - min(losses[least : most + 1])


def margin_of(examiner: Examiner, constraint: Constraint) -> Margin | None:
    """The margin of a demand by the patients that it states; None where a rule or simulated patients decide."""
    masses = _Masses(examiner, constraint)
    match constraint:
        case Probability():
            bounds = _on(_logit, constraint.wanted.widened(constraint.tolerance))
            return LogMargin(((1, masses.of(constraint.causes)), (-1, masses.without(constraint.causes))), *bounds)
        case Ranks():
            return masses.lead(constraint.cause, masses.rival(constraint.within))
        case Dominates():
            leads = [masses.lead(first, second) for first, second in pairwise(constraint.causes)]
            return _closest(leads)
        case Yields():
            ratios = dict(examiner.compare(constraint).numbers)
            if len(ratios) < len(constraint.to):
                return None  # a finding that no other cause brings about: a link is missing, no number
            finding = min(ratios, key=lambda name: ratios[name])
            found = Selection(((finding, True),))
            belief = examiner.beliefs.about(constraint.setting, *constraint.whom, found)
            return masses.lead(examiner.explaining(belief, constraint.cause, finding)[0], constraint.cause, found)
        case Moves():
            bounds = _on(_log, constraint.times.stretched(constraint.tolerance))
            sides = (constraint.of, constraint.compared_with)
            all_of = [
                LogMargin(masses.quotient(target, *(sides if constraint.upward else sides[::-1])), *bounds)
                for target in constraint.targets
            ]
            return _closest(all_of)
        case LikelihoodRatio():
            bounds = _on(_log, constraint.wanted.stretched(constraint.tolerance))
            return LogMargin(masses.ratio(constraint.causes, constraint.of, constraint.against), *bounds)
        case Frequencies():
            return _closest(
                [
                    LogMargin(masses.share(constraint.causes, these), *_on(_log, wanted.widened(constraint.tolerance)))
                    for these, wanted in constraint.wanted
                ]
            )
        case Takes():
            start = _logit(constraint.start)
            low, high = _on(_logit, constraint.wanted.widened(constraint.tolerance))
            return LogMargin(masses.ratio(constraint.causes, constraint.of, ()), low - start, high - start)
        case Monotone():
            states = dict(examiner.compare(constraint).numbers)  # those in which there is somebody
            ends = list(pairwise(Selection(((constraint.along, state),)) for state in states))
            steps = [masses.quotient((constraint.cause,), *(pair[::-1] if constraint.rising else pair)) for pair in ends]
            return _closest([LogMargin(step, 0.0, inf) for step in steps])
        case UrgencyIs():
            return _closest([_of_level(examiner, constraint, sign) for sign in constraint.each_of or ("",)])
    return None


class _Masses:
    """Masses of the patients of one constraint, with derivatives."""

    def __init__(self, examiner: Examiner, constraint: Constraint) -> None:
        self.examiner = examiner
        self.constraint = constraint
        self.n = len(elicited_numbers(examiner.solved, constraint.setting))

    def of(self, causes: Causes, *more: Selection) -> Mass:
        """P(given, more, any of the causes); of everyone if there are no causes."""
        return self._mass(causes, more, lambda p, of_p: (p, of_p))

    def without(self, causes: Causes, *more: Selection) -> Mass:
        """P(given, more, none of the causes)."""
        return self._mass(causes, more, lambda p, of_p: (1.0 - p, -of_p))

    def lead(self, first: str, second: str, *more: Selection) -> LogMargin:
        """Of one cause over another one."""
        return LogMargin(((1, self.of((first,), *more)), (-1, self.of((second,), *more))), 0.0, inf)

    def quotient(self, target: Causes, over: Selection, under: Selection) -> tuple[tuple[int, Mass], ...]:
        """P(target | over) / P(target | under)."""
        return (
            (1, self.of(target, over)),
            (-1, self.of((), over)),
            (-1, self.of(target, under)),
            (1, self.of((), under)),
        )

    def ratio(self, causes: Causes, of: Selection, against: Causes) -> tuple[tuple[int, Mass], ...]:
        """P(of | causes) / P(of | others)."""
        others = self.of(against, of) if against else self.without(causes, of)
        every_other = self.of(against) if against else self.without(causes)
        return (1, self.of(causes, of)), (-1, self.of(causes)), (-1, others), (1, every_other)

    def share(self, causes: Causes, these: Selection) -> tuple[tuple[int, Mass], ...]:
        """P(these | causes)."""
        return (1, self.of(causes, these)), (-1, self.of(causes))

    def rival(self, within: int) -> str:
        """The cause that a cause has to beat to be among the first ones."""
        constraint = self.constraint
        ranking = self.examiner.beliefs.about(constraint.setting, *constraint.whom).ranking()
        rivals = [cause for cause in ranking if cause != getattr(constraint, "cause", "")]
        return rivals[min(within, len(rivals)) - 1]

    def _mass(self, causes: Causes, more: Sequence[Selection], part: Callable[[float, Array], tuple[float, Array]]) -> Mass:
        """The sum over the pieces of P(piece) times a part of it."""
        solved, setting = self.examiner.solved, self.constraint.setting
        network = solved.network
        labels = [int(network.nodes[k].id in causes) for k in (*network.causes, *network.complications)] if causes else ()
        value, slopes = 0.0, np.zeros(self.n)
        for encoded in self.examiner.beliefs.encoded(setting, (*self.constraint.whom, *more)):
            moved = sensitivities(solved, setting, encoded, labels=labels, cost_limit=inf)
            everyone = float(np.exp(moved.log_evidence))
            p, of_p = part(*(moved.at_least(1) if causes else (1.0, np.zeros(self.n))))
            value += everyone * p
            slopes += everyone * (moved.of_log_evidence * p + of_p)
        return Mass(value, slopes)


def _of_level(examiner: Examiner, constraint: UrgencyIs, sign: str) -> LevelMargin:
    solved, setting = examiner.solved, constraint.setting
    answers = {name: value for selection in constraint.whom for name, value in selection.answers}
    if sign:
        answers[sign] = True
    evidence = encode(solved.network, read_evidence(solved.network, answers, setting=setting))
    moved = sensitivities(solved, setting, evidence, labels=severities(solved.network), cost_limit=inf)
    foretold = Foretold(elicited_numbers(solved, setting), moved)
    return LevelMargin(foretold, policy_of(solved.network.knowledge.urgency), constraint)


def _closest(margins: Sequence[Margin]) -> Margin | None:
    return min(margins, key=lambda margin: margin.at(0, 0.0), default=None)


def _on(scale: Callable[[float], float], bounds: Bounds) -> tuple[float, float]:
    return scale(bounds.low), scale(bounds.high)


def _log(number: float) -> float:
    return log(number) if 0 < number < inf else (inf if number > 0 else -inf)


def _logit(p: float) -> float:
    return _log(p) - _log(1 - p) if p < 1 else inf
