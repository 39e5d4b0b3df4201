"""How far a result may be relied on, and which answers would let it be relied on further.

The level of a result is safe for a caller who ignores the outcome: a rule that holds is never overruled by it.
"""

from dataclasses import dataclass

from calfbayes.diagnosis.rules import closing
from calfbayes.diagnosis.urgency import Outcome, UrgencyResult
from calfbayes.evidence import Evidence
from calfbayes.knowledge.chances import in_words
from calfbayes.knowledge.terms import Level
from calfbayes.network import Network


@dataclass(frozen=True, slots=True)
class Reliance:
    """An outcome and what led to it.

    Attributes:
        reason: Why the outcome is not `assessed`; empty if it is.
        would_settle: Ids to ask: with all of them denied no emergency rule can fire any more. First what bears on the
            rules that would most probably fire.
    """

    outcome: Outcome
    reason: str
    would_settle: tuple[str, ...]


def reliance(network: Network, evidence: Evidence, urgency: UrgencyResult, typicality: float | None, refusal: str) -> Reliance:
    """Judge how far a result may be relied on.

    Args:
        typicality: Share of simulated patients who tell nothing more probable; None if that cannot be said.
        refusal: Why there are no probabilities; empty if there are.
    """
    words = network.knowledge.urgency.said
    rules = {rule.id: rule.condition for rule in urgency.policy.rules}
    emergencies = [rule for rule in urgency.open_rules if rule.level == Level.EMERGENCY]
    closers = closing([rules[rule.id] for rule in emergencies], evidence)
    bearing = {name: sum(rule.chance for rule in emergencies if name in rule.ask) for name in closers}
    settle = tuple(sorted(closers, key=lambda name: -bearing[name]))
    outside = _outside(network, evidence, typicality, refusal)
    if outside:
        reasons = dict.fromkeys(filter(None, (outside, refusal)))  # a patient without the complaint has one reason
        return Reliance(Outcome.OUTSIDE_SCOPE, "; ".join(reasons), settle)
    if refusal:
        return Reliance(Outcome.INSUFFICIENT, refusal, settle)
    if not any(value is not None for name, value in evidence.items_by_id if name != network.knowledge.complaint):
        return Reliance(Outcome.INSUFFICIENT, words("nothing_known"), settle)
    if emergencies:
        count = len(emergencies)
        reason = words("open_rule") if count == 1 else words("open_rules", count=count)
        return Reliance(Outcome.INSUFFICIENT, reason, settle)
    return Reliance(Outcome.ASSESSED, "", settle)


def _outside(network: Network, evidence: Evidence, typicality: float | None, refusal: str) -> str:
    """Why the patient is none that the model is about; empty if they may be one."""
    urgency = network.knowledge.urgency
    if evidence.get(network.knowledge.complaint) is False:
        return refusal
    for factor, low, high in network.knowledge.scope:
        given = evidence.get(factor)
        if isinstance(given, int | float) and not low <= given <= high:
            return urgency.said("outside", factor=network.records[factor].label, low=f"{low:g}", high=f"{high:g}")
    if typicality is not None and typicality <= urgency.atypical_below:
        return urgency.said("atypical", share=in_words(typicality, urgency))
    return ""
