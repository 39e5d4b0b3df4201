"""Models to test: random ones by seed, and the shipped ones, each made once."""

from functools import cache
from random import Random
from typing import Any

from calfbayes import Model, ModelFileError, load_model
from calfbayes.inference.solved import solve
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.knowledge.shipped import shipped_models
from calfbayes.network import compile_network
from support.random_models import random_content

SHIPPED = shipped_models()
SOURCES = ("random", *SHIPPED)


@cache
def shipped(name: str) -> Model:
    return load_model(name)


def model_of(content: Content) -> Model:
    """Check, compile and solve.

    Raises:
        ModelFileError: If the content is wrong, or no bases give its shares.
    """
    return Model(solve(compile_network(knowledge_from_content(content, name="test"))), content)


@cache
def random_model(seed: int, *, n_causes: int = 4, **options: Any) -> Model:
    """The first random model of a seed whose shares some bases give."""
    rng = Random(seed)
    while True:
        content = random_content(rng, n_causes=n_causes, **options)
        try:
            return model_of(content)
        except ModelFileError:
            continue
