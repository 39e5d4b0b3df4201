"""A network together with the bases of all its care settings: all that inference needs to know of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf

import numpy as np

from calfbayes.errors import Fault, ModelFileError, QueryTooCostlyError
from calfbayes.inference.bases import Bases, solve_bases
from calfbayes.inference.exact import COST_LIMIT, Posterior, infer, log_joint_of, priced
from calfbayes.inference.reduction import Encoded, Query, reduce, reduce_batch
from calfbayes.knowledge.terms import Cause, Complication
from calfbayes.network import Network, Numbers

ALL_BUT_SURE = 40.0  # a logit: the complement of its probability is below 1e-17


@dataclass(frozen=True, eq=False)
class SolvedNetwork:
    """Immutable, so that one model can be used from many threads.

    Attributes:
        bases: The solved bases of each care setting.
        baseline: The posterior with nothing known but the setting: shares, and P(complaint) as its `log_joint`.
    """

    network: Network
    bases: Mapping[str, Bases]
    baseline: Mapping[str, Posterior]


def solve(network: Network, known: Mapping[str, tuple[Bases, Posterior]] | None = None) -> SolvedNetwork:
    """Solve the bases of every setting that is not known already.

    Raises:
        ModelFileError: If the shares of a setting cannot be reached, or the model is too entangled to answer anything.
    """
    solved = dict(known or {})
    if len(solved) < len(network.knowledge.settings):
        _check_price(network)
    for setting in network.knowledge.settings:
        if setting.id not in solved:
            solved[setting.id] = solve_setting(network, setting.id)
    return SolvedNetwork(
        network,
        {setting: bases for setting, (bases, _) in solved.items()},
        {setting: baseline for setting, (_, baseline) in solved.items()},
    )


def solve_setting(network: Network, setting: str) -> tuple[Bases, Posterior]:
    """The bases of one care setting, and its posterior with nothing known.

    Raises:
        ModelFileError: If its shares cannot be reached.
    """
    bases = solve_bases(network, setting)
    return bases, _baseline(network, bases)


def _check_price(network: Network) -> None:
    """Refuse a model of which not even the empty query can be answered, before anything is computed."""
    try:
        problem = reduce(network, np.zeros(network.n_causes), nothing_known(network), cost_limit=COST_LIMIT)
        priced(problem, 1, COST_LIMIT, at_once=max(severities(network)) + 1)
    except QueryTooCostlyError as error:
        shared = f"with nothing known a query would need {error.needs}"
        fault = Fault("causes", "odds", shared, "let fewer risk factors move more than one cause")
        raise ModelFileError(network.knowledge.name, (fault,)) from None


def _baseline(network: Network, bases: Bases) -> Posterior:
    return infer(network, bases.logits, nothing_known(network), labels=severities(network), cost_limit=float("inf"))


def severities(network: Network) -> tuple[int, ...]:
    """Severity of the urgency of each cause and complication, by position; 0 is self care."""
    records = [network.records[network.nodes[node].id] for node in (*network.causes, *network.complications)]
    return tuple(record.urgency.severity for record in records if isinstance(record, Cause | Complication))


def nothing_known(network: Network) -> Encoded:
    """The evidence of a patient of whom only the complaint and the setting are known."""
    return Encoded((-1,) * len(network.risks), ())


def is_possible(network: Network, bases: Bases, evidence: Encoded, *, cost_limit: float = COST_LIMIT) -> bool:
    """Say whether the model holds evidence possible at all, however improbable.

    Raises:
        QueryTooCostlyError: If that takes more state operations than the limit.
    """
    return _possible(network, bases, evidence, cost_limit)[0]


def _possible(network: Network, bases: Bases, evidence: Encoded, cost_limit: float) -> tuple[bool, float]:
    """Whether evidence is possible, and how many state operations it took to find that out.

    Whether a sum of products of non-negative numbers is 0 depends only on which of them are 0; so all others are set to
    moderate values, a link below 1 to an absent finding, which forbids nothing, to 0, and the leak of a finding to what
    explains the report. Then nothing is lost to rounding.
    """
    numbers = network.numbers(bases.logits)
    absent = {node for node, _, on in evidence.findings if on == 0.0}
    explaining = np.zeros(numbers.logits.shape)
    for node, _, _ in evidence.findings:
        explaining[:, node] = -ALL_BUT_SURE if node in absent else ALL_BUT_SURE
    of_absent = np.array([child in absent for _, child in network.layout.arcs], dtype=bool)
    moderate = Numbers(
        np.where(np.isinf(numbers.logits), numbers.logits, explaining),
        np.where((numbers.links > 0.0) & (numbers.links < 1.0), np.where(of_absent, 0.0, 0.5), numbers.links),
        np.where(np.isinf(numbers.log_odds), numbers.log_odds, 0.0),
        np.where(numbers.priors > 0.0, 1.0, 0.0),
    )
    findings = tuple((node, float(off > 0.0), float(on > 0.0)) for node, off, on in evidence.findings)
    problem = reduce_batch(network, moderate, Query.of(Encoded(evidence.risk_states, findings)), cost_limit=cost_limit)
    program = priced(problem, 1, cost_limit)
    return not isinf(log_joint_of(problem, program)[0]), problem.operations + program.plan.operations


def clashing(
    network: Network, bases: Bases, evidence: Encoded, *, cost_limit: float = COST_LIMIT
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A set of items that the model holds impossible together, minimal by inclusion if the search is not too costly.

    Items are left out one after the other, each for good if the rest is still impossible; what remains is minimal because
    impossibility can only end, never begin, when an item is left out. Findings go first: without them the questions that
    leave risk factors open are cheap. An item stays if it would cost too much to ask whether it may go.

    Args:
        evidence: Impossible under the model.
        cost_limit: Largest predicted number of state operations of all questions together.

    Returns:
        Positions of the risk factors and of the findings in the set.
    """
    risks = [k for k, state in enumerate(evidence.risk_states) if state >= 0]
    findings = list(evidence.findings)
    left = cost_limit

    def impossible(kept_risks: list[int], kept_findings: list[tuple[int, float, float]]) -> bool:
        nonlocal left
        states = tuple(state if k in kept_risks else -1 for k, state in enumerate(evidence.risk_states))
        try:
            possible, operations = _possible(network, bases, Encoded(states, tuple(kept_findings)), left)
        except QueryTooCostlyError:
            return False
        left -= operations
        return not possible

    for finding in list(findings):
        remaining = [other for other in findings if other != finding]
        if impossible(risks, remaining):
            findings = remaining
    for risk in list(risks):
        rest = [other for other in risks if other != risk]
        if impossible(rest, findings):
            risks = rest
    return tuple(risks), tuple(finding[0] for finding in findings)
