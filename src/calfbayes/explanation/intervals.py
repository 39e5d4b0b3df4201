"""How sure an answer is: intervals of its probabilities from the doubt of every elicited number.

The delta method takes the log odds of a probability p for linear in the numbers,

    logit p +- z s,      s^2 = sum over numbers of (d logit p / d number * deviation)^2.

Its check solves the model again at the two points that the linear answer holds for the ends: the numbers are moved against
and along the slope of p, z deviations together. That is done for what is most probable. Sampling draws coherent models and
answers each; the interval lies between quantiles of the answers. An interval that its check does not bear out is flagged:
there the problem is not nearly linear.

References:
    Oehlert (1992), A note on the delta method.
    Doubilet, Begg, Weinstein, Braun, McNeil (1985), Probabilistic sensitivity analysis using Monte Carlo simulation.
    Hasofer, Lind (1974), Exact and invariant second-moment code format: the most probable point of a level.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from calfbayes.arguments import number, whole_number
from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, NoPosteriorError, UnknownNameError
from calfbayes.explanation.progress import Progress, teller
from calfbayes.inference.draws import drawn_models, models_in_lanes
from calfbayes.inference.elicited import PROBABILITIES, ElicitedNumbers, Scale, elicited_numbers
from calfbayes.inference.exact import answer, log_joints, priced
from calfbayes.inference.price import Purse
from calfbayes.inference.reduction import Encoded, Query, reduce
from calfbayes.inference.sensitivity import Posteriors, deviation_of_log_odds, sensitivities
from calfbayes.inference.solved import SolvedNetwork, severities
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.knowledge.wording import short
from calfbayes.network import Numbers

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 2e9  # state operations, those for labels not counted; a minute at most
AT_ONCE = 50  # draws between two reports of progress
THREADS = 2  # that draw and answer
MOST_DRAWS = 100_000
VAGUEST = 0.01  # smallest level
SUREST = 0.999999  # largest level; farther out the tails of these distributions mean nothing
CHECKED = 6  # causes, and complications, whose ends by the delta method are solved again, the most probable of each
FAR = 0.25  # of half an interval's width, on log odds: an end that is farther off than this is flagged
NEAREST = 0.125  # of the way to 0 or 1 that is left when a probability would be moved beyond


@dataclass(frozen=True, slots=True)
class Interval:
    """How sure one probability is.

    Attributes:
        id: A cause or complication; or an urgency level, and then it is about this or a more urgent one being needed.
        probability: With every number as elicited.
        low: Lower end.
        high: Upper end.
        errors: Standard errors of the two ends, from the number of draws; 0 if nothing was drawn.
        nearly_linear: Whether delta method and check, or delta method and sampling, agree; None if it was not checked, as
            the less probable causes are not by the delta method.
    """

    id: str
    label: str
    probability: float
    low: float
    high: float
    errors: tuple[float, float]
    nearly_linear: bool | None


@dataclass(frozen=True, repr=False)
class Intervals:
    """How sure a result is.

    Attributes:
        level: How probable it is that an interval holds the probability, over the doubt of the numbers.
        method: `delta` or `sampling`.
        causes: In the order of the result.
        complications: Likewise.
        urgency: The chance that each level above the lowest, or a more urgent one, is needed; least urgent first.
        draws: How many models were drawn and answered; 0 by the delta method.
        redrawn: How many draws no bases could solve; they were drawn again.
        impossible: How many of the draws hold the evidence impossible; they are left out.
        same_first: Share of the draws in which the first cause is the same; None by the delta method.
        same_level: Share of the draws in which the urgency is the same; None by the delta method.
    """

    level: float
    method: str
    causes: tuple[Interval, ...]
    complications: tuple[Interval, ...]
    urgency: tuple[Interval, ...]
    draws: int
    redrawn: int
    impossible: int
    same_first: float | None
    same_level: float | None

    def __iter__(self) -> Iterator[Interval]:
        return iter((*self.causes, *self.complications, *self.urgency))

    def __getitem__(self, name: str) -> Interval:
        for entry in self:
            if entry.id == name:
                return entry
        raise UnknownNameError("cause, complication or level", str(name)[:200], (), "these intervals")

    def __repr__(self) -> str:
        from calfbayes.presentation.doubt import intervals_text

        return intervals_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.doubt_display import intervals_html

        return intervals_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "level": self.level,
            "method": self.method,
            "causes": [_plain(entry) for entry in self.causes],
            "complications": [_plain(entry) for entry in self.complications],
            "urgency": [_plain(entry) for entry in self.urgency],
            "draws": self.draws,
            "redrawn": self.redrawn,
            "impossible": self.impossible,
            "same_first": self.same_first,
            "same_level": self.same_level,
        }

    def to_frame(self) -> "pd.DataFrame":
        """All intervals as a pandas table: index id; columns kind, label, probability, low, high, nearly_linear."""
        import pandas as pd

        kinds = (("cause", self.causes), ("complication", self.complications), ("urgency", self.urgency))
        rows = [[kind, e.label, e.probability, e.low, e.high, e.nearly_linear] for kind, entries in kinds for e in entries]
        columns = ["kind", "label", "probability", "low", "high", "nearly_linear"]
        return pd.DataFrame(rows, index=pd.Index([entry.id for entry in self], name="id"), columns=columns)


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked: P of each node, then P(at least this label) of each label from 1.

    Attributes:
        nodes: Causes and complications.
        labels: Severity of each of them.
        possible: Positions among the nodes of those that the evidence does not rule out.
        evidence: The patient's.
    """

    solved: SolvedNetwork
    setting: str
    evidence: Encoded
    nodes: tuple[int, ...]
    labels: tuple[int, ...]
    possible: tuple[int, ...]

    @classmethod
    def of(cls, result: Diagnosis) -> "Asked":
        """About every cause and complication of a result.

        Raises:
            NoPosteriorError: If the result holds no probabilities.
        """
        if not result.causes:
            raise NoPosteriorError(result.outcome_reason)
        network = result._solved.network
        nodes = (*network.causes, *network.complications)
        possible = tuple(k for k, node in enumerate(nodes) if result._hidden[node] > 0.0)
        return cls(result._solved, result.setting, encode(network, result.evidence), nodes, severities(network), possible)

    @property
    def n(self) -> int:
        """Number of quantities."""
        return len(self.nodes) + max(self.labels)

    def price(self, lanes: int, cost_limit: float) -> None:
        """Refuse too many lanes.

        Raises:
            QueryTooCostlyError: If so many answers cost more than the limit.
        """
        purse = Purse(cost_limit)
        priced(reduce(self.solved.network, self.solved.bases[self.setting].logits, self.evidence, purse=purse), lanes, purse)

    def slopes(self, cost_limit: float, some: Sequence[int] | None = None) -> tuple[Array, Array, Posteriors]:
        """The quantities, shape (n,); their derivatives in each elicited number, shape (n, numbers); and whole.

        Args:
            some: Positions among the nodes of those that are wanted, None for all that are possible; of the others
                probability and derivatives are 0 here.
        """
        some = list(self.possible if some is None else some)
        nodes = [self.nodes[k] for k in some]
        found = sensitivities(self.solved, self.setting, self.evidence, nodes, labels=self.labels, cost_limit=cost_limit)
        hidden, of_hidden = np.zeros(len(self.nodes)), np.zeros((len(self.nodes), found.of_hidden.shape[1]))
        hidden[some], of_hidden[some] = found.hidden, found.of_hidden
        moved = replace(found, hidden=hidden, of_hidden=of_hidden)
        levels = [moved.at_least(label) for label in range(1, max(self.labels) + 1)]
        p = np.concatenate([moved.hidden, [chance for chance, _ in levels]])
        return p, np.concatenate([moved.of_hidden, *(slope[None] for _, slope in levels)]), moved

    def of_models(self, numbers: Numbers, some: Collection[int] | None = None) -> Array:
        """The quantities in each lane, shape (lanes, n); NaN where the evidence is impossible.

        Without the nodes of a higher label, or one node, a problem is much smaller, so in many lanes each label has one of its
        own, and a single node has, too; these are right to 1e-15 in absolute terms.

        Args:
            some: Positions of those that are wanted, None for all; the others may be 0.
        """
        network, query, n = self.solved.network, Query.of(self.evidence), len(self.nodes)
        wanted = range(self.n) if some is None else some
        found = np.zeros((numbers.lanes, self.n))
        groups = {n + label: [k for k, own in enumerate(self.labels) if own > label] for label in range(max(self.labels))}
        if len(single := [k for k in wanted if k < n]) > 1:
            answers = answer(network, numbers, query, cost_limit=float("inf"))
            log_joint, found[:, :n] = answers.log_joint, answers.hidden[:, list(self.nodes)]
        else:
            log_joint = log_joints(network, numbers, query, cost_limit=float("inf"))
            groups |= {k: [self.nodes[k]] for k in single}
        for k in groups.keys() & set(wanted):
            with np.errstate(invalid="ignore"):
                found[:, k] = np.maximum(-np.expm1(self._without(groups[k], numbers) - log_joint), 0.0)
        found[~np.isfinite(np.broadcast_to(log_joint, numbers.lanes))] = np.nan
        return found

    def _without(self, nodes: Iterable[int], numbers: Numbers) -> Array:
        """Log P(evidence, none of these nodes), shape (lanes,)."""
        absent = {node: (np.ones(1), np.zeros(1)) for node in nodes}
        query = replace(Query.of(self.evidence), weights=absent)
        return log_joints(self.solved.network, numbers, query, cost_limit=float("inf"))

    def of_values(self, values: Array, *wanted: tuple[Collection[int], NDArray[np.bool_]]) -> Array:
        """The quantities of models with these elicited numbers, shape (lanes, n); NaN where there is no such model.

        Args:
            wanted: Positions of those that are wanted, as in `of_models`, and in which lanes; nothing for all in all.
        """
        numbers, bases = models_in_lanes(self.solved, self.setting, values)
        found = np.full((len(values), self.n), np.nan)
        for some, lanes in wanted or ((None, np.ones(len(values), dtype=bool)),):
            good = np.flatnonzero(bases.feasible & lanes)
            if len(good):
                found[good] = self.of_models(numbers.from_rows(numbers.in_a_row[good]), some)
        return found


