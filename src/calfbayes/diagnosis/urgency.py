"""How urgent: the more urgent of what the model expects and of what the red-flag rules demand.

(a) The model's level has the least expected loss under the table of the model file, the needed level being that of the
    most urgent cause or complication that is present. The table's differences decrease, so more danger never lowers it.
    From the level on that the policy names, doubt about the numbers counts as danger, too; see `policy`.
(b) A rule speaks only of what is present, so a rule that holds keeps holding when more is learnt, and the level is
    never below that of a rule that holds.

References:
    Topkis (1998), Supermodularity and complementarity: decreasing differences make the best choice monotone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from calfbayes.diagnosis.foresight import Foresight
from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.rules import because, could_hold, holds, unasked
from calfbayes.evidence import Evidence
from calfbayes.inference.exact import Posterior
from calfbayes.knowledge.chances import in_words
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, Complication, Level, Rule, Urgency
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
class Doubt:
    """How doubt about the elicited numbers counts.

    Attributes:
        deviations: Standard deviation of the log odds of P(level or more is needed) by the delta method, from the second
            level on; where that was too dear, what the policy counts instead.
        probabilities: P(this level is needed) with doubt counted as danger, least urgent first.
        level_without: The level of the result if doubt did not count.
    """

    deviations: tuple[float, ...]
    probabilities: tuple[float, ...]
    level_without: Level


@dataclass(frozen=True, slots=True, repr=False)
class UrgencyResult:
    """The urgency flag with its parts.

    Attributes:
        level: The more urgent of the model's level and of every rule that holds.
        label: The level in words.
        action: What to do, in words.
        reasons: Why, most urgent first.
        model_level: The level with least expected loss, doubt counted as danger; None if there are no probabilities.
        level_probabilities: P(this level is needed), least urgent first; empty if there are no probabilities.
        expected_loss: Expected loss of acting at each level, doubt counted as danger, least urgent first; empty likewise.
        doubt: How doubt about the numbers counts. None if none does: the policy does not count it, a rule demands an
            emergency whatever the numbers are, or there are no probabilities.
        doubt_refused: Why its deviations could not be computed; empty if they were, or need not be.
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
    doubt: Doubt | None
    doubt_refused: str
    policy: UrgencyPolicy
    policy_origin: PolicyOrigin
    _evidence: Evidence = field(compare=False)

    def __repr__(self) -> str:
        from calfbayes.presentation.text import urgency_text

        return urgency_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.flag_display import urgency_html

        return urgency_html(self)

    @property
    def rules_level(self) -> Level:
        """The level of the rules that hold; the lowest if none does."""
        return max((reason.level for reason in self.reasons if reason.origin == "rule"), default=LEVELS_BY_SEVERITY[0])

    @property
    def is_fragile(self) -> bool:
        """Whether the level would be another one if doubt about the numbers did not count."""
        return self.doubt is not None and self.doubt.level_without != self.level

    def level_of(self, probabilities: Sequence[float], floor: Level | None = None) -> Level:
        """The level that other probabilities would give, with doubt as large as it is now.

        Args:
            probabilities: P(this level is needed), least urgent first.
            floor: Level of the rules that would hold; None for those that do.
        """
        counted = self.policy.cautious(probabilities, self.doubt.deviations if self.doubt else ())
        return max(self.policy.least_loss(counted), self.rules_level if floor is None else floor)

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
            "doubt": self.doubt
            and {
                "deviations": {name: _finite(d) for name, d in zip(names[1:], self.doubt.deviations, strict=False)},
                "probabilities": dict(zip(names, self.doubt.probabilities, strict=True)),
                "level_without": str(self.doubt.level_without),
            },
            "doubt_refused": self.doubt_refused,
            "is_fragile": self.is_fragile,
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
    deviations: Sequence[float] | None,
    doubt_refused: str = "",
) -> UrgencyResult:
    """Find the urgency level and its reasons.

    Args:
        policy: The table of losses and the rules to go by, and whose they are.
        posterior: What the engine found, with labels by severity. None if there are no probabilities: then the level is
            at least that of a person of whom only the care setting is known.
        baseline: The same for a person of whom only the care setting is known.
        deviations: Standard deviation of the log odds of P(level or more is needed), from the second level on, of the
            posterior, or of the baseline if there is none; None if doubt is not to be counted.
        doubt_refused: Why not, if it should be.
    """
    known = posterior or baseline
    words = network.knowledge.urgency
    foresight = Foresight(network, evidence, known.hidden)
    reasons = [_reason_of(rule, evidence) for rule in policy.rules if holds(rule.condition, evidence)]
    probabilities: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    model_level = None
    doubt = None
    expected = (*known.labels, *[0.0] * (len(Level) - len(known.labels)))  # no cause is more urgent
    counted = policy.cautious(expected, deviations or ())
    least = policy.least_loss(counted)
    if posterior is None:
        reasons.append(Reason(least, "setting", "", words.said("no_probabilities")))
    else:
        demanded = max((reason.level for reason in reasons), default=LEVELS_BY_SEVERITY[0])
        probabilities, losses, model_level = expected, policy.expected_losses(counted), least
        if deviations is not None:
            doubt = Doubt(tuple(deviations), counted, max(demanded, policy.least_loss(expected)))
        told = _reason_of_model(network, policy, least, probabilities, posterior, baseline)
        of_doubt = _of_doubt(words, policy, least, probabilities, doubt)
        reasons.append(replace(told, text=" ".join(text for text in (told.text, of_doubt) if text)))
        if doubt_refused:
            reasons[-1] = replace(reasons[-1], text=f"{reasons[-1].text} {words.said('no_doubt')}")
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
        level,
        text.label,
        text.action,
        tuple(reasons),
        model_level,
        probabilities,
        losses,
        open_rules,
        doubt,
        doubt_refused,
        policy,
        origin,
        evidence,
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
    words = network.knowledge.urgency
    what = policy.text_of(level).label
    if level > Level.ROUTINE:
        top = next((node for node in ranked if records[node].urgency >= level), None)
        chance = sum(probabilities[level.severity :])
        if top is None:  # a policy may ask for more than any cause needs
            return Reason(level, "model", "", words.said("preferred", level=what))
        text = words.said("danger", level=what, chance=in_words(chance, words), cause=_named(words, records[top], p[top]))
        return Reason(level, "model", records[top].id, text)
    likely = [node for node in ranked if records[node].urgency <= level][:NAMED]
    dangers = [node for node in ranked if records[node].urgency > Level.ROUTINE]
    cleared = sorted(
        (node for node in dangers if p[node] < baseline.hidden[node] / 2), key=lambda node: p[node] - baseline.hidden[node]
    )[:NAMED]
    parts = [words.said("preferred", level=what)]
    if likely:
        parts.append(words.said("likely", causes=", ".join(_named(words, records[node], p[node]) for node in likely)))
    if cleared:
        fallen = (
            words.said(
                "cleared_cause",
                cause=records[node].label,
                chance=in_words(p[node], words),
                before=in_words(baseline.hidden[node], words),
            )
            for node in cleared
        )
        parts.append(words.said("cleared", causes=", ".join(fallen)))
    if dangers:
        more = policy.text_of(Level.WITHIN_DAYS).label.lower()
        chance = sum(probabilities[Level.WITHIN_DAYS.severity :])
        worst = _named(words, records[dangers[0]], p[dangers[0]])
        parts.append(words.said("remains", chance=in_words(chance, words), level=more, cause=worst))
    return Reason(level, "model", records[likely[0]].id if likely else "", " ".join(parts))


def _of_doubt(words: Urgency, policy: UrgencyPolicy, level: Level, probabilities: Sequence[float], doubt: Doubt | None) -> str:
    """What doubt about the numbers changed; empty if nothing."""
    without = policy.least_loss(probabilities)
    if doubt is None or without == level:
        return ""
    chance, bound = (sum(p[level.severity :]) for p in (probabilities, doubt.probabilities))
    return words.said(
        "doubt",
        level=policy.text_of(level).label,
        chance=in_words(chance, words),
        bound=in_words(bound, words),
        without=policy.text_of(without).label,
    )


def _named(words: Urgency, record: Cause | Complication, probability: float) -> str:
    return words.said("cause", cause=record.label, chance=in_words(probability, words))


def _finite(deviation: float) -> float | None:
    """JSON knows no infinity: a probability of 0 or 1 has no finite doubt."""
    return deviation if isfinite(deviation) else None
