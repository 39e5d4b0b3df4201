"""Which elicited numbers an answer hangs on: one-way effects over each number's own range, and how far each may move.

Every number is first followed by its derivative: the log odds of the answer are taken for linear in a probability, or in the
logarithm of a ratio. For the numbers that matter most the model is then solved again, with the bases that follow.

A number may move until the first cause or the urgency changes; doubt about the numbers counts as far as it does in the
result. By the derivative that is where the difference between the
first cause and another, or between the expected losses of two levels, comes to 0; solving again brackets the point.

References:
    Chan, Darwiche (2002), When do numbers really matter?: admissible deviations of parameters.
    van der Gaag, Renooij (2001), Analysing sensitivity data from probabilistic networks.
    Howard (1988), Decision analysis, practice and promise: the tornado.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calfbayes.arguments import whole_number
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError
from calfbayes.explanation.intervals import LIMIT, Asked, chances
from calfbayes.inference.elicited import PROBABILITIES, ElicitedNumber, ElicitedNumbers, Scale, elicited_numbers
from calfbayes.inference.ranges import ranges
from calfbayes.inference.sensitivity import Posteriors
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.knowledge.wording import short

if TYPE_CHECKING:
    import pandas as pd

URGENCY, FIRST_CAUSE = "urgency", "first cause"
FARTHEST = 12.0  # on log odds or logarithms; who has to go farther does not get there
ROUNDS = 6  # of looking for where the answer changes
CLOSE = 1e-3  # of the way that the derivative says: who moves less has found it
OUTWARDS, FARTHEST_WAY = 1.5, 3.0  # times the way that the derivative says: the next point, and the last
REACH = 5.0  # of the logarithm of a probability: a cause that is so much less probable than the first is no rival of it
CERTAIN = 2.0**-40


@dataclass(frozen=True, slots=True)
class Effect:
    """What one number does to the answer over its own 90 % range, the others held.

    Attributes:
        file: Where the number stands.
        place: Where in the file.
        value: The number.
        low: Lower end of its range.
        high: Upper end.
        at_low: The probability with the number at its lower end; None if no model is coherent there.
        at_high: Likewise at the upper end.
        exact: Whether the model was solved again, or the derivative was followed.
    """

    file: str
    place: str
    value: float
    low: float
    high: float
    at_low: float | None
    at_high: float | None
    exact: bool

    @property
    def width(self) -> float:
        """How far the two probabilities lie apart; 0 if one is lacking."""
        return 0.0 if self.at_low is None or self.at_high is None else abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True)
class Margin:
    """How far one number may move, the others held, before the answer changes.

    Attributes:
        changes: `first cause` or `urgency`.
        value: The number.
        limit: Where the answer changes; None if solving again finds no change up to three times as far as the derivative
            says, or to where no model is coherent.
        to: What the first cause, or the level, is then. Causes less than a 150th as probable as the first are not looked at.
        deviations: How far that is, by the derivative, in standard deviations of the number's doubt.
        inside: Whether the limit lies inside the number's 90 % range.
        exact: Whether the model was solved again, or the derivative was followed.
    """

    file: str
    place: str
    changes: str
    value: float
    limit: float | None
    to: str
    deviations: float
    inside: bool
    exact: bool


@dataclass(frozen=True, repr=False)
class Sensitivity:
    """What one answer hangs on.

    Attributes:
        of: A cause or complication, or `urgency`.
        quantity: The probability that is followed, in words.
        probability: With every number as elicited.
        effects: Every number with doubt, the widest effect first.
        margins: How far numbers may move, the nearest change first; asked about the urgency, its changes come before those of
            the first cause. Numbers that change nothing are left out.
    """

    of: str
    quantity: str
    probability: float
    effects: tuple[Effect, ...]
    margins: tuple[Margin, ...]

    def __repr__(self) -> str:
        from calfbayes.presentation.doubt import sensitivity_text

        return sensitivity_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.doubt_display import sensitivity_html

        return sensitivity_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "of": self.of,
            "quantity": self.quantity,
            "probability": self.probability,
            "effects": [{name: getattr(entry, name) for name in Effect.__slots__} for entry in self.effects],
            "margins": [{name: getattr(entry, name) for name in Margin.__slots__} for entry in self.margins],
        }

    def to_frame(self) -> "pd.DataFrame":
        """The effects as a pandas table, one row a number: columns as the fields of `Effect`."""
        import pandas as pd

        names = list(Effect.__slots__)
        return pd.DataFrame([[getattr(entry, name) for name in names] for entry in self.effects], columns=names)


def sensitivity(result: Diagnosis, *, of: str, exact: int = 8, confirmed: int = 4, cost_limit: float = LIMIT) -> Sensitivity:
    """Say which elicited numbers an answer hangs on.

    Args:
        of: A cause or complication; or `urgency`, which follows the chance that the model's level, or a more urgent one, is
            needed (of the lowest level: the next one).
        exact: For how many effects the model is solved again, the widest first.
        confirmed: For how many margins, the first ones.
        cost_limit: Largest predicted number of state operations.

    Raises:
        UnknownNameError: If there is no such cause or complication.
        ArgumentError: If a count is none.
        NoPosteriorError: If the result holds no probabilities.
        QueryTooCostlyError: If it would cost more than the limit.
    """
    exact, confirmed = whole_number("exact", exact, 0, 10_000), whole_number("confirmed", confirmed, 0, 10_000)
    asked = Asked.of(result)
    lanes = asked.n + 2 * exact + confirmed * ROUNDS
    if not isinstance(of, str):
        raise ArgumentError("of", short(of), "the id of a cause or complication, or 'urgency'")
    at, quantity = _followed(result, asked, of)
    asked.price(lanes, cost_limit)
    numbers = elicited_numbers(asked.solved, asked.setting)
    p, of_p, moved = asked.slopes(cost_limit, _looked_at(result, asked, at))
    effects = _effects(asked, numbers, at, float(p[at]), of_p[at], exact)
    margins = _margins(result, asked, numbers, p, moved, confirmed, first=URGENCY if of == URGENCY else "")
    return Sensitivity(of, quantity, float(p[at]), effects, margins)


def _looked_at(result: Diagnosis, asked: Asked, at: int) -> list[int]:
    """Positions of the causes that may become the first, and of what is followed if it is a node."""
    chance = np.array([result._hidden[node] for node in asked.nodes])
    rivals = chance[: asked.solved.network.n_causes] > np.exp(-REACH) * result.causes[0].probability
    return sorted({*np.flatnonzero(rivals).tolist(), at} & set(asked.possible))


def _followed(result: Diagnosis, asked: Asked, of: str) -> tuple[int, str]:
    """Position of the quantity among those asked, and what it is."""
    if of != URGENCY:
        return asked.nodes.index(asked.solved.network.node_index[result[of].id]), result[of].label
    level = result.urgency.model_level or LEVELS_BY_SEVERITY[0]
    severity = min(max(level.severity, 1), max(asked.labels))
    if severity == 0:
        raise ArgumentError("of", "'urgency'", "a cause or complication; none of this model needs more than the least level")
    text = result.urgency.policy.text_of(LEVELS_BY_SEVERITY[severity]).label
    return len(asked.nodes) + severity - 1, f"{text}, or sooner, is needed"


def _effects(asked: Asked, numbers: ElicitedNumbers, at: int, p: float, slopes: Array, exact: int) -> tuple[Effect, ...]:
    """Every number that has a range, followed by its derivative; the widest exactly."""
    ends = ranges(asked.solved, asked.setting)
    some = [k for k in range(len(numbers)) if numbers.deviations[k] > 0.0 and ends[k, 1] > ends[k, 0]]
    found = {k: _followed_to(numbers.numbers[k], p, float(slopes[k]), ends[k]) for k in some}
    first = sorted(some, key=lambda k: (-abs(found[k][1] - found[k][0]), k))
    again = first[:exact]
    told: dict[int, tuple[float | None, float | None]] = {k: (low, high) for k, (low, high) in found.items()}
    if again:
        values = np.repeat(_values(numbers)[None], 2 * len(again), axis=0)
        for lane, k in enumerate(again):
            values[[2 * lane, 2 * lane + 1], k] = ends[k]
        answers = [
            None if np.isnan(x) else float(x) for x in asked.of_values(values, ([at], np.ones(len(values), bool)))[:, at]
        ]
        told |= {k: (answers[2 * lane], answers[2 * lane + 1]) for lane, k in enumerate(again)}
    entries = []
    for k in first:
        entry, (low, high), (at_low, at_high) = numbers.numbers[k], ends[k].tolist(), told[k]
        entries.append(Effect(entry.file, entry.place, entry.value, low, high, at_low, at_high, exact=k in again))
    return tuple(sorted(entries, key=lambda effect: -effect.width))


def _followed_to(number: ElicitedNumber, p: float, slope: float, ends: Array) -> tuple[float, float]:
    """The probability at both ends of a range, its log odds linear in the probability or the logarithm of the ratio."""
    x = number.value
    if not CERTAIN < p < 1.0 - CERTAIN:
        return p, p
    if number.scale == Scale.LOG and ends[0] > 0.0:
        steps = np.log(ends / x)
    else:
        steps = (ends - x) / (x * (1.0 - x) if number.scale == Scale.LOG_ODDS else x if number.scale == Scale.LOG else 1.0)
    log_odds = np.log(p) - np.log1p(-p) + slope / (p * (1.0 - p)) * steps
    low, high = (1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0)))).tolist()
    return low, high


def _values(numbers: ElicitedNumbers) -> Array:
    return np.array([number.value for number in numbers.numbers])


@dataclass(frozen=True, slots=True)
class _Near:
    """A change that the derivative of a number promises, `step` away on the number's own scale."""

    changes: str
    number: int
    step: float
    to: str


