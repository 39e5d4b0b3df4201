"""The gate of evidence: anything thrown at it ends in a value or a CalfBayesError, and what it lets in stays as it is."""

import json
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import chain
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calfbayes import CalfBayesError, ContradictionError, Evidence, EvidenceError, Likelihood, Model, UnknownNameError
from support.enumeration import enumerate_model
from support.models import SHIPPED, SOURCES, random_model, shipped
from support.queries import AFFORDABLE, answers, models

T = TypeVar("T")

every_source = pytest.mark.parametrize("source", SOURCES)


class Rude:
    """An object whose every method fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")


def numbers() -> st.SearchStrategy[object]:
    return st.one_of(
        st.integers(),
        st.sampled_from([10**400, -(10**400), 2**63, 0, -0.0, 5e-324, math.nan, math.inf, -math.inf, 1e308]),
        st.floats(),
        st.sampled_from([np.float32(3), np.float64(math.nan), np.int8(-3), np.bool_(True), np.longdouble(40)]),
        st.sampled_from([Decimal(40), Fraction(1, 3), 40j]),
    )


def oddities() -> st.SearchStrategy[object]:
    return st.builds(Rude) | st.sampled_from(
        [date(2020, 1, 1), object(), b"present", {1, 2}, np.arange(3), np.array(True), print, type]
    )


def values() -> st.SearchStrategy[object]:
    leaves = st.one_of(st.none(), st.booleans(), numbers(), st.text(max_size=20), oddities(), likelihoods())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3), ratio_tables(inner)
        ),
        max_leaves=5,
    )


def ratio_tables(ratio: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return ratio.map(lambda value: {"likelihood_ratio": value})


def likelihoods() -> st.SearchStrategy[Likelihood]:
    return st.floats(min_value=5e-324, allow_infinity=False, allow_nan=False).map(Likelihood)


def ids(model: Model) -> st.SearchStrategy[str]:
    askable = [finding.id for finding in model.findings] + [factor.id for factor in model.risk_factors]
    hidden = [cause.id for cause in model.causes] + [mechanism.id for mechanism in model.mechanisms]
    numeric = [factor.id for factor in model.risk_factors if factor.unit] or askable
    return st.one_of(st.sampled_from(askable), st.sampled_from(numeric), st.sampled_from([*hidden, "setting", ""]))


def keys(model: Model) -> st.SearchStrategy[Any]:
    return st.one_of(ids(model), ids(model), st.text(max_size=30), st.integers(), st.none(), st.tuples(st.integers()))


def settings_of(model: Model) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from([s.id for s in model.settings]), st.text(max_size=5), oddities(), numbers())


def attempt(call: Callable[[], T]) -> T | CalfBayesError:
    """The value, or the error if it is one of the package."""
    try:
        return call()
    except CalfBayesError as error:
        return error


def finite_numbers(document: object) -> bool:
    """Say whether every number inside a JSON document is finite."""
    if isinstance(document, dict | list):
        return all(map(finite_numbers, document.values() if isinstance(document, dict) else document))
    return not isinstance(document, float) or math.isfinite(document)


# --- anything may come in ---------------------------------------------------------------------------------------------


@every_source
@given(data=st.data())
def test_any_mapping_ends_in_a_result_or_an_error_of_the_package(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_items = data.draw(st.dictionaries(keys(model), values(), max_size=5))
    setting = data.draw(settings_of(model))
    result = attempt(lambda: model.diagnose(given_items, setting=setting, cost_limit=AFFORDABLE))
    if isinstance(result, CalfBayesError):
        assert str(result)
        return
    assert finite_numbers(json.loads(result.to_json()))
    assert result.evidence == model.evidence(given_items, setting=setting)


@every_source
@given(data=st.data())
def test_any_value_of_a_known_id_ends_in_evidence_or_an_error_of_the_package(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_items = {data.draw(ids(model)): data.draw(values())}
    evidence = attempt(lambda: model.evidence(given_items))
    assert str(evidence) if isinstance(evidence, CalfBayesError) else evidence.to_json()


@given(st.one_of(values(), st.lists(st.tuples(st.text(), st.booleans()))))
def test_anything_in_place_of_a_mapping_is_refused(given_items: Any) -> None:
    model = random_model(1)
    assume(not isinstance(given_items, Mapping) and given_items is not None)
    with pytest.raises(CalfBayesError):
        model.evidence(given_items)
    with pytest.raises(CalfBayesError):
        model.diagnose(given_items)


def json_documents(model: Model) -> st.SearchStrategy[str]:
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))
    anything = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    )
    items = st.dictionaries(ids(model), st.one_of(scalars, ratio_tables(scalars)), max_size=4)
    settings = st.one_of(scalars, st.sampled_from([setting.id for setting in model.settings]))
    nearly = st.fixed_dictionaries({}, optional={"items": st.one_of(items, anything), "setting": settings, "more": scalars})
    return st.one_of(anything, nearly).map(json.dumps)


@every_source
@given(data=st.data())
def test_any_text_ends_in_evidence_or_an_error_of_the_package(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    text = data.draw(st.one_of(json_documents(model), st.text(max_size=50), st.binary(max_size=50)))
    evidence = attempt(lambda: model.evidence_from_json(text))
    if isinstance(evidence, CalfBayesError):
        assert str(evidence)
        return
    assert model.evidence_from_json(evidence.to_json()) == evidence


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"items": ' * 100_000,
        '{"items": {"age": ' + "9" * 400 + "}}",
        '{"items": {"age": ' + "9" * 5_000 + "}}",
        '{"items": {"age": 1e999}}',
        '{"items": {"age": NaN}}',
        '{"items": {"smoking": {"likelihood_ratio": Infinity}}}',
        '{"items": {"\ud800": true}}',
        b"\xff\xfe",
        "\ufeff{}",
        "",
    ],
    ids=lambda text: repr(text[:30]),
)
def test_hostile_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(CalfBayesError):
        shipped("tutorial").evidence_from_json(text)


@given(st.one_of(numbers(), values()))
def test_a_likelihood_is_a_finite_number_above_0_or_refused(ratio: Any) -> None:
    likelihood = attempt(lambda: Likelihood(ratio))
    if isinstance(likelihood, CalfBayesError):
        assert str(likelihood)
        return
    assert type(likelihood.ratio) is float
    assert 0 < likelihood.ratio < math.inf


@pytest.mark.parametrize(
    "given_age",
    [-1, -0.001, 120.001, 121, math.nan, math.inf, -math.inf, True, "67", 10**400, [67], 67j],
    ids=lambda x: repr(x)[:10],
)
@pytest.mark.parametrize("name", SHIPPED)
def test_an_age_outside_0_to_120_is_refused(name: str, given_age: object) -> None:
    with pytest.raises(EvidenceError) as caught:
        shipped(name).diagnose({"age": given_age})
    assert caught.value.name == "age"


@pytest.mark.parametrize("name", SHIPPED)
def test_an_age_from_0_to_120_is_accepted(name: str) -> None:
    for age in (0, 0.5, 17.99, 120, np.float64(40), np.int64(40)):
        assert shipped(name).evidence({"age": age})["age"] == age


def test_an_age_is_the_same_however_the_number_is_written() -> None:
    model = shipped("tutorial")
    same = {model.evidence({"age": age}) for age in (67, 67.0, np.int64(67), np.float32(67))}
    assert len(same) == 1


def test_an_unknown_id_gets_the_nearest_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        shipped("calf").evidence({"unilateral_calf_sweling": True})
    assert caught.value.nearest[0] == "unilateral_calf_swelling"


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_inferred_cannot_be_evidence(name: str) -> None:
    model = shipped(name)
    hidden = [cause.id for cause in model.causes] + [mechanism.id for mechanism in model.mechanisms]
    for node in (*hidden, *(complication.id for complication in model.complications)):
        with pytest.raises(EvidenceError, match="inferred"):
            model.evidence({node: True})


# --- what is let in stays as it is ------------------------------------------------------------------------------------


@every_source
@given(data=st.data())
def test_evidence_survives_json_and_pickle(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    setting = data.draw(st.sampled_from([None, *(setting.id for setting in model.settings)]))
    evidence = model.evidence(data.draw(answers(model)), setting=setting)
    for other in (
        model.evidence_from_json(evidence.to_json()),
        model.evidence_from_json(evidence.to_json().encode()),
        model.evidence(evidence.to_dict()["items"], setting=setting),
        model.evidence(evidence),
    ):
        assert other == evidence
        assert hash(other) == hash(evidence)
        assert other.to_json() == evidence.to_json()
    assert finite_numbers(json.loads(evidence.to_json()))


@pytest.mark.parametrize("name", SHIPPED)
def test_evidence_results_and_errors_pickle(name: str) -> None:
    model = shipped(name)
    finding = next(f.id for f in model.findings if f.id != model.knowledge.complaint)
    result = model.diagnose({"age": 40, finding: Likelihood(3.0)})
    for value in (result.evidence, result, Likelihood(0.3), model):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert hash(again) == hash(value)
    again = pickle.loads(pickle.dumps(result))
    assert again.to_json() == result.to_json()
    with pytest.raises(CalfBayesError) as caught:
        model.evidence({"age": math.nan})
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@every_source
@given(data=st.data())
def test_items_put_in_and_taken_out_leave_the_evidence_as_it_was(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_items = data.draw(answers(model))
    evidence = model.evidence(given_items)
    names = data.draw(st.sets(st.sampled_from(sorted(given_items)))) if given_items else set()
    taken = {name: given_items[name] for name in names}
    assert evidence.without(*names) == model.evidence({k: v for k, v in given_items.items() if k not in names})
    assert evidence.without(*names).with_(taken) == evidence
    assert evidence.without(*names).with_(**taken) == evidence
    assert evidence.with_(taken) == evidence
    assert dict(evidence) == dict(given_items)


@every_source
@given(data=st.data())
def test_evidence_is_a_mapping_that_nothing_changes(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    given_items = data.draw(answers(model))
    evidence = model.evidence(given_items, setting=model.knowledge.default_setting)
    kept = evidence.to_json()
    given_items.clear()  # the caller's own mapping is not looked at again
    copy: Any = evidence
    with pytest.raises(TypeError):
        copy["age"] = 3
    with pytest.raises(TypeError):
        del copy["age"]
    with pytest.raises(FrozenInstanceError):
        copy.setting = None
    with pytest.raises(FrozenInstanceError):
        copy.items_by_id = ()
    evidence.risk_states.clear()
    evidence.to_dict()["items"].clear()
    assert evidence.to_json() == kept
    assert len(evidence) == len(list(evidence)) == len(dict(evidence))


def test_evidence_differs_by_value_and_setting_and_not_by_kind_of_mapping() -> None:
    model = shipped("tutorial")
    first, second = (setting.id for setting in model.settings[:2])
    finding = next(f.id for f in model.findings if f.id != model.knowledge.complaint)
    by_value = [model.evidence({finding: value}) for value in (True, False, None, Likelihood(1.0), Likelihood(2.0))]
    by_setting = [model.evidence({}, setting=setting) for setting in (None, first, second)]
    distinct = [*by_value, *by_setting]
    assert len(set(distinct)) == len(distinct)
    assert model.evidence(MappingProxyType({finding: True})) == by_value[0]
    assert model.evidence(by_setting[1]).setting == first
    assert model.evidence(by_setting[1], setting=second).setting == second


def test_results_are_immutable() -> None:
    result: Any = shipped("tutorial").diagnose({"age": 40})
    with pytest.raises(FrozenInstanceError):
        result.causes = ()
    with pytest.raises(FrozenInstanceError):
        result.causes[0].probability = 1.0
    with pytest.raises(FrozenInstanceError):
        result.urgency.level = None
    likelihood: Any = Likelihood(2.0)
    with pytest.raises(FrozenInstanceError):
        likelihood.ratio = 3.0


# --- contradictions ---------------------------------------------------------------------------------------------------


def without_each(model: Model, given_items: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Check that a clashing set clashes by itself, and that it does not without any one of its items."""
    assert set(names) <= set(given_items)
    by_itself = {name: given_items[name] for name in names}
    with pytest.raises(ContradictionError) as caught:
        model.diagnose(by_itself)
    assert sorted(caught.value.clash) == sorted(names)
    for name in names:
        model.diagnose({other: value for other, value in by_itself.items() if other != name})


