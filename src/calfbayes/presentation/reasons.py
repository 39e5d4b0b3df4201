"""Explanations as plain text: first the sentences of the model, filled in, then the numbers as a table.

Every sentence stands in the model's `explanation.toml`; without that file there are tables only. What is filled in stands
in the result. A probability is told as certain only if it is: `percent` never rounds to 0 or 100, nor does `chance` in a
sentence, and the words for probabilities are those of the result's own number.
"""

from collections.abc import Iterable, Sequence
from math import inf, isinf
from typing import TYPE_CHECKING

from calfbayes.evidence import Likelihood, Value
from calfbayes.explanation.routes import judged_of, sources_of
from calfbayes.knowledge.chances import in_words
from calfbayes.knowledge.terms import Explanation
from calfbayes.presentation.facts import fact, headline, outcome_word, outcome_words, setting_label, state
from calfbayes.presentation.plain import bullets, multiple, of_draws, percent, printable, shortened, signed, wrapped
from calfbayes.presentation.text import MIN_WIDTH, joined

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import CauseResult, Diagnosis
    from calfbayes.explanation.changes import Comparison, ProbabilityChange
    from calfbayes.explanation.competition import Contest, ItemRatio
    from calfbayes.explanation.conflict import Conflict
    from calfbayes.explanation.ledger import Competitor, ItemWeight, Ledger, Unasked
    from calfbayes.explanation.routes import Cited

ITEMS_TOLD = 4  # in one sentence
LEAST_TOLD = 0.3  # decibans; less is in the table only
TRIFLE = 1.0  # decibans, a quarter more odds; less is told only where nothing weighs more
LEAST_CHANGE = 0.01  # mean absolute change of a probability; an unasked item that changes less is not told
SETS_TOLD = 3
CAUSES_NAMED = 3  # that only one of two models knows
CHANGES_TOLD = 6  # of dangers that have doubled, and again of all others
NEXT_TO_0 = 1e-12
FOR_OR_AGAINST = {"supports": "supporting", "opposes": "opposing"}  # the sentence about one of the items of a sentence


def ledger_sentences(ledger: "Ledger") -> tuple[str, ...]:
    """The account of a cause in sentences; none if the model has no words for it."""
    words = _Words.of(ledger._result)
    if words is None:
        return ()
    if isinf(ledger.share_decibans) or ledger.decided_by:
        settled = _settled(words, ledger._result, ledger._result[ledger.cause], ledger.decided_by)
        return (*_beyond(words, ledger._result), settled)
    shown = {"probability": words.chance(not_certain(ledger.probability)), "share": words.chance(ledger.share)}
    said = words.of_probability(ledger._result[ledger.cause])
    sentences = [words.fill("summary", cause=ledger.label, words=said, **shown)]
    sentences += _for_and_against(words, ledger)
    rival = next((rival for rival in ledger.competitors if _is_seen(ledger, rival)), None)
    if rival:
        chances = {
            "competitor_probability": words.chance(rival.probability),
            "with_it": words.chance(rival.with_it),
            "without_it": words.chance(rival.without_it),
        }
        sentences.append(words.fill("competitor", cause=ledger.label, competitor=rival.label, **chances))
    telling = [entry for entry in ledger.unasked or () if entry.expected_change >= LEAST_CHANGE][:ITEMS_TOLD]
    if telling:
        sentences.append(words.fill("unasked", cause=ledger.label, items=words.listed(map(words.would_change, telling))))
    if ledger.unasked is None:
        sentences.append(words.fill("unasked_unknown"))
    elif not ledger.unasked_of_all:
        sentences.append(words.fill("unasked_near", cause=ledger.label))
    return (*_beyond(words, ledger._result), *sentences, *_sampled(words, ledger.n_orders, ledger.weights))


def _settled(words: "_Words", result: "Diagnosis", entry: "CauseResult", decided_by: Iterable[str]) -> str:
    """That a cause is ruled out, certain or of no weight in the setting, and what decided."""
    if entry.share in {0.0, 1.0}:
        setting = {s.id: s.label for s in words.settings}[result.setting]
        return words.fill("outside_setting", cause=entry.label, setting=setting)
    items = words.listed(words.fact(item, result.evidence[item]) for item in decided_by)
    return words.fill("ruled_out" if entry.probability == 0.0 else "certain", cause=entry.label, items=items)


