"""A network together with the bases of all its care settings: all that inference needs to know of a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from typing import TypeVar

import numpy as np

from calfbayes.errors import Fault, ModelFileError, QueryTooCostlyError
from calfbayes.inference.bases import Bases, solve_bases
from calfbayes.inference.exact import COST_LIMIT, Posterior, infer, log_joint_of, priced
from calfbayes.inference.plan import make_plan
from calfbayes.inference.price import Purse
from calfbayes.inference.problem import Problem
from calfbayes.inference.reduction import Encoded, Query, reduce, reduce_batch
from calfbayes.knowledge.terms import Cause, Complication
from calfbayes.network import Network, Numbers

T = TypeVar("T")

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
    purse = Purse(COST_LIMIT)
    try:
        problem = reduce(network, np.zeros(network.n_causes), nothing_known(network), purse=purse)
        priced(problem, 1, purse, at_once=max(severities(network)) + 1)
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
    purse = Purse(cost_limit)
    return _possible(_zeros(network, bases, evidence, purse), purse)


def _zeros(network: Network, bases: Bases, evidence: Encoded, purse: Purse) -> Problem:
    """What is left of a query of which the probability is 0 where that of the evidence is, and else not lost to rounding.

    Whether a sum of products of non-negative numbers is 0 depends only on which of them are 0; so all others are set to
    moderate values, a link below 1 to an absent finding, which forbids nothing, to 0, and the leak of a finding to what
    explains the report.
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
    return reduce_batch(network, moderate, Query.of(Encoded(evidence.risk_states, findings)), purse=purse)


def _possible(problem: Problem, purse: Purse) -> bool:
    return not isinf(log_joint_of(problem, priced(problem, 1, purse))[0])


@dataclass(frozen=True, slots=True)
class Clash:
    """Items that the model holds impossible together.

    Attributes:
        risks: Positions of the risk factors.
        findings: Positions of the findings.
        is_minimal: Whether it is known that without any one of them the others are possible. If not, some may have no part
            in the clash: what it would have cost too much to leave out stays.
    """

    risks: tuple[int, ...]
    findings: tuple[int, ...]
    is_minimal: bool


def clashing(network: Network, bases: Bases, evidence: Encoded, *, cost_limit: float = COST_LIMIT) -> Clash:
    """Find what in impossible evidence is impossible together.

    Of the findings as few are kept as clash with all that is known of risk factors, then of the risk factors as few as
    clash with these findings: without findings the questions that leave risk factors open are cheap.

    Args:
        evidence: Impossible under the model.
        cost_limit: What all questions together may cost in state operations, planning included (`Plan.effort`). What a
            question would cost beyond it is not asked, and counts as if what it leaves out were needed.
    """
    purse, all_asked = Purse(cost_limit), True

    def clash(risks: Sequence[int], findings: Sequence[tuple[int, float, float]]) -> bool:
        nonlocal all_asked
        states = tuple(state if k in risks else -1 for k, state in enumerate(evidence.risk_states))
        try:
            problem = _zeros(network, bases, Encoded(states, tuple(sorted(findings))), purse)
            purse.pay(make_plan(problem).effort)
            return not _possible(problem, purse)
        except QueryTooCostlyError:
            all_asked = False
            return False

    known = [k for k, state in enumerate(evidence.risk_states) if state >= 0]
    findings = needed(evidence.findings, lambda some: clash(known, some))
    risks = needed(known, lambda some: clash(some, findings))
    return Clash(tuple(sorted(risks)), tuple(sorted(node for node, _, _ in findings)), all_asked)


def needed(items: Sequence[T], clash: Callable[[Sequence[T]], bool]) -> list[T]:
    """Of items that clash those that do so by themselves; without any one of them the others do not.

    QuickXplain: asks first whether anything is needed at all, and else halves the items and finds out what of each half
    is needed beside the other. With k of n items needed that takes about k log2(n / k) questions.

    Args:
        clash: Whether some of the items clash. Items that are added to a clash do not end it. If no is answered where yes
            is true, more items may be named than need be, but they clash.

    References:
        Junker (2004), QuickXplain: preferred explanations and relaxations for over-constrained problems.
    """

    def of(some: Sequence[T], beside: Sequence[T], *, more_beside: bool) -> list[T]:
        if more_beside and clash(beside):
            return []
        if len(some) == 1:
            return list(some)
        first, second = some[: len(some) // 2], some[len(some) // 2 :]
        of_second = of(second, [*beside, *first], more_beside=True)
        return [*of(first, [*beside, *of_second], more_beside=bool(of_second)), *of_second]

    return of(items, [], more_beside=True) if items else []
