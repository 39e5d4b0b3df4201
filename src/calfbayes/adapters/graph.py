"""The network as a networkx graph."""

import networkx as nx

from calfbayes.knowledge.terms import Cause, Complication, Finding, Mechanism, RiskFactor
from calfbayes.network import Network

ROLES = {RiskFactor: "risk_factor", Cause: "cause", Complication: "complication", Mechanism: "mechanism", Finding: "finding"}


def to_networkx(network: Network) -> "nx.DiGraph[str]":
    """Build a directed graph.

    Returns:
        Nodes with `role` (risk_factor, cause, complication, mechanism, finding) and `label`. Arcs from a risk factor to a
        node have `odds_ratios` (state -> odds ratio; 1 in the states that are not listed), arcs between nodes have `link`
        (the link probability, background excluded), arcs between risk factors neither. The complaint is linked to every
        cause. The graph is the caller's own: changing it changes nothing else.
    """
    graph: nx.DiGraph[str] = nx.DiGraph(name=network.name)
    for name, record in network.records.items():
        graph.add_node(name, role=ROLES[type(record)], label=record.label)
    for risk in network.risks:
        graph.add_edges_from((network.risks[parent].id, risk.id) for parent in risk.parents)
    for node in network.nodes:
        record = network.records[node.id]
        if not isinstance(record, RiskFactor):
            for odds in record.odds:
                ratios = graph.get_edge_data(odds.factor, node.id, {"odds_ratios": {}})["odds_ratios"]
                graph.add_edge(odds.factor, node.id, odds_ratios={**ratios, odds.state: odds.number.value})
        for child, w in node.children:
            graph.add_edge(node.id, network.nodes[child].id, link=w)
    return graph
