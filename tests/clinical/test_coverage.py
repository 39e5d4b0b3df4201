"""Every fact of the source document is in the model, at a place that exists, or declined for a reason."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pytest

from calfbayes.adapters.graph import to_networkx
from calfbayes.inference.alone import findings_of_causes
from calfbayes.knowledge.shipped import models_folder, open_model
from calfbayes.knowledge.terms import Atom, Cause, Complication, KnowledgeBase, Level, atoms
from calfbayes.network import Network, compile_network

# How many facts of each kind were read out of the source document; their ids run from F001 to F528.
KINDS = {
    "cause_symptom": 171,
    "treatment": 74,
    "risk_cause": 58,
    "cause_cause": 33,
    "examination": 32,
    "red_flag": 29,
    "question": 28,
    "first_aid": 21,
    "referral": 21,
    "prevention": 20,
    "temporal_rule": 18,
    "prevalence_hint": 17,
    "contraindication": 6,
}
RELATIONS = {"cause_symptom", "risk_cause", "cause_cause"}
QUESTIONS = {"onset", "side", "before", "character", "time_of_day", "intensity", "duration"}
CARE = {"who", "examinations", "helps", "avoid", "come_back"}


@dataclass(frozen=True)
class Fact:
    """A row of coverage.csv; a declined row may have places, too: the warnings that stand instead of what was advised.

    Attributes:
        word: How often the source document says that a cause gives a symptom; empty if it names no frequency.
    """

    id: str
    kind: str
    subject: str
    object: str
    word: str
    status: str
    places: tuple[str, ...]
    why: str


@cache
def facts() -> tuple[Fact, ...]:
    with (models_folder() / "calf" / "coverage.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Fact(
                row["fact"],
                row["kind"],
                row["subject"],
                row["object"],
                row["word"],
                row["status"],
                tuple(row["where"].split(";")) if row["where"] else (),
                row["why"],
            )
            for row in csv.DictReader(file, strict=True)
        )


class Places:
    """The places that a model has, each form of `where` with its own check."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self.graph = to_networkx(compile_network(knowledge))
        self.roles: dict[str, str] = dict(self.graph.nodes(data="role"))
        self.hidden = {name for name, role in self.roles.items() if role == "mechanism"}
        conditions: list[Cause | Complication] = [*knowledge.causes, *knowledge.complications]
        self.care = {record.id: record.care for record in conditions}
        self.levels = {record.id: record.urgency for record in conditions}
        self.weights = {cause.id: [weight.number.value for weight in cause.weights] for cause in knowledge.causes}
        self.rules = {rule.id: set(atoms(rule.condition)) for rule in knowledge.urgency.rules}

    def step(self, start: str, end: str) -> bool:
        """Whether an arc leads from start to end, or a path all of whose inner nodes are mechanisms."""
        seen, open_ = {start}, [start]
        while open_:
            for child in set(self.graph.successors(open_.pop())) - seen:
                if child == end:
                    return True
                seen.add(child)
                if child in self.hidden:
                    open_.append(child)
        return False

    def odds(self, factor: str, node: str) -> bool:
        """Whether the factor acts on the node; a yes/no factor must raise it."""
        ratios = self.graph.get_edge_data(factor, node, {}).get("odds_ratios", {})
        return ratios["present"] > 1 if "present" in ratios else any(ratio != 1 for ratio in ratios.values())

    def has(self, place: str) -> bool:
        form, _, rest = place.partition(":")
        ends = rest.split("->")
        match form:
            case "link":
                known = all(self.roles.get(end, "risk_factor") != "risk_factor" for end in ends)
                return known and len(ends) > 1 and all(self.step(*pair) for pair in pairwise(ends))
            case "odds":
                return len(ends) == 2 and self.odds(*ends)
            case "rule":
                return rest in self.rules
            case "care":
                record, _, words = rest.partition(".")
                field, _, words = words.partition(":")
                if record not in self.care or field not in CARE or not words:
                    return False
                text = getattr(self.care[record], field)
                return any(words in entry.lower() for entry in ([text] if isinstance(text, str) else text))
            case "urgency":
                return rest in self.levels and self.levels[rest].severity >= Level.WITHIN_DAYS.severity
            case "weight":
                return min(self.weights.get(rest, [0])) > 0
            case "finding":
                return self.roles.get(rest) == "finding"
            case "risk":
                return self.roles.get(rest) == "risk_factor"
            case "question":
                return rest in QUESTIONS
            case _:
                return False

    def speaks_of(self, place: str, fact: Fact) -> bool:
        """Whether a place names the fact's own ids, as far as the model has them."""
        form, _, rest = place.partition(":")
        if form in {"link", "odds"} and fact.kind in RELATIONS:
            ends = rest.split("->")
            return all(
                name not in self.roles or name == end for name, end in ((fact.subject, ends[0]), (fact.object, ends[-1]))
            )
        if form == "rule" and self.roles.get(fact.subject) == "finding":
            return Atom(fact.subject, "present") in self.rules[rest]
        return True