def _is_seen(ledger: "Ledger", rival: "Competitor") -> bool:
    """Whether what a competitor takes away is seen in the figures that are told."""
    return percent(rival.with_it) not in {percent(rival.without_it), percent(ledger.probability)}


def _sampled(words: "_Words", n_orders: int, weights: Sequence["ItemWeight | ItemRatio"]) -> tuple[str, ...]:
    """That weights are means over some orders, and by how much they may be off: two standard errors of the least sure."""
    if not n_orders:
        return ()
    error = 2.0 * max(weight.error for weight in weights)
    return (words.fill("several_orders", orders=str(n_orders), error=f"{error:.1g}"),)


def _beyond(words: "_Words", result: "Diagnosis") -> tuple[str, ...]:
    """That the result is outside the scope of the model, and why: weights that follow from a wrong answer look as good."""
    return (words.fill("beyond", reason=result.outcome_reason),) if result.outcome == "outside_scope" else ()


def _least(weights: Sequence["ItemWeight | ItemRatio"]) -> float:
    """The smallest weight worth a word: trifles are told only where there is nothing else to tell."""
    return max(LEAST_TOLD, min(TRIFLE, max((abs(weight.decibans) for weight in weights), default=0.0)))


def _for_and_against(words: "_Words", ledger: "Ledger") -> list[str]:
    """The answers for and against, those that share a mechanism, and those that act through another cause."""
    least = _least(ledger.weights)
    told = {
        "supports": [w for w in ledger.supporting if w.decibans >= least][:ITEMS_TOLD],
        "opposes": [w for w in ledger.opposing if w.decibans <= -least][:ITEMS_TOLD],
    }
    sentences = []
    for name, weights in told.items():
        if weights:
            items = words.listed(words.weighed(w.id, w.value, w.decibans, FOR_OR_AGAINST[name]) for w in weights)
            sentences.append(words.fill(name, cause=ledger.label, items=items))
    weights = [*told["supports"], *told["opposes"]]
    if not weights:
        return [words.fill("nothing", cause=ledger.label)]
    for mechanism in dict.fromkeys(m for w in weights for route in w.routes[:1] for m in route.mechanisms):
        acting = [w for w in weights if w.routes and not w.competitor and w.routes[0].raises is not False]
        sharing = [w for w in acting if mechanism in w.routes[0].mechanisms]
        if len(sharing) > 1:
            items = words.listed(words.fact(w.id, w.value) for w in sharing)
            sentences.append(words.fill("process", items=items, mechanism=words.label(mechanism)))
    for parent in dict.fromkeys(w.parent for w in weights if w.parent):
        items = words.listed(words.fact(w.id, w.value) for w in weights if w.parent == parent)
        sentences.append(words.fill("through_parent", cause=ledger.label, items=items, parent=words.label(parent)))
    for child in dict.fromkeys(w.child for w in weights if w.child):
        items = words.listed(words.fact(w.id, w.value) for w in weights if w.child == child)
        sentences.append(words.fill("through_child", cause=ledger.label, items=items, child=words.label(child)))
    indirect = [
        words.fill(
            "speaks_for" if w.decibans < 0 else "speaks_against",
            item=words.fact(w.id, w.value),
            competitor=words.label(w.competitor),
        )
        for w in weights
        if w.competitor
    ]
    if indirect:
        sentences.append(words.fill("indirect", cause=ledger.label, items=words.listed(indirect)))
    return sentences


