"""How well is a model guarded? Errors are planted in copies of it at random, and one looks who notices.

A mutant is one edit of the files: a number shifted, two numbers exchanged, a link, an odds ratio or a rule deleted, an
answer struck from a rule, a level lowered. Only influential ones count: those that move the probability of any cause in
a published patient by 0.02, or the level of one; and each edit once, however often it is planted. What the derivatives
foretell to move no patient by a third of that is not made at all (`influence`), and who cannot have been moved is not
asked (`noticing`), so that a run ends.

A constraint notices if it held before and does not hold now (or cannot be read any more), a row of the audit if it comes
to deviate without a reason, a published patient if the acceptable causes drop out of the first three, or the level falls
below the one that was needed.

References:
    DeMillo, Lipton, Sayward (1978), Hints on test data selection: help for the practicing programmer.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

from calfbayes.diagnosis.encoding import encode
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.diagnosis.rules import holds
from calfbayes.errors import CalfBayesError, ModelFileError
from calfbayes.evaluation.case_files import Case
from calfbayes.evaluation.frequency import share_text
from calfbayes.evaluation.scores import Answer
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.model import Model
from calfbayes.testing.editing import REMOVED, edited, number_at, value_at, with_number
from calfbayes.testing.influence import Screen
from calfbayes.testing.noticing import Guard

SHIFT = log(4)  # of log odds, or of a logarithm
INFLUENCE = 0.02  # of a probability in any published patient
SCREENED = INFLUENCE / 3  # what is foretold to move nobody so far is left
MOST_ATTEMPTS = 100  # mutants for one influential one, before the search is given up
COLUMNS = ("digest", "seed", "place", "edit", "influence", "levels", "noticed_by")


@dataclass(frozen=True)
class Mutant:
    """An edit of a model.

    Attributes:
        kind: What was done.
        place: Where in the files.
        make: Gives the edited model.
        moved: New values of the numbers that are edited, by place; empty if it is no number, or not to be foretold.
    """

    kind: str
    place: str
    make: Callable[[], Model]
    moved: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a mutant.

    Attributes:
        place: Where in the files.
        edit: What was done there.
        influence: The largest change of a probability in any published patient.
        levels: How many published patients got another level.
        noticed_by: The constraint, audit row or patient that noticed first; empty if none did.
    """

    place: str
    edit: str
    influence: float
    levels: int
    noticed_by: str

    @property
    def influential(self) -> bool:
        """Whether it matters to any published patient."""
        return self.influence >= INFLUENCE or self.levels > 0

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.influential:
            return "not influential"
        return f"noticed by {self.noticed_by}" if self.noticed_by else "NOT NOTICED"

    def __str__(self) -> str:
        return f"{self.place}: {self.edit}"


