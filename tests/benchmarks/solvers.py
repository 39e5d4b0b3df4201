"""The engine and its peers behind one face: a network once, then query after query.

Best form means what an expert would do for the peer: wide noisy-ORs split into chains of small tables, everything barren
pruned, absent findings turned into one number for each parent, so that they tie nothing together. Plain form means the
network as the library's documentation would have one write it, with hard evidence.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from calfbayes.adapters.to_pgmpy import _chain_order, _noisy_or, _prior, _relevant, infer_with_pgmpy, to_pgmpy
from calfbayes.inference.exact import answer, infer
from calfbayes.inference.hypothetical import given_each_answer
from calfbayes.inference.reduction import Encoded, Query
from calfbayes.inference.tables import Array
from calfbayes.network import Network
from support.decimals import Factor, differentiate, signed_factors

if TYPE_CHECKING:
    from pgmpy.factors.discrete import TabularCPD

STATES = ["absent", "present"]
N_LABELS = 5
Marginals = Mapping[int, float]


class Solver(Protocol):
    """Answers queries about one network."""

    def __init__(self, network: Network, logits: Array) -> None: ...

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        """What has to be run to get P(present | evidence) of the causes and complications; only running it is timed."""


class Ours:
    """The engine of this library."""

    def __init__(self, network: Network, logits: Array) -> None:
        self.network, self.logits = network, logits

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        return lambda: infer(self.network, self.logits, evidence).hidden


class OursWithLabels(Ours):
    """Also the distribution of the highest label, as the urgency needs it; five labels."""

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        labels = [node % N_LABELS for node in (*self.network.causes, *self.network.complications)]
        return lambda: infer(self.network, self.logits, evidence, labels=labels).hidden


class OursWithQuestions(Ours):
    """Also what either answer to every open finding would change."""

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        network, numbers = self.network, self.network.numbers(self.logits)
        asked = {node for node, _, _ in evidence.findings} | {network.complaint}
        findings = [node for node in network.findings if node not in asked]

        def run() -> Marginals:
            outcomes = given_each_answer(network, numbers, evidence, findings)
            return dict(enumerate(outcomes.now.hidden.tolist()))

        return run


class OursWithSlopes(Ours):
    """Also the derivative of log P(evidence, this node present) in every number, for each cause and complication."""

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        network, numbers = self.network, self.network.numbers(self.logits)
        nodes = (*network.causes, *network.complications)
        held = np.eye(1 + len(nodes))[:, 1:]
        weights = {node: (1.0 - held[:, k], np.ones(len(held))) for k, node in enumerate(nodes)}
        query = replace(Query.of(evidence), weights=weights)

        def run() -> Marginals:
            answers = answer(network, numbers, query, slopes=True, cost_limit=float("inf"))
            return {node: float(answers.hidden[0, node]) for node in answers.kept}

        return run


class SignedQuickscore:
    """Quickscore's signed sum over the positive findings, in doubles, ordered by variable elimination."""

    def __init__(self, network: Network, logits: Array) -> None:
        self.network, self.logits = network, logits.tolist()

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        factors, queries = (
            [Factor(factor.names, factor.values.astype(float)) for factor in group]
            for group in signed_factors(self.network, self.logits, evidence)
        )

        def run() -> Marginals:
            _, derivatives = differentiate(factors, queries)
            return {node: float(by[1] / (by[0] + by[1])) for node, by in enumerate(derivatives)}

        return run


class PgmpyBest:
    """`infer_with_pgmpy`: chains of small tables, pruned, absent findings without ties; variable elimination."""

    def __init__(self, network: Network, logits: Array) -> None:
        import_module("pgmpy.inference")  # takes seconds, which are no part of the first query
        self.network, self.logits = network, logits

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        return lambda: infer_with_pgmpy(self.network, self.logits, evidence, cost_limit=float("inf")).hidden


class PgmpyPlain:
    """The exported network (pgmpy cannot hold a table of 65 parents), hard evidence, one query for each cause."""

    def __init__(self, network: Network, logits: Array) -> None:
        from pgmpy.inference import VariableElimination

        self.network = network
        self.engine = VariableElimination(to_pgmpy(network, logits))

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        network, known = self.network, _by_name(self.network, evidence)
        asked = {node: network.nodes[node].id for node in (*network.causes, *network.complications)}

        def run() -> Marginals:
            return {
                node: float(self.engine.query([name], evidence=known, show_progress=False).get_value(**{name: "present"}))
                for node, name in asked.items()
            }

        return run


