"""The report page: whole, alone in its file, and the same for the same result."""

from pathlib import Path

import pytest

from calfbayes import ArgumentError, Diagnosis, load_model
from calfbayes.presentation.page import report_html
from support.pages import is_harmless, read_page

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")


@pytest.fixture
def result() -> Diagnosis:
    return CAR.diagnose({"smell_of_fuel": True, "mileage": 160, "lights_dim": False}, setting="garage")


def test_the_page_is_written_where_it_should(result: Diagnosis, tmp_path: Path) -> None:
    path = result.to_html(str(tmp_path / "report.html"))
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8") == report_html(result)
    assert report_html(CAR.diagnose(result.evidence)) == report_html(result)


def test_the_page_needs_nothing_else(result: Diagnosis) -> None:
    page = read_page(report_html(result))
    assert is_harmless(page)
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    policies = [attributes for tag, attributes in page.elements if tag == "meta" and "http-equiv" in attributes]
    assert [attributes["content"] for attributes in policies] == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert page.elements[0] == ("html", {"lang": "en"})


def test_everything_stands_in_the_open_and_in_order(result: Diagnosis) -> None:
    page = read_page(report_html(result))
    assert "details" not in page.tags  # paper does not unfold
    parts = (
        "report Emergency (Urgency 5 of 5)",
        "Outcome: ",
        "Why Smoke",
        "What was known",
        "Causes (bar",
        "What to do",
        "Sources",
        "Model car 1.0.0",
    )
    found = [page.words.index(part) for part in parts]
    assert found == sorted(found)
    assert page.words.count(CAR.knowledge.intended_use) == 1


def test_open_emergencies_are_named(result: Diagnosis) -> None:
    words = read_page(report_html(CAR.diagnose({"lights_dim": True}))).words
    assert "Not yet ruled out (1 emergency, 1 same day) These answers can settle it" in words
    assert "Emergency: Smoke, or fuel smelt" in words
    assert "Not yet ruled out" not in read_page(report_html(result)).words


def test_no_path_is_no_file(result: Diagnosis) -> None:
    with pytest.raises(ArgumentError, match=r"path=3 cannot be; expected a path, such as 'report.html'"):
        result.to_html(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a\0b.html", "\ud800.html", Path("a\0b.html")])
def test_a_name_that_no_file_can_have_is_refused(result: Diagnosis, path: str | Path) -> None:
    with pytest.raises(ArgumentError, match=r"path='.*' cannot be; expected a path of signs that a file name can hold"):
        result.to_html(path)
