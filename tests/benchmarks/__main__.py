"""Prints the tables of `make bench`; `--quick` asks fewer queries. Times are processor time: believe the ratios."""

import argparse
import os
import platform
import time
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import isinf
from pathlib import Path

import numpy as np

import calfbayes as cb
from benchmarks.patients import Queries, drawn_patients
from benchmarks.race import Result, run
from benchmarks.solvers import DERIVED, SOLVERS
from benchmarks.synthetic import synthetic_network, synthetic_queries
from calfbayes.diagnosis.encoding import encode
from calfbayes.evaluation.case_files import read_cases
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import reduce
from calfbayes.inference.tables import Array

OURS, REFEREE = "calfbayes", "pyAgrum, best form"
SETS = {"a: age, sex, setting and half of the other risk factors known": True, "b: only age, sex and setting known": False}
CASES = Path(__file__).parents[1] / "clinical" / "cases" / "cases.jsonl"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer queries, shorter limits")
    quick = parser.parse_args().quick
    levels = (1, 4, 8) if quick else (1, 4, 8, 12, 16, 20)
    n, seconds_each, seconds = (5, 2.0, 6.0) if quick else (15, 6.0, 15.0)

    start = time.monotonic()
    print(machine())
    model = cb.load_model("calf")
    print(f"{model}\n{n} simulated patients a row, {seconds_each:g} s a query, {seconds:g} s a row; more than {COST_LIMIT:.0e}")
    print("predicted operations are refused. Memory is what the queries add. Failures count as infinitely slow.")
    agreed: list[Array] = []
    for name, half in SETS.items():
        print(f"\nSet {name}")
        header("positive", "solver", "answered", "median ms", "95 % ms", "peak MiB", "ratio", "differs by", "fails")
        out: set[str] = set()
        for n_present in levels:
            queries = drawn_patients(model, n, n_present=n_present, half_of_the_risks=half, seed=n_present)
            results = compare(queries, f"{n_present}", seconds_each, seconds, out)
            out |= {
                solver for solver, result in results.items() if solver != OURS and result.answered < len(result.answers) / 2
            }
            if REFEREE in results:
                agreed.append(results[REFEREE].differences(results[OURS]))
    agreed += published(model, min(seconds_each, 3.0), 2 * seconds)
    together = np.concatenate(agreed)
    print(f"\n{OURS} and {REFEREE} both answered {len(together)} queries; largest difference {together.max():.0e}")
    derived(model, levels, n // 2, seconds_each, seconds)
    growth(n, seconds_each, seconds, quick=quick)
    print(f"\n{(time.monotonic() - start) / 60:.0f} minutes in all; {load()}")


def compare(queries: Queries, label: str, seconds_each: float, seconds: float, out: Collection[str]) -> dict[str, Result]:
    """Print a row for each solver that is still in the race."""
    results: dict[str, Result] = {}
    for solver in (solver for solver in SOLVERS if solver not in out):
        result = results[solver] = run(solver, queries, seconds_each=seconds_each, seconds=seconds)
        ours = results[OURS]
        row(
            label,
            solver,
            f"{result.answered} of {len(result.answers)}",
            milliseconds(result.median),
            milliseconds(result.percentile_95),
            f"{result.memory / 2**20:.0f}" if result.answered else "-",
            "-" if result is ours else ratio(result, ours, seconds_each),
            "-" if result is ours else largest(result.differences(ours)),
            failures(result),
        )
    return results


def published(model: cb.Model, seconds_each: float, seconds: float) -> Iterator[Array]:
    """Published patients, and whether the referee agrees; its differences by query are returned."""
    evidence = [model.evidence(dict(case.known), setting=case.setting) for case in read_cases(CASES)]
    settings = [given.setting or model.knowledge.default_setting for given in evidence]
    network = model._solved.network
    print(f"\n{len(evidence)} published patients")
    header("setting", "patients", "median ms", "95 % ms", "answered by the referee, too", "differs by")
    for setting in sorted(set(settings)):
        asked = [encode(network, given) for given, of in zip(evidence, settings, strict=True) if of == setting]
        queries = Queries(network, model._solved.bases[setting].logits, tuple(asked))
        ours, referee = (
            run(solver, queries, seconds_each=seconds_each, seconds=seconds, patient=True) for solver in (OURS, REFEREE)
        )
        differences = referee.differences(ours)
        row(
            setting,
            f"{len(asked)}",
            milliseconds(ours.median),
            milliseconds(ours.percentile_95),
            f"{len(differences)}",
            largest(differences),
        )
        yield differences


def derived(model: cb.Model, levels: Sequence[int], n: int, seconds_each: float, seconds: float) -> None:
    """What the answers to further questions cost beside the posterior alone."""
    print("\nFurther answers, set a")
    header("positive", "answer", "answered", "median ms", "95 % ms", "peak MiB", "times the posterior alone", "fails")
    for n_present in levels[:4]:
        queries = drawn_patients(model, n, n_present=n_present, half_of_the_risks=True, seed=n_present)
        alone = float("inf")
        for name in DERIVED:
            result = run(name, queries, seconds_each=seconds_each, seconds=seconds)
            alone = min(alone, result.median)
            row(
                f"{n_present}",
                name,
                f"{result.answered} of {len(result.answers)}",
                milliseconds(result.median),
                milliseconds(result.percentile_95),
                f"{result.memory / 2**20:.0f}",
                "-" if isinf(result.median) else f"{result.median / alone:.2g}",
                failures(result),
            )


def growth(n: int, seconds_each: float, seconds: float, *, quick: bool) -> None:
    """How the price grows with positives, causes and findings on synthetic networks of two layers."""
    print("\nSynthetic networks")
    header("causes", "findings", "positive", "operations", "median ms", "95 % ms", "peak MiB", "fails")
    sizes = [(50, 150, k) for k in (1, 4, 8, 12, 16)] + [(100, 300, 8), (200, 300, 8), (200, 600, 8), (200, 600, 16)]
    for n_causes, n_findings, n_present in sizes[::3] if quick else sizes:
        network = synthetic_network(n_causes, n_findings)
        queries = synthetic_queries(network, n, n_present=n_present)
        prices = [make_plan(reduce(network, queries.logits, evidence)).operations for evidence in queries.evidence]
        result = run(OURS, queries, seconds_each=seconds_each, seconds=seconds)
        row(
            f"{n_causes}",
            f"{n_findings}",
            f"{n_present}",
            f"{sorted(prices)[len(prices) // 2]:.2g}",
            milliseconds(result.median),
            milliseconds(result.percentile_95),
            f"{result.memory / 2**20:.0f}",
            failures(result),
        )


def machine() -> str:
    """The machine and the versions."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.split(":")[1].strip() for line in cpuinfo.read_text(encoding="utf-8").splitlines() if "model name" in line
        ]
        processor = models[0] if models else processor
    versions = [f"Python {platform.python_version()}", f"calfbayes {cb.__version__}"]
    for name in ("numpy", "pyagrum", "pgmpy"):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} not installed")
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}; {', '.join(versions)}; {load()}"


def load() -> str:
    """What else the machine does: with more than a process a core even processor times are too long, and only ratios hold."""
    return f"load {os.getloadavg()[0]:.1f} over the last minute"


def failures(result: Result) -> str:
    """For a cell."""
    return ", ".join(f"{count} {kind}" for kind, count in result.failures.items()) or "-"


def ratio(result: Result, ours: Result, seconds_each: float) -> str:
    """For a cell: the ratio of the medians, or what it is at least if the peer ran out of time."""
    if isinf(result.median) and not isinf(ours.median) and "time-out" in result.failures:
        return f"> {seconds_each / ours.median:.2g}"
    return "-" if isinf(result.median) else f"{result.median / ours.median:.2g}"


def largest(differences: Array) -> str:
    """For a cell."""
    return f"{differences.max():.0e}" if differences.size else "-"


def milliseconds(seconds: float) -> str:
    """For a cell."""
    return "-" if isinf(seconds) else f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"


def header(*cells: str) -> None:
    """Print the head of a table."""
    row(*cells)
    row(*("---" for _ in cells))


def row(*cells: str) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
