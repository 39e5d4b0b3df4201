"""The urgency policy: what makes one, when it is stricter, and where its level changes."""

import pickle
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import ArgumentError, Level, PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.policy import ChangePoint
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, AllOf, AnyOf, Atom, Caution, LevelText, Rule
from support.models import shipped
from support.policies import N, loss_tables, policies, stricter_policies, table_of

TUTORIAL = shipped("tutorial")
BASE = TUTORIAL.urgency_policy
LOSS = ((0, 1, 1, 1, 1), (1, 0, 0, 0, 0), (2, 1, 0, 0, 0), (3, 2, 1, 0, 0), (4, 3, 2, 1, 0))


def with_cost(acted: int, needed: int, cost: Any) -> Any:
    return tuple(tuple(cost if (a, n) == (acted, needed) else x for n, x in enumerate(row)) for a, row in enumerate(BASE.loss))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("free", "5 rows of 5 costs"),
        (BASE.loss[:4], "5 rows of 5 costs"),
        ((*BASE.loss[:4], (1, 2)), "5 rows of 5 costs"),
        (with_cost(0, 0, 1), "acting as needed costs nothing"),
        (with_cost(0, 1, -1), "costs from 0"),
        (with_cost(0, 1, float("nan")), "costs from 0"),
        (with_cost(0, 1, True), "costs from 0"),
        (with_cost(0, 1, "1"), "costs from 0"),
        (with_cost(0, 4, 0), "decreasing differences"),
    ],
)
def test_a_table_that_cannot_be_is_refused(loss: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        replace(BASE, loss=loss)


def test_rules_and_levels_that_cannot_be_are_refused() -> None:
    with pytest.raises(ArgumentError, match="an id of its own"):
        replace(BASE, rules=(*BASE.rules, BASE.rules[0]))
    with pytest.raises(ArgumentError, match="a tuple of rules"):
        replace(BASE, rules=("redness",))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="LevelText"):
        replace(BASE, levels=BASE.levels[1:])


