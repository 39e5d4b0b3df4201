"""Exact posteriors: what is known is worked in, the rest is summed by one walk forward and one backward over a plan.

`reduction` leaves of a network and evidence a small `problem`; every step there is an identity, none an approximation. The
probability of the evidence is a polynomial in the problem's tables, multilinear and without a minus sign. The forward walk
evaluates it message by message. A message is a table over points and bits in which a bit's state says whether the parents
put together so far have switched it on:

    take in an item   absent = v * P(absent), present = v * P(present); for each child's bit, in the present part:
                      on += w * off; off *= 1 - w; then v -> absent + present
    merge a and b     product over points; over each shared bit the OR:
                      off = a_off b_off;  on = a_off b_on + a_on (b_off + b_on)
    multiply          v * factor
    close a bit       v_off P(report | off) + v_on P(report | on); or the bit becomes the point that its node reads
    close a point     sum over its states

The backward walk differentiates with respect to every table, by the transposed steps. Of a polynomial that is linear in the
two weights of item i, the parts in which it is absent and present are each weight times its derivative, so that

    P(i present | e)  =  B / (A + B),    A = sum over points of P(absent) dP(e) / dP(absent),   B likewise of P(present)

Both are again sums of non-negative terms, so nothing cancels, however improbable the evidence. Messages are scaled by powers
of two and the exponents kept apart.

`plan` chooses the order, `program` lays the messages out as arrays, `matrices` fills the steps' numbers in, `walk` does the
two walks; here they are called one after the other. All arrays have an axis of lanes in front: a batch of queries that differ
in numbers, those of the evidence or those of the network, and share their structure. Impossible evidence in a lane leaves
log P = -inf there, and zeros as its marginals.

References:
    Darwiche (2003), A differential approach to inference in Bayesian networks: marginals as derivatives.
    Zhang, Poole (1996), Exploiting causal independence: the OR of contributions in variable elimination.
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.3: the noisy-OR, virtual evidence.
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: Quickscore, whose inclusion and
        exclusion of present findings cancels; avoided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf, log

import numpy as np
from numpy.typing import NDArray

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.plan import plan_of
from calfbayes.inference.price import Purse
from calfbayes.inference.problem import Bit, Problem
from calfbayes.inference.program import Program, program_of
from calfbayes.inference.reduction import Encoded, Query, reduce_batch
from calfbayes.inference.tables import Array, Gradient, Table
from calfbayes.inference.walk import Walk
from calfbayes.network import Network, Numbers

COST_LIMIT = 2e8  # state operations; a second at most at 0.7 to 4 ns each, and three times that with labels
MEMORY_LIMIT = 2.0**30  # bytes held at once at the usual limit of operations; with a higher one as many times more
LOWEST_LOG = -650.0  # of P(evidence): what rounds to 0 on the way is less than 1e-18 of anything larger
MEMORY = 2.0**25  # bytes of messages and matrices that are in one walk if it has several lanes; with more they leave the caches


@dataclass(frozen=True, slots=True)
class Posterior:
    """The answer to one query.

    Attributes:
        log_joint: log P(evidence, complaint); -inf if that is impossible, and then there are no marginals.
        hidden: P(node present | evidence, complaint) of every node that the query kept, by position.
        labels: P(highest label among the nodes present = l | evidence, complaint); empty if no labels were given.
    """

    log_joint: float
    hidden: dict[int, float]
    labels: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to a batch of queries, one a lane. Where the evidence is impossible every marginal is 0.

    Attributes:
        log_joint: log P(evidence, complaint), shape (lanes,); -inf where that is impossible.
        hidden: P(node present | evidence, complaint), shape (lanes, n_hidden). A mechanism of which nothing was observed,
            and that was not asked for, has 0 everywhere and is not in `kept`.
        kept: Positions of the hidden nodes that have a posterior.
        labels: P(highest label among the nodes present = l | evidence, complaint), shape (lanes, labels); no columns if
            no labels were given.
        risks: P(state | evidence, complaint) of each risk factor that is not known in every lane, shape (lanes, states);
            empty if not asked for.
        slopes: Derivatives of `log_joint` with respect to the network's numbers, each by itself; None if not asked for. With
            respect to an infinite logit or log odds ratio they mean its exponential: a leak, base or odds ratio of 0. For a
            leak of 1 they mean the probability. Of impossible evidence they are 0.
        slopes_up_to: The same of log P(evidence, highest label <= l) for l = 0, 1, ...; empty without labels or slopes.
    """

    log_joint: Array
    hidden: Array
    kept: tuple[int, ...]
    labels: Array
    risks: Mapping[int, Array]
    slopes: Numbers | None = None
    slopes_up_to: tuple[Numbers, ...] = ()


