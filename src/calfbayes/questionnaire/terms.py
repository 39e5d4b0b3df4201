"""The records that a questionnaire is made of: frozen, and in the order of the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from calfbayes.evidence import Value
from calfbayes.knowledge.terms import AnyOf
from calfbayes.presentation.plain import bullets, wrapped

NONE = "none"  # the option of a list of boxes that leaves every other box empty

Statements = Mapping[str, Value]


class Kind(StrEnum):
    """How a question is answered."""

    ONE = "one"
    MANY = "many"
    NUMBER = "number"


ANSWERED = {Kind.ONE: "one of", Kind.MANY: "any of", Kind.NUMBER: "a number"}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen.

    Attributes:
        sets: What the answer says: ids of findings with True or False, of risk factors with these or a state.
    """

    id: str
    text: str
    sets: tuple[tuple[str, bool | str], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """One question.

    Attributes:
        help: Further explanation; may be empty.
        kind: One option, any number of boxes, or a number.
        options: Empty if a number is asked. In a list of boxes, one of them has the id `none`.
        number: Id of the risk factor whose number is asked, else empty.
        asked_if: The question is asked if one of these is known to be so; empty means always.
        unless: The question is not asked if one of these is known to be so.
    """

    id: str
    text: str
    help: str
    kind: Kind
    options: tuple[Option, ...]
    number: str
    asked_if: AnyOf
    unless: AnyOf

    def __repr__(self) -> str:
        head = wrapped(f"{self.text} ({self.id}: {ANSWERED[self.kind]})", 100)
        further = wrapped(self.help, 100, "    ", "    ") if self.help else []
        return "\n".join([*head, *further, *bullets((f"{option.id}: {option.text}" for option in self.options), 100)])

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the findings and risk factors that some answer sets."""
        if self.kind == Kind.NUMBER:
            return (self.number,)
        return tuple(dict.fromkeys(name for option in self.options for name, _ in option.sets))

    def said(self, chosen: tuple[str, ...] | float | None) -> Statements:
        """What an answer says; a box that stays empty says that what it would set is not so.

        Args:
            chosen: Ids of options, a number, or None for "don't know".
        """
        if chosen is None:
            return dict.fromkeys(self.names)
        if not isinstance(chosen, tuple):
            return {self.number: chosen}
        said: dict[str, Value] = {}
        if self.kind == Kind.MANY:
            said = {name: False for option in self.options for name, value in option.sets if value is True}
        for option in self.options:
            if option.id in chosen:
                said = together(said, dict(option.sets))
        return said


def together(said: Statements, more: Statements) -> dict[str, Value]:
    """Both statements; where they differ, "present" goes before "absent", and that before "not known".

    Somebody who names a thing in one place and leaves its box empty in another has overlooked the box.
    """
    result = dict(said)
    for name, value in more.items():
        if name not in result or _weight(value) > _weight(result[name]):
            result[name] = value
    return result


def _weight(value: Value) -> int:
    return 0 if value is None else 1 if value is False else 2
