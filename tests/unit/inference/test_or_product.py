"""Two messages meet in the OR of the bits they share."""

from itertools import product

import numpy as np
import pytest

from calfbayes.inference.or_product import or_product, or_product_backward
from calfbayes.inference.tables import Array


@pytest.mark.parametrize("n_shared", [0, 1, 2, 3, 4, 6, 7, 8])
@pytest.mark.parametrize(("rest_a", "rest_b"), [(2, 4), (3, 1)])
@pytest.mark.parametrize("lanes", [(2, 1, 2), (1, 2, 1), (1, 1, 2)])
def test_every_pair_of_states_adds_to_its_or(n_shared: int, rest_a: int, rest_b: int, lanes: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(n_shared)
    n = 2**n_shared
    a, b = _spread(rng, (lanes[0], 3, n, rest_a)), _spread(rng, (lanes[1], 3, n, rest_b))
    g = _spread(rng, (lanes[2], 3, n, rest_a, rest_b))
    together = np.zeros((max(lanes[:2]), 3, n, rest_a, rest_b))
    of_a, of_b = np.zeros((max(lanes[1:]), 3, n, rest_a)), np.zeros((max(lanes[0], lanes[2]), 3, n, rest_b))
    for left, right in product(range(n), repeat=2):
        together[:, :, left | right] += a[:, :, left, :, None] * b[:, :, right, None, :]
        of_a[:, :, left] += (g[:, :, left | right] * b[:, :, right, None, :]).sum(axis=-1)
        of_b[:, :, right] += (g[:, :, left | right] * a[:, :, left, :, None]).sum(axis=-2)
    np.testing.assert_allclose(or_product(a, b, n_shared), together, rtol=1e-13)  # relative: the smallest entries, too
    found_a, found_b = or_product_backward(g, a, b, n_shared)
    np.testing.assert_allclose(found_a, of_a, rtol=1e-13)
    np.testing.assert_allclose(found_b, of_b, rtol=1e-13)


def _spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of very different sizes, as messages hold them."""
    return np.asarray(rng.random(shape) * 10.0 ** rng.uniform(-60, 0, shape))
