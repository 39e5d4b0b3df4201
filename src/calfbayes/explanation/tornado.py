"""Which elicited numbers an answer hangs on: one-way effects over each number's own range, and how far each may move.

A number below the causes, a link or a plain background, is followed exactly, in a closed form (`one_way`). The others are
first followed by their derivative: the log odds of the answer are taken for linear in a probability, or in the logarithm of a
ratio. For those that matter most the model is then solved again, with the bases that follow.

A number may move until the first cause or the urgency changes. By the derivative that is where the difference between the
first cause and another, or between the expected losses of two levels, comes to 0; solving again brackets the point. Where
doubt about the numbers counts as danger it is held as large as it is in the result, so that limits of the urgency are near
ones there.

References:
    Chan, Darwiche (2002), When do numbers really matter?: admissible deviations of parameters.
    van der Gaag, Renooij (2001), Analysing sensitivity data from probabilistic networks.
    Howard (1988), Decision analysis, practice and promise: the tornado.
    Anderson, Bjorck (1973), A new high order method of regula falsi type for computing a root of an equation.
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
from calfbayes.explanation.one_way import OneWay
from calfbayes.inference.elicited import PROBABILITIES, ElicitedNumber, ElicitedNumbers, Scale
from calfbayes.inference.ranges import ranges
from calfbayes.inference.sensitivity import Posteriors
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.knowledge.wording import short

if TYPE_CHECKING:
    import pandas as pd

URGENCY, FIRST_CAUSE = "urgency", "first cause"
FARTHEST = 10.0  # standard deviations of a number's doubt; whoever elicited it does not doubt it farther
ROUNDS = 6  # of looking for where the answer changes
CLOSE = 1e-3  # of the way that the derivative says: who moves less has found it
OUTWARDS, FARTHEST_WAY = 1.5, 3.0  # times the way that the derivative says: the next point at most, and the last
OVERSHOOT = 1.5  # times what seems to be left of the way, so that the change is behind
REACH = 3.0  # of the logarithm of a probability: a cause that is so much less probable than the first is no rival of it
CERTAIN = 2.0**-40
RARE = 1e-4
ROUNDING = 1e-9  # of log odds: who moves them less does not move them


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
        exact: Whether that is so, by the closed form or a model solved again; or the derivative was followed.
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
        to: What the first cause, or the level, is then. Causes less than a 20th as probable as the first are not looked at.
        label: The same in words.
        deviations: How far that is, by the derivative, in standard deviations of the number's doubt.
        inside: Whether the limit lies inside the number's 90 % range.
        exact: As in `Effect`. Never of the urgency where doubt about the numbers counts as danger: that doubt is held as large
            as it is, and in an edited model it is another one.
    """

    file: str
    place: str
    changes: str
    value: float
    limit: float | None
    to: str
    label: str
    deviations: float
    inside: bool
    exact: bool


@dataclass(frozen=True, repr=False)
class Sensitivity:
    """What one answer hangs on.

    Attributes:
        of: A cause or complication, or `urgency`.
        quantity: The probability that is followed, in words.
        set_by_rules: Asked about the urgency, the level in words if red-flag rules set it above the model's own, which is what
            the numbers move; otherwise empty.
        probability: With every number as elicited.
        effects: Every number with doubt that moves the probability at all, the widest effect first.
        unmoving: How many numbers with doubt do not move it; a cause that is ruled out is moved by none, or hardly any.
        margins: How far numbers may move, the nearest change first; asked about the urgency, its changes come before those of
            the first cause. Those that were not found when the model was solved again come last. Numbers that change nothing
            within ten standard deviations of their doubt are left out.
    """

    of: str
    quantity: str
    set_by_rules: str
    probability: float
    effects: tuple[Effect, ...]
    unmoving: int
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
            "set_by_rules": self.set_by_rules,
            "probability": self.probability,
            "effects": [{name: getattr(entry, name) for name in Effect.__slots__} for entry in self.effects],
            "unmoving": self.unmoving,
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
        exact: How many effects are exact at least, the widest first; for those without a closed form the model is solved again.
        confirmed: How many margins are, the first ones.
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
    moved = OneWay.of(asked, cost_limit, _looked_at(result, asked, at))
    effects, unmoving = _effects(moved, at, exact)
    margins = _margins(result, moved, confirmed, first=URGENCY if of == URGENCY else "")
    return Sensitivity(of, quantity, _set_by_rules(result, of), float(moved.p[at]), effects, unmoving, margins)


