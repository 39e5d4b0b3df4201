"""Two messages put together: the product over the points they share, the OR over the bits they share.

Bit by bit that is

    off = a_off b_off        on = a_off b_on + a_on (b_off + b_on),

three products for each bit. The leading bits are turned into matrices, at whose products computers are fastest: each state of
the other bits of the left message holds what it multiplies the right message by,

    [a_off       0     ]
    [a_on  a_off + a_on]      and so on, one such matrix in another.

Over the other bits the two lines above are followed; a_off leaves the right message as it is, so that its bit becomes one more
column. Nothing is subtracted, so that every entry, however small, is as right as its factors.

References:
    Björklund, Husfeldt, Kaski, Koivisto (2007), Fourier meets Möbius: fast subset convolution. Their faster way subtracts.
"""

from functools import lru_cache

import numpy as np

from calfbayes.inference.tables import Array

LEADING = 4  # of the shared bits that are turned into matrices; most entries of larger ones are 0
MANY = 8  # shared bits from which on one more is worth its zeros
ALONE = 2**18  # multiplications in one product that BLAS does without threads, which cost more than they bring here


def or_product(a: Array, b: Array, n_shared: int) -> Array:
    """Put two messages together.

    Args:
        a: Shape (lanes, points, shared bits, rest of a).
        b: Shape (lanes, points, shared bits, rest of b).

    Returns:
        Shape (lanes, points, shared bits, rest of a, rest of b).
    """
    if a.shape[3] > b.shape[3]:
        return or_product(b, a, n_shared).swapaxes(3, 4)
    lanes, points, states, rest = max(len(a), len(b)), a.shape[1], a.shape[2], a.shape[3]
    value = _put_together(_matrices(a, n_shared), _columns(b, n_shared))
    return value.reshape(lanes, points, rest, states, b.shape[3]).swapaxes(2, 3)


def or_product_backward(g: Array, a: Array, b: Array, n_shared: int) -> tuple[Array, Array]:
    """The derivatives with respect to both messages, given that with respect to what became of them."""
    if a.shape[3] > b.shape[3]:
        of_b, of_a = or_product_backward(g.swapaxes(3, 4), b, a, n_shared)
        return of_a, of_b
    matrices, columns = _matrices(a, n_shared), _columns(b, n_shared)
    of_matrices = np.empty((max(len(g), len(b)), *matrices.shape[1:]))
    by_row = np.ascontiguousarray(g.swapaxes(2, 3)).reshape(len(g), matrices.shape[1], matrices.shape[3], -1)
    of_columns = _taken_apart(by_row, matrices, columns, of_matrices)
    return _of_matrices(of_matrices, a.shape[2:]), of_columns.reshape(-1, *b.shape[1:])


def _matrices(a: Array, n_shared: int) -> Array:
    """What each state of the other bits multiplies by, shape (lanes, points, states of the other bits, rows, columns).

    Rows are the rest of a and the states that come out, columns the states of the right message.
    """
    lanes, points, _, rest = a.shape
    leading = _leading(n_shared)
    v = a.reshape(lanes, points, 2**leading, -1, rest).transpose(0, 1, 3, 4, 2)
    matrices = _product(v.reshape(-1, 2**leading), _pattern(leading))
    return matrices.reshape(lanes, points, -1, rest * 2**leading, 2**leading)


def _of_matrices(g: Array, shape: tuple[int, ...]) -> Array:
    """The derivative with respect to the message that `_matrices` has turned into matrices."""
    lanes, points, others, _, leading = g.shape
    of_states = _product(g.reshape(-1, leading**2), _pattern(leading.bit_length() - 1).T)
    return of_states.reshape(lanes, points, others, shape[1], leading).transpose(0, 1, 4, 2, 3).reshape(lanes, points, *shape)


def _columns(b: Array, n_shared: int) -> Array:
    """The right message, shape (lanes, points, states of the leading bits, 1, states of the other bits, rest of b)."""
    leading = _leading(n_shared)
    return b.reshape(*b.shape[:2], 2**leading, 1, -1, b.shape[3])


def _put_together(matrices: Array, columns: Array) -> Array:
    """Multiply.

    Args:
        columns: Shape (lanes, points, leading states, states of bits that are columns already, of the other bits, rest).

    Returns:
        Shape (lanes, points, rows, all columns).
    """
    if matrices.shape[2] == 1:
        return _product(matrices[:, :, 0], columns.reshape(*columns.shape[:3], -1))
    half = matrices.shape[2] // 2
    off, on = matrices[:, :, :half], matrices[:, :, half:]
    more, either = _one_column_more(columns)
    value = _put_together(off, more)
    of_on = _halves(value, more)[..., 1, :]
    of_on += _put_together(on, either).reshape(of_on.shape)
    return value


def _taken_apart(g: Array, matrices: Array, columns: Array, of_matrices: Array) -> Array:
    """The derivative with respect to the columns; that with respect to the matrices is written where it belongs."""
    if matrices.shape[2] == 1:
        of_matrices[:, :, 0] = _product(g, columns.reshape(*columns.shape[:3], -1).swapaxes(2, 3))
        return _product(matrices[:, :, 0].swapaxes(2, 3), g)
    half = matrices.shape[2] // 2
    off, on, of_off, of_on = (v[:, :, part] for v in (matrices, of_matrices) for part in (slice(half), slice(half, None)))
    more, either = _one_column_more(columns)
    of_columns = _taken_apart(g, off, more, of_off)
    g_on = np.ascontiguousarray(_halves(g, more)[..., 1, :])
    of_either = _taken_apart(g_on.reshape(*g.shape[:3], -1), on, either, of_on)
    both = _halves(of_columns, more)
    both += of_either.reshape(*both.shape[:4], 1, -1)
    return of_columns


def _one_column_more(columns: Array) -> tuple[Array, Array]:
    """With the first of the other bits as one more column, and with its states summed up."""
    lanes, points, leading, n_columns, others, rest = columns.shape
    half = others // 2
    either = columns[:, :, :, :, :half] + columns[:, :, :, :, half:]
    return columns.reshape(lanes, points, leading, 2 * n_columns, half, rest), either


def _halves(v: Array, more: Array) -> Array:
    """A view of columns in which the bit that was made the last column has an axis of its own, the last but one."""
    _, _, _, n_columns, others, rest = more.shape
    return v.reshape(*v.shape[:3], n_columns // 2, 2, others * rest)


def _product(left: Array, right: Array) -> Array:
    """The matrix product, some rows at a time."""
    rows = max(1, ALONE // (right.shape[-2] * right.shape[-1]))
    if left.shape[-2] <= rows:
        return np.asarray(left @ right)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    result = np.empty((*batch, left.shape[-2], right.shape[-1]))
    for first in range(0, left.shape[-2], rows):
        np.matmul(left[..., first : first + rows, :], right, out=result[..., first : first + rows, :])
    return result


def _leading(n_shared: int) -> int:
    return min(n_shared, LEADING + (n_shared >= MANY))


@lru_cache(maxsize=LEADING + 2)
def _pattern(n_bits: int) -> Array:
    """In which entries of its matrix each state stands, shape (states, rows * columns)."""
    state = np.arange(2**n_bits)
    comes_out = state[:, None] | state  # of a left and a right state
    pattern = comes_out[:, None] == state[:, None]  # left state, what comes out, right state
    return np.asarray(pattern.reshape(2**n_bits, -1), dtype=np.float64)
