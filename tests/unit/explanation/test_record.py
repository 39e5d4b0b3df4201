"""A record repeats its result, or says what is different and why."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from calfbayes import ArgumentError, CalfBayesError, Likelihood, Model, UnknownNameError, __version__
from calfbayes.explanation import record as record_module
from calfbayes.explanation.record import numbers_of
from support.models import model_of, shipped

PATIENT = {"age": 67, "smoking": True, "pain_on_walking": True, "redness": Likelihood(0.5), "cold_feet": None}
CAUSE = "peripheral_artery_disease"


def recorded(**more: Any) -> dict[str, Any]:
    """Through JSON, as it would be kept."""
    document: dict[str, Any] = json.loads(json.dumps(shipped("tutorial").diagnose(PATIENT).record(**more)))
    return document


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where texts, numbers, truth values and nothing stand."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from leaves(part, (*path, key))
    if not isinstance(value, dict | list):
        yield path


def another(value: Any) -> Any:
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + 0.5 if isinstance(value, int | float) else f"{value or ''} x"


def edited(change: Callable[[dict[str, Any]], None]) -> Model:
    content = copy.deepcopy(shipped("tutorial")._content)
    change(content)
    return model_of(content)


def test_the_same_model_reproduces_it() -> None:
    again = shipped("tutorial").replay(recorded())
    assert again.reproduced
    assert again.same_model
    assert again.edited == ()
    model = again.result.model
    assert str(again).splitlines() == [
        "reproduced",
        f"recorded with calfbayes {__version__} and model tutorial {model.version} ({model.digest[:12]})",
        "repeated with the same",
    ]
    assert again.result == shipped("tutorial").diagnose(PATIENT)
    assert again.to_dict()["recorded"] == again.to_dict()["repeated"]


def test_whatever_is_edited_in_a_record_is_seen() -> None:
    """Every single text, number and list of the result, of the evidence, of the numbers, and what made it."""
    model = shipped("tutorial")
    document = recorded()
    tried = 0
    for path in leaves(document):
        if path[0] in {"record_version", "calfbayes"}:
            continue
        other = copy.deepcopy(document)
        *inside, last = path
        table: Any = other
        for key in inside:
            table = table[key]
        table[last] = another(table[last])
        try:
            again = model.replay(other)
        except CalfBayesError:  # it makes no sense any more
            continue
        assert not again.reproduced or not again.same_model, path
        tried += 1
    assert tried > 200


def test_what_is_left_out_of_a_record_is_seen_unless_another_version_left_it_out() -> None:
    document = recorded()
    del document["result"]["care"], document["result"]["urgency"]["open_rules"][0]
    again = shipped("tutorial").replay(document)
    assert sorted(again.differences) == [
        "care was not there, is a table",
        "urgency.open_rules was a list of 2, is a list of 3",
    ]
    document["calfbayes"] = "0.0.1"
    assert "recorded with calfbayes 0.0.1 " in str(shipped("tutorial").replay(document))
    del document["result"]["urgency"]["action"], document["result"]["causes"][0]["label"]
    first = document["result"]["causes"][0]["id"]
    again = shipped("tutorial").replay(document)
    assert again.differences == ("urgency.open_rules was a list of 2, is a list of 3",)
    assert set(again.gaps) == {"care", "urgency.action", f"causes.{first}.label"}
    assert f"not recorded: {', '.join(again.gaps)}" in str(again).splitlines()
    assert again.to_dict()["gaps"] == list(again.gaps)
    assert str(replace(again, differences=())).startswith("reproduced, as far as it was recorded\n")


def test_a_setting_that_was_assumed_is_assumed_again_and_one_that_was_given_is_given() -> None:
    model = shipped("tutorial")
    for setting in (None, "primary_care"):
        result = model.diagnose(PATIENT, setting=setting)
        again = model.replay(result.record())
        assert (again.reproduced, again.result.assumed) == (True, result.assumed)


def test_another_model_that_gives_the_same_is_named() -> None:
    def change(content: dict[str, Any]) -> None:
        content["findings"]["potassium_low"]["leak"]["value"] = 0.04

    again = edited(change).replay(recorded())
    assert again.reproduced
    assert not again.same_model
    lines = str(again).splitlines()
    assert lines[1].removeprefix("recorded ") != lines[2].removeprefix("repeated ")
    assert again.result.model.digest[:12] in lines[2]


def test_origin_and_time_are_kept() -> None:
    document = recorded(origins={"age": "patient"}, times={"age": "2026-11-22T10:00"})
    assert document["evidence"]["items"]["age"] == {"value": 67, "origin": "patient", "time": "2026-11-22T10:00"}
    assert document["evidence"]["items"]["redness"] == {"value": {"likelihood_ratio": 0.5}}
    assert shipped("tutorial").replay(document).reproduced
    with pytest.raises(UnknownNameError):
        recorded(origins={"sex": "patient"})
    with pytest.raises(ArgumentError, match="at most 200"):
        recorded(times={"age": ""})


def test_an_edited_number_is_named_with_what_it_changed() -> None:
    def change(content: dict[str, Any]) -> None:
        content["causes"][CAUSE]["links"]["pain_on_walking"]["probability"] = 0.3
        content["findings"]["potassium_low"]["leak"]["value"] = 0.04

    place = f"causes.{CAUSE}.links.pain_on_walking.probability"
    before = recorded()["numbers"][place]
    again = edited(change).replay(recorded())
    assert not again.reproduced
    assert [(entry.place, entry.before, entry.after) for entry in again.edited] == [
        (place, before, 0.3),
        ("findings.potassium_low.leak.value", 0.03, 0.04),
    ]
    by_link, by_leak = again.edited
    assert by_link.effects
    assert any(effect.startswith(CAUSE) or "urgency" in effect or "order" in effect for effect in by_link.effects)
    assert by_leak.effects == ()
    assert "it changed nothing here" in str(again)
    assert f"{CAUSE} was" in str(again)
    assert "the reasons were" not in str(again)  # they are the same ones, with another chance in them
    assert any(difference.startswith("the reasons are the same") for difference in again.differences)
    assert again.differences[-1].startswith("log_evidence was")
    assert again.to_dict()["edited"][0]["place"] == place


def test_other_words_are_no_other_numbers() -> None:
    def change(content: dict[str, Any]) -> None:
        content["causes"][CAUSE]["label"] = "Something else"

    again = edited(change).replay(recorded())
    assert (again.same_model, again.edited) == (False, ())
    assert "in none of its numbers and levels" in str(again)


def test_every_number_can_be_put_back() -> None:
    """Each place in a record leads to a number of the content."""
    content = shipped("calf")._content
    for place, value in numbers_of(shipped("calf").knowledge).items():
        table: Any = content
        for key in place.split("."):
            table = table[int(key)] if isinstance(table, list | tuple) else table.get(key, 0.0)
        assert table == value, place


def _change(place: str, value: float | str) -> Callable[[dict[str, Any]], None]:
    *path, last = place.split(".")

    def change(content: dict[str, Any]) -> None:
        table: Any = content
        for key in path:
            table = table[int(key)] if isinstance(table, list) else table[key]
        if isinstance(table, list):
            table[int(last)] = value
        else:
            table[last] = value

    return change


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (f"causes.{CAUSE}.links.pain_on_walking.n", 3.0),
        (f"causes.{CAUSE}.weight.primary_care.range.0", 0.001),
        ("risk_factors.age.lower_bounds.2", 70.0),
        ("risk_factors.age.prior.0.n", 7.0),
        ("urgency.caution.deviations", 3.5),
        ("urgency.caution.level", "emergency"),
        (f"causes.{CAUSE}.urgency", "emergency"),
        ("urgency.typicality.atypical_below", 0.75),
        ("model.scope.age.0", 69.0),
    ],
)
def test_edits_of_doubt_bands_and_levels_are_named(place: str, value: float | str) -> None:
    """Each is the one that is listed; that of a level or a band says what it did."""
    numbers = recorded()["numbers"]
    again = edited(_change(place, value)).replay(recorded())
    assert [(entry.place, entry.before, entry.after) for entry in again.edited] == [(place, numbers[place], value)]
    assert str(value) in str(again) or f"{value:.9g}" in str(again)
    if again.differences:
        assert again.edited[0].effects


def test_a_number_that_never_fitted_is_listed_and_not_tried() -> None:
    place = f"causes.{CAUSE}.links.pain_on_walking.probability"
    document = recorded()
    document["numbers"][place] = 7.5
    again = edited(_change(place, 0.3)).replay(document)
    assert [(entry.before, entry.after, entry.effects) for entry in again.edited] == [(7.5, 0.3, None)]


def _number(place: str, **parts: object) -> Callable[[dict[str, Any]], None]:
    """Another number with its doubt at a place; a part that is None is taken away."""

    def change(content: dict[str, Any]) -> None:
        table: Any = content
        for key in place.split("."):
            table = table[key]
        table.update(parts)
        for key in [key for key, value in table.items() if value is None]:
            del table[key]

    return change


@pytest.mark.parametrize(
    ("place", "key", "parts"),
    [
        (f"causes.{CAUSE}.weight.primary_care", "value", {"value": 0.05, "range": [0.025, 0.1]}),
        (f"causes.{CAUSE}.links.pain_on_walking", "probability", {"probability": 0.9, "range": [0.8, 0.95]}),
        (f"causes.{CAUSE}.links.pain_on_walking", "probability", {"probability": 0.9, "range": None, "n": 20.0}),
    ],
)
def test_a_number_is_put_back_with_its_doubt(place: str, key: str, parts: dict[str, Any]) -> None:
    """The old value lies outside the new range; only together they are the number that it was."""
    document = recorded()
    again = edited(_number(place, **parts)).replay(document)
    assert {entry.number for entry in again.edited} == {place}
    assert f"{place}.{key}" in {entry.place for entry in again.edited}
    assert all(entry.tried for entry in again.edited)
    effects = {entry.effects for entry in again.edited}
    assert effects == {again.differences[:3]}  # it is all that was edited
    assert str(again).count("because of it") == 1


def test_an_edited_weight_is_what_changed_the_answer() -> None:
    document = recorded()
    again = shipped("tutorial").with_weights("primary_care", {CAUSE: 0.05}).replay(document)
    assert f"causes.{CAUSE}.weight.primary_care.value" in {entry.place for entry in again.edited}
    assert all(entry.effects for entry in again.edited)


def test_the_largest_changes_are_tried_first() -> None:
    def change(content: dict[str, Any]) -> None:
        for finding in content["findings"].values():
            if isinstance(finding.get("leak"), dict) and finding["leak"].get("n"):
                finding["leak"]["n"] += 1.0
        _number(f"causes.{CAUSE}.weight.primary_care", value=0.05, range=[0.025, 0.1])(content)

    again = edited(change).replay(recorded())
    assert len({entry.number for entry in again.edited}) > record_module.MOST_TRIED + 1
    assert again.edited[0].number == f"causes.{CAUSE}.weight.primary_care"
    assert again.edited[0].effects
    assert not again.edited[-1].tried
    assert "what it did was not looked at" in str(again)
    assert " more edited numbers" in str(again)
    assert repr(again) == str(again)


def test_differences_are_told_in_digits_that_differ() -> None:
    document = recorded()
    document["result"]["causes"][0]["probability"] += 1e-11
    told = shipped("tutorial").replay(document).differences[0]
    was, now = told.split(" was ")[1].split(", is ")
    assert was != now


def test_a_record_forges_no_line() -> None:
    forged = "x\nreproduced"
    document = recorded()
    document["model"]["digest"] = document["result"]["model"]["digest"] = "0" * 64
    document["numbers"][forged] = 1.0
    document["result"]["causes"][0]["id"] = document["result"]["outcome"] = document["result"]["urgency"]["level"] = forged
    document["result"]["urgency"]["reasons"] = [{"id": forged}]
    lines = str(shipped("tutorial").replay(document)).splitlines()
    assert "reproduced" not in lines
    assert any(line.startswith("edited: 'x\\nreproduced' was 1") for line in lines)


def test_a_cause_moved_among_the_complications_is_seen() -> None:
    document = recorded()
    moved = document["result"]["causes"].pop()
    document["result"]["complications"].insert(0, moved)
    again = shipped("tutorial").replay(document)
    assert not again.reproduced
    assert f"{moved['id']} is among the causes in one of the two only" in again.differences


def test_a_tampered_probability_is_seen() -> None:
    document = recorded()
    document["result"]["causes"][0]["probability"] += 1e-9
    document["result"]["urgency"]["reasons"] = []
    again = shipped("tutorial").replay(document)
    assert not again.reproduced
    assert len(again.differences) == 2
    many = replace(again, differences=tuple(f"{k} was" for k in range(10)))
    assert "7 was" in str(many)
    assert str(many).endswith("and 2 more differences")


def test_another_policy_has_to_be_given_again() -> None:
    model = shipped("tutorial")
    policy = replace(model.urgency_policy, rules=())
    document = model.diagnose(PATIENT, policy=policy, allow_laxer_policy=True).record()
    with pytest.raises(ArgumentError, match="laxer"):
        model.replay(document)
    assert model.replay(document, policy=policy).reproduced


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d.pop("numbers"), r"Diagnosis\.record"),
        (lambda d: d.update(record_version=1), "another"),
        (lambda d: d.update(evidence=3), "evidence"),
        (lambda d: d["evidence"].update(items=[1]), "evidence"),
        (lambda d: d["numbers"].update(x=None), "numbers"),
        (lambda d: d["numbers"].update(x=float("inf")), "numbers"),
        (lambda d: d["numbers"].update(x=10**400), "numbers"),
        (lambda d: d["result"].update(causes=[{}]), "incomplete"),
        (lambda d: d["result"].update(causes=[3]), "incomplete"),
        (lambda d: d["result"]["causes"][0].update(probability="much"), "no number"),
        (lambda d: d["result"]["causes"][0].update(probability=10**400), "no number"),
        (lambda d: d["result"]["causes"][0].update(probability=str(d["result"]["causes"][0]["probability"])), "no number"),
        (lambda d: d["result"]["causes"][0].update(probability=True), "no number"),
        (lambda d: d["numbers"].update({"urgency.caution.deviations": True}), "numbers"),
        (lambda d: d["result"]["causes"][0].update(id=["a"]), "incomplete"),
        (lambda d: d["result"]["urgency"].update(reasons=[3]), "incomplete"),
        (lambda d: d["result"]["urgency"].update(reasons=[{}]), "incomplete"),
        (lambda d: d["result"]["urgency"].update(reasons=3), "incomplete"),
        (lambda d: d["result"]["urgency"].update(reasons=[{"id": 3}]), "no text"),
        (lambda d: d["result"]["urgency"].update(level=3), "no text"),
        (lambda d: d["result"].pop("outcome"), "incomplete"),
        (lambda d: d["evidence"].pop("setting"), "evidence"),
        (lambda d: d.update(note="x"), "note"),
        (lambda d: d["evidence"].update(note="x"), "note"),
        (lambda d: d["evidence"]["items"]["age"].update(note="x"), "age.*note"),
        (lambda d: d["evidence"]["items"]["age"].update(origin=3), "origin of .*age"),
        (lambda d: d["evidence"]["items"]["age"].update(time=""), "time of .*age"),
        (lambda d: d.update(model="calf"), "model"),
    ],
)
def test_what_is_no_record_is_refused(change: Callable[[dict[str, Any]], None], match: str) -> None:
    document = recorded()
    change(document)
    with pytest.raises(ArgumentError, match=match):
        shipped("tutorial").replay(document)
