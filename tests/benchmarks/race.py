"""One solver in a process of its own, with limits: a peer that hangs or runs out of memory is a row, not a crash."""

import math
import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.patients import Queries
from benchmarks.solvers import DERIVED, SOLVERS, Marginals
from calfbayes import QueryTooCostlyError
from calfbayes.inference.reduction import Encoded
from calfbayes.inference.tables import Array

MEMORY = 8 * 2**30  # bytes of address space of a peer
START = 120.0  # seconds to import the libraries and to hand the network over
PATIENCE = 10.0  # real time over processor time, on a machine with other work
GIVE_UP = 3  # failures in a row
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
FATAL = {"time-out", "crash", "out of memory"}


@dataclass(frozen=True)
class Answer:
    """One query.

    Attributes:
        failure: Why there is no answer; empty if there is one.
        seconds: Processor time, so that other work of the machine does not count; infinite without an answer.
        memory: Peak bytes above those with the libraries and the network loaded.
    """

    failure: str
    seconds: float = float("inf")
    memory: float = 0.0
    marginals: Marginals = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """All queries of one solver, in order; shorter than the queries if it gave up or ran out of time."""

    answers: tuple[Answer, ...]

    @property
    def median(self) -> float:
        """Seconds; a failure counts as infinite."""
        return median(answer.seconds for answer in self.answers)

    @property
    def percentile_95(self) -> float:
        """Seconds; a failure counts as infinite."""
        return sorted(answer.seconds for answer in self.answers)[int(np.ceil(0.95 * len(self.answers))) - 1]

    @property
    def memory(self) -> float:
        """Peak bytes."""
        return max(answer.memory for answer in self.answers)

    @property
    def failures(self) -> dict[str, int]:
        """How often each kind of failure occurred."""
        kinds = [answer.failure for answer in self.answers if answer.failure]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    @property
    def answered(self) -> int:
        """Number of queries that were answered."""
        return sum(not answer.failure for answer in self.answers)

    def differences(self, other: "Result") -> Array:
        """Largest difference between two posteriors in each query that both answered."""
        both = [(a, b) for a, b in zip(self.answers, other.answers, strict=False) if not a.failure and not b.failure]
        return np.array(
            [
                np.max([abs(a.marginals[node] - b.marginals[node]) for node in {*a.marginals}.intersection(b.marginals)])
                for a, b in both
            ]
        )


def run(solver: str, queries: Queries, *, seconds_each: float, seconds: float, patient: bool = False) -> Result:
    """Ask everything, until the solver fails several times in a row or its time is over.

    Args:
        seconds_each: Processor time that one query may take, to the next full second.
        seconds: No further query is asked when the queries so far took longer.
        patient: Whether to go on however often the solver fails.
    """
    answers: list[Answer] = []
    spent = 0.0
    left = list(queries.evidence)

    def over() -> bool:
        failed = len(answers) >= GIVE_UP and all(answer.failure in FATAL for answer in answers[-GIVE_UP:])
        return not left or spent >= seconds or (failed and not patient)

    while not over():
        with _worker(solver, queries, seconds_each) as (process, connection):
            if failure := _start(connection):
                return Result((*answers, Answer(failure)))
            while not over():
                answers.append(_ask(process, connection, left.pop(0), PATIENCE * seconds_each))
                spent += min(answers[-1].seconds, seconds_each)
                if answers[-1].failure in FATAL:  # its process is gone, or still at work
                    break
    return Result(tuple(answers))


def _start(connection: Any) -> str:
    """Wait until the network stands; returns why it does not, or nothing."""
    try:
        failure: str = connection.recv() if connection.poll(START) else "does not start"
    except (EOFError, ConnectionError):
        return "crash"
    return failure


def _ask(process: BaseProcess, connection: Any, evidence: Encoded, seconds: float) -> Answer:
    try:
        connection.send(evidence)
        if not connection.poll(seconds):
            return Answer("time-out")
        answer: Answer = connection.recv()
    except (EOFError, ConnectionError):
        process.join()
        return Answer("time-out" if process.exitcode == -signal.SIGXCPU else "crash")
    return answer


@contextmanager
def _worker(solver: str, queries: Queries, seconds: float) -> Iterator[tuple[BaseProcess, Any]]:
    os.environ.update(ONE_THREAD)  # inherited; read when a library is first imported
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, solver, queries, seconds))
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        here.close()
        process.kill()
        process.join()


def _serve(connection: "Connection[Any, Any]", name: str, queries: Queries, seconds_each: float) -> None:
    """Answer queries as they come; first say that the network stands, with an empty text, or why it does not."""
    warnings.simplefilter("ignore")  # those of the peers about themselves
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        solver = {**SOLVERS, **DERIVED}[name](queries.network, queries.logits)
        for evidence in queries.evidence[:1]:  # first imports are not counted
            solver.prepare(evidence)
    except Exception as error:  # noqa: BLE001 - whatever a peer does is a row of the table
        connection.send(_kind(error))
        return
    connection.send("")
    while True:
        try:
            evidence = connection.recv()
        except EOFError:
            return
        before = _memory("VmRSS")
        try:
            ask = solver.prepare(evidence)
            start = time.process_time()
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(start + seconds_each), resource.RLIM_INFINITY))
            marginals = ask()
            seconds = time.process_time() - start
        except Exception as error:  # noqa: BLE001
            connection.send(Answer(_kind(error)))
        else:
            connection.send(Answer("", seconds, max(0.0, _memory("VmHWM") - before), dict(marginals)))


def _kind(error: Exception) -> str:
    if isinstance(error, QueryTooCostlyError):
        return "refused"
    return "out of memory" if isinstance(error, MemoryError) or "alloc" in str(error) else type(error).__name__


def _memory(kind: str) -> float:
    """Bytes that the process holds (VmRSS), or has held at most (VmHWM), as the operating system tells."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(kind):
            return float(line.split()[1]) * 1024
    return 0.0
