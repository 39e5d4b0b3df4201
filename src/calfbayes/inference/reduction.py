"""Network and evidence -> the small problem that is left to sum over.

What is known disappears here, exactly:

- An unobserved finding, and a mechanism without any observed finding, is barren and drops out.
- An absent finding j multiplies (1 - w_ij) into the present weight of each parent i, and (1 - leak_j).
- An observed finding with one parent is a pair of factors of that parent.
- A mechanism of which nothing else is left below is a bit with a weight for each state.
- An item that ties many variables together is taken apart.
- An observed risk factor selects its states; an unobserved one that a single table depends on is summed
  out of that table; the others stay, as variables of the tables that depend on them.

What is left, bits, points and items, is a `problem`. Each step is the distributive law: what a variable that is summed out
touches alone is summed, and what depends on no variable that is left goes before the sum. `_Reduction.problem` lists the
steps in their order. A number that differs from lane to lane waits until risk factors have been summed out (`pending`): then
the tables that it multiplies are small.

Every number may differ from lane to lane, those of the evidence and those of the network; the structure is that of all
lanes together. Tables remember what they were made of, so that derivatives find their way back to the network's numbers.

References:
    Shachter (1988), Probabilistic inference and influence diagrams: barren nodes.
    Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases: absent findings.
    Heckerman, Breese (1996), Causal independence for probability assessment and inference: an item taken apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log, log2, prod

import numpy as np

from calfbayes.inference.leaves import ROWS, Activations, Index, prior_entries, prior_of
from calfbayes.inference.price import Purse
from calfbayes.inference.problem import NAMELESS, Bit, Item, Problem
from calfbayes.inference.tables import Alike, Array, Gradient, Table, union
from calfbayes.network import Network, Numbers

WIDEST = 11.0  # log2 of the joint states that an item may tie together; with 9 plans cost 14 % more on average, with 13 5 %
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


@dataclass(frozen=True, eq=False)
class Query:
    """Evidence that may differ from lane to lane.

    Attributes:
        risk_states: For each risk factor the position of its state if it is known in every lane, else -1.
        reports: For each reported finding P(report | absent) and P(report | present), shape (lanes,) or (1,) each. Where
            they are equal, as in (1, 1), the lane says nothing about it. A mechanism that is left out may be reported, too.
        likelihoods: For some unknown risk factors the likelihood of each state, shape (lanes, states).
        weights: For some causes, complications and mechanisms what to multiply into the weights of being absent and of
            being present, shape (lanes,) or (1,) each: (0, 1) holds it present, (1, 0) absent.
        left_out: Mechanisms that nothing is to depend on.
    """

    risk_states: tuple[int, ...]
    reports: Mapping[int, tuple[Array, Array]] = field(default_factory=dict)
    likelihoods: Mapping[int, Array] = field(default_factory=dict)
    weights: Mapping[int, tuple[Array, Array]] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()

    @classmethod
    def of(cls, evidence: Encoded) -> "Query":
        """The query of one lane."""
        return cls(evidence.risk_states, {f: (np.array([off]), np.array([on])) for f, off, on in evidence.findings})

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        pairs = (*self.reports.values(), *self.weights.values())
        return max([1, *map(len, self.likelihoods.values()), *(len(part) for pair in pairs for part in pair)])

    def part(self, lanes: slice) -> "Query":
        """Some of the lanes."""
        return self._with_arrays(lambda values: values if len(values) == 1 else values[lanes])

    def repeated(self, times: int) -> "Query":
        """All lanes, several times over."""
        return self._with_arrays(lambda values: values if len(values) == 1 else np.concatenate([values] * times))

    def _with_arrays(self, change: Callable[[Array], Array]) -> "Query":
        return Query(
            self.risk_states,
            {node: (change(off), change(on)) for node, (off, on) in self.reports.items()},
            {risk: change(values) for risk, values in self.likelihoods.items()},
            {node: (change(absent), change(present)) for node, (absent, present) in self.weights.items()},
            self.left_out,
        )


def reduce(
    network: Network, cause_logits: Array, evidence: Encoded, *, also: Sequence[int] = (), purse: Purse | None = None
) -> Problem:
    """Leave of an ordinary query only what has to be summed over.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        also: Mechanisms to keep although nothing below them was observed.
        purse: What may be spent; None if there is no limit.

    Raises:
        QueryTooCostlyError: If even this needs more operations than are left; no table beyond that was made.
    """
    return reduce_batch(network, network.numbers(cause_logits), Query.of(evidence), also=also, purse=purse)


def reduce_batch(
    network: Network,
    numbers: Numbers,
    query: Query,
    *,
    also: Sequence[int] = (),
    all_slopes: bool = False,
    flags: Mapping[int, Array] | None = None,
    purse: Purse | None = None,
) -> Problem:
    """Leave of a batch of queries only what has to be summed over.

    Args:
        also: Mechanisms to keep although nothing below them was observed.
        all_slopes: Keep what changes nothing as the numbers stand, risk factors that nothing depends on and links of 0, so that
            derivatives reach every number.
        flags: Probability, shape (lanes,), with which the presence of some hidden nodes switches one more bit on,
            which stands behind those of the nodes.
        purse: What may be spent; None if there is no limit.

    Raises:
        QueryTooCostlyError: If even this needs more operations than are left; no table beyond that was made.
    """
    purse = Purse(inf) if purse is None else purse
    return _Reduction(network, numbers, query, also, all_slopes=all_slopes, flags=flags or {}, purse=purse).problem()


class _Reduction:
    """The steps from a query to a problem, in the order of `problem`."""

    def __init__(
        self,
        network: Network,
        numbers: Numbers,
        query: Query,
        also: Sequence[int],
        *,
        all_slopes: bool,
        flags: Mapping[int, Array],
        purse: Purse,
    ) -> None:
        self.network = network
        self.numbers = numbers
        self.query = query
        self.all_slopes = all_slopes
        self.flags = flags
        self.purse = purse
        self.lanes = max(numbers.lanes, query.lanes, *(len(flag) for flag in flags.values()), 1)

        absent = {node for node, (_, present) in query.weights.items() if not present.any()}
        self.reports = {**{node: query.weights[node] for node in sorted(absent)}, **query.reports}
        self.reports[network.complaint] = np.zeros(1), np.ones(1)
        self.reports = {node: report for node, report in self.reports.items() if not _silent(*report)}
        below = {parent for node in self.reports for parent, _ in network.layout.parents[node]}
        self.asked_for = {*also, *query.weights} - absent
        self.mechanisms = [
            m for m in network.mechanisms if (m in below or m in self.asked_for) and not (m in absent or m in query.left_out)
        ]
        self.hidden = [node for node in (*network.causes, *network.complications) if node not in absent] + self.mechanisms
        self.own = Activations(network, numbers, query.risk_states, [*self.hidden, *self.reports], purse.pay_for)

        self.items: dict[int, Item] = {}
        self.pending: dict[int, tuple[Table | None, Table | None]] = {}
        self.leaks: list[Item] = []
        self.bits: dict[int, Bit] = {}
        self.sizes: dict[int, int] = {}
        self.tables: list[Table] = []
        self.factors: list[Table] = []
        self.log_scale: Array = np.zeros(self.lanes)

    def problem(self) -> Problem:
        """Go through all steps."""
        purse = self.purse
        hidden = set(self.hidden)
        linked = np.asarray((self.numbers.links > 0.0).any(axis=0)) | self.all_slopes
        parents = {
            node: [(parent, arc) for parent, arc in self.network.layout.parents[node] if parent in hidden and linked[arc]]
            for node in (*self.hidden, *self.reports)
        }
        absent = [node for node, report in self.reports.items() if _absent_or_silent(*report)]
        self._make_items(parents, self._inhibition(absent, parents))
        self._take_in_absent(absent)
        for node in self.reports:
            if node not in absent:
                self._take_in_report(node, parents[node])
        self._close_dead_ends()
        everything = [*self.items.values(), *self.leaks]
        priors = self._priors()
        self._sum_out_risks(priors, everything)
        self.sizes |= {risk: self.network.risks[risk].prior.shape[-1] for risk in priors}
        left = []
        for table in (*self.tables, *(purse.whole(prior) for prior in priors.values())):
            if not table.axes:
                self.factors.append(table)
            elif not _carried(table, everything, purse):
                left.append(table)
        for item in self.items.values():
            self._settle(item)
        apart = _wide_ones_apart(everything, self.sizes, len(self.network.risks) + len(self.network.nodes), purse)
        kept = tuple(self.hidden)
        return Problem(apart, self.bits, left, self.sizes, self.factors, self.log_scale, self.lanes, kept)

    def _inhibition(self, absent: Sequence[int], parents: Mapping[int, Sequence[tuple[int, int]]]) -> Table:
        """For each hidden node the product of 1 - w over its absent findings, where the lane says that they are absent."""
        place = {node: k for k, node in enumerate(self.hidden)}
        arcs = sorted((place[parent], arc, k) for k, node in enumerate(absent) for parent, arc in parents[node])
        if not arcs:
            return Table(ROWS, np.ones((1, len(self.hidden))))
        parent, arc, report = np.array(arcs).T
        said = np.stack(np.broadcast_arrays(*(_said(*self.reports[node]) for node in absent)), axis=1)[:, report]
        inhibitors = 1.0 - self.numbers.links[:, arc] * said
        first = np.flatnonzero(np.diff(parent, prepend=-1))
        product = np.ones((len(inhibitors), len(self.hidden)))
        product[:, parent[first]] = np.multiply.reduceat(inhibitors, first, axis=1)

        def pull(g: Array, into: Gradient) -> None:
            others = _products_of_others(inhibitors, first)
            into.numbers.links[:, arc] -= g[:, parent] * others * said

        return Table(ROWS, product, pull)

    def _make_items(self, parents: Mapping[int, Sequence[tuple[int, int]]], inhibition: Table) -> None:
        """Make the item of each hidden node, and a bit and a point if it has parents."""
        own = self.own
        shared = len(inhibition.values) == 1
        on = self._inhibited(inhibition) if shared else own.on
        for k, node in enumerate(self.hidden):
            absent, present = own.part(own.off, node), own.part(on, node)
            self.items[node] = Item(node, absent, present)
            if parents[node]:
                point = len(self.network.risks) + node
                self.sizes[point] = 2
                self.bits[node] = Bit(_constant(0.0), _constant(0.0), point)
                self.items[node].absent = self.purse.times(absent, Table((point,), np.array([[1.0, 0.0]])))
                activated = _entry(inhibition, k) if shared else _constant(1.0)
                self.purse.pay_for(2.0 * present.values.size)
                self.items[node].present = _unless_activated(present, activated, point)
            if node in self.query.weights:
                if_absent, if_present = (Table((), weight) for weight in self.query.weights[node])
                self.pending[node] = if_absent, if_present if shared else if_present.times(_entry(inhibition, k))
            elif not shared:
                self.pending[node] = None, _entry(inhibition, k)
        for node in self.hidden:
            for parent, arc in parents[node]:
                self.items[parent].children.append((node, self._link(arc)))
        for node, flag in self.flags.items():
            self.items[node].children.append((len(self.network.nodes), Table((), flag)))

    def _inhibited(self, inhibition: Table) -> Table:
        """The leaks of the hidden nodes, each times its entry, row after row."""
        own, rows = self.own, self.own.node_of_row[: self.own.rows_of(len(self.hidden))]

        def pull(g: Array, into: Gradient) -> None:
            into.add_to(own.on, np.s_[:, : len(rows)], g * inhibition.values[:, rows])
            first = np.flatnonzero(np.diff(rows, prepend=-1))
            into.add(inhibition, np.add.reduceat(g * own.on.values[:, : len(rows)], first, axis=1))

        return Table(ROWS, own.on.values[:, : len(rows)] * inhibition.values[:, rows], pull)

    def _settle(self, item: Item) -> None:
        """Multiply in what was put off."""
        if_absent, if_present = self.pending.pop(item.node, (None, None))
        if if_absent is not None:
            item.absent = self.purse.times(item.absent, if_absent)
        if if_present is not None:
            item.present = self.purse.times(item.present, if_present)

    def _take_in_absent(self, absent: Sequence[int]) -> None:
        """The rest of the absent reports: P(report | absent) (1 - leak)."""
        own = self.own
        certain = []  # those whose leak depends on nothing that is unknown are taken in together
        for node in absent:
            if own.axes[node]:
                off, on = self.reports[node]
                no, yes = own.leak(node)
                self.tables.append(self._mixed(no, Table((), off), yes, Table((), on)))
            else:
                certain.append(node)
        if certain:
            rows = np.array([own.where[node].start for node in certain])
            off, on = (np.stack(np.broadcast_arrays(*(self.reports[node][k] for node in certain)), axis=1) for k in (0, 1))

            def pull(g: Array, into: Gradient) -> None:
                into.add_to(own.off, np.s_[:, rows], g * off)
                into.add_to(own.on, np.s_[:, rows], g * on)

            self.factors.append(Table(ROWS, own.off.values[:, rows] * off + own.on.values[:, rows] * on, pull))

    def _take_in_report(self, node: int, parents: Sequence[tuple[int, int]]) -> None:
        """Turn another report into a factor if at most one parent is left, else into a bit.

        P(report | parent absent)  = off (1 - leak) + on leak
        P(report | parent present) = off (1 - leak) (1 - w) + on (leak + w (1 - leak))
        """
        off, on = (Table((), values) for values in self.reports[node])
        no, yes = self.own.leak(node)
        idle = self._mixed(no, off, yes, on)
        if not parents:
            self.tables.append(idle)
        elif len(parents) == 1:
            ((parent, arc),) = parents
            w, inhibitor = self._link(arc), self._inhibitor(arc)
            item = self.items[parent]
            item.absent = self.purse.times(item.absent, idle)
            kept_off, switched_on = self.purse.times(no, inhibitor), self._mixed(yes, _constant(1.0), no, w)
            busy = self._mixed(kept_off, off, switched_on, on)
            item.present = self.purse.times(item.present, busy)
            self._rescale(item)
        else:
            for parent, arc in parents:
                self.items[parent].children.append((node, self._link(arc)))
            if no.axes:
                self.bits[node] = Bit(off, on)
                self.leaks.append(Item(NAMELESS, no, yes, [(node, _constant(1.0))]))
            else:
                self.bits[node] = Bit(idle, no.plus(yes).times(on))

    def _mixed(self, a: Table, of_a: Table, b: Table, of_b: Table) -> Table:
        """The sum of two tables over the same points, each times a number."""
        return self.purse.plus(self.purse.times(a, of_a), self.purse.times(b, of_b))

    def _rescale(self, item: Item) -> None:
        """Take a power of two out of an item's weights when many findings have made them tiny."""
        top = np.maximum(*(t.values.reshape(len(t.values), -1).max(axis=1) for t in (item.absent, item.present)))
        if (top < TINY).any():
            power = np.where(top > 0.0, np.frexp(top)[1], 0)
            taken_out = Table((), np.ldexp(1.0, -power))
            item.absent, item.present = self.purse.times(item.absent, taken_out), self.purse.times(item.present, taken_out)
            self.log_scale = self.log_scale + power * log(2.0)

    def _close_dead_ends(self) -> None:
        """Replace a node that switches no bit on by the weights of its own bit's two states.

        What was observed below it is in its weights by then: absent findings, and findings that are its alone.
        """
        for node in set(self.hidden) - set(self.flags):
            item = self.items[node]
            if node in self.bits and not item.children and item.present.axes == item.absent.axes == (self.bits[node].point,):
                self._settle(item)
                point = self.bits[node].point
                off, on = item.present.at(point, 0), item.present.at(point, 1)
                absent = item.absent.at(point, 0), item.absent.at(point, 1)
                self.bits[node] = Bit(absent[0].plus(off), absent[1].plus(on), node=node, present=(off, on))
                del self.items[node], self.sizes[point]

    def _link(self, arc: int) -> Table:
        def pull(g: Array, into: Gradient) -> None:
            into.numbers.links[:, arc] += g

        return Table((), self.numbers.links[:, arc], pull)

    def _inhibitor(self, arc: int) -> Table:
        def pull(g: Array, into: Gradient) -> None:
            into.numbers.links[:, arc] -= g

        return Table((), 1.0 - self.numbers.links[:, arc], pull)

    # --- risk factors ---

    def _priors(self) -> dict[int, Alike]:
        """Priors of the unobserved risk factors; what the observed ones contribute is added to the tables and factors."""
        priors: dict[int, Alike] = {}
        certain = []  # entries of observed risk factors whose parents have been observed
        for position, state in enumerate(self.query.risk_states):
            axes, entries = prior_entries(self.network, position, self.query.risk_states)
            if not axes:
                certain.append(int(entries))
                continue
            table = prior_of(self.numbers, axes, entries)
            likelihood = self.query.likelihoods.get(position)
            if state >= 0:
                self.tables.append(table)
            else:
                priors[position] = Alike(table)
                if likelihood is not None:
                    told = Alike(Table((position,), likelihood)) if self.all_slopes else Alike.of(likelihood, position)
                    priors[position] = priors[position].times(told)
        if certain:
            self.factors.append(prior_of(self.numbers, ROWS, np.array(certain)))
        return priors

    def _sum_out_risks(self, priors: dict[int, Alike], items: Sequence[Item]) -> None:
        """Drop unobserved risk factors that nothing depends on; sum out those that a single item or table depends on."""
        items_of: dict[int, set[int]] = {risk: set() for risk in range(len(self.network.risks))}
        priors_with: dict[int, set[int]] = {risk: set() for risk in range(len(self.network.risks))}
        for k, item in enumerate(items):
            for axis in {*item.absent.axes, *item.present.axes} & items_of.keys():
                items_of[axis].add(k)
        for risk, prior in priors.items():
            for axis in prior.table.axes:
                priors_with[axis].add(risk)
        purse = self.purse
        summed: dict[int, tuple[Alike, Alike]] = {}
        tables = [Alike(table) for table in self.tables]
        for risk in reversed(range(len(self.network.risks))):  # children before parents
            if risk not in priors or priors_with[risk] - {risk}:
                continue
            of_tables = [k for k, alike in enumerate(tables) if risk in alike.table.axes]
            if len(items_of[risk]) + len(of_tables) > 1:
                continue
            prior = priors.pop(risk)
            for axis in prior.table.axes:
                priors_with[axis].discard(risk)
                items_of[axis] |= items_of[risk]
            for k in items_of[risk]:
                absent, present = summed.get(k) or (Alike(items[k].absent), Alike(items[k].present))
                summed[k] = (
                    purse.summed_out(absent, prior, risk, self.lanes),
                    purse.summed_out(present, prior, risk, self.lanes),
                )
            for k in of_tables:
                tables[k] = purse.summed_out(tables[k], prior, risk, self.lanes)
            if not items_of[risk] and not of_tables and (self.all_slopes or risk in self.query.likelihoods):
                rest = prior.without(risk)
                youngest = max(rest.table.axes, default=-1)
                if youngest in priors and set(rest.table.axes) <= set(priors[youngest].table.axes):
                    priors[youngest] = priors[youngest].times(rest)
                else:
                    tables.append(rest)
        self.tables = [purse.whole(alike) for alike in tables]
        for k, (absent, present) in summed.items():
            items[k].absent, items[k].present = purse.whole(absent), purse.whole(present)


