"""How well is a model guarded? Errors are planted in copies of it at random, and one looks who notices.

A mutant is one edit of the files: a number shifted, two numbers exchanged, a link, an odds ratio or a rule deleted, an
answer struck from a rule, a level lowered. Only influential ones count: those that move the probability of any cause in
a published patient by 0.02, or the level of one. A constraint notices if it held before and does not hold now (or cannot
be read any more); a published patient notices if the acceptable causes drop out of the first three, or the level falls
below the one that was needed. Constraints on random patients are left out, since they take long.

References:
    DeMillo, Lipton, Sayward (1978), Hints on test data selection: help for the practicing programmer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

from calfbayes.constraints.judging import Judge
from calfbayes.constraints.reading import read_constraints
from calfbayes.constraints.terms import Constraint, MedianUrgency, RuleStratum
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.errors import CalfBayesError, ModelFileError
from calfbayes.evaluation.case_files import Case
from calfbayes.evaluation.scores import Answer
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Level
from calfbayes.model import Model
from calfbayes.testing.editing import REMOVED, edited, number_at, value_at, with_number

SHIFT = log(4)  # of log odds, or of a logarithm
INFLUENCE = 0.02  # of a probability in any published patient
MOST_ATTEMPTS = 20  # edits of a kind that leave no valid model, before the kind is given up


@dataclass(frozen=True)
class Mutant:
    """An edit of a model.

    Attributes:
        kind: What was done.
        place: Where in the files.
        make: Gives the edited model.
    """

    kind: str
    place: str
    make: Callable[[], Model]

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a mutant.

    Attributes:
        mutant: In words.
        influence: The largest change of a probability in any published patient.
        levels: How many published patients got another level.
        noticed_by: The constraint or patient that noticed first; empty if none did.
    """

    mutant: str
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


@dataclass(frozen=True, slots=True)
class MutationReport:
    """How well a model is guarded.

    Attributes:
        tried: Every mutant.
        seed: Of the random generator.
    """

    tried: tuple[Tried, ...]
    seed: int

    @property
    def influential(self) -> tuple[Tried, ...]:
        """Those that count."""
        return tuple(tried for tried in self.tried if tried.influential)

    @property
    def survivors(self) -> tuple[Tried, ...]:
        """Influential ones that nobody noticed, the most influential first."""
        unnoticed = (tried for tried in self.influential if not tried.noticed_by)
        return tuple(sorted(unnoticed, key=lambda tried: (-tried.influence, -tried.levels, tried.mutant)))

    @property
    def score(self) -> float:
        """Share of the influential mutants that were noticed; NaN if there were none."""
        n = len(self.influential)
        return (n - len(self.survivors)) / n if n else float("nan")

    def __str__(self) -> str:
        n = len(self.influential)
        counts = f"{len(self.tried)} mutants (seed {self.seed}), {n} influential, {n - len(self.survivors)} noticed"
        head = f"{counts}: {self.score:.0%}" if n else counts
        noticed = [f"  noticed by {t.noticed_by}: {t.mutant}" for t in self.influential if t.noticed_by]
        unguarded = [f"  NOT NOTICED (moves {t.influence:.2f}, levels {t.levels}): {t.mutant}" for t in self.survivors]
        return "\n".join([head, *unguarded, *noticed])


