"""Evidence: what is known about one patient, checked once at the gate and never changed afterwards.

A finding is present (True), absent (False), asked but not known (None), or never asked (no key). `Likelihood` says how
a doubtful report bears on it. A risk factor has a state, or is None; age and the like are given as a number. Evidence
is a mapping of ids to these values together with the care setting; order does not matter to it.

Logic between findings is settled here, not in the network: what one answer implies (over 7 days implies over 36 hours;
sudden excludes gradual) must not be contradicted, and is not counted a second time.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from calfbayes.errors import ArgumentError, ContradictionError, EvidenceError, UnknownNameError
from calfbayes.knowledge.terms import Finding, RiskFactor
from calfbayes.knowledge.wording import short
from calfbayes.network import Network

MAX_ITEMS = 10_000
MAX_NUMBER = 1e15


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A doubtful report about a finding: P(report | present) / P(report | absent).

    Attributes:
        ratio: Above 0 and finite; 1 says nothing, `Likelihood(3)` speaks for the finding, `Likelihood(0.3)` against it.
    """

    ratio: float

    def __post_init__(self) -> None:
        given = self.ratio
        if isinstance(given, bool | np.bool_) or not isinstance(given, int | float | np.integer | np.floating):
            raise ArgumentError("ratio", short(given), "a number above 0")
        try:
            ratio = float(given)
        except OverflowError:
            ratio = math.inf
        if not (0.0 < ratio < math.inf):
            raise ArgumentError("ratio", short(given), "a finite number above 0 (False and True say absent and present)")
        object.__setattr__(self, "ratio", ratio)


Value = bool | str | int | float | Likelihood | None


@dataclass(frozen=True, repr=False)
class Evidence(Mapping[str, Value]):
    """What is known about one patient; make it with `model.evidence(...)`.

    Attributes:
        items_by_id: Id and value of each item, sorted by id.
        setting: The care setting; None stands for the model's default.
    """

    items_by_id: tuple[tuple[str, Value], ...]
    setting: str | None
    _network: Network

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.items_by_id, self.setting, self._network.knowledge.digest

    @cached_property
    def _values(self) -> dict[str, Value]:
        return dict(self.items_by_id)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self.items_by_id)

    def __repr__(self) -> str:
        """The call that makes it, to be pasted into a session."""
        setting = f", setting={self.setting!r}" if self.setting is not None else ""
        return f"model.evidence({dict(self.items_by_id)!r}{setting})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The same in notebooks and in the examples of Hypothesis, which would show the fields."""
        del cycle
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        from calfbayes.presentation.display import evidence_html

        return evidence_html(self)

    def with_(self, changes: Mapping[str, object] | None = None, /, **more: object) -> "Evidence":
        """The same evidence with items added or replaced.

        Raises:
            CalfBayesError: As `model.evidence`.
        """
        if changes is not None and not isinstance(changes, Mapping):
            raise ArgumentError("changes", short(changes), "a mapping of ids to values")
        return read_evidence(self._network, {**self._values, **(changes or {}), **more}, setting=self.setting)

    def without(self, *names: str) -> "Evidence":
        """The same evidence with items removed, as if never asked.

        Raises:
            UnknownNameError: If an id is not among the items.
        """
        for name in names:
            if not isinstance(name, str) or name not in self._values:
                raise UnknownNameError("item", str(name), _nearest(str(name), self._values), "this evidence")
        return read_evidence(self._network, {k: v for k, v in self._values.items() if k not in names}, setting=self.setting)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: `{"setting": ..., "items": {...}}`."""
        return {
            "setting": self.setting,
            "items": {
                name: {"likelihood_ratio": value.ratio} if isinstance(value, Likelihood) else value
                for name, value in self.items_by_id
            },
        }

    def to_json(self) -> str:
        """The evidence as JSON; `model.evidence_from_json` reads it back."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @property
    def present(self) -> frozenset[str]:
        """Ids of the findings that are present."""
        return frozenset(name for name, value in self.items_by_id if value is True and name in self._network.node_index)

    @cached_property
    def surely_present(self) -> frozenset[str]:
        """Ids of the findings that are present, told or implied by what is told."""
        return self.present.union(*(implied_by(self._network, name)[0] for name in self.present))

    @cached_property
    def counted_present(self) -> frozenset[str]:
        """Ids of the findings that count as present for the rules: surely so, or by a report that is all but sure."""
        bound = self._network.knowledge.urgency.surely_above
        told = [name for name, value in self.items_by_id if isinstance(value, Likelihood) and value.ratio > bound]
        return self.surely_present.union(told, *(implied_by(self._network, name)[0] for name in told))

    @cached_property
    def surely_absent(self) -> frozenset[str]:
        """Ids of the findings that are absent: told, excluded by what is present, or implying what is absent."""
        denied = {name for name, value in self.items_by_id if value is False and name in self._network.node_index}
        excluded = denied.union(*(implied_by(self._network, name)[1] for name in self.present))
        implying = (f.id for f in self._network.knowledge.findings if denied & implied_by(self._network, f.id)[0])
        return frozenset(excluded.union(implying))

    @cached_property
    def risk_states(self) -> dict[str, str]:
        """State of each risk factor that is known."""
        states = {}
        for name, value in self.items_by_id:
            record = self._network.records[name]
            if isinstance(record, RiskFactor) and value is not None:
                states[name] = state_of(record, value)
        return states

    @cached_property
    def possible_states(self) -> frozenset[tuple[str, str]]:
        """Ids and states of risk factors whose prior is above 0, given the risk factors that are known."""
        risks = self._network.risks
        possible = set()
        for risk in risks:
            known = [self.risk_states.get(risks[parent].id) for parent in risk.parents]
            given = tuple(
                slice(None) if state is None else risks[parent].states.index(state)
                for parent, state in zip(risk.parents, known, strict=True)
            )
            over_parents = risk.prior[given].reshape(-1, len(risk.states))
            possible |= {(risk.id, state) for state, p in zip(risk.states, over_parents.max(axis=0), strict=True) if p > 0}
        return frozenset(possible)


