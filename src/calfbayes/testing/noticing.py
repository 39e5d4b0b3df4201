"""Who notices an edited model: its constraints and the rows of its audit. Those that cannot have moved are not asked.

A number that belongs to a finding, its background or a link to it, matters only to those who speak of that finding: one
that is not observed has no say (barren nodes). A number of a mechanism matters to those who speak of what it leads to.
Weights and odds ratios of causes matter to all: of the rows of the audit, and of demands on simulated patients, only
those are asked that speak of the cause, so that a score is at least what is told. A rule matters where a level is
demanded, and to no probability.

References:
    Shachter (1986), Evaluating influence diagrams: barren nodes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from calfbayes.audit.comparison import Verdict, compare
from calfbayes.audit.implied import Queries
from calfbayes.audit.table import FIGURES, Figure, read_table
from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import read_constraints
from calfbayes.constraints.terms import Constraint, MedianUrgency, RuleFires, RuleStratum, UrgencyIs
from calfbayes.errors import ModelFileError
from calfbayes.evidence import implied_by
from calfbayes.knowledge.terms import Finding, Mechanism
from calfbayes.model import Model
from calfbayes.network import Network

DRAWN = MedianUrgency | RuleStratum
OF_LEVELS = UrgencyIs | RuleFires | MedianUrgency


@dataclass(frozen=True, slots=True)
class Check:
    """A constraint or an audit row.

    Attributes:
        words: All ids that it speaks of, and other words.
    """

    of: Constraint | Figure
    words: frozenset[str]


class Guard:
    """The constraints and audit rows that a model keeps to as it is."""

    def __init__(self, model: Model, folder: Path) -> None:
        self._network = model._solved.network
        self._as_it_is = _Judged(model)
        figures = read_table(self._network, folder) if (folder / FIGURES).is_file() else ()
        everyone: list[Constraint | Figure] = [*read_constraints(self._network, folder).constraints, *figures]
        self._checks = [Check(one, frozenset(re.findall(r"\w+", repr(one)))) for one in everyone]

    def noticed_by(self, place: str, wrong: Model) -> str:
        """The first that notices that a place of the files was edited; empty if none does.

        Those that speak of the place are asked first; last those who draw patients at random, since they take longest.
        """
        there = {rule.id for rule in wrong.urgency_policy.rules}  # nothing else that has a name is ever taken away
        for check in self._checks:
            if isinstance(check.of, RuleFires) and check.of.rule not in there:
                return f"constraint {check.of.id}, which speaks of what is gone"
        reach, judged, words = Reach(self._network, place), _Judged(wrong), set(place.split("."))
        concerned = [check for check in self._checks if reach.concerns(check)]
        try:
            for check in sorted(concerned, key=lambda check: (isinstance(check.of, DRAWN), -len(words & check.words))):
                if not judged.holds(check.of) and self._as_it_is.holds(check.of):
                    return f"{'figure' if isinstance(check.of, Figure) else 'constraint'} {check.of.id}"
        except ModelFileError:
            return "the loader: no bases give the shares"
        return ""


class _Judged:
    """A model that is judged; what has been asked once is remembered."""

    def __init__(self, model: Model) -> None:
        self._judge, self._queries = Judge(model._solved), Queries(model._solved)

    def holds(self, one: Constraint | Figure) -> bool:
        if isinstance(one, Figure):
            return compare(one, self._queries.implied(one)).verdict is not Verdict.FAILS
        return self._judge.verdict(one).holds


class Reach:
    """Whom an edit at a place of the files may concern."""

    def __init__(self, network: Network, place: str) -> None:
        self._network = network
        self._folder, self._name, *self._rest = place.split(".")

    def concerns(self, check: Check) -> bool:
        """Whether a constraint or row could notice."""
        one = check.of
        if self._folder == "urgency" or self._rest == ["urgency"]:
            return isinstance(one, OF_LEVELS)
        setting = one.population.setting if isinstance(one, Figure) else one.setting
        if isinstance(one, RuleFires) or (self._rest[0] == "weight" and self._rest[1] != setting):
            return False
        seen = self._seen_in()
        if not seen:
            return self._name in check.words or not isinstance(one, Figure | DRAWN)
        return any(self._with_logic(name) & seen for name in check.words & self._network.node_index.keys())

    def _seen_in(self) -> frozenset[str]:
        """Findings in which alone an edit can be seen; empty if in all."""
        name = self._rest[1] if self._rest[0] == "links" else self._name
        if self._rest[0] != "links" and self._folder in {"causes", "complications"}:
            return frozenset()
        record = self._network.records[name]
        if isinstance(record, Mechanism):
            return frozenset(link.child for link in record.links)
        return frozenset({name}) if isinstance(record, Finding) else frozenset()

    def _with_logic(self, name: str) -> frozenset[str]:
        """A finding and what is present or absent along with it."""
        if not isinstance(self._network.records[name], Finding):
            return frozenset()
        present, absent = implied_by(self._network, name)
        return frozenset({name}) | present | absent
