"""A network together with the bases of all its care settings: all that inference needs to know of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isinf

import numpy as np

from calfbayes.errors import Fault, ModelFileError, QueryTooCostlyError
from calfbayes.inference.bases import Bases, solve_bases
from calfbayes.inference.exact import COST_LIMIT, Posterior, answer, infer, priced
from calfbayes.inference.reduction import Encoded, Query, reduce
from calfbayes.knowledge.terms import Cause, Complication
from calfbayes.network import Network, Numbers


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
        priced(problem, 1, COST_LIMIT)
    except QueryTooCostlyError as error:
        shared = f"with nothing known a query would need {error.operations:.2g} operations, the limit is {error.limit:.2g}"
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


def is_possible(network: Network, bases: Bases, evidence: Encoded) -> bool:
    """Say whether the model holds evidence possible at all, however improbable.

    Whether a sum of products of non-negative numbers is 0 depends only on which of them are 0; so all others are set to
    moderate values, and nothing is lost to rounding.
    """
    numbers = network.numbers(bases.logits)
    moderate = Numbers(
        np.where(np.isinf(numbers.logits), numbers.logits, 0.0),
        np.where((numbers.links > 0.0) & (numbers.links < 1.0), 0.5, numbers.links),
        np.where(np.isinf(numbers.log_odds), numbers.log_odds, 0.0),
        np.where(numbers.priors > 0.0, 1.0, 0.0),
    )
    findings = tuple((node, float(off > 0.0), float(on > 0.0)) for node, off, on in evidence.findings)
    query = Query.of(Encoded(evidence.risk_states, findings))
    return not isinf(answer(network, moderate, query, cost_limit=inf).log_joint[0])


def clashing(network: Network, bases: Bases, evidence: Encoded) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A set of items that the model holds impossible together, minimal by inclusion.

    Items are left out one after the other, each for good if the rest is still impossible; what remains is minimal
    because impossibility can only end, never begin, when an item is left out.

    Returns:
        Positions of the risk factors and of the findings in the set.
    """
    risks = [k for k, state in enumerate(evidence.risk_states) if state >= 0]
    findings = list(evidence.findings)

    def impossible(kept_risks: list[int], kept_findings: list[tuple[int, float, float]]) -> bool:
        states = tuple(state if k in kept_risks else -1 for k, state in enumerate(evidence.risk_states))
        return not is_possible(network, bases, Encoded(states, tuple(kept_findings)))

    for risk in list(risks):
        rest = [other for other in risks if other != risk]
        if impossible(rest, findings):
            risks = rest
    for finding in list(findings):
        remaining = [other for other in findings if other != finding]
        if impossible(risks, remaining):
            findings = remaining
    return tuple(risks), tuple(finding[0] for finding in findings)
