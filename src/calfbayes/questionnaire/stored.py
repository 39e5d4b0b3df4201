"""Interviews that were stored as JSON: read back, looked at as if a stranger had written them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calfbayes.arguments import whole_number
from calfbayes.diagnosis.policy import UrgencyPolicy, checked_policy
from calfbayes.errors import ArgumentError, ContradictionError, StaleInterviewError
from calfbayes.evidence import read_evidence_json
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import Level
from calfbayes.knowledge.wording import short
from calfbayes.network import Network
from calfbayes.questionnaire.interview import SCHEMA_VERSION, Interview, begin, policy_to_dict
from calfbayes.questionnaire.screens import CHECKLIST
from calfbayes.questionnaire.session import Questionnaire

# Where it stood: is computed again.
COMPUTED = {"level", "stopped", "outcome", "outcome_reason", "outlook", "unanswered_emergencies"}
KEYS = {
    *COMPUTED, "schema_version", "model", "policy", "start", "said", "put", "asked", "screens", "floor", "budget", "epsilon",
    "seed",
}  # fmt: skip


def interview_from_json(
    solved: SolvedNetwork,
    questionnaire: Questionnaire,
    text: str | bytes,
    *,
    cost_limit: float = COST_LIMIT,
    policy: UrgencyPolicy | None = None,
    allow_laxer_policy: bool = False,
) -> Interview:
    """Read what `Interview.to_json` wrote.

    Args:
        policy: The urgency policy, if the interview had another than the model's.

    Raises:
        StaleInterviewError: If it is of another model, for half an interview does not fit other questions; of another format;
            or was begun with another policy.
        ArgumentError: If the text is no such JSON.
        CalfBayesError: If what it says cannot be.
    """
    network = solved.network
    document = _document(text, network)
    put, screens, floor = document["put"], document["screens"], document["floor"]
    known = {*(f.id for f in network.knowledge.findings), *(f.id for f in network.knowledge.risk_factors)}
    if not isinstance(put, list) or not all(isinstance(name, str) and name in known for name in put):
        raise ArgumentError("put", short(str(put)), "a list of ids of the model")
    asked, questions = document["asked"], {CHECKLIST, *(question.id for question in questionnaire.questions)}
    if not isinstance(asked, list) or not all(isinstance(name, str) and name in questions for name in asked):
        raise ArgumentError("asked", short(str(asked)), "a list of ids of the questionnaire")
    whole_number("screens", screens, 0)
    if floor not in list(Level):
        raise ArgumentError("floor", short(floor), f"one of {', '.join(Level)}")
    start = read_evidence_json(network, json.dumps(document["start"]))
    said = read_evidence_json(network, json.dumps({"items": document["said"]}))
    begun = begin(
        solved,
        questionnaire,
        start,
        budget=document["budget"],
        epsilon=document["epsilon"],
        seed=document["seed"],
        cost_limit=cost_limit,
        policy=policy,
        allow_laxer_policy=allow_laxer_policy,
    )
    if document["policy"] != policy_to_dict(*checked_policy(policy, network, allow_laxer=allow_laxer_policy)):
        raise StaleInterviewError(network.name, _told_level(document))
    stored = replace(
        begun, said=said.items_by_id, put=frozenset(put), asked=frozenset(asked), screens=screens, floor=Level(floor)
    )
    try:
        stored.evidence  # noqa: B018  looks whether what was said contradicts what was known
    except ContradictionError as error:
        raise begun._contradiction(error, said) from None
    return stored


def _document(text: str | bytes, network: Network) -> dict[str, Any]:
    """The JSON of an interview with this model."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise ArgumentError("interview", short(str(text)), f"JSON text ({error})") from None
    expected = f"an object with {', '.join(sorted(KEYS))}"
    if not isinstance(document, dict) or not isinstance(document.get("model"), dict):
        raise ArgumentError("interview", short(str(document)), expected)
    if document["model"].get("digest") != network.knowledge.digest or document.get("schema_version") != SCHEMA_VERSION:
        raise StaleInterviewError(network.name, _told_level(document))
    if set(document) != KEYS:
        raise ArgumentError("interview", short(str(document)), expected)
    return document


def _told_level(document: Mapping[str, Any]) -> Level | None:
    """The level that an interview told, if it cannot go on."""
    return max((Level(document[key]) for key in ("level", "floor") if document.get(key) in list(Level)), default=None)