class PyAgrumBest:
    """Chains of small tables, pruned, absent findings as soft evidence on their parents; lazy propagation."""

    def __init__(self, network: Network, logits: Array) -> None:
        self.network, self.logits = network, logits

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        import pyagrum

        network, states = self.network, evidence.risk_states
        reports = {node: (off, on) for node, off, on in evidence.findings} | {network.complaint: (0.0, 1.0)}
        nodes, risks = _relevant(network, evidence, reports)
        absent = {node for node, (_, on) in reports.items() if on == 0}
        order = _chain_order(
            network,
            [risk for risk in risks if states[risk] < 0],
            [node for node in nodes if node not in absent and node != network.complaint],
        )
        known: dict[str, Any] = {network.risks[k].id: state for k, state in enumerate(states) if state >= 0 and k in risks}
        known |= {network.nodes[node].id: 1 for node in reports if node not in absent}
        tables = [_prior(network, risk) for risk in risks]
        inhibition: dict[str, float] = {}
        for node in nodes:
            chain = _noisy_or(network, self.logits, node, order)
            if node not in absent:
                tables += chain
                continue
            if network.nodes[node].odds or not network.nodes[node].parents:
                tables.append(chain[0])
                known[chain[0].variable] = 0
            for parent, w in network.nodes[node].parents:
                name = network.nodes[parent].id
                inhibition[name] = inhibition.get(name, 1.0) * (1.0 - w)
        bn = _in_pyagrum(tables)
        engine = pyagrum.LazyPropagation(bn)
        engine.setEvidence({**known, **{name: [1.0, factor] for name, factor in inhibition.items()}})
        return lambda: _posteriors(engine, network)


class PyAgrumPlain:
    """Noisy-ORs by `addNoisyORNet`, hard evidence, lazy propagation."""

    def __init__(self, network: Network, logits: Array) -> None:
        import pyagrum

        self.network = network
        order = list(range(len(network.nodes)))
        leaves = [_prior(network, risk) for risk in range(len(network.risks))]
        arcs: list[tuple[str, str, float]] = []
        gates: list[tuple[str, float]] = []
        for position, node in enumerate(network.nodes):
            if node.parents:
                base = 1.0 / (1.0 + np.exp(-(logits[position] if position < network.n_causes else node.base_logit)))
                gates.append((node.id, 0.0 if node.odds else float(base)))
                arcs += [(network.nodes[parent].id, node.id, w) for parent, w in node.parents]
            if node.odds or not node.parents:
                leaves.append(_noisy_or(network, logits, position, order)[0])
                if node.parents:
                    arcs.append((f"{node.id}.leak", node.id, 1.0))
        self.bn = _in_pyagrum(leaves)
        for name, leak in gates:
            self.bn.addNoisyORNet(pyagrum.LabelizedVariable(name, "", STATES), leak)
        for parent_name, child, w in arcs:
            self.bn.addWeightedArc(parent_name, child, w)

    def prepare(self, evidence: Encoded) -> Callable[[], Marginals]:
        import pyagrum

        engine = pyagrum.LazyPropagation(self.bn)
        engine.setEvidence(_by_name(self.network, evidence))
        return lambda: _posteriors(engine, self.network)


def _by_name(network: Network, evidence: Encoded) -> dict[str, str]:
    """Hard evidence."""
    known = {risk.id: risk.states[s] for risk, s in zip(network.risks, evidence.risk_states, strict=True) if s >= 0}
    known |= {network.nodes[node].id: STATES[int(on == 1.0)] for node, _, on in evidence.findings}
    return {**known, network.nodes[network.complaint].id: "present"}


def _in_pyagrum(tables: "list[TabularCPD]") -> Any:
    import pyagrum

    bn = pyagrum.BayesNet()
    for table in tables:
        bn.add(pyagrum.LabelizedVariable(table.variable, "", list(table.state_names[table.variable])))
    for table in tables:
        for parent in table.variables[1:]:
            bn.addArc(parent, table.variable)
        bn.cpt(table.variable).fillWith(np.ravel(table.values, order="F").tolist())  # the first variable changes fastest
    return bn


def _posteriors(engine: Any, network: Network) -> Marginals:
    asked = {node: network.nodes[node].id for node in (*network.causes, *network.complications)}
    engine.setTargets(set(asked.values()))
    engine.makeInference()
    return {node: float(engine.posterior(name)[1]) for node, name in asked.items()}


SOLVERS: Mapping[str, type[Solver]] = {
    "calfbayes": Ours,
    "pyAgrum, best form": PyAgrumBest,
    "pyAgrum, plain": PyAgrumPlain,
    "pgmpy, best form": PgmpyBest,
    "pgmpy, plain": PgmpyPlain,
    "signed Quickscore": SignedQuickscore,
}
DERIVED: Mapping[str, type[Solver]] = {
    "the posterior alone": Ours,
    "and the urgency": OursWithLabels,
    "and every answer to every open finding": OursWithQuestions,
    "and all sensitivities of all causes": OursWithSlopes,
}
