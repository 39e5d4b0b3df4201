"""Does a model keep to its constraints? Each kind has a function that asks the model and gives a verdict."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np

from calfbayes.constraints.beliefs import Belief, Beliefs
from calfbayes.constraints.simulated import Cohorts
from calfbayes.constraints.terms import (
    Causes,
    Constraint,
    Dominates,
    LikelihoodRatio,
    MedianUrgency,
    Monotone,
    Moves,
    Probability,
    Ranks,
    RuleStratum,
    Selection,
    Takes,
    UrgencyIs,
    Verdict,
    Yields,
)
from calfbayes.diagnosis.result import diagnose
from calfbayes.evidence import read_evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import Level
from calfbayes.network import Network

ROUNDING = 1e-9  # what an exact engine may differ by; no medicine is decided here
