"""A plan written down for arrays: which axes face which, worked out once for each structure.

Whatever a step does to a single message is linear in it, and touches few of its axes. So a message is laid out as

    (lanes, points that the matrix depends on, axes that it changes, all other axes)

and the step is a product with a matrix: an item's on the bits of its children, a report's on the finding's bit, a row of
ones to sum over a point. Only two messages that meet need more, the OR. Here it is decided which axes are moved where; the
matrices are filled in by `matrices`, the arrays are multiplied in `walk`.

An item with many children is taken in by pieces. Between the first and the last its own state is one more axis of the
message, so that the matrices stay small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.plan import Absorb, CloseBit, ClosePoint, Merge, Multiply, Plan, plan_of
from calfbayes.inference.problem import Structure
from calfbayes.inference.tables import Axes

MOST_CHILDREN = 4  # of an item, or of a piece of one
COPIES = 4.0  # of a matrix that are held while it is filled in, the walks included: measured 2 to 4, with derivatives up to 6
OWN = 2**40  # the axis of an item's own state, between its pieces


class View(NamedTuple):
    """How a message is looked at: axes are split, moved, and put together again.

    Attributes:
        split: Sizes of its axes as they are stored, lanes not counted.
        order: In which order they are wanted, lanes counted; None if they stand so already, and then `back` is empty.
        shape: Sizes in the end, lanes not counted.
        moved: Sizes of the axes once they are moved, lanes not counted.
        back: The order that undoes `order`.
    """

    split: tuple[int, ...]
    order: tuple[int, ...] | None
    shape: tuple[int, ...]
    moved: tuple[int, ...]
    back: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What an item's matrix looks like; many items share one.

    Attributes:
        n_children: Number of children in it.
        first: Whether the item's weights are in it; else its own state has become an axis.
        last: Whether the item's own state is summed out; else it becomes an axis.
    """

    n_children: int
    first: bool = True
    last: bool = True


class Link(NamedTuple):
    """A piece of an item at work.

    Attributes:
        item: Position in the problem.
        children: Positions of the children among the item's; those whose bits are new to the message come first.
        n_new: How many are new.
        points: The points that the item's weights depend on.
        sizes: Their numbers of states.
    """

    item: int
    children: tuple[int, ...]
    piece: Piece
    n_new: int
    points: Axes
    sizes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Links:
    """All pieces of one kind. A row is a joint state of the points of one of them.

    Attributes:
        steps: The steps at which they are put in.
        starts: First row of each.
        ends: The row after the last of each.
        of_row: Which piece a row belongs to.
    """

    piece: Piece
    links: tuple[Link, ...]
    steps: tuple[int, ...]
    starts: NDArray[np.intp]
    ends: tuple[int, ...]
    of_row: NDArray[np.intp]

    @classmethod
    def of(cls, piece: Piece, links: Mapping[int, Link]) -> "Links":
        """Of the pieces by step."""
        lengths = [prod(link.sizes) for link in links.values()]
        ends = np.cumsum(lengths, dtype=np.intp)
        of_row = np.repeat(np.arange(len(lengths)), lengths)
        return cls(
            piece, tuple(links.values()), tuple(links), ends - np.array(lengths, dtype=np.intp), tuple(ends.tolist()), of_row
        )


class Apply(NamedTuple):
    """Multiply a message by a matrix.

    Attributes:
        message: Which message; step k of the program makes message k + 1, message 0 is the number 1.
        view: The message as (points, columns, rest).
        does: What the matrix does: a piece of an item, a factor, the closing of a bit or of a point.
        joined: Axes (lanes counted) of points that the matrix brings into the message.
        scale: Whether to rescale afterwards.
    """

    message: int
    view: View
    does: Link | Multiply | CloseBit | ClosePoint
    joined: tuple[int, ...] = ()
    scale: bool = False


class Meet(NamedTuple):
    """Put two messages together.

    Attributes:
        left: Which message.
        left_view: As (shared points, shared bits, rest).
        n_shared: Number of shared bits.
    """

    left: int
    right: int
    left_view: View
    right_view: View
    n_shared: int


@dataclass(frozen=True, eq=False)
class Program:
    """A plan for arrays.

    Attributes:
        links: The pieces of items, by kind.
    """

    plan: Plan
    steps: tuple[Apply | Meet, ...]
    links: tuple[Links, ...]

    def __str__(self) -> str:
        return f"{self.plan} and {COPIES * self.matrices * 8 / 2**20:.3g} MiB of matrices"

    @property
    def matrices(self) -> float:
        """How many numbers the matrices of items hold in a lane."""
        return sum(len(links.of_row) * 4.0**links.piece.n_children for links in self.links)

    @property
    def size(self) -> float:
        """How many numbers a lane holds: all messages, and all matrices of items."""
        return self.plan.states + self.matrices

    @property
    def memory(self) -> float:
        """How many bytes a lane is predicted to hold at the most."""
        return 8.0 * (self.plan.states + COPIES * self.matrices)