def _set_by_rules(result: Diagnosis, of: str) -> str:
    """The level in words if rules set it above that of the model."""
    urgency = result.urgency
    by_rules = of == URGENCY and urgency.model_level is not None and urgency.model_level < urgency.rules_level
    return urgency.policy.text_of(urgency.rules_level).label if by_rules else ""


def _looked_at(result: Diagnosis, asked: Asked, at: int) -> list[int]:
    """Positions of the causes that may become the first, and of what is followed if it is a node."""
    chance = np.array([result._hidden[node] for node in asked.nodes])
    rivals = chance[: asked.solved.network.n_causes] > np.exp(-REACH) * result.causes[0].probability
    return sorted({*np.flatnonzero(rivals).tolist(), *({at} & set(range(len(asked.nodes))))})


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


def _effects(moved: OneWay, at: int, exact: int) -> tuple[tuple[Effect, ...], int]:
    """Every number that has a range and moves the probability; and how many do not."""
    numbers, p = moved.numbers.numbers, float(moved.p[at])
    ends = ranges(moved.asked.solved, moved.asked.setting)
    some = np.flatnonzero((moved.numbers.deviations > 0.0) & (ends[:, 1] > ends[:, 0]))
    is_exact = moved.closed.copy()
    closed = some[is_exact[some]]
    told = np.full(ends.shape, np.nan)
    told[closed] = moved.at(np.repeat(closed, 2), ends[closed].ravel())[:, at].reshape(-1, 2)
    for k in some[~is_exact[some]].tolist():
        told[k] = _by_derivative(numbers[k], p, float(moved.of_p[at, k]), ends[k])
    width = np.abs(told[:, 1] - told[:, 0])
    moving = some[~(width[some] <= ROUNDING * p * (1.0 - p))]
    widest = moving[np.lexsort((moving, -width[moving]))][:exact]
    again = widest[~is_exact[widest]]
    if len(again):
        alone = [at] if p > RARE else range(moved.asked.n)  # what is rare is not told as the rest of 1
        wanted = alone, np.ones(2 * len(again), dtype=bool)
        told[again] = moved.at(np.repeat(again, 2), ends[again].ravel(), wanted)[:, at].reshape(-1, 2)
        is_exact[again] = True
    entries = []
    for k in moving.tolist():
        low, high = ends[k].tolist()
        at_low, at_high = (None if np.isnan(end) else end for end in told[k].tolist())
        entry = numbers[k]
        entries.append(Effect(entry.file, entry.place, entry.value, low, high, at_low, at_high, exact=bool(is_exact[k])))
    return tuple(sorted(entries, key=lambda effect: -effect.width)), len(some) - len(moving)


def _by_derivative(number: ElicitedNumber, p: float, slope: float, ends: Array) -> Array:
    """The probability at both ends of a range, its log odds linear in the probability or the logarithm of the ratio."""
    x = number.value
    if number.scale == Scale.LOG and ends[0] > 0.0:
        steps = np.log(ends / x)
    else:
        steps = (ends - x) / (x * (1.0 - x) if number.scale == Scale.LOG_ODDS else x if number.scale == Scale.LOG else 1.0)
    if not 0.0 < p < 1.0 - CERTAIN:  # which only a number that is 0 or 1 itself can change
        return np.clip(p + slope * steps, 0.0, 1.0)
    log_odds = np.log(p) - np.log1p(-p) + slope / (p * (1.0 - p)) * steps
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0))))


