"""The evidence ledger: from the share of a cause to its posterior, item by item.

The weight of an item is in decibans, ten times the decimal logarithm of the factor by which it multiplies the odds of the
cause: 10 decibans are ten times the odds, 3 about twice. How much an item adds depends on what is known already, so its
weight is the mean over the orders in which the answers could have come (`shapley`); the weights add up, exactly.

Nothing is left out: an absent finding weighs, and so do a risk factor and an item that bears on the cause only by speaking
for another one, which explains the same complaint.

A probability of 0 or 1 has no finite odds. Then the items that in some order turn the odds infinite have *decided*; they
weigh minus or plus infinity, and the others add up from the share to the odds without those that decided.

References:
    Good (1985), Weight of evidence: a brief survey.
    Shapley (1953), A value for n-person games.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from math import inf, isinf, log, log1p
from typing import Any

import numpy as np

from calfbayes.diagnosis.encoding import encode, says_nothing_if_absent
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import QueryTooCostlyError, UnknownNameError
from calfbayes.evidence import Evidence, Likelihood, Value
from calfbayes.explanation.routes import Cited, Route, judged_of, moves, parents, reaches, routes, share_numbers, sources_of
from calfbayes.explanation.shapley import share_of, shares, turning_points
from calfbayes.explanation.weighing import Weighing, settled_by, weigh
from calfbayes.inference.hypothetical import Outcomes, Supposed, given_each, given_each_answer
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.network import Network

LIMIT = 1e9  # state operations; some six seconds, which hardly a patient with fewer than nine answers takes
DECIBANS = 10.0 / log(10.0)
NOTHING = 1e-6  # decibans; below this an item speaks neither for nor against
ROUTES = 3  # of one item, that are told
UNASKED = 8
UNASKED_LIMIT = 3e8  # state operations for what was not asked, some three seconds: one in nine of published patients takes more
COMPETITORS = 12  # causes that are tried as competitors, the most probable ones


class Certainty(StrEnum):
    """Whether a probability is 0 or 1, which no evidence within the model can change."""

    OPEN = "open"
    RULED_OUT = "ruled_out"
    CERTAIN = "certain"
    OUTSIDE_SETTING = "outside_setting"


@dataclass(frozen=True, slots=True)
class ItemWeight:
    """What one answer adds.

    Attributes:
        value: The answer.
        decibans: Its weight; infinite if it has decided.
        error: Standard error of the weight; 0 if all orders were counted.
        settled_by: If other answers imply this one, their ids; its weight is then 0, for they carry it.
        routes: The ways in which it bears on the cause, those through its parent first, then the strongest; none if only
            through competitors.
        parent: If it acts through a cause that leads to this one: that cause, of all the one that it moves most the same way
            (what speaks for a cause speaks for its complication). Empty if it has a route of its own along which it acts.
        child: If the strongest of those of its own runs through what this cause leads to: that one. Else empty.
        competitor: If it acts neither by itself nor through a parent, or moves the cause the other way than along its routes:
            the competing cause through which it acts, of all the one that it raises most if it speaks against this one, lowers
            most if it speaks for it (what is absent speaks for a cause if it speaks more against another). Else, and if there
            is none, empty.
        numbers: The numbers on these ways, also on those that are not among the routes because there are too many; and on the
            ways to the competitor, its own or that of the parent. Each once.
    """

    id: str
    label: str
    value: Value
    decibans: float
    error: float
    settled_by: tuple[str, ...]
    routes: tuple[Route, ...]
    parent: str
    child: str
    competitor: str
    numbers: tuple[Cited, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids in the bibliography of all the numbers, each once."""
        return sources_of(self.numbers)

    @property
    def judged(self) -> tuple[str, ...]:
        """Those of the sources on which nothing but judgement rests."""
        return judged_of(self.numbers)


@dataclass(frozen=True, slots=True)
class PossibleAnswer:
    """What an answer would do.

    Attributes:
        state: `present`, `absent`, or a state of the risk factor.
        chance: P(this answer | evidence).
        probability: Of the cause, with this answer.
    """

    state: str
    chance: float
    probability: float


