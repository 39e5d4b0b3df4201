"""The commands about one patient: diagnose, explain, replay, ask, demo."""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import Any

from calfbayes.cli import models, terminal
from calfbayes.cli.command import Command, add_nothing, count
from calfbayes.cli.evidence import ITEMS, add_evidence, add_factors_of_model, evidence_of
from calfbayes.errors import NoPosteriorError, QueryTooCostlyError
from calfbayes.knowledge.shipped import models_folder, shipped_models
from calfbayes.knowledge.wording import short
from calfbayes.presentation.doubt import intervals_text, sensitivity_text
from calfbayes.presentation.patients import patient_text
from calfbayes.presentation.plain import printable, wrapped
from calfbayes.presentation.reasons import conflict_sentences, contest_text, ledger_text
from calfbayes.presentation.text import diagnosis_text
from calfbayes.questionnaire.asking import answer_text, ask

DEMO_PATIENTS = "demo_patients.json"


def _add_diagnose(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    models.add_model(parser)
    add_evidence(parser)
    parser.add_argument("--engine", choices=["exact", "pgmpy"], default="exact", help="pgmpy is the slow second opinion")
    parser.add_argument("--top", type=count, default=8, metavar="N", help="show so many causes (default %(default)s)")
    parser.add_argument("--care", action="store_true", help="add who to see, what to avoid, when to come back")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the result as JSON")
    output.add_argument(
        "--record", action="store_true", help="print the record from which `calfbayes replay` repeats the result"
    )
    add_factors_of_model(parser, words)


def _diagnose(arguments: argparse.Namespace) -> int:
    model = models.load(arguments.model)
    evidence = evidence_of(model, arguments)
    result = model.diagnose(evidence, engine=arguments.engine)
    if arguments.json:
        terminal.write(json.dumps(result.to_dict(), allow_nan=False))
    elif arguments.record:
        terminal.write(json.dumps(result.record(), allow_nan=False))
    else:
        terminal.write(
            diagnosis_text(result, width=terminal.width(), colour=terminal.colour(), top=arguments.top, care=arguments.care)
        )
    return 0


def _add_explain(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    models.add_model(parser)
    add_evidence(parser)
    parser.add_argument("--cause", metavar="ID", help="the cause or complication to explain; the most probable if left out")
    parser.add_argument("--against", metavar="ID", help="hold it against this one")
    parser.add_argument("--intervals", action="store_true", help="add how sure the probabilities are, by derivatives")
    parser.add_argument("--draws", type=count, metavar="N", help="the same from N drawn models (20 or more; slow)")
    parser.add_argument(
        "--sensitivity", metavar="ID", help="add which numbers of the model it hangs on: a cause, complication, or `urgency`"
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")
    add_factors_of_model(parser, words)


def _explain(arguments: argparse.Namespace) -> int:
    model = models.load(arguments.model)
    result = model.diagnose(evidence_of(model, arguments))
    if arguments.cause is None and not result.causes:
        raise NoPosteriorError(result.outcome_reason)
    ledger = result.explain(result.causes[0].id if arguments.cause is None else arguments.cause)
    contest = None if arguments.against is None else result.compare_causes(ledger.cause, arguments.against)
    conflict = None
    try:
        conflict = result.conflict()
        cautions = conflict_sentences(result, conflict)
    except QueryTooCostlyError as error:  # the caution is beside the point of the command
        cautions = (f"Whether the answers go together was not looked at: {error}",)
    how_sure = None
    if arguments.draws is not None:
        how_sure = result.intervals(method="sampling", draws=arguments.draws)
    elif arguments.intervals:
        how_sure = result.intervals()
    hangs_on = None if arguments.sensitivity is None else result.sensitivity(arguments.sensitivity)
    if arguments.json:
        parts = {
            "ledger": ledger.to_dict(),
            "against": contest and contest.to_dict(),
            "conflict": conflict and conflict.to_dict(),
            "intervals": how_sure and how_sure.to_dict(),
            "sensitivity": hangs_on and hangs_on.to_dict(),
        }
        terminal.write(json.dumps(parts, allow_nan=False))
        return 0
    texts = [ledger_text(ledger, width=terminal.width())]
    if contest:
        texts.append(contest_text(contest, width=terminal.width()))
    texts += ["\n".join(wrapped(text, terminal.width())) for text in cautions]
    if how_sure:
        texts.append(intervals_text(how_sure))
    if hangs_on:
        texts.append(sensitivity_text(hangs_on, width=terminal.width()))
    terminal.write("\n\n".join(texts))
    return 0


def _add_replay(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("--model", help="a shipped model or a model folder; the one that the record names if left out")
    parser.add_argument("record", metavar="FILE", help="what `calfbayes diagnose --record` printed, - for standard input")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _replay(arguments: argparse.Namespace) -> int:
    try:
        document = json.loads(terminal.read(arguments.record), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise terminal.InputError(
            f"{arguments.record}: is no JSON ({error}); give what `calfbayes diagnose --record` printed"
        ) from None
    named = document.get("model") if isinstance(document, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    model = models.load(arguments.model or (name if isinstance(name, str) and name in shipped_models() else None))
    if arguments.model is None and isinstance(name, str) and name != model.name:
        raise terminal.InputError(
            f"{arguments.record}: is of model {name[:80]!r}, which is not shipped; give its folder with --model"
        )
    again = model.replay(document)
    terminal.write(
        json.dumps(again.to_dict(), allow_nan=False) if arguments.json else "\n".join(map(printable, str(again).splitlines()))
    )
    return int(not again.reproduced)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table:
            raise terminal.InputError(f"the record has {short(name)} given more than once in one table; give each once")
        table[name] = value
    return table


def _add_ask(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    models.add_model(parser)
    parser.add_argument("--setting", help="care setting; the model's default if left out")
    parser.add_argument("--budget", type=count, metavar="N", help="ask at most so many questions")
    parser.add_argument(
        "--json", action="store_true", help="print level, interview and result as JSON; the questions go to standard error"
    )


def _ask(arguments: argparse.Namespace) -> int:
    model = models.load(arguments.model)
    interview = model.interview(setting=arguments.setting, budget=arguments.budget)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a key that the encoding lacks is no reason to fail
    with redirect_stdout(sys.stderr) if arguments.json else nullcontext():
        interview = ask(interview, read=input, write=terminal.write, width=terminal.width(), colour=terminal.colour())
    if arguments.json:
        action = interview.result.urgency.policy.text_of(interview.level).action
        parts = {"interview": interview.to_dict(), "result": interview.result.to_dict()}
        terminal.write(json.dumps({"level": str(interview.level), "action": action, **parts}, allow_nan=False))
        return 0
    terminal.write(f"\n{answer_text(interview, width=terminal.width(), colour=terminal.colour())}")
    return 0


def _demo(_: argparse.Namespace) -> int:
    model = models.load()
    text = (models_folder() / model.name / DEMO_PATIENTS).read_text(encoding="utf-8")
    for patient in json.loads(text)["patients"]:
        person = {name: patient[name] for name in ("age", "sex") if patient[name] is not None}
        result = model.diagnose({**person, **patient["risk_factors"], **patient["findings"]}, setting=patient["setting"])
        terminal.write(
            f"{'=' * terminal.width()}\n{patient_text(patient, result, width=terminal.width(), colour=terminal.colour())}\n"
        )
    return 0


DIAGNOSE = Command("say how probable each cause is, and how urgent the situation", _add_diagnose, _diagnose, ITEMS + "\n")
EXPLAIN = Command("say why a cause is as probable as it is, and hold it against another", _add_explain, _explain, ITEMS + "\n")
REPLAY = Command("repeat a recorded result, or say what differs and why", _add_replay, _replay)
ASK = Command("interview a patient, then say what `diagnose` says", _add_ask, _ask)
DEMO = Command("diagnose three published patients", add_nothing, _demo)