@dataclass(frozen=True, slots=True)
class _Near:
    """A change that the derivative of a number promises, `step` away on the number's own scale."""

    changes: str
    number: int
    step: float
    to: str


def _margins(result: Diagnosis, moved: OneWay, confirmed: int, *, first: str) -> tuple[Margin, ...]:
    """The nearest change of each kind for every number with doubt, one kind before the other.

    The first ones are confirmed, and all those with a closed form, which cost next to nothing.
    """
    numbers = moved.numbers
    near = [*_first_cause(result, moved), *_urgency(result, moved)]

    def order(one: _Near) -> tuple[bool, float, int, str]:
        deviations = float(abs(one.step) / numbers.deviations[one.number])
        return first not in {"", one.changes}, deviations, one.number, one.changes

    near.sort(key=order)
    ends = ranges(moved.asked.solved, moved.asked.setting)
    some = [rank for rank, one in enumerate(near) if rank < confirmed or moved.closed[one.number]]
    again = dict(zip(some, _confirmed(result, moved, [near[rank] for rank in some]), strict=True))
    labels = {
        FIRST_CAUSE: {entry.id: entry.label for entry in result.causes},
        URGENCY: {str(text.level): text.label.lower() for text in result.urgency.policy.levels},
    }
    margins = []
    for rank, one in enumerate(near):
        entry = numbers.numbers[one.number]
        limit = float(_stepped(entry, np.array([one.step]))[0])
        found = again.get(rank, (limit, one.to))
        at, to = (None, one.to) if found is None else found
        low, high = ends[one.number]
        margins.append(
            Margin(
                entry.file,
                entry.place,
                one.changes,
                entry.value,
                at,
                to,
                labels[one.changes][to],
                abs(one.step) / float(numbers.deviations[one.number]),
                inside=at is not None and bool(low <= at <= high),
                exact=rank in again and not (one.changes == URGENCY and result.urgency.doubt),
            )
        )
    return tuple(sorted(margins, key=lambda margin: margin.limit is None))


def _first_cause(result: Diagnosis, moved: OneWay) -> list[_Near]:
    """Where P(first cause) - P(another), in a closed form, or the difference of their logarithms comes to 0."""
    network = moved.asked.solved.network
    position = {network.nodes[node].id: k for k, node in enumerate(moved.asked.nodes)}
    names = [entry.id for entry in result.causes if moved.p[position[entry.id]] > CERTAIN]
    if len(names) < 2:
        return []
    at = [position[name] for name in names]
    p, of_p = moved.p[at], moved.of_p[at]
    logs, of_logs = np.log(p), of_p / p[:, None]
    slopes = np.where(moved.closed, of_p[1:] - of_p[0], of_logs[1:] - of_logs[0])
    behind = np.where(moved.closed, (p[1:] - p[0])[:, None], (logs[1:] - logs[0])[:, None])
    return _nearest(FIRST_CAUSE, moved, behind, slopes, names[1:])


def _urgency(result: Diagnosis, moved: OneWay) -> list[_Near]:
    """Where another level's expected loss becomes the least, and the rules that hold let that count."""
    loss = np.array(result.urgency.policy.loss)[:, : len(moved.posteriors.labels)]
    model = result.urgency.model_level
    _, rivals = _rivals(result)
    if model is None or not rivals:
        return []
    better = loss[model.severity] - loss[[rival.severity for rival in rivals]]
    counted, of_counted = _counted(result, moved.posteriors)
    return _nearest(URGENCY, moved, (better @ counted)[:, None], better @ of_counted, [str(rival) for rival in rivals])


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


