"""What a query costs, told before it is paid.

Everything is counted in *state operations*: one is what a number of a message takes in the OR of two messages. With s the
number of states of the message that a step makes, or of the one that it takes if that is larger,

    making a table of n entries                ENTRY n
    taking in an item with c children          MATRIX (3 + c) s      its own two states and their sum, and each child's bit
    multiplying by a factor                    MATRIX s
    closing a bit or a point                   MATRIX s
    merging messages that share b bits         (3/2)^b s             of each bit three terms make two states

and a walk backward takes as long as the walk forward, so that the price of a plan in n lanes is

    2 n (sum over its steps of the above)

The order of a plan is chosen by these prices (`plan`). Tables are paid for before they are made, and messages, all of them
together, before the first (`exact.priced`), out of one `Purse`.

Measured step by step in one thread, on messages of 2^12 states and more: an OR takes 0.7 to 4 ns an operation, least with many
states beside the shared ones or in lanes; a product with a matrix 0.6 ns (upper quartile 1.3 ns) for each of the (3 + c) s, on
simulated patients of the calf model with 8 and 12 positive findings; and a step of next to no states takes 60 microseconds, of
which planning and layout are two thirds. The weights below were chosen when an OR took 5 to 6 ns; with MATRIX and STEP at two
and four times as much plans take as long.

References:
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: there the price is 2^(present findings).
    Kjaerulff (1990), Triangulation of graphs: the size of all tables as the price of an order.
"""

from dataclasses import dataclass
from math import prod

from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.tables import Alike, Table

ENTRY = 4.0  # at the usual limit of 2e8 tables so stay below 400 MB; with derivatives, which are as large, below 1 GiB
MATRIX = 0.2  # of an operation, in a product with a matrix: measured 0.1, upper quartile 0.2
STEP = 1e4  # operations that take as long as the overhead of one step, 60 microseconds


def of_item(n_children: int) -> float:
    """Price of taking an item in, for each state of the message."""
    return MATRIX * (3.0 + n_children)


def of_merging(n_shared: int) -> float:
    """Price of merging two messages, for each state of the message that comes of it."""
    return float(1.5**n_shared)


@dataclass(slots=True)
class Purse:
    """What a query may spend, in state operations; everything is paid for before it is made."""

    limit: float
    spent: float = 0.0

    def pay(self, operations: float) -> None:
        """Pay for so many state operations.

        Raises:
            QueryTooCostlyError: If there is not so much left; then nothing is paid.
        """
        if self.spent + operations > self.limit:
            raise QueryTooCostlyError(self.spent + operations, self.limit)
        self.spent += operations

    def pay_for(self, entries: float) -> None:
        """Pay for so many entries of tables.

        Raises:
            QueryTooCostlyError: If there is not so much left; then nothing is paid.
        """
        self.pay(ENTRY * entries)

    def times(self, a: Table, b: Table) -> Table:
        """The product of two tables."""
        self.pay_for(max(len(a.values), len(b.values)) * _states(a, b))
        return a.times(b)

    def plus(self, a: Table, b: Table) -> Table:
        """The sum of two tables over the same axes."""
        self.pay_for(max(len(a.values), len(b.values)) * _states(a, b))
        return a.plus(b)

    def summed_out(self, a: Alike, prior: Alike, axis: int, lanes: int) -> Alike:
        """The product of two tables of which many of the lanes are alike, summed over the states of an axis."""
        entries = min(lanes, len(a.table.values) * len(prior.table.values)) * _states(a.table, prior.table)
        self.pay_for(entries + entries / prior.table.values.shape[1 + prior.table.axes.index(axis)])
        return a.times(prior).without(axis)

    def whole(self, alike: Alike) -> Table:
        """A table lane by lane."""
        if alike.sort is not None:
            self.pay_for(len(alike.sort) * _states(alike.table))
        return alike.whole()


def _states(*tables: Table) -> float:
    """Number of joint states of all axes."""
    return float(prod(dict(size for table in tables for size in zip(table.axes, table.values.shape[1:], strict=True)).values()))
