"""Whether intervals hold what they promise: patients drawn from drawn models, whose answers are then known.

A model is drawn from the doubt of the numbers, a patient from that model, and some of what the patient has is told. The
probability of each cause under the patient's own model ought to lie inside the 90 % interval, which knows nothing of that
model, nine times in ten. Causes of one patient are not independent, so the error is that of a mean of clusters.
"""

from dataclasses import dataclass, replace
from random import Random

import numpy as np

from calfbayes import ContradictionError, Model
from calfbayes.explanation.intervals import Asked, Interval
from calfbayes.inference.draws import draw_models
from calfbayes.inference.simulation import simulate_states
from calfbayes.network import Network, Numbers, RiskOdds

ALWAYS_TOLD = ("age", "sex")


@dataclass(frozen=True)
class Coverage:
    """What became of some patients.

    Attributes:
        pairs: How many patient-cause pairs were looked at; causes that are ruled out or certain are none.
        covered: In which share of them the 90 % interval by sampling holds the probability under the patient's own model.
        error: Its standard error, patients being clusters.
        covered_by_delta: The same of intervals by the delta method.
        error_by_delta: Likewise.
        agree: Share of the intervals whose ends by both methods agree within a quarter of half a width and three errors.
        apart: Median and 95th percentile of how far the ends by both methods lie apart, in half widths.
    """

    patients: int
    pairs: int
    covered: float
    error: float
    covered_by_delta: float
    error_by_delta: float
    agree: float
    apart: tuple[float, float]


def coverage(model: Model, setting: str, *, patients: int, draws: int, told: int, seed: int) -> Coverage:
    """Draw patients and judge the intervals of their causes.

    Args:
        draws: By which each interval is sampled; the same for all patients.
        told: Findings told of a patient besides age and sex, half of them present if there are so many.
    """
    generator, rng = np.random.default_rng([seed, 1]), Random(seed)
    inside, inside_delta, agree, apart = [], [], [], []
    own = draw_models(model._solved, setting, patients, generator).numbers
    for lane in range(patients):
        numbers = own.part(slice(lane, lane + 1))
        evidence = _patient(model, numbers, generator, rng, told)
        result = model.diagnose(evidence, setting=setting)
        sampled = result.intervals(method="sampling", draws=draws, seed=seed, progress=False).causes
        delta = result.intervals().causes
        asked = Asked.of(result)
        found = asked.of_models(numbers)[0]
        truth = {model._solved.network.nodes[node].id: p for node, p in zip(asked.nodes, found, strict=False)}
        both = [pair for pair in zip(delta, sampled, strict=True) if 0.0 < pair[0].probability < 1.0]
        inside.append([other.low <= truth[other.id] <= other.high for _, other in both])
        inside_delta.append([one.low <= truth[one.id] <= one.high for one, _ in both])
        agree += [bool(other.nearly_linear) for _, other in both]
        apart += [
            _apart(one, other) for one, other in both if min(one.low, other.low) > 0.0 and max(one.high, other.high) < 1.0
        ]
    (covered, error), (by_delta, error_by_delta) = map(_clustered, (inside, inside_delta))
    median, most = np.quantile(apart, [0.5, 0.95]).tolist()
    return Coverage(patients, len(agree), covered, error, by_delta, error_by_delta, float(np.mean(agree)), (median, most))


def _clustered(inside: list[list[bool]]) -> tuple[float, float]:
    """Share of the pairs, and its standard error; the pairs of one patient are one cluster."""
    sizes, sums = np.array([len(of) for of in inside]), np.array([sum(of) for of in inside])
    share = sums.sum() / sizes.sum()
    n = len(sizes)
    return float(share), float(np.sqrt(((sums - share * sizes) ** 2).sum() * n / (n - 1)) / sizes.sum())


def _apart(one: Interval, other: Interval) -> float:
    ends = np.array([[one.low, one.high], [other.low, other.high]])
    logits = np.log(ends) - np.log1p(-ends)
    return float(np.abs(logits[0] - logits[1]).max() / (logits[0, 1] - logits[0, 0]) * 2)


def _patient(model: Model, numbers: Numbers, generator: np.random.Generator, rng: Random, told: int) -> dict[str, object]:
    """Some of what a patient of this model could tell."""
    network = model._solved.network
    findings = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]
    risks = [factor.id for factor in model.risk_factors if factor.id in ALWAYS_TOLD]
    while True:
        logits = numbers.logits[0, : network.n_causes]
        drawn = {name: values[0] for name, values in simulate_states(_with(network, numbers), logits, 1, generator).items()}
        present, absent = ([name for name in findings if bool(drawn[name]) is is_so] for is_so in (True, False))
        some = rng.sample(present, min(len(present), told // 2))
        some += rng.sample(absent, told - len(some))
        answers = {**{name: str(drawn[name]) for name in risks}, **{name: bool(drawn[name]) for name in some}}
        try:
            model.evidence(answers)
        except ContradictionError:  # what excludes each other by logic may both be drawn
            continue
        return answers


def _with(network: Network, numbers: Numbers) -> Network:
    """The network with the numbers of one lane."""
    layout = network.layout
    priors = (numbers.priors[0, entries] for entries in layout.prior_entries)
    nodes = []
    for position, node in enumerate(network.nodes):
        odds = tuple(
            RiskOdds(old.risk, numbers.log_odds[0, start : start + len(old.log_odds)])
            for old, (_, start) in zip(node.odds, layout.odds[position], strict=True)
        )
        parents = tuple((parent, float(numbers.links[0, arc])) for parent, arc in layout.parents[position])
        nodes.append(replace(node, base_logit=float(numbers.logits[0, position]), odds=odds, parents=parents))
    return replace(
        network,
        nodes=tuple(nodes),
        risks=tuple(replace(risk, prior=prior) for risk, prior in zip(network.risks, priors, strict=True)),
    )
