"""How fast the engine answers, beside a peer in the same run. Prints a table; run it with `make bench`.

Machines are noisy, so believe the ratios and not the milliseconds. Queries are seeded patients of the shipped models.
"""

import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from random import Random

import calfbayes as cb
from calfbayes.adapters.to_pgmpy import infer_with_pgmpy
from calfbayes.diagnosis.result import encode
from calfbayes.inference.exact import infer
from calfbayes.inference.plan import make_plan
from calfbayes.inference.reduction import Encoded, reduce

QUERIES = 12
SETTING = "primary_care"


def patients(model: cb.Model, n_present: int, seed: int, *, known_risks: Sequence[str]) -> list[Encoded]:
    """Simulated patients with n findings reported present, twice as many absent, and some risk factors known."""
    rng = Random(seed)
    queries: list[Encoded] = []
    findings = [f.id for f in model.findings if f.id != model.knowledge.complaint]
    while len(queries) < QUERIES:
        drawn = model.simulate(60, seed=rng.randrange(2**31), setting=SETTING)
        for _, row in drawn.iterrows():
            present = [name for name in findings if row[name]]
            absent = [name for name in findings if not row[name]]
            if len(present) < n_present or len(absent) < 2 * n_present or len(queries) == QUERIES:
                continue
            answers: dict[str, object] = {name: str(row[name]) for name in known_risks}
            answers |= dict.fromkeys(rng.sample(present, n_present), True)
            try:
                evidence = model.evidence(answers, setting=SETTING)
                evidence = evidence.with_(dict.fromkeys(rng.sample(absent, 2 * n_present), False))
            except cb.ContradictionError:
                continue
            queries.append(encode(model._solved.network, evidence))
    return queries


def timed(run: Callable[[Encoded], object], queries: Sequence[Encoded]) -> list[float]:
    """Seconds of each query; a refusal counts as infinite."""
    seconds = []
    for query in queries:
        start = time.perf_counter()
        try:
            run(query)
            seconds.append(time.perf_counter() - start)
        except cb.QueryTooCostlyError:
            seconds.append(float("inf"))
    return seconds


def main() -> None:
    """Print the tables."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}", end="")
    print("".join(f", {name} {version(name)}" for name in ("numpy", "pgmpy")))
    for name, peer in (("tutorial", True), ("calf", False)):
        model = cb.load_model(name)
        network, logits = model._solved.network, model._solved.bases[SETTING].logits
        print(f"\n{model}\n| present | median ms | worst ms | refused | operations, median | pgmpy, median ms | ratio |")
        print("|---|---|---|---|---|---|---|")
        for n_present in (1, 2, 4) if name == "tutorial" else (1, 4, 8):
            queries = patients(model, n_present, seed=n_present, known_risks=("age", "sex"))
            operations = statistics.median(make_plan(reduce(network, logits, query)).operations for query in queries)
            own = timed(partial(infer, network, logits), queries)
            median = statistics.median(own)
            row = [
                f"{n_present}",
                f"{median * 1e3:.1f}",
                f"{max(own) * 1e3:.1f}",
                f"{own.count(float('inf'))}",
                f"{operations:.2g}",
            ]
            if peer:
                other = statistics.median(timed(partial(infer_with_pgmpy, network, logits), queries))
                row += [f"{other * 1e3:.1f}", f"{other / median:.0f}"]
            else:
                row += ["-", "-"]
            print("| " + " | ".join(row) + " |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
