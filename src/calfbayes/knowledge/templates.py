"""The sentences that a model's `explanation.toml` gives, and what may and must be filled into each.

A sentence that states how probable or how strong something is must hold the number: words alone could promise more.
"""

from string import Formatter

# what must stand in each sentence, and what may stand there besides
FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(must.split()), frozenset(may.split()))
    for name, must, may in (
        ("summary", "cause probability share", "words"),
        ("supports", "items", "cause"),
        ("opposes", "items", "cause"),
        ("supporting", "item times", "strength"),
        ("opposing", "item times", "strength"),
        ("absent", "item", ""),
        ("doubtful", "item ratio", ""),
        ("state", "item state", ""),
        ("nothing", "cause", ""),
        ("indirect", "items", "cause"),
        ("speaks_for", "item competitor", ""),
        ("speaks_against", "item competitor", ""),
        ("process", "items mechanism", ""),
        ("competitor", "cause competitor competitor_probability with_it without_it", ""),
        ("unasked", "items", "cause"),
        ("would_change", "item low high", ""),
        ("ruled_out", "cause items", ""),
        ("certain", "cause items", ""),
        ("outside_setting", "cause setting", ""),
        ("several_orders", "orders error", ""),
        ("contest", "first first_probability second second_probability", ""),
        ("telling", "item times", "strength"),
        ("between", "cause items", ""),
        ("no_difference", "first second", ""),
        ("both", "first second both", ""),
        ("sets", "items", ""),
        ("one_set", "causes probability", ""),
        ("change", "cause before after", ""),
        ("level_change", "before after", ""),
        ("conflict", "pairs", ""),
        ("pair", "first second times", ""),
        ("typicality", "percentile", ""),
    )
}


def template_fault(name: str, text: object) -> str:
    """What is wrong with a template, as `problem; remedy`; empty if nothing, or if others tell it."""
    if name not in FIELDS or not isinstance(text, str):
        return ""
    must, may = FIELDS[name]
    known = ", ".join(f"{{{field}}}" for field in sorted(must | may))
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        return f"cannot be filled in ({error}); close every brace"
    fields = {field for _, field, _, _ in parts if field is not None}
    if any(form or conversion for _, _, form, conversion in parts) or not fields <= must | may:
        return f"holds something else than {known}; write these only"
    missing = ", ".join(f"{{{field}}}" for field in sorted(must - fields))
    return f"lacks {missing}; a statement has to hold its numbers" if missing else ""
