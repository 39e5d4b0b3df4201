"""How urgent: the more urgent of what the model expects and of what the red-flag rules demand.

(a) The model's level has the least expected loss under the table of the model file, the needed level being that of the
    most urgent cause or complication that is present. The table's differences decrease, so more danger never lowers it.
(b) A rule speaks only of what is present, so a rule that holds keeps holding when more is learnt, and the level is
    never below that of a rule that holds.

References:
    Topkis (1998), Supermodularity and complementarity: decreasing differences make the best choice monotone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.rules import because, could_hold, holds, unasked
from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, Complication, Level, Rule
from calfbayes.network import Network


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
    """A rule that answers not yet given could still fire."""

    id: str
    level: Level
    text: str
    ask: tuple[str, ...]


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
        open_rules: Rules that unasked answers could still fire, most urgent first.
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
            "open_rules": [{"id": r.id, "level": str(r.level), "text": r.text, "ask": list(r.ask)} for r in self.open_rules],
        }


def assess(
    network: Network,
    evidence: Evidence,
    policy: UrgencyPolicy,
    origin: PolicyOrigin,
    posterior: Mapping[str, float] | None,
    level_probabilities: Sequence[float],
) -> UrgencyResult:
    """Find the urgency level and its reasons.

    Args:
        policy: The table of losses and the rules to go by, and whose they are.
        posterior: Probability of each cause and complication by id. None if there are no probabilities: then the level
            is at least that of a person of whom only the care setting is known.
        level_probabilities: P(needed level = L | evidence), least urgent first; without probabilities, that of a person
            of whom only the care setting is known.
    """
    reasons = [_reason_of(rule, evidence) for rule in policy.rules if holds(rule.condition, evidence)]
    probabilities: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    model_level = None
    expected = (*level_probabilities, *[0.0] * (len(Level) - len(level_probabilities)))  # no cause is more urgent
    if posterior is None:
        least = policy.least_loss(expected)
        reasons.append(
            Reason(least, "setting", "", "No probabilities: the level of people of whom only the care setting is known.")
        )
    else:
        probabilities, losses = expected, policy.expected_losses(expected)
        model_level = policy.least_loss(expected)
        reasons.append(_reason_of_model(network, policy, model_level, probabilities, posterior))
    reasons.sort(key=lambda reason: (-reason.level.severity, reason.origin != "rule", reason.id))
    level = reasons[0].level
    text = policy.text_of(level)
    open_rules = tuple(
        sorted(
            (
                OpenRule(rule.id, rule.level, rule.reason, unasked(rule.condition, evidence))
                for rule in policy.rules
                if rule.level.severity > level.severity and could_hold(rule.condition, evidence)
            ),
            key=lambda rule: (-rule.level.severity, rule.id),
        )
    )
    return UrgencyResult(
        level, text.label, text.action, tuple(reasons), model_level, probabilities, losses, open_rules, policy, origin
    )


def _reason_of(rule: Rule, evidence: Evidence) -> Reason:
    return Reason(rule.level, "rule", rule.id, rule.reason, rule.sources, because(rule.condition, evidence))


def _reason_of_model(
    network: Network, policy: UrgencyPolicy, level: Level, probabilities: tuple[float, ...], posterior: Mapping[str, float]
) -> Reason:
    """Name what weighs most among the causes and complications that need at least this level."""
    records: list[Cause | Complication] = [*network.knowledge.causes, *network.knowledge.complications]
    weighty = [record for record in records if record.urgency.severity >= level.severity]
    top = max(weighty, key=lambda record: (posterior[record.id], record.id), default=None)
    chance = sum(probabilities[level.severity :])
    what = policy.text_of(level).label
    named = f", most of it {top.label} at {posterior[top.id]:.0%}" if top and level != Level.SELF_CARE else ""
    text = f"{what} has the least expected loss: the chance that it or more is needed is {chance:.0%}{named}."
    return Reason(level, "model", top.id if top else "", text)