def ledger_text(ledger: "Ledger", *, width: int = 100) -> str:
    """The account of a cause for a person to read: sentences, then the weights with the sources on their routes."""
    width = max(width, MIN_WIDTH)
    words = Names(ledger._result)
    share = f"{percent(ledger.share)} {_sources(ledger.share_numbers)}".strip()
    rows = [("before anything was known", ledger.share_decibans, share)]
    rows += [(words.fact(w.id, w.value), w.decibans, _cited(words, w)) for w in ledger.weights]
    now = percent(ledger.probability, exact=True) if ledger.decided_by else unless_certain(ledger.probability)
    rows += [("now", ledger.posterior_decibans, now)]
    return joined(
        [
            [printable(ledger.label)],
            bullets(ledger_sentences(ledger), width),
            _table("Weights of evidence in decibans (10 is ten times the odds)", rows, width),
        ]
    )


def supposed(probability: float | None) -> str:
    """A probability under what is supposed, which may be impossible."""
    return "cannot be" if probability is None else percent(probability)


def unless_certain(probability: float) -> str:
    """A probability that is neither 0 nor 1, though it may have been rounded to it."""
    return percent(not_certain(probability))


def not_certain(probability: float) -> float:
    """The same, with 0 and 1 moved to what rounds to them."""
    return min(max(probability, NEXT_TO_0), 1.0 - NEXT_TO_0)


def what_it_does(decibans: float, what: str) -> str:
    """What a weight does to the odds or the ratio `what`, told without a sign."""
    if isinf(decibans):
        return "decides for it" if decibans > 0 else "rules it out"
    times = multiple(10 ** (abs(decibans) / 10))
    if times == "1":
        return "next to nothing"
    return f"{what} {'times' if decibans > 0 else 'divided by'} {times}"


def grounds(words: "Names", weight: "ItemWeight") -> str:
    """What a weight rests on, in words; empty if on nothing but its direct way to the cause."""
    if weight.settled_by:
        return f"carried by {', '.join(words.label(name) for name in weight.settled_by)}"
    for_it = weight.decibans > 0
    if weight.parent:
        return f"speaks {'for' if for_it else 'against'} {words.label(weight.parent)}, which leads to it"
    if weight.child:
        return f"speaks {'for' if for_it else 'against'} {words.label(weight.child)}, which it can lead to"
    if weight.competitor:
        rival = f"speaks {'against' if for_it else 'for'} {words.label(weight.competitor)}"
        return f"through a rival: {rival}" if weight.routes else rival
    if not weight.routes:
        return ""
    mechanisms = weight.routes[0].mechanisms
    return f"by {', '.join(words.label(name) for name in mechanisms)}" if mechanisms else ""


def _cited(words: "Names", weight: "ItemWeight") -> str:
    return f"{grounds(words, weight)} {'' if weight.settled_by else _sources(weight.numbers)}".strip()


def _sources(numbers: Sequence["Cited"]) -> str:
    """The sources of some numbers in brackets, what is only judged behind the others."""
    judged = judged_of(numbers)
    firm = ", ".join(source for source in sources_of(numbers) if source not in judged)
    cited = "; ".join(filter(None, (firm, f"judged: {', '.join(judged)}" if judged else "")))
    return cited and f"[{cited}]"


def contest_sentences(contest: "Contest") -> tuple[str, ...]:
    """Two causes against each other in sentences; none if the model has no words for it."""
    words = _Words.of(contest._result)
    if words is None:
        return ()
    first, second = contest.labels
    of_first, of_second = (words.chance(probability) for probability in contest.probabilities)
    chances = {"first_probability": of_first, "second_probability": of_second}
    sentences = [words.fill("contest", first=first, second=second, **chances)]
    evidence = contest._result.evidence
    entries = [contest._result[cause] for cause in contest.causes]
    between = [_settled(words, contest._result, entry, contest.decided_by) for entry in entries if entry.probability == 0.0]
    least = _least(contest.ratios)
    for label, sign in ((first, 1), (second, -1)):
        ratios = [ratio for ratio in contest.ratios if least <= sign * ratio.decibans < inf][:ITEMS_TOLD]
        if ratios:
            items = words.listed(words.weighed(ratio.id, evidence[ratio.id], ratio.decibans, "telling") for ratio in ratios)
            between.append(words.fill("between", cause=label, items=items))
    sentences += between or [words.fill("no_difference", first=first, second=second)]
    sentences.append(words.fill("both", first=first, second=second, both=words.chance(contest.both)))
    sets = [words.fill("one_set", causes=" + ".join(s.labels), probability=words.chance(s.probability)) for s in contest.sets]
    together = words.chance(sum(s.probability for s in contest.sets[:SETS_TOLD]))
    sentences.append(words.fill("sets", items=words.listed(sets[:SETS_TOLD]), together=together))
    return (*_beyond(words, contest._result), *sentences, *_sampled(words, contest.n_orders, contest.ratios))