@dataclass(frozen=True, slots=True)
class Unasked:
    """Something not known that would matter.

    Attributes:
        answers: What each answer would do.
        expected_change: Mean absolute change of the probability of the cause, over the answers.
    """

    id: str
    label: str
    answers: tuple[PossibleAnswer, ...]
    expected_change: float


@dataclass(frozen=True, slots=True)
class Competitor:
    """A cause that may explain the findings instead.

    Attributes:
        probability: Its own.
        with_it: Probability of the explained cause if this one has a part in the complaint, which is more than to have it.
        without_it: The same if this one has none.
    """

    id: str
    label: str
    probability: float
    with_it: float
    without_it: float


@dataclass(frozen=True, repr=False)
class Ledger:
    """The account of one cause: share, weights of evidence, posterior.

    Attributes:
        share_numbers: What the share rests on: the weight of a cause in the care setting; of a complication its background and
            the links that lead to it.
        weights: One entry for each answer, the largest weight first.
        certainty: `open`, or why no weights can be given to everything.
        n_orders: In how many orders the answers were learnt; 0 if all were counted.
        unasked: What is not known and would matter most, most first; None if that would have cost too much.
        unasked_of_all: Whether it was looked for among all that is not known. Where that costs too much, it is only among the
            findings that the cause leads to by links, and the risk factors with odds ratios of its own.
        competitors: The causes in whose presence this one is less probable and that do not lead to it, those that take most
            away first.
    """

    cause: str
    label: str
    share: float
    share_numbers: tuple[Cited, ...]
    probability: float
    weights: tuple[ItemWeight, ...]
    certainty: Certainty
    n_orders: int
    unasked: tuple[Unasked, ...] | None
    unasked_of_all: bool
    competitors: tuple[Competitor, ...]
    _result: Diagnosis

    @property
    def share_decibans(self) -> float:
        """Odds of the share, in decibans."""
        return _odds(self.share)

    @property
    def posterior_decibans(self) -> float:
        """Odds of the posterior, in decibans: those of the share and all weights together."""
        return self.share_decibans + sum(weight.decibans for weight in self.weights)

    @property
    def supporting(self) -> tuple[ItemWeight, ...]:
        """The answers that speak for the cause, the weightiest first."""
        return tuple(sorted((w for w in self.weights if w.decibans > NOTHING), key=lambda w: (-w.decibans, w.id)))

    @property
    def opposing(self) -> tuple[ItemWeight, ...]:
        """The answers that speak against the cause, the weightiest first."""
        return tuple(sorted((w for w in self.weights if w.decibans < -NOTHING), key=lambda w: (w.decibans, w.id)))

    @property
    def decided_by(self) -> tuple[str, ...]:
        """Ids of the answers that have ruled the cause out, or made it certain."""
        return tuple(weight.id for weight in self.weights if isinf(weight.decibans))

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids in the bibliography of every number that the share and the weights rest on, each once."""
        return sources_of((*self.share_numbers, *(number for weight in self.weights for number in weight.numbers)))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The account in the words of the model; none if it has no `explanation.toml`."""
        from calfbayes.presentation.reasons import ledger_sentences

        return ledger_sentences(self)

    def __repr__(self) -> str:
        from calfbayes.presentation.reasons import ledger_text

        return ledger_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.reasons_display import ledger_html

        return ledger_html(self)

    def __getitem__(self, item: str) -> ItemWeight:
        found = {weight.id: weight for weight in self.weights}
        if item not in found:
            raise UnknownNameError("item", str(item)[:200], (), "this ledger")
        return found[item]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; infinite weights are the texts "inf" and "-inf"."""
        return {
            "cause": self.cause,
            "label": self.label,
            "share": self.share,
            "share_numbers": [_cited_to_dict(number) for number in self.share_numbers],
            "probability": self.probability,
            "share_decibans": _plain(self.share_decibans),
            "posterior_decibans": _plain(self.posterior_decibans),
            "certainty": str(self.certainty),
            "decided_by": list(self.decided_by),
            "n_orders": self.n_orders,
            "weights": [_weight_to_dict(weight) for weight in self.weights],
            "unasked": None if self.unasked is None else [_unasked_to_dict(entry) for entry in self.unasked],
            "unasked_of_all": self.unasked_of_all,
            "competitors": [
                {
                    "id": c.id,
                    "probability": c.probability,
                    "probability_with_it": c.with_it,
                    "probability_without_it": c.without_it,
                }
                for c in self.competitors
            ],
            "sources": list(self.sources),
            "sentences": list(self.sentences),
        }


def explain(result: Diagnosis, cause: str, *, cost_limit: float = LIMIT) -> Ledger:
    """Account for the probability of one cause or complication.

    Args:
        cost_limit: Number of state operations that the weights may take, roughly. Where all orders would cost more (for
            up to ten answers: 1.6 times as much), or there are more than twelve answers, some orders are drawn and the
            weights have an error. Ten answers of a network of two hundred nodes take up to 1.5e9 for all orders. What was not
            asked may take as many, and 3e8 at most: beyond, less of it is looked at (`Ledger.unasked_of_all`), or nothing.

    Raises:
        NoPosteriorError: If the result holds no probabilities.
        UnknownNameError: If there is no such cause or complication.
        QueryTooCostlyError: If even a few orders cost more than the limit, or its competitors more than that and `LIMIT`.
    """
    entry = result[cause]
    network = result._solved.network
    node = network.node_index[cause]
    found, n_orders, decided = weights_of(result, lambda table: table.log_odds(node), cost_limit)
    certainty = Certainty.OPEN
    if entry.share in {0.0, 1.0}:
        certainty = Certainty.OUTSIDE_SETTING
    elif decided:
        certainty = Certainty.RULED_OUT if next(iter(decided.values())) < 0 else Certainty.CERTAIN
    weights = _entries(network, result, cause, {**found, **{item: (w, 0.0) for item, w in decided.items()}}, cost_limit)
    unasked, of_all = _unasked(result, cause, min(cost_limit, UNASKED_LIMIT)) if certainty == Certainty.OPEN else ((), True)
    return Ledger(
        cause=cause,
        label=entry.label,
        share=entry.share,
        share_numbers=share_numbers(network, cause, result.setting),
        probability=entry.probability,
        weights=weights,
        certainty=certainty,
        n_orders=n_orders,
        unasked=unasked,
        unasked_of_all=of_all,
        competitors=_competitors(result, node, max(cost_limit, LIMIT)) if certainty == Certainty.OPEN else (),
        _result=result,
    )


def weights_of(
    result: Diagnosis, values_of: Callable[[Weighing], Array], cost_limit: float
) -> tuple[dict[str, tuple[float, float]], int, dict[str, float]]:
    """Share a change of log odds among the items.

    Args:
        values_of: The value, natural logarithms, in each set of items.

    Returns:
        Weight and error of each item in decibans; the number of orders drawn, 0 if all were counted; and the items that made
        the value infinite, with its sign.
    """
    decided: dict[str, float] = {}
    while True:
        table = weigh(result._solved, result.setting, result.evidence.without(*decided), cost_limit)
        values = values_of(table)
        n_orders = 0 if table.design.orders is None else len(table.design.orders)
        if isinf(values[0]):  # ruled out by the setting: no item can do anything
            return dict.fromkeys(table.items, (0.0, 0.0)), n_orders, decided
        turning = turning_points(table.design, values)
        if not turning:
            of_items, errors = (DECIBANS * part for part in shares(table.design, values))
            found = zip(of_items.tolist(), errors.tolist(), strict=True)
            return dict(zip(table.items, found, strict=True)), n_orders, decided
        infinite = float(values[np.isinf(values)][0])
        decided.update(dict.fromkeys((table.items[item] for item in turning), infinite))


def _entries(
    network: Network,
    result: Diagnosis,
    cause: str,
    found: Mapping[str, tuple[float, float]],
    cost_limit: float,
) -> tuple[ItemWeight, ...]:
    evidence = result.evidence
    settled = settled_by(evidence)
    answered = [name for name in found if name in network.node_index]
    table = weigh(result._solved, result.setting, evidence, cost_limit)
    entries = []

    def ways_to(name: str, cause: str) -> tuple[Route, ...]:
        return routes(network, name, evidence[name], evidence.risk_states.get(name, ""), cause, answered)

    for name in (*found, *(name for name in settled if name not in found)):
        decibans, error = found.get(name, (0.0, 0.0))
        ways = ways_to(name, cause)
        acts = name not in settled and abs(decibans) > max(NOTHING, 2.0 * error)
        parent, child, competitor = _acts_through(table, name, cause, decibans, ways) if acts else ("", "", "")
        told = sorted((way for way in ways if way.parent in {"", parent}), key=lambda way: way.parent != parent)
        label, value, by = network.records[name].label, evidence[name], settled.get(name, ())
        if parent and not any(way.parent == parent for way in told):  # it moves the parent by a rival of that
            competing = _acts_through(table, name, parent, decibans, ways_to(name, parent))[2]
        else:
            competing = competitor
        beside = [way for way in ways_to(name, competing) if not way.parent] if competing else []
        numbers = tuple(dict.fromkeys(number for way in (*told, *beside) for number in way.numbers))
        entries.append(
            ItemWeight(name, label, value, decibans, error, by, tuple(told[:ROUTES]), parent, child, competitor, numbers)
        )
    return tuple(sorted(entries, key=lambda entry: (-abs(entry.decibans), entry.id)))


def _acts_through(table: Weighing, item: str, cause: str, decibans: float, ways: Sequence[Route]) -> tuple[str, str, str]:
    """The parent, the child or the competitor by which an item moves a cause, two of them or all empty.

    What has no way to a complication can only act through its parents, whether it bears on these itself or by their rivals.
    """
    network = table.solved.network
    agreeing = [way for way in ways if way.raises is None or way.raises == (decibans > 0.0)]
    own = next((way for way in agreeing if not way.parent), None)  # the strongest
    if own is not None:
        return "", own.child, ""
    along = {way.parent for way in agreeing}
    above = set(parents(network, cause)) if network.node_index[cause] in network.complications else set()
    if all(way.parent for way in ways):
        along |= above
    changes = share_of(table.design, table.hidden, table.items.index(item))
    same = {network.nodes[node].id: np.sign(decibans) * float(changes[node]) for node in network.causes}
    parent = max(along & set(same), key=lambda name: (same[name], name), default="")
    if parent and same[parent] > 0.0:
        return parent, "", ""
    competitor = min(set(same) - above - {cause}, key=lambda name: (same[name], name), default="")
    return "", "", competitor if competitor and same[competitor] < 0.0 else ""


def _unasked(result: Diagnosis, cause: str, cost_limit: float) -> tuple[tuple[Unasked, ...] | None, bool]:
    """What is not known and would matter, and whether that is of all; see `Ledger`."""
    for of_all in (True, False):
        try:
            outcomes = _open_answers(result._solved, result.setting, result.evidence, "" if of_all else cause, cost_limit)
        except QueryTooCostlyError:
            continue
        network = result._solved.network
        node = network.node_index[cause]
        of_findings = ((network.nodes[k].id, ("absent", "present"), answers) for k, answers in outcomes.findings.items())
        of_risks = ((network.risks[k].id, network.risks[k].states, answers) for k, answers in outcomes.risks.items())
        now = float(outcomes.now.hidden[node])
        found = [_would_do(network, *entry, node, now) for entry in (*of_findings, *of_risks)]
        ranked = sorted(found, key=lambda entry: (-entry.expected_change, entry.id))
        return tuple(entry for entry in ranked[:UNASKED] if entry.expected_change > 0.0), of_all
    return None, False


def _would_do(
    network: Network, name: str, states: Sequence[str], answers: Sequence[Supposed], node: int, now: float
) -> Unasked:
    of_states = zip(states, answers, strict=True)
    possible = tuple(PossibleAnswer(state, supposed.chance, float(supposed.hidden[node])) for state, supposed in of_states)
    change = sum(answer.chance * abs(answer.probability - now) for answer in possible)
    return Unasked(name, network.records[name].label, possible, change)


@lru_cache(maxsize=32)
def _open_answers(solved: SolvedNetwork, setting: str, evidence: Evidence, near: str, cost_limit: float) -> Outcomes:
    """What each answer would do that is not settled yet; a negative test that says nothing in this patient does nothing.

    Args:
        near: A cause, and then only of what bears on it by itself; or empty.
    """
    network = solved.network
    settled = evidence.surely_present | evidence.surely_absent
    open_ = {record for record in network.records if record not in evidence and record not in settled}
    if near:
        open_ = {name for name in open_ if reaches(network, near, name) or moves(network, name, near)}
    findings = [node for node in network.findings if node != network.complaint and network.nodes[node].id in open_]
    risks = [k for k, risk in enumerate(network.risks) if risk.id in open_]
    numbers = network.numbers(solved.bases[setting].logits)
    evidence_at = encode(network, evidence)
    outcomes = given_each_answer(network, numbers, evidence_at, findings, risks, cost_limit=cost_limit)
    silent = {
        node: (replace(outcomes.now, chance=outcomes.findings[node][0].chance), outcomes.findings[node][1])
        for guard in network.knowledge.asking.tests
        if (node := network.node_index[guard.test]) in outcomes.findings and says_nothing_if_absent(guard, evidence)
    }
    return replace(outcomes, findings={**outcomes.findings, **silent})


def _competitors(result: Diagnosis, node: int, cost_limit: float) -> tuple[Competitor, ...]:
    network = result._solved.network
    cause = network.nodes[node].id
    possible = [e for e in result.causes if 0.0 < e.probability < 1.0]
    others = [e for e in possible if not reaches(network, e.id, cause)][:COMPETITORS]  # what leads to it does not compete
    nodes = [network.node_index[entry.id] for entry in others]
    numbers = network.numbers(result._solved.bases[result.setting].logits)
    evidence = encode(network, result.evidence)
    present, absent = (
        given_each(network, numbers, evidence, nodes, present=so, cost_limit=cost_limit)[1] for so in (True, False)
    )
    found = []
    for k, entry in enumerate(others):
        with_it, without_it = float(present.hidden[k, node]), float(absent.hidden[k, node])
        if with_it < without_it:
            found.append(Competitor(entry.id, entry.label, entry.probability, with_it, without_it))
    return tuple(sorted(found, key=lambda c: (-c.probability * (c.without_it - c.with_it), c.id)))


def _odds(p: float) -> float:
    if p in {0.0, 1.0}:
        return -inf if p == 0.0 else inf
    return DECIBANS * (log(p) - log1p(-p))


def _plain(number: float) -> float | str:
    return str(number) if isinf(number) else number


def _weight_to_dict(weight: ItemWeight) -> dict[str, Any]:
    value = weight.value
    return {
        "id": weight.id,
        "value": {"likelihood_ratio": value.ratio} if isinstance(value, Likelihood) else value,
        "decibans": _plain(weight.decibans),
        "error": weight.error,
        "settled_by": list(weight.settled_by),
        "judged": list(weight.judged),
        "parent": weight.parent,
        "child": weight.child,
        "competitor": weight.competitor,
        "routes": [
            {
                "through": list(route.through),
                "mechanisms": list(route.mechanisms),
                "raises": route.raises,
                "parent": route.parent,
                "child": route.child,
                "numbers": [_cited_to_dict(number) for number in route.numbers],
            }
            for route in weight.routes
        ],
        "sources": list(weight.sources),
    }


def _cited_to_dict(number: Cited) -> dict[str, Any]:
    return {"place": number.place, "value": number.value, "kind": number.kind, "sources": list(number.sources)}


def _unasked_to_dict(entry: Unasked) -> dict[str, Any]:
    answers = {a.state: {"chance": a.chance, "probability": a.probability} for a in entry.answers}
    return {"id": entry.id, "expected_change": entry.expected_change, "answers": answers}
