"""Published patients beside what the model says of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calfbayes.presentation.plain import percent, wrapped
from calfbayes.presentation.text import View, joined

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import Diagnosis


def patient_text(patient: Mapping[str, Any], diagnosis: "Diagnosis", *, width: int = 100, colour: bool = False) -> str:
    """Write a published patient: source, what was known, what the model says, what was published.

    Args:
        patient: A record of the case format: id, source, url, other_findings, final_diagnosis, true_urgency.
        diagnosis: What the model says of the patient.
    """
    view = View(diagnosis, width, colour)
    title = [view.heading(f"Patient {patient['id']}")]
    title += wrapped(f"Source: {patient['source']}, {patient['url']}", view.width, "  ", "  ")
    if patient["other_findings"]:
        told = "; ".join(patient["other_findings"])
        title += wrapped(f"Also told, beyond what the model can be given: {told}.", view.width, "  ", "  ")
    published = [view.heading("Published"), *wrapped(_published(patient, diagnosis), view.width, "  ", "  ")]
    result = [view.urgency(), view.outcome(), view.causes(top=5), view.complications()]
    return joined([title, view.known(), *result, published, view.foundations()])


def _published(patient: Mapping[str, Any], diagnosis: "Diagnosis") -> str:
    ranks = {entry.id: (rank, entry) for rank, entry in enumerate(diagnosis.causes, start=1)}
    levels = {str(text.level): text.label for text in diagnosis._solved.network.knowledge.urgency.levels}
    name = patient["final_diagnosis"]
    if name in ranks:
        rank, entry = ranks[name]
        found = f"{entry.label}, here number {rank} of {len(ranks)} at {percent(entry.probability)}"
    else:
        found = f"{name.replace('_', ' ')}, not among the probabilities here"
    needed = levels[patient["true_urgency"]].lower()
    return f"Diagnosis: {found}. Urgency: {needed} (judged from the publication), {diagnosis.urgency.label.lower()} here."
