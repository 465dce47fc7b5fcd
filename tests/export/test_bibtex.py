"""BibTeX of a paper: what a small reader of BibTeX's own rules gets back from it."""

import re
from datetime import date

import pytest
from helpers import cpu_limit
from hypothesis import given
from hypothesis import strategies as st

from etl.export.bibtex import ALLOWED_MACROS, bibtex
from etl.export.selection import CitedAuthor, CitedPaper
from etl.tex import is_balanced

ANN = CitedAuthor("Ann", "Bell")


def entry(title: str = "On Bells", authors: tuple[CitedAuthor, ...] = (ANN,), **other: object) -> str:
    facts = {"published": date(2025, 3, 14)} | other
    return bibtex(CitedPaper("kemu6opsraxxk7cm", "bell2025bells", title, authors, **facts))  # type: ignore[arg-type]


def test_a_group_is_in_braces_however_many_words_it_has() -> None:
    found = fields(entry(authors=(CitedAuthor(None, "The Tower Collaboration", is_group=True), ANN)))
    assert found["author"] == "{{The Tower Collaboration} and Bell, Ann}"
    named = fields(entry(authors=(CitedAuthor("Bells", "and Towers", is_group=True),)))
    assert named["author"] == "{{Bells and Towers}}"


def fields(text: str) -> dict[str, str]:
    """The entry's values: each in braces that match as BibTeX counts them, or a bare word."""
    first, *rest = text.split("\n", 1)
    assert first == "@misc{bell2025bells,"
    found, at, body = {}, 0, rest[0]
    while body[at : at + 2] == "  ":
        name, at = body[at + 2 : body.index(" = ", at)], body.index(" = ", at) + 3
        end = _end(body, at)
        found[name], at = body[at:end], end + 2
        assert body[end : end + 2] == ",\n"
    assert body[at:] == "}\n"
    return found


def _end(body: str, at: int) -> int:
    if body[at] != "{":
        return body.index(",", at)
    depth = 0
    for place in range(at, len(body)):
        depth += {"{": 1, "}": -1}.get(body[place], 0)
        if depth == 0:
            return place + 1
    raise AssertionError("a value without end")


def names(text: str) -> list[str]:
    """The authors, split at `and` outside braces."""
    value, depth, parts = fields(text)["author"][1:-1], 0, [""]
    for word in value.split(" "):
        if word.lower() == "and" and depth == 0:
            parts.append("")
        else:
            parts[-1] += f" {word}"
        depth += word.count("{") - word.count("}")
    return [part.strip() for part in parts]


def title(printed: str) -> str:
    return fields(entry(printed))["title"][2:-2]


def test_an_entry_holds_title_authors_year_and_month() -> None:
    assert fields(entry()) == {"title": "{{On Bells}}", "author": "{Bell, Ann}", "year": "{2025}", "month": "mar"}


def test_a_cut_byline_ends_in_others() -> None:
    assert names(entry(authors=(ANN, CitedAuthor("Cy", "Dole")), has_others=True)) == [
        "Bell, Ann",
        "Dole, Cy",
        "others",
    ]


def test_a_paper_without_a_date_has_no_year() -> None:
    assert set(fields(entry(published=None))) == {"title", "author"}


def test_identifiers_are_fields_and_cannot_end_the_entry() -> None:
    known = {"category_id": "cs.CL", "arxiv_id": "2404.00002", "doi": "10.1000/a_b%{}", "url": "http://x.org/^^5c\\b"}
    assert {name: value for name, value in fields(entry(**known)).items() if name not in fields(entry())} == {
        "eprint": "{2404.00002}",
        "archivePrefix": "{arXiv}",
        "primaryClass": "{cs.CL}",
        "doi": "{10.1000/a_b%%7B%7D}",
        "url": "{http://x.org/%5E%5E5c%5Cb}",
    }


def test_a_category_is_named_only_beside_an_arxiv_identifier() -> None:
    assert "primaryClass" not in fields(entry(category_id="cs.CL", doi="10.1000/a"))


