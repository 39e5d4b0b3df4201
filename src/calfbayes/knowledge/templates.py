"""The sentences that a model's files give, and what may and must be filled into each.

A sentence that states how probable or how strong something is must hold the number: words alone could promise more.
"""

from collections.abc import Mapping
from string import Formatter

Fields = Mapping[str, tuple[frozenset[str], frozenset[str]]]  # what must stand in a sentence, what may stand there besides

EXPLANATION: Fields = {
    name: (frozenset(must.split()), frozenset(may.split()))
    for name, must, may in (
        ("summary", "cause probability share", "words"),
        ("supports", "items", "cause"),
        ("opposes", "items", "cause"),
        ("supporting", "item times", "strength"),
        ("opposing", "item times", "strength"),
        ("absent", "item", ""),
        ("doubtful", "item ratio", ""),
        ("doubted", "item times", ""),
        ("state", "item state", ""),
        ("nothing", "cause", ""),
        ("indirect", "items", "cause"),
        ("speaks_for", "item competitor", ""),
        ("speaks_against", "item competitor", ""),
        ("process", "items mechanism", ""),
        ("through_parent", "items parent cause", ""),
        ("through_child", "items child cause", ""),
        ("competitor", "cause competitor competitor_probability with_it without_it", ""),
        ("unasked", "items", "cause"),
        ("unasked_near", "cause", ""),
        ("unasked_unknown", "", ""),
        ("would_change", "item low high", ""),
        ("would_tell", "item with_it without_it", ""),
        ("ruled_out", "cause items", ""),
        ("certain", "cause items", ""),
        ("outside_setting", "cause setting", ""),
        ("several_orders", "orders error", ""),
        ("contest", "first first_probability second second_probability", ""),
        ("telling", "item times", "strength"),
        ("between", "cause items", ""),
        ("no_difference", "first second", ""),
        ("both", "first second both", ""),
        ("sets", "items together", ""),
        ("one_set", "causes probability", ""),
        ("change", "cause before after", ""),
        ("level_change", "before after", ""),
        ("outcome_change", "before after", ""),
        ("assessed", "", ""),
        ("insufficient", "", ""),
        ("outside_scope", "", ""),
        ("beyond", "reason", ""),
        ("conflict", "pairs", ""),
        ("pair", "first second times", ""),
        ("spread", "", ""),
        ("percentile", "patients share error", ""),
        ("no_percentile", "", ""),
    )
}

# Of urgency.toml and asking.toml: what stands in the braces has to be there. A model without words gets these.
URGENCY = {
    "preferred": "{level}",
    "danger": "{level}: {chance}, {cause}",
    "likely": "{causes}",
    "cleared": "- {causes}",
    "cleared_cause": "{cause} {before} -> {chance}",
    "remains": "{level}: {chance}, {cause}",
    "cause": "{cause} {chance}",
    "doubt": "{level}: {chance} .. {bound}; {without}",
    "no_doubt": "large doubt counted",
    "no_probabilities": "no probabilities",
    "nothing_known": "nothing known",
    "open_rule": "1 open rule",
    "open_rules": "{count} open rules",
    "outside": "meant for {factor} {low} .. {high}",
    "atypical": "atypical: {share}",
    "no_complaint": "without {complaint}",
    "under": "<{bound}",
    "over": ">{bound}",
}
ASKING = {
    "could_reveal": "{level}: {rule}",
    "would_move": "{cause}: {now} -> {after}",
    "if_present": "{probability} (present)",
    "if_absent": "{probability} (absent)",
    "if_state": "{probability} ({state})",
    "how": "1, 2, ..; {unknown}; {back}; {stop}",
    "one": "1",
    "many": "1 2 ..",
    "number": "1",
    "number_of": "{unit}",
    "settled": "settled",
    "budget": "budget spent",
    "nothing_left": "nothing left to ask",
    "unanswered": "alarm signs not answered",
    "kept": "called for earlier; now:",
    "not_weighed": "{test}: not weighed. {note}",
}


def words_fault(plain: Mapping[str, str], name: str, text: object) -> str:
    """As `template_fault`, for words that hold what the plain ones hold."""
    held = {name: (frozenset(_fields(words)), frozenset[str]()) for name, words in plain.items()}
    return template_fault(name, text, held)


def _fields(text: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(text) if field is not None]


def template_fault(name: str, text: object, fields: Fields = EXPLANATION) -> str:
    """What is wrong with a template, as `problem; remedy`; empty if nothing, or if others tell it."""
    if name not in fields or not isinstance(text, str):
        return ""
    must, may = fields[name]
    known = ", ".join(f"{{{field}}}" for field in sorted(must | may)) or "no braces"
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        return f"cannot be filled in ({error}); close every brace"
    found = {field for _, field, _, _ in parts if field is not None}
    if any(form or conversion for _, _, form, conversion in parts) or not found <= must | may:
        return f"holds something else than {known}; write these only"
    missing = ", ".join(f"{{{field}}}" for field in sorted(must - found))
    return f"lacks {missing}; a statement has to hold its numbers" if missing else ""