def test_pregnancy_and_male_sex_contradict_each_other_whatever_else_is_known() -> None:
    model = shipped("calf")
    given_items = {"age": 30, "pregnancy": True, "redness": True, "sex": "male", "smoking": False, "fever": False}
    with pytest.raises(ContradictionError) as caught:
        model.diagnose(given_items)
    assert set(caught.value.clash) == {"pregnancy", "sex"}
    without_each(model, given_items, caught.value.clash)


def test_pregnancy_at_90_contradicts_itself() -> None:
    model = shipped("calf")
    given_items = {"age": 90, "sex": "female", "pregnancy": True}
    with pytest.raises(ContradictionError) as caught:
        model.diagnose(given_items)
    assert set(caught.value.clash) == {"pregnancy", "age"}
    without_each(model, given_items, caught.value.clash)


@pytest.mark.parametrize("name", SHIPPED)
def test_answers_that_logic_forbids_together_name_the_pair(name: str) -> None:
    model = shipped(name)
    implied = [({f.id: True, other: False}) for f in model.findings for other in f.implies]
    excluded = [({f.id: True, other: True}) for f in model.findings for other in f.excludes]
    for given_items in chain(implied, excluded):
        with pytest.raises(ContradictionError) as caught:
            model.diagnose({**given_items, "age": 40})
        assert set(caught.value.clash) == set(given_items)


