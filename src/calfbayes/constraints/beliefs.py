"""What a model believes about a selection of patients, exactly: sums of queries over disjoint pieces of evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp

from calfbayes.audit.expression import parse
from calfbayes.constraints.terms import Causes, Selection, Value
from calfbayes.diagnosis.encoding import encode_as_told
from calfbayes.errors import ContradictionError
from calfbayes.evidence import read_evidence, state_of
from calfbayes.inference.exact import Posterior, highest_label, infer
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.network import Network

Piece = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Belief:
    """Probabilities of one selection of patients, given only the care setting and the complaint.

    Attributes:
        everyone: P(selection).
        by_cause: P(selection and cause) of every cause and complication.
    """

    everyone: float
    by_cause: Mapping[str, float]

    def of(self, cause: str) -> float:
        """P(cause | selection)."""
        return self.by_cause[cause] / self.everyone

    def ranking(self) -> list[str]:
        """All causes, most probable first, ties by id."""
        return sorted(self.by_cause, key=lambda cause: (-self.by_cause[cause], cause))


@dataclass
class Beliefs:
    """Answers about one model; what has been asked once is remembered, since many constraints share their patients."""

    solved: SolvedNetwork
    _posteriors: dict[tuple[str, Encoded], Posterior] = field(default_factory=dict)
    _any: dict[tuple[str, Encoded, Causes], float] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The network that is asked."""
        return self.solved.network

    def about(self, setting: str, *selections: Selection) -> Belief:
        """What is believed of patients that are in every one of the selections.

        Raises:
            ContradictionError: If there are none.
        """
        network = self.network
        everyone = 0.0
        by_cause = dict.fromkeys((network.nodes[k].id for k in network.causes), 0.0)
        for encoded in self.encoded(setting, selections):
            posterior = self.posterior(setting, encoded)
            p = self._probability(setting, posterior)
            everyone += p
            if p > 0:
                for cause in by_cause:
                    by_cause[cause] += p * posterior.hidden[network.node_index[cause]]
        if everyone == 0:
            raise _nobody(selections)
        return Belief(everyone, by_cause)

    def masses(self, setting: str, causes: Causes, *selections: Selection) -> tuple[float, float]:
        """P(selection and any of the causes), P(selection and none of them).

        Raises:
            ContradictionError: If nobody is selected.
        """
        network = self.network
        with_cause = without = 0.0
        for encoded in self.encoded(setting, selections):
            posterior = self.posterior(setting, encoded)
            p = self._probability(setting, posterior)
            if p > 0:
                if len(causes) == 1:
                    share = posterior.hidden[network.node_index[causes[0]]]
                else:
                    share = self._probability_of_any(setting, encoded, causes)
                with_cause += p * share
                without += p * (1 - share)
        if with_cause + without == 0:
            raise _nobody(selections)
        return with_cause, without

    def posterior(self, setting: str, encoded: Encoded) -> Posterior:
        """The posterior of one patient."""
        key = (setting, encoded)
        if key not in self._posteriors:
            self._posteriors[key] = infer(self.network, self.solved.bases[setting].logits, encoded)
        return self._posteriors[key]

    def _probability(self, setting: str, posterior: Posterior) -> float:
        return exp(posterior.log_joint - self.solved.baseline[setting].log_joint)

    def encoded(self, setting: str, selections: Sequence[Selection]) -> Iterable[Encoded]:
        """Disjoint pieces of evidence of patients that are in every one of the selections."""
        for piece in pieces(self.network, selections):
            try:
                yield encode_as_told(self.network, read_evidence(self.network, piece, setting=setting))
            except ContradictionError:
                continue  # logic alone rules this piece out

    def _probability_of_any(self, setting: str, encoded: Encoded, causes: Causes) -> float:
        key = (setting, encoded, causes)
        if key not in self._any:
            network = self.network
            labels = [int(network.nodes[k].id in causes) for k in (*network.causes, *network.complications)]
            self._any[key] = float(highest_label(network, self.solved.bases[setting].logits, encoded, labels, 2)[1])
        return self._any[key]


def _nobody(selections: Sequence[Selection]) -> ContradictionError:
    return ContradictionError(tuple(map(str, selections)), "impossible under the model")


def pieces(network: Network, selections: Sequence[Selection]) -> list[Piece]:
    """Disjoint pieces of evidence that together say that every one of the selections holds."""
    joint: list[Piece] = [{}]
    for selection in selections:
        own: Sequence[Mapping[str, Value]] = [dict(selection.answers)]
        if selection.expression:
            own = parse(network, selection.expression).pieces
        joint = [{**old, **new} for old in joint for new in own if _agree(network, old, new)]
    return joint


def names_of(network: Network, selection: Selection) -> Sequence[str]:
    """Ids that a selection speaks of."""
    return list(parse(network, selection.expression).choices) if selection.expression else [n for n, _ in selection.answers]


def _agree(network: Network, first: Mapping[str, Value], second: Mapping[str, Value]) -> bool:
    """Say whether no item has two values."""
    for name in first.keys() & second.keys():
        record, values = network.records[name], (first[name], second[name])
        if isinstance(record, RiskFactor):
            values = (state_of(record, values[0]), state_of(record, values[1]))
        if values[0] != values[1]:
            return False
    return True
