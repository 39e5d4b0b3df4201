"""Edited networks and model contents: what a law compares with the original."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.model import Model
from calfbayes.network import Network, NoisyOr, RiskOdds, compile_network

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


def less_sure(model: Model, rng: Random) -> Model:
    """The same numbers, about half of them less sure: smaller samples and wider ranges."""
    content = copy.deepcopy(model._content)
    for number in _elicited(content):
        if rng.random() < 0.5:
            if number.get("n") is not None:
                number["n"] /= rng.choice([1.5, 4, 20])
            else:
                low, high = number["range"]
                share = rng.choice([0.2, 0.6])
                number["range"] = [low * (1 - share), min(high * (1 + share), 1.0) if high <= 1 else high * (1 + share)]
    network = compile_network(knowledge_from_content(content, name=model.name))
    return Model(SolvedNetwork(network, model._solved.bases, model._solved.baseline), content)  # bases rest on values only


def _elicited(table: Any) -> Iterator[dict[str, Any]]:
    """The tables that hold a number with its doubt."""
    if isinstance(table, dict) and "kind" in table and (table.get("n") is not None or table.get("range") is not None):
        yield table
    else:
        for part in table.values() if isinstance(table, dict) else table if isinstance(table, list) else ():
            yield from _elicited(part)


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

    def asking(table: Mapping[str, Any]) -> dict[str, Any]:
        net, interview = table["safety_net"], table["interview"]
        history = [names[name] for name in net.get("history", ())]
        first = [names[name] for name in interview.get("first", ())]
        tests = {name: guard(test) for name, test in shuffled(table.get("tests", {})).items()}
        return {
            **table,
            "safety_net": {**net, "history": history},
            "interview": {**interview, "first": first},
            "tests": tests,
        }

    def guard(test: Mapping[str, Any]) -> dict[str, Any]:
        new = dict(test)
        for key in {"not_if", "absent_says_nothing_if"} & new.keys():
            new[key] = new[key] and condition(new[key])
        if "only_below" in new:
            new["only_below"] = shuffled(new["only_below"])
        if new.get("repeat_if_absent"):
            new["repeat_if_absent"] = {**new["repeat_if_absent"], "cause": names[new["repeat_if_absent"]["cause"]]}
        return new

    def rule_of(rule: Mapping[str, Any]) -> dict[str, Any]:
        suspects = [names[name] for name in rule.get("suspects", ())]
        return {**rule, "when": condition(rule["when"]), "suspects": suspects}

    def kind(table: Mapping[str, Any]) -> dict[str, Any]:
        return {**table, "harms_if": condition(table["harms_if"])} if table.get("harms_if") else dict(table)

    result = dict(content)
    if "advice" in content:
        kinds = {name: kind(table) for name, table in content["advice"]["kinds"].items()}
        result["advice"] = {**content["advice"], "kinds": kinds}
    if "asking" in content:
        result["asking"] = asking(content["asking"])
    for section in ("causes", "complications", "mechanisms", "findings", "risk_factors"):
        result[section] = {name: record(table) for name, table in shuffled(content[section]).items()}
    model = content["model"]
    result["model"] = {**model, "complaint": names[model["complaint"]], "scope": shuffled(model.get("scope", {}))}
    rules = [rule_of(rule) for rule in content["urgency"].get("rules", ())]
    rng.shuffle(rules)
    result["urgency"] = {**content["urgency"], "rules": rules}
    return result


def with_number(content: Content, file: str, place: str, change: Callable[[float], float]) -> Content:
    """The same content with one elicited number changed; a risk factor's prior is moved as a whole.

    Args:
        file: As errors name it.
        place: As errors name it.
    """
    result = copy.deepcopy(content)
    section, _, rest = file.removesuffix(".toml").partition("/")
    keys = [section, *([rest] if rest else []), *place.split(".")]
    if section == "risk_factors":
        _, name, row = keys
        record = result["risk_factors"][name]
        probabilities = record["prior"][int(row.removeprefix("prior[").removesuffix("]"))]["probabilities"]
        others = [state for state in record.get("states", ("present",)) if state != record.get("reference", "absent")]
        before = sum(probabilities.get(state, 0.0) for state in others)
        after = change(before)
        parts = {state: probabilities.get(state, 0.0) / before if before else 1.0 / len(others) for state in others}
        probabilities.clear()
        probabilities.update({state: part * after for state, part in parts.items()})
        return result
    table = result
    for key in keys:
        table = table[key]
    ((key, value),) = ((key, table[key]) for key in ("value", "link", "probability") if key in table)
    table[key] = change(value)
    return result
