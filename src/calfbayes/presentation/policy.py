"""An urgency policy, as plain text and as HTML. It knows no model, so that findings and sources stand by their ids."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, atoms
from calfbayes.presentation.facts import counted
from calfbayes.presentation.markup import Html, element
from calfbayes.presentation.parts import folding, heading, section, table
from calfbayes.presentation.plain import bullets, wrapped

if TYPE_CHECKING:
    from calfbayes.diagnosis.policy import UrgencyPolicy


def policy_text(policy: "UrgencyPolicy", *, width: int = 100) -> str:
    """How many rules there are, what counts as danger, and where the levels change."""
    points = [str(point).replace("_", " ") for point in policy.change_points]
    lines = [*wrapped(f"Urgency policy, {_rules(policy)}", width), *wrapped(_doubt(policy), width)]
    lines.append("If one level or another is needed, by the probability of the more urgent one:")
    return "\n".join([*lines, *bullets(points, width)])


def policy_html(policy: "UrgencyPolicy") -> str:
    """The levels, what a wrong one costs, and the rules."""
    labels = {level: policy.text_of(level).label for level in LEVELS_BY_SEVERITY}
    levels = table(
        "Levels", ("Level", "What to do"), [(label, policy.text_of(level).action) for level, label in labels.items()]
    )
    needed = [f"{label} was needed" for label in labels.values()]
    costs = [(labels[level], *(f"{cost:g}" for cost in policy.loss[level.severity])) for level in LEVELS_BY_SEVERITY]
    losses = table("Loss of acting at a level", ("Acting at", *needed), costs, numbers=needed)
    rules = [(labels[r.level], r.reason, _codes(a.id for a in atoms(r.condition)), _codes(r.sources)) for r in policy.rules]
    shown = folding(_rules(policy), table("Red-flag rules", ("Level", "Reason", "Speaks of", "Sources"), rules))
    return section("Urgency policy", heading("Urgency policy"), levels, losses, element("p", _doubt(policy)), shown)


def _codes(names: Iterable[str]) -> list[Html]:
    return [element("span", element("code", name), " ") for name in dict.fromkeys(names)]


def _rules(policy: "UrgencyPolicy") -> str:
    counts = counted(policy.rules, {text.level: text.label for text in policy.levels})
    return f"{len(policy.rules)} red-flag rules: {counts}" if counts else "no red-flag rules"


def _doubt(policy: "UrgencyPolicy") -> str:
    if policy.caution is None:
        return "Doubt about the numbers of a model does not count."
    level = policy.text_of(policy.caution.level).label.lower()
    return f"From {level} on, {policy.caution.deviations:g} standard deviations of doubt count as danger."
