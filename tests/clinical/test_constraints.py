"""Every shipped model keeps to its constraints: published rules and clinical sanity, each with its source."""

from functools import cache

import pytest

from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import Constraints, find_constraints, read_constraints
from calfbayes.constraints.terms import (
    Constraint,
    Dominates,
    Frequencies,
    LikelihoodRatio,
    Monotone,
    Moves,
    Probability,
    Ranks,
    RuleFires,
    Takes,
    Yields,
)
from calfbayes.knowledge.terms import atoms
from support.models import SHIPPED, shipped


@cache
def judge(model: str) -> Judge:
    return Judge(shipped(model)._solved)


@cache
def constraint_file(model: str) -> Constraints:
    return read_constraints(shipped(model)._solved.network, find_constraints(model))


CONSTRAINTS = [(model, constraint) for model in SHIPPED for constraint in constraint_file(model).constraints]


@pytest.mark.parametrize(("model", "constraint"), CONSTRAINTS, ids=[f"{model}-{c.id}" for model, c in CONSTRAINTS])
def test_the_model_keeps_to(model: str, constraint: Constraint) -> None:
    verdict = judge(model).verdict(constraint)
    assert verdict.holds, f"{verdict.text} ({constraint.why}) [{', '.join(constraint.sources)}]"


@pytest.mark.parametrize("model", SHIPPED)
def test_own_sources_are_used_and_not_those_of_the_model(model: str) -> None:
    file = constraint_file(model)
    own = {source.id for source in file.sources}
    assert own <= {source for constraint in file.constraints for source in constraint.sources}
    assert not own & {source.id for source in shipped(model).knowledge.sources}


def test_every_cause_and_complication_of_the_calf_model_is_spoken_of() -> None:
    """Of each something is demanded by name; what is demanded of all causes at once does not count."""
    named: set[str] = set()
    for constraint in constraint_file("calf").constraints:
        match constraint:
            case Probability() | LikelihoodRatio() | Frequencies() | Takes() | Dominates():
                named.update(constraint.causes)
            case Ranks() | Monotone() | Yields():
                named.add(constraint.cause)
            case Moves() if len(constraint.targets) == 1:
                named.update(constraint.targets[0])
    knowledge = shipped("calf").knowledge
    assert {cause.id for cause in knowledge.causes} | {other.id for other in knowledge.complications} <= named


@pytest.mark.parametrize("model", ["calf"])
def test_every_answer_of_every_red_flag_rule_stands_in_a_picture(model: str) -> None:
    pictures: dict[str, set[str]] = {}
    for constraint in constraint_file(model).constraints:
        if isinstance(constraint, RuleFires):
            named = {name if value is True else f"{name}={value}" for p in constraint.pictures for name, value in p.answers}
            pictures.setdefault(constraint.rule, set()).update(named)
    for rule in shipped(model).urgency_policy.rules:
        assert {str(atom) for atom in atoms(rule.condition)} <= pictures.get(rule.id, set()), rule.id
