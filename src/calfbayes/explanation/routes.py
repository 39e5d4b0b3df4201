"""The ways in which an item bears on a cause, and the numbers with their sources that stand on them.

A finding is reached from a cause along links, as a rule directly or through one mechanism, at most `LONGEST` links far; or
from a cause that leads to the explained one, its *parent*: what speaks for a cause speaks for its complication. A way may
run through a *child*, a cause or complication that the explained one leads to: what speaks for a complication speaks for its
cause. A risk factor reaches a cause by its odds ratios, its own or those of a parent; or it shifts the background of a finding
that was answered, which then speaks more or less.

A cause's own ways come first, then those of its parents and of what leads to these, then shifted backgrounds; of each kind
the strongest first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, prod

from calfbayes.evidence import Likelihood, Value
from calfbayes.knowledge.terms import Cause, Complication, Elicited, Finding, Mechanism, OddsRatio
from calfbayes.network import Network

LONGEST = 4
JUDGED = "judged"  # kind of a number that nobody has measured
JUDGEMENT = "judgement"  # kind of a source that is none
LEAST_RATIO = 1e-12  # stands for an odds ratio of 0, which rules a cause out, where routes are ordered


@dataclass(frozen=True, slots=True)
class Cited:
    """One number of the model.

    Attributes:
        place: Where it stands: ids and keys of the model's files, joined by dots.
        sources: Ids in the bibliography.
        judged: Those of them that only judge: all of a judged number, of any other one those that are judgement themselves.
    """

    place: str
    value: float
    kind: str
    sources: tuple[str, ...]
    judged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a cause to a finding, or from a risk factor to a cause.

    Attributes:
        through: Ids from the cause, its parent or the risk factor to the other end, both included.
        mechanisms: Those of them that are mechanisms.
        numbers: The numbers on the way; the background of the finding is one of them.
        raises: Whether the answer by itself speaks for the cause along this way, as a finding does that is present and a state
            with the highest odds ratio of all. None where that cannot be said: of a state in between, a shifted background.
        parent: The cause that leads to the explained one and that the way runs through; empty if there is none.
        child: The first cause or complication that the explained one leads to and that the way runs through; likewise.
    """

    through: tuple[str, ...]
    mechanisms: tuple[str, ...]
    numbers: tuple[Cited, ...]
    raises: bool | None = None
    parent: str = ""
    child: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources on the way, each once."""
        return sources_of(self.numbers)


def sources_of(numbers: Iterable[Cited]) -> tuple[str, ...]:
    """Ids in the bibliography of some numbers, each once."""
    return tuple(dict.fromkeys(source for number in numbers for source in number.sources))


def judged_of(numbers: Sequence[Cited]) -> tuple[str, ...]:
    """Those of their sources on which nothing but judgement rests."""
    firm = {source for number in numbers for source in number.sources if source not in number.judged}
    return tuple(source for source in sources_of(numbers) if source not in firm)


def routes(network: Network, item: str, value: Value, state: str, cause: str, answered: Iterable[str]) -> tuple[Route, ...]:
    """The ways in which an item bears on a cause or complication, its own first, the strongest of each kind first.

    Args:
        value: The answer.
        state: State of a risk factor; not used for findings.
        answered: Ids of all findings that were answered.
    """
    if item in network.node_index:
        own: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((cause,), way) for way in _ways(network, cause, item)]
        of_parents = [
            ((parent, cause), way)
            for parent in parents(network, cause)
            for way in _ways(network, parent, item)
            if cause not in way
        ]
        ways = [*own, *of_parents]
        ways.sort(key=lambda one: (len(one[0]), -_strength(network, one[0]) * _strength(network, one[1]), one))
        return tuple(_to_finding(network, up, way, _is_present(value)) for up, way in ways)
    onto_causes = [
        (source, way)
        for source in _causes(network)
        if _odds(network, source, item, state)
        for way in _ways(network, source, cause)
    ]
    onto_causes.sort(key=lambda one: (len(one[1]), -_pull(network, one[0], item, state) * _strength(network, one[1]), one))
    onto_findings = [name for name in answered if _odds(network, name, item, state) and reaches(network, cause, name)]
    onto_findings.sort(key=lambda name: (-_pull(network, name, item, state), name))
    return (
        *(_along_odds(network, item, state, way) for _, way in onto_causes),
        *(Route((item, name), (), _all_cited(network, name, _odds(network, name, item, state))) for name in onto_findings),
    )


def parents(network: Network, cause: str) -> list[str]:
    """The causes that lead to a cause or complication by a link."""
    return [name for name in _causes(network) if cause in _links(network, name)]


def reaches(network: Network, start: str, end: str) -> bool:
    """Whether links lead from one id to another."""
    return any(True for _ in _ways(network, start, end))


def moves(network: Network, factor: str, cause: str) -> bool:
    """Whether a risk factor has odds ratios of its own on a cause or complication."""
    return bool(_all_odds(network, cause, factor))


def _ways(network: Network, start: str, end: str, limit: int = LONGEST) -> Iterator[tuple[str, ...]]:
    """All ways along links, at most so many links far; of no link if the ends are the same."""
    if start == end:
        yield (start,)
    elif limit > 0 and not isinstance(network.records[start], Finding):
        for child in _links(network, start):
            if child != network.knowledge.complaint:
                for rest in _ways(network, child, end, limit - 1):
                    yield (start, *rest)


def _links(network: Network, name: str) -> Mapping[str, Elicited]:
    record = network.records[name]
    if isinstance(record, Cause | Complication | Mechanism):
        return {link.child: link.number for link in record.links}
    return {}


def _strength(network: Network, way: tuple[str, ...]) -> float:
    return prod(_links(network, a)[b].value for a, b in pairwise(way))


def _pull(network: Network, node: str, factor: str, state: str) -> float:
    """How far a risk state moves a node, as the largest logarithm of its odds ratios without sign; 0 pulls the farthest."""
    return max(abs(log(max(odds.number.value, LEAST_RATIO))) for odds in _odds(network, node, factor, state))


def _causes(network: Network) -> list[str]:
    return [network.nodes[node].id for node in (*network.causes, *network.complications)]


def _odds(network: Network, node: str, factor: str, state: str) -> list[OddsRatio]:
    """The odds ratios of a risk state; in the reference state, against which they are, those of the other states."""
    of_factor = _all_odds(network, node, factor)
    return [odds for odds in of_factor if odds.state == state] or of_factor


def _all_odds(network: Network, node: str, factor: str) -> list[OddsRatio]:
    record = network.records[node]
    if not isinstance(record, Cause | Complication | Mechanism | Finding):
        return []
    return [odds for odds in record.odds if odds.factor == factor]


def _to_finding(network: Network, up: tuple[str, ...], way: tuple[str, ...], raises: bool | None) -> Route:
    """A way to a finding from the explained cause, `up` being that alone; or from its parent, `up` being both."""
    parent = up[0] if len(up) > 1 else ""
    numbers = (*_cited_links(network, up), *_cited_links(network, way))
    last = network.records[way[-1]]
    if isinstance(last, Finding):
        numbers = (*numbers, _cited(network, f"{last.id}.leak", last.leak))
    child = "" if parent else next((name for name in way[1:] if isinstance(network.records[name], Cause | Complication)), "")
    return Route(way, _mechanisms(network, way), numbers, raises, parent, child)


def _along_odds(network: Network, factor: str, state: str, way: tuple[str, ...]) -> Route:
    """A way from a risk factor by its odds ratio for the first cause of `way`, along links to the last."""
    numbers = (*_all_cited(network, way[0], _odds(network, way[0], factor, state)), *_cited_links(network, way))
    ratios = dict.fromkeys(network.risks[network.risk_index[factor]].states, 1.0)
    ratios |= {ratio.state: ratio.number.value for ratio in _all_odds(network, way[0], factor)}
    raises = {max(ratios.values()): True, min(ratios.values()): False}.get(ratios[state])
    return Route((factor, *way), _mechanisms(network, way), numbers, raises, way[-2] if len(way) > 1 else "")


def _mechanisms(network: Network, way: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in way if isinstance(network.records[name], Mechanism))


def _is_present(value: Value) -> bool | None:
    """Whether a finding is reported present, or rather so; None if the report says nothing."""
    if isinstance(value, Likelihood):
        return None if value.ratio == 1.0 else value.ratio > 1.0
    return value is True


def share_numbers(network: Network, cause: str, setting: str) -> tuple[Cited, ...]:
    """What a share rests on: of a cause its weight in the setting, of a complication its background and what leads to it."""
    record = network.records[cause]
    if isinstance(record, Cause):
        of_setting = [weight.number for weight in record.weights if weight.setting == setting]
        return tuple(_cited(network, f"{cause}.weight.{setting}", number) for number in of_setting)
    leak = (_cited(network, f"{cause}.leak", record.leak),) if isinstance(record, Complication) else ()
    return (*leak, *(number for parent in parents(network, cause) for number in _cited_links(network, (parent, cause))))


def _all_cited(network: Network, node: str, ratios: Iterable[OddsRatio]) -> tuple[Cited, ...]:
    return tuple(_cited(network, f"{node}.odds.{odds.factor}.{odds.state}", odds.number) for odds in ratios)


def _cited_links(network: Network, way: tuple[str, ...]) -> tuple[Cited, ...]:
    return tuple(_cited(network, f"{a}.links.{b}", _links(network, a)[b]) for a, b in pairwise(way))


def _cited(network: Network, place: str, number: Elicited) -> Cited:
    judgements = {source.id for source in network.knowledge.sources if source.kind == JUDGEMENT}
    judged = [source for source in number.sources if number.kind == JUDGED or source in judgements]
    return Cited(place, number.value, number.kind, number.sources, tuple(judged))
