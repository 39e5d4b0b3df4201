"""What a constraint says in vain: what its kind would not look at, and further evidence that is no news."""

from collections.abc import Iterator, Mapping
from typing import Any

OF_ONE_PATIENT = {"urgency", "rule"}
OF_LEVELS = {*OF_ONE_PATIENT, "median_urgency"}
OF_RANDOM_PATIENTS = {"median_urgency", "rule_stratum"}
OF_MOVEMENTS = {"raises", "lowers", "must_not_raise", "must_not_lower"}

Table = Mapping[str, Any]


def said_in_vain(t: Table) -> Iterator[tuple[str, str, str]]:
    """Yield the key, what is wrong with it and what would do.

    Args:
        t: A constraint whose shape is right.
    """
    kind = t["kind"]
    if isinstance(t["given"], str) and kind in OF_ONE_PATIENT and not t["no_red_flags"]:
        yield "given", f"{kind} speaks of one patient", "write given as a table"
    if t["scope"] and kind == "rule":
        yield "scope", "what is learnt besides cannot undo a rule", "leave the scope out, and say more in the pictures"
    if t["scope"] and kind in OF_RANDOM_PATIENTS:
        yield "scope", f"{kind} speaks of random patients", "leave the scope out, and say more in given"
    if t["tolerance"] and kind in OF_LEVELS:
        yield "tolerance", "a level is met or not", "leave it out, and give at_least and at_most"
    if t["allow_explaining_away"] and kind not in OF_MOVEMENTS:
        kinds = ", ".join(sorted(OF_MOVEMENTS))
        yield "allow_explaining_away", f"{kind} compares nothing before and after", f"it serves {kinds}"
    if kind != "frequencies":
        yield from _no_news(t)


def _no_news(t: Table) -> Iterator[tuple[str, str, str]]:
    """Further evidence that is known already, or impossible from the start."""
    given, of, compared_with = t["given"], t.get("of", {}), t.get("compared_with", {})
    if of and of in (given, compared_with):
        yield "of", "says the same as given or compared_with", "name what is learnt besides"
    elif isinstance(given, Mapping):
        further = {"of": of, "compared_with": compared_with, "along": {t.get("along", ""): ""}}
        for key, answers in further.items():
            for name in sorted(given.keys() & answers.keys()) if isinstance(answers, Mapping) else ():
                yield key, f"{name!r} is spoken of in given, too", "leave it out of one of the two"
