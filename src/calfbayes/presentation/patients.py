"""Published patients beside what the model says of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calfbayes.presentation.plain import BOLD, painted, percent, printable, wrapped
from calfbayes.presentation.text import MIN_WIDTH, diagnosis_text

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import Diagnosis


def evidence_of(patient: Mapping[str, Any]) -> dict[str, Any]:
    """What a published patient's record says, as evidence; what it does not mention is left out."""
    person = {name: patient[name] for name in ("age", "sex") if patient[name] is not None}
    return {**person, **patient["risk_factors"], **patient["findings"]}


def patient_text(patient: Mapping[str, Any], diagnosis: "Diagnosis", *, width: int = 100, colour: bool = False) -> str:
    """Write a published patient: where it is from, what the model says, and what was published."""
    width = max(width, MIN_WIDTH)
    title = painted(printable(f"Patient {patient['id']}"), BOLD, colour=colour)
    lines = [title, *wrapped(f"Source: {patient['source']}, {patient['url']}", width, "  ", "  ")]
    if patient["other_findings"]:
        lines += wrapped(f"Also told, not given to the model: {'; '.join(patient['other_findings'])}.", width, "  ", "  ")
    lines += ["", diagnosis_text(diagnosis, width=width, colour=colour, top=5), ""]
    return "\n".join([*lines, *wrapped(_published(patient, diagnosis), width, "", "  ")])


def _published(patient: Mapping[str, Any], diagnosis: "Diagnosis") -> str:
    ranks = {entry.id: (rank, entry) for rank, entry in enumerate(diagnosis.causes, start=1)}
    levels = {str(text.level): text.label for text in diagnosis._solved.network.knowledge.urgency.levels}
    name = patient["final_diagnosis"]
    if name in ranks:
        rank, entry = ranks[name]
        found = f"{entry.label}; here number {rank} of {len(ranks)}, at {percent(entry.probability)}"
    else:
        found = name.replace("_", " ")
    needed = levels[patient["true_urgency"]].lower()
    return f"Published diagnosis: {found}. Judged to need: {needed}; flagged here: {diagnosis.urgency.label.lower()}."
