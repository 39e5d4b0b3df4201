"""What notebooks show of explanations, questions, intervals and sensitivities: every number, in words besides the bars."""

import copy
import re
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from calfbayes import Diagnosis, load_model
from calfbayes.explanation.conflict import ConflictingPair
from calfbayes.presentation.facts import headline
from calfbayes.presentation.parts import interval_bar, leaning_bar, span_bar
from calfbayes.presentation.plain import percent, signed
from calfbayes.presentation.reasons import supposed
from support.models import model_of
from support.pages import Page, is_harmless, read_page
from support.small_models import small_content

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
LEAK, BATTERY = "leaking_fuel_line", "flat_battery"


def patient(**more: object) -> Diagnosis:
    return CAR.diagnose({"smell_of_fuel": True, "mileage": 160, "lights_dim": False, **more}, setting="garage")


def page_of(shown: Any) -> Page:
    page = read_page(shown._repr_html_())
    assert is_harmless(page)
    bars = [attributes for _, attributes in page.elements if attributes.get("class") == "cb-bar"]
    assert all(attributes["aria-hidden"] == "true" for attributes in bars)
    return page


def fills(page: Page) -> list[str]:
    return [a["style"] or "" for _, a in page.elements if (a.get("class") or "").startswith("cb-fill")]


# --- bars ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "style"), [(2.0, "left:50.0%;width:25.0%"), (-4.0, "left:0.0%;width:50.0%"), (inf, "left:50.0%;width:50.0%")]
)
def test_bars_lean_to_the_side_of_the_sign(value: float, style: str) -> None:
    page = read_page(leaning_bar(value, 4.0))
    assert fills(page) == [style]
    assert ("cb-against" in str(page.elements)) == (value < 0)


def test_a_span_lies_between_its_ends_whichever_comes_first() -> None:
    assert span_bar(0.4, 0.2, 0.3, (0.2, 0.6)) == span_bar(0.2, 0.4, 0.3, (0.2, 0.6))
    page = read_page(span_bar(0.4, 0.2, 0.3, (0.2, 0.6)))
    assert fills(page) == ["left:0.0%;width:50.0%"]
    assert "left:25.0%" in str(page.elements)
    assert "width:0.0%" in span_bar(0.2, 0.2, 0.2, (0.2, 0.2))  # nothing moved


def test_a_whisker_reaches_from_end_to_end() -> None:
    styles = [attributes.get("style") for _, attributes in read_page(interval_bar(0.5, 0.25, 0.875)).elements]
    assert styles == [None, "left:0.0%;width:50.0%", "left:25.0%;width:62.5%"]


# --- explanations ----------------------------------------------------------------------------------------------------


def test_a_ledger_leads_from_the_share_to_the_posterior() -> None:
    ledger = patient().explain(LEAK)
    page = page_of(ledger)
    assert all(sentence in page.words for sentence in ledger.sentences)
    begins = f"Before anything was known {signed(ledger.share_decibans)} {percent(ledger.share)} "
    ends = f" Now {signed(ledger.posterior_decibans)} {percent(ledger.probability)}"
    assert page.words.index(begins) < page.words.index(ends)
    assert len(fills(page)) == len(ledger.weights)
    first = ledger.weights[0]
    assert f"{signed(first.decibans)} odds times {10 ** (first.decibans / 10):.2g}" in page.words
    numbers = [number for weight in ledger.weights for route in weight.routes for number in route.numbers]
    assert numbers
    assert all(f"{number.place} {number.value:g} {number.kind} [" in page.words for number in numbers)
    citations = {source.id: source.citation for source in CAR.sources}
    assert all(citations[name] in page.words for name in ledger.sources)
    assert ledger.unasked
    assert all(f"{entry.label} " in page.words for entry in ledger.unasked)
    assert all(f"{c.label} {percent(c.probability)} {percent(c.with_it)}" in page.words for c in ledger.competitors)


def test_what_decides_is_worded_and_its_bar_is_full() -> None:
    content = small_content({"a": (1.0, {"f": 1.0}), "b": (1.0, {"g": 0.5}), "c": (1.0, {})}, {"f": 0.25, "g": 0.25})
    page = page_of(model_of(content).diagnose({"f": False, "g": True}).explain("a"))
    assert "-inf rules it out" in page.words
    assert fills(page)[0] == "left:0.0%;width:50.0%"
    assert "Now -inf 0 %" in page.words


def test_two_causes_lean_to_their_own_sides() -> None:
    contest = patient().compare_causes(LEAK, BATTERY)
    page = page_of(contest)
    first, second = contest.labels
    assert f"{second} | {first}" in page.words
    for ratio in contest.ratios:
        assert f"{signed(ratio.decibans)} " in page.words
    assert f"{first} {percent(contest.probabilities[0])} {supposed(contest.first_with)} {supposed(contest.first_without)}" in (
        page.words
    )
    assert all(f"{' + '.join(s.labels)} {percent(s.probability)}" in page.words for s in contest.sets)


