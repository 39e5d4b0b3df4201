"""What the explorer knows, without any widget: answers that change one at a time, and what to show next to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from calfbayes.diagnosis.questions import NextQuestions, next_questions
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.evidence import Evidence, Value
from calfbayes.knowledge.terms import Cause, Finding, RiskFactor
from calfbayes.presentation.listing import search

if TYPE_CHECKING:
    from calfbayes.model import Model

QUESTIONS = 5
QUICK = 1e7  # state operations; half a second

Item = Finding | RiskFactor


@dataclass(frozen=True)
class Session:
    """The answers given so far; every change makes a new session."""

    model: "Model"
    evidence: Evidence

    @cached_property
    def result(self) -> Diagnosis:
        """What the model says to these answers."""
        return self.model.diagnose(self.evidence)

    @cached_property
    def questions(self) -> NextQuestions:
        """What to ask next. Their order is as always; what would follow from each answer is told as far as time allows."""
        return next_questions(self.result, n=QUESTIONS, who="patient", budget=None, objective="urgency", cost_limit=QUICK)

    @property
    def persons(self) -> tuple[RiskFactor, ...]:
        """Risk factors that are asked as a number or by their states: age, sex."""
        return tuple(factor for factor in self.model.risk_factors if not factor.is_binary)

    @property
    def items(self) -> tuple[Item, ...]:
        """What is answered with present or absent: findings but the complaint, and yes/no risk factors."""
        complaint = self.model.knowledge.complaint
        findings = (finding for finding in self.model.findings if finding.id != complaint)
        return (*findings, *(factor for factor in self.model.risk_factors if factor.is_binary))

    def answered(self, name: str, value: Value) -> "Session":
        """The session with one answer more, or changed; None says that it was asked and is not known.

        Raises:
            CalfBayesError: If the answer cannot be, by itself or together with the others; this session stays as it is.
        """
        return self._with(self.evidence.with_({name: value}))

    def withdrawn(self, name: str) -> "Session":
        """The session without an answer, as if it had never been asked; this one if there is none."""
        return self._with(self.evidence.without(name)) if name in self.evidence else self

    def in_setting(self, setting: str | None) -> "Session":
        """The session in another care setting; None stands for the model's default."""
        return self._with(self.model.evidence(dict(self.evidence), setting=setting))

    def shown(self, words: Sequence[str] = (), *, only_answered: bool = False) -> tuple[Item, ...]:
        """The items that hold these words; without words all of them: what open rules ask, the rest, what is answered already.

        Args:
            only_answered: Of these, those with an answer.
        """
        if any(word.strip() for word in words):
            found = [record for record in search(self.items, words).records if not isinstance(record, Cause)]
        else:
            by_id = {item.id: item for item in self.items}
            asked = (name for rule in self.result.urgency.open_rules for name in rule.ask if name in by_id)
            found = [by_id[name] for name in dict.fromkeys((*asked, *by_id))]
            found.sort(key=lambda item: item.id in self.evidence)
        return tuple(item for item in found if item.id in self.evidence or not only_answered)

    def to_json(self) -> str:
        """The answers as JSON; `model.explore(model.evidence_from_json(text))` takes them up again."""
        return self.evidence.to_json()

    def _with(self, evidence: Evidence) -> "Session":
        session = Session(self.model, evidence)
        _ = session.result  # what contradicts itself is refused here, not when it is shown
        return session
