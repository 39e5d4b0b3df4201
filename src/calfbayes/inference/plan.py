"""In which order to sum: a plan is made and priced before any state is allocated.

A *frontier* moves through the items. It is a table over the bits that are open (touched by an item that is done
and by one that is not) and over the unobserved risk factors that are open. Its size decides the cost, so the order
is chosen greedily: next comes the item that leaves the smallest frontier behind, ties broken by the smallest frontier
while it is processed, then by position. A node waits until all its parents are done.

References:
    Dechter (1999), Bucket elimination: orders and induced width.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from calfbayes.inference.reduction import Reduced


@dataclass(frozen=True, slots=True)
class OpenRisk:
    """Give the frontier the axis of a risk factor."""

    risk: int
    rows: tuple[int, ...]  # open risk factors before the step


@dataclass(frozen=True, slots=True)
class OpenBit:
    """Give the frontier a bit, in front of the others."""

    bit: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """Sum an item out: absent plus present, the present part setting its children's bits.

    Attributes:
        item: Position among the items.
        own_bit: Position of the item's own bit among the open bits, which the step uses up; -1 if it has none.
        children: Position of each child's bit among those open after the own bit is gone, and the link probability.
        n_bits: Number of open bits before the step.
    """

    item: int
    own_bit: int
    children: tuple[tuple[int, float], ...]
    n_bits: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CloseBit:
    """Weigh the two states of a finished bit by what was reported."""

    bit: int
    position: int
    n_bits: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CloseRisk:
    """Sum over the states of a finished risk factor."""

    risk: int
    rows: tuple[int, ...]


Step = OpenRisk | OpenBit | Process | CloseBit | CloseRisk


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps and their price.

    Attributes:
        operations: Predicted number of state operations, forward and backward.
        width: Log2 of the largest frontier.
        states: Sum of the sizes of all frontiers that are kept for the backward pass; times 8 it is bytes.
    """

    steps: tuple[Step, ...]
    sizes: Mapping[int, int]
    operations: float
    width: float
    states: float

    def __str__(self) -> str:
        return (
            f"{len(self.steps)} steps, largest frontier 2^{self.width:.1f}, "
            f"{self.operations:.3g} operations, {self.states * 8 / 2**20:.3g} MiB"
        )


def make_plan(problem: Reduced) -> Plan:
    """Choose an order and write down the steps. Deterministic; allocates nothing that grows with the frontier."""
    return _Planner(problem).plan()


