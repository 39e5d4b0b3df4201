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
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from calfbayes import __version__
from calfbayes.errors import CalfBayesError, EvidenceError, ModelFileError, UnknownNameError
from calfbayes.evidence import Evidence, Likelihood
from calfbayes.knowledge.shipped import PACKAGE, models_folder, open_model, shipped_models, write_snapshot
from calfbayes.knowledge.terms import RiskFactor
from calfbayes.model import Model, bases_as_json, load_model
from calfbayes.presentation.listing import causes_text, findings_text
from calfbayes.presentation.patients import evidence_of, patient_text
from calfbayes.presentation.plain import ASCII_SIGNS, printable
from calfbayes.presentation.text import diagnosis_text

EXIT_CODES = "\n".join(["exit codes:", *(__doc__ or "").partition("Exit codes:\n")[2].splitlines()])
ITEMS = """\
items:
  FINDING          present                 no:FINDING      absent
  unknown:FINDING  asked, not known        FINDING=3.0     a doubtful report with this likelihood ratio
  FACTOR=STATE     state or number of a risk factor; FACTOR and no:FACTOR where it is a yes or no
"""
DEMO_MODEL = "calf"
DEMO_PATIENTS = "demo_patients.json"
MAX_EVIDENCE_BYTES = 4_000_000
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
        arguments = _parser(words).parse_args(words)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else 2
    except CalfBayesError as error:
        _complain(str(error))
        if isinstance(error, UnknownNameError) and error.kind == "finding or risk factor":
            _complain("`calfbayes findings WORDS` searches ids, labels and synonyms")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains while closing
        return 141
    except KeyboardInterrupt:
        return 130
    return code


# --- the arguments ---------------------------------------------------------------------------------------------------


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="calfbayes",
        description="What may be behind a painful calf, and how urgent it is. Informs; does not replace a clinician.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"calfbayes {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, summary: str, *, epilog: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=epilog + EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    diagnose = command("diagnose", "say how probable each cause is, and how urgent the situation", epilog=ITEMS + "\n")
    _add_model(diagnose)
    diagnose.add_argument("items", nargs="*", metavar="ITEM", help="a finding or risk factor, see below")
    diagnose.add_argument("--setting", help="care setting; the model's default if left out")
    diagnose.add_argument("--evidence", metavar="FILE", help="JSON of Evidence.to_json, - for standard input; ITEMs replace")
    diagnose.add_argument("--engine", choices=["exact", "pgmpy"], default="exact", help="pgmpy is the slow second opinion")
    diagnose.add_argument("--top", type=_count, default=8, metavar="N", help="show so many causes (default %(default)s)")
    diagnose.add_argument("--care", action="store_true", help="add who to see, what to avoid, when to come back")
    diagnose.add_argument("--json", action="store_true", help="print the result as JSON")
    if words[:1] == ["diagnose"]:
        _add_factors(diagnose, _load(_model_named(words[1:])))
    diagnose.set_defaults(run=_diagnose, factors={})

    check = command("check", "read a model folder and name every fault")
    check.add_argument("path", metavar="PATH", help="a model folder, or the name of a shipped model")
    check.set_defaults(run=_check)

    findings = command("findings", "list or search the findings and risk factors")
    _add_model(findings)
    findings.add_argument("words", nargs="*", metavar="WORD", help="words to search for in ids, labels, questions, synonyms")
    findings.set_defaults(run=_findings)

    causes = command("causes", "list or search the causes with their shares")
    _add_model(causes)
    causes.add_argument("words", nargs="*", metavar="WORD", help="words to search for in ids, labels, synonyms")
    causes.add_argument("--setting", help="care setting; the model's default if left out")
    causes.set_defaults(run=_causes)

    command("demo", "diagnose three published patients").set_defaults(run=_demo)
    command("snapshot", "for maintainers: write the quick-loading snapshots of the shipped models").set_defaults(run=_snapshot)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=DEMO_MODEL, help="a shipped model or a model folder (default %(default)s)")


