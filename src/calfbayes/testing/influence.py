"""How far edited numbers would move patients, foretold from derivatives, so that no edited model has to be made for most.

P(evidence) and P(evidence, cause) are linear in any one link, leak or prior. So a posterior is a quotient of two linear
functions of it, and its value and slopes here foretell it everywhere: exactly where the number moves nothing else,
nearly so for weights and odds ratios, along with which the bases move. Two numbers at once are taken as if each moved by
itself.

References:
    Laskey (1995), Sensitivity analysis for probability assessments in Bayesian networks.
    Coupe, van der Gaag (2002), Properties of sensitivity analysis of Bayesian belief networks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calfbayes.diagnosis.policy import UrgencyPolicy
from calfbayes.inference.elicited import ElicitedNumber, ElicitedNumbers, Scale, elicited_numbers
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.sensitivity import Posteriors, sensitivities
from calfbayes.inference.solved import SolvedNetwork, severities
from calfbayes.inference.tables import Array


@dataclass(frozen=True, eq=False)
class Foretold:
    """A patient as the model sees them, with derivatives in every elicited number.

    Attributes:
        numbers: Which numbers.
        slopes: Of the causes and of the levels.
    """

    numbers: ElicitedNumbers
    slopes: Posteriors

    def with_numbers(self, moved: Mapping[str, float]) -> tuple[Array, Array]:
        """Posteriors of the causes, and probabilities of the levels, with other numbers.

        Args:
            moved: New values by place, see `place_of`; a place that this patient's setting does not know moves nothing.
        """
        changes = list(self._changes(moved))
        return self.along([position for position, _ in changes], [change for _, change in changes])

    def along(self, positions: Sequence[int], changes: Sequence[float]) -> tuple[Array, Array]:
        """The same, by the positions of the numbers and their changes in units of the derivatives."""
        p = np.concatenate([self.slopes.hidden, self.slopes.labels])
        above, below = p.copy(), 1.0
        for position, change in zip(positions, changes, strict=True):
            of_p = np.concatenate([self.slopes.of_hidden[:, position], self.slopes.of_labels[:, position]])
            of_log_evidence = self.slopes.of_log_evidence[position]
            above += (of_p + p * of_log_evidence) * change
            below += of_log_evidence * change
        foretold = np.clip(above / below, 0.0, 1.0) if below > 0.0 else np.full(len(p), np.nan)
        n = len(self.slopes.hidden)
        return foretold[:n], foretold[n:]

    def _changes(self, moved: Mapping[str, float]) -> Iterator[tuple[int, float]]:
        """Yield the position of each number and its change, in units of the derivatives."""
        places = positions(self.numbers)
        for place, value in moved.items():
            if place in places:
                number = self.numbers.numbers[places[place]]
                yield places[place], (value - number.value) / per_unit(number)


class Screen:
    """Foretells what edited numbers do to some patients.

    Args:
        patients: The care setting and the evidence of each.
    """

    def __init__(self, solved: SolvedNetwork, policy: UrgencyPolicy, patients: Sequence[tuple[str, Encoded]]) -> None:
        self._policy = policy
        labels, causes = severities(solved.network), tuple(solved.network.causes)
        self._foretold = [
            Foretold(
                elicited_numbers(solved, setting),
                sensitivities(solved, setting, evidence, causes, labels=labels, cost_limit=float("inf")),
            )
            for setting, evidence in patients
        ]

    def touched(self, moved: Mapping[str, float], at_least: float) -> list[int]:
        """The positions of patients in whom a cause may move by so much, or whose level by expected loss may change."""
        return [k for k, foretold in enumerate(self._foretold) if self._is_touched(foretold, moved, at_least)]

    def _is_touched(self, foretold: Foretold, moved: Mapping[str, float], at_least: float) -> bool:
        causes, levels = foretold.with_numbers(moved)
        if not np.max(np.abs(causes - foretold.slopes.hidden), initial=0.0) < at_least:  # what cannot be foretold may move
            return True
        now, then = (self._policy.least_loss(tuple(map(float, p))) for p in (foretold.slopes.labels, levels))
        return now != then


def place_of(number: ElicitedNumber) -> str:
    """Where a number stands, as `editing` names it: `causes.myositis.links.redness`."""
    file = number.file.removesuffix(".toml").replace("/", ".")
    return f"{file}.{number.place}"


@lru_cache(maxsize=16)
def positions(numbers: ElicitedNumbers) -> Mapping[str, int]:
    """Position of each number by its place."""
    return {place_of(number): position for position, number in enumerate(numbers.numbers)}


def per_unit(number: ElicitedNumber) -> float:
    """By how much a number itself moves for one unit of its scale."""
    x = number.value
    return {Scale.LOG_ODDS: x * (1.0 - x), Scale.LOG: x, Scale.ITSELF: 1.0}[number.scale]