def contest_text(contest: "Contest", *, width: int = 100) -> str:
    """Two causes against each other for a person to read."""
    width = max(width, MIN_WIDTH)
    words = Names(contest._result)
    evidence = contest._result.evidence
    first, second = (printable(label) for label in contest.labels)
    rows = [("before anything was known", contest.share_decibans, "")]
    rows += [(words.fact(r.id, evidence[r.id]), r.decibans, between_them(contest, r)) for r in contest.ratios]
    rows += [("now", contest.posterior_decibans, "")]
    each = (
        (first, second, contest.first_with, contest.first_without),
        (second, first, contest.second_with, contest.second_without),
    )
    with_without = [
        f"{one}: {supposed(with_it)} if {other} has a part in it, {supposed(without_it)} if not"
        for one, other, with_it, without_it in each
    ]
    return joined(
        [
            [f"{first} against {second}"],
            bullets(contest_sentences(contest), width),
            _table(f"Decibans for {first} (10 is ten times the ratio)", rows, width),
            ["If the other has a part in it, and if not", *bullets(with_without, width)],
        ]
    )


def between_them(contest: "Contest", ratio: "ItemRatio") -> str:
    """What an answer does between two causes, as a ratio unless it rules one of them out."""
    if isinf(ratio.decibans):
        return f"rules out {contest.labels[ratio.decibans > 0]}"
    return f"likelihood ratio {multiple(ratio.likelihood_ratio)}"


def comparison_sentences(comparison: "Comparison") -> tuple[str, ...]:
    """What differs between two results in sentences; none if the model has no words for it."""
    words = _Words.of(comparison.after)
    if words is None:
        return ()
    sentences = []
    same_outcome = comparison.outcomes[0] == comparison.outcomes[1]  # told once, with the reason that holds now
    old = outcome_word(comparison.before)
    if comparison.levels[0] != comparison.levels[1]:
        level = comparison.before.urgency.label
        before = level if same_outcome else f"{level} ({old})"
        sentences.append(words.fill("level_change", before=before, after=headline(comparison.after)))
    elif not same_outcome:
        sentences.append(words.fill("outcome_change", before=old, after=outcome_words(comparison.after, ": ")))
    changes = [c for c in comparison.causes if c.before is not None and c.after is not None]
    dangers = [c for c in changes if words.is_dangerous(comparison.after[c.id]) and _has_doubled(c)]
    others = [c for c in changes if c not in dangers and abs(c.difference) >= LEAST_CHANGE]
    for change in (*dangers[:CHANGES_TOLD], *others[:CHANGES_TOLD]):
        before, after = words.chance(change.before or 0.0), words.chance(change.after or 0.0)
        sentences.append(words.fill("change", cause=change.label, before=before, after=after))
    return tuple(sentences)


def _has_doubled(change: "ProbabilityChange") -> bool:
    """Whether the odds have at least doubled, and the figures that are told show it."""
    before, after = change.before or 0.0, change.after or 0.0
    return after * (1.0 - before) >= 2.0 * before * (1.0 - after) and percent(before) != percent(after)


def comparison_text(comparison: "Comparison", *, width: int = 100) -> str:
    """What differs between two results for a person to read."""
    width = max(width, MIN_WIDTH)
    gained = [f"new: {reason.text}" for reason in comparison.reasons_gained]
    lost = [f"no longer: {reason.text}" for reason in comparison.reasons_lost]
    follows = [*comparison_sentences(comparison), *not_compared(comparison)]
    return joined(
        [
            ["What differs", *(bullets(differing(comparison), width) or ["  nothing"])],
            ["What follows", *(bullets(follows, width) or ["  nothing of note"])],
            ["Reasons for the urgency", *bullets([*gained, *lost], width)] if gained or lost else [],
        ]
    )


