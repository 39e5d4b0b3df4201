"""The pytest plugin of calfbayes: `pytest --calfbayes-model PATH` makes a test of every constraint of a model.

It stands outside the package, because pytest imports every installed plugin: without the option neither calfbayes nor
hypothesis is imported.
"""

from collections.abc import Iterator
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


class UnmetConstraintError(Exception):
    """A constraint is not met; the message is for people who know medicine, so no traceback is shown."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("calfbayes", "clinical sanity of a model")
    text = "a model folder, or the name of a shipped model: every constraint in its folder becomes a test"
    group.addoption(OPTION, action="append", default=[], metavar="PATH", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for the verdicts of this run."""
    config.stash[VERDICTS] = []


@pytest.hookimpl(tryfirst=True)  # so that -k and -m choose among the constraints, too
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for every constraint of every model that was named."""
    for name in config.getoption(OPTION):
        collector = ModelCollector.from_parent(session, name=name, nodeid=f"calfbayes:{name}", read=_read(name))
        report = collector.ihook.pytest_make_collect_report(collector=collector)
        collector.ihook.pytest_collectreport(report=report)  # so that they are counted
        items.extend(report.result)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much the constraints that were met were proven."""
    told = config.stash[VERDICTS]
    if told:
        counts = ", ".join(f"{told.count(status)} {status}" for status in dict.fromkeys(told))
        terminalreporter.write_line(f"calfbayes: of {len(told)} constraints that are met, {counts}")


def _read(name: str) -> "tuple[Model, Constraints]":
    """A model and its constraints; if they cannot be read there is nothing to test, and the run says why."""
    from calfbayes.constraints.reading import find_constraints, read_constraints
    from calfbayes.errors import CalfBayesError
    from calfbayes.model import load_model

    try:
        folder = find_constraints(name)
        model = load_model(folder)
        return model, read_constraints(model._solved.network, folder)
    except CalfBayesError as error:
        raise pytest.UsageError(f"{OPTION} {name}: {error}") from None


class ModelCollector(pytest.Collector):
    """The constraints of one model."""

    def __init__(self, *, read: "tuple[Model, Constraints]", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.constraints = read

    def collect(self) -> Iterator[pytest.Item]:
        """A test of each constraint; what they share is computed once."""
        from calfbayes.constraints.judging import Judge

        judge = Judge(self.model._solved)
        for constraint in self.constraints.constraints:
            file = (self.model._folder or Path()) / self.constraints.files[constraint.id]
            parts = {"file": file, "model": self.model, "judge": judge, "constraint": constraint}
            yield ConstraintItem.from_parent(self, name=constraint.id, **parts)


class ConstraintItem(pytest.Item):
    """One constraint as a test."""

    def __init__(self, *, file: Path, model: "Model", judge: "Judge", constraint: "Constraint", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.model = model
        self.judge = judge
        self.constraint = constraint

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
        return self.file, None, f"constraint {self.name}"
