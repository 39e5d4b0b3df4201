"""The exceptions of calfbayes and their wording; imports nothing of the package.

Every message says what was given, why it cannot be, and what would do. Every exception derives
from `CalfBayesError` and from the built-in that fits, carries its parts as attributes, and pickles.
"""

from dataclasses import dataclass


class CalfBayesError(Exception):
    """Base of every exception that calfbayes raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a model.

    Attributes:
        file: Path of the file inside the model's folder.
        place: Dotted path of the key inside the file; empty for the file as a whole.
        problem: What was found and why it cannot be.
        remedy: What would do.
    """

    file: str
    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        return f"{where}: {self.problem}; {self.remedy}"


class ModelFileError(CalfBayesError, ValueError):
    """A model is wrong; `faults` lists everything that was found.

    Attributes:
        model: Folder or name of the model.
        faults: All faults, in the order of the files.
    """

    def __init__(self, model: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(model, faults)
        self.model = model
        self.faults = faults

    def __str__(self) -> str:
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        return "\n".join([f"{count} in model {self.model}:", *(f"  {fault}" for fault in self.faults)])


class NoSuchModelError(CalfBayesError, FileNotFoundError):
    """There is no model of this name or at this path."""

    def __init__(self, name: str, shipped: tuple[str, ...]) -> None:
        super().__init__(name, shipped)
        self.name = name
        self.shipped = shipped

    def __str__(self) -> str:
        return (
            f"{self.name!r} is neither a shipped model ({', '.join(self.shipped)}) "
            "nor a folder that holds a model.toml; give one of these names or the path of a model folder"
        )


class UnknownNameError(CalfBayesError, KeyError):
    """An id is not where it was looked for; `where` says where, `nearest` holds the ids there that look most alike."""

    def __init__(self, kind: str, name: str, nearest: tuple[str, ...], where: str) -> None:
        super().__init__(kind, name, nearest, where)
        self.kind = kind
        self.name = name
        self.nearest = nearest
        self.where = where

    def __str__(self) -> str:
        hint = f"nearest: {', '.join(map(repr, self.nearest))}" if self.nearest else "nothing there is like it"
        return f"{self.kind} {self.name!r} is not in {self.where}; {hint}"


class EvidenceError(CalfBayesError, ValueError):
    """A piece of evidence cannot be what was given."""

    def __init__(self, name: str, given: str, reason: str, remedy: str) -> None:
        super().__init__(name, given, reason, remedy)
        self.name = name
        self.given = given
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.name}={self.given}: {self.reason}; {self.remedy}"


class ContradictionError(CalfBayesError, ValueError):
    """The evidence cannot all be true under the model.

    Attributes:
        clash: Ids of a set of items that contradict each other.
        reason: Why they clash.
        level: The level of the red-flag rules that hold on what was told, of which something may be wrong: there is no
            diagnosis, but what sounds like an emergency is not to be lost. None if no rule holds, or none was looked at.
        told: The evidence, if it could be read.
        is_minimal: Whether without any one of them they do not. If not, to find out which have no part in it would have
            cost more than the limit.
    """

    def __init__(
        self,
        clash: tuple[str, ...],
        reason: str,
        level: str | None = None,
        told: object = None,
        is_minimal: bool = True,
    ) -> None:
        super().__init__(clash, reason, level, told, is_minimal)
        self.clash = clash
        self.reason = reason
        self.level = level
        self.told = told
        self.is_minimal = is_minimal

    def __str__(self) -> str:
        told = f"; the red-flag rules that hold ask for: {self.level}" if self.level else ""
        mend = "correct or leave out one of them"
        if not self.is_minimal:
            mend = (
                "some of them may have no part in it, which to find out would cost more than the limit; correct what is wrong"
            )
        return f"these cannot all be true: {', '.join(self.clash)} ({self.reason}); {mend}{told}"


class ArgumentError(CalfBayesError, ValueError):
    """An argument other than evidence cannot be what was given."""

    def __init__(self, name: str, given: str, expected: str) -> None:
        super().__init__(name, given, expected)
        self.name = name
        self.given = given
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.name}={self.given} cannot be; expected {self.expected}"


class StaleInterviewError(ArgumentError):
    """A stored interview is of a model with other content, of another policy or of another format, and cannot go on.

    Attributes:
        model: Name of the model that was to go on.
        level: The level that it told, which is not to be lost: None if it holds none.
    """

    def __init__(self, model: str, level: str | None) -> None:
        keeping = f"; .at_least({str(level)!r}) keeps the level that it told" if level else ""
        expected = f"one of {model} as it is now, with the policy that it was begun with, or begin anew{keeping}"
        super().__init__("interview", "one of another model, policy or format", expected)
        self.args = (model, level)
        self.model = model
        self.level = level


class QueryTooCostlyError(CalfBayesError, RuntimeError):
    """An exact answer would cost more than the stated limit, so it was not computed.

    Attributes:
        operations: Predicted number of state operations.
        limit: The largest number that is allowed.
        memory: Predicted bytes held at once if they are what is too much, else 0.
        memory_limit: The largest number of bytes that goes with this limit; 0 if operations are what is too much.
    """

    def __init__(self, operations: float, limit: float, memory: float = 0.0, memory_limit: float = 0.0) -> None:
        super().__init__(operations, limit, memory, memory_limit)
        self.operations = operations
        self.limit = limit
        self.memory = memory
        self.memory_limit = memory_limit

    @property
    def needs(self) -> str:
        """What is too much, and how much of it is allowed."""
        if self.memory:
            return f"{self.memory / 2**30:.2g} GiB of memory, the limit is {self.memory_limit / 2**30:.2g} GiB"
        return f"{self.operations:.2g} state operations, the limit is {self.limit:.2g}"

    def __str__(self) -> str:
        return (
            f"an exact answer is predicted to need {self.needs}; "
            "state more risk factors (each one that is known makes the query cheaper) or raise the limit"
        )


class MissingExtraError(CalfBayesError, ImportError):
    """An optional package is needed for this and is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        return f"this needs {self.package}, which is not installed; pip install 'calfbayes[{self.extra}]' brings it"


class NoPosteriorError(CalfBayesError, LookupError):
    """The result holds no probabilities; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this result holds no probabilities: {self.reason}"
