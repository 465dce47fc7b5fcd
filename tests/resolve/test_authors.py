"""Spellings are one person by evidence only, and every join is told."""

from itertools import permutations

import polars as pl
import pytest
from invented import candidates, listed, people_of, who

from etl.resolve.authors import People, resolve_authors
from etl.resolve.folding import digest
from etl.resolve.overrides import Overrides

CY = "cy-dole"


def told(people: People) -> dict[str, tuple[str, str | None]]:
    """How each spelling was matched, and the evidence."""
    rows = people.author_names.select("name", "matched_by", "evidence").iter_rows()
    return {name: (matched_by, evidence) for name, matched_by, evidence in rows}


def test_names_equal_after_folding_are_one_author_without_evidence() -> None:
    people = people_of("Inês Böll", "INES BOLL", "Ines Böll, Cy Dole")
    assert people.authors.sort("author_id").rows() == [
        ("cy-dole", "Cy Dole", "person", "Cy", "Dole", 1),
        ("ines-boll", "Inês Böll", "person", "Inês", "Böll", 3),
    ]
    assert told(people) == {
        "Inês Böll": ("exact", None),
        "INES BOLL": ("exact", "equal to INES BOLL after folding"),
        "Ines Böll": ("exact", "equal to INES BOLL after folding"),
        "Cy Dole": ("exact", None),
    }


@pytest.mark.parametrize(
    ("name", "other", "author_id"),
    [
        ("Jean-Pierre Bell", "Jeanpierre Bell", "jean-pierre-bell"),
        ("Xiao Li Bell", "Xiaoli Bell", "xiao-li-bell"),
        ("Mary Ann B. Bell", "Maryann B. Bell", "mary-ann-b-bell"),
    ],
)
def test_a_space_less_in_given_names_needs_a_shared_co_author(name: str, other: str, author_id: str) -> None:
    joined = people_of(f"{name}, Cy Dole", f"{other}, Cy Dole")
    assert who(joined) == {name: author_id, other: author_id, "Cy Dole": CY}
    apart = people_of(name, other)
    assert len({*who(apart).values()}) == 2
    assert [reason for *_, reason in candidates(apart)] == ["fuller_name"]


def test_a_space_and_a_hyphen_in_given_names_are_equal() -> None:
    ids = who(people_of("Jean Pierre Bell", "Jean-Pierre Bell"))
    assert ids == {"Jean Pierre Bell": "jean-pierre-bell", "Jean-Pierre Bell": "jean-pierre-bell"}


@pytest.mark.parametrize("shared", ["", ", Cy Dole"])
def test_a_space_less_in_the_family_name_is_a_candidate(shared: str) -> None:
    people = people_of(f"Jan De Smet{shared}", f"Jan DeSmet{shared}")
    assert candidates(people) == [("jan-de-smet", "jan-desmet", "moved_border")]


@pytest.mark.parametrize(
    ("name", "other"), [("E. D. Bell", "Ed Bell"), ("Ann Bell Cole", "Ann BellCole"), ("Ann Bell", "Anna Bell")]
)
def test_names_that_are_not_equal_are_two_authors(name: str, other: str) -> None:
    people = people_of(f"{name}, Cy Dole", f"{other}, Cy Dole")
    assert len({*who(people).values()} - {CY}) == 2


@pytest.mark.parametrize(("name", "other"), [("Ann E. Bell", "Anne Bell"), ("D. Ana Cruz", "Dana Cruz")])
def test_an_initial_beside_a_given_name_is_no_part_of_it(name: str, other: str) -> None:
    assert len({*who(people_of(f"{name}, Cy Dole", f"{other}, Cy Dole")).values()}) == 3


def test_a_fuller_name_with_a_shared_co_author_is_one_author() -> None:
    people = people_of("Ann Bell, Cy Dole", "Cy Dole, Ann B. Bell")
    assert who(people) == {"Ann B. Bell": "ann-b-bell", "Ann Bell": "ann-b-bell", "Cy Dole": CY}
    assert told(people)["Ann B. Bell"] == ("exact", None)
    assert told(people)["Ann Bell"] == ("fuller_name", "Ann B. Bell and Ann Bell share the co-author Cy Dole")
    assert candidates(people) == []


def test_a_fuller_name_without_a_shared_co_author_is_a_candidate() -> None:
    people = people_of("Ann Bell, Cy Dole", "Ann B. Bell, Eve Fox")
    assert candidates(people) == [("ann-b-bell", "ann-bell", "fuller_name")]
    assert people.merge_candidates["evidence"].to_list() == ["Ann B. Bell and Ann Bell, no co-author shared"]


