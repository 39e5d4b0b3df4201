"""Derivatives with respect to elicited numbers against models that are edited, read and solved again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt

import numpy as np
import pytest

from calfbayes import Model, ModelFileError
from calfbayes.diagnosis.encoding import encode
from calfbayes.inference.elicited import (
    ElicitedNumber,
    Kind,
    Scale,
    deviation_of_log,
    deviation_of_probability,
    elicited_numbers,
)
from calfbayes.inference.exact import infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.sensitivity import deviation_of_log_odds, infer_with_doubt, sensitivities
from calfbayes.inference.solved import severities, solve
from calfbayes.inference.tables import Array
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.knowledge.terms import Elicited
from calfbayes.network import compile_network, logit
from support.editing import with_number
from support.models import random_model, shipped

TUTORIAL = {"age": 67, "sex": "male", "pain_on_walking": True, "redness": False, "unilateral_calf_swelling": True}
CALF = {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "redness": False, "unilateral_calf_swelling": True}

Z90 = 1.6448536269514722  # standard deviations to an end of a 90 % range

Stencil = tuple[Array, Array]
CENTRAL: Stencil = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, -8.0, 8.0, -1.0]) / 12.0
PLAIN: Stencil = np.array([-1.0, 1.0]), np.array([-0.5, 0.5])
INWARDS: Stencil = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12.0


@dataclass(frozen=True)
class Asked:
    """A model, and what is asked of it in one of its settings."""

    model: Model
    setting: str
    encoded: Encoded
    nodes: tuple[int, ...]
    labels: tuple[int, ...]

    def derivatives(self) -> Array:
        """Those of log P(evidence), of the nodes, of the labels; one a row."""
        found = sensitivities(self.model._solved, self.setting, self.encoded, self.nodes, labels=self.labels)
        return np.concatenate([found.of_log_evidence[None], found.of_hidden, found.of_labels])

    def of_edited(self, number: ElicitedNumber, x: float) -> Array:
        """The same quantities of a model in which a number is moved by x on its own scale."""
        content = with_number(self.model._content, number.file, number.place, _mover(number, x))
        network = compile_network(knowledge_from_content(content, name="edited"))
        old = self.model._solved
        others = {s: (bases, old.baseline[s]) for s, bases in old.bases.items() if s != self.setting}
        solved = solve(network, others)
        answer = infer(network, solved.bases[self.setting].logits, self.encoded, labels=self.labels, cost_limit=inf)
        log_evidence = answer.log_joint - solved.baseline[self.setting].log_joint
        return np.array([log_evidence, *(answer.hidden[node] for node in self.nodes), *answer.labels])

    def difference(self, number: ElicitedNumber, stencil: Stencil, h: float) -> Array:
        """The derivatives in one number, numerically."""
        at, weights = stencil
        return np.asarray(weights @ np.array([self.of_edited(number, h * float(k)) for k in at]) / h)


def _mover(number: ElicitedNumber, x: float) -> Callable[[float], float]:
    if number.scale == Scale.ITSELF:
        return lambda value: value + x
    if number.scale == Scale.LOG:
        return lambda value: value * exp(x)
    return lambda value: 1.0 / (1.0 + exp(-logit(value) - x))


def asked(model: Model, given: dict[str, object]) -> Asked:
    network = model._solved.network
    evidence = model.evidence(given)
    encoded = encode(network, evidence)
    nodes = (*network.causes, *network.complications)
    return Asked(model, model.knowledge.default_setting, encoded, nodes, severities(network))


def check(case: Asked, numbers: Sequence[ElicitedNumber], *, h: float = 2.0**-9, central: Stencil = CENTRAL) -> None:
    every = elicited_numbers(case.model._solved, case.setting).numbers
    derivatives = case.derivatives()
    assert derivatives.shape == (1 + len(case.nodes) + max(case.labels) + 1, len(every))
    assert np.isfinite(derivatives).all()
    for number in numbers:
        sign = -1.0 if number.value == 1.0 else 1.0
        stencil = (INWARDS[0] * sign, INWARDS[1] * sign) if number.scale == Scale.ITSELF else central
        try:
            expected = case.difference(number, stencil, h)
        except ModelFileError:  # at the end of what the other numbers allow: a probability that equals the leak, say
            sign = 1.0 if number.kind == Kind.PROBABILITY else -1.0
            expected = case.difference(number, (INWARDS[0] * sign, INWARDS[1] * sign), h)
        found = derivatives[:, every.index(number)]
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), f"{number.file} {number.place}"


def test_every_number_of_the_tutorial_model() -> None:
    case = asked(shipped("tutorial"), dict(TUTORIAL))
    check(case, elicited_numbers(case.model._solved, case.setting).numbers)


@pytest.mark.parametrize("seed", range(12))
def test_some_numbers_of_random_models(seed: int) -> None:
    """Arcs between causes, links in both conventions, priors with parents; in every third model hard zeros and ones."""
    model = random_model(seed, n_causes=4, n_findings=4, extremes=seed % 3 == 0)
    generator = np.random.default_rng(seed)
    while True:
        findings = generator.choice([finding.id for finding in model.findings[1:]], 3, replace=False)
        case = asked(model, dict(zip(findings.tolist(), (True, False, True), strict=True)))
        if infer(model._solved.network, model._solved.bases[case.setting].logits, case.encoded).log_joint > -inf:
            break
    numbers = elicited_numbers(model._solved, case.setting).numbers
    by_kind = {kind: [number for number in numbers if number.kind == kind] for kind in Kind}
    certain = [number for number in numbers if number.scale == Scale.ITSELF]
    check(case, [of[int(generator.integers(len(of)))] for of in (*by_kind.values(), certain, certain) if of])


def test_a_number_of_each_kind_of_the_calf_model() -> None:
    case = asked(shipped("calf"), dict(CALF))
    numbers = elicited_numbers(case.model._solved, case.setting).numbers
    size = np.abs(case.derivatives()[1:]).max(axis=0)
    causes = {f"links.{cause.id}" for cause in case.model.causes}
    between_causes = [k for k, number in enumerate(numbers) if number.place in causes]
    free = [k for k, number in enumerate(numbers) if number.scale != Scale.ITSELF]
    kinds = [[k for k in free if numbers[k].kind == kind] for kind in Kind]
    some = [max(group, key=size.__getitem__) for group in (between_causes, *kinds)]
    check(case, [numbers[k] for k in some], h=2.0**-12, central=PLAIN)


def test_doubt_of_a_level_is_the_norm_of_its_parts() -> None:
    """The deviation of log odds is that of the answer moved by one deviation of each number at a time."""
    case = asked(shipped("tutorial"), dict(TUTORIAL))
    elicited = elicited_numbers(case.model._solved, case.setting)
    posterior, deviations = infer_with_doubt(case.model._solved, case.setting, case.encoded, case.labels)
    bases = case.model._solved.bases[case.setting]
    assert posterior == infer(case.model._solved.network, bases.logits, case.encoded, labels=case.labels)
    assert len(deviations) == max(case.labels)
    h = 2.0**-12
    total = np.zeros(len(deviations))
    for number in elicited.numbers:
        if number.kind != Kind.COINCIDENCE:
            ends = (case.of_edited(number, sign * h)[1 + len(case.nodes) :] for sign in (-1.0, 1.0))
            low, high = (np.cumsum(labels[::-1])[::-1][1:] for labels in ends)
            total += (number.deviation * (np.log(high / (1 - high)) - np.log(low / (1 - low))) / (2 * h)) ** 2
    assert deviations == pytest.approx(np.sqrt(total), rel=1e-6)


def test_what_the_evidence_rules_out_or_makes_certain_has_no_finite_doubt() -> None:
    case = asked(shipped("tutorial"), {})
    elicited = elicited_numbers(case.model._solved, case.setting)
    some = np.ones(len(elicited))
    assert deviation_of_log_odds(elicited, 0.0, some) == inf
    assert deviation_of_log_odds(elicited, 1.0, some) == inf
    assert 0.0 < deviation_of_log_odds(elicited, 0.5, some) < inf


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (Elicited(0.2, "judged", (), n=15.0), 0.1),
        (Elicited(0.5, "judged", (), low=0.25, high=0.75), 0.25 / Z90),
        (Elicited(0.5, "judged", (), low=0.0, high=1.0), 0.5 / Z90),
        (Elicited(0.01, "judged", (), low=0.0, high=1.0), sqrt(0.0099 / 2)),
        (Elicited(0.0, "judged", (), low=0.0, high=0.0), 0.0),
        (Elicited(1.0, "judged", (), n=10.0), 0.0),
    ],
)
def test_doubt_of_a_probability(number: Elicited, expected: float) -> None:
    assert deviation_of_probability(number) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (Elicited(2.0, "judged", (), low=1.0, high=4.0), log(2) / Z90),
        (Elicited(2.0, "judged", (), low=0.0, high=4.0), log(2) / Z90),
        (Elicited(2.0, "judged", (), n=16.0), 1.0),
        (Elicited(0.0, "judged", (), n=16.0), 0.0),
        (Elicited(0.0, "judged", (), low=0.0, high=0.0), 0.0),
    ],
)
def test_doubt_of_a_ratio(number: Elicited, expected: float) -> None:
    assert deviation_of_log(number) == pytest.approx(expected, rel=1e-12)


def test_numbers_stand_where_errors_say() -> None:
    model = shipped("tutorial")
    for setting in model.settings:
        found = {(n.file, n.place): n.number for n in elicited_numbers(model._solved, setting.id).numbers}
        every = {(file, place): number for file, place, number in Index(model.knowledge).numbers()}
        assert found.items() <= every.items()
        missing = {place for _, place in every.keys() - found.keys()}
        others = {s.id for s in model.settings} - {setting.id}
        others_own = {
            place for place in missing if place.split(".")[0] in ("weight", "settings") and others & {*place.split(".")}
        }
        assert missing - others_own == {"loss", f"{model.knowledge.complaint}.leak"}
