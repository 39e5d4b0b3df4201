"""What each step of a program multiplies its message by, and what the derivative with respect to it tells.

The matrix of an item on the bits of its children, rows after and columns before (a bit that is new was off before):

    absent * identity  +  present * product over its children of  [1 - w  0]
                                                                  [  w    1]

an entry for each joint state of the points that its weights depend on. The matrix that closes a finding's bit is the row
(P(report | off), P(report | on)); that of a factor has one entry; that which sums over a point is a row of ones. No entry
is negative.

If G is the derivative of the whole with respect to an item's matrix, the parts of the whole in which the item is absent
and present are the sums over the entries of G times the two terms: P(present | evidence) is their quotient.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.plan import CloseBit, ClosePoint, Multiply
from calfbayes.inference.program import Apply, Link, Piece, Program
from calfbayes.inference.reduction import NAMELESS, Item, Problem
from calfbayes.inference.tables import Array, Axes, Gradient, Table, narrow, union, widen

_AGREE = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])[None]  # a bit and the point that takes its value
_ZERO = 1  # the entry of a child's matrix that is always 0, see `_pattern`


class Matrices:
    """The matrices of a problem.

    Attributes:
        of_step: The matrix of each step that has one, shape (lanes, sizes of the points, rows, columns).
        wanted: Steps of which the derivative is needed for the posteriors.
    """

    def __init__(self, problem: Problem, program: Program) -> None:
        self.problem = problem
        self.of_step: dict[int, Array] = {}
        self.wanted: set[int] = set()
        self._groups = [_Links(problem, program, piece, steps) for piece, steps in program.links]
        self._others: dict[int, Multiply | CloseBit] = {}
        for group in self._groups:
            self.of_step.update(group.matrices())
            if group.piece.first:
                self.wanted.update(group.steps)
        for k, step in enumerate(program.steps):
            if not isinstance(step, Apply) or isinstance(step.does, Link):
                continue
            if isinstance(step.does, ClosePoint):
                self.of_step[k] = np.ones((1, 1, problem.sizes[step.does.point]))
            elif isinstance(step.does, Multiply):
                self._others[k] = step.does
                self.of_step[k] = problem.tables[step.does.table].values[..., None, None]
            elif problem.bits[step.does.bit].point >= 0:
                self.of_step[k] = _AGREE
            else:
                bit = problem.bits[step.does.bit]
                self._others[k] = step.does
                self.of_step[k] = np.stack(np.broadcast_arrays(bit.off.values, bit.on.values), axis=-1)[:, None]
                if bit.present is not None:
                    self.wanted.add(k)

    def with_slope(self) -> set[int]:
        """The steps of which the derivative is needed for those with respect to the problem's tables."""
        return {*self._others, *(k for group in self._groups for k in group.steps)}

    def posteriors(self, of_steps: Mapping[int, Array], hidden: Array) -> None:
        """Fill P(present | evidence) of the nodes in, shape (lanes, n_hidden), from the derivatives by step."""
        for group in self._groups:
            if group.piece.first:
                group.posteriors(of_steps, hidden)
        for k in self.wanted & self._others.keys():
            bit = self.problem.bits[self._others[k].bit]
            if bit.present is not None:
                if_off, if_on = of_steps[k][:, 0, 0], of_steps[k][:, 0, 1]
                off, on, was_off, was_on = (_last(t.values, len(hidden)) for t in (*bit.present, bit.off, bit.on))
                hidden[:, bit.node] = over_total(if_off * off + if_on * on, if_off * was_off + if_on * was_on)

    def slopes(self, of_steps: Mapping[int, Array], gradient: Gradient) -> None:
        """Add the derivatives of the logarithm of the whole with respect to the problem's tables."""
        for group in self._groups:
            group.slopes(of_steps, gradient)
        for k, step in self._others.items():
            g, matrix = of_steps[k], self.of_step[k]
            part = over_total(g, (g * matrix).sum(axis=tuple(range(1, matrix.ndim)), keepdims=True))
            if isinstance(step, Multiply):
                gradient.add(self.problem.tables[step.table], part[..., 0, 0])
            else:
                gradient.add(self.problem.bits[step.bit].off, part[:, 0, 0])
                gradient.add(self.problem.bits[step.bit].on, part[:, 0, 1])


