"""How answers move with the elicited numbers, and how sure that leaves them.

One batch with slopes in lanes gives d log P(evidence, A) for several A: nothing more, a node present, no label above l.
P(A | evidence) is the exponential of a difference, so its derivative is P(A | evidence) times that of the difference. The
chain to what was elicited goes through the solve of the bases (`shares`), then through `elicited`.

The delta method takes the answer for linear in its numbers near their values, and the numbers for independent. It works
on the log odds of a probability, where that is nearer to the truth.

References:
    Chan, Darwiche (2002), When do numbers really matter?: derivatives of posteriors.
    Oehlert (1992), A note on the delta method.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from calfbayes.inference.elicited import ElicitedNumbers, elicited_numbers
from calfbayes.inference.exact import COST_LIMIT, Posterior, answer, posterior_of
from calfbayes.inference.reduction import Encoded, Query
from calfbayes.inference.shares import ShareSlopes, share_slopes
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.network import Network, Numbers


@dataclass(frozen=True, eq=False)
class Posteriors:
    """Answers with their derivatives in each of n numbers.

    Attributes:
        log_evidence: log P(evidence | complaint).
        hidden: P(node present | evidence) of the nodes that were asked for, shape (nodes,).
        labels: P(highest label among the nodes present = l | evidence), shape (labels,).
        of_log_evidence: Derivatives, shape (n,).
        of_hidden: Derivatives, shape (nodes, n).
        of_labels: Derivatives, shape (labels, n).
    """

    log_evidence: float
    hidden: Array
    labels: Array
    of_log_evidence: Array
    of_hidden: Array
    of_labels: Array

    def at_least(self, label: int) -> tuple[float, Array]:
        """P(highest label >= label | evidence) and its derivatives."""
        return float(self.labels[label:].sum()), np.asarray(self.of_labels[label:].sum(axis=0))


def posterior_slopes(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    nodes: Sequence[int] = (),
    *,
    labels: Sequence[int] = (),
    cost_limit: float = COST_LIMIT,
) -> Posteriors:
    """Differentiate answers with respect to the network's numbers, in the order of `Numbers.in_a_row`, each by itself.

    The bases of the causes are numbers like the others here; and `log_evidence` is log P(evidence, complaint). Derivatives
    in numbers that are 0 or 1 are those of `Answers.slopes`; of a level that the evidence rules out they are 0.

    Args:
        nodes: Causes, complications and mechanisms.
        labels: A label, 0, 1, ..., of each cause and complication by position; or none.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    n_labels = max(labels, default=-1) + 1
    lanes = 1 + len(nodes) + max(0, n_labels - 1)
    present = {node: np.ones(lanes) for node in (*nodes, *(node for node, label in enumerate(labels) if label > 0))}
    absent = {node: np.ones(lanes) for node in present}
    for lane, node in enumerate(nodes, start=1):
        absent[node][lane] = 0.0
    for lane, allowed in enumerate(range(n_labels - 1), start=1 + len(nodes)):
        for node, label in enumerate(labels):
            if label > allowed:
                present[node][lane] = 0.0
    weights = {node: (absent[node], present[node]) for node in present}
    p, of_p, log_joint, of_log_joint = _ratios(network, numbers, replace(Query.of(evidence), weights=weights), cost_limit)
    hidden, of_hidden = p[: len(nodes)], of_p[: len(nodes)]
    up_to, of_up_to = p[len(nodes) :], of_p[len(nodes) :]
    ruled_out = [node for node, chance in zip(nodes, hidden, strict=True) if chance == 0.0]
    if ruled_out and log_joint > -np.inf:  # P(node) = 1 - P(not node) has a derivative where log P(node) has none
        held = np.eye(1 + len(ruled_out))[:, 1:]
        weights = {node: (np.ones(len(held)), 1.0 - held[:, k]) for k, node in enumerate(ruled_out)}
        of_hidden[hidden == 0.0] = -_ratios(network, numbers, replace(Query.of(evidence), weights=weights), cost_limit)[1]
    if n_labels:
        up_to, of_up_to = np.append(up_to, 1.0), np.append(of_up_to, np.zeros((1, len(of_log_joint))), axis=0)
    of_labels = np.diff(of_up_to, axis=0, prepend=np.zeros((1, len(of_log_joint))))
    return Posteriors(log_joint, hidden, np.diff(up_to, prepend=0.0), of_log_joint, of_hidden, of_labels)


