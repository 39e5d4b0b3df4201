"""Content -> records. The content has been checked for its shape, so nothing can fail here."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from calfbayes.knowledge import templates
from calfbayes.knowledge.terms import (
    LEVELS_BY_SEVERITY,
    Advice,
    AdviceKind,
    AllOf,
    AnyOf,
    Asking,
    Atom,
    Care,
    Cause,
    Caution,
    Codes,
    Complication,
    Condition,
    Elicited,
    Explanation,
    Finding,
    KnowledgeBase,
    Level,
    LevelText,
    Link,
    Mechanism,
    Observer,
    OddsRatio,
    PriorRow,
    Repeat,
    RiskFactor,
    Rule,
    Setting,
    Source,
    TestGuard,
    Urgency,
    Weight,
)

Content = dict[str, Any]
Table = Mapping[str, Any]

ROUNDING = 1e-12
ATYPICAL = 0.005  # of a model that does not say: four of the 800 that a patient is compared with
SETTLED = 0.1


def build(content: Content, digest: str) -> KnowledgeBase:
    """Turn content of the right shape into records."""
    model = content["model"]
    return KnowledgeBase(
        name=model["name"],
        version=model["version"],
        title=model["title"],
        intended_use=model["intended_use"],
        population=model["population"],
        not_for=tuple(model["not_for"]),
        licence=model["licence"],
        complaint=model["complaint"],
        scope=tuple((factor, low, high) for factor, (low, high) in model.get("scope", {}).items()),
        default_setting=model["default_setting"],
        settings=tuple(Setting(key, t["label"], _number(t["coincidence"])) for key, t in model["settings"].items()),
        risk_factors=tuple(_risk_factor(key, t) for key, t in content["risk_factors"].items()),
        causes=tuple(_cause(key, t) for key, t in content["causes"].items()),
        complications=tuple(
            Complication(id=key, leak=_number(t["leak"]), **_node(t)) for key, t in content["complications"].items()
        ),
        mechanisms=tuple(
            Mechanism(key, t["label"], t["description"], _number(t["leak"]), _odds(t), _links(t))
            for key, t in content["mechanisms"].items()
        ),
        findings=tuple(_finding(key, t) for key, t in content["findings"].items()),
        urgency=_urgency(content["urgency"]),
        advice=_advice(content.get("advice")),
        asking=_asking(content.get("asking")),
        explanation=_explanation(content.get("explanation")),
        sources=tuple(Source(key, t["citation"], t["url"], t["kind"]) for key, t in content["sources"].items()),
        digest=digest,
    )


def _number(table: Table, value: float | None = None) -> Elicited:
    low, high = table.get("range") or (None, None)
    return Elicited(
        value=float(table["value"] if value is None else value),
        kind=table["kind"],
        sources=tuple(table["source"]),
        n=table.get("n"),
        low=low,
        high=high,
        why=table.get("why", ""),
    )


def _odds(table: Table) -> tuple[OddsRatio, ...]:
    return tuple(
        OddsRatio(factor, state, _number(number))
        for factor, states in table.get("odds", {}).items()
        for state, number in states.items()
    )


def _links(table: Table) -> tuple[Link, ...]:
    return tuple(
        Link(child, _number(t, t["probability"] if "probability" in t else t["link"]), includes_leak="probability" in t)
        for child, t in table.get("links", {}).items()
    )


def _codes(table: Table) -> tuple[Codes, ...]:
    return tuple(Codes(system, tuple(codes)) for system, codes in table.get("codes", {}).items())


def _cause(key: str, table: Table) -> Cause:
    weights = tuple(Weight(setting, _number(number)) for setting, number in table["weight"].items())
    return Cause(id=key, weights=weights, **_node(table))


def _node(table: Table) -> dict[str, Any]:
    """What causes and complications have in common."""
    care = table["care"]
    return {
        "label": table["label"],
        "description": table["description"],
        "group": table["group"],
        "urgency": Level(table["urgency"]),
        "synonyms": tuple(table.get("synonyms", ())),
        "codes": _codes(table),
        "odds": _odds(table),
        "links": _links(table),
        "care": Care(
            who=care["who"],
            examinations=tuple(care["examinations"]),
            helps=_texts(care["helps"]),
            avoid=_texts(care["avoid"]),
            come_back=care["come_back"],
            sources=tuple(care["source"]),
            help_kinds=_help_kinds(care["helps"]),
            avoid_kinds=_avoid_kinds(care["avoid"]),
            harmed_by=tuple(care.get("harmed_by", ())),
        ),
    }


def _texts(entries: Sequence[str | Table]) -> tuple[str, ...]:
    return tuple(entry if isinstance(entry, str) else entry["text"] for entry in entries)


def _help_kinds(entries: Sequence[str | Table]) -> tuple[tuple[str, ...], ...]:
    return tuple(() if isinstance(entry, str) else tuple(entry.get("kinds", ())) for entry in entries)


def _avoid_kinds(entries: Sequence[str | Table]) -> tuple[str, ...]:
    return tuple("" if isinstance(entry, str) else entry.get("kind", "") for entry in entries)


def _finding(key: str, table: Table) -> Finding:
    return Finding(
        id=key,
        label=table["label"],
        question=table["question"],
        kind=table["kind"],
        group=table["group"],
        observer=Observer[table["observer"].upper()],
        burden=table["burden"],
        synonyms=tuple(table.get("synonyms", ())),
        codes=_codes(table),
        implies=tuple(table.get("implies", ())),
        excludes=tuple(table.get("excludes", ())),
        leak=_number(table["leak"]),
        odds=_odds(table),
    )


def _risk_factor(key: str, table: Table) -> RiskFactor:
    states = tuple(table.get("states", ("absent", "present")))
    reference = table.get("reference", "absent")
    rows = tuple(_prior_row(row, states, reference) for row in table["prior"])
    return RiskFactor(
        id=key,
        label=table["label"],
        question=table["question"],
        group=table["group"],
        burden=table["burden"],
        synonyms=tuple(table.get("synonyms", ())),
        states=states,
        reference=reference,
        unit=table.get("unit", ""),
        lower_bounds=tuple(float(bound) for bound in table.get("lower_bounds", ())),
        upper_bound=float(table.get("upper_bound", 0.0)),
        parents=tuple(dict.fromkeys(parent for row in rows for parent, _ in row.when)),
        prior=rows,
    )


def _prior_row(row: Table, states: tuple[str, ...], reference: str) -> PriorRow:
    """One row; the reference state takes what the others leave, whether or not that is a probability."""
    given = row["probabilities"]
    others = float(sum(probability for state, probability in given.items() if state != reference))
    rest = given.get(reference, 0.0 if abs(1.0 - others) < ROUNDING else 1.0 - others)
    probabilities = tuple(float(rest if state == reference else given.get(state, 0.0)) for state in states)
    when = tuple((parent, tuple(covered)) for parent, covered in row.get("when", {}).items())
    return PriorRow(when, probabilities, _number(row, value=others))


def _urgency(table: Table) -> Urgency:
    acted = table["loss"]["acted"]
    loss = tuple(
        tuple(float(acted.get(a, {}).get(needed, float("nan"))) for needed in LEVELS_BY_SEVERITY) for a in LEVELS_BY_SEVERITY
    )
    rules = tuple(_rule(rule) for rule in table.get("rules", ()) if rule)  # one that is wrong stands blank
    doubt, usual, reports = table.get("caution"), table.get("typicality"), table.get("doubtful_reports")
    return Urgency(
        levels=tuple(LevelText(Level(key), t["label"], t["action"]) for key, t in table["levels"].items()),
        loss=loss,
        loss_number=_number({**table["loss"], "n": 1.0}, value=0.0),
        rules=rules,
        caution=doubt and Caution(Level(doubt["level"]), float(doubt["deviations"]), float(doubt["if_too_dear"])),
        atypical_below=ATYPICAL if usual is None else float(usual["atypical_below"]),
        surely_above=inf if reports is None else float(reports["surely_above"]),
        sources=tuple(source for part in (doubt, usual, reports) if part for source in part["source"]),
        words=tuple({**templates.URGENCY, **(table.get("words") or {})}.items()),
    )


def _rule(table: Table) -> Rule:
    helps, avoid = table.get("first_help", ()), table.get("avoid", ())
    return Rule(
        id=table["id"],
        level=Level(table["level"]),
        reason=table["reason"],
        sources=tuple(table["source"]),
        condition=_condition(table["when"]),
        suspects=tuple(table.get("suspects", ())),
        first_help=_texts(helps),
        help_kinds=_help_kinds(helps),
        avoid=_texts(avoid),
        avoid_kinds=_avoid_kinds(avoid),
    )


def _advice(table: Table | None) -> Advice:
    """Without such a file nothing is known to harm, and every cause counts as possible."""
    if table is None:
        return Advice((), (0.0,) * len(LEVELS_BY_SEVERITY), ())
    usual = table["possible_above"]
    kinds = tuple(_advice_kind(key, kind, usual["by_urgency"]) for key, kind in table["kinds"].items())
    return Advice(kinds, _bounds(usual["by_urgency"]), tuple(usual["source"]))


def _advice_kind(key: str, table: Table, usual: Mapping[str, float]) -> AdviceKind:
    own, harms_if = table.get("possible_above", {"source": (), "by_urgency": {}}), table.get("harms_if")
    return AdviceKind(
        id=key,
        label=table["label"],
        avoid=table["avoid"],
        includes=tuple(table.get("includes", ())),
        not_from=Level(table["not_from"]) if "not_from" in table else None,
        harms_if=None if harms_if is None else _condition(harms_if),
        leading_from=Level(table["leading_from"]) if "leading_from" in table else None,
        possible_above=_bounds({**usual, **own["by_urgency"]}),
        sources=tuple(own["source"]),
    )


def _bounds(by_urgency: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(float(by_urgency.get(level, "nan")) for level in LEVELS_BY_SEVERITY)


def _asking(table: Table | None) -> Asking:
    """Without such a file one cause is advised on, no safety net is woven from the rules, and no test is guarded."""
    if table is None:
        return Asking(
            1, 1.0, None, (), 1, (), (), Level.SAME_DAY, (), 1, "", "", "", SETTLED, tuple(templates.ASKING.items()), (), ()
        )
    advised, net, interview = table["advised"], table["safety_net"], table["interview"]
    return Asking(
        leading=advised["leading"],
        likely=float(advised["likely"]),
        suspects_alone_from=Level(advised["suspects_alone_from"]) if "suspects_alone_from" in advised else None,
        history=tuple(net.get("history", ())),
        together=net["together"],
        come_back=tuple((Level(level), text) for level, text in net["by_level"].items()),
        kinds=tuple((kind["text"], tuple(kind["rules"])) for kind in net.get("kinds", {}).values()),
        floor_from=Level(interview["floor_from"]),
        first=tuple(interview.get("first", ())),
        boxes=interview["boxes"],
        checklist=interview["checklist"],
        checklist_help=interview.get("help", ""),
        more=interview["more"],
        epsilon=float(interview["epsilon"]),
        words=tuple({**templates.ASKING, **table["words"]}.items()),
        tests=tuple(_guard(key, t) for key, t in table.get("tests", {}).items()),
        sources=tuple(advised["source"]),
    )


def _guard(name: str, table: Table) -> TestGuard:
    repeat = table.get("repeat_if_absent")
    forbids, mutes = table.get("not_if"), table.get("absent_says_nothing_if")
    return TestGuard(
        test=name,
        not_if=None if forbids is None else _condition(forbids),
        only_below=tuple((cause, float(p)) for cause, p in table.get("only_below", {}).items()),
        absent_says_nothing_if=None if mutes is None else _condition(mutes),
        repeat=None if repeat is None else Repeat(repeat["cause"], float(repeat["above"]), repeat["text"]),
        note=table["note"],
        sources=tuple(table["source"]),
    )


def _explanation(table: Table | None) -> Explanation | None:
    if table is None:
        return None

    def bands(name: str) -> tuple[tuple[float, str], ...]:
        return tuple((float(band["at_least"]), band["text"]) for band in table[name])

    return Explanation(
        probability=bands("probability"),
        dangerous_from=Level(table["dangerous_from"]),
        dangerous=bands("dangerous"),
        strength=bands("strength"),
        conflict_below=table["conflict_below"],
        sentences=tuple(table["sentences"].items()),
    )


def _condition(table: str | Table) -> Condition:
    if isinstance(table, str):
        name, _, state = table.partition("=")
        return Atom(name, state or "present")
    ((joined_by, parts),) = table.items()
    conditions = tuple(_condition(part) for part in parts)
    return AnyOf(conditions) if joined_by == "any" else AllOf(conditions)
