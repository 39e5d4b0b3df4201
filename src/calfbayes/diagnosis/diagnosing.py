"""Making a diagnosis: probabilities, then the flag, then how far both may be relied on."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isinf
from typing import Any

from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.outcome import reliance
from calfbayes.diagnosis.policy import UrgencyPolicy, checked_policy
from calfbayes.diagnosis.result import CauseResult, Diagnosis, ModelIdentity
from calfbayes.diagnosis.rules import holds
from calfbayes.diagnosis.typicality import typicality
from calfbayes.diagnosis.urgency import assess
from calfbayes.errors import ContradictionError, QueryTooCostlyError
from calfbayes.evidence import Evidence
from calfbayes.inference.exact import COST_LIMIT, LOWEST_LOG, Posterior, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.sensitivity import infer_with_doubt
from calfbayes.inference.solved import SolvedNetwork, clashing, is_possible, nothing_known, severities
from calfbayes.knowledge.terms import Cause, Complication, Level


def diagnose(
    solved: SolvedNetwork,
    evidence: Evidence,
    *,
    policy: UrgencyPolicy | None = None,
    allow_laxer_policy: bool = False,
    cost_limit: float = COST_LIMIT,
    posterior_by: Any = None,
) -> Diagnosis:
    """Answer for one patient.

    Args:
        policy: Another urgency policy than the model's; see `policy.checked_policy`.
        allow_laxer_policy: Whether it may give lower levels than the model's.
        cost_limit: Largest predicted number of state operations; above it the result has the red flags only.
        posterior_by: Another engine, as a second opinion on the probabilities; the urgency levels stay the own engine's.

    Raises:
        ContradictionError: If the evidence is impossible under the model; it says whether the clashing set is minimal, which
            to make it may cost more than the limit.
        ArgumentError: If the policy cannot be used.
    """
    network = solved.network
    chosen, origin = checked_policy(policy, network, allow_laxer=allow_laxer_policy)
    setting = evidence.setting or network.knowledge.default_setting
    bases = solved.bases[setting]
    encoded = encode(network, evidence)
    refusal = doubt_refused = ""
    demanded = {rule.level for rule in chosen.rules if holds(rule.condition, evidence)}
    counts_doubt = chosen.caution is not None and Level.EMERGENCY not in demanded
    posterior: Posterior | None = None
    deviations: tuple[float, ...] | None = None
    if evidence.get(network.knowledge.complaint) is False:
        refusal = network.knowledge.urgency.said("no_complaint", complaint=network.records[network.knowledge.complaint].label)
    elif encoded == nothing_known(network) and posterior_by is None:
        posterior = solved.baseline[setting]
    else:
        try:
            own, deviations, doubt_refused = _inferred(solved, setting, encoded, counts_doubt, cost_limit)
            if doubt_refused:
                deviations = chosen.deviations_if_too_dear
            if isinf(own.log_joint) and not is_possible(network, bases, encoded, cost_limit=cost_limit):
                raise _contradiction(solved, setting, encoded, evidence, chosen, cost_limit)
            other = posterior_by(network, bases.logits, encoded, cost_limit=cost_limit) if posterior_by else own
            if own.log_joint < LOWEST_LOG:
                refusal = "the answers are so improbable together, below 1e-282, that their probability is lost to rounding"
            elif isinf(other.log_joint):
                refusal = "the second engine lost the evidence to rounding"
            else:
                posterior = Posterior(other.log_joint, other.hidden, own.labels)
        except QueryTooCostlyError as error:
            refusal = str(error)

    if counts_doubt and (posterior is None or posterior is solved.baseline[setting]):
        deviations = _doubt_with_nothing_known(solved, setting)
    shares = {network.nodes[node].id: p for node, p in solved.baseline[setting].hidden.items()}
    nodes = (*network.causes, *network.complications)
    visible = None if posterior is None else {network.nodes[node].id: posterior.hidden[node] for node in nodes}
    urgency = assess(network, evidence, chosen, origin, posterior, solved.baseline[setting], deviations, doubt_refused)
    usual = typicality(solved, setting, evidence)
    relied = reliance(network, evidence, urgency, usual, refusal)
    return Diagnosis(
        evidence=evidence,
        setting=setting,
        causes=_ranked(network.knowledge.causes, visible, shares),
        complications=_ranked(network.knowledge.complications, visible, shares),
        urgency=urgency,
        outcome=relied.outcome,
        outcome_reason=relied.reason,
        would_settle=relied.would_settle,
        typicality=usual,
        assumed=() if evidence.setting else (f"setting={setting}",),
        log_evidence=None if posterior is None else posterior.log_joint - solved.baseline[setting].log_joint,
        model=ModelIdentity(network.knowledge.name, network.knowledge.version, network.knowledge.digest),
        disclaimer=network.knowledge.intended_use,
        _solved=solved,
        _hidden={} if posterior is None else posterior.hidden,
    )


def _inferred(
    solved: SolvedNetwork, setting: str, encoded: Encoded, counts_doubt: bool, cost_limit: float
) -> tuple[Posterior, tuple[float, ...] | None, str]:
    """The posterior; the doubt of its levels if that counts and is not too dear; and why it was refused if it is."""
    network, refused = solved.network, ""
    if counts_doubt:
        try:
            return *infer_with_doubt(solved, setting, encoded, severities(network), cost_limit=cost_limit), ""
        except QueryTooCostlyError as error:
            refused = str(error)
    labels = severities(network)
    return infer(network, solved.bases[setting].logits, encoded, labels=labels, cost_limit=cost_limit), None, refused


@lru_cache(maxsize=32)
def _doubt_with_nothing_known(solved: SolvedNetwork, setting: str) -> tuple[float, ...]:
    nothing = nothing_known(solved.network)
    return infer_with_doubt(solved, setting, nothing, severities(solved.network), cost_limit=float("inf"))[1]


def _ranked(
    records: Sequence[Cause | Complication], posterior: Mapping[str, float] | None, shares: Mapping[str, float]
) -> tuple[CauseResult, ...]:
    if posterior is None:
        return ()
    entries = [CauseResult(r.id, r.label, posterior[r.id], shares[r.id], r.group, r.urgency) for r in records]
    return tuple(sorted(entries, key=lambda entry: (-entry.probability, entry.id)))


def with_level(error: ContradictionError, policy: UrgencyPolicy, *told: Evidence) -> ContradictionError:
    """The same error with the level of the rules that hold on what was told: its own evidence, or any of several."""
    every = told or ((error.told,) if isinstance(error.told, Evidence) else ())
    levels = [rule.level for rule in policy.rules if any(holds(rule.condition, one) for one in every)]
    return ContradictionError(error.clash, error.reason, max(levels, default=None), next(iter(every), None), error.is_minimal)


def _contradiction(
    solved: SolvedNetwork, setting: str, encoded: Encoded, evidence: Evidence, policy: UrgencyPolicy, cost_limit: float
) -> ContradictionError:
    network = solved.network
    clash = clashing(network, solved.bases[setting], encoded, cost_limit=cost_limit)
    answers = {node: on for node, _, on in encoded.findings}
    told = {network.risks[k].id: network.risks[k].states[encoded.risk_states[k]] for k in clash.risks}
    told |= {network.nodes[node].id: "present" if answers[node] else "absent" for node in clash.findings}
    values = ", ".join(f"{name}={value}" for name, value in told.items())
    reason = f"{values} is impossible under the model"
    return with_level(ContradictionError(tuple(told), reason, told=evidence, is_minimal=clash.is_minimal), policy)
