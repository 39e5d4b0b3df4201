"""Random small networks of the whole class, each with a question and its exact answer by enumeration."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import log
from random import Random

import numpy as np

from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.network import Network, compile_network, logit
from support.enumeration import Answer, enumerate_model
from support.random_models import random_content

PRESENT, ABSENT = (Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))
DOUBTFUL = [(Fraction(1, 4), Fraction(3, 4)), (Fraction(1), Fraction(1, 8)), (Fraction(1, 64), Fraction(63, 64))]
N_LABELS = 5


@dataclass(frozen=True)
class Case:
    """A model, a question about it, and the exact answer."""

    network: Network
    logits: Array
    encoded: Encoded
    labels: list[int]
    answer: Answer

    @classmethod
    def of(
        cls,
        content: Content,
        rng: Random,
        *,
        risks: Mapping[str, str],
        reports: Mapping[str, tuple[Fraction, Fraction]],
        base: Fraction | None = None,
    ) -> "Case":
        """Draw bases (unless one is given for all) and labels, and enumerate."""
        knowledge = knowledge_from_content(content, name="random")
        network = compile_network(knowledge)
        bases = {cause.id: base or Fraction(rng.randint(1, 40), 64) for cause in knowledge.causes}
        visible = [*(cause.id for cause in knowledge.causes), *(c.id for c in knowledge.complications)]
        labels = {name: rng.randrange(N_LABELS) for name in visible}
        answer = enumerate_model(knowledge, bases, risks=risks, findings=reports, labels=labels)
        states = tuple(risk.states.index(risks[risk.id]) if risk.id in risks else -1 for risk in network.risks)
        findings = tuple(sorted((network.node_index[name], float(off), float(on)) for name, (off, on) in reports.items()))
        names = [network.nodes[node].id for node in (*network.causes, *network.complications)]
        logits = np.array([logit(float(bases[network.nodes[node].id])) for node in network.causes])
        return cls(network, logits, Encoded(states, findings), [labels[name] for name in names], answer)

    def exact(self, node: int) -> float:
        return float(self.answer.hidden[self.network.nodes[node].id] / self.answer.joint)


@cache
def random_case(seed: int) -> Case:
    rng = Random(seed)
    n_mechanisms, n_complications = rng.randint(0, 3), rng.randint(0, 2)
    content = random_content(
        rng,
        n_causes=rng.randint(1, 8 if n_mechanisms + n_complications <= 3 else 6),
        n_complications=n_complications,
        n_mechanisms=n_mechanisms,
        n_findings=rng.randint(1, 8),
        n_risks=rng.randint(0, 3),
        extremes=seed % 3 == 0,
    )
    knowledge = knowledge_from_content(content, name="random")
    risks = {factor.id: rng.choice(factor.states) for factor in knowledge.risk_factors if rng.random() < 0.4}
    reports = {
        finding.id: rng.choice([PRESENT, PRESENT, ABSENT, ABSENT, rng.choice(DOUBTFUL)])
        for finding in knowledge.findings
        if finding.id != knowledge.complaint and rng.random() < 0.75
    }
    return Case.of(content, rng, risks=risks, reports=reports)


def log_of(x: Fraction) -> float:
    """The natural logarithm; the quotient is brought near 1 before it is rounded."""
    power = x.numerator.bit_length() - x.denominator.bit_length()
    return log(float(x / Fraction(2) ** power)) + power * log(2)
