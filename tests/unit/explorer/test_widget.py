"""The explorer's controls, worked as a user would, without a browser."""

import asyncio
import copy
import sys
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ContradictionError, Level, Likelihood, MissingExtraError, load_model
from calfbayes.explorer.session import Session
from calfbayes.explorer.widget import PAUSE, ROWS, TOP, WAITING, Explorer
from calfbayes.presentation.display import diagnosis_html
from calfbayes.presentation.facts import headline
from calfbayes.presentation.markup import element
from calfbayes.presentation.questions import questions_html
from support.models import model_of, shipped
from support.pages import is_harmless, read_page

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


@pytest.fixture
def explorer() -> Explorer:
    return CAR.explore()


def tick(explorer: Explorer, name: str, word: str) -> None:
    (row,) = [row for row in explorer.rows if row.item is not None and row.item.id == name]
    row.ticks.value = word


def words(explorer: Explorer) -> str:
    return read_page(explorer.answer.value).words


def test_a_tick_changes_what_is_shown_and_can_be_taken_back(explorer: Explorer) -> None:
    before = words(explorer)
    tick(explorer, "smoke", "present")
    assert explorer.result.urgency.level == Level.EMERGENCY
    assert words(explorer).startswith("Emergency (Urgency 5 of 5)")
    assert dict(explorer.evidence) == {"smoke": True}
    tick(explorer, "smoke", "absent")
    assert dict(explorer.evidence) == {"smoke": False}
    tick(explorer, "smoke", "not asked")
    assert words(explorer) == before


def test_unknown_is_an_answer_of_its_own(explorer: Explorer) -> None:
    tick(explorer, "smoke", "unknown")
    explorer.persons["mileage"].value = "unknown"
    explorer.persons["fuel"].value = "?"
    assert dict(explorer.evidence) == {"smoke": None, "mileage": None, "fuel": None}
    assert "Not known" in words(explorer)
    again = CAR.explore(CAR.evidence_from_json(explorer.to_json()))
    assert again.evidence == explorer.evidence
    shown = {row.item.id: row.ticks.value for row in again.rows if row.item}
    assert (shown["smoke"], shown["clicking"]) == ("unknown", "not asked")
    assert [again.persons[name].value for name in ("mileage", "fuel")] == ["unknown", "?"]
    again.persons["mileage"].value = ""
    again.persons["fuel"].value = ""
    tick(again, "smoke", "not asked")
    assert dict(again.evidence) == {}


def items(explorer: Explorer) -> list[str]:
    return [row.item.id for row in explorer.rows if row.item]


def test_a_second_click_at_the_same_place_answers_the_same_item(explorer: Explorer) -> None:
    before = items(explorer)
    for k, word in ((3, "present"), (3, "absent"), (5, "unknown"), (3, "not asked"), (0, "present")):
        explorer.rows[k].ticks.value = word
        assert items(explorer) == before
    assert dict(explorer.evidence) == {before[5]: None, before[0]: True}


def test_a_state_is_told_in_words_beside_its_item(explorer: Explorer) -> None:
    row = explorer.rows[0]
    assert row.item is not None
    for word in ("present", "absent", "unknown", "not asked"):
        row.ticks.value = word
        assert read_page(row.label.value).words == f"{row.item.label}: {word}"
    assert row.ticks.tooltips == tuple(f"{row.item.label}: {word}" for word in row.ticks.options)
    explorer.search.value = "frost"
    assert row.item.id == "cold_night"
    assert row.ticks.tooltips[0] == f"{row.item.label}: present"


def test_the_level_is_told_to_those_who_listen(explorer: Explorer) -> None:
    tick(explorer, "smoke", "present")
    assert 'role="status"' in explorer.status.value
    assert read_page(explorer.status.value).words == f"Urgency: {headline(explorer.result)}"


