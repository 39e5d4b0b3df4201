"""What is left of a query to sum over, and what it looks like without its numbers.

Three kinds of things are left:

- *Bits*: something that parents switch on, the OR of contributions; an observed finding with several parents, or a
  hidden node that has parents. Each contribution to a bit is 0 or 1.
- *Points*: ordinary variables; an unobserved risk factor, or the final value of a hidden node's bit as the node reads it.
- *Items*: a cause, complication or mechanism with its weights of being absent and of being present (tables over points)
  and, when present, its contribution to each child's bit: 1 with the link probability. The leak of an observed finding
  is an item, too, if it depends on points: a nameless parent whose link probability is 1. Otherwise it is part of the
  report: off and leaked, or on.

With x the states of the points, h_i that of item i (0 absent, 1 present) and c_ib its contribution to bit b,

    P(evidence, complaint)  =  sum over x of  f(x)
                               sum over h of  product over i of  weight_i(h_i, x)
                               sum over c of  product over i, b of  q(c_ib | h_i)
                                              product over b of  report_b(OR over i of c_ib)

    q(1 | h_i) = h_i w_ib,   q(0 | h_i) = 1 - h_i w_ib;   f(x) the product of the factors over points;
    report_b(0) and report_b(1) are P(report | off) and P(report | on), or say that the point has the bit's final value

All terms are non-negative. Quickscore writes the same probability as a signed sum over subsets of the present findings.

References:
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: Quickscore.
    Pearl (1988), Probabilistic reasoning in intelligent systems, 4.3: the noisy-OR, an OR of contributions.
    Zhang, Poole (1996), Exploiting causal independence in Bayesian network inference: sums over contributions.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from calfbayes.inference.leaves import Index
from calfbayes.inference.tables import Array, Axes, Table, union

NAMELESS = -1


@dataclass(slots=True)
class Item:
    """Something that is absent or present and, when present, switches bits on.

    Attributes:
        node: Position in the network, or NAMELESS.
        absent: Weight of being absent, over points.
        present: Weight of being present, over points.
        children: Each child's bit, and the link probability, a table over nothing.
    """

    node: int
    absent: Table
    present: Table
    children: list[tuple[int, Table]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bit:
    """The OR of its contributions.

    Attributes:
        off: P(report | off) of an observed finding, a table over nothing.
        on: P(report | on).
        point: For a hidden node instead: the point that takes the bit's final value; else -1.
        node: The hidden node that ends in this bit, because it switches no other bit on; else NAMELESS.
        present: The part of `off` and of `on` in which that node is present.
    """

    off: Table
    on: Table
    point: int = -1
    node: int = NAMELESS
    present: tuple[Table, Table] | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """What a problem looks like without its numbers; problems of equal structure share a plan.

    Attributes:
        items: For each item the points it depends on and the bits of its children.
        tables: The points of each factor.
        bits: Position of each bit, and the point that takes its value (-1 for a finding).
        sizes: Number of states of each point.
    """

    items: tuple[tuple[Axes, Axes], ...]
    tables: tuple[Axes, ...]
    bits: tuple[tuple[int, int], ...]
    sizes: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Problem:
    """What is left to sum over; see the module.

    Attributes:
        tables: Factors over points that no item could carry: priors of risk factors, and what observed ones leave.
        sizes: Number of states of each point.
        factors: Factors that depend on nothing that is left; of a table with an axis every entry is one.
        log_scale: Log of what was taken out of the items' weights, shape (lanes,).
        lanes: Number of lanes.
        kept: The hidden nodes that were kept.
    """

    items: list[Item]
    bits: dict[int, Bit]
    tables: list[Table]
    sizes: dict[int, int]
    factors: list[Table]
    log_scale: Array
    lanes: int
    kept: tuple[int, ...]

    @property
    def log_factor(self) -> Array:
        """Log of the factors that depend on nothing that is left, shape (lanes,)."""
        with np.errstate(divide="ignore"):
            logs = [np.log(factor.values).reshape(len(factor.values), -1).sum(axis=1) for factor in self.factors]
        return sum(logs, self.log_scale)

    def part(self, lanes: Index) -> "Problem":
        """Some of the lanes; derivatives do not find their way back from there."""

        def of(table: Table) -> Table:
            return table if len(table.values) == 1 else Table(table.axes, table.values[lanes])

        items = [Item(i.node, of(i.absent), of(i.present), [(child, of(w)) for child, w in i.children]) for i in self.items]
        bits = {
            node: replace(
                bit,
                off=of(bit.off),
                on=of(bit.on),
                present=None if bit.present is None else (of(bit.present[0]), of(bit.present[1])),
            )
            for node, bit in self.bits.items()
        }
        return replace(
            self,
            items=items,
            bits=bits,
            tables=[of(table) for table in self.tables],
            factors=[of(factor) for factor in self.factors],
            log_scale=self.log_scale[lanes],
            lanes=len(lanes),
        )

    def structure(self) -> Structure:
        """The problem without its numbers."""
        return Structure(
            tuple((union(i.absent.axes, i.present.axes), tuple(child for child, _ in i.children)) for i in self.items),
            tuple(table.axes for table in self.tables),
            tuple((node, bit.point) for node, bit in self.bits.items()),
            tuple(self.sizes.items()),
        )
