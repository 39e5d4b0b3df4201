"""What notebooks show: in which order, to whom, in which colours."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from calfbayes import Diagnosis, Level, Likelihood, load_model
from calfbayes.diagnosis.care import Advised
from calfbayes.diagnosis.policy import PolicyOrigin
from calfbayes.diagnosis.urgency import Doubt
from calfbayes.presentation.care_display import care_parts
from calfbayes.presentation.display import DiagnosisView, diagnosis_html, evidence_html, model_html
from calfbayes.presentation.facts import signs_told
from calfbayes.presentation.markup import joined
from calfbayes.presentation.page import report_html
from calfbayes.presentation.parts import Bibliography, style
from calfbayes.presentation.plain import percent
from support.models import SHIPPED, shipped
from support.pages import Page, is_harmless, read_page

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
HEX = "#[0-9a-f]{6}"


def patient(**more: object) -> Diagnosis:
    return CAR.diagnose({"smell_of_fuel": True, "mileage": 160, "lights_dim": False, **more}, setting="garage")


def places(text: str, *parts: str) -> list[int]:
    return [text.index(part) for part in parts]


def test_urgency_stands_first_and_the_disclaimer_once_at_the_end() -> None:
    words = read_page(patient()._repr_html_()).words
    assert words.startswith("Emergency (Urgency 5 of 5) Get out, keep away, and call the fire brigade. Outcome: assessed Why ")
    found = places(
        words, "Outcome: ", "Why", "Causes (bar", "Complications", "What to do", "What was known", "Sources", "Model car"
    )
    assert found == sorted(found)
    assert words.endswith(CAR.knowledge.intended_use)
    assert words.count(CAR.knowledge.intended_use) == 1


def test_reasons_name_what_made_them_and_their_sources_by_number() -> None:
    page = read_page(patient()._repr_html_())
    assert "Because: Smell of fuel; Mileage: 160 thousand km. [1, 2]" in page.words
    assert "Same day: Fuel that can be smelt is leaking. Because: Smell of fuel. [1]" in page.words
    sources = {source.id: source.citation for source in CAR.sources}
    assert f"Sources {sources['manual']} {sources['nowhere']} Model car" in page.words  # in the order of their numbers


def test_each_cause_has_a_bar_for_the_eye_and_numbers_for_the_ear() -> None:
    result = patient()
    page = read_page(result._repr_html_())
    for entry in result.causes:
        assert f"{entry.label} {percent(entry.probability)} {percent(entry.share)} " in page.words
    styles = [attributes["style"] for _, attributes in page.elements if "style" in attributes]
    first = result.causes[0]
    assert styles[:2] == [f"left:0.0%;width:{100 * first.probability:.1f}%", f"left:{100 * first.share:.1f}%"]
    bars = [attributes for _, attributes in page.elements if attributes.get("class") == "cb-bar"]
    assert all(attributes["aria-hidden"] == "true" for attributes in bars)
    assert len(bars) == len(result.causes) + len(result.complications)


def test_the_level_is_a_heading_and_columns_of_bars_are_for_the_eye_alone() -> None:
    result = patient()
    elements = read_page(result._repr_html_()).elements
    (level,) = (attributes for _, attributes in elements if attributes.get("class") == "cb-level")
    assert (level["role"], level["aria-level"]) == ("heading", "2")
    hidden = [tag for tag, attributes in elements if attributes.get("aria-hidden") == "true" and tag != "span"]
    assert hidden.count("th") == 2
    assert hidden.count("td") == len(result.causes) + len(result.complications)
    words = read_page(result._repr_html_()).words
    assert "Complications Complication Probability Now Before" in words


def test_words_are_broken_only_where_a_line_cannot_hold_them() -> None:
    """`anywhere` would let columns shrink to a letter: "Deciba/ns"; wide tables scroll by themselves."""
    page = read_page(patient()._repr_html_())
    assert "overflow-wrap: anywhere" not in page.styles
    assert ".calfbayes .cb-scroll { overflow-x: auto; }" in page.styles
    around = [page.elements[k - 1] for k, (tag, _) in enumerate(page.elements) if tag == "table"]
    assert around == [("div", {"class": "cb-scroll"})] * page.tags.count("table") != []


def test_tables_name_their_rows_and_columns_and_the_display_itself() -> None:
    page = read_page(patient()._repr_html_())
    assert ("section", {"aria-label": "Diagnosis"}) in page.elements
    assert page.tags.count("table") == page.tags.count("caption") > 0
    heads = [attributes["scope"] for tag, attributes in page.elements if tag == "th"]
    assert set(heads) == {"col", "row"}
    assert not {"h1", "h2", "h3"} & set(page.tags)  # a notebook would put them into its table of contents


def test_open_rules_are_folded_away_with_what_to_ask() -> None:
    result = CAR.diagnose({"lights_dim": True})
    page = read_page(diagnosis_html(result))
    assert f"Outcome: insufficient - {result.outcome_reason} " in page.words
    assert "Not yet ruled out (1 emergency, 1 same day)" in page.words
    assert (
        "Emergency: Smoke, or fuel smelt near a hot old engine, may mean a fire. Ask: Smoke from the bonnet; Smell of fuel"
        in page.words
    )


@pytest.mark.parametrize("top", [1, 2, 3, 9])
def test_all_causes_are_there_and_those_beyond_the_top_folded(top: int) -> None:
    words = read_page(diagnosis_html(patient(), top=top)).words
    assert (f"{3 - top} more causes" in words) == (top < 3)
    shown = [f" {entry.label} {percent(entry.probability)} {percent(entry.share)} " for entry in patient().causes]
    assert [words.count(row) for row in shown] == [1, 1, 1]


def test_the_level_by_expected_loss_stands_beside_its_numbers() -> None:
    result = patient()
    flag = result.urgency
    words = read_page(replace(result, urgency=replace(flag, doubt=None))._repr_html_()).words
    assert f"Least expected loss: {flag.label.lower()}." in words or flag.model_level != flag.level
    for level in Level:
        assert f" {percent(flag.level_probabilities[level.severity])} {flag.expected_loss[level.severity]:.2f}" in words


def test_doubt_that_counts_as_danger_is_told_with_what_it_does() -> None:
    result = patient()
    doubt = Doubt((0.5, 0.5, 0.5, 0.5), (0.5, 0.25, 0.125, 0.0625, 0.0625), Level.ROUTINE)
    flag = replace(result.urgency, doubt=doubt, doubt_refused="")
    words = read_page(replace(result, urgency=flag)._repr_html_()).words
    assert "without it the level would be routine." in words
    for level in Level:
        k = level.severity
        row = f" {percent(flag.level_probabilities[k])} {percent(doubt.probabilities[k])} {flag.expected_loss[k]:.2f}"
        assert row in words
    refused = replace(result.urgency, doubt=doubt, doubt_refused="it was too dear")
    assert "How large the doubt is was not computed, so it counts as large: it was too dear" in (
        read_page(replace(result, urgency=refused)._repr_html_()).words
    )


def test_without_probabilities_level_and_reason_remain() -> None:
    page = read_page(CAR.diagnose({"smoke": True, "smell_of_fuel": True}, cost_limit=1e-3)._repr_html_())
    assert page.words.startswith("Emergency (Urgency 5 of 5)")
    assert "Outcome: insufficient - an exact answer is predicted to need" in page.words
    assert "table" not in page.tags
    assert "What to do" not in page.words


def test_evidence_tells_every_kind_of_answer_apart() -> None:
    evidence = CAR.evidence(
        {"smoke": Likelihood(0.25), "clicking": None, "cold_night": True, "mileage": 60.5, "lights_dim": False}
    )
    assert read_page(evidence._repr_html_()).words == (
        "What is known Patient Mileage: 60.5 thousand km Present Frost last night Absent Dim lights "
        "Doubtful no: Smoke from the bonnet (likelihood ratio 0.25) Not known Clicking starter "
        "Setting At the roadside (assumed, none was given)"
    )
    assert read_page(evidence_html(CAR.evidence({}, setting="garage"))).words == (
        "What is known Answers none yet Setting In a garage"
    )


def test_a_model_shows_all_that_it_holds() -> None:
    page = read_page(CAR._repr_html_())
    for records in (CAR.causes, CAR.findings, CAR.risk_factors):
        assert all(f"{record.label} " in page.words and record.id in page.words for record in records)
    assert all(rule.reason in page.words for rule in CAR.urgency_policy.rules)
    assert all(source.citation in page.words for source in CAR.sources)
    share = CAR.diagnose({}, setting="garage")["flat_battery"].share
    assert re.search(rf"Flat battery Self-care \S+ % {re.escape(percent(share))} flat_battery", page.words)
    assert "Mileage" in page.words
    assert "a number of thousand km, 0 to 1000" in page.words


@pytest.mark.parametrize("name", SHIPPED)
def test_displays_of_shipped_models_are_sound(name: str) -> None:
    model = shipped(name)
    for html in (model_html(model._solved), model.diagnose({})._repr_html_(), model.evidence({})._repr_html_()):
        assert is_harmless(read_page(html))


def test_nothing_outside_a_display_is_styled() -> None:
    rules = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", read_page(style()).styles, flags=re.DOTALL))
    assert all(part.strip().startswith(".calfbayes") for rule in rules for part in rule.split(","))


def test_words_and_colours_of_every_level_can_be_read() -> None:
    css = read_page(style()).styles
    for level in Level:
        background, text = re.search(rf"\.cb-{level} {{ background: ({HEX}); color: ({HEX});", css).groups()  # type: ignore[union-attr]
        assert contrast(background, text) >= 4.5, level


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_bars_and_lines_can_be_seen_on_light_and_dark_pages(page: str) -> None:
    css = read_page(style()).styles
    assert "#0072b2" in css
    assert "#808080" in css
    assert "#d55e00" in css
    assert contrast("#0072b2", page) >= 3  # graphics; text takes the colour of the page around it
    assert contrast("#808080", page) >= 3
    assert contrast("#d55e00", page) >= 3
    outside_banners = [line for line in css.splitlines() if re.search(rf"[^-]color: {HEX}", line)]
    assert all("background: #" in line for line in outside_banners)


def test_a_level_is_worded_whatever_its_colour() -> None:
    result = patient()
    texts = {text.level: text for text in CAR.urgency_policy.levels}
    for level in Level:
        flag = replace(result.urgency, level=level, label=texts[level].label, action=texts[level].action)
        page = read_page(replace(result, urgency=flag)._repr_html_())
        assert page.words.startswith(f"{texts[level].label} (Urgency {level.severity + 1} of 5) {texts[level].action}")
        assert has_class(page, f"cb-{level}")


def has_class(page: Page, name: str) -> bool:
    return any(name in (attributes.get("class") or "").split() for _, attributes in page.elements)


def contrast(one: str, other: str) -> float:
    """Contrast ratio as the web content accessibility guidelines define it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_advice_is_that_of_the_result_with_the_causes_it_is_for() -> None:
    result = patient()
    words = read_page(result._repr_html_()).words
    told = words[words.index("What to do") :]
    given = {"Who to see": result.care.who, "Avoid": result.care.avoid, "Come back": result.care.come_back}
    kinds = {kind: entries for kind, entries in given.items() if entries}
    assert len(kinds) > 1
    found = [told.index(kind) for kind in kinds]
    assert found == sorted(found)
    labels = {entry.id: entry.label for entry in (*result.causes, *result.complications)}
    for kind, entries in kinds.items():
        lead = "because it may be" if kind == "Avoid" else "for"
        for entry in entries:
            assert f"{entry.text.rstrip('.')} ({lead} {', '.join(labels[name] for name in entry.causes[:3])}" in told


