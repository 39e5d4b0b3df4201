"""The urgency policy: what a wrong level costs, and the rules below which no level falls. A plain value that never changes.

With a table of decreasing differences, more danger never lowers the level with the least expected loss. One policy is at
least as strict as another if it never gives a lower level, whatever is known. That is shown here, not sampled:

    table   for each pair of levels a < b some c >= 0 with  p[b][n] - p[a][n]  <=  c (q[b][n] - q[a][n])  for every need n.
            Then p prefers b to a wherever q does (Farkas' lemma: for one pair this is also necessary). What cannot be shown so
            counts as laxer.
    rules   on every smallest set of facts that fires a rule of q, a rule of p with at least its level fires.
    words   p calls the levels as q does: nobody can compute what another text leads people to do.
    doubt   p counts at least as many standard deviations, from a level at most as high; and no less where they are too dear.

Doubt about the numbers counts as danger: from the level that `caution` names on,

    logit P(level or more is needed)  +  deviations * (its standard deviation)

takes the place of the log odds. So doubt moves probability upwards only, and with decreasing differences more doubt never
lowers the level.

References:
    Topkis (1998), Supermodularity and complementarity: decreasing differences make the best choice monotone.
    Farkas (1902), Theorie der einfachen Ungleichungen.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Any

from calfbayes.diagnosis.rules import minimal_sets
from calfbayes.errors import ArgumentError
from calfbayes.knowledge.terms import (
    LEVELS_BY_SEVERITY,
    AllOf,
    AnyOf,
    Atom,
    Cause,
    Caution,
    Complication,
    Condition,
    Finding,
    Level,
    LevelText,
    RiskFactor,
    Rule,
    Urgency,
    atoms,
)
from calfbayes.knowledge.wording import short
from calfbayes.network import Network

ROUNDING = 1e-12
MOST_LOSS = 1e9


class PolicyOrigin(StrEnum):
    """Whose policy a result rests on."""

    MODEL = "model"
    STRICTER = "stricter than the model's"
    LAXER = "laxer than the model's"


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where the level changes if only two levels can be needed: the reading aid of a table of losses.

    Attributes:
        otherwise: The level needed if the danger is not there.
        danger: The level needed if it is.
        probability: From this probability of the danger on ...
        level: ... this is the level with the least expected loss.
    """

    otherwise: Level
    danger: Level
    probability: float
    level: Level

    def __str__(self) -> str:
        return f"{self.otherwise} or {self.danger}: {self.level} from {self.probability:.2f}"


