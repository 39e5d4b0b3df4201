"""The part of a model's card that can be counted: tables in its README.md, between markers.

    <!-- counted: size -->
    ...
    <!-- end -->

What stands between the markers is written anew; everything else is prose and stays. Only counts are kept here: they
change when a file is edited, and then `calfbayes snapshot` writes them again.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from calfbayes.errors import ArgumentError
from calfbayes.evaluation.frequency import share_text
from calfbayes.knowledge.terms import (
    Cause,
    Complication,
    Elicited,
    Finding,
    KnowledgeBase,
    Level,
    Link,
    Mechanism,
    Observer,
    OddsRatio,
    PriorRow,
    Setting,
    Weight,
)

CARD = "README.md"
KINDS = ("measured", "derived", "judged")
MARKED = re.compile(r"(?P<start><!-- counted: (?P<part>\w+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def write_card(folder: Path, knowledge: KnowledgeBase) -> Path | None:
    """Write the counts into the card of a model's folder.

    Returns:
        Path of the card; None if the model has none.

    Raises:
        ArgumentError: If the card asks for something that cannot be counted.
    """
    path = folder / CARD
    if not path.is_file():
        return None
    path.write_text(with_counts(path.read_text(encoding="utf-8"), folder, knowledge), encoding="utf-8")
    return path


def with_counts(card: str, folder: Path, knowledge: KnowledgeBase) -> str:
    """The card with every counted part as it has to be.

    Args:
        folder: Where the tables of the model lie, for what is counted in them.

    Raises:
        ArgumentError: If the card asks for something that cannot be counted.
    """
    counted = {
        "size": lambda: _size(knowledge),
        "numbers": lambda: _numbers(knowledge),
        "causes": lambda: _causes(knowledge),
        "coverage": lambda: _coverage(folder),
        "figures": lambda: _figures(folder),
        "mutants": lambda: _mutants(folder),
    }

    def written(match: re.Match[str]) -> str:
        part = match["part"]
        if part not in counted:
            raise ArgumentError("counted", part, f"one of {', '.join(counted)}")
        return f"{match['start']}{counted[part]()}\n{match['end']}"

    return MARKED.sub(written, card)


def _size(knowledge: KnowledgeBase) -> str:
    k = knowledge
    conditions: list[Cause | Complication] = [*k.causes, *k.complications]
    links = [link for record in (*conditions, *k.mechanisms) for link in record.links]
    between = [link for cause in k.causes for link in cause.links if link.child in {other.id for other in k.causes}]
    factors = {factor.id for factor in k.risk_factors if factor.is_binary}
    acting = {(record.id, r.factor) for record in (*conditions, *k.mechanisms, *k.findings) for r in record.odds}
    of_yes_or_no = [pair for pair in acting if pair[1] in factors]
    by_patient = sum(finding.observer == Observer.PATIENT for finding in k.findings)
    rows = [
        ("causes", len(k.causes), f"in {len({cause.group for cause in k.causes})} groups"),
        ("complications", len(k.complications), ", ".join(record.label.lower() for record in k.complications)),
        ("mechanisms", len(k.mechanisms), "hidden; findings that come together share one"),
        (
            "findings",
            len(k.findings),
            f"{_tally(f.kind for f in k.findings)}; {by_patient} that a person can tell without a clinician",
        ),
        ("risk factors", len(k.risk_factors), f"{len(factors)} of them yes or no"),
        ("links", len(links), f"{len(between)} of them from one cause to another"),
        ("risk arcs", len(acting), f"{len(of_yes_or_no)} of them from a yes-or-no factor"),
        ("red-flag rules", len(k.urgency.rules), _tally(_ordered(rule.level for rule in k.urgency.rules))),
        ("sources", len(k.sources), _tally(source.kind for source in k.sources)),
        ("care settings", len(k.settings), ", ".join(setting.id for setting in k.settings)),
    ]
    return _table(("part", "count", "of which"), rows)


def _numbers(knowledge: KnowledgeBase) -> str:
    by_what: dict[str, list[Elicited]] = {}
    for what, number in _elicited(knowledge):
        by_what.setdefault(what, []).append(number)
    rows = [(what, *_by_kind(numbers), len(numbers)) for what, numbers in by_what.items()]
    everything = [number for numbers in by_what.values() for number in numbers]
    return _table(("what", *KINDS, "all"), [*rows, ("all", *_by_kind(everything), len(everything))])


def _causes(knowledge: KnowledgeBase) -> str:
    rows = []
    for cause in sorted(knowledge.causes, key=lambda cause: (cause.group, cause.id)):
        numbers = list(_parts(cause, Elicited))
        judged = sum(number.kind == "judged" for number in numbers)
        rows.append(
            (cause.group.replace("_", " "), cause.label, cause.urgency, len(cause.links), f"{judged} of {len(numbers)}")
        )
    return _table(("group", "cause", "level of its usual presentation", "links", "numbers that are judged"), rows)


def _coverage(folder: Path) -> str:
    with (folder / "coverage.csv").open(encoding="utf-8", newline="") as file:
        counts = Counter((row["kind"], row["status"]) for row in csv.DictReader(file))
    kinds = sorted({kind for kind, _ in counts})
    rows = [(kind.replace("_", " "), counts[kind, "modelled"], counts[kind, "declined"]) for kind in kinds]
    return _table(("kind of fact", "modelled", "declined"), [*rows, ("all", sum(r[1] for r in rows), sum(r[2] for r in rows))])


def _figures(folder: Path) -> str:
    with (folder / "evidence.csv").open(encoding="utf-8", newline="") as file:
        counts = Counter(row["confidence"] for row in csv.DictReader(file))
    return _table(("figures", "count"), [*sorted(counts.items(), key=lambda pair: -pair[1]), ("all", counts.total())])


def _mutants(folder: Path) -> str:
    """How many planted errors were noticed, and which were not; `calfbayes mutate --table` writes the file."""
    with (folder / "mutants.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    noticed = Counter(row["noticed_by"].partition(" ")[0] for row in rows)
    lost = noticed.pop("", 0)
    by = ", ".join(f"{who} {count}" for who, count in noticed.most_common())
    counts = [(len(rows), f"{len(rows) - lost} ({share_text(len(rows) - lost, len(rows))})", by, lost, rows[0]["digest"])]
    survivors = sorted((row for row in rows if not row["noticed_by"]), key=lambda row: (-float(row["influence"]), row["place"]))
    told = [(row["place"], row["edit"], row["influence"], row["levels"]) for row in survivors]
    return "\n\n".join(
        [
            _table(("influential errors", "noticed", "first by", "not noticed", "digest of the model"), counts),
            _table(("not noticed", "error", "moves a published patient by", "changes levels of"), told),
        ]
    )


def _elicited(knowledge: KnowledgeBase) -> Iterator[tuple[str, Elicited]]:
    """Every number with what it is."""
    names = {
        Weight: "weights",
        OddsRatio: "odds ratios",
        Link: "links",
        PriorRow: "priors of risk factors",
        Setting: "coincidence",
    }
    for kind, name in names.items():
        for part in _parts(knowledge, kind):
            yield name, next(_parts(part, Elicited))
    leaky: list[Complication | Mechanism | Finding] = [*knowledge.complications, *knowledge.mechanisms, *knowledge.findings]
    for record in leaky:
        yield "leaks", record.leak
    yield "table of losses", knowledge.urgency.loss_number


def _parts(record: object, kind: type[Any]) -> Iterator[Any]:
    """Every record of one kind inside a record."""
    if isinstance(record, kind):
        yield record
    elif is_dataclass(record):
        for field in fields(record):
            yield from _parts(getattr(record, field.name), kind)
    elif isinstance(record, tuple):
        for entry in record:
            yield from _parts(entry, kind)


def _by_kind(numbers: Sequence[Elicited]) -> tuple[int, ...]:
    return tuple(sum(number.kind == kind for number in numbers) for kind in KINDS)


def _ordered(levels: Iterable[Level]) -> list[str]:
    return [str(level) for level in sorted(levels, key=lambda level: -level.severity)]


def _tally(words: Iterable[str]) -> str:
    return ", ".join(f"{word.replace('_', ' ')} {count}" for word, count in Counter(words).items())


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
