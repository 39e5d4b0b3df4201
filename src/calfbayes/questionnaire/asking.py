"""The dialogue of a terminal: the screens of an interview, one after the other; reading and writing are the caller's.

Nobody has to answer: every question can be skipped, taken back or left unknown, and the dialogue can be stopped at any
time. It ends when the interview ends, with an emergency at once, and says why.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from calfbayes.errors import ArgumentError, CalfBayesError, ContradictionError
from calfbayes.knowledge.terms import Asking, Level, RiskFactor
from calfbayes.presentation.plain import BOLD, DIM, painted, printable, wrapped
from calfbayes.presentation.text import COLOURS, MIN_WIDTH, diagnosis_text, joined
from calfbayes.questionnaire.interview import Interview, Stop
from calfbayes.questionnaire.terms import Kind, Question

BACK, STOP, UNKNOWN = "b", "q", "?"

Read = Callable[[str], str]
Write = Callable[[str], object]


def ask(interview: Interview, *, read: Read, write: Write, width: int = 100, colour: bool = False) -> Interview:
    """Put the questions until the interview ends, or the person stops, or the input ends.

    Args:
        read: Shows a prompt and returns the line that was typed; EOFError is the end of the input. `input` will do.
        write: Shows some lines of text.
        width: Longest line.
        colour: Whether to use the colour sequences of terminals.

    Returns:
        The interview as far as it came; its `result` is the diagnosis.
    """
    page = _Page(interview, max(width, MIN_WIDTH), colour)
    before: list[Interview] = []
    shown = None
    write("\n".join(wrapped(page.asking.said("how", unknown=UNKNOWN, back=BACK, stop=STOP), page.width)))
    while (question := interview.next()) is not None:
        if interview is not shown:
            write("\n".join(page.question(question, interview.screens + 1)))
            shown = interview
        try:
            line = read("> ").strip()
        except EOFError:
            return interview
        if line.lower() == STOP:
            return interview
        if line.lower() == BACK:
            interview, shown = before.pop() if before else interview, None
            continue
        try:
            after = _answered(interview, question, line, page)
        except CalfBayesError as error:
            write("\n".join(wrapped(str(error), page.width)))
            if isinstance(error, ContradictionError) and error.level:  # what sounds urgent is not lost with the answer
                interview = interview.at_least(Level(error.level))
            continue
        before.append(interview)
        interview = after
    write("\n".join(page.ending(interview)))
    return interview


def answer_text(interview: Interview, *, width: int = 100, colour: bool = False) -> str:
    """What an interview has come to: the level to act on first, then the result with what to do."""
    page = _Page(interview, max(width, MIN_WIDTH), colour)
    return joined([[*page.standing(interview)], [diagnosis_text(interview.result, width=width, colour=colour, care=True)]])


def _answered(interview: Interview, question: Question, line: str, page: "_Page") -> Interview:
    if not line:
        return interview.skip()
    if line == UNKNOWN:
        return interview.answer(None)
    if question.kind == Kind.NUMBER:
        return interview.answer(_number(line, page.hint(question)))
    return interview.answer([question.options[place - 1].id for place in _places(question, line, page.hint(question))])


def _number(line: str, hint: str) -> float:
    try:
        number = float(line)
    except ValueError:
        raise ArgumentError("answer", repr(line[:40]), hint) from None
    return int(number) if number.is_integer() else number


def _places(question: Question, line: str, hint: str) -> list[int]:
    words = re.split(r"[\s,;]+", line.strip(" ,;"))
    last = len(question.options)
    if all(re.fullmatch("[0-9]{1,4}", word) and 1 <= int(word) <= last for word in words):
        return [int(word) for word in words]
    raise ArgumentError("answer", repr(line[:40]), f"{hint}, from 1 to {last}")


@dataclass(frozen=True)
class _Page:
    """How questions and the end look; each method gives lines."""

    interview: Interview
    width: int
    colour: bool

    def question(self, question: Question, number: int) -> Iterator[str]:
        """The question with its number, its options, and how to answer."""
        yield ""
        yield from self._painted(wrapped(f"{number} {question.text}", self.width, "", "    "), BOLD)
        if question.help:
            yield from wrapped(question.help, self.width, "    ", "    ")
        for place, option in enumerate(question.options, start=1):
            yield from wrapped(option.text, self.width, f"  {place:>2}  ", "      ")
        yield from self._painted([f"    ({self.hint(question)})"], DIM)

    def ending(self, interview: Interview) -> Iterator[str]:
        """Why the interview has ended."""
        yield ""
        if interview.stopped == Stop.EMERGENCY:
            yield from self.level(interview)
        elif interview.stopped is not None:
            yield from wrapped(self.asking.said(interview.stopped), self.width)

    def level(self, interview: Interview) -> Iterator[str]:
        """The level to act on."""
        text = interview.result.urgency.policy.text_of(interview.level)
        yield painted(printable(text.label).upper(), COLOURS[text.level], colour=self.colour)
        yield from wrapped(text.action, self.width, "  ", "  ")

    def standing(self, interview: Interview) -> Iterator[str]:
        """What the result alone does not say: an earlier and higher level, and alarm signs that were not answered."""
        if interview.level > interview.result.urgency.level:
            yield from self.level(interview)
            yield ""
            yield from wrapped(self.asking.said("kept"), self.width)
        if interview.unanswered_emergencies and interview.level < Level.EMERGENCY:
            yield from wrapped(self.asking.said("unanswered"), self.width)

    @property
    def asking(self) -> Asking:
        """The words of the model."""
        return self.interview.start._network.knowledge.asking

    def hint(self, question: Question) -> str:
        """How to answer."""
        factor = self.interview.start._network.records.get(question.number)
        if isinstance(factor, RiskFactor):
            return self.asking.said("number_of", unit=printable(factor.unit))
        return self.asking.said(question.kind)

    def _painted(self, lines: list[str], code: str) -> Iterator[str]:
        return (painted(line, code, colour=self.colour) for line in lines)
