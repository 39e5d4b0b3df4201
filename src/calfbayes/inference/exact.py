"""Exact posteriors by a frontier recursion, forward and backward; all terms are non-negative.

The probability of the evidence is a polynomial in the problem's tables, multilinear and without a minus sign. The
forward pass evaluates it, one step of the plan at a time, on a state v of shape (2,) * open bits + (rows,), where a
row is a joint state of the open unobserved risk factors:

    open bit j      v -> (v off_j, v on_j), a new axis in front
    open risk r     v -> v x P(r | parents), a new fastest axis among the rows
    process item i  present = v p_i, or (with a bit of its own) v[off] p_i + v[on]; absent likewise with 1 - p_i;
                    for each child: present[on] += w present[off]; present[off] *= 1 - w;
                    v -> absent + present
    close bit j     v -> v[off] P(report | off) + v[on] P(report | on)
    close risk r    v -> sum over its states

The backward pass differentiates it with respect to every table, by the transposed steps. A marginal is a table entry
times its derivative over the whole: P(i present | e) = present / (absent + present), sums of non-negative terms, so
nothing cancels, however improbable the evidence. States are scaled by powers of two; the exponent is kept apart.

References:
    Darwiche (2003), A differential approach to inference in Bayesian networks: marginals as derivatives.
    Heckerman (1989): Quickscore, whose inclusion-exclusion over present findings cancels; avoided here.
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.3: the noisy-OR, virtual evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, prod

import numpy as np

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.plan import CloseBit, CloseRisk, OpenBit, OpenRisk, Plan, Process, Step, make_plan
from calfbayes.inference.reduction import ABSENT, ACTIVATED, BY_ITSELF, Encoded, Reduced, reduce
from calfbayes.inference.tables import Array, in_rows
from calfbayes.network import Network

COST_LIMIT = 2e8  # state operations; a few seconds
_TINY, _UP = 2.0**-256, 2.0**256


@dataclass(frozen=True, slots=True)
class Posterior:
    """The answer to one query.

    Attributes:
        log_joint: log P(evidence, complaint); -inf if that is impossible, and then there are no marginals.
        hidden: P(node present | evidence, complaint) of every node that the query kept, by position.
    """

    log_joint: float
    hidden: dict[int, float]


def infer(
    network: Network, cause_logits: Array, evidence: Encoded, *, also: Sequence[int] = (), cost_limit: float = COST_LIMIT
) -> Posterior:
    """Compute log P(evidence, complaint) and the posterior of every cause and complication.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        also: Mechanisms whose posterior is wanted although nothing below them was observed; each doubles the cost.
        cost_limit: Largest predicted number of state operations.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`; nothing was allocated then.
    """
    problem, plan = priced(network, cause_logits, evidence, also=also, cost_limit=cost_limit)
    return _Pass(problem, plan).posterior()


def highest_label(
    network: Network, cause_logits: Array, evidence: Encoded, labels: Sequence[int], n_labels: int, *, cost_limit: float = COST_LIMIT
) -> Array:
    """Distribution of the highest label among the causes and complications that are present.

    With two labels, 1 for the members of a set, it is P(none of the set), P(any of the set).

    Args:
        labels: Label of each cause and complication by position, 0 to n_labels - 1.

    Returns:
        P(highest label = l | evidence, complaint), shape (n_labels,); label 0 includes "nothing present". All zero if
        the evidence is impossible.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`.
    """
    problem, plan = priced(network, cause_logits, evidence, cost_limit=cost_limit / n_labels)
    of_item = [labels[item.node] if 0 <= item.node < len(labels) else 0 for item in problem.items]
    return _Pass(problem, plan).highest(of_item, n_labels)


def priced(
    network: Network, cause_logits: Array, evidence: Encoded, *, also: Sequence[int] = (), cost_limit: float = COST_LIMIT
) -> tuple[Reduced, Plan]:
    """Reduce and plan a query.

    Raises:
        QueryTooCostlyError: If the plan is dearer than `cost_limit`.
    """
    problem = reduce(network, cause_logits, evidence, also=also)
    plan = make_plan(problem)
    if plan.operations > cost_limit:
        raise QueryTooCostlyError(plan.operations, cost_limit)
    return problem, plan


class _Pass:
    """One forward and, if marginals are wanted, one backward walk over the steps of a plan."""

    def __init__(self, problem: Reduced, plan: Plan) -> None:
        self.problem = problem
        self.plan = plan

    def posterior(self) -> Posterior:
        before: list[Array] = []
        v, exponent = np.ones(1), 0
        for step in self.plan.steps:
            before.append(v)
            v = self._forward(step, v)
            v, power = _scaled(v)
            exponent += power
        total = float(v.sum())
        if total == 0.0:
            return Posterior(float("-inf"), {})
        hidden: dict[int, float] = {}
        g = np.ones(1)
        for step, v in zip(reversed(self.plan.steps), reversed(before), strict=True):
            if isinstance(step, Process):
                g = self._backward_item(step, v, g, hidden)
            else:
                g = self._backward(step, v, g)
            g, _ = _scaled(g)
        return Posterior(log(total) + exponent * log(2.0) + self.problem.log_factor, hidden)

    def highest(self, labels: Sequence[int], n_labels: int) -> Array:
        """The forward pass with one more axis in front: the highest label so far."""
        v = np.zeros((n_labels, 1))
        v[0] = 1.0
        for step in self.plan.steps:
            if isinstance(step, Process):
                absent, present = self._split(step, v)
                top = labels[step.item]
                present[top] = present[: top + 1].sum(axis=0)
                present[:top] = 0.0
                v = absent + self._switch_on(step, present)
            else:
                v = self._forward(step, v)
            v, _ = _scaled(v)
        weights = v.reshape(n_labels, -1).sum(axis=1)
        total = weights.sum()
        return weights / total if total > 0 else weights

    # --- one step; v has shape (..., 2^bits * rows), and whatever stands in front rides along ---

    def _sizes(self, rows: Sequence[int]) -> list[int]:
        return [self.plan.sizes[risk] for risk in rows]

    def _table(self, step: Step) -> Array:
        """The weights that a step multiplies with, shape (kinds, rows)."""
        if isinstance(step, Process):
            table = self.problem.items[step.item].table
        elif isinstance(step, OpenBit):
            table = self.problem.bits[step.bit].start
        else:
            raise TypeError(step)
        return in_rows(table.weights, table.axes, step.rows, self._sizes(step.rows))

    def _forward(self, step: Step, v: Array) -> Array:
        lead, n_rows = v.shape[:-1], prod(self._sizes(step.rows))
        if isinstance(step, Process):
            absent, present = self._split(step, v)
            return absent + self._switch_on(step, present)
        if isinstance(step, OpenBit):
            off, on = self._table(step)
            split = v.reshape(*lead, -1, n_rows)
            return np.stack([split * off, split * on], axis=len(lead)).reshape(*lead, -1)
        if isinstance(step, OpenRisk):
            return (v.reshape(*lead, -1, n_rows, 1) * self._prior(step)).reshape(*lead, -1)
        if isinstance(step, CloseBit):
            off_end, on_end = self._end(step)
            x = self._at_bit(v, step.position)
            return (x[..., 0, :] * off_end + x[..., 1, :] * on_end).reshape(*lead, -1)
        before, after = self._around(step)
        return v.reshape(*lead, -1, before, self.plan.sizes[step.risk], after).sum(axis=-2).reshape(*lead, -1)

    def _backward(self, step: Step, v: Array, g: Array) -> Array:
        """Derivative with respect to the state before a step, from that with respect to the state after it."""
        n_rows = prod(self._sizes(step.rows))
        if isinstance(step, OpenBit):
            off, on = self._table(step)
            halves = g.reshape(2, -1, n_rows)
            return (halves[0] * off + halves[1] * on).reshape(-1)
        if isinstance(step, OpenRisk):
            prior = self._prior(step)
            return (g.reshape(-1, *prior.shape) * prior).sum(axis=-1).reshape(-1)
        if isinstance(step, CloseBit):
            off_end, on_end = self._end(step)
            y = self._at_bit(np.empty_like(v), step.position)
            part = g.reshape(y.shape[0], y.shape[2])
            y[:, 0], y[:, 1] = part * off_end, part * on_end
            return y.reshape(-1)
        if isinstance(step, CloseRisk):
            before, after = self._around(step)
            size = self.plan.sizes[step.risk]
            return np.repeat(g.reshape(-1, before, 1, after), size, axis=2).reshape(-1)
        raise TypeError(step)

    def _split(self, step: Process, v: Array) -> tuple[Array, Array]:
        """The parts of the state in which an item is absent and present, its own bit used up."""
        lead, table = v.shape[:-1], self._table(step)
        n_rows = table.shape[1]
        if len(table) == 1:  # a loose factor: nothing is ever present
            absent = (v.reshape(*lead, -1, n_rows) * table[0]).reshape(v.shape)
            return absent, np.zeros_like(absent)
        if step.own_bit < 0:
            split = v.reshape(*lead, -1, n_rows)
            return (split * table[ABSENT]).reshape(v.shape), (split * table[BY_ITSELF]).reshape(v.shape)
        x = self._at_bit(v, step.own_bit)
        off = np.ascontiguousarray(x[..., 0, :]).reshape(*lead, -1, n_rows)
        on = np.ascontiguousarray(x[..., 1, :]).reshape(*lead, -1, n_rows)
        absent = off * table[ABSENT]
        present = off * table[BY_ITSELF] + on * table[ACTIVATED]
        return absent.reshape(*lead, -1), present.reshape(*lead, -1)

    def _switch_on(self, step: Process, present: Array) -> Array:
        """Let a present item set its children's bits, in place."""
        for position, w in step.children:
            x = self._at_bit(present, position)
            x[..., 1, :] += w * x[..., 0, :]
            x[..., 0, :] *= 1.0 - w
        return present

    def _backward_item(self, step: Process, v: Array, g: Array, hidden: dict[int, float]) -> Array:
        table = self._table(step)
        n_rows = table.shape[1]
        if len(table) == 1:
            return (g.reshape(-1, n_rows) * table[0]).reshape(-1)
        g_present = g.copy()
        for position, w in reversed(step.children):
            y = self._at_bit(g_present, position)
            y[..., 0, :] *= 1.0 - w
            y[..., 0, :] += w * y[..., 1, :]
        g_absent, g_present = g.reshape(-1, n_rows), g_present.reshape(-1, n_rows)
        node = self.problem.items[step.item].node
        if step.own_bit < 0:
            split = v.reshape(-1, n_rows)
            weights = [
                ((split * g_absent).sum(axis=0) * table[ABSENT]).sum(),
                ((split * g_present).sum(axis=0) * table[BY_ITSELF]).sum(),
            ]
            g_before = (g_absent * table[ABSENT] + g_present * table[BY_ITSELF]).reshape(-1)
        else:
            x = self._at_bit(v, step.own_bit)
            off, on = (np.ascontiguousarray(x[:, k]).reshape(-1, n_rows) for k in (0, 1))
            weights = [
                ((off * g_absent).sum(axis=0) * table[ABSENT]).sum(),
                ((off * g_present).sum(axis=0) * table[BY_ITSELF]).sum() + ((on * g_present).sum(axis=0) * table[ACTIVATED]).sum(),
            ]
            y = self._at_bit(np.empty_like(v), step.own_bit)
            y[:, 0] = (g_absent * table[ABSENT] + g_present * table[BY_ITSELF]).reshape(y.shape[0], -1)
            y[:, 1] = (g_present * table[ACTIVATED]).reshape(y.shape[0], -1)
            g_before = y.reshape(-1)
        hidden[node] = float(weights[1] / (weights[0] + weights[1]))
        return g_before

    # --- layout ---

    def _at_bit(self, v: Array, position: int) -> Array:
        """View the state with one bit's axis apart: shape (..., states before, 2, states after)."""
        return v.reshape(*v.shape[:-1], 2**position, 2, -1)

    def _prior(self, step: OpenRisk) -> Array:
        """P(risk factor | parents), shape (rows before, states)."""
        table = self.problem.risks[step.risk]
        rows = (*step.rows, step.risk)
        return in_rows(table.weights[0], table.axes, rows, self._sizes(rows)).reshape(-1, self.plan.sizes[step.risk])

    def _end(self, step: CloseBit) -> tuple[float, float]:
        end = self.problem.bits[step.bit].end
        if end is None:
            raise TypeError(step)
        return end

    def _around(self, step: CloseRisk) -> tuple[int, int]:
        """Number of joint states of the rows before and after a risk factor."""
        at = step.rows.index(step.risk)
        return prod(self._sizes(step.rows[:at])), prod(self._sizes(step.rows[at + 1 :]))


def _scaled(v: Array) -> tuple[Array, int]:
    """Bring a state back from the edge of the floating-point range; returns it and the power of two taken out."""
    top = float(v.max())
    if top == 0.0 or _TINY < top < _UP:
        return v, 0
    power = int(np.frexp(top)[1])
    return np.ldexp(v, -power), power