@dataclass(frozen=True, slots=True, repr=False)
class UrgencyPolicy:
    """Levels in words, the table of losses, and the red-flag rules; `dataclasses.replace` makes another one.

    Attributes:
        levels: How each level is shown.
        loss: `loss[a][n]` is the cost of acting at level a when level n was needed; both by severity, least first.
        rules: The level is never below that of a rule that holds.
        caution: How far doubt about the numbers counts as danger; None if it does not.

    Raises:
        ArgumentError: If the table has another shape, a cost below 0, a cost for acting as needed, or differences that do
            not decrease; if a level has no words, the rules are no rules with an id of their own, or a text of advice has no
            kinds; or if the deviations are no number from 0.
    """

    levels: tuple[LevelText, ...]
    loss: tuple[tuple[float, ...], ...]
    rules: tuple[Rule, ...]
    caution: Caution | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", _table(self.loss))
        object.__setattr__(self, "rules", _rules(self.rules))
        object.__setattr__(self, "caution", _caution(self.caution))
        if not isinstance(self.levels, tuple | list) or {getattr(t, "level", None) for t in self.levels} != set(Level):
            raise ArgumentError("levels", "other levels", f"a LevelText for each of {', '.join(Level)}")
        object.__setattr__(self, "levels", tuple(self.levels))

    def __repr__(self) -> str:
        from calfbayes.presentation.policy import policy_text

        return policy_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.policy import policy_html

        return policy_html(self)

    @property
    def digest(self) -> str:
        """SHA-256 of what `to_dict` tells, as 64 hexadecimal digits: policies that differ in anything have another one."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True, allow_nan=False).encode()).hexdigest()

    @property
    def change_points(self) -> tuple[ChangePoint, ...]:
        """For each pair of needs the probability of the more urgent one at which the level changes."""
        return tuple(point for low, high in combinations(LEVELS_BY_SEVERITY, 2) for point in self._changes(low, high))

    def text_of(self, level: Level) -> LevelText:
        """How a level is shown."""
        return next(text for text in self.levels if text.level == level)

    def expected_losses(self, probabilities: Sequence[float]) -> tuple[float, ...]:
        """Expected loss of acting at each level, least urgent first.

        Args:
            probabilities: P(level is needed), least urgent first; levels that are left out have probability 0.
        """
        return tuple(math.fsum(cost * p for cost, p in zip(row, probabilities, strict=False)) for row in self.loss)

    def least_loss(self, probabilities: Sequence[float]) -> Level:
        """The level with the least expected loss; ties go to the more urgent one."""
        losses = self.expected_losses(probabilities)
        return max(LEVELS_BY_SEVERITY, key=lambda level: (-losses[level.severity], level.severity))

    def cautious(self, probabilities: Sequence[float], deviations: Sequence[float]) -> tuple[float, ...]:
        """The probabilities with doubt counted as danger, as the module says; least urgent first.

        Args:
            probabilities: P(level is needed), least urgent first; levels that are left out have probability 0.
            deviations: Standard deviation of the log odds of P(level or more is needed), from the second level on; of
                levels that are left out it is 0.
        """
        n = len(LEVELS_BY_SEVERITY)
        if self.caution is None or not deviations:
            return (*probabilities, *[0.0] * (n - len(probabilities)))
        at_least = [1.0, *(math.fsum(probabilities[k:]) for k in range(1, n)), 0.0]
        for k, deviation in enumerate(deviations, start=1):
            if k >= self.caution.level.severity:
                at_least[k] = _shifted(at_least[k], self.caution.deviations * deviation)
        for k in range(n - 1, 0, -1):  # what needs more needs as much
            at_least[k] = max(at_least[k], at_least[k + 1])
        return tuple(more - most for more, most in pairwise(at_least))

    @property
    def deviations_if_too_dear(self) -> tuple[float, ...]:
        """The deviations that count where they could not be computed, from the second level on."""
        return (self.caution.if_too_dear if self.caution else 0.0,) * (len(LEVELS_BY_SEVERITY) - 1)

    def is_as_strict_as(self, other: "UrgencyPolicy") -> bool:
        """Say whether this policy surely never gives a lower level than the other one; see the module."""
        return (
            set(self.levels) == set(other.levels)
            and _table_is_as_strict(self.loss, other.loss)
            and _rules_are_as_strict(self.rules, other.rules)
            and _is_as_cautious(self.caution, other.caution)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = [str(level) for level in LEVELS_BY_SEVERITY]
        return {
            "levels": {str(text.level): {"label": text.label, "action": text.action} for text in self.levels},
            "loss": {name: dict(zip(names, row, strict=True)) for name, row in zip(names, self.loss, strict=True)},
            "change_points": [str(point) for point in self.change_points],
            "caution": self.caution and {**asdict(self.caution), "level": str(self.caution.level)},
            "rules": [_rule_to_dict(rule) for rule in self.rules],
        }

    def _changes(self, low: Level, high: Level) -> Iterator[ChangePoint]:
        """Walk along the lower envelope of the expected losses, which are straight lines in the danger's probability."""
        lines = [(row[low.severity], row[high.severity] - row[low.severity]) for row in self.loss]
        at, level = 0.0, max(LEVELS_BY_SEVERITY, key=lambda lv: (-lines[lv.severity][0], -lines[lv.severity][1], lv.severity))
        while True:
            start, slope = lines[level.severity]
            crossings = [
                ((lines[other.severity][0] - start) / (slope - lines[other.severity][1]), other)
                for other in LEVELS_BY_SEVERITY
                if lines[other.severity][1] < slope
            ]
            ahead = [crossing for crossing in crossings if crossing[0] >= at and crossing[0] <= 1.0]
            if not ahead:
                return
            at = min(crossing[0] for crossing in ahead)
            level = min((other for p, other in ahead if p <= at), key=lambda lv: (lines[lv.severity][1], -lv.severity))
            yield ChangePoint(low, high, at, level)


def policy_of(urgency: Urgency) -> UrgencyPolicy:
    """The policy of a model."""
    return UrgencyPolicy(urgency.levels, urgency.loss, urgency.rules, urgency.caution)


