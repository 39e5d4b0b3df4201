"""The folder of constraints -> constraints: what its words mean to the model; every fault is told in one error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from calfbayes.audit.expression import parse
from calfbayes.constraints.beliefs import pieces
from calfbayes.constraints.content import FOLDER, Content, checked, contents_of
from calfbayes.constraints.in_vain import said_in_vain
from calfbayes.constraints.terms import (
    Bounds,
    Causes,
    Constraint,
    Dominates,
    Frequencies,
    LikelihoodRatio,
    Measure,
    MedianUrgency,
    Monotone,
    Moves,
    Probability,
    Ranks,
    RuleFires,
    RuleStratum,
    Score,
    ScoreItem,
    Selection,
    Takes,
    UrgencyIs,
    Yields,
)
from calfbayes.diagnosis.rules import could_hold
from calfbayes.diagnosis.urgency import Outcome
from calfbayes.errors import (
    ArgumentError,
    ContradictionError,
    EvidenceError,
    Fault,
    ModelFileError,
    NoSuchModelError,
    UnknownNameError,
)
from calfbayes.evidence import Evidence, read_evidence
from calfbayes.knowledge.shipped import models_folder, shipped_models
from calfbayes.knowledge.terms import Finding, Level, Observer, RiskFactor, Source, atoms
from calfbayes.knowledge.wording import nearest, short, shown
from calfbayes.network import Network

ANY_GROUP = "any"
ANYTHING = "anything"
ROUNDING = 1e-9  # of exact answers: what is not to move may move by this factor

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the files of constraints say.

    Attributes:
        constraints: In the order of the files.
        files: By id of a constraint the file that it stands in.
        sources: Those that no number of the model rests on.
    """

    constraints: tuple[Constraint, ...]
    files: Mapping[str, str]
    sources: tuple[Source, ...]


def find_constraints(name_or_path: str | Path) -> Path:
    """The folder of a shipped model, or of any model by its path: its constraints stand in there.

    Raises:
        NoSuchModelError: If it is no model's folder.
    """
    folder = models_folder() / name_or_path if name_or_path in shipped_models() else Path(name_or_path)
    if not (folder / "model.toml").is_file():
        raise NoSuchModelError(str(name_or_path), shipped_models())
    return folder


def read_constraints(network: Network, folder: Path) -> Constraints:
    """Read the constraints of a model and check that they speak of what it knows.

    Raises:
        ModelFileError: If there is none, or a file is wrong; the error lists every fault.
    """
    faults: list[Fault] = []
    found = contents_of(folder, faults)
    if not faults and not any(content["constraints"] for content in found.values()):
        remedy = "add one to a file THEME.toml in this folder, as in models/README.md"
        faults.append(Fault(FOLDER, "", "holds no constraint", remedy))
    return _read(network, found, faults, str(folder))


def read_tables(network: Network, raw: Mapping[str, Any]) -> Constraints:
    """Read constraints that are given as the tables of such a file.

    Raises:
        ModelFileError: If something in them is wrong; the error lists every fault.
    """
    faults: list[Fault] = []
    return _read(network, {FOLDER: checked(FOLDER, dict(raw), faults)}, faults, network.name)


def _read(network: Network, contents: Mapping[str, Content], faults: list[Fault], name: str) -> Constraints:
    reader = _Reader(network, contents, faults)
    constraints = tuple(
        reader.constraint(file, entry) for file, content in contents.items() for entry in content["constraints"]
    )
    if faults:
        raise ModelFileError(name, tuple(faults))
    sources = tuple(Source(key, s["citation"], s["url"], s["kind"]) for key, s in reader.own_sources.items())
    return Constraints(constraints, reader.files, sources)


