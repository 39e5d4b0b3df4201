"""What is believed of selections of patients, against the enumeration of small models' every patient."""

from fractions import Fraction
from math import exp

import pytest

from calfbayes import ContradictionError, Model
from calfbayes.constraints.beliefs import Beliefs, pieces
from calfbayes.constraints.terms import Selection
from support.enumeration import enumerate_model
from support.models import random_model, shipped

SETTING = "here"
PRESENT, ABSENT = (Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))
EITHER = Selection(expression="finding_0 or finding_1")
ONE = Selection((("finding_2", True),))
CAUSES = ("cause_0", "cause_2")


@pytest.fixture(params=range(4))
def model(request: pytest.FixtureRequest) -> Model:
    return random_model(request.param, n_causes=3, n_findings=4, n_mechanisms=1, n_risks=2)


def enumerated(model: Model, causes: tuple[str, ...]) -> tuple[float, float]:
    """P(finding_2 and (finding_0 or finding_1)), the same with any of the causes, by summing over the three cases."""
    network, logits = model._solved.network, model._solved.bases[SETTING].logits
    bases = {network.nodes[k].id: Fraction(1 / (1 + exp(-logits[k]))) for k in network.causes}
    everyone = affected = Fraction(0)
    for first, second in ((PRESENT, PRESENT), (PRESENT, ABSENT), (ABSENT, PRESENT)):
        findings = {"finding_0": first, "finding_1": second, "finding_2": PRESENT}
        answer = enumerate_model(model.knowledge, bases, risks={}, findings=findings, labels=dict.fromkeys(causes, 1))
        everyone += answer.joint / answer.complaint
        affected += answer.worst_label.get(1, Fraction(0)) / answer.complaint
    return float(everyone), float(affected)


def test_masses_are_sums_over_the_patients(model: Model) -> None:
    everyone, affected = enumerated(model, CAUSES)
    with_causes, without = Beliefs(model._solved).masses(SETTING, CAUSES, EITHER, ONE)
    assert with_causes == pytest.approx(affected, rel=1e-9)
    assert without == pytest.approx(everyone - affected, rel=1e-9)


def test_beliefs_are_those_of_each_cause(model: Model) -> None:
    belief = Beliefs(model._solved).about(SETTING, EITHER, ONE)
    for cause in ("cause_0", "cause_1", "cause_2"):
        everyone, affected = enumerated(model, (cause,))
        assert belief.everyone == pytest.approx(everyone, rel=1e-9)
        assert belief.of(cause) == pytest.approx(affected / everyone, rel=1e-9)
    assert belief.ranking()[0] == max(belief.by_cause, key=belief.by_cause.__getitem__)


def test_selections_that_contradict_each_other_leave_nobody() -> None:
    solved = shipped("tutorial")._solved
    present, absent = Selection((("redness", True),)), Selection(expression="not redness and sex == male")
    assert pieces(solved.network, (present, absent)) == []
    with pytest.raises(ContradictionError, match="redness"):
        Beliefs(solved).masses("community", ("overuse",), present, absent)
    with pytest.raises(ContradictionError, match="redness"):
        Beliefs(solved).about("community", present, absent)


def test_a_number_and_its_state_agree() -> None:
    network = shipped("tutorial")._solved.network
    number, state = Selection((("age", 67.0),)), Selection(expression="age == age_60_79")
    assert pieces(network, (number, state)) == [{"age": "age_60_79"}]
    assert pieces(network, (number, Selection(expression="age >= 80"))) == []
