"""The patients of a constraint's scope: all of them, those with the fewest answers first, or as many as are to be drawn."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod
from random import Random

from calfbayes.constraints.terms import Constraint, Selection, Value
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network

MOST_DRAWN = 6  # answers of a drawn patient; few, so that a counterexample is easy to read


def size(network: Network, constraint: Constraint) -> int:
    """How many patients the scope has: each of its items is left open or answered in one way."""
    return prod(1 + len(_answers(network, name)) for name in constraint.scope)


def patients(network: Network, constraint: Constraint) -> Iterator[Selection]:
    """What each patient answers besides what is given; drawn with the constraint's id as the seed if there are too many."""
    if size(network, constraint) <= constraint.trials:
        yield from _all(network, constraint.scope)
        return
    generator = Random(constraint.id)  # noqa: S311  repeatable, no secret
    yield Selection()
    for _ in range(constraint.trials - 1):
        names = generator.sample(constraint.scope, generator.randint(1, min(MOST_DRAWN, len(constraint.scope))))
        yield Selection(tuple((name, generator.choice(_answers(network, name))) for name in names))


def _all(network: Network, scope: Sequence[str]) -> Iterator[Selection]:
    for n_answered in range(len(scope) + 1):
        for names in combinations(scope, n_answered):
            for values in product(*(_answers(network, name) for name in names)):
                yield Selection(tuple(zip(names, values, strict=True)))


def _answers(network: Network, name: str) -> Sequence[Value]:
    record = network.records[name]
    return record.states if isinstance(record, RiskFactor) and not record.is_binary else (True, False)
