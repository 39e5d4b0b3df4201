"""Constraints in Python. Each is a table of a file of constraints and is read by the same reader, so it means the same."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Required, TypedDict, Unpack

import numpy as np

from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import read_tables
from calfbayes.constraints.schema import TABLES
from calfbayes.constraints.terms import Constraint, Verdict
from calfbayes.constraints.text import verdict_lines
from calfbayes.errors import ArgumentError
from calfbayes.evidence import Value
from calfbayes.knowledge.wording import short
from calfbayes.model import Model
from calfbayes.testing.why import explanation

Answers = Mapping[str, Value] | str
Ids = str | Sequence[str]
BARE = re.compile("[A-Za-z0-9_-]+")  # a key of a file that needs no quotes
LevelName = Literal["emergency", "same_day", "within_days", "routine", "self_care"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that the model's bibliography does not have."""

    id: str
    citation: str
    url: str = ""
    kind: Literal["article", "guideline", "web", "judgement"] = "article"


class About(TypedDict, total=False):
    """What every constraint may say of itself; models/README.md tells what the keys mean."""

    source: Required[str | Citation | Sequence[str | Citation]]
    why: Required[str]
    id: str
    scope: Ids
    trials: int
    tolerance: float


class AboutMoves(About, total=False):
    """What constraints on a movement may say besides."""

    compared_with: Answers
    group: str
    except_for: Sequence[str]
    allow_explaining_away: bool


class Bounds(TypedDict, total=False):
    """Exactly one of the three."""

    between: tuple[float, float]
    at_least: float
    at_most: float


class AboutNumbers(About, Bounds, total=False):
    """What constraints on a number say."""


@dataclass(frozen=True)
class Demand:
    """A constraint that is not yet read against a model.

    Attributes:
        table: As it would stand under `[[constraints]]`.
        sources: As they would stand under `[sources]`.
        scores: As they would stand under `[scores]`.
    """

    table: Mapping[str, Any]
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def constraint(self, model: Model) -> Constraint:
        """Read it against a model.

        Raises:
            ModelFileError: If it speaks of what the model does not know; the error lists every fault.
        """
        raw = {"constraints": [dict(self.table)], "sources": dict(self.sources), "scores": dict(self.scores)}
        return read_tables(model._solved.network, raw).constraints[0]

    def check(self, model: Model) -> Verdict:
        """Judge a model.

        Raises:
            CalfBayesError: If the model does not know what it speaks of, or cannot answer exactly.
        """
        return Judge(model._solved).verdict(self.constraint(model))

    def hold(self, model: Model) -> Verdict:
        """Judge a model in a test.

        Raises:
            AssertionError: If the demand is not met; the message has the patient, the numbers, the reason, and which elicited
                numbers would have to move, and how far.
            CalfBayesError: As `check`.
        """
        constraint = self.constraint(model)
        verdict = Judge(model._solved).verdict(constraint)
        if not verdict.holds:
            raise AssertionError("\n".join(verdict_lines(constraint, verdict, 100, explanation(model, constraint, verdict))))
        return verdict

    def to_toml(self) -> str:
        """The lines to paste into a file of constraints.

        Raises:
            ArgumentError: If something in it is nothing that a file can hold.
        """
        parts = [_table(f"[sources.{key}]", source) for key, source in self.sources.items()]
        parts += [_table(f"[scores.{key}]", score) for key, score in self.scores.items()]
        return "\n".join([*parts, _table("[[constraints]]", self.table)])


