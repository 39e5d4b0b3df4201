"""Lists of what a model knows, searchable with words as people say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from calfbayes.knowledge.terms import Cause, Finding, KnowledgeBase, RiskFactor
from calfbayes.presentation.plain import BOLD, DIM, painted, percent, printable, wrapped
from calfbayes.presentation.text import MIN_WIDTH

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import Diagnosis

LIKENESS = 0.75
NEAREST = 5

Record = Finding | RiskFactor | Cause


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search found.

    Attributes:
        records: In the order of the model, or best first if they are only alike.
        exact: False if no record holds the words, and these are the nearest ones.
    """

    records: tuple[Record, ...]
    exact: bool


def search(records: Sequence[Record], words: Sequence[str]) -> Matches:
    """Find the records that hold every word in their id, label, synonyms or question; else those that are most alike."""
    wanted = [word for text in words for word in text.casefold().replace("_", " ").split()]
    texts = {record.id: _text_of(record) for record in records}
    exact = tuple(record for record in records if all(word in texts[record.id] for word in wanted))
    if exact:
        return Matches(exact, exact=True)
    likeness = {name: min(_likeness(word, text.split()) for word in wanted) for name, text in texts.items()}
    alike = sorted((r for r in records if likeness[r.id] >= LIKENESS), key=lambda record: (-likeness[record.id], record.id))
    return Matches(tuple(alike[:NEAREST]), exact=False)


def findings_text(knowledge: KnowledgeBase, words: Sequence[str] = (), *, width: int = 100, colour: bool = False) -> str:
    """List the findings and risk factors that match; empty if nothing does."""
    matches = search((*knowledge.findings, *knowledge.risk_factors), words)
    lines = [] if matches.exact or not matches.records else ["Nothing holds these words; nearest:"]
    for record in matches.records:
        if not isinstance(record, Cause):
            lines += _entry(record, _kind_of(record), max(width, MIN_WIDTH), colour=colour)
    return "\n".join(lines)


def causes_text(diagnosis: "Diagnosis", words: Sequence[str] = (), *, width: int = 100, colour: bool = False) -> str:
    """List the causes that match with their shares in the diagnosis' care setting, greatest first; empty if none does."""
    knowledge = diagnosis._solved.network.knowledge
    levels = {text.level: text.label for text in knowledge.urgency.levels}
    shares = {entry.id: entry.share for entry in diagnosis.causes}
    matches = search(knowledge.causes, words)
    records = [record for record in matches.records if isinstance(record, Cause)]
    if matches.exact:
        records.sort(key=lambda record: (-round(shares[record.id], 9), record.id))  # equal weights tie but for rounding
    lines = [] if matches.exact or not records else ["Nothing holds these words; nearest:"]
    for record in records:
        kind = f"share {percent(shares[record.id])}, {levels[record.urgency].lower()}"
        lines += _entry(record, kind, max(width, MIN_WIDTH), colour=colour)
    return "\n".join(lines)


def _entry(record: Record, kind: str, width: int, *, colour: bool) -> list[str]:
    text = record.description if isinstance(record, Cause) else record.question
    lines = [f"{painted(printable(record.id), BOLD, colour=colour)}  ({printable(kind)})"]
    lines += wrapped(f"{record.label}. {text}", width, "    ", "    ")
    if record.synonyms:
        synonyms = wrapped(f"also: {', '.join(record.synonyms)}", width, "    ", "    ")
        lines += [painted(line, DIM, colour=colour) for line in synonyms]
    return lines


def _kind_of(record: Finding | RiskFactor) -> str:
    if isinstance(record, Finding):
        return f"{record.kind}, {record.observer.name.lower()}"
    if record.unit:
        return f"risk factor, a number of {record.unit} from {record.lower_bounds[0]:g} to {record.upper_bound:g}"
    return "risk factor" if record.is_binary else f"risk factor: {', '.join(record.states)}"


def _text_of(record: Record) -> str:
    sentence = record.description if isinstance(record, Cause) else record.question
    return " ".join([record.id, record.id.replace("_", " "), record.label, *record.synonyms, sentence]).casefold()


def _likeness(word: str, tokens: Sequence[str]) -> float:
    return max(
        (_ratio(word, token.strip(".,;:?!()")) for token in tokens if 2 * min(len(word), len(token)) >= len(word)), default=0.0
    )


def _ratio(word: str, token: str) -> float:
    matcher = SequenceMatcher(None, word, token)
    return matcher.ratio() if matcher.real_quick_ratio() >= LIKENESS and matcher.quick_ratio() >= LIKENESS else 0.0
