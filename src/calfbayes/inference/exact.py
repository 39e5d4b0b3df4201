"""Exact posteriors: one walk forward over the plan, one backward; all terms are non-negative.

The probability of the evidence is a polynomial in the problem's tables, multilinear and without a minus sign. The forward
walk evaluates it message by message. A message is a table over points and bits in which a bit's state says whether the
parents put together so far have switched it on:

    take in an item   absent = v * P(absent), present = v * P(present); for each child's bit, in the present part:
                      on += w * off; off *= 1 - w; then v -> absent + present
    merge a and b     product over points; over each shared bit the OR:
                      off = a_off b_off;  on = a_off b_on + a_on (b_off + b_on)
    multiply          v * factor
    close a bit       v_off P(report | off) + v_on P(report | on); or the bit becomes the point that its node reads
    close a point     sum over its states

The backward walk differentiates with respect to every table, by the transposed steps. A marginal is a weight times its
derivative over the whole: P(i present | e) = present / (absent + present), again sums of non-negative terms, so nothing
cancels, however improbable the evidence. Messages are scaled by powers of two and the exponents kept apart.

All arrays have an axis of lanes in front: a batch of queries that differ in numbers, those of the evidence or those of the
network, and share their structure. Impossible evidence in a lane leaves log P = -inf there, and zeros as its marginals.

References:
    Darwiche (2003), A differential approach to inference in Bayesian networks: marginals as derivatives.
    Zhang, Poole (1996), Exploiting causal independence: the OR of contributions in variable elimination.
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.3: the noisy-OR, virtual evidence.
    Heckerman (1989): Quickscore, whose inclusion-exclusion over present findings cancels; avoided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf, log, prod

import numpy as np
from numpy.typing import NDArray

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.plan import Absorb, CloseBit, ClosePoint, Merge, Multiply, Plan, Scope, Step, make_plan
from calfbayes.inference.reduction import NAMELESS, Bit, Encoded, Problem, Query, reduce_batch
from calfbayes.inference.tables import Array, Axes, Gradient, Table, widen
from calfbayes.network import Network, Numbers

COST_LIMIT = 2e8  # state operations; a few seconds
CACHED = 2**17  # numbers that are worth holding at once
MEMORY = 2.0**28  # bytes that the messages of one walk may take


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
    """

    log_joint: Array
    hidden: Array
    kept: tuple[int, ...]
    labels: Array
    risks: Mapping[int, Array]
    slopes: Numbers | None = None


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
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; nothing was allocated then.
    """
    query = Query.of(evidence)
    answers = answer(network, network.numbers(cause_logits), query, labels=labels, also=also, cost_limit=cost_limit)
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
        slopes: Whether the derivatives of `log_joint` are wanted.
        cost_limit: Largest predicted number of state operations of all lanes, those for labels not counted.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; nothing was allocated then.
    """
    batch = _Batch(network, labels, tuple(also), risks=risks, slopes=slopes)
    problem = batch.problem(numbers, query)
    lanes = problem.lanes // batch.n_labels
    plan = priced(problem, lanes, cost_limit)
    at_once = max(1, int(MEMORY / (8.0 * plan.states * batch.n_labels)))
    if lanes <= at_once:
        return batch.answers(numbers, query, problem, plan)
    answers = []
    for first in range(0, lanes, at_once):
        part = slice(first, first + at_once)
        of = numbers.part(part), query.part(part)
        problem = batch.problem(*of)
        answers.append(batch.answers(*of, problem, make_plan(problem)))
    return _together(answers)


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

    def problem(self, numbers: Numbers, query: Query) -> Problem:
        """The reduced batch; all lanes for the first label come first, and those in which every label is allowed last."""
        n = self.n_labels
        if n > 1:
            lanes = max(numbers.lanes, query.lanes)
            numbers, query = numbers.repeated(n), query.repeated(n)
            allowed = _up_to(self.of_nodes, np.repeat(np.arange(n), lanes))
            for node, (absent, present) in query.weights.items():
                allowed[node] = absent, present * allowed[node][1] if node in allowed else present
            query = replace(query, weights=allowed)
        return reduce_batch(self.network, numbers, query, also=self.also, all_slopes=self.risks or self.slopes)

    def answers(self, numbers: Numbers, query: Query, problem: Problem, plan: Plan) -> Answers:
        """Walk."""
        lanes = problem.lanes // self.n_labels
        walk = _Walk(problem, plan)
        total, exponent = walk.forward()
        with np.errstate(divide="ignore"):
            log_joints = np.log(total) + exponent * log(2.0) + problem.log_factor
        log_joint = log_joints[-lanes:]
        possible = log_joint > -np.inf
        gradient = Gradient(numbers, problem.lanes) if self.risks or self.slopes else None
        hidden = np.zeros((lanes, self.network.n_hidden))
        for node, p in walk.backward(lanes if gradient is None else problem.lanes, gradient).items():
            hidden[:, node] = np.where(possible, p[-lanes:], 0.0)
        slopes = None if gradient is None else _slopes(problem, gradient, possible)
        return Answers(
            log_joint,
            hidden,
            problem.kept,
            self._labels(log_joints.reshape(-1, lanes)),
            _posteriors_of_risks(self.network, numbers, query, slopes) if slopes is not None and self.risks else {},
            slopes if self.slopes else None,
        )

    def _labels(self, log_joints: Array) -> Array:
        """The distribution of the highest label, from log P(evidence, highest label <= l), shape (labels, lanes)."""
        if not self.of_nodes:
            return np.empty((log_joints.shape[1], 0))
        with np.errstate(invalid="ignore"):
            cumulative = np.nan_to_num(np.exp(log_joints - log_joints[-1]), nan=0.0)
        return np.asarray(np.maximum(np.diff(cumulative.T, prepend=0.0, axis=1), 0.0))


