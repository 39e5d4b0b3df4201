"""The shape of `questionnaire.toml`: keys, types and bounds. Only `reading` uses this module."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from calfbayes.knowledge.schema import ATOM, ID, Id, Table, Text, Why
from calfbayes.knowledge.wording import short


def _on_one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("holds a line break; write it on one line")
    return text


def _statement(value: Any) -> Any:
    if not isinstance(value, bool) and not (isinstance(value, str) and re.fullmatch(ID, value)):
        raise ValueError(f"is {short(value)}; write true, false or a state of a risk factor")
    return value


def _fact(text: str) -> str:
    if not re.fullmatch(ATOM, text):
        raise ValueError(f'is {short(text)}; write "finding" or "factor=state"')
    return text


Line = Annotated[Text, AfterValidator(_on_one_line)]
Statement = Annotated[Any, AfterValidator(_statement)]
Fact = Annotated[str, AfterValidator(_fact)]


class OptionTable(Table):
    """One answer that can be chosen."""

    text: Line
    sets: dict[Id, Statement] = Field(default_factory=dict)


class QuestionTable(Table):
    """One question; the tables of the file are named by their ids."""

    text: Line
    help: Why = ""
    kind: Literal["one", "many", "number"]
    number: Id = ""
    asked_if: list[Fact] = Field(default_factory=list)
    unless: list[Fact] = Field(default_factory=list)
    options: dict[Id, OptionTable] = Field(default_factory=dict, max_length=40)
