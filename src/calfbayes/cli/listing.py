"""The commands that list what a model knows: findings, causes."""

import argparse
from collections.abc import Sequence

from calfbayes.cli import models, terminal
from calfbayes.cli.command import Command
from calfbayes.knowledge.shipped import open_model
from calfbayes.presentation.listing import causes_text, findings_text


def _add_findings(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    models.add_model(parser)
    parser.add_argument("words", nargs="*", metavar="WORD", help="words to look for in ids, labels, synonyms and questions")


def _findings(arguments: argparse.Namespace) -> int:
    knowledge = open_model(arguments.model).knowledge
    return _listed(findings_text(knowledge, arguments.words, width=terminal.width(), colour=terminal.colour()), arguments.words)


def _add_causes(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    _add_findings(parser, words)
    parser.add_argument("--setting", help="care setting; the model's default if left out")


def _causes(arguments: argparse.Namespace) -> int:
    nothing = models.load(arguments.model).diagnose({}, setting=arguments.setting)
    return _listed(causes_text(nothing, arguments.words, width=terminal.width(), colour=terminal.colour()), arguments.words)


def _listed(text: str, words: Sequence[str]) -> int:
    if not text:
        terminal.complain(f"nothing in the model is like {' '.join(words)!r}; fewer or other words may find it")
        return 1
    terminal.write(text)
    return 0


FINDINGS = Command("list or search the findings and risk factors", _add_findings, _findings)
CAUSES = Command("list or search the causes with their shares", _add_causes, _causes)
