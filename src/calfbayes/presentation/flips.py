"""What would flip the flag, as plain text and as HTML. Rendering only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calfbayes.presentation.doubt import margin_text
from calfbayes.presentation.doubt_display import margins_table
from calfbayes.presentation.facts import headline, state
from calfbayes.presentation.markup import Child, element
from calfbayes.presentation.parts import folding, heading, level_labels, section, table
from calfbayes.presentation.plain import bullets, percent, wrapped
from calfbayes.presentation.text import joined

if TYPE_CHECKING:
    from calfbayes.explanation.flips import Flip, Flips

SHOWN = 5
RAISING, LOWERING, NUMBERS = "Answers that would raise it", "Answers that would lower it", "Numbers of the model by themselves"
TOO_DEAR = "How far the numbers of the model may move would be too dear to compute."


def flips_text(flips: "Flips", *, width: int = 100) -> str:
    """The first of each kind."""
    paragraphs = [wrapped(f"Now: {headline(flips._result)}", width)]
    for title, entries in ((RAISING, flips.raising), (LOWERING, flips.lowering)):
        told = [f"{answers} -> {level} ({chance})" for answers, chance, level in _rows(flips, entries)]
        paragraphs.append([title, *_first(told, width)])
    numbers = None if flips.numbers is None else _first([margin_text(one) for one in flips.numbers], width)
    paragraphs.append([TOO_DEAR] if numbers is None else [NUMBERS, *numbers])
    return joined(paragraphs)


def flips_html(flips: "Flips") -> str:
    """All of them; those beyond the first folded away."""
    parts: list[Child] = [heading("What would flip the urgency"), element("p", f"Now: {headline(flips._result)}")]
    heads = ("Answers", "How probable they are", "Urgency then")
    for title, entries in ((RAISING, flips.raising), (LOWERING, flips.lowering)):
        shown, rest = (
            table(title, heads, _rows(flips, some), numbers=heads[1:2]) for some in (entries[:SHOWN], entries[SHOWN:])
        )
        parts.append(shown if entries else element("p", f"{title}: none was found."))
        parts += [folding(f"{len(entries) - SHOWN} more", rest)] if entries[SHOWN:] else []
    if flips.numbers is None:
        parts.append(element("p", TOO_DEAR))
    elif flips.numbers:
        parts.append(folding(NUMBERS, margins_table("The nearest change first", flips.numbers)))
    else:
        parts.append(element("p", f"{NUMBERS}: none was found."))
    return section("What would flip the urgency", parts)


def _rows(flips: "Flips", entries: Sequence["Flip"]) -> list[tuple[str, str, str]]:
    """The answers, how probable they are, and the level then."""
    network = flips._result._solved.network
    levels = level_labels(network.knowledge)

    def told(name: str, value: str) -> str:
        return f"{network.records[name].label}: {state(network.records[name], value)}"

    return [("; ".join(told(*answer) for answer in f.answers), percent(f.chance), levels[f.level]) for f in entries]


def _first(told: Sequence[str], width: int) -> list[str]:
    if not told:
        return ["  none was found"]
    more = [f"  and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return [*bullets(told[:SHOWN], width), *more]