def advice(**more: object) -> Page:
    """What is shown of a patient's advice, altered."""
    care = replace(patient().care, **more)  # type: ignore[arg-type]
    return read_page(joined(part for _, part in care_parts(care, Bibliography(CAR.sources))))


def test_a_bracket_says_whether_advice_is_for_a_cause_or_forbidden_by_one() -> None:
    causes = ("burning_engine", "flat_battery", "leaking_fuel_line")
    both = Advised("Push the car.", causes, states=("smell_of_fuel",))
    because = "because of Smell of fuel, and because it may be Burning engine, Flat battery, Leaking fuel line"
    shown = advice(helps=(Advised("Push the car.", causes[1:]),), withheld=(both,)).words
    assert "Helps Push the car (for Flat battery, Leaking fuel line) Not now Push the car" in shown
    assert f"Not now Push the car ({because}) Avoid" in shown
    known = replace(both, causes=())
    assert "Not now Push the car (because of Smell of fuel) Avoid" in advice(withheld=(known,)).words
    assert "Not now Push the car. Avoid" in advice(withheld=(replace(known, states=(), rules=("fire",)),)).words


def test_what_forbids_stays_with_its_name_on_paper() -> None:
    """Each name and its list is a group of its own, and the sheet of the report breaks no group."""
    elements = advice(withheld=(Advised("Push the car.", ("burning_engine",)),)).elements
    names = [k for k, (tag, _) in enumerate(elements) if tag == "dt"]
    assert len(names) > 3
    assert all(elements[k - 1] == ("div", {}) for k in names)
    sheet = read_page(report_html(patient())).styles
    assert re.search(r"\.cb-pairs > div \{[^}]*break-inside: avoid;", sheet)


