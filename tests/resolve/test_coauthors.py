"""Evidence is a shared co-author, and two names in one byline are two people."""

from collections.abc import Mapping, Sequence

import pytest
from invented import listed, rooted, together_of

from etl.resolve.coauthors import LONGEST_EVIDENCE, Coauthors

ANN, FULL = "Ann Bell", "Ann B. Bell"
Listing = tuple[Sequence[str], str | None]


def coauthors(*listings: Listing, roots: Mapping[str, str] | None = None) -> Coauthors:
    """Who is beside whom in bylines, each with its page's owner; equal names only where `roots` says so."""
    names = {ANN, FULL, *(name for some, owner in listings for name in (*some, owner) if name)}
    return Coauthors(listed(*listings), rooted({name: name for name in names} | dict(roots or {})))


def shared(*listings: Listing, roots: Mapping[str, str] | None = None) -> str | None:
    """The co-author that Ann's two names share."""
    found = coauthors(*listings, roots=roots)
    one = found.shared([(ANN, FULL)]).get((ANN, FULL))
    assert found.shared([(FULL, ANN)]).get((FULL, ANN)) == one
    return one


def crowd(count: int) -> list[str]:
    """So many names, Ann's fuller one the first of them."""
    return [FULL, *(f"Author {number}" for number in range(1, count))]


def test_two_names_share_a_co_author_who_stands_beside_both() -> None:
    assert shared(([ANN, "Cy Dole"], None), (["Cy Dole", FULL], None)) == "Cy Dole"


@pytest.mark.parametrize(
    "listings",
    [
        pytest.param([([ANN, "Cy Dole"], None), ([FULL, "Eve Fox"], None)], id="two co-authors"),
        pytest.param([([ANN], None), ([FULL], None)], id="none"),
        pytest.param([([ANN, FULL], None)], id="only one another"),
        pytest.param([([FULL], ANN), ([ANN], FULL)], id="only one another, as owners"),
        pytest.param(
            [
                ([ANN, "Cy Dole"], None),
                (["Cy Dole", "Eve Fox"], None),
                ([FULL, "Eve Fox"], None),
            ],
            id="a co-author's co-author",
        ),
    ],
)
def test_without_a_common_co_author_there_is_no_evidence(listings: list[Listing]) -> None:
    assert shared(*listings) is None


def test_of_several_shared_co_authors_the_first_in_order_is_named() -> None:
    people = ["Eve Fox", "Cy Dole", "Ida Karr"]
    assert shared(([ANN, *people], None), ([*people, FULL], None)) == "Cy Dole"


def test_a_pages_owner_is_a_co_author_on_every_listing() -> None:
    assert shared(([ANN, "Cy Dole"], "Ida Karr"), ([FULL, "Eve Fox"], "Ida Karr")) == "Ida Karr"


def test_a_pages_owner_has_the_co_authors_of_every_listing() -> None:
    assert shared((["Eve Fox", "Cy Dole"], ANN), ([FULL, "Cy Dole"], None)) == "Cy Dole"


def test_an_owner_behind_et_al_is_not_named_by_the_byline() -> None:
    assert not together_of(coauthors(([FULL, "Cy Dole"], ANN)), (ANN, FULL))(ANN, FULL)


@pytest.mark.parametrize(("count", "name"), [(LONGEST_EVIDENCE, "Author 1"), (LONGEST_EVIDENCE + 1, None)])
def test_a_byline_of_over_a_hundred_names_is_no_evidence(count: int, name: str | None) -> None:
    assert LONGEST_EVIDENCE == 100
    assert shared(([ANN, "Author 1"], "Ida Karr"), (crowd(count), None)) == name


def test_the_owner_of_a_long_byline_is_no_evidence_either() -> None:
    assert shared(([ANN], "Ida Karr"), (crowd(101), "Ida Karr")) is None


def test_a_long_byline_still_tells_two_people_apart() -> None:
    found = coauthors(([*crowd(500), ANN], None))
    assert together_of(found, (ANN, FULL))(ANN, FULL)
    assert together_of(found, (FULL, ANN))(FULL, ANN)


def test_one_byline_names_two_people_and_two_bylines_need_not() -> None:
    assert together_of(coauthors(([ANN, FULL], None)), (ANN, FULL))(ANN, FULL)
    assert not together_of(coauthors(([ANN, "Cy Dole"], None), ([FULL, "Cy Dole"], None)), (ANN, FULL))(ANN, FULL)


def test_equal_spellings_are_one_co_author() -> None:
    roots = {"Cy Dole": "CY DOLE"}
    assert shared(([ANN, "Cy Dole"], None), ([FULL, "CY DOLE"], None), roots=roots) == "CY DOLE"


def test_a_name_twice_in_a_byline_is_not_beside_itself() -> None:
    found = coauthors(([ANN, "ANN BELL", ANN], None), roots={ANN: "ANN BELL"})
    assert not together_of(found, ("ANN BELL", "ANN BELL"))("ANN BELL", "ANN BELL")


def test_a_group_is_no_co_author() -> None:
    listings = listed(([ANN, "Tower Group"], None), ([FULL, "Tower Group"], None))
    roots = {name: name for name in (ANN, FULL, "Tower Group")}
    assert Coauthors(listings, rooted(roots, {"Tower Group"})).shared([(ANN, FULL)]) == {}