def intervals(
    result: Diagnosis,
    *,
    level: float = 0.9,
    method: Literal["delta", "sampling"] = "delta",
    draws: int = 500,
    seed: int = 0,
    progress: Progress = True,
    cost_limit: float = LIMIT,
) -> Intervals:
    """Say how sure the probabilities of a result are, given the doubt of every elicited number but the coincidence.

    The coincidence is held: weights and shares mean what they mean only with it. `sensitivity` tells what it does by itself.

    Args:
        level: Of the intervals, from 0.01 to 0.999999.
        method: `delta` by derivatives, or `sampling` of models.
        draws: How many models to draw; the delta method draws none.
        seed: Of the random generator; the same seed gives the same intervals.
        progress: Whether long work is shown on stderr; or a function that is told of steps done and all steps.
        cost_limit: Largest predicted number of state operations.

    Raises:
        ArgumentError: If an argument is none of these.
        NoPosteriorError: If the result holds no probabilities, or hardly a draw allows the evidence.
        ModelFileError: If hardly any draw can be solved.
        QueryTooCostlyError: If it would cost more than the limit.
    """
    if method not in ("delta", "sampling"):
        raise ArgumentError("method", short(method), "'delta' or 'sampling'")
    level = number("level", level, f"a number from {VAGUEST} to {SUREST}, such as 0.9", lambda x: VAGUEST <= x <= SUREST)
    draws, seed = whole_number("draws", draws, 20, MOST_DRAWS), whole_number("seed", seed, 0)
    if method == "sampling" and (draws + 1) * (1.0 - level) < 2.0:
        raise ArgumentError(
            "draws", short(draws), f"more: {2.0 / (1.0 - level):.0f} at least reach the ends of level {level:g}"
        )
    tell = teller(progress, f"models drawn for {result.setting}")
    asked = Asked.of(result)
    asked.price(draws if method == "sampling" else 2 * asked.n, cost_limit)
    elicited = elicited_numbers(asked.solved, asked.setting)
    p, of_p, _ = asked.slopes(cost_limit)
    z = NormalDist().inv_cdf(0.5 + float(level) / 2)
    by_delta = _delta(elicited, p, of_p, z)
    none = np.zeros_like(by_delta)
    if method == "delta":
        linear: list[bool | None] = [None] * asked.n
        some = _worth_checking(result, asked)
        agree = _near(by_delta[some], _ends_again(asked, elicited, of_p[some], z, some), none[some])
        for k, agreed in zip(some, agree.tolist(), strict=True):
            linear[k] = agreed
        return _told(result, asked, float(level), method, p, by_delta, none, linear, (0, 0, 0), (None, None))
    found, redrawn = _sampled(asked, draws, seed, tell)
    possible = ~np.isnan(found[:, 0])
    if possible.sum() < draws / 2:
        raise NoPosteriorError(f"{int((~possible).sum())} of {draws} models drawn hold this evidence impossible")
    ends, errors = _quantiles(found[possible], float(level))
    same = _same(result, asked, found[possible])
    counts = (draws, redrawn, int((~possible).sum()))
    return _told(result, asked, float(level), method, p, ends, errors, _near(by_delta, ends, errors).tolist(), counts, same)


