"""A dialogue is a script of typed lines in and text out."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calfbayes import Level, load_model
from calfbayes.knowledge.terms import AnyOf
from calfbayes.presentation.text import diagnosis_text
from calfbayes.questionnaire.asking import answer_text, ask
from calfbayes.questionnaire.interview import Interview, Stop, begin
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.session import Questionnaire
from calfbayes.questionnaire.stored import interview_from_json
from calfbayes.questionnaire.terms import Kind, Option, Question

HERE = Path(__file__).parent
MODEL = load_model(HERE.parent / "bad_models" / "base")
SOLVED = MODEL._solved
QUESTIONNAIRE = read_questionnaire(HERE, SOLVED.network)
START = begin(SOLVED, QUESTIONNAIRE, MODEL.evidence({}), epsilon=1e-9)  # as long as there is something to ask


def typed(lines: Iterable[str], *, width: int = 80, colour: bool = False, start: Interview = START) -> tuple[Interview, str]:
    """The interview after these lines and the end of the input, and what was shown."""
    script = iter(lines)
    shown: list[str] = []

    def read(prompt: str) -> str:
        line = next(script, None)
        shown.append(prompt if line is None else prompt + line)
        if line is None:
            raise EOFError
        return line

    interview = ask(start, read=read, write=shown.append, width=width, colour=colour)
    return interview, "\n".join(shown)


def numbers(shown: str) -> list[str]:
    return re.findall(r"^(\d+) [A-Z].*\?$", shown, re.MULTILINE)


def test_questions_are_put_one_after_the_other_until_the_end() -> None:
    interview, shown = typed(["?"] * 20)
    assert interview.stopped is not None
    assert numbers(shown) == [str(k + 1) for k in range(interview.screens)]
    assert interview.put == {name for question in QUESTIONNAIRE.questions for name in question.names if name in interview.put}


def test_a_question_shows_its_options_and_how_to_answer() -> None:
    question = START.next()
    assert question is not None
    _, shown = typed([])
    assert f"\n1 {question.text}\n" in shown
    for place, option in enumerate(question.options, start=1):
        assert f"  {place:>2}  {option.text}" in shown
    assert shown.endswith(")\n> ")


def test_lines_skip_deny_and_go_back() -> None:
    assert typed([])[0] == START
    assert typed(["q", "1"])[0] == START
    assert typed([""])[0] == START.skip()
    assert typed([" ? "])[0] == START.answer(None)
    assert typed(["", "b"])[0] == START
    assert typed(["b", ""])[0] == START.skip()
    assert typed(["", "", "B", "?"])[0] == START.skip().answer(None)


@pytest.mark.parametrize("line", ["0", "x", "1 x", "-1", "1.5", "yes", "\x1b[2J", "¹", "9" * 5_000])
def test_a_line_that_is_no_answer_is_explained_and_asked_again(line: str) -> None:
    at_boxes = START
    script: list[str] = []
    while (question := at_boxes.next()) is not None and not question.options:
        at_boxes, script = at_boxes.skip(), [*script, ""]
    interview, shown = typed([*script, line, ""])
    assert interview == at_boxes.skip()
    assert shown.count("cannot be; expected ") == 1
    assert "\x1b" not in shown.replace(f"> {line}", "")


def test_an_emergency_ends_the_dialogue_and_is_told() -> None:
    interview, shown = START, ""
    script: list[str] = []
    while (question := interview.next()) is not None:
        ids = [option.id for option in question.options]
        alarm = next((name for name in ("breath", "short_breath") if name in ids), None)
        script.append(str(ids.index(alarm) + 1) if alarm else "")
        interview = interview.answer(alarm) if alarm else interview.skip()
    interview, shown = typed([*script, "1", "1"])
    assert interview.stopped == Stop.EMERGENCY
    assert interview.level == Level.EMERGENCY
    assert "\nEMERGENCY\n  Go now." in shown
    assert shown.count("> ") == len(script)


def test_what_contradicts_itself_is_not_lost_when_it_sounds_urgent() -> None:
    pale = Option("pale", "Thick and pale", (("thick_calf", True), ("pale_skin", True)))
    question = Question("look", "How does it look?", "", Kind.ONE, (pale,), "", AnyOf(()), AnyOf(()))
    start = begin(
        SOLVED, Questionnaire((question,), SOLVED.network), MODEL.evidence({"redness": True, "pregnancy": True, "age": 50})
    )
    interview, shown = typed(["1", "q"], start=start)
    assert interview.evidence == start.evidence
    assert (start.floor, interview.floor) == (Level.SELF_CARE, Level.SAME_DAY)
    assert "these cannot all be true: pale_skin, redness" in shown


def test_the_level_to_act_on_comes_first_and_what_was_not_answered_is_told() -> None:
    unknown, _ = typed(["?"] * 20)
    assert unknown.unanswered_emergencies
    assert answer_text(unknown).startswith("alarm signs not answered\n\n")
    known = begin(SOLVED, QUESTIONNAIRE, MODEL.evidence({"short_breath": False, "age": 20, "sex": "male"}))
    assert answer_text(known) == diagnosis_text(known.result, care=True)
    told_before = answer_text(known.at_least(Level.EMERGENCY))
    assert told_before.startswith("EMERGENCY\n  Go now.\n\ncalled for earlier; now:\n\n")
    assert told_before.endswith(answer_text(known))


def test_lines_keep_to_the_width_and_colour_is_a_choice() -> None:
    lines = ["x", "?", "", "?", "?"]
    for width in (20, 60, 75):
        assert max(map(len, typed(lines, width=width)[1].splitlines())) <= max(width, 60)
    plain = typed(lines)[1]
    painted = typed(lines, colour=True)[1]
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain != painted


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["", "?", "b", "1", "2", "1 2", "3", "30", "99", "x", " "]) | st.text(max_size=4), max_size=12))
def test_no_script_breaks_the_dialogue(lines: list[str]) -> None:
    interview, _ = typed(lines)
    assert interview_from_json(SOLVED, QUESTIONNAIRE, interview.to_json()) == interview
