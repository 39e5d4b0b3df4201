"""Random valid models of the whole class, as the content of model files; every parameter is k/64."""

from random import Random
from typing import Any

LEVELS = ("self_care", "routine", "within_days", "same_day", "emergency")
Content = dict[str, Any]


def number(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "kind": "judged", "source": ["nowhere"], "n": 20.0, "why": "invented for a test", **more}


def link(w: float) -> dict[str, Any]:
    table = number(0.0)
    del table["value"]
    return {**table, "link": w}


def k64(rng: Random, low: int = 1, high: int = 63) -> float:
    return rng.randint(low, high) / 64


def care() -> dict[str, Any]:
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
) -> Content:
    """A model with risk factors that have parents, co-occurrence arcs, mechanisms and odds on leaks.

    With `extremes`, links of 0 and 1 and odds ratios of 0 occur.
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

    def odds(p: float, *, zero: bool = False) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for risk in risks:
            if rng.random() < p:
                states = risk_states[risk][1:]
                ratios = {
                    s: number(0.0 if zero and extremes and rng.random() < 0.2 else rng.choice([0.25, 0.5, 2.0, 3.0, 8.0]))
                    for s in states
                }
                table[risk] = ratios
        return table

    def some_links(children: list[str], p: float) -> dict[str, Any]:
        return {child: link(w()) for child in children if rng.random() < p}

    def node(links: dict[str, Any], *, zero: bool = False) -> dict[str, Any]:
        return {
            "label": "a node",
            "description": "a node",
            "group": "some",
            "urgency": rng.choice(LEVELS),
            "odds": odds(0.4, zero=zero),
            "links": links,
            "care": care(),
        }

    def leak() -> dict[str, Any]:
        return number(k64(rng, 1, 24))

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
        "complications": {name: {**node(some_links(findings, 0.4)), "leak": leak()} for name in complications},
        "mechanisms": {
            name: {"label": name, "description": name, "leak": leak(), "odds": odds(0.2), "links": some_links(findings, 0.5)}
            for name in mechanisms
        },
        "findings": {
            "complaint": finding(number(0.0)),
            **{name: finding(leak(), odds=odds(0.25)) for name in findings},
        },
        "urgency": urgency(),
        "sources": {"nowhere": {"citation": "nowhere", "url": "", "kind": "judgement"}},
    }
    for position, name in enumerate(causes):
        links = {
            **some_links(causes[position + 1 :], 0.1),
            **some_links(complications, 0.4),
            **some_links(mechanisms, 0.4),
            **some_links(findings, 0.3),
        }
        weights = {setting: number(rng.randint(8, 64) / 64) for setting in ("here", "there")}
        content["causes"][name] = {**node(links, zero=True), "weight": weights}
    for position, name in enumerate(risks):
        content["risk_factors"][name] = _risk(rng, name, risks[:position], risk_states)
    return content


def finding(leak: dict[str, Any], odds: dict[str, Any] | None = None) -> dict[str, Any]:
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


def _risk(rng: Random, name: str, earlier: list[str], risk_states: dict[str, list[str]]) -> dict[str, Any]:
    states = risk_states[name]
    parent = rng.choice(earlier) if earlier and rng.random() < 0.5 else None

    def row(when: dict[str, list[str]]) -> dict[str, Any]:
        table = number(0.0)
        del table["value"]
        probabilities = {state: k64(rng, 1, 28) for state in states[1:]}
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
