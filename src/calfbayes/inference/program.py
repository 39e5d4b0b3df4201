"""A plan written down for arrays: which axes face which, worked out once for each structure.

Whatever a step does to a single message is linear in it, and touches few of its axes. So a message is laid out as

    (lanes, points that the matrix depends on, axes that it changes, all other axes)

and the step is a product with a matrix: an item's on the bits of its children, a report's on the finding's bit, a row of
ones to sum over a point. Only two messages that meet need more, the OR. Here it is decided which axes are moved where; the
matrices are filled in by `matrices`, the arrays are multiplied in `walk`.

An item with many children is taken in by pieces. Between the first and the last its own state is one more axis of the
message, so that the matrices stay small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from calfbayes.inference.plan import Absorb, CloseBit, ClosePoint, Merge, Multiply, Plan, Scope, plan_of
from calfbayes.inference.reduction import Structure
from calfbayes.inference.tables import Axes

MOST_CHILDREN = 4  # of an item, or of a piece of one
OWN = 2**40  # the axis of an item's own state, between its pieces


@dataclass(frozen=True, slots=True)
class View:
    """How a message is looked at: axes are split, moved, and put together again.

    Attributes:
        split: Sizes of its axes as they are stored, lanes not counted.
        order: In which order they are wanted, lanes counted; None if they stand so already.
        shape: Sizes in the end, lanes not counted.
    """

    split: tuple[int, ...]
    order: tuple[int, ...] | None
    shape: tuple[int, ...]

    @property
    def back(self) -> tuple[int, ...]:
        """The order that undoes `order`."""
        order = self.order or range(1 + len(self.split))
        return tuple(sorted(range(len(order)), key=list(order).__getitem__))

    @property
    def moved(self) -> tuple[int, ...]:
        """Sizes of the axes once they are moved, lanes not counted."""
        return self.split if self.order is None else tuple(self.split[axis - 1] for axis in self.order[1:])


@dataclass(frozen=True, slots=True)
class Piece:
    """What an item's matrix looks like; many items share one.

    Attributes:
        new: For each child whether its bit is new to the message.
        first: Whether the item's weights are in it; else its own state has become an axis.
        last: Whether the item's own state is summed out; else it becomes an axis.
    """

    new: tuple[bool, ...]
    first: bool = True
    last: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of an item at work.

    Attributes:
        item: Position in the problem.
        start: Position of the piece's first child among the item's children.
        points: Number of joint states of the points that the item depends on.
        shape: Sizes of these points, then rows and columns of the matrix.
    """

    item: int
    start: int
    piece: Piece
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Apply:
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


@dataclass(frozen=True, slots=True)
class Meet:
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


@dataclass(frozen=True, slots=True)
class Program:
    """A plan for arrays.

    Attributes:
        links: For each kind of piece the steps that use it.
    """

    plan: Plan
    steps: tuple[Apply | Meet, ...]
    links: tuple[tuple[Piece, tuple[int, ...]], ...]


@lru_cache(maxsize=256)
def program_of(structure: Structure) -> Program:
    """Plan a problem of this structure, and lay its messages out."""
    plan = plan_of(structure)
    writer = _Writer(structure)
    for step, scope in zip(plan.steps, plan.scopes[1:], strict=True):
        writer.write(step, scope)
    links: dict[Piece, list[int]] = {}
    for k, step in enumerate(writer.steps):
        if isinstance(step, Apply) and isinstance(step.does, Link):
            links.setdefault(step.does.piece, []).append(k)
    return Program(plan, tuple(writer.steps), tuple((piece, tuple(used)) for piece, used in links.items()))


class _Writer:
    """Keeps track of the order in which each message's axes are stored. A bit's axis is named by ~bit, a point's by itself."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.sizes = dict(structure.sizes) | {~bit: 2 for bit, _ in structure.bits} | {OWN: 2}
        self.becomes = dict(structure.bits)
        self.steps: list[Apply | Meet] = []
        self.orders: list[Axes] = [()]
        self.message_of = [0]  # of each message of the plan

    def write(self, step: Absorb | Merge | Multiply | CloseBit | ClosePoint, after: Scope) -> None:
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
        for start in range(0, max(len(children), 1), MOST_CHILDREN):
            here = tuple(~child for child in children[start : start + MOST_CHILDREN])
            first, last = start == 0, start + MOST_CHILDREN >= len(children)
            had = tuple(bit for bit in here if bit in self.orders[message])
            columns, rows = had if first else (OWN, *had), here if last else (OWN, *here)
            needed = points if first else ()
            shape = (*(self.sizes[point] for point in needed), 2 ** len(rows), 2 ** len(columns))
            piece = Piece(tuple(bit not in had for bit in here), first, last)
            message = self._apply(message, Link(item, start, piece, shape), needed, columns, rows)
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
        self.steps.append(Meet(left, right, *views, len(bits)))
        self.orders.append((*points, *bits, *rests[0], *rests[1]))
        return len(self.steps)

    def _view(self, stored: Axes, wanted: Axes, shape: tuple[int, ...]) -> View:
        order = (0, *(1 + stored.index(axis) for axis in wanted))
        split = tuple(self.sizes[axis] for axis in stored)
        return View(split, None if order == tuple(range(len(order))) else order, shape)

    def _size(self, axes: Sequence[int]) -> int:
        return prod(self.sizes[axis] for axis in axes)
