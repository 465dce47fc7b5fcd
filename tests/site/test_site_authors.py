"""The page of an author: papers by year, bars, numbers over saved pages, spellings; of one paper, of none with a date, of many."""

import asyncio
import json
import re
import sqlite3
from datetime import date
from pathlib import Path

import httpx
import polars as pl
import pytest
from datasette.app import Datasette
from helpers import tables_of
from site_words import links, words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.load.publish import locked, publish
from etl.site import author_pages
from etl.site.author_pages import author_page, year_bars
from schemas import Links, PaperIdentifiers

OLD = """Ann Bell

CL
h-index
3
120 citations
9papers

3 Papers

CLMay 1, 2022Code
On Ropes

Cy Dole, Ann Bell

Ropes hold.

CVMay 2, 2020
On Towers

Ann Bell, Cy Dole

Towers stand.

CLMay 3, 2020
On Bells

Eve Fox, Cy Dole, Ida Gray et al.

Bells ring.
"""
NEW = OLD.replace("3\n120 citations\n9papers", "5\n350 citations\n12papers").replace("Ropes hold.", "Ropes hold well.")
MANY = "Ida Many\n\nCL\n240papers\n\n240 Papers\n\n" + "\n\n".join(
    f"CLMay 1, {2000 + at // 40}\nBell {at}\n\nIda Many, Cy Dole{chr(97 + at // 26)}{chr(97 + at % 26)}\n\nIt rings well."
    for at in range(240)
)
UNDATED = "Jo Kerr\n\nCL\n1papers\n\n1 Papers\n\nCLMay 9\nOn Nothing\n\nJo Kerr\n\nNothing is known of it."


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person whose page was saved twice, one of 240 papers, and one whose only paper has no date."""
    saved = [date(2024, 1, 1), date(2025, 1, 1), date(2025, 1, 1), None]
    tables = tables_of(OLD, NEW, MANY, UNDATED, observed_on=saved)
    tables["papers"] = tables["papers"].with_columns(
        pl.when(pl.col("title") != "On Nothing").then("published").alias("published")
    )
    ropes = tables["papers"].filter(title="On Ropes")["paper_id"].item()
    matched = ("title_author_date", "title, author & date")
    tables["paper_identifiers"] = PaperIdentifiers.frame(
        [(ropes, "arxiv", "2205.00001", "https://arxiv.org/abs/2205.00001", *matched)]
    )
    tables["links"] = Links.frame([(ropes, "https://github.com/bell/ropes", "github.com", "code")])
    out = tmp_path_factory.mktemp("authors") / "build"
    with locked(out):
        return publish(out, tables, {}).resolve()


def page_of(release: Path, path: str) -> httpx.Response:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata)
    return asyncio.run(site.client.get(f"/paperledger/authors/{path}"))


def test_papers_are_listed_by_year_with_authors_category_links_and_place(release: Path) -> None:
    text = words(page_of(release, "ann-bell"))
    facts = "2022-05-01 cs.CL arXiv:2205.00001 code at github.com author 2 of 2"
    assert f"2022 1 On Ropes Cy Dole, Ann Bell {facts}" in text.replace(" ,", ",")
    assert text.index("2022 1 On Ropes") < text.index("2020 2 On")


def test_what_a_paper_names_is_linked_but_not_the_author(release: Path) -> None:
    found = links(page_of(release, "ann-bell"))
    assert {
        "/paperledger/authors/cy-dole",
        "/paperledger/categories/cs~2ECL",
        "https://arxiv.org/abs/2205.00001",
    } <= set(found)
    assert "https://github.com/bell/ropes" in found
    assert not [link for link in found if link.endswith("/authors/ann-bell")]


def test_an_unknown_place_is_explained_once(release: Path) -> None:
    text = words(page_of(release, "ann-bell"))
    assert text.count("unknown") == 1
    assert "it is unknown (1 of 3)" in text
    assert re.search(r"On Bells Eve Fox ?, Cy Dole ?, Ida Gray et al\.", text)


def test_bars_have_their_numbers_as_text_and_lead_to_the_year(release: Path) -> None:
    answer = page_of(release, "ann-bell")
    assert "2 papers in 2020 none in 2021 1 paper in 2022" in words(answer)
    assert "/paperledger/authors/ann-bell#y2020" in links(answer)
    assert 'id="y2020"' in answer.text


def test_numbers_of_all_saved_pages_are_shown_newest_first(release: Path) -> None:
    answer = page_of(release, "ann-bell")
    text = words(answer)
    assert "2025-01-01 5 350 12 3 (25%) p1.txt" in text
    assert text.index("p1.txt") < text.index("2024-01-01 3 120 9 3 (33%) p0.txt")
    assert "h-index 3 to 5" in text
    assert answer.text.count("<polyline") == 3
    assert "h-index on 2025-01-01 5" in text


def test_counts_are_called_lower_bounds(release: Path) -> None:
    text = words(page_of(release, "ann-bell"))
    assert "papers, at least 3 co-authors, at least 3" in text
    assert "the bylines of 1 of these are cut" in text


def test_many_papers_come_in_parts_and_the_bars_lead_to_each(release: Path) -> None:
    first, last = page_of(release, "ida-many"), page_of(release, "ida-many?page=3")
    assert "Part 1 of 3 Older papers" in words(first)
    assert "Newer papers Part 3 of 3" in words(last)
    assert "2003 20 of 40" in words(first)
    assert "/paperledger/authors/ida-many?page=2#y2002" in links(first)
    assert "/paperledger/authors/ida-many?page=3#y2000" in links(first)
    for part, bars in ((1, ("2005", "2004", "2003")), (2, ("2003", "2002", "2001")), (3, ("2000",))):
        text = page_of(release, f"ida-many?page={part}").text
        assert tuple(re.findall(r'id="y(\d+)"', text)) == bars


@pytest.mark.parametrize("part", ["0", "-1", "99999999999999999999", "x", "", "²"])
def test_a_part_that_is_not_there_is_the_nearest_or_the_first(release: Path, part: str) -> None:
    answer = page_of(release, f"ida-many?page={part}")
    assert (answer.status_code, "Part 1 of 3" in words(answer)) == (200, True)
    assert "Part 3 of 3" in words(page_of(release, "ida-many?page=4"))


def test_papers_without_a_date_come_last_under_their_own_heading(release: Path) -> None:
    answer = page_of(release, "jo-kerr")
    assert "Without a date 1 On Nothing" in words(answer)
    assert "/paperledger/authors/jo-kerr#yundated" in links(answer)


def test_co_authors_of_very_many_names_are_not_counted(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(author_pages, "MOST_NAMES", 5)
    assert "too many names to count here" in words(page_of(release, "ann-bell"))
    with sqlite3.connect(release / DATABASE_FILE) as database:
        shown = author_page(database, "ann-bell")
    assert shown
    assert shown.coauthors is None


def test_a_long_byline_is_cut_with_the_number_of_the_rest(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(author_pages, "SHOWN_NAMES", 1)
    assert re.search(r"On Ropes Cy Dole ?, and 1 more", words(page_of(release, "ann-bell")))


def test_bars_of_a_very_long_span_leave_empty_years_out() -> None:
    counts: dict[str | None, int] = {str(year): 1 for year in range(2024, 1000, -3)}
    bars = year_bars(counts)
    assert (len(bars), bars[-1].year, {bar.papers for bar in bars}) == (author_pages.SHOWN_YEARS, "2024", {1})