def contradictory(seed: int) -> tuple[Model, dict[str, Any]] | None:
    """A small model with hard zeros and ones, and answers that the oracle holds impossible."""
    rng = Random(seed)
    model = random_model(seed % 40, n_causes=3, n_mechanisms=1, n_complications=0, n_findings=4, n_risks=2, extremes=True)
    given_items: dict[str, Any] = {}
    for factor in model.risk_factors:
        state = rng.choice(factor.states)
        given_items[factor.id] = state == "present" if factor.is_binary else state
    for finding in model.findings:
        if finding.id != model.knowledge.complaint:
            given_items[finding.id] = rng.choice([True, False])
    bases = model._solved.bases["here"]
    names = [model._solved.network.nodes[cause].id for cause in model._solved.network.causes]
    chances = {name: Fraction(1 / (1 + math.exp(-x))) for name, x in zip(names, bases.logits.tolist(), strict=True)}
    evidence = model.evidence(given_items)
    findings = {name: value for name, value in given_items.items() if name not in evidence.risk_states}
    reports = {name: (Fraction(not value), Fraction(value)) for name, value in findings.items()}
    answer = enumerate_model(model.knowledge, chances, risks=evidence.risk_states, findings=reports)
    return (model, given_items) if answer.joint == 0 else None


@cache
def contradictions() -> list[tuple[Model, dict[str, Any]]]:
    return [case for seed in range(200) if (case := contradictory(seed))]