def _slopes(problem: Problem, gradient: Gradient, possible: NDArray[np.bool_]) -> Numbers:
    """Hand the derivatives of the logarithm of the total on to the network's numbers."""
    for factor in problem.factors:
        gradient.add(factor, np.divide(1.0, factor.values, out=np.zeros_like(factor.values), where=factor.values > 0.0))
    slopes = gradient.run().part(slice(-len(possible), None))
    for part in (slopes.logits, slopes.links, slopes.log_odds, slopes.priors):
        part[~possible] = 0.0
    return slopes


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
    fields = ("logits", "links", "log_odds", "priors")
    return Answers(
        np.concatenate([part.log_joint for part in answers]),
        np.concatenate([part.hidden for part in answers]),
        tuple(sorted({node for part in answers for node in part.kept})),
        np.concatenate([part.labels for part in answers]),
        {risk: np.concatenate([part.risks[risk] for part in answers]) for risk in answers[0].risks},
        Numbers(*(np.concatenate([getattr(part, field) for part in slopes]) for field in fields)) if slopes else None,
    )


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
    problem = reduce_batch(network, network.numbers(cause_logits), query, flags=flags)
    if_none = Table((), np.where(np.arange(n_labels) == 0, 1.0, 0.0))
    problem.bits[len(network.nodes)] = Bit(if_none, Table((), np.ones(1)))
    total, exponent = _Walk(problem, priced(problem, 1, cost_limit)).forward()
    if not total.any() or isinf(float(problem.log_factor[0])):
        return np.zeros(n_labels)
    weights = np.ldexp(total, (exponent - exponent[total > 0].max()).astype(int))
    return np.asarray(weights / weights.sum())


def _up_to(labels: Sequence[int], allowed: NDArray[np.intp]) -> dict[int, tuple[Array, Array]]:
    """Weights that hold the nodes absent whose label is above the one that a lane allows."""
    return {node: (np.ones(1), np.where(label <= allowed, 1.0, 0.0)) for node, label in enumerate(labels) if label > 0}


def priced(problem: Problem, lanes: int, cost_limit: float) -> Plan:
    """Plan a problem.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit` in so many lanes.
    """
    plan = make_plan(problem)
    if plan.operations * lanes > cost_limit:
        raise QueryTooCostlyError(plan.operations * lanes, cost_limit)
    return plan


