"""What a notebook shows of a model, of evidence and of a diagnosis: HTML that needs no script.

Urgency comes first, in words and in colour; then what it may be, then what the answer rests on, folded away. Rendering
only: every number and every medical word shown here stands in the result or in the model's records.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from calfbayes.evidence import Evidence
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import RiskFactor, Rule, atoms
from calfbayes.presentation.care_display import care_parts
from calfbayes.presentation.facts import known, outcome_words, setting_label
from calfbayes.presentation.flag_display import FlagView
from calfbayes.presentation.markup import Child, Html, element, joined
from calfbayes.presentation.parts import (
    Bibliography,
    bar,
    folding,
    heading,
    level_labels,
    pairs,
    section,
    source_line,
    table,
)
from calfbayes.presentation.plain import percent
from calfbayes.version import __version__

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import CauseResult, Diagnosis

TOP = 8


def diagnosis_html(diagnosis: "Diagnosis", *, top: int = TOP) -> str:
    """Show a diagnosis; `top` causes stand in the open, the others are folded away."""
    view = DiagnosisView(diagnosis)
    parts: list[Child] = [view.banner(), view.reasons()]  # in reading order: so sources are numbered
    if asked := view.open_rules():
        parts.append(folding(f"Not yet ruled out ({view.open_counts()})", asked))
    shown, rest = view.causes(top)
    parts.append(shown)
    if rest:
        parts.append(folding(f"{len(diagnosis.causes) - top} more causes", rest))
    parts.append(view.complications())
    known = ("What was known", view.known())
    parts += [folding(title, content) for title, content in (*view.care(), *view.levels(), known, *view.sources())]
    return section("Diagnosis", parts, view.foundations())


def evidence_html(evidence: Evidence) -> str:
    """Show what is known about a patient."""
    return section("Evidence", heading("What is known"), known_list(evidence))


def known_list(evidence: Evidence) -> Html:
    """The answers by kind, and the care setting."""
    facts = [(kind, "; ".join(facts)) for kind, facts in known(evidence).items()]
    return pairs([*(facts or [("Answers", "none yet")]), ("Setting", setting_label(evidence))])


class DiagnosisView(FlagView):
    """One diagnosis; each method gives one part of its display."""

    def __init__(self, diagnosis: "Diagnosis") -> None:
        super().__init__(diagnosis.urgency, diagnosis.would_settle)
        self.diagnosis = diagnosis

    def banner(self) -> Html:
        """What to do, and how far that may be relied on."""
        return self.banner_with("Outcome: ", outcome_words(self.diagnosis, " - "))

    def causes(self, top: int) -> tuple[Html | None, Html | None]:
        """The most probable causes with a remark, and the others."""
        entries = self.diagnosis.causes
        if not entries:
            return None, None
        several = element("p", "Several causes may be present together: the figures need not add up to 100 %.")
        shown = self._table("Causes (bar: now; mark: before anything was known)", "Cause", entries[:top])
        return joined([shown, several]), self._table("Further causes", "Cause", entries[top:]) if entries[top:] else None

    def complications(self) -> Html | None:
        """All complications."""
        entries = self.diagnosis.complications
        return self._table("Complications", "Complication", entries) if entries else None

    def care(self) -> list[tuple[str, Html]]:
        """A title, and the advice; nothing if there is none. Likewise what to watch for."""
        return care_parts(self.diagnosis.care, self.bibliography)

    def known(self) -> Html:
        """The evidence, and what was assumed."""
        assumed = [text for text in self.diagnosis.assumed if not text.startswith("setting=")]
        remarks = [f"Assumed: {'; '.join(assumed)}"] if assumed else []
        remarks += self.diagnosis.not_weighed.values()
        return joined([known_list(self.diagnosis.evidence), *(element("p", text) for text in remarks)])

    def foundations(self) -> Html:
        """Which model it was, and what it is not for."""
        model = self.diagnosis.model
        named = element(
            "p",
            f"Model {model.name} {model.version}, digest ",
            element("code", model.digest[:12], title=model.digest),
            f"; calfbayes {__version__}",
        )
        return element("footer", named, element("p", self.diagnosis.disclaimer))

    def _table(self, caption: str, kind: str, entries: Sequence["CauseResult"]) -> Html:
        heads = (kind, "Probability", "Now", "Before", "Level if it is")
        rows = [
            (e.label, bar(e.probability, e.share), percent(e.probability), percent(e.share), self.level_labels[e.urgency])
            for e in entries
        ]
        return table(caption, heads, rows, numbers=("Now", "Before"), bars=heads[1])


def model_html(solved: SolvedNetwork) -> str:
    """Show what a model holds."""
    knowledge = solved.network.knowledge
    counts = [
        ("Causes", len(knowledge.causes)),
        ("Complications", len(knowledge.complications)),
        ("Mechanisms", len(knowledge.mechanisms)),
        ("Findings", len(knowledge.findings)),
        ("Risk factors", len(knowledge.risk_factors)),
        ("Red-flag rules", len(knowledge.urgency.rules)),
        ("Sources", len(knowledge.sources)),
    ]
    about = [
        heading(f"{knowledge.title} ", element("small", f"(model {knowledge.name} {knowledge.version})")),
        element("p", f"For: {knowledge.population}"),
        element("p", f"Not for: {'; '.join(knowledge.not_for)}.") if knowledge.not_for else None,
        pairs((name, str(count)) for name, count in counts),
    ]
    digest = element(
        "p", f"Licence {knowledge.licence}, digest ", element("code", knowledge.digest[:12], title=knowledge.digest)
    )
    footer = element("footer", digest, element("p", knowledge.intended_use))
    return section(f"Model {knowledge.name}", about, list(_model_parts(solved)), footer)


def _model_parts(solved: SolvedNetwork) -> Iterator[Html]:
    network, knowledge = solved.network, solved.network.knowledge
    levels = level_labels(knowledge)
    settings = [setting.label for setting in knowledge.settings]
    baselines = [solved.baseline[setting.id].hidden for setting in knowledge.settings]
    first = baselines[[s.id for s in knowledge.settings].index(knowledge.default_setting)]
    ranked = sorted(knowledge.causes, key=lambda cause: (-first[network.node_index[cause.id]], cause.id))
    causes = [
        (
            cause.label,
            levels[cause.urgency],
            *(percent(hidden[network.node_index[cause.id]]) for hidden in baselines),
            element("code", cause.id),
        )
        for cause in ranked
    ]
    heads = ("Cause", "Level if it is", *settings, "Id")
    yield folding(
        "Causes", table("Share of each cause before anything is known, by care setting", heads, causes, numbers=settings)
    )
    findings = [(f.label, f.question, f.kind, f.observer.name.lower(), element("code", f.id)) for f in knowledge.findings]
    yield folding(
        "Findings", table("Symptoms, signs and tests", ("Finding", "Question", "Kind", "Who can tell", "Id"), findings)
    )
    factors = [(f.label, f.question, _values(f), element("code", f.id)) for f in knowledge.risk_factors]
    yield folding(
        "Risk factors", table("What alters a probability beforehand", ("Risk factor", "Question", "Answers", "Id"), factors)
    )
    bibliography = Bibliography(knowledge.sources)
    rules = [(levels[r.level], [r.reason, bibliography.cite(r.sources)], _atoms(r, solved)) for r in knowledge.urgency.rules]
    yield folding(
        "Red-flag rules", table("What demands a level by itself", ("Level", "Reason", "Speaks of"), rules), bibliography.list()
    )
    yield folding("Sources", element("ol", [element("li", source_line(source)) for source in knowledge.sources]))


def _values(factor: RiskFactor) -> str:
    if factor.unit:
        return f"a number of {factor.unit}, {factor.lower_bounds[0]:g} to {factor.upper_bound:g}"
    return "yes or no" if factor.is_binary else ", ".join(state.replace("_", " ") for state in factor.states)


def _atoms(rule: Rule, solved: SolvedNetwork) -> str:
    names = dict.fromkeys(atom.id for atom in atoms(rule.condition))
    return "; ".join(solved.network.records[name].label for name in names)
