"""How usual the answers are: a patient's findings held against those of patients drawn from the model.

A model gives a posterior for whatever it is told, nonsense and diseases it has never heard of included. So the findings are
compared with those of simulated patients who tell as many things that are present, and as many that are absent, as this
one: each simulated patient tells that many of their own, chosen at random. The percentile is the share of them whose
findings are no more probable. It is uniform for patients of the model and small for what hardly goes together in any.

Why not patients who were asked the same questions: what is told is told because it is there. A patient who reports five
signs of a skin infection is no wonder, though hardly one in a thousand of all sore calves would answer these five questions
so. Compared that way, 11 of 58 published patients were the most improbable of 1,000; compared this way, none of them is
below the 4th percentile, while of patients with ten symptoms and signs drawn by lot two in three are below the first half
per cent.

How probable findings are is averaged over the hidden states of other patients, drawn as if all causes were equally common,

    T(findings) = log mean over patients m of  product over findings P(finding | risk states, causes, mechanisms of m)

so that a rare disease with its usual signs is usual. T is the same function for the patient and for those compared with, so
the percentile is valid however rough the average is.
Tests are left out: whether one is done depends on what is suspected. So are doubtful reports.

References:
    Rubin (1984), Bayesianly justifiable and relevant frequency calculations: the check against replicated data.
    Besag, Clifford (1989), Generalized Monte Carlo significance tests: ranks of exchangeable draws are exact.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calfbayes.evidence import Evidence
from calfbayes.inference.simulation import simulate_findings
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.inference.tables import Array
from calfbayes.knowledge.terms import Finding
from calfbayes.network import Network, logit

COMPARED = 800  # simulated patients compared with
FEWEST = 400  # with fewer, nothing is said
LEAST_TOLD = 4  # fewer findings are rare at most, not strange
PEOPLE = 8_000  # drawn with and without the complaint, for those compared with
AVERAGED = 1_200  # drawn likewise, for those averaged over: some ten with each cause
SEED = 20
SAME = 1e-4  # scores are in single precision


def typicality(solved: SolvedNetwork, setting: str, evidence: Evidence) -> float | None:
    """Say what share of simulated patients, who tell as many things, tell nothing more probable.

    Returns:
        A number above 0 and at most 1; None if fewer than four findings were told, or too few simulated patients have so
        much to tell.
    """
    told = _told(solved.network, evidence)
    present, absent = int(told[0].sum()), int(told[1].sum())
    if present + absent < LEAST_TOLD:
        return None
    others = _others(solved, setting, present, absent)
    if len(others) < FEWEST:
        return None
    own = _scores(told[None, 0], told[None, 1], *_averaged(solved))[0]
    return (1 + int(np.count_nonzero(others <= own + SAME))) / (1 + len(others))


def _told(network: Network, evidence: Evidence) -> Array:
    """What is told as present, and as absent: shape (2, n_findings)."""
    told = np.zeros((2, len(network.findings)))
    for name, value in evidence.items_by_id:
        record = network.records[name]
        if isinstance(record, Finding) and isinstance(value, bool) and _counts(network, record):
            told[0 if value else 1, network.node_index[name] - network.n_hidden] = 1.0
    return told


def _counts(network: Network, record: Finding) -> bool:
    return record.kind != "test" and record.id != network.knowledge.complaint


@lru_cache(maxsize=16)
def _simulated(solved: SolvedNetwork, setting: str) -> NDArray[np.bool_]:
    """Findings of patients of the model, shape (patients, n_findings)."""
    return simulate_findings(solved.network, solved.bases[setting].logits, PEOPLE, np.random.default_rng(SEED))[0]


@lru_cache(maxsize=16)
def _averaged(solved: SolvedNetwork) -> tuple[Array, Array]:
    """Log of the chance that each finding is present, and absent, in the patients averaged over."""
    network = solved.network
    equally_common = np.full(network.n_causes, logit(1 / (network.n_causes + 1)))
    chance = simulate_findings(network, equally_common, AVERAGED, np.random.default_rng([SEED, 1]))[1]
    chance = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.log(chance), np.log1p(-chance)


@lru_cache(maxsize=4096)
def _others(solved: SolvedNetwork, setting: str, n_present: int, n_absent: int) -> Array:
    """The scores of the patients compared with, each telling so many of their findings."""
    network = solved.network
    records = [network.records[network.nodes[node].id] for node in network.findings]
    counts = np.array([isinstance(record, Finding) and _counts(network, record) for record in records])
    findings = _simulated(solved, setting)
    has_enough = ((findings & counts).sum(axis=1) >= n_present) & ((~findings & counts).sum(axis=1) >= n_absent)
    findings = findings[has_enough][:COMPARED]
    lots = np.random.default_rng([SEED, n_present, n_absent]).random(findings.shape)
    present = _first(np.where(findings & counts, lots, 2.0), n_present)
    absent = _first(np.where(~findings & counts, lots, 2.0), n_absent)
    return _scores(present, absent, *_averaged(solved))


def _first(lots: Array, n: int) -> Array:
    """1 at the n smallest of each row, else 0."""
    chosen = np.zeros_like(lots)
    if n and len(lots):
        np.put_along_axis(chosen, np.argpartition(lots, n - 1, axis=1)[:, :n], 1.0, axis=1)
    return chosen


def _scores(present: Array, absent: Array, log_present: Array, log_absent: Array) -> Array:
    """T of each row of findings; shapes (rows, n_findings) and (patients, n_findings)."""
    if not len(log_present):
        return np.zeros(0)
    told = np.hstack([present, absent]).astype(np.float32)
    logs = told @ np.hstack([log_present, log_absent]).astype(np.float32).T
    top = logs.max(axis=1)
    mean = np.exp(logs - top[:, None]).mean(axis=1)
    return np.asarray(top + np.log(mean), dtype=np.float64)