@dataclass(frozen=True, slots=True)
class MutationReport:
    """How well a model is guarded.

    Attributes:
        tried: Every mutant that was made, once each.
        screened: How many were not made, since they were foretold to move no published patient.
        refused: How many left no valid model: the loader names the fault.
        seed: Of the random generator.
        digest: Of the model.
    """

    tried: tuple[Tried, ...]
    screened: int
    refused: int
    seed: int
    digest: str

    @property
    def influential(self) -> tuple[Tried, ...]:
        """Those that count."""
        return tuple(tried for tried in self.tried if tried.influential)

    @property
    def survivors(self) -> tuple[Tried, ...]:
        """Influential ones that nobody noticed, the most influential first."""
        unnoticed = (tried for tried in self.influential if not tried.noticed_by)
        return tuple(sorted(unnoticed, key=lambda tried: (-tried.influence, -tried.levels, str(tried))))

    @property
    def score(self) -> float:
        """Share of the influential mutants that were noticed; NaN if there were none."""
        n = len(self.influential)
        return (n - len(self.survivors)) / n if n else float("nan")

    def to_csv(self) -> str:
        """The influential ones as a table, from which the card of a model is written."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for t in self.influential:
            writer.writerow((self.digest[:12], self.seed, t.place, t.edit, f"{t.influence:.3f}", t.levels, t.noticed_by))
        return stream.getvalue()

    def __str__(self) -> str:
        n = len(self.influential)
        n_noticed = n - len(self.survivors)
        refused = f", {self.refused} refused by the loader" if self.refused else ""
        counts = f"{self.screened + self.refused + len(self.tried)} mutants (seed {self.seed}){refused}, {n} influential"
        head = f"{counts}, {n_noticed} noticed: {share_text(n_noticed, n)}" if n else counts
        noticed = [f"  noticed by {t.noticed_by}: {t}" for t in self.influential if t.noticed_by]
        unguarded = [f"  NOT NOTICED (moves {t.influence:.2f}, levels {t.levels}): {t}" for t in self.survivors]
        return "\n".join([head, *unguarded, *noticed])


def mutation_score(
    model: Model,
    folder: Path,
    cases: Sequence[Case],
    *,
    n: int = 40,
    seed: int = 0,
    progress: Callable[[MutationReport], None] | None = None,
) -> MutationReport:
    """Plant errors, one at a time, until n of them are influential, and see who notices.

    Args:
        model: Which model.
        folder: Where its constraints, and the tables of its audit if it has such, stand.
        cases: Published patients, by whom influence is measured.
        n: How many influential mutants; there are fewer if a hundred times as many hold less, repeats counted.
        seed: Of the random generator; the same seed gives the same mutants.
        progress: Told what was found so far whenever a mutant has been tried; so that a run that is stopped is not lost.
    """
    trial = _Trial(model, folder, cases)
    tried: list[Tried] = []
    seen: set[str] = set()
    screened = refused = found = 0

    def report() -> MutationReport:
        return MutationReport(tuple(tried), screened, refused, seed, model.digest)

    for mutant in islice(mutants(model, seed), MOST_ATTEMPTS * n):
        if str(mutant) in seen:
            continue
        seen.add(str(mutant))
        if trial.is_idle(mutant):
            screened += 1
            continue
        try:
            wrong = mutant.make()
        except ModelFileError:
            refused += 1
            continue
        tried.append(trial.of(mutant, wrong))
        if progress:
            progress(report())
        found += tried[-1].influential
        if found == n:
            break
    return report()


def mutants(model: Model, seed: int) -> Iterator[Mutant]:
    """Endless mutants of all kinds in turn."""
    generator = Random(seed)  # noqa: S311  repeatable, no secret
    numbers = list(_numbers(model))
    links = [place for place in numbers if ".links." in place]
    odds = [place for place in numbers if ".odds." in place]
    rules = [rule.id for rule in model.urgency_policy.rules]
    kinds: list[Callable[[], Mutant | None]] = [
        lambda: _shifted(model, generator.choice(numbers), generator.choice((-SHIFT, SHIFT))),
        lambda: _exchanged(model, generator.choice(links), generator),
        lambda: _deleted(model, generator.choice(links)),
        lambda: _deleted(model, generator.choice(odds)) if odds else None,
        lambda: _shifted(model, generator.choice(numbers), generator.choice((-SHIFT, SHIFT))),
        lambda: _ruled_out(model, generator.choice(rules)) if rules else None,
        lambda: _struck(model, generator.choice(rules), generator) if rules else None,
        lambda: _milder(model, f"urgency.rules.{generator.choice(rules)}.level") if rules else None,
        lambda: _milder(model, f"causes.{generator.choice(model.causes).id}.urgency"),
    ]
    while True:
        for kind in kinds:
            made = kind()
            if made:
                yield made


# --- the kinds ---


def _shifted(model: Model, place: str, by: float) -> Mutant | None:
    value = number_at(model, place)
    is_probability = ".weight." not in place and ".odds." not in place
    if value <= 0 or (is_probability and value >= 1):
        return None
    moved = value * exp(by) / (1 - value + value * exp(by)) if is_probability else value * exp(by)
    return Mutant(f"{value:.3g} became {moved:.3g}", place, lambda: with_number(model, place, moved), {place: moved})


def _exchanged(model: Model, place: str, generator: Random) -> Mutant | None:
    """Two links of one cause, complication or mechanism exchanged."""
    table = place.rpartition(".")[0]
    others = [f"{table}.{child}" for child in value_at(model, table) if f"{table}.{child}" != place]
    if not others:
        return None
    place, other = sorted((place, generator.choice(others)))  # either way it is the same edit
    first, second = value_at(model, place), value_at(model, other)
    same = (first.get("link") is None) == (second.get("link") is None)  # else the numbers mean something else there
    moved = {place: number_at(model, other), other: number_at(model, place)} if same else {}
    edit = f"exchanged with {other.rpartition('.')[2]}"
    return Mutant(edit, place, lambda: edited(model, {place: second, other: first}), moved)


def _deleted(model: Model, place: str) -> Mutant:
    return Mutant("deleted", place, lambda: edited(model, {place: REMOVED}), _without(model, place))


def _ruled_out(model: Model, rule: str) -> Mutant:
    """A rule gone, and from the headings that tell its signs: a rule and its heading do not load without each other."""
    place = f"urgency.rules.{rule}"
    changes: dict[str, Any] = {place: REMOVED}
    for kind, heading in model._content.get("asking", {}).get("safety_net", {}).get("kinds", {}).items():
        if rule in heading["rules"]:
            others = [other for other in heading["rules"] if other != rule]
            changes[f"asking.safety_net.kinds.{kind}"] = {**heading, "rules": others} if others else REMOVED
    return Mutant("deleted", place, lambda: edited(model, changes))


def _without(model: Model, place: str) -> dict[str, float]:
    """The value of a number that says what its absence says."""
    if ".odds." in place:
        return {place: 1.0}
    if ".links." in place:
        child = f"findings.{place.rpartition('.')[2]}.leak"
        return {place: 0.0 if value_at(model, place).get("link") is not None else number_at(model, child)}
    return {}


def _struck(model: Model, rule: str, generator: Random) -> Mutant | None:
    """An answer struck from the outermost list of a rule, or a list in it."""
    place = f"urgency.rules.{rule}.when"
    condition = value_at(model, place)
    ((word, parts),) = condition.items() if isinstance(condition, dict) else (("", []),)
    if len(parts) < 2:
        return None
    position = generator.randrange(len(parts))
    part = parts[position]
    if isinstance(part, dict):
        ((inner, inner_parts),) = part.items()
        if len(inner_parts) < 2:
            return None
        lost = generator.randrange(len(inner_parts))
        new = {word: [*parts[:position], {inner: inner_parts[:lost] + inner_parts[lost + 1 :]}, *parts[position + 1 :]]}
        gone = inner_parts[lost]
    else:
        new, gone = {word: parts[:position] + parts[position + 1 :]}, part
    return Mutant(f"lost {gone}", place, lambda: edited(model, {place: new}))


def _milder(model: Model, place: str) -> Mutant | None:
    level = Level(value_at(model, place))
    if level == Level.SELF_CARE:
        return None
    milder = str(LEVELS_BY_SEVERITY[level.severity - 1])
    return Mutant(f"{level} became {milder}", place, lambda: edited(model, {place: milder}))


def _numbers(model: Model) -> Iterator[str]:
    """The places of weights, odds ratios, links and leaks."""
    content: dict[str, Any] = model._content
    for folder in ("causes", "complications", "mechanisms", "findings"):
        for name, record in content[folder].items():
            here = f"{folder}.{name}"
            if "leak" in record and name != model.knowledge.complaint:
                yield f"{here}.leak"
            yield from (f"{here}.weight.{setting}" for setting in record.get("weight", ()))
            yield from (f"{here}.links.{child}" for child in record.get("links", ()))
            yield from (f"{here}.odds.{f}.{s}" for f, states in record.get("odds", {}).items() for s in states)


# --- who notices ---


class _Trial:
    """Tries mutants of one model; what they share is computed once."""

    def __init__(self, model: Model, folder: Path, cases: Sequence[Case]) -> None:
        self.model = model
        self.cases = cases
        self.before = [_ask(model, case) for case in cases]
        self.guard = Guard(model, folder)
        network = model._solved.network
        patients = [(result.setting, encode(network, result.evidence)) for result in self.before]
        self.screen = Screen(model._solved, model.urgency_policy, patients)

    def is_idle(self, mutant: Mutant) -> bool:
        """Whether a mutant is foretold to move nobody."""
        return bool(mutant.moved) and not self.screen.touched(mutant.moved, SCREENED)

    def of(self, mutant: Mutant, wrong: Model) -> Tried:
        """What becomes of a mutant that was made."""
        influence, levels, noticed = 0.0, 0, ""
        for k in self._concerned(mutant, wrong):
            case, was = self.cases[k], self.before[k]
            try:
                now = _ask(wrong, case)
            except CalfBayesError:
                return Tried(mutant.place, mutant.kind, 1.0, 0, "the published patients, who became impossible")
            influence = max(influence, *(abs(entry.probability - was[entry.id].probability) for entry in now.causes))
            levels += was.urgency.level != now.urgency.level
            if not noticed and _is_worse(_answer(case, was), _answer(case, now)):
                noticed = f"case {case.id}"
        result = Tried(mutant.place, mutant.kind, influence, levels, noticed)
        if noticed or not result.influential:
            return result
        return replace(result, noticed_by=self.guard.noticed_by(mutant.place, wrong))

    def _concerned(self, mutant: Mutant, wrong: Model) -> Iterable[int]:
        """The positions of the patients whom a mutant may move."""
        everyone = range(len(self.cases))
        if mutant.moved:
            return self.screen.touched(mutant.moved, SCREENED)
        if mutant.place.startswith("urgency.rules."):
            return [k for k in everyone if _firing(self.model, self.before[k]) != _firing(wrong, self.before[k])]
        if mutant.place.endswith(".urgency"):
            return [k for k in everyone if _could_decide(self.before[k], mutant.place.split(".")[1])]
        return everyone


def _could_decide(result: Diagnosis, cause: str) -> bool:
    """Whether another level of a cause could change the level of a patient: by how much losses could move at most."""
    losses = sorted(result.urgency.expected_loss)
    dearest = max(map(max, result.urgency.policy.loss))
    return 2 * result[cause].probability * dearest >= losses[1] - losses[0]


def _firing(model: Model, result: Diagnosis) -> list[tuple[str, Level]]:
    return [(rule.id, rule.level) for rule in model.urgency_policy.rules if holds(rule.condition, result.evidence)]


def _ask(model: Model, case: Case) -> Diagnosis:
    return model.diagnose(dict(case.known), setting=case.setting)


def _answer(case: Case, result: Diagnosis) -> Answer:
    return Answer(case, True, tuple(entry.id for entry in result.causes), result.urgency.level)


def _is_worse(was: Answer, now: Answer) -> bool:
    """Whether the acceptable causes dropped out of the first three, or the level below the one that was needed."""
    return (was.short_listed and not now.short_listed) or now.levels_too_high < 0 <= was.levels_too_high
