"""What would flip the flag: answers not yet given, and elicited numbers, that would give another level.

Answers that raise it are, as in the safety net, the smallest sets of findings that fire a rule; besides, single answers to
what is most worth asking, after which the level would be another one. Of numbers it is how far each may move by itself. Doubt
about the numbers counts as far as it does now.
"""

from dataclasses import dataclass, field
from typing import Any

from calfbayes.diagnosis.questions import MOST_QUESTIONS, next_questions
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import QueryTooCostlyError
from calfbayes.explanation.tornado import URGENCY, Margin, sensitivity
from calfbayes.knowledge.terms import Level


@dataclass(frozen=True, slots=True)
class Flip:
    """Answers that would give another level.

    Attributes:
        answers: Ids and states: `present` or `absent` of a finding, or a state of a risk factor.
        level: The level that the result would have.
        chance: P(these answers | evidence); of several findings roughly.
        rule: Id of the rule that would fire; empty if the probabilities decide.
    """

    answers: tuple[tuple[str, str], ...]
    level: Level
    chance: float
    rule: str


@dataclass(frozen=True, slots=True, repr=False)
class Flips:
    """What would flip the flag.

    Attributes:
        raising: Answers that would raise the level, the highest level first, then the fewest answers, then the most probable.
        lowering: Single answers that would lower it, the lowest level first, then the most probable.
        numbers: How far elicited numbers may move before the level changes, the nearest change first; None if that would
            be too dear to compute.
    """

    raising: tuple[Flip, ...]
    lowering: tuple[Flip, ...]
    numbers: tuple[Margin, ...] | None
    _result: Diagnosis = field(compare=False)

    def __repr__(self) -> str:
        from calfbayes.presentation.flips import flips_text

        return flips_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.flips import flips_html

        return flips_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{
                side: [
                    {"answers": dict(f.answers), "level": str(f.level), "chance": f.chance, "rule": f.rule}
                    for f in getattr(self, side)
                ]
                for side in ("raising", "lowering")
            },
            "numbers": None
            if self.numbers is None
            else [{name: getattr(margin, name) for name in Margin.__slots__} for margin in self.numbers],
        }


def flips(result: Diagnosis, *, who: str) -> Flips:
    """Say what would flip the flag; see `Diagnosis.flips`.

    Raises:
        ArgumentError: If `who` can be nobody.
    """
    now = result.urgency.level
    questions = next_questions(result, n=MOST_QUESTIONS, who=who, budget=None, objective="urgency")
    raising = [
        Flip(tuple((name, "present") for name in watch.findings), watch.level, watch.chance, watch.rule)
        for group in result.care.come_back_if
        for watch in group.any_of
    ]
    fired = {flip.answers for flip in raising}
    single = [
        Flip(((question.id, answer.state),), answer.level, answer.chance, "")
        for question in questions
        for answer in question.answers
        if answer.level != now and ((question.id, answer.state),) not in fired
    ]
    raising += [flip for flip in single if flip.level > now]
    return Flips(
        tuple(sorted(raising, key=lambda f: (-f.level.severity, len(f.answers), -f.chance, f.answers))),
        tuple(sorted((f for f in single if f.level < now), key=lambda f: (f.level.severity, -f.chance, f.answers))),
        _numbers(result),
        result,
    )


def _numbers(result: Diagnosis) -> tuple[Margin, ...] | None:
    """The margins of the urgency; without probabilities no number decides."""
    if not result.causes:
        return ()
    try:
        margins = sensitivity(result, of=URGENCY, exact=0).margins
    except QueryTooCostlyError:
        return None
    return tuple(margin for margin in margins if margin.changes == "urgency")
