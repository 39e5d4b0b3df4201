"""In which order to sum: a plan is made and priced before anything is allocated.

Variables (bits and points) are eliminated one after the other. To eliminate one, all that depends on it is put together
into one table, and the variable is closed: a point is summed over, an observed finding's bit is weighed with its report,
a hidden node's bit becomes the point that the node reads. The tables so left behind are *messages*; each is used once, so
the computation is a tree, and its cost is governed by the largest table.

Where two messages meet, there is a choice. They can be merged, which takes three terms for each bit they share. Or what was
done to make the one can be done to the other instead, since each step is linear in its message: the messages are larger on
the way, but there are products with small matrices only, which are the cheapest that can be computed.

Finding an order and writing its steps down are kept apart. The search sees the graph only: what shares a table with what.
Next is always the variable whose table is cheapest, its size times the number of parts that go into it. A dear plan is
searched for again, several times, each time with some noise in the choice; a search that gets dearer than the best so far
stops. How often depends on the price, so that planning stays a small part of the whole; the noise is seeded.

References:
    Dechter (1999), Bucket elimination: a unifying framework for reasoning.
    Kjaerulff (1990), Triangulation of graphs: greedy orders.
    Fishelson, Geiger (2003), Optimizing exact genetic linkage computations: greedy orders with random choices, repeated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, log2
from random import Random

from calfbayes.inference.price import MATRIX, STEP, of_item, of_merging
from calfbayes.inference.problem import Problem, Structure
from calfbayes.inference.tables import Axes

OPERATIONS_PER_SEARCH = 2e6  # state operations that pay for one more search, which takes about a millisecond
MOST_SEARCHES = 48  # of patients with 12 positive findings the plans cost a third of those without, with twice as many 1 % less
SEARCH = 0.2  # what one more search takes beside the first, the reduction before it and the writing after it
NOISE = 2.0  # a price may be overrated by this power of two in a repeated search; with 1 plans cost 4 % more, with 4 9 %
LARGEST_AGAIN = 13.0  # log2 of the largest message made for the sake of fewer ORs; with lanes or slopes more leaves the cache


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
        operations: Predicted number of state operations of one lane, forward and backward; see `price`.
        width: Log2 of the number of states of the largest message.
        states: Number of states of all messages of one lane; times 8 it is bytes.
    """

    steps: tuple[Step, ...]
    scopes: tuple[Scope, ...]
    operations: float
    width: float
    states: float

    @property
    def effort(self) -> float:
        """What it takes to get from evidence to a plan, in state operations; no part of a query's price."""
        return STEP * len(self.steps) * (1.0 + SEARCH * min(MOST_SEARCHES, self.operations / OPERATIONS_PER_SEARCH))

    def __str__(self) -> str:
        return (
            f"{len(self.steps)} steps, largest message 2^{self.width:.1f}, of one lane: "
            f"{self.operations:.3g} operations, {self.states * 8 / 2**20:.3g} MiB of messages"
        )


def make_plan(problem: Problem) -> Plan:
    """Choose an order and write down the steps. Deterministic; allocates nothing that grows with the messages."""
    return plan_of(problem.structure())


@lru_cache(maxsize=256)
def plan_of(structure: Structure) -> Plan:
    """Plan any problem of this structure."""
    graph = _Graph(structure)
    order, price = _order(graph)
    best = _Writer(graph).plan(order)
    random = Random(0)  # noqa: S311 - breaks ties, keeps no secret
    for _ in range(min(MOST_SEARCHES, int(best.operations / OPERATIONS_PER_SEARCH))):
        order, repeated = _order(graph, random, limit=price)
        if repeated < price:
            price = repeated
            best = min(best, _Writer(graph).plan(order), key=lambda plan: plan.operations)
    return best