def mutation_score(
    model: Model,
    folder: Path,
    cases: Sequence[Case],
    *,
    n: int = 40,
    seed: int = 0,
    progress: Callable[[Tried], None] | None = None,
) -> MutationReport:
    """Plant n errors, one at a time, and see who notices.

    Args:
        model: Which model.
        folder: Where its constraints stand.
        cases: Published patients, by whom influence is measured.
        n: How many mutants.
        seed: Of the random generator; the same seed gives the same mutants.
        progress: Told of every mutant when it is done.
    """
    before = {case.id: _ask(model, case) for case in cases}
    judge = Judge(model._solved)
    file = read_constraints(model._solved.network, folder).constraints
    held = [c for c in file if not isinstance(c, MedianUrgency | RuleStratum) and judge.verdict(c).holds]
    tried = []
    for mutant, wrong in _valid(mutants(model, seed), n):
        result = _try(mutant, wrong, folder, held, cases, before)
        tried.append(result)
        if progress:
            progress(result)
    return MutationReport(tuple(tried), seed)


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
        lambda: _deleted(model, f"urgency.rules.{generator.choice(rules)}") if rules else None,
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
    return Mutant(f"{value:.3g} became {moved:.3g}", place, lambda: with_number(model, place, moved))


def _exchanged(model: Model, place: str, generator: Random) -> Mutant | None:
    """Two links of one cause, complication or mechanism exchanged."""
    table = place.rpartition(".")[0]
    others = [f"{table}.{child}" for child in value_at(model, table) if f"{table}.{child}" != place]
    if not others:
        return None
    other = generator.choice(others)
    first, second = value_at(model, place), value_at(model, other)
    return Mutant(f"exchanged with {other.rpartition('.')[2]}", place, lambda: edited(model, {place: second, other: first}))


def _deleted(model: Model, place: str) -> Mutant:
    return Mutant("deleted", place, lambda: edited(model, {place: REMOVED}))


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


def _valid(candidates: Iterator[Mutant], n: int) -> Iterator[tuple[Mutant, Model]]:
    """The first n that leave a model that can be read; the loader has noticed the others."""
    found = failed = 0
    while found < n and failed < MOST_ATTEMPTS * n:
        mutant = next(candidates)
        try:
            wrong = mutant.make()
        except ModelFileError:
            failed += 1
            continue
        found += 1
        yield mutant, wrong


def _try(
    mutant: Mutant,
    wrong: Model,
    folder: Path,
    held: Sequence[Constraint],
    cases: Sequence[Case],
    before: dict[str, Diagnosis],
) -> Tried:
    influence, levels, noticed = 0.0, 0, ""
    try:
        for case in cases:
            was, now = before[case.id], _ask(wrong, case)
            influence = max(influence, *(abs(entry.probability - was[entry.id].probability) for entry in now.causes))
            levels += was.urgency.level != now.urgency.level
            if not noticed and _is_worse(_answer(case, was), _answer(case, now)):
                noticed = f"case {case.id}"
    except CalfBayesError:
        return Tried(str(mutant), 1.0, 0, "the published patients, who became impossible")
    if influence < INFLUENCE and not levels:
        return Tried(str(mutant), influence, levels, "")
    return Tried(str(mutant), influence, levels, _noticing(mutant, wrong, folder, held) or noticed)


def _noticing(mutant: Mutant, wrong: Model, folder: Path, held: Sequence[Constraint]) -> str:
    """The first constraint that notices; those that speak of the place are asked first."""
    try:
        read_constraints(wrong._solved.network, folder)
    except ModelFileError:
        return "the constraints, which speak of what is gone"
    words = set(mutant.place.split(".")[1:])
    near = sorted(held, key=lambda constraint: -sum(word in repr(constraint) for word in words))
    judge = Judge(wrong._solved)
    try:
        return next((constraint.id for constraint in near if not judge.verdict(constraint).holds), "")
    except ModelFileError:
        return "the loader: no bases give the shares"


def _ask(model: Model, case: Case) -> Diagnosis:
    return model.diagnose(dict(case.known), setting=case.setting)


def _answer(case: Case, result: Diagnosis) -> Answer:
    return Answer(case, True, tuple(entry.id for entry in result.causes), result.urgency.level)


def _is_worse(was: Answer, now: Answer) -> bool:
    """Whether the acceptable causes dropped out of the first three, or the level below the one that was needed."""
    return (was.short_listed and not now.short_listed) or now.levels_too_high < 0 <= was.levels_too_high
