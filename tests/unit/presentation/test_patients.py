"""Published patients beside the model's answer."""

from pathlib import Path
from typing import Any

import pytest

from calfbayes import load_model
from calfbayes.presentation.patients import patient_text

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
PATIENT: dict[str, Any] = {
    "id": "C1",
    "source": "Roadside reports 1999",
    "url": "https://example.org/c1",
    "other_findings": ["it rained", "radio on all night"],
    "final_diagnosis": "flat_battery",
    "true_urgency": "self_care",
}


def shown(**changes: Any) -> str:
    result = CAR.diagnose({"lights_dim": True, "smoke": False, "smell_of_fuel": False}, setting="garage")
    return patient_text({**PATIENT, **changes}, result)


def test_source_before_urgency_before_causes_before_what_was_published() -> None:
    text = shown()
    parts = ["Patient C1\n  Source: Roadside reports 1999, https://example.org/c1", "it rained; radio on all night."]
    parts += ["What was known\n", "SELF-CARE\n", "\nCauses ", "\nPublished\n", "\nModel car"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_published_diagnosis_stands_with_its_rank_and_both_urgencies() -> None:
    text = " ".join(shown().split())
    assert "Diagnosis: Flat battery, here number 1 of 3 at " in text
    assert "Urgency: self-care (judged from the publication), self-care here." in text
    assert "Diagnosis: Leaking fuel line, here number 3 of 3 at " in " ".join(
        shown(final_diagnosis="leaking_fuel_line").split()
    )


@pytest.mark.parametrize("name", ["stolen_engine", "burning_engine"])
def test_a_diagnosis_that_is_no_cause_of_the_model_is_named_all_the_same(name: str) -> None:
    text = " ".join(shown(final_diagnosis=name).split())
    assert f"Diagnosis: {name.replace('_', ' ')}, not among the probabilities here." in text


def test_nothing_else_told_leaves_no_empty_line_of_it() -> None:
    assert "Also told" not in shown(other_findings=[])
