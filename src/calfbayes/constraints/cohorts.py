"""Simulated patients, for what no list of queries can say: scores with many items, and the level of the middle patient.

Patients are drawn from the model itself, and each is then asked about exactly. A score's strata use the patients'
posteriors, not whether the simulation gave them the cause: the same expectation with a smaller error.

References:
    Casella, Robert (1996), Rao-Blackwellisation of sampling schemes.
    Efron, Tibshirani (1993), An introduction to the bootstrap, chapter 21: the delta method.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from calfbayes.audit.expression import parse
from calfbayes.constraints.beliefs import Beliefs, names_of, pieces
from calfbayes.constraints.terms import Bounds, Measure, Score, Selection, Value
from calfbayes.diagnosis.encoding import encode_as_told
from calfbayes.evidence import read_evidence, state_of
from calfbayes.inference.simulation import simulate_states
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network

MAX_BATCHES = 100  # of patients without a single one of those wanted, before the search is given up

Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure read off simulated patients, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Scored:
    """Simulated patients with their score; one entry for all who tell the same.

    Attributes:
        weight: Number of patients.
        affected: P(cause | what they tell).
        points: Their score.
    """

    weight: Array
    affected: Array
    points: Array

    def read(self, stratum: Bounds, measure: Measure) -> Estimate:
        """The figure of a stratum."""
        inside = (self.points >= stratum.low) & (self.points <= stratum.high)
        if measure == Measure.PROBABILITY:
            return _ratio_of_sums([(self.affected * inside, 1), (inside.astype(float), -1)], self.weight)
        unaffected = 1 - self.affected
        sums = [(self.affected * inside, 1), (self.affected, -1), (unaffected * inside, -1), (unaffected, 1)]
        return _ratio_of_sums(sums, self.weight)

    def number(self, stratum: Bounds) -> int:
        """How many of the patients are in a stratum."""
        return round(float(self.weight[(self.points >= stratum.low) & (self.points <= stratum.high)].sum()))


def scored(beliefs: Beliefs, score: Score, setting: str, patients: Sequence[Selection]) -> Scored:
    """Draw patients and give each their score."""
    network = beliefs.network
    items = [(item.points, parse(network, item.when) if item.when else None) for item in score.items]
    names = dict.fromkeys(score.ask)
    for _, when in items:
        names.update(dict.fromkeys(when.choices if when else ()))
    for selection in patients:
        names.update(dict.fromkeys(names_of(network, selection)))
    columns = draw(beliefs, setting, patients, score.patients, score.seed)
    others = [c for k in network.causes if (c := network.nodes[k].id) not in (score.cause, *score.no_diagnosis)]
    rows = []
    for told, count in Counter(tell(network, columns, tuple(names))).items():
        posterior = beliefs.posterior(setting, encode_as_told(network, read_evidence(network, dict(told), setting=setting)))
        affected = posterior.hidden[network.node_index[score.cause]]
        other = max(posterior.hidden[network.node_index[cause]] for cause in others)
        points = sum(
            worth
            for worth, when in items
            if (_matches(dict(told), when.pieces) if when is not None else bool(other >= affected))
        )
        rows.append((count, affected, points))
    weight, affected_by_row, points_by_row = np.array(rows, dtype=float).reshape(-1, 3).T
    return Scored(weight, affected_by_row, points_by_row)


def draw(beliefs: Beliefs, setting: str, patients: Sequence[Selection], n: int, seed: int) -> Columns:
    """Draw n of the selected patients, or none if the model hardly knows such patients."""
    network = beliefs.network
    wanted = pieces(network, patients)
    generator = np.random.default_rng(seed)
    kept: list[Columns] = []
    found = batches = 0
    while not kept or (found < n and wanted and (found or batches < MAX_BATCHES)):
        columns = simulate_states(network, beliefs.solved.bases[setting].logits, max(n, 1_000), generator)
        inside = np.zeros(max(n, 1_000), dtype=bool)
        for piece in wanted:
            inside |= np.all([columns[name] == _as_drawn(network, name, value) for name, value in piece.items()] or [True], 0)
        kept.append({name: values[inside] for name, values in columns.items()})
        found += int(inside.sum())
        batches += 1
    return {name: np.concatenate([columns[name] for columns in kept])[: n if found else 0] for name in kept[0]}


def tell(network: Network, columns: Columns, names: Sequence[str]) -> Iterator[tuple[tuple[str, bool | str], ...]]:
    """What each simulated patient says about some findings and risk factors."""
    if not names:
        yield from repeat((), len(next(iter(columns.values()))))
    binary = [isinstance(r := network.records[name], RiskFactor) and r.is_binary for name in names]
    for values in zip(*(columns[name].tolist() for name in names), strict=True):
        yield tuple(
            (name, value == "present" if yes_or_no else value)
            for name, value, yes_or_no in zip(names, values, binary, strict=True)
        )


def _matches(told: Mapping[str, bool | str], wanted: Sequence[Mapping[str, Value]]) -> bool:
    return any(all(told[name] == value for name, value in piece.items()) for piece in wanted)


def _as_drawn(network: Network, name: str, value: Value) -> Value:
    """A value as the simulation writes it: risk factors by state."""
    record = network.records[name]
    return state_of(record, value) if isinstance(record, RiskFactor) else value


def _ratio_of_sums(sums: Sequence[tuple[Array, int]], weight: Array) -> Estimate:
    """A product of powers of weighted sums, the powers adding up to 0; NaN where nobody is left to count."""
    log_value, influence = 0.0, np.zeros_like(weight)
    for values, power in sums:
        total = float((weight * values).sum())
        if total <= 0:
            return Estimate(float("nan"), float("nan"))
        log_value += power * log(total)
        influence += power * values / total
    value = exp(log_value)
    return Estimate(value, value * sqrt(float((weight * influence**2).sum())))