@pytest.mark.parametrize("position", range(20))
def test_a_contradiction_names_a_clashing_set_that_is_minimal_by_inclusion(position: int) -> None:
    model, given_items = contradictions()[position]
    with pytest.raises(ContradictionError) as caught:
        model.diagnose(given_items, setting="here")
    without_each(model, given_items, caught.value.clash)


def has_logic(name: str) -> bool:
    return any(finding.implies or finding.excludes for finding in shipped(name).findings)


@pytest.mark.parametrize("source", ["random", *filter(has_logic, SHIPPED)])
@given(data=st.data())
def test_what_another_answer_implies_is_not_counted_a_second_time(source: str, data: st.DataObject) -> None:
    model = data.draw(models(source))
    findings = {finding.id: finding for finding in model.findings}
    pairs = [(f.id, other, True) for f in model.findings for other in f.implies]
    pairs += [(f.id, other, False) for f in model.findings for other in f.excludes]
    name, other, answer = data.draw(st.sampled_from(pairs))
    given_items = {name: True, **{k: v for k, v in data.draw(answers(model, most=3)).items() if k not in findings}}
    said = data.draw(st.sampled_from([answer, answer, None, Likelihood(3.0), Likelihood(0.5)]))
    try:
        before = model.diagnose(given_items, cost_limit=AFFORDABLE)
    except ContradictionError:
        assume(False)
    after = model.diagnose({**given_items, other: said}, cost_limit=AFFORDABLE)
    assert after.causes == before.causes
    assert after.log_evidence == before.log_evidence
    assert after.urgency.level == before.urgency.level


def test_evidence_belongs_to_the_mapping_type() -> None:
    evidence: Mapping[str, object] = shipped("tutorial").evidence({"age": 40})
    assert isinstance(evidence, Evidence)
    assert isinstance(evidence, Mapping)
