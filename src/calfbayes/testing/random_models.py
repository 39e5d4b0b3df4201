"""Random valid models of the whole class, as the content of model files; every parameter is k/64."""

from random import Random
from typing import Any

from calfbayes.errors import ModelFileError
from calfbayes.inference.solved import solve
from calfbayes.knowledge.reading import knowledge_from_content
from calfbayes.model import Model
from calfbayes.network import compile_network

LEVELS = ("self_care", "routine", "within_days", "same_day", "emergency")
Content = dict[str, Any]


def random_model(seed: int, *, n_causes: int = 4, **options: Any) -> Model:
    """The first random model of a seed whose shares some bases give.

    Args:
        seed: Of the random generator; the same seed gives the same model.
        n_causes: Number of causes.
        options: As `random_content`.
    """
    rng = Random(seed)  # noqa: S311  repeatable, no secret
    while True:
        content = random_content(rng, n_causes=n_causes, **options)
        try:
            return model_of(content)
        except ModelFileError:
            continue


def model_of(content: Content) -> Model:
    """Check, compile and solve.

    Raises:
        ModelFileError: If the content is wrong, or no bases give its shares.
    """
    return Model(solve(compile_network(knowledge_from_content(content, name="test"))), content)


def number(value: float, **more: Any) -> dict[str, Any]:
    """An elicited number."""
    return {"value": value, "kind": "judged", "source": ["nowhere"], "n": 20.0, "why": "invented for a test", **more}


def link(w: float) -> dict[str, Any]:
    """A link probability, background excluded."""
    table = number(0.0)
    del table["value"]
    return {**table, "link": w}


def probability(p: float) -> dict[str, Any]:
    """A probability of a finding given its cause, background included."""
    table = number(0.0)
    del table["value"]
    return {**table, "probability": p}


def k64(rng: Random, low: int = 1, high: int = 63) -> float:
    """A multiple of 1/64."""
    return rng.randint(low, high) / 64


def care() -> dict[str, Any]:
    """What to do about a cause."""
    return {"who": "someone", "examinations": [], "helps": [], "avoid": [], "come_back": "if worse", "source": ["nowhere"]}


def random_content(
    rng: Random,
    *,
    n_causes: int,
    n_complications: int = 1,
    n_mechanisms: int = 2,
    n_findings: int = 6,
    n_risks: int = 3,
    extremes: bool = False,
    n_rules: int = 0,
    logic: bool = False,
) -> Content:
    """A model with risk factors that have parents, co-occurrence arcs, mechanisms and odds on leaks.

    Args:
        extremes: Let links and leaks of 0 and 1, odds ratios of 0, and risk states with prior 0 occur.
        n_rules: Number of red-flag rules.
        logic: Let finding 2 imply 1, 1 imply 0, and 3 exclude 4.
    """
    causes = [f"cause_{k}" for k in range(n_causes)]
    complications = [f"complication_{k}" for k in range(n_complications)]
    mechanisms = [f"mechanism_{k}" for k in range(n_mechanisms)]
    findings = [f"finding_{k}" for k in range(n_findings)]
    risks = [f"risk_{k}" for k in range(n_risks)]
    risk_states = {risk: ["absent", "present"] if rng.random() < 0.6 else ["low", "middle", "high"] for risk in risks}

    def w() -> float:
        if extremes and rng.random() < 0.15:
            return rng.choice([0.0, 1.0])
        return k64(rng)

    def ratio() -> float:
        return 0.0 if extremes and rng.random() < 0.15 else rng.choice([0.25, 0.5, 2.0, 3.0, 8.0])

    def odds(p: float) -> dict[str, Any]:
        return {risk: {state: number(ratio()) for state in risk_states[risk][1:]} for risk in risks if rng.random() < p}

    def some_links(children: list[str], p: float) -> dict[str, Any]:
        return {child: link(w()) for child in children if rng.random() < p}

    def finding_links(p: float) -> dict[str, Any]:
        """In both conventions; those that include the leak may not lie below it."""
        links: dict[str, Any] = {}
        for child in findings:
            if rng.random() < p:
                lowest = int(by_finding[child]["leak"]["value"] * 64)
                links[child] = link(w()) if rng.random() < 0.7 else probability(k64(rng, lowest, 64 if extremes else 63))
        return links

    def node(links: dict[str, Any]) -> dict[str, Any]:
        return {
            "label": "a node",
            "description": "a node",
            "group": "some",
            "urgency": rng.choice(LEVELS),
            "odds": odds(0.4),
            "links": links,
            "care": care(),
        }

    def leaky(p_odds: float) -> dict[str, Any]:
        """A leak and what moves it; nothing moves a leak of 0 or 1."""
        if extremes and rng.random() < 0.15:
            return {"leak": number(rng.choice([0.0, 0.0, 1.0])), "odds": {}}
        return {"leak": number(k64(rng, 1, 24)), "odds": odds(p_odds)}

    by_finding = {name: leaky(0.25) for name in findings}
    content: Content = {
        "model": {
            "format": 1,
            "name": "random",
            "version": "0.0.1",
            "title": "random",
            "intended_use": "tests",
            "population": "nobody",
            "not_for": [],
            "licence": "Apache-2.0",
            "complaint": "complaint",
            "default_setting": "here",
            "settings": {
                "here": {"label": "here", "coincidence": number(0.6)},
                "there": {"label": "there", "coincidence": number(0.4)},
            },
        },
        "risk_factors": {},
        "causes": {},
        "complications": {name: {**node(some_links(findings, 0.4)), **leaky(0.4)} for name in complications},
        "mechanisms": {
            name: {"label": name, "description": name, **leaky(0.2), "links": some_links(findings, 0.5)} for name in mechanisms
        },
        "findings": {
            "complaint": finding(number(0.0)),
            **{name: finding(**by_finding[name]) for name in findings},
        },
        "urgency": {**urgency(), "rules": [_rule(rng, k, findings, risk_states) for k in range(n_rules)]},
        "sources": {"nowhere": {"citation": "nowhere", "url": "", "kind": "judgement"}},
    }
    for position, name in enumerate(causes):
        links = {
            **some_links(causes[position + 1 :], 0.1),
            **some_links(complications, 0.4),
            **some_links(mechanisms, 0.4),
            **finding_links(0.3),
        }
        weights = {setting: number(rng.randint(8, 64) / 64) for setting in ("here", "there")}
        content["causes"][name] = {**node(links), "weight": weights}
    for position, name in enumerate(risks):
        content["risk_factors"][name] = _risk(rng, name, risks[:position], risk_states, zeros=extremes)
    if logic:
        content["findings"][findings[2]]["implies"] = [findings[1]]
        content["findings"][findings[1]]["implies"] = [findings[0]]
        content["findings"][findings[3]]["excludes"] = [findings[4]]
    return content


