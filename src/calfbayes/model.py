"""Model: the public face. Its methods are short for functions that take the network and the evidence."""

import copy
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from calfbayes.arguments import flag, number, whole_number
from calfbayes.diagnosis.diagnosing import diagnose, with_level
from calfbayes.diagnosis.policy import UrgencyPolicy, policy_of
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import ArgumentError, ContradictionError, Fault, MissingExtraError, ModelFileError, UnknownNameError
from calfbayes.evidence import Evidence, read_evidence, read_evidence_json
from calfbayes.inference.bases import Bases
from calfbayes.inference.exact import COST_LIMIT, Posterior
from calfbayes.inference.solved import SolvedNetwork, solve
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.knowledge.shipped import open_model
from calfbayes.knowledge.terms import (
    Cause,
    Complication,
    Finding,
    KnowledgeBase,
    Mechanism,
    RiskFactor,
    Setting,
    Source,
)
from calfbayes.knowledge.wording import short
from calfbayes.network import compile_network

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from calfbayes.audit.comparison import Comparison
    from calfbayes.constraints.terms import Constraint, Verdict
    from calfbayes.evaluation.case_files import Case
    from calfbayes.evaluation.scores import Scores
    from calfbayes.explanation.record import Replay
    from calfbayes.explorer.widget import Explorer
    from calfbayes.questionnaire.interview import Interview
    from calfbayes.questionnaire.session import Questionnaire

CALLER = "caller"
MAX_WEIGHT = 1e9


