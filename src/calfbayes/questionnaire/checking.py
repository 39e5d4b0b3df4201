"""What the questions mean to the model and to each other: every check is a function that yields faults."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from calfbayes.errors import CalfBayesError, Fault
from calfbayes.evidence import implied_by, read_evidence
from calfbayes.knowledge.terms import Atom, Finding, RiskFactor
from calfbayes.knowledge.wording import nearest
from calfbayes.network import Network
from calfbayes.questionnaire.terms import NONE, Kind, Option, Question

FILE = "questionnaire.toml"

_fault = partial(Fault, FILE)


@dataclass(frozen=True)
class _Index:
    """The questions, and what they speak of."""

    questions: Sequence[Question]
    network: Network

    @cached_property
    def observable(self) -> dict[str, Finding | RiskFactor]:
        """What an answer may set."""
        knowledge = self.network.knowledge
        records: tuple[Finding | RiskFactor, ...] = (*knowledge.risk_factors, *knowledge.findings)
        return {record.id: record for record in records if record.id != knowledge.complaint}

    @cached_property
    def setters(self) -> dict[str, list[tuple[Question, Option]]]:
        """The options that say of a finding that it is present."""
        found: dict[str, list[tuple[Question, Option]]] = {}
        for question, option in self.options():
            for name, value in option.sets:
                if value is True and isinstance(self.observable.get(name), Finding):
                    found.setdefault(name, []).append((question, option))
        return found

    def options(self) -> Iterator[tuple[Question, Option]]:
        """Yield every option with its question."""
        return ((question, option) for question in self.questions for option in question.options)


def faults_of(questions: Sequence[Question], network: Network) -> list[Fault]:
    """List everything that is wrong in a questionnaire whose shape is right."""
    index = _Index(questions, network)
    checks: tuple[Callable[[_Index], Iterator[Fault]], ...] = (
        _kinds_have_their_keys,
        _numbers_can_be_asked,
        _options_are_coherent,
        _states_are_set_in_one_question,
        _answers_cannot_exclude_each_other,
        _conditions_are_settled_before,
    )
    return [fault for check in checks for fault in check(index)]


def _kinds_have_their_keys(index: _Index) -> Iterator[Fault]:
    for question in index.questions:
        kind = question.kind
        if kind == Kind.NUMBER and question.options:
            yield _fault(f"{question.id}.options", "a number is asked and has no options", "remove the table, or change kind")
        if kind != Kind.NUMBER and question.number:
            yield _fault(f"{question.id}.number", f"a question of kind {kind} asks no number", "remove the key, or change kind")
        if kind != Kind.NUMBER and len(question.options) < 2:
            yield _fault(f"{question.id}.options", "there is nothing to choose from", "give at least two options")
        none = next((option for option in question.options if option.id == NONE), None)
        if kind == Kind.MANY and none is None:
            yield _fault(f"{question.id}.options.{NONE}", "is missing", 'add it, such as none = { text = "None of these" }')
        if kind == Kind.MANY and none and none.sets:
            problem = "all boxes stay empty, which says enough"
            yield _fault(f"{question.id}.options.{NONE}.sets", problem, "remove the key")


def _numbers_can_be_asked(index: _Index) -> Iterator[Fault]:
    numeric = [factor.id for factor in index.network.knowledge.risk_factors if factor.unit]
    for question in index.questions:
        if question.kind == Kind.NUMBER and question.number not in numeric:
            problem = f"{question.number or 'nothing'} is no risk factor with a unit"
            yield _fault(f"{question.id}.number", problem, nearest(question.number, numeric))


def _options_are_coherent(index: _Index) -> Iterator[Fault]:
    """The gate of the model accepts what each option sets, item by item and as a whole."""
    for question, option in index.options():
        place = f"{question.id}.options.{option.id}.sets"
        faults = [fault for name, value in option.sets for fault in _item_faults(index, place, name, value)]
        yield from faults
        if not faults:
            try:
                read_evidence(index.network, dict(option.sets))
            except CalfBayesError as error:
                yield _fault(place, *_parts(error))


def _item_faults(index: _Index, place: str, name: str, value: bool | str) -> Iterator[Fault]:
    if name not in index.observable:
        problem = "is no finding or risk factor that can be asked"
        yield _fault(f"{place}.{name}", problem, nearest(name, index.observable))
        return
    try:
        read_evidence(index.network, {name: value})
    except CalfBayesError as error:
        yield _fault(f"{place}.{name}", *_parts(error))


def _parts(error: CalfBayesError) -> tuple[str, str]:
    problem, _, remedy = str(error).rpartition("; ")
    return problem, remedy


def _states_are_set_in_one_question(index: _Index) -> Iterator[Fault]:
    """A risk factor with several states has one answer; of a yes/no factor, "present" would win."""
    first: dict[str, Question] = {}
    for question in index.questions:
        for name in question.names:
            record = index.observable.get(name)
            if not isinstance(record, RiskFactor) or record.is_binary or (question.kind == Kind.NUMBER and not record.unit):
                continue
            place = f"{question.id}.{'number' if question.kind == Kind.NUMBER else 'options'}"
            if question.kind == Kind.MANY:
                yield _fault(place, f"{name} has one state, and boxes can set several", "ask it in a question of kind one")
            elif name in first:
                yield _fault(place, f"{name} is set in {first[name].id} already", "ask it once")
            else:
                first[name] = question


def _answers_cannot_exclude_each_other(index: _Index) -> Iterator[Fault]:
    for name, setters in index.setters.items():
        for other in sorted(implied_by(index.network, name)[1] & index.setters.keys()):
            for question, option in setters:
                for second, choice in index.setters[other]:
                    together = question is not second or question.kind == Kind.MANY
                    if together and (second.id, choice.id, other) > (question.id, option.id, name):  # tell each pair once
                        problem = f"can be chosen beside {question.id}.{option.id}, and {other} cannot be with {name}"
                        place = f"{second.id}.options.{choice.id}.sets.{other}"
                        yield _fault(place, problem, "make them options of one question of kind one")


def _conditions_are_settled_before(index: _Index) -> Iterator[Fault]:
    before: set[str] = set()
    for question in index.questions:
        for key, condition in (("asked_if", question.asked_if), ("unless", question.unless)):
            for atom in condition.parts:
                if isinstance(atom, Atom):
                    yield from _atom_faults(index, f"{question.id}.{key}", atom, before)
        for name in question.names:
            before.add(name)
            if isinstance(index.observable.get(name), Finding):
                before |= implied_by(index.network, name)[0]


def _atom_faults(index: _Index, place: str, atom: Atom, before: set[str]) -> Iterator[Fault]:
    record = index.observable.get(atom.id)
    if record is None:
        yield _fault(place, f"{atom.id} is no finding or risk factor", nearest(atom.id, index.observable))
    elif isinstance(record, RiskFactor) and atom.state not in record.states:
        problem = f"{atom.state} is no state of {atom.id}"
        yield _fault(place, problem, f"write {atom.id}=STATE; {nearest(atom.state, record.states)}")
    elif isinstance(record, Finding) and atom.state != "present":
        yield _fault(place, f"{atom} cannot be: a finding is present or not", f"write {atom.id}")
    elif atom.id not in before:
        yield _fault(place, f"no earlier question asks for {atom.id}", f"put this question after one that sets {atom.id}")
