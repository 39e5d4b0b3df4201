"""A model's records as the checks look at them: by id, by role, with the file and the place where each stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from calfbayes.knowledge.terms import (
    Cause,
    Complication,
    Elicited,
    Finding,
    KnowledgeBase,
    Link,
    Mechanism,
    RiskFactor,
)

Node = Cause | Complication | Mechanism | Finding


class Standing(NamedTuple):
    """A node, and where it stands; `prefix` begins every place of it inside the file."""

    role: str
    record: Node
    file: str
    prefix: str


class Arc(NamedTuple):
    """A link, and where it stands."""

    role: str
    parent: str
    link: Link
    file: str
    place: str


@dataclass(frozen=True)
class Index:
    """The records of a model, whether or not they fit together."""

    knowledge: KnowledgeBase

    @cached_property
    def by_role(self) -> dict[str, tuple[Node | RiskFactor, ...]]:
        """The records of each role, in the order of the files."""
        k = self.knowledge
        return {
            "risk_factor": k.risk_factors,
            "cause": k.causes,
            "complication": k.complications,
            "mechanism": k.mechanisms,
            "finding": k.findings,
        }

    @cached_property
    def roles(self) -> dict[str, str]:
        """Role of each id; if it has two, the last."""
        return {record.id: role for role, records in self.by_role.items() for record in records}

    @cached_property
    def factors(self) -> dict[str, RiskFactor]:
        """Risk factors by id."""
        return {factor.id: factor for factor in self.knowledge.risk_factors}

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """Findings by id."""
        return {finding.id: finding for finding in self.knowledge.findings}

    def ids(self, *roles: str) -> tuple[str, ...]:
        """The ids that have one of these roles."""
        return tuple(record.id for role in roles for record in self.by_role[role])

    def nodes(self) -> Iterator[Standing]:
        """Yield everything but the risk factors."""
        for role, records in self.by_role.items():
            for record in records:
                if not isinstance(record, RiskFactor):
                    prefix = "" if isinstance(record, Cause | Complication) else f"{record.id}."
                    yield Standing(role, record, file_of(role, record.id), prefix)

    def arcs(self) -> Iterator[Arc]:
        """Yield every link."""
        for role, record, file, prefix in self.nodes():
            if not isinstance(record, Finding):
                for link in record.links:
                    yield Arc(role, record.id, link, file, f"{prefix}links.{link.child}")

    def numbers(self) -> Iterator[tuple[str, str, Elicited]]:
        """Yield file, place and number of everything elicited."""
        for setting in self.knowledge.settings:
            yield "model.toml", f"settings.{setting.id}.coincidence", setting.coincidence
        for factor in self.knowledge.risk_factors:
            for index, row in enumerate(factor.prior):
                yield "risk_factors.toml", f"{factor.id}.prior[{index}]", row.number
        for _, record, file, prefix in self.nodes():
            if isinstance(record, Cause):
                for weight in record.weights:
                    yield file, f"weight.{weight.setting}", weight.number
            else:
                yield file, f"{prefix}leak", record.leak
            for odds in record.odds:
                yield file, f"{prefix}odds.{odds.factor}.{odds.state}", odds.number
        for arc in self.arcs():
            yield arc.file, arc.place, arc.link.number
        yield "urgency.toml", "loss", self.knowledge.urgency.loss_number


def file_of(role: str, name: str) -> str:
    """The file in which an id of this role stands."""
    return {
        "cause": f"causes/{name}.toml",
        "complication": f"complications/{name}.toml",
        "mechanism": "mechanisms.toml",
        "finding": "findings.toml",
        "risk_factor": "risk_factors.toml",
    }[role]
