"""Edited networks and model contents: what a law compares with the original."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from calfbayes.knowledge.reading import Content
from calfbayes.network import Network, NoisyOr, RiskOdds

Arcs = tuple[tuple[int, float], ...]


def with_link(network: Network, parent: int, child: int, w: float) -> Network:
    """The same network with another link probability on an arc that exists."""
    nodes = list(network.nodes)
    nodes[parent] = replace(nodes[parent], children=_changed(nodes[parent].children, child, w))
    nodes[child] = replace(nodes[child], parents=_changed(nodes[child].parents, parent, w))
    return replace(network, nodes=tuple(nodes))


def with_finding(
    network: Network, *, base_logit: float, odds: tuple[RiskOdds, ...] = (), parents: Arcs = ()
) -> tuple[Network, int]:
    """The same network with one more finding, and its position."""
    position = len(network.nodes)
    nodes = list(network.nodes)
    for parent, w in parents:
        nodes[parent] = replace(nodes[parent], children=(*nodes[parent].children, (position, w)))
    added = NoisyOr("added_finding", base_logit, odds, parents, ())
    return replace(network, nodes=(*nodes, added), node_index={**network.node_index, added.id: position}), position


def _changed(arcs: Arcs, end: int, w: float) -> Arcs:
    assert any(other == end for other, _ in arcs)
    return tuple((other, w if other == end else given) for other, given in arcs)


def rearranged(content: Content, names: Mapping[str, str], rng: Random) -> Content:
    """The same model with other ids and everything in another order.

    Args:
        names: New id of each cause, complication, mechanism, finding and risk factor.
    """

    def shuffled(table: Mapping[str, Any]) -> dict[str, Any]:
        keys = list(table)
        rng.shuffle(keys)
        return {names.get(key, key): table[key] for key in keys}

    def condition(table: Any) -> Any:
        if isinstance(table, str):
            name, equals, state = table.partition("=")
            return names[name] + equals + state
        ((key, parts),) = table.items()
        parts = [condition(part) for part in parts]
        rng.shuffle(parts)
        return {key: parts}

    def record(table: Mapping[str, Any]) -> dict[str, Any]:
        new = dict(table)
        for key in ("odds", "links", "weight"):
            if key in new:
                new[key] = shuffled(new[key])
        for key in ("implies", "excludes"):
            if key in new:
                new[key] = [names[other] for other in new[key]]
        if "prior" in new:
            new["prior"] = [{**row, "when": shuffled(row.get("when", {}))} for row in new["prior"]]
            rng.shuffle(new["prior"])
        return new

    result = dict(content)
    for section in ("causes", "complications", "mechanisms", "findings", "risk_factors"):
        result[section] = {name: record(table) for name, table in shuffled(content[section]).items()}
    model = content["model"]
    result["model"] = {**model, "complaint": names[model["complaint"]], "scope": shuffled(model.get("scope", {}))}
    rules = [{**rule, "when": condition(rule["when"])} for rule in content["urgency"].get("rules", ())]
    rng.shuffle(rules)
    result["urgency"] = {**content["urgency"], "rules": rules}
    return result
