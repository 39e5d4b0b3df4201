"""The files of every shipped model: nothing uncited, unnamed, unconnected or stale; and what the calf model has to hold."""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calfbayes.evaluation.card import CARD, MARKED, with_counts
from calfbayes.inference.bases import solve_bases
from calfbayes.knowledge.shipped import fingerprint, models_folder, open_model, shipped_models
from calfbayes.knowledge.terms import Advice, AdviceKind, Care, Elicited, KnowledgeBase, atoms
from calfbayes.model import load_model
from calfbayes.network import Network, compile_network

VOCABULARY = Path(__file__).parent / "vocabulary.txt"


@pytest.fixture(scope="module", params=shipped_models())
def knowledge(request: pytest.FixtureRequest) -> KnowledgeBase:
    """A shipped model as its files say, whatever its snapshot says."""
    return open_model(models_folder() / request.param).knowledge


@pytest.fixture(scope="module")
def calf() -> KnowledgeBase:
    return open_model("calf").knowledge


def parts(record: object) -> Iterator[Any]:
    """A record and every record inside it."""
    yield record
    if dataclasses.is_dataclass(record):
        for field in dataclasses.fields(record):
            yield from parts(getattr(record, field.name))
    elif isinstance(record, tuple):
        for entry in record:
            yield from parts(entry)


def conditions(knowledge: KnowledgeBase) -> list[Any]:
    return [*knowledge.causes, *knowledge.complications]


def everything(knowledge: KnowledgeBase) -> list[Any]:
    return [*conditions(knowledge), *knowledge.mechanisms, *knowledge.findings, *knowledge.risk_factors]


def cited(knowledge: KnowledgeBase) -> Iterator[tuple[str, ...]]:
    """The sources of every number, of every advice, of every rule and of every guard of a test."""
    for part in parts(knowledge):
        if isinstance(part, Elicited | Care | Advice | AdviceKind):
            yield part.sources
    for rule in knowledge.urgency.rules:
        yield rule.sources
    for guard in knowledge.asking.tests:
        yield guard.sources


def test_every_number_has_a_source_that_is_in_the_bibliography(knowledge: KnowledgeBase) -> None:
    bibliography = {source.id for source in knowledge.sources}
    numbers = [part for part in parts(knowledge) if isinstance(part, Elicited)]
    assert numbers
    assert [n for n in numbers if not n.sources or not bibliography.issuperset(n.sources)] == []


def test_no_source_is_unused(knowledge: KnowledgeBase) -> None:
    used = {source for sources in cited(knowledge) for source in sources}
    assert [source.id for source in knowledge.sources if source.id not in used] == []


def test_every_source_can_be_found(knowledge: KnowledgeBase) -> None:
    without = [s.id for s in knowledge.sources if not s.citation or (s.kind != "judgement" and not s.url.startswith("http"))]
    assert [name for name in without if name != "source_document"] == []  # the articles that the project began with


def test_a_number_that_was_not_read_gives_its_reason(knowledge: KnowledgeBase) -> None:
    numbers = [part for part in parts(knowledge) if isinstance(part, Elicited)]
    assert [n for n in numbers if n.kind != "measured" and len(n.why.split()) < 2] == []


def test_every_id_has_a_label(knowledge: KnowledgeBase) -> None:
    assert [record.id for record in everything(knowledge) if not record.label.strip()] == []


def test_labels_are_not_shared(knowledge: KnowledgeBase) -> None:
    labels = Counter(record.label.casefold() for record in (*conditions(knowledge), *knowledge.findings))
    assert [label for label, count in labels.items() if count > 1] == []


def test_what_a_shared_process_brings_is_added_to_and_not_counted_twice(knowledge: KnowledgeBase) -> None:
    """A `probability` is the whole chance of a finding, so a cause that also has it through a mechanism states a `link`."""
    brings = {mechanism.id: {link.child for link in mechanism.links} for mechanism in knowledge.mechanisms}
    twice = []
    for cause in knowledge.causes:
        shared = {finding for link in cause.links for finding in brings.get(link.child, ())}
        twice += [(cause.id, link.child) for link in cause.links if link.includes_leak and link.child in shared]
    assert twice == []


def alone(network: Network, cause: int) -> np.ndarray:
    """Probability of everything if this is the only reason for the pain, at the reference states, shape (nodes,)."""
    on = np.zeros(len(network.nodes))
    for position, node in enumerate(network.nodes):
        is_cause = position < network.n_causes
        silent = 1.0 if is_cause else 1 / (1 + np.exp(node.base_logit))
        silent *= np.prod([1 - weight * on[parent] for parent, weight in node.parents])
        on[position] = 1.0 if position == cause else 1 - silent
    return on


