"""Intervals and sensitivities as plain text. Rendering only."""

from math import sqrt
from typing import TYPE_CHECKING

from calfbayes.presentation.plain import of_draws, percent, printable, shortened, wrapped

if TYPE_CHECKING:
    from calfbayes.explanation.intervals import Interval, Intervals
    from calfbayes.explanation.tornado import Effect, Margin, Sensitivity

SHOWN = 8
MARGINS = 6  # of one kind
LABEL = 36
FLAGS = {True: "", False: "~", None: "?"}  # of what is nearly linear, is not, or was not checked
WIDTH = 120


def intervals_text(given: "Intervals") -> str:
    """The first causes and the urgency levels, each with its interval."""
    lines = [what_they_are(given), ""]
    lines += [_interval(entry) for entry in given.causes[:SHOWN]]
    if len(given.causes) > SHOWN:
        lines.append(f"  and {len(given.causes) - SHOWN} more causes")
    if given.complications:
        lines += ["", "complications", *(_interval(entry) for entry in given.complications)]
    lines += ["", "needed at least", *(_interval(entry) for entry in given.urgency)]
    lines += [line for note in notes(given) for line in ("", note)]
    return "\n".join(lines)


def what_they_are(given: "Intervals") -> str:
    """The title of some intervals."""
    how = "by derivatives" if given.method == "delta" else f"from {given.draws} drawn models"
    return f"{100 * given.level:g} % intervals over the doubt of the model's numbers, the coincidence held, {how}"


def notes(given: "Intervals") -> list[str]:
    """What is to be said of the draws, and of ends that are in doubt themselves."""
    told = []
    shown = (*given.causes[:SHOWN], *given.complications, *given.urgency)
    if given.same_first is not None and given.same_level is not None:
        told.append(
            f"same first cause in {_of_draws(given.same_first, given.draws)} of the draws, "
            f"same urgency in {_of_draws(given.same_level, given.draws)}"
        )
        error = 2.0 * max(max(entry.errors) for entry in shown)
        told.append(f"with {given.draws} draws an end may be off by up to {100 * error:.2g} points (two standard errors)")
    if given.redrawn or given.impossible:
        told.append(f"{given.redrawn} draws without a solution drawn again, {given.impossible} hold the answers impossible")
    if any(entry.nearly_linear is False for entry in shown):
        ends = "the model solved again" if given.method == "delta" else "the derivatives"
        told.append(f"~ not nearly linear: {ends} would put an end elsewhere")
    if any(entry.nearly_linear is None for entry in shown):
        told.append("? not checked whether nearly linear")
    return told


def _of_draws(share: float, draws: int) -> str:
    """A share of the draws with its standard error, counting the next draw so that none is 0."""
    n = round(share * draws)
    p = (n + 1) / (draws + 2)
    return f"{of_draws(n, draws)} (standard error {100 * sqrt(p * (1 - p) / draws):.2g} %)"


def _interval(entry: "Interval") -> str:
    label = shortened(printable(entry.label), LABEL).ljust(LABEL)
    flag = FLAGS[entry.nearly_linear]
    return f"  {label} {percent(entry.probability):>7}   {percent(entry.low)} to {percent(entry.high)}{flag and f'  {flag}'}"


def sensitivity_text(given: "Sensitivity", *, width: int = WIDTH) -> str:
    """The widest effects, and the nearest changes."""
    lines = wrapped(rules_stand(given), width) if given.set_by_rules else []
    lines += wrapped(f"{given.quantity}: {percent(given.probability)}; over the range of one number at a time", width)
    lines += ["", *(line for effect in given.effects[:SHOWN] for line in wrapped(_effect(effect), width, "  ", "      "))]
    if len(given.effects) > SHOWN:
        lines.append(f"  and {len(given.effects) - SHOWN} more numbers")
    lines.append(f"  {unmoving(given)}")
    if given.of == "urgency" and not any(one.changes == given.of and one.limit is not None for one in given.margins):
        lines += ["", "no number by itself changes the urgency"]
    for title, margins in what_comes_first(given):
        lines += ["", title, *(line for one in margins for line in wrapped(margin_text(one), width, "  ", "      "))]
    return "\n".join(lines)


def rules_stand(given: "Sensitivity") -> str:
    """That rules, and no numbers, set the urgency."""
    return f"A rule sets the urgency, {given.set_by_rules}, whatever the numbers; what follows is about the model's own level."


def unmoving(given: "Sensitivity") -> str:
    """How many numbers are not told of because they do nothing."""
    if not given.effects:
        return "no number by itself moves it, wherever it lies in its range"
    return f"{given.unmoving} others do not move it"


def what_comes_first(given: "Sensitivity") -> list[tuple[str, list["Margin"]]]:
    """The nearest margins of each kind, with a title; what is asked about comes first."""
    kinds = sorted(
        {one.changes for one in given.margins}, key=lambda changes: (changes == "urgency") != (given.of == "urgency")
    )
    return [
        (f"what would change the {changes} first", [one for one in given.margins if one.changes == changes][:MARGINS])
        for changes in kinds
    ]


def _effect(effect: "Effect") -> str:
    ends = " to ".join("nothing coherent" if p is None else percent(p) for p in (effect.at_low, effect.at_high))
    about = "" if effect.exact else "about "
    return f"{about}{ends}: {effect.file} {effect.place} = {effect.value:g} ({number(effect.low)} to {number(effect.high)})"


def margin_text(one: "Margin") -> str:
    """How far one number may move, and what changes then."""
    where = f"{one.file} {one.place} = {one.value:g}"
    if one.limit is None:
        return f"{where}: {one.changes} does not change when solved again"
    return f"{where}: at {limit_text(one)} {one.changes} becomes {one.label}"


def limit_text(one: "Margin") -> str:
    """Where an answer changes; by the derivative alone that may be off by half, and no more digits are shown than it has."""
    if one.limit is None:
        return "none"
    return number(one.limit) if one.exact else f"about {roughly(one.limit, one.value)}"


def roughly(limit: float, value: float) -> str:
    """A limit in one digit, or in as many as leave it on its side of the number and below 1."""
    for digits in (1, 2):
        rounded = float(f"{limit:.{digits}g}")
        if (rounded - value) * (limit - value) > 0.0 and not limit < 1.0 <= rounded:
            return f"{rounded:g}"
    return number(limit)


def number(value: float) -> str:
    """A number of the model in three digits, and one just below 1 by what it lacks: it is not certain."""
    text = f"{value:.3g}"
    return f"1 - {1.0 - value:.2g}" if text == "1" and value < 1.0 else text
