"""Citation keys: family name, year, first long word of the title; and marks where keys would be one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page, resolved_of

from etl.resolve.citekeys import citekeys

A, B, C = "abcdefghijklmnop", "abcdzzzzzzzzzzzz", "qrstuvwxyz234567"


@pytest.mark.parametrize(
    ("author", "year", "title", "key"),
    [
        pytest.param("Ann Bell", 2022, "Ringing: On Bells", "bell2022ringing", id="plain"),
        pytest.param("Ann Bell", 2022, "On the Art of Bells", "bell2022bells", id="short words are passed over"),
        pytest.param("Ann Bell", 2022, "On an Art", "bell2022art", id="the longest of short words"),
        pytest.param("Ann Bell", 2022, "On it", "bell2022on", id="the first of equally short words"),
        pytest.param("Inês Böll", 2022, "Über Glöcklein", "boll2022uber", id="diacritics"),
        pytest.param("Ludo van der Berg", 2022, "Bells", "vanderberg2022bells", id="particles"),
        pytest.param("Ann Bell-Cole", 2022, "X-ray-like Rings", "bellcole2022like", id="hyphens"),
        pytest.param("Cy Dole Jr.", 2022, "Bells", "dolejr2022bells", id="suffix"),
        pytest.param("Plato", 2022, "Bells", "plato2022bells", id="one name"),
        pytest.param("Ann Bell", None, "Bells", "bellndbells", id="no year"),
        pytest.param("李伟", 2022, "Bells", "anon2022bells", id="name in another script"),
        pytest.param("Ann Bell", 2022, "钟声", "bell2022", id="title in another script"),
        pytest.param("李伟", None, "钟声", "anonnd", id="nothing but another script"),
        pytest.param("Ann Bell", 2022, "关于 Bells 的研究", "bell2022bells", id="scripts mixed"),
        pytest.param("?", 2022, "???", "anon2022", id="signs"),
        pytest.param("Ann Bell", 2022, "$O(n^2)$ in 1984", "bell20221984", id="TeX and figures"),
        pytest.param(
            "Cy Dole, Jr.",
            2022,
            "Bells",
            "dolejr2022bells",
            id="suffix behind a comma",
        ),
    ],
)
def test_a_key_is_family_year_and_first_long_word(author: str, year: int | None, title: str, key: str) -> None:
    assert citekeys([(A, author, year, title)]) == {A: key}


def test_all_that_collide_are_marked() -> None:
    papers = [(A, "Ann Bell", 2022, "Ringing"), (C, "Cy Bell", 2022, "On Ringing"), (B, "Eve Fox", 2022, "Ringing")]
    assert citekeys(papers) == {A: "bell2022ringing-abcd", C: "bell2022ringing-qrst", B: "fox2022ringing"}


def test_marks_grow_until_keys_differ() -> None:
    papers = [(paper_id, "Ann Bell", 2022, "Ringing") for paper_id in (A, B, C)]
    assert citekeys(papers) == {A: "bell2022ringing-abcde", B: "bell2022ringing-abcdz", C: "bell2022ringing-qrstu"}


@settings(deadline=None, derandomize=True, database=None)
@given(st.data())
def test_keys_are_unique_and_plain_whatever_the_order(data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.text("abz", min_size=16, max_size=16), unique=True))
    names, titles = st.sampled_from(["Ann Bell", "李伟", "?"]), st.text(max_size=8)
    years = st.sampled_from([2022, None])
    papers = [(paper_id, data.draw(names), data.draw(years), data.draw(titles)) for paper_id in ids]
    keys = citekeys(papers)
    assert len(set(keys.values())) == len(papers)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z2-7]{4,16})?", key) for key in keys.values())
    assert citekeys(papers[::-1]) == keys


def test_a_papers_key_is_made_of_the_first_author_as_listed_and_the_merged_year() -> None:
    owner, other = page("Ann Bell", block("Cy Dole, Ann Bell", "CLMay 1")), page("Cy Dole", block("Cy Dole et al."))
    assert resolved_of(owner, other)["papers"]["citekey"].to_list() == ["dole2024bells"]