class _Planner:
    """The frontier while it is planned: which bits and rows are open, and what still needs them."""

    def __init__(self, problem: Reduced) -> None:
        self.problem = problem
        self.waiting = set(range(len(problem.items)))
        self.bit_users: dict[int, set[int]] = {node: set() for node in problem.bits}
        for position, item in enumerate(problem.items):
            for child, _ in item.children:
                self.bit_users[child].add(position)
        self.touched = [
            frozenset(child for child, _ in item.children) | (frozenset({item.node}) if item.has_bit else frozenset())
            for item in problem.items
        ]
        self.bits: list[int] = []
        self.rows: list[int] = []
        self.opened_bits: set[int] = set()
        self.opened_risks: set[int] = set()
        self.axes = [self._axes_needed(position) for position in range(len(problem.items))]
        self.n_users = Counter(risk for axes in self.axes for risk in axes)
        self.n_unopened_children = Counter(parent for risk, prior in problem.risks.items() for parent in prior.axes if parent != risk)
        self.steps: list[Step] = []
        self.operations = 0.0
        self.states = 0.0
        self.width = 0.0

    def plan(self) -> Plan:
        while self.waiting:
            ready = [p for p in self.waiting if not self._parents_waiting(p)]
            self._process(min(ready, key=lambda p: (*self._frontier_after(p), p)))
        return Plan(tuple(self.steps), self.problem.sizes, self.operations, self.width, self.states)

    def _parents_waiting(self, position: int) -> bool:
        item = self.problem.items[position]
        return item.has_bit and bool(self.bit_users[item.node])

    def _axes_needed(self, position: int) -> frozenset[int]:
        """Risk factors that must be open while an item is processed."""
        bits = (self.problem.bits[bit] for bit in self.touched[position] if bit not in self.opened_bits)
        return frozenset(self.problem.items[position].table.axes).union(*(bit.start.axes for bit in bits))

    def _to_open(self, position: int) -> list[int]:
        """The risk factors to be opened for an item, parents before children."""
        todo: set[int] = set()
        stack = [risk for risk in self.axes[position] if risk not in self.opened_risks]
        while stack:
            risk = stack.pop()
            todo.add(risk)
            stack += [p for p in self.problem.risks[risk].axes if p not in self.opened_risks and p not in todo]
        return sorted(todo)

    def _to_close(self, position: int, new_risks: Sequence[int]) -> tuple[list[int], list[int]]:
        """Bits and risk factors that nothing needs any more once this item is done."""
        children = self.problem.items[position].children
        bits = [child for child, _ in children if len(self.bit_users[child]) == 1 and self.problem.bits[child].end is not None]
        opened = Counter(parent for risk in new_risks for parent in self.problem.risks[risk].axes if parent != risk)
        risks = [
            risk
            for risk in (*self.rows, *new_risks)
            if self.n_users[risk] == (risk in self.axes[position]) and self.n_unopened_children[risk] == opened[risk]
        ]
        return bits, risks

    def _frontier_after(self, position: int) -> tuple[float, float]:
        """Log2 of the frontier after and while an item is processed."""
        new_risks = self._to_open(position)
        during = self._log_size(len(self.bits) + len(self.touched[position].difference(self.bits)), [*self.rows, *new_risks])
        bits, risks = self._to_close(position, new_risks)
        return during - self._log_size(len(bits) + self.problem.items[position].has_bit, risks), during

    def _log_size(self, n_bits: int, rows: Sequence[int]) -> float:
        return n_bits + sum(log2(self.problem.sizes[risk]) for risk in rows)

    def _add(self, step: Step, n_operations: int = 1) -> None:
        log_size = self._log_size(len(self.bits), self.rows)
        self.steps.append(step)
        self.states += 2.0**log_size
        self.operations += 2 * n_operations * 2.0**log_size
        self.width = max(self.width, log_size)

    def _process(self, position: int) -> None:
        item = self.problem.items[position]
        for risk in self._to_open(position):
            step = OpenRisk(risk, tuple(self.rows))
            self.rows.append(risk)
            self.opened_risks.add(risk)
            self.n_unopened_children.subtract(parent for parent in self.problem.risks[risk].axes if parent != risk)
            self._add(step)
        for bit in sorted(self.touched[position].difference(self.bits)):
            self.bits.insert(0, bit)
            self.opened_bits.add(bit)
            self._add(OpenBit(bit, tuple(self.rows)))
            for user in self.bit_users[bit] | {position}:
                self._set_axes(user, self._axes_needed(user))
        self._add(self._process_step(position), len(item.children) + 3)
        closing_bits, closing_risks = self._to_close(position, ())
        if item.has_bit:
            self.bits.remove(item.node)
        self.waiting.remove(position)
        self._set_axes(position, frozenset())
        for child, _ in item.children:
            self.bit_users[child].discard(position)
        for bit in closing_bits:
            self._add(CloseBit(bit, self.bits.index(bit), len(self.bits), tuple(self.rows)))
            self.bits.remove(bit)
        for risk in closing_risks:
            self._add(CloseRisk(risk, tuple(self.rows)))
            self.rows.remove(risk)

    def _set_axes(self, position: int, axes: frozenset[int]) -> None:
        self.n_users.subtract(self.axes[position])
        self.axes[position] = axes
        self.n_users.update(axes)

    def _process_step(self, position: int) -> Process:
        item = self.problem.items[position]
        own = self.bits.index(item.node) if item.has_bit else -1
        left = [bit for bit in self.bits if not (item.has_bit and bit == item.node)]
        children = tuple((left.index(child), w) for child, w in item.children)
        return Process(position, own, children, len(self.bits), tuple(self.rows))