def _delta(elicited: ElicitedNumbers, p: Array, of_p: Array, z: float) -> Array:
    """Both ends of every interval, shape (n, 2); of a certainty it is that certainty."""
    deviations = np.array([deviation_of_log_odds(elicited, float(q), of_q) for q, of_q in zip(p, of_p, strict=True)])
    sure = np.isinf(deviations)
    half = np.where(sure, 0.0, deviations)[:, None] * np.array([-z, z])
    ends = 1.0 / (1.0 + np.exp(-_logit(p)[:, None] - half))
    return np.where(sure[:, None], p[:, None], ends)


def _worth_checking(result: Diagnosis, asked: Asked) -> list[int]:
    """Positions of the most probable causes and complications, and of all levels, among the quantities."""
    network = asked.solved.network
    names = [entry.id for entries in (result.causes, result.complications) for entry in entries[:CHECKED]]
    return [*(asked.nodes.index(network.node_index[name]) for name in names), *range(len(asked.nodes), asked.n)]


def _ends_again(asked: Asked, elicited: ElicitedNumbers, of_p: Array, z: float, some: Sequence[int]) -> Array:
    """Some of the probabilities at the two points that the linear answer holds for their ends, shape (some, 2).

    Args:
        of_p: Their derivatives, shape (some, numbers).
    """
    pull = of_p * np.where(elicited.varies, elicited.deviations, 0.0)
    length = np.linalg.norm(pull, axis=1, keepdims=True)
    along = np.divide(pull, length, out=np.zeros_like(pull), where=length > 0.0) * z
    n = len(some)
    found = asked.of_values(displaced(elicited, np.concatenate([-along, along])))
    return np.stack([found[np.arange(n), some], found[np.arange(n, 2 * n), some]], axis=1)