def _nearest(changes: str, moved: OneWay, behind: Array, slopes: Array, names: Sequence[str]) -> list[_Near]:
    """For every number with doubt the shortest step that lets a rival, `behind` now (below 0), draw level.

    Args:
        behind: Shape (rivals, numbers or 1).
        slopes: Shape (rivals, numbers).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(slopes != 0.0, -np.minimum(behind, 0.0) / slopes, np.inf)
    result = []
    for k in np.flatnonzero(moved.numbers.deviations > 0.0).tolist():
        number, of = moved.numbers.numbers[k], steps[:, k]
        if moved.closed[k]:
            of = moved.step(k, of)
        elif number.scale == Scale.ITSELF:
            of = np.where((number.value + of >= 0.0) & ((number.value + of <= 1.0) | _is_ratio(number)), of, np.inf)
        rival = int(np.abs(of).argmin())
        if abs(of[rival]) <= FARTHEST * moved.numbers.deviations[k]:
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


def _confirmed(result: Diagnosis, moved: OneWay, near: Sequence[_Near]) -> list[tuple[float, str] | None]:
    """Where the answer changes by the closed form, or when the model is solved again, and to what; None if it does not.

    All are searched at once, one a lane: first outwards from what the derivative says, or back from where no model is
    coherent; then between an unchanged and a changed point by the rule of Anderson and Bjorck.
    """
    n = len(near)
    low, high = np.zeros(n), np.full(n, np.inf)  # as parts of the way that the derivative says
    gap_now = np.array([_gap(result, moved.asked, one.changes, moved.p)[0] for one in near])
    gap_low, gap_high = gap_now.copy(), np.full(n, np.nan)
    to = [one.to for one in near]
    at, side = np.ones(n), np.zeros(n)
    incoherent = np.full(n, np.inf)  # from here on
    searched = np.arange(n)  # lanes that have not found it
    for _ in range(ROUNDS if near else 0):
        for lane, told in _told(moved, near, at, searched):
            gap, name = _gap(result, moved.asked, near[lane].changes, told)
            if np.isnan(gap):
                incoherent[lane] = at[lane]
            elif gap > 0.0:
                gap_high[lane] *= _pulled(gap, gap_low[lane]) if side[lane] > 0 else 1.0
                low[lane], gap_low[lane], side[lane] = at[lane], gap, 1.0
            else:
                gap_low[lane] *= _pulled(gap, gap_high[lane]) if side[lane] < 0 else 1.0
                high[lane], gap_high[lane], side[lane], to[lane] = at[lane], gap, -1.0, name
        between = np.isfinite(high)
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = low + (high - low) * gap_low / (gap_low - gap_high)
            beyond = low * (1.0 + OVERSHOOT * gap_low / np.maximum(gap_now - gap_low, 0.0) + CLOSE)
        beyond = np.minimum(np.fmin(beyond, low * OUTWARDS), FARTHEST_WAY)
        outer = np.where(np.isfinite(incoherent), (low + incoherent) / 2, beyond)
        at, before = np.where(np.isin(np.arange(n), searched), np.where(between, inner, outer), at), at
        searched = np.flatnonzero(np.where(between, np.abs(at - before) >= CLOSE, at != before))
        if not len(searched):
            break
    return [
        (_moved_to(moved.numbers, one, at[lane]), to[lane]) if np.isfinite(high[lane]) else None
        for lane, one in enumerate(near)
    ]


def _pulled(gap: float, before: float) -> float:
    """By what to multiply the gap at the other end, when two points in a row lie on one side."""
    return 1.0 - gap / before if gap / before < 1.0 else 0.5


def _moved_to(numbers: ElicitedNumbers, one: _Near, part: float) -> float:
    """A number that has gone a part of its way."""
    return float(_stepped(numbers.numbers[one.number], np.array([one.step * part]))[0])


def _told(moved: OneWay, near: Sequence[_Near], at: Array, lanes: NDArray[np.intp]) -> Iterator[tuple[int, Array]]:
    """Yield what models tell in which one number each has gone a part of its way: of causes or levels, whichever change."""
    n_nodes = len(moved.asked.nodes)
    of_urgency = np.array([near[lane].changes == URGENCY for lane in lanes])
    numbers = np.array([near[lane].number for lane in lanes])
    x = np.array([_moved_to(moved.numbers, near[lane], at[lane]) for lane in lanes])
    told = moved.at(numbers, x, (range(n_nodes), ~of_urgency), (range(n_nodes, moved.asked.n), of_urgency))
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
