"""What text, pages and figures say in few words: of an answer, of the care setting, and how far a level may be relied on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from calfbayes.diagnosis.safety_net import Signs
from calfbayes.evidence import Evidence, Likelihood, Value
from calfbayes.knowledge.terms import Level, RiskFactor, Rule
from calfbayes.network import Network, Node

if TYPE_CHECKING:
    from calfbayes.diagnosis.care import Advised
    from calfbayes.diagnosis.result import Diagnosis
    from calfbayes.diagnosis.urgency import OpenRule

ASK_SHOWN = 6
NONE_OPEN = "No more urgent rule is left open; how far the level may be relied on is the outcome of its diagnosis"
CARE_SHOWN = 3
KINDS = ("Patient", "Present", "Absent", "Doubtful", "Not known")


def headline(result: "Diagnosis") -> str:
    """The level and how far it may be relied on; a level that stands alone seems more certain than it is."""
    return f"{result.urgency.label} ({outcome_words(result, ': ')})"


def outcome_words(result: "Diagnosis", joint: str) -> str:
    """The outcome, and the reason unless it is `assessed`."""
    word = outcome_word(result)
    return f"{word}{joint}{result.outcome_reason}" if result.outcome_reason else word


def outcome_word(result: "Diagnosis") -> str:
    """The outcome as the model calls it, or plainly if it has no words."""
    explanation = result._solved.network.knowledge.explanation
    words = dict(explanation.sentences) if explanation else {}
    return words.get(str(result.outcome), str(result.outcome).replace("_", " "))


def setting_label(evidence: Evidence) -> str:
    """The care setting in words; that of the model is assumed where none was given."""
    knowledge = evidence._network.knowledge
    labels = {setting.id: setting.label for setting in knowledge.settings}
    return labels[evidence.setting] if evidence.setting else f"{labels[knowledge.default_setting]} (assumed, none was given)"


def fact(record: Node | RiskFactor, value: Value) -> str:
    """One answer: the label, with the number, state or likelihood ratio if it is more than a yes or no.

    A doubtful report that speaks rather against the finding denies it; whether it is absent or not known, the caller tells.
    """
    if isinstance(value, Likelihood):
        return f"{'no: ' if value.ratio < 1.0 else ''}{record.label} (likelihood ratio {value.ratio:g})"
    if isinstance(value, bool) or value is None:
        return record.label
    return f"{record.label}: {state(record, value)}"


def state(record: Node | RiskFactor, value: str | float) -> str:
    """The state or number of a risk factor."""
    if isinstance(value, str):
        return value.removeprefix(f"{record.id}_").replace("_", " ")
    return f"{value:g} {record.unit if isinstance(record, RiskFactor) else ''}".rstrip()


def known(evidence: Evidence) -> dict[str, list[str]]:
    """The answers of a patient in words, by `KINDS`; kinds without an answer are left out."""
    groups: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name, value in evidence.items():
        groups[kind_of(value)].append(fact(evidence._network.records[name], value))
    return {kind: facts for kind, facts in groups.items() if facts}


def because(evidence: Evidence, atoms: Iterable[str]) -> list[str]:
    """What made a rule fire, in words; an atom is an id, or `factor=state`."""
    names = [atom.partition("=")[0] for atom in atoms]
    return [fact(evidence._network.records[name], evidence.get(name, True)) for name in names]


def asked_of(evidence: Evidence, names: Sequence[str], most: int | None = None) -> str:
    """What to ask, all of it or the first; with a word where it was asked and left open, lest it seem forgotten."""
    records = evidence._network.records
    so_far = {name: " (asked, not known)" if value is None else " (told, but doubtful)" for name, value in evidence.items()}
    told = [f"{records[name].label}{so_far.get(name, '')}" for name in names[:most]]
    more = len(names) - len(told)
    return "; ".join([*told, *([f"{more} more"] if more else [])])


def counted(rules: Iterable["OpenRule | Rule"], labels: Mapping[Level, str]) -> str:
    """How many rules there are of each level."""
    counts = Counter(rule.level for rule in rules)
    return ", ".join(f"{counts[level]} {labels[level].lower()}" for level in Level if counts[level])


def care_reasons(evidence: Evidence, advised: "Advised", *, forbids: bool) -> str:
    """What an advice is for, or what forbids it: what is known, and what it may be; empty if only a rule does.

    The two are told apart in words: a cause in a bracket could be read as either.
    """
    records = evidence._network.records
    more = f", {len(advised.causes) - CARE_SHOWN} more" if len(advised.causes) > CARE_SHOWN else ""
    causes = f"{', '.join(records[name].label for name in advised.causes[:CARE_SHOWN])}{more}"
    if not forbids:
        return f"for {causes}" if causes else ""
    states = ", ".join(because(evidence, advised.states))
    return ", and ".join([*([f"because of {states}"] if states else []), *([f"because it may be {causes}"] if causes else [])])


def signs_told(network: Network, signs: Signs) -> str:
    """What is told under one heading: "A; B; one of (C / D) together with one of (E / F)"; labels hold their own "or"."""
    told = []
    for sets, ones in signs.any_of:
        labels = [network.records[name].label for name in ones]
        shared = [" + ".join(network.records[name].label for name in names) for names in sets if names]
        told += [f"{_one_of(shared)} together with {_one_of(labels)}"] if shared else labels
    return f"{signs.kind}: {'; '.join(told)}" if signs.kind else "; ".join(told)


def kind_of(value: Value) -> str:
    """Which of `KINDS` an answer belongs to."""
    if isinstance(value, Likelihood):
        return "Doubtful"
    if isinstance(value, bool):
        return "Present" if value else "Absent"
    return "Not known" if value is None else "Patient"


def _one_of(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"one of ({' / '.join(labels)})"
