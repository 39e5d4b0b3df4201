"""The evidence table that ships with a model: `evidence.csv`, and the populations that its rows speak of.

    populations.csv   id, setting, evidence, description
    evidence.csv      one published or judged figure a row, see `Figure`

Both are read as text, checked against the network, and every fault is named at once.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from calfbayes.audit.expression import parse
from calfbayes.errors import ArgumentError, Fault, ModelFileError, NoSuchModelError
from calfbayes.knowledge.shipped import models_folder, shipped_models
from calfbayes.network import Network

FIGURES, POPULATIONS = "evidence.csv", "populations.csv"
MAX_BYTES = 5_000_000
CONFIDENCES = ("verified", "secondary", "expert")


class Kind(StrEnum):
    """What a figure measures, c being the cause, i the item; all within the population."""

    SENSITIVITY = "sensitivity"  # P(i | c)
    FREQUENCY_IN_CAUSE = "frequency_in_cause"  # the same, from a series of patients who have the cause
    SPECIFICITY = "specificity"  # P(not i | comparator)
    FREQUENCY_WITHOUT_CAUSE = "frequency_without_cause"  # P(i | comparator)
    LR_POSITIVE = "lr_positive"  # P(i | c) / P(i | comparator)
    LR_NEGATIVE = "lr_negative"  # P(not i | c) / P(not i | comparator)
    ODDS_RATIO = "odds_ratio"  # odds(c | i) / odds(c | comparator)
    RISK_RATIO = "risk_ratio"  # P(c | i) / P(c | comparator)
    PREVALENCE = "prevalence"  # P(c)
    POST_TEST = "post_test"  # P(c | i)
    ITEM_FREQUENCY = "item_frequency"  # P(i), whatever the cause
    CO_OCCURRENCE = "co_occurrence"  # P(i | c), the item being another cause or a complication
    BACKGROUND = "background"  # P(i) without any cause, at the reference states of the risk factors


RATIOS = frozenset({Kind.LR_POSITIVE, Kind.LR_NEGATIVE, Kind.ODDS_RATIO, Kind.RISK_RATIO})
WITHOUT_CAUSE = frozenset({Kind.ITEM_FREQUENCY, Kind.BACKGROUND})
WITHOUT_ITEM = frozenset({Kind.PREVALENCE})
COMPARED_BY_ITEM = frozenset({Kind.ODDS_RATIO, Kind.RISK_RATIO})
COMPARED_BY_CAUSE = frozenset({Kind.SPECIFICITY, Kind.FREQUENCY_WITHOUT_CAUSE, Kind.LR_POSITIVE, Kind.LR_NEGATIVE})


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a figure was measured in: the evidence that selected them.

    Attributes:
        setting: A care setting of the model.
        evidence: An expression; empty for everyone in the setting.
    """

    id: str
    setting: str
    evidence: str
    description: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One published or judged figure.

    Attributes:
        causes: The cause, or several that the publication counts as one.
        item: An expression; with `co_occurrence` the id of a cause or complication.
        comparator: With odds and risk ratios the expression that the item is compared with (empty: the item absent); with
            specificities and likelihood ratios the causes of the other patients (empty: all patients without the cause).
        low: Lower end of the published interval, NaN if there is none.
        high: Upper end, NaN if there is none.
        confidence: `verified` (read at the url), `secondary` (quoted or computed) or `expert` (a judgement).
        reason: Why the model deviates; empty if it does not or if nobody has looked.
        reach: How far the reason explains: the ratio, implied over published (of odds, or of the ratios themselves), up to
            which it holds. Above 1 the model lies above the figure, below 1 below it; 1 if nothing is explained.
    """

    id: str
    kind: Kind
    causes: tuple[str, ...]
    item: str
    comparator: str
    population: Population
    value: float
    low: float
    high: float
    confidence: str
    citation: str
    url: str
    reason: str
    reach: float = 1.0


COLUMNS = {
    POPULATIONS: ("id", "setting", "evidence", "description"),
    FIGURES: (
        "id",
        "kind",
        "cause",
        "item",
        "comparator",
        "population",
        "value",
        "low",
        "high",
        "confidence",
        "citation",
        "url",
        "reason",
        "reach",
    ),
}


def find_tables(name_or_path: str | Path) -> Path:
    """The folder with the tables of a shipped model, or of any model by the path of its folder.

    Raises:
        NoSuchModelError: If there is no evidence table.
    """
    folder = models_folder() / name_or_path if name_or_path in shipped_models() else Path(name_or_path)
    if not (folder / FIGURES).is_file():
        raise NoSuchModelError(f"{name_or_path} with an {FIGURES}", shipped_models())
    return folder


def read_table(network: Network, folder: Path) -> tuple[Figure, ...]:
    """Read the tables of a model.

    Raises:
        ModelFileError: If a table is wrong; the error lists every fault.
    """
    faults: list[Fault] = []
    populations: dict[str, Population] = {}
    for line, row in _rows(folder, POPULATIONS, faults):
        note = _noter(POPULATIONS, line, faults)
        if row["id"] in populations:
            note("id", f"{row['id']!r} stands in the table twice", "give each population its own id")
        if row["setting"] not in {setting.id for setting in network.knowledge.settings}:
            note("setting", f"{row['setting']!r} is no care setting", "give one of model.toml")
        _check_expression(network, row["evidence"], "evidence", note)
        populations[row["id"]] = Population(row["id"], row["setting"], row["evidence"], row["description"])
    figures: dict[str, Figure] = {}
    for line, row in _rows(folder, FIGURES, faults):
        note = _noter(FIGURES, line, faults)
        if row["id"] in figures:
            note("id", f"{row['id']!r} stands in the table twice", "give each row its own id")
        figure = _figure(network, populations, row, note)
        if figure is not None:
            figures[figure.id] = figure
    if faults:
        raise ModelFileError(network.name, tuple(faults))
    return tuple(figures.values())


Note = Callable[[str, str, str], None]


def _noter(file: str, line: int, faults: list[Fault]) -> Note:
    return lambda column, problem, remedy: faults.append(Fault(file, f"line {line}, {column}", problem, remedy))


def _rows(folder: Path, file: str, faults: list[Fault]) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        with (folder / file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(file, "", f"cannot be read ({error})", "give a table of comma-separated values in UTF-8"))
        return
    if len(content) > MAX_BYTES:
        faults.append(Fault(file, "", "is too large", f"give at most {MAX_BYTES} bytes"))
        return
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS[file]:
            faults.append(Fault(file, "line 1", "has other columns than the format", f"give {','.join(COLUMNS[file])}"))
            return
        for row in reader:
            if None in row or None in row.values():
                faults.append(Fault(file, f"line {reader.line_num}", "has too few or too many cells", "give one a column"))
            else:
                yield reader.line_num, {column: cell.strip() for column, cell in row.items()}
    except csv.Error as error:
        faults.append(Fault(file, f"line {reader.line_num}", f"is no table row ({error})", "correct the quotes"))


def _figure(network: Network, populations: Mapping[str, Population], row: dict[str, str], note: Note) -> Figure | None:
    if row["kind"] not in set(Kind):
        note("kind", f"{row['kind']!r} is unknown", f"give one of {', '.join(Kind)}")
        return None
    kind = Kind(row["kind"])
    if row["population"] not in populations:
        note("population", f"{row['population']!r} is not in {POPULATIONS}", "add it there, or give one that is")
        return None
    causes = _causes(network, row["cause"], "cause", note)
    if bool(causes) == (kind in WITHOUT_CAUSE):
        note("cause", f"{row['cause']!r} does not fit kind {kind}", "give causes, unless the figure is about all patients")
    _check_item(network, kind, row["item"], note)
    _check_comparator(network, kind, row["comparator"], note)
    if row["confidence"] not in CONFIDENCES:
        note("confidence", f"{row['confidence']!r} is unknown", f"give one of {', '.join(CONFIDENCES)}")
    for column in ("id", "citation"):
        if not row[column]:
            note(column, "is empty", "fill it")
    numbers, reach = _numbers(kind, row, note), _reach(row, note)
    return numbers and Figure(
        row["id"],
        kind,
        causes,
        row["item"],
        row["comparator"],
        populations[row["population"]],
        *numbers,
        row["confidence"],
        row["citation"],
        row["url"],
        row["reason"],
        reach,
    )


def split_causes(text: str) -> tuple[str, ...]:
    """Ids of causes, written `a or b`."""
    return tuple(part.strip() for part in text.split(" or ")) if text else ()


def _causes(network: Network, text: str, column: str, note: Note) -> tuple[str, ...]:
    known = {network.nodes[node].id for node in (*network.causes, *network.complications)}
    names = split_causes(text)
    for name in names:
        if name not in known:
            note(column, f"{name!r} is no cause or complication", "give its id, or several joined by `or`")
    return names


def _check_item(network: Network, kind: Kind, item: str, note: Note) -> None:
    if kind in WITHOUT_ITEM:
        if item:
            note("item", f"{item!r} does not fit kind {kind}", "leave it empty")
    elif not item:
        note("item", "is empty", "say what was found")
    elif kind == Kind.CO_OCCURRENCE:
        _causes(network, item, "item", note)
    elif kind == Kind.BACKGROUND:
        if item not in network.node_index or network.node_index[item] not in network.findings:
            note("item", f"{item!r} is no finding", "give the id of one finding")
    else:
        _check_expression(network, item, "item", note)


def _check_comparator(network: Network, kind: Kind, comparator: str, note: Note) -> None:
    if not comparator:
        return
    if kind in COMPARED_BY_ITEM:
        _check_expression(network, comparator, "comparator", note)
    elif kind in COMPARED_BY_CAUSE:
        _causes(network, comparator, "comparator", note)
    else:
        note("comparator", f"{comparator!r} does not fit kind {kind}", "leave it empty")


def _check_expression(network: Network, text: str, column: str, note: Note) -> None:
    try:
        parse(network, text)
    except ArgumentError as error:
        note(column, f"{error.given} cannot be", f"give {error.expected}")


def _numbers(kind: Kind, row: dict[str, str], note: Note) -> tuple[float, float, float] | None:
    top = math.inf if kind in RATIOS else 1.0
    numbers = []
    for column in ("value", "low", "high"):
        try:
            number = float(row[column]) if row[column] or column == "value" else math.nan
        except ValueError:
            number = -1.0
        inside = 0 < number < top if column == "value" else not (number < 0 or number > top)
        if not inside:
            note(column, f"{row[column]!r} is no figure of kind {kind}", f"give a number above 0 and below {top:g}")
            return None
        numbers.append(number)
    return numbers[0], numbers[1], numbers[2]


def _reach(row: dict[str, str], note: Note) -> float:
    """How far the reason of a row explains its deviation."""
    if not row["reach"]:
        return 1.0
    try:
        reach = float(row["reach"])
    except ValueError:
        reach = math.nan
    if not (0 < reach < math.inf and reach != 1):
        note(
            "reach",
            f"{row['reach']!r} is no ratio of model to figure",
            "give a number above 0 that is not 1, or leave it empty",
        )
    elif not row["reason"]:
        note("reach", "stands without a reason", "say in a clause why the model deviates, or leave it empty")
    return reach
