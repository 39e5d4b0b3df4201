"""The explorer as widgets of ipywidgets. Rows are made once and filled with whatever is to be shown, so that a tick is quick.

A row keeps its item until other items are asked for (other words, the next ten, a fresh start): what an answer changes never
moves a row under a finger that is about to tick again.

A tick is followed at once by urgency and bars (`Model.explore` says how quickly). Next questions take longer: they are worked
out when the kernel has nothing else to do, and until then their place says so, so that nobody takes those of the former
answers for the present ones.

Texts of the model reach the page through `presentation.markup`, or as options and values of controls, which are text to a
browser.
"""

import asyncio
import re
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import ipywidgets as widgets

from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import CalfBayesError, EvidenceError
from calfbayes.evidence import Evidence, Likelihood, Value, state_of
from calfbayes.explorer.session import Item, Session
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.presentation.display import diagnosis_html
from calfbayes.presentation.facts import headline, setting_label
from calfbayes.presentation.markup import element
from calfbayes.presentation.plain import shortened
from calfbayes.presentation.questions import questions_html

ROWS = 10
TOP = 8
PAUSE = 0.1  # seconds: the next tick of somebody quick is not held up by questions about the last
WAITING = element("p", "Working out what to ask next ...", role="status")
PRESENT, ABSENT, UNKNOWN, NOT_ASKED = "present", "absent", "unknown", "not asked"
VALUES: dict[str, Value] = {PRESENT: True, ABSENT: False, UNKNOWN: None}
WORDS = {True: PRESENT, False: ABSENT, None: UNKNOWN}
NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{0,9})?")
LINES = "display: block; line-height: 1.25; padding-bottom: 0.3em"
LONGEST = 40  # signs of a wrong entry that are told back
NO_SETTING = ""  # none was chosen; no setting has such an id
NO_STATE = "?"  # of a control: asked and not known; no state has such an id