def infer(
    network: Network,
    cause_logits: Array,
    evidence: Encoded,
    *,
    labels: Sequence[int] = (),
    also: Sequence[int] = (),
    cost_limit: float = COST_LIMIT,
) -> Posterior:
    """Compute log P(evidence, complaint) and the posterior of every cause and complication.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        labels: A label, 0, 1, ..., of each cause and complication by position; or none.
        also: Mechanisms whose posterior is wanted although nothing below them was observed.
        cost_limit: Largest predicted number of state operations; those of the lanes for labels are not counted.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; no message was allocated then.
    """
    query = Query.of(evidence)
    return posterior_of(answer(network, network.numbers(cause_logits), query, labels=labels, also=also, cost_limit=cost_limit))


def posterior_of(answers: Answers) -> Posterior:
    """The first lane of a batch."""
    if isinf(answers.log_joint[0]):
        return Posterior(float("-inf"), {})
    of_labels = tuple(answers.labels[0].tolist())
    return Posterior(float(answers.log_joint[0]), {node: float(answers.hidden[0, node]) for node in answers.kept}, of_labels)


def answer(
    network: Network,
    numbers: Numbers,
    query: Query,
    *,
    labels: Sequence[int] = (),
    also: Sequence[int] = (),
    risks: bool = False,
    slopes: bool = False,
    cost_limit: float = COST_LIMIT,
) -> Answers:
    """Answer a batch of queries in one walk; if the messages are large, in several walks of some lanes each.

    With labels, further lanes for each label below the highest hold the nodes with a higher label absent. That gives
    P(highest label <= l) in the same walk; the distribution is its differences, right to 1e-15 in absolute terms.

    Args:
        labels: A label, 0, 1, ..., of each cause and complication by position; or none.
        also: Mechanisms whose posterior is wanted although nothing below them was observed.
        risks: Whether the posteriors of the unknown risk factors are wanted.
        slopes: Whether the derivatives of `log_joint` are wanted; with labels, those for each label, too.
        cost_limit: Largest predicted number of state operations of all lanes, those for labels not counted but for slopes.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; no message was allocated then.
    """
    batch = _Batch(network, labels, tuple(also), risks=risks, slopes=slopes)
    purse = Purse(cost_limit)
    problem = batch.problem(numbers, query, purse)
    lanes = problem.lanes // batch.n_labels
    program = priced(problem, problem.lanes if slopes else lanes, purse, at_once=batch.n_labels)
    again = replace(batch, also=tuple(node for node in network.mechanisms if node in problem.kept))  # whatever a part reports
    answers = []
    for part in _parts(lanes, program.size * batch.n_labels):
        of = numbers.part(part), query.part(part)
        if part.stop - part.start == lanes:
            answers.append(batch.answers(*of, problem, program))
        elif risks or slopes:  # derivatives have to find their way back
            of_part = again.problem(*of)
            answers.append(batch.answers(*of, of_part, program_of(of_part.structure())))
        else:
            of_labels = np.arange(problem.lanes).reshape(-1, lanes)[:, part]
            answers.append(batch.answers(*of, problem.part(of_labels.ravel()), program))
    return answers[0] if len(answers) == 1 else _together(answers)


def log_joints(network: Network, numbers: Numbers, query: Query, *, cost_limit: float = COST_LIMIT) -> Array:
    """Log P(evidence, complaint) of each lane, and nothing else: the walk forward only, shape (lanes,).

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; no message was allocated then.
    """
    purse = Purse(cost_limit)
    problem = reduce_batch(network, numbers, query, purse=purse)
    program = priced(problem, problem.lanes, purse)
    parts = _parts(problem.lanes, program.size)
    if len(parts) == 1:
        return log_joint_of(problem, program)
    problems = (problem.part(np.arange(part.start, part.stop)) for part in parts)
    return np.concatenate([log_joint_of(part, program) for part in problems])


