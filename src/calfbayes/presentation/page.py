"""A diagnosis as a page of its own: one file, without scripts and with nothing to fetch, printable on one or two sheets.

The page says nothing of when it was made: the same result gives the same bytes.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

from calfbayes.presentation.display import DiagnosisView
from calfbayes.presentation.markup import Child, Html, element, joined
from calfbayes.presentation.parts import heading, section

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import Diagnosis

TOP, OPEN_SHOWN = 8, 4
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # a browser then runs and fetches nothing, whatever a label says


def report_html(diagnosis: "Diagnosis") -> str:
    """Write the page: evidence, urgency, causes, reasons, sources, versions."""
    view = DiagnosisView(diagnosis)
    title = f"{diagnosis._solved.network.knowledge.title}: report"
    sheet = files("calfbayes.presentation").joinpath("report.css").read_text(encoding="utf-8")
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(sheet)),
    ]
    parts: list[Child] = [element("h1", title), view.banner(), view.reasons()]
    parts += [titled("What was known", view.known()), view.causes(TOP)[0], view.complications()]
    fine = view.care()
    if asked := view.open_rules(OPEN_SHOWN):
        fine.append((f"Not yet ruled out ({view.open_counts()})", asked))
    parts += [element("div", titled(*entry), class_="cb-fine") for entry in (*fine, *view.sources())]
    body = section("Report", parts, view.foundations())
    page = element("html", element("head", head), element("body", element("main", body)), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def titled(title: str, content: Child) -> Html:
    """A heading and what it stands over."""
    return joined([heading(title), content])
