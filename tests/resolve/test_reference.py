"""Papers and records: which record a paper matches, and what the record completes."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers import parsed, rebuilt
from invented import block, page
from records import dated, lines, record

from etl.extract.records import read_reference
from etl.resolve.overrides import Overrides, PaperOverride, PersonOverride
from etl.resolve.reference import wanted
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.staging import combine, stage
from schemas import Frames

LONG = "They ring at every full hour of the day, and at no hour of the night, since the town sleeps; " * 2
CUT = "Ann Bell, Cy Dole et al."
"""The byline of the record, cut."""
Joined = Callable[..., Frames]


@pytest.fixture
def joined(tmp_path: Path) -> Joined:
    """The checked tables of pages, joined with records; every page must rebuild."""

    def tables_of(
        *texts: str,
        records: tuple[dict[str, Any], ...],
        observed_on: date | None = None,
        overrides: Overrides | None = None,
    ) -> Frames:
        (tmp_path / "arxiv.jsonl").write_bytes(lines(record("2001.00001", "On Something Else"), *records))
        pages = [parsed(text, f"p{number}.txt", observed_on) for number, text in enumerate(texts)]
        staged = combine([stage(pages)])
        decided = overrides or Overrides()
        listings = list_papers(staged.profiles, staged.blocks, decided)
        reference = read_reference([tmp_path / "arxiv.jsonl"], wanted(listings))
        tables = validate(resolve(staged.profiles, settle(listings, decided, reference), decided), staged, decided)
        assert tables["rules"].filter(status="failed").height == 0
        assert rebuilt(tables) == {f"p{number}.txt": text.encode() for number, text in enumerate(texts)}
        return tables

    return tables_of


def arxiv_ids(tables: Frames) -> list[str]:
    return sorted(tables["paper_identifiers"].filter(scheme="arxiv")["value"])


def authors(tables: Frames) -> list[tuple[int | None, str, str]]:
    ordered = tables["paper_authors"].sort("position", "name", nulls_last=True)
    return list(ordered.select("position", "name", "source").iter_rows())


def findings(tables: Frames, rule_id: str) -> list[tuple[int, str]]:
    return list(tables["findings"].filter(rule_id=rule_id).select("line_start", "message").iter_rows())


PRINTED_TITLE = 'Zoé\'s "Self-ringing" Bells of Groß-Hill: a β and $O(n)$ Study'


@pytest.mark.parametrize(
    ("changes", "matches"),
    [
        pytest.param({}, True, id="as printed"),
        pytest.param({"title": PRINTED_TITLE.replace("é", r"\'e")}, True, id="TeX for Unicode"),
        pytest.param({"title": PRINTED_TITLE.replace("é", r"{\'e}")}, True, id="TeX in braces"),
        pytest.param(
            {"title": PRINTED_TITLE.replace("ß", r"{\ss}").replace("β", r"$\beta$")}, True, id="TeX for letters"
        ),
        pytest.param({"title": PRINTED_TITLE.upper().replace("$O(N)$", "$O(n)$")}, True, id="changed case"),
        pytest.param({"title": f"{PRINTED_TITLE}..."}, True, id="trailing dots"),
        pytest.param({"title": PRINTED_TITLE.replace("-", "\u2011").replace('"', "\u201d")}, True, id="other hyphens"),
        pytest.param({"title": PRINTED_TITLE.replace(" Bells", "\n  Bells")}, True, id="broken over lines"),
        pytest.param({"title": f"{PRINTED_TITLE}: the Sequel"}, False, id="an added subtitle"),
        pytest.param({"title": f"{PRINTED_TITLE}: the Sequel", "abstract": f"  {LONG}\n"}, True, id="abstract equal"),
        pytest.param({"title": "Chimes", "abstract": LONG.replace("hour of", "hour\nof")}, True, id="abstract broken"),
        pytest.param({"title": "Chimes", "abstract": LONG.replace("night", "week")}, False, id="abstract of another"),
        pytest.param(dated("Thu, 2 May 2024 00:18:42 GMT"), True, id="a day later"),
        pytest.param(dated("Tue, 30 Apr 2024 00:18:42 GMT"), True, id="a day before"),
        pytest.param(dated("Fri, 3 May 2024 00:18:42 GMT"), False, id="two days later"),
        pytest.param(dated("Mon, 1 May 2023 00:18:42 GMT"), False, id="another year"),
        pytest.param({"authors_parsed": [["Bell", "A.", ""], ["Dole", "Cy", ""]]}, True, id="initial"),
        pytest.param({"authors_parsed": [["Bell", "Ann Beth", ""], ["Dole", "Cy", ""]]}, True, id="middle name"),
        pytest.param({"authors_parsed": [["Ann", "Bell", ""], ["Dole", "Cy", ""]]}, True, id="family name first"),
        pytest.param({"authors_parsed": [["Hill", "Gus", ""], ["Bell", "Ann", ""]]}, False, id="another first author"),
    ],
)
def test_a_record_matches_only_by_title_or_abstract_with_author_and_day(
    joined: Joined, changes: dict[str, Any], matches: bool
) -> None:
    printed = page("Ann Bell", block(CUT, title=PRINTED_TITLE, abstract=LONG.strip()))
    tables = joined(printed, records=(record(**{"title": PRINTED_TITLE, "abstract": "Nothing."} | changes),))
    assert arxiv_ids(tables) == ["2405.00001"] * matches


@pytest.mark.parametrize(
    ("badge", "created", "published"),
    [
        ("CLDec 31", "Wed, 1 Jan 2020 00:18:42 GMT", date(2019, 12, 31)),
        ("CLJan 1", "Tue, 31 Dec 2019 23:18:42 GMT", date(2020, 1, 1)),
        ("CLFeb 29", "Sat, 29 Feb 2020 23:18:42 GMT", date(2020, 2, 29)),
    ],
)
def test_the_record_tells_the_year_over_new_year_too(joined: Joined, badge: str, created: str, published: date) -> None:
    tables = joined(page("Ann Bell", block(CUT, badge=badge)), records=(record(**dated(created)),))
    assert tables["papers"].select("published", "year_inferred").rows() == [(published, False)]


def test_on_a_page_saved_on_a_known_day_a_record_of_another_year_does_not_match(joined: Joined) -> None:
    old = record(**dated("Fri, 1 May 2015 19:18:42 GMT"))
    tables = joined(page("Ann Bell", block(CUT, badge="CLMay 1")), records=(old,), observed_on=date(2024, 6, 1))
    assert arxiv_ids(tables) == []


def test_a_record_given_twice_counts_once(joined: Joined) -> None:
    tables = joined(page("Ann Bell", block(CUT)), records=(record(), record()))
    assert (arxiv_ids(tables), findings(tables, "REF-002")) == (["2405.00001"], [])


def test_of_two_records_that_fit_equally_none_is_taken(joined: Joined) -> None:
    tables = joined(page("Ann Bell", block(CUT)), records=(record(), record("2405.00002")))
    assert arxiv_ids(tables) == []
    ((line, message),) = findings(tables, "REF-002")
    assert (line, "2405.00001, 2405.00002" in message) == (7, True)
    assert authors(tables) == [(1, "Ann Bell", "byline"), (2, "Cy Dole", "byline")]


@pytest.mark.parametrize(
    "other",
    [dated("Thu, 2 May 2024 19:18:42 GMT"), {"abstract": "Another."}, {"categories": "math.CO"}],
    ids=["day", "abstract", "category"],
)
def test_of_two_records_of_one_title_the_one_that_fits_better_is_taken(joined: Joined, other: dict[str, Any]) -> None:
    printed = page("Ann Bell", block(CUT, abstract=LONG.strip()))
    tables = joined(printed, records=(record("2405.00002", **{"abstract": LONG} | other), record(abstract=LONG)))
    assert arxiv_ids(tables) == ["2405.00001"]


def test_two_papers_of_one_page_are_never_one_record(joined: Joined) -> None:
    printed = page("Ann Bell", block(CUT), block(CUT, badge="CLMay 2, 2024"))
    tables = joined(printed, records=(record(),))
    assert tables["papers"].height == 2
    assert arxiv_ids(tables) == ["2405.00001"]


def test_papers_of_one_record_are_one_under_the_smallest_id(joined: Joined) -> None:
    printed = [
        page("Ann Bell", block(CUT, title=title, abstract=LONG.strip())) for title in ("On Bells", "On Bells and Ropes")
    ]
    alone = set(joined(*printed, records=())["papers"]["paper_id"])
    tables = joined(*printed, records=(record(abstract=LONG),))
    assert tables["papers"]["paper_id"].to_list() == [min(alone)]
    assert tables["listings"]["alias_id"].drop_nulls().to_list() == [max(alone)]


def test_a_record_fills_what_the_page_cuts(joined: Joined) -> None:
    doi = "10.1000/(SICI)1;2 10.1000/two"
    tables = joined(page("Hill Gus", block(CUT, badge="CLMay 1")), records=(record(doi=doi),))
    assert authors(tables) == [
        (1, "Ann Bell", "byline"),
        (2, "Cy Dole", "byline"),
        (3, "Eve Fox", "reference"),
        (4, "Gus Hill", "reference"),
    ]
    columns = ("listed_author_count", "author_count", "authors_truncated", "published", "year_inferred", "category_id")
    assert tables["papers"].select(columns).rows() == [(2, 4, True, date(2024, 5, 1), False, "cs.CL")]
    assert tables["paper_categories"].select("category_id", "is_primary", "source").sort("category_id").rows() == [
        ("cs.CL", True, "reference"),
        ("cs.LG", False, "reference"),
    ]
    assert tables["listings"]["category_resolution"].to_list() == ["reference"]
    (paper_id,) = tables["papers"]["paper_id"]
    evidence = "title, first author and day of arxiv.jsonl, line 2"
    assert tables["paper_identifiers"].sort("value").rows() == [
        (paper_id, "doi", "10.1000/(SICI)1;2", "https://doi.org/10.1000/(SICI)1;2", "title_author_date", evidence),
        (paper_id, "doi", "10.1000/two", "https://doi.org/10.1000/two", "title_author_date", evidence),
        (paper_id, "arxiv", "2405.00001", "https://arxiv.org/abs/2405.00001", "title_author_date", evidence),
    ]


def test_an_ambiguous_badge_is_what_the_record_says(joined: Joined) -> None:
    tables = joined(page("Ann Bell", block(CUT, badge="CVMay 1, 2024")), records=(record(categories="math.CV"),))
    assert tables["papers"]["category_id"].to_list() == ["math.CV"]


def test_where_byline_and_record_differ_the_byline_stays_and_it_is_told(joined: Joined) -> None:
    other = [["Bell", "Ann", ""], ["Fox", "Eve", ""], ["Hill", "Gus", ""]]
    tables = joined(page("Ann Bell", block(CUT)), records=(record(authors_parsed=other),))
    assert arxiv_ids(tables) == ["2405.00001"]
    assert authors(tables) == [(1, "Ann Bell", "byline"), (2, "Cy Dole", "byline")]
    assert tables["papers"]["author_count"].to_list() == [None]
    ((line, message),) = findings(tables, "REF-001")
    assert line == 10
    assert "Cy Dole where the record arXiv:2405.00001 has Eve Fox" in message


def test_a_whole_byline_of_fewer_names_than_the_record_is_told(joined: Joined) -> None:
    tables = joined(page("Ann Bell", block("Ann Bell, Cy Dole")), records=(record(),))
    ((_, message),) = findings(tables, "REF-001")
    assert "2 names where the record arXiv:2405.00001 has 4 names" in message
    assert tables["papers"]["author_count"].to_list() == [2]


def test_an_owner_behind_the_cut_has_the_place_of_the_record(joined: Joined) -> None:
    tables = joined(page("Gustav Hill", block("Ann Bell, Cy Dole et al.")), records=(
        record(authors_parsed=[["Bell", "Ann", ""], ["Dole", "Cy", ""], ["Hill", "G.", ""]]),
    ))  # fmt: skip
    assert authors(tables) == [(1, "Ann Bell", "byline"), (2, "Cy Dole", "byline"), (3, "G. Hill", "reference")]
    owner = tables["profiles"]["author_id"].item()
    assert tables["paper_authors"].filter(position=3)["author_id"].to_list() == [owner]


def test_names_behind_the_cut_are_evidence(joined: Joined) -> None:
    printed = [
        page("Eve Fox", block("Ann Bell et al.")),
        page("Ida Lund", block("Ann B. Bell et al.", title="On Ropes")),
    ]
    people = [["Bell", "Ann B.", ""], ["Fox", "Eve", ""], ["Lund", "Ida", ""]]
    apart = joined(*printed, records=())
    tables = joined(*printed, records=(
        record(authors_parsed=[["Bell", "Ann", ""], ["Fox", "Eve", ""]]),
        record("2405.00002", "On Ropes", authors_parsed=people),
    ))  # fmt: skip
    assert {"ann-bell", "ann-b-bell"} <= set(apart["authors"]["author_id"])
    assert "ann-bell" not in set(tables["authors"]["author_id"])


def test_a_group_and_its_colon_keep_their_places(joined: Joined) -> None:
    people = [["Tower Team", "", ""], [":", "", ""], ["Bell", "Ann", ""], ["Dole", "Cy", ""]]
    tables = joined(page("Ann Bell", block("The Tower Team, :, Ann Bell et al.")), records=(
        record(authors_parsed=people, authors="Tower Team, :, Ann Bell, Cy Dole"),
    ))  # fmt: skip
    assert authors(tables) == [
        (1, "The Tower Team", "byline"),
        (2, "Ann Bell", "byline"),
        (3, "Cy Dole", "reference"),
    ]


def test_a_name_twice_in_a_record_counts_once(joined: Joined) -> None:
    people = [["Bell", "Ann", ""], ["Dole", "Cy", ""], ["Fox", "Eve", ""], ["Fox", "Eve", ""]]
    tables = joined(page("Ann Bell", block(CUT)), records=(record(authors_parsed=people),))
    assert tables["papers"]["author_count"].to_list() == [3]


def test_papers_that_share_a_doi_may_be_one(joined: Joined) -> None:
    printed = page("Ann Bell", block(CUT), block(CUT, title="On Ropes"))
    tables = joined(printed, records=(record(doi="10.1000/one"), record("2405.00002", "On Ropes", doi="10.1000/one")))
    assert tables["paper_candidates"]["matched_by"].to_list() == ["same_identifier"]


def test_overrides_name_papers_by_their_arxiv_ids(joined: Joined) -> None:
    overrides = Overrides(
        persons=(PersonOverride(name="Ann Bell", line=1, name_as="Ann Bell (Tower)", papers=("2405.00001",)),),
        papers=(PaperOverride(line=5, paper_id="2405.00001", category_id="math.CO"),),
    )
    tables = joined(page("Cy Dole", block(CUT)), records=(record(),), overrides=overrides)
    assert findings(tables, "AUT-005") == []
    assert tables["papers"]["category_id"].to_list() == ["math.CO"]
    assert "Ann Bell (Tower)" in set(tables["authors"]["name"])
    is_primary = tables["paper_categories"].filter(pl.col("is_primary"))
    assert is_primary["category_id"].to_list() == ["math.CO"]


def test_a_damaged_record_is_a_finding_with_file_and_line(joined: Joined) -> None:
    broken = {"id": "2405.00003"}
    tables = joined(page("Ann Bell", block(CUT)), records=(record(), broken))
    ((source, line, message),) = (
        tables["findings"].filter(rule_id="REF-003").select("source", "line_start", "message").rows()
    )
    assert (source, line) == ("arxiv.jsonl", 3)
    assert "title" in message


def test_a_reference_of_other_papers_changes_nothing(joined: Joined) -> None:
    printed = page("Ann Bell", block(CUT), block("Cy Dole et al.", title="On Ropes", badge="CVMay 3, 2023"))
    with_others = joined(printed, records=())
    pages = [parsed(printed, "p0.txt")]
    staged = combine([stage(pages)])
    listings = list_papers(staged.profiles, staged.blocks, Overrides())
    without = validate(resolve(staged.profiles, settle(listings, Overrides()), Overrides()), staged, Overrides())
    assert [name for name, frame in without.items() if name != "rules" and not frame.equals(with_others[name])] == []


@pytest.mark.parametrize(
    ("title", "abstract"), [("On Bells III", LONG), ("On Ropes", LONG + " Withdrawn by the authors.")]
)
def test_parts_of_a_work_and_notes_of_withdrawal_do_not_match_by_abstract(
    joined: Joined, title: str, abstract: str
) -> None:
    printed = page("Ann Bell", block(CUT, title="On Bells II", abstract=abstract.strip()))
    assert arxiv_ids(joined(printed, records=(record(title=title, abstract=abstract),))) == []


def test_a_record_whose_list_is_cut_completes_no_byline(joined: Joined) -> None:
    people = [["Bell", "Ann", ""], ["Dole", "Cy", ""], ["Fox", "Eve", ""], ["al.", "et", ""]]
    tables = joined(page("Ann Bell", block(CUT)), records=(record(authors_parsed=people),))
    assert arxiv_ids(tables) == ["2405.00001"]
    assert tables["papers"]["author_count"].to_list() == [None]


def test_a_badge_stays_where_the_records_first_category_is_not_known(joined: Joined) -> None:
    tables = joined(page("Ann Bell", block(CUT)), records=(record(categories="cs.XX cs.LG"),))
    assert tables["papers"]["category_id"].to_list() == ["cs.CL"]