def _add_factors(parser: argparse.ArgumentParser, model: Model) -> None:
    """Give every risk factor that is more than a yes or no an option of its own."""
    group = parser.add_argument_group(f"risk factors of model {model.name}")
    for factor in model.risk_factors:
        option = f"--{factor.id}"
        if not factor.is_binary and option not in parser._option_string_actions:
            values = factor.unit.upper() if factor.unit else "{" + ",".join(factor.states) + "}"
            question = factor.question.replace("%", "%%")
            group.add_argument(option, dest=f"factor {factor.id}", metavar=values, help=question)


def _model_named(words: Sequence[str]) -> str:
    """The model that a command names, found before its other options are known."""
    parser = argparse.ArgumentParser(prog="calfbayes diagnose", add_help=False, allow_abbrev=False)
    _add_model(parser)
    name: str = parser.parse_known_args(list(words))[0].model
    return name


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
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
    else:
        _write(diagnosis_text(result, width=_width(), colour=_colour(), top=arguments.top, care=arguments.care))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    # a shipped model is checked by its files, not by its snapshot
    path = models_folder() / arguments.path if arguments.path in shipped_models() else arguments.path
    try:
        model = load_model(path)
    except ModelFileError as error:
        _write("\n".join(printable(line) for line in str(error).splitlines()))
        return 1
    _write(printable(f"no faults: {model!r}"))
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
    model = _load(DEMO_MODEL)
    text = (models_folder() / DEMO_MODEL / DEMO_PATIENTS).read_text(encoding="utf-8")
    rule = "=" * _width()
    for patient in json.loads(text)["patients"]:
        result = model.diagnose(evidence_of(patient), setting=patient["setting"])
        _write(f"{rule}\n{patient_text(patient, result, width=_width(), colour=_colour())}\n")
    return 0


def _snapshot(_: argparse.Namespace) -> int:
    if models_folder().is_relative_to(PACKAGE):
        raise InputError(f"{models_folder()} is installed; snapshots are written in a checkout only")
    for name in shipped_models():
        folder = models_folder() / name
        model = load_model(folder)
        try:
            path = write_snapshot(folder, model._content, model.digest, bases_as_json(model))
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror or error}; the folder must be writable") from None
        _write(f"{path}: {path.stat().st_size} bytes, digest {model.digest[:12]}")
    return 0


# --- evidence --------------------------------------------------------------------------------------------------------


def _evidence(model: Model, arguments: argparse.Namespace) -> Evidence:
    """Evidence of the file, then of the command line, which replaces what the file says of the same id."""
    factors = {factor.id: factor for factor in model.risk_factors}
    given: list[tuple[str, object]] = [_item(text, factors) for text in arguments.items]
    for name, text in vars(arguments).items():
        if name.startswith("factor ") and text is not None:
            given.append(_assigned(name.removeprefix("factor "), text, factors))
    items = _without_repeats(given)
    if arguments.evidence is None:
        return model.evidence(items, setting=arguments.setting)
    start = model.evidence_from_json(_read(arguments.evidence))
    return model.evidence({**start, **items}, setting=arguments.setting or start.setting)


def _item(text: str, factors: dict[str, RiskFactor]) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if equals:
        return _assigned(name, value, factors)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in {"no", "unknown"}:
        return rest, WORDS[prefix]
    return text, True


def _assigned(name: str, text: str, factors: dict[str, RiskFactor]) -> tuple[str, object]:
    """What `name=text` means: a word of `WORDS`, a state or number of a risk factor, or a likelihood ratio."""
    if text in WORDS:
        return name, WORDS[text]
    try:
        number = float(text)
    except ValueError:
        return name, text
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


def _colour(stream: IO[str] | None = None) -> bool:
    out = stream or sys.stdout
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)
