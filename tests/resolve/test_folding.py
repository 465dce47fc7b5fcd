"""Folding takes spelling habits away and nothing else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.resolve.folding import digest, fold, fold_title, slug
from schemas.limits import SLUG

quick = settings(deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Inês Böll", "ines boll", id="marks are dropped"),
        pytest.param("Ine\u0302s Bo\u0308ll", "ines boll", id="marks that stand apart are dropped"),
        pytest.param("Łukasz Ørsted", "lukasz orsted", id="ł and ø"),
        pytest.param("Groß GROẞ gross", "gross gross gross", id="ß"),
        pytest.param("Æsa Œdl Ðór Þorn", "aesa oedl dor thorn", id="letters of two"),
        pytest.param("Đan Ħal Ŧor Ŋul \u0131l", "dan hal tor nul il", id="letters with strokes"),
        pytest.param("ANN bell", "ann bell", id="case"),
        pytest.param("Bell-Cole", "bell cole", id="hyphen"),
        pytest.param("Bell\u2010Cole\u2013Dole—Fox", "bell cole dole fox", id="other dashes"),
        pytest.param("O'Neil O\u2019Neil", "o neil o neil", id="apostrophes"),
        pytest.param("  E. D.,\tBell_Fox ", "e d bell fox", id="punctuation and white space"),
        pytest.param("Ann\u00a0Bell\u2009Fox", "ann bell fox", id="other spaces"),
        pytest.param("A\u200bnn\u00ad Bell\ufeff", "ann bell", id="invisible characters"),
        pytest.param("\uff21\uff4e\uff4e ﬁx x²", "ann fix x2", id="compatibility letters"),
        pytest.param("李伟 Анна محمد", "李伟 анна محمد", id="other scripts stay"),
        pytest.param("?!…", "", id="nothing left"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_folding_takes_spelling_habits_away(text: str, folded: str) -> None:
    assert fold(text) == folded


@quick
@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@quick
@given(st.text(st.characters(codec="ascii")))
def test_folding_ascii_is_the_same_beside_other_letters(text: str) -> None:
    assert fold(f"{text} é") == f"{fold(text)} e".strip()


@quick
@given(st.text(st.characters(codec="ascii", exclude_characters="\\^")))
def test_folding_an_ascii_title_is_the_same_before_tex(text: str) -> None:
    assert fold_title(text) == fold_title(f"{text} ${{}}$")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann B. Bell", "ann-b-bell"),
        ("Inês Bell-Cole", "ines-bell-cole"),
        ("李伟", "x-" + digest("李伟", 8)),
        ("李 Wei", "wei-" + digest("李 wei", 8)),
        ("?!", "x-" + digest("?!", 8)),
    ],
)
def test_a_slug_holds_the_letters_and_a_hash_where_letters_are_lost(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_two_names_of_another_script_have_two_slugs() -> None:
    assert slug("李伟") != slug("王伟")


@quick
@given(st.text(min_size=1))
def test_every_slug_is_an_identifier(text: str) -> None:
    assert re.match(SLUG, slug(text))
