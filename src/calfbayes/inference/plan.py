"""In which order to sum: a plan is made and priced before anything is allocated.

Variables (bits and points) are eliminated one after the other. To eliminate one, all that depends on it is put together
into one table, and the variable is closed: a point is summed over, an observed finding's bit is weighed with its report,
a hidden node's bit becomes the point that the node reads. The tables so left behind are *messages*; each is used once, so
the computation is a tree, and its cost is governed by the largest table. The next variable is always the one that needs
the fewest operations, ties broken by position; where that comes out dear, the one with the smallest table is tried, too.

References:
    Dechter (1999), Bucket elimination: a unifying framework for reasoning.
    Kjaerulff (1990), Triangulation of graphs: greedy orders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import log2

from calfbayes.inference.reduction import Problem, Structure
from calfbayes.inference.tables import Axes

WORTH_A_SECOND_TRY = 1e6  # state operations; making a plan costs about as much


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
    return _plan_of(problem.structure())


@lru_cache(maxsize=256)
def _plan_of(structure: Structure) -> Plan:
    plan = _Planner(structure, by_work=True).plan()
    if plan.operations < WORTH_A_SECOND_TRY:
        return plan
    return min(plan, _Planner(structure, by_work=False).plan(), key=lambda plan: plan.operations)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Something that still has to be put together: an item, a factor or a message.

    Attributes:
        scope: Set of its variables, one binary digit a variable.
    """

    kind: str
    position: int
    scope: int
    work: float


class _Planner:
    """Which parts are left, and what each elimination would cost. Sets of variables are integers, one digit each."""

    def __init__(self, structure: Structure, *, by_work: bool) -> None:
        self.by_work = by_work
        sizes = dict(structure.sizes)
        self.bits = sorted(bit for bit, _ in structure.bits)
        self.points = sorted(sizes)
        self.point_of = dict(structure.bits)
        names = [*(("bit", bit) for bit in self.bits), *(("point", point) for point in self.points)]
        self.digit = {name: k for k, name in enumerate(names)}
        self.bits_only = (1 << len(self.bits)) - 1
        self.log_size = [1.0] * len(self.bits) + [log2(sizes[point]) for point in self.points]
        self.large = [k for k, size in enumerate(self.log_size) if size != 1.0]

        self.parts: dict[int, list[_Part]] = {k: [] for k in range(len(names))}
        self.alone: list[_Part] = []
        for position, (points, children) in enumerate(structure.items):
            self._add(_Part("item", position, self._set(children, points), 3.0 + len(children)))
        for position, points in enumerate(structure.tables):
            self._add(_Part("table", position, self._set((), points), 1.0))
        self.waits_for = {self.digit["point", point]: bit for bit, point in structure.bits if point >= 0}
        self.joint = {variable: self._joint(variable) for variable in self.parts}
        self.steps: list[Step] = []
        self.scopes = [0]
        self.operations = 0.0
        self.finished: list[int] = []

    def plan(self) -> Plan:
        while self.parts:
            ready = (variable for variable in self.parts if variable not in self.waits_for)
            self._eliminate(min(ready, key=lambda variable: (self.joint[variable][1], variable)))
        last = 0
        for message in self.finished:
            last = self._merge(last, message) if last else message
        for part in self.alone:
            last = self._take_in(last, part)
        sizes = [self._log(scope) for scope in self.scopes]
        scopes = tuple(map(self._scope, self.scopes))
        return Plan(tuple(self.steps), scopes, self.operations, max(sizes), sum(2.0**size for size in sizes))

    def _joint(self, variable: int) -> tuple[int, float]:
        """All variables of the table that eliminating this one would make, and its price: its size, or operations, roughly."""
        scope, work = 0, 1.0
        for part in self.parts[variable]:
            shared = (scope & part.scope & self.bits_only).bit_count() if part.kind == "message" else 0
            work += part.work * 1.5**shared
            scope |= part.scope
        return scope, (work if self.by_work else 1.0) * 2.0 ** self._log(scope)

    def _eliminate(self, variable: int) -> None:
        parts = self.parts.pop(variable)
        scope, _ = self.joint.pop(variable)
        affected = [other for other in self.parts if scope >> other & 1]
        gone = set(map(id, parts))
        for other in affected:
            self.parts[other] = [part for part in self.parts[other] if id(part) not in gone]
        messages = sorted((part for part in parts if part.kind == "message"), key=lambda p: (self._log(p.scope), p.position))
        message = messages[0].position if messages else 0
        for part in messages[1:]:
            message = self._merge(message, part.position)
        others = (part for part in parts if part.kind != "message")
        for part in sorted(others, key=lambda part: (part.scope.bit_count(), part.kind, part.position)):
            message = self._take_in(message, part)
        message = self._close(message, variable)
        if self.scopes[message]:
            self._add(_Part("message", message, self.scopes[message], 1.0))
        else:
            self.finished.append(message)
        for other in {*affected, *(v for v in self.parts if self.scopes[message] >> v & 1)}:
            self.joint[other] = self._joint(other)

    def _take_in(self, message: int, part: _Part) -> int:
        step = Multiply(message, part.position) if part.kind == "table" else Absorb(message, part.position)
        return self._step(step, self.scopes[message] | part.scope, part.work)

    def _merge(self, left: int, right: int) -> int:
        a, b = self.scopes[left], self.scopes[right]
        return self._step(Merge(left, right), a | b, 1.5 ** (a & b & self.bits_only).bit_count())

    def _close(self, message: int, variable: int) -> int:
        scope = self.scopes[message] & ~(1 << variable)
        if variable >= len(self.bits):
            return self._step(ClosePoint(message, self.points[variable - len(self.bits)]), scope, 1.0)
        node = self.bits[variable]
        point = self.point_of[node]
        if point >= 0:
            del self.waits_for[self.digit["point", point]]
            scope |= self._set((), (point,))
        return self._step(CloseBit(message, node), scope, 1.0)

    def _step(self, step: Step, scope: int, work: float) -> int:
        before = scope if isinstance(step, Merge) else self.scopes[step.message]
        self.operations += 2 * work * 2.0 ** max(self._log(scope), self._log(before))
        self.steps.append(step)
        self.scopes.append(scope)
        return len(self.steps)

    def _add(self, part: _Part) -> None:
        if not part.scope:
            self.alone.append(part)
        for variable in self.parts:
            if part.scope >> variable & 1:
                self.parts[variable].append(part)

    def _set(self, bits: Iterable[int], points: Iterable[int]) -> int:
        digits = {self.digit["bit", bit] for bit in bits} | {self.digit["point", point] for point in points}
        return sum(1 << digit for digit in digits)

    def _scope(self, variables: int) -> Scope:
        bits = tuple(bit for k, bit in enumerate(self.bits) if variables >> k & 1)
        points = tuple(point for k, point in enumerate(self.points, len(self.bits)) if variables >> k & 1)
        return Scope(bits, points)

    def _log(self, variables: int) -> float:
        """Log2 of the number of joint states."""
        return variables.bit_count() + sum(self.log_size[k] - 1.0 for k in self.large if variables >> k & 1)