@lru_cache(maxsize=256)
def program_of(structure: Structure) -> Program:
    """Plan a problem of this structure, and lay its messages out."""
    plan = plan_of(structure)
    writer = _Writer(structure)
    for step in plan.steps:
        writer.write(step)
    links: dict[Piece, dict[int, Link]] = {}
    for k, done in enumerate(writer.steps):
        if isinstance(done, Apply) and isinstance(done.does, Link):
            links.setdefault(done.does.piece, {})[k] = done.does
    return Program(plan, tuple(writer.steps), tuple(Links.of(piece, by_step) for piece, by_step in links.items()))


class _Writer:
    """Keeps track of the order in which each message's axes are stored. A bit's axis is named by ~bit, a point's by itself."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.sizes = dict(structure.sizes) | {~bit: 2 for bit, _ in structure.bits} | {OWN: 2}
        self.becomes = dict(structure.bits)
        self.steps: list[Apply | Meet] = []
        self.orders: list[Axes] = [()]
        self.message_of = [0]  # of each message of the plan

    def write(self, step: Absorb | Merge | Multiply | CloseBit | ClosePoint) -> None:
        if isinstance(step, Merge):
            message = self._meet(self.message_of[step.left], self.message_of[step.right])
        else:
            message = self.message_of[step.message]
            if isinstance(step, Absorb):
                message = self._absorb(message, step.item)
            elif isinstance(step, Multiply):
                message = self._apply(message, step, self.structure.tables[step.table], (), ())
            elif isinstance(step, ClosePoint):
                message = self._apply(message, step, (), (step.point,), (), scale=True)
            else:
                message = self._close_bit(message, step)
        self.message_of.append(message)

    def _absorb(self, message: int, item: int) -> int:
        points, children = self.structure.items[item]
        stored = self.orders[message]
        new_first = sorted(range(len(children)), key=lambda k: ~children[k] in stored)
        for start in range(0, max(len(children), 1), MOST_CHILDREN):
            here = tuple(new_first[start : start + MOST_CHILDREN])
            bits = tuple(~children[k] for k in here)
            had = tuple(bit for bit in bits if bit in stored)
            piece = Piece(len(here), start == 0, start + MOST_CHILDREN >= len(children))
            needed = points if piece.first else ()
            link = Link(item, here, piece, len(bits) - len(had), needed, tuple(self.sizes[point] for point in needed))
            columns, rows = had if piece.first else (OWN, *had), bits if piece.last else (OWN, *bits)
            message = self._apply(message, link, needed, columns, rows)
        return message

    def _close_bit(self, message: int, step: CloseBit) -> int:
        bit, point = ~step.bit, self.becomes[step.bit]
        if point < 0:
            return self._apply(message, step, (), (bit,), (), scale=True)
        if point in self.orders[message]:  # the node has been taken in already: bit and point must agree
            return self._apply(message, step, (), (bit, point), (point,))
        self.orders[message] = tuple(point if axis == bit else axis for axis in self.orders[message])
        return message

    def _apply(
        self,
        message: int,
        does: Link | Multiply | CloseBit | ClosePoint,
        points: Axes,
        columns: Axes,
        rows: Axes,
        *,
        scale: bool = False,
    ) -> int:
        stored = self.orders[message]
        rest = tuple(axis for axis in stored if axis not in points and axis not in columns)
        batch = tuple(point for point in points if point in stored)
        shape = (*(self.sizes[point] if point in stored else 1 for point in points), self._size(columns), self._size(rest))
        joined = tuple(1 + k for k, point in enumerate(points) if point not in stored)
        self.steps.append(Apply(message, self._view(stored, (*batch, *columns, *rest), shape), does, joined, scale))
        self.orders.append((*points, *rows, *rest))
        return len(self.steps)

    def _meet(self, left: int, right: int) -> int:
        a, b = self.orders[left], self.orders[right]
        points = tuple(axis for axis in a if axis in b and axis >= 0)
        bits = tuple(axis for axis in a if axis in b and axis < 0)
        views, rests = [], []
        for order in (a, b):
            rest = tuple(axis for axis in order if axis not in points and axis not in bits)
            views.append(self._view(order, (*points, *bits, *rest), (self._size(points), self._size(bits), self._size(rest))))
            rests.append(rest)
        self.steps.append(Meet(left, right, views[0], views[1], len(bits)))
        self.orders.append((*points, *bits, *rests[0], *rests[1]))
        return len(self.steps)

    def _view(self, stored: Axes, wanted: Axes, shape: tuple[int, ...]) -> View:
        split = tuple(map(self.sizes.__getitem__, stored))
        if stored == wanted:
            return View(split, None, shape, split, ())
        order = (0, *(1 + stored.index(axis) for axis in wanted))
        back = tuple(sorted(range(len(order)), key=order.__getitem__))
        return View(split, order, shape, tuple(map(self.sizes.__getitem__, wanted)), back)

    def _size(self, axes: Sequence[int]) -> int:
        return prod(map(self.sizes.__getitem__, axes))
