"""A model file is untrusted: whatever its texts say is shown as text, in every display and report."""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import Model, load_model
from calfbayes.explanation.conflict import Conflict, ConflictingPair
from calfbayes.explanation.tornado import Sensitivity
from calfbayes.presentation.page import report_html
from support.models import model_of
from support.pages import is_harmless, read_page

CAR = load_model(Path(__file__).parents[1] / "cli" / "car")
TEXTS = {
    "text",
    "label",
    "description",
    "question",
    "who",
    "come_back",
    "title",
    "intended_use",
    "population",
    "action",
    "reason",
}
TEXTS |= {"citation", "why", "licence", "examinations", "helps", "avoid", "synonyms", "not_for"}
ATTACKS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></section></table><a href=javascript:alert(1)>x</a>",
    "&lt;b&gt; &amp; <!-- ]]> -->",
)
attacks = st.one_of(st.sampled_from(ATTACKS), st.text(st.sampled_from("<>&\"'=/ imgscriptonload!-"), min_size=1, max_size=40))


def patient(model: Model) -> Any:
    evidence = {"smell_of_fuel": True, "mileage": 160, "lights_dim": False, "clicking": None}
    return model.diagnose(evidence, setting="garage")


@cache
def of_the_car() -> Sensitivity:
    """The numbers, which are the same whatever the texts say."""
    found: Sensitivity = patient(CAR).sensitivity(of="leaking_fuel_line")
    return found


def at_odds(model: Model) -> Conflict:
    """Two answers, as if they did not go together."""
    pair = ConflictingPair("smell_of_fuel", "lights_dim", 3.0)
    found: Conflict = patient(model).conflict()
    return replace(found, pairs=(pair,))


DISPLAYS: dict[str, Callable[[Model], str]] = {
    "model": lambda model: model._repr_html_(),
    "evidence": lambda model: patient(model).evidence._repr_html_(),
    "urgency": lambda model: patient(model).urgency._repr_html_(),
    "advice": lambda model: patient(model).care._repr_html_(),
    "policy": lambda model: patient(model).urgency.policy._repr_html_(),
    "diagnosis": lambda model: patient(model)._repr_html_(),
    "report": lambda model: report_html(patient(model)),
    "ledger": lambda model: patient(model).explain("leaking_fuel_line")._repr_html_(),
    "contest": lambda model: patient(model).compare_causes("leaking_fuel_line", "flat_battery")._repr_html_(),
    "comparison": lambda model: patient(model).what_if(smoke=True, remove=["lights_dim"])._repr_html_(),
    "conflict": lambda model: at_odds(model)._repr_html_(),
    "next questions": lambda model: patient(model).next_questions(who="clinician", objective="cause")._repr_html_(),
    "intervals": lambda model: patient(model).intervals()._repr_html_(),
    "sensitivity": lambda model: replace(of_the_car(), quantity=patient(model)["leaking_fuel_line"].label)._repr_html_(),
}


def poisoned(attack: str) -> Model:
    """The car with the attack in place of every text."""
    content = copy.deepcopy(CAR._content)
    _poison(content, attack)
    return model_of(content)


def _poison(table: Any, attack: str) -> None:
    for key, value in list(table.items()) if isinstance(table, dict) else []:
        if key in {"sentences", "words"}:
            table[key] = {name: f"x{attack} {template}" for name, template in value.items()}
        elif isinstance(value, dict):
            _poison(value, attack)
        elif key in TEXTS and isinstance(value, list):
            table[key] = [f"{attack} {k}" for k in range(2)]
        elif key == "unit":
            table[key] = f"x{attack}"[:20].strip()
        elif key in TEXTS:
            table[key] = f"x{attack}"
        elif isinstance(value, list):
            for entry in value:
                _poison(entry, attack)


@pytest.mark.parametrize("name", DISPLAYS)
@given(attack=attacks)
def test_hostile_text_stays_text(name: str, attack: str) -> None:
    honest, hostile = read_page(DISPLAYS[name](CAR)), read_page(DISPLAYS[name](poisoned(attack)))
    assert is_harmless(hostile)
    assert " ".join(f"x{attack}".split()) in hostile.words
    assert set(hostile.tags) <= set(honest.tags)
    assert {key for _, attributes in hostile.elements for key in attributes} <= {
        key for _, attributes in honest.elements for key in attributes
    }


def test_every_text_of_the_format_is_poisoned() -> None:
    """A new text field must be attacked, too: what is left of the car's own words is confined to signs of ids and addresses."""
    left = {text for text in _texts(poisoned("<b>")._content) if "<b>" not in text}
    assert len(left) > 20
    assert all(re.fullmatch(r"[a-z0-9_.=]*|https://[a-z./]+", text) for text in left)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _texts(part)
