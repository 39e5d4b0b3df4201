"""The pytest plugin of calfbayes: `pytest --calfbayes-model PATH` makes a test of every constraint of a model.

Each test is called by the file that the constraint stands in, `MODEL/constraints/THEME.toml::ID`. Who names such a file
or test on the command line runs it, with the option or without.

It stands outside the package, because pytest imports every installed plugin: without the option neither calfbayes nor
hypothesis is imported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from calfbayes.constraints.judging import Judge
    from calfbayes.constraints.reading import Constraints
    from calfbayes.constraints.terms import Constraint, Verdict
    from calfbayes.model import Model

OPTION = "--calfbayes-model"
VERDICTS = pytest.StashKey[list[str]]()
OPENED = pytest.StashKey[dict[Path, "Opened"]]()


@dataclass(frozen=True)
class Opened:
    """A model with its constraints, and its judge: what the constraints share is computed once."""

    model: "Model"
    constraints: "Constraints"
    judge: "Judge"


class UnmetConstraintError(Exception):
    """A constraint is not met; the message is for people who know medicine, so no traceback is shown."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("calfbayes", "clinical sanity of a model")
    text = "a model folder, or the name of a shipped model: every constraint in its folder becomes a test"
    group.addoption(OPTION, action="append", default=[], metavar="PATH", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for the models and the verdicts of this run."""
    config.stash[OPENED] = {}
    config.stash[VERDICTS] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ConstraintFile | None":
    """Collect from a file of constraints that is named on the command line; others are left alone."""
    folder = file_path.parent
    is_one = file_path.suffix == ".toml" and folder.name == "constraints" and (folder.parent / "model.toml").is_file()
    return ConstraintFile.from_parent(parent, path=file_path) if is_one and parent.session.isinitpath(file_path) else None


@pytest.hookimpl(tryfirst=True)  # so that -k and -m choose among the constraints, too
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for every constraint of every model that was named."""
    for name in config.getoption(OPTION):
        folder, opened = _named(config, name)
        if any(isinstance(item, ConstraintItem) and item.path.parent.parent.resolve() == folder for item in items):
            continue  # some of them were chosen
        for file in dict.fromkeys(opened.constraints.files.values()):
            collector = ConstraintFile.from_parent(session, path=folder / file)
            report = collector.ihook.pytest_make_collect_report(collector=collector)
            collector.ihook.pytest_collectreport(report=report)  # so that they are counted
            items.extend(report.result)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much the constraints that were met were proven."""
    told = config.stash[VERDICTS]
    if told:
        counts = ", ".join(f"{told.count(status)} {status}" for status in dict.fromkeys(told))
        terminalreporter.write_line(f"calfbayes: of {len(told)} constraints that are met, {counts}")


def _named(config: pytest.Config, name: str) -> tuple[Path, Opened]:
    """A model that was named; if it cannot be read there is nothing to test, and the run says why."""
    from calfbayes.constraints.reading import find_constraints
    from calfbayes.errors import CalfBayesError

    try:
        folder = find_constraints(name).resolve()
        return folder, _opened(config, folder)
    except CalfBayesError as error:
        raise pytest.UsageError(f"{OPTION} {name}: {error}") from None


def _opened(config: pytest.Config, folder: Path) -> Opened:
    """The model of a folder, read once.

    Raises:
        CalfBayesError: If its files or constraints are wrong.
    """
    from calfbayes.constraints.judging import Judge
    from calfbayes.constraints.reading import read_constraints
    from calfbayes.model import load_model

    opened = config.stash[OPENED]
    if folder not in opened:
        model = load_model(folder)
        opened[folder] = Opened(model, read_constraints(model._solved.network, folder), Judge(model._solved))
    return opened[folder]


class ConstraintFile(pytest.File):
    """The constraints of one file."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test of each constraint."""
        from calfbayes.errors import CalfBayesError

        folder = self.path.parent.parent
        try:
            opened = _opened(self.config, folder)
        except CalfBayesError as error:
            raise self.CollectError(str(error)) from None
        here = self.path.relative_to(folder).as_posix()
        for constraint in opened.constraints.constraints:
            if opened.constraints.files[constraint.id] == here:
                yield ConstraintItem.from_parent(self, name=constraint.id, opened=opened, constraint=constraint)


class ConstraintItem(pytest.Item):
    """One constraint as a test."""

    def __init__(self, *, opened: Opened, constraint: "Constraint", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.judge, self.constraint = opened.model, opened.judge, constraint

    def runtest(self) -> None:
        """Judge."""
        from calfbayes.constraints.text import verdict_lines
        from calfbayes.testing.why import explanation

        verdict: Verdict = self.judge.verdict(self.constraint)
        self.user_properties.append(("verdict", str(verdict.status)))
        if not verdict.holds:
            why = explanation(self.model, self.constraint, verdict)
            raise UnmetConstraintError("\n".join(verdict_lines(self.constraint, verdict, 100, why)))
        self.add_report_section("call", "verdict", "\n".join(verdict_lines(self.constraint, verdict, 100)))
        self.config.stash[VERDICTS].append(str(verdict.status))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the verdict alone."""
        if isinstance(excinfo.value, UnmetConstraintError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the constraint stands."""
        return self.path, None, f"constraint {self.name}"
