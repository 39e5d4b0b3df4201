"""How much all answers conflict, against simulated patients with the same items answered.

The measure of a patient is, given the complaint, the setting and the states of the risk factors that were told,

    log [ P(finding 1) P(finding 2) ... / P(all findings) ]

It alone tells little: with many answers it is large for some, whatever is the matter. So patients of the model are drawn who
have the same states of the same risk factors, and asked for the same findings. The percentile is the share of them whose own
answers conflict as much or more: uniform for patients of the model, small for one whose answers do not go together.

Doubtful answers are left out, for how often a report is doubtful is not part of a model. Of answers that others settle only
those others count, as everywhere.

Those who answer alike are computed once, and all of them in few batches (`batches`).

References:
    Jensen, Chamberlain, Nordahl, Jensen (1991), Analysis in HUGIN of data conflict: the measure.
    Besag, Clifford (1989), Generalized Monte Carlo significance tests: ranks of exchangeable draws are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from calfbayes.diagnosis.encoding import encode, weighed
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import QueryTooCostlyError
from calfbayes.evidence import read_evidence, silent_items
from calfbayes.explanation.batches import Positions, Said, batches
from calfbayes.inference.exact import log_joints
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import Query, reduce_batch
from calfbayes.inference.simulation import simulate_states
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import Finding
from calfbayes.network import Network, Numbers

PATIENTS = 1000  # drawn, if the limit allows
FEWEST = 100  # with fewer, nothing is said
SEED = 20
SAME = 1e-9  # of the measure: what rounding may part

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Percentile:
    """Where a patient stands among simulated ones.

    Attributes:
        share: Of the simulated patients those whose answers conflict as much or more; above 0 and at most 1.
        error: Its standard error, from the number of patients.
        patients: How many were simulated.
    """

    share: float
    error: float
    patients: int

    @property
    def alike(self) -> int:
        """How many of the simulated patients that are."""
        return round(self.share * (self.patients + 1)) - 1


def percentile(result: Diagnosis, *, cost_limit: float) -> Percentile | str:
    """Hold how much the answers conflict against patients of the model with the same items answered.

    Args:
        cost_limit: Number of state operations that it may take; where all patients cost more, fewer are taken.

    Returns:
        The percentile; or why there is none.
    """
    network = result._solved.network
    told = weighed(result.evidence).items_by_id
    asked = [name for name, value in told if isinstance(value, bool) and _is_asked(network, name)]
    if len(asked) < 2:
        return "fewer than two findings were answered with yes or no"
    logits, known = result._solved.bases[result.setting].logits, encode(network, result.evidence).risk_states
    people = simulate_states(network, logits, PATIENTS, np.random.default_rng(SEED), known)
    answers = np.stack([people[name].astype(bool) for name in asked], axis=1)
    if len(answers) < FEWEST:
        return f"of the people drawn with these risk factors only {len(answers)} have the complaint"
    own = np.array([[result.evidence[name] is True for name in asked]])
    group = _Group(network, network.numbers(logits), known, asked)
    try:
        measures = group.measures(np.concatenate([own, answers]), cost_limit)
    except QueryTooCostlyError as error:
        return str(error)
    n, alike = len(measures) - 1, int(np.sum(measures[1:] >= measures[0] - SAME))
    among = (1 + alike) / (1 + n)  # the patient is one of them, so it is never 0
    next_one = (1 + alike) / (2 + n)  # nor is the chance of the next one ever 1
    return Percentile(among, sqrt(next_one * (1 - next_one) / n), n)


def _is_asked(network: Network, name: str) -> bool:
    return isinstance(network.records[name], Finding) and name != network.knowledge.complaint


@dataclass(frozen=True, eq=False)
class _Group:
    """Patients with the same risk factors who were asked the same.

    Attributes:
        known: State of each risk factor, or -1.
        asked: Ids of findings.
    """

    network: Network
    numbers: Numbers
    known: tuple[int, ...]
    asked: Sequence[str]

    def measures(self, answers: Rows, cost_limit: float) -> Array:
        """The measure of each patient, shape (patients,); of the first of them, if all would cost too much.

        Args:
            answers: Whether each asked finding is present, shape (patients, asked).

        Raises:
            QueryTooCostlyError: If not even one and `FEWEST` patients can be had.
        """
        few, each, _ = self._alike(answers[: 1 + FEWEST])
        price = sum(operations for _, operations in batches(few, each, self._price))
        if price > cost_limit:
            raise QueryTooCostlyError(price, cost_limit)
        said, everybody, of = self._alike(answers[: 1 + int(FEWEST * cost_limit / price)])
        together = np.empty(len(said))
        for members, _ in batches(said, everybody, self._price):
            together[members] = log_joints(self.network, self.numbers, self._query(said[members]), cost_limit=inf)
        absent, present, nothing = self._alone()
        apart = np.where(said < 0, absent, np.where(said > 0, present, 0.0)).sum(axis=1)
        return np.asarray((apart - (together - nothing))[of])

    def _alike(self, answers: Rows) -> tuple[Said, Positions, Positions]:
        """What is told by those who answer differently, the position of each of these, and that of each patient among them."""
        alike, of = np.unique(answers, axis=0, return_inverse=True)
        return np.stack([self._said(row) for row in alike.tolist()]), np.arange(len(alike)), of.ravel()

    def _said(self, row: Sequence[bool]) -> Said:
        """1 for each finding told to be present, -1 for absent, 0 where other answers settle it; shape (asked,)."""
        evidence = read_evidence(self.network, dict(zip(self.asked, row, strict=True)))
        silent = silent_items(self.network, evidence)
        return np.array([0 if name in silent else 1 if on else -1 for name, on in zip(self.asked, row, strict=True)], np.int8)

    def _query(self, said: Said) -> Query:
        """One patient a lane."""
        off, on = (said <= 0).astype(float), (said >= 0).astype(float)
        reports = {self.network.node_index[name]: (off[:, k], on[:, k]) for k, name in enumerate(self.asked)}
        return Query(self.known, reports)

    def _price(self, said: Said) -> float:
        """Operations of one plan for some patients."""
        return make_plan(reduce_batch(self.network, self.numbers, self._query(said))).operations * len(said)

    def _alone(self) -> tuple[Array, Array, float]:
        """Log P(finding absent), and log P(finding present), of each by itself, shape (asked,); and log P(complaint)."""
        said = -np.eye(len(self.asked), dtype=np.int8)
        logs = log_joints(self.network, self.numbers, self._query(np.vstack([said, 0 * said[:1]])), cost_limit=inf)
        absent = logs[:-1] - logs[-1]
        with np.errstate(divide="ignore"):
            return absent, np.log(-np.expm1(absent)), float(logs[-1])
