"""Checks of how to go on: the safety net, what an interview asks first, and when tests make sense."""

from collections.abc import Iterator
from functools import partial

from calfbayes.errors import Fault
from calfbayes.knowledge.checking_conditions import condition_faults
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.wording import nearest

_fault = partial(Fault, "asking.toml")


def asking_is_sound(index: Index) -> Iterator[Fault]:
    """Every name exists; guards stand at tests and speak of causes, findings and states that exist."""
    asking = index.knowledge.asking
    for name in asking.history:
        if name not in index.findings:
            yield _fault("safety_net.history", f"{name} is no finding", nearest(name, index.findings))
    for name in asking.first:
        if name not in index.findings and name not in index.factors:
            yield _fault(
                "interview.first", f"{name} is no finding or risk factor", nearest(name, index.ids("finding", "risk_factor"))
            )
    yield from _kinds_hold_each_rule_once(index)
    conditions = index.ids("cause", "complication")
    for guard in asking.tests:
        place = f"tests.{guard.test}"
        if guard.test not in index.findings:
            yield _fault(place, "is no finding", nearest(guard.test, index.findings))
        elif index.findings[guard.test].kind != "test":
            yield _fault(place, f"is a {index.findings[guard.test].kind} and no test", "guard tests only")
        for cause, _ in guard.only_below:
            if cause not in conditions:
                yield _fault(f"{place}.only_below", f"{cause} is no cause or complication", nearest(cause, conditions))
        if guard.repeat and guard.repeat.cause not in conditions:
            yield _fault(
                f"{place}.repeat_if_absent.cause",
                f"{guard.repeat.cause} is no cause or complication",
                nearest(guard.repeat.cause, conditions),
            )
        yield from condition_faults(index, "asking.toml", f"{place}.not_if", guard.not_if)
        yield from condition_faults(index, "asking.toml", f"{place}.absent_says_nothing_if", guard.absent_says_nothing_if)


def _kinds_hold_each_rule_once(index: Index) -> Iterator[Fault]:
    """What may appear is told under a heading; nothing dangerous is left out."""
    place = "safety_net.kinds"
    told = [name for _, rules in index.knowledge.asking.kinds for name in rules]
    known = [rule.id for rule in index.knowledge.urgency.rules]
    for name in told:
        if name not in known:
            yield _fault(place, f"{name} is no rule", nearest(name, known))
    for name in known if told else ():
        if told.count(name) != 1:
            yield _fault(f"{place}.rules", f"{name} stands under {told.count(name)} kinds", "list it under one")