class _Links:
    """Pieces of items whose matrices look alike, made together. A row is a joint state of the points of one of them."""

    def __init__(self, problem: Problem, program: Program, piece: Piece, steps: Sequence[int]) -> None:
        self.piece, self.steps = piece, steps
        self.links = [_link(program, k) for k in steps]
        self.items = [problem.items[link.item] for link in self.links]
        self.axes = [union(item.absent.axes, item.present.axes) if piece.first else () for item in self.items]
        lengths = [prod(link.shape[:-2]) for link in self.links]
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.of_row = np.repeat(np.arange(len(lengths)), lengths)
        self.identity, self.cells = _pattern(piece)
        if piece.first:
            self.absent, self.present = (_rows(self._weights(which)) for which in ("absent", "present"))
        else:
            self.absent = self.present = np.ones((1, len(lengths)))
        n = len(piece.new)
        children = [item.children[link.start + j] for item, link in zip(self.items, self.links, strict=True) for j in range(n)]
        w = _rows([table.values[:, None] for _, table in children])
        w = w.reshape(len(w), len(lengths), n)
        self.of_children = np.stack([1.0 - w, np.zeros_like(w), w, np.ones_like(w)], axis=-1)
        self.effect = self._effect(self.of_children)[:, self.of_row]

    def _weights(self, which: str) -> Iterable[Array]:
        for item, link, axes in zip(self.items, self.links, self.axes, strict=True):
            table: Table = getattr(item, which)
            values = table.values
            if table.axes != axes:
                values = np.broadcast_to(widen(values, table.axes, axes), (len(values), *link.shape[:-2]))
            yield values.reshape(len(values), -1)

    def _effect(self, of_children: Array) -> Array:
        """The product over the children, shape (lanes, pieces, entries of the matrix)."""
        effect = np.ones((1, len(self.steps), self.identity.size))
        for j, cells in enumerate(self.cells):
            effect = effect * of_children[:, :, j, cells]
        return effect

    def matrices(self) -> dict[int, Array]:
        entries = self.absent[..., None] * self.identity + self.present[..., None] * self.effect
        lanes = len(entries)
        return {
            k: entries[:, start:end].reshape(lanes, *link.shape)
            for k, link, start, end in zip(self.steps, self.links, self.starts.tolist(), self.ends.tolist(), strict=True)
        }

    def _if(self, of_steps: Mapping[int, Array]) -> tuple[Array, Array, Array]:
        """The derivatives by row, and those with respect to the weights of being absent and of being present."""
        g = _rows([of_steps[k].reshape(len(of_steps[k]), -1, self.identity.size) for k in self.steps])
        return g, g @ self.identity, (g * _last(self.effect, len(g))).sum(axis=-1)

    def _total(self, by_row: Array) -> Array:
        return by_row if len(self.steps) == len(self.of_row) else np.asarray(np.add.reduceat(by_row, self.starts, axis=1))

    def posteriors(self, of_steps: Mapping[int, Array], hidden: Array) -> None:
        _, if_absent, if_present = self._if(of_steps)
        absent = self._total(if_absent * _last(self.absent, len(hidden)))
        present = self._total(if_present * _last(self.present, len(hidden)))
        nodes = np.array([item.node for item in self.items])
        named = nodes != NAMELESS
        hidden[:, nodes[named]] = over_total(present, absent + present)[:, named]

    def slopes(self, of_steps: Mapping[int, Array], gradient: Gradient) -> None:
        g, if_absent, if_present = self._if(of_steps)
        total = self._total(if_absent * self.absent + if_present * self.present)
        by_row = total[:, self.of_row]
        if self.piece.first:
            self._add_weights(over_total(if_absent, by_row), "absent", gradient)
            self._add_weights(over_total(if_present, by_row), "present", gradient)
        for j in range(len(self.cells)):
            varied = self.of_children.copy()
            varied[:, :, j] = np.array([-1.0, 0.0, 1.0, 0.0])
            slope = (g * self._effect(varied)[:, self.of_row]).sum(axis=-1)
            of_children = over_total(self._total(slope * self.present), total)
            for k, (item, link) in enumerate(zip(self.items, self.links, strict=True)):
                gradient.add(item.children[link.start + j][1], of_children[:, k])

    def _add_weights(self, by_row: Array, which: str, gradient: Gradient) -> None:
        ends = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        for item, link, axes, (start, end) in zip(self.items, self.links, self.axes, ends, strict=True):
            table: Table = getattr(item, which)
            gradient.add(table, narrow(by_row[:, start:end].reshape(len(by_row), *link.shape[:-2]), axes, table.axes))


@lru_cache(maxsize=1024)
def _pattern(piece: Piece) -> tuple[Array, NDArray[np.intp]]:
    """Where the entries of a piece's matrix come from.

    Returns:
        Identity: 1 in the entries in which nothing changes, shape (entries,); and for each child which entry of its own
        matrix, 0 to 3 row by row, is a factor of each entry, shape (children, entries).
    """
    n, had = len(piece.new), [j for j, new in enumerate(piece.new) if not new]
    after = np.array(np.indices((2,) * n).reshape(n, 2**n, 1), dtype=np.intp)
    before = np.zeros((n, 1, 2 ** len(had)), dtype=np.intp)
    before[had] = np.indices((2,) * len(had)).reshape(len(had), 1, 2 ** len(had))
    shape = (1 if piece.last else 2, 2**n, 1 if piece.first else 2, 2 ** len(had))  # its own state is the first axis
    identity, cells = np.zeros(shape), np.full((n, *shape), _ZERO)
    identity[0, :, 0] = (after == before).all(axis=0)
    cells[:, -1, :, -1] = 2 * after + before
    return identity.ravel(), cells.reshape(n, prod(shape))


def _link(program: Program, k: int) -> Link:
    step = program.steps[k]
    assert isinstance(step, Apply) and isinstance(step.does, Link)  # noqa: S101 - so the program sorts them
    return step.does


def _rows(parts: Iterable[Array]) -> Array:
    """Arrays of shape (lanes or 1, ...) one after the other along the second axis."""
    arrays = list(parts)
    if not arrays:
        return np.ones((1, 0))
    lanes = max(map(len, arrays))
    same = [v if len(v) == lanes else np.broadcast_to(v, (lanes, *v.shape[1:])) for v in arrays]
    return np.concatenate(same, axis=1)


def _last(values: Array, lanes: int) -> Array:
    return values[-lanes:]


def over_total(part: Array, total: Array) -> Array:
    """The quotient, 0 where the total is 0."""
    return np.asarray(np.divide(part, total, out=np.zeros(np.broadcast_shapes(part.shape, total.shape)), where=total > 0.0))