def read_evidence(network: Network, given: Mapping[str, object] | Evidence, *, setting: str | None = None) -> Evidence:
    """The gate: check every id and value once.

    Args:
        given: Ids to values; see the module. A mapping `{"likelihood_ratio": 3.0}` stands for `Likelihood(3.0)`.
        setting: A care setting of the model, or None for its default.

    Raises:
        UnknownNameError: If an id or the setting is not in the model.
        EvidenceError: If a value cannot be what was given.
        ContradictionError: If logic alone rules the answers out; the clashing set is minimal.
        ArgumentError: If `given` is no mapping of ids.
    """
    if isinstance(given, Evidence):
        setting = given.setting if setting is None else setting
    if not isinstance(given, Mapping):
        raise ArgumentError("evidence", short(given), 'a mapping of ids to values, such as {"age": 67, "redness": False}')
    if len(given) > MAX_ITEMS:
        raise ArgumentError("evidence", f"{len(given)} items", f"at most {MAX_ITEMS}")
    settings = [s.id for s in network.knowledge.settings]
    if setting is not None and (not isinstance(setting, str) or setting not in settings):
        name = setting[:200] if isinstance(setting, str) else short(setting)
        raise UnknownNameError("setting", name, tuple(settings), f"model {network.name}")
    items = tuple(
        sorted(
            ((_known(network, name), _value(network, name, value)) for name, value in given.items()), key=lambda item: item[0]
        )
    )
    evidence = Evidence(items, setting, network)
    clash = _logical_clash(network, evidence)
    if clash:
        raise clash
    return evidence


def read_evidence_json(network: Network, text: str | bytes) -> Evidence:
    """Read what `Evidence.to_json` wrote.

    Raises:
        ArgumentError: If the text is no such JSON.
        CalfBayesError: As `read_evidence`.
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError, TypeError) as error:
        raise ArgumentError("evidence", short(text), f"JSON text ({error})") from None
    if (
        not isinstance(document, dict)
        or not set(document) <= {"setting", "items"}
        or not isinstance(document.get("items", {}), dict)
    ):
        raise ArgumentError("evidence", short(document), '{"setting": "...", "items": {"age": 67, "redness": false}}')
    return read_evidence(network, document.get("items", {}), setting=document.get("setting"))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ArgumentError("evidence", f"{repeated[0][:80]!r} given more than once", "each id once")
    return dict(pairs)


def state_of(factor: RiskFactor, value: Value) -> str:
    """The state of a risk factor that a checked value means."""
    if isinstance(value, bool):
        return "present" if value else "absent"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return next(
            s for s, bound in zip(reversed(factor.states), reversed(factor.lower_bounds), strict=True) if value >= bound
        )
    raise TypeError(value)


@lru_cache(maxsize=16_384)
def implied_by(network: Network, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Findings that are present, and absent, as a matter of logic when one is present; without itself."""
    present, absent, stack = set(), set(), [name]
    while stack:
        record = network.records[stack.pop()]
        if isinstance(record, Finding) and record.id not in present:
            present.add(record.id)
            stack += record.implies
            absent.update(_excluded(network, record.id))
    return frozenset(present - {name}), frozenset(absent)


