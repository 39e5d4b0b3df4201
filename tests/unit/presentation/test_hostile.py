"""A model file is untrusted: in every display of every result, its texts stand as text."""

import copy
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import calfbayes
from calfbayes import Likelihood, load_model
from calfbayes.explanation.conflict import ConflictingPair
from calfbayes.presentation.page import report_html
from support.models import model_of
from support.pages import is_harmless, read_page

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
LEAK = "leaking_fuel_line"
ATTACKS = ["<img src=x onerror=alert(1)>", "\"'><script>alert(1)</script>", "</style></section><a href=javascript:alert(1)>x"]


def shown_things(attack: str) -> list[Any]:
    """One of each kind that shows itself, all words of its model replaced."""
    content = copy.deepcopy(CAR._content)
    replace_words(content, attack)
    model = model_of(content)
    result = model.diagnose({"smell_of_fuel": True, "mileage": 160, "smoke": Likelihood(2), "clicking": None})
    conflict = result.conflict()
    pair = ConflictingPair("smell_of_fuel", "smoke", 0.5)
    return [
        *(model, result, result.evidence, result.explain(LEAK), result.compare_causes(LEAK, "flat_battery")),
        *(result.what_if(lights_dim=True), model.diagnose({"lights_dim": True}).next_questions()),
        *(result.urgency, result.care, result.urgency.policy, result.flips()),
        *(result.intervals(), result.sensitivity(of=LEAK), type(conflict)(**{**fields(conflict), "pairs": (pair,)})),
    ]


def replace_words(content: Any, attack: str) -> None:
    """Put the attack wherever a file of a model holds words for people."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        if isinstance(value, dict | list):
            replace_words(value, attack)
        elif isinstance(value, str) and key in {"label", "description", "title", "question", "reason", "action", "citation"}:
            content[key] = attack


def fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def kinds_that_show_themselves() -> set[type]:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(calfbayes.__path__, "calfbayes.")
        if "__main__" not in module.name
    ]
    classes = [kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)]
    return {kind for kind in classes if "_repr_html_" in vars(kind)}


def test_every_kind_that_shows_itself_is_tried_here() -> None:
    assert {type(thing) for thing in shown_things("x")} == kinds_that_show_themselves()


@pytest.mark.parametrize("attack", ATTACKS)
def test_words_of_a_model_are_shown_as_text(attack: str) -> None:
    things = shown_things(attack)
    result = things[1]
    for html in [*(thing._repr_html_() for thing in things), report_html(result)]:
        page = read_page(html)
        assert is_harmless(page)
        assert attack in page.text
    assert all(repr(thing) for thing in things)


def test_notebooks_set_no_formulas_from_words_of_a_model() -> None:
    """A dollar in two labels is money, not mathematics: the notebook's typesetter is told to leave the displays alone."""
    for thing in shown_things("$x$"):
        tag, attributes = read_page(thing._repr_html_()).elements[0]
        assert tag == "div"
        assert {"mathjax_ignore", "tex2jax_ignore"} <= set((attributes["class"] or "").split())
