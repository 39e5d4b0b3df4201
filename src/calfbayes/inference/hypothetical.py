"""What would follow if more, or less, were known: batches around one patient's evidence.

Each function makes batches of which the lanes are hypotheses, and answers each by one plan:

    a node held present            P(a and b | e) = P(a | e) P(b | e, a)
    an unasked finding absent      only rescales the weights of its parents, so it costs a lane and no bit
    an unasked finding present     by difference: P(c, present) = P(c) - P(c, absent)
    a state of a risk factor       its likelihood is 1 in that state and 0 in the others
    an answer taken away           its report says nothing, its likelihood is 1 in every state
    a set of causes and no other   those are held present, the others absent

An absent finding j below a *barren* mechanism m, of which nothing has been observed, still costs no bit. With w the link
from m, and everything else about j left as it is,

    P(j absent | m) = (1 - w) + w [m absent],   up to the other parents of j

so that P(., j absent) is a sum of two non-negative terms: m left out, and m itself reported absent, like a finding.

References:
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: absent findings.
    Land, Doig (1960), An automatic method of solving discrete programming problems: branch and bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import exp, prod

import numpy as np
from numpy.typing import NDArray

from calfbayes.errors import NoPosteriorError
from calfbayes.inference.exact import COST_LIMIT, Answers, answer
from calfbayes.inference.reduction import Encoded, Query
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.network import Network, Numbers

RARE = 1e-4  # below this chance an answer is computed directly, since a difference would lose precision
MOST_BARREN = 3  # a finding with more barren mechanisms above is computed directly
BATCH = 16  # sets of causes computed at once


@dataclass(frozen=True, eq=False)
class Supposed:
    """What holds if one thing more is known.

    Attributes:
        chance: P(it | evidence).
        hidden: P(node present | evidence, it), shape (n_hidden,); all zeros if it is impossible. Mechanisms of which
            nothing is observed have 0.
        labels: P(highest label | evidence, it), shape (labels,); empty if no labels were given.
    """

    chance: float
    hidden: Array
    labels: Array


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What each answer to each open question would change.

    Attributes:
        now: As things stand.
        findings: Of each finding what holds if it is absent, and if it is present.
        risks: Of each risk factor what holds in each of its states.
    """

    now: Supposed
    findings: Mapping[int, tuple[Supposed, Supposed]]
    risks: Mapping[int, tuple[Supposed, ...]]


def given_each(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    nodes: Sequence[int],
    *,
    present: bool = True,
    cost_limit: float = COST_LIMIT,
) -> tuple[Answers, Answers]:
    """Suppose each of some causes, complications or mechanisms is present, or each absent.

    Returns:
        The answer as things stand, one lane; and the answers with one of the nodes so, one a lane. P(a and b) is the product
        of `P(a)` of the first and `P(b)` in the lane of a. Of what cannot be the logarithm is minus infinity.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    query = Query.of(evidence)
    rest, held = np.ones(1 + len(nodes)), 1.0 - np.eye(1 + len(nodes))[:, 1:]
    weights = {node: (held[:, k], rest) if present else (rest, held[:, k]) for k, node in enumerate(nodes)}
    answers = answer(network, numbers, replace(query, weights=weights), cost_limit=cost_limit)
    return _lanes(answers, slice(0, 1)), _lanes(answers, slice(1, None))


def without_some(network: Network, evidence: Encoded, kept: NDArray[np.bool_]) -> Query:
    """Subsets of the evidence, one a lane.

    Args:
        kept: Whether a lane keeps an item, shape (lanes, items); the items are the known risk factors in the order of
            their positions, then the findings in theirs.
    """
    states = list(evidence.risk_states)
    known = [risk for risk, state in enumerate(states) if state >= 0]
    likelihoods = {}
    for risk, keeps in zip(known, kept.T, strict=False):
        if not keeps.all():
            state = np.eye(network.risks[risk].prior.shape[-1])[states[risk]]
            likelihoods[risk] = np.where(keeps[:, None], state, 1.0)
            states[risk] = -1
    reports = {
        node: (np.where(keeps, off, 1.0), np.where(keeps, on, 1.0))
        for (node, off, on), keeps in zip(evidence.findings, kept.T[len(known) :], strict=True)
    }
    return Query(tuple(states), reports, likelihoods)


def probability_of_any(
    network: Network, numbers: Numbers, query: Query, nodes: Sequence[int], *, cost_limit: float = COST_LIMIT
) -> Array:
    """P(at least one of these causes and complications is present | evidence), lane by lane, right to 1e-14.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    labels = [int(node in nodes) for node in (*network.causes, *network.complications)]
    if not any(labels):
        return np.zeros(max(numbers.lanes, query.lanes))
    return answer(network, numbers, query, labels=labels, cost_limit=cost_limit).labels[:, 1]


# --- the answers to open questions -----------------------------------------------------------------------------------


