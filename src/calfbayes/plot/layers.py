"""Where the nodes of a layered network stand: one column a role, rows ordered so that few arcs cross.

References:
    Sugiyama, Tagawa, Toda (1981), Methods for visual understanding of hierarchical system structures: the barycentres.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

COLUMN = {"risk_factor": 0, "cause": 1, "mechanism": 2, "complication": 2, "finding": 3}
SWEEPS = 12


def rows(graph: "nx.DiGraph[str]") -> dict[str, float]:
    """The height of each node, from 0 (top) to 1, by sweeps that put every node at the mean height of its neighbours.

    Args:
        graph: Nodes with the attribute `role`; the order of the nodes is the order to begin with.
    """
    columns: dict[int, list[str]] = {}
    for name, role in graph.nodes(data="role"):
        columns.setdefault(COLUMN[role], []).append(name)
    height = {name: h for names in columns.values() for name, h in _spread(names).items()}
    for _ in range(SWEEPS):
        for column in sorted(columns):
            means = {name: _mean(graph, name, height) for name in columns[column]}
            columns[column].sort(key=means.__getitem__)
            height |= _spread(columns[column])
    return height


def _spread(names: list[str]) -> dict[str, float]:
    return {name: (row + 0.5) / len(names) for row, name in enumerate(names)}


def _mean(graph: "nx.DiGraph[str]", name: str, height: Mapping[str, float]) -> float:
    neighbours = [*graph.predecessors(name), *graph.successors(name)]
    return sum(height[other] for other in neighbours) / len(neighbours) if neighbours else height[name]
