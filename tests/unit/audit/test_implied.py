"""What a model implies, against the enumeration of a small model's every patient."""

from fractions import Fraction
from itertools import product
from math import exp, isclose, isnan

import pytest

from calfbayes import Model
from calfbayes.audit.expression import parse
from calfbayes.audit.implied import Queries
from calfbayes.audit.table import Figure, Kind, Population
from calfbayes.errors import QueryTooCostlyError
from calfbayes.inference.exact import Posterior, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.network import Network
from support.enumeration import enumerate_model
from support.models import random_model

SEEDS = range(6)
YES, NO = (Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))


@pytest.fixture(params=SEEDS)
def model(request: pytest.FixtureRequest) -> Model:
    return random_model(request.param, n_causes=3, n_findings=4, n_mechanisms=1, n_risks=2)


def figure(
    kind: Kind, *, causes: tuple[str, ...] = ("cause_0",), item: str = "finding_0", comparator: str = "", within: str = ""
) -> Figure:
    population = Population("some", "here", within, "somebody")
    return Figure("row", kind, causes, item, comparator, population, 0.5, 0.4, 0.6, "verified", "nowhere", "", "")


class Enumerated:
    """P(expression) and P(expression, any of the causes) by summing over every answer to all that it mentions."""

    def __init__(self, model: Model) -> None:
        self.network: Network = model._solved.network
        knowledge = model.knowledge
        logits = model._solved.bases["here"].logits
        self.bases = {self.network.nodes[k].id: _expit(logits[k]) for k in self.network.causes}
        self.knowledge = knowledge

    def __call__(self, text: str, causes: tuple[str, ...] = ()) -> float:
        expression = parse(self.network, text)
        total = Fraction(0)
        for answers in product(*expression.choices.values()):
            patient = dict(zip(expression.choices, answers, strict=True))
            if not _python_says(text, patient, self.network):
                continue
            risks = {name: _state(value) for name, value in patient.items() if name in self.network.risk_index}
            findings = {name: YES if value else NO for name, value in patient.items() if name in self.network.node_index}
            labels = dict.fromkeys(causes, 1) if causes else None
            answer = enumerate_model(self.knowledge, self.bases, risks=risks, findings=findings, labels=labels)
            total += (answer.worst_label.get(1, Fraction(0)) if causes else answer.joint) / answer.complaint
        return float(total)


def _expit(x: float) -> Fraction:
    return Fraction(1 / (1 + exp(-x)))


def _state(value: bool | str) -> str:
    return value if isinstance(value, str) else "present" if value else "absent"


def _python_says(text: str, patient: dict[str, bool | str], network: Network) -> bool:
    names = {state: state for risk in network.risks for state in risk.states}
    return bool(eval(text or "True", {}, {**names, **patient}))


WITHIN = "finding_1 or not finding_2"
ITEM = "finding_0 and finding_3"


@pytest.mark.parametrize("within", ["", WITHIN])
@pytest.mark.parametrize("causes", [("cause_0",), ("cause_1", "cause_2")])
def test_figures_about_findings(model: Model, causes: tuple[str, ...], within: str) -> None:
    p, queries = Enumerated(model), Queries(model._solved)
    all_ = within or "finding_0 or not finding_0"
    both = f"({all_}) and ({ITEM})"
    everyone, affected, found, found_affected = p(all_), p(all_, causes), p(both), p(both, causes)
    inside, outside = found_affected / affected, (found - found_affected) / (everyone - affected)
    expected = {
        Kind.SENSITIVITY: inside,
        Kind.FREQUENCY_IN_CAUSE: inside,
        Kind.SPECIFICITY: 1 - outside,
        Kind.FREQUENCY_WITHOUT_CAUSE: outside,
        Kind.LR_POSITIVE: inside / outside,
        Kind.LR_NEGATIVE: (1 - inside) / (1 - outside),
        Kind.POST_TEST: found_affected / found,
    }
    for kind, value in expected.items():
        assert queries.implied(figure(kind, causes=causes, item=ITEM, within=within)) == pytest.approx(value, rel=1e-9)
    assert queries.implied(figure(Kind.PREVALENCE, causes=causes, item="", within=within)) == pytest.approx(affected / everyone)
    assert queries.implied(figure(Kind.ITEM_FREQUENCY, causes=(), item=ITEM, within=within)) == pytest.approx(found / everyone)