def given_each_answer(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    findings: Sequence[int],
    risks: Sequence[int] = (),
    *,
    labels: Sequence[int] = (),
    cost_limit: float = COST_LIMIT,
) -> Outcomes:
    """What each answer to each open question would change, in one batch.

    Apart from it, one by one, are computed answers less probable than `RARE`, and findings below more than `MOST_BARREN`
    barren mechanisms. Everything is right to 1e-10 in absolute terms.

    Args:
        findings: Unasked findings.
        risks: Unknown risk factors.
        labels: As in `answer`.

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
        NoPosteriorError: If the evidence is impossible.
    """
    barren = _barren(network, evidence)
    lanes = {_Lane(): 0}
    mixtures = {node: _absent(network, numbers, evidence, node, barren, lanes) for node in findings}
    states = {}
    for risk in risks:
        first = len(lanes)
        for state in range(network.risks[risk].prior.shape[-1]):
            lanes[_Lane(state=(risk, state))] = len(lanes)
        states[risk] = range(first, len(lanes))
    answers = answer(network, numbers, _query(network, evidence, barren, list(lanes)), labels=labels, cost_limit=cost_limit)
    if np.isinf(answers.log_joint[0]):
        raise NoPosteriorError("what has been told is impossible together, or so improbable that it is lost to rounding")
    chances = np.exp(answers.log_joint - answers.log_joint[0])
    now = _mixture(answers, [(1.0, 0)])

    def directly(node: int, off: float, on: float) -> Supposed:
        query = Query.of(replace(evidence, findings=(*evidence.findings, (node, off, on))))
        alone = answer(network, numbers, query, labels=labels, cost_limit=cost_limit)
        return _mixture(alone, [(exp(alone.log_joint[0] - answers.log_joint[0]), 0)])

    of_findings = {}
    for node, mixture in mixtures.items():
        absent = _mixture(answers, [(w * chances[lane], lane) for w, lane in mixture]) if mixture else directly(node, 1.0, 0.0)
        present = _rest(now, absent) if absent.chance < 1.0 - RARE else directly(node, 0.0, 1.0)
        of_findings[node] = absent, present
    of_risks = {risk: tuple(_mixture(answers, [(chances[lane], lane)]) for lane in of) for risk, of in states.items()}
    return Outcomes(now, of_findings, of_risks)


@dataclass(frozen=True, slots=True)
class _Lane:
    """What a lane supposes: a finding absent, some barren mechanisms absent, a risk factor in a state."""

    finding: int = -1
    mechanisms: frozenset[int] = frozenset()
    state: tuple[int, int] = (-1, -1)


def _barren(network: Network, evidence: Encoded) -> frozenset[int]:
    """The mechanisms of which nothing has been observed."""
    alive = {parent for node, _, _ in evidence.findings for parent, _ in network.nodes[node].parents}
    return frozenset(network.mechanisms) - alive


def _absent(
    network: Network, numbers: Numbers, evidence: Encoded, node: int, barren: frozenset[int], lanes: dict[_Lane, int]
) -> list[tuple[float, int]]:
    """P(., finding absent) as a mixture of lanes: weight and position of each. New lanes are added.

    Empty if there are too many barren mechanisms above the finding.
    """
    parents = network.layout.parents[node]
    links = [(parent, float(numbers.links[0, arc])) for parent, arc in parents if parent in barren]
    if len(links) > MOST_BARREN:
        return []
    leak, finding = 1.0, node
    if len(links) == len(parents) and all(evidence.risk_states[risk] >= 0 for risk, _ in network.layout.odds[node]):
        known = [start + evidence.risk_states[risk] for risk, start in network.layout.odds[node]]
        leak = float(expit_pair(numbers.logits[0, node] + numbers.log_odds[0, known].sum())[1])
        finding = -1  # nothing but the mechanisms is left of it
    mixture = []
    for absent in product((False, True), repeat=len(links)):
        weight = leak * prod(w if is_absent else 1.0 - w for (_, w), is_absent in zip(links, absent, strict=True))
        lane = _Lane(finding, frozenset(m for (m, _), is_absent in zip(links, absent, strict=True) if is_absent))
        mixture.append((weight, lanes.setdefault(lane, len(lanes))))
    return mixture


def _query(network: Network, evidence: Encoded, barren: frozenset[int], lanes: Sequence[_Lane]) -> Query:
    reports = {node: (np.array([off]), np.array([on])) for node, off, on in evidence.findings}
    likelihoods: dict[int, Array] = {}
    for k, lane in enumerate(lanes):
        for node in sorted({lane.finding, *lane.mechanisms} - {-1}):
            reports.setdefault(node, (np.ones(1), np.ones(len(lanes))))[1][k] = 0.0
        risk, state = lane.state
        if risk >= 0:
            shape = len(lanes), network.risks[risk].prior.shape[-1]
            likelihoods.setdefault(risk, np.ones(shape))[k] = np.eye(shape[1])[state]
    return Query(evidence.risk_states, reports, likelihoods, left_out=barren)


def _mixture(answers: Answers, parts: Sequence[tuple[float, int]]) -> Supposed:
    """Lanes put together: the first number of each part is P(the part | evidence)."""
    share, lanes = np.array([chance for chance, _ in parts]), [lane for _, lane in parts]
    chance = float(share.sum())
    if chance == 0.0:
        return Supposed(0.0, np.zeros(answers.hidden.shape[1]), np.zeros(answers.labels.shape[1]))
    return Supposed(chance, share @ answers.hidden[lanes] / chance, share @ answers.labels[lanes] / chance)


