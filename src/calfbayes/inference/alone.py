"""How often each finding shows when one cause is there and no other is: the picture that textbooks draw of a disease.

With cause c present, all others absent, and every risk factor in its reference state, the mechanisms and complications
between c and a finding f are independent of each other, so the sum over their states is a product:

    P(f absent | c) = (1 - leak_f) (1 - w_cf) * product over m of (1 - w_mf P(m | c)),   P(m | c) = 1 - (1 - leak_m) (1 - w_cm)

No arc leads from a mechanism or a complication to another; the loader checks it. A complication is looked at likewise, with no
cause beside it.
"""

import numpy as np

from calfbayes.inference.tables import expit_pair
from calfbayes.network import Array, Network


def findings_of_causes(network: Network) -> Array:
    """P(finding | this cause or complication alone), shape (n_causes + n_complications, n_findings), in the network's order."""
    base_absent = expit_pair(np.array([node.base_logit for node in network.nodes]))[1]
    links = np.zeros((network.n_hidden, len(network.nodes)))
    for position in range(network.n_hidden):
        for child, w in network.nodes[position].children:
            links[position, child] = w

    shown = slice(0, network.n_causes + network.n_complications)
    between = slice(network.n_causes, network.n_hidden)
    findings = slice(network.n_hidden, len(network.nodes))
    links[range(network.n_hidden), range(network.n_hidden)] = 1.0  # what is looked at is there
    active = 1.0 - base_absent[between] * (1.0 - links[shown, between])
    direct = np.where(np.arange(shown.stop) < network.n_causes, 1.0, 0.0)[:, None]  # a complication stands among those between
    absent = base_absent[findings] * (1.0 - direct * links[shown, findings])
    absent = absent * np.prod(1.0 - active[:, :, None] * links[None, between, findings], axis=1)
    return np.asarray(1.0 - absent)
