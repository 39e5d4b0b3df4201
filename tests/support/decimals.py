"""The oracle for whole models: plain variable elimination in decimal arithmetic of many digits.

It reads the compiled network and shares nothing else with the engine. Even the noisy-OR is taken apart in another way, with
a minus sign, which many digits can afford:

    P(v = x | parents, risks) = sum over s in {0, 1} of g(x, s) * q(s, risks) * product over parents u of h(s, u)

    g(absent, s) = s;  g(present, s) = 1 if s = 0, else -1
    q(0) = h(0, u) = 1;  q(1, risks) = 1 - leak(risks);  h(1, absent) = 1;  h(1, present) = 1 - w_u

So all tables are over two variables, but for priors and leaks. Marginals are derivatives, by the transposed steps.

References:
    Diez, Galan (2003), Efficient computation for the noisy MAX: the factorisation with the auxiliary variable s.
    Darwiche (2003), A differential approach to inference in Bayesian networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calfbayes.inference.reduction import Encoded
from calfbayes.network import Network, NoisyOr

DIGITS = 80
ZERO, ONE = Decimal(0), Decimal(1)
Numbers = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Factor:
    """A table over named variables, one axis each."""

    names: tuple[str, ...]
    values: Numbers

    def facing(self, names: Sequence[str]) -> Numbers:
        """The values with axes in the order of `names`, and axes of length 1 for those that are lacking."""
        axes = sorted(range(len(self.names)), key=lambda axis: names.index(self.names[axis]))
        shape = [self.values.shape[self.names.index(name)] if name in self.names else 1 for name in names]
        return self.values.transpose(axes).reshape(shape)

    def times(self, other: "Factor") -> "Factor":
        names = (*self.names, *(name for name in other.names if name not in self.names))
        return Factor(names, np.asarray(self.facing(names) * other.facing(names)))

    def given(self, known: Mapping[str, int]) -> "Factor":
        """The part in which some variables have known states."""
        part = self.values[tuple(known.get(name, slice(None)) for name in self.names)]
        return Factor(tuple(name for name in self.names if name not in known), np.asarray(part))

    def summed_onto(self, names: Sequence[str]) -> "Factor":
        """The sum over all axes but those of `names`."""
        gone = tuple(axis for axis, name in enumerate(self.names) if name not in names)
        kept = tuple(name for name in self.names if name in names)
        return Factor(kept, np.asarray(self.values.sum(axis=gone))) if gone else self


@dataclass(frozen=True)
class Exact:
    """The answer: log P(evidence, complaint), and P(present | evidence, complaint) of each hidden node by position."""

    log_joint: Decimal
    hidden: Mapping[int, Decimal]


def infer_in_decimals(network: Network, cause_logits: Sequence[float], evidence: Encoded, *, digits: int = DIGITS) -> Exact:
    """Compute what `infer` computes, for every hidden node.

    Args:
        cause_logits: Logit of the base of each cause.
        digits: Significant decimal digits of every step.
    """
    with localcontext(Context(prec=digits, Emin=-(10**9), Emax=10**9)):
        joint, derivatives = differentiate(*signed_factors(network, cause_logits, evidence))
        hidden = {node: by[1] / (by[0] + by[1]) for node, by in enumerate(derivatives)}
        return Exact(joint.ln(), hidden)


def signed_factors(network: Network, cause_logits: Sequence[float], evidence: Encoded) -> tuple[list[Factor], list[Factor]]:
    """Factors whose product, summed over everything, is P(evidence, complaint), and one of ones for each hidden node."""
    reports = {node: (off, on) for node, off, on in evidence.findings} | {network.complaint: (0.0, 1.0)}
    factors = [_prior(network, position) for position in range(len(network.risks))]
    for position, node in enumerate(network.nodes):
        if position < network.n_hidden or position in reports:
            base = cause_logits[position] if position < network.n_causes else node.base_logit
            factors += _noisy_or(network, node, base)
    factors += [Factor((network.nodes[node].id,), _table(report)) for node, report in reports.items()]
    known = {network.risks[k].id: state for k, state in enumerate(evidence.risk_states) if state >= 0}
    for name in (network.nodes[finding].id for finding, (_, on) in reports.items() if on == 0):
        known |= {name: 0, f"{name}.s": 1}  # absent: s is 1, which leaves one number for each parent
    queries = [Factor((network.nodes[node].id,), _table([1, 1])) for node in range(network.n_hidden)]
    return [factor.given(known) for factor in factors], queries


def differentiate(factors: Sequence[Factor], queries: Sequence[Factor]) -> tuple[Any, list[Numbers]]:
    """The sum over everything of the product of all factors, and its derivative with respect to each query's factor."""
    tape = [*queries, *factors]
    left, used = list(range(len(tape))), []
    while any(tape[k].names for k in left):
        name = _cheapest([tape[k] for k in left])
        taken = [k for k in left if name in tape[k].names]
        whole = reduce(Factor.times, (tape[k] for k in taken))
        tape.append(whole.summed_onto([other for other in whole.names if other != name]))
        used.append((taken, len(tape) - 1))
        left = [k for k in left if k not in taken] + [len(tape) - 1]
    values = {k: tape[k].values.item() for k in left}
    derivatives = {k: Factor((), np.array(prod(values[other] for other in left if other != k))) for k in left}
    for taken, made in reversed(used):
        for k in taken:
            others = reduce(Factor.times, (tape[other] for other in taken if other != k), derivatives[made])
            derivatives[k] = others.summed_onto(tape[k].names)
    return prod(values.values()), [derivatives[k].values for k in range(len(queries))]


def _cheapest(factors: Sequence[Factor]) -> str:
    """The variable whose joint table is smallest."""
    sizes = {name: n for factor in factors for name, n in zip(factor.names, factor.values.shape, strict=True)}
    around: dict[str, set[str]] = {name: set() for name in sizes}
    for factor in factors:
        for name in factor.names:
            around[name].update(factor.names)
    return min(around, key=lambda name: prod(sizes[other] for other in around[name]))


def _noisy_or(network: Network, node: NoisyOr, base: float) -> list[Factor]:
    s = f"{node.id}.s"
    logit = _table(base)
    for odds in node.odds:
        logit = np.asarray(np.add.outer(logit, _table(odds.log_odds.tolist())), dtype=object)
    no_leak = np.vectorize(lambda x: ONE / (ONE + x.exp()) if x.is_finite() else (ZERO if x > 0 else ONE), otypes=[object])(
        logit
    )
    factors = [
        Factor((node.id, s), _table([[0, 1], [1, -1]])),
        Factor((s, *(network.risks[odds.risk].id for odds in node.odds)), np.stack([np.full_like(no_leak, ONE), no_leak])),
    ]
    for parent, w in node.parents:
        factors.append(Factor((s, network.nodes[parent].id), _table([[1, 1], [1, ONE - Decimal(w)]])))
    return factors


def _prior(network: Network, position: int) -> Factor:
    risk = network.risks[position]
    return Factor((*(network.risks[parent].id for parent in risk.parents), risk.id), _table(risk.prior.tolist()))


def _table(values: Any) -> Numbers:
    """Numbers of any kind as decimals, without rounding."""
    return np.asarray(np.vectorize(Decimal, otypes=[object])(np.asarray(values, dtype=object)), dtype=object)
