"""The cautionary peer: Quickscore with its signs. It is short, and it loses digits with every positive finding."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from calfbayes.inference.tables import Array
from calfbayes.network import Network


def signed_quickscore(network: Network, bases: Array, positive: Sequence[int], negative: Sequence[int]) -> tuple[float, Array]:
    """P(findings) and P(cause present, findings) of a two-layer network, by inclusion-exclusion over the positive findings.

    P(F+, F-) = sum over F' of F+ of (-1)^|F'| * product over F' and F- of (1 - leak)
                * product over causes of [1 - p + p * product over F' and F- of (1 - w)]

    References:
        Heckerman (1989), A tractable inference algorithm for diagnosing multiple diseases, equation 10.
    """
    findings = [*positive, *negative]
    w = np.zeros((network.n_causes, len(findings)))
    for column, finding in enumerate(findings):
        for cause, link in network.nodes[finding].parents:
            w[cause, column] = link
    leak = np.array([1 / (1 + np.exp(-network.nodes[finding].base_logit)) for finding in findings])
    chosen = np.array([(*subset, *[1] * len(negative)) for subset in product([0, 1], repeat=len(positive))])
    sign = (-1.0) ** chosen[:, : len(positive)].sum(axis=1)
    unleaked = np.where(chosen, 1 - leak, 1.0).prod(axis=1)
    present = np.stack([bases[i] * np.where(chosen, 1 - w[i], 1.0).prod(axis=1) for i in range(network.n_causes)])
    either = present + (1 - bases)[:, None]
    terms = sign * unleaked * either.prod(axis=0)
    return float(terms.sum()), np.array([(terms / either[i] * present[i]).sum() for i in range(network.n_causes)])
