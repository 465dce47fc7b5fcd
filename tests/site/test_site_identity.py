"""Groups, other identifiers of papers, candidates and how sure a category is, as the site shows them: tables made by hand."""

import asyncio
import json
from datetime import date
from pathlib import Path

import httpx
import polars as pl
import pytest
from datasette.app import Datasette
from helpers import tables_of
from site_words import words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.load.publish import locked, publish
from etl.site.tables import target_of
from schemas import Authors, PaperCandidates

ALIAS = "a2b3c4d5e6f7a2b3"
SHARED = "z2z3z4z5z6z7z2z3"
ANN = """Ann Bell

CL
3papers

3 Papers

CLMay 1, 2024
On Ropes

Ann Bell, Cy Dole

Ropes hold.

CLMay 2, 2023
On Towers

Ann Bell, Cy Dole

Towers stand.

CLMay 3, 2022
On Bells

Tower, Eve Fox

Bells ring.
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in which listings have other identifiers, a name is a group's, and two papers may be one."""
    tables = tables_of(
        ANN, ANN.replace("Ropes hold.", "Ropes hold. "), observed_on=[date(2025, 1, 1), date(2025, 2, 1)]
    )
    group = pl.col("author_id") == "tower"
    tables["authors"] = Authors.select(
        tables["authors"].with_columns(
            pl.when(group).then(pl.lit("group")).otherwise("kind").alias("kind"),
            pl.when(~group).then("given").alias("given"),
        )
    )
    aliases = {1: ALIAS, 2: SHARED, 3: SHARED}
    tables["listings"] = tables["listings"].with_columns(
        pl.col("position").replace_strict(aliases, return_dtype=pl.String).alias("alias_id"),
        pl.lit("evidence").alias("category_resolution"),
        pl.lit(0.9234).alias("category_confidence"),
    )
    pair = sorted(tables["papers"].filter(pl.col("title") != "On Bells")["paper_id"])
    tables["paper_candidates"] = PaperCandidates.frame([(*pair, "other_date", "one title & author")])
    out = tmp_path_factory.mktemp("identity") / "build"
    with locked(out):
        return publish(out, tables, {}).resolve()


def page_of(release: Path, path: str, base_url: str = "/") -> httpx.Response:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    settings = {"base_url": base_url}
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings)
    return asyncio.run(site.client.get(path))


def paper(release: Path, title: str) -> str:
    found: str = page_of(release, f"/paperledger/papers.json?title={title}&_shape=array").json()[0]["paper_id"]
    return found


@pytest.mark.parametrize("ending", ["", ".json", "?_extra=1", ".json?_shape=array"])
def test_a_papers_other_identifier_redirects_to_the_paper(release: Path, ending: str) -> None:
    answer = page_of(release, f"/paperledger/papers/{ALIAS}{ending}")
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/paperledger/papers/{paper(release, 'On Ropes')}{ending}"


def test_the_way_to_the_paper_keeps_the_sites_prefix(release: Path) -> None:
    answer = page_of(release, f"/paperledger/papers/{ALIAS}", "/data/")
    assert answer.headers["location"] == f"/data/paperledger/papers/{paper(release, 'On Ropes')}"


def test_an_identifier_of_several_papers_redirects_to_the_one_published_first(release: Path) -> None:
    answer = page_of(release, f"/paperledger/papers/{SHARED}")
    assert answer.headers["location"] == f"/paperledger/papers/{paper(release, 'On Bells')}"


@pytest.mark.parametrize("path", ["papers/2222222222222222", "papers/x", f"authors/{ALIAS}", f"papers/{ALIAS}x"])
def test_what_names_no_paper_is_still_not_found(release: Path, path: str) -> None:
    assert page_of(release, f"/paperledger/{path}").status_code == 404


def test_a_paper_shows_confidence_other_identifiers_and_candidates(release: Path) -> None:
    text = words(page_of(release, f"/paperledger/papers/{paper(release, 'On Ropes')}"))
    assert "the likeliest has 92.3% of the evidence" in text
    assert f"Other identifiers {ALIAS}" in text
    assert "Perhaps the same paper" in text
    assert "title and first author are the same, on another day: one title & author" in text


def test_a_paper_without_candidates_has_no_list_of_them(release: Path) -> None:
    assert "Perhaps the same paper" not in words(page_of(release, f"/paperledger/papers/{paper(release, 'On Bells')}"))


def test_a_group_is_called_so_and_has_no_parts_of_a_name(release: Path) -> None:
    text = words(page_of(release, "/paperledger/authors/tower"))
    assert "A group: a collaboration, team or company" in text
    assert "family name" not in text


def test_a_person_has_given_and_family_name(release: Path) -> None:
    assert "Given names Ann, family name Bell." in words(page_of(release, "/paperledger/authors/ann-bell"))


def test_bibtex_puts_a_group_in_braces(release: Path) -> None:
    entry = page_of(release, f"/-/bibtex/{paper(release, 'On Bells')}.bib").text
    assert "author = {{Tower} and Fox, Eve" in entry


def test_pages_of_one_person_saved_twice_count_once_on_the_home_page(release: Path) -> None:
    assert "pages list 3 of the 3 papers that they state (100%)" in words(page_of(release, "/"))


def test_each_page_of_a_person_shows_its_own_share(release: Path) -> None:
    assert words(page_of(release, "/paperledger/authors/ann-bell")).count("3 3 (100%)") == 2


@pytest.mark.parametrize(("table", "target"), [("coauthors", "authors"), ("paper_candidates", "papers")])
def test_a_key_of_several_tables_links_to_that_of_its_row(release: Path, table: str, target: str) -> None:
    keys = {"authors": ("author_id", "other_id"), "papers": ("paper_id", "other_id")}[target]
    assert target_of("other_id", keys) == target
    assert f'href="/paperledger/{target}/' in page_of(release, f"/paperledger/{table}").text


def test_a_listings_other_identifier_is_a_link(release: Path) -> None:
    assert f'<a href="/paperledger/papers/{ALIAS}">' in page_of(release, "/paperledger/listings").text


def test_authors_are_found_by_their_spellings(release: Path) -> None:
    found = page_of(release, "/paperledger/authors.json?_search=bell&_shape=array").json()
    assert [row["author_id"] for row in found] == ["ann-bell"]
