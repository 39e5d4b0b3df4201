"""Tables of patients: one row a patient, one column an id; row for row the same as single calls.

A cell that is missing (NaN, NA, None or empty text) means that nobody asked. Tables read from files give 1.0 and 0.0
where a column of yes and no has gaps, so for what is a yes or no these count as True and False; any other number, and
text such as "yes", is refused with its row and column, since a guess could turn an answer round.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from calfbayes.diagnosis.diagnosing import diagnose
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, ContradictionError, EvidenceError, UnknownNameError
from calfbayes.evidence import Evidence, read_evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network

SETTING = "setting"


def diagnose_frame(solved: SolvedNetwork, df: pd.DataFrame, *, setting: str | None = None) -> pd.DataFrame:
    """Answer for each row of a table.

    Args:
        df: One row a patient. Columns are ids of findings and risk factors; a column `setting` may name the care setting.
        setting: Care setting of rows that name none; None for the model's default.

    Returns:
        A table with the same index: `outcome`, `urgency`, `log_evidence` and the probability of each cause in a column
        of its id. Numbers have pandas' type Float64; they are NA where a single call gives no probabilities.

    Raises:
        ArgumentError: If `df` is no table, or names a column twice.
        UnknownNameError: If a column or a care setting is not in the model.
        EvidenceError: If a cell cannot be what was given; row and column are named.
        ContradictionError: If the answers of a row cannot all be true.
    """
    if not isinstance(df, pd.DataFrame):
        raise ArgumentError("df", f"a {type(df).__name__}", "a pandas DataFrame with one row a patient")
    twice = df.columns[df.columns.duplicated()]
    if len(twice):
        raise ArgumentError("df", f"a table with column {twice[0]!r} twice"[:200], "each id in one column only")
    network = solved.network
    ids = [name for name in df.columns if name != SETTING]
    read_evidence(network, dict.fromkeys(ids), setting=setting)  # refuses what is unknown even if every cell is empty

    columns = {name: df[name].tolist() for name in df.columns}
    answers: dict[Evidence, Diagnosis] = {}  # patients who say the same are computed once
    rows = []
    for position, label in enumerate(df.index):
        cells = {name: column[position] for name, column in columns.items() if not _is_missing(column[position])}
        evidence = _evidence(network, cells, label, setting)
        if evidence not in answers:
            try:
                answers[evidence] = diagnose(solved, evidence)
            except ContradictionError as error:
                reason = f"row {label!r}: {error.reason}"
                raise ContradictionError(error.clash, reason, error.level, error.told, error.is_minimal) from None
        rows.append(answers[evidence])
    return _frame(network, rows, df.index)


def _evidence(network: Network, cells: Mapping[str, Any], label: Hashable, setting: str | None) -> Evidence:
    items = {name: _answer(network, name, value) for name, value in cells.items() if name != SETTING}
    try:
        return read_evidence(network, items, setting=cells.get(SETTING, setting))
    except EvidenceError as error:
        place = f"row {label!r}, column {error.name}"
        raise EvidenceError(place, error.given, error.reason, error.remedy) from None
    except ArgumentError as error:  # a likelihood ratio, or a setting that is no text
        raise ArgumentError(f"row {label!r}: {error.name}", error.given, error.expected) from None
    except UnknownNameError as error:
        raise UnknownNameError(f"row {label!r}: {error.kind}", error.name, error.nearest, error.where) from None
    except ContradictionError as error:
        reason = f"row {label!r}: {error.reason}"
        raise ContradictionError(error.clash, reason, error.level, error.told, error.is_minimal) from None


def _answer(network: Network, name: str, value: object) -> object:
    """The cell's value, with 1 and 0 turned into True and False where the answer is a yes or no."""
    record = network.records[name]
    yes_or_no = record.is_binary if isinstance(record, RiskFactor) else True
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return bool(value) if yes_or_no and is_number and value in {0, 1} else value


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value) or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _frame(network: Network, results: list[Diagnosis], index: pd.Index) -> pd.DataFrame:
    numbers: dict[str, list[float | None]] = {"log_evidence": [result.log_evidence for result in results]}
    by_id = [{entry.id: entry.probability for entry in result.causes} for result in results]
    for cause in network.knowledge.causes:
        numbers[cause.id] = [probabilities.get(cause.id) for probabilities in by_id]
    columns = {
        "outcome": pd.Series([str(result.outcome) for result in results], index=index, dtype="str"),
        "urgency": pd.Series([str(result.urgency.level) for result in results], index=index, dtype="str"),
        **{name: pd.Series(column, index=index, dtype="Float64") for name, column in numbers.items()},
    }
    return pd.DataFrame(columns, index=index)
