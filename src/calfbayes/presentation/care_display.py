"""Advice as HTML: who to see, what helps and what does not now, when to come back, and what to watch for."""

from typing import TYPE_CHECKING

from calfbayes.knowledge.terms import Cause, Complication
from calfbayes.presentation.facts import care_reasons, signs_told
from calfbayes.presentation.markup import Child, Html, element, joined
from calfbayes.presentation.parts import Bibliography, folding, heading, listed, pairs, section

if TYPE_CHECKING:
    from calfbayes.diagnosis.care import Advised, CareAdvice


def care_parts(advice: "CareAdvice", bibliography: Bibliography) -> list[tuple[str, Html]]:
    """Titles and what stands under them: the advice with its sources, and what to watch for; nothing if there is nothing."""
    kinds = [
        ("Who to see", advice.who, False),
        ("Examinations", advice.examinations, False),
        ("Helps", advice.helps, False),
        ("Not now", advice.withheld, True),
        ("Avoid", advice.avoid, True),
        ("Come back", advice.come_back, False),
    ]
    told = [
        (name, listed(_advised(advice, entry, forbids=forbids) for entry in entries))
        for name, entries, forbids in kinds
        if entries
    ]
    parts = [("What to do", joined([pairs(told), _sources(advice, bibliography)]))] if told else []
    return [*parts, *([("What to watch for", _watched(advice))] if advice.come_back_if else [])]


def care_html(advice: "CareAdvice") -> str:
    """Show the advice."""
    bibliography = Bibliography(advice._evidence._network.knowledge.sources)
    parts = [joined([heading(title), told]) for title, told in care_parts(advice, bibliography)]
    cited = folding("Sources", bibliography.list()) if bibliography.cited else None
    return section("Advice", element("p", element("strong", advice.action)), parts, cited)


def _advised(advice: "CareAdvice", advised: "Advised", *, forbids: bool) -> Child:
    reasons = care_reasons(advice._evidence, advised, forbids=forbids)
    return [advised.text.rstrip("."), element("small", f" ({reasons})")] if reasons else advised.text


def _sources(advice: "CareAdvice", bibliography: Bibliography) -> Html | None:
    network = advice._evidence._network
    records = [network.records[name] for name in dict.fromkeys(name for e in advice.come_back for name in e.causes)]
    cited = [name for r in records if isinstance(r, Cause | Complication) for name in r.care.sources]
    return element("p", "From", bibliography.cite(cited)) if cited else None


def _watched(advice: "CareAdvice") -> Html:
    """What would raise the level, each list under what to do then."""
    network = advice._evidence._network
    return joined(
        element(
            "div",
            element("p", element("strong", watched.text)),
            listed(signs_told(network, signs) for signs in watched.by_kind),
            class_="cb-watched",
        )
        for watched in advice.come_back_if
    )
