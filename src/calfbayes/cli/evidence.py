"""Evidence as words on the command line, and the options that a model's risk factors give."""

import argparse
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial

from calfbayes.cli import models, terminal
from calfbayes.errors import EvidenceError
from calfbayes.evidence import Evidence, Likelihood
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.model import Model

ITEMS = """\
items:
  FINDING          present                 no:FINDING      absent
  unknown:FINDING  asked, not known        FINDING=3.0     a doubtful report with this likelihood ratio
  FACTOR=STATE     state or number of a risk factor; FACTOR and no:FACTOR where it is a yes or no
"""
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)  # no 1_0, inf, nan as float() has
WORDS = {
    **dict.fromkeys(("yes", "true", "present"), True),
    **dict.fromkeys(("no", "false", "absent"), False),
    **dict.fromkeys(("unknown",), None),
}


def add_evidence(parser: argparse.ArgumentParser) -> None:
    """The arguments that tell about a patient."""
    parser.add_argument("items", nargs="*", metavar="ITEM", help="a finding or risk factor, see below")
    parser.add_argument("--setting", help="care setting; the model's default if left out")
    parser.add_argument(
        "--evidence", metavar="FILE", help="JSON of Evidence.to_json, - for standard input; an ITEM replaces what it says"
    )


def add_factors_of_model(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Options for the risk factors of the model that the line names."""
    parser.set_defaults(factors=[])
    only_model = argparse.ArgumentParser(prog=parser.prog, add_help=False, allow_abbrev=False)
    models.add_model(only_model)
    _add_factors(parser, models.load(only_model.parse_known_args(list(words))[0].model))


def _add_factors(parser: argparse.ArgumentParser, model: Model) -> None:
    """Give every risk factor that is more than a yes or no an option of its own: `--age 67` is short for `age=67`."""
    group = parser.add_argument_group(f"risk factors of model {model.name}")
    for factor in model.risk_factors:
        if not factor.is_binary:
            values = factor.unit.upper() if factor.unit else "{" + ",".join(factor.states) + "}"
            item = partial("{}={}".format, factor.id)
            text = factor.question.replace("%", "%%")
            with suppress(argparse.ArgumentError):  # the name of an option above; `FACTOR=STATE` still serves
                group.add_argument(f"--{factor.id}", dest="factors", action="append", type=item, metavar=values, help=text)


def evidence_of(model: Model, arguments: argparse.Namespace) -> Evidence:
    """Evidence of the file, then of the command line, which replaces what the file says of the same id."""
    factors = {factor.id: factor for factor in model.risk_factors}
    items = _without_repeats(_item(text, factors) for text in (*arguments.items, *arguments.factors))
    if arguments.evidence is None:
        return model.evidence(items, setting=arguments.setting)
    start = model.evidence_from_json(terminal.read(arguments.evidence))
    setting = start.setting if arguments.setting is None else arguments.setting
    return model.evidence({**start, **items}, setting=setting)


def _item(text: str, factors: dict[str, RiskFactor]) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if equals:
        return _assigned(name, value, factors)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in {"no", "unknown"}:
        return rest, WORDS[prefix]
    return text, True


def _assigned(name: str, text: str, factors: dict[str, RiskFactor]) -> tuple[str, object]:
    """What `name=text` means: a state or number of a risk factor, a word of `WORDS`, or a likelihood ratio."""
    if name in factors and text in factors[name].states:
        return name, text
    if text in WORDS:
        return name, WORDS[text]
    if not NUMBER.fullmatch(text):
        return name, text
    number = float(text)
    if name in factors:
        return name, int(number) if number.is_integer() else number
    if number in {0.0, 1.0}:
        remedy = f"write {name} if it is present, no:{name} if it is absent"
        raise EvidenceError(name, text, "after = stands a likelihood ratio, and this one cannot be meant", remedy)
    return name, Likelihood(number)


def _without_repeats(given: Iterable[tuple[str, object]]) -> dict[str, object]:
    items: dict[str, object] = {}
    for name, value in given:
        if name in items and (type(items[name]), items[name]) != (type(value), value):
            raise EvidenceError(name, f"{items[name]!r} and {value!r}", "is given twice with different values", "give it once")
        items[name] = value
    return items
