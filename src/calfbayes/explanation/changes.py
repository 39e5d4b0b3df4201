"""What differs between two results: two moments, two patients, two care settings, or two versions of a model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any

from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.diagnosis.policy import PolicyOrigin
from calfbayes.diagnosis.result import CauseResult, Diagnosis
from calfbayes.diagnosis.urgency import Outcome, Reason
from calfbayes.errors import ArgumentError, UnknownNameError
from calfbayes.evidence import Likelihood, Value, read_evidence
from calfbayes.explanation.ledger import LIMIT, Ledger, explain
from calfbayes.knowledge.terms import Level
from calfbayes.knowledge.wording import short


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """An answer that differs.

    Attributes:
        before: The answer; None if unknown or never asked.
        after: Likewise.
    """

    id: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class ProbabilityChange:
    """The probability of a cause or complication in both results; None where a model does not know it."""

    id: str
    label: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float:
        """After minus before; what a model does not know has nothing."""
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class WeightChange:
    """What an answer, or the share, contributes to the odds of a cause, in decibans; 0 where it was not given."""

    id: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """After minus before; 0 if both are the same infinity."""
        return 0.0 if self.before == self.after else self.after - self.before


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two results, and what differs between them.

    Attributes:
        answers: Answers that differ, by id.
        settings: The two care settings.
        models: The two digests.
        levels: The two urgency levels.
        outcomes: How far the two may be relied on; outside the scope there may be no probabilities.
        reasons_gained: Reasons for the level that only the second result has.
        reasons_lost: Reasons that only the first has.
        causes: All causes and complications, the largest difference first.
    """

    before: Diagnosis
    after: Diagnosis
    answers: tuple[AnswerChange, ...]
    settings: tuple[str, str]
    models: tuple[str, str]
    levels: tuple[Level, Level]
    outcomes: tuple[Outcome, Outcome]
    reasons_gained: tuple[Reason, ...]
    reasons_lost: tuple[Reason, ...]
    causes: tuple[ProbabilityChange, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What follows, in the words of the second result's model; none if it has no `explanation.toml`."""
        from calfbayes.presentation.reasons import comparison_sentences

        return comparison_sentences(self)

    def __repr__(self) -> str:
        from calfbayes.presentation.reasons import comparison_text

        return comparison_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.reasons_display import comparison_html

        return comparison_html(self)

    def __getitem__(self, name: str) -> ProbabilityChange:
        for change in self.causes:
            if change.id == name:
                return change
        raise UnknownNameError("cause or complication", str(name)[:200], (), f"model {self.after.model.name}")

    def ledger(self, cause: str, *, cost_limit: float = LIMIT) -> tuple[WeightChange, ...]:
        """What moved a cause: the share and every answer, with their weights in both results, the largest move first.

        The differences add up to the difference of the odds. The share stands under the id `share`.

        Raises:
            UnknownNameError: If one of the models has no such cause.
            QueryTooCostlyError: If even a few orders cost more than the limit.
        """
        old = _account(explain(self.before, cause, cost_limit=cost_limit))
        new = _account(explain(self.after, cause, cost_limit=cost_limit))
        changes = [WeightChange(name, old.get(name, 0.0), new.get(name, 0.0)) for name in {**old, **new}]
        return tuple(sorted(changes, key=lambda change: (-abs(change.difference), change.id)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "answers": [{"id": c.id, "before": _plain(c.before), "after": _plain(c.after)} for c in self.answers],
            "settings": list(self.settings),
            "models": list(self.models),
            "levels": [str(level) for level in self.levels],
            "outcomes": [str(outcome) for outcome in self.outcomes],
            "reasons_gained": [reason.id for reason in self.reasons_gained],
            "reasons_lost": [reason.id for reason in self.reasons_lost],
            "causes": [{"id": c.id, "before": c.before, "after": c.after} for c in self.causes],
            "sentences": list(self.sentences),
        }


def compare(before: Diagnosis, after: Diagnosis) -> Comparison:
    """Say what differs between two results: of two patients, care settings, or versions of a model.

    Raises:
        ArgumentError: If one of the two is no result.
    """
    for name, given in (("before", before), ("after", after)):
        if not isinstance(given, Diagnosis):
            raise ArgumentError(name, f"a {type(given).__name__}", "a result of model.diagnose")
    old, new = _reasons(before), _reasons(after)
    names = sorted({*before.evidence, *after.evidence})
    answers = [AnswerChange(name, before.evidence.get(name), after.evidence.get(name)) for name in names]
    return Comparison(
        before=before,
        after=after,
        answers=tuple(a for a in answers if (type(a.before), a.before) != (type(a.after), a.after)),
        settings=(before.setting, after.setting),
        models=(before.model.digest, after.model.digest),
        levels=(before.urgency.level, after.urgency.level),
        outcomes=(before.outcome, after.outcome),
        reasons_gained=tuple(reason for key, reason in new.items() if key not in old),
        reasons_lost=tuple(reason for key, reason in old.items() if key not in new),
        causes=_probabilities((*before.causes, *before.complications), (*after.causes, *after.complications)),
    )


def what_if(
    result: Diagnosis,
    changes: Mapping[str, object],
    *,
    remove: Iterable[str] = (),
    setting: str | None = None,
) -> Comparison:
    """Answer again with other evidence, and say what differs.

    Args:
        changes: Items added or replaced.
        remove: Ids of items taken away, as if never asked.
        setting: Another care setting; None for the same.

    Raises:
        UnknownNameError: If an id is not in the model, or an item to remove is not in the evidence.
        ArgumentError: If `remove` is no list of ids.
        CalfBayesError: As `model.evidence` and `model.diagnose`.
    """
    if isinstance(remove, str) or not isinstance(remove, Iterable):
        raise ArgumentError("remove", short(remove), 'a list of ids, such as ["redness"]')
    evidence = result.evidence.without(*remove)
    edited = read_evidence(
        result._solved.network, {**evidence, **changes}, setting=evidence.setting if setting is None else setting
    )
    own = result.urgency.policy_origin != PolicyOrigin.MODEL
    policy = result.urgency.policy if own else None
    return compare(result, diagnose(result._solved, edited, policy=policy, allow_laxer_policy=own))


def _account(ledger: Ledger) -> dict[str, float]:
    """Share and weights; a share of 0 or 1, which no weight can change, is left out."""
    share = ledger.share_decibans
    return {**({} if isinf(share) else {"share": share}), **{weight.id: weight.decibans for weight in ledger.weights}}


def _reasons(result: Diagnosis) -> dict[tuple[str, str, Level], Reason]:
    return {(reason.origin, reason.id, reason.level): reason for reason in result.urgency.reasons}


def _probabilities(before: Iterable[CauseResult], after: Iterable[CauseResult]) -> tuple[ProbabilityChange, ...]:
    old, new = {entry.id: entry for entry in before}, {entry.id: entry for entry in after}
    changes = [
        ProbabilityChange(
            name,
            entry.label,
            old[name].probability if name in old else None,
            new[name].probability if name in new else None,
        )
        for name, entry in {**old, **new}.items()
    ]
    return tuple(sorted(changes, key=lambda change: (-abs(change.difference), change.id)))


def _plain(value: Value) -> object:
    return {"likelihood_ratio": value.ratio} if isinstance(value, Likelihood) else value