def finding(leak: dict[str, Any], odds: dict[str, Any] | None = None) -> dict[str, Any]:
    """A finding that a patient can tell."""
    return {
        "label": "a finding",
        "question": "is it there?",
        "kind": "symptom",
        "group": "some",
        "observer": "patient",
        "burden": 1,
        "leak": leak,
        "odds": odds or {},
    }


def urgency() -> dict[str, Any]:
    """Levels, losses and no rules."""
    return {
        "levels": {level: {"label": level, "action": level} for level in LEVELS},
        "loss": {
            "kind": "judged",
            "source": ["nowhere"],
            "why": "invented for a test",
            "acted": {
                acted: {needed: float(max(0, b - a) ** 2 * 4 + max(0, a - b)) for b, needed in enumerate(LEVELS)}
                for a, acted in enumerate(LEVELS)
            },
        },
        "rules": [],
    }


def _rule(rng: Random, position: int, findings: list[str], risk_states: dict[str, list[str]]) -> dict[str, Any]:
    atoms = [*findings, *findings, *(f"{risk}={state}" for risk, states in risk_states.items() for state in states)]

    def condition(depth: int) -> Any:
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(atoms)
        return {rng.choice(["any", "all"]): [condition(depth - 1) for _ in range(rng.randint(1, 3))]}

    return {
        "id": f"rule_{position}",
        "level": rng.choice(LEVELS),
        "reason": "a reason",
        "source": ["nowhere"],
        "when": condition(2),
    }


def _risk(rng: Random, name: str, earlier: list[str], risk_states: dict[str, list[str]], *, zeros: bool) -> dict[str, Any]:
    states = risk_states[name]
    parent = rng.choice(earlier) if earlier and rng.random() < 0.5 else None

    def row(when: dict[str, list[str]]) -> dict[str, Any]:
        table = number(0.0)
        del table["value"]
        probabilities = {state: 0.0 if zeros and rng.random() < 0.15 else k64(rng, 1, 28) for state in states[1:]}
        return {**table, "when": when, "probabilities": probabilities}

    rows = [row({parent: [state]}) for state in risk_states[parent]] if parent else [row({})]
    return {
        "label": name,
        "question": "is it so?",
        "group": "some",
        "burden": 1,
        "states": states,
        "reference": states[0],
        "prior": rows,
    }