def log_joint_of(problem: Problem, program: Program) -> Array:
    """Log P(evidence, complaint) of each lane of a problem, shape (lanes,)."""
    return _forward(Walk(problem, program), problem)


def _parts(lanes: int, size: float) -> list[slice]:
    """Which lanes are walked together, given how many numbers one holds."""
    at_once = max(1, int(MEMORY / (8.0 * size)))
    return [slice(first, min(first + at_once, lanes)) for first in range(0, lanes, at_once)]


def _forward(walk: Walk, problem: Problem) -> Array:
    """Log P(evidence, complaint) by a walk forward, shape (lanes,)."""
    total, exponent = walk.forward()
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total) + exponent * log(2.0) + problem.log_factor)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is wanted of a batch."""

    network: Network
    of_nodes: Sequence[int]
    also: tuple[int, ...]
    risks: bool
    slopes: bool

    @property
    def n_labels(self) -> int:
        return max(self.of_nodes, default=0) + 1

    def problem(self, numbers: Numbers, query: Query, purse: Purse | None = None) -> Problem:
        """The reduced batch; all lanes for the first label come first, and those in which every label is allowed last."""
        n = self.n_labels
        if n > 1:
            lanes = max(numbers.lanes, query.lanes)
            numbers, query = numbers.repeated(n), query.repeated(n)
            allowed = _up_to(self.of_nodes, np.repeat(np.arange(n), lanes))
            for node, (absent, present) in query.weights.items():
                allowed[node] = absent, present * allowed[node][1] if node in allowed else present
            query = replace(query, weights=allowed)
        return reduce_batch(
            self.network,
            numbers,
            query,
            also=self.also,
            all_slopes=self.risks or self.slopes,
            purse=purse,
        )

    def answers(self, numbers: Numbers, query: Query, problem: Problem, program: Program) -> Answers:
        """Walk."""
        lanes = problem.lanes // self.n_labels
        walk = Walk(problem, program)
        log_joints = _forward(walk, problem)
        log_joint = log_joints[-lanes:]
        possible = log_joint > -np.inf
        gradient = Gradient(numbers, problem.lanes) if self.risks or self.slopes else None
        hidden = walk.backward(lanes if gradient is None else problem.lanes, self.network.n_hidden, gradient)[-lanes:]
        hidden[~possible] = 0.0
        up_to = () if gradient is None else _slopes(problem, gradient, log_joints.reshape(-1, lanes) > -np.inf)
        slopes = up_to[-1] if up_to else None
        return Answers(
            log_joint,
            hidden,
            problem.kept,
            self._labels(log_joints.reshape(-1, lanes)),
            _posteriors_of_risks(self.network, numbers, query, slopes) if slopes is not None and self.risks else {},
            slopes if self.slopes else None,
            up_to if self.slopes and self.of_nodes else (),
        )

    def _labels(self, log_joints: Array) -> Array:
        """The distribution of the highest label, from log P(evidence, highest label <= l), shape (labels, lanes)."""
        if not self.of_nodes:
            return np.empty((log_joints.shape[1], 0))
        with np.errstate(invalid="ignore"):
            cumulative = np.nan_to_num(np.exp(log_joints - log_joints[-1]), nan=0.0)
        return np.asarray(np.maximum(np.diff(cumulative.T, prepend=0.0, axis=1), 0.0))


def _slopes(problem: Problem, gradient: Gradient, possible: NDArray[np.bool_]) -> tuple[Numbers, ...]:
    """Hand the derivatives of the logarithm of the total on to the network's numbers; for each label, shape (labels, lanes)."""
    for factor in problem.factors:
        gradient.add(factor, np.divide(1.0, factor.values, out=np.zeros_like(factor.values), where=factor.values > 0.0))
    slopes = gradient.run()
    for part in (slopes.logits, slopes.links, slopes.log_odds, slopes.priors):
        part[~possible.ravel()] = 0.0
    lanes = possible.shape[1]
    return tuple(slopes.part(slice(k * lanes, (k + 1) * lanes)) for k in range(len(possible)))


