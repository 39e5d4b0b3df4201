"""`questionnaire.toml` -> questions. The bytes are untrusted; all faults are told in one error."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calfbayes.errors import Fault, ModelFileError
from calfbayes.knowledge.files import read_files
from calfbayes.knowledge.terms import AnyOf, Atom
from calfbayes.knowledge.wording import shown
from calfbayes.network import Network
from calfbayes.questionnaire.checking import FILE, faults_of
from calfbayes.questionnaire.session import Questionnaire
from calfbayes.questionnaire.terms import Kind, Option, Question


def read_questionnaire(folder: Path, network: Network) -> Questionnaire:
    """Read the questionnaire of a model folder and check it against the model.

    Raises:
        ModelFileError: If there is none, or it is wrong; the error lists every fault.
    """
    if not os.path.lexists(folder / FILE):
        fault = Fault(FILE, "", "is missing", "add it; models/README.md describes each file")
        raise ModelFileError(str(folder), (fault,))
    faults: list[Fault] = []
    tables = read_files(folder, (FILE,), faults)[FILE]
    if tables == {}:
        faults.append(Fault(FILE, "", "holds no question", "add one, as in models/README.md"))
    questions = [
        _question(name, table) for name, entry in (tables or {}).items() if (table := _shaped(name, entry, faults)) is not None
    ]
    shape = len(faults)
    faults += [fault for fault in faults_of(questions, network) if not shape or not _needs_the_others(fault)]
    if faults:
        raise ModelFileError(str(folder), tuple(faults))
    return Questionnaire(tuple(questions), network)


def _needs_the_others(fault: Fault) -> bool:
    """Say whether a fault may merely follow from a question that was left out because of its shape."""
    return fault.place.endswith((".asked_if", ".unless"))


def _shaped(name: str, entry: Any, faults: list[Fault]) -> Mapping[str, Any] | None:
    """The table of one question if its shape is right; else its faults are added to the list."""
    from pydantic import ValidationError  # slow, as are the shapes

    from calfbayes.knowledge.shape_faults import id_faults, shape_fault
    from calfbayes.questionnaire.schema import QuestionTable

    wrong = id_faults(FILE, shown(name), name)
    try:
        table = QuestionTable.model_validate(entry).model_dump()
    except ValidationError as error:
        wrong += [shape_fault(QuestionTable, FILE, shown(name), entry, item) for item in error.errors(include_url=False)]
    faults += wrong
    return None if wrong else table


def _question(name: str, table: Mapping[str, Any]) -> Question:
    return Question(
        id=name,
        text=table["text"],
        help=table["help"],
        kind=Kind(table["kind"]),
        options=tuple(Option(key, entry["text"], tuple(entry["sets"].items())) for key, entry in table["options"].items()),
        number=table["number"],
        asked_if=_any_of(table["asked_if"]),
        unless=_any_of(table["unless"]),
    )


def _any_of(facts: Sequence[str]) -> AnyOf:
    atoms = (fact.partition("=") for fact in facts)
    return AnyOf(tuple(Atom(name, state or "present") for name, _, state in atoms))
