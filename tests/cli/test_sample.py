"""The page that comes with paperledger, built: every count that is known of it, in SQLite and in Parquet."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from parquet_readers import PARQUET_READERS, Rows
from rich.console import Console

from etl.pipeline import Built, Request, build
from etl.progress import Progress
from etl.release.release import find_profile, rebuild_page
from schemas import TABLES

SAMPLE = files("etl").joinpath("sample")
SOURCE = "mehdi-rezagholizadeh.txt"
COUNTS = {
    "categories": 6,
    "authors": 69,
    "author_names": 71,
    "profiles": 1,
    "papers": 50,
    "paper_authors": 178,
    "listings": 50,
    "variants": 0,
    "institutions": 1,
    "paper_institutions": 3,
    "links": 5,
    "quarantine": 0,
    "findings": 2,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(Request([str(SAMPLE)], tmp_path_factory.mktemp("sample")), Progress(Console(quiet=True)))


@pytest.fixture(scope="module")
def database(built: Built) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(built.release.path / "paperledger.db")) as connection:
        yield connection


@pytest.mark.parametrize("name", COUNTS)
def test_a_table_has_as_many_rows_as_the_page_says(database: sqlite3.Connection, name: str) -> None:
    assert database.execute(f"SELECT count(*) FROM {name}").fetchall() == [(COUNTS[name],)]  # noqa: S608


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "SELECT h_index, stated_papers, listed_papers, citations, novelty_pct, ai_score, field, category_id"
            " FROM profiles",
            [(87, 76, 50, 17521, 50, 58, "CL", "cs.CL")],
            id="profile",
        ),
        pytest.param("SELECT source, lines, newline FROM profiles", [(SOURCE, 360, "LF")], id="file"),
        pytest.param("SELECT line_start, line_end FROM listings WHERE position = 1", [(12, 17)], id="first-listing"),
        pytest.param("SELECT count(*) FROM paper_authors WHERE position IS NULL", [(28,)], id="behind-et-al"),
        pytest.param(
            "SELECT category_id FROM categories ORDER BY 1",
            [("cs.CL",), ("cs.CV",), ("cs.IR",), ("cs.LG",), ("cs.SD",), ("eess.AS",)],
            id="categories",
        ),
        pytest.param(
            "SELECT strftime('%Y', published), count(*) FROM papers WHERE year_inferred GROUP BY 1",
            [("2026", 3)],
            id="inferred-years",
        ),
        pytest.param("SELECT count(*) FROM papers WHERE published IS NULL", [(0,)], id="dated"),
        pytest.param("SELECT count(*) FROM papers WHERE authors_truncated", [(45,)], id="cut-bylines"),
        pytest.param("SELECT count(*) FROM papers WHERE has_code", [(6,)], id="code"),
        pytest.param("SELECT institution_id, name FROM institutions", [("mila", "mila")], id="institution"),
        pytest.param("SELECT kind, count(*) FROM links GROUP BY 1", [("code", 4), ("site", 1)], id="links"),
        pytest.param("SELECT url FROM links WHERE kind = 'site'", [("http://miracl.ai/",)], id="site"),
        pytest.param("SELECT spelling_count, count(*) FROM authors GROUP BY 1", [(1, 67), (2, 2)], id="spellings"),
        pytest.param(
            "SELECT rule_id, source, line_start, line_end, value FROM findings ORDER BY line_start LIMIT 2",
            [
                ("PRO-001", SOURCE, 4, 4, "87"),
                ("PAP-002", SOURCE, 339, 339, "results in seven translation tasks and three for images with"),
            ],
            id="findings",
        ),
        pytest.param(
            "SELECT rule_id, source, line_start, line_end FROM findings ORDER BY line_start DESC LIMIT 1",
            [("PAP-002", SOURCE, 339, 339)],
            id="cut-abstract",
        ),
        pytest.param(
            "SELECT severity, checked, failed, status FROM rules WHERE rule_id = 'PAP-003'",
            [("info", 50, 3, "noted")],
            id="counted",
        ),
        pytest.param(
            "SELECT count(*) FROM findings JOIN rules USING (rule_id) WHERE severity = 'info'", [(0,)], id="no-info"
        ),
        pytest.param(
            "SELECT citekey FROM papers JOIN listings USING (paper_id) WHERE position = 1",
            [("valipour2022dylora",)],
            id="citekey",
        ),
        pytest.param(
            "SELECT stated_papers, listed_papers, round(share, 4) FROM coverage", [(76, 50, 0.6579)], id="coverage"
        ),
        pytest.param("SELECT count(*) FROM papers_fts WHERE papers_fts MATCH 'lora'", [(1,)], id="search"),
        pytest.param("PRAGMA foreign_key_check", [], id="foreign-keys"),
        pytest.param("PRAGMA integrity_check", [("ok",)], id="integrity"),
    ],
)
def test_the_dataset_says_what_the_page_says(database: sqlite3.Connection, query: str, expected: Rows) -> None:
    assert database.execute(query).fetchall() == expected


def test_every_table_is_strict(database: sqlite3.Connection) -> None:
    strict = database.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND strict").fetchall()
    assert {name for (name,) in strict} == set(TABLES)


def test_the_page_comes_back_byte_for_byte(database: sqlite3.Connection) -> None:
    page = rebuild_page(database, find_profile(database, SOURCE))
    assert page == SAMPLE.joinpath(SOURCE).read_bytes()


@pytest.mark.parametrize("read", PARQUET_READERS)
@pytest.mark.parametrize("name", TABLES)
def test_a_parquet_file_equals_its_table_row_by_row(
    built: Built, database: sqlite3.Connection, name: str, read: Callable[[Path], Rows]
) -> None:
    key = ", ".join(TABLES[name].definition().primary_key)
    rows = database.execute(f"SELECT * FROM {name} ORDER BY {key}").fetchall()  # noqa: S608
    assert read(built.release.path / f"{name}.parquet") == TABLES[name].read(rows).rows()


def test_the_reference_beside_the_page_completes_seven_bylines(tmp_path: Path) -> None:
    request = Request([str(SAMPLE)], tmp_path, reference=[Path(str(SAMPLE)) / "arxiv.jsonl"])
    tables = build(request, Progress(Console(quiet=True))).tables
    assert tables["paper_identifiers"].height == 7
    assert tables["papers"].filter("authors_truncated", pl.col("author_count").is_not_null()).height == 7
    assert tables["paper_authors"].filter(pl.col("position").is_null()).height == 23
    (kronecker,) = tables["paper_identifiers"].filter(value="2212.10650")["paper_id"]
    names = tables["paper_authors"].filter(paper_id=kronecker).sort("position").select("name", "source").rows()
    assert names == [
        ("Ali Edalati", "byline"),
        ("Marzieh Tahaei", "byline"),
        ("Ivan Kobyzev", "byline"),
        ("Vahid Partovi Nia", "reference"),
        ("James J. Clark", "reference"),
        ("Mehdi Rezagholizadeh", "reference"),
    ]