class Explorer:
    """Controls and next questions on the left, the diagnosis on the right.

    Attributes:
        session: The answers given so far.
        box: The widget that holds all others.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._filling = False
        labels = [(setting.label, setting.id) for setting in session.model.settings]  # pairs: labels may be the same
        labels.insert(0, (setting_label(session.model.evidence({})), NO_SETTING))
        self.setting = widgets.Dropdown(options=labels, description="Setting", style=_WIDE)
        self.persons = {factor.id: _control(factor) for factor in session.persons}
        self.search = widgets.Text(description="Search", placeholder="swelling, fever, operation ...", continuous_update=True)
        self.only_answered = widgets.Checkbox(description="Only what is answered", indent=False, layout=_NARROW)
        self.further = widgets.Button(description=f"Next {ROWS}", tooltip="Show others; answers stay")
        self.count = widgets.HTML()
        self.rows = [Row(self._ticked) for _ in range(ROWS)]
        self.status = widgets.HTML()
        self.message = widgets.HTML()
        self.answer = widgets.HTML()
        self.questions = widgets.HTML()
        self._items: list[Item] = []
        self._passed: set[str] = set()  # ids of items that were shown before the next ones were asked for
        self._asked: Session | None = None
        self._later: asyncio.TimerHandle | None = None
        self.clear = widgets.Button(description="Start again", tooltip="Take back all answers")

        self.setting.observe(lambda change: self._try(lambda: self.session.in_setting(change["new"] or None)), "value")
        for name, control in self.persons.items():
            control.observe(lambda change, name=name: self._try(lambda: self._person(name, change["new"])), "value")
        self.search.observe(lambda _: self._choose(), "value")
        self.only_answered.observe(lambda _: self._choose(), "value")
        self.further.on_click(lambda _: self._choose(further=True))
        self.clear.on_click(lambda _: self._start_again())

        persons = [_named(factor, self.persons[factor.id]) for factor in session.persons]
        which = widgets.HBox([self.only_answered, self.further, self.count])
        controls = [self.setting, *persons, self.search, which, *(row.box for row in self.rows)]
        below = [self.clear, self.status, self.message, self.questions]
        left = widgets.VBox([*controls, *below], layout=widgets.Layout(width="34.5rem", flex="0 0 auto"))
        right = widgets.VBox([self.answer], layout=widgets.Layout(flex="1 1 0", min_width="20rem", padding="0 0 0 1rem"))
        self.box = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap"))
        self._choose()
        self._show()

    @property
    def evidence(self) -> Evidence:
        """The answers."""
        return self.session.evidence

    @property
    def result(self) -> Diagnosis:
        """The diagnosis that is shown."""
        return self.session.result

    def to_json(self) -> str:
        """The answers as JSON; `model.explore(model.evidence_from_json(text))` takes them up again."""
        return self.session.to_json()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)

    def _ticked(self, item: Item, word: str) -> None:
        if word == NOT_ASKED:
            self._try(lambda: self.session.withdrawn(item.id))
        else:
            self._try(lambda: self.session.answered(item.id, VALUES[word]))

    def _person(self, name: str, entered: str) -> Session:
        """Take up a state, or the text of a number; empty means not asked."""
        factor = next(factor for factor in self.session.persons if factor.id == name)
        if not entered.strip():
            return self.session.withdrawn(name)
        return self.session.answered(name, _read(factor, entered))

    def _start_again(self) -> None:
        self._try(lambda: Session(self.session.model, self.session.model.evidence({}, setting=self.evidence.setting)))
        self.search.value, self.only_answered.value = "", False
        self._choose()

    def _try(self, change: Callable[[], Session]) -> None:
        """Make a change and show it, or show why it cannot be and leave everything as it was."""
        if self._filling:
            return
        try:
            self.session = change()
            self.message.value = ""
        except CalfBayesError as error:
            self.message.value = element("p", str(error), role="alert")
        self._fill()
        self._show()

    def _show(self) -> None:
        """Show what the session has to say: the result at once, next questions when there is time."""
        if self.session is self._asked:
            return
        self._asked = self.session
        self.answer.value = diagnosis_html(self.session.result, top=TOP)
        self.status.value = element("p", f"Urgency: {headline(self.session.result)}", role="status")
        self.questions.value = WAITING
        if self._later is not None:
            self._later.cancel()
        try:
            self._later = asyncio.get_running_loop().call_later(PAUSE, self._ask)
        except RuntimeError:  # nobody runs an event loop: there is no later
            self._ask()

    def _ask(self) -> None:
        self.questions.value = questions_html(self.session.questions)

    def _choose(self, *, further: bool = False) -> None:
        """Choose anew which items stand in the rows: the first, or those that have not been shown yet."""
        items = self.session.shown(self.search.value.split(), only_answered=self.only_answered.value)
        self._passed = self._passed | {item.id for item in self._items[:ROWS]} if further else set()
        left = [item for item in items if item.id not in self._passed]
        if not left:  # all were shown: from the first again
            self._passed, left = set(), list(items)
        self._items = [*left, *(item for item in items if item.id in self._passed)]
        more = len(left) - ROWS
        nothing = "nothing is like these words" if self.search.value.strip() else "nothing is answered yet"
        words = f"{more} more; search to find them" if more > 0 else "" if items else nothing
        self.count.value = element("small", words)
        self.further.disabled = len(items) <= ROWS
        self._fill()

    def _fill(self) -> None:
        """Set all controls to the session; what is set here is no answer of the user."""
        self._filling = True
        try:
            evidence = self.session.evidence
            self.setting.value = evidence.setting or NO_SETTING
            for factor in self.session.persons:
                self.persons[factor.id].value = _written(factor, evidence[factor.id]) if factor.id in evidence else ""
            for row, item in zip_longest(self.rows, self._items[:ROWS]):
                row.show(item, evidence)
        finally:
            self._filling = False


class Row:
    """One item with its four answers; empty until it is told what to show."""

    def __init__(self, ticked: Callable[[Item, str], None]) -> None:
        self.item: Item | None = None
        self.label = widgets.HTML(layout=widgets.Layout(width="11rem"))
        words = [PRESENT, ABSENT, UNKNOWN, NOT_ASKED]
        self.ticks = widgets.ToggleButtons(options=words, value=NOT_ASKED, style={"button_width": "5.4rem"})
        self.box = widgets.HBox([self.label, self.ticks])
        self.ticks.observe(lambda change: self.item and change["new"] and ticked(self.item, change["new"]), "value")

    def show(self, item: Item | None, evidence: Evidence) -> None:
        """Show an item and its answer, in words, too; a doubtful one is none of the four. None hides the row."""
        self.item = item
        self.box.layout.display = "none" if item is None else "flex"
        if item is None:
            return
        value = evidence.get(item.id)
        if isinstance(value, Likelihood):
            word, told = None, f"doubtful (ratio {value.ratio:g})"
        else:
            word = WORDS[value if isinstance(value, bool) else None] if item.id in evidence else NOT_ASKED
            told = word
        self.ticks.tooltips = [f"{item.label}: {answer}" for answer in (PRESENT, ABSENT, UNKNOWN, NOT_ASKED)]
        self.ticks.value = word
        state = element("span", f" {told}", style="display: block")  # a line of its own: all states are equally high
        self.label.value = element("span", f"{item.label}:", state, title=item.question, style=LINES)


def explorer_of(session: Session) -> Explorer:
    """The explorer that begins with these answers."""
    return Explorer(session)


def _control(factor: RiskFactor) -> Any:
    if factor.unit:
        place = f"{factor.unit}, {_bounds(factor)}, or {UNKNOWN}"
        return widgets.Text(tooltip=factor.label, placeholder=place, continuous_update=False)
    states = [(NOT_ASKED, ""), (UNKNOWN, NO_STATE), *((state.replace("_", " "), state) for state in factor.states)]
    return widgets.Dropdown(options=states, tooltip=factor.label)


def _named(factor: RiskFactor, control: Any) -> widgets.HBox:
    """A control with its name before it: a notebook would set formulas in the control's own description."""
    name = element("span", factor.label, title=factor.question)
    return widgets.HBox([widgets.HTML(name, layout=widgets.Layout(width="7.5rem")), control])


def _read(factor: RiskFactor, entered: str) -> Value:
    """A state, or the number that people write: digits, a point, a minus.

    Raises:
        EvidenceError: If it is neither.
    """
    text = entered.strip()
    if text in {NO_STATE, UNKNOWN}:
        return None
    if not factor.unit or text in factor.states:
        return text
    if not NUMBER.fullmatch(text):
        remedy = f"give a number of {factor.unit} from {_bounds(factor)}, or {UNKNOWN}"
        raise EvidenceError(factor.label, shortened(repr(text), LONGEST), "is no number", remedy)
    number = float(text)
    return int(number) if number.is_integer() else number


def _bounds(factor: RiskFactor) -> str:
    return f"{factor.lower_bounds[0]:g} to {factor.upper_bound:g}"


def _written(factor: RiskFactor, value: Value) -> str:
    if value is None:
        return UNKNOWN if factor.unit else NO_STATE
    if factor.unit and isinstance(value, int | float):
        return f"{value:g}"
    return state_of(factor, value)


_WIDE = {"description_width": "7rem"}
_NARROW = widgets.Layout(width="12rem")
