"""Elements, and the one place where text is escaped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes.presentation.markup import RUN, Html, element, escaped, joined, link
from calfbayes.presentation.plain import printable
from support.pages import is_harmless, read_page

plain_text = st.text(max_size=40)
nasty_text = st.one_of(
    plain_text, st.sampled_from(["<img src=x onerror=alert(1)>", '" onload="x', "'><script>", "</style>", "&lt;b>"])
)


@given(nasty_text, nasty_text)
def test_text_is_text_wherever_it_stands(child: str, value: str) -> None:
    page = read_page(element("p", child, ["and ", [child]], title=value))
    assert page.elements == [("p", {"title": shown(value)})]
    assert page.text == f"{shown(child)}and {shown(child)} "
    assert is_harmless(page)


def shown(text: str) -> str:
    return RUN.sub("\u2067\\g<0>\u2069", printable(text.replace("\n", " ").replace("\t", " ")))


@pytest.mark.parametrize("word", ["\u0627\u0644\u0623\u0644\u0645", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"])
def test_a_number_after_words_from_right_to_left_stays_behind_them(word: str) -> None:
    """A browser shows "WORD 35 %" with the number first unless the word is isolated, and so nothing but the word is."""
    assert escaped(f"Now: {word} 35 %, was 5 %") == f"Now: \u2067{word}\u2069 35 %, was 5 %"
    assert element("p", element("b", word), " 35 %") == f"<p><b>\u2067{word}\u2069</b> 35 %</p>"
    assert escaped("\u0661 35 %") == "\u0661 35 %"  # a digit
    assert escaped(f"\u2067{word} 35 %") == f"\\u2067\u2067{word}\u2069 35 %"  # what a label brings along is shown


def test_what_is_html_already_is_left_alone() -> None:
    inner = element("b", "1 < 2")
    assert element("p", inner) == "<p><b>1 &lt; 2</b></p>"
    assert joined([inner, "<", None]) == "<b>1 &lt; 2</b>&lt;"
    assert isinstance(joined([inner]), Html)


def test_html_glued_to_text_is_text_again() -> None:
    """The type is lost with every operation of strings, so that a mistake shows markup instead of obeying it."""
    assert element("p", element("b", "x") + "<i>") == "<p>&lt;b&gt;x&lt;/b&gt;&lt;i&gt;</p>"


def test_attributes_may_be_bare_or_left_out() -> None:
    assert (
        element("details", open=True, hidden=False, class_="a", aria_label="b")
        == '<details open class="a" aria-label="b"></details>'
    )


def test_what_hides_text_is_shown() -> None:
    assert escaped("right\u202eleft\x1b") == r"right\u202eleft\x1b"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//example.org", "ftp://example.org", " https://e.org"]
)
def test_only_addresses_of_the_web_can_be_followed(url: str) -> None:
    assert "a" not in read_page(link("there", url)).tags
    assert read_page(link("there", url)).text == f"there ({url})"


def test_a_link_is_a_link() -> None:
    assert read_page(link("there", "https://example.org/?a=1&b=2")).elements == [
        ("a", {"href": "https://example.org/?a=1&b=2", "rel": "noopener"})
    ]
    assert link("there", "") == "there"
