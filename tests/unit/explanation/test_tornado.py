"""One-way effects and margins against models that are edited, read and solved again."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from calfbayes import ArgumentError, Diagnosis, Model, ModelFileError, NoPosteriorError, UnknownNameError
from calfbayes.explanation import tornado
from calfbayes.explanation.tornado import Effect, Margin, sensitivity
from calfbayes.inference.elicited import elicited_numbers
from support.editing import with_number
from support.models import model_of, shipped
from support.random_models import number
from support.small_models import factor, small_content

GIVEN = {"age": 67, "sex": "male", "pain_on_walking": True, "redness": False, "unilateral_calf_swelling": True}
OF = "deep_vein_thrombosis"


def tutorial() -> Diagnosis:
    return shipped("tutorial").diagnose(dict(GIVEN))


def edited(model: Model, file: str, place: str, x: float, given: Mapping[str, object] = GIVEN) -> Diagnosis:
    """The answer of a model in which one number is another."""
    to: Callable[[float], float] = lambda _: x  # noqa: E731
    return model_of(_unbounded(with_number(model._content, file, place, to), file, place)).diagnose(given)


def _unbounded(content: dict, file: str, place: str) -> dict:  # type: ignore[type-arg]
    """The range gives way, so that the number may lie anywhere."""
    section, _, rest = file.removesuffix(".toml").partition("/")
    keys = [section, *([rest] if rest else []), *place.replace("[", ".").replace("]", "").split(".")]
    table = content
    if section == "risk_factors":
        table = content[section][keys[1]]["prior"][int(keys[3])]
    else:
        for key in keys:
            table = table[key]
    table.pop("range", None)
    table["n"] = 10.0
    return content


def test_exact_effects_are_those_of_edited_models() -> None:
    """Every number, those of risk factors and the coincidence among them."""
    result = tutorial()
    found = sensitivity(result, of=OF, exact=10_000)
    assert len({effect.file for effect in found.effects}) > 5
    compared = 0
    for effect in found.effects:
        assert effect.exact
        for x, p in ((effect.low, effect.at_low), (effect.high, effect.at_high)):
            try:
                expected = edited(shipped("tutorial"), effect.file, effect.place, x)[OF].probability
            except ModelFileError:  # below its leak, say
                continue
            assert p == pytest.approx(expected, rel=1e-8), f"{effect.file} {effect.place}"
            compared += 1
    assert compared > len(found.effects)


def test_effects_by_derivative_are_near_the_exact_ones() -> None:
    """Within a fifth of the effect, or a hundredth of a probability: what decides which numbers are solved again."""
    result = tutorial()
    exact = {(e.file, e.place): e for e in sensitivity(result, of=OF, exact=10_000).effects}
    roughly = sensitivity(result, of=OF, exact=0).effects
    assert len(roughly) == len(exact)
    closed = [effect for effect in roughly if effect.exact]
    assert {(e.file, e.place) for e in closed} >= {
        (f"causes/{OF}.toml", "links.local_swelling"),
        ("mechanisms.toml", "local_swelling.leak"),
    }
    assert 5 < len(closed) < len(roughly) - 5
    for effect in roughly:
        assert effect.width == pytest.approx(exact[effect.file, effect.place].width, rel=0.2, abs=0.01), effect.place


def test_the_widest_effects_come_first_and_are_exact() -> None:
    effects = tutorial().sensitivity(OF).effects
    assert [effect.exact for effect in effects[:5]] == [True] * 5
    assert [effect.width for effect in effects] == sorted((effect.width for effect in effects), reverse=True)


def test_what_moves_nothing_is_counted_and_left_out() -> None:
    """Links and backgrounds of findings that were not asked, above all."""
    found = tutorial().sensitivity(OF)
    solved = tutorial()._solved
    with_doubt = elicited_numbers(solved, "primary_care").deviations > 0.0
    assert len(found.effects) + found.unmoving == with_doubt.sum()
    assert min(effect.width for effect in found.effects) > 0.0
    unasked = {f"{name}.leak" for name in solved.network.node_index if name not in GIVEN}
    assert not unasked & {effect.place for effect in found.effects if effect.file == "findings.toml"}
    assert f"\n  {found.unmoving} others do not move it\n" in repr(found)
    assert f"<p>{found.unmoving} others do not move it.</p>" in found._repr_html_()


def test_nothing_moves_a_cause_that_is_ruled_out_but_the_number_that_rules_it_out() -> None:
    """`a` has an odds ratio of 0 in children: for certain, or with a range of its own."""
    content = small_content({"a": (1.0, {"f": 0.5}), "b": (1.0, {})}, {"f": 0.1})
    content["risk_factors"] = {"child": factor("child", 0.2)}
    origin = {key: value for key, value in number(0.0).items() if key != "n"}
    for high in (0.0, 0.5):
        content["causes"]["a"]["odds"] = {"child": {"present": {**origin, "range": [0.0, high]}}}
        found = model_of(content).diagnose({"child": True, "f": True}).sensitivity("a")
        assert found.probability == 0.0
        assert [effect.place for effect in found.effects] == ([] if high == 0.0 else ["odds.child.present"])
        assert ("no number by itself moves it" in repr(found)) == (high == 0.0)
        assert all(effect.at_high > 0.05 and effect.exact for effect in found.effects if effect.at_high is not None)


def test_a_larger_own_weight_makes_a_cause_more_probable() -> None:
    (own,) = [
        e for e in tutorial().sensitivity(OF).effects if (e.file, e.place) == (f"causes/{OF}.toml", "weight.primary_care")
    ]
    assert own.low < own.value < own.high
    assert own.at_low is not None
    assert own.at_high is not None
    assert own.at_low < tutorial()[OF].probability < own.at_high


def test_the_first_cause_changes_at_its_margin_and_not_before() -> None:
    result = tutorial()
    nearest = [margin for margin in result.sensitivity(OF).margins if margin.exact and margin.limit is not None]
    assert len(nearest) > 2
    for margin in nearest:
        assert margin.changes == "first cause"
        assert margin.limit is not None
        step = 0.01 * (margin.limit - margin.value)
        before = edited(shipped("tutorial"), margin.file, margin.place, margin.limit - step)
        after = edited(shipped("tutorial"), margin.file, margin.place, margin.limit + step)
        assert before.causes[0].id == result.causes[0].id
        assert after.causes[0].id == margin.to


def test_the_urgency_changes_at_its_margin_and_not_before() -> None:
    """With no doubt counted as danger: the level of an edited model is another one beyond the margin."""
    content = copy.deepcopy(shipped("tutorial")._content)
    del content["urgency"]["caution"]
    model = model_of(content)
    given = {"age": 67, "sex": "male", "pain_on_walking": True, "redness": False}
    result = model.diagnose(given)
    found = sensitivity(result, of="urgency", exact=0, confirmed=12).margins
    of_urgency = [m for m in found if m.exact and m.changes == "urgency" and m.limit is not None]
    assert of_urgency
    for margin in of_urgency:
        assert margin.limit is not None
        step = 0.01 * (margin.limit - margin.value)
        before, after = (
            edited(model, margin.file, margin.place, x, given).urgency.level for x in (margin.limit - step, margin.limit + step)
        )
        assert (before, str(after)) == (result.urgency.level, margin.to)


def test_a_margin_of_the_urgency_is_about_where_doubt_counts() -> None:
    """Doubt is held as large as it is in the result; of an edited model it is another one."""
    model = shipped("tutorial")
    given = {"age": 67, "sex": "male", "pain_on_walking": True, "redness": False}
    result = model.diagnose(given)
    assert result.urgency.is_fragile
    found = sensitivity(result, of="urgency", exact=0, confirmed=12).margins[:12]
    of_urgency = [m for m in found if m.changes == "urgency" and m.limit is not None]
    assert of_urgency
    assert not any(margin.exact for margin in of_urgency)
    for margin in of_urgency:
        assert margin.limit is not None
        step = 0.01 * (margin.limit - margin.value)
        before, after = (
            edited(model, margin.file, margin.place, x, given).urgency.level_probabilities
            for x in (margin.limit - step, margin.limit + step)
        )
        assert result.urgency.level_of(before) == result.urgency.level
        assert str(result.urgency.level_of(after)) == margin.to


def test_a_level_that_rules_set_is_said_to_be_theirs() -> None:
    result = shipped("tutorial").diagnose({"age": 67, "smoking": True, "cold_feet": True, "sudden_onset": True})
    assert result.urgency.model_level is not None
    assert result.urgency.model_level < result.urgency.rules_level
    found = result.sensitivity("urgency")
    label = result.urgency.policy.text_of(result.urgency.level).label
    assert found.set_by_rules == label
    assert repr(found).startswith(f"A rule sets the urgency, {label},")
    assert f"A rule sets the urgency, {label}," in found._repr_html_()
    assert tutorial().sensitivity("urgency").set_by_rules == result.sensitivity(OF).set_by_rules == ""


def test_beside_models_that_are_not_coherent_a_margin_is_found_or_denied() -> None:
    """`a` brings `b`: with a likelier link, or a rarer `b`, no base gives `b` its share."""
    content = small_content({"a": (0.4, {"b": 0.7, "f": 0.2}), "b": (0.5, {}), "c": (0.1, {})}, {"f": 0.1}, coincidence=0.4)

    def first(margin: Margin, x: float) -> str | None:
        try:
            model = model_of(
                _unbounded(with_number(content, margin.file, margin.place, lambda _: x), margin.file, margin.place)
            )
        except ModelFileError:
            return None
        return model.diagnose({"f": True}).causes[0].id

    margins = sensitivity(model_of(content).diagnose({"f": True}), of="a", exact=0, confirmed=8).margins
    denied = [m for m in margins if m.exact and m.limit is None]
    assert [m.place for m in denied] == ["links.b"]
    assert {first(denied[0], x / 100) for x in range(5, 100, 5)} == {"a", None}
    found = [m for m in margins if m.exact and m.limit is not None]
    assert len(found) > 3
    for margin in found:
        assert margin.limit is not None
        step = 0.01 * (margin.limit - margin.value)
        assert (first(margin, margin.limit - step), first(margin, margin.limit + step)) == ("a", margin.to), margin.place


def test_a_cause_far_less_probable_than_the_first_is_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rare` has one weight in 500; its own weight would have to grow as much, far beyond its doubt."""
    content = small_content({"a": (0.5, {"f": 0.3}), "b": (0.4, {"f": 0.2}), "rare": (0.001, {})}, {"f": 0.1})
    result = model_of(content).diagnose({"f": True})

    def rivals() -> set[str]:
        return {margin.to for margin in sensitivity(result, of="a", exact=0, confirmed=0).margins}

    assert rivals() == {"b"}
    monkeypatch.setattr(tornado, "REACH", 20.0)
    assert rivals() == {"b", "rare"}


