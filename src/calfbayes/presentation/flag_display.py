"""The urgency flag as HTML: how urgent, why, what has not been ruled out, and how it was weighed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calfbayes.diagnosis.policy import PolicyOrigin
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.presentation.facts import ASK_SHOWN, NONE_OPEN, asked_of, because, counted
from calfbayes.presentation.markup import Child, Html, element, joined
from calfbayes.presentation.parts import Bibliography, banner, folding, heading, level_labels, listed, section, table
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from calfbayes.diagnosis.urgency import OpenRule, Reason, UrgencyResult


def urgency_html(flag: "UrgencyResult") -> str:
    """Show the flag; what has not been ruled out stands on its banner, for it holds no outcome."""
    view = FlagView(flag)
    counts = view.open_counts()
    reliance = ("Not yet ruled out: ", counts) if counts else ("", f"{NONE_OPEN}.")
    parts: list[Child] = [view.banner_with(*reliance), view.reasons()]
    parts += [folding(f"Not yet ruled out ({counts})", view.open_rules())] if counts else []
    return section("Urgency", parts, [folding(*entry) for entry in (*view.levels(), *view.sources())])


class FlagView:
    """One flag; each method gives one part of its display."""

    def __init__(self, flag: "UrgencyResult", would_settle: Sequence[str] = ()) -> None:
        knowledge = flag._evidence._network.knowledge
        self.flag = flag
        self.would_settle = would_settle
        self.level_labels = level_labels(knowledge)
        self.bibliography = Bibliography(knowledge.sources)

    def banner_with(self, name: str, reliance: str) -> Html:
        """What to do, and how far that may be relied on: in words first, in colour besides."""
        flag = self.flag
        origin = flag.policy_origin
        policy = None if origin is PolicyOrigin.MODEL else element("strong", f" The urgency policy is {origin}.")
        rank = element("small", f"(Urgency {flag.level.severity + 1} of {len(Level)})")
        return banner(flag.level, [f"{flag.label} ", rank], flag.action, [element("strong", name), reliance, policy])

    def reasons(self) -> Html | None:
        """Why this level, most urgent reason first."""
        reasons = self.flag.reasons
        return joined([heading("Why"), listed(map(self._reason, reasons))]) if reasons else None

    def open_counts(self) -> str:
        """How many rules of each level have not been ruled out."""
        return counted(self.flag.open_rules, self.level_labels)

    def open_rules(self, first: int | None = None) -> Html | None:
        """The first that would settle it, and what has not been ruled out: all of it, or the first rules only."""
        rules = self.flag.open_rules
        if not rules:
            return None
        asked = asked_of(self.flag._evidence, self.would_settle, ASK_SHOWN)
        settle = element("p", element("strong", "These answers can settle it: "), f"{asked}.")
        more = rules[first:] if first else ()
        rest = element("p", f"And further rules that answers could still fire: {counted(more, self.level_labels)}.")
        points = [self._open_rule(rule, None if first is None else ASK_SHOWN) for rule in rules[:first]]
        return joined([settle if asked else None, listed(points), rest if more else None])

    def levels(self) -> list[tuple[str, Html]]:
        """A title, and what the model's own level rests on; nothing if there are no probabilities."""
        flag = self.flag
        if flag.model_level is None:
            return []
        columns = {
            "Level": [self.level_labels[level] for level in LEVELS_BY_SEVERITY],
            "Chance that it is needed": [percent(chance) for chance in flag.level_probabilities],
            "With doubt counted": [percent(chance) for chance in flag.doubt.probabilities] if flag.doubt else [],
            "Expected loss of acting so": [f"{loss:.2f}" for loss in flag.expected_loss],
        }
        shown = {head: cells for head, cells in columns.items() if cells}
        words = (
            f"Least expected loss: {self.level_labels[flag.model_level].lower()}. A red-flag rule that holds can only raise it."
        )
        if flag.doubt:
            without = self.level_labels[flag.doubt.level_without].lower()
            words += f" Doubt about the numbers of the model counts as danger; without it the level would be {without}."
        if flag.doubt_refused:
            words += f" How large the doubt is was not computed, so it counts as large: {flag.doubt_refused}"
        rows = list(zip(*shown.values(), strict=True))
        weighed = table("Levels, least urgent first", list(shown), rows, numbers=list(shown)[1:])
        return [("How the urgency was weighed", joined([element("p", words), weighed]))]

    def sources(self) -> list[tuple[str, Html]]:
        """A title, and the bibliography of what has been shown so far: so it is asked for last."""
        return [("Sources", self.bibliography.list())] if self.bibliography.cited else []

    def _reason(self, reason: "Reason") -> Child:
        facts = "; ".join(because(self.flag._evidence, reason.because))
        lower = reason.origin == "rule" and reason.level != self.flag.level
        level = f"{self.level_labels[reason.level]}: " if lower else ""
        return [level, reason.text, f" Because: {facts}." if facts else "", self.bibliography.cite(reason.sources)]

    def _open_rule(self, rule: "OpenRule", most: int | None) -> Child:
        asked = asked_of(self.flag._evidence, rule.ask, most)
        return [element("strong", f"{self.level_labels[rule.level]}: "), rule.text, f" Ask: {asked}."]
