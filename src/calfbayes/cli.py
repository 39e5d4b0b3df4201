"""The command line: arguments in, text or JSON out; no arithmetic and no medicine.

Options such as `--age` are not written here: every risk factor of the loaded model that is more than a yes or no gets
one, so a model with other risk factors has other options.

Exit codes:
    0    done
    1    what was given is wrong: evidence, a model, a file; the message says what would do
    2    the command is wrong: an unknown option or command, a missing argument
    130  interrupted from the keyboard
    141  the reader of the output went away
"""

import argparse
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from calfbayes import __version__
from calfbayes.audit.comparison import Verdict, audit
from calfbayes.audit.report import audit_csv, audit_text
from calfbayes.audit.table import find_tables, read_table
from calfbayes.errors import (
    CalfBayesError,
    EvidenceError,
    ModelFileError,
    NoPosteriorError,
    QueryTooCostlyError,
    UnknownNameError,
)
from calfbayes.evaluation.card import write_card
from calfbayes.evaluation.report import scores_text
from calfbayes.evaluation.scores import RESAMPLES
from calfbayes.evidence import Evidence, Likelihood
from calfbayes.knowledge.shipped import PACKAGE, models_folder, open_model, shipped_models, write_snapshot
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.model import Model, bases_as_json, load_model
from calfbayes.presentation.doubt import intervals_text, sensitivity_text
from calfbayes.presentation.listing import causes_text, findings_text
from calfbayes.presentation.patients import patient_text
from calfbayes.presentation.plain import ASCII_SIGNS, printable, wrapped
from calfbayes.presentation.reasons import conflict_sentences, contest_text, ledger_text
from calfbayes.presentation.text import diagnosis_text
from calfbayes.questionnaire.asking import ask
from calfbayes.questionnaire.checking import FILE as QUESTIONNAIRE

EXIT_CODES = "\n".join(["exit codes:", *(__doc__ or "").partition("Exit codes:\n")[2].splitlines()])
ITEMS = """\
items:
  FINDING          present                 no:FINDING      absent
  unknown:FINDING  asked, not known        FINDING=3.0     a doubtful report with this likelihood ratio
  FACTOR=STATE     state or number of a risk factor; FACTOR and no:FACTOR where it is a yes or no
"""
DEFAULT_MODEL = "calf"
DEMO_PATIENTS = "demo_patients.json"
MAX_EVIDENCE_BYTES = 4_000_000
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)  # no 1_0, inf, nan as float() has
WORDS = {
    **dict.fromkeys(("yes", "true", "present"), True),
    **dict.fromkeys(("no", "false", "absent"), False),
    **dict.fromkeys(("unknown",), None),
}


class InputError(CalfBayesError):
    """A file that the command line was told to read or write cannot be."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a sign that the terminal lacks is no reason to fail
    try:
        command, arguments = _parsed(words)
        code = command.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else 2
    except CalfBayesError as error:
        _complain(str(error))
        if isinstance(error, UnknownNameError) and error.kind == "finding or risk factor":
            _complain("`calfbayes findings WORDS` searches ids, labels and synonyms")
        if isinstance(error, EvidenceError):
            _complain("`calfbayes diagnose --help` shows how an item is written")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains while closing
        return 141
    except OSError as error:  # a full disk, say
        _complain(f"the output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


# --- the arguments ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: what it says of itself, its arguments (given the words on the line, to know the model), what it does."""

    summary: str
    add: Callable[[argparse.ArgumentParser, Sequence[str]], None]
    run: Callable[[argparse.Namespace], int]
    epilog: str = ""


def _parsed(words: Sequence[str]) -> tuple[_Command, argparse.Namespace]:
    if not words or words[0] not in COMMANDS:
        summaries = "\n".join(f"    {name:<10} {command.summary}" for name, command in COMMANDS.items())
        description = "What may be behind a painful calf, and how urgent it is. Informs; does not replace a clinician."
        top = _new_parser("calfbayes", f"{description}\n\ncommands:\n{summaries}", EXIT_CODES)
        top.add_argument("--version", action="version", version=f"calfbayes {__version__}")
        top.add_argument("command", metavar="COMMAND", choices=COMMANDS, help="`calfbayes COMMAND --help` tells more")
        top.parse_args(words[:1])
        top.error("give the command first")
    command = COMMANDS[words[0]]
    parser = _new_parser(f"calfbayes {words[0]}", command.summary, command.epilog + EXIT_CODES)
    command.add(parser, words[1:])
    return command, parser.parse_intermixed_args(words[1:])