class _Reader:
    """Turns tables of the right shape into records, and collects what they mean wrongly."""

    def __init__(self, network: Network, contents: Mapping[str, Content], faults: list[Fault]) -> None:
        self.network = network
        self.faults = faults
        self.file = self.place = ""
        self.causes = {network.nodes[k].id for k in (*network.causes, *network.complications)}
        self.ranked = {network.nodes[k].id for k in network.causes}
        self.findings = {network.nodes[k].id for k in network.findings} - {network.knowledge.complaint}
        self.own_sources = {key: source for content in contents.values() for key, source in content["sources"].items()}
        self.sources = {source.id for source in network.knowledge.sources} | set(self.own_sources)
        self.settings = [setting.id for setting in network.knowledge.settings]
        self.files: dict[str, str] = {}
        self.scores: dict[str, Score | None] = {}
        seen: dict[str, str] = {}
        for self.file, content in contents.items():
            for part in ("sources", "scores"):
                for place in (f"{part}.{key}" for key in content[part]):
                    if place in seen:
                        self.faults.append(Fault(self.file, place, f"stands in {seen[place]}, too", "keep one of the two"))
                    seen[place] = self.file
            self.scores |= {key: score and self._score(key, score) for key, score in content["scores"].items()}

    def note(self, key: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(self.file, f"{self.place}.{key}", problem, remedy))

    def constraint(self, file: str, t: Table) -> Constraint:
        self.file, self.place = file, f"constraints.{t['id']}"
        if t["id"] in self.files:
            self.note("id", f"{t['id']!r} stands in {self.files[t['id']]}, too", "give each constraint its own id")
        self.files[t["id"]] = file
        for source in t["source"]:
            if source not in self.sources:
                self.note("source", f"{source!r} is no source", nearest(source, self.sources))
        setting = t["setting"] or self.network.knowledge.default_setting
        if setting not in self.settings:
            self.note("setting", f"{setting!r} is no care setting", nearest(setting, self.settings))
            setting = self.network.knowledge.default_setting
        given = self._selection("given", t["given"])
        denied = self._denied(given) if t["no_red_flags"] else ()
        common: dict[str, Any] = {
            "id": t["id"],
            "kind": t["kind"],
            "sources": tuple(t["source"]),
            "why": t["why"],
            "setting": setting,
            "given": given,
            "denied": denied,
            "scope": self._scope(t, denied),
            "trials": t["trials"],
            "tolerance": t["tolerance"],
            "allow_explaining_away": t["allow_explaining_away"],
        }
        for key, problem, remedy in said_in_vain(t):
            self.note(key, problem, remedy)
        return self._of_kind(t, common)

    def _scope(self, t: Table, denied: tuple[str, ...]) -> tuple[str, ...]:
        """Ids that may be answered besides; all that is not spoken of if the scope is anything."""
        spoken_of = {*t.get("to", ()), *t.get("each_of", ()), t.get("along", ""), *denied}
        for part in (t["given"], t.get("of", {}), t.get("compared_with", {})):
            spoken_of.update(re.findall(r"\w+", " ".join(part) if isinstance(part, Mapping) else part))
        if t["scope"] == [ANYTHING]:
            return tuple(name for name in sorted(self.findings | set(self.network.risk_index)) if name not in spoken_of)
        for name in t["scope"]:
            if name in spoken_of:
                self.note("scope", f"{name!r} is spoken of elsewhere in the constraint", "leave it out of the scope")
        return tuple(dict.fromkeys(self._item("scope", name) for name in t["scope"]))

    def _of_kind(self, t: Table, common: dict[str, Any]) -> Constraint:
        match t["kind"]:
            case "probability":
                return Probability(**common, causes=self._causes("cause", t["cause"]), wanted=_bounds(t))
            case "ranks":
                if t["within"] >= len(self.ranked):
                    n = len(self.ranked)
                    self.note("within", f"is {t['within']}, and there are {n} causes", f"give at most {n - 1}")
                return Ranks(**common, cause=self._ranked("cause", t["cause"]), within=t["within"])
            case "dominates":
                return Dominates(**common, causes=tuple(self._ranked("causes", cause) for cause in t["causes"]))
            case "yields":
                to = tuple(self._finding("to", name) for name in t["to"])
                return Yields(**common, cause=self._ranked("cause", t["cause"]), to=to)
            case "raises" | "lowers" | "must_not_raise" | "must_not_lower":
                return self._moves(t, common)
            case "likelihood_ratio":
                causes, of = self._causes("cause", t["cause"]), self._selection("of", t["of"])
                against = self._causes("against", t["against"])
                for name in sorted({*causes} & {*against}):
                    self.note("against", f"{name!r} is compared with itself", "leave it out of cause or of against")
                return LikelihoodRatio(**common, causes=causes, of=of, against=against, wanted=_bounds(t))
            case "frequencies":
                bounds = (Bounds.around(p, t["within_factor"]) for p in t["of"].values())
                those = (self._selection("of", {these: True} if these.isidentifier() else these) for these in t["of"])
                wanted = tuple(zip(those, bounds, strict=True))
                return Frequencies(**common, causes=self._causes("cause", t["cause"]), wanted=wanted)
            case "takes":
                causes, of = self._causes("cause", t["cause"]), self._selection("of", t["of"])
                return Takes(**common, causes=causes, of=of, start=t["start"], wanted=_bounds(t))
            case "monotone":
                states = self._states(t["along"], t["states"])
                cause = self._ranked("cause", t["cause"])
                return Monotone(**common, cause=cause, along=t["along"], states=states, rising=t["direction"] == "rises")
            case "urgency":
                levels = self._levels(t)
                outcome = Outcome(t["outcome"]) if t["outcome"] else None
                each_of = tuple(self._sign("each_of", name) for name in t["each_of"])
                return UrgencyIs(**common, least=levels[0], most=levels[1], outcome=outcome, each_of=each_of)
            case "rule":
                rules = {rule.id for rule in self.network.knowledge.urgency.rules}
                pictures = tuple(self._picture(atoms) for atoms in t["pictures"])
                given = Selection(common["given"].answers)
                for picture in pictures:
                    if not pieces(self.network, (given, picture)):
                        self.note("pictures", f"{picture} contradicts given", "leave out one of the two")
                rule = self._known("rule", t["rule"], rules, "red-flag rule")
                return RuleFires(
                    **common, rule=rule, least=Level(t["at_least"]), pictures=pictures, each_needed=t["each_needed"]
                )
            case "median_urgency":
                levels = self._levels(t)
                tell = tuple(self._item("tell", name) for name in t["tell"])
                return MedianUrgency(
                    **common, least=levels[0], most=levels[1], tell=tell, patients=t["patients"], seed=t["seed"]
                )
            case _:
                return self._rule_stratum(t, common)

    def _moves(self, t: Table, common: dict[str, Any]) -> Moves:
        if t["group"]:
            records = [c for c in self.network.knowledge.causes if t["group"] in {ANY_GROUP, c.group}]
            if not records:
                groups = {cause.group for cause in self.network.knowledge.causes}
                self.note("group", f"{t['group']!r} is no group of causes", f"{ANY_GROUP}, or {nearest(t['group'], groups)}")
            spared = {self._ranked("except_for", name) for name in t["except_for"]}
            for name in sorted((spared & self.ranked) - {cause.id for cause in records} if records else ()):
                self.note("except_for", f"{name!r} is not in group {t['group']}", "leave it out")
            targets: tuple[Causes, ...] = tuple((cause.id,) for cause in records if cause.id not in spared)
            if records and not targets:
                self.note("except_for", f"spares every cause of {t['group']!r}", "leave one to judge")
        else:
            targets = (self._causes("cause", t["cause"]),)
        if t["kind"].startswith("must_not"):
            times = Bounds(0.0, t["by_more_than"] + ROUNDING)
        else:
            times = Bounds(t["by_at_least"] or 1.0 + ROUNDING, t["by_at_most"] or inf)
        of, compared_with = self._selection("of", t["of"]), self._selection("compared_with", t["compared_with"])
        upward = t["kind"] in {"raises", "must_not_raise"}
        return Moves(**common, targets=targets, of=of, compared_with=compared_with, upward=upward, times=times)

    def _rule_stratum(self, t: Table, common: dict[str, Any]) -> Constraint:
        if t["score"] not in self.scores:
            self.note("score", f"{t['score']!r} is no score", nearest(t["score"], self.scores))
        score = self.scores.get(t["score"])
        if score is None:
            return Constraint(**common)
        measure = Measure.PROBABILITY if t["probability"] else Measure.LIKELIHOOD_RATIO
        stratum, wanted = Bounds(*t["points"]), Bounds(*t[str(measure)])
        return RuleStratum(**common, score=score, stratum=stratum, measure=measure, wanted=wanted)

    def _score(self, key: str, t: Table) -> Score:
        self.place = f"scores.{key}"
        for item in t["items"]:
            if item["when"]:
                self._selection("items", item["when"])
        return Score(
            id=key,
            label=t["label"],
            cause=self._ranked("cause", t["cause"]),
            items=tuple(ScoreItem(item["points"], item["when"]) for item in t["items"]),
            ask=tuple(self._item("ask", name) for name in t["ask"]),
            no_diagnosis=tuple(self._ranked("no_diagnosis", name) for name in t["no_diagnosis"]),
            patients=t["patients"],
            seed=t["seed"],
        )

    # --- parts ---

    def _selection(self, key: str, given: Table | str) -> Selection:
        selection = Selection(expression=given) if isinstance(given, str) else Selection(tuple(given.items()))
        complaint = self.network.knowledge.complaint
        try:
            names = parse(self.network, given).choices if isinstance(given, str) else read_evidence(self.network, given)
        except UnknownNameError as error:
            known = {*self.findings, *self.network.risk_index}
            self.note(key, f"{short(error.name)} is no finding or risk factor", nearest(error.name, known))
        except EvidenceError as error:
            self.note(key, f"{error.name}={shown(error.given)} {error.reason}", error.remedy)
        except ArgumentError as error:
            self.note(key, f"{shown(error.given)} is no condition", f"give {error.expected}")
        except ContradictionError as error:
            self.note(key, f"{', '.join(error.clash)} cannot all be true ({error.reason})", "leave one of them out")
        else:
            if complaint in names:
                self.note(key, f"{complaint!r} is the complaint, which every patient has", "leave it out")
            elif key == "of" and not names:
                self.note(key, "selects nobody in particular", "name what is learnt")
            return selection
        return Selection()

    def _picture(self, written: list[str]) -> Selection:
        """Answers that are written like the conditions of a rule: a finding, or `factor=state`."""
        answers: dict[str, str | bool] = {}
        for atom in written:
            name, equals, state = atom.partition("=")
            answers[name] = state if equals else True
        return self._selection("pictures", answers)

    def _denied(self, given: Selection) -> tuple[str, ...]:
        """What a red-flag rule could still ask a patient, as far as a no does not contradict what is given."""
        if given.expression:
            self.note("no_red_flags", "needs one patient", "write given as a table")
            return ()
        evidence = read_evidence(self.network, dict(given.answers))
        denied: dict[str, bool] = {}
        for rule in self.network.knowledge.urgency.rules:
            if could_hold(rule.condition, evidence):
                for atom in atoms(rule.condition):
                    if self._can_be_denied(atom.id, evidence):
                        denied[atom.id] = False
        return tuple(denied)

    def _can_be_denied(self, name: str, evidence: Evidence) -> bool:
        record = self.network.records[name]
        asked = (
            record.is_binary
            if isinstance(record, RiskFactor)
            else (isinstance(record, Finding) and record.observer == Observer.PATIENT)
        )
        if not asked or name in evidence:
            return False
        try:
            evidence.with_({name: False})
        except ContradictionError:
            return False
        return True

    def _causes(self, key: str, names: list[str]) -> Causes:
        return tuple(self._known(key, name, self.causes, "cause or complication") for name in names)

    def _ranked(self, key: str, name: str) -> str:
        return self._known(key, name, self.ranked, "cause")

    def _finding(self, key: str, name: str) -> str:
        return self._known(key, name, self.findings, "finding")

    def _item(self, key: str, name: str) -> str:
        return self._known(key, name, self.findings | set(self.network.risk_index), "finding or risk factor")

    def _sign(self, key: str, name: str) -> str:
        binary = {factor.id for factor in self.network.knowledge.risk_factors if factor.is_binary}
        return self._known(key, name, self.findings | binary, "finding or yes/no risk factor")

    def _known(self, key: str, name: str, known: set[str], role: str) -> str:
        if name not in known:
            self.note(key, f"{name!r} is no {role}", nearest(name, known))
        return name

    def _states(self, along: str, states: list[str]) -> tuple[str, ...]:
        record = self.network.records.get(along)
        if not isinstance(record, RiskFactor):
            self.note("along", f"{along!r} is no risk factor", nearest(along, self.network.risk_index))
            return ()
        for state in states:
            if state not in record.states:
                self.note("states", f"{state!r} is no state of {along}", nearest(state, record.states))
        if len(states) == 1:
            self.note("states", "holds 1", "give at least 2, or leave it out")
        has_order = record.is_binary or bool(record.lower_bounds)
        if not states and not has_order:
            self.note("along", f"the states of {along} have no order", "list them in states, as they are meant to rise or fall")
        in_order = [state for state in record.states if state in states] if has_order else list(dict.fromkeys(states))
        if states != in_order and {*states} <= {*record.states}:
            self.note("states", f"are not in the order of {along}, each once", f"write {in_order}")
        return tuple(states) or record.states

    def _levels(self, t: Table) -> tuple[Level, Level]:
        least, most = Level(t["at_least"]), Level(t["at_most"])
        if least.severity > most.severity:
            self.note("at_least", f"{least} is more urgent than at_most, {most}", "exchange the two")
        if (least, most) == (Level.SELF_CARE, Level.EMERGENCY) and not t.get("outcome"):
            self.note("at_least", "everyone meets it", "give at_least or at_most, or with urgency an outcome")
        return least, most


def _bounds(t: Table) -> Bounds:
    if t["between"]:
        return Bounds(*t["between"])
    return Bounds(t["at_least"] or 0.0, inf if t["at_most"] is None else t["at_most"])