def test_margins_are_in_order_and_know_their_range() -> None:
    margins = tutorial().sensitivity("urgency").margins
    found = [m for m in margins if m.limit is not None]
    assert [m.changes for m in found] == sorted((m.changes for m in found), reverse=True)  # the urgency's come first
    for changes in ("urgency", "first cause"):
        of_one = [m.deviations for m in found if m.changes == changes]
        assert of_one == sorted(of_one) != []
    assert any(m.exact for m in margins)
    of_a_cause = [m.deviations for m in tutorial().sensitivity(OF).margins if m.limit is not None]
    assert of_a_cause == sorted(of_a_cause)
    ranges = {(e.file, e.place): (e.low, e.high) for e in tutorial().sensitivity("urgency").effects}
    for m in margins:
        low, high = ranges[m.file, m.place]
        assert m.inside == (m.limit is not None and low <= m.limit <= high)


def test_the_urgency_is_followed_as_the_chance_that_its_level_is_needed() -> None:
    result = tutorial()
    found = result.sensitivity("urgency")
    level = result.urgency.model_level
    assert level is not None
    assert found.probability == pytest.approx(sum(result.urgency.level_probabilities[level.severity :]), rel=1e-9)
    assert result.urgency.policy.text_of(level).label in found.quantity


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        tutorial().sensitivity("gout")
    with pytest.raises(ArgumentError):
        tutorial().sensitivity(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError):
        sensitivity(tutorial(), of=OF, exact=-1)
    model = shipped("tutorial")
    with pytest.raises(NoPosteriorError):
        model.diagnose({model.knowledge.complaint: False}).sensitivity("urgency")


