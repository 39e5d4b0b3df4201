"""Network and evidence -> the small problem that is left to sum over.

What is known disappears here, exactly:

- An unobserved finding, and a mechanism without any observed finding, is barren and drops out.
- An absent finding j multiplies (1 - w_ij) into the present weight of each parent i, and (1 - leak_j).
- An observed finding with one parent is a pair of factors of that parent.
- A mechanism of which nothing else is left below is a bit with a weight for each state.
- An observed risk factor selects its states; an unobserved one that a single table depends on is summed
  out of that table; the others stay, as variables of the tables that depend on them.

What is left is made of three kinds of things:

- *Bits*: something that parents switch on, the OR of contributions; an observed finding with several parents, or a
  hidden node that has parents. Each contribution to a bit is 0 or 1.
- *Points*: ordinary variables; an unobserved risk factor, or the final value of a hidden node's bit as the node reads it.
- *Items*: a cause, complication or mechanism with its weights of being absent and of being present (tables over points)
  and, when present, its contribution to each child's bit: 1 with the link probability. The leak of an observed finding
  is an item, too: a nameless parent whose link probability is 1.

References:
    Shachter (1988), Probabilistic inference and influence diagrams: barren nodes.
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: absent findings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np

from calfbayes.inference.tables import Array, Axes, Table, expit_pair, table_in_order, union
from calfbayes.network import Network

NAMELESS = -1
TINY = 2.0**-200


@dataclass(frozen=True, slots=True)
class Encoded:
    """Evidence in positions instead of names.

    Attributes:
        risk_states: For each risk factor the position of its state, or -1 if unknown.
        findings: Position of the finding, P(report | absent) and P(report | present); in rising order. An absent
            finding has (1, 0), a present one (0, 1).
    """

    risk_states: tuple[int, ...]
    findings: tuple[tuple[int, float, float], ...]


@dataclass(slots=True)
class Item:
    """Something that is absent or present and, when present, switches bits on.

    Attributes:
        node: Position in the network, or NAMELESS.
        absent: Weight of being absent, over points.
        present: Weight of being present, over points.
        children: Position and link probability of each child's bit.
    """

    node: int
    absent: Table
    present: Table
    children: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bit:
    """The OR of its contributions.

    Attributes:
        off: P(report | off) of an observed finding.
        on: P(report | on).
        point: For a hidden node instead: the point that takes the bit's final value; else -1.
    """

    off: float
    on: float
    point: int


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
        log_factor: Log of the factors that depend on nothing that is left.
    """

    items: list[Item]
    bits: dict[int, Bit]
    tables: list[Table]
    sizes: dict[int, int]
    log_factor: float

    def structure(self) -> Structure:
        """The problem without its numbers."""
        return Structure(
            tuple((union(i.absent.axes, i.present.axes), tuple(child for child, _ in i.children)) for i in self.items),
            tuple(table.axes for table in self.tables),
            tuple((node, bit.point) for node, bit in self.bits.items()),
            tuple(self.sizes.items()),
        )


def reduce(network: Network, cause_logits: Array, evidence: Encoded, *, also: Sequence[int] = ()) -> Problem:
    """Leave of a query only what has to be summed over.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        also: Mechanisms to keep although nothing below them was observed.
    """
    observed = {**{node: (off, on) for node, off, on in evidence.findings}, network.complaint: (0.0, 1.0)}
    mechanisms = [
        m for m in network.mechanisms if m in also or any(child in observed for child, _ in network.nodes[m].children)
    ]
    hidden = [*network.causes, *network.complications, *mechanisms]
    own = _own_activation(network, cause_logits, evidence, [*hidden, *observed])

    items = {node: Item(node, *own[node]) for node in hidden}
    bits: dict[int, Bit] = {}
    sizes: dict[int, int] = {}
    leaks: list[Item] = []
    tables: list[Table] = []
    log_factor = 0.0
    for node in hidden:
        parents = _parents(network, node, items)
        if parents:
            point = len(network.risks) + node
            sizes[point] = 2
            bits[node] = Bit(0.0, 0.0, point)
            items[node].absent = items[node].absent.times((point,), np.array([[1.0, 0.0]]))
            items[node].present = _unless_activated(items[node].present, point)
            for parent, w in parents:
                items[parent].children.append((node, w))
    for node, (off, on) in observed.items():
        parents = _parents(network, node, items)
        if on == 0 or len(parents) <= 1:
            _absorb(items, tables, parents, own[node], off, on)
            log_factor += sum(_rescaled(items[parent]) for parent, _ in parents)
        else:
            bits[node] = Bit(off, on, -1)
            leak = Item(NAMELESS, *own[node], [(node, 1.0)])
            if np.any(leak.present.values > 0):
                leaks.append(leak)
            for parent, w in parents:
                items[parent].children.append((node, w))

    _close_dead_ends([node for node in mechanisms if node not in also], items, bits, sizes)
    everything = [*items.values(), *leaks]
    priors = _priors(network, evidence, tables)
    _sum_out_risks(network, priors, everything, tables)
    sizes |= {risk: network.risks[risk].prior.shape[-1] for risk in priors}
    factors = []
    for table in (*tables, *priors.values()):
        if not table.axes:
            with np.errstate(divide="ignore"):
                log_factor += float(np.log(table.values[0]))
        elif not _carried(table, everything):
            factors.append(table)
    return Problem(everything, bits, factors, sizes, log_factor)


