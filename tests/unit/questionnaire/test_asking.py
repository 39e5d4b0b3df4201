"""A dialogue is a script of typed lines in and text out."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import load_model
from calfbayes.questionnaire.asking import ask
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.session import Answers

HERE = Path(__file__).parent
NETWORK = load_model(HERE.parent / "bad_models" / "base")._solved.network
QUESTIONNAIRE = read_questionnaire(HERE, NETWORK)
WHOLE = ["1 3", "30", "1", "2", "1", "2"]


def typed(lines: Iterable[str], *, width: int = 80, colour: bool = False) -> tuple[Answers, str]:
    """The answers after these lines and the end of the input, and what was shown."""
    script = iter(lines)
    shown: list[str] = []

    def read(prompt: str) -> str:
        line = next(script, None)
        shown.append(prompt if line is None else prompt + line)
        if line is None:
            raise EOFError
        return line

    answers = ask(QUESTIONNAIRE, read=read, write=shown.append, width=width, colour=colour)
    return answers, "\n".join(shown)


def test_every_question_is_put_and_answered() -> None:
    answers, shown = typed(WHOLE)
    assert answers.to_dict() == {
        "answers": {
            "signs": ["thick", "well"],
            "age": 30,
            "sex": ["female"],
            "pregnancy": ["no"],
            "dent": ["yes"],
            "colour": ["pale"],
        },
        "skipped": [],
    }
    assert re.findall(r"^(\d/\d) (.*)$", shown, re.MULTILINE) == [
        ("1/5", "What is so?"),
        ("2/6", "How old are you?"),
        ("3/6", "Female or male?"),
        ("4/6", "Are you pregnant?"),
        ("5/6", "Does pressing leave a dent?"),
        ("6/6", "Which colour is the skin?"),
    ]


def test_a_question_shows_its_help_its_options_and_how_to_answer() -> None:
    _, shown = typed([])
    assert shown.endswith(
        "\n\n1/5 What is so?\n    Look at both legs.\n   1  Thick calf\n   2  Short of breath\n   3  Well otherwise\n"
        "   4  None of these\n    (one or more numbers, with spaces between)\n> "
    )
    assert typed(["4"])[1].endswith("\n2/5 How old are you?\n    (a number of years)\n> ")
    assert typed(["4", ""])[1].endswith("\n   1  Female\n   2  Male\n    (one number)\n> ")


@pytest.mark.parametrize(
    ("lines", "document"),
    [
        ([], {"answers": {}, "skipped": []}),
        (["q", "1"], {"answers": {}, "skipped": []}),
        (["Q"], {"answers": {}, "skipped": []}),
        (["", "  "], {"answers": {}, "skipped": ["signs", "age"]}),
        (["?", " ? "], {"answers": {"signs": None, "age": None}, "skipped": []}),
        (["2,1;3"], {"answers": {"signs": ["thick", "breath", "well"]}, "skipped": []}),
        (["4", "67.5"], {"answers": {"signs": ["none"], "age": 67.5}, "skipped": []}),
        (["b", "4"], {"answers": {"signs": ["none"]}, "skipped": []}),
        (["4", "B", "1"], {"answers": {"signs": ["thick"]}, "skipped": []}),
        (["1", "", "2", "b", "b", "9", "1"], {"answers": {"signs": ["thick"], "age": 9, "sex": ["female"]}, "skipped": []}),
        (["", "", "", "", "1"], {"answers": {"colour": ["red"]}, "skipped": ["signs", "age", "sex", "pregnancy"]}),
    ],
)
def test_what_a_line_means(lines: list[str], document: dict[str, object]) -> None:
    assert typed(lines)[0].to_dict() == document


def test_after_going_back_the_following_question_fits_the_new_answer() -> None:
    answers, shown = typed(["4", "", "1", "b", "2", "1"])
    assert answers.evidence()["sex"] == "male"
    assert shown.count("Are you pregnant?") == 1
    assert answers.evidence()["redness"] is True


@pytest.mark.parametrize("line", ["0", "5", "x", "1 x", "-1", "1.5", "4 1", "yes", "\x1b[2J", "¹", "9" * 5_000])
def test_a_line_that_is_no_answer_is_explained_and_asked_again(line: str) -> None:
    answers, shown = typed([line, "1"])
    assert answers.to_dict()["answers"] == {"signs": ["thick"]}
    assert shown.count("cannot be; expected ") == 1
    assert shown.count("What is so?") == 1
    assert "\x1b" not in shown.replace(f"> {line}", "")


@pytest.mark.parametrize("line", ["121", "-1", "nan", "inf", "1e999", "young", "1 2"])
def test_a_number_that_cannot_be_is_explained(line: str) -> None:
    answers, shown = typed(["4", line, "7"])
    assert answers.to_dict()["answers"]["age"] == 7
    assert "cannot be; expected a number" in shown


def test_an_emergency_is_told_at_once_and_once() -> None:
    warning = (
        "\nEMERGENCY\n  Go now.\n  - A clot may have reached the lung.\n"
        "  You need not go on: q shows the result.\n\n2/6 How old are you?"
    )
    answers, shown = typed(["1 2", "30", "1", "2", "1"])
    assert warning in shown
    assert shown.count("EMERGENCY") == 1
    assert len(answers.given) == 5
    assert "EMERGENCY" not in typed(["1", "30"])[1]


def test_lines_keep_to_the_width_and_colour_is_a_choice() -> None:
    lines = ["1 2", "x", *WHOLE]
    for width in (20, 60, 75):
        assert max(map(len, typed(lines, width=width)[1].splitlines())) <= max(width, 60)
    plain = typed(lines)[1]
    painted = typed(lines, colour=True)[1]
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain != painted


@given(st.lists(st.sampled_from(["", "?", "b", "1", "2", "1 2", "3", "30", "99", "x", " "]) | st.text(max_size=4), max_size=15))
def test_no_script_breaks_the_dialogue(lines: list[str]) -> None:
    answers, _ = typed(lines)
    assert QUESTIONNAIRE.answers_from_json(answers.to_json()) == answers