class _Walk:
    """The messages of one plan, made forwards, and their derivatives, made backwards."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.plan = plan
        self.messages: list[Array] = [np.ones(1)]
        self.gradient: Gradient | None = None
        self.lanes = slice(None)

    def forward(self) -> tuple[Array, Array]:
        """Make every message; returns the last one and the power of two it has to be scaled by, shape (lanes,) each."""
        exponents: list[Array] = [np.zeros(1)]
        for k, step in enumerate(self.plan.steps):
            value = self._make(step, self.plan.scopes[k + 1])
            inputs = (step.left, step.right) if isinstance(step, Merge) else (step.message,)
            exponent = sum((exponents[message] for message in inputs), np.zeros(1))
            if isinstance(step, CloseBit | ClosePoint):
                value, power = _scaled(value)
                exponent = exponent + power
            self.messages.append(value)
            exponents.append(exponent)
        total = np.atleast_1d(self.messages[-1])
        total = np.broadcast_to(total, max(len(total), self.problem.lanes))
        return total, np.broadcast_to(exponents[-1], total.shape)

    def backward(self, lanes: int, gradient: Gradient | None = None) -> dict[int, Array]:
        """Differentiate backwards.

        An axis of length 1 in a derivative stands for one that it is constant along.

        Args:
            lanes: How many of the last lanes are wanted.
            gradient: Where to put the derivatives of the logarithm of the total with respect to the problem's tables.

        Returns:
            P(present | evidence) of each hidden node, shape (lanes,) or (1,); 0 where the evidence is impossible.
        """
        self.gradient = gradient
        self.lanes = slice(-lanes, None)
        derivatives: dict[int, Array] = {len(self.plan.steps): np.ones(1)}
        hidden: dict[int, Array] = {}
        for k in range(len(self.plan.steps) - 1, -1, -1):
            step, after = self.plan.steps[k], self.plan.scopes[k + 1]
            g = derivatives.pop(k + 1)
            if isinstance(step, CloseBit | ClosePoint):
                g, _ = _scaled(g)
            if isinstance(step, Merge):
                derivatives[step.left], derivatives[step.right] = self._merge_backward(step, after, g)
            elif isinstance(step, Absorb):
                derivatives[step.message] = self._absorb_backward(step, after, g, hidden)
            else:
                derivatives[step.message] = self._close_backward(step, after, g, hidden)
        return hidden

    def _make(self, step: Step, after: Scope) -> Array:
        if isinstance(step, Merge):
            return self._merge(step, after)
        before = self.plan.scopes[step.message]
        v = self.messages[step.message]
        if isinstance(step, Absorb):
            item = self.problem.items[step.item]
            v = _stretched(v, before, after)
            absent: Array = v * _over(item.absent, after)
            links = [(child, w.values[:, None, None]) for child, w in item.children]
            present = _in_lanes(v * _over(item.present, after), [w for _, w in links])
            for child, w in links:
                _switch_on(present, after, child, w)
            return absent + present
        if isinstance(step, Multiply):
            product: Array = _stretched(v, before, after) * _over(self.problem.tables[step.table], after)
            return product
        if isinstance(step, ClosePoint):
            summed: Array = v.sum(axis=1 + len(before.bits) + before.points.index(step.point))
            return summed
        bit, axis = self.problem.bits[step.bit], 1 + before.bits.index(step.bit)
        if bit.point < 0:
            rest = (1,) * (v.ndim - 2)
            off, on = bit.off.values.reshape(-1, *rest), bit.on.values.reshape(-1, *rest)
            weighed: Array = np.take(v, 0, axis) * off + np.take(v, 1, axis) * on
            return weighed
        to = len(before.bits) + after.points.index(bit.point)
        if bit.point in before.points:  # the node has been taken in already: bit and point must agree
            return np.moveaxis(np.diagonal(v, axis1=axis, axis2=to + 1), -1, to)
        return np.moveaxis(v, axis, to)

    def _of_lanes(self, v: Array) -> Array:
        return v[self.lanes]

    # --- items ---

    def _absorb_backward(self, step: Absorb, after: Scope, g: Array, hidden: dict[int, Array]) -> Array:
        before = self.plan.scopes[step.message]
        item = self.problem.items[step.item]
        v = _stretched(self._of_lanes(self.messages[step.message]), before, after)
        absent, present = self._of_lanes(_over(item.absent, after)), self._of_lanes(_over(item.present, after))
        links = [(child, table, self._of_lanes(table.values)[:, None, None]) for child, table in item.children]
        g = _in_lanes(np.broadcast_to(g, (len(g), *self._shape(after))), [v, present, *(w for *_, w in links)])
        slopes: list[tuple[Table, Array]] = []
        if self.gradient is None:
            g_present = g.copy()  # contiguous, as g is
            for child, _, w in links:
                _switch_on_backward(g_present, after, child, w)
        else:
            g_present = self._links_backward(after, links, _in_lanes(v * present, [g]), g.copy(), slopes)
        if_absent, if_present = v * g, v * g_present
        total_absent, total_present = _summed(if_absent * absent), _summed(if_present * present)
        total = total_absent + total_present
        if item.node != NAMELESS:
            hidden[item.node] = _over_total(total_present, total)
        if self.gradient is not None:
            self._record(item.absent, if_absent, after, total)
            self._record(item.present, if_present, after, total)
            for table, slope in slopes:
                self.gradient.add(table, _over_total(slope, total))
        return _unstretched(g * absent + g_present * present, before, after)

    def _links_backward(
        self,
        scope: Scope,
        links: Sequence[tuple[int, Table, Array]],
        present: Array,
        g: Array,
        slopes: list[tuple[Table, Array]],
    ) -> Array:
        """Undo the links one after the other, and note the slope along each: x_off (g_on - g_off)."""
        before = []
        for child, _, w in links:
            before.append(present.copy())
            _switch_on(present, scope, child, w)
        for (child, table, w), x in zip(reversed(links), reversed(before), strict=True):
            off, on = _halves(g, scope, child)
            slopes.append((table, _summed(_halves(x, scope, child)[0] * (on - off))))
            _switch_on_backward(g, scope, child, w)
        return g

    def _record(self, table: Table, part: Array, scope: Scope, total: Array) -> None:
        """Add d log(total) / d table, of which `part` times the table sums to the total."""
        if self.gradient is not None:
            part = np.broadcast_to(part, (len(part), *self._shape(scope)))
            part = _collapsed(part, Scope((), table.axes), scope)
            self.gradient.add(table, _over_total(part, total.reshape(-1, *(1,) * (part.ndim - 1))))

    # --- merging ---

    def _merge(self, step: Merge, after: Scope) -> Array:
        a, b = self._facing(step, after, self.messages[step.left], self.messages[step.right])
        n_shared = len(self._shared(step))
        return _restored(_or_product(a, b, n_shared), n_shared, self._shared_axes(step, after))

    def _merge_backward(self, step: Merge, after: Scope, g: Array) -> tuple[Array, Array]:
        a, b = self._facing(step, after, *(self._of_lanes(self.messages[k]) for k in (step.left, step.right)))
        g = np.broadcast_to(g, (len(g), *self._shape(after)))
        g = _fronted(g, self._shared_axes(step, after))
        n_shared = len(self._shared(step))
        parts = []
        for message, other in ((step.left, b), (step.right, a)):
            part = _restored(_or_correlate(g, other, n_shared), n_shared, self._shared_axes(step, after))
            parts.append(_collapsed(part, self.plan.scopes[message], after))
        return parts[0], parts[1]

    def _shared(self, step: Merge) -> Axes:
        a, b = self.plan.scopes[step.left], self.plan.scopes[step.right]
        return tuple(bit for bit in a.bits if bit in b.bits)

    def _shared_axes(self, step: Merge, after: Scope) -> list[int]:
        return [1 + after.bits.index(bit) for bit in self._shared(step)]

    def _facing(self, step: Merge, after: Scope, left: Array, right: Array) -> tuple[Array, Array]:
        """Both messages with the shared bits in front and the other axes facing each other."""
        axes = self._shared_axes(step, after)
        a = _widened(left, self.plan.scopes[step.left], after)
        b = _widened(right, self.plan.scopes[step.right], after)
        return _fronted(a, axes), _fronted(b, axes)

    # --- factors and closing ---

    def _close_backward(
        self, step: Multiply | CloseBit | ClosePoint, after: Scope, g: Array, hidden: dict[int, Array]
    ) -> Array:
        before = self.plan.scopes[step.message]
        if isinstance(step, ClosePoint):
            return np.expand_dims(g, 1 + len(before.bits) + before.points.index(step.point))
        v = self._of_lanes(self.messages[step.message])
        if isinstance(step, Multiply):
            table = self.problem.tables[step.table]
            over = self._of_lanes(_over(table, after))
            if self.gradient is not None:
                part = _stretched(v, before, after) * g
                self._record(table, part, after, _summed(part * over))
            return _unstretched(g * over, before, after)
        bit, axis = self.problem.bits[step.bit], 1 + before.bits.index(step.bit)
        if bit.point < 0:
            self._weigh_backward(bit, np.take(v, 0, axis) * g, np.take(v, 1, axis) * g, hidden)
            off, on = (self._of_lanes(table.values).reshape(-1, *(1,) * (v.ndim - 2)) for table in (bit.off, bit.on))
            return np.stack([g * off, g * on], axis)
        to = len(before.bits) + after.points.index(bit.point)
        if bit.point not in before.points:
            return np.moveaxis(g, to, axis)
        g = np.broadcast_to(g, g.shape[:1] + self._shape(after))
        agreeing = np.zeros(g.shape[:1] + self._shape(before))
        by_states, by_state = np.moveaxis(agreeing, (axis, to + 1), (0, 1)), np.moveaxis(g, to, 0)
        by_states[0, 0], by_states[1, 1] = by_state[0], by_state[1]
        return agreeing

    def _weigh_backward(self, bit: Bit, if_off: Array, if_on: Array, hidden: dict[int, Array]) -> None:
        """Note what the closing of a bit tells about its report and about the node that ends in it."""
        if self.gradient is None and bit.present is None:
            return
        if_off, if_on = _summed(if_off), _summed(if_on)
        total = if_off * self._of_lanes(bit.off.values) + if_on * self._of_lanes(bit.on.values)
        if bit.present is not None:
            off, on = (self._of_lanes(table.values) for table in bit.present)
            hidden[bit.node] = _over_total(if_off * off + if_on * on, total)
        if self.gradient is not None:
            self.gradient.add(bit.off, _over_total(if_off, total))
            self.gradient.add(bit.on, _over_total(if_on, total))

    def _shape(self, scope: Scope) -> tuple[int, ...]:
        return (2,) * len(scope.bits) + tuple(self.problem.sizes[point] for point in scope.points)


def _or_product(a: Array, b: Array, n_shared: int) -> Array:
    """The OR over the leading bits of two tables, the product over the other axes.

    Each shared bit means three terms: (off, off) -> off; (off, on) and (on, either) -> on. They become an axis of
    length 3 while that fits into the cache; larger tables are split along their first bit.
    """
    if _fits(a, b, n_shared):
        terms = _terms_left(a, n_shared) * _terms_right(b, n_shared)
        for bit in range(n_shared):
            on = terms.take((1,), bit) + terms.take((2,), bit)
            terms = np.concatenate([terms.take((0,), bit), on], bit)
        return terms
    off = _or_product(a[0], b[0], n_shared - 1)
    on = _or_product(a[0], b[1], n_shared - 1) + _or_product(a[1], b[0] + b[1], n_shared - 1)
    return np.stack([off, on])


def _or_correlate(g: Array, b: Array, n_shared: int) -> Array:
    """The transpose of `_or_product` with respect to one of its arguments, the other one given."""
    if _fits(g, b, n_shared):
        for bit in range(n_shared):
            g = g.take((0, 1, 1), bit)
        terms = g * _terms_right(b, n_shared)
        for bit in range(n_shared):
            off = terms.take((0,), bit) + terms.take((1,), bit)
            terms = np.concatenate([off, terms.take((2,), bit)], bit)
        return terms
    off = _or_correlate(g[0], b[0], n_shared - 1) + _or_correlate(g[1], b[1], n_shared - 1)
    return np.stack([off, _or_correlate(g[1], b[0] + b[1], n_shared - 1)])


def _fits(a: Array, b: Array, n_shared: int) -> bool:
    return n_shared == 0 or prod(np.broadcast_shapes(a.shape, b.shape)) * 1.5**n_shared <= CACHED


def _terms_left(a: Array, n_shared: int) -> Array:
    for bit in range(n_shared):
        a = a.take((0, 0, 1), bit)
    return a


def _terms_right(b: Array, n_shared: int) -> Array:
    for bit in range(n_shared):
        b = np.concatenate([b, b.sum(axis=bit, keepdims=True)], bit)
    return b


def _fronted(v: Array, axes: Sequence[int]) -> Array:
    """Move axes to the front."""
    return np.ascontiguousarray(np.moveaxis(v, axes, range(len(axes))))


def _restored(v: Array, n_axes: int, axes: Sequence[int]) -> Array:
    """Undo `_fronted`."""
    return np.moveaxis(v, range(n_axes), axes)


def _over(table: Table, scope: Scope) -> Array:
    """A table over points, ready to multiply a message of this scope."""
    wide = widen(table.values, table.axes, scope.points)
    return wide.reshape(wide.shape[:1] + (1,) * len(scope.bits) + wide.shape[1:])


def _widened(v: Array, before: Scope, after: Scope) -> Array:
    """Insert axes of length 1 for the bits and points that a message lacks."""
    shape = iter(v.shape[1:])
    sizes = [next(shape) if bit in before.bits else 1 for bit in after.bits]
    sizes += [next(shape) if point in before.points else 1 for point in after.points]
    return v.reshape(v.shape[:1] + tuple(sizes))


def _collapsed(g: Array, before: Scope, after: Scope) -> Array:
    """The transpose of `_widened` with broadcasting: sum over the axes that a message lacks."""
    gone = [1 + k for k, bit in enumerate(after.bits) if bit not in before.bits]
    gone += [1 + len(after.bits) + k for k, point in enumerate(after.points) if point not in before.points]
    return g.sum(axis=tuple(gone)) if gone else g


def _stretched(v: Array, before: Scope, after: Scope) -> Array:
    """Give a message the bits that it lacks, switched off, and axes of length 1 for the points that it lacks."""
    v = _widened(v, before, after)
    for k, bit in enumerate(after.bits):
        if bit not in before.bits:
            v = np.concatenate([v, np.zeros_like(v)], 1 + k)
    return v


def _unstretched(g: Array, before: Scope, after: Scope) -> Array:
    """The transpose of `_stretched`: a missing bit was off, a missing point had any state."""
    kept = Scope(before.bits, after.points)
    for k in reversed(range(len(after.bits))):
        if after.bits[k] not in before.bits:
            g = np.take(g, 0, 1 + k)
    return _collapsed(g, before, kept)


def _in_lanes(v: Array, others: Sequence[Array]) -> Array:
    """The same in as many lanes as the others have, contiguous and free to be changed."""
    lanes = max([len(v), *map(len, others)])
    if len(v) == lanes and v.flags.c_contiguous and v.flags.writeable:
        return v
    return np.array(np.broadcast_to(v, (lanes, *v.shape[1:])), order="C")


def _switch_on(present: Array, scope: Scope, child: int, w: Array) -> None:
    """Let present items switch a child's bit on."""
    off, on = _halves(present, scope, child)
    on += w * off
    off *= 1.0 - w