class _Graph:
    """What depends on what. Sets of variables and sets of parts are integers, one binary digit a member.

    Attributes:
        names: The bits in rising order, then the points; this is how variables are numbered.
        all_bits: The variables that are bits.
        scopes: The variables of each part: of the items, then of the factors.
        works: Number of operations a state that it takes to take each part in.
        neighbours: For each variable the variables of all parts that depend on it.
        touching: For each variable the parts that depend on it.
        becomes: For the bit of a hidden node the point that it becomes.
    """

    def __init__(self, structure: Structure) -> None:
        bits, points = sorted(bit for bit, _ in structure.bits), sorted(point for point, _ in structure.sizes)
        number_of_bit = {bit: k for k, bit in enumerate(bits)}
        number_of_point = {point: k for k, point in enumerate(points, len(bits))}
        self.names = bits + points
        self.all_bits = (1 << len(bits)) - 1
        self.n_items = len(structure.items)
        self.unusual = [(1 << number_of_point[point], log2(n) - 1.0) for point, n in structure.sizes if n != 2]
        self.becomes = {number_of_bit[bit]: number_of_point[point] for bit, point in structure.bits if point >= 0}

        self.scopes: list[int] = []
        self.works: list[float] = []
        for needed, children in structure.items:
            variables = {number_of_bit[child] for child in children} | {number_of_point[point] for point in needed}
            self.scopes.append(sum(1 << k for k in variables))
            self.works.append(of_item(len(children)))
        for needed in structure.tables:
            self.scopes.append(sum(1 << number_of_point[point] for point in needed))
            self.works.append(MATRIX)

        self.neighbours = [1 << k for k in range(len(self.names))]
        self.touching = [0] * len(self.names)
        for part, scope in enumerate(self.scopes):
            for k in _members(scope):
                self.neighbours[k] |= scope
                self.touching[k] |= 1 << part

    def log_size(self, variables: int) -> float:
        """Log2 of the number of joint states."""
        result: float = variables.bit_count()
        for variable, excess in self.unusual:
            if variables & variable:
                result += excess
        return result

    def after(self, scope: int, variable: int) -> int:
        """What is left of the variables of a table when one of them is closed."""
        rest = scope & ~(1 << variable)
        return rest | 1 << self.becomes[variable] if variable in self.becomes else rest


def _order(graph: _Graph, random: Random | None = None, *, limit: float = inf) -> tuple[list[tuple[int, int]], float]:
    """Choose the order in which to eliminate the variables.

    Args:
        random: Where the noise comes from, if there is to be any.
        limit: Price at which to give up.

    Returns:
        Each variable in order with the set of parts that go into its table; the message that the k-th variable leaves
        behind is a part, too, numbered on from those of the graph. And the price: the size of each table times the number
        of its parts, summed.
    """
    neighbours, touching = graph.neighbours.copy(), graph.touching.copy()
    waiting = set(graph.becomes.values())  # a point stands in no table before its bit is closed

    def log_price(variable: int) -> float:
        return graph.log_size(neighbours[variable]) + log2(touching[variable].bit_count() or 1)

    def judged(variable: int) -> float:
        return log_price(variable) + (NOISE * random.random() if random else 0.0)

    scores = [inf if variable in waiting else judged(variable) for variable in range(len(neighbours))]
    order: list[tuple[int, int]] = []
    price = 0.0
    for message in range(len(graph.scopes), len(graph.scopes) + len(scores)):
        variable = scores.index(min(scores))
        price += 2.0 ** log_price(variable)
        if price >= limit:
            return order, inf
        rest, gone = graph.after(neighbours[variable], variable), touching[variable]
        order.append((variable, gone))
        scores[variable] = inf
        waiting.discard(graph.becomes.get(variable, -1))
        for other in _members(rest):
            neighbours[other] = (neighbours[other] | rest) & ~(1 << variable)
            touching[other] = touching[other] & ~gone | 1 << message
            if other not in waiting:
                scores[other] = judged(other)
    return order, price


@dataclass(slots=True)
class _Chain:
    """A message in the making: what is done to the number 1, one thing after the other.

    Attributes:
        scope: The variables of what has come of it.
        price: Of everything done.
        done: A part is taken in (its number), a variable is closed (~ its number), or another message is merged in.
    """

    scope: int = 0
    price: float = 0.0
    done: "list[int | _Chain]" = field(default_factory=list)


