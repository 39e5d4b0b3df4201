"""Models drawn from the doubt of what was elicited, each a coherent one.

Every number is drawn by itself: probabilities from the Beta distribution that has them as its mean, weights and odds ratios
from the log-normal that has them as its median. The coincidence is kept. Then the bases are solved again, so that in every
draw the shares are those that its weights mean. A draw that no bases solve is drawn again as a whole, and counted. Where the
probability of a finding given a cause falls below the drawn leak, the link is 0.

References:
    Doubilet, Begg, Weinstein, Braun, McNeil (1985), Probabilistic sensitivity analysis using Monte Carlo simulation.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calfbayes.errors import Fault, ModelFileError
from calfbayes.inference.bases import BasesInLanes, solve_in_lanes, weights_of
from calfbayes.inference.elicited import ElicitedNumbers, Kind, Scale, elicited_numbers
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array, expit_pair
from calfbayes.network import Network, Numbers

LEAST, MOST = 1e-300, 1.0 - 2.0**-53  # of a drawn probability, so that none becomes 0 or 1
ROUNDS = 200  # of drawing again what no bases solve


@dataclass(frozen=True, eq=False)
class Draws:
    """Coherent models, one a lane.

    Attributes:
        numbers: Their numbers, bases included.
        log_complaint: log P(complaint) of each, shape (lanes,).
        redrawn: How many draws were thrown away because no bases gave their shares.
    """

    numbers: Numbers
    log_complaint: Array
    redrawn: int


def draw_models(solved: SolvedNetwork, setting: str, n: int, generator: np.random.Generator) -> Draws:
    """Draw n models.

    Raises:
        ModelFileError: If hardly any draw can be solved.
    """
    network = solved.network
    elicited = elicited_numbers(solved, setting)
    rest = network.numbers(solved.bases[setting].logits)
    found: list[Numbers] = []
    complaints: list[Array] = []
    missing, drawn = n, 0
    for _ in range(ROUNDS):
        if missing == 0:
            break
        values = _drawn(elicited, missing, generator)
        numbers, bases = models_in_lanes(solved, setting, values)
        good = np.flatnonzero(bases.feasible)
        found.append(rest.from_rows(numbers.in_a_row[good]))
        complaints.append(np.log(bases.complaint[good]))
        drawn += missing
        missing -= len(good)
    if missing:
        problem = f"of {drawn} models drawn within the doubt of their numbers bases solve only {n - missing}"
        fault = Fault("model.toml", f"settings.{setting}.coincidence", problem, "raise it, or lower the links between causes")
        raise ModelFileError(network.knowledge.name, (fault,))
    rows = np.concatenate([numbers.in_a_row for numbers in found]) if found else rest.in_a_row[:0]
    return Draws(rest.from_rows(rows), np.concatenate(complaints) if found else np.empty(0), drawn - n)


@lru_cache(maxsize=20)  # of some megabytes each: the next patient of the same setting is answered by the same models
def drawn_models(solved: SolvedNetwork, setting: str, n: int, seed: tuple[int, ...]) -> Draws:
    """Draw n models with a seed; see `draw_models`."""
    return draw_models(solved, setting, n, np.random.default_rng(seed))


def models_in_lanes(solved: SolvedNetwork, setting: str, values: Array) -> tuple[Numbers, BasesInLanes]:
    """Coherent models of given elicited numbers, one a lane: the bases are solved again.

    Numbers that hold by definition, those without doubt, stay as they are.

    Args:
        values: Of every number of `elicited_numbers`, in that order, shape (lanes, numbers).

    Returns:
        The network's numbers, bases included, and the bases; in lanes that are not feasible they mean nothing.
    """
    network = solved.network
    elicited = elicited_numbers(solved, setting)
    numbers = _numbers_of(network, network.numbers(solved.bases[setting].logits), elicited, values)
    bases = solve_in_lanes(network, numbers, _shares_of(solved, setting, elicited, values))
    rows = numbers.in_a_row
    rows[:, : network.n_causes] = bases.logits
    return numbers.from_rows(rows), bases


def _drawn(elicited: ElicitedNumbers, n: int, generator: np.random.Generator) -> Array:
    """Every number n times, shape (n, numbers)."""
    mean = np.array([number.value for number in elicited.numbers])
    values = np.broadcast_to(mean, (n, len(mean))).copy()
    moves = elicited.varies & (elicited.deviations > 0.0)
    on_log_odds, on_log = (
        np.array([number.scale == scale for number in elicited.numbers]) for scale in (Scale.LOG_ODDS, Scale.LOG)
    )
    beta, normal = moves & on_log_odds, moves & on_log
    m = mean[beta]
    size = 1.0 / (elicited.deviations[beta] ** 2 * m * (1.0 - m)) - 1.0  # the variance is m (1 - m) / (size + 1)
    values[:, beta] = np.clip(generator.beta(m * size, (1.0 - m) * size, (n, len(m))), LEAST, MOST)
    values[:, normal] *= np.exp(elicited.deviations[normal] * generator.standard_normal((n, int(normal.sum()))))
    return values


def _numbers_of(network: Network, rest: Numbers, elicited: ElicitedNumbers, values: Array) -> Numbers:
    """The network's numbers, but for the bases, that elicited numbers mean."""
    rows = np.repeat(rest.in_a_row, len(values), axis=0)
    n_logits = rest.logits.shape[1]

    def of(kind: Kind) -> tuple[list[int], list[int]]:
        some = [k for k, number in enumerate(elicited.numbers) if number.kind == kind and elicited.deviations[k] > 0.0]
        return some, [elicited.numbers[k].position for k in some]

    with np.errstate(divide="ignore"):  # 0 and 1 are infinite here
        some, at = of(Kind.LEAK)
        rows[:, at] = np.log(values[:, some]) - np.log1p(-values[:, some])
        some, at = of(Kind.ODDS_RATIO)
        rows[:, at] = np.log(values[:, some])
    some, at = of(Kind.LINK)
    rows[:, at] = values[:, some]
    arcs = [(k, number.position) for k, number in enumerate(elicited.numbers) if number.kind == Kind.PROBABILITY]
    if arcs:
        some, at = (list(part) for part in zip(*arcs, strict=True))
        leaks_off = expit_pair(rows[:, [network.layout.arcs[position - n_logits][1] for position in at]])[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            links = 1.0 - (1.0 - values[:, some]) / leaks_off
        rows[:, at] = np.where(leaks_off > 0.0, np.maximum(links, 0.0), 0.0)
    number, position, factor = elicited.moves
    change = values - np.array([entry.value for entry in elicited.numbers])
    for k in of(Kind.PRIOR)[0]:
        of_number = number == k
        q = elicited.numbers[k].value
        per_scale = 1.0 if elicited.numbers[k].scale == Scale.ITSELF else q * (1.0 - q)
        entries = position[of_number]
        rows[:, entries] = np.clip(rows[:, entries] + change[:, [k]] * factor[of_number] / per_scale, 0.0, 1.0)
    return rest.from_rows(rows)


def _shares_of(solved: SolvedNetwork, setting: str, elicited: ElicitedNumbers, values: Array) -> Array:
    """The shares that weights and coincidence mean."""
    coincidence = next(k for k, number in enumerate(elicited.numbers) if number.kind == Kind.COINCIDENCE)
    sum_of_shares = 1.0 + values[:, [coincidence]]
    weights = np.repeat(weights_of(solved.network, setting)[None], len(values), axis=0)
    first = solved.network.numbers(solved.bases[setting].logits).in_a_row.shape[1]
    some = [k for k, number in enumerate(elicited.numbers) if number.kind == Kind.WEIGHT]
    weights[:, [elicited.numbers[k].position - first for k in some]] = values[:, some]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True) * sum_of_shares)
