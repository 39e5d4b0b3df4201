"""Which model a command is about."""

import argparse
from functools import cache

from calfbayes.model import Model, load_model

DEFAULT_MODEL = "calf"


def add_model(parser: argparse.ArgumentParser) -> None:
    """The option that names the model."""
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a shipped model or a model folder (default %(default)s)")


@cache
def load(name: str | None = None) -> Model:
    """The model of that name or folder, read once; the default one if no name is given."""
    return load_model(name or DEFAULT_MODEL)
