"""The patients of a constraint's scope: all of them, those with the fewest answers first, or random ones."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod
from random import Random

from calfbayes.constraints.terms import Constraint, Selection, Value
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network

MOST_DRAWN = 6  # answers of a drawn patient; few, so that a counterexample is easy to read
DRAWS = 20  # for each patient that is to be asked about, since some come twice and some are impossible


def size(network: Network, constraint: Constraint) -> int:
    """How many patients the scope has: each of its items is left open or answered in one way."""
    return prod(1 + len(_answers(network, name)) for name in constraint.scope)


def patients(network: Network, constraint: Constraint) -> Iterator[Selection]:
    """What each patient answers besides what is given, each of them once.

    All of them; if there are more than are to be asked about they are drawn, with the constraint's id as the seed, and more
    of them than are to be asked about.
    """
    if size(network, constraint) <= constraint.trials:
        yield from _all(network, constraint.scope)
        return
    generator = Random(constraint.id)  # noqa: S311  repeatable, no secret
    yield Selection()
    seen = {frozenset[tuple[str, Value]]()}
    for _ in range(DRAWS * constraint.trials):
        names = generator.sample(constraint.scope, generator.randint(1, min(MOST_DRAWN, len(constraint.scope))))
        answers = tuple((name, generator.choice(_answers(network, name))) for name in names)
        if frozenset(answers) not in seen:
            seen.add(frozenset(answers))
            yield Selection(answers)


def _all(network: Network, scope: Sequence[str]) -> Iterator[Selection]:
    for n_answered in range(len(scope) + 1):
        for names in combinations(scope, n_answered):
            for values in product(*(_answers(network, name) for name in names)):
                yield Selection(tuple(zip(names, values, strict=True)))


def _answers(network: Network, name: str) -> Sequence[Value]:
    record = network.records[name]
    return record.states if isinstance(record, RiskFactor) and not record.is_binary else (True, False)
