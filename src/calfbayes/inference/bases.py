"""Weights -> shares -> bases: with nothing known but the setting, the posterior of every cause is its share.

share_i = weight_i / sum of weights * (1 + coincidence). Let Z be P(complaint), the probability that some cause is
present. A cause implies the complaint, so P(i | complaint) = P(i) / Z, and the bases have to give

    P(i) = share_i Z   for every cause,   and   1 - P(no cause) = Z.

Given Z, the causes are solved one after the other, parents first: P(i) rises with its own base and depends on nothing
else but the risk factors and the bases of its parents, both known by then. So one root Z in (0, 1] remains. Without
risk factors and arcs it is the root of Z = 1 - product(1 - share_i Z), which exists exactly if the shares sum to more
than 1. With an arc u -> i the parent alone must not already give more than share_i, and the coincidence must leave room
for the pairs that the arcs make.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isclose

import numpy as np

from calfbayes.errors import Fault, ModelFileError
from calfbayes.inference.tables import Array, Axes, Table, elimination_order, expit_pair, sum_product, table_in_order, union
from calfbayes.knowledge.terms import Cause
from calfbayes.network import Network, logit

TOLERANCE = 1e-13
SMALL = 1e-6  # below every Z of interest
MAX_STEPS = 100
CERTAIN = 700.0  # a logit whose probability is 1 in floating point, though it is finite


@dataclass(frozen=True, slots=True)
class Bases:
    """The bases of one care setting.

    Attributes:
        logits: Logit of the base of each cause, shape (n_causes,); -inf for a weight of 0.
        shares: Posterior of each cause with nothing known but the setting, shape (n_causes,).
        complaint: Z, the probability of the complaint under the model.
    """

    logits: Array
    shares: Array
    complaint: float


def shares_of(network: Network, setting: str) -> Array:
    """The shares that the weights of a setting mean, shape (n_causes,); they sum to 1 + coincidence."""
    weights = weights_of(network, setting)
    coincidence = next(s.coincidence.value for s in network.knowledge.settings if s.id == setting)
    shares: Array = weights / weights.sum() * (1.0 + coincidence)
    return shares


def weights_of(network: Network, setting: str) -> Array:
    """The weights of a setting, shape (n_causes,)."""
    records = (network.records[network.nodes[cause].id] for cause in network.causes)
    weights = [w.number.value for r in records if isinstance(r, Cause) for w in r.weights if w.setting == setting]
    return np.array(weights)


def solve_bases(network: Network, setting: str) -> Bases:
    """Find the bases of one care setting.

    Raises:
        ModelFileError: If no bases give these shares; it names the cause, and the arc if one is to blame.
    """
    return _Solver(network, shares_of(network, setting), setting).solve()


class _Solver:
    def __init__(self, network: Network, shares: Array, setting: str) -> None:
        self.network = network
        self.shares = shares
        self.setting = setting
        self.priors = [table_in_order((*risk.parents, k), risk.prior) for k, risk in enumerate(network.risks)]
        self.log_odds = [self._log_odds(node) for node in network.causes]
        self.orders: dict[int, list[int]] = {}
        self.rows = [self._sum_product(self._priors_above(axes), axes) for axes, _ in self.log_odds]

    def solve(self) -> Bases:
        over = int(np.argmax(self.shares))
        if self.shares[over] > 1.0:
            raise self._fault(
                over,
                "weight",
                f"its share would be {self.shares[over]:.3g}, more than 1",
                "lower the weight or the coincidence",
            )
        z = _largest_root(self._excess, start=self._independent_root())
        logits = self._logits(max(z, SMALL), strict=True)
        if z <= SMALL:
            raise self._too_little_coincidence()
        return Bases(_read_only(logits), _read_only(self.shares), z)

    def _excess(self, z: float) -> float:
        """P(some cause) minus z, with the bases that belong to z."""
        return 1.0 - self._no_cause(self._logits(z)) - z

    def _independent_root(self) -> float:
        """Z without risk factors and arcs."""
        return _largest_root(lambda z: -float(np.expm1(np.log1p(-np.minimum(self.shares * z, 1 - 1e-16)).sum())) - z, start=1.0)

    def _log_odds(self, node: int) -> tuple[Axes, Array]:
        """The risk factors that move a cause's base, and by how much in each joint state."""
        total: Array = np.zeros(())
        axes: Axes = ()
        for odds in self.network.nodes[node].odds:
            total = total[..., None] + odds.log_odds
            axes = (*axes, odds.risk)
        return axes, total

    def _sum_product(self, tables: list[Table], keep: Axes, remember: int | None = None) -> Table:
        """Sum out all other axes; the order is remembered, since the same tables come again with other numbers."""
        order = self.orders.get(remember) if remember is not None else None
        if order is None:
            order = elimination_order(tables, keep)
            if remember is not None:
                self.orders[remember] = order
        return sum_product(tables, keep, order)

    def _priors_above(self, axes: Axes) -> list[Table]:
        wanted: set[int] = set()
        stack = list(axes)
        while stack:
            risk = stack.pop()
            wanted.add(risk)
            stack += self.network.risks[risk].parents
        return [self.priors[risk] for risk in sorted(wanted)]

    def _logits(self, z: float, *, strict: bool = False) -> Array:
        """The bases that give P(i) = share_i z, parents first."""
        logits = np.empty(self.network.n_causes)
        for node in self.network.causes:
            log_odds = self.log_odds[node][1]
            idle = self.rows[node] if not self.network.nodes[node].parents else self._not_activated(node, logits)
            wanted = self.shares[node] * z - (1.0 - idle.values.sum())
            logits[node] = self._base(node, idle.values[0], log_odds, wanted, strict=strict)
        return logits

    def _not_activated(self, node: int, logits: Array) -> Table:
        """P(risk states of the cause, no parent activates it)."""
        axes = self.log_odds[node][0]
        ancestors: list[int] = []
        stack = [parent for parent, _ in self.network.nodes[node].parents]
        while stack:
            parent = stack.pop()
            if parent not in ancestors:
                ancestors.append(parent)
                stack += [grandparent for grandparent, _ in self.network.nodes[parent].parents]
        tables = [self._given_parents(ancestor, logits) for ancestor in ancestors]
        for parent, w in self.network.nodes[node].parents:
            tables.append(Table((self._axis(parent),), np.array([[1.0, 1.0 - w]])))
        risks = union(axes, *(self.log_odds[ancestor][0] for ancestor in ancestors))
        return self._sum_product([*self._priors_above(risks), *tables], axes, node)

    def _given_parents(self, node: int, logits: Array) -> Table:
        """P(cause | risk states, parent causes), the cause itself among the axes."""
        axes, log_odds = self.log_odds[node]
        absent = Table(axes, expit_pair(logits[node] + log_odds)[1][None])
        for parent, w in self.network.nodes[node].parents:
            absent = absent.times(Table((self._axis(parent),), np.array([[1.0, 1.0 - w]])))
        both = np.stack([absent.values[0], 1.0 - absent.values[0]], axis=-1)
        return table_in_order((*absent.axes, self._axis(node)), both)

    def _axis(self, cause: int) -> int:
        """Causes as axes stand behind the risk factors."""
        return len(self.network.risks) + cause

    def _no_cause(self, logits: Array) -> float:
        """P(no cause is present)."""
        absent = [
            Table(axes, expit_pair(logits[node] + log_odds)[1][None]) for node, (axes, log_odds) in enumerate(self.log_odds)
        ]
        return float(self._sum_product([*self.priors, *absent], (), -1).values[0])

    def _base(self, node: int, rows: Array, log_odds: Array, wanted: float, *, strict: bool) -> float:
        """Solve sum over rows of P(row) expit(x + log odds) = wanted for x, by Newton on the logit scale.

        What cannot be reached at this z may be at the root: it comes as near as it can, unless `strict`.
        """
        reachable = float(rows[log_odds > -np.inf].sum())
        if self.shares[node] == 0.0 or isclose(wanted, 0.0, abs_tol=1e-16):
            return -np.inf
        if wanted < 0:
            if strict:
                raise self._parents_give_too_much(node)
            return -np.inf
        if wanted >= reachable * (1 - 1e-12):
            if not strict:
                return CERTAIN
            problem = f"its share {self.shares[node]:.3g} is more than the states that allow it can give"
            raise self._fault(node, "odds", problem, "lower its weight, or the number of states with odds ratio 0")
        target = logit(wanted / reachable)
        x = target - float(np.average(np.where(log_odds > -np.inf, log_odds, 0.0), weights=rows))
        for _ in range(MAX_STEPS):
            on, off = expit_pair(x + log_odds)
            given = float((rows * on).sum())
            slope = float((rows * on * off).sum()) * reachable / (given * (reachable - given))
            step = (logit(given / reachable) - target) / slope
            x -= float(np.clip(step, -8.0, 8.0))
            if abs(step) < TOLERANCE * max(1.0, abs(x)):
                break
        return x

    def _parents_give_too_much(self, node: int) -> ModelFileError:
        nodes = self.network.nodes
        child, share = nodes[node].id, self.shares[node]
        parent, w = max(nodes[node].parents, key=lambda arc: arc[1] * self.shares[arc[0]])
        given = sum(link * self.shares[other] for other, link in nodes[node].parents)
        largest = max(0.0, w - (given - share) / self.shares[parent])
        problem = (
            f"no base gives {child} its share {share:.3g} in {self.setting}: its parents alone give about {given:.3g}, "
            f"most of it by {nodes[parent].id} -> {child} ({w:.3g})"
        )
        remedy = f"lower that link to {largest:.3g} or less, or raise the weight of {child}"
        fault = Fault(f"causes/{nodes[parent].id}.toml", f"links.{child}", problem, remedy)
        return ModelFileError(self.network.knowledge.name, (fault,))

    def _too_little_coincidence(self) -> ModelFileError:
        missing = -self._excess(SMALL) / SMALL
        given = float(self.shares.sum()) - 1.0
        problem = (
            f"is {given:.3g}, but causes that bring each other (links between causes, shared risk factors) "
            f"need more than {given + missing:.3g}"
        )
        place = f"settings.{self.setting}.coincidence"
        fault = Fault("model.toml", place, problem, "raise it, or lower the links between causes")
        return ModelFileError(self.network.knowledge.name, (fault,))

    def _fault(self, node: int, place: str, problem: str, remedy: str) -> ModelFileError:
        cause = self.network.nodes[node].id
        fault = Fault(f"causes/{cause}.toml", place, f"in {self.setting}, {problem}", remedy)
        return ModelFileError(self.network.knowledge.name, (fault,))


def _largest_root(f: Callable[[float], float], *, start: float) -> float:
    """The root above 0 of a concave f with f(0) = 0 and f(1) <= 0: secant steps kept inside a bracket; 0 if there is none."""
    if f(SMALL) <= 0:
        return 0.0
    low, high = SMALL, 1.0
    a, fa = 1.0, f(1.0)
    b = min(start, 1.0)
    if fa == 0.0:
        return 1.0
    for _ in range(MAX_STEPS):
        fb = f(b)
        if fb > 0:
            low = max(low, b)
        else:
            high = min(high, b)
        if fb == 0.0 or high - low < TOLERANCE * high:
            return b
        step = b - fb * (b - a) / (fb - fa) if fb != fa else 0.0
        a, fa = b, fb
        b = step if low < step < high else (low + high) / 2
        if abs(b - a) < TOLERANCE * b:
            return b
    return b


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