def _margins(
    result: Diagnosis, asked: Asked, numbers: ElicitedNumbers, p: Array, moved: Posteriors, confirmed: int, *, first: str
) -> tuple[Margin, ...]:
    """The nearest change of each kind for every number with doubt, one kind before the other; the first ones are confirmed."""
    near = [*_first_cause(result, asked, numbers, moved), *_urgency(result, numbers, moved)]

    def order(one: _Near) -> tuple[bool, float, int, str]:
        deviations = float(abs(one.step) / numbers.deviations[one.number])
        return first not in {"", one.changes}, deviations, one.number, one.changes

    near.sort(key=order)
    ends = ranges(asked.solved, asked.setting)
    again = _confirmed(result, asked, numbers, near[:confirmed], p) if confirmed and near else []
    margins = []
    for rank, one in enumerate(near):
        entry = numbers.numbers[one.number]
        limit = float(_stepped(entry, np.array([one.step]))[0])
        exact = rank < confirmed
        found = again[rank] if exact else (limit, one.to)
        at = None if found is None else found[0]
        low, high = ends[one.number]
        margins.append(
            Margin(
                entry.file,
                entry.place,
                one.changes,
                entry.value,
                at,
                one.to if found is None else found[1],
                abs(one.step) / float(numbers.deviations[one.number]),
                inside=at is not None and bool(low <= at <= high),
                exact=exact,
            )
        )
    return tuple(margins)


