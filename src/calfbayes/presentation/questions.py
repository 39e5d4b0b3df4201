"""Next questions, as plain text and as HTML: the question, why it is asked, and what each answer would do."""

from typing import TYPE_CHECKING

from calfbayes.presentation.facts import headline
from calfbayes.presentation.markup import Child, Html, element, joined
from calfbayes.presentation.parts import bar, folding, heading, level_labels, section, table
from calfbayes.presentation.plain import percent, wrapped

if TYPE_CHECKING:
    from calfbayes.diagnosis.questions import NextQuestion, NextQuestions
    from calfbayes.network import Network

NONE = "Nothing that is left to ask would change the urgency."


def questions_text(questions: "NextQuestions", *, width: int = 100) -> str:
    """The questions for a person to read, best first."""
    network = questions.diagnosis._solved.network
    lines = [] if questions else [NONE]
    for number, question in enumerate(questions, start=1):
        lines += wrapped(question.text, width, f"{number:2}. ", " " * 4)
        for text in _remarks(question, network):
            lines += wrapped(text, width, " " * 4, " " * 4)
    return "\n".join(lines)


def question_text(question: "NextQuestion", *, width: int = 100) -> str:
    """One question by itself, with what each answer would do."""
    lines = wrapped(f"{question.text} ({question.id})", width)
    for text in filter(None, (question.reason, question.note)):
        lines += wrapped(text, width, "    ", "    ")
    for answer in question.answers:
        state, level = (text.replace("_", " ") for text in (answer.state, str(answer.level)))
        lines += wrapped(f"{state}: {percent(answer.chance)}, then {level}", width, "    ", "    ")
    return "\n".join(lines)


def questions_html(questions: "NextQuestions") -> str:
    """Show the questions, best first."""
    network, now = questions.diagnosis._solved.network, headline(questions.diagnosis)
    points = [
        element(
            "li", element("strong", q.text), element("small", f" ({q.label})"), _told(q, network), _answers(q, network, now)
        )
        for q in questions
    ]
    asked = element("ol", points, class_="cb-steps") if points else element("p", NONE)
    return section("Next questions", heading("What to ask next, best first"), asked)


def _remarks(question: "NextQuestion", network: "Network") -> list[str]:
    """Why it is asked, and what is to be heeded."""
    labels = "; ".join(network.records[name].label for name in question.check_first)
    remarks = [question.reason, question.note, f"To be known first: {labels}." if labels else ""]
    return [text for text in remarks if text]


def _told(question: "NextQuestion", network: "Network") -> Html:
    return joined([element("p", text) for text in _remarks(question, network)])


def _answers(question: "NextQuestion", network: "Network", now: str) -> Html | None:
    """What would follow from each answer; the level now is told with how far it may be relied on, which no answer settles."""
    if not question.answers:
        return None
    levels = level_labels(network.knowledge)
    watched = network.records[question.watched].label if question.watched else ""
    heads: list[str] = ["Answer", "How probable it is", "Urgency then"]
    rows: list[list[Child]] = [
        [answer.state.replace("_", " "), percent(answer.chance), levels[answer.level]] for answer in question.answers
    ]
    if watched:
        heads += [f"{watched} then", "In numbers"]
        for row, answer in zip(rows, question.answers, strict=True):
            row += [bar(answer.watched), percent(answer.watched)]
    caption = f"{question.label}; urgency now: {now}"
    return folding(
        "What each answer would do", table(caption, heads, rows, numbers=(heads[1], "In numbers"), bars=f"{watched} then")
    )
