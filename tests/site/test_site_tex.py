"""Titles and abstracts to read: TeX as text, text as printed where TeX is broken, and never a tag of a page's own."""

import html5lib
import pytest
from helpers import cpu_limit
from hypothesis import given
from hypothesis import strategies as st

from etl.site.tex import LONGEST_TEX, is_balanced, plain, readable

READ = {
    r"$32\times$ smaller": "32× smaller",
    r"takes 15\% of the time": "takes 15% of the time",
    "takes 15% of the time": "takes 15% of the time",
    r"counts \textit{almost} all": "counts <em>almost</em> all",
    r"\emph{a \textbf{b}} {\it c}": "<em>a <strong>b</strong></em> c",
    r"an $|r\rangle + |s\rangle$ state": "an |r⟩ + |s⟩ state",
    r"S\o ren \"Ost": "Søren Öst",
    "Fig.~1, ``come'' and ~9": "Fig. 1, “come” and ~9",
    "costs $5 million and $10": "costs $5 million and $10",
    r"we \ours win $10\times$": r"we \ours win 10×",
    "a & b # c_d ^2": "a &amp; b # c_d ^2",
    "no TeX": "no TeX",
}
AS_PRINTED = [
    "a { b",
    "a } b",
    r"\frac",
    r"\textit",
    r"\foo{bar}",
    r"\input{/etc/passwd}",
    r"\\\\",
    r"\begin{a}",
    r"\href{a}",
]
BOMBS = {
    "braces": "{" * 1_000_000,
    "closed braces": "{" * 9_000 + "}" * 9_000,
    "dollars": "$" * 19_999,
    "environments": r"\begin{a}" * 2_000,
    "math that opens": r"\[" * 9_000,
    "fractions": r"\frac" * 4_000,
    "backslashes": "\\" * 19_999,
    "a long line": r"$\alpha$ {x} " * 80_000,
    "brackets behind an address": "https://example.org/" + ")" * 1_000_000,
}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "https://x.org/\"onclick='a'",
]


@pytest.mark.parametrize(("text", "html"), READ.items())
def test_tex_reads_as_text(text: str, html: str) -> None:
    assert str(readable(text)).replace("\xa0", " ") == html


@pytest.mark.parametrize("text", AS_PRINTED)
def test_broken_or_unknown_tex_stays_as_printed(text: str) -> None:
    assert str(readable(text)) == text


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_take_little_time(name: str) -> None:
    with cpu_limit(4):
        readable(BOMBS[name])


@pytest.mark.parametrize("macro", ["sqrt", "cite", "section", "includegraphics"])
def test_optional_arguments_within_each_other_take_little_time_and_stay_as_printed(macro: str) -> None:
    text = rf"\{macro}[" * 30 + "x"
    with cpu_limit(1):
        assert plain(text) == text
    with cpu_limit(1):
        plain(rf"\{macro}[a]{{b}} " * 60)


def test_a_text_longer_than_is_read_stays_as_printed() -> None:
    text = r"\% " * LONGEST_TEX
    assert str(readable(text)) == text


def test_addresses_are_links_that_give_nothing_away() -> None:
    html = str(readable(r"See (https://example.org/a\_b), or \url{http://example.org/15%20x}."))
    link = '<a href="{0}" rel="nofollow noopener">{0}</a>'
    assert html == (f"See ({link.format('https://example.org/a_b')}), or {link.format('http://example.org/15%20x')}.")


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "ftp://example.org/x", "data:text/html,x", "file:///etc/passwd"]
)
def test_other_schemes_are_no_links(text: str) -> None:
    assert "<a" not in readable(text)


def test_an_address_that_tex_would_swallow_brings_the_text_back_as_printed() -> None:
    assert plain(r"\label{https://example.org} x") == r"\label{https://example.org} x"


def test_hidden_characters_are_in_sight() -> None:
    assert str(readable("a\u202eb\x1b[31m")) == r"aU+202Eb\x1b[31m"


@given(
    st.lists(
        st.sampled_from([*HOSTILE, *READ, *AS_PRINTED, "$", "{", "}", "\\", "%", "\ue000", "\ue001", " "]), max_size=8
    ).map("".join)
)
def test_no_text_makes_an_element_of_its_own(text: str) -> None:
    elements = list(html5lib.parseFragment(str(readable(text)), namespaceHTMLElements=False).iter())
    assert {element.tag for element in elements} <= {"DOCUMENT_FRAGMENT", "em", "strong", "a"}
    assert all(element.attrib.get("href", "http").lower().startswith("http") for element in elements)
    assert {name for element in elements for name in element.attrib} <= {"href", "rel"}


@given(st.text(alphabet="\\{}$%&#~_^ab[]()'`\n", max_size=60))
def test_every_text_can_be_read(text: str) -> None:
    assert isinstance(plain(text), str)


@pytest.mark.parametrize(("text", "balanced"), [(r"\{", True), ("{}", True), ("}{", False), ("{{}}", False)])
def test_braces_are_balanced_up_to_a_depth(text: str, balanced: bool) -> None:
    assert is_balanced(text, 1) is balanced
