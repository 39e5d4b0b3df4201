"""The dialogue of a terminal: one question after the other; reading and writing are the caller's.

Nobody has to answer: every question can be skipped, taken back or left unknown, and the dialogue can be stopped at any
time. As soon as an emergency rule holds it says so, and does not wait for the end.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from calfbayes.diagnosis.rules import holds
from calfbayes.errors import ArgumentError, CalfBayesError
from calfbayes.evidence import read_evidence
from calfbayes.knowledge.terms import Level, RiskFactor, Rule
from calfbayes.presentation.plain import BOLD, DIM, painted, printable, wrapped
from calfbayes.presentation.text import COLOURS, MIN_WIDTH
from calfbayes.questionnaire.session import Answers, Questionnaire
from calfbayes.questionnaire.terms import Kind, Question

BACK, STOP, UNKNOWN = "b", "q", "?"
HOW = (
    f"Answer with the number beside a line. Enter alone skips a question, {UNKNOWN} says that you do not know, "
    f"{BACK} goes back, {STOP} stops and shows the result."
)
HINTS = {
    Kind.ONE: "one number",
    Kind.MANY: "one or more numbers, with spaces between",
    Kind.NUMBER: "a number",
}

Read = Callable[[str], str]
Write = Callable[[str], object]


def ask(questionnaire: Questionnaire, *, read: Read, write: Write, width: int = 100, colour: bool = False) -> Answers:
    """Put the questions until all are done, or the person stops, or the input ends.

    Args:
        read: Shows a prompt and returns the line that was typed; EOFError is the end of the input. `input` will do.
        write: Shows some lines of text.
        width: Longest line.
        colour: Whether to use the colour sequences of terminals.

    Returns:
        All answers; `model.diagnose(answers.evidence())` makes a result of them.
    """
    page = _Page(questionnaire, max(width, MIN_WIDTH), colour)
    answers = questionnaire.start()
    put: list[str] = []
    shown = None
    warned: set[str] = set()
    write("\n".join(wrapped(HOW, page.width)))
    while (question := answers.next()) is not None:
        if question is not shown:
            write("\n".join(page.question(question, answers)))
            shown = question
        try:
            line = read("> ").strip()
        except EOFError:
            break
        if line.lower() == STOP:
            break
        if line.lower() == BACK:
            answers = answers.without(put.pop()) if put else answers
            shown = None
            continue
        try:
            answers = _answered(answers, question, line)
        except CalfBayesError as error:
            write("\n".join(wrapped(str(error), page.width)))
            continue
        put.append(question.id)
        new = [rule for rule in emergencies(answers) if rule.id not in warned]
        if new:
            write("\n".join(page.warning(new)))
        warned.update(rule.id for rule in new)
    return answers


def emergencies(answers: Answers) -> tuple[Rule, ...]:
    """The emergency rules that hold on what has been answered."""
    network = answers.questionnaire.network
    evidence = read_evidence(network, answers.evidence())
    rules = network.knowledge.urgency.rules
    return tuple(rule for rule in rules if rule.level == Level.EMERGENCY and holds(rule.condition, evidence))


def _answered(answers: Answers, question: Question, line: str) -> Answers:
    if not line:
        return answers.skip(question.id)
    if line == UNKNOWN:
        return answers.answer(question.id, None)
    if question.kind == Kind.NUMBER:
        return answers.answer(question.id, _number(line))
    return answers.answer(question.id, [question.options[place - 1].id for place in _places(question, line)])


def _number(line: str) -> float:
    try:
        number = float(line)
    except ValueError:
        raise ArgumentError("answer", repr(line[:40]), "a number, such as 42") from None
    return int(number) if number.is_integer() else number


def _places(question: Question, line: str) -> list[int]:
    words = re.split(r"[\s,;]+", line.strip(" ,;"))
    last = len(question.options)
    if all(re.fullmatch("[0-9]{1,4}", word) and 1 <= int(word) <= last for word in words):
        return [int(word) for word in words]
    raise ArgumentError("answer", repr(line[:40]), f"{HINTS[question.kind]}, from 1 to {last}")


@dataclass(frozen=True)
class _Page:
    """How questions and warnings look; each method gives lines."""

    questionnaire: Questionnaire
    width: int
    colour: bool

    def question(self, question: Question, answers: Answers) -> Iterator[str]:
        """The question with its place among all, its options, and how to answer."""
        place = [other.id for other in answers.asked].index(question.id) + 1
        yield ""
        yield from self._painted(wrapped(f"{place}/{len(answers.asked)} {question.text}", self.width, "", "    "), BOLD)
        if question.help:
            yield from wrapped(question.help, self.width, "    ", "    ")
        for number, option in enumerate(question.options, start=1):
            yield from wrapped(option.text, self.width, f"  {number:>2}  ", "      ")
        yield from self._painted([f"    ({self._hint(question)})"], DIM)

    def warning(self, rules: list[Rule]) -> Iterator[str]:
        """What the rules that hold demand, and why."""
        urgency = self.questionnaire.network.knowledge.urgency
        text = next(text for text in urgency.levels if text.level == Level.EMERGENCY)
        yield ""
        yield painted(printable(text.label).upper(), COLOURS[Level.EMERGENCY], colour=self.colour)
        yield from wrapped(text.action, self.width, "  ", "  ")
        for rule in rules:
            yield from wrapped(rule.reason, self.width, "  - ", "    ")
        yield from wrapped(f"You need not go on: {STOP} shows the result.", self.width, "  ", "  ")

    def _hint(self, question: Question) -> str:
        factor = self.questionnaire.network.records.get(question.number)
        unit = f" of {printable(factor.unit)}" if isinstance(factor, RiskFactor) else ""
        return HINTS[question.kind] + unit

    def _painted(self, lines: list[str], code: str) -> Iterator[str]:
        return (painted(line, code, colour=self.colour) for line in lines)
