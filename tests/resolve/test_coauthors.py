"""Evidence is a shared co-author, and two names in one byline are two people."""

import pytest

from etl.resolve.candidate_pairs import LONGEST_EVIDENCE, BylineEvidence, Coauthors, SameAs, SameGroups

ANN, FULL = "Ann Bell", "Ann B. Bell"


def coauthors(*listings: BylineEvidence, equal: SameGroups | None = None) -> Coauthors:
    return Coauthors(listings, {ANN, FULL}, equal or SameGroups())


def crowd(count: int) -> list[str]:
    """So many names, Ann's fuller one the first of them."""
    return [FULL, *(f"Author {number}" for number in range(1, count))]


def test_two_names_share_a_co_author_who_stands_beside_both() -> None:
    found = coauthors(BylineEvidence([ANN, "Cy Dole"], None), BylineEvidence(["Cy Dole", FULL], None))
    assert found.shared(ANN, FULL) == found.shared(FULL, ANN) == "Cy Dole"


@pytest.mark.parametrize(
    "listings",
    [
        pytest.param(
            [BylineEvidence([ANN, "Cy Dole"], None), BylineEvidence([FULL, "Eve Fox"], None)], id="two co-authors"
        ),
        pytest.param([BylineEvidence([ANN], None), BylineEvidence([FULL], None)], id="none"),
        pytest.param([BylineEvidence([ANN, FULL], None)], id="only one another"),
        pytest.param([BylineEvidence([FULL], ANN), BylineEvidence([ANN], FULL)], id="only one another, as owners"),
        pytest.param(
            [
                BylineEvidence([ANN, "Cy Dole"], None),
                BylineEvidence(["Cy Dole", "Eve Fox"], None),
                BylineEvidence([FULL, "Eve Fox"], None),
            ],
            id="a co-author's co-author",
        ),
    ],
)
def test_without_a_common_co_author_there_is_no_evidence(listings: list[BylineEvidence]) -> None:
    assert coauthors(*listings).shared(ANN, FULL) is None


def test_of_several_shared_co_authors_the_first_in_order_is_named() -> None:
    people = ["Eve Fox", "Cy Dole", "Ida Karr"]
    assert (
        coauthors(BylineEvidence([ANN, *people], None), BylineEvidence([*people, FULL], None)).shared(ANN, FULL)
        == "Cy Dole"
    )


def test_a_pages_owner_is_a_co_author_on_every_listing() -> None:
    found = coauthors(BylineEvidence([ANN, "Cy Dole"], "Ida Karr"), BylineEvidence([FULL, "Eve Fox"], "Ida Karr"))
    assert found.shared(ANN, FULL) == "Ida Karr"


def test_a_pages_owner_has_the_co_authors_of_every_listing() -> None:
    found = coauthors(BylineEvidence(["Eve Fox", "Cy Dole"], ANN), BylineEvidence([FULL, "Cy Dole"], None))
    assert found.shared(ANN, FULL) == "Cy Dole"


def test_an_owner_behind_et_al_is_not_named_by_the_byline() -> None:
    assert not coauthors(BylineEvidence([FULL, "Cy Dole"], ANN)).together(ANN, FULL)


@pytest.mark.parametrize(("count", "shared"), [(LONGEST_EVIDENCE, "Author 1"), (LONGEST_EVIDENCE + 1, None)])
def test_a_byline_of_over_a_hundred_names_is_no_evidence(count: int, shared: str | None) -> None:
    assert LONGEST_EVIDENCE == 100
    found = coauthors(BylineEvidence([ANN, "Author 1"], "Ida Karr"), BylineEvidence(crowd(count), None))
    assert found.shared(ANN, FULL) == shared


def test_the_owner_of_a_long_byline_is_no_evidence_either() -> None:
    assert (
        coauthors(BylineEvidence([ANN], "Ida Karr"), BylineEvidence(crowd(101), "Ida Karr")).shared(ANN, FULL) is None
    )


def test_a_long_byline_still_tells_two_people_apart() -> None:
    found = coauthors(BylineEvidence([*crowd(500), ANN], None))
    assert found.together(ANN, FULL)
    assert found.together(FULL, ANN)


def test_one_byline_names_two_people_and_two_bylines_need_not() -> None:
    assert coauthors(BylineEvidence([ANN, FULL], None)).together(ANN, FULL)
    assert not coauthors(BylineEvidence([ANN, "Cy Dole"], None), BylineEvidence([FULL, "Cy Dole"], None)).together(
        ANN, FULL
    )


def test_equal_spellings_are_one_co_author() -> None:
    equal = SameGroups()
    equal.join(SameAs("CY DOLE", "Cy Dole", "exact", ""))
    found = coauthors(BylineEvidence([ANN, "Cy Dole"], None), BylineEvidence([FULL, "CY DOLE"], None), equal=equal)
    assert found.shared(ANN, FULL) == "CY DOLE"


def test_a_name_twice_in_a_byline_is_not_beside_itself() -> None:
    equal = SameGroups()
    equal.join(SameAs(ANN, "ANN BELL", "exact", ""))
    assert not coauthors(BylineEvidence([ANN, "ANN BELL", ANN], None), equal=equal).together("ANN BELL", "ANN BELL")
