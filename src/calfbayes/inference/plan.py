"""In which order to sum: a plan is made and priced before anything is allocated.

Variables (bits and points) are eliminated one after the other. To eliminate one, all that depends on it is put together
into one table, and the variable is closed: a point is summed over, an observed finding's bit is weighed with its report,
a hidden node's bit becomes the point that the node reads. The tables so left behind are *messages*; each is used once, so
the computation is a tree, and its cost is governed by the largest table. The next variable is always the one that needs
the fewest operations, ties broken by position.

References:
    Dechter (1999), Bucket elimination: a unifying framework for reasoning.
    Kjaerulff (1990), Triangulation of graphs: greedy orders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from calfbayes.inference.reduction import Problem
from calfbayes.inference.tables import Axes, union


@dataclass(frozen=True, slots=True)
class Scope:
    """The axes of a message: bits first, then points."""

    bits: Axes
    points: Axes


@dataclass(frozen=True, slots=True)
class Merge:
    """Put two messages together: product over points, OR over bits."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Absorb:
    """Put an item into a message."""

    message: int
    item: int


@dataclass(frozen=True, slots=True)
class Multiply:
    """Multiply a message by a factor over points."""

    message: int
    table: int


@dataclass(frozen=True, slots=True)
class CloseBit:
    """Weigh a finding's bit with its report, or turn a hidden node's bit into the point that the node reads."""

    message: int
    bit: int


@dataclass(frozen=True, slots=True)
class ClosePoint:
    """Sum over a point."""

    message: int
    point: int


Step = Merge | Absorb | Multiply | CloseBit | ClosePoint


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps and their price. Step k makes message k + 1; message 0 is the number 1; the last message is the answer.

    Attributes:
        scopes: Axes of each message.
        operations: Predicted number of state operations, forward and backward.
        width: Log2 of the largest message.
        states: Total size of all messages; times 8 it is bytes.
    """

    steps: tuple[Step, ...]
    scopes: tuple[Scope, ...]
    operations: float
    width: float
    states: float

    def __str__(self) -> str:
        return (
            f"{len(self.steps)} steps, largest message 2^{self.width:.1f}, "
            f"{self.operations:.3g} operations, {self.states * 8 / 2**20:.3g} MiB"
        )


def make_plan(problem: Problem) -> Plan:
    """Choose an order and write down the steps. Deterministic; allocates nothing that grows with the messages."""
    return _Planner(problem).plan()


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that still has to be put together: an item, a factor or a message."""

    kind: str
    position: int
    scope: frozenset[int]