def test_what_excludes_or_implies_each_other_has_probabilities_that_agree(knowledge: KnowledgeBase) -> None:
    """A start cannot be sudden and slow; what implies another finding is not the commoner of the two, whatever the cause."""
    network = compile_network(knowledge)
    at = network.node_index
    clashes = []
    for cause in network.causes:
        on = alone(network, cause)
        for finding in knowledge.findings:
            one = on[at[finding.id]]
            both = [other for other in finding.excludes if one + on[at[other]] > 1.01]
            more = [other for other in finding.implies if one > on[at[other]] + 0.01]
            clashes += [(network.nodes[cause].id, finding.id, other) for other in both + more]
    assert clashes == []


def test_what_is_asked_has_a_question(knowledge: KnowledgeBase) -> None:
    asked: list[Any] = [*knowledge.findings, *knowledge.risk_factors]
    assert [record.id for record in asked if not record.question.strip().endswith("?")] == []


def test_every_cause_leads_somewhere(knowledge: KnowledgeBase) -> None:
    unlinked = {cause.id for cause in conditions(knowledge) if not cause.links}
    assert unlinked <= {"nonspecific_calf_pain"}


def test_every_finding_hangs_under_something_or_is_used_by_a_rule(knowledge: KnowledgeBase) -> None:
    parents = [*conditions(knowledge), *knowledge.mechanisms]
    reached = {link.child for parent in parents for link in parent.links}
    in_rules = {atom.id for rule in knowledge.urgency.rules for atom in atoms(rule.condition)}
    findings = {finding.id for finding in knowledge.findings}
    assert findings - reached - in_rules - {knowledge.complaint} == set()


def test_every_mechanism_has_causes_and_findings(knowledge: KnowledgeBase) -> None:
    reached = {link.child for parent in conditions(knowledge) for link in parent.links}
    assert [mechanism.id for mechanism in knowledge.mechanisms if mechanism.id not in reached or len(mechanism.links) < 2] == []


def test_every_risk_factor_changes_something(knowledge: KnowledgeBase) -> None:
    acting = {part.factor for part in parts(knowledge) if hasattr(part, "factor")}
    acting |= {parent for factor in knowledge.risk_factors for parent in factor.parents}
    acting |= {atom.id for rule in knowledge.urgency.rules for atom in atoms(rule.condition)}
    assert {factor.id for factor in knowledge.risk_factors} - acting == set()


def test_no_care_text_is_empty(knowledge: KnowledgeBase) -> None:
    for record in conditions(knowledge):
        care = record.care
        texts = (care.who, care.come_back, *care.examinations, *care.helps, *care.avoid)
        assert all(text.strip() for text in texts), record.id
        assert care.examinations, record.id
        assert care.helps, record.id
        assert care.avoid, record.id


def test_the_snapshot_is_fresh(knowledge: KnowledgeBase) -> None:
    folder = models_folder() / knowledge.name
    opened = open_model(knowledge.name)
    assert opened.bases, f"{folder} was edited after its snapshot: `make snapshot` writes it anew"
    assert opened.knowledge == knowledge
    assert fingerprint(folder) in (folder / "snapshot.json").read_text(encoding="utf-8")[:200]


def test_the_bases_of_the_snapshot_follow_from_the_weights(knowledge: KnowledgeBase) -> None:
    network = compile_network(knowledge)
    stored = load_model(knowledge.name)._solved.bases
    for setting in knowledge.settings:
        solved = solve_bases(network, setting.id)
        np.testing.assert_allclose(stored[setting.id].logits, solved.logits, rtol=0, atol=1e-9)
        np.testing.assert_allclose(stored[setting.id].shares, solved.shares, rtol=0, atol=1e-9)
        assert stored[setting.id].complaint == pytest.approx(solved.complaint, abs=1e-9)


# --- the calf model --------------------------------------------------------------------------------------------------


def agreed_ids() -> dict[str, set[str]]:
    """The ids of the agreed vocabulary by role."""
    by_role: dict[str, set[str]] = {}
    role = ""
    for line in VOCABULARY.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            role = line.strip("[]")
        elif line and not line.startswith("#"):
            by_role.setdefault(role, set()).add(line)
    return by_role