def test_what_to_watch_for_stands_in_display_and_report() -> None:
    result = shipped("calf").diagnose({"age": 67, "sex": "male", "pain_on_walking": True}, setting="primary_care")
    assert len(result.care.come_back_if) > 1
    for page in (read_page(result._repr_html_()), read_page(report_html(result))):
        told = page.words[page.words.index("What to watch for ") :]
        for watched in result.care.come_back_if:
            signs = [signs_told(result.evidence._network, signs) for signs in watched.by_kind]
            assert f"{watched.text} {' '.join(signs)} " in told
    assert "What to watch for" not in read_page(patient()._repr_html_()).words


def test_what_was_asked_and_is_not_known_is_told_so_where_it_could_settle_it() -> None:
    result = CAR.diagnose({"lights_dim": True, "smoke": None})
    assert "smoke" in result.would_settle
    words = read_page(result._repr_html_()).words
    assert "These answers can settle it: Smoke from the bonnet (asked, not known); Mileage. Emergency: " in words
    assert " Ask: Smoke from the bonnet (asked, not known); " in words
    assert " Ask: Smoke from the bonnet (asked, not known); " in " ".join(repr(result).split())
    doubtful = CAR.diagnose({"lights_dim": True, "smoke": Likelihood(2.0)})
    assert "Smoke from the bonnet (told, but doubtful); Mileage. " in read_page(doubtful._repr_html_()).words


