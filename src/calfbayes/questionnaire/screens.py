"""Screens: what is shown at once. A question without what is known, or a checklist of alarm signs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from calfbayes.diagnosis.foresight import Foresight, together
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.diagnosis.rules import closing
from calfbayes.evidence import Evidence
from calfbayes.knowledge.terms import AnyOf, Condition, Finding, Observer, RiskFactor
from calfbayes.network import Network
from calfbayes.questionnaire.session import Questionnaire
from calfbayes.questionnaire.terms import NONE, Kind, Option, Question

CHECKLIST = "checklist"


def without_known(question: Question, is_left: Callable[[str], bool]) -> Question | None:
    """The question without the boxes that ask for nothing new; None if nothing is left of it."""
    if not any(map(is_left, question.names)):
        return None
    if question.kind != Kind.MANY:
        return question
    options = tuple(o for o in question.options if o.id == NONE or any(is_left(name) for name, _ in o.sets))
    return replace(question, options=options)


def boxes(questions: Iterable[Question]) -> set[str]:
    """What has a box of its own: what is asked as a choice excludes something else, and is asked as one."""
    return {name for q in questions if q.kind == Kind.MANY for o in q.options for name, value in o.sets if value is True}


def checklist(text: str, help_text: str, network: Network, names: Sequence[str], questionnaire: Questionnaire) -> Question:
    """One question with a box for each finding or yes/no risk factor, worded as in the questionnaire if that has such a box."""
    words = {
        option.sets[0][0]: option.text
        for question in questionnaire.questions
        if question.kind == Kind.MANY
        for option in question.options
        if len(option.sets) == 1 and option.sets[0][1] is True
    }
    ticks = tuple(Option(name, words.get(name, network.records[name].label), ((name, True),)) for name in names)
    none = next((o.text for q in questionnaire.questions for o in q.options if o.id == NONE), "-")
    return Question(
        CHECKLIST,
        text,
        help_text,
        Kind.MANY,
        (*ticks, Option(NONE, none, ())),
        "",
        AnyOf(()),
        AnyOf(()),
    )


def closing_screen(
    questions: Sequence[Question],
    conditions: Sequence[Condition],
    evidence: Evidence,
    result: Diagnosis,
    make_checklist: Callable[[Sequence[str]], Question],
) -> Question | None:
    """The screen that bears most on conditions that are open: a checklist, or one of the questions.

    An id counts by how far the chances of the conditions fall if it is denied. On a checklist stand those that have
    a box of their own in some question.

    Args:
        questions: What can be asked.
        evidence: What is known, with what was asked in vain denied.
    """
    network = evidence._network
    wanted = closing(conditions, evidence)
    hidden = result._hidden or result._solved.baseline[result.setting].hidden
    chances = Foresight(network, evidence, hidden).chances(conditions)

    def danger(name: str) -> float:
        without = {atom: 0.0 if atom.id == name else p for atom, p in chances.items()}
        return sum(together(condition, chances) - together(condition, without) for condition in conditions)

    counts = {name: danger(name) for name in wanted}
    ticked = sorted(boxes(questions).intersection(wanted), key=lambda name: (-counts[name], name))
    screens = [q for q in questions if any(name in counts for name in q.names)]
    if len(ticked) > 1:
        screens.insert(0, make_checklist(ticked[: network.knowledge.asking.boxes]))
    return max(
        screens, key=lambda q: (sum(counts.get(name, 0.0) for name in q.names), len(set(q.names) & set(counts))), default=None
    )


def plain_questionnaire(network: Network) -> Questionnaire:
    """Questions for a model that has no questionnaire: one for each thing that a patient can tell."""
    knowledge = network.knowledge
    records: list[Finding | RiskFactor] = [
        f for f in knowledge.findings if f.observer == Observer.PATIENT and f.id != knowledge.complaint
    ]
    return Questionnaire(tuple(_plain(record) for record in (*knowledge.risk_factors, *records)), network)


def _plain(record: Finding | RiskFactor) -> Question:
    if isinstance(record, RiskFactor) and record.unit:
        return Question(record.id, record.question, "", Kind.NUMBER, (), record.id, AnyOf(()), AnyOf(()))
    if isinstance(record, RiskFactor) and not record.is_binary:
        options = tuple(Option(state, state.replace("_", " "), ((record.id, state),)) for state in record.states)
    else:
        options = (Option("yes", "Yes", ((record.id, True),)), Option("no", "No", ((record.id, False),)))
    return Question(record.id, record.question, "", Kind.ONE, options, "", AnyOf(()), AnyOf(()))