def _silent(off: Array, on: Array) -> bool:
    """Say whether a report says nothing in any lane."""
    return bool((off == 1.0).all() and (on == 1.0).all())


def _absent_or_silent(off: Array, on: Array) -> bool:
    """Say whether a report is, in each lane, one of absence or one that says nothing: then it needs no bit."""
    return bool(((on == 0.0) | (on == off)).all())


def _said(off: Array, on: Array) -> Array:
    """1 in the lanes that report absence, 0 in those that say nothing."""
    return np.where(on == off, 0.0, 1.0)


def _products_of_others(factors: Array, first: Index) -> Array:
    """For each factor the product of the other factors of its group; groups begin at `first`."""
    lengths = np.diff(first, append=factors.shape[1])
    zero = factors == 0.0
    product = np.repeat(np.multiply.reduceat(np.where(zero, 1.0, factors), first, axis=1), lengths, axis=1)
    zeros = np.repeat(np.add.reduceat(zero.astype(int), first, axis=1), lengths, axis=1)
    return np.where(zeros - zero > 0, 0.0, product / np.where(zero, 1.0, factors))


def _carried(table: Table, items: Sequence[Item], purse: Purse) -> bool:
    """Multiply a factor into an item that depends on all its points, if there is one."""
    for item in items:
        if set(table.axes) <= {*item.absent.axes, *item.present.axes}:
            item.absent, item.present = purse.times(item.absent, table), purse.times(item.present, table)
            return True
    return False


