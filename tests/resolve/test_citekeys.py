"""Citation keys: family name, year, first long word of the title; and marks where keys would be one."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page, resolved_of

from etl.resolve.papers import citekeys

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
    assert citekeys([(A, author, date(year, 5, 1) if year else None, title)]) == {A: key}


DAYS = [date(2022, month, 1) for month in (3, 2, 1)]


def test_of_keys_that_collide_the_earliest_paper_keeps_the_plain_one() -> None:
    papers = [
        (A, "Ann Bell", DAYS[0], "Ringing"),
        (C, "Cy Bell", DAYS[1], "On Ringing"),
        (B, "Eve Fox", DAYS[2], "Ringing"),
    ]
    assert citekeys(papers) == {A: "bell2022ringing-abcd", C: "bell2022ringing", B: "fox2022ringing"}


def test_of_papers_of_one_day_the_smallest_identifier_keeps_the_plain_key_and_one_without_a_day_never() -> None:
    papers = [(one, "Ann Bell", DAYS[0], "Ringing") for one in (C, A)]
    assert citekeys(papers) == {A: "bell2022ringing", C: "bell2022ringing-qrst"}
    undated = [(C, "Ann Bell", None, "Ringing"), (B, "Ann Bell", None, "Ringing")]
    assert citekeys(undated) == {B: "bellndringing", C: "bellndringing-qrst"}


def test_marks_grow_until_keys_differ() -> None:
    first = ("2" * 16, "Ann Bell", DAYS[2], "Ringing")
    papers = [first, *((paper_id, "Ann Bell", DAYS[0], "Ringing") for paper_id in (A, B, C))]
    assert citekeys(papers) == {
        "2" * 16: "bell2022ringing",
        A: "bell2022ringing-abcd",
        B: "bell2022ringing-abcdz",
        C: "bell2022ringing-qrst",
    }


def test_later_papers_change_no_key() -> None:
    papers = [(A, "Ann Bell", DAYS[2], "Ringing"), (C, "Ann Bell", DAYS[1], "Ringing")]
    later = (B, "Ann Bell", DAYS[0], "Ringing")
    before, after = citekeys(papers), citekeys([later, *papers])
    assert {one: key for one, key in after.items() if one != B} == before


@settings(deadline=None, derandomize=True, database=None)
@given(st.data())
def test_keys_are_unique_and_plain_whatever_the_order(data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.text("abz", min_size=16, max_size=16), unique=True))
    names, titles = st.sampled_from(["Ann Bell", "李伟", "?"]), st.text(max_size=8)
    days = st.sampled_from([*DAYS, None])
    papers = [(paper_id, data.draw(names), data.draw(days), data.draw(titles)) for paper_id in ids]
    keys = citekeys(papers)
    assert len(set(keys.values())) == len(papers)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z2-7]{4,16})?", key) for key in keys.values())
    assert citekeys(papers[::-1]) == keys


def test_a_papers_key_is_made_of_the_first_author_as_listed_and_the_merged_year() -> None:
    owner, other = page("Ann Bell", block("Cy Dole, Ann Bell", "CLMay 1")), page("Cy Dole", block("Cy Dole et al."))
    assert resolved_of(owner, other)["papers"]["citekey"].to_list() == ["dole2024bells"]
