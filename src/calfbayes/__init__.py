"""calfbayes tells what may be behind a painful calf: exact, cited, with urgency.

>>> import calfbayes as cb
>>> model = cb.load_model("tutorial")
>>> result = model.diagnose({"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True}, setting="primary_care")
>>> result.causes[0].id
'peripheral_artery_disease'
"""

from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy
from calfbayes.diagnosis.result import CauseResult, Diagnosis
from calfbayes.diagnosis.urgency import Outcome, UrgencyResult
from calfbayes.errors import (
    ArgumentError,
    CalfBayesError,
    ContradictionError,
    EvidenceError,
    Fault,
    MissingExtraError,
    ModelFileError,
    NoPosteriorError,
    NoSuchModelError,
    QueryTooCostlyError,
    UnknownNameError,
)
from calfbayes.evidence import Evidence, Likelihood
from calfbayes.explanation.changes import compare
from calfbayes.knowledge.terms import Level
from calfbayes.model import Model, evaluate, load_model
from calfbayes.version import __version__

__all__ = [
    "ArgumentError",
    "CalfBayesError",
    "CauseResult",
    "ContradictionError",
    "Diagnosis",
    "Evidence",
    "EvidenceError",
    "Fault",
    "Level",
    "Likelihood",
    "MissingExtraError",
    "Model",
    "ModelFileError",
    "NoPosteriorError",
    "NoSuchModelError",
    "Outcome",
    "PolicyOrigin",
    "QueryTooCostlyError",
    "UnknownNameError",
    "UrgencyPolicy",
    "UrgencyResult",
    "__version__",
    "compare",
    "evaluate",
    "load_model",
]