def _first_cause(result: Diagnosis, asked: Asked, numbers: ElicitedNumbers, moved: Posteriors) -> list[_Near]:
    """Where log P(first cause) - log P(another) comes to 0."""
    network = asked.solved.network
    position = {network.nodes[node].id: k for k, node in enumerate(asked.nodes)}
    names = [entry.id for entry in result.causes if moved.hidden[position[entry.id]] > CERTAIN]
    if len(names) < 2:
        return []
    at = [position[name] for name in names]
    logs, slopes = np.log(moved.hidden[at]), moved.of_hidden[at] / moved.hidden[at][:, None]
    return _nearest(FIRST_CAUSE, numbers, logs[1:] - logs[0], slopes[1:] - slopes[0], names[1:])


def _urgency(result: Diagnosis, numbers: ElicitedNumbers, moved: Posteriors) -> list[_Near]:
    """Where another level's expected loss becomes the least, and the rules that hold let that count."""
    loss = np.array(result.urgency.policy.loss)[:, : len(moved.labels)]
    model = result.urgency.model_level
    _, rivals = _rivals(result)
    if model is None or not rivals:
        return []
    better = loss[model.severity] - loss[[rival.severity for rival in rivals]]
    counted, of_counted = _counted(result, moved)
    return _nearest(URGENCY, numbers, better @ counted, better @ of_counted, [str(rival) for rival in rivals])


