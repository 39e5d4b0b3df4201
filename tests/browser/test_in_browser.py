"""What a person sees: notebooks run from the menu, the explorer clicked through, the report opened from disk."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Literal

import nbformat
import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from calfbayes import Level, load_model
from calfbayes.presentation.markup import element
from calfbayes.presentation.parts import section

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "browser"
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
RUNNING = 300_000  # milliseconds until a run counts as hung
ATTACK = r"<img src=x onerror=alert(1)> $a_1$ \(b^2\) $$c$$"  # markup, and what a notebook would set as formulas
THEMES = ("JupyterLab Light", "JupyterLab Dark")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LEAK = "'leaking_fuel_line'"
DISPLAYS = [f"explain({LEAK})", f"compare_causes({LEAK}, 'flat_battery')", "what_if(smoke=True)", "next_questions()"]
DISPLAYS += ["intervals()", "sensitivity(of='urgency')", f"sensitivity(of={LEAK})"]
FIGURES = ["causes(result)", "patient_network(result)", f"waterfall(result.explain({LEAK}))"]
FIGURES += [f"tornado(result.sensitivity(of={LEAK}))", "next_questions(result.next_questions())"]
FIGURES += ["network(model)", "presentations(model)", "causes(result, intervals=result.intervals())"]
LABELS = ["Model", "Diagnosis", "Evidence", "Reasons for and against", "Two causes against each other", "Two results compared"]
LABELS += ["Next questions", "Intervals", "Sensitivity"]


def run_all(page: Page, lab: str, name: str) -> None:
    """Open a notebook, run it from the menu, wait for the last cell."""
    page.goto(f"{lab}/lab/tree/notebooks/{name}?reset")
    panel = page.locator(".jp-NotebookPanel")
    expect(panel.locator(".jp-Toolbar-kernelName")).to_contain_text("Python 3", timeout=60_000)
    expect(panel.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")).to_be_attached(timeout=60_000)
    select = page.get_by_role("dialog").get_by_role("button", name="Select", exact=True)
    page.add_locator_handler(select, lambda button: button.click())  # asked if the kernel is not quite there yet
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    prompts = panel.locator(".jp-CodeCell .jp-InputArea-prompt")
    expect(prompts.last).to_have_text(re.compile(r"\[\d+\]:"), timeout=RUNNING)
    assert all(re.fullmatch(r"\[\d+\]:", text.strip()) for text in prompts.all_inner_texts())


def picture(page: Page, name: str) -> None:
    """Keep what is seen, for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def cells(page: Page) -> Locator:
    return page.locator(".jp-NotebookPanel .jp-Cell")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_the_menu(page: Page, lab: str, name: str) -> None:
    run_all(page, lab, name)
    panel = page.locator(".jp-NotebookPanel")
    assert (
        panel.locator(
            "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"
        ).count()
        == 0
    )
    shown = panel.locator(".jp-RenderedImage img")
    assert shown.count() >= 1
    assert all(shown.nth(k).evaluate("image => image.complete && image.naturalWidth > 100") for k in range(shown.count()))
    for k in range(0, cells(page).count(), 4):
        cells(page).nth(k).scroll_into_view_if_needed()
        picture(page, f"{Path(name).stem}-{k:02}")


@pytest.mark.parametrize("theme", THEMES)
def test_a_diagnosis_can_be_read_in_both_themes(page: Page, lab: str, theme: str) -> None:
    run_all(page, lab, "01_first_diagnosis.ipynb")
    choose_theme(page, theme)
    diagnosis = page.get_by_label("Diagnosis").first
    PICTURES.mkdir(parents=True, exist_ok=True)
    diagnosis.screenshot(path=PICTURES / f"diagnosis-{theme.rpartition(' ')[2].lower()}.png")
    assert_legible(diagnosis)


def assert_without_script(page: Page) -> None:
    """Displays are text and style, whatever their labels say."""
    handlers = "es => es.filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).map(e => e.outerHTML)"
    assert page.locator(".calfbayes script, .calfbayes iframe, .calfbayes object").count() == 0
    assert page.locator(".calfbayes *").evaluate_all(handlers) == []


