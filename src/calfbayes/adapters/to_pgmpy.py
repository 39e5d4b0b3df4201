"""The second opinion: a model as a pgmpy network, and answers by pgmpy's variable elimination.

A noisy-OR with n parents would be a table of 2^n columns. Here it is a chain of small tables, since the OR of many is the
OR of the first few with the next. The auxiliary nodes of node X are

    X.leak     is X present by itself, given its risk factors? Only if X has both odds ratios and parents
    X.or.P     is X present as far as its leak and its parents up to P go? One for each parent but the last

and X itself joins the last parent in. A link probability w stands in the step that takes its parent in; a leak without
odds ratios is part of the first step:

    P(step absent | before absent, parent absent) = 1       P(step absent | before absent, parent present) = 1 - w

So a step has at most two parents. Wider are only the tables over risk factors: their priors, whose parents are few, and the
leaks. A leak cannot be split in this way: odds ratios multiply odds and switch nothing on, so the log odds are a sum over
all risk factors, and a node that carried the sum along a chain would need about as many states as the table has columns.

In which order a chain takes the parents in changes nothing but the cost: what is shared by neighbours in the chain of the
complaint, which holds all causes, can be summed out early. `_chain_order` sees to that.

References:
    Heckerman, Breese (1996), Causal independence for probability assessment and inference: the temporal transformation.
    Zhang, Poole (1994), A simple approach to Bayesian network computations: variable elimination.
    Ankan, Textor (2024), pgmpy: a Python toolkit for Bayesian networks.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from math import inf, log
from typing import TYPE_CHECKING, Any

import numpy as np

from calfbayes.errors import MissingExtraError, QueryTooCostlyError
from calfbayes.inference.exact import COST_LIMIT, Posterior
from calfbayes.inference.reduction import Encoded
from calfbayes.network import Array, Network

if TYPE_CHECKING:
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork, DiscreteMarkovNetwork

STATES = ["absent", "present"]
CERTAIN = np.eye(2)  # P(absent) and P(present) of a step, over the states of the step before, if the next parent is absent
SMALL = 8  # so many nodes are asked for in one joint table
JOINT = 4  # and so many at a time if there are more: few enough to keep the joint narrow, enough to save walks


def to_pgmpy(network: Network, cause_logits: Array) -> "DiscreteBayesianNetwork":
    """Build an equivalent pgmpy network.

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,): this is where the care setting enters.

    Returns:
        A `pgmpy.models.DiscreteBayesianNetwork`. Causes, complications, mechanisms and findings keep their ids and have
        the states "absent" and "present", risk factors keep ids and states; the auxiliary nodes are described in the
        module. The complaint is a node like the others: condition on it.

    Raises:
        MissingExtraError: If pgmpy is not installed.
    """
    with _quiet_pgmpy():
        order = _chain_order(network, range(len(network.risks)), range(network.n_hidden))  # most findings are never asked
        steps = [_noisy_or(network, cause_logits, node, order) for node in range(len(network.nodes))]
        return _assembled([_prior(network, risk) for risk in range(len(network.risks))], steps)


def infer_with_pgmpy(network: Network, cause_logits: Array, evidence: Encoded, *, cost_limit: float = COST_LIMIT) -> Posterior:
    """Compute what `calfbayes.inference.exact.infer` computes, by pgmpy.

    Exported are the ancestors only of what is known or asked; the rest is barren. An absent node has all its auxiliary nodes
    absent, and is given to pgmpy so: the chain falls apart into one number a parent. The network is handed over in its
    undirected form, whose joint is not normalised: the total is P(evidence, complaint).

    Args:
        cause_logits: Logit of the base of each cause, shape (n_causes,).
        cost_limit: Largest predicted number of operations; a multiplication and the addition that follows count as one.

    Returns:
        The posterior of every cause and complication by position, and log P(evidence, complaint). Impossible evidence has
        -inf and no posterior; nothing is scaled, so what is less probable than the smallest float counts as impossible.

    Raises:
        MissingExtraError: If pgmpy is not installed.
        QueryTooCostlyError: If pgmpy would need more than `cost_limit`; nothing was allocated then.

    References:
        Pearl (1988), Probabilistic reasoning in intelligent systems, 2.3.3: virtual evidence as a factor.
    """
    with _quiet_pgmpy():
        from pgmpy.factors.discrete import DiscreteFactor
        from pgmpy.inference import VariableElimination

        reports = {node: (off, on) for node, off, on in evidence.findings} | {network.complaint: (0.0, 1.0)}
        nodes, risks = _relevant(network, evidence, reports)
        absent = {node for node, (_, on) in reports.items() if on == 0}
        order = _chain_order(
            network,
            [risk for risk in risks if evidence.risk_states[risk] < 0],
            [node for node in nodes if node not in absent and node != network.complaint],
        )
        steps = {node: _noisy_or(network, cause_logits, node, order) for node in nodes}
        model = _assembled([_prior(network, risk) for risk in risks], list(steps.values())).to_markov_model()

        known = {network.risks[k].id: network.risks[k].states[s] for k, s in enumerate(evidence.risk_states) if s >= 0}
        for node, (off, on) in reports.items():
            name = network.nodes[node].id
            if on == 0:
                known |= {step.variable: "absent" for step in steps[node]}
            elif off == 0:
                known[name] = "present"
            if {off, on} != {0.0, 1.0}:
                model.add_factors(DiscreteFactor([name], [2], [off, on], state_names={name: STATES}))

        asked = [node for node in order if node < network.n_causes + network.n_complications]
        size = len(asked) if len(asked) <= SMALL else JOINT
        groups = [[network.nodes[node].id for node in asked[k : k + size]] for k in range(0, len(asked), size)]
        _refuse_if_costly(model, known, groups, cost_limit)

        engine = VariableElimination(model)
        log_joint = -inf
        hidden: dict[int, float] = {}
        for names in groups:
            joint = engine.query(names, evidence=known, elimination_order="greedy", show_progress=False).values
            total = float(joint.sum())
            if total == 0:
                return Posterior(-inf, {})
            log_joint = log(total)
            for axis, name in enumerate(names):
                hidden[network.node_index[name]] = float(np.take(joint, 1, axis).sum()) / total
        return Posterior(log_joint, hidden)


@contextmanager
def _quiet_pgmpy() -> Iterator[None]:
    """Turn a missing pgmpy into its own error, and keep pgmpy's warnings about itself from the caller."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pgmpy.inference
            import pgmpy.models  # noqa: F401
        except ImportError:
            raise MissingExtraError("pgmpy", "pgmpy") from None
        yield


