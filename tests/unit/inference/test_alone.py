"""One cause alone, against numbers worked by hand and against the engine with all other causes ruled out."""

import numpy as np
import pytest

from calfbayes.inference.alone import findings_of_causes
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.network import Network, compile_network
from support.models import random_model
from support.small_models import small_content


def test_two_ways_to_a_finding_are_combined_as_noisy_or() -> None:
    content = small_content(
        {"clot": (0.5, {"swelling": 0.5, "red_skin": 0.25}), "strain": (0.5, {})},
        {"thick_leg": 0.125, "red_skin": 0.2},
        mechanisms={"swelling": {"thick_leg": 0.5, "red_skin": 0.5}},
    )
    network = compile_network(knowledge_from_content(content, name="hand"))
    shown = findings_of_causes(network)
    at = {name: position - network.n_hidden for name, position in network.node_index.items()}
    clot, strain = network.node_index["clot"], network.node_index["strain"]
    assert shown.shape == (2, 3)
    assert shown[clot, at["thick_leg"]] == pytest.approx(1 - 0.875 * (1 - 0.5 * 0.5))
    assert shown[clot, at["red_skin"]] == pytest.approx(1 - 0.8 * 0.75 * (1 - 0.5 * 0.5))
    assert shown[strain, at["thick_leg"]] == pytest.approx(0.125)
    assert shown[strain, at["complaint"]] == 1.0


@pytest.mark.parametrize("seed", range(6))
def test_as_enumerated_over_mechanisms_and_complications(seed: int) -> None:
    network = random_model(seed, n_complications=2, n_mechanisms=3)._solved.network
    shown = findings_of_causes(network)
    between = [*network.complications, *network.mechanisms]
    assert len(shown) == network.n_causes + 2
    for cause in (*network.causes, *network.complications):
        expected = np.zeros(len(network.findings))
        for code in range(2 ** len(between)):
            present = {node for k, node in enumerate(between) if code >> k & 1}
            if cause not in network.causes and cause not in present:
                continue  # what is looked at is there
            weight = np.prod([chance(network, node, {cause}, on=node in present) for node in between if node != cause])
            shown_so = [chance(network, finding, {cause, *present}, on=True) for finding in network.findings]
            expected += weight * np.array(shown_so)
        np.testing.assert_allclose(shown[cause], expected, atol=1e-12)


def chance(network: Network, node: int, present: set[int], *, on: bool) -> float:
    record = network.nodes[node]
    absent = 1 - 1 / (1 + np.exp(-record.base_logit))
    for parent, w in record.parents:
        absent *= 1 - w if parent in present else 1
    return float(1 - absent if on else absent)
