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
    from calfbayes.constraints.terms import Constraint, Verdict

OPTION = "--calfbayes-model"
VERDICTS = pytest.StashKey[list[str]]()


class UnmetConstraintError(Exception):
    """A constraint is not met; the message is for people who know medicine, so no traceback is shown."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("calfbayes", "clinical sanity of a model")
    text = "a model folder, or the name of a shipped model: every constraint in its constraints.toml becomes a test"
    group.addoption(OPTION, action="append", default=[], metavar="PATH", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for the verdicts of this run."""
    config.stash[VERDICTS] = []


@pytest.hookimpl(tryfirst=True)  # so that -k and -m choose among the constraints, too
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for every constraint of every model that was named."""
    for name in config.getoption(OPTION):
        items.extend(ModelCollector.from_parent(session, name=f"calfbayes:{name}", model=name).collect())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much the constraints that were met were proven."""
    told = config.stash[VERDICTS]
    if told:
        counts = ", ".join(f"{told.count(status)} {status}" for status in dict.fromkeys(told))
        terminalreporter.write_line(f"calfbayes: of {len(told)} constraints that are met, {counts}")


class ModelCollector(pytest.Collector):
    """The constraints of one model."""

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def collect(self) -> Iterator[pytest.Item]:
        """Read the model; if it cannot be read there is nothing to test, and the run says why."""
        from calfbayes.constraints.judging import Judge
        from calfbayes.constraints.reading import find_constraints, read_constraints
        from calfbayes.errors import CalfBayesError
        from calfbayes.model import load_model

        try:
            folder = find_constraints(self.model)
            model = load_model(folder)
            constraints = read_constraints(model._solved.network, folder).constraints
        except CalfBayesError as error:
            raise pytest.UsageError(f"{OPTION} {self.model}: {error}") from None
        judge = Judge(model._solved)
        for constraint in constraints:
            yield ConstraintItem.from_parent(self, name=constraint.id, judge=judge, constraint=constraint, folder=folder)


class ConstraintItem(pytest.Item):
    """One constraint as a test."""

    def __init__(self, *, judge: "Judge", constraint: "Constraint", folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.judge = judge
        self.constraint = constraint
        self.folder = folder

    def runtest(self) -> None:
        """Judge."""
        from calfbayes.constraints.text import verdict_lines

        verdict: Verdict = self.judge.verdict(self.constraint)
        self.user_properties.append(("verdict", str(verdict.status)))
        self.add_report_section("call", "verdict", "\n".join(verdict_lines(self.constraint, verdict, 100)))
        if not verdict.holds:
            raise UnmetConstraintError("\n".join(verdict_lines(self.constraint, verdict, 100)))
        self.config.stash[VERDICTS].append(str(verdict.status))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the verdict alone."""
        if isinstance(excinfo.value, UnmetConstraintError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the constraint stands."""
        return self.folder / "constraints.toml", None, f"constraint {self.name}"
