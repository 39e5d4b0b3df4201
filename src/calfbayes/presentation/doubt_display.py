"""Intervals and sensitivities as HTML. Rendering only, of the same words as `doubt`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calfbayes.presentation.doubt import (
    limit_text,
    notes,
    number,
    rules_stand,
    unmoving,
    what_comes_first,
    what_they_are,
)
from calfbayes.presentation.markup import Child, Html, element
from calfbayes.presentation.parts import folding, heading, interval_bar, listed, section, span_bar, table
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from calfbayes.explanation.intervals import Interval, Intervals
    from calfbayes.explanation.tornado import Effect, Margin, Sensitivity

SHOWN = 8
FOLDED = 100  # of some thousand numbers; a table has all
NOTHING = "nothing coherent"
REMARKS = {True: "", False: "~ not nearly linear", None: "? not checked"}


def intervals_html(given: "Intervals") -> str:
    """Show how sure a result is."""
    parts: list[Child] = [
        heading(what_they_are(given)),
        _intervals("Causes (bar: probability; whisker: interval)", given.causes[:SHOWN]),
    ]
    if rest := given.causes[SHOWN:]:
        parts.append(folding(f"{len(rest)} more causes", _intervals("Further causes", rest)))
    if given.complications:
        parts.append(_intervals("Complications", given.complications))
    parts += [_intervals("Needed at least", given.urgency), listed(notes(given))]
    return section("Intervals", parts)


def sensitivity_html(given: "Sensitivity") -> str:
    """Show what an answer hangs on."""
    now = percent(given.probability)
    widest = given.effects[:SHOWN]
    ends = [p for effect in widest for p in (effect.at_low, effect.at_high) if p is not None]
    scale = min([given.probability, *ends]), max([given.probability, *ends])
    parts: list[Child] = [heading(f"What this hangs on: {given.quantity}, {now}")]
    if given.set_by_rules:
        parts.append(element("p", rules_stand(given)))
    if widest:
        title = f"Over the range of one number at a time (bar: from {percent(scale[0])} to {percent(scale[1])}; mark: {now})"
        parts.append(_effects(title, widest, given.probability, scale))
    if rest := given.effects[SHOWN:FOLDED]:
        parts.append(folding(_more(given), _effects("Further numbers", rest, given.probability, scale)))
    parts.append(element("p", f"{unmoving(given).capitalize()}."))
    parts += [margins_table(title.capitalize(), margins) for title, margins in what_comes_first(given)]
    return section("Sensitivity", parts)


def _intervals(caption: str, entries: Sequence["Interval"]) -> Html:
    heads = ("Name", "Probability", "Now", "From", "To")
    rows: list[list[Child]] = []
    for e in entries:
        remark = REMARKS[e.nearly_linear]
        label = [e.label, element("small", f" ({remark})") if remark else None]
        rows.append(
            [label, interval_bar(e.probability, e.low, e.high), percent(e.probability), percent(e.low), percent(e.high)]
        )
    return table(caption, heads, rows, numbers=heads[2:], bars=heads[1])


def _more(given: "Sensitivity") -> str:
    hidden = len(given.effects) - FOLDED
    return f"{len(given.effects[SHOWN:FOLDED])} more numbers{f' of {len(given.effects) - SHOWN}' if hidden > 0 else ''}"


def _effects(caption: str, effects: Sequence["Effect"], now: float, scale: tuple[float, float]) -> Html:
    heads = ("Number", "Probability", "At its low end", "At its high end", "Value and range")
    rows = []
    for e in effects:
        span = None if e.at_low is None or e.at_high is None else span_bar(e.at_low, e.at_high, now, scale)
        about = "" if e.exact else "about "
        ends = [NOTHING if p is None else f"{about}{percent(p)}" for p in (e.at_low, e.at_high)]
        rows.append([_place(e), span, *ends, f"{e.value:g} ({number(e.low)} to {number(e.high)})"])
    return table(caption, heads, rows, numbers=heads[2:4], bars=heads[1])


def margins_table(caption: str, margins: Sequence["Margin"]) -> Html:
    """How far numbers may move, and what changes then."""
    heads = ("Number", "Now", "Changes at", "What changes")
    return table(caption, heads, map(_margin, margins), numbers=heads[1:3])


def _margin(one: "Margin") -> tuple[Child, ...]:
    if one.limit is None:
        return _place(one), f"{one.value:g}", "nowhere near", f"{one.changes} does not change when solved again"
    return _place(one), f"{one.value:g}", limit_text(one), f"{one.changes} becomes {one.label}"


def _place(one: "Effect | Margin") -> Html:
    return element("span", element("code", one.place), element("small", f" {one.file}"))