def test_what_is_still_asked_can_be_seen_however_much_is_answered() -> None:
    model = shipped("calf")
    known = model.evidence({"age": 67, "sex": "male"}, setting="primary_care")
    first = [item.id for item in Session(model, known).shown()[: 2 * ROWS]]
    explorer = model.explore(known.with_(dict.fromkeys(first, False)))
    assert explorer.count.value == element("small", f"{len(explorer.session.items) - ROWS} more; search to find them")
    seen = [*items(explorer)]
    asked = {name for rule in explorer.result.urgency.open_rules for name in rule.ask}
    assert len(seen) == ROWS
    assert set(seen) <= asked
    explorer.further.click()
    seen += items(explorer)
    assert len(set(seen)) == 2 * ROWS
    assert set(seen).isdisjoint(explorer.evidence)
    explorer.only_answered.value = True
    assert set(items(explorer)) <= set(first)
    for _ in range(len(first) // ROWS):
        explorer.further.click()
    assert items(explorer) == [item.id for item in explorer.session.shown(only_answered=True)[:ROWS]]  # from the first again


def test_few_items_have_no_next_ones(explorer: Explorer) -> None:
    assert explorer.further.disabled
    explorer.only_answered.value = True
    assert (items(explorer), read_page(explorer.count.value).words) == ([], "nothing is answered yet")
    explorer.only_answered.value = False
    tick(explorer, "smoke", "present")
    explorer.only_answered.value = True
    assert items(explorer) == ["smoke"]
    tick(explorer, "smoke", "not asked")
    assert items(explorer) == ["smoke"]  # it does not go from under the finger
    explorer.clear.click()
    assert (explorer.only_answered.value, len(items(explorer))) == (False, len(explorer.session.items))


def test_without_an_event_loop_questions_follow_at_once(explorer: Explorer) -> None:
    tick(explorer, "lights_dim", "present")
    asked = read_page(explorer.questions.value).words
    assert asked.startswith("What to ask next, best first")
    assert explorer.session.questions[0].text in asked


def test_questions_follow_when_there_is_time_and_only_those_of_the_last_answers() -> None:
    waiting = read_page(WAITING).words

    async def work() -> None:
        explorer = CAR.explore()
        for name in ("clicking", "lights_dim"):
            tick(explorer, name, "present")
            assert words(explorer) == read_page(diagnosis_html(explorer.result, top=TOP)).words
            assert read_page(explorer.questions.value).words == waiting
        changes: list[str] = []
        followed = asyncio.Event()

        def follow(change: dict[str, str]) -> None:
            changes.append(change["new"])
            followed.set()

        explorer.questions.observe(follow, "value")
        await followed.wait()
        await asyncio.sleep(2 * PAUSE)  # those of the first tick would have come by now
        assert changes == [questions_html(explorer.session.questions)]
        explorer.search.value = "frost"
        assert read_page(explorer.questions.value).words != waiting  # the answers are the same

    asyncio.run(asyncio.wait_for(work(), 60))


def test_search_fills_the_rows_and_changes_no_answer(explorer: Explorer) -> None:
    tick(explorer, "clicking", "present")
    explorer.search.value = "frost"
    assert [row.item.id for row in explorer.rows if row.item] == ["cold_night"]
    assert [row.box.layout.display for row in explorer.rows] == ["flex"] + ["none"] * (ROWS - 1)
    tick(explorer, "cold_night", "present")
    assert dict(explorer.evidence) == {"clicking": True, "cold_night": True}
    explorer.search.value = "xylophone"
    assert not [row.item for row in explorer.rows if row.item]
    assert read_page(explorer.count.value).words == "nothing is like these words"


def test_numbers_and_states_are_entered_and_emptied(explorer: Explorer) -> None:
    explorer.persons["mileage"].value = " 160 "
    explorer.persons["fuel"].value = "diesel"
    assert dict(explorer.evidence) == {"fuel": "diesel", "mileage": 160}
    explorer.persons["mileage"].value = ""
    explorer.persons["fuel"].value = ""
    assert dict(explorer.evidence) == {}


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("-5", "lies outside 0..1000"),
        *(
            (entered, f"Mileage='{entered}': is no number; give a number of")
            for entered in ("many", "nan", "1e999", "6_7", "\u0661")
        ),
        ("9" * 300, "is no number"),
    ],
)
def test_a_wrong_number_is_told_and_nothing_changes(explorer: Explorer, entered: str, said: str) -> None:
    explorer.persons["mileage"].value = entered
    assert said in read_page(explorer.message.value).words
    assert dict(explorer.evidence) == {}
    assert explorer.persons["mileage"].value == ""
    explorer.persons["mileage"].value = "20"
    assert explorer.message.value == ""