def test_a_comparator_of_causes_stands_for_the_other_patients(model: Model) -> None:
    p, queries = Enumerated(model), Queries(model._solved)
    everyone = "finding_0 or not finding_0"
    inside = p("finding_0", ("cause_0",)) / p(everyone, ("cause_0",))
    other = p("finding_0", ("cause_2",)) / p(everyone, ("cause_2",))
    compared = {Kind.LR_POSITIVE: inside / other, Kind.SPECIFICITY: 1 - other, Kind.LR_NEGATIVE: (1 - inside) / (1 - other)}
    for kind, value in compared.items():
        assert queries.implied(figure(kind, comparator="cause_2")) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("comparator", ["", "finding_3"])
def test_odds_and_risk_ratios_compare_two_groups(model: Model, comparator: str) -> None:
    p, queries, causes = Enumerated(model), Queries(model._solved), ("cause_1",)
    risk_a = p("finding_0", causes) / p("finding_0")
    unexposed = comparator or "not finding_0"
    risk_b = p(unexposed, causes) / p(unexposed)
    expected = {
        Kind.RISK_RATIO: risk_a / risk_b,
        Kind.ODDS_RATIO: risk_a / (1 - risk_a) / (risk_b / (1 - risk_b)),
    }
    for kind, value in expected.items():
        assert queries.implied(figure(kind, causes=causes, comparator=comparator)) == pytest.approx(value, rel=1e-9)


def test_a_risk_factor_is_an_item_like_any_other(model: Model) -> None:
    p, queries, network = Enumerated(model), Queries(model._solved), model._solved.network
    risk = network.risks[0]
    item = risk.id if risk.states == ("absent", "present") else f"{risk.id} == {risk.states[-1]}"
    expected = p(item, ("cause_0",)) / p("finding_0 or not finding_0", ("cause_0",))
    assert queries.implied(figure(Kind.FREQUENCY_IN_CAUSE, item=item)) == pytest.approx(expected, rel=1e-9)


def test_co_occurrence_is_the_share_of_patients_who_have_both(model: Model) -> None:
    p, queries = Enumerated(model), Queries(model._solved)
    everyone = "finding_0 or not finding_0"
    first, second = p(everyone, ("cause_0",)), p(everyone, ("complication_0",))
    together = first + second - p(everyone, ("cause_0", "complication_0"))
    implied = queries.implied(figure(Kind.CO_OCCURRENCE, item="complication_0"))
    assert implied == pytest.approx(together / first, rel=1e-9)


def test_the_background_of_a_finding_is_what_remains_without_causes(model: Model) -> None:
    for finding in model.findings:
        absent = 1 - finding.leak.value
        for mechanism in model.mechanisms:
            for link in mechanism.links:
                absent *= 1 - (mechanism.leak.value * link.number.value if link.child == finding.id else 0)
        implied = Queries(model._solved).implied(figure(Kind.BACKGROUND, causes=(), item=finding.id))
        assert isclose(implied, 1 - absent, abs_tol=1e-12)


def test_patients_that_the_model_holds_impossible_have_no_figure() -> None:
    model = random_model(3, n_causes=3, logic=True)
    within = "finding_3 and finding_4"  # the one excludes the other
    assert isnan(Queries(model._solved).implied(figure(Kind.SENSITIVITY, within=within)))


def test_a_query_that_is_too_dear_is_parted_by_risk_factors(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = figure(Kind.LR_POSITIVE, item=ITEM, within=WITHIN)
    expected = Queries(model._solved).implied(asked)
    parted = Queries(model._solved)
    answered: list[Encoded] = []

    def refusing(network: Network, logits: Array, evidence: Encoded) -> Posterior:
        if -1 in evidence.risk_states:
            raise QueryTooCostlyError(1e12, 1e6)
        answered.append(evidence)
        return infer(network, logits, evidence)

    monkeypatch.setattr("calfbayes.audit.implied.infer", refusing)
    assert parted.implied(asked) == pytest.approx(expected, rel=1e-9)
    assert answered
