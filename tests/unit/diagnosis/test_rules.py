"""Conditions: their smallest sets say the same as the conditions, and denying what closes them closes them."""

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import Likelihood
from calfbayes.diagnosis.rules import closing, could_hold, holds, minimal_sets, unasked
from calfbayes.evidence import Value
from calfbayes.knowledge.terms import AllOf, AnyOf, Atom, Condition, atoms
from calfbayes.testing.editing import edited
from support.models import SHIPPED, shipped
from support.queries import answers, models

LETTERS = tuple(Atom(name, "present") for name in "abcde")


def conditions() -> st.SearchStrategy[Condition]:
    leaf: st.SearchStrategy[Condition] = st.sampled_from(LETTERS)
    return st.recursive(
        leaf,
        lambda part: st.builds(
            lambda kind, parts: kind(tuple(parts)), st.sampled_from([AnyOf, AllOf]), st.lists(part, min_size=1, max_size=3)
        ),
        max_leaves=8,
    )


def true_on(condition: Condition, facts: frozenset[Atom]) -> bool:
    if isinstance(condition, Atom):
        return condition in facts
    parts = (true_on(part, facts) for part in condition.parts)
    return any(parts) if isinstance(condition, AnyOf) else all(parts)


@given(condition=conditions())
def test_the_smallest_sets_say_the_same_as_the_condition(condition: Condition) -> None:
    sets = minimal_sets(condition)
    assert sets is not None
    every = chain.from_iterable(combinations(LETTERS, k) for k in range(len(LETTERS) + 1))
    for facts in map(frozenset, every):
        assert true_on(condition, facts) == any(one <= facts for one in sets)
    assert not any(one < other for one in sets for other in sets)


def test_two_states_of_one_factor_make_no_set() -> None:
    one, other = Atom("age", "young"), Atom("age", "old")
    assert minimal_sets(AllOf((one, AnyOf((other, LETTERS[0]))))) == frozenset({frozenset({one, LETTERS[0]})})


def test_a_condition_with_too_many_sets_is_not_listed() -> None:
    choices = tuple(AnyOf(tuple(Atom(f"x{k}_{j}", "present") for j in range(10))) for k in range(6))
    assert minimal_sets(AllOf(choices)) is None
    assert minimal_sets(AnyOf((LETTERS[0], AllOf(choices)))) is None


@given(data=st.data(), source=st.sampled_from(SHIPPED))
def test_denying_what_closes_the_open_rules_closes_them(data: st.DataObject, source: str) -> None:
    model = shipped(source)
    given_answers: dict[str, Value] = dict(data.draw(answers(model)))
    evidence = model.evidence(given_answers)
    rules = [rule.condition for rule in model.urgency_policy.rules]
    still_open = [condition for condition in rules if not holds(condition, evidence) and could_hold(condition, evidence)]
    denied = closing(still_open, evidence)
    factors = {factor.id: factor for factor in model.risk_factors}
    denials: dict[str, Value] = {}
    for name in denied:
        if name not in factors:
            denials[name] = False
        else:
            feared = {atom.state for condition in still_open for atom in atoms(condition) if atom.id == name}
            left = [state for state in factors[name].states if state not in feared]
            if not left:
                return
            denials[name] = left[0] if not factors[name].is_binary else left[0] == "present"
    after = model.evidence({**given_answers, **denials})
    assert not any(could_hold(condition, after) for condition in still_open)
    asked = {name for condition in still_open for name in unasked(condition, evidence)}
    assert set(denied) <= asked


@given(data=st.data(), source=st.sampled_from(("random", *SHIPPED)))
def test_with_evidence_the_sets_are_what_is_left_to_report(data: st.DataObject, source: str) -> None:
    model = data.draw(models(source))
    evidence = model.evidence(data.draw(answers(model)))
    for rule in model.urgency_policy.rules:
        sets = minimal_sets(rule.condition, evidence)
        assert sets is not None
        assert (frozenset() in sets) == holds(rule.condition, evidence)
        assert not sets or could_hold(rule.condition, evidence)


@pytest.mark.parametrize(("ratio", "fires"), [(19.0, False), (20.0, False), (20.1, True), (1e9, True)])
def test_a_report_that_is_all_but_sure_counts_for_the_rules(ratio: float, fires: bool) -> None:
    reports = {"surely_above": 20, "source": ["calfbayes_judgement"], "why": "Invented."}
    tutorial = shipped("tutorial")
    model = edited(tutorial, {"urgency.doubtful_reports": reports})
    result = model.diagnose({"shortness_of_breath": Likelihood(ratio)})
    assert [reason.id for reason in result.urgency.reasons if reason.origin == "rule"] == ["leg_pain_with_chest_signs"] * fires
    assert ("leg_pain_with_chest_signs" in {rule.id for rule in result.urgency.open_rules}) != fires
    assert not [r for r in tutorial.diagnose({"shortness_of_breath": Likelihood(ratio)}).urgency.reasons if r.origin == "rule"]
