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

All arrays have an axis of lanes in front: parallel computations that differ in the items' weights only.

References:
    Darwiche (2003), A differential approach to inference in Bayesian networks: marginals as derivatives.
    Zhang, Poole (1996), Exploiting causal independence: the OR of contributions in variable elimination.
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.3: the noisy-OR, virtual evidence.
    Heckerman (1989): Quickscore, whose inclusion-exclusion over present findings cancels; avoided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf, log, prod

import numpy as np

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.plan import Absorb, CloseBit, ClosePoint, Merge, Multiply, Plan, Scope, Step, make_plan
from calfbayes.inference.reduction import NAMELESS, Bit, Encoded, Item, Problem, reduce
from calfbayes.inference.tables import Array, Axes, Table, widen
from calfbayes.network import Network

COST_LIMIT = 2e8  # state operations; a few seconds
CACHED = 2**17  # numbers that are worth holding at once


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

    With labels, one more lane for each label below the highest holds the nodes with a higher label absent. That gives
    P(highest label <= l) in the same walk; the distribution is its differences, right to 1e-15 in absolute terms.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        labels: A label, 0, 1, ..., of each cause and complication by position; or none.
        also: Mechanisms whose posterior is wanted although nothing below them was observed.
        cost_limit: Largest predicted number of state operations.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; nothing was allocated then.
    """
    problem = reduce(network, cause_logits, evidence, also=also)
    lanes = np.arange(max(labels, default=0) + 1)
    if labels:
        for item in problem.items:
            if 0 <= item.node < len(labels):
                item.present = item.present.times((), np.where(labels[item.node] <= lanes, 1.0, 0.0))
    walk = _Walk(problem, priced(problem, cost_limit))
    total, exponent = walk.forward()
    if total[-1] == 0.0 or isinf(problem.log_factor):
        return Posterior(float("-inf"), {})
    log_joint = log(total[-1]) + float(exponent[-1]) * log(2.0) + problem.log_factor
    cumulative = np.ldexp(total, (exponent - exponent[-1]).astype(int)) / total[-1] if labels else np.empty(0)
    distribution = np.maximum(np.diff(cumulative, prepend=0.0), 0.0)
    return Posterior(log_joint, walk.backward(), tuple(float(p) for p in distribution))


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
    problem = reduce(network, cause_logits, evidence)
    lanes = np.arange(n_labels)
    flag = len(network.nodes)  # the bit "a node with just this label is present"
    problem.bits[flag] = Bit(0.0, 1.0, -1)
    problem.items.append(
        Item(NAMELESS, Table((), np.where(lanes == 0, 0.0, 1.0)), Table((), np.where(lanes == 0, 1.0, 0.0)), [(flag, 1.0)])
    )
    links: dict[tuple[int, int], Array] = {}
    for position, item in enumerate(problem.items):
        if 0 <= item.node < len(labels):
            label = labels[item.node]
            item.present = item.present.times((), np.where(label <= lanes, 1.0, 0.0))
            item.children = [*item.children, (flag, 1.0)]
            links[position, flag] = np.where(label == lanes, 1.0, 0.0)
    total, exponent = _Walk(problem, priced(problem, cost_limit), links).forward()
    if not total.any() or isinf(problem.log_factor):
        return np.zeros(n_labels)
    weights = np.ldexp(total, (exponent - exponent[total > 0].max()).astype(int))
    return np.asarray(weights / weights.sum())


def priced(problem: Problem, cost_limit: float) -> Plan:
    """Plan a problem.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`.
    """
    plan = make_plan(problem)
    if plan.operations > cost_limit:
        raise QueryTooCostlyError(plan.operations, cost_limit)
    return plan


class _Walk:
    """The messages of one plan, made forwards, and their derivatives, made backwards."""

    def __init__(self, problem: Problem, plan: Plan, links: dict[tuple[int, int], Array] | None = None) -> None:
        self.problem = problem
        self.plan = plan
        self.links = links or {}  # link probabilities that differ between lanes, by item and child
        self.messages: list[Array] = [np.ones(1)]

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
        return np.atleast_1d(self.messages[-1]), np.broadcast_to(exponents[-1], self.messages[-1].shape)

    def backward(self) -> dict[int, float]:
        """Differentiate backwards, in the last lane; returns P(present | evidence) of each node there.

        An axis of length 1 in a derivative stands for one that it is constant along.
        """
        derivatives: dict[int, Array] = {len(self.plan.steps): np.ones(1)}
        hidden: dict[int, float] = {}
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
                derivatives[step.message] = self._close_backward(step, after, g)
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
            return absent + self._switch_on(step, after, v * _over(item.present, after))
        if isinstance(step, Multiply):
            product: Array = _stretched(v, before, after) * _over(self.problem.tables[step.table], after)
            return product
        if isinstance(step, ClosePoint):
            summed: Array = v.sum(axis=1 + len(before.bits) + before.points.index(step.point))
            return summed
        bit, axis = self.problem.bits[step.bit], 1 + before.bits.index(step.bit)
        if bit.point < 0:
            weighed: Array = np.take(v, 0, axis) * bit.off + np.take(v, 1, axis) * bit.on
            return weighed
        to = len(before.bits) + after.points.index(bit.point)
        if bit.point in before.points:  # the node has been taken in already: bit and point must agree
            return np.moveaxis(np.diagonal(v, axis1=axis, axis2=to + 1), -1, to)
        return np.moveaxis(v, axis, to)

    # --- items ---

    def _switch_on(self, step: Absorb, scope: Scope, present: Array) -> Array:
        """Let a present item switch its children's bits on."""
        present = np.ascontiguousarray(present)
        for child, w in self._links_of(step):
            off, on = _halves(present, scope, child)
            on += w * off
            off *= 1.0 - w
        return present

    def _switch_on_backward(self, step: Absorb, scope: Scope, g: Array) -> Array:
        g = g.copy()
        for child, w in self._links_of(step):
            off, on = _halves(g, scope, child)
            off *= 1.0 - w
            off += w * on
        return g

    def _links_of(self, step: Absorb) -> list[tuple[int, float | Array]]:
        """Link probabilities; those that differ between lanes have shape (lanes, 1, 1)."""
        links: list[tuple[int, float | Array]] = []
        for child, w in self.problem.items[step.item].children:
            by_lane = self.links.get((step.item, child))
            links.append((child, w if by_lane is None else by_lane[:, None, None]))
        return links

    def _absorb_backward(self, step: Absorb, after: Scope, g: Array, hidden: dict[int, float]) -> Array:
        before = self.plan.scopes[step.message]
        item = self.problem.items[step.item]
        absent, present = _over(item.absent, after)[-1:], _over(item.present, after)[-1:]
        g = np.ascontiguousarray(np.broadcast_to(g, (1, *self._shape(after))))
        g_present = self._switch_on_backward(step, after, g)
        if item.node != NAMELESS:
            v = _stretched(self._last_lane(step.message), before, after)
            weights = float((v * absent * g).sum()), float((v * present * g_present).sum())
            hidden[item.node] = weights[1] / (weights[0] + weights[1])
        return _unstretched(g * absent + g_present * present, before, after)

    def _last_lane(self, message: int) -> Array:
        return self.messages[message][-1:]

    # --- merging ---

    def _merge(self, step: Merge, after: Scope) -> Array:
        a, b = self._facing(step, after, self.messages[step.left], self.messages[step.right])
        n_shared = len(self._shared(step))
        return _restored(_or_product(a, b, n_shared), n_shared, self._shared_axes(step, after))

    def _merge_backward(self, step: Merge, after: Scope, g: Array) -> tuple[Array, Array]:
        a, b = self._facing(step, after, self._last_lane(step.left), self._last_lane(step.right))
        g = np.broadcast_to(g, (1, *self._shape(after)))
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

    def _close_backward(self, step: Multiply | CloseBit | ClosePoint, after: Scope, g: Array) -> Array:
        before = self.plan.scopes[step.message]
        if isinstance(step, Multiply):
            return _unstretched(g * _over(self.problem.tables[step.table], after)[-1:], before, after)
        if isinstance(step, ClosePoint):
            return np.expand_dims(g, 1 + len(before.bits) + before.points.index(step.point))
        bit, axis = self.problem.bits[step.bit], 1 + before.bits.index(step.bit)
        if bit.point < 0:
            return np.stack([g * bit.off, g * bit.on], axis)
        to = len(before.bits) + after.points.index(bit.point)
        if bit.point not in before.points:
            return np.moveaxis(g, to, axis)
        g = np.broadcast_to(g, g.shape[:1] + self._shape(after))
        agreeing = np.zeros(g.shape[:1] + self._shape(before))
        by_states, by_state = np.moveaxis(agreeing, (axis, to + 1), (0, 1)), np.moveaxis(g, to, 0)
        by_states[0, 0], by_states[1, 1] = by_state[0], by_state[1]
        return agreeing

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


def _halves(v: Array, scope: Scope, bit: int) -> tuple[Array, Array]:
    """Views of the parts of a contiguous message in which a bit is off and on, shape (lanes, before, after)."""
    split = v.reshape(v.shape[0], 2 ** scope.bits.index(bit), 2, -1)
    return split[:, :, 0], split[:, :, 1]


def _scaled(v: Array) -> tuple[Array, Array]:
    """Bring each lane to the order of 1; returns it and the powers of two taken out, shape (lanes,)."""
    flat = v.reshape(len(v), -1)
    power = np.frexp(flat.max(axis=1))[1]
    return np.ldexp(flat, -power[:, None]).reshape(v.shape), power.astype(np.float64)