class _Planner:
    """Variables are numbered: points as they are, bits negative (-1 - position)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.log_size: Mapping[int, float] = {
            **{point: log2(size) for point, size in problem.sizes.items()},
            **{_bit(node): 1.0 for node in problem.bits},
        }
        self.parts: dict[int, list[_Part]] = {variable: [] for variable in self.log_size}
        for position, item in enumerate(problem.items):
            scope = {*item.absent.axes, *item.present.axes, *(_bit(child) for child, _ in item.children)}
            self._add_part(_Part("item", position, frozenset(scope)))
        self.alone = [
            position
            for position, item in enumerate(problem.items)
            if not (item.absent.axes or item.present.axes or item.children)
        ]
        for position, table in enumerate(problem.tables):
            self._add_part(_Part("table", position, frozenset(table.axes)))
        self.waits_for = {bit.point: _bit(node) for node, bit in problem.bits.items() if bit.point >= 0}
        self.prices = {variable: self._joint(variable) for variable in self.parts}
        self.steps: list[Step] = []
        self.scopes: list[Scope] = [Scope((), ())]
        self.operations = 0.0
        self.finished: list[int] = []

    def plan(self) -> Plan:
        while self.parts:
            self._eliminate(min((v for v in self.parts if v not in self.waits_for), key=self._price))
        last = 0
        for message in self.finished:
            last = self._merge(last, message) if last else message
        for position in self.alone:
            last = self._take_in(last, _Part("item", position, frozenset()))
        sizes = [self._log(_variables(scope)) for scope in self.scopes]
        return Plan(tuple(self.steps), tuple(self.scopes), self.operations, max(sizes), sum(2.0**s for s in sizes))

    def _price(self, variable: int) -> tuple[float, int]:
        return self.prices[variable][1], variable

    def _joint(self, variable: int) -> tuple[frozenset[int], float]:
        """All variables of the table that eliminating this one would make, and the number of operations, roughly."""
        parts = self.parts[variable]
        scope: frozenset[int] = frozenset().union(*(part.scope for part in parts))
        work = 1 + sum(3 + len(self.problem.items[part.position].children) if part.kind == "item" else 1 for part in parts)
        return scope, work * 2.0 ** self._log(scope)

    def _log(self, scope: frozenset[int]) -> float:
        return sum(self.log_size[variable] for variable in scope)

    def _add_part(self, part: _Part) -> None:
        for variable in part.scope:
            self.parts[variable].append(part)

    def _eliminate(self, variable: int) -> None:
        parts = self.parts.pop(variable)
        affected = self.prices.pop(variable)[0] - {variable}
        for other in affected:
            self.parts[other] = [part for part in self.parts[other] if part not in parts]
        messages = sorted(
            (part.position for part in parts if part.kind == "message"),
            key=lambda m: (self._log(_variables(self.scopes[m])), m),
        )
        message = messages[0] if messages else 0
        for right in messages[1:]:
            message = self._merge(message, right)
        for part in sorted(
            (part for part in parts if part.kind != "message"), key=lambda part: (len(part.scope), part.kind, part.position)
        ):
            message = self._take_in(message, part)
        message = self._close(message, variable)
        scope = _variables(self.scopes[message])
        if scope:
            self._add_part(_Part("message", message, scope))
        else:
            self.finished.append(message)
        for other in affected | scope:
            self.prices[other] = self._joint(other)

    def _take_in(self, message: int, part: _Part) -> int:
        bits, points = self._split(part.scope | _variables(self.scopes[message]))
        if part.kind == "table":
            return self._step(Multiply(message, part.position), Scope(bits, points), 1)
        children = self.problem.items[part.position].children
        return self._step(Absorb(message, part.position), Scope(bits, points), len(children) + 3)

    def _merge(self, left: int, right: int) -> int:
        a, b = self.scopes[left], self.scopes[right]
        shared = len(set(a.bits) & set(b.bits))
        return self._step(Merge(left, right), Scope(union(a.bits, b.bits), union(a.points, b.points)), 1.5**shared)

    def _close(self, message: int, variable: int) -> int:
        scope = self.scopes[message]
        if variable >= 0:
            return self._step(ClosePoint(message, variable), Scope(scope.bits, _less(scope.points, variable)), 1)
        node = _node(variable)
        point = self.problem.bits[node].point
        points = scope.points if point < 0 else union(scope.points, (point,))
        self.waits_for.pop(point, None)
        return self._step(CloseBit(message, node), Scope(_less(scope.bits, node), points), 1)

    def _split(self, variables: frozenset[int]) -> tuple[Axes, Axes]:
        return tuple(sorted(_node(v) for v in variables if v < 0)), tuple(sorted(v for v in variables if v >= 0))

    def _step(self, step: Step, scope: Scope, n_operations: float) -> int:
        self.steps.append(step)
        self.scopes.append(scope)
        before = scope if isinstance(step, Merge) else self.scopes[step.message]
        self.operations += 2 * n_operations * 2.0 ** max(self._log(_variables(scope)), self._log(_variables(before)))
        return len(self.steps)


def _bit(node: int) -> int:
    return -1 - node


def _node(variable: int) -> int:
    return -1 - variable


def _variables(scope: Scope) -> frozenset[int]:
    return frozenset((*map(_bit, scope.bits), *scope.points))


def _less(axes: Axes, axis: int) -> Axes:
    return tuple(other for other in axes if other != axis)