def test_a_contradiction_is_told_and_the_tick_goes_back(explorer: Explorer) -> None:
    explorer.search.value = "light"
    tick(explorer, "lights_bright", "present")
    tick(explorer, "lights_dim", "present")
    assert "these cannot all be true" in read_page(explorer.message.value).words
    assert dict(explorer.evidence) == {"lights_bright": True}
    assert {row.item.id: row.ticks.value for row in explorer.rows if row.item}["lights_dim"] == "not asked"


def test_the_setting_is_followed(explorer: Explorer) -> None:
    explorer.setting.value = "garage"
    assert explorer.result.setting == "garage"
    assert "Setting In a garage" in words(explorer)


def test_a_setting_that_was_not_chosen_says_that_it_is_assumed(explorer: Explorer) -> None:
    assert (explorer.setting.value, explorer.setting.label) == ("", "At the roadside (assumed, none was given)")
    explorer.setting.value = "garage"
    explorer.setting.value = ""
    assert explorer.evidence.setting is None


def test_start_again_takes_back_everything_but_the_setting(explorer: Explorer) -> None:
    explorer.setting.value = "garage"
    tick(explorer, "smoke", "present")
    explorer.persons["mileage"].value = "20"
    explorer.search.value = "frost"
    explorer.clear.click()
    assert (dict(explorer.evidence), explorer.evidence.setting, explorer.search.value) == ({}, "garage", "")
    assert explorer.persons["mileage"].value == ""


def test_it_begins_where_json_left_it(explorer: Explorer) -> None:
    tick(explorer, "smoke", "present")
    explorer.persons["mileage"].value = "160.5"
    again = CAR.explore(CAR.evidence_from_json(explorer.to_json()))
    assert again.evidence == explorer.evidence
    assert again.persons["mileage"].value == "160.5"
    assert {row.item.id: row.ticks.value for row in again.rows if row.item}["smoke"] == "present"
    assert words(again) == words(explorer)


def test_a_doubtful_answer_is_kept_until_it_is_ticked() -> None:
    explorer = CAR.explore({"smoke": Likelihood(3)})
    tick(explorer, "clicking", "present")
    assert explorer.evidence["smoke"] == Likelihood(3)
    row = next(row for row in explorer.rows if row.item and row.item.id == "smoke")
    assert row.ticks.value is None
    assert "doubtful (ratio 3)" in row.label.value
    tick(explorer, "smoke", "not asked")
    assert "smoke" not in explorer.evidence
    tick(explorer, "smoke", "absent")
    assert dict(explorer.evidence)["smoke"] is False
    assert "doubtful" not in row.label.value


def test_a_notebook_shows_the_box(explorer: Explorer) -> None:
    shown = explorer._repr_mimebundle_()
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.box.model_id


@pytest.mark.parametrize("attack", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>'])
def test_hostile_labels_stay_text(attack: str) -> None:
    content = copy.deepcopy(CAR._content)
    for group in ("causes", "findings", "complications", "risk_factors"):
        for record in content[group].values():
            record["label"] = attack
            if "question" in record:
                record["question"] = attack
    for setting in content["model"]["settings"].values():
        setting["label"] = attack
    explorer = model_of(content).explore(setting="garage")
    assert explorer.setting.value == "garage"
    shown = [explorer.answer.value, explorer.questions.value, explorer.count.value]
    for html in [*shown, *(row.label.value for row in explorer.rows if row.item)]:
        assert is_harmless(read_page(html))
    for html in [explorer.rows[0].label.value, explorer.questions.value]:
        assert attack in read_page(html).text
    controls: list[Any] = [explorer.setting, explorer.search, *explorer.persons.values()]
    assert not any(control.description_allow_html for control in controls)
    assert not any(control.description for control in explorer.persons.values())  # a notebook sets formulas in it


def test_a_wrong_start_is_refused() -> None:
    with pytest.raises(ContradictionError):
        CAR.explore({"lights_bright": True, "lights_dim": True})


def test_without_the_widgets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfbayes.explorer.widget", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'calfbayes\[notebook\]'"):
        CAR.explore()


def test_the_shipped_model_can_be_explored() -> None:
    explorer = shipped("calf").explore({"age": 60, "sex": "female"}, setting="primary_care")
    explorer.search.value = "swelling"
    assert explorer.rows[0].item is not None
    explorer.rows[0].ticks.value = "present"
    assert len(explorer.evidence) == 3
