"""Patients drawn from a model, as queries."""

from dataclasses import dataclass
from random import Random

import calfbayes as cb
from calfbayes.diagnosis.encoding import encode
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.network import Network

SETTING = "primary_care"
ALWAYS_KNOWN = ("age", "sex")
DRAWN = 3000


@dataclass(frozen=True, eq=False)
class Queries:
    """Questions to one network.

    Attributes:
        logits: Logit of the base of each cause, shape (n_causes,).
    """

    network: Network
    logits: Array
    evidence: tuple[Encoded, ...]


def drawn_patients(model: cb.Model, n: int, *, n_present: int, half_of_the_risks: bool, seed: int) -> Queries:
    """Simulated patients of whom some findings are known to be present and twice as many to be absent.

    Args:
        half_of_the_risks: Whether half of the other risk factors are known besides age and sex.
    """
    rng = Random(seed)
    findings = [finding.id for finding in model.findings if finding.id != model.knowledge.complaint]
    others = [factor.id for factor in model.risk_factors if factor.id not in ALWAYS_KNOWN]
    asked: list[Encoded] = []
    while len(asked) < n:
        for _, row in model.simulate(DRAWN, seed=rng.randrange(2**31), setting=SETTING).iterrows():
            present = [name for name in findings if row[name]]
            absent = [name for name in findings if not row[name]]
            if len(present) < n_present or len(asked) == n:
                continue
            known = [*ALWAYS_KNOWN, *(rng.sample(others, len(others) // 2) if half_of_the_risks else ())]
            answers = {
                **{name: row[name] for name in known},
                **dict.fromkeys(rng.sample(present, n_present), True),
                **dict.fromkeys(rng.sample(absent, 2 * n_present), False),
            }
            try:
                asked.append(encode(model._solved.network, model.evidence(answers, setting=SETTING)))
            except cb.ContradictionError:  # findings that exclude each other may both be drawn
                continue
    return Queries(model._solved.network, model._solved.bases[SETTING].logits, tuple(asked))