def _counted(result: Diagnosis, moved: Posteriors) -> tuple[Array, Array]:
    """P(level is needed) with doubt counted as danger, and its derivatives; the doubt is held as large as it is.

    A shift of log odds makes of dp the part dp q (1 - q) / (p (1 - p)), with q the shifted probability.
    """
    n = len(moved.labels)
    counted = np.array(_cautious(result, moved.labels.tolist()))[:n]
    p, q = (np.append(np.cumsum(labels[::-1])[::-1], 0.0) for labels in (moved.labels, counted))
    of_q = np.append(np.cumsum(moved.of_labels[::-1], axis=0)[::-1], np.zeros((1, moved.of_labels.shape[1])), axis=0)
    for k in range(n - 1, 0, -1):
        if q[k] <= q[k + 1]:  # what needs more needs as much
            of_q[k] = of_q[k + 1]
        elif 0.0 < p[k] < 1.0:
            of_q[k] *= q[k] * (1.0 - q[k]) / (p[k] * (1.0 - p[k]))
    return counted, of_q[:-1] - of_q[1:]


def _cautious(result: Diagnosis, probabilities: Sequence[float]) -> tuple[float, ...]:
    """Probabilities of the levels with doubt counted as danger, as large as it is in the result."""
    doubt = result.urgency.doubt
    return result.urgency.policy.cautious(probabilities, doubt.deviations if doubt else ())


