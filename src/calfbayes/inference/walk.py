"""The messages of one program, made forwards, and their derivatives, made backwards.

A message is an array of shape (lanes, ...). Forwards, each step multiplies a message by a matrix, or puts two together: the
product over the points they share, and over each shared bit the OR

    off = a_off b_off        on = a_off b_on + a_on (b_off + b_on)

Backwards, the transposed steps: with y = M x, the derivative with respect to x is M' g, and that with respect to M is g x'.
Messages are scaled by powers of two when they have become small, and the exponents kept apart.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.matrices import Matrices
from calfbayes.inference.problem import Problem
from calfbayes.inference.program import Apply, Meet, Program, View
from calfbayes.inference.tables import Array, Gradient

CACHED = 2**17  # numbers that are worth holding at once: 1 MiB, half of a second cache
GROUP = 3  # shared bits of which the terms are summed by one matrix
ALONE = 2**18  # multiplications in one product that BLAS does without threads, which cost more than they bring here
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
                value, exponent = _or_product(a, b, step.n_shared), exponents[step.left] + exponents[step.right]
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
                of_a, of_b = _or_product_backward(g, a, b, step.n_shared)
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


# --- the OR of two messages ------------------------------------------------------------------------------------------


def _or_product(a: Array, b: Array, n_shared: int) -> Array:
    """Put two messages together.

    Args:
        a: Shape (lanes, points, shared bits, rest of a).
        b: Shape (lanes, points, shared bits, rest of b).

    Returns:
        Shape (lanes, points, shared bits, rest of a, rest of b).
    """
    if n_shared == 0:
        return np.asarray(a[..., None] * b[..., None, :])
    if _at_once(a, b, n_shared):
        terms = _terms(n_shared)
        products = terms.of_left(a)[:, :, :, None] * terms.of_right(b)[:, :, None]
        return terms.together(products).transpose(1, 2, 0, 3, 4)
    (a_off, a_on), (b_off, b_on) = _halves(a), _halves(b)
    value = np.empty((max(len(a), len(b)), *a.shape[1:], b.shape[-1]))
    off, on = _halves(value)
    off[...] = _or_product(a_off, b_off, n_shared - 1)
    on[...] = _or_product(a_off, b_on, n_shared - 1)
    on += _or_product(a_on, b_off + b_on, n_shared - 1)
    return value


def _or_product_backward(g: Array, a: Array, b: Array, n_shared: int) -> tuple[Array, Array]:
    """The derivatives with respect to both messages, given that with respect to what became of them."""
    if n_shared == 0:
        return (g @ b[..., None])[..., 0], (a[..., None, :] @ g)[..., 0, :]
    if _at_once(a, b, n_shared):
        terms = _terms(n_shared)
        g = g.transpose(0, 1, 3, 4, 2).take(terms.into, -1)
        of_a = np.einsum("lpabt,lpbt->lpat", g, terms.of_right(b))
        of_b = np.einsum("lpabt,lpat->lpbt", g, terms.of_left(a))
        return terms.left_back(of_a).transpose(1, 2, 0, 3), terms.right_back(of_b).transpose(1, 2, 0, 3)
    (g_off, g_on), (a_off, a_on), (b_off, b_on) = _halves(g), _halves(a), _halves(b)
    off = _or_product_backward(g_off, a_off, b_off, n_shared - 1)
    mixed = _or_product_backward(g_on, a_off, b_on, n_shared - 1)
    on = _or_product_backward(g_on, a_on, b_off + b_on, n_shared - 1)
    return np.concatenate([off[0] + mixed[0], on[0]], axis=2), np.concatenate([off[1] + on[1], mixed[1] + on[1]], axis=2)


def _at_once(a: Array, b: Array, n_shared: int) -> bool:
    """Whether all terms of the OR may stand side by side: 3 for each shared bit."""
    return bool(max(len(a), len(b)) * a.shape[1] * 3**n_shared * a.shape[3] * b.shape[3] <= CACHED)


class _Terms:
    """The terms of the OR over some bits: (off, off) -> off; (off, on) and (on, either) -> on; 3 for each bit.

    Sums over terms go group by group of the bits, so that they are products with small matrices.

    Attributes:
        into: For each term the states that come out.
    """

    def __init__(self, n_bits: int) -> None:
        self.groups = [GROUP] * (n_bits // GROUP) + [n_bits % GROUP] * (n_bits % GROUP > 0)
        self._left = _power([np.array([0, 0, 1])] * n_bits)
        self.into = _power([np.array([0, 1, 1])] * n_bits)

    def of_left(self, a: Array) -> Array:
        """What of the left message goes into each term, shape (lanes, points, rest, terms)."""
        return a.swapaxes(2, 3).take(self._left, -1)

    def of_right(self, b: Array) -> Array:
        """What of the right message goes into each term, shape (lanes, points, rest, terms)."""
        lanes, points, _, rest = b.shape
        v = b.transpose(2, 0, 1, 3)
        for n in self.groups:
            v = _product(_one_term(n, "right"), v.reshape(2**n, -1)).T
        return v.reshape(lanes, points, rest, -1)

    def together(self, v: Array) -> Array:
        """Sum up the terms that come out as the same states, shape (states, other axes); terms are the last axis."""
        return self._summed(v, "put")

    def left_back(self, v: Array) -> Array:
        """Sum up the terms that the same states of the left message go into."""
        return self._summed(v, "left")

    def right_back(self, v: Array) -> Array:
        """Sum up the terms that the same states of the right message go into."""
        return self._summed(v, "right back")

    def _summed(self, v: Array, which: str) -> Array:
        others = v.shape[:-1]
        for n in reversed(self.groups):
            v = _product(_one_term(n, which), v.reshape(-1, 3**n).T)
        return v.reshape(-1, *others)


def _product(matrix: Array, v: Array) -> Array:
    """The product of a small matrix with a wide one, piece by piece."""
    wide = ALONE // matrix.size
    if v.shape[1] <= wide:
        return np.asarray(matrix @ v)
    result = np.empty((len(matrix), v.shape[1]))
    for first in range(0, v.shape[1], wide):
        np.matmul(matrix, v[:, first : first + wide], out=result[:, first : first + wide])
    return result


@lru_cache(maxsize=64)
def _one_term(n_bits: int, which: str) -> Array:
    """A matrix between the terms and the states of some bits."""
    one = {"left": [[1, 1, 0], [0, 0, 1]], "put": [[1, 0, 0], [0, 1, 1]], "right back": [[1, 0, 1], [0, 1, 1]]}
    one["right"] = [[1, 0], [0, 1], [1, 1]]
    matrix: Array = np.eye(1)
    for _ in range(n_bits):
        matrix = np.asarray(np.kron(matrix, np.array(one[which], dtype=np.float64)), dtype=np.float64)
    return matrix


def _power(states: Sequence[NDArray[np.intp]]) -> NDArray[np.intp]:
    """The joint state of several bits in each joint term."""
    joint = np.zeros(1, dtype=np.intp)
    for of_bit in states:
        joint = (2 * joint[:, None] + of_bit).ravel()
    return joint


_terms = lru_cache(maxsize=64)(_Terms)


def _halves(v: Array) -> tuple[Array, Array]:
    """The parts in which the first shared bit is off and on; views."""
    half = v.shape[2] // 2
    return v[:, :, :half], v[:, :, half:]
