"""Draw the pictures of the README: `make pictures`."""

import sys
from pathlib import Path

import calfbayes as cb
from calfbayes import plot

PATIENT = {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "cold_feet": True, "redness": False}
SWOLLEN = {"age": 58, "sex": "female", "recent_surgery": True, "unilateral_calf_swelling": True, "pitting_oedema": True}


def draw(folder: Path) -> None:
    """Write the pictures into a folder."""
    model = cb.load_model()
    result = model.diagnose(PATIENT, setting="primary_care")
    swollen = model.diagnose(SWOLLEN)
    figures = {
        "causes": plot.causes(result, intervals=result.intervals()),
        "patient_network": plot.patient_network(result),
        "waterfall": plot.waterfall(swollen.explain("deep_vein_thrombosis")),
        "tornado": plot.tornado(result.sensitivity(of=result.causes[0].id)),
    }
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})  # the same picture gives the same bytes


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