def _rest(now: Supposed, part: Supposed) -> Supposed:
    """What holds where a part does not."""
    chance = 1.0 - part.chance
    hidden, labels = (
        np.clip((whole - part.chance * of_part) / chance, 0.0, 1.0)
        for whole, of_part in ((now.hidden, part.hidden), (now.labels, part.labels))
    )
    return Supposed(chance, hidden, labels)


# --- sets of causes --------------------------------------------------------------------------------------------------


def set_probabilities(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    sets: Sequence[frozenset[int]],
    *,
    cost_limit: float = COST_LIMIT,
) -> Array:
    """Compute log P(evidence, complaint, these causes present and no other) of each set, shape (sets,).

    Raises:
        QueryTooCostlyError: If the lanes together are dearer than `cost_limit`.
    """
    members = {cause: np.array([float(cause in members) for members in sets]) for cause in network.causes}
    weights = {cause: (1.0 - present, present) for cause, present in members.items()}
    return answer(network, numbers, replace(Query.of(evidence), weights=weights), cost_limit=cost_limit).log_joint


def likeliest_sets(
    network: Network,
    numbers: Numbers,
    evidence: Encoded,
    *,
    count: int = 5,
    most: int = 3,
    cost_limit: float = COST_LIMIT,
) -> list[tuple[tuple[int, ...], float]]:
    """The sets of causes that are most probably all the causes there are.

    P(exactly these causes | evidence), complications, mechanisms and risk factors summed out. The search is exact: a set
    is at most as probable as any two of its members together, and as any one. Sets are computed in the order of that
    bound until it falls below the probability of the last one wanted.

    Args:
        count: How many sets.
        most: How many causes a set may have.

    Returns:
        The causes of each set and its probability, most probable first, ties by position; impossible sets are left out.

    Raises:
        QueryTooCostlyError: If a batch is dearer than `cost_limit`.
    """
    now = answer(network, numbers, Query.of(evidence), cost_limit=cost_limit)
    found: dict[frozenset[int], float] = {}

    def compute(sets: Sequence[frozenset[int]]) -> None:
        new = [members for members in sets if members not in found]
        if new:
            logs = set_probabilities(network, numbers, evidence, new, cost_limit=cost_limit)
            found.update(zip(new, np.exp(logs - now.log_joint[0]).tolist(), strict=True))

    def last_wanted() -> float:
        return sorted([*found.values(), *[0.0] * count], reverse=True)[count - 1]

    if np.isinf(now.log_joint[0]) or count < 1 or most < 1:
        return []
    chance = now.hidden[0]
    causes = sorted((cause for cause in network.causes if chance[cause] > 0.0), key=lambda cause: (-chance[cause], cause))
    for first in range(0, len(causes), BATCH):
        if chance[causes[first]] < last_wanted():
            break
        compute([frozenset([cause]) for cause in causes[first : first + BATCH]])
    if most > 1:
        candidates = [cause for cause in causes if chance[cause] >= last_wanted()]
        _, given = given_each(network, numbers, evidence, candidates, cost_limit=cost_limit)
        both = {
            frozenset(pair): float(chance[pair[0]] * given.hidden[k, pair[1]])
            for k, a in enumerate(candidates)
            for pair in ((a, b) for b in candidates[k + 1 :])
        }
        bounded = _bounded(both, last_wanted(), most)
        for first in range(0, len(bounded), BATCH):
            if bounded[first][0] < last_wanted():
                break
            compute([members for _, members in bounded[first : first + BATCH]])
    ranked = sorted(found.items(), key=lambda entry: (-entry[1], sorted(entry[0])))
    return [(tuple(sorted(members)), p) for members, p in ranked[:count] if p > 0.0]


def _bounded(both: Mapping[frozenset[int], float], least: float, most: int) -> list[tuple[float, frozenset[int]]]:
    """Sets of two causes and more that may have a probability of at least `least`, the largest bound first."""
    level = {pair: p for pair, p in both.items() if p >= least and p > 0.0}
    partners: dict[int, set[int]] = {}
    for pair in level:
        for cause in pair:
            partners.setdefault(cause, set()).update(pair - {cause})
    result = list(level.items())
    for _ in range(most - 2):
        larger: dict[frozenset[int], float] = {}
        for members, bound in level.items():
            for cause in set.intersection(*(partners[member] for member in members)):
                pairs = (both[frozenset([cause, member])] for member in members)
                larger[members | {cause}] = min(bound, *pairs)
        level = larger
        result += level.items()
    return sorted(((p, members) for members, p in result), key=lambda entry: (-entry[0], sorted(entry[1])))


def _lanes(answers: Answers, lanes: slice) -> Answers:
    return replace(
        answers, log_joint=answers.log_joint[lanes], hidden=answers.hidden[lanes], labels=answers.labels[lanes], risks={}
    )