@dataclass(frozen=True)
class Given:
    """Some patients, of whom something is demanded; make it with `given`."""

    answers: Answers
    setting: str | None
    no_red_flags: bool

    def probability(self, cause: Ids, **about: Unpack[AboutNumbers]) -> Demand:
        """P(any of the causes) lies within bounds."""
        return self._demand("probability", {"cause": cause}, about)

    def ranks(self, cause: str, *, within: int = 1, **about: Unpack[About]) -> Demand:
        """The cause is among the first."""
        return self._demand("ranks", {"cause": cause, "within": within}, about)

    def dominates(self, *causes: str, **about: Unpack[About]) -> Demand:
        """Each cause is more probable than the next one."""
        return self._demand("dominates", {"causes": causes}, about)

    def yields(self, cause: str, *, to: Sequence[str], **about: Unpack[About]) -> Demand:
        """With each of the findings, some cause that brings it about is more probable than this one."""
        return self._demand("yields", {"cause": cause, "to": to}, about)

    def raises(
        self,
        cause: Ids | None = None,
        *,
        of: Answers,
        by_at_least: float | None = None,
        by_at_most: float | None = None,
        **about: Unpack[AboutMoves],
    ) -> Demand:
        """Further evidence makes the cause more probable, by a factor within these."""
        return self._moves("raises", cause, {"of": of, "by_at_least": by_at_least, "by_at_most": by_at_most}, about)

    def lowers(
        self,
        cause: Ids | None = None,
        *,
        of: Answers,
        by_at_least: float | None = None,
        by_at_most: float | None = None,
        **about: Unpack[AboutMoves],
    ) -> Demand:
        """Further evidence makes the cause less probable, by a factor within these."""
        return self._moves("lowers", cause, {"of": of, "by_at_least": by_at_least, "by_at_most": by_at_most}, about)

    def must_not_raise(
        self, cause: Ids | None = None, *, of: Answers, by_more_than: float = 1.0, **about: Unpack[AboutMoves]
    ) -> Demand:
        """Further evidence does not make the cause more probable, or by no more than this factor."""
        return self._moves("must_not_raise", cause, {"of": of, "by_more_than": by_more_than}, about)

    def must_not_lower(
        self, cause: Ids | None = None, *, of: Answers, by_more_than: float = 1.0, **about: Unpack[AboutMoves]
    ) -> Demand:
        """Further evidence does not make the cause less probable, or by no more than this factor."""
        return self._moves("must_not_lower", cause, {"of": of, "by_more_than": by_more_than}, about)

    def likelihood_ratio(self, cause: Ids, *, of: Answers, against: Ids = (), **about: Unpack[AboutNumbers]) -> Demand:
        """P(of | cause) / P(of | others) lies within bounds; the others are all, or have another cause."""
        return self._demand("likelihood_ratio", {"cause": cause, "of": of, "against": against}, about)

    def frequencies(self, cause: Ids, *, of: Mapping[str, float], within_factor: float, **about: Unpack[About]) -> Demand:
        """Each finding, or who meets an expression, is about so frequent with the cause: within a factor of odds."""
        return self._demand("frequencies", {"cause": cause, "of": of, "within_factor": within_factor}, about)

    def takes(self, cause: Ids, *, of: Answers, start: float, **about: Unpack[AboutNumbers]) -> Demand:
        """The likelihood ratio takes a patient with the probability `start` to one within bounds."""
        return self._demand("takes", {"cause": cause, "of": of, "start": start}, about)

    def monotone(
        self,
        cause: str,
        *,
        along: str,
        direction: Literal["rises", "falls"] = "rises",
        states: Sequence[str] = (),
        **about: Unpack[About],
    ) -> Demand:
        """The probability never falls (or never rises) along the states of a risk factor."""
        part = {"cause": cause, "along": along, "direction": direction, "states": states}
        return self._demand("monotone", part, about)

    def urgency(
        self,
        *,
        at_least: LevelName | None = None,
        at_most: LevelName | None = None,
        outcome: Literal["assessed", "insufficient", "outside_scope"] | None = None,
        each_of: Sequence[str] = (),
        **about: Unpack[About],
    ) -> Demand:
        """The level lies between two levels; with `each_of`, for each of these by itself."""
        part = {"at_least": at_least, "at_most": at_most, "outcome": outcome, "each_of": each_of}
        return self._demand("urgency", part, about)

    def rule(
        self,
        rule: str,
        *,
        at_least: LevelName,
        pictures: Sequence[Sequence[str]],
        each_needed: bool = True,
        **about: Unpack[About],
    ) -> Demand:
        """A red-flag rule holds on each picture, a list of findings and `factor=state`, and asks for at least this level.

        Args:
            each_needed: Whether it is to be silent if an answer of a picture is left out.
        """
        part = {"rule": rule, "at_least": at_least, "pictures": pictures, "each_needed": each_needed}
        return self._demand("rule", part, about)

    def median_urgency(
        self,
        *,
        tell: Sequence[str],
        patients: int,
        seed: int,
        at_least: LevelName | None = None,
        at_most: LevelName | None = None,
        **about: Unpack[About],
    ) -> Demand:
        """Of so many simulated patients who tell these things the middle one has such a level."""
        part = {"tell": tell, "patients": patients, "seed": seed, "at_least": at_least, "at_most": at_most}
        return self._demand("median_urgency", part, about)

    def rule_stratum(
        self,
        score: Mapping[str, Any],
        *,
        points: tuple[float, float],
        likelihood_ratio: tuple[float, float] | None = None,
        probability: tuple[float, float] | None = None,
        **about: Unpack[About],
    ) -> Demand:
        """Patients whose published score lies within have this stratum ratio, or the disease this often.

        Args:
            score: As under `[scores.ID]` in the file, with its `id`.
        """
        name = str(score.get("id", "score"))
        part = {"score": name, "points": points, "likelihood_ratio": likelihood_ratio, "probability": probability}
        scores = {name: {key: value for key, value in score.items() if key != "id"}}
        return self._demand("rule_stratum", part, about, scores)

    def _moves(self, kind: str, cause: Ids | None, part: Mapping[str, Any], about: AboutMoves) -> Demand:
        return self._demand(kind, {"cause": cause, **part}, about)

    def _demand(
        self, kind: str, part: Mapping[str, Any], about: About, scores: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Demand:
        more: dict[str, Any] = dict(about)
        given_sources = more.pop("source")
        sources = [given_sources] if isinstance(given_sources, str | Citation) else list(given_sources)
        # written are the keys that say more than their absence does, and all that the caller wrote
        defaults = {key: field.get_default(call_default_factory=True) for key, field in TABLES[kind].model_fields.items()}
        whom = {"given": self.answers, "no_red_flags": self.no_red_flags}
        said = {key: value for key, value in _plain({**whom, **part}).items() if not _same(value, defaults[key])}
        table = {
            "id": more.pop("id", kind),
            "kind": kind,
            "setting": self.setting,
            **said,
            **_plain(more),
            "source": [source.id if isinstance(source, Citation) else source for source in sources],
        }
        own = {
            source.id: {"citation": source.citation, "url": source.url, "kind": source.kind}
            for source in sources
            if isinstance(source, Citation)
        }
        return Demand({key: value for key, value in table.items() if value is not None}, own, _plain(scores or {}))


def given(answers: Answers | None = None, /, *, setting: str | None = None, no_red_flags: bool = False, **more: Value) -> Given:
    """Say whom a constraint is about.

    Args:
        answers: Answers of one patient, or an expression such as `"age >= 60 and (redness or fever)"`.
        setting: A care setting, or None for the model's default.
        no_red_flags: Whether every question that a red-flag rule could still ask is answered with no.
        more: Further answers as keywords.

    Examples:
        >>> cold = given(age=70, pain_on_walking=True)
        >>> print(cold.ranks("peripheral_artery_disease", within=2, source="fowkes_2013", why="age").to_toml())
        [[constraints]]
        id = "ranks"
        kind = "ranks"
        given = { age = 70, pain_on_walking = true }
        cause = "peripheral_artery_disease"
        within = 2
        why = "age"
        source = ["fowkes_2013"]
        <BLANKLINE>
    """
    whom: Answers = {} if answers is None else answers
    if more:
        whom = f"({whom}) and {_condition(_plain(more))}" if isinstance(whom, str) else {**whom, **more}
    return Given(whom, setting, no_red_flags)


def _condition(answers: Mapping[str, Value]) -> str:
    """Answers as an expression."""
    return " and ".join(
        (name if value else f"not {name}") if isinstance(value, bool) else f"{name} == {value}"
        for name, value in answers.items()
    )


def _same(first: Any, second: Any) -> bool:
    """Equality as in a file, where no number is true or false."""
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)


def _plain(value: Any) -> Any:
    """What a file would hold: lists and tables in place of tuples and mappings, plain numbers in place of numpy's."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _table(head: str, table: Mapping[str, Any]) -> str:
    return "\n".join([head, *(f"{key} = {_toml(value)}" for key, value in table.items()), ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        entries = (f"{key if BARE.fullmatch(key) else _quoted(key)} = {_toml(entry)}" for key, entry in value.items())
        return "{ " + ", ".join(entries) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value):
        return _quoted(value)
    raise ArgumentError("value", short(value), "what a file can hold: text, a number, true, false, a list or a table")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