def test_the_pages_owner_is_evidence_on_every_listing() -> None:
    people = people_of("Ann Bell, Cy Dole", "Ann B. Bell, Eve Fox", owner="Ida Karr")
    assert who(people)["Ann Bell"] == who(people)["Ann B. Bell"] == "ann-b-bell"
    assert told(people)["Ann Bell"][1] == "Ann B. Bell and Ann Bell share the co-author Ida Karr"


def test_an_owner_is_joined_with_the_fuller_name_of_the_bylines() -> None:
    people = people_of("Ann B. Bell, Cy Dole", owner="Ann Bell")
    assert who(people) == {"Ann B. Bell": "ann-b-bell", "Ann Bell": "ann-b-bell", "Cy Dole": CY}


@pytest.mark.parametrize(("others", "joined"), [(98, True), (99, False)])
def test_a_byline_of_over_a_hundred_names_is_no_evidence(others: int, *, joined: bool) -> None:
    crowd = ", ".join(f"Author X{number}" for number in range(others))
    people = people_of(f"Ann Bell, Cy Dole, {crowd}", "Ann B. Bell, Cy Dole")
    assert (who(people)["Ann Bell"] == "ann-b-bell") is joined
    assert candidates(people) == ([] if joined else [("ann-b-bell", "ann-bell", "fuller_name")])


def test_of_several_fuller_forms_that_contradict_none_is_joined() -> None:
    people = people_of("Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole", "Ann C. Bell, Cy Dole")
    assert candidates(people) == [
        ("ann-b-bell", "ann-bell", "several_fuller_forms"),
        ("ann-bell", "ann-c-bell", "several_fuller_forms"),
    ]
    assert people.merge_candidates["evidence"].sort().to_list() == [
        "Ann B. Bell and Ann Bell share the co-author Cy Dole",
        "Ann Bell and Ann C. Bell share the co-author Cy Dole",
    ]


def test_fuller_forms_that_agree_are_one_author() -> None:
    people = people_of("Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole", "Ann Beth Bell, Cy Dole", "Ann B. C. Bell, Cy Dole")
    assert {*who(people).values()} == {CY, "ann-beth-bell"}


def test_middle_names_that_contradict_are_not_joined_through_a_third_form() -> None:
    people = people_of("Ann Beth Bell, Cy Dole", "Ann Bea Bell, Cy Dole", "Ann B. C. Bell, Cy Dole")
    assert who(people)["Ann Beth Bell"] != who(people)["Ann Bea Bell"]


def test_names_of_one_byline_are_never_joined() -> None:
    people = people_of("Ann Bell, Ann B. Bell, Cy Dole", "Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole")
    assert {*who(people).values()} == {"ann-bell", "ann-b-bell", CY}
    assert candidates(people) == []


def test_names_of_one_byline_are_not_joined_through_a_third_name() -> None:
    people = people_of("Maria Garcia Lopez, Maria Lopez", "Maria Garcia Lopez, Cy Dole", "Maria Garcia-Lopez, Cy Dole")
    assert who(people)["Maria Lopez"] != who(people)["Maria Garcia Lopez"] == who(people)["Maria Garcia-Lopez"]
    clash = people_of(
        "Ann Bell, Ann B. C. Bell", *(f"{name}, Cy Dole" for name in ("Ann Bell", "Ann B. Bell", "Ann B. C. Bell"))
    )
    assert who(clash)["Ann Bell"] != who(clash)["Ann B. C. Bell"]
    assert candidates(clash) == [
        ("ann-b-bell", "ann-b-c-bell", "several_fuller_forms"),
        ("ann-b-bell", "ann-bell", "several_fuller_forms"),
    ]


def test_people_whom_one_byline_names_are_no_candidates_under_another_spelling() -> None:
    people = people_of("A. Bell, Ann B. Bell, Cy Dole", "Ann Bell, Cy Dole")
    assert candidates(people) == []


