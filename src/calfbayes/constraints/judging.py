"""From comparisons to verdicts: over the whole scope of a constraint, and with what a verdict rests on."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from calfbayes.constraints.evaluation import Comparison, Examiner
from calfbayes.constraints.explaining_away import competitors
from calfbayes.constraints.laws import law_for
from calfbayes.constraints.scopes import patients, size
from calfbayes.constraints.terms import Constraint, MedianUrgency, Moves, RuleStratum, Selection, Status, Verdict
from calfbayes.errors import ContradictionError, NoPosteriorError, QueryTooCostlyError
from calfbayes.inference.solved import SolvedNetwork


def check_constraints(solved: SolvedNetwork, constraints: Iterable[Constraint]) -> tuple[Verdict, ...]:
    """Judge a model by its constraints, in their order.

    Raises:
        QueryTooCostlyError: If a constraint leaves so much open that the model cannot answer exactly.
        NoPosteriorError: Likewise, where it asks for a level.
    """
    judge = Judge(solved)
    return tuple(judge.verdict(constraint) for constraint in constraints)


class Judge:
    """Judges one model; what constraints share is computed once."""

    def __init__(self, solved: SolvedNetwork) -> None:
        self.examiner = Examiner(solved)

    def verdict(self, constraint: Constraint) -> Verdict:
        """Judge the model by one constraint; what is impossible under the model holds nowhere."""
        try:
            stated = self.examiner.compare(constraint)
            if stated.holds and (law := law_for(self.examiner.beliefs.network, constraint)):
                return _verdict(constraint, stated, Status.PROVEN, law)
            return self._of_scope(constraint, stated) if constraint.scope else self._of_stated(constraint, stated)
        except ContradictionError as error:
            impossible = Comparison(False, "impossible", "possible patients", (), f"{constraint}: {error}")
            return _verdict(constraint, impossible, Status.REFUTED, "the model knows no such patient")

    def _of_stated(self, constraint: Constraint, stated: Comparison) -> Verdict:
        if not stated.holds:
            return self._of_failure(constraint, stated, "the patients that it states")
        if isinstance(constraint, MedianUrgency | RuleStratum):
            drawn = constraint if isinstance(constraint, MedianUrgency) else constraint.score
            return _verdict(constraint, stated, Status.HELD, f"in {drawn.patients} random patients, seed {drawn.seed}")
        return _verdict(constraint, stated, Status.PROVEN, "all patients that it speaks of were counted exactly")

    def _of_scope(self, constraint: Constraint, stated: Comparison) -> Verdict:
        """Ask about one patient of the scope after the other; a failure that nothing excuses ends it."""
        network = self.examiner.beliefs.network
        excuse: Verdict | None = None
        asked = excused = impossible = dear = 0
        for besides in patients(network, constraint):
            patient = replace(constraint, besides=besides)
            try:
                comparison = self.examiner.compare(patient)
                if comparison.holds:
                    asked += 1
                    continue
                basis = f"by patient {asked + 1} of the scope; no answer can be left out"
                failure = self._of_failure(patient, comparison, basis)
            except ContradictionError:
                impossible += 1
                continue
            except (QueryTooCostlyError, NoPosteriorError):
                dear += 1
                continue
            asked += 1
            if failure.status is Status.REFUTED:
                return self._shrunk(patient, failure)
            excused += 1
            excuse = excuse or self._shrunk(patient, failure)
        unasked = f"; {dear} more would have been too costly to ask about" if dear else ""
        if excuse:
            return replace(excuse, basis=f"so in {excused} of {asked} patients of the scope{unasked}")
        n_all = size(network, constraint)
        if n_all <= constraint.trials and not dear:
            basis = f"scope exhausted: {asked} patients; {impossible} more are impossible"
            return _verdict(constraint, stated, Status.PROVEN, basis)
        return _verdict(constraint, stated, Status.HELD, f"in {asked} random patients, of {n_all:.2g}{unasked}")

    def _of_failure(self, constraint: Constraint, comparison: Comparison, basis: str) -> Verdict:
        """Tell an effect of competition from a fault: every target that fails must have its competitor."""
        if isinstance(constraint, Moves) and comparison.failing:
            found = [competitors(self.examiner.beliefs, constraint, target) for target in comparison.failing]
            if all(found):
                named = tuple(dict.fromkeys(cause for causes in found for cause in causes))
                return _verdict(constraint, comparison, Status.LAWFUL_EXCEPTION, basis, named)
        return _verdict(constraint, comparison, Status.REFUTED, basis)

    def _shrunk(self, constraint: Constraint, failure: Verdict) -> Verdict:
        """The same failure with every answer left out that it does not need."""
        for position in count(len(constraint.besides.answers) - 1, -1):
            if position < 0:
                return failure
            answers = constraint.besides.answers
            fewer = replace(constraint, besides=Selection((*answers[:position], *answers[position + 1 :])))
            try:
                comparison = self.examiner.compare(fewer)
            except (ContradictionError, QueryTooCostlyError, NoPosteriorError):
                continue
            if not comparison.holds:
                smaller = self._of_failure(fewer, comparison, failure.basis)
                if smaller.status is failure.status:
                    constraint, failure = fewer, smaller
        return failure


def _verdict(
    constraint: Constraint, comparison: Comparison, status: Status, basis: str, named: tuple[str, ...] = ()
) -> Verdict:
    allowed = status is Status.LAWFUL_EXCEPTION and constraint.allow_explaining_away
    text = comparison.text
    if named:
        text = f"{text}; {' and '.join(named)} explain{'s' if len(named) == 1 else ''} the evidence away"
    return Verdict(
        id=constraint.id,
        holds=status in {Status.PROVEN, Status.HELD} or allowed,
        observed=comparison.observed,
        wanted=comparison.wanted,
        numbers=comparison.numbers,
        text=text,
        status=status,
        basis=basis,
        besides=constraint.besides.answers,
        competitors=named,
    )
