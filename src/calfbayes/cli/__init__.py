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
import os
import sys
from collections.abc import Sequence

from calfbayes.cli import listing, patients, terminal, upkeep
from calfbayes.cli.command import Command
from calfbayes.errors import CalfBayesError, EvidenceError, UnknownNameError
from calfbayes.version import __version__

EXIT_CODES = "\n".join(["exit codes:", *(__doc__ or "").partition("Exit codes:\n")[2].splitlines()])
COMMANDS = {
    "diagnose": patients.DIAGNOSE,
    "explain": patients.EXPLAIN,
    "replay": patients.REPLAY,
    "ask": patients.ASK,
    "audit": upkeep.AUDIT,
    "check": upkeep.CHECK,
    "evaluate": upkeep.EVALUATE,
    "mutate": upkeep.MUTATE,
    "findings": listing.FINDINGS,
    "causes": listing.CAUSES,
    "demo": patients.DEMO,
    "snapshot": upkeep.SNAPSHOT,
}


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
        terminal.complain(str(error))
        if isinstance(error, UnknownNameError) and error.kind == "finding or risk factor":
            terminal.complain("`calfbayes findings WORDS` searches ids, labels and synonyms")
        if isinstance(error, EvidenceError):
            terminal.complain("`calfbayes diagnose --help` shows how an item is written")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains while closing
        return 141
    except OSError as error:  # a full disk, say
        terminal.complain(f"the output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parsed(words: Sequence[str]) -> tuple[Command, argparse.Namespace]:
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