def _relevant(network: Network, evidence: Encoded, reports: Mapping[int, object]) -> tuple[list[int], list[int]]:
    """Positions of the nodes and of the risk factors that bear on the causes and complications, parents first."""
    nodes = {*network.causes, *network.complications, *reports}
    for node in reversed(range(len(network.nodes))):  # children before parents
        if node in nodes:
            nodes.update(parent for parent, _ in network.nodes[node].parents)
    risks = {odds.risk for node in nodes for odds in network.nodes[node].odds}
    risks.update(risk for risk, state in enumerate(evidence.risk_states) if state >= 0)
    for risk in reversed(range(len(network.risks))):
        if risk in risks:
            risks.update(network.risks[risk].parents)
    return sorted(nodes), sorted(risks)


def _chain_order(network: Network, risks: Sequence[int], nodes: Sequence[int]) -> list[int]:
    """Order the causes, complications and mechanisms so that few ties are open at a time when one goes along.

    A tie is what couples them: a risk factor that moves several, or a node and its parents. It is open from the first of
    its members to the last. Greedy: next comes whatever opens the fewest ties net of those that it closes.

    Args:
        risks: The unobserved risk factors.
        nodes: The nodes that couple their parents; absent ones do not.

    References:
        Kinnersley (1992), The vertex separation number of a graph equals its path-width.
    """
    hidden = range(network.n_hidden)
    moved = [{node for node in hidden if any(odds.risk == risk for odds in network.nodes[node].odds)} for risk in risks]
    families = [{node, *(parent for parent, _ in network.nodes[node].parents)}.intersection(hidden) for node in nodes]
    ties = [tie for tie in (*moved, *families) if len(tie) > 1]
    ties_of = [[k for k, tie in enumerate(ties) if node in tie] for node in hidden]
    waiting = [set(tie) for tie in ties]

    def net_opened(node: int) -> tuple[int, int, int]:
        begun = [k for k in ties_of[node] if len(waiting[k]) < len(ties[k])]
        closing = sum(len(waiting[k]) == 1 for k in begun)
        return len(ties_of[node]) - len(begun) - closing, -len(begun), node

    left, order = set(hidden), []
    while left:
        node = min(left, key=net_opened)
        left.remove(node)
        order.append(node)
        for k in ties_of[node]:
            waiting[k].remove(node)
    return order