def choose_theme(page: Page, theme: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    entries = page.locator(".lm-Menu-itemLabel")
    entries.get_by_text("Theme", exact=True).hover()
    entries.get_by_text(theme, exact=True).click()
    expect(page.locator(f"body[data-jp-theme-name='{theme}']")).to_be_attached(timeout=60_000)


def assert_legible(shown: Locator) -> None:
    faint = shown.locator("p, th, td, li, dd, summary, caption").evaluate_all(FAINT)
    assert not faint


FAINT = """elements => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const transparent = node => { const n = numbers(getComputedStyle(node).backgroundColor); return n.length > 3 && n[3] === 0; };
  const contrast = element => {
    let under = element;
    while (under.parentElement && transparent(under)) under = under.parentElement;
    const pair = [getComputedStyle(element).color, getComputedStyle(under).backgroundColor].map(c => luminance(numbers(c)));
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  return elements.filter(e => e.checkVisibility() && contrast(e) < 4.5).map(e => e.innerText);
}"""


def test_the_explorer_follows_ticks_and_searches(page: Page, lab: str) -> None:
    run_all(page, lab, "01_first_diagnosis.ipynb")
    search = page.get_by_placeholder("swelling, fever, operation ...")
    search.scroll_into_view_if_needed()
    explorer = page.locator(".jp-OutputArea-output").filter(has=search).last
    banner = explorer.locator(".cb-banner .cb-level")
    before = banner.inner_text()

    search.fill("short of breath")
    row = explorer.locator(".widget-hbox").filter(has=page.locator("span[title]", has_text="Short of breath")).last
    expect(row).to_contain_text("Short of breath: not asked")
    present = row.get_by_role("button", name="present")
    expect(present).to_have_attribute("title", "Short of breath: present")  # not that of what stood here before the search
    place = present.bounding_box()
    present.click()
    expect(banner).to_contain_text("Emergency")
    expect(row).to_contain_text("Short of breath: present")
    assert present.bounding_box() == place
    height = row.evaluate("element => element.clientHeight")
    expect(explorer.get_by_role("status").first).to_contain_text("Urgency: Emergency")
    asked = explorer.get_by_label("Next questions")
    expect(asked).to_contain_text("What to ask next, best first", timeout=60_000)
    picture(page, "explorer-ticked")
    asked.evaluate("element => element.scrollIntoView({block: 'start'})")
    picture(page, "explorer-questions")
    assert (PICTURES / "explorer-questions.png").read_bytes() != (PICTURES / "explorer-ticked.png").read_bytes()
    search.scroll_into_view_if_needed()
    row.get_by_role("button", name="unknown").click()
    expect(banner).not_to_contain_text("Emergency")
    known = explorer.locator("dl").filter(has_text="Not known")
    expect(known).to_contain_text("Short of breath")
    row.get_by_role("button", name="not asked").click()
    expect(row).to_contain_text("not asked")
    assert row.evaluate("element => element.clientHeight") == height  # else the rows below would move
    expect(banner).to_have_text(before)
    expect(known).to_have_count(0)

    search.fill("xylophone")
    expect(explorer).to_contain_text("nothing is like these words")
    search.fill("")
    expect(explorer).to_contain_text("more; search to find them")
    label = explorer.locator(".widget-hbox span[title]").filter(visible=True)
    rows = label.all_inner_texts()
    explorer.get_by_role("button", name="Next 10").click()
    expect(label.filter(has_text=": not asked")).to_have_count(10)
    expect(label.filter(has_text=rows[-1])).to_have_count(0)
    picture(page, "explorer-further")
    explorer.get_by_role("checkbox", name="Only what is answered").check()
    expect(label.filter(has_text=": absent")).to_have_count(1)  # redness
    expect(label.filter(has_text=": not asked")).to_have_count(0)

    age = explorer.get_by_placeholder("years, 0 to")
    age.fill("900")
    age.press("Enter")
    expect(explorer.get_by_role("alert")).to_contain_text("lies outside")
    expect(age).to_have_value("67")


def attacked(folder: Path) -> Path:
    """A model in which every text that can hold an attack holds one."""
    shutil.copytree(ROOT / "tests" / "cli" / "car", folder, dirs_exist_ok=True)
    texts = r'^(label|description|title|question|reason|action|citation) = ".*"$'
    for path in folder.rglob("*.toml"):
        path.write_text(re.sub(texts, lambda found: f"{found[1]} = '{ATTACK}'", path.read_text(), flags=re.MULTILINE))
    return folder


def test_an_attack_in_a_model_is_shown_as_text(page: Page, lab: str, lab_folder: Path) -> None:
    attacked(lab_folder / "evil")
    sources = ["import calfbayes as cb\nfrom calfbayes import plot\nmodel = cb.load_model('../evil')\nmodel"]
    sources += ["result = model.diagnose({'lights_dim': True, 'clicking': False})\nresult", "result.evidence"]
    sources += [f"result.{shown}" for shown in DISPLAYS]
    sources += [f"plot.{figure}" for figure in FIGURES]
    sources += ["model.explore(result.evidence)"]
    v4: Any = nbformat.v4  # it has no types
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    (lab_folder / "notebooks" / "evil.ipynb").write_text(json.dumps(notebook))
    run_all(page, lab, "evil.ipynb")
    expect(page.get_by_placeholder("swelling, fever, operation ...")).to_be_visible()
    assert page.locator(".calfbayes img, .jupyter-widgets img").count() == 0
    assert page.locator("mjx-container").count() == 0
    assert page.locator(".jp-RenderedImage img").count() == len(FIGURES)
    assert_without_script(page)
    for theme in THEMES:
        choose_theme(page, theme)
        for name in LABELS:
            shown = page.get_by_label(name).first
            shown.scroll_into_view_if_needed()
            expect(shown).to_contain_text(ATTACK)
            picture(page, f"attack-{name}-{theme.rpartition(' ')[2]}".lower().replace(" ", "_"))
            assert_legible(shown)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "cold_feet": True, "redness": False},
        {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True, "redness": False},
        {"age": 45, "recent_surgery": True, "unilateral_calf_swelling": True, "shortness_of_breath": True, "fever": True},
    ],
    ids=["nothing_known", "artery", "many_causes", "clot"],
)
def test_the_report_opens_from_disk_and_fits_two_sheets(
    page: Page, tmp_path: Path, evidence: dict[str, object], request: Any
) -> None:
    path = load_model().diagnose(evidence, setting="primary_care").to_html(tmp_path / "report.html")
    wanted: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: wanted.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.goto(path.as_uri())
    assert wanted == [path.as_uri()]
    assert not told
    expect(page.get_by_role("heading", level=1)).to_contain_text("report")
    name = f"report-{request.node.callspec.id}"
    assert_without_script(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        picture(page, f"{name}-{scheme}")
        assert_legible(page.locator("main"))
    # printed from a dark desktop, too, it is black on white
    pdf = page.pdf(path=PICTURES / f"{name}.pdf", prefer_css_page_size=True, print_background=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) <= 2
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert_legible(page.locator("main"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_level_is_told_in_words_that_can_be_read(page: Page, scheme: Literal["light", "dark"]) -> None:
    banners = [element("header", element("p", level, class_="cb-level"), class_=f"cb-banner cb-{level}") for level in Level]
    page.set_content(section("Levels", banners))
    page.emulate_media(color_scheme=scheme)
    shown = page.get_by_label("Levels")
    expect(shown.locator(".cb-banner")).to_have_text([str(level) for level in Level])
    assert_legible(shown)
    colours = shown.locator(".cb-banner").evaluate_all("es => es.map(e => getComputedStyle(e).backgroundColor)")
    assert len(set(colours)) == len(Level)


def opened(page: Page) -> list[str]:
    """What dialogs will have said: nothing, if no attack works."""
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return dialogs


def test_an_attack_in_a_report_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    """Without its policy, too, which forbids what a label might try; and with scripts switched off nothing is missing."""
    path = load_model(attacked(tmp_path / "evil")).diagnose({"lights_dim": True}).to_html(tmp_path / "report.html")
    bare = tmp_path / "bare.html"
    bare.write_text(path.read_text(encoding="utf-8").replace("Content-Security-Policy", "nothing"), encoding="utf-8")
    words = []
    for source, scripts in ((bare, True), (path, True), (path, False)):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        dialogs = opened(page)
        page.goto(source.as_uri())
        assert page.locator("img").count() == 0
        expect(page.locator("main")).to_contain_text(ATTACK)
        words.append(page.locator("main").inner_text())
        assert not dialogs
        context.close()
    assert words[0] == words[1] == words[2]