def differing(comparison: "Comparison") -> list[str]:
    """The answers, care settings and models that differ."""
    old, new = Names(comparison.before), Names(comparison.after)
    answers = [
        f"{old.fact(a.id, a.before) if a.id in comparison.before.evidence else 'not asked'} -> "
        f"{new.fact(a.id, a.after) if a.id in comparison.after.evidence else 'not asked'} ({a.id})"
        for a in comparison.answers
    ]
    if comparison.settings[0] != comparison.settings[1]:
        answers.append(f"Setting: {' -> '.join(setting_label(r.evidence) for r in (comparison.before, comparison.after))}")
    if comparison.models[0] != comparison.models[1]:
        answers.append(" -> ".join(f"model {digest[:12]}" for digest in comparison.models))
    return answers


def not_compared(comparison: "Comparison") -> list[str]:
    """Which probabilities could not be compared, and why: one result has none, or the models differ in their causes."""
    results = {"Before": comparison.before, "After": comparison.after}
    silent = {name: result for name, result in results.items() if not result.causes}
    if silent:
        return [f"{name}, there are no probabilities: {result.outcome_reason}" for name, result in silent.items()]
    first = [change.label for change in comparison.causes if change.after is None]
    second = [change.label for change in comparison.causes if change.before is None]
    return [
        f"Only the {name} model knows {', '.join(known[:CAUSES_NAMED])}"
        f"{f' and {len(known) - CAUSES_NAMED} more' if len(known) > CAUSES_NAMED else ''}"
        for name, known in (("first", first), ("second", second))
        if known
    ]


def conflict_sentences(result: "Diagnosis", conflict: "Conflict") -> tuple[str, ...]:
    """What does not go together in sentences; none if all does, or if the model has no words for it."""
    words = _Words.of(result)
    if words is None or not (conflict.pairs or conflict.is_spread):
        return ()
    evidence = result.evidence
    pairs = [
        words.fill(
            "pair",
            first=words.fact(pair.first, evidence[pair.first]),
            second=words.fact(pair.second, evidence[pair.second]),
            times=multiple(pair.times),
        )
        for pair in conflict.pairs
    ]
    caution = words.fill("conflict", pairs=words.listed(pairs)) if pairs else words.fill("spread")
    found = conflict.percentile
    if found is None:
        return caution, words.fill("no_percentile")
    chances = {"share": of_draws(found.alike, found.patients), "error": f"{100 * found.error:.2g} %"}
    return caution, words.fill("percentile", patients=str(found.patients), **chances)


def conflict_text(conflict: "Conflict", *, width: int = 100) -> str:
    """What does not go together for a person to read."""
    words = Names(conflict._result)
    lines = bullets(conflict_sentences(conflict._result, conflict), width)
    rows = [f"{first} - {second}: {times}" for first, second, times in conflicting(words, conflict)]
    title = "Answers that no single cause makes go together (times rarer together than apart)"
    return joined([lines, [title, *(bullets(rows, width) or ["  none"])], bullets([where_it_stands(conflict)], width)])


def where_it_stands(conflict: "Conflict") -> str:
    """How many simulated patients have answers that conflict as much, or why that is not known."""
    found = conflict.percentile
    if found is None:
        return f"no percentile: {conflict.no_percentile}"
    share, error = of_draws(found.alike, found.patients), f"{100 * found.error:.2g} %"
    return f"{share} (standard error {error}) of {found.patients} simulated patients asked the same conflict as much"


def conflicting(words: "Names", conflict: "Conflict") -> list[tuple[str, str, str]]:
    """Each pair of answers, and how many times rarer they are together than apart."""
    evidence = conflict._result.evidence
    facts = [[words.fact(name, evidence[name]) for name in (pair.first, pair.second)] for pair in conflict.pairs]
    return [(first, second, multiple(pair.times)) for (first, second), pair in zip(facts, conflict.pairs, strict=True)]


