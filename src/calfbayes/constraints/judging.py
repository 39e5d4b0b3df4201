"""From comparisons to verdicts: over the whole scope of a constraint, and with what a verdict rests on."""

from collections.abc import Iterable
from dataclasses import replace

from calfbayes.constraints.evaluation import Comparison, Examiner
from calfbayes.constraints.explaining_away import competitors
from calfbayes.constraints.laws import law_for
from calfbayes.constraints.scopes import patients, size
from calfbayes.constraints.terms import Constraint, MedianUrgency, Moves, RuleStratum, Selection, Status, UrgencyIs, Verdict
from calfbayes.errors import ContradictionError, NoPosteriorError, QueryTooCostlyError
from calfbayes.inference.solved import SolvedNetwork

LEAST = 10  # random patients, for a verdict that speaks of them
ENOUGH = 0.9  # of the patients that were to be asked about, for a verdict that leaves the others out


def check_constraints(solved: SolvedNetwork, constraints: Iterable[Constraint]) -> tuple[Verdict, ...]:
    """Judge a model by its constraints, in their order."""
    judge = Judge(solved)
    return tuple(judge.verdict(constraint) for constraint in constraints)


class Judge:
    """Judges one model; what constraints share is computed once."""

    def __init__(self, solved: SolvedNetwork) -> None:
        self.examiner = Examiner(solved)

    def verdict(self, constraint: Constraint) -> Verdict:
        """Judge the model by one constraint; what is impossible under the model holds nowhere."""
        law = law_for(self.examiner.beliefs.network, constraint)
        try:
            stated = self.examiner.compare(constraint)
            if stated.holds and law:
                return _verdict(constraint, stated, Status.PROVEN, law)
            return self._of_scope(constraint, stated) if constraint.scope else self._of_stated(constraint, stated)
        except ContradictionError as error:
            impossible = Comparison(False, "impossible", "possible patients", (), f"{constraint}: {error}")
            return _verdict(constraint, impossible, Status.REFUTED, "the model knows no such patient")
        except (QueryTooCostlyError, NoPosteriorError) as error:
            if law and isinstance(constraint, UrgencyIs):  # a rule says the level, where probabilities are too costly
                wanted = f"at least {constraint.least}"
                known = Comparison(True, wanted, wanted, (), f"{constraint}: by its rules alone the level is {wanted}")
                return _verdict(constraint, known, Status.PROVEN, law)
            unknown = Comparison(False, "too costly", "an answer", (), f"{constraint}: {error}")
            return _verdict(constraint, unknown, Status.NOT_SETTLED, "the patients that it states are too costly to ask about")

    def _of_stated(self, constraint: Constraint, stated: Comparison) -> Verdict:
        if isinstance(constraint, MedianUrgency | RuleStratum):
            drawn = constraint if isinstance(constraint, MedianUrgency) else constraint.score
            basis = f"in {stated.simulated} random patients, seed {drawn.seed}"
            if stated.simulated < LEAST:
                return _verdict(constraint, stated, Status.NOT_SETTLED, f"{basis}; at least {LEAST} are needed")
            return _verdict(constraint, stated, Status.HELD if stated.holds else Status.REFUTED, basis)
        if not stated.holds:
            return self._of_failure(constraint, stated, "the patients that it states")
        return _verdict(constraint, stated, Status.PROVEN, "all patients that it speaks of were counted exactly")

    def _of_scope(self, constraint: Constraint, stated: Comparison) -> Verdict:
        """Ask about one patient of the scope after the other; a failure that nothing excuses ends it."""
        network = self.examiner.beliefs.network
        n_all = size(network, constraint)
        excuse: Verdict | None = None
        asked = excused = impossible = dear = 0
        for besides in patients(network, constraint):
            if asked + dear == constraint.trials:
                break
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
        exhausted = n_all <= constraint.trials and not dear
        settled = exhausted or asked >= max(LEAST, ENOUGH * (asked + dear))
        unasked = f"; {dear} more would have been too costly to ask about" if dear else ""
        if excuse and (settled or not excuse.holds):
            return replace(excuse, basis=f"so in {excused} of {asked} patients of the scope{unasked}")
        if exhausted:
            basis = f"scope exhausted: {asked} patients; {impossible} more are impossible"
            return _verdict(constraint, stated, Status.PROVEN, basis)
        basis = f"in {asked} random patients, of {n_all:.2g}{unasked}"
        if settled:
            return _verdict(constraint, stated, Status.HELD, basis)
        return _verdict(constraint, stated, Status.NOT_SETTLED, f"{basis}; at least {LEAST}, and {ENOUGH:.0%}, are needed")

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
        for position in reversed(range(len(constraint.besides.answers))):
            answers = constraint.besides.answers
            fewer = replace(constraint, besides=Selection((*answers[:position], *answers[position + 1 :])))
            try:
                comparison = self.examiner.compare(fewer)
                smaller = failure if comparison.holds else self._of_failure(fewer, comparison, failure.basis)
            except (ContradictionError, QueryTooCostlyError, NoPosteriorError):
                continue
            if not comparison.holds and smaller.status is failure.status:
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