def test_rules_that_are_not_shown_are_counted_by_level() -> None:
    view = DiagnosisView(CAR.diagnose({"lights_dim": True}))
    shown = read_page(view.open_rules(1) or "").words
    assert shown.endswith("And further rules that answers could still fire: 1 same day.")
    assert "further rules" not in read_page(view.open_rules(2) or "").words


def test_what_would_settle_it_stands_before_the_open_rules() -> None:
    result = CAR.diagnose({"lights_dim": True})
    words = read_page(result._repr_html_()).words
    assert result.would_settle
    assert "These answers can settle it: Smoke from the bonnet; Mileage. Emergency: " in words


def test_of_much_that_would_settle_it_the_first_is_told_and_the_rest_is_counted() -> None:
    result = shipped("calf").diagnose({"age": 67, "sex": "male"})
    records = result.evidence._network.records
    first = "; ".join(records[name].label for name in result.would_settle[:6])
    told = f"These answers can settle it: {first}; {len(result.would_settle) - 6} more. Emergency: "
    for page in (result._repr_html_(), report_html(result)):
        assert told in read_page(page).words
    assert result.to_dict()["would_settle"] == list(result.would_settle)


def test_a_policy_that_is_not_the_models_is_told() -> None:
    result = patient()
    other = replace(result, urgency=replace(result.urgency, policy_origin=PolicyOrigin.LAXER))
    assert "The urgency policy is laxer than the model's." in read_page(other._repr_html_()).words
    assert "The urgency policy is" not in read_page(result._repr_html_()).words
