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

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.plan import CloseBit, ClosePoint, Multiply
from calfbayes.inference.problem import NAMELESS, Problem
from calfbayes.inference.program import Apply, Link, Links, Piece, Program
from calfbayes.inference.tables import Array, Gradient, Table, narrow, widen

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
        self._groups = [_Filled(problem, links) for links in program.links]
        self._others: dict[int, Multiply | CloseBit] = {}
        for group in self._groups:
            self.of_step.update(group.matrices())
            if group.links.piece.first:
                self.wanted.update(group.links.steps)
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
        return {*self._others, *(k for group in self._groups for k in group.links.steps)}

    def posteriors(self, of_steps: Mapping[int, Array], hidden: Array) -> None:
        """Fill P(present | evidence) of the nodes in, shape (lanes, n_hidden), from the derivatives by step."""
        for group in self._groups:
            if group.links.piece.first:
                group.posteriors(of_steps, hidden)
        for k, step in self._others.items():
            bit = self.problem.bits[step.bit] if isinstance(step, CloseBit) else None
            if bit is not None and bit.present is not None:
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


class _Filled:
    """Pieces of one kind with the numbers of a problem, made together.

    Attributes:
        absent: The weight of being absent, shape (lanes, rows).
        present: The weight of being present.
        of_children: The matrix of each child, row by row, shape (lanes, pieces, children, 4).
        effect: Their products, shape (lanes, rows, entries).
    """

    def __init__(self, problem: Problem, links: Links) -> None:
        self.links = links
        self.items = [problem.items[link.item] for link in links.links]
        self.identity, self.cells = _pattern(links.piece)
        if links.piece.first:
            items = list(zip(self.items, links.links, strict=True))
            self.absent = _side_by_side([_by_row(item.absent, link) for item, link in items])
            self.present = _side_by_side([_by_row(item.present, link) for item, link in items])
        else:
            self.absent = self.present = np.ones((1, len(links.of_row)))
        of_children = [
            item.children[k][1].values for item, link in zip(self.items, links.links, strict=True) for k in link.children
        ]
        w = _side_by_side([values[:, None] for values in of_children])
        w = w.reshape(len(w), len(self.items), links.piece.n_children)
        self.of_children = np.empty((*w.shape, 4))
        self.of_children[..., 0] = 1.0 - w
        self.of_children[..., 1] = 0.0
        self.of_children[..., 2] = w
        self.of_children[..., 3] = 1.0
        self.effect = self._effect(self.of_children)

    def _effect(self, of_children: Array) -> Array:
        """The product over the children by row, shape (lanes, rows, entries of the matrix)."""
        effect = np.ones((1, len(self.items), self.identity.size))
        for j, cells in enumerate(self.cells):
            effect = effect * of_children[:, :, j].take(cells, -1)
        return effect if len(self.items) == len(self.links.of_row) else effect.take(self.links.of_row, 1)

    def matrices(self) -> Iterator[tuple[int, Array]]:
        """Each step with its matrix."""
        piece = self.links.piece
        entries = self.absent[..., None] * self.identity + self.present[..., None] * self.effect
        n_rows, own = 2 ** (piece.n_children + (not piece.last)), 1 if piece.first else 2
        entries = entries.reshape(*entries.shape[:2], n_rows, own, 2**piece.n_children)
        start = 0
        for k, link, end in zip(self.links.steps, self.links.links, self.links.ends, strict=True):
            columns = 2 ** (piece.n_children - link.n_new)
            matrix = entries[:, start:end, :, :, :columns]  # the bits that are new were off
            yield k, matrix.reshape(len(entries), *link.sizes, n_rows, own * columns)
            start = end

    def _if(self, of_steps: Mapping[int, Array]) -> tuple[Array, Array, Array]:
        """The derivatives by row, and those with respect to the weights of being absent and of being present."""
        piece, lanes = self.links.piece, max(len(of_steps[k]) for k in self.links.steps)
        n_rows, own = 2 ** (piece.n_children + (not piece.last)), 1 if piece.first else 2
        g = np.zeros((lanes, len(self.links.of_row), n_rows, own, 2**piece.n_children))
        start = 0
        for k, link, end in zip(self.links.steps, self.links.links, self.links.ends, strict=True):
            columns = 2 ** (piece.n_children - link.n_new)
            g[:, start:end, :, :, :columns] = of_steps[k].reshape(len(of_steps[k]), end - start, n_rows, own, columns)
            start = end
        g = g.reshape(lanes, -1, self.identity.size)
        return g, g @ self.identity, np.einsum("lre,lre->lr", g, self.effect[-lanes:])

    def _total(self, by_row: Array) -> Array:
        return by_row if by_row.shape[1] == len(self.items) else np.asarray(np.add.reduceat(by_row, self.links.starts, axis=1))

    def posteriors(self, of_steps: Mapping[int, Array], hidden: Array) -> None:
        """Fill P(present | evidence) in."""
        _, if_absent, if_present = self._if(of_steps)
        absent = self._total(if_absent * self.absent[-len(if_absent) :])
        present = self._total(if_present * self.present[-len(if_present) :])
        nodes = np.array([item.node for item in self.items])
        named = nodes != NAMELESS
        hidden[:, nodes[named]] = over_total(present, absent + present)[:, named]

    def slopes(self, of_steps: Mapping[int, Array], gradient: Gradient) -> None:
        """Add the derivatives of the logarithm of the whole with respect to the items' weights and links."""
        g, if_absent, if_present = self._if(of_steps)
        total = self._total(if_absent * self.absent + if_present * self.present)
        if self.links.piece.first:
            by_row = total.take(self.links.of_row, 1)
            absent, present = over_total(if_absent, by_row), over_total(if_present, by_row)
            start = 0
            for item, link, end in zip(self.items, self.links.links, self.links.ends, strict=True):
                for table, part in ((item.absent, absent), (item.present, present)):
                    by_point = part[:, start:end].reshape(len(part), *link.sizes)
                    gradient.add(table, narrow(by_point, link.points, table.axes))
                start = end
        for j in range(len(self.cells)):
            varied = self.of_children.copy()
            varied[:, :, j] = np.array([-1.0, 0.0, 1.0, 0.0])
            slope = np.einsum("lre,lre->lr", g, self._effect(varied))
            of_children = over_total(self._total(slope * self.present), total)
            for k, (item, link) in enumerate(zip(self.items, self.links.links, strict=True)):
                gradient.add(item.children[link.children[j]][1], of_children[:, k])


