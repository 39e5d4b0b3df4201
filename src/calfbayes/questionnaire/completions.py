"""Whole patients who would have told what this one told: what the rest of the answers could still change.

Risk states, causes and mechanisms are drawn forwards from the model with the known risk states held, each node's odds
shifted so that it comes about as often as in the posterior; a draw weighs

    w = P(known risk states) * product over hidden nodes of P(node) / Q(node) * product over known findings of P(answer)

and patients are drawn again in proportion to w. So the weights make it exact, however rough the shifts are, up to the
number of draws; the effective number (sum w)^2 / sum w^2 tells how far they carry. What a patient can tell is then drawn
too, and the level of the whole patient is computed as `diagnose` would.

References:
    Rubin (1987), A noniterative sampling/importance resampling alternative to data augmentation.
    Kong, Liu, Wong (1994), Sequential imputations and Bayesian missing data problems: the effective number of draws.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.policy import UrgencyPolicy
from calfbayes.diagnosis.rules import holds
from calfbayes.errors import ContradictionError, QueryTooCostlyError
from calfbayes.evidence import Evidence, Likelihood, Value
from calfbayes.inference.exact import infer
from calfbayes.inference.sensitivity import infer_with_doubt
from calfbayes.inference.simulation import chance_present, draw_findings
from calfbayes.inference.solved import SolvedNetwork, severities
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import Level, Observer
from calfbayes.network import Network

DRAWN = 6_000
MOST_SHIFT = 4.0  # of a node's log odds
CLIP = 1e-9
MOST_DEVIATIONS = 2.5  # of log odds of a level; half as much is seen where next to nothing else is possible


def completions(
    solved: SolvedNetwork, setting: str, evidence: Evidence, hidden: Mapping[int, float], n: int, seed: int
) -> Iterator[dict[str, Value]]:
    """Draw patients who tell what is known, and everything else that a patient can tell.

    Args:
        hidden: Posterior of causes, complications and mechanisms now, by position.
        n: How many are drawn; those whose answers contradict the evidence by logic are left out.
        seed: Of the random generator.

    Yields:
        All answers, those that are known included.
    """
    network = solved.network
    generator = np.random.default_rng(seed)
    states, log_weights = _risks(network, evidence, generator)
    chance = _hidden(network, solved.bases[setting].logits, states, hidden, log_weights, generator)
    _weigh(network, evidence, chance, log_weights)
    if np.isneginf(log_weights).all():
        return
    weights = np.exp(log_weights - log_weights.max())
    rows = generator.choice(DRAWN, size=n, p=weights / weights.sum())
    findings = draw_findings(network, {name: p[rows] for name, p in chance.items()}, n, generator)
    for k, row in enumerate(rows):
        answers = dict(evidence.items())
        for risk, state in zip(network.risks, states, strict=True):
            if risk.id not in evidence.risk_states:
                answers[risk.id] = _state(risk.states, int(state[row]))
        for finding in network.knowledge.findings:
            name = finding.id
            if finding.observer == Observer.PATIENT and name != network.knowledge.complaint and answers.get(name) is None:
                is_there = name in evidence.surely_present
                answers[name] = is_there or (name not in evidence.surely_absent and bool(findings[name][k]))
        yield answers


def level_of(
    solved: SolvedNetwork,
    setting: str,
    evidence: Evidence,
    policy: UrgencyPolicy,
    cost_limit: float,
    *,
    weighed: Evidence | None = None,
) -> Level | None:
    """The level that `diagnose` would give; None if the answers are impossible together.

    Doubt about the numbers is computed only where deviations from 0 to `MOST_DEVIATIONS` would not all give the same level.

    Args:
        weighed: A part of the evidence: the rules look at all of it, the model at this part only. None for all of it.

    Raises:
        QueryTooCostlyError: If it is too dear.
    """
    fired = [rule.level for rule in policy.rules if holds(rule.condition, evidence)]
    if Level.EMERGENCY in fired:
        return Level.EMERGENCY
    network = solved.network
    encoded, labels = encode(network, evidence if weighed is None else weighed), severities(network)
    posterior = infer(network, solved.bases[setting].logits, encoded, labels=labels, cost_limit=cost_limit)
    if not posterior.labels:
        return None
    least = max([policy.least_loss(posterior.labels), *fired])
    most = max([policy.least_loss(policy.cautious(posterior.labels, (MOST_DEVIATIONS,) * max(labels))), *fired])
    if least == most:
        return least
    try:
        deviations = infer_with_doubt(solved, setting, encoded, labels, cost_limit=cost_limit)[1]
    except QueryTooCostlyError:  # as in a diagnosis
        deviations = policy.deviations_if_too_dear
    return max([policy.least_loss(policy.cautious(posterior.labels, deviations)), *fired])


def with_answers(evidence: Evidence, answers: Mapping[str, Value]) -> Evidence | None:
    """The evidence with these answers; None if logic rules them out together."""
    try:
        return evidence.with_(answers)
    except ContradictionError:
        return None


def _risks(network: Network, evidence: Evidence, generator: np.random.Generator) -> tuple[list[NDArray[np.intp]], Array]:
    """States of the risk factors, shape (draws,) each, and the log of the probability of those that are known."""
    states: list[NDArray[np.intp]] = []
    log_weights = np.zeros(DRAWN)
    for risk in network.risks:
        chances = np.broadcast_to(risk.prior[tuple(states[parent] for parent in risk.parents)], (DRAWN, len(risk.states)))
        known = evidence.risk_states.get(risk.id)
        if known is None:
            states.append((generator.random(DRAWN)[:, None] >= chances.cumsum(axis=-1)[:, :-1]).sum(axis=-1))
        else:
            state = risk.states.index(known)
            states.append(np.full(DRAWN, state))
            with np.errstate(divide="ignore"):
                log_weights += np.log(chances[:, state])
    return states, log_weights


def _hidden(
    network: Network,
    cause_logits: Array,
    states: Sequence[NDArray[np.intp]],
    posterior: Mapping[int, float],
    log_weights: Array,
    generator: np.random.Generator,
) -> dict[str, Array]:
    """Draw the hidden nodes; their weights are added. Returns the chance of each finding by id, shape (draws,)."""
    present: list[NDArray[np.bool_]] = []
    chance: dict[str, Array] = {}
    for position, node in enumerate(network.nodes):
        p = chance_present(network, cause_logits, position, states, present, DRAWN)
        if position >= network.n_hidden:
            chance[node.id] = p
            continue
        q = _shifted(p, posterior.get(position))
        drawn = generator.random(DRAWN) < q
        with np.errstate(divide="ignore", invalid="ignore"):
            log_weights += np.where(drawn, np.log(p / q), np.log((1.0 - p) / (1.0 - q)))
        present.append(drawn)
    return chance


def _shifted(p: Array, posterior: float | None) -> Array:
    """Probabilities whose mean is about the posterior; 0 and 1 stay."""
    mean = float(p.mean())
    if posterior is None or not 0 < mean < 1:
        return p
    target = min(max(posterior, CLIP), 1 - CLIP)
    shift = np.clip(np.log(target / (1 - target)) - np.log(mean / (1 - mean)), -MOST_SHIFT, MOST_SHIFT)
    odds = p / np.maximum(1.0 - p, 1e-300) * np.exp(shift)
    return np.where(p >= 1.0, 1.0, odds / (1.0 + odds))


def _weigh(network: Network, evidence: Evidence, chance: Mapping[str, Array], log_weights: Array) -> None:
    """Add the log of the probability of what is known of the findings, the complaint included."""
    known: dict[str, Value] = {**evidence, network.knowledge.complaint: True}
    for name, value in known.items():
        if name in chance and value is not None:
            p = chance[name]
            ratio = value.ratio if isinstance(value, Likelihood) else float(value is True)
            rest = 1.0 if isinstance(value, Likelihood) else float(value is False)
            likelihood = p * ratio + (1.0 - p) * rest
            with np.errstate(divide="ignore"):
                log_weights += np.log(likelihood)


def _state(states: Sequence[str], position: int) -> Value:
    state = states[position]
    return state == "present" if tuple(states) == ("absent", "present") else state