def _switch_on_backward(g: Array, scope: Scope, child: int, w: Array) -> None:
    off, on = _halves(g, scope, child)
    off *= 1.0 - w
    off += w * on


def _summed(v: Array) -> Array:
    """The sum of each lane, shape (lanes,)."""
    return np.asarray(v.reshape(len(v), -1).sum(axis=1))


def _over_total(part: Array, total: Array) -> Array:
    """The quotient, 0 where the total is 0."""
    return np.asarray(np.divide(part, total, out=np.zeros(np.broadcast_shapes(part.shape, total.shape)), where=total > 0.0))


def _halves(v: Array, scope: Scope, bit: int) -> tuple[Array, Array]:
    """Views of the parts of a contiguous message in which a bit is off and on, shape (lanes, before, after)."""
    split = v.reshape(v.shape[0], 2 ** scope.bits.index(bit), 2, -1)
    return split[:, :, 0], split[:, :, 1]


def _scaled(v: Array) -> tuple[Array, Array]:
    """Bring each lane to the order of 1; returns it and the powers of two taken out, shape (lanes,)."""
    flat = v.reshape(len(v), -1)
    power = np.frexp(flat.max(axis=1))[1]
    return np.ldexp(flat, -power[:, None]).reshape(v.shape), power.astype(np.float64)