def _new_parser(prog: str, description: str, epilog: str) -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(
        prog=prog, description=description, epilog=epilog, formatter_class=layout, allow_abbrev=False
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a shipped model or a model folder (default %(default)s)")


def _add_diagnose(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    _add_model(parser)
    _add_evidence(parser)
    parser.add_argument("--engine", choices=["exact", "pgmpy"], default="exact", help="pgmpy is the slow second opinion")
    parser.add_argument("--top", type=_count, default=8, metavar="N", help="show so many causes (default %(default)s)")
    parser.add_argument("--care", action="store_true", help="add who to see, what to avoid, when to come back")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the result as JSON")
    output.add_argument(
        "--record", action="store_true", help="print the record from which `calfbayes replay` repeats the result"
    )
    _add_factors_of_model(parser, words)


def _add_explain(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    _add_model(parser)
    _add_evidence(parser)
    parser.add_argument("--cause", metavar="ID", help="the cause or complication to explain; the most probable if left out")
    parser.add_argument("--against", metavar="ID", help="hold it against this one")
    parser.add_argument("--intervals", action="store_true", help="add how sure the probabilities are, by derivatives")
    parser.add_argument("--draws", type=_count, metavar="N", help="the same from N drawn models (20 or more; slow)")
    parser.add_argument(
        "--sensitivity", metavar="ID", help="add which numbers of the model it hangs on: a cause, complication, or `urgency`"
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")
    _add_factors_of_model(parser, words)


def _add_replay(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("--model", help="a shipped model or a model folder; the one that the record names if left out")
    parser.add_argument("record", metavar="FILE", help="what `calfbayes diagnose --record` printed, - for standard input")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("items", nargs="*", metavar="ITEM", help="a finding or risk factor, see below")
    parser.add_argument("--setting", help="care setting; the model's default if left out")
    parser.add_argument(
        "--evidence", metavar="FILE", help="JSON of Evidence.to_json, - for standard input; an ITEM replaces what it says"
    )


def _add_factors_of_model(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Options for the risk factors of the model that the line names."""
    parser.set_defaults(factors=[])
    only_model = argparse.ArgumentParser(prog=parser.prog, add_help=False, allow_abbrev=False)
    _add_model(only_model)
    _add_factors(parser, _load(only_model.parse_known_args(list(words))[0].model))


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


def _add_ask(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    _add_model(parser)
    parser.add_argument("--setting", help="care setting; the model's default if left out")
    parser.add_argument("--budget", type=_count, metavar="N", help="ask at most so many questions")
    parser.add_argument("--json", action="store_true", help="print the result as JSON; the questions go to standard error")


def _add_check(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH", help="a model folder, or the name of a shipped model")
    parser.add_argument("--constraints", action="store_true", help="judge it by its constraints, too (may take minutes)")
    parser.add_argument("--verbose", action="store_true", help="show every constraint, not only those that are not met")


def _add_mutate(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH", help="a model folder, or the name of a shipped model")
    parser.add_argument("--cases", required=True, metavar="FILE", help="published patients, by whom influence is measured")
    text = "plant errors until so many matter to a published patient (default %(default)s)"
    parser.add_argument("-n", type=_count, default=40, metavar="N", help=text)
    parser.add_argument("--seed", type=_seed, default=0, metavar="SEED", help="which errors (default %(default)s)")
    text = "also write those that matter as comma-separated values, from which a model's card tells them"
    parser.add_argument("--table", metavar="FILE", help=text)


def _add_findings(parser: argparse.ArgumentParser, _: Sequence[str]) -> None:
    _add_model(parser)
    parser.add_argument("words", nargs="*", metavar="WORD", help="words to look for in ids, labels, synonyms and questions")


def _add_causes(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    _add_findings(parser, words)
    parser.add_argument("--setting", help="care setting; the model's default if left out")


def _add_nothing(_: argparse.ArgumentParser, __: Sequence[str]) -> None:
    """The command has no arguments."""


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError("expected a whole number from 0")
    return int(text)


@cache
def _load(name: str) -> Model:
    return load_model(name)


# --- the commands ----------------------------------------------------------------------------------------------------


def _diagnose(arguments: argparse.Namespace) -> int:
    model = _load(arguments.model)
    evidence = _evidence(model, arguments)
    result = model.diagnose(evidence, engine=arguments.engine)
    if arguments.json:
        _write(json.dumps(result.to_dict(), allow_nan=False))
    elif arguments.record:
        _write(json.dumps(result.record(), allow_nan=False))
    else:
        _write(diagnosis_text(result, width=_width(), colour=_colour(), top=arguments.top, care=arguments.care))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    model = _load(arguments.model)
    result = model.diagnose(_evidence(model, arguments))
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
        _write(json.dumps(parts, allow_nan=False))
        return 0
    texts = [ledger_text(ledger, width=_width())]
    if contest:
        texts.append(contest_text(contest, width=_width()))
    texts += ["\n".join(wrapped(text, _width())) for text in cautions]
    if how_sure:
        texts.append(intervals_text(how_sure))
    if hangs_on:
        texts.append(sensitivity_text(hangs_on, width=_width()))
    _write("\n\n".join(texts))
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    try:
        document = json.loads(_read(arguments.record))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{arguments.record}: is no JSON ({error}); give what `calfbayes diagnose --record` printed") from None
    named = document.get("model") if isinstance(document, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    model = _load(arguments.model or (name if isinstance(name, str) and name in shipped_models() else DEFAULT_MODEL))
    again = model.replay(document)
    _write(
        json.dumps(again.to_dict(), allow_nan=False) if arguments.json else "\n".join(map(printable, str(again).splitlines()))
    )
    return int(not again.reproduced)


def _ask(arguments: argparse.Namespace) -> int:
    model = _load(arguments.model)
    interview = model.interview(setting=arguments.setting, budget=arguments.budget)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a key that the encoding lacks is no reason to fail
    with redirect_stdout(sys.stderr) if arguments.json else nullcontext():
        interview = ask(interview, read=input, write=_write, width=_width(), colour=_colour())
    if arguments.json:
        _write(json.dumps({**interview.result.to_dict(), "interview": interview.to_dict()}, allow_nan=False))
        return 0
    _write(f"\n{diagnosis_text(interview.result, width=_width(), colour=_colour())}")
    if interview.level > interview.result.urgency.level:
        _write(f"\nEarlier answers called for more: {interview.result.urgency.policy.text_of(interview.level).action}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    # a shipped model is checked by its files, not by its snapshot
    path = models_folder() / arguments.path if arguments.path in shipped_models() else arguments.path
    try:
        model = load_model(path)
        if (Path(path) / QUESTIONNAIRE).exists():
            model.questionnaire()
    except ModelFileError as error:
        _write("\n".join(printable(line) for line in str(error).splitlines()))
        return 1
    _write(printable(f"no faults: {model!r}"))
    return _judge(model, arguments) if arguments.constraints else 0


def _judge(model: Model, arguments: argparse.Namespace) -> int:
    """Judge a model by its constraints."""
    from calfbayes.constraints.judging import check_constraints
    from calfbayes.constraints.reading import find_constraints, read_constraints
    from calfbayes.constraints.text import constraints_text
    from calfbayes.testing.why import explanation

    try:
        constraints = read_constraints(model._solved.network, find_constraints(arguments.path)).constraints
    except ModelFileError as error:
        _write("\n".join(printable(line) for line in str(error).splitlines()))
        return 1
    verdicts = check_constraints(model._solved, constraints)
    explain = partial(explanation, model)
    _write(constraints_text(constraints, verdicts, width=_width(), verbose=arguments.verbose, explain=explain))
    return int(not all(verdict.holds for verdict in verdicts))


def _add_audit(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    del words
    _add_model(parser)
    parser.add_argument("--verbose", action="store_true", help="show every row, not only the deviations")
    parser.add_argument("--csv", action="store_true", help="print a table for machines")


def _audit(arguments: argparse.Namespace) -> int:
    model = load_model(arguments.model)
    table = read_table(model._solved.network, find_tables(arguments.model))
    found = audit(model._solved, table)
    _write(audit_csv(found) if arguments.csv else audit_text(found, verbose=arguments.verbose))
    return int(any(comparison.verdict is Verdict.FAILS for comparison in found))


def _mutate(arguments: argparse.Namespace) -> int:
    from calfbayes.constraints.reading import find_constraints
    from calfbayes.evaluation.case_files import read_cases
    from calfbayes.testing.mutation import mutation_score

    folder = find_constraints(arguments.path)
    report = mutation_score(
        load_model(folder),
        folder,
        read_cases(Path(arguments.cases)),
        n=arguments.n,
        seed=arguments.seed,
        progress=lambda tried: print(f"{tried}: {tried.verdict}", file=sys.stderr, flush=True),
    )
    if arguments.table:
        Path(arguments.table).write_text(report.to_csv(), encoding="utf-8")
    _write(str(report))
    return 0


def _add_evaluate(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    del words
    _add_model(parser)
    parser.add_argument("cases", metavar="CASES", help="published patients, one JSON object a line; see models/README.md")
    parser.add_argument(
        "--resamples", type=_count, default=RESAMPLES, metavar="N", help="of the bootstrap (default %(default)s)"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of the bootstrap (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON, with the answer to every case")


def _evaluate(arguments: argparse.Namespace) -> int:
    scores = _load(arguments.model).evaluate(arguments.cases)
    bootstrap = {"resamples": arguments.resamples, "seed": arguments.seed}
    if arguments.json:
        _write(json.dumps(scores.to_dict(**bootstrap), allow_nan=False))
    else:
        _write(scores_text(scores, **bootstrap))
    return 0


def _findings(arguments: argparse.Namespace) -> int:
    knowledge = open_model(arguments.model).knowledge
    return _listed(findings_text(knowledge, arguments.words, width=_width(), colour=_colour()), arguments.words)


def _causes(arguments: argparse.Namespace) -> int:
    nothing = _load(arguments.model).diagnose({}, setting=arguments.setting)
    return _listed(causes_text(nothing, arguments.words, width=_width(), colour=_colour()), arguments.words)


def _listed(text: str, words: Sequence[str]) -> int:
    if not text:
        _complain(f"nothing in the model is like {' '.join(words)!r}; fewer or other words may find it")
        return 1
    _write(text)
    return 0


def _demo(_: argparse.Namespace) -> int:
    model = _load(DEFAULT_MODEL)
    text = (models_folder() / DEFAULT_MODEL / DEMO_PATIENTS).read_text(encoding="utf-8")
    for patient in json.loads(text)["patients"]:
        person = {name: patient[name] for name in ("age", "sex") if patient[name] is not None}
        result = model.diagnose({**person, **patient["risk_factors"], **patient["findings"]}, setting=patient["setting"])
        _write(f"{'=' * _width()}\n{patient_text(patient, result, width=_width(), colour=_colour())}\n")
    return 0


def _snapshot(_: argparse.Namespace) -> int:
    if models_folder().is_relative_to(PACKAGE):
        raise InputError(f"{models_folder()} is installed; snapshots are written in a checkout only")
    for name in shipped_models():
        folder = models_folder() / name
        model = load_model(folder)
        try:
            path = write_snapshot(folder, model._content, model.digest, bases_as_json(model))
            write_card(folder, model.knowledge)
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror or error}; the folder must be writable") from None
        _write(f"{path}: {path.stat().st_size} bytes, digest {model.digest[:12]}")
    return 0


# --- evidence --------------------------------------------------------------------------------------------------------


def _evidence(model: Model, arguments: argparse.Namespace) -> Evidence:
    """Evidence of the file, then of the command line, which replaces what the file says of the same id."""
    factors = {factor.id: factor for factor in model.risk_factors}
    items = _without_repeats(_item(text, factors) for text in (*arguments.items, *arguments.factors))
    if arguments.evidence is None:
        return model.evidence(items, setting=arguments.setting)
    start = model.evidence_from_json(_read(arguments.evidence))
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


def _read(file: str) -> bytes:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_EVIDENCE_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_EVIDENCE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MAX_EVIDENCE_BYTES:
        raise InputError(f"{file}: is larger than the {MAX_EVIDENCE_BYTES} bytes that are read")
    return data


# --- the terminal ----------------------------------------------------------------------------------------------------


def _write(text: str) -> None:
    """Print to standard output, in plainer signs where it cannot show them."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(ASCII_SIGNS)
    print(text)


def _complain(text: str) -> None:
    lines = [printable(line) for line in text.splitlines()]
    print("\n".join(["calfbayes: " + lines[0], *lines[1:]]) if lines else "calfbayes: failed", file=sys.stderr)


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


COMMANDS = {
    "diagnose": _Command(
        "say how probable each cause is, and how urgent the situation", _add_diagnose, _diagnose, ITEMS + "\n"
    ),
    "explain": _Command(
        "say why a cause is as probable as it is, and hold it against another", _add_explain, _explain, ITEMS + "\n"
    ),
    "replay": _Command("repeat a recorded result, or say what differs and why", _add_replay, _replay),
    "ask": _Command("interview a patient, then say what `diagnose` says", _add_ask, _ask),
    "audit": _Command("compare a model with the published figures that ship with it (takes minutes)", _add_audit, _audit),
    "check": _Command("read a model folder and name every fault; judge it by its constraints", _add_check, _check),
    "evaluate": _Command("score a model on published patients", _add_evaluate, _evaluate),
    "mutate": _Command("plant errors in a model and see which constraints and patients notice (slow)", _add_mutate, _mutate),
    "findings": _Command("list or search the findings and risk factors", _add_findings, _findings),
    "causes": _Command("list or search the causes with their shares", _add_causes, _causes),
    "demo": _Command("diagnose three published patients", _add_nothing, _demo),
    "snapshot": _Command("for maintainers: write the quick-loading snapshots of the shipped models", _add_nothing, _snapshot),
}