def silent_items(network: Network, evidence: Evidence) -> frozenset[str]:
    """Answers, doubtful ones too, that other answers settle, and that therefore carry no weight of their own."""
    answers = {name: value for name, value in evidence.items_by_id if name in network.node_index and value is not None}
    silent: set[str] = set()
    for name, value in answers.items():
        if value is True:
            present, absent = implied_by(network, name)
            silent |= (present | absent) & set(answers)
        elif value is False:
            silent |= {other for other in answers if name in implied_by(network, other)[0]}
    return frozenset(silent)


def _excluded(network: Network, name: str) -> set[str]:
    record = network.records[name]
    own = set(record.excludes) if isinstance(record, Finding) else set()
    return own | {finding.id for finding in network.knowledge.findings if name in finding.excludes}


def _logical_clash(network: Network, evidence: Evidence) -> ContradictionError | None:
    answers = {name: value for name, value in evidence.items_by_id if isinstance(value, bool) and name in network.node_index}
    for name, answer in answers.items():
        if answer:
            present, absent = implied_by(network, name)
            for other in sorted(present):
                if answers.get(other) is False:
                    return ContradictionError((name, other), f"{name} implies {other}", told=evidence)
            for other in sorted(absent):
                if answers.get(other) is True:
                    return ContradictionError((name, other), f"{name} excludes {other}", told=evidence)
    return None


@lru_cache(maxsize=256)
def _observable(network: Network) -> frozenset[str]:
    return frozenset({*network.risk_index, *(network.nodes[k].id for k in network.findings)})


def _known(network: Network, name: object) -> str:
    if not isinstance(name, str):
        raise ArgumentError("evidence", short(name), "ids as text")
    observable = _observable(network)
    if name in observable:
        return name
    if name in network.node_index:
        raise EvidenceError(
            name,
            "...",
            "a cause, complication or mechanism is inferred and cannot be evidence",
            "give findings and risk factors",
        )
    if name in {"setting", "care_setting"}:
        raise EvidenceError(name, "...", "the care setting is no item of the evidence", "give it as setting=...")
    raise UnknownNameError("finding or risk factor", name[:200], _nearest(name, observable), f"model {network.name}")


def _value(network: Network, name: str, value: object) -> Value:
    record = network.records[name]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return None
    if name == network.knowledge.complaint and not isinstance(value, bool):
        raise EvidenceError(name, short(value), "the complaint is what the model is about", "give True or False")
    return _risk_value(record, value) if isinstance(record, RiskFactor) else _finding_value(name, value)


def _finding_value(name: str, value: object) -> Value:
    if isinstance(value, bool | Likelihood):
        return value
    if isinstance(value, Mapping) and set(value) == {"likelihood_ratio"}:
        return Likelihood(value["likelihood_ratio"])
    raise EvidenceError(name, short(value), "a finding is no number or text", "give True, False, None or Likelihood(ratio)")


def _risk_value(factor: RiskFactor, value: object) -> Value:
    if isinstance(value, str) and value in factor.states:
        if factor.is_binary:
            return value == "present"
        return value
    if factor.unit:
        if isinstance(value, int | float) and not isinstance(value, bool) and -MAX_NUMBER < value < MAX_NUMBER:
            if factor.lower_bounds[0] <= value <= factor.upper_bound:
                return value
            bounds = f"{factor.lower_bounds[0]:g}..{factor.upper_bound:g} {factor.unit}"
            raise EvidenceError(factor.id, short(value), f"lies outside {bounds}", "give a number within these bounds")
        expected = f"a number of {factor.unit} or a state ({', '.join(factor.states)})"
    elif factor.is_binary:
        if isinstance(value, bool):
            return value
        expected = "True, False or None"
    else:
        expected = f"a state: {', '.join(factor.states)}"
    raise EvidenceError(factor.id, short(value), "is no value of this risk factor", f"give {expected}")


def _nearest(name: str, known: object) -> tuple[str, ...]:
    return (
        tuple(get_close_matches(name[:200], sorted(known), n=3, cutoff=0.5))
        if isinstance(known, set | frozenset | dict)
        else ()
    )