@pytest.mark.parametrize(
    ("author", "printed"),
    [
        (CitedAuthor("Søren", "Øst"), "Øst, Søren"),
        (CitedAuthor("Ludwig", "van der Berg Jr."), "van der Berg Jr., Ludwig"),
        (CitedAuthor("Cy", "Dole, Jr."), "Dole, Jr., Cy"),
        (CitedAuthor(None, "Plato"), "{Plato}"),
        (CitedAuthor("Bell and", "Sons"), "{Bell and Sons}"),
        (CitedAuthor("A", "b, c, d, e"), "{A b, c, d, e}"),
    ],
)
def test_a_name_is_one_author_family_name_first(author: CitedAuthor, printed: str) -> None:
    assert names(entry(authors=(author, ANN))) == [printed, "Bell, Ann"]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (r"$32\times$ \textit{smaller}", r"$32\times$ \textit{smaller}"),
        ("{B}ells", "{B}ells"),
        ("5% of $5 & #1_a^2", r"5\% of \$5 \& \#1\_a\^{}2"),
        (r"5\% \& more", r"5\% \& more"),
        ("a } b { c", r"a \textbraceright  b \textbraceleft  c"),
        (r"a \}", r"a \textbraceright "),
        ("ends in \\", r"ends in \textbackslash"),
        (r"\input{x} \def\a{b}", r"\textbackslash input{x} \textbackslash def\textbackslash a{b}"),
        ("^^5cinput", r"\^{}\^{}5cinput"),
        (r"\href{run:x}{y} \url{run:x}", r"\textbackslash href{run:x}{y} \textbackslash url{run:x}"),
        (
            r"\write18{x} \immediate\openout",
            r"\textbackslash write18{x} \textbackslash immediate\textbackslash openout",
        ),
        (r"\csname input\endcsname x", r"\textbackslash csname input\textbackslash endcsname x"),
        (r"\title{x}\maketitle\today", r"\textbackslash title{x}\textbackslash maketitle\textbackslash today"),
        (r"\catcode`\@=0 @input", r"\textbackslash catcode`\textbackslash @=0 @input"),
        (r"\{ a } b", r"\textbraceleft  a \textbraceright  b"),
        (r"$\{x\}$ \{a\}", r"$\{x\}$ \{a\}"),
        (r"a\\{", r"a\\\textbraceleft "),
        (r"$\left(\frac{1}{2}\right)$ \'e \o \~n {\bf b}", r"$\left(\frac{1}{2}\right)$ \'e \o \~n {\bf b}"),
        ("@misc{x, title", r"@misc\textbraceleft x, title"),
        ("a\u202eb", "aU+202Eb"),
    ],
)
def test_a_title_keeps_its_tex_and_breaks_no_entry(printed: str, expected: str) -> None:
    assert title(printed) == expected


@given(
    st.text(alphabet="\\{}$%^ @", max_size=12).flatmap(
        lambda text: st.sampled_from([text, f"{text}\\write18{{x}}{text}"])
    )
)
def test_no_text_holds_a_macro_that_is_not_allowed_or_braces_that_do_not_match(printed: str) -> None:
    found = title(printed)
    macros = [macro for macro in re.findall(r"\\([A-Za-z]+|.)", found) if macro not in "{}"]
    assert set(macros) <= {*ALLOWED_MACROS, "textbraceleft", "textbraceright"}
    assert "^^" not in found
    assert is_balanced(found)


@pytest.mark.parametrize("text", ["\\", "$", "{", "}", "_", "^", "$a ", "\\{", "%", "\\input", "{}"])
def test_a_long_text_takes_little_time(text: str) -> None:
    with cpu_limit(5):
        entry(text * (500_000 // len(text)))


@given(
    st.text(alphabet='\\{}$%&#~_^@,"= and\n', max_size=40), st.text(alphabet="\\{}$%, andAB", min_size=1, max_size=20)
)
def test_no_text_ends_the_entry(printed: str, family: str) -> None:
    text = entry(printed, (CitedAuthor("Eve", family), ANN))
    assert set(fields(text)) == {"title", "author", "year", "month"}
    assert names(text)[-1] == "Bell, Ann"
    assert len(names(text)) == 2