class _Writer:
    """Turns an order into steps."""

    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        self.steps: list[Step] = []
        self.scopes = [0]
        self.operations = 0.0

    def plan(self, order: Sequence[tuple[int, int]]) -> Plan:
        whole = self._chain(order)
        self._write(whole)
        sizes = [self.graph.log_size(scope) for scope in self.scopes]
        named = {scope: self._named(scope) for scope in set(self.scopes)}
        scopes = tuple(named[scope] for scope in self.scopes)
        return Plan(tuple(self.steps), scopes, self.operations, max(sizes), sum(2.0**size for size in sizes))

    def _chain(self, order: Sequence[tuple[int, int]]) -> _Chain:
        """Everything that is done."""
        n_parts = len(self.graph.scopes)
        left_behind: list[_Chain] = []  # the message of each variable so far
        whole = _Chain()
        for variable, parts in order:
            messages = [left_behind[k] for k in _members(parts >> n_parts)]
            message = self._combined(messages, list(_members(parts & ((1 << n_parts) - 1))))
            self._do(message, ~variable)
            left_behind.append(message)
            if not message.scope:
                whole = self._together(whole, message)
        for part, scope in enumerate(self.graph.scopes):
            if not scope:
                self._do(whole, part)
        return whole

    def _combined(self, messages: list[_Chain], parts: list[int]) -> _Chain:
        """Put everything together, small before large: messages, then items and factors, then the rest of the messages."""
        messages.sort(key=lambda message: self.graph.log_size(message.scope))
        parts.sort(key=lambda part: (self.graph.scopes[part].bit_count(), part))
        first = len(messages)
        if messages and parts:
            first = min(range(len(messages) + 1), key=lambda first: self._price(messages, parts, first))
        result = _Chain()
        for message in messages[:first]:
            result = self._together(result, message)
        for part in parts:
            self._do(result, part)
        for message in messages[first:]:
            result = self._together(result, message)
        return result

    def _together(self, left: _Chain, right: _Chain) -> _Chain:
        """Make one message of two: merge them, or do to the one what was done to the other; whatever is cheapest."""
        if not left.done or not right.done:
            return right if right.done else left
        best = left
        what: Sequence[int | _Chain] = [right]
        least = left.price + self._after(left.scope, right)[1] + right.price
        for below, above in ((left, right), (right, left)):
            again, price = self._again(below.scope, above, least - below.price)
            if below.price + price < least:
                best, what, least = below, again, below.price + price
        for one in what:
            self._do(best, one)
        return best

    def _again(self, scope: int, chain: _Chain, limit: float) -> "tuple[Sequence[int | _Chain], float]":
        """What has to be done to a message with these variables instead of merging the chain into it, and its price.

        Nothing, at an infinite price, if it is dearer than the limit or makes large messages.
        """
        done: list[int | _Chain] = []
        price = 0.0
        for what in chain.done:
            after, more = self._after(scope, what)
            again: Sequence[int | _Chain] = [what]
            if isinstance(what, _Chain):
                more += what.price
                instead, other = self._again(scope, what, more)
                if other < more:
                    again, more = instead, other
            done += again
            scope, price = after, price + more
            if price >= limit or self.graph.log_size(scope) > LARGEST_AGAIN:
                return (), inf
        return done, price

    def _after(self, scope: int, what: "int | _Chain") -> tuple[int, float]:
        """What is left of the variables of a message when one thing more is done to it, and the price of that alone."""
        if isinstance(what, _Chain):
            return scope | what.scope, self._merging(scope, what.scope) + STEP
        if what >= 0:
            scope |= self.graph.scopes[what]
            return scope, self.graph.works[what] * 2.0 ** self.graph.log_size(scope)
        after = self.graph.after(scope, ~what)
        return after, MATRIX * 2.0 ** max(self.graph.log_size(scope), self.graph.log_size(after))

    def _do(self, chain: _Chain, what: "int | _Chain") -> None:
        chain.scope, price = self._after(chain.scope, what)
        chain.price += price + (what.price if isinstance(what, _Chain) else 0.0)
        chain.done.append(what)

    def _price(self, messages: Sequence[_Chain], parts: Sequence[int], first: int) -> float:
        """What it costs to take the parts in when some of the messages have been merged."""
        price, scope = 0.0, 0
        together: tuple[int | _Chain, ...] = (*messages[:first], *parts, *messages[first:])
        for what in together:
            if isinstance(what, _Chain) and not scope:
                scope = what.scope
                continue
            scope, more = self._after(scope, what)
            price += more
        return price

    def _merging(self, left: int, right: int) -> float:
        shared = (left & right & self.graph.all_bits).bit_count()
        price: float = of_merging(shared) * 2.0 ** self.graph.log_size(left | right)
        return price

    def _write(self, chain: _Chain) -> int:
        """Write the steps of a message down; returns its number."""
        message, n_items = 0, self.graph.n_items
        for what in chain.done:
            before = self.scopes[message]
            if isinstance(what, _Chain):
                other = self._write(what)
                scope = before | what.scope
                message = self._step(Merge(message, other), scope, self._merging(before, what.scope))
            else:
                scope, price = self._after(before, what)
                step: Step
                if what >= 0:
                    step = Absorb(message, what) if what < n_items else Multiply(message, what - n_items)
                else:
                    name = self.graph.names[~what]
                    step = CloseBit(message, name) if self.graph.all_bits >> ~what & 1 else ClosePoint(message, name)
                message = self._step(step, scope, price)
        return message

    def _step(self, step: Step, scope: int, price: float) -> int:
        self.operations += 2 * price  # forward and backward
        self.steps.append(step)
        self.scopes.append(scope)
        return len(self.steps)

    def _named(self, variables: int) -> Scope:
        names = [self.graph.names[k] for k in _members(variables)]
        n_bits = (variables & self.graph.all_bits).bit_count()
        return Scope(tuple(names[:n_bits]), tuple(names[n_bits:]))


def _members(variables: int) -> Iterator[int]:
    """The members of a set, in rising order."""
    while variables:
        lowest = variables & -variables
        yield lowest.bit_length() - 1
        variables ^= lowest
