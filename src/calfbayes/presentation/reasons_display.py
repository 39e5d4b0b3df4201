"""Explanations as HTML: the sentences of the model, then the numbers as diverging bars, then what they rest on, folded.

Rendering only, of the same words as `reasons`.
"""

from collections.abc import Iterator, Sequence
from math import isfinite, isinf
from typing import TYPE_CHECKING

from calfbayes.explanation.routes import judged_of, sources_of
from calfbayes.presentation.facts import outcome_words
from calfbayes.presentation.markup import Child, Html, element
from calfbayes.presentation.parts import (
    Bibliography,
    banner,
    bar,
    folding,
    heading,
    leaning_bar,
    listed,
    section,
    table,
)
from calfbayes.presentation.plain import percent, signed
from calfbayes.presentation.reasons import (
    Names,
    between_them,
    conflicting,
    differing,
    grounds,
    not_compared,
    supposed,
    unless_certain,
    what_it_does,
    where_it_stands,
)

if TYPE_CHECKING:
    from calfbayes.explanation.changes import Comparison, ProbabilityChange
    from calfbayes.explanation.competition import Contest
    from calfbayes.explanation.conflict import Conflict
    from calfbayes.explanation.ledger import Ledger, PossibleAnswer, Unasked
    from calfbayes.explanation.routes import Cited

CHANGES_SHOWN = 8
NARROWEST = 3.0  # decibans that half a diverging bar stands for at least, so that trifles look like trifles


def ledger_html(ledger: "Ledger") -> str:
    """Show the account of a cause."""
    names = Names(ledger._result)
    bibliography = Bibliography(ledger._result._solved.network.knowledge.sources)
    now = percent(ledger.probability, exact=True) if ledger.decided_by else unless_certain(ledger.probability)
    scale = _scale([weight.decibans for weight in ledger.weights])
    cited = _cited(bibliography, ledger.share_numbers)
    rows: list[list[Child]] = [_end("Before anything was known", ledger.share_decibans, percent(ledger.share), cited)]
    for weight in ledger.weights:
        moved = [leaning_bar(weight.decibans, scale), signed(weight.decibans), what_it_does(weight.decibans, "odds")]
        why, cited = grounds(names, weight), [] if weight.settled_by else _cited(bibliography, weight.numbers)
        rests_on = [f"{why}. " if why and weight.judged and not weight.settled_by else why, *cited]
        rows.append([names.fact(weight.id, weight.value), *moved, rests_on])
    rows.append(_end("Now", ledger.posterior_decibans, now))
    heads = ("Answer", "Against it | for it", "Decibans", "What it does", "Rests on")
    parts: list[Child] = [heading(ledger.label), listed(ledger.sentences)]
    parts.append(
        table("Weights of evidence (10 decibans are ten times the odds)", heads, rows, numbers=("Decibans",), bars=heads[1])
    )
    parts += _rest_of_ledger(ledger, names, bibliography)
    return section(f"Reasons for and against {ledger.label}", parts)


def contest_html(contest: "Contest") -> str:
    """Show two causes against each other."""
    names, evidence = Names(contest._result), contest._result.evidence
    first, second = contest.labels
    scale = _scale([ratio.decibans for ratio in contest.ratios])
    rows: list[list[Child]] = [_end("Before anything was known", contest.share_decibans, "")]
    for ratio in contest.ratios:
        fact = names.fact(ratio.id, evidence[ratio.id])
        does = between_them(contest, ratio) if isinf(ratio.decibans) else what_it_does(ratio.decibans, "their ratio")
        moved = signed(ratio.decibans), does
        rows.append([fact, leaning_bar(ratio.decibans, scale), *moved])
    rows.append(_end("Now", contest.posterior_decibans, ""))
    weights = table(
        f"Weights for {first} (+) or {second} (\N{MINUS SIGN})",
        ("Answer", f"{second} | {first}", "Decibans", "What it does"),
        [row[:4] for row in rows],
        numbers=("Decibans",),
        bars=f"{second} | {first}",
    )
    each = (
        (first, second, contest.probabilities[0], contest.first_with, contest.first_without),
        (second, first, contest.probabilities[1], contest.second_with, contest.second_without),
    )
    beside = table(
        "What one takes from the other",
        ("Cause", "Probability", "Now", "If the other has a part in it", "If not"),
        [(one, bar(now), percent(now), supposed(with_it), supposed(without)) for one, _, now, with_it, without in each],
        numbers=("Now", "If the other has a part in it", "If not"),
        bars="Probability",
    )
    sets = table(
        "At most three causes that are most probably the whole",
        ("Causes", "Probability", "Now"),
        [(" + ".join(s.labels), bar(s.probability), percent(s.probability)) for s in contest.sets],
        numbers=("Now",),
        bars="Probability",
    )
    parts = [heading(f"{first} against {second}"), listed(contest.sentences), weights, beside, sets]
    return section("Two causes against each other", parts)


