"""The explorer as widgets of ipywidgets. Rows are made once and filled with whatever is to be shown, so that a tick is quick.

A tick is followed at once by urgency and bars. Next questions take longer: they are worked out when the kernel has nothing
else to do, and until then their place says so, so that nobody takes those of the former answers for the present ones.

Texts of the model reach the page through `presentation.markup`, or as options and values of controls, which are text to a
browser.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import CalfBayesError
from calfbayes.evidence import Evidence, Likelihood, Value, state_of
from calfbayes.explorer.session import Item, Session
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.presentation.display import diagnosis_html
from calfbayes.presentation.facts import setting_label
from calfbayes.presentation.markup import element
from calfbayes.presentation.questions import questions_html

ROWS = 10
TOP = 8
PAUSE = 0.1  # seconds: the next tick of somebody quick is not held up by questions about the last
WAITING = element("p", "Working out what to ask next ...", role="status")
PRESENT, ABSENT, UNKNOWN, NOT_ASKED = "present", "absent", "unknown", "not asked"
VALUES: dict[str, Value] = {PRESENT: True, ABSENT: False, UNKNOWN: None}
WORDS = {True: PRESENT, False: ABSENT, None: UNKNOWN}
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
        self.count = widgets.HTML()
        self.rows = [Row(self._ticked) for _ in range(ROWS)]
        self.message = widgets.HTML()
        self.answer = widgets.HTML()
        self.questions = widgets.HTML()
        self._asked: Session | None = None
        self._later: asyncio.TimerHandle | None = None
        self.clear = widgets.Button(description="Start again", tooltip="Take back all answers")

        self.setting.observe(lambda change: self._try(lambda: self.session.in_setting(change["new"] or None)), "value")
        for name, control in self.persons.items():
            control.observe(lambda change, name=name: self._try(lambda: self._person(name, change["new"])), "value")
        self.search.observe(lambda _: self._fill(), "value")
        self.clear.on_click(lambda _: self._start_again())

        persons = [_named(factor, self.persons[factor.id]) for factor in session.persons]
        controls = [self.setting, *persons, self.search, self.count, *(row.box for row in self.rows)]
        left = widgets.VBox(
            [*controls, self.clear, self.message, self.questions], layout=widgets.Layout(width="33rem", flex="0 0 auto")
        )
        right = widgets.VBox([self.answer], layout=widgets.Layout(flex="1 1 0", min_width="20rem", padding="0 0 0 1rem"))
        self.box = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap"))
        self._fill()
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
        self.search.value = ""
        self._try(lambda: Session(self.session.model, self.session.model.evidence({}, setting=self.evidence.setting)))

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
        self.questions.value = WAITING
        if self._later is not None:
            self._later.cancel()
        try:
            self._later = asyncio.get_running_loop().call_later(PAUSE, self._ask)
        except RuntimeError:  # nobody runs an event loop: there is no later
            self._ask()

    def _ask(self) -> None:
        self.questions.value = questions_html(self.session.questions)

    def _fill(self) -> None:
        """Set all controls to the session; what is set here is no answer of the user."""
        self._filling = True
        try:
            evidence = self.session.evidence
            self.setting.value = evidence.setting or NO_SETTING
            for factor in self.session.persons:
                self.persons[factor.id].value = _written(factor, evidence[factor.id]) if factor.id in evidence else ""
            items = self.session.shown(self.search.value.split())
            for row, item in zip(self.rows, [*items[:ROWS], *[None] * (ROWS - len(items))], strict=False):
                row.show(item, evidence)
            more = len(items) - ROWS
            words = f"{more} more; search to find them" if more > 0 else "nothing is like these words" if not items else ""
            self.count.value = element("small", words)
        finally:
            self._filling = False


class Row:
    """One item with its four answers; empty until it is told what to show."""

    def __init__(self, ticked: Callable[[Item, str], None]) -> None:
        self.item: Item | None = None
        self.label = widgets.HTML(layout=widgets.Layout(width="10rem"))
        words = [PRESENT, ABSENT, UNKNOWN, NOT_ASKED]
        self.ticks = widgets.ToggleButtons(options=words, value=NOT_ASKED, style={"button_width": "5.4rem"})
        self.box = widgets.HBox([self.label, self.ticks])
        self.ticks.observe(lambda change: self.item and change["new"] and ticked(self.item, change["new"]), "value")

    def show(self, item: Item | None, evidence: Evidence) -> None:
        """Show an item and its answer; a doubtful one is none of the four, and is told. None hides the row."""
        self.item = item
        self.box.layout.display = "none" if item is None else "flex"
        if item is None:
            return
        value, doubt = evidence.get(item.id), ""
        if isinstance(value, Likelihood):
            self.ticks.value, doubt = None, f" (doubtful: likelihood ratio {value.ratio:g})"
        else:
            self.ticks.value = WORDS[value if isinstance(value, bool) else None] if item.id in evidence else NOT_ASKED
        self.label.value = element("span", f"{item.label}{doubt}", title=item.question)


def explorer_of(session: Session) -> Explorer:
    """The explorer that begins with these answers."""
    return Explorer(session)


def _control(factor: RiskFactor) -> Any:
    if factor.unit:
        place = f"{factor.unit}, {factor.lower_bounds[0]:g} to {factor.upper_bound:g}, or {UNKNOWN}"
        return widgets.Text(tooltip=factor.label, placeholder=place, continuous_update=False)
    states = [(NOT_ASKED, ""), (UNKNOWN, NO_STATE), *((state.replace("_", " "), state) for state in factor.states)]
    return widgets.Dropdown(options=states, tooltip=factor.label)


def _named(factor: RiskFactor, control: Any) -> widgets.HBox:
    """A control with its name before it: a notebook would set formulas in the control's own description."""
    name = element("span", factor.label, title=factor.question)
    return widgets.HBox([widgets.HTML(name, layout=widgets.Layout(width="7.5rem")), control])


def _read(factor: RiskFactor, entered: str) -> Value:
    text = entered.strip()
    if text in {NO_STATE, UNKNOWN}:
        return None
    try:
        number = float(text) if factor.unit else None
    except ValueError:
        return text  # a state, or what the gate refuses with a reason
    return text if number is None else int(number) if number.is_integer() else number


def _written(factor: RiskFactor, value: Value) -> str:
    if value is None:
        return UNKNOWN if factor.unit else NO_STATE
    if factor.unit and isinstance(value, int | float):
        return f"{value:g}"
    return state_of(factor, value)


_WIDE = {"description_width": "7rem"}