# --- words -----------------------------------------------------------------------------------------------------------


class Names:
    """What things are called in the model of a result."""

    def __init__(self, result: "Diagnosis") -> None:
        self._records = result._solved.network.records
        self._urgency = result._solved.network.knowledge.urgency
        self.settings = result._solved.network.knowledge.settings

    def label(self, name: str) -> str:
        """The label of an id."""
        return self._records[name].label

    def fact(self, name: str, value: Value) -> str:
        """An answer."""
        told = fact(self._records[name], value)
        if value is None:
            return f"{told}: not known"
        return f"no: {told}" if value is False else told

    def state(self, name: str, value: str | float) -> str:
        """The state or number of a risk factor."""
        return state(self._records[name], value)


class _Words(Names):
    """The sentences of a model."""

    def __init__(self, result: "Diagnosis", explanation: Explanation) -> None:
        super().__init__(result)
        self._explanation = explanation
        self._sentences = dict(explanation.sentences)

    @classmethod
    def of(cls, result: "Diagnosis") -> "_Words | None":
        """The words of a result's model; None if it has none."""
        explanation = result._solved.network.knowledge.explanation
        return None if explanation is None else cls(result, explanation)

    def fill(self, sentence: str, **fields: str) -> str:
        """A sentence, filled in."""
        return self._sentences[sentence].format(**fields)

    def chance(self, probability: float) -> str:
        """A probability inside a sentence."""
        return in_words(probability, self._urgency)

    def of_probability(self, entry: "CauseResult") -> str:
        """The words for the probability of a cause or complication; those of a dangerous one do not reassure."""
        bands = self._explanation.dangerous if self.is_dangerous(entry) else self._explanation.probability
        return _band(bands, entry.probability)

    def is_dangerous(self, entry: "CauseResult") -> bool:
        """Whether even a small chance of a cause or complication matters to the model."""
        return entry.urgency >= self._explanation.dangerous_from

    def fact(self, name: str, value: Value) -> str:
        """An answer, in the words of the model."""
        label = self.label(name)
        if isinstance(value, Likelihood):
            if value.ratio < 1.0:
                return self.fill("doubted", item=label, times=multiple(1.0 / value.ratio))
            return self.fill("doubtful", item=label, ratio=f"{value.ratio:g}")
        if value is True:
            return label
        if value is False:
            return self.fill("absent", item=label)
        return super().fact(name, value) if value is None else self.fill("state", item=label, state=self.state(name, value))

    def weighed(self, name: str, value: Value, decibans: float, sentence: str) -> str:
        """An answer with its weight, told without a sign."""
        times = multiple(10 ** (abs(decibans) / 10))
        return self.fill(
            sentence, item=self.fact(name, value), strength=_band(self._explanation.strength, abs(decibans)), times=times
        )

    def would_change(self, entry: "Unasked") -> str:
        """Something not asked, with what its answers would make of the probability."""
        chances = {answer.state: answer.probability for answer in entry.answers}
        if chances.keys() == {"present", "absent"}:
            with_it, without_it = self.chance(chances["present"]), self.chance(chances["absent"])
            return self.fill("would_tell", item=entry.label, with_it=with_it, without_it=without_it)
        low, high = min(chances.values()), max(chances.values())
        return self.fill("would_change", item=entry.label, low=self.chance(low), high=self.chance(high))

    def listed(self, items: Iterable[str]) -> str:
        """Some things one after the other."""
        return "; ".join(items)


def _band(bands: Sequence[tuple[float, str]], number: float) -> str:
    return next(text for bound, text in reversed(bands) if number >= bound)


def _table(title: str, rows: Sequence[tuple[str, float, str]], width: int) -> list[str]:
    names = [shortened(printable(name), width // 2) for name, _, _ in rows]
    widest = max(map(len, names))
    lines = []
    for name, (_, decibans, grounds) in zip(names, rows, strict=True):
        start = f"  {name:<{widest}}  {signed(decibans):>7}  "
        lines += wrapped(grounds, width, start, " " * len(start)) if grounds else [start.rstrip()]
    return [*wrapped(title, width), *lines]
