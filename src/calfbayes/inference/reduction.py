"""Network and evidence -> the small problem that is left: items, bits and risk factors still to be summed over.

What is known disappears here, exactly:

- An unobserved finding, and a mechanism without any observed finding, is barren and drops out.
- An absent finding j multiplies (1 - w_ij) into the present weight of each parent i, and (1 - leak_j).
- An observed finding with one parent is a pair of factors of that parent.
- An observed risk factor selects its states; an unobserved one that a single table depends on is summed
  out of that table; the others stay, as axes of the tables that depend on them.

What is left: *items* (causes, complications, mechanisms, each with three weights, and loose factors), and
*bits* (observed findings with several parents, and hidden nodes that have parents of their own).

References:
    Shachter (1988), Probabilistic inference and influence diagrams: barren nodes.
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: absent findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calfbayes.inference.tables import Array, Axes, Table, expit_pair
from calfbayes.network import Network

ABSENT, BY_ITSELF, ACTIVATED = 0, 1, 2


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
    """A cause, complication or mechanism; or a loose factor, which has no node.

    Attributes:
        node: Position in the network; -1 for a loose factor.
        table: Weights of being absent, being present by itself, and being present because a parent activated it
            (ABSENT, BY_ITSELF, ACTIVATED); a loose factor has one weight.
        has_bit: True if the node has parents, so that a bit tells whether one of them activated it.
        children: Bit (a position in the network) and link probability of each open child.
    """

    node: int
    table: Table
    has_bit: bool = False
    children: list[tuple[int, float]] = field(default_factory=list)


@dataclass(slots=True)
class Bit:
    """Something that parents switch on: an observed finding, or a hidden node.

    Attributes:
        start: Weights of being off and on before any parent has acted.
        end: P(report | off), P(report | on); None for a hidden node, whose item uses the bit.
    """

    node: int
    start: Table
    end: tuple[float, float] | None


@dataclass(slots=True)
class Reduced:
    """What is left to sum over; see the module.

    Attributes:
        log_factor: Log of the factors that do not depend on anything that is left.
        risks: Prior table of each risk factor that is still an axis, shape (1, states of its axes), itself among its axes.
        sizes: Number of states of each of them.
    """

    items: list[Item]
    bits: dict[int, Bit]
    risks: dict[int, Table]
    sizes: dict[int, int]
    log_factor: float


def reduce(network: Network, cause_logits: Array, evidence: Encoded, *, also: Sequence[int] = ()) -> Reduced:
    """Leave of a query only what has to be summed over.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        also: Mechanisms to keep although nothing below them was observed.
    """
    observed = {**{node: (off, on) for node, off, on in evidence.findings}, network.complaint: (0.0, 1.0)}
    kept_mechanisms = [
        node
        for node in network.mechanisms
        if node in also or any(child in observed for child, _ in network.nodes[node].children)
    ]
    hidden = [*network.causes, *network.complications, *kept_mechanisms]
    own = _own_activation(network, cause_logits, evidence, [*hidden, *observed])

    items = {node: Item(node, Table(own[node][0], _hidden_weights(own[node][1]))) for node in hidden}
    bits: dict[int, Bit] = {}
    loose: list[Item] = []
    for node in hidden:
        parents = [(parent, w) for parent, w in network.nodes[node].parents if parent in items and w > 0]
        if parents:
            items[node].has_bit = True
            bits[node] = Bit(node, Table((), np.array([1.0, 0.0])), None)
            for parent, w in parents:
                items[parent].children.append((node, w))
    for node, (off, on) in observed.items():
        axes, leak = own[node]
        parents = [(parent, w) for parent, w in network.nodes[node].parents if parent in items and w > 0]
        if on == 0 or len(parents) <= 1:
            _absorb(items, loose, parents, axes, leak, off, on)
        else:
            bits[node] = Bit(node, Table(axes, leak), (off, on))
            for parent, w in parents:
                items[parent].children.append((node, w))

    risks, observed_priors = _priors(network, evidence)
    loose += observed_priors
    everything = [*items.values(), *loose]
    tables = [item.table for item in everything] + [bit.start for bit in bits.values()]
    _drop_and_sum_out(risks, tables)

    log_factor = 0.0
    remaining = []
    for item in everything:
        if item.node < 0 and not item.table.axes:
            with np.errstate(divide="ignore"):
                log_factor += float(np.log(item.table.weights[0]))
        else:
            remaining.append(item)
    sizes = {risk: network.risks[risk].prior.shape[-1] for risk in risks}
    return Reduced(remaining, bits, risks, sizes, log_factor)


def _own_activation(
    network: Network, cause_logits: Array, evidence: Encoded, nodes: Sequence[int]
) -> dict[int, tuple[Axes, Array]]:
    """For each node the unobserved risk factors that move its leak, and (1 - leak, leak) over them."""
    result: dict[int, tuple[Axes, Array]] = {}
    for node in nodes:
        x = np.array(cause_logits[node] if node < network.n_causes else network.nodes[node].base_logit)
        axes: Axes = ()
        for odds in network.nodes[node].odds:  # in rising order of the risk factors
            state = evidence.risk_states[odds.risk]
            if state >= 0:
                x = x + odds.log_odds[state]
            else:
                x = x[..., None] + odds.log_odds
                axes = (*axes, odds.risk)
        on, off = expit_pair(x)
        result[node] = axes, np.stack([off, on])
    return result


def _hidden_weights(own: Array) -> Array:
    return np.stack([own[0], own[1], np.ones_like(own[0])])


def _absorb(
    items: dict[int, Item],
    loose: list[Item],
    parents: Sequence[tuple[int, float]],
    axes: Axes,
    leak: Array,
    off: float,
    on: float,
) -> None:
    """Turn an observed finding that is absent, or has at most one parent, into factors.

    With all of w in P(report | parent present) and none in P(report | parent absent):
    off (1 - leak) (1 - w) + on (leak + w (1 - leak)) against off (1 - leak) + on leak.
    """
    if on == 0:
        loose.append(Item(-1, Table(axes, off * leak[:1])))
        for parent, w in parents:
            items[parent].table.multiply((), np.array([1.0, 1.0 - w, 1.0 - w]))
    elif not parents:
        loose.append(Item(-1, Table(axes, off * leak[:1] + on * leak[1:])))
    else:
        ((parent, w),) = parents
        without = off * leak[0] + on * leak[1]
        with_parent = off * leak[0] * (1.0 - w) + on * (leak[1] + w * leak[0])
        items[parent].table.multiply(axes, np.stack([without, with_parent, with_parent]))


def _priors(network: Network, evidence: Encoded) -> tuple[dict[int, Table], list[Item]]:
    """Prior tables of the unobserved risk factors, and the factors that the observed ones contribute."""
    unobserved: dict[int, Table] = {}
    factors: list[Item] = []
    for position, risk in enumerate(network.risks):
        family = (*risk.parents, position)
        states = [evidence.risk_states[member] for member in family]
        prior = risk.prior[tuple(slice(None) if state < 0 else state for state in states)]
        axes = tuple(member for member, state in zip(family, states, strict=True) if state < 0)
        if states[-1] < 0:
            unobserved[position] = Table(axes, prior[None])
        else:
            factors.append(Item(-1, Table(axes, np.asarray(prior)[None])))
    return unobserved, factors


def _drop_and_sum_out(risks: dict[int, Table], tables: Sequence[Table]) -> None:
    """Remove from `risks` what no table depends on, and sum out what a single table depends on."""
    changed = True
    while changed:
        changed = False
        for risk in sorted(risks, reverse=True):  # children before parents
            if any(risk in prior.axes for other, prior in risks.items() if other != risk):
                continue
            users = [table for table in tables if risk in table.axes]
            if len(users) <= 1:
                prior = risks.pop(risk)
                changed = True
                for table in users:
                    table.multiply(prior.axes, prior.weights)
                    table.sum_out(risk)