def checked_policy(
    policy: UrgencyPolicy | None, network: Network, *, allow_laxer: bool = False
) -> tuple[UrgencyPolicy, PolicyOrigin]:
    """The policy to go by: a caller's, if it may be used with a model, else the model's own.

    Args:
        policy: What the caller gave; None for the model's own.
        allow_laxer: Whether a policy that may give a lower level than the model's is wanted.

    Raises:
        ArgumentError: If it is no policy, a rule speaks of what the model does not know, or it is laxer unasked.
    """
    models = policy_of(network.knowledge.urgency)
    if policy is None or policy == models:
        return models, PolicyOrigin.MODEL
    if not isinstance(policy, UrgencyPolicy):
        raise ArgumentError("policy", short(policy), "an UrgencyPolicy, such as replace(model.urgency_policy, ...)")
    for rule in policy.rules:
        strange = next((atom for atom in atoms(rule.condition) if not _is_known(network, atom)), None)
        if strange:
            expected = "rules about findings that are present and risk states of the model"
            raise ArgumentError("policy", f"rule {rule.id} about {strange}", expected)
        _check_advice(network, rule)
    if policy.is_as_strict_as(models):
        return policy, PolicyOrigin.STRICTER
    if not allow_laxer:
        expected = "one that never gives a lower level; allow_laxer_policy=True permits it, and the result says so"
        raise ArgumentError("policy", "a policy that may be laxer than the model's", expected)
    return policy, PolicyOrigin.LAXER


def _check_advice(network: Network, rule: Rule) -> None:
    unknown = next((name for name in rule.suspects if not isinstance(network.records.get(name), Cause | Complication)), None)
    if unknown is not None:
        raise ArgumentError("policy", f"rule {rule.id} that suspects {short(unknown)}", "ids of causes and complications")
    known = {kind.id for kind in network.knowledge.advice.kinds}
    kinds = {kind for entry in rule.help_kinds for kind in entry} | set(rule.avoid_kinds) - {""}
    if not kinds <= known:
        strange = min(kinds - known, key=str)
        raise ArgumentError("policy", f"rule {rule.id} with advice of kind {short(strange)}", "kinds of advice of the model")


def _is_known(network: Network, atom: Atom) -> bool:
    record = network.records.get(atom.id)
    if isinstance(record, RiskFactor):
        return atom.state in record.states
    return isinstance(record, Finding) and atom.state == "present"


def _table(given: object) -> tuple[tuple[float, ...], ...]:
    n = len(LEVELS_BY_SEVERITY)
    expected = f"{n} rows of {n} costs, by severity, least urgent first"
    if not isinstance(given, tuple | list) or len(given) != n:
        raise ArgumentError("loss", short(given), expected)
    rows: list[tuple[float, ...]] = []
    for acted, row in zip(LEVELS_BY_SEVERITY, given, strict=True):
        if not isinstance(row, tuple | list) or len(row) != n:
            raise ArgumentError(f"loss[{acted.severity}]", short(row), expected)
        for cost in row:
            if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost <= MOST_LOSS:
                raise ArgumentError(f"loss[{acted.severity}]", short(cost), f"costs from 0 to {MOST_LOSS:g}")
        if row[acted.severity] != 0:
            raise ArgumentError(
                f"loss[{acted.severity}][{acted.severity}]", repr(row[acted.severity]), "0: acting as needed costs nothing"
            )
        rows.append(tuple(float(cost) for cost in row))
    for low, high in pairwise(range(n)):
        steps = [rows[high][needed] - rows[low][needed] for needed in range(n)]
        for less, more in pairwise(range(n)):
            if steps[more] > steps[less] + ROUNDING * max(1.0, abs(steps[less])):
                given_steps = f"loss[{high}] - loss[{low}] = {steps[less]:g}, then {steps[more]:g}"
                raise ArgumentError(
                    "loss", given_steps, "decreasing differences: acting higher gains no less, the more urgent the need"
                )
    return tuple(rows)