class Model:
    """A model that can diagnose. Immutable, picklable and safe to share between threads; make it with `load_model`."""

    def __init__(self, solved: SolvedNetwork, content: Content, folder: Path | None = None) -> None:
        self._solved = solved
        self._content = content
        self._folder = folder

    @property
    def knowledge(self) -> KnowledgeBase:
        """All records of the model's files."""
        return self._solved.network.knowledge

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.knowledge.name

    @property
    def version(self) -> str:
        """Version of the content."""
        return self.knowledge.version

    @property
    def digest(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits."""
        return self.knowledge.digest

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The care settings."""
        return self.knowledge.settings

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes, each with `.id`, `.label` and all that its file says."""
        return self.knowledge.causes

    @property
    def complications(self) -> tuple[Complication, ...]:
        """The complications."""
        return self.knowledge.complications

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """The hidden mechanisms."""
        return self.knowledge.mechanisms

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The symptoms, signs and tests."""
        return self.knowledge.findings

    @property
    def risk_factors(self) -> tuple[RiskFactor, ...]:
        """The risk factors."""
        return self.knowledge.risk_factors

    @property
    def urgency_policy(self) -> UrgencyPolicy:
        """Levels, table of losses with the probabilities at which the level changes, and red-flag rules."""
        return policy_of(self.knowledge.urgency)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The bibliography."""
        return self.knowledge.sources

    @property
    def graph(self) -> "nx.DiGraph[str]":
        """The network as a networkx graph: node attributes `role` and `label`; arc attribute `link` or `odds_ratios`."""
        from calfbayes.adapters.graph import to_networkx

        return to_networkx(self._solved.network)

    def __repr__(self) -> str:
        return (
            f"Model({self.name} {self.version}, digest {self.digest[:12]}: {len(self.causes)} causes, "
            f"{len(self.findings)} findings, {len(self.risk_factors)} risk factors, "
            f"settings {', '.join(setting.id for setting in self.settings)})"
        )

    def _repr_html_(self) -> str:
        from calfbayes.presentation.display import model_html

        return model_html(self._solved)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def evidence(
        self, given: Mapping[str, object] | Evidence | None = None, *, setting: str | None = None, **more: object
    ) -> Evidence:
        """Check what is known about one patient.

        Args:
            given: Ids to values: a finding is True, False, None (asked, not known) or `Likelihood(ratio)`; a risk factor is
                True, False, None, a state, or a number in its unit.
            setting: A care setting, or None for the model's default.
            more: Further items as keywords.

        Raises:
            UnknownNameError: If an id or the setting is not in the model; nearest ids are named.
            EvidenceError: If a value cannot be what was given.
            ContradictionError: If logic alone rules the answers out; its `level` is that of the red-flag rules that hold.
        """
        start = {} if given is None else given
        if more and isinstance(start, Mapping):
            setting = start.setting if isinstance(start, Evidence) and setting is None else setting
            start = {**start, **more}
        try:
            return read_evidence(self._solved.network, start, setting=setting)
        except ContradictionError as error:
            raise with_level(error, self.urgency_policy) from None

    def evidence_from_json(self, text: str | bytes) -> Evidence:
        """Read evidence from the JSON that `Evidence.to_json` writes.

        Raises:
            CalfBayesError: If the text is no such JSON, or as `evidence`.
        """
        return read_evidence_json(self._solved.network, text)

    def diagnose(
        self,
        evidence: Mapping[str, object] | Evidence | None = None,
        *,
        setting: str | None = None,
        engine: Literal["exact", "pgmpy"] = "exact",
        cost_limit: float = COST_LIMIT,
        policy: UrgencyPolicy | None = None,
        allow_laxer_policy: bool = False,
    ) -> Diagnosis:
        """Say how probable each cause is, and how urgent the situation.

        Args:
            evidence: What is known, see `evidence`.
            setting: A care setting, or None for the model's default, which the result then lists under `assumed`.
            engine: `exact` is the own recursion, `pgmpy` the second opinion (much slower; needs the extra `pgmpy`).
            cost_limit: Largest predicted number of state operations. Above it the result has no probabilities, its
                outcome is `insufficient`, and its level is that of the red-flag rules.
            policy: Another urgency policy than the model's; it may be stricter.
            allow_laxer_policy: Whether it may also give lower levels than the model's; the result records it.

        Raises:
            ContradictionError: If the evidence contradicts itself; its `level` is that of the red-flag rules that hold.
            CalfBayesError: If the evidence cannot be what was given.
        """
        if engine not in ("exact", "pgmpy"):
            raise ArgumentError("engine", short(engine), "'exact' or 'pgmpy'")
        limit = number("cost_limit", cost_limit, "a number above 0", lambda x: x > 0)
        flag("allow_laxer_policy", allow_laxer_policy)
        checked = self.evidence(evidence, setting=setting)
        second: Any = None
        if engine == "pgmpy":
            from calfbayes.adapters.to_pgmpy import infer_with_pgmpy

            second = infer_with_pgmpy
        return diagnose(
            self._solved,
            checked,
            policy=policy,
            allow_laxer_policy=allow_laxer_policy,
            cost_limit=limit,
            posterior_by=second,
        )

    def replay(self, record: Mapping[str, Any], *, policy: UrgencyPolicy | None = None) -> "Replay":
        """Repeat a result from its record, and say what is not as recorded and which edited number changed what.

        Args:
            record: What `Diagnosis.record` gave, perhaps read back from JSON.
            policy: The urgency policy, if the record was made with another than the model's.

        Raises:
            ArgumentError: If it is no record, or was made with another policy and none is given.
            CalfBayesError: If the model no longer takes the evidence.
        """
        from calfbayes.explanation.record import replay

        return replay(self._solved, self._content, record, policy=policy)

    def diagnose_frame(self, df: "pd.DataFrame", *, setting: str | None = None) -> "pd.DataFrame":
        """Answer for each row of a table, as `diagnose` would.

        Args:
            df: One row a patient; columns are ids, and `setting` if rows differ in it. A missing value was never asked.
            setting: Care setting of rows that name none; None for the model's default.

        Returns:
            A table with the same index: `outcome`, `urgency`, `log_evidence` and a column for each cause.

        Raises:
            CalfBayesError: If a column or a value cannot be what was given; it names row and column.
        """
        from calfbayes.adapters.dataframes import diagnose_frame

        return diagnose_frame(self._solved, df, setting=setting)

    def simulate(self, n: int, *, seed: int, setting: str | None = None) -> "pd.DataFrame":
        """Draw patients from the model.

        Args:
            n: How many.
            seed: Of the random generator; the same seed gives the same patients.
            setting: A care setting, or None for the model's default.

        Returns:
            One row a patient: a column for each risk factor (state), cause, complication, mechanism and finding (bool).
            Answers that logic forbids together are never drawn together.

        Raises:
            ArgumentError: If `n` is no number from 0 to 10 million, or `seed` no whole number from 0.
        """
        import pandas as pd

        from calfbayes.inference.simulation import simulate_states

        drawn, rng = whole_number("n", n, 0, 10**7), np.random.default_rng(whole_number("seed", seed, 0))
        chosen = self.evidence({}, setting=setting).setting or self.knowledge.default_setting
        columns = simulate_states(self._solved.network, self._solved.bases[chosen].logits, drawn, rng)
        return pd.DataFrame(columns)

    def with_weights(self, setting: str, weights: Mapping[str, float]) -> "Model":
        """The same model with other weights in one care setting: every clinic has its own prevalences.

        Args:
            setting: A care setting of the model.
            weights: New weights by cause, on the scale of the model's own; causes that are not named keep theirs.

        Returns:
            A new model with its own digest; the new weights are marked as the caller's.

        Raises:
            UnknownNameError: If the setting or a cause is not in the model.
            ArgumentError: If a weight is no number from 0.
            ModelFileError: If no bases give the new shares.
        """
        chosen = self.evidence({}, setting=setting).setting
        if chosen is None or not isinstance(weights, Mapping):
            raise ArgumentError(
                "setting, weights", f"{setting!r}, {weights!r}"[:80], "a care setting and a mapping of causes to weights"
            )
        content = copy.deepcopy(self._content)
        content["sources"][CALLER] = {"citation": "weight given by the calling program", "url": "", "kind": "judgement"}
        for cause, weight in weights.items():
            if cause not in content["causes"]:
                raise UnknownNameError("cause", str(cause)[:200], (), f"model {self._solved.network.name}")
            value = number(f"weights[{cause!r}]", weight, f"a number from 0 to {MAX_WEIGHT:g}", lambda x: 0 <= x <= MAX_WEIGHT)
            content["causes"][cause]["weight"][chosen] = {
                "value": value,
                "kind": "judged",
                "source": [CALLER],
                "range": [value / 2, value * 2],
                "why": "given by the calling program",
            }
        kept = {s: (bases, self._solved.baseline[s]) for s, bases in self._solved.bases.items() if s != chosen}
        knowledge = knowledge_from_content(content, name=self.name)
        return Model(solve(compile_network(knowledge), kept), content, self._folder)

    def evaluate(self, cases: "str | Path | Iterable[Case]") -> "Scores":
        """Diagnose published patients and score the answers.

        Args:
            cases: The path of a file in the format that models/README.md describes, or cases that were read from one.

        Returns:
            Scores: `.measures()` with bootstrap intervals, `.triage`, `.by_cause`, `.answers`, `.to_dict()`.

        Raises:
            CaseFileError: If the file is wrong, or cases hold what the model does not know or contradict themselves; it
                lists every fault.
            ArgumentError: If something given is no case.
        """
        from calfbayes.evaluation.case_files import checked_cases, read_cases
        from calfbayes.evaluation.scores import evaluate

        if isinstance(cases, str | Path):
            return evaluate(self._solved, read_cases(Path(cases)), origin=str(cases))
        return evaluate(self._solved, checked_cases(cases))

    def questionnaire(self) -> "Questionnaire":
        """The questions for a patient; `questionnaire.start()` begins the answers, whose `evidence()` goes into `diagnose`.

        Raises:
            ModelFileError: If the model's folder has no `questionnaire.toml`, or it is wrong; the error lists every fault.
        """
        from calfbayes.questionnaire.reading import read_questionnaire

        return read_questionnaire(self._own_folder("questionnaire.toml"), self._solved.network)

    def audit(self, *, every: int = 1) -> "tuple[Comparison, ...]":
        """Compare the model with the published figures that stand beside its files.

        Args:
            every: 1 takes all rows of the table, 12 every twelfth: a sample for the impatient.

        Returns:
            One comparison a row, in the order of the table; `calfbayes.plot.audit` draws them.

        Raises:
            NoSuchModelError: If the model's folder has no `evidence.csv`.
            ModelFileError: If a table is wrong; the error lists every fault.
            ArgumentError: If `every` is no whole number from 1.
            QueryTooCostlyError: If a row's patients leave so much open that the model cannot answer exactly.
        """
        from calfbayes.audit.comparison import audit
        from calfbayes.audit.table import find_tables, read_table

        step = whole_number("every", every, 1)
        figures = read_table(self._solved.network, find_tables(self._own_folder("evidence.csv")))
        return audit(self._solved, figures[::step])

    def constraints(self) -> "tuple[Constraint, ...]":
        """What must hold clinically: the constraints that stand beside the model's files now, in the order of these.

        Raises:
            ModelFileError: If the model's folder has none, or a file of them is wrong; the error lists every fault.
        """
        from calfbayes.constraints.reading import read_constraints

        return read_constraints(self._solved.network, self._own_folder("constraints")).constraints

    def judge(self, constraints: "Iterable[Constraint] | None" = None) -> "tuple[Verdict, ...]":
        """Judge the model by constraints: those given, or all of its own, which may take minutes.

        Returns:
            One verdict a constraint, in their order.

        Raises:
            CalfBayesError: As `constraints`.
            ArgumentError: If something given is no constraint.
        """
        from calfbayes.constraints.judging import check_constraints
        from calfbayes.constraints.terms import Constraint

        chosen = self.constraints() if constraints is None else constraints
        if not isinstance(chosen, Iterable):
            raise ArgumentError("constraints", short(chosen), "constraints, such as model.constraints() gives")
        listed = tuple(chosen)
        for one in listed:
            if not isinstance(one, Constraint):
                raise ArgumentError("constraints", f"one of type {type(one).__name__}", "such as model.constraints() gives")
        return check_constraints(self._solved, listed)

    def explore(self, evidence: Mapping[str, object] | Evidence | None = None, *, setting: str | None = None) -> "Explorer":
        """Explore the model in a notebook: tick answers, and the diagnosis follows.

        With the shipped models it follows within 200 ms as soon as the age is known (40 to 120 ms of processor time a tick);
        while it is not, it takes up to 250 ms, for every cause is then weighed at every age.

        Args:
            evidence: Answers to begin with, see `evidence`.
            setting: A care setting to begin with, or None for the model's default.

        Returns:
            What a notebook shows as controls; `.evidence`, `.result` and `.to_json()` say where it stands.

        Raises:
            CalfBayesError: If the evidence cannot be what was given, or contradicts itself.
            MissingExtraError: If ipywidgets is not installed.
        """
        from calfbayes.explorer.session import Session

        try:
            from calfbayes.explorer.widget import explorer_of
        except ImportError:
            raise MissingExtraError("ipywidgets", "notebook") from None
        return explorer_of(Session(self, self.evidence(evidence, setting=setting)))

    def interview(
        self,
        evidence: Mapping[str, object] | Evidence | None = None,
        *,
        setting: str | None = None,
        budget: int | None = None,
        epsilon: float | None = None,
        seed: int = 0,
        policy: UrgencyPolicy | None = None,
        allow_laxer_policy: bool = False,
    ) -> "Interview":
        """Begin an interview: `.next()` is the next screen, `.answer(...)` the interview after it, `.stopped` why it ended.

        Screens are the questions of `questionnaire.toml`; a model without it asks for each thing by itself.

        Args:
            evidence: What is known already.
            setting: A care setting, or None for the model's default.
            budget: Largest number of screens; None for no limit.
            epsilon: It ends once the chance that further answers would change the level is below this; None for what the
                model's file says.
            seed: Of the completions by which that chance is estimated.
            policy: Another urgency policy than the model's; it may be stricter.
            allow_laxer_policy: Whether it may also give lower levels than the model's; the result records it.

        Raises:
            CalfBayesError: If the evidence or an argument cannot be what was given.
        """
        from calfbayes.questionnaire.interview import begin

        start = self.evidence(evidence, setting=setting)
        laxer = flag("allow_laxer_policy", allow_laxer_policy)
        return begin(
            self._solved,
            self._screens(),
            start,
            budget=budget,
            epsilon=epsilon,
            seed=seed,
            policy=policy,
            allow_laxer_policy=laxer,
        )

    def interview_from_json(
        self, text: str | bytes, *, policy: UrgencyPolicy | None = None, allow_laxer_policy: bool = False
    ) -> "Interview":
        """Go on with an interview that `Interview.to_json` wrote.

        Args:
            policy: The urgency policy, if it was begun with another than the model's.
            allow_laxer_policy: As in `interview`.

        Raises:
            StaleInterviewError: If it is of a model with other content, or was begun with another policy; it has the level that
                was told.
            CalfBayesError: If the text is no such JSON.
        """
        from calfbayes.questionnaire.stored import interview_from_json

        laxer = flag("allow_laxer_policy", allow_laxer_policy)
        return interview_from_json(self._solved, self._screens(), text, policy=policy, allow_laxer_policy=laxer)

    def _own_folder(self, wanted: str) -> Path:
        """Where the model's files lie, for what is read on demand."""
        if self._folder is None:
            fault = Fault(wanted, "", "this model was not read from a folder", "make it with load_model")
            raise ModelFileError(self.name, (fault,))
        return self._folder

    def _screens(self) -> "Questionnaire":
        from calfbayes.questionnaire.checking import FILE
        from calfbayes.questionnaire.screens import plain_questionnaire

        has_one = self._folder is not None and (self._folder / FILE).exists()
        return self.questionnaire() if has_one else plain_questionnaire(self._solved.network)

    def to_pgmpy(self, *, setting: str | None = None) -> Any:
        """An equivalent pgmpy network; wide noisy-ORs are split into chains of small tables.

        Returns:
            A `pgmpy.models.DiscreteBayesianNetwork`. States are absent and present, or those of the risk factors.

        Raises:
            MissingExtraError: If pgmpy is not installed.
        """
        from calfbayes.adapters.to_pgmpy import to_pgmpy

        chosen = self.evidence({}, setting=setting).setting or self.knowledge.default_setting
        return to_pgmpy(self._solved.network, self._solved.bases[chosen].logits)


def load_model(name_or_path: str | Path = "calf") -> Model:
    """Load a model.

    Args:
        name_or_path: `calf`, `tutorial`, or the path of a model folder.

    Raises:
        NoSuchModelError: If there is no such model.
        ModelFileError: If its files are wrong; the error lists every fault.
    """
    opened = open_model(name_or_path)
    return Model(solve(compile_network(opened.knowledge), _solved_from_json(opened.bases)), opened.content, opened.folder)


def evaluate(cases: "str | Path | Iterable[Case]", *, model: "Model | str | Path" = "calf") -> "Scores":
    """Score a model on published patients; see `Model.evaluate`.

    Args:
        model: A model, or what `load_model` takes.

    Raises:
        CalfBayesError: As `load_model` and `Model.evaluate`.
    """
    return (model if isinstance(model, Model) else load_model(model)).evaluate(cases)


def bases_as_json(model: Model) -> dict[str, Any]:
    """The solved bases and the posterior with nothing known, by setting, as plain values for a snapshot."""
    return {
        setting: {
            "logits": [x if math.isfinite(x) else str(x) for x in bases.logits.tolist()],
            "shares": bases.shares.tolist(),
            "complaint": bases.complaint,
            "log_joint": model._solved.baseline[setting].log_joint,
            "hidden": list(model._solved.baseline[setting].hidden.items()),
            "labels": model._solved.baseline[setting].labels,
        }
        for setting, bases in model._solved.bases.items()
    }


def _solved_from_json(document: Mapping[str, Any]) -> dict[str, tuple[Bases, Posterior]]:
    solved = {}
    for setting, entry in document.items():
        logits = np.array([float(x) for x in entry["logits"]])
        shares = np.array(entry["shares"])
        logits.flags.writeable = shares.flags.writeable = False
        hidden = {int(node): p for node, p in entry["hidden"]}
        baseline = Posterior(entry["log_joint"], hidden, tuple(entry["labels"]))
        solved[setting] = Bases(logits, shares, entry["complaint"]), baseline
    return solved
