"""Draw the pictures of the README: `make pictures`."""

import sys
from pathlib import Path

import calfbayes as cb
from calfbayes import plot

PATIENT = {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "cold_feet": True, "redness": False}


def draw(folder: Path) -> None:
    """Write the pictures into a folder."""
    result = cb.load_model().diagnose(PATIENT, setting="primary_care")
    figures = {"causes": plot.causes(result), "patient_network": plot.patient_network(result)}
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})  # the same picture gives the same bytes


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