@pytest.mark.parametrize(
    "change",
    [
        {"id": None}, {"id": ""}, {"id": ["a"]}, {"level": "emergency"}, {"level": 7}, {"condition": None},
        {"condition": "redness"}, {"condition": AllOf(())}, {"condition": AnyOf((AllOf(()),))},
        {"condition": AnyOf(["redness"])}, {"condition": Atom(None, "present")},  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    rule = replace(Rule("new", Level.EMERGENCY, "text", (), Atom("redness", "present")), **change)
    with pytest.raises(ArgumentError, match="rules="):
        replace(BASE, rules=(*BASE.rules, rule))


def test_a_caution_without_a_level_is_refused() -> None:
    with pytest.raises(ArgumentError, match="a Caution with a Level"):
        replace(BASE, caution=Caution("same_day", 1.645, 0.8))  # type: ignore[arg-type]


def test_other_words_for_the_levels_are_used_by_name_only() -> None:
    """An emergency whose text says to stay at home is no stricter policy."""
    calm = LevelText(Level.EMERGENCY, "Self-care", "Stay at home.")
    reworded = replace(BASE, levels=tuple(calm if text.level == Level.EMERGENCY else text for text in BASE.levels))
    assert not reworded.is_as_strict_as(BASE)
    with pytest.raises(ArgumentError, match="allow_laxer_policy"):
        TUTORIAL.diagnose({"age": 40}, policy=reworded)
    assert TUTORIAL.diagnose({"age": 40}, policy=reworded, allow_laxer_policy=True).urgency.policy_origin == PolicyOrigin.LAXER
    assert replace(BASE, levels=BASE.levels[::-1]).is_as_strict_as(BASE)


def test_a_policy_is_a_plain_value() -> None:
    assert pickle.loads(pickle.dumps(BASE)) == BASE
    assert hash(replace(BASE)) == hash(BASE)
    assert set(BASE.to_dict()) == {"levels", "loss", "change_points", "caution", "rules"}
    assert [rule["id"] for rule in BASE.to_dict()["rules"]] == [rule.id for rule in BASE.rules]


def test_everything_that_a_rule_holds_is_told() -> None:
    """Advice stands in the form of the model's files; the digest tells policies apart."""
    rule = Rule("new", Level.ROUTINE, "text", ("a",), Atom("redness", "present"), ("b",), ("c",), (("d", "e"),), ("f",), ("",))
    told = replace(BASE, rules=(rule,)).to_dict()["rules"][0]
    assert told["suspects"] == ["b"]
    assert told["first_help"] == [{"text": "c", "kinds": ["d", "e"]}]
    assert told["avoid"] == [{"text": "f", "kind": ""}]
    other: dict[str, Any] = {
        "id": "x",
        "level": Level.SAME_DAY,
        "condition": Atom("smoking", "present"),
        "help_kinds": (("x",),),
    }
    for key in (entry.name for entry in fields(Rule)):
        changed = replace(BASE, rules=(replace(rule, **{key: other.get(key, "x" if key == "reason" else ("x",))}),))
        assert changed.to_dict()["rules"][0] != told, key
        assert changed.digest != replace(BASE, rules=(rule,)).digest, key


def test_the_digest_tells_policies_apart() -> None:
    others = replace(BASE, rules=()), replace(BASE, caution=None), replace(BASE, loss=LOSS), replace(BASE, rules=BASE.rules[1:])
    assert len({policy.digest for policy in (BASE, replace(BASE), *others)}) == 5
    assert replace(BASE, levels=BASE.levels[::-1]).digest == BASE.digest


@given(loss=loss_tables())
def test_the_reading_aid_says_where_the_level_changes(loss: Any) -> None:
    """Between two change points the level stays as it is; at one it is the named one (ties go to the more urgent)."""
    policy = replace(BASE, loss=loss)
    for low in LEVELS_BY_SEVERITY:
        for high in LEVELS_BY_SEVERITY[low.severity + 1 :]:
            points = [p for p in policy.change_points if (p.otherwise, p.danger) == (low, high)]
            assert [p.probability for p in points] == sorted(p.probability for p in points)
            bounds = [0.0, *(p.probability for p in points), 1.0]
            for k, (start, end) in enumerate(pairwise(bounds)):
                if end - start < 1e-6:
                    continue
                between = np.zeros(N)
                between[low.severity], between[high.severity] = 1 - (start + end) / 2, (start + end) / 2
                losses = policy.expected_losses(tuple(between))
                level = points[k - 1].level if k else policy.least_loss(tuple(np.eye(N)[low.severity]))
                assert losses[level.severity] <= min(losses) + 1e-9 * max(losses)


def test_the_reading_aid_of_a_table_worked_out_by_hand() -> None:
    point = replace(BASE, loss=LOSS).change_points[0]
    assert point == ChangePoint(Level.SELF_CARE, Level.ROUTINE, 0.5, Level.ROUTINE)
    assert str(point) == "self_care or routine: routine from 0.50"


def test_a_policy_held_to_be_stricter_never_gives_a_lower_level() -> None:
    """Of some thousand pairs of coarse tables the few in which one dominates the other, at a hundred random patients."""
    rng = np.random.default_rng(1902)
    patients = rng.dirichlet(np.full(N, 0.4), size=100)
    tables = [coarse_table(rng) for _ in range(60)]
    policies_ = [replace(BASE, loss=loss, rules=()) for loss in tables]
    levels = [[policy.least_loss(patient).severity for patient in patients.tolist()] for policy in policies_]
    pairs = [(i, j) for i in range(60) for j in range(60) if i != j and policies_[i].is_as_strict_as(policies_[j])]
    assert len(pairs) > 20
    for i, j in pairs:
        assert all(one >= other for one, other in zip(levels[i], levels[j], strict=True)), (tables[i], tables[j])


def coarse_table(rng: np.random.Generator) -> Any:
    steps = np.zeros((N, N))
    for k in range(1, N):
        steps[k] = np.array([1.0] * k + [-rng.choice([1.0, 2.0, 4.0, 8.0])] * (N - k))
    return table_of(steps)


@given(data=st.data())
def test_a_stricter_policy_is_held_to_be_so(data: st.DataObject) -> None:
    base = data.draw(policies(BASE))
    stricter = data.draw(stricter_policies(base))
    assert stricter.is_as_strict_as(base)
    scale = data.draw(st.sampled_from([0.5, 3.0]))
    rescaled = replace(stricter, loss=tuple(tuple(scale * cost for cost in row) for row in stricter.loss))
    assert rescaled.is_as_strict_as(base)


def test_rules_may_be_split_or_widened_but_not_narrowed() -> None:
    a, b, c = (Atom(name, "present") for name in ("redness", "cold_feet", "pain_on_walking"))
    both = Rule("both", Level.SAME_DAY, "text", (), AllOf((a, AnyOf((b, c)))))
    base = replace(BASE, rules=(both,))
    split = (replace(both, id="one", condition=AllOf((a, b))), replace(both, id="two", condition=AllOf((a, c))))
    assert replace(base, rules=split).is_as_strict_as(base)
    assert base.is_as_strict_as(replace(base, rules=split))
    assert replace(base, rules=(replace(both, condition=a),)).is_as_strict_as(base)
    assert not replace(base, rules=split[:1]).is_as_strict_as(base)
    assert not replace(base, rules=(replace(both, level=Level.ROUTINE),)).is_as_strict_as(base)


def test_a_caller_may_pass_a_stricter_policy_and_a_laxer_one_only_by_name() -> None:
    stricter = replace(BASE, rules=(*BASE.rules, Rule("cold", Level.EMERGENCY, "Cold feet.", (), Atom("cold_feet", "present"))))
    patient = {"age": 40, "cold_feet": True}
    own = TUTORIAL.diagnose(patient)
    assert own.urgency.policy_origin == PolicyOrigin.MODEL
    strict = TUTORIAL.diagnose(patient, policy=stricter)
    assert (strict.urgency.policy_origin, strict.urgency.level) == (PolicyOrigin.STRICTER, Level.EMERGENCY)
    assert strict.causes == own.causes
    laxer = replace(BASE, rules=())
    with pytest.raises(ArgumentError, match="allow_laxer_policy"):
        TUTORIAL.diagnose(patient, policy=laxer)
    lax = TUTORIAL.diagnose(patient, policy=laxer, allow_laxer_policy=True)
    assert lax.urgency.policy_origin == PolicyOrigin.LAXER
    assert lax.to_dict()["urgency"]["policy"] == "laxer than the model's"
    assert TUTORIAL.diagnose(patient, policy=BASE, allow_laxer_policy=True).urgency.policy_origin == PolicyOrigin.MODEL


@pytest.mark.parametrize(
    ("atom", "message"), [(Atom("no_such", "present"), "no_such"), (Atom("redness", "absent"), "redness=absent")]
)
def test_a_policy_about_what_the_model_does_not_know_is_refused(atom: Atom, message: str) -> None:
    policy = replace(BASE, rules=(*BASE.rules, Rule("strange", Level.ROUTINE, "text", (), atom)))
    with pytest.raises(ArgumentError, match=message):
        TUTORIAL.diagnose({}, policy=policy)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"suspects": ("no_such",)}, "suspects 'no_such'"),
        ({"suspects": ("redness",)}, "suspects 'redness'"),
        ({"first_help": ("Sit down.",)}, "kinds of advice"),
        ({"avoid": ("Do not sit.",)}, "kinds of advice"),
        ({"avoid": ("Do not sit.",), "avoid_kinds": ("no_such",)}, "kinds of advice"),
    ],
)
def test_a_rule_that_advises_what_the_model_does_not_know_is_refused(given: dict[str, Any], message: str) -> None:
    rule = Rule("strange", Level.ROUTINE, "text", (), Atom("redness", "present"), **given)
    with pytest.raises(ArgumentError, match=message):
        TUTORIAL.diagnose({"redness": True}, policy=replace(BASE, rules=(*BASE.rules, rule)))


def test_no_other_value_is_a_policy() -> None:
    with pytest.raises(ArgumentError, match="UrgencyPolicy"):
        TUTORIAL.diagnose({}, policy="strict")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="True or False"):
        TUTORIAL.diagnose({}, allow_laxer_policy=1)  # type: ignore[arg-type]
    assert isinstance(BASE, UrgencyPolicy)