def displaced(elicited: ElicitedNumbers, deviations: Array) -> Array:
    """Every number moved by so many of its deviations, shape (lanes, numbers).

    A probability moves on its own scale, on which answers are linear or nearly so; it stops short of 0 and 1.
    """
    value = np.array([number.value for number in elicited.numbers])
    steps = deviations * elicited.deviations
    on_log = np.array([number.scale == Scale.LOG for number in elicited.numbers])
    probability = np.array([number.kind in PROBABILITIES for number in elicited.numbers])
    per_scale = np.array([1.0 if n.scale == Scale.ITSELF else n.value * (1.0 - n.value) for n in elicited.numbers])
    with np.errstate(over="ignore"):
        ratios = value * np.exp(np.where(on_log, steps, 0.0))
    plain = np.maximum(value + np.where(on_log, 0.0, steps * per_scale), NEAREST * value)
    moved = np.where(probability, np.minimum(plain, 1.0 - NEAREST * (1.0 - value)), plain)
    return np.asarray(np.where(on_log, ratios, moved))


def _near(by_delta: Array, ends: Array, errors: Array) -> NDArray[np.bool_]:
    """Whether the ends agree on log odds, but for what few draws leave open (three standard errors); shape (n,)."""
    with np.errstate(invalid="ignore"):  # of a certainty, whose ends are the same
        delta = _logit(by_delta)
        half = (delta[:, [1]] - delta[:, [0]]) / 2
        open_ends = np.abs(_logit(np.clip(ends + 3 * errors, 0, 1)) - _logit(np.clip(ends - 3 * errors, 0, 1))) / 2
        off = np.abs(_logit(ends) - delta)
    return np.asarray(((off <= FAR * half + open_ends) | (ends == by_delta)).all(axis=1))


