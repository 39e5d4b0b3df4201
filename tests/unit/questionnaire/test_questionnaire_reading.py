"""A questionnaire is checked against its model, and all that is wrong is told at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from calfbayes import ModelFileError, load_model
from calfbayes.errors import Fault
from calfbayes.knowledge.terms import AnyOf, Atom
from calfbayes.questionnaire.reading import read_questionnaire
from calfbayes.questionnaire.session import Questionnaire
from calfbayes.questionnaire.terms import Kind, Option, Question

HERE = Path(__file__).parent
NETWORK = load_model(HERE.parent / "bad_models" / "base")._solved.network
TEXT = (HERE / "questionnaire.toml").read_text(encoding="utf-8")


def read(folder: Path, text: str) -> Questionnaire:
    (folder / "questionnaire.toml").write_text(text, encoding="utf-8")
    return read_questionnaire(folder, NETWORK)


def faults_of(folder: Path, text: str) -> tuple[Fault, ...]:
    with pytest.raises(ModelFileError) as caught:
        read(folder, text)
    assert caught.value.model == str(folder)
    assert {fault.file for fault in caught.value.faults} == {"questionnaire.toml"}
    return caught.value.faults


def test_the_records_are_those_of_the_file() -> None:
    questionnaire = read_questionnaire(HERE, NETWORK)
    assert [question.id for question in questionnaire.questions] == ["signs", "age", "sex", "pregnancy", "dent", "colour"]
    assert questionnaire["pregnancy"] == Question(
        id="pregnancy",
        text="Are you pregnant?",
        help="",
        kind=Kind.ONE,
        options=(Option("yes", "Yes", (("pregnancy", True),)), Option("no", "No", (("pregnancy", False),))),
        number="",
        asked_if=AnyOf(()),
        unless=AnyOf((Atom("sex", "male"), Atom("age", "old"))),
    )
    assert (questionnaire["age"].kind, questionnaire["age"].number) == (Kind.NUMBER, "age")
    assert questionnaire["dent"].asked_if == AnyOf((Atom("thick_calf", "present"), Atom("pregnancy", "present")))
    assert questionnaire["signs"].help == "Look at both legs."


def test_a_question_shows_itself_with_the_ids_that_answer_it() -> None:
    questionnaire = read_questionnaire(HERE, NETWORK)
    assert repr(questionnaire["signs"]).splitlines() == [
        "What is so? (signs: any of)",
        "    Look at both legs.",
        "  - thick: Thick calf",
        "  - breath: Short of breath",
        "  - well: Well otherwise",
        "  - none: None of these",
    ]
    assert repr(questionnaire["age"]) == "How old are you? (age: a number)"
    assert repr(questionnaire["sex"]) == "Female or male? (sex: one of)\n  - female: Female\n  - male: Male"
    assert "\x1b" not in repr(replace(questionnaire["age"], text="red\x1b[31m"))


END = "# the end"
MORE = """
[more]
text = "More?"
kind = "one"
[more.options]
yes = {{ text = "Yes", sets = {{ {} }} }}
no = {{ text = "No" }}
"""
NUMBER = """
[more]
text = "How much?"
kind = "number"
"""

# What is replaced, by what; place, problem and remedy of the one fault.
EDITS = {
    "misspelt key": ('help = "Look', 'hlep = "Look', "signs.hlep", "is no key of this table", "nearest: help"),
    "missing text": ('text = "How old are you?"\n', "", "age.text", "is missing", "add the key"),
    "empty text": ('text = "Thick calf"', 'text = ""', "signs.options.thick.text", "is empty", "write something"),
    "text that hides": ('"Thick', '"\\u0007Thick', "signs.options.thick.text", "U+0007", "remove it"),
    "line break": ('"Thick', '"\\nThick', "signs.options.thick.text", "line break", "one line"),
    "unknown kind": ('kind = "number"', 'kind = "slider"', "age.kind", "is 'slider'", "'one', 'many' or 'number'"),
    "id with capitals": (END, "[More]\ntext = '?'\nkind = 'one'\n", "More", "no id", "small letters"),
    "question that is no table": ("[signs]", "fever = 3\n[signs]", "fever", "is 3 and no table", "write a table"),
    "statement that is a number": ("short_breath = true", "short_breath = 1", "sets.short_breath", "is 1", "true, false or"),
    "fact of three parts": ('"age=old"', '"age=old=er"', "pregnancy.unless[1]", "is 'age=old=er'", "factor=state"),
    "unknown finding": ("short_breath = true", "short_breth = true", "sets.short_breth", "is no finding", "short_breath"),
    "cause as evidence": ("short_breath = true", "clot = true", "breath.sets.clot", "is no finding", "known are"),
    "complaint": ("short_breath = true", "sore_calf = true", "sets.sore_calf", "is no finding", "thick_calf"),
    "finding with a state": ("short_breath = true", 'short_breath = "bad"', "sets.short_breath", "no number or text", "True"),
    "unknown state": ('sex = "male"', 'sex = "mail"', "sex.options.male.sets.sex", "'mail'", "female, male"),
    "yes or no of a state": ('sex = "male"', "sex = true", "sex.options.male.sets.sex", "no value of this risk factor", "male"),
    "excluded in one option": (
        "redness = true",
        "redness = true, pale_skin = true",
        "colour.options.red.sets",
        "pale_skin excludes redness",
        "leave out one",
    ),
    "denied in one option": (
        "pitting = true",
        "pitting = true, thick_calf = false",
        "dent.options.yes.sets",
        "pitting implies thick_calf",
        "leave out one",
    ),
    "excluded by another question": (
        "sets = { pitting = true }",
        "sets = { redness = true }",
        "dent.options.yes.sets.redness",
        "can be chosen beside colour.pale, and redness cannot be with pale_skin",
        "kind one",
    ),
    "state set twice": (END, MORE.format('age = "old"'), "more.options", "age is set in age already", "ask it once"),
    "state in a box": ("short_breath = true", 'sex = "male"', "signs.options", "boxes can set several", "kind one"),
    "list without none": ('none = { text = "None of these" }', "", "signs.options.none", "is missing", "None of these"),
    "none that sets": (
        '"None of these" }',
        '"None of these", sets = { redness = false } }',
        "none.sets",
        "says enough",
        "remove",
    ),
    "nothing to choose from": ("pale = {", "# {", "colour.options", "nothing to choose", "at least two"),
    "number with options": (
        'number = "age"',
        'number = "age"\n[age.options]\nold = { text = "Old" }',
        "age.options",
        "a number is asked",
        "remove",
    ),
    "number of a choice": ('text = "Female or male?"', 'text = "?"\nnumber = "age"', "sex.number", "asks no number", "remove"),
    "number without a factor": (END, NUMBER, "more.number", "nothing is no risk factor", "known are: age"),
    "number of a state": (END, NUMBER + 'number = "sex"', "more.number", "sex is no risk factor with a unit", "age"),
    "condition on nothing": ('"sex=male"', '"sox=male"', "pregnancy.unless", "sox is no finding or risk", "sex"),
    "condition on no state": ('"sex=male"', '"sex=old"', "pregnancy.unless", "old is no state of sex", "male"),
    "condition on absence": ('"thick_calf", "', '"thick_calf=absent", "', "dent.asked_if", "present or not", "write thick"),
    "condition asked later": ('"thick_calf", "', '"redness", "', "dent.asked_if", "no earlier question asks", "after one"),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_fault_has_its_place_problem_and_remedy(name: str, tmp_path: Path) -> None:
    old, new, place, problem, remedy = EDITS[name]
    assert old in TEXT
    (fault,) = faults_of(tmp_path, TEXT.replace(old, new, 1))
    assert fault.place.endswith(place)
    assert problem in fault.problem
    assert remedy in fault.remedy


def test_boxes_that_exclude_each_other_are_told_pair_by_pair(tmp_path: Path) -> None:
    more = MORE.format("redness = true").replace('"one"', '"many"') + "none = { text = 'None' }\n"
    text = TEXT.replace(END, more.replace('text = "No"', 'text = "No", sets = { pale_skin = true }'))
    assert [(fault.place, fault.problem) for fault in faults_of(tmp_path, text)] == [
        (f"more.options.{option}.sets.{name}", f"can be chosen beside {other}, and {name} cannot be with {excluded}")
        for option, name, other, excluded in (
            ("no", "pale_skin", "colour.red", "redness"),
            ("yes", "redness", "colour.pale", "pale_skin"),
            ("yes", "redness", "more.no", "pale_skin"),
        )
    ]


def test_all_faults_come_at_once_and_without_consequences(tmp_path: Path) -> None:
    text = TEXT.replace('kind = "many"', 'kind = "boxes"', 1)  # so nothing is known to set thick_calf, which `dent` asks for
    text = text.replace('number = "age"', 'number = "sex"').replace("redness = true", "rednes = true")
    places = [fault.place for fault in faults_of(tmp_path, text)]
    assert places == ["signs.kind", "age.number", "colour.options.red.sets.rednes"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "holds no question"),
        (b"[signs\n", "line 1 is no TOML"),
        (b"\xff", "is not UTF-8"),
        (b"x = " + b"[" * 5_000, "is nested too deeply"),
        (b"#" * 2_000_001, "is too large"),
    ],
    ids=["empty", "syntax", "encoding", "depth", "size"],
)
def test_bytes_that_are_no_questionnaire(data: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "questionnaire.toml").write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        read_questionnaire(tmp_path, NETWORK)
    (fault,) = caught.value.faults
    assert (fault.file, fault.place) == ("questionnaire.toml", "")
    assert problem in fault.problem


def test_a_model_without_a_questionnaire_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"questionnaire\.toml: is missing; add it"):
        read_questionnaire(tmp_path, NETWORK)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "questionnaire.toml").symlink_to(HERE / "questionnaire.toml")
    with pytest.raises(ModelFileError, match="no plain file"):
        read_questionnaire(tmp_path, NETWORK)
