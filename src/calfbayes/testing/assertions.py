"""Assertions for tests of models; the message names what differs or what is wrong."""

from math import inf
from pathlib import Path

from calfbayes.arguments import number
from calfbayes.constraints.content import has_constraints
from calfbayes.constraints.reading import read_constraints
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import CalfBayesError
from calfbayes.knowledge.shipped import models_folder, shipped_models
from calfbayes.model import Model, load_model
from calfbayes.questionnaire.checking import FILE as QUESTIONNAIRE

MOST_TOLD = 12  # differences, the largest first


def assert_same_diagnosis(first: Diagnosis, second: Diagnosis, *, tolerance: float = 1e-9) -> None:
    """Assert that two results say the same of a patient: probabilities, ranking, level and outcome.

    Results without probabilities, since these were too costly, are the same for the same patient only.

    Args:
        tolerance: Largest difference of two probabilities; causes that lie so close may change places.

    Raises:
        AssertionError: If they do not; the message lists what differs, the largest differences first.
        ArgumentError: If the tolerance is no finite number from 0.
    """
    most = number("tolerance", tolerance, "a finite number from 0", lambda x: 0 <= x < inf)
    told = []
    if not first.causes and not second.causes and first.evidence != second.evidence:
        told.append("neither holds probabilities, and the patients differ")
    for name in ("outcome", "setting"):
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            told.append(f"{name}: {one} against {other}")
    if first.urgency.level != second.urgency.level:
        told.append(f"level: {first.urgency.level} against {second.urgency.level}")
    p, q = ({entry.id: entry.probability for entry in (*r.causes, *r.complications)} for r in (first, second))
    told += [f"{name}: only in the {'first' if name in p else 'second'}" for name in sorted(p.keys() ^ q.keys())]
    moved = sorted(p.keys() & q.keys(), key=lambda name: (-abs(p[name] - q[name]), name))
    told += [f"{name}: {p[name]:.6g} against {q[name]:.6g}" for name in moved if not abs(p[name] - q[name]) <= most]
    if told:
        more = f"\n  and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        patient = f"first patient {first.evidence!r}, second patient {second.evidence!r}"
        lines = "\n  ".join(told[:MOST_TOLD])
        raise AssertionError(f"the results differ ({patient}):\n  {lines}{more}")


def assert_valid_model(name_or_path: str | Path) -> Model:
    """Assert that the files of a model are right: the model itself, its questionnaire and constraints if it has such.

    Returns:
        The model, read from its files and not from a snapshot.

    Raises:
        AssertionError: If they are not; the message lists every fault with its file, its place and what would do.
    """
    folder = models_folder() / name_or_path if name_or_path in shipped_models() else Path(name_or_path)
    try:
        model = load_model(folder)
        if (folder / QUESTIONNAIRE).exists():
            model.questionnaire()
        if has_constraints(folder):
            read_constraints(model._solved.network, folder)
    except CalfBayesError as error:
        raise AssertionError(str(error)) from None
    return model