def _logit(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p))


def _sampled(asked: Asked, draws: int, seed: int, tell: Any) -> tuple[Array, int]:
    """The quantities in every draw, shape (draws, n), and how many draws were thrown away.

    Each part of the draws has a seed of its own, so they are the same however many are made at a time.
    """

    def of_part(first: int) -> tuple[Array, int]:
        some = drawn_models(asked.solved, asked.setting, min(AT_ONCE, draws - first), (seed, first))
        return asked.of_models(some.numbers), some.redrawn

    found, redrawn = [], 0
    with ThreadPoolExecutor(THREADS) as pool:  # numpy lets the other thread go on while it computes
        for part, thrown_away in pool.map(of_part, range(0, draws, AT_ONCE)):
            found.append(part)
            redrawn += thrown_away
            tell(sum(map(len, found)), draws)
    return np.concatenate(found), redrawn


def _quantiles(found: Array, level: float) -> tuple[Array, Array]:
    """Both ends of every interval and their standard errors, shape (n, 2) each.

    The k-th smallest of n draws stands for the quantile k / (n + 1), so that the next draw lies inside as often as promised.
    The error is half the way between the quantiles one binomial standard error below and above (Woodruff 1952).
    """
    q = np.array([0.5 - level / 2, 0.5 + level / 2])
    spread = np.sqrt(q * (1.0 - q) / len(found))
    below, ends, above = (
        np.quantile(found, np.clip(q + sign * spread, 0.0, 1.0), axis=0, method="weibull").T for sign in (-1.0, 0.0, 1.0)
    )
    return np.asarray(ends), np.asarray((above - below) / 2)


def chances(at_least: Array) -> Array:
    """P(this level is needed), least urgent first, from P(at least this label) from label 1, shape (lanes, labels)."""
    lanes = len(at_least)
    return -np.diff(np.concatenate([np.ones((lanes, 1)), at_least, np.zeros((lanes, 1))], axis=1), axis=1)


def levels_of(result: Diagnosis, at_least: Array) -> list[Level]:
    """The urgency of each lane, rules included; doubt about the numbers counts as far as it does in the result.

    Args:
        at_least: P(at least this label) from label 1, shape (lanes, labels - 1).
    """
    return [result.urgency.level_of(row) for row in chances(at_least).tolist()]


def _same(result: Diagnosis, asked: Asked, found: Array) -> tuple[float, float]:
    """In which share of the draws the first cause, and the urgency, are the same."""
    network = asked.solved.network
    first = network.node_index[result.causes[0].id]
    n_causes = network.n_causes
    levels = levels_of(result, found[:, len(asked.nodes) :])
    same_first = found[:, :n_causes].argmax(axis=1) == asked.nodes.index(first)
    return float(same_first.mean()), sum(level == result.urgency.level for level in levels) / len(levels)


def _told(
    result: Diagnosis,
    asked: Asked,
    level: float,
    method: str,
    p: Array,
    ends: Array,
    errors: Array,
    linear: Sequence[bool | None],
    counts: tuple[int, int, int],
    same: tuple[float | None, float | None],
) -> Intervals:
    network = asked.solved.network
    position = {network.nodes[node].id: k for k, node in enumerate(asked.nodes)}

    def entry(name: str, label: str, k: int) -> Interval:
        low, high = ends[k].tolist()
        return Interval(name, label, float(p[k]), low, high, (float(errors[k, 0]), float(errors[k, 1])), linear[k])

    def entries(of: Sequence[Any]) -> tuple[Interval, ...]:
        return tuple(entry(e.id, e.label, position[e.id]) for e in of)

    texts = [(one, result.urgency.policy.text_of(one).label) for one in LEVELS_BY_SEVERITY[1 : 1 + max(asked.labels)]]
    urgency = tuple(entry(str(one), text, len(asked.nodes) + k) for k, (one, text) in enumerate(texts))
    return Intervals(level, method, entries(result.causes), entries(result.complications), urgency, *counts, *same)


def _plain(entry: Interval) -> dict[str, Any]:
    return {
        "id": entry.id,
        "label": entry.label,
        "probability": entry.probability,
        "low": entry.low,
        "high": entry.high,
        "errors": list(entry.errors),
        "nearly_linear": entry.nearly_linear,
    }