@pytest.mark.parametrize(
    ("name", "other", "author_id"),
    [
        ("Maria Garcia Lopez", "Maria Garcia-Lopez", "maria-garcia-lopez"),
        ("Ann O. Neil", "Ann O'Neil", "ann-o-neil"),
    ],
)
def test_a_moved_border_is_joined_by_a_shared_co_author_only(name: str, other: str, author_id: str) -> None:
    people = people_of(f"{name}, Cy Dole", f"{other}, Cy Dole")
    assert who(people) == {name: author_id, other: author_id, "Cy Dole": CY}
    assert sorted(matched_by for matched_by, _ in told(people).values()) == ["exact", "exact", "moved_border"]
    apart = people_of(f"{name}, Cy Dole", f"{other}, Eve Fox")
    ids = sorted(f"{author_id}-{digest(spelling, 8)}" for spelling in (name, other))
    assert candidates(apart) == [(*ids, "moved_border")]


def test_an_initial_is_a_candidate_whatever_the_evidence() -> None:
    people = people_of(
        "A. Bell, Cy Dole", "Ann Bell, Cy Dole", "A. Bell, Eve Fox", "Amy Bell, Eve Fox", owner="Ida Karr"
    )
    assert {*who(people).values()} >= {"a-bell", "ann-bell", "amy-bell"}
    assert candidates(people) == [("a-bell", "amy-bell", "initial"), ("a-bell", "ann-bell", "initial")]


def test_people_of_one_name_only_or_of_another_script_are_told_apart() -> None:
    people = people_of("Plato", "PLATO", "李伟", "王伟")
    assert who(people) == {
        "Plato": "plato",
        "PLATO": "plato",
        "李伟": f"x-{digest('李伟', 8)}",
        "王伟": f"x-{digest('王伟', 8)}",
    }
    assert people.authors.filter(author_id="plato").rows() == [("plato", "PLATO", "person", None, "PLATO", 2)]


def test_items_without_a_letter_are_nobody() -> None:
    assert set(who(people_of("?, Cy Dole", "Cy Dole, 12, !")).values()) == {CY}


def test_slugs_that_collide_are_all_marked() -> None:
    ids = who(people_of("Ann Bell", "Ann-Bell", "Cy Dole"))
    assert ids == {
        "Ann Bell": f"ann-bell-{digest('Ann Bell', 8)}",
        "Ann-Bell": f"ann-bell-{digest('Ann-Bell', 8)}",
        "Cy Dole": CY,
    }


def test_a_name_that_spells_out_a_mark_collides_with_nobody() -> None:
    names = ["Ann Bell", "Ann-Bell", f"Ann Bell {digest('Ann Bell', 8)}"]
    assert len({*who(resolve_authors(listed(), pl.Series(names), Overrides())).values()}) == 3


def test_the_name_is_the_fullest_spelling_with_most_diacritics() -> None:
    people = people_of("Ines B. Boll, Cy Dole", "Inês Böll, Cy Dole", "Inês B. Boll, Cy Dole", "INÊS B BÖLL, Cy Dole")
    assert people.authors.filter(author_id="ines-b-boll").rows() == [
        ("ines-b-boll", "INÊS B BÖLL", "person", "INÊS B", "BÖLL", 4)
    ]


def test_of_names_with_as_many_letters_the_one_with_more_words_counts() -> None:
    people = people_of("MARYANN BELL, Cy Dole", "Mary Ann Bell, Cy Dole")
    assert people.authors["name"].to_list() == ["Cy Dole", "Mary Ann Bell"]


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("Ines Boll", "Inês Böll"),
        ("Lukasz Bell", "Łukasz Bell"),
        pytest.param("Ann Gross", "Ann Groß"),
    ],
)
def test_of_names_with_as_many_letters_the_one_with_marks_counts(plain: str, marked: str) -> None:
    assert people_of(plain, marked).authors["name"].to_list() == [marked]


@pytest.mark.parametrize("other", ["Ann\u200b Bell", "Ann\u00a0Bell", "\uff21nn Bell", "Ann Bell\u2020"])
def test_signs_that_are_no_diacritics_do_not_make_a_name_fuller(other: str) -> None:
    assert people_of("Ann Bell", other).authors["name"].to_list() == ["Ann Bell"]


def test_authors_are_the_same_whatever_the_order_of_bylines() -> None:
    bylines = ("Ann Bell, Cy Dole", "Ann-Bell, Cy Dole", "Ann B. Bell, Eve Fox", "ANN BELL, Ann C. Bell", "A. Bell")
    tables = [vars(people_of(*order, owner="Eve Fox")) for order in permutations(bylines)]
    rows = [
        {name: sorted(frame.rows(), key=str) for name, frame in frames.items() if name != "author_of"}
        for frames in tables
    ]
    assert rows == [rows[0]] * len(rows)