def _prior(network: Network, position: int) -> "TabularCPD":
    risk = network.risks[position]
    values = np.moveaxis(risk.prior, -1, 0).reshape(len(risk.states), -1)
    return _table(risk.id, risk.states, values, {network.risks[k].id: network.risks[k].states for k in risk.parents})


def _noisy_or(network: Network, cause_logits: Array, position: int, order: Sequence[int]) -> "list[TabularCPD]":
    """The tables of one node: leak, chain of steps, and last the node itself."""
    node = network.nodes[position]
    parents = sorted(node.parents, key=lambda parent: order.index(parent[0]))
    logit = np.array(cause_logits[position] if position < network.n_causes else node.base_logit)
    for odds in node.odds:
        logit = np.add.outer(logit, odds.log_odds)
    with np.errstate(over="ignore"):
        off, on = 1.0 / (1.0 + np.exp(logit)).ravel(), 1.0 / (1.0 + np.exp(-logit)).ravel()

    tables = []
    if node.odds or not parents:
        name = f"{node.id}.leak" if parents else node.id
        risks = {network.risks[odds.risk].id: network.risks[odds.risk].states for odds in node.odds}
        tables.append(_table(name, STATES, np.array([off, on]), risks))
        off, on = CERTAIN  # from here on given the leak
    for k, (parent, w) in enumerate(parents):
        name = f"{node.id}.or.{network.nodes[parent].id}" if k < len(parents) - 1 else node.id
        before = [tables[-1].variable] if tables else []
        columns = [np.stack([off, off * (1.0 - w)], -1).ravel(), np.stack([on, on + off * w], -1).ravel()]
        tables.append(_table(name, STATES, np.array(columns), dict.fromkeys([*before, network.nodes[parent].id], STATES)))
        off, on = CERTAIN
    return tables


def _table(name: str, states: Sequence[str], values: Array, parents: Mapping[str, Sequence[str]]) -> "TabularCPD":
    from pgmpy.factors.discrete import TabularCPD

    state_names = {variable: list(of) for variable, of in {name: states, **parents}.items()}
    return TabularCPD(name, len(states), values, list(parents), [len(of) for of in parents.values()], state_names=state_names)


def _assembled(priors: "list[TabularCPD]", steps: "Sequence[list[TabularCPD]]") -> "DiscreteBayesianNetwork":
    from pgmpy.models import DiscreteBayesianNetwork

    tables = [*priors, *chain.from_iterable(steps)]  # parents first: pgmpy's search for cycles is quick then
    model = DiscreteBayesianNetwork()
    model.add_nodes_from([table.variable for table in tables])
    for table in tables:
        model.add_edges_from([(parent, table.variable) for parent in table.variables[1:]])
    model.add_cpds(*tables)
    return model


def _refuse_if_costly(
    model: "DiscreteMarkovNetwork", known: Mapping[str, str], groups: Sequence[Sequence[str]], cost_limit: float
) -> None:
    """Price the contractions that pgmpy will do, by the planner that pgmpy uses; no table is multiplied.

    Raises:
        QueryTooCostlyError: If they are dearer than the limit; pricing stops there.
    """
    from opt_einsum import contract_path  # type: ignore[import-untyped]

    number = {name: k for k, name in enumerate(model.nodes())}
    operands: list[Any] = []
    for factor in model.factors:
        states = [factor.get_state_no(name, known[name]) if name in known else slice(None) for name in factor.variables]
        operands += [factor.values[tuple(states)], [number[name] for name in factor.variables if name not in known]]
    price = 0.0
    for names in groups:
        _, info = contract_path(*operands, [number[name] for name in names], optimize="greedy")
        price += float(info.opt_cost) / 2  # counted there: multiplications and additions
        if price > cost_limit:
            raise QueryTooCostlyError(price, cost_limit)
