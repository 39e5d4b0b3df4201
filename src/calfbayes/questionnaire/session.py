"""A questionnaire and one person's answers to it: values that never change, so that an app can hold them in a session.

Every combination of answers is coherent evidence. A file in which two answers could contradict each other does not load
(see `checking`); where one answer denies what another one brings along, what is present wins.
"""

import json
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from calfbayes.diagnosis.rules import holds
from calfbayes.errors import ArgumentError, UnknownNameError
from calfbayes.evidence import Value, implied_by, read_evidence
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.knowledge.wording import short
from calfbayes.network import Network
from calfbayes.questionnaire.terms import NONE, Kind, Question, Statements, together

Choice = tuple[str, ...] | int | float | None


@dataclass(frozen=True)
class Questionnaire:
    """The questions of a model, in the order in which they are asked; make it with `model.questionnaire()`."""

    questions: tuple[Question, ...]
    network: Network = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> Question:
        if not isinstance(name, str):
            raise ArgumentError("question", _shown(name), "the id of a question")
        if name not in self._by_id:
            raise _unknown("question", name, self._by_id, self.network)
        return self._by_id[name]

    @cached_property
    def _by_id(self) -> dict[str, Question]:
        return {question.id: question for question in self.questions}

    def start(self) -> "Answers":
        """No answers yet."""
        return Answers(self, (), frozenset())

    def answers_from_json(self, text: str | bytes) -> "Answers":
        """Read what `Answers.to_json` wrote.

        Raises:
            ArgumentError: If the text is no such JSON, or an answer cannot be what was given.
            UnknownNameError: If a question or an option is not in the questionnaire.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise ArgumentError("answers", _shown(text), f"JSON text ({error})") from None
        expected = '{"answers": {"QUESTION": ["OPTION"]}, "skipped": ["QUESTION"]}'
        if not isinstance(document, dict) or not set(document) <= {"answers", "skipped"}:
            raise ArgumentError("answers", _shown(document), expected)
        given, skipped = document.get("answers", {}), document.get("skipped", [])
        if not isinstance(given, dict) or not isinstance(skipped, list):
            raise ArgumentError("answers", _shown(document), expected)
        answers = self.start()
        for name in skipped:
            answers = answers.skip(name)
        for name, choice in given.items():
            answers = answers.answer(name, choice)
        return answers


@dataclass(frozen=True)
class Answers:
    """One person's answers so far; start with `questionnaire.start()`. Order of answering does not matter.

    Attributes:
        given: Question and answer, in the order of the questionnaire: ids of options, a number, or None for "don't know".
        skipped: Questions that were passed over.
    """

    questionnaire: Questionnaire = field(repr=False)
    given: tuple[tuple[str, Choice], ...]
    skipped: frozenset[str]

    def answer(self, question: str, choice: str | Sequence[str] | AbstractSet[str] | float | None) -> "Answers":
        """The same answers with one more; it replaces a former answer to the question.

        Args:
            question: Id of the question.
            choice: Id of an option, several ids for boxes (`"none"` if all stay empty), a number, or None for "don't know".

        Raises:
            UnknownNameError: If the question or an option does not exist.
            ArgumentError: If the choice is no answer to this kind of question.
        """
        asked = self.questionnaire[question]
        checked = checked_choice(asked, choice, self.questionnaire.network)
        given = {**dict(self.given), asked.id: checked}
        in_order = tuple((q.id, given[q.id]) for q in self.questionnaire.questions if q.id in given)
        return replace(self, given=in_order, skipped=self.skipped - {asked.id})

    def skip(self, question: str) -> "Answers":
        """The same answers with a question passed over; a former answer to it no longer counts.

        Raises:
            UnknownNameError: If the question does not exist.
        """
        left = self.without(question)
        return replace(left, skipped=left.skipped | {question})

    def without(self, question: str) -> "Answers":
        """The same answers as if a question had never been put.

        Raises:
            UnknownNameError: If the question does not exist.
        """
        name = self.questionnaire[question].id
        return replace(self, given=tuple(item for item in self.given if item[0] != name), skipped=self.skipped - {name})

    def next(self) -> Question | None:
        """The first question that is to be asked and has neither been answered nor skipped; None if all are done."""
        done = self.skipped.union(name for name, _ in self.given)
        return next((question for question in self.asked if question.id not in done), None)

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that are to be asked of this person, as far as the answers tell, in order."""
        return self._told[0]

    def evidence(self) -> dict[str, Value]:
        """What the answers say, for `model.evidence` and `model.diagnose`.

        Answers to questions that are no longer to be asked, because an earlier answer has changed, are left out.
        """
        return dict(self._told[1])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        given = {name: list(choice) if isinstance(choice, tuple) else choice for name, choice in self.given}
        return {"answers": given, "skipped": [q.id for q in self.questionnaire.questions if q.id in self.skipped]}

    def to_json(self) -> str:
        """The answers as JSON; `questionnaire.answers_from_json` reads it back."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @cached_property
    def _told(self) -> tuple[tuple[Question, ...], Statements]:
        """The questions that apply and what the answers to them say: whether one applies depends on those before it."""
        network = self.questionnaire.network
        given = dict(self.given)
        asked: list[Question] = []
        said: Statements = {}
        for question in self.questionnaire.questions:
            if applies(question, network, said):
                asked.append(question)
                if question.id in given:
                    said = settled(network, together(said, question.said(given[question.id])))
        return tuple(asked), said


def checked_choice(question: Question, choice: object, network: Network) -> Choice:
    """A choice as it is kept: ids of options in the order of the question, a number, or None.

    Raises:
        UnknownNameError: If an option does not exist.
        ArgumentError: If the choice is no answer to this kind of question.
    """
    if choice is None:
        return None
    if question.kind == Kind.NUMBER:
        return _number(question, choice, network)
    ids = (choice,) if isinstance(choice, str) else choice
    if not isinstance(ids, list | tuple | set | frozenset):
        raise ArgumentError(question.id, _shown(choice), "ids of options, or None for not known")
    known = [option.id for option in question.options]
    for name in ids:
        if not isinstance(name, str):
            raise ArgumentError(question.id, _shown(name), "ids of options as text")
        if name not in known:
            raise _unknown(f"option of {question.id}", name, known, network)
    chosen = tuple(name for name in known if name in ids)
    if question.kind == Kind.ONE and len(chosen) != 1:
        raise ArgumentError(question.id, ", ".join(chosen), "exactly one option")
    if not chosen:
        raise ArgumentError(question.id, "[]", f"at least one option; {NONE} says that all boxes stay empty")
    if question.kind == Kind.MANY and NONE in chosen and len(chosen) > 1:
        raise ArgumentError(question.id, ", ".join(chosen), f"either {NONE} or other options")
    return chosen


def _number(question: Question, choice: object, network: Network) -> int | float:
    factor = network.records[question.number]
    number = choice.item() if isinstance(choice, np.generic) else choice
    if isinstance(factor, RiskFactor) and isinstance(number, int | float) and not isinstance(number, bool):
        low, high = factor.lower_bounds[0], factor.upper_bound
        if low <= number <= high:
            return number
        raise ArgumentError(question.id, short(number), f"a number of {factor.unit} from {low:g} to {high:g}")
    raise ArgumentError(question.id, _shown(choice), "a number, or None for not known")


def applies(question: Question, network: Network, said: Statements) -> bool:
    """Say whether a question is to be asked, given what is known."""
    if not question.asked_if.parts and not question.unless.parts:
        return True
    evidence = read_evidence(network, said)
    return (not question.asked_if.parts or holds(question.asked_if, evidence)) and not holds(question.unless, evidence)


def settled(network: Network, said: Statements) -> Statements:
    """The statements without those that deny what a present finding implies: a sore leg that bears no weight limps."""
    present = [name for name, value in said.items() if value is True and name in network.node_index]
    implied = frozenset[str]().union(*(implied_by(network, name)[0] for name in present))
    return {name: value for name, value in said.items() if value is True or name not in implied}


def _unknown(kind: str, name: str, known: Iterable[str], network: Network) -> UnknownNameError:
    near = get_close_matches(name[:200], sorted(known), n=3, cutoff=0.5)
    return UnknownNameError(kind, name[:200], tuple(near), f"model {network.name}'s questionnaire")


def _shown(value: object) -> str:
    """A value of the caller for a message; objects of unknown kind may fail in showing themselves."""
    return short(value) if isinstance(value, str | bytes | int | float | list | dict) else f"<{type(value).__name__}>"
