"""The second opinion: a model as a pgmpy network, and answers by pgmpy's variable elimination.

A noisy-OR with n parents is no table of 2^n columns in the export but a chain of small tables, since the OR of many is the
OR of the first few with the next:

    X.leak     does X come about by itself, given its risk factors; only if X has both odds ratios and parents
    X.or.P     is X present as far as the leak and the parents up to P go; one for each parent but the last
    X          X.or.P joined with the last parent

A link probability stands in the step that takes its parent in:

    P(step absent | before absent, parent absent) = 1       P(step absent | before absent, parent present) = 1 - w

A leak without odds ratios is part of the first step. So a step has two parents. The only wider tables are those over risk
factors: priors, whose parents are few by nature, and leaks. A leak cannot be split so: odds ratios multiply the odds and do
not switch anything on, hence the log odds are a sum over *all* risk factors, and a node that carried the partial sum along
a chain would need about as many states as the table has columns.

References:
    Heckerman, Breese (1996), Causal independence for probability assessment and inference: the temporal transformation.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from calfbayes.errors import MissingExtraError, QueryTooCostlyError
from calfbayes.inference.exact import COST_LIMIT, Posterior
from calfbayes.inference.reduction import Encoded
from calfbayes.network import Array, Network

if TYPE_CHECKING:
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork

STATES = ["absent", "present"]
