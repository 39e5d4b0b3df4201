"""The network as a networkx graph."""

from collections import Counter
from typing import Any

import networkx as nx
import pytest

from calfbayes import Model
from calfbayes.adapters.graph import to_networkx
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.knowledge.terms import Cause, Complication, Finding, Mechanism
from calfbayes.network import compile_network
from support.models import SHIPPED, shipped
from support.random_models import number
from support.small_models import small_content

ALLOWED = {
    "risk_factor": {"risk_factor", "cause", "complication", "mechanism", "finding"},
    "cause": {"cause", "complication", "mechanism", "finding"},
    "complication": {"finding"},
    "mechanism": {"finding"},
}


def prior(when: dict[str, list[str]], p: float) -> dict[str, Any]:
    row = number(0.0)
    del row["value"]
    return {**row, "when": when, "probabilities": {"present": p}}


def yes_no(label: str, *rows: dict[str, Any]) -> dict[str, Any]:
    states = {"states": ["absent", "present"], "reference": "absent"}
    return {"label": label, "question": "so?", "group": "some", "burden": 1, **states, "prior": list(rows)}


@pytest.fixture
def graph() -> "nx.DiGraph[str]":
    """Habit -> illness -> clot -> (swelling -> thick leg), and a direct sign in the other convention."""
    content = small_content(
        {"clot": (0.5, {"swelling": 0.75}), "strain": (0.5, {"clot": 0.25})},
        {"thick_leg": 0.125, "red_skin": 0.2},
        mechanisms={"swelling": {"thick_leg": 0.5}},
    )
    probability = number(0.0)
    del probability["value"]
    content["causes"]["clot"]["links"]["red_skin"] = {**probability, "probability": 0.6}
    content["risk_factors"] = {
        "habit": yes_no("Habit", prior({}, 0.25)),
        "illness": yes_no("Illness", prior({"habit": ["absent"]}, 0.125), prior({"habit": ["present"]}, 0.5)),
    }
    content["causes"]["clot"]["odds"] = {"illness": {"absent": number(0.5), "present": number(3.0)}}
    content["findings"]["thick_leg"]["odds"] = {"habit": {"present": number(2.0)}}
    return to_networkx(compile_network(knowledge_from_content(content, name="hand")))


def test_nodes_have_role_and_label(graph: "nx.DiGraph[str]") -> None:
    assert dict(graph.nodes(data="role")) == {
        "habit": "risk_factor",
        "illness": "risk_factor",
        "clot": "cause",
        "strain": "cause",
        "swelling": "mechanism",
        "complaint": "finding",
        "thick_leg": "finding",
        "red_skin": "finding",
    }
    assert graph.nodes["illness"]["label"] == "Illness"
    assert graph.nodes["clot"]["label"] == "clot"


def test_arcs_have_their_numbers(graph: "nx.DiGraph[str]") -> None:
    arcs = {(parent, child): data for parent, child, data in graph.edges(data=True)}
    assert arcs.pop(("clot", "red_skin")) == {"link": pytest.approx(0.5)}  # 1 - (1 - 0.6) / (1 - 0.2)
    assert arcs == {
        ("habit", "illness"): {},
        ("illness", "clot"): {"odds_ratios": {"absent": 0.5, "present": 3.0}},
        ("habit", "thick_leg"): {"odds_ratios": {"present": 2.0}},
        ("strain", "clot"): {"link": 0.25},
        ("clot", "swelling"): {"link": 0.75},
        ("swelling", "thick_leg"): {"link": 0.5},
        ("clot", "complaint"): {"link": 1.0},
        ("strain", "complaint"): {"link": 1.0},
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_graph_of_a_shipped_model_is_whole_and_acyclic(name: str) -> None:
    model = shipped(name)
    graph = model.graph
    assert Counter(role for _, role in graph.nodes(data="role")) == sizes(model)
    assert nx.is_directed_acyclic_graph(graph)
    hidden: list[Cause | Complication | Mechanism] = [*model.causes, *model.complications, *model.mechanisms]
    nodes: list[Cause | Complication | Mechanism | Finding] = [*hidden, *model.findings]
    links = {(record.id, link.child) for record in hidden for link in record.links}
    complaints = {(cause.id, model.knowledge.complaint) for cause in model.causes}
    odds = {(ratio.factor, record.id) for record in nodes for ratio in record.odds}
    priors = {(parent, factor.id) for factor in model.risk_factors for parent in factor.parents}
    assert set(graph.edges) == links | complaints | odds | priors


@pytest.mark.parametrize("name", SHIPPED)
def test_only_allowed_arcs(name: str) -> None:
    graph = shipped(name).graph
    role = graph.nodes(data="role")
    for parent, child, data in graph.edges(data=True):
        assert role[child] in ALLOWED[role[parent]]
        assert list(data) == (
            [] if role[child] == "risk_factor" else ["odds_ratios" if role[parent] == "risk_factor" else "link"]
        )


def test_graph_is_the_callers_own() -> None:
    model = shipped("tutorial")
    first = model.graph
    first.clear()
    assert model.graph.number_of_nodes() > 0


def sizes(model: Model) -> Counter[str]:
    return Counter(
        risk_factor=len(model.risk_factors),
        cause=len(model.causes),
        complication=len(model.complications),
        mechanism=len(model.mechanisms),
        finding=len(model.findings),
    )
