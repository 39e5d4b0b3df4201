"""The shares that given numbers mean, and how they move: the part of the network above the findings.

Findings, mechanisms and complications have no say in what holds with nothing known but the complaint. What is left is risk
factors and causes, so P(cause) and P(no cause) are sums over few tables, and share_i = P(i) / (1 - P(no cause)), since a
cause implies the complaint.

The bases are solved so that the shares are those that the weights mean. Hence, along with any other number, the bases move
so that the shares stay: with J the derivatives of the shares in the bases and K those in another number, the implicit
function theorem gives d bases = J^-1 (d shares - K d number). A derivative of anything in (bases, other numbers) becomes
one in (shares, other numbers) by one solve with the transpose of J.

References:
    Krantz, Parks (2013), The implicit function theorem.
    Griewank, Walther (2008), Evaluating derivatives, 15.1: adjoints of what is defined by equations.
"""

from dataclasses import dataclass

import numpy as np

from calfbayes.inference.base_equations import ancestors, risks_above
from calfbayes.inference.leaves import Activations, prior_table
from calfbayes.inference.tables import Array, Gradient, Table, sum_product, union
from calfbayes.network import Network, Numbers


@dataclass(frozen=True, eq=False)
class ShareSlopes:
    """How the shares move with the network's numbers, the bases of the causes among them, each by itself.

    Numbers stand as in `Numbers.in_a_row`, the bases of the causes first. As in `Answers.slopes`, derivatives are in the
    exponential where a logarithm is infinite.

    Attributes:
        shares: P(cause | complaint), shape (n_causes,).
        of_shares: Their derivatives, shape (n_causes, numbers).
        of_log_complaint: Derivatives of log P(complaint), shape (numbers,).
    """

    shares: Array
    of_shares: Array
    of_log_complaint: Array

    def held(self, slopes: Array) -> tuple[Array, Array]:
        """Let the bases follow the shares, instead of standing by themselves.

        Args:
            slopes: Derivatives of some quantities in the network's numbers, shape (quantities, numbers).

        Returns:
            The derivatives in the other numbers, the shares held (those in the bases are 0 then), shape (quantities,
            numbers); and those in the shares, shape (quantities, n_causes).
        """
        n = len(self.shares)
        in_shares = np.asarray(np.linalg.solve(self.of_shares[:, :n].T, slopes[:, :n].T).T, dtype=np.float64)
        in_others = slopes - in_shares @ self.of_shares
        in_others[:, :n] = 0.0
        return in_others, in_shares


def share_slopes(network: Network, numbers: Numbers) -> ShareSlopes:
    """Differentiate the shares; numbers of one lane."""
    layer = _CauseLayer(network, numbers)
    no_cause = layer.no_cause()
    some_cause = 1.0 - float(no_cause.values[0])
    of_log_complaint = -_derivatives(no_cause, numbers) / some_cause
    shares, of_shares = [], []
    for cause in network.causes:
        marginal = layer.marginal(cause)
        shares.append(float(marginal.values[0]) / some_cause)
        of_shares.append(_derivatives(marginal, numbers) / some_cause - shares[-1] * of_log_complaint)
    return ShareSlopes(np.array(shares), np.array(of_shares), of_log_complaint)


def _derivatives(table: Table, numbers: Numbers) -> Array:
    """Derivatives of a table of one number, in a row."""
    gradient = Gradient(numbers, 1)
    gradient.add(table, np.ones(1))
    return np.asarray(gradient.run().in_a_row[0])


class _CauseLayer:
    """Risk factors and causes as tables; a cause as an axis stands behind the risk factors."""

    def __init__(self, network: Network, numbers: Numbers) -> None:
        self.network = network
        self.numbers = numbers
        unknown = (-1,) * len(network.risks)
        self.priors = [prior_table(network, numbers, risk, unknown) for risk in range(len(network.risks))]
        self.own = [Activations(network, numbers, unknown, [cause]) for cause in network.causes]

    def marginal(self, cause: int) -> Table:
        """P(cause)."""
        above = ancestors(self.network, cause)
        tables = [*(self._given_parents(ancestor) for ancestor in above), self._given_parents(cause).at(self._axis(cause), 1)]
        risks = [axis for axis in union(*(table.axes for table in tables)) if axis < len(self.network.risks)]
        return sum_product([*(self.priors[risk] for risk in risks_above(self.network, tuple(risks))), *tables], ())

    def no_cause(self) -> Table:
        """P(no cause)."""
        return sum_product([*self.priors, *(self._unactivated(cause) for cause in self.network.causes)], ())

    def _unactivated(self, cause: int) -> Table:
        """P(cause absent | risk states, no parent cause present)."""
        return self.own[cause].leak(cause)[0]

    def _given_parents(self, cause: int) -> Table:
        """P(cause | risk states, parent causes), the cause itself as the last axis."""
        absent = self._unactivated(cause)
        for parent, arc in self.network.layout.parents[cause]:
            absent = absent.times(self._inhibitor(parent, arc))
        both = np.stack([absent.values, 1.0 - absent.values], axis=-1)
        return Table((*absent.axes, self._axis(cause)), both, lambda g, into: into.add(absent, g[..., 0] - g[..., 1]))

    def _inhibitor(self, parent: int, arc: int) -> Table:
        """1 or, if the parent is present, 1 - w."""

        def pull(g: Array, into: Gradient) -> None:
            into.numbers.links[:, arc] -= g[:, 1]

        w = self.numbers.links[:, arc]
        return Table((self._axis(parent),), np.stack([np.ones_like(w), 1.0 - w], axis=-1), pull)

    def _axis(self, cause: int) -> int:
        return len(self.network.risks) + cause
