"""Clinical sanity as code, for people who edit models.

`given(...)` states a constraint in Python, with the same meaning as in a file of constraints; `check_model` runs a battery
of checks; `assert_valid_model` and `assert_same_diagnosis` serve in tests. Hypothesis strategies stand in
`calfbayes.testing.strategies`, which alone needs the extra `testing`. `pytest --calfbayes-model PATH` makes a test of
every constraint of a model.

>>> import calfbayes as cb
>>> from calfbayes.testing import given
>>> swelling = given(unilateral_calf_swelling=True, setting="primary_care")
>>> demand = swelling.raises("deep_vein_thrombosis", of={"recent_surgery": True}, source="goodacre_2005", why="as in Wells")
>>> verdict = demand.check(cb.load_model("tutorial"))
>>> str(verdict.status), verdict.holds
('proven', True)
"""

from calfbayes.constraints.terms import Status, Verdict
from calfbayes.testing.assertions import assert_same_diagnosis, assert_valid_model
from calfbayes.testing.battery import Check, Report, check_model
from calfbayes.testing.language import Citation, Demand, Given, given
from calfbayes.testing.random_models import random_model

__all__ = [
    "Check",
    "Citation",
    "Demand",
    "Given",
    "Report",
    "Status",
    "Verdict",
    "assert_same_diagnosis",
    "assert_valid_model",
    "check_model",
    "given",
    "random_model",
]
