"""Networks of the calf model's shape, in any size."""

from random import Random

import numpy as np

from benchmarks.patients import Queries
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.simulation import simulate_states
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.network import Network, compile_network
from support.small_models import small_content

LINKS = 6  # of a cause into its own disease group
FAR = 3  # and anywhere
NEIGHBOURS = 18  # findings of a disease group
LEAK = 0.03


def synthetic_network(n_causes: int, n_findings: int, *, seed: int = 0) -> Network:
    """Two layers: each cause has some findings near it, and a few anywhere; the complaint has all causes as parents."""
    rng = Random(seed)
    names = [f"finding_{k}" for k in range(n_findings)]
    causes = {}
    for k in range(n_causes):
        start = k * n_findings // n_causes
        near = [names[(start + j) % n_findings] for j in range(NEIGHBOURS)]
        chosen = {*rng.sample(near, LINKS), *rng.sample(names, FAR)}
        causes[f"cause_{k}"] = (1.0, {name: rng.uniform(0.05, 0.9) for name in sorted(chosen)})
    content = small_content(causes, dict.fromkeys(names, LEAK))
    return compile_network(knowledge_from_content(content, name="synthetic"))


def synthetic_queries(network: Network, n: int, *, n_present: int, seed: int = 1) -> Queries:
    """Patients drawn from the network, with findings present and twice as many absent."""
    rng = Random(seed)
    logits = np.full(network.n_causes, np.log(1.5 / network.n_causes))
    names = {node: network.nodes[node].id for node in network.findings if node != network.complaint}
    asked: list[Encoded] = []
    while len(asked) < n:
        drawn = simulate_states(network, logits, 200, np.random.default_rng(rng.randrange(2**31)))
        for patient in range(200):
            present = [node for node, name in names.items() if drawn[name][patient]]
            absent = [node for node, name in names.items() if not drawn[name][patient]]
            if len(present) >= n_present and len(asked) < n:
                reports = [(node, 0.0, 1.0) for node in rng.sample(present, n_present)]
                reports += [(node, 1.0, 0.0) for node in rng.sample(absent, 2 * n_present)]
                asked.append(Encoded((), tuple(sorted(reports))))
    return Queries(network, logits, tuple(asked))