def _carried(table: Table, items: Sequence[Item]) -> bool:
    """Multiply a factor into an item that depends on all its points, if there is one."""
    for item in items:
        if set(table.axes) <= {*item.absent.axes, *item.present.axes}:
            item.absent = item.absent.times(table.axes, table.values)
            item.present = item.present.times(table.axes, table.values)
            return True
    return False


def _parents(network: Network, node: int, items: Mapping[int, Item]) -> list[tuple[int, float]]:
    return [(parent, w) for parent, w in network.nodes[node].parents if parent in items and w > 0]


def _close_dead_ends(mechanisms: Sequence[int], items: dict[int, Item], bits: dict[int, Bit], sizes: dict[int, int]) -> None:
    """Replace a mechanism that switches no bit on by the weights of its own bit's two states.

    What was observed below it is in its weights by then: absent findings, and findings that are its alone.
    """
    for node in mechanisms:
        if (
            node in bits
            and not items[node].children
            and items[node].present.axes == items[node].absent.axes == (bits[node].point,)
        ):
            off, on = (items[node].absent.values + items[node].present.values)[0]
            del items[node], sizes[bits[node].point]
            bits[node] = Bit(float(off), float(on), -1)


def _unless_activated(by_itself: Table, point: int) -> Table:
    """The weight of being present, which is 1 if a parent has switched the node on."""
    activated = np.stack([by_itself.values, np.ones_like(by_itself.values)], axis=-1)
    return Table((*by_itself.axes, point), activated)  # points of nodes come after all risk factors


def _own_activation(
    network: Network, cause_logits: Array, evidence: Encoded, nodes: Sequence[int]
) -> dict[int, tuple[Table, Table]]:
    """For each node 1 - leak and leak, over the unobserved risk factors that move it."""
    result: dict[int, tuple[Table, Table]] = {}
    for node in nodes:
        x = np.array([cause_logits[node] if node < network.n_causes else network.nodes[node].base_logit])
        axes: Axes = ()
        for odds in network.nodes[node].odds:  # in rising order of the risk factors
            state = evidence.risk_states[odds.risk]
            if state >= 0:
                x = x + odds.log_odds[state]
            else:
                x = x[..., None] + odds.log_odds
                axes = (*axes, odds.risk)
        on, off = expit_pair(x)
        result[node] = Table(axes, off), Table(axes, on)
    return result


def _absorb(
    items: Mapping[int, Item],
    tables: list[Table],
    parents: Sequence[tuple[int, float]],
    leak: tuple[Table, Table],
    off: float,
    on: float,
) -> None:
    """Turn an observed finding that is absent, or has at most one parent, into factors.

    P(report | parent absent)  = off (1 - leak) + on leak
    P(report | parent present) = off (1 - leak) (1 - w) + on (leak + w (1 - leak))
    """
    axes, no, yes = leak[0].axes, leak[0].values, leak[1].values
    if on == 0:
        tables.append(Table(axes, off * no))
        for parent, w in parents:
            items[parent].present = items[parent].present.times((), np.array([1.0 - w]))
    elif not parents:
        tables.append(Table(axes, off * no + on * yes))
    else:
        ((parent, w),) = parents
        items[parent].absent = items[parent].absent.times(axes, off * no + on * yes)
        items[parent].present = items[parent].present.times(axes, off * no * (1.0 - w) + on * (yes + w * no))


def _rescaled(item: Item) -> float:
    """Take a power of two out of an item's weights when many findings have made them tiny; returns its log."""
    top = max(float(item.absent.values.max()), float(item.present.values.max()))
    if top == 0.0 or top > TINY:
        return 0.0
    power = int(np.frexp(top)[1])
    item.absent = Table(item.absent.axes, np.ldexp(item.absent.values, -power))
    item.present = Table(item.present.axes, np.ldexp(item.present.values, -power))
    return power * log(2.0)


def _priors(network: Network, evidence: Encoded, tables: list[Table]) -> dict[int, Table]:
    """Priors of the unobserved risk factors; what the observed ones contribute is added to `tables`."""
    priors: dict[int, Table] = {}
    for position, risk in enumerate(network.risks):
        family = (*risk.parents, position)
        states = [evidence.risk_states[member] for member in family]
        values = np.asarray(risk.prior[tuple(slice(None) if state < 0 else state for state in states)])
        table = table_in_order([member for member, state in zip(family, states, strict=True) if state < 0], values)
        if states[-1] < 0:
            priors[position] = table
        else:
            tables.append(table)
    return priors


def _sum_out_risks(network: Network, priors: dict[int, Table], items: Sequence[Item], tables: list[Table]) -> None:
    """Drop unobserved risk factors that nothing depends on; sum out those that a single item or table depends on."""
    for risk in reversed(range(len(network.risks))):  # children before parents
        if risk not in priors or any(risk in prior.axes for other, prior in priors.items() if other != risk):
            continue
        of_items = [item for item in items if risk in item.absent.axes or risk in item.present.axes]
        of_tables = [k for k, table in enumerate(tables) if risk in table.axes]
        if len(of_items) + len(of_tables) > 1:
            continue
        prior = priors.pop(risk)
        for item in of_items:
            item.absent = item.absent.times(prior.axes, prior.values).without(risk)
            item.present = item.present.times(prior.axes, prior.values).without(risk)
        for k in of_tables:
            tables[k] = tables[k].times(prior.axes, prior.values).without(risk)