def test_a_change_that_is_far_away_is_looked_for_without_a_warning() -> None:
    """A clot would have to be a hundred times as frequent: its base then lies beyond what floats multiply."""
    told = {"age": 58, "sex": "female", "recent_surgery": True, "unilateral_calf_swelling": True, "pitting_oedema": True}
    denied = {"redness": False, "fever": False}
    margins = shipped("calf").diagnose({**told, **denied}).sensitivity("urgency").margins
    assert margins[0].changes == "urgency"
    assert margins[0].limit is not None


def test_the_text_about_the_urgency_tells_first_what_changes_the_urgency() -> None:
    found = tutorial().sensitivity("urgency")
    told = repr(found).partition("what would change the urgency first\n")[2].splitlines()
    assert "urgency becomes" in " ".join(told[:2])
    assert "Urgency becomes" not in found._repr_html_()
    assert "What would change the urgency first" in found._repr_html_()
    stable = replace(found, margins=tuple(m for m in found.margins if m.changes != "urgency"))
    assert "no number by itself changes the urgency" in repr(stable)
    assert "what would change the first cause first" in repr(stable)


def test_a_sensitivity_has_text_and_a_table() -> None:
    found = tutorial().sensitivity(OF)
    text = repr(found)
    first: Effect = found.effects[0]
    assert f"{first.file} {first.place}" in text
    assert "what would change the first cause first" in text
    assert text.index("what would change the first cause first") < text.index("what would change the urgency first")
    frame = found.to_frame()
    assert list(frame["place"]) == [effect.place for effect in found.effects]
    assert found.to_dict()["effects"][0]["at_low"] == first.at_low


def test_margins_that_are_lost_come_last_and_hopeless_ones_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    within = tutorial().sensitivity("urgency").margins
    assert max(m.deviations for m in within) <= 10.0
    monkeypatch.setattr(tornado, "FARTHEST", 1000.0)
    margins = tutorial().sensitivity("urgency").margins
    assert len(margins) > len(within)
    lost = [m.limit is None for m in margins]
    assert any(lost)
    assert lost == sorted(lost)
    assert min(m.deviations for m in margins if m.limit is None) < max(m.deviations for m in margins if m.limit is not None)
