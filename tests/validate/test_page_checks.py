"""Pages against tables: a line in two rows, a line in none, and a row that says something else are all told."""

from typing import Any

import polars as pl
import pytest
from helpers import rebuilt, tables_of

from etl.validate.integrity import check_pages
from schemas import TABLES, Frames

PAGE = """Ann Bell

CL
2papers

2 Papers
Advertisement

CLMar 14, 2025
On Bells

Ann Bell, Cy Dole · mila

Bells ring.

CLApr 2, 2024
On Chimes

Eve Fox,  Ann Bell

They chime.
"""
LOST = "p0.txt: cannot be rebuilt from the tables; this is an error of the program, please report it"


def twice(line: int) -> str:
    return f"p0.txt: line {line} is in two rows; this is an error of the program, please report it"


@pytest.fixture(scope="module")
def tables() -> Frames:
    return tables_of(PAGE)


def told(tables: Frames) -> list[tuple[str, str]]:
    return [(failure.rule_id, failure.message) for failure in check_pages(tables)]


def test_a_page_is_given_back_and_nothing_is_told(tables: Frames) -> None:
    assert (tables["listings"].height, tables["quarantine"].height, tables["variants"].height) == (2, 1, 1)
    assert rebuilt(tables) == {"p0.txt": PAGE.encode()}
    assert told(tables) == []


@pytest.mark.parametrize(
    ("table", "change", "line"),
    [
        pytest.param("profiles", pl.col("header") + "\nAdvertisement", 7, id="header-and-quarantine"),
        pytest.param("profiles", pl.lit(PAGE.rstrip("\n").rpartition("\n\nCLApr")[0]).alias("header"), 7, id="header"),
        pytest.param("listings", pl.col("line_end") + 2, 16, id="two-listings"),
        pytest.param("quarantine", pl.col("line_start") - 1, 6, id="quarantine-and-header"),
        pytest.param("quarantine", pl.col("line_end") + 2, 9, id="quarantine-and-listing"),
        pytest.param("profiles", pl.col("lines") - 3, 16, id="behind-the-page"),
    ],
)
def test_a_line_in_two_rows_or_behind_the_page_is_told(tables: Frames, table: str, change: pl.Expr, line: int) -> None:
    broken = tables | {table: tables[table].with_columns(change)}
    assert ("PAG-002", twice(line)) in told(broken)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        pytest.param("profiles", {"header": "Ann Bell"}, id="header-cut"),
        pytest.param("profiles", {"newline": "CRLF"}, id="other-newline"),
        pytest.param("profiles", {"lines": 25}, id="line-more"),
        pytest.param("profiles", {"sha256": "0" * 64}, id="other-hash"),
        pytest.param("papers", {"title": "On Ropes"}, id="other-title"),
        pytest.param("papers", {"abstract": ""}, id="no-abstract"),
        pytest.param("papers", {"authors_truncated": True}, id="byline-cut"),
        pytest.param("paper_authors", {"name": "Ann Bell"}, id="other-name"),
        pytest.param("listings", {"badge": "CLMay 1"}, id="other-badge"),
        pytest.param("institutions", {"name": "Mila"}, id="other-institution"),
        pytest.param("quarantine", {"raw_text": "advertisement"}, id="other-raw-text"),
        pytest.param("variants", {"value": "?"}, id="other-variant"),
    ],
)
def test_a_row_that_says_something_else_is_told(tables: Frames, table: str, changes: dict[str, Any]) -> None:
    changed = tables[table].with_columns(**{column: pl.lit(value) for column, value in changes.items()})
    broken = tables | {table: TABLES[table].select(changed)}
    assert told(broken) == [("PAG-003", LOST)]


@pytest.mark.parametrize("table", ["listings", "quarantine", "variants", "paper_authors", "paper_institutions"])
def test_rows_that_are_lost_are_told(tables: Frames, table: str) -> None:
    assert told(tables | {table: tables[table].clear()}) == [("PAG-003", LOST)]


def test_every_page_that_is_damaged_is_told_and_no_other() -> None:
    pages = tables_of(PAGE, "Eve Fox\n\nCLMay 1, 2024\nOn Ropes\n\nEve Fox\n\nRopes hold.", "Cy Dole\n\n1papers")
    damaged = pl.when(pl.col("source") == "p1.txt").then(pl.lit("Eve")).otherwise("header").alias("header")
    broken = pages | {"profiles": pages["profiles"].with_columns(damaged)}
    assert told(broken) == [("PAG-003", LOST.replace("p0", "p1"))]
