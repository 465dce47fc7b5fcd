"""Titles and abstracts to read: TeX as text, text as printed where TeX is broken, and never a tag of a page's own."""

import html5lib
import pytest
from helpers import cpu_limit
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latexwalker import get_default_latex_context_db

from etl.export.readable_text import LONGEST_READ, plain, readable
from etl.tex import is_balanced
from schemas.limits import DEEPEST_TEX, LONGEST_TEX

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
    r"\maketitle",
    r"On \today",
    r"\title{a}",
    r"\sqrt[" * 30 + "x",
    r"\colorlet{a}[" * 30 + "x",
    r"\^{" * 30 + "x" + "}" * 30,
    "{" * (DEEPEST_TEX + 1) + "$x$" + "}" * (DEEPEST_TEX + 1),
    r"\begin{a}" * (DEEPEST_TEX + 1),
    r"\(" * (DEEPEST_TEX + 1),
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
    "accents": r"\'{" * DEEPEST_TEX + "x" * 4_000 + "}" * DEEPEST_TEX,
    "a wide matrix": r"\begin{array}" + "x" * 2_000 + r"&a\\" * 700 + r"\end{array}",
    "matrices": r"\begin{array}" * 3 + "x" * 400 + (r"\\a" * 400 + r"\end{array}") * 3,
    "options around a long text": r"\sqrt[" * DEEPEST_TEX + "x" * 4_000,
    "options behind arguments": r"\colorlet{a}[" * DEEPEST_TEX + "x" * 4_000,
    "options behind spaces": r"\colorlet{a} [" * 300,
    "options behind comments": "\\sqrt%\n[" * 300,
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
def test_bombs_take_little_time_and_stay_small(name: str) -> None:
    with cpu_limit(2):
        assert len(readable(BOMBS[name])) <= 2 * max(LONGEST_READ, len(BOMBS[name]))


@pytest.mark.parametrize("ending", ["[", "{a}[", "{a}{b}[", "*[", "{a}", "[a]{b}"])
def test_a_macro_repeated_takes_little_time(ending: str) -> None:
    specs = get_default_latex_context_db().iter_macro_specs()
    macros = sorted({spec.macroname for spec in specs if spec.args_parser.argspec})
    assert {"sqrt", "cite", "section", "includegraphics"} <= set(macros)
    with cpu_limit(15):
        for macro in macros:
            readable(rf"\{macro}{ending}" * DEEPEST_TEX + "x")
            readable(rf"\{macro}{ending}" * 30)


def test_no_text_shows_what_another_has_set() -> None:
    readable(r"\title{Elsewhere} \author{Eve}")
    assert plain(r"\maketitle") == r"\maketitle"


def test_a_text_longer_than_is_read_stays_as_printed() -> None:
    text = r"\%" * (LONGEST_TEX // 2) + "x"
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


@pytest.mark.parametrize(("text", "balanced"), [(r"\{", True), ("{{}}", True), ("}{", False), ("{", False)])
def test_braces_are_balanced(text: str, balanced: bool) -> None:
    assert is_balanced(text) is balanced
