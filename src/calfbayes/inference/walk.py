"""The messages of one program, made forwards, and their derivatives, made backwards.

A message is an array of shape (lanes, ...). Forwards, each step multiplies a message by a matrix, or puts two together.
Backwards, the transposed steps: with y = M x, the derivative with respect to x is M' g, and that with respect to M is g x'.
Messages are scaled by powers of two when they have become small, and the exponents kept apart.
"""

import numpy as np

from calfbayes.inference.matrices import Matrices
from calfbayes.inference.or_product import or_product, or_product_backward
from calfbayes.inference.problem import Problem
from calfbayes.inference.program import Apply, Meet, Program, View
from calfbayes.inference.tables import Array, Gradient

SMALL, LARGE = 2.0**-40, 2.0**40  # beyond, a message is rescaled


class Walk:
    """One problem's way through its program."""

    def __init__(self, problem: Problem, program: Program) -> None:
        self.problem = problem
        self.program = program
        self.matrices = Matrices(problem, program)
        self.seen: list[tuple[Array, ...]] = []  # by each step, as it looks at its messages

    def forward(self) -> tuple[Array, Array]:
        """Make every message; returns the last one and the power of two it has to be scaled by, shape (lanes,) each."""
        messages: dict[int, Array] = {0: np.ones(1)}
        exponents: list[Array] = [np.zeros(1)]

        def message(k: int) -> Array:
            return messages.pop(k) if k else messages[0]

        for k, step in enumerate(self.program.steps):
            if isinstance(step, Apply):
                x = _looked_at(message(step.message), step.view)
                value, exponent = self.matrices.of_step[k] @ x, exponents[step.message]
                self.seen.append((x,))
                if step.scale:
                    value, exponent = _scaled(value, exponent)
            else:
                a = _looked_at(message(step.left), step.left_view)
                b = _looked_at(message(step.right), step.right_view)
                value, exponent = or_product(a, b, step.n_shared), exponents[step.left] + exponents[step.right]
                self.seen.append((a, b))
            messages[k + 1] = value
            exponents.append(exponent)
        total = messages[len(self.program.steps)].reshape(-1)
        total = np.broadcast_to(total, max(len(total), self.problem.lanes))
        return total, np.broadcast_to(exponents[-1], total.shape)

    def backward(self, lanes: int, n_hidden: int, gradient: Gradient | None = None) -> Array:
        """Differentiate backwards.

        Args:
            lanes: How many of the last lanes are wanted.
            gradient: Where to put the derivatives of the logarithm of the total with respect to the problem's tables.

        Returns:
            P(present | evidence) of each hidden node, shape (lanes, n_hidden); 0 where the evidence is impossible.
        """
        wanted = self.matrices.wanted if gradient is None else self.matrices.with_slope()
        of_messages: dict[int, Array] = {len(self.program.steps): np.ones(1)}
        of_matrices: dict[int, Array] = {}
        for k in range(len(self.program.steps) - 1, -1, -1):
            step, g = self.program.steps[k], of_messages.pop(k + 1)
            if isinstance(step, Meet):
                a, b = (x[-lanes:] for x in self.seen[k])
                g = g.reshape(len(g), *a.shape[1:], b.shape[-1])
                of_a, of_b = or_product_backward(g, a, b, step.n_shared)
                of_messages[step.left] = _put_back(of_a, step.left_view)
                of_messages[step.right] = _put_back(of_b, step.right_view)
                continue
            matrix, x = self.matrices.of_step[k][-lanes:], self.seen[k][0][-lanes:]
            g = g.reshape(len(g), *matrix.shape[1:-1], x.shape[-1])
            if step.scale:
                g, _ = _scaled(g, np.zeros(1))
            if k in wanted:
                of_matrices[k] = g @ x.swapaxes(-1, -2)
            of_x = matrix.swapaxes(-1, -2) @ g
            if step.joined:
                of_x = of_x.sum(axis=step.joined)
            of_messages[step.message] = _put_back(of_x, step.view)
        hidden = np.zeros((lanes, n_hidden))
        self.matrices.posteriors(of_matrices, hidden)
        if gradient is not None:
            self.matrices.slopes(of_matrices, gradient)
        return hidden


def _looked_at(v: Array, view: View) -> Array:
    if view.order is not None:
        v = v.reshape(len(v), *view.split).transpose(view.order)
    return v.reshape(len(v), *view.shape)


def _put_back(g: Array, view: View) -> Array:
    if view.order is None:
        return g
    return g.reshape(len(g), *view.moved).transpose(view.back)


def _scaled(v: Array, exponent: Array) -> tuple[Array, Array]:
    """Bring each lane to the order of 1 if it has left it far; the powers of two taken out are added to the exponent."""
    flat = v.reshape(len(v), -1)
    top = flat.max(axis=1)
    if top.min() > SMALL and top.max() < LARGE:
        return v, exponent
    power = np.frexp(top)[1]
    return np.ldexp(flat, -power[:, None]).reshape(v.shape), exponent + power