@pytest.fixture(scope="module")
def places() -> Places:
    return Places(open_model("calf").knowledge)


def rows_with_places() -> Iterator[tuple[Fact, str]]:
    return ((fact, place) for fact in facts() for place in fact.places)


def test_every_fact_of_the_source_document_is_there_once() -> None:
    assert [fact.id for fact in facts()] == [f"F{number:03}" for number in range(1, 529)]
    assert Counter(fact.kind for fact in facts()) == KINDS


def test_every_fact_is_modelled_somewhere_or_declined_for_a_reason() -> None:
    faults = [
        fact.id
        for fact in facts()
        if fact.status not in {"modelled", "declined"}
        or (fact.status == "modelled" and not fact.places)
        or (fact.status == "declined" and len(fact.why.split()) < 3)
    ]
    assert faults == []


def test_every_place_exists(places: Places) -> None:
    assert [(fact.id, place) for fact, place in rows_with_places() if not places.has(place)] == []


def test_a_place_that_names_other_nodes_than_the_fact_says_why(places: Places) -> None:
    assert [(fact.id, place) for fact, place in rows_with_places() if not fact.why and not places.speaks_of(place, fact)] == []


def test_no_declined_relation_is_in_the_network(places: Places) -> None:
    faults = [
        fact.id
        for fact in facts()
        if fact.status == "declined" and fact.kind in RELATIONS and fact.subject in places.roles
        if places.step(fact.subject, fact.object)
    ]
    assert faults == []


@pytest.mark.parametrize(
    "place",
    [
        "link:deep_vein_thrombosis->foot_drop",
        "link:deep_vein_thrombosis->no_such_finding",
        "link:deep_vein_thrombosis",
        "link:unilateral_calf_swelling->deep_vein_thrombosis",
        "link:varicose_veins->pulmonary_embolism",
        "link:smoking->peripheral_artery_disease",
        "odds:smoking->cellulitis",
        "odds:smoking->calf_pain",
        "odds:sex->calf_pain",
        "rule:no_such_rule",
        "care:varicose_veins.avoid:no such advice",
        "care:varicose_veins.avoid:",
        "care:varicose_veins.label:veins",
        "care:no_such_cause.avoid:massage",
        "finding:smoking",
        "risk:night_pain",
        "question:weather",
        "urgency:overuse",
        "weight:pulmonary_embolism",
        "elsewhere:overuse",
        "",
    ],
)
def test_a_place_that_the_model_lacks_is_found_out(places: Places, place: str) -> None:
    assert not places.has(place)


@pytest.mark.parametrize(
    ("fact_id", "place", "speaks"),
    [
        ("F041", "link:deep_vein_thrombosis->redness", True),
        ("F041", "link:cellulitis->redness", False),
        ("F041", "link:deep_vein_thrombosis->fever", False),
        ("F036", "link:varicose_veins->venous_reflux", True),
        ("F368", "odds:smoking->peripheral_artery_disease", False),
        ("F306", "rule:sudden_loss_of_blood_supply", True),
        ("F306", "rule:cancer_with_back_pain", False),
    ],
)
def test_a_place_that_speaks_of_something_else_is_found_out(places: Places, fact_id: str, place: str, speaks: bool) -> None:
    fact = next(fact for fact in facts() if fact.id == fact_id)
    assert places.speaks_of(place, fact) is speaks


# --- the words "sometimes", "often", ... of the source document ---

# Human Phenotype Ontology, terms HP:0040280 to HP:0040284 (occasional 5-29 %, frequent 30-79 %, very frequent 80-99 %,
# obligate 100 %), with half a per cent for rounding. "Usually" may be either kind of frequent.
FREQUENCY = {
    "sometimes": (0.045, 0.295),
    "often": (0.295, 0.795),
    "usually": (0.295, 0.995),
    "almost_always": (0.795, 0.995),
    "always": (0.795, 1.0),
}


def test_a_word_of_frequency_is_kept_or_the_row_says_why_not() -> None:
    network = compile_network(open_model("calf").knowledge)
    shown = findings_of_causes(network)
    worded = [fact for fact in facts() if fact.word and fact.status == "modelled" and fact.object != "calf_pain"]
    outside = []
    for fact in worded:
        low, high = FREQUENCY[fact.word]
        for cause, finding in links_to_findings(fact, network):
            p = shown[cause, finding - network.n_hidden]
            if not low <= p <= high and not fact.why:
                outside.append(f"{fact.id}: {fact.word}, but {p:.2f}")
    assert len(worded) >= 15
    assert outside == []


def links_to_findings(fact: Fact, network: Network) -> Iterator[tuple[int, int]]:
    for place in fact.places:
        kind, _, arc = place.partition(":")
        start, _, end = arc.partition("->")
        if kind == "link" and network.node_index[end] >= network.n_hidden:
            yield network.node_index[start], network.node_index[end]
