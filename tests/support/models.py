"""Models to test: random ones by seed, and the shipped ones, each made once."""

from functools import cache
from pathlib import Path
from typing import Any

from calfbayes import Model, load_model
from calfbayes.constraints.content import FOLDER
from calfbayes.knowledge.shipped import shipped_models
from calfbayes.testing import random_models
from calfbayes.testing.random_models import model_of

__all__ = ["SHIPPED", "SOURCES", "model_of", "random_model", "shipped", "with_constraints"]

SHIPPED = shipped_models()
SOURCES = ("random", *SHIPPED)


@cache
def shipped(name: str) -> Model:
    return load_model(name)


@cache
def random_model(seed: int, *, n_causes: int = 4, **options: Any) -> Model:
    """The first random model of a seed whose shares some bases give."""
    return random_models.random_model(seed, n_causes=n_causes, **options)


def with_constraints(folder: Path, text: str) -> Path:
    """Write the one file of constraints of a model's folder; returns that folder."""
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / "test.toml").write_text(text, encoding="utf-8")
    return folder
