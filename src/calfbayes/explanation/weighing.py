"""What the causes come to when only some of the answers are known: the table that weights of evidence are read from.

A set of answers is answered together with those that differ from it in what is absent only: an absent finding costs a lane,
while a present one or a risk factor changes the plan. Where one plan for all sets is cheap, it serves for all.

Above `MOST_FOR_EXACT` items, or if all sets would cost more than the limit, some orders are drawn instead; see `shapley`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from calfbayes.diagnosis.result import encode
from calfbayes.errors import QueryTooCostlyError
from calfbayes.evidence import Evidence, silent_items
from calfbayes.explanation.shapley import Design, Rows, every_order, some_orders
from calfbayes.inference.exact import Answers, answer
from calfbayes.inference.hypothetical import without_some
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import Encoded, Query, reduce_batch
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array

MOST_FOR_EXACT = 10  # items: 1,024 sets
MOST_ORDERS = 200
FEWEST_ORDERS = 8
SEED = 20
TRIED = 8  # sets that are planned to foresee what the others cost
OVERHEAD = 5e5  # operations that planning a set anew is worth
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
        absent, present = answer(network, numbers, query, cost_limit=float("inf")).log_joint.tolist()
        return float(present - absent)


@lru_cache(maxsize=32)
def weigh(solved: SolvedNetwork, setting: str, evidence: Evidence, cost_limit: float) -> Weighing:
    """Answer for the sets of items that weights of evidence are made of.

    Args:
        cost_limit: Number of state operations that it may take, roughly; the exact figure is stated by the plans.

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
    hidden = table.in_one_plan(design.sets, min(CHEAP, cost_limit))
    if hidden is None:
        design = _affordable(design, table.price_of_one(n), cost_limit)
        hidden = table.set_by_set(design.sets)
    return Weighing(solved, setting, items, design, hidden, encoded)


def _affordable(design: Design, price: float, cost_limit: float) -> Design:
    """A design whose sets cost no more than the limit, at a price for each: all that is wished for, or some orders."""
    n_items = design.sets.shape[1]
    if price * len(design.sets) <= cost_limit:
        return design
    n_orders = 2 * int(cost_limit / (2 * price * max(n_items - 1, 1)))
    if n_orders < FEWEST_ORDERS:
        raise QueryTooCostlyError(price * n_items * FEWEST_ORDERS, cost_limit)
    return some_orders(n_items, min(MOST_ORDERS, n_orders), SEED)


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

    def in_one_plan(self, sets: Rows, cost_limit: float) -> Array | None:
        """The posteriors from one plan for all sets; None if that is dearer than the limit."""
        try:
            return self._answers(without_some(self.solved.network, self.evidence, sets), cost_limit).hidden
        except QueryTooCostlyError:
            return None

    def set_by_set(self, sets: Rows) -> Array:
        """The posteriors, sets that differ in absent findings only together."""
        n_risks = len(sets[0]) - len(self.evidence.findings)
        shared = np.array([True] * n_risks + [on > 0.0 for _, _, on in self.evidence.findings])
        _, group = np.unique(sets & shared, axis=0, return_inverse=True)
        hidden = np.empty((len(sets), self.solved.network.n_hidden))
        for number in range(int(group.max()) + 1):
            members = np.flatnonzero(group.ravel() == number)
            ever = np.asarray(sets[members].any(axis=0))
            part = _part(self.evidence, ever)
            query = without_some(self.solved.network, part, sets[members][:, ever])
            hidden[members] = self._answers(query, float("inf")).hidden
        return hidden

    def price_of_one(self, n_items: int) -> float:
        """Roughly what a set costs, in operations: the mean of a few drawn by lot, of every size."""
        generator = np.random.default_rng([SEED, n_items, 1])
        network = self.solved.network
        numbers = network.numbers(self.solved.bases[self.setting].logits)
        prices = []
        for share in np.linspace(0.0, 1.0, TRIED):
            kept = generator.permutation(n_items) < round(share * n_items)
            problem = reduce_batch(network, numbers, Query.of(_part(self.evidence, kept)))
            prices.append(make_plan(problem).operations)
        return OVERHEAD + float(np.mean(prices))

    def _answers(self, query: Query, cost_limit: float) -> Answers:
        network = self.solved.network
        return answer(network, network.numbers(self.solved.bases[self.setting].logits), query, cost_limit=cost_limit)


def _part(evidence: Encoded, kept: Rows) -> Encoded:
    """Some of the items, the others as if never asked."""
    states = list(evidence.risk_states)
    known = [k for k, state in enumerate(states) if state >= 0]
    for risk, keeps in zip(known, kept.tolist(), strict=False):
        if not keeps:
            states[risk] = -1
    findings = zip(evidence.findings, kept[len(known) :].tolist(), strict=True)
    return Encoded(tuple(states), tuple(finding for finding, keeps in findings if keeps))