def test_the_counted_part_of_the_card_is_current(calf: KnowledgeBase) -> None:
    folder = models_folder() / "calf"
    card = (folder / CARD).read_text(encoding="utf-8")
    assert {match["part"] for match in MARKED.finditer(card)} == {"size", "numbers", "causes", "coverage", "figures", "mutants"}
    assert with_counts(card, folder, calf) == card, "`make snapshot` counts anew"


@pytest.mark.parametrize("role", ["cause", "complication", "mechanism", "finding", "risk_factor"])
def test_every_agreed_id_is_in_the_model(calf: KnowledgeBase, role: str) -> None:
    records: dict[str, Iterable[Any]] = {
        "cause": calf.causes,
        "complication": calf.complications,
        "mechanism": calf.mechanisms,
        "finding": calf.findings,
        "risk_factor": calf.risk_factors,
    }
    agreed = agreed_ids()[role]
    assert agreed
    assert agreed - {record.id for record in records[role]} == set()


def test_the_model_is_as_large_as_agreed(calf: KnowledgeBase) -> None:
    assert len(calf.causes) == 65
    assert len(calf.complications) == 3
    assert len(calf.findings) >= 125
    assert len(calf.risk_factors) >= 45
    assert 12 <= len(calf.mechanisms) <= 16
    assert sum(finding.kind == "test" for finding in calf.findings) >= 18


def test_every_cause_has_a_weight_in_every_setting(calf: KnowledgeBase) -> None:
    settings = {"community", "primary_care", "emergency"}
    assert {setting.id for setting in calf.settings} == settings
    assert [cause.id for cause in calf.causes if {weight.setting for weight in cause.weights} != settings] == []


def test_enough_tests_have_a_published_accuracy(calf: KnowledgeBase) -> None:
    """A test counts if at least one of its figures, links or leak, rests on a publication and not on judgement alone."""
    published = {source.id for source in calf.sources if source.kind != "judgement"}
    figures = {finding.id: [finding.leak] for finding in calf.findings if finding.kind == "test"}
    for parent in (*conditions(calf), *calf.mechanisms):
        for link in parent.links:
            if link.child in figures:
                figures[link.child].append(link.number)
    judged_only = [test for test, numbers in figures.items() if not any(published.intersection(n.sources) for n in numbers)]
    n_published = len(figures) - len(judged_only)
    assert n_published >= 18, judged_only


@pytest.mark.parametrize(
    ("cause", "field", "pattern"),
    [
        ("deep_vein_thrombosis", "avoid", r"not massage"),
        ("superficial_vein_thrombosis", "avoid", r"not massage"),
        ("varicose_veins", "avoid", r"not massage over varicose"),
        ("acute_limb_ischaemia", "avoid", r"not raise the leg"),
        ("acute_limb_ischaemia", "avoid", r"not warm|no heat"),
        ("acute_limb_ischaemia", "helps", r"level|flat|down"),
        ("peripheral_artery_disease", "avoid", r"not wear compression .*pulses are weak"),
        ("diabetic_angiopathy", "avoid", r"not wear compression .*pulses are weak"),
        ("peripheral_artery_disease", "avoid", r"not use a hot-water bottle"),
        ("varicose_veins", "avoid", r"not wear compression .*pulses are weak"),
        ("chronic_venous_insufficiency", "avoid", r"not wear compression .*pulses are weak"),
        ("lymphoedema", "avoid", r"not wear compression .*pulses are weak"),
        ("systemic_oedema", "avoid", r"not wear compression .*weak .*pulses"),
        ("superficial_vein_thrombosis", "avoid", r"not wear compression .*pulses are weak"),
        ("compartment_syndrome", "helps", r"tight cast .*opened at once"),
        ("compartment_syndrome", "avoid", r"not raise"),
        ("leg_fracture", "helps", r"cast .*opened at once"),
        ("tibial_or_peroneal_nerve_entrapment", "helps", r"tight cast .*opened at once"),
        ("calf_muscle_strain", "avoid", r"not put heat.*72 hours"),
        ("contusion", "avoid", r"not put heat.*72 hours"),
        ("calf_haematoma", "harmed_by", r"heat"),
        ("calf_muscle_strain", "avoid", r"not massage .*clot"),
    ],
)
def test_advice_that_keeps_from_harm_is_given(calf: KnowledgeBase, cause: str, field: str, pattern: str) -> None:
    care = next(record.care for record in calf.causes if record.id == cause)
    assert any(re.search(pattern, text, re.IGNORECASE) for text in getattr(care, field))
