"""Models small enough to be written down and followed by hand."""

from collections.abc import Mapping
from typing import Any

from support.random_models import LEVELS, Content, care, finding, link, number, urgency

Links = Mapping[str, float]


def small_content(
    causes: Mapping[str, tuple[float, Links]],
    findings: Mapping[str, float],
    *,
    mechanisms: Mapping[str, Links] | None = None,
    levels: Mapping[str, str] | None = None,
    rules: Mapping[str, tuple[str, Any]] | None = None,
    coincidence: float = 0.2,
) -> Content:
    """A model without risk factors and with one care setting.

    Args:
        causes: Weight and links of each cause.
        findings: Leak of each finding besides the complaint.
        mechanisms: Links of each mechanism; their leaks are 0.
        levels: Urgency of causes; routine if not given.
        rules: Level and condition of each rule.
    """

    def links(given: Links) -> dict[str, Any]:
        return {child: link(w) for child, w in given.items()}

    def cause(name: str) -> dict[str, Any]:
        weight, given = causes[name]
        level = (levels or {}).get(name, "routine")
        assert level in LEVELS
        text = {"label": name, "description": name, "group": "some", "urgency": level, "care": care()}
        return {**text, "odds": {}, "links": links(given), "weight": {"here": number(weight)}}

    return {
        "model": {
            "format": 1,
            "name": "small",
            "version": "0.0.1",
            "title": "small",
            "intended_use": "tests",
            "population": "nobody",
            "not_for": [],
            "licence": "Apache-2.0",
            "complaint": "complaint",
            "default_setting": "here",
            "settings": {"here": {"label": "here", "coincidence": number(coincidence)}},
        },
        "risk_factors": {},
        "causes": {name: cause(name) for name in causes},
        "complications": {},
        "mechanisms": {
            name: {"label": name, "description": name, "leak": number(0.0), "odds": {}, "links": links(given)}
            for name, given in (mechanisms or {}).items()
        },
        "findings": {
            "complaint": finding(number(0.0)),
            **{name: finding(number(leak)) for name, leak in findings.items()},
        },
        "urgency": {
            **urgency(),
            "rules": [
                {"id": name, "level": level, "reason": "a reason", "source": ["nowhere"], "when": when}
                for name, (level, when) in (rules or {}).items()
            ],
        },
        "sources": {"nowhere": {"citation": "nowhere", "url": "", "kind": "judgement"}},
    }


def factor(name: str, p: float, *, excluded_by: str = "") -> dict[str, Any]:
    """A risk factor that is present or absent.

    Args:
        p: Its prior.
        excluded_by: Another such factor with which it is never present.
    """
    origin = {key: value for key, value in number(0.0).items() if key != "value"}
    priors = {"absent": p, "present": 0.0} if excluded_by else {"": p}
    return {
        "label": name,
        "question": name,
        "group": "some",
        "burden": 1,
        "states": ["absent", "present"],
        "reference": "absent",
        "prior": [
            {**origin, "when": {excluded_by: [state]} if state else {}, "probabilities": {"present": chance}}
            for state, chance in priors.items()
        ],
    }