def _wide_ones_apart(items: Sequence[Item], sizes: dict[int, int], first_point: int, purse: Purse) -> list[Item]:
    """Take items apart that tie many variables together.

    All that the children of an item share is whether it is present. That becomes a point: the item, without children,
    says how probable it is, and a nameless item for each child reads it. The bits can then be closed one after the other
    while the point stays open. It costs a step a child, so narrow items stay whole.

    Args:
        sizes: Number of states of each point; new ones are added, numbered from `first_point` on.
    """
    apart: list[Item] = []
    absent, present = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    for point, item in enumerate(items, first_point):
        points = prod(map(sizes.__getitem__, union(item.absent.axes, item.present.axes)))
        if len(item.children) < 2 or len(item.children) + log2(points) < WIDEST:
            apart.append(item)
        else:
            off, on = Table((point,), absent), Table((point,), present)
            apart.append(Item(item.node, purse.times(item.absent, off), purse.times(item.present, on)))
            apart += [Item(NAMELESS, off, on, [child]) for child in item.children]
            sizes[point] = 2
    return apart


def _unless_activated(by_itself: Table, activated: Table, point: int) -> Table:
    """The weight of being present: by itself if no parent has switched the node on, else for sure."""
    axes = (*by_itself.axes, point)  # points of nodes come after all risk factors
    wide = np.broadcast_to(
        activated.values.reshape(-1, *(1,) * len(by_itself.axes)), (len(activated.values), *by_itself.values.shape[1:])
    )

    def pull(g: Array, into: Gradient) -> None:
        into.add(by_itself, g[..., 0])
        into.add(activated, g[..., 1].reshape(len(g), -1).sum(axis=1))

    return Table(axes, np.stack(np.broadcast_arrays(by_itself.values, wide), axis=-1), pull)


def _entry(table: Table, k: int) -> Table:
    """One entry of a row of numbers."""
    return Table((), table.values[:, k], lambda g, into: into.add_to(table, np.s_[:, k], g))


def _constant(value: float) -> Table:
    return Table((), np.full(1, value))
