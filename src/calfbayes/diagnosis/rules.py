"""Conditions of red-flag rules, held against evidence: which hold, which are open, what would fire or close them.

A condition is monotone: it speaks of what is present only. So it is the same as the list of its smallest sufficient sets
(its prime implicants), and it is ruled out exactly by denying one atom of each of them.

References:
    Quine (1953), Two theorems about truth functions: a monotone function has one irredundant form, its prime implicants.
"""

from collections.abc import Iterable, Sequence

from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import AnyOf, Atom, Condition, Finding, Observer, RiskFactor, atoms
from calfbayes.network import Network

MOST_SETS = 20_000


def holds(condition: Condition, evidence: Evidence) -> bool:
    """Say whether a condition holds on what is known to be present, or all but surely so."""
    if isinstance(condition, Atom):
        return _state(condition, evidence) == condition.state
    parts = (holds(part, evidence) for part in condition.parts)
    return any(parts) if isinstance(condition, AnyOf) else all(parts)


def could_hold(condition: Condition, evidence: Evidence) -> bool:
    """Say whether a condition holds if every answer that a patient could still give turns out for it.

    An answer "not known" and a doubtful report, unless it is all but sure, settle nothing: the rule stays open.
    """
    if isinstance(condition, Atom):
        return _state(condition, evidence) == condition.state or _unsettled(condition, evidence)
    parts = (could_hold(part, evidence) for part in condition.parts)
    return any(parts) if isinstance(condition, AnyOf) else all(parts)


def unasked(condition: Condition, evidence: Evidence) -> tuple[str, ...]:
    """Ids to ask about, in the branches that can still fire."""
    if not could_hold(condition, evidence):
        return ()
    if isinstance(condition, Atom):
        return (condition.id,) if _unsettled(condition, evidence) else ()
    return tuple(dict.fromkeys(name for part in condition.parts for name in unasked(part, evidence)))


def because(condition: Condition, evidence: Evidence) -> tuple[str, ...]:
    """The atoms of a condition that hold, each as text."""
    return tuple(dict.fromkeys(str(atom) for atom in atoms(condition) if holds(atom, evidence)))


def minimal_sets(condition: Condition, evidence: Evidence | None = None) -> frozenset[frozenset[Atom]] | None:
    """The smallest sets of atoms that make a condition hold; none contains another.

    Args:
        evidence: If given, what is known to be present is taken as given and what is settled otherwise as impossible: the
            sets are of atoms that patients could still report. An empty set means that the condition holds already.

    Returns:
        None if there are more than some ten thousand: such a condition is too entangled to list.
    """
    if isinstance(condition, Atom):
        if evidence is not None:
            if holds(condition, evidence):
                return frozenset({frozenset[Atom]()})
            if not _unsettled(condition, evidence):
                return frozenset()
        return frozenset({frozenset({condition})})
    every = [minimal_sets(part, evidence) for part in condition.parts]
    parts = [part for part in every if part is not None]
    if len(parts) < len(every):
        return None
    if isinstance(condition, AnyOf):
        return smallest(one for part in parts for one in part)
    together: frozenset[frozenset[Atom]] = frozenset({frozenset()})
    for part in sorted(parts, key=len):
        if len(together) * len(part) > MOST_SETS:
            return None
        together = smallest(one | other for one in together for other in part if _possible_together(one | other))
    return together


def smallest(sets: Iterable[frozenset[Atom]]) -> frozenset[frozenset[Atom]]:
    """The sets that contain no other one."""
    kept: list[frozenset[Atom]] = []
    for candidate in sorted(set(sets), key=len):
        if not any(other <= candidate for other in kept):
            kept.append(candidate)
    return frozenset(kept)


def closing(conditions: Sequence[Condition], evidence: Evidence) -> tuple[str, ...]:
    """Ids such that, if each is asked and denied, none of the open conditions can hold any more.

    The choice is greedy, the cheapest way out of each condition in turn, so it is small and not always the smallest.
    """
    network = evidence._network
    chosen: dict[str, None] = {}
    for condition in sorted(conditions, key=lambda c: len(unasked(c, evidence))):
        for name in _denied(condition, evidence, chosen, network):
            chosen[name] = None
    return tuple(chosen)


def _denied(condition: Condition, evidence: Evidence, chosen: Iterable[str], network: Network) -> tuple[str, ...]:
    """Ids to deny, beyond those chosen already, so that an open condition cannot hold; the cheapest way."""
    if isinstance(condition, Atom):
        return () if condition.id in chosen else (condition.id,)
    ways = [_denied(part, evidence, chosen, network) for part in condition.parts if _is_open(part, evidence)]
    if isinstance(condition, AnyOf):
        return tuple(dict.fromkeys(name for way in ways for name in way))
    return min(ways, key=lambda way: (sum(_burden(network, name) for name in way), way))


def _is_open(condition: Condition, evidence: Evidence) -> bool:
    return could_hold(condition, evidence) and not holds(condition, evidence)


def _burden(network: Network, name: str) -> int:
    record = network.records[name]
    return record.burden if isinstance(record, Finding | RiskFactor) else 0


def _possible_together(together: Iterable[Atom]) -> bool:
    """Two states of one risk factor never hold together."""
    ids = [atom.id for atom in together]
    return len(ids) == len(set(ids))


def _state(atom: Atom, evidence: Evidence) -> str | None:
    record = evidence._network.records[atom.id]
    if isinstance(record, RiskFactor):
        return evidence.risk_states.get(atom.id)
    return "present" if atom.id in evidence.counted_present else None


def _unsettled(atom: Atom, evidence: Evidence) -> bool:
    if isinstance(evidence.get(atom.id), bool | str | int | float):
        return False
    record = evidence._network.records[atom.id]
    if isinstance(record, RiskFactor):
        return (atom.id, atom.state) in evidence.possible_states
    is_told = isinstance(record, Finding) and record.observer == Observer.PATIENT
    return is_told and atom.id not in evidence.surely_absent