def _ratios(network: Network, numbers: Numbers, query: Query, cost_limit: float) -> tuple[Array, Array, float, Array]:
    """P(what a lane supposes | evidence) of every lane but the first, which supposes nothing; and log P(evidence, complaint).

    Returns:
        The probabilities, shape (lanes - 1,); their derivatives, shape (lanes - 1, numbers); the logarithm; its own.
    """
    answers = answer(network, numbers, query, slopes=True, cost_limit=cost_limit)
    if answers.slopes is None:
        raise TypeError(answers)
    logs, slopes = answers.log_joint, answers.slopes.in_a_row
    p = np.exp(logs[1:] - logs[0]) if logs[0] > -np.inf else np.zeros(len(logs) - 1)
    return p, p[:, None] * (slopes[1:] - slopes[0]), float(logs[0]), slopes[0]


def sensitivities(
    solved: SolvedNetwork,
    setting: str,
    evidence: Encoded,
    nodes: Sequence[int] = (),
    *,
    labels: Sequence[int] = (),
    cost_limit: float = COST_LIMIT,
) -> Posteriors:
    """Differentiate answers with respect to every elicited number on its own scale.

    The numbers are those of `elicited_numbers`, in that order. The other numbers are held, so the shares of the causes are
    too unless a weight or the coincidence moves, and the bases follow.

    Args:
        nodes: Causes, complications and mechanisms.
        labels: A label, 0, 1, ..., of each cause and complication by position; or none.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    network = solved.network
    numbers = network.numbers(solved.bases[setting].logits)
    slopes = posterior_slopes(network, numbers, evidence, nodes, labels=labels, cost_limit=cost_limit)
    shares = _share_slopes(solved, setting)
    elicited = elicited_numbers(solved, setting)
    of_log_evidence = slopes.of_log_evidence - shares.of_log_complaint
    rows = np.concatenate([of_log_evidence[None], slopes.of_hidden, slopes.of_labels])
    rows = elicited.chained(*shares.held(rows))
    for part in (rows, slopes.hidden, slopes.labels):
        part.flags.writeable = False
    return Posteriors(
        slopes.log_evidence - solved.baseline[setting].log_joint,
        slopes.hidden,
        slopes.labels,
        rows[0],
        rows[1 : 1 + len(nodes)],
        rows[1 + len(nodes) :],
    )


@lru_cache(maxsize=32)
def _share_slopes(solved: SolvedNetwork, setting: str) -> ShareSlopes:
    return share_slopes(solved.network, solved.network.numbers(solved.bases[setting].logits))


def deviation_of_log_odds(elicited: ElicitedNumbers, p: float, of_p: Array) -> float:
    """Standard deviation of the log odds of a probability, by the delta method; infinite for 0 and 1, which have none.

    Args:
        of_p: Derivatives of p in the elicited numbers, shape (n,).
    """
    if not 0.0 < p < 1.0:
        return float("inf")
    return float(np.linalg.norm((of_p * elicited.deviations)[elicited.varies])) / (p * (1.0 - p))


def infer_with_doubt(
    solved: SolvedNetwork,
    setting: str,
    evidence: Encoded,
    labels: Sequence[int],
    *,
    cost_limit: float = COST_LIMIT,
) -> tuple[Posterior, tuple[float, ...]]:
    """Compute a posterior and, in the same walk, how sure P(highest label >= l | evidence) is, by the delta method.

    Args:
        labels: A label, 0, 1, ..., of each cause and complication by position.

    Returns:
        The posterior; and the standard deviation of the log odds for l = 1, 2, ..., infinite where the probability is 0
        or 1. None of them if the evidence is impossible.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    network = solved.network
    numbers = network.numbers(solved.bases[setting].logits)
    answers = answer(network, numbers, Query.of(evidence), labels=labels, slopes=True, cost_limit=cost_limit)
    posterior = posterior_of(answers)
    if not posterior.labels:
        return posterior, ()
    slopes = np.concatenate([part.in_a_row for part in answers.slopes_up_to])
    up_to = np.cumsum(answers.labels[0])
    of_at_least = -up_to[:-1, None] * (slopes[:-1] - slopes[-1])
    elicited = elicited_numbers(solved, setting)
    rows = elicited.chained(*_share_slopes(solved, setting).held(of_at_least))
    at_least = [float(answers.labels[0, label:].sum()) for label in range(1, len(up_to))]
    return posterior, tuple(deviation_of_log_odds(elicited, p, row) for p, row in zip(at_least, rows, strict=True))