def _rules(given: object) -> tuple[Rule, ...]:
    if not isinstance(given, tuple | list) or not all(isinstance(rule, Rule) for rule in given):
        raise ArgumentError("rules", short(given), "a tuple of rules")
    ids = [rule.id for rule in given]
    if not all(isinstance(name, str) and name for name in ids):
        raise ArgumentError("rules", "a rule without an id", "an id of its own for each rule")
    if len(set(ids)) < len(ids):
        raise ArgumentError("rules", next(name for name in ids if ids.count(name) > 1), "an id of its own for each rule")
    for rule in given:
        if not isinstance(rule.level, Level) or not _is_condition(rule.condition):
            expected = "a Level, and a condition of Atom, AllOf and AnyOf, none of them empty"
            raise ArgumentError("rules", f"rule {rule.id}: {short(str((rule.level, rule.condition)))}", expected)
        if len(rule.first_help) != len(rule.help_kinds) or len(rule.avoid) != len(rule.avoid_kinds):
            expected = "as many help_kinds as texts of first_help, and as many avoid_kinds as texts of avoid"
            raise ArgumentError("rules", f"rule {rule.id} with advice whose kinds of advice are missing", expected)
    return tuple(given)


def _is_condition(given: object) -> bool:
    if isinstance(given, AllOf | AnyOf):
        return isinstance(given.parts, tuple) and len(given.parts) > 0 and all(map(_is_condition, given.parts))
    return isinstance(given, Atom) and isinstance(given.id, str) and isinstance(given.state, str)


def _caution(given: object) -> Caution | None:
    if given is None:
        return None
    if isinstance(given, Caution) and isinstance(given.level, Level):
        numbers: tuple[object, ...] = given.deviations, given.if_too_dear
        if all(isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x <= MOST_LOSS for x in numbers):
            return replace(given, deviations=float(given.deviations), if_too_dear=float(given.if_too_dear))
    raise ArgumentError("caution", short(given), "a Caution with a Level and numbers from 0, or None")


def _is_as_cautious(mine: Caution | None, other: Caution | None) -> bool:
    if other is None or other.deviations == 0:
        return True
    if mine is None or mine.level > other.level:
        return False
    return mine.deviations >= other.deviations and mine.deviations * mine.if_too_dear >= other.deviations * other.if_too_dear


def _shifted(p: float, by: float) -> float:
    """A probability after a shift of its log odds; what is impossible, or certain, stays so."""
    return p if by == 0.0 or not 0.0 < p < 1.0 else 1.0 / (1.0 + (1.0 - p) / p * math.exp(-by))


def _table_is_as_strict(mine: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> bool:
    needs = range(len(mine))
    return all(
        _is_dominated([mine[b][n] - mine[a][n] for n in needs], [others[b][n] - others[a][n] for n in needs])
        for a, b in combinations(needs, 2)
    )


def _is_dominated(mine: Sequence[float], others: Sequence[float]) -> bool:
    """Say whether mine <= c others, componentwise, for some c >= 0."""
    low, high = 0.0, math.inf
    for m, o in zip(mine, others, strict=True):
        if o > 0:
            low = max(low, m / o)
        elif o < 0:
            high = min(high, m / o)
        elif m > 0:
            return False
    return low <= high * (1 + ROUNDING) if high >= 0 else False


def _rules_are_as_strict(mine: Sequence[Rule], others: Sequence[Rule]) -> bool:
    for other in others:
        rivals = [rule for rule in mine if rule.level >= other.level]
        if any(rule.condition == other.condition for rule in rivals):
            continue
        sets = minimal_sets(other.condition)
        if sets is None or not all(any(_holds_on(rule.condition, one) for rule in rivals) for one in sets):
            return False
    return True


def _holds_on(condition: Condition, facts: frozenset[Atom]) -> bool:
    if isinstance(condition, Atom):
        return condition in facts
    parts = (_holds_on(part, facts) for part in condition.parts)
    return any(parts) if isinstance(condition, AnyOf) else all(parts)


def _rule_to_dict(rule: Rule) -> dict[str, Any]:
    first_help = zip(rule.first_help, rule.help_kinds, strict=True)
    avoid = zip(rule.avoid, rule.avoid_kinds, strict=True)
    return {
        "id": rule.id,
        "level": str(rule.level),
        "reason": rule.reason,
        "source": list(rule.sources),
        "suspects": list(rule.suspects),
        "first_help": [{"text": text, "kinds": list(kinds)} for text, kinds in first_help],
        "avoid": [{"text": text, "kind": kind} for text, kind in avoid],
        "when": _plain(rule.condition),
    }


def _plain(condition: Condition) -> Any:
    if isinstance(condition, Atom):
        return str(condition)
    return {"any" if isinstance(condition, AnyOf) else "all": [_plain(part) for part in condition.parts]}