def _by_row(table: Table, link: Link) -> Array:
    """The values of a table, shape (lanes, joint states of the piece's points)."""
    values = table.values
    if table.axes != link.points:
        values = np.broadcast_to(widen(values, table.axes, link.points), (len(values), *link.sizes))
    return values.reshape(len(values), -1)


@lru_cache(maxsize=64)
def _pattern(piece: Piece) -> tuple[Array, NDArray[np.intp]]:
    """Where the entries of a piece's matrix come from.

    Returns:
        Identity: 1 in the entries in which nothing changes, shape (entries,); and for each child which entry of its own
        matrix, 0 to 3 row by row, is a factor of each entry, shape (children, entries).
    """
    n = piece.n_children
    states = np.indices((2,) * n).reshape(n, 2**n)
    after, before = states[:, :, None], states[:, None, :]
    shape = (1 if piece.last else 2, 2**n, 1 if piece.first else 2, 2**n)  # its own state is the first axis
    identity, cells = np.zeros(shape), np.full((n, *shape), _ZERO)
    identity[0, :, 0] = (after == before).all(axis=0)
    cells[:, -1, :, -1] = 2 * after + before
    return identity.ravel(), cells.reshape(n, prod(shape))


def _side_by_side(parts: Sequence[Array]) -> Array:
    """Arrays of shape (lanes or 1, ...) one after the other along the second axis."""
    if not parts:
        return np.ones((1, 0))
    lanes = max(map(len, parts))
    same = [v if len(v) == lanes else np.broadcast_to(v, (lanes, *v.shape[1:])) for v in parts]
    return np.concatenate(same, axis=1)


def _last(values: Array, lanes: int) -> Array:
    return values[-lanes:]


def over_total(part: Array, total: Array) -> Array:
    """The quotient, 0 where the total is 0."""
    return np.asarray(np.divide(part, total, out=np.zeros(np.broadcast_shapes(part.shape, total.shape)), where=total > 0.0))
