"""How urgent: the more urgent of what the model expects and of what the red-flag rules demand.

(a) The model's level has the least expected loss under the table of the model file, the needed level being that of the
    most urgent cause or complication that is present. The table's differences decrease, so more danger never lowers it.
(b) A rule speaks only of what is present, so a rule that holds keeps holding when more is learnt, and the level is
    never below that of a rule that holds.

References:
    Topkis (1998), Supermodularity and complementarity: decreasing differences make the best choice monotone.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from calfbayes.diagnosis.foresight import Foresight
from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.rules import because, could_hold, holds, unasked
from calfbayes.evidence import Evidence
from calfbayes.inference.exact import Posterior
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, Complication, Level, Rule
from calfbayes.network import Network

NAMED = 3  # causes of a kind in one reason


class Outcome(StrEnum):
    """How far a result may be relied on."""

    ASSESSED = "assessed"
    INSUFFICIENT = "insufficient"
    OUTSIDE_SCOPE = "outside_scope"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the urgency is at least some level.

    Attributes:
        origin: `rule`, `model`, or `setting` if there are no probabilities.
        id: Id of the rule, or of the cause or complication that weighs most.
        sources: Ids in the bibliography; empty for the model's own reason.
        because: Ids of the present findings and risk states that made a rule fire.
    """

    level: Level
    origin: str
    id: str
    text: str
    sources: tuple[str, ...] = ()
    because: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A rule that answers not yet given could still fire.

    Attributes:
        ask: Ids to ask about.
        chance: Roughly how probable it is that it would fire if all of them were asked; see `foresight`.
    """

    id: str
    level: Level
    text: str
    ask: tuple[str, ...]
    chance: float


@dataclass(frozen=True, slots=True)
class UrgencyResult:
    """The urgency flag with its parts.

    Attributes:
        level: The more urgent of the model's level and of every rule that holds.
        label: The level in words.
        action: What to do, in words.
        reasons: Why, most urgent first.
        model_level: The level with least expected loss; None if there are no probabilities.
        level_probabilities: P(this level is needed), least urgent first; empty if there are no probabilities.
        expected_loss: Expected loss of acting at each level, least urgent first; empty likewise.
        open_rules: Rules that unasked answers could still fire, most urgent first, of equal level the most probable first.
        policy: The table of losses and the rules that were used.
        policy_origin: Whether they are the model's, or a caller's that is stricter or laxer.
    """

    level: Level
    label: str
    action: str
    reasons: tuple[Reason, ...]
    model_level: Level | None
    level_probabilities: tuple[float, ...]
    expected_loss: tuple[float, ...]
    open_rules: tuple[OpenRule, ...]
    policy: UrgencyPolicy = field(repr=False)
    policy_origin: PolicyOrigin

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = [str(level) for level in LEVELS_BY_SEVERITY]
        return {
            "level": str(self.level),
            "label": self.label,
            "action": self.action,
            "policy": str(self.policy_origin),
            "reasons": [
                {
                    "level": str(reason.level),
                    "origin": reason.origin,
                    "id": reason.id,
                    "text": reason.text,
                    "sources": list(reason.sources),
                    "because": list(reason.because),
                }
                for reason in self.reasons
            ],
            "model_level": None if self.model_level is None else str(self.model_level),
            "level_probabilities": dict(zip(names, self.level_probabilities, strict=False)),
            "expected_loss": dict(zip(names, self.expected_loss, strict=False)),
            "open_rules": [
                {"id": r.id, "level": str(r.level), "text": r.text, "ask": list(r.ask), "chance": r.chance}
                for r in self.open_rules
            ],
        }


def assess(
    network: Network,
    evidence: Evidence,
    policy: UrgencyPolicy,
    origin: PolicyOrigin,
    posterior: Posterior | None,
    baseline: Posterior,
) -> UrgencyResult:
    """Find the urgency level and its reasons.

    Args:
        policy: The table of losses and the rules to go by, and whose they are.
        posterior: What the engine found, with labels by severity. None if there are no probabilities: then the level is
            at least that of a person of whom only the care setting is known.
        baseline: The same for a person of whom only the care setting is known.
    """
    known = posterior or baseline
    foresight = Foresight(network, evidence, known.hidden)
    reasons = [_reason_of(rule, evidence) for rule in policy.rules if holds(rule.condition, evidence)]
    probabilities: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    model_level = None
    expected = (*known.labels, *[0.0] * (len(Level) - len(known.labels)))  # no cause is more urgent
    if posterior is None:
        least = policy.least_loss(expected)
        reasons.append(
            Reason(least, "setting", "", "No probabilities: the level of people of whom only the care setting is known.")
        )
    else:
        probabilities, losses = expected, policy.expected_losses(expected)
        model_level = policy.least_loss(expected)
        reasons.append(_reason_of_model(network, policy, model_level, probabilities, posterior, baseline))
    reasons.sort(key=lambda reason: (-reason.level.severity, reason.origin != "rule", reason.id))
    level = reasons[0].level
    text = policy.text_of(level)
    open_rules = tuple(
        sorted(
            (
                OpenRule(
                    rule.id,
                    rule.level,
                    rule.reason,
                    unasked(rule.condition, evidence),
                    foresight.chance(rule.condition),
                )
                for rule in policy.rules
                if rule.level.severity > level.severity and could_hold(rule.condition, evidence)
            ),
            key=lambda rule: (-rule.level.severity, -rule.chance, rule.id),
        )
    )
    return UrgencyResult(
        level, text.label, text.action, tuple(reasons), model_level, probabilities, losses, open_rules, policy, origin
    )


def _reason_of(rule: Rule, evidence: Evidence) -> Reason:
    return Reason(rule.level, "rule", rule.id, rule.reason, rule.sources, because(rule.condition, evidence))


def _reason_of_model(
    network: Network,
    policy: UrgencyPolicy,
    level: Level,
    probabilities: tuple[float, ...],
    posterior: Posterior,
    baseline: Posterior,
) -> Reason:
    """What weighs most among the causes and complications that need at least this level, or what speaks for less."""
    records: dict[int, Cause | Complication] = {}
    for node in (*network.causes, *network.complications):
        record = network.records[network.nodes[node].id]
        if isinstance(record, Cause | Complication):
            records[node] = record
    p = posterior.hidden
    ranked = sorted(records, key=lambda node: (-p[node], records[node].id))
    what = policy.text_of(level).label
    if level > Level.ROUTINE:
        top = next((node for node in ranked if records[node].urgency >= level), None)
        chance = sum(probabilities[level.severity :])
        named = f", most of it {_named(records[top], p[top])}" if top is not None else ""
        text = f"{what} has the least expected loss: the chance that it or more is needed is {_percent(chance)}{named}."
        return Reason(level, "model", records[top].id if top is not None else "", text)
    likely = [node for node in ranked if records[node].urgency <= level][:NAMED]
    dangers = [node for node in ranked if records[node].urgency > Level.ROUTINE]
    cleared = sorted(
        (node for node in dangers if p[node] < baseline.hidden[node] / 2), key=lambda node: p[node] - baseline.hidden[node]
    )[:NAMED]
    parts = [f"{what} has the least expected loss."]
    if likely:
        parts.append(f"Most likely: {', '.join(_named(records[node], p[node]) for node in likely)}.")
    if cleared:
        fallen = (f"{_named(records[node], p[node])} (from {_percent(baseline.hidden[node])})" for node in cleared)
        parts.append(f"Made less likely: {', '.join(fallen)}.")
    if dangers:
        more = policy.text_of(Level.WITHIN_DAYS).label.lower()
        chance = sum(probabilities[Level.WITHIN_DAYS.severity :])
        parts.append(
            f"What remains: a chance of {_percent(chance)} that {more} or sooner is needed, most of it "
            f"{_named(records[dangers[0]], p[dangers[0]])}."
        )
    return Reason(level, "model", records[likely[0]].id if likely else "", " ".join(parts))


def _named(record: Cause | Complication, probability: float) -> str:
    return f"{record.label} {_percent(probability)}"


def _percent(p: float) -> str:
    if p < 0.001:
        return "under 0.1 %"
    return f"{p:.1%}".replace("%", " %") if p < 0.1 else f"{p:.0%}".replace("%", " %")