def comparison_html(comparison: "Comparison") -> str:
    """Show what differs between two results."""
    before, after = comparison.before.urgency, comparison.after.urgency
    same = before.level == after.level
    words = f"Urgency as before: {after.label}" if same else f"Urgency: {before.label}, then {after.label}"
    outcomes = [outcome_words(result, " - ") for result in (comparison.before, comparison.after)]
    told = [f"{name}: {outcome}" for name, outcome in zip(("Outcome before", "Outcome now"), outcomes, strict=True)]
    gained = [f"New: {reason.text}" for reason in comparison.reasons_gained]
    lost = [f"No longer: {reason.text}" for reason in comparison.reasons_lost]
    parts: list[Child] = [banner(after.level, words, after.action, *told)]
    if gained or lost:
        parts += [heading("Reasons for the urgency"), listed([*gained, *lost])]
    parts += [heading("What differs"), listed(differing(comparison) or ["nothing"])]
    if lacking := not_compared(comparison):
        parts.append(listed(lacking))
    shown, rest = comparison.causes[:CHANGES_SHOWN], comparison.causes[CHANGES_SHOWN:]
    if shown:
        parts.append(_changes("What follows, the largest change first (bar: after; mark: before)", shown))
    if rest:
        parts.append(folding(f"{len(rest)} smaller changes", _changes("Further causes and complications", rest)))
    return section("Two results compared", parts)


def conflict_html(conflict: "Conflict") -> str:
    """Show what does not go together."""
    rows = conflicting(Names(conflict._result), conflict)
    heads = ("One answer", "Another", "Times rarer together than apart")
    pairs = table("Answers that no single cause makes go together", heads, rows, numbers=heads[2:]) if rows else None
    where = element("p", where_it_stands(conflict))
    parts = [heading("Do the answers go together?"), listed(conflict.sentences), pairs, where]
    return section("Conflict", parts, None if rows else element("p", "No two of the answers are at odds."))


def _cited(bibliography: Bibliography, numbers: Sequence["Cited"]) -> list[Child]:
    """The sources of some numbers, those that only judge by themselves."""
    judged = judged_of(numbers)
    firm = bibliography.cite(source for source in sources_of(numbers) if source not in judged)
    return [firm, *([" Judged:" if firm else "Judged:", bibliography.cite(judged)] if judged else [])]


def _scale(decibans: Sequence[float]) -> float:
    return max([NARROWEST, *(abs(weight) for weight in decibans if isfinite(weight))])


def _end(name: str, decibans: float, chance: str, rests_on: Child = None) -> list[Child]:
    """The first or last row: where the account begins, or ends."""
    return [element("strong", name), None, signed(decibans), element("strong", chance), rests_on]


def _rest_of_ledger(ledger: "Ledger", names: Names, bibliography: Bibliography) -> Iterator[Html]:
    """What would matter, what competes, the numbers on the way, and the sources; each folded away."""
    heads: Sequence[str]
    rows: list[Sequence[Child]]
    if ledger.unasked:
        heads = ("Not asked", "What each answer would make of it", "Expected change")
        rows = [(entry.label, _would_make(names, entry), percent(entry.expected_change)) for entry in ledger.unasked]
        yield folding("What would tell most", table("Answers that are lacking", heads, rows, numbers=heads[2:]))
    if ledger.competitors:
        heads = ("Cause", "Its probability", f"{ledger.label} if that has a part in it", "If not")
        rows = [(c.label, percent(c.probability), percent(c.with_it), percent(c.without_it)) for c in ledger.competitors]
        yield folding("What competes", table("Causes that explain the same", heads, rows, numbers=heads[1:]))
    numbers = [("before anything was known", n) for n in ledger.share_numbers]
    numbers += [(names.fact(weight.id, weight.value), n) for weight in ledger.weights for n in weight.numbers]
    if numbers:
        heads = ("Answer", "Number", "Value", "Kind", "Sources")
        rows = [(fact, element("code", n.place), f"{n.value:g}", n.kind, bibliography.cite(n.sources)) for fact, n in numbers]
        told = table("Every number on the way from an answer to the cause", heads, rows, numbers=("Value",))
        yield folding("Numbers and sources", told, bibliography.list())


def _would_make(names: Names, entry: "Unasked") -> str:
    def state(answer: "PossibleAnswer") -> str:
        return names.state(entry.id, answer.state)

    return "; ".join(f"{state(answer)}: {percent(answer.probability)}" for answer in entry.answers)


def _changes(caption: str, changes: Sequence["ProbabilityChange"]) -> Html:
    heads = ("Cause", "Probability", "Before", "After", "Change")
    rows = [
        (c.label, bar(c.after or 0.0, c.before), _chance(c.before), _chance(c.after), f"{signed(100 * c.difference)} points")
        for c in changes
    ]
    return table(caption, heads, rows, numbers=heads[2:], bars=heads[1])


def _chance(probability: float | None) -> str:
    return "not known to it" if probability is None else percent(probability)
