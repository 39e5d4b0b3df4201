"""What is known once more is told. Nobody who says that something is there is overheard, and nothing is dropped in silence.

    known            told now             known then
    anything         not known            as before
    not known        anything             as told now
    doubtful         anything             as told now
    there or not     doubtful, the same   as before
    absent           present, or rather   as told now: it has come since, or was overlooked
    a state          a number in it       the number, and so the other way round
    anything else    something else       a contradiction

What a present finding brings along is present, so an earlier denial of that no longer counts either.
"""

from calfbayes.errors import ContradictionError
from calfbayes.evidence import Likelihood, Value, implied_by, state_of
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network
from calfbayes.questionnaire.terms import Statements


def with_told(network: Network, known: Statements, more: Statements) -> dict[str, Value]:
    """What is known after more was told; logic between the answers is not looked at.

    Raises:
        ContradictionError: If one thing was told in two ways.
    """
    brought = frozenset[str]().union(*(implied_by(network, name)[0] for name in _present(network, more)))
    result = {name: value for name, value in known.items() if value is not False or name not in brought}
    for name, value in more.items():
        before = result.get(name)
        if before is None or _replaces(network, name, before, value):
            result[name] = value
    return result


def without_overlooked(network: Network, known: Statements, said: Statements) -> dict[str, Value]:
    """What a screen said without its empty boxes for what is present: who told of it has overlooked the box."""
    present = (*_present(network, known), *_present(network, said))
    there = {name for name, value in known.items() if value is True}.union(*(implied_by(network, n)[0] for n in present))
    return {name: value for name, value in said.items() if value is not False or name not in there}


def _present(network: Network, statements: Statements) -> tuple[str, ...]:
    return tuple(name for name, value in statements.items() if value is True and name in network.node_index)


def _replaces(network: Network, name: str, before: Value, now: Value) -> bool:
    """Say whether what is told now takes the place of what was known, and is not the same or nothing."""
    if now is None or now == before:
        return False
    if isinstance(now, Likelihood) and isinstance(before, bool) and (now.ratio >= 1 if before else now.ratio <= 1):
        return False
    if isinstance(before, Likelihood) or (before is False and (now is True or isinstance(now, Likelihood))):
        return True
    record = network.records[name]
    one_is_finer = isinstance(before, str) != isinstance(now, str)
    if isinstance(record, RiskFactor) and one_is_finer and state_of(record, before) == state_of(record, now):
        return not isinstance(now, str)
    raise ContradictionError((name,), f"told as {before}, then as {now}")
