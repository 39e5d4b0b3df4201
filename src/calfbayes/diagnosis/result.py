"""Diagnosis: the frozen answer about one patient; what else can be asked of it stands in the packages above."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from calfbayes.arguments import number
from calfbayes.diagnosis.care import CareAdvice, care_advice
from calfbayes.diagnosis.encoding import encode, not_weighed
from calfbayes.diagnosis.urgency import Outcome, UrgencyResult
from calfbayes.errors import ArgumentError, NoPosteriorError, UnknownNameError
from calfbayes.evidence import Evidence
from calfbayes.inference.exact import highest_label
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import Level
from calfbayes.knowledge.wording import short

if TYPE_CHECKING:
    import pandas as pd

    from calfbayes.diagnosis.questions import NextQuestions
    from calfbayes.explanation.changes import Comparison
    from calfbayes.explanation.competition import CauseSet, Contest
    from calfbayes.explanation.conflict import Conflict
    from calfbayes.explanation.flips import Flips
    from calfbayes.explanation.intervals import Intervals
    from calfbayes.explanation.ledger import Ledger
    from calfbayes.explanation.tornado import Sensitivity

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model gave a result."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, repr=False)
class CauseResult:
    """The answer about one cause or complication.

    Attributes:
        probability: Posterior probability given the evidence and the complaint.
        share: The same with nothing known but the care setting.
    """

    id: str
    label: str
    probability: float
    share: float
    group: str
    urgency: Level

    def __repr__(self) -> str:
        from calfbayes.presentation.text import cause_text

        return cause_text(self)


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What a model says about one patient. Immutable; make it with `model.diagnose`.

    Attributes:
        evidence: What was known.
        setting: The care setting that was used.
        causes: All causes, most probable first, ties by id. Several may be present, so they need not sum to 1.
        complications: All complications likewise.
        urgency: The flag with its reasons.
        outcome: `assessed`, `insufficient` (an emergency rule is open) or `outside_scope`. The level is safe without it.
        outcome_reason: Why the outcome is not `assessed`; empty if it is.
        would_settle: Ids to ask: with all of them denied no emergency rule can fire any more. First what bears on the
            rules that would most probably fire.
        typicality: Share of simulated patients who tell as many things and nothing more probable; small if the answers
            hardly go together. None if fewer than four findings were told, or more than simulated patients have to tell.
        assumed: What was not given and has been assumed.
        log_evidence: log P(evidence | complaint, setting), natural; 0 with no evidence; None without probabilities.
        model: Which model it was.
    """

    evidence: Evidence
    setting: str
    causes: tuple[CauseResult, ...]
    complications: tuple[CauseResult, ...]
    urgency: UrgencyResult
    outcome: Outcome
    outcome_reason: str
    would_settle: tuple[str, ...]
    typicality: float | None
    assumed: tuple[str, ...]
    log_evidence: float | None
    model: ModelIdentity
    disclaimer: str
    _solved: SolvedNetwork = field(compare=False)
    _hidden: Mapping[int, float] = field(compare=False)  # posterior of causes, complications and the mechanisms computed

    @cached_property
    def _by_id(self) -> dict[str, CauseResult]:
        return {entry.id: entry for entry in (*self.causes, *self.complications)}

    def __getitem__(self, name: str) -> CauseResult:
        if not self.causes:
            raise NoPosteriorError(self.outcome_reason)
        if not isinstance(name, str) or name not in self._by_id:
            raise UnknownNameError(
                "cause or complication", str(name), _near(str(name), self._by_id), f"model {self._solved.network.name}"
            )
        return self._by_id[name]

    @property
    def headline(self) -> str:
        """The level and how far it may be relied on, in words: what to write where there is room for one line."""
        from calfbayes.presentation.facts import headline

        return headline(self)

    @property
    def not_weighed(self) -> dict[str, str]:
        """By id, why negative tests that say nothing in this patient did not count."""
        said, records = self._solved.network.knowledge.asking.said, self._solved.network.records
        return {
            guard.test: said("not_weighed", test=records[guard.test].label, note=guard.note)
            for guard in not_weighed(self.evidence)
        }

    @cached_property
    def care(self) -> CareAdvice:
        """Who to see, what is examined, what helps and harms nothing that is still possible, what to avoid."""
        probability = {name: entry.probability for name, entry in self._by_id.items()}
        network, baseline = self._solved.network, self._solved.baseline[self.setting]
        shares = {network.nodes[node].id: p for node, p in baseline.hidden.items()}
        return care_advice(network, self.evidence, self.urgency, probability, shares)

    def __repr__(self) -> str:
        from calfbayes.presentation.text import diagnosis_text

        return diagnosis_text(self, width=100)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.display import diagnosis_html

        return diagnosis_html(self)

    def probability_of_any(self, names: Sequence[str]) -> float:
        """P(at least one of these causes or complications is present | evidence).

        Raises:
            UnknownNameError: If an id is no cause or complication.
            ArgumentError: If `names` is no list.
            NoPosteriorError: If the result holds no probabilities.
        """
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise ArgumentError("names", short(names), "a list of ids")
        if not self.causes:
            raise NoPosteriorError(self.outcome_reason)
        network = self._solved.network
        wanted = {network.node_index[self[name].id] for name in names}
        labels = [int(node in wanted) for node in (*network.causes, *network.complications)]
        logits = self._solved.bases[self.setting].logits
        return float(highest_label(network, logits, encode(network, self.evidence), labels, 2)[1])

    def next_questions(
        self,
        n: int = 5,
        who: Literal["patient", "clinician"] = "patient",
        budget: float | None = None,
        objective: Literal["urgency", "cause"] = "urgency",
    ) -> "NextQuestions":
        """What to ask, examine or test next, best first.

        A test whose negative result is not believed comes first, then questions that could reveal an emergency. Then counts,
        per burden, by how much the answer is expected to lower the loss that the best level still has; or, with the objective
        `cause`, how much it is expected to tell about which causes are present.

        Args:
            n: How many questions at most.
            who: Who can find it out: a patient only tells and looks, a clinician also examines and orders tests.
            budget: Largest burden of all questions together; None for no limit.
            objective: `urgency` or `cause`.

        Raises:
            ArgumentError: If an argument is none of these.
        """
        from calfbayes.diagnosis.questions import next_questions

        return next_questions(self, n=n, who=who, budget=budget, objective=objective)

    def explain(self, cause: str, *, cost_limit: float | None = None) -> "Ledger":
        """Say why a cause or complication is as probable as it is: the weight of each answer, and what would matter.

        Args:
            cost_limit: Number of state operations that the weights may take, roughly; None for a few seconds. Where exact
                weights would cost more, the ledger says so and states their errors; where what was not asked would, it is
                looked for among less, or not at all, and the ledger says that, too.

        Raises:
            UnknownNameError: If there is no such cause or complication.
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If even rough weights would cost more than the limit.
        """
        from calfbayes.explanation.ledger import LIMIT, explain

        return explain(self, cause, cost_limit=_limit(cost_limit, LIMIT))

    def compare_causes(self, first: str, second: str, *, cost_limit: float | None = None) -> "Contest":
        """Hold two causes against each other: what each answer does between them, and what one takes from the other.

        Args:
            cost_limit: As in `explain`.

        Raises:
            UnknownNameError: If there is no such cause or complication.
            ArgumentError: If the two are the same, or both are ruled out.
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If even rough weights would cost more than the limit.
        """
        from calfbayes.explanation.competition import compare_causes
        from calfbayes.explanation.ledger import LIMIT

        return compare_causes(self, first, second, cost_limit=_limit(cost_limit, LIMIT))

    def cause_sets(self, *, count: int = 5, most: int = 3) -> "tuple[CauseSet, ...]":
        """The sets of causes that are most probably all the causes there are.

        Args:
            count: How many sets.
            most: How many causes a set may have.

        Raises:
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If it would cost too much.
        """
        from calfbayes.explanation.competition import cause_sets

        return cause_sets(self, count=count, most=most)

    def conflict(self, *, cost_limit: float | None = None) -> "Conflict":
        """Find the answers that do not go together under any single cause.

        Args:
            cost_limit: Number of state operations that it may take, roughly; None for some seconds.

        Raises:
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If it would cost too much.
        """
        from calfbayes.explanation.conflict import LIMIT, conflict

        return conflict(self, cost_limit=_limit(cost_limit, LIMIT))

    def intervals(
        self,
        level: float = 0.9,
        method: Literal["delta", "sampling"] = "delta",
        *,
        draws: int = 500,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
        cost_limit: float | None = None,
    ) -> "Intervals":
        """Say how sure the probabilities are, given the doubt of every elicited number.

        Args:
            level: Of the intervals, from 0.01 to 0.999999.
            method: `delta` by derivatives, or `sampling` of models: slower, and the truth.
            draws: How many models to draw.
            seed: Of the random generator.
            progress: Whether long work is shown on stderr; or a function that is told of steps done and all steps.
            cost_limit: Number of state operations that it may take, roughly; None for about a minute.

        Raises:
            ArgumentError: If an argument is none of these.
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If it would cost more than the limit.
        """
        from calfbayes.explanation.intervals import LIMIT, intervals

        limit = _limit(cost_limit, LIMIT)
        return intervals(self, level=level, method=method, draws=draws, seed=seed, progress=progress, cost_limit=limit)

    def sensitivity(self, of: str, *, cost_limit: float | None = None) -> "Sensitivity":
        """Say which elicited numbers an answer hangs on, and how far each may move before the answer changes.

        Args:
            of: A cause or complication, or `urgency`.
            cost_limit: As in `intervals`.

        Raises:
            UnknownNameError: If there is no such cause or complication.
            NoPosteriorError: If the result holds no probabilities.
            QueryTooCostlyError: If it would cost more than the limit.
        """
        from calfbayes.explanation.intervals import LIMIT
        from calfbayes.explanation.tornado import sensitivity

        return sensitivity(self, of=of, cost_limit=_limit(cost_limit, LIMIT))

    def flips(self, who: Literal["patient", "clinician"] = "patient") -> "Flips":
        """Say what would flip the flag, up or down: answers that were not given, and elicited numbers.

        Args:
            who: Who can find the answers out, as in `next_questions`.

        Raises:
            ArgumentError: If it is neither.
        """
        from calfbayes.explanation.flips import flips

        return flips(self, who=who)

    def record(self, *, origins: Mapping[str, str] | None = None, times: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Everything that is needed to repeat this result, as plain values for JSON; `model.replay` repeats it.

        Args:
            origins: Who or what told an item, by its id.
            times: When it was told, by its id.

        Raises:
            UnknownNameError: If an id is not among the items.
            ArgumentError: If an origin or time is no short text.
        """
        from calfbayes.explanation.record import record

        return record(self, origins=origins, times=times)

    def what_if(
        self,
        changes: Mapping[str, object] | None = None,
        /,
        *,
        remove: Iterable[str] = (),
        setting: str | None = None,
        **more: object,
    ) -> "Comparison":
        """Answer again with other evidence, and say what differs.

        Args:
            changes: Items added or replaced; `more` likewise, as keywords.
            remove: Ids of items taken away, as if never asked.
            setting: Another care setting; None for the same.

        Raises:
            CalfBayesError: As `model.evidence`; also if an item to remove is not in the evidence.
        """
        from calfbayes.explanation.changes import what_if

        if changes is not None and not isinstance(changes, Mapping):
            raise ArgumentError("changes", short(changes), "a mapping of ids to values")
        return what_if(self, {**(changes or {}), **more}, remove=remove, setting=setting)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with a schema version."""
        return {
            "schema_version": SCHEMA_VERSION,
            "model": {"name": self.model.name, "version": self.model.version, "digest": self.model.digest},
            "evidence": self.evidence.to_dict(),
            "setting": self.setting,
            "assumed": list(self.assumed),
            "not_weighed": self.not_weighed,
            "outcome": str(self.outcome),
            "outcome_reason": self.outcome_reason,
            "would_settle": list(self.would_settle),
            "typicality": self.typicality,
            "urgency": self.urgency.to_dict(),
            "care": self.care.to_dict(),
            "log_evidence": self.log_evidence,
            "causes": [_entry(entry) for entry in self.causes],
            "complications": [_entry(entry) for entry in self.complications],
            "disclaimer": self.disclaimer,
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """The result as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_html(self, path: str | Path) -> Path:
        """Write a report page: one file without scripts and with nothing to fetch, printable on one or two sheets.

        Args:
            path: File to write; one that exists is replaced.

        Returns:
            The path.

        Raises:
            ArgumentError: If `path` is no path, or holds what no path can.
            OSError: If the file cannot be written.
        """
        from calfbayes.presentation.page import report_html

        if not isinstance(path, str | Path):
            raise ArgumentError("path", short(path), "a path, such as 'report.html'")
        file, page = Path(path), report_html(self)
        try:
            file.write_text(page, encoding="utf-8")
        except ValueError:  # a null sign, or half of a sign
            raise ArgumentError("path", short(str(path)), "a path of signs that a file name can hold") from None
        return file

    def to_frame(self) -> "pd.DataFrame":
        """The causes as a pandas table: index id; columns label, group, urgency, probability, share."""
        import pandas as pd

        columns = ["label", "group", "urgency", "probability", "share"]
        rows = [[entry.label, entry.group, str(entry.urgency), entry.probability, entry.share] for entry in self.causes]
        return pd.DataFrame(rows, index=pd.Index([entry.id for entry in self.causes], name="cause"), columns=columns)


def _entry(entry: CauseResult) -> dict[str, Any]:
    return {
        "id": entry.id,
        "label": entry.label,
        "probability": entry.probability,
        "share": entry.share,
        "group": entry.group,
        "urgency": str(entry.urgency),
    }


def _limit(given: float | None, usual: float) -> float:
    if given is None:
        return usual
    return number("cost_limit", given, "a number above 0, or None", lambda x: x > 0)


def _near(name: str, known: Mapping[str, object]) -> tuple[str, ...]:
    from difflib import get_close_matches

    return tuple(get_close_matches(name, list(known), n=3, cutoff=0.5))