def _nearest(changes: str, numbers: ElicitedNumbers, behind: Array, slopes: Array, names: Sequence[str]) -> list[_Near]:
    """For every number with doubt the shortest step that lets a rival, `behind` now (below 0), draw level."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(slopes != 0.0, -np.minimum(behind, 0.0)[:, None] / slopes, np.inf)
    result = []
    for k, number in enumerate(numbers.numbers):
        of = steps[:, k]
        if number.scale == Scale.ITSELF:
            of = np.where((number.value + of >= 0.0) & ((number.value + of <= 1.0) | _is_ratio(number)), of, np.inf)
        rival = int(np.abs(of).argmin())
        if numbers.deviations[k] > 0.0 and abs(of[rival]) < FARTHEST:
            result.append(_Near(changes, k, float(of[rival]), names[rival]))
    return result


def _is_ratio(number: ElicitedNumber) -> bool:
    return number.kind not in PROBABILITIES


def _stepped(number: ElicitedNumber, steps: Array) -> Array:
    """The number after steps on its own scale."""
    x = number.value
    if number.scale == Scale.LOG:
        return np.asarray(x * np.exp(steps))
    if number.scale == Scale.LOG_ODDS:
        return np.asarray(1.0 / (1.0 + (1.0 - x) / x * np.exp(-steps)))
    return np.asarray(np.clip(x + steps, 0.0, None if _is_ratio(number) else 1.0))


def _confirmed(
    result: Diagnosis, asked: Asked, numbers: ElicitedNumbers, near: Sequence[_Near], p: Array
) -> list[tuple[float, str] | None]:
    """Where the answer changes when the model is solved again, and to what; None if it does not.

    All are searched at once, one a lane: first outwards from what the derivative says, or back from where no model is
    coherent; then between an unchanged and a changed point by the Illinois rule.
    """
    n = len(near)
    low, high = np.zeros(n), np.full(n, np.inf)  # as parts of the way that the derivative says
    gap_low, gap_high = np.array([_gap(result, asked, one.changes, p)[0] for one in near]), np.full(n, np.nan)
    to = [one.to for one in near]
    at, side = np.ones(n), np.zeros(n)
    incoherent = np.full(n, np.inf)  # from here on
    searched = np.arange(n)  # lanes that have not found it
    for _ in range(ROUNDS):
        for lane, told in _told(asked, numbers, near, at, searched):
            gap, name = _gap(result, asked, near[lane].changes, told)
            if np.isnan(gap):
                incoherent[lane] = at[lane]
            elif gap > 0.0:
                gap_high[lane] /= 2.0 if side[lane] > 0 else 1.0
                low[lane], gap_low[lane], side[lane] = at[lane], gap, 1.0
            else:
                gap_low[lane] /= 2.0 if side[lane] < 0 else 1.0
                high[lane], gap_high[lane], side[lane], to[lane] = at[lane], gap, -1.0, name
        between = np.isfinite(high)
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = low + (high - low) * gap_low / (gap_low - gap_high)
        outer = np.where(np.isfinite(incoherent), (low + incoherent) / 2, np.minimum(low * OUTWARDS, FARTHEST_WAY))
        at, before = np.where(np.isin(np.arange(n), searched), np.where(between, inner, outer), at), at
        searched = np.flatnonzero(np.where(between, np.abs(at - before) >= CLOSE, at != before))
        if not len(searched):
            break
    return [
        (float(_stepped(numbers.numbers[one.number], np.array([one.step * at[lane]]))[0]), to[lane])
        if np.isfinite(high[lane])
        else None
        for lane, one in enumerate(near)
    ]


def _told(
    asked: Asked, numbers: ElicitedNumbers, near: Sequence[_Near], at: Array, lanes: NDArray[np.intp]
) -> Iterator[tuple[int, Array]]:
    """Yield what models tell in which one number each has gone a part of its way: of causes or levels, whichever change."""
    values = np.repeat(_values(numbers)[None], len(lanes), axis=0)
    for row, lane in enumerate(lanes):
        one = near[lane]
        values[row, one.number] = _stepped(numbers.numbers[one.number], np.array([one.step * at[lane]]))[0]
    of_urgency = np.array([near[lane].changes == URGENCY for lane in lanes])
    told = asked.of_values(values, (range(len(asked.nodes)), ~of_urgency), (range(len(asked.nodes), asked.n), of_urgency))
    yield from zip(lanes.tolist(), told, strict=True)


def _gap(result: Diagnosis, asked: Asked, changes: str, told: Array) -> tuple[float, str]:
    """How far the answer is from being another one, below 0 if it is, and which other is nearest; NaN without a model."""
    network = asked.solved.network
    if np.isnan(told).any():
        return float("nan"), ""
    if changes == URGENCY:
        likely = chances(told[None, len(asked.nodes) :])[0].tolist()
        losses = result.urgency.policy.expected_losses(_cautious(result, likely))
        held, rivals = _rivals(result)
        rival = min(rivals, key=lambda level: (losses[level.severity], -level.severity))
        return losses[rival.severity] - min(losses[level.severity] for level in held), str(rival)
    first = asked.nodes.index(network.node_index[result.causes[0].id])
    with np.errstate(divide="ignore"):
        logs = np.log(told[: network.n_causes])
    others = np.where(np.arange(network.n_causes) == first, -np.inf, logs)
    nearest = int(others.argmax())
    return float(logs[first] - others[nearest]), network.nodes[asked.nodes[nearest]].id


def _rivals(result: Diagnosis) -> tuple[list[Level], list[Level]]:
    """Levels of the least expected loss that leave the urgency as it is, given the rules that hold; and the others."""
    floor = result.urgency.rules_level
    held = [r for r in LEVELS_BY_SEVERITY if max(r, floor, key=lambda one: one.severity) == result.urgency.level]
    return held, [r for r in LEVELS_BY_SEVERITY if r not in held]
