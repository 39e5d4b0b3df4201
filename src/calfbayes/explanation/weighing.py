"""What the causes come to when only some of the answers are known: the table that weights of evidence are read from.

Sets of answers are lanes of one batch: an answer that only some of them hold says nothing in the others. That makes every set
as dear as the most entangled one. So where it matters, the sets are parted by their *keys*, a few answers without which a
problem is much smaller (a present finding is a bit less, a known risk factor a point less), and each part has its own plan.
What a key saves is multiplied, which foretells the price; the keys are chosen for the lowest.

Above `MOST_FOR_EXACT` items, or if all sets would cost too much, some orders are drawn instead, 200 unless these cost too
much, too; see `shapley`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from calfbayes.diagnosis.encoding import encode
from calfbayes.errors import QueryTooCostlyError
from calfbayes.evidence import Evidence, silent_items
from calfbayes.explanation.shapley import Design, Rows, every_order, some_orders
from calfbayes.inference.exact import answer
from calfbayes.inference.hypothetical import without_some
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import Encoded, Query, reduce_batch
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.network import Numbers

MOST_FOR_EXACT = 12  # items: 4,096 sets, some more than 200 orders have
TO_BE_EXACT = 10, 1.6  # up to so many items, weights without an error may cost so many times the limit
MOST_ORDERS = 200
FEWEST_ORDERS = 16  # of three patients with nine answers, 92 % of the weights then lay within two errors; with 200 orders, 96 %
SEED = 20
OVERHEAD = 3e6  # operations that a plan of its own is worth
CHEAP = 2e7  # operations; up to here one plan serves for all sets
NEARLY_SURE = 1e-6  # closer to 1 than this, the probability of absence is computed by itself


@dataclass(frozen=True, eq=False)
class Weighing:
    """The posteriors with every set of items that a design asks for.

    Attributes:
        items: Ids of the items, risk factors first, then findings, in the order of `design.sets`. Answers that others settle
            are none, nor is the complaint.
        hidden: P(node present | the items of the set), shape (sets, n_hidden).
        evidence: The same items as positions.
    """

    solved: SolvedNetwork
    setting: str
    items: tuple[str, ...]
    design: Design
    hidden: Array
    evidence: Encoded

    def log_odds(self, node: int) -> Array:
        """Log odds of a cause or complication in each set, shape (sets,); infinite where it is ruled out or certain."""
        present = self.hidden[:, node]
        with np.errstate(divide="ignore"):
            result = np.asarray(np.log(present) - np.log1p(-present))
        nearly = np.flatnonzero(present > 1.0 - NEARLY_SURE)
        for k in nearly.tolist():
            result[k] = self._directly(node, self.design.sets[k])
        return result

    def _directly(self, node: int, kept: Rows) -> float:
        """Log odds from the two probabilities of the evidence, the node held absent and held present."""
        network = self.solved.network
        query = Query.of(_part(self.evidence, kept))
        query = replace(query, weights={node: (np.array([1.0, 0.0]), np.array([0.0, 1.0]))})
        numbers = network.numbers(self.solved.bases[self.setting].logits)
        absent, present = answer(network, numbers, query, cost_limit=inf).log_joint.tolist()
        return float(present - absent)


@lru_cache(maxsize=32)
def weigh(solved: SolvedNetwork, setting: str, evidence: Evidence, cost_limit: float) -> Weighing:
    """Answer for the sets of items that weights of evidence are made of.

    Args:
        cost_limit: Number of state operations that it may take, roughly; the exact figure is stated by the plans. See also
            `TO_BE_EXACT`.

    Raises:
        QueryTooCostlyError: If not even `FEWEST_ORDERS` orders can be had for that.
    """
    network = solved.network
    encoded = encode(network, evidence)
    known = [k for k, state in enumerate(encoded.risk_states) if state >= 0]
    items = (*(network.risks[k].id for k in known), *(network.nodes[node].id for node, _, _ in encoded.findings))
    table = _Table(solved, setting, encoded)
    n = len(items)
    design = every_order(n) if n <= MOST_FOR_EXACT else some_orders(n, MOST_ORDERS, SEED)
    one = table.operations(np.array([[True], [False]]).repeat(n, axis=1))
    savings = np.ones(n) if one * len(design.sets) <= min(CHEAP, cost_limit) else table.savings(one)
    keys, price = _keys(savings, one, len(design.sets))
    few, worth = TO_BE_EXACT
    if price > cost_limit * (worth if n <= few else 1.0):
        n_orders = 2 * int(cost_limit * len(design.sets) / (2 * price * max(n - 1, 1)))
        if n_orders < FEWEST_ORDERS:
            raise QueryTooCostlyError(price / len(design.sets) * n * FEWEST_ORDERS, cost_limit)
        design = some_orders(n, min(MOST_ORDERS, n_orders), SEED)
        keys, _ = _keys(savings, one, len(design.sets))
    return Weighing(solved, setting, items, design, table.hidden(design.sets, keys), encoded)


def _keys(savings: Array, one: float, n_sets: int) -> tuple[NDArray[np.intp], float]:
    """The items by which the sets are parted, and the price of all sets.

    Args:
        savings: By how much each item lowers the price as a key, the factor, shape (items,).
        one: Operations of a set in the plan for all.
    """
    order = np.argsort(savings, kind="stable")
    factors = np.concatenate([[1.0], np.cumprod(savings[order])])
    prices = one * n_sets * factors + OVERHEAD * np.minimum(2.0 ** np.arange(len(factors)), n_sets)
    best = int(prices.argmin())
    return order[:best], float(prices[best])


def settled_by(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """For each answer that has no weight of its own, the answers that imply it or rule it out."""
    network = evidence._network
    silent = silent_items(network, evidence)
    result = {}
    for name in sorted(silent):
        others = [o for o in evidence if o not in silent and name in silent_items(network, _only(evidence, (name, o)))]
        result[name] = tuple(others)
    return result


def _only(evidence: Evidence, names: Sequence[str]) -> Evidence:
    return replace(evidence, items_by_id=tuple(item for item in evidence.items_by_id if item[0] in names))


@dataclass(frozen=True, eq=False)
class _Table:
    solved: SolvedNetwork
    setting: str
    evidence: Encoded

    def hidden(self, sets: Rows, keys: NDArray[np.intp]) -> Array:
        """The posteriors, shape (sets, n_hidden): those sets together that agree in the keys."""
        _, group = np.unique(sets[:, keys], axis=0, return_inverse=True)
        hidden = np.empty((len(sets), self.solved.network.n_hidden))
        for number in range(int(group.max()) + 1):
            members = np.flatnonzero(group.ravel() == number)
            hidden[members] = answer(self.solved.network, self._numbers, self._query(sets[members]), cost_limit=inf).hidden
        return hidden

    def operations(self, sets: Rows) -> float:
        """What each of some sets costs in a plan for all of them."""
        return make_plan(reduce_batch(self.solved.network, self._numbers, self._query(sets))).operations

    def savings(self, one: float) -> Array:
        """By which factor each item lowers the price of all sets, half of which hold it, if they are parted by it.

        Args:
            one: The price of a set in the plan for all.
        """
        n_risks = sum(state >= 0 for state in self.evidence.risk_states)
        n = n_risks + len(self.evidence.findings)
        factors = np.ones(n)
        for item in range(n):
            lanes = np.array([[True], [False]]).repeat(n, axis=1)
            lanes[:, item] = item < n_risks  # parted by a risk factor, half are cheaper in which it is known
            factors[item] = min(1.0, (1.0 + self.operations(lanes) / one) / 2)
        return factors

    @property
    def _numbers(self) -> Numbers:
        return self.solved.network.numbers(self.solved.bases[self.setting].logits)

    def _query(self, sets: Rows) -> Query:
        ever = np.asarray(sets.any(axis=0))
        return without_some(self.solved.network, _part(self.evidence, ever), sets[:, ever])


def _part(evidence: Encoded, kept: Rows) -> Encoded:
    """Some of the items, the others as if never asked."""
    states = list(evidence.risk_states)
    known = [k for k, state in enumerate(states) if state >= 0]
    for risk, keeps in zip(known, kept.tolist(), strict=False):
        if not keeps:
            states[risk] = -1
    findings = zip(evidence.findings, kept[len(known) :].tolist(), strict=True)
    return Encoded(tuple(states), tuple(finding for finding, keeps in findings if keeps))
