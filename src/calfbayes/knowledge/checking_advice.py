"""Checks of advice: the kinds that causes and rules give, warn of and are harmed by are known, and agree."""

import math
from collections.abc import Iterator

from calfbayes.errors import Fault
from calfbayes.knowledge.checking_conditions import condition_faults
from calfbayes.knowledge.index import Index, file_of
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Cause, Complication, Rule
from calfbayes.knowledge.wording import nearest

FILE = "advice.toml"


def advice_is_sound(index: Index) -> Iterator[Fault]:
    """What a cause or rule names exists, nothing advises what harms, and every urgency has its bound."""
    kinds = [kind.id for kind in index.knowledge.advice.kinds]
    records: list[Cause | Complication] = [*index.knowledge.causes, *index.knowledge.complications]
    for record in records:
        file, care = file_of(index.roles[record.id], record.id), record.care
        told = [*_told("care.helps", care.help_kinds), *_told("care.avoid", [(kind,) for kind in care.avoid_kinds])]
        for place, kind in (*told, *(("care.harmed_by", kind) for kind in care.harmed_by)):
            if kind not in kinds:
                yield Fault(file, place, f"{kind} is no kind of advice", nearest(kind, kinds))
        for place, kind in _told("care.helps", care.help_kinds):
            if kind in care.harmed_by:
                problem = f"advises {kind}, which stands in harmed_by, too"
                yield Fault(file, place, problem, "take it out of one of the two, or tell two kinds of advice apart")
    for rule in index.knowledge.urgency.rules:
        yield from _rule_faults(rule, kinds, {record.id: record for record in records})
    for given in index.knowledge.advice.kinds:
        for kind in given.includes:
            if kind not in kinds:
                yield Fault(FILE, f"kinds.{given.id}.includes", f"{kind} is no kind of advice", nearest(kind, kinds))
        yield from condition_faults(index, FILE, f"kinds.{given.id}.harms_if", given.harms_if)
    if kinds:
        for level, bound in zip(LEVELS_BY_SEVERITY, index.knowledge.advice.possible_above, strict=True):
            if math.isnan(bound):
                yield Fault(FILE, f"possible_above.by_urgency.{level}", "is missing", "give a probability")


def _rule_faults(rule: Rule, kinds: list[str], records: dict[str, Cause | Complication]) -> Iterator[Fault]:
    """A rule suspects what exists, and its first help harms none of that and is nothing that it warns of."""
    file, prefix = "urgency.toml", f"rules.{rule.id}"
    for name in rule.suspects:
        if name not in records:
            yield Fault(file, f"{prefix}.suspects", f"{name} is no cause or complication", nearest(name, records))
    helps = _told(f"{prefix}.first_help", rule.help_kinds)
    for place, kind in (*helps, *_told(f"{prefix}.avoid", [(kind,) for kind in rule.avoid_kinds])):
        if kind not in kinds:
            yield Fault(file, place, f"{kind} is no kind of advice", nearest(kind, kinds))
    for place, kind in helps:
        harmed = [name for name in rule.suspects if name in records and kind in records[name].care.harmed_by]
        if harmed:
            problem = f"advises {kind}, which harms {harmed[0]}, a suspect of the rule"
            yield Fault(file, place, problem, "take it out of one of the two, or tell two kinds of advice apart")
        if kind in rule.avoid_kinds:
            yield Fault(file, place, f"advises {kind} and warns of it", "take it out of one of the two")


def _told(place: str, kinds_of_entries: "tuple[tuple[str, ...], ...] | list[tuple[str, ...]]") -> list[tuple[str, str]]:
    """Place and kind of what a list of texts gives or warns of."""
    return [(f"{place}[{k}]", kind) for k, kinds in enumerate(kinds_of_entries) for kind in kinds if kind]
