"""Raw tables -> content: plain values whose shape is right; what is wrong is told and stands blank."""

from typing import Any

from pydantic import ValidationError

from calfbayes.errors import Fault
from calfbayes.knowledge.blanks import blanked
from calfbayes.knowledge.files import Raw
from calfbayes.knowledge.records import Content
from calfbayes.knowledge.schema import (
    FORMAT,
    AdviceTable,
    AskingTable,
    CauseTable,
    ComplicationTable,
    ExplanationTable,
    FindingTable,
    MechanismTable,
    ModelTable,
    RiskFactorTable,
    SourceTable,
    Table,
    UrgencyTable,
)
from calfbayes.knowledge.shape_faults import id_faults, shape_fault
from calfbayes.knowledge.wording import short, shown

ONE_TABLE: dict[str, type[Table]] = {
    "model": ModelTable,
    "urgency": UrgencyTable,
    "advice": AdviceTable,
    "asking": AskingTable,
    "explanation": ExplanationTable,
}
TABLES_BY_ID: dict[str, type[Table]] = {
    "risk_factors": RiskFactorTable,
    "mechanisms": MechanismTable,
    "findings": FindingTable,
    "sources": SourceTable,
}
FILES_BY_ID: dict[str, type[Table]] = {"causes": CauseTable, "complications": ComplicationTable}


def newer_format(raw: Raw) -> Fault | None:
    """The fault of a model that is newer than this code; all its other faults would be consequences."""
    given = (raw.get("model.toml") or {}).get("format")
    if not isinstance(given, int) or given <= FORMAT:
        return None
    problem = f"is {short(given)}, newer than this calfbayes, which reads format {FORMAT}"
    return Fault("model.toml", "format", problem, "install a newer calfbayes")


def content_of(raw: Raw, faults: list[Fault]) -> Content:
    """Check the shape of every table; faults are added to the list."""
    content: Content = {key: {} for key in (*ONE_TABLE, *TABLES_BY_ID, *FILES_BY_ID)}
    for path, table in raw.items():
        head, _, name = path.removesuffix(".toml").partition("/")
        file = shown(path)
        if head in ONE_TABLE:
            content[head] = _validated(ONE_TABLE[head], file, "", table, faults)
            continue
        shape = FILES_BY_ID[head] if name else TABLES_BY_ID[head]
        for key, entry in {name: table}.items() if name else (table or {}).items():
            place = "" if name else shown(key)
            wrong = id_faults(file, place, key)
            values = _validated(shape, file, place, entry, faults)
            faults += wrong
            if not wrong:  # nothing can refer to what has no id
                content[head][key] = values
    for optional in ("advice", "asking", "explanation"):
        if not content[optional]:
            del content[optional]  # a model without it is the same as before there was such a file
    return content


def _validated(shape: type[Table], file: str, prefix: str, table: Any, faults: list[Fault]) -> dict[str, Any]:
    if table is None:  # the file could not be read, which has been told
        return blanked(table, ())
    try:
        return shape.model_validate(table).model_dump(exclude_defaults=True)
    except ValidationError as error:
        items = error.errors(include_url=False)
        faults += [shape_fault(shape, file, prefix, table, item) for item in items]
        return blanked(table, [item["loc"] for item in items])