def _posteriors_of_risks(network: Network, numbers: Numbers, query: Query, slopes: Numbers) -> dict[int, Array]:
    """P(state | evidence) is the sum over the parents of P(state | parents) times the derivative in it."""
    result = {}
    for risk, (start, state) in enumerate(zip(network.layout.priors, query.risk_states, strict=True)):
        if state < 0:
            prior = network.risks[risk].prior
            entries = slice(start, start + prior.size)
            of_family = numbers.priors[:, entries] * slopes.priors[:, entries]
            result[risk] = of_family.reshape(len(of_family), -1, prior.shape[-1]).sum(axis=1)
    return result


def _together(answers: Sequence[Answers]) -> Answers:
    slopes = [part.slopes for part in answers if part.slopes is not None]
    up_to = zip(*(part.slopes_up_to for part in answers), strict=True)
    return Answers(
        np.concatenate([part.log_joint for part in answers]),
        np.concatenate([part.hidden for part in answers]),
        tuple(sorted({node for part in answers for node in part.kept})),
        np.concatenate([part.labels for part in answers]),
        {risk: np.concatenate([part.risks[risk] for part in answers]) for risk in answers[0].risks},
        _rows(slopes) if slopes else None,
        tuple(_rows(of_label) for of_label in up_to),
    )


def _rows(parts: Sequence[Numbers]) -> Numbers:
    """Numbers of several batches as those of one."""
    fields = ("logits", "links", "log_odds", "priors")
    return Numbers(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))


def highest_label(
    network: Network,
    cause_logits: Array,
    evidence: Encoded,
    labels: Sequence[int],
    n_labels: int,
    *,
    cost_limit: float = COST_LIMIT,
) -> Array:
    """Distribution of the highest label among the causes and complications that are present.

    With two labels, 1 for the members of a set, it is P(none of the set), P(any of the set).

    One lane a label: nodes with a higher label are held absent, and one more bit tells whether a node with just this
    label is present (for the lowest label: nothing need be).

    Args:
        labels: Label of each cause and complication by position, 0 to n_labels - 1.

    Returns:
        P(highest label = l | evidence, complaint), shape (n_labels,); label 0 includes "nothing present". All zero if
        the evidence is impossible.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`.
    """
    query = replace(Query.of(evidence), weights=_up_to(labels, np.arange(n_labels)))
    flags = {node: np.where(np.arange(n_labels) == label, 1.0, 0.0) for node, label in enumerate(labels)}
    purse = Purse(cost_limit)
    problem = reduce_batch(network, network.numbers(cause_logits), query, flags=flags, purse=purse)
    if_none = Table((), np.where(np.arange(n_labels) == 0, 1.0, 0.0))
    problem.bits[len(network.nodes)] = Bit(if_none, Table((), np.ones(1)))
    total, exponent = Walk(problem, priced(problem, 1, purse, at_once=problem.lanes)).forward()
    if not total.any() or isinf(float(problem.log_factor[0])):
        return np.zeros(n_labels)
    weights = np.ldexp(total, (exponent - exponent[total > 0].max()).astype(int))
    return np.asarray(weights / weights.sum())


def _up_to(labels: Sequence[int], allowed: NDArray[np.intp]) -> dict[int, tuple[Array, Array]]:
    """Weights that hold the nodes absent whose label is above the one that a lane allows."""
    return {node: (np.ones(1), np.where(label <= allowed, 1.0, 0.0)) for node, label in enumerate(labels) if label > 0}


def priced(problem: Problem, lanes: int, purse: Purse, *, at_once: int = 1) -> Program:
    """Plan a problem and pay for its walks; no message is allocated.

    Args:
        lanes: How many lanes the operations are counted of.
        purse: What may be spent; what it took to reduce the problem has been paid from it.
        at_once: How many lanes have to be walked together, those for labels.

    Raises:
        QueryTooCostlyError: If the plan in so many lanes is dearer than what is left, or what is held at once takes more
            memory than goes with the limit.
    """
    structure = problem.structure()
    purse.pay(plan_of(structure).operations * lanes)
    program = program_of(structure)  # a plan that is too dear is not laid out
    memory, most = program.memory * at_once, MEMORY_LIMIT * max(1.0, purse.limit / COST_LIMIT)
    if memory > most:
        raise QueryTooCostlyError(purse.spent, purse.limit, memory, most)
    return program
