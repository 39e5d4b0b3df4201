"""A diagnosis as plain text: what to do first, then what it may be, then what the answer rests on.

Rendering only: every number and every medical word shown here stands in the result or in the model's records.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from calfbayes.knowledge.terms import Level
from calfbayes.presentation.facts import (
    ASK_SHOWN,
    NONE_OPEN,
    asked_of,
    because,
    care_reasons,
    counted,
    known,
    outcome_words,
    setting_label,
    signs_told,
)
from calfbayes.presentation.plain import BOLD, DIM, FULL, MARK, bar, bullets, painted, percent, printable, shortened, wrapped

if TYPE_CHECKING:
    from calfbayes.diagnosis.care import Advised, CareAdvice
    from calfbayes.diagnosis.result import CauseResult, Diagnosis
    from calfbayes.diagnosis.urgency import OpenRule, Reason, UrgencyResult

COLOURS = {
    Level.EMERGENCY: "1;97;41",
    Level.SAME_DAY: "1;31",
    Level.WITHIN_DAYS: "1;33",
    Level.ROUTINE: "1;36",
    Level.SELF_CARE: "1;32",
}
MIN_WIDTH = 60
OPEN_RULES_SHOWN = 4
FORBIDDING = {"Not now", "Avoid"}


def diagnosis_text(diagnosis: "Diagnosis", *, width: int = 100, colour: bool = False, top: int = 8, care: bool = False) -> str:
    """Write a diagnosis for a person to read.

    Args:
        width: Longest line.
        colour: Whether to use the colour sequences of terminals.
        top: How many causes are shown.
        care: Whether to add who to see, what to avoid and when to come back for the leading causes.
    """
    view = View(diagnosis, width, colour)
    parts = [view.urgency(), view.outcome(), view.causes(top), view.complications()]
    if care:
        parts.append(care_lines(diagnosis.care, view.width, colour=colour))
    return joined([*parts, view.known(), view.foundations()])


def joined(paragraphs: Iterable[Sequence[str]]) -> str:
    """Paragraphs with an empty line between them."""
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def urgency_text(flag: "UrgencyResult", *, width: int = 100) -> str:
    """Write the flag: what to do, why, and what has not been ruled out."""
    view = FlagView(flag, width, colour=False)
    return joined([view.urgency(), view.open_rules() or wrapped(f"{NONE_OPEN}.", view.width)])


def care_text(advice: "CareAdvice", *, width: int = 100) -> str:
    """Write the advice."""
    return joined([wrapped(advice.action, width), care_lines(advice, width, colour=False)])


def cause_text(entry: "CauseResult") -> str:
    """Write the answer about one cause in one line."""
    level = str(entry.urgency).replace("_", " ")
    chances = f"{percent(entry.probability)}, {percent(entry.share)} before anything was known"
    return printable(f"{entry.label} ({entry.id}): {chances}; {level} if it is present")


class FlagView:
    """One flag on a page of one width; each method but `heading` gives the lines of one paragraph."""

    def __init__(self, flag: "UrgencyResult", width: int, *, colour: bool) -> None:
        self.flag = flag
        self.width = max(width, MIN_WIDTH)
        self.colour = colour
        network = flag._evidence._network
        self.level_labels = {text.level: printable(text.label) for text in network.knowledge.urgency.levels}

    def urgency(self) -> list[str]:
        """What to do, and why."""
        flag = self.flag
        head = painted(printable(flag.label).upper(), COLOURS[flag.level], colour=self.colour)
        lines = [head, *wrapped(flag.action, self.width, "  ", "  ")]
        if flag.reasons:
            lines += ["", self.heading("Why"), *bullets(map(self._reason, flag.reasons), self.width)]
        return lines

    def open_rules(self) -> list[str]:
        """What has not been ruled out, and what to ask."""
        rules = self.flag.open_rules
        if not rules:
            return []
        lines = [self.heading("Not yet ruled out: ask"), *bullets(map(self._open_rule, rules[:OPEN_RULES_SHOWN]), self.width)]
        if rest := rules[OPEN_RULES_SHOWN:]:
            told = f"and further rules that answers could still fire: {counted(rest, self.level_labels)}"
            lines += wrapped(told, self.width, "  - ", "    ")
        return lines

    def heading(self, text: str) -> str:
        """A line above a paragraph."""
        return painted(printable(text), BOLD, colour=self.colour)

    def _reason(self, reason: "Reason") -> str:
        facts = "; ".join(because(self.flag._evidence, reason.because))
        is_lower_rule = reason.origin == "rule" and reason.level != self.flag.level
        level = f"{self.level_labels[reason.level]}: " if is_lower_rule else ""
        sources = f" [{', '.join(reason.sources)}]" if reason.sources else ""
        return f"{level}{reason.text}{f' Because: {facts}.' if facts else ''}{sources}"

    def _open_rule(self, rule: "OpenRule") -> str:
        asked = asked_of(self.flag._evidence, rule.ask, ASK_SHOWN)
        return f"{self.level_labels[rule.level]}: {rule.text} Ask: {asked}."


class View(FlagView):
    """One diagnosis likewise."""

    def __init__(self, diagnosis: "Diagnosis", width: int, colour: bool) -> None:
        super().__init__(diagnosis.urgency, width, colour=colour)
        self.diagnosis = diagnosis

    def outcome(self) -> list[str]:
        """How far the answer may be relied on, and what to ask."""
        lines = wrapped(f"Outcome: {outcome_words(self.diagnosis, ' - ')}", self.width, "", "  ")
        asked = self.open_rules()
        return [*lines, "", *asked] if asked else lines

    def causes(self, top: int) -> list[str]:
        """The most probable causes."""
        entries = self.diagnosis.causes
        if not entries:
            return []
        lines = [self.heading(f"Causes ({FULL} now, {MARK} before anything was known)"), *self._table(entries[:top])]
        if len(entries) > top:
            lines.append(f"  … and {len(entries) - top} more, each {percent(entries[top].probability)} or less")
        several = "Several causes may be present together: the figures need not add up to 100 %."
        return lines + wrapped(several, self.width, "  ", "  ")

    def complications(self) -> list[str]:
        """All complications."""
        entries = self.diagnosis.complications
        return [self.heading("Complications"), *self._table(entries)] if entries else []

    def known(self) -> list[str]:
        """The evidence in words, and what was assumed."""
        evidence = self.diagnosis.evidence
        lines = [line for kind, facts in known(evidence).items() for line in self._field(kind, "; ".join(facts))]
        assumed = [text for text in self.diagnosis.assumed if not text.startswith("setting=")]
        lines += self._field("Setting", setting_label(evidence))
        if assumed:
            lines += self._field("Assumed", "; ".join(assumed))
        for text in self.diagnosis.not_weighed.values():
            lines += wrapped(text, self.width, "  ", "  ")
        return [self.heading("What was known"), *lines]

    def foundations(self) -> list[str]:
        """Which model it was, and what it is not for."""
        model = self.diagnosis.model
        lines = wrapped(f"Model {model.name} {model.version}, digest {model.digest[:12]}", self.width)
        lines += wrapped(self.diagnosis.disclaimer, self.width)
        return [painted(line, DIM, colour=self.colour) for line in lines]

    def _field(self, name: str, text: str) -> list[str]:
        return wrapped(text, self.width, f"  {name:<11}", " " * 13)

    def _table(self, entries: Sequence["CauseResult"]) -> list[str]:
        labels = [shortened(printable(entry.label), 2 * self.width // 5) for entry in entries]
        levels = [self.level_labels[entry.urgency].lower() for entry in entries]
        label_width, level_width = max(map(len, labels)), max(map(len, levels))
        bar_width = min(self.width - label_width - level_width - 30, 40)
        if bar_width < 8:  # a narrow page has no room for the level
            levels, bar_width = [""] * len(levels), min(self.width - label_width - 27, 40)
        return [
            f"  {label:<{label_width}}  {bar(entry.probability, entry.share, bar_width)}  {percent(entry.probability):>7}"
            f"  from {percent(entry.share):>7}  {level}".rstrip()
            for entry, label, level in zip(entries, labels, levels, strict=True)
        ]


def care_lines(advice: "CareAdvice", width: int, *, colour: bool) -> list[str]:
    """Who to see, what helps, what to avoid and when to come back: for the leading causes, and safe for all possible."""
    parts = {
        "See": advice.who,
        "Examine": advice.examinations,
        "Helps": advice.helps,
        "Not now": advice.withheld,
        "Avoid": advice.avoid,
        "Come back": advice.come_back,
    }
    told = {
        name: [_advised(advice, entry, forbids=name in FORBIDDING) for entry in entries]
        for name, entries in parts.items()
        if entries
    }
    network = advice._evidence._network
    told |= {watched.text: [signs_told(network, signs) for signs in watched.by_kind] for watched in advice.come_back_if}
    paragraphs = [["", painted(printable(name), BOLD, colour=colour), *bullets(points, width)] for name, points in told.items()]
    return [line for lines in paragraphs for line in lines][1:]


def _advised(advice: "CareAdvice", advised: "Advised", *, forbids: bool) -> str:
    reasons = care_reasons(advice._evidence, advised, forbids=forbids)
    return f"{advised.text.rstrip('.')} ({reasons})" if reasons else advised.text
