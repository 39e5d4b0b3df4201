"""Answers that do not go together: a caution that one of them may be wrong, or that there is more than one cause.

Two answers conflict if they are rarer together than apart,

    P(a) P(b) / P(a and b) > 1          given the complaint, the setting and the risk factors,

and if no single cause makes them go together: P(a and b | this cause and no other) stays below P(a) P(b) for each. The
quotient says how many times rarer. How much all answers conflict is held against simulated patients, see `percentile`.

References:
    Jensen, Chamberlain, Nordahl, Jensen (1991), Analysis in HUGIN of data conflict: the measure.
"""

from dataclasses import dataclass, field, replace
from itertools import combinations
from math import log
from typing import Any

import numpy as np

from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import NoPosteriorError
from calfbayes.explanation.percentile import Percentile, percentile
from calfbayes.explanation.routes import reaches
from calfbayes.explanation.shapley import Rows
from calfbayes.inference.exact import log_joints
from calfbayes.inference.hypothetical import without_some
from calfbayes.inference.reduction import Encoded, Query
from calfbayes.inference.tables import Array
from calfbayes.network import Network, Numbers

LIMIT = 1e9  # state operations of one batch; seconds
LEAST = 1.5  # times rarer; less is not worth a word
MOST_PAIRS = 6  # the worst pairs are held against single causes


@dataclass(frozen=True, slots=True)
class ConflictingPair:
    """Two answers that do not go together.

    Attributes:
        times: How many times rarer they are together than if they had nothing to do with each other.
    """

    first: str
    second: str
    times: float


@dataclass(frozen=True, slots=True, repr=False)
class Conflict:
    """What does not go together.

    Attributes:
        pairs: Pairs of answers that no single cause makes go together, the worst first.
        percentile: Where the answers stand among those of simulated patients with the same items answered; None if that
            cannot be said.
        no_percentile: Why there is no percentile; empty if there is one.
    """

    pairs: tuple[ConflictingPair, ...]
    percentile: Percentile | None
    no_percentile: str
    _result: Diagnosis = field(compare=False)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The caution in the words of the model; none if all goes together, or it has no `explanation.toml`."""
        from calfbayes.presentation.reasons import conflict_sentences

        return conflict_sentences(self._result, self)

    def __repr__(self) -> str:
        from calfbayes.presentation.reasons import conflict_text

        return conflict_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.reasons_display import conflict_html

        return conflict_html(self)

    @property
    def is_spread(self) -> bool:
        """Whether no pair stands out, but hardly a simulated patient's answers conflict as much (`conflict_below`)."""
        words = self._result._solved.network.knowledge.explanation
        if self.pairs or self.percentile is None or words is None:
            return False
        return self.percentile.share <= words.conflict_below

    @property
    def items(self) -> tuple[str, ...]:
        """The answers in these pairs, those in most pairs first."""
        names = [name for pair in self.pairs for name in (pair.first, pair.second)]
        return tuple(sorted(set(names), key=lambda name: (-names.count(name), name)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        pairs = [{"first": pair.first, "second": pair.second, "times": pair.times} for pair in self.pairs]
        where = None if self.percentile is None else {name: getattr(self.percentile, name) for name in Percentile.__slots__}
        return {"pairs": pairs, "is_spread": self.is_spread, "percentile": where, "no_percentile": self.no_percentile}


def conflict(result: Diagnosis, *, cost_limit: float = LIMIT) -> Conflict:
    """Find the answers that do not go together under any single cause, and say how many patients answer as strangely.

    Args:
        cost_limit: Number of state operations that the pairs may take, a batch, and half as many the percentile; that is
            left out, with the reason, if it would cost more.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        QueryTooCostlyError: If it would cost more state operations than the limit.
    """
    if not result.causes:
        raise NoPosteriorError(result.outcome_reason)
    pairs = _pairs(result, cost_limit)
    where = percentile(result, cost_limit=cost_limit / 2)
    return Conflict(pairs, None, where, result) if isinstance(where, str) else Conflict(pairs, where, "", result)


def _pairs(result: Diagnosis, cost_limit: float) -> tuple[ConflictingPair, ...]:
    network = result._solved.network
    numbers = network.numbers(result._solved.bases[result.setting].logits)
    evidence = encode(network, result.evidence)
    told = [on > off for _, off, on in evidence.findings]
    couples = [pair for pair in combinations(range(len(told)), 2) if told[pair[0]] or told[pair[1]]]
    if not couples:
        return ()
    logs = _log_joints(network, numbers, evidence, couples, cost_limit)
    apart = {(a, b): logs[1 + a] + logs[1 + b] - 2 * logs[0] for a, b in couples}
    together = dict(zip(couples, (logs[1 + len(told) :] - logs[0]).tolist(), strict=True))
    rarer = sorted((together[pair] - apart[pair], pair) for pair in couples if apart[pair] - together[pair] > log(LEAST))
    found = []
    for difference, pair in rarer[:MOST_PAIRS]:
        present = [network.nodes[evidence.findings[k][0]].id for k in pair if told[k]]
        causes = [c for c in network.causes if any(reaches(network, network.nodes[c].id, name) for name in present)]
        if not _one_joins(network, numbers, evidence, causes, pair, float(apart[pair]), cost_limit):
            first, second = (network.nodes[evidence.findings[k][0]].id for k in pair)
            found.append(ConflictingPair(first, second, float(np.exp(-difference))))
    return tuple(found)


def _log_joints(
    network: Network, numbers: Numbers, evidence: Encoded, couples: list[tuple[int, int]], cost_limit: float
) -> Array:
    """Log P(risk factors, some findings): of none of them, of each, of each couple."""
    n = len(evidence.findings)
    rows = np.zeros((1 + n + len(couples), n), dtype=bool)
    rows[1 : 1 + n] = np.eye(n, dtype=bool)
    for k, pair in enumerate(couples):
        rows[1 + n + k, list(pair)] = True
    return log_joints(network, numbers, _findings_only(network, evidence, rows), cost_limit=cost_limit)


def _one_joins(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    causes: list[int],
    pair: tuple[int, int],
    apart: float,
    cost_limit: float,
) -> bool:
    """Whether, with one of these causes and no other, a pair is at least as frequent as if it were unconnected.

    A cause that leads to neither finding need not be tried: it makes neither more frequent.
    """
    n = len(causes)
    if n == 0:
        return False
    rows = np.zeros((2 * n, len(evidence.findings)), dtype=bool)
    rows[n:, list(pair)] = True
    present = {cause: np.array([float(c == cause) for c in causes] * 2) for cause in network.causes}
    query = replace(_findings_only(network, evidence, rows), weights={cause: (1.0 - on, on) for cause, on in present.items()})
    logs = log_joints(network, numbers, query, cost_limit=cost_limit)
    possible = np.isfinite(logs[:n])
    return bool(np.any(logs[n:][possible] - logs[:n][possible] >= apart))


def _findings_only(network: Network, evidence: Encoded, rows: Rows) -> Query:
    known = sum(state >= 0 for state in evidence.risk_states)
    return without_some(network, evidence, np.hstack([np.ones((len(rows), known), dtype=bool), rows]))