def test_a_comparison_says_first_what_became_of_the_urgency() -> None:
    changed = CAR.diagnose({"lights_dim": True}).what_if(smoke=True)
    page = page_of(changed)
    before, after = changed.before.urgency, changed.after.urgency
    assert before.level != after.level
    assert page.words.startswith(f"Urgency: {before.label}, then {after.label} {after.action} Outcome before: insufficient - ")
    assert changed.before.outcome_reason in page.words
    assert f"Outcome now: {changed.after.outcome}" in page.words
    assert f"New: {changed.reasons_gained[0].text}" in page.words
    for change in changed.causes:
        assert change.before is not None
        assert change.after is not None
        row = f"{percent(change.before)} {percent(change.after)} {signed(100 * change.difference)} points"
        assert f"{change.label} {row}" in page.words
    same = page_of(patient().what_if())
    assert same.words.startswith("Urgency as before: ")
    assert "What differs nothing" in same.words


def test_a_conflict_names_both_answers() -> None:
    found = patient().conflict()
    assert not found.pairs
    assert "No two of the answers are at odds." in page_of(found).words
    assert "none" in repr(found)
    at_odds = replace(found, pairs=(ConflictingPair("smell_of_fuel", "lights_dim", 2.5),))
    assert "Smell of fuel no: Dim lights 2.5" in page_of(at_odds).words
    assert "Smell of fuel - no: Dim lights: 2.5" in repr(at_odds)
    assert at_odds.sentences[0] in " ".join(repr(at_odds).split())


# --- questions -------------------------------------------------------------------------------------------------------


def test_questions_stand_in_order_with_reason_and_answers() -> None:
    questions = CAR.diagnose({"lights_dim": True}).next_questions(10, who="clinician")
    page = page_of(questions)
    found = [page.words.index(question.text) for question in questions]
    assert found == sorted(found)
    assert questions
    assert any(question.answers for question in questions)
    for question in questions:
        assert question.reason in page.words
        assert not question.answers or f"{question.label}; urgency now: {headline(questions.diagnosis)} Answer" in page.words
        assert question.text in repr(questions)
        for answer in question.answers:
            assert f" {answer.state.replace('_', ' ')} {percent(answer.chance)} " in page.words


def test_questions_are_a_tuple_and_can_be_copied() -> None:
    questions = CAR.diagnose({"lights_dim": True}).next_questions()
    assert isinstance(questions, tuple)
    assert copy.copy(questions) == questions
    assert repr(copy.copy(questions)) == repr(questions)


def test_no_question_is_said_so() -> None:
    asked = patient()  # as urgent as can be
    assert not asked.next_questions()
    assert "Nothing that is left to ask would change the urgency." in page_of(asked.next_questions()).words
    assert repr(asked.next_questions()) == "Nothing that is left to ask would change the urgency."


# --- doubt -----------------------------------------------------------------------------------------------------------


def test_intervals_tell_both_ends_of_every_entry() -> None:
    given = patient().intervals()
    words = page_of(given).words
    assert words.startswith("90 % intervals over the doubt of the model's numbers, the coincidence held, by derivatives")
    for entry in given:
        remark = "(~ not nearly linear) " if entry.nearly_linear is False else ""
        assert f"{entry.label} {remark}{percent(entry.probability)} {percent(entry.low)} {percent(entry.high)}" in words
    drawn = page_of(patient().intervals(method="sampling", draws=20, progress=False)).words
    assert "from 20 drawn models" in drawn
    assert "same first cause in " in drawn


def test_sensitivities_tell_both_ends_and_what_changes_first() -> None:
    given = patient().sensitivity(of=LEAK)
    words = page_of(given).words
    widest = given.effects[0]
    assert widest.at_low is not None
    assert widest.at_high is not None
    row = f"{percent(widest.at_low)} {percent(widest.at_high)} {widest.value:g} ({widest.low:.3g} to {widest.high:.3g})"
    assert f"{widest.place} {widest.file} {row}" in words
    assert given.margins
    assert all(f"{margin.place} {margin.file} {margin.value:g} " in words for margin in given.margins[:8])
    label = patient()[given.margins[0].to].label
    assert f"first cause becomes {label}" in words
    assert f"first cause becomes {label}" in " ".join(repr(given).split())
    assert re.search(r"about \S+ %", words)  # followed by the derivative
    lost = replace(given, effects=(replace(widest, at_low=None),), margins=(replace(given.margins[0], limit=None),))
    told = page_of(lost).words
    assert "nothing coherent" in told
    assert "does not change when solved again" in told
