"""The commands of those who keep a model: check, audit, evaluate, mutate, snapshot."""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from calfbayes.audit.comparison import Verdict, audit
from calfbayes.audit.report import audit_csv, audit_text
from calfbayes.audit.table import find_tables, read_table
from calfbayes.cli import models, terminal
from calfbayes.cli.command import Command, add_nothing, count, seed
from calfbayes.errors import ModelFileError
from calfbayes.evaluation.card import write_card
from calfbayes.evaluation.report import scores_text
from calfbayes.evaluation.scores import RESAMPLES
from calfbayes.knowledge.shipped import PACKAGE, models_folder, shipped_models, write_snapshot
from calfbayes.model import Model, bases_as_json, load_model
from calfbayes.presentation.plain import printable
from calfbayes.questionnaire.checking import FILE as QUESTIONNAIRE


def _add_check(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH", help="a model folder, or the name of a shipped model")
    parser.add_argument("--constraints", action="store_true", help="judge it by its constraints, too (may take minutes)")
    parser.add_argument("--verbose", action="store_true", help="show every constraint, not only those that are not met")


def _check(arguments: argparse.Namespace) -> int:
    # a shipped model is checked by its files, not by its snapshot
    path = models_folder() / arguments.path if arguments.path in shipped_models() else arguments.path
    try:
        model = load_model(path)
        if (Path(path) / QUESTIONNAIRE).exists():
            model.questionnaire()
    except ModelFileError as error:
        terminal.write("\n".join(printable(line) for line in str(error).splitlines()))
        return 1
    terminal.write(printable(f"no faults: {model!r}"))
    return _judge(model, arguments) if arguments.constraints else 0


def _judge(model: Model, arguments: argparse.Namespace) -> int:
    """Judge a model by its constraints."""
    from calfbayes.constraints.judging import check_constraints
    from calfbayes.constraints.text import constraints_text
    from calfbayes.testing.why import explanation

    try:
        constraints = model.constraints()
    except ModelFileError as error:
        terminal.write("\n".join(printable(line) for line in str(error).splitlines()))
        return 1
    verdicts = check_constraints(model._solved, constraints)
    explain = partial(explanation, model)
    terminal.write(constraints_text(constraints, verdicts, width=terminal.width(), verbose=arguments.verbose, explain=explain))
    return int(not all(verdict.holds for verdict in verdicts))


def _add_audit(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    del words
    models.add_model(parser)
    parser.add_argument("--verbose", action="store_true", help="show every row, not only the deviations")
    parser.add_argument("--csv", action="store_true", help="print a table for machines")


def _audit(arguments: argparse.Namespace) -> int:
    model = load_model(arguments.model)
    table = read_table(model._solved.network, find_tables(arguments.model))
    found = audit(model._solved, table)
    terminal.write(audit_csv(found) if arguments.csv else audit_text(found, verbose=arguments.verbose))
    return int(any(comparison.verdict is Verdict.FAILS for comparison in found))


def _add_evaluate(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    del words
    models.add_model(parser)
    parser.add_argument("cases", metavar="CASES", help="published patients, one JSON object a line; see models/README.md")
    parser.add_argument(
        "--resamples", type=count, default=RESAMPLES, metavar="N", help="of the bootstrap (default %(default)s)"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the bootstrap (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON, with the answer to every case")


def _evaluate(arguments: argparse.Namespace) -> int:
    scores = models.load(arguments.model).evaluate(arguments.cases)
    bootstrap = {"resamples": arguments.resamples, "seed": arguments.seed}
    if arguments.json:
        terminal.write(json.dumps(scores.to_dict(**bootstrap), allow_nan=False))
    else:
        terminal.write(scores_text(scores, **bootstrap))
    return 0


def _add_mutate(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH", help="a model folder, or the name of a shipped model")
    parser.add_argument("--cases", required=True, metavar="FILE", help="published patients, by whom influence is measured")
    text = "plant errors until so many matter to a published patient (default %(default)s)"
    parser.add_argument("-n", type=count, default=40, metavar="N", help=text)
    parser.add_argument("--seed", type=seed, default=0, metavar="SEED", help="which errors (default %(default)s)")
    text = "also write those that matter as comma-separated values, from which a model's card tells them"
    parser.add_argument("--table", metavar="FILE", help=text)


def _mutate(arguments: argparse.Namespace) -> int:
    from calfbayes.constraints.reading import find_constraints
    from calfbayes.evaluation.case_files import read_cases
    from calfbayes.testing.mutation import MutationReport, mutation_score

    def progress(so_far: MutationReport) -> None:
        tried = so_far.tried[-1]
        print(f"{tried}: {tried.verdict}", file=sys.stderr, flush=True)
        if arguments.table and tried.influential:  # at once, so that a run that is stopped leaves what it found
            Path(arguments.table).write_text(so_far.to_csv(), encoding="utf-8")

    folder = find_constraints(arguments.path)
    report = mutation_score(
        load_model(folder),
        folder,
        read_cases(Path(arguments.cases)),
        n=arguments.n,
        seed=arguments.seed,
        progress=progress,
    )
    terminal.write(str(report))
    return 0


def _snapshot(_: argparse.Namespace) -> int:
    if models_folder().is_relative_to(PACKAGE):
        raise terminal.InputError(f"{models_folder()} is installed; snapshots are written in a checkout only")
    for name in shipped_models():
        folder = models_folder() / name
        model = load_model(folder)
        try:
            path = write_snapshot(folder, model._content, model.digest, bases_as_json(model))
            write_card(folder, model.knowledge)
        except OSError as error:
            raise terminal.InputError(f"{folder}: {error.strerror or error}; the folder must be writable") from None
        terminal.write(f"{path}: {path.stat().st_size} bytes, digest {model.digest[:12]}")
    return 0


CHECK = Command("read a model folder and name every fault; judge it by its constraints", _add_check, _check)
AUDIT = Command("compare a model with the published figures that ship with it (takes minutes)", _add_audit, _audit)
EVALUATE = Command("score a model on published patients", _add_evaluate, _evaluate)
MUTATE = Command("plant errors in a model and see which constraints and patients notice (slow)", _add_mutate, _mutate)
SNAPSHOT = Command("for maintainers: write the quick-loading snapshots of the shipped models", add_nothing, _snapshot)
