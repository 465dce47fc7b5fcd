"""The checks of a row: each on a value that passes, one that fails, and null."""

from typing import Any

import polars as pl
import pytest
from helpers import tables_of

from etl.validate.integrity import Failure, failures
from schemas import Blocks, Listings
from schemas.blocks import WORDED
from schemas.limits import NAME_LETTERS, NAME_WORDS, SENTENCE_END
from schemas.table import at_least, day_exists, reads_like_names, says_something

NAMES = {"letters": NAME_LETTERS, "words": NAME_WORDS, "unlike": SENTENCE_END}
NUMBERS = dict.fromkeys(("month", "year", "line_start"), pl.Int64)


def verdicts(check: pl.Expr, column: str, rows: list[dict[str, Any]], dtype: Any) -> list[bool]:
    """What a check says of each row; it says nothing against null, which is for the column to allow."""
    frame = pl.DataFrame(rows, schema_overrides={**NUMBERS, column: dtype}, strict=False)
    return frame.select(check.fill_null(value=True)).to_series().to_list()


@pytest.mark.parametrize(
    ("line_start", "line_end", "passes"),
    [
        pytest.param(12, 13, True, id="behind"),
        pytest.param(12, 12, True, id="equal"),
        pytest.param(12, 11, False, id="before"),
        pytest.param(12, None, True, id="null"),
        pytest.param(None, 12, True, id="against-null"),
    ],
)
def test_at_least_compares_two_columns_of_a_row(line_start: int | None, line_end: int | None, passes: bool) -> None:
    rows = [{"line_start": line_start, "line_end": line_end}]
    assert verdicts(at_least("line_end", other="line_start"), "line_end", rows, pl.Int64) == [passes]


@pytest.mark.parametrize(
    ("month", "day", "year", "passes"),
    [
        pytest.param(1, 31, 2025, True, id="last-of-january"),
        pytest.param(1, 32, 2025, False, id="behind-january"),
        pytest.param(4, 30, None, True, id="last-of-april"),
        pytest.param(4, 31, None, False, id="behind-april"),
        pytest.param(3, 0, 2025, False, id="day-0"),
        pytest.param(2, 29, 2024, True, id="leap-year"),
        pytest.param(2, 29, 2023, False, id="common-year"),
        pytest.param(2, 29, 2000, True, id="leap-century"),
        pytest.param(2, 29, 1900, False, id="common-century"),
        pytest.param(2, 29, None, True, id="leap-day-without-year"),
        pytest.param(2, 30, None, False, id="no-leap-year-has-it"),
        pytest.param(0, 1, 2025, False, id="month-0"),
        pytest.param(13, 1, 2025, False, id="month-13"),
        pytest.param(3, 14, 0, False, id="year-0"),
        pytest.param(3, 14, 1, True, id="year-1"),
        pytest.param(3, None, 2025, True, id="null"),
    ],
)
def test_a_day_exists_in_its_month(month: int, day: int | None, year: int | None, passes: bool) -> None:
    rows = [{"month": month, "day": day, "year": year}]
    assert verdicts(day_exists("day", month="month", year="year"), "day", rows, pl.Int64) == [passes]


@pytest.mark.parametrize(
    ("names", "passes"),
    [
        pytest.param(["Ann Bell"], True, id="name"),
        pytest.param(["李伟", "Ève Fox"], True, id="other-scripts"),
        pytest.param(["Cy Dole, Jr.", "Fox Ph.D.", "A. B."], True, id="full-stops-of-names"),
        pytest.param([], False, id="nobody"),
        pytest.param(["x" * 100], True, id="100-letters"),
        pytest.param(["x" * 101], False, id="101-letters"),
        pytest.param([" ".join("abcdefghijkl")], True, id="12-words"),
        pytest.param(["  ".join("abcdefghijklm")], False, id="13-words"),
        pytest.param(["Ann Bell", "and they ring."], False, id="sentence-behind-a-name"),
        pytest.param(["Do they ring?"], False, id="question"),
        pytest.param(["They ring!"], False, id="shout"),
        pytest.param(None, True, id="null"),
    ],
)
def test_a_byline_reads_like_names(names: list[str] | None, passes: bool) -> None:
    dtype = pl.List(pl.String)
    assert verdicts(reads_like_names("names", **NAMES), "names", [{"names": names}], dtype) == [passes]


@pytest.mark.parametrize(
    ("title", "passes"),
    [
        pytest.param("On Bells", True, id="words"),
        pytest.param("7", True, id="one-digit"),
        pytest.param("钟", True, id="one-letter"),
        pytest.param("?", False, id="no-letter"),
        pytest.param("", False, id="empty"),
        pytest.param(" \t", False, id="white-space"),
        pytest.param("\u200b\u00a0\ufeff", False, id="invisible"),
        pytest.param(None, True, id="null"),
    ],
)
def test_a_title_says_something(title: str | None, passes: bool) -> None:
    assert verdicts(says_something("title", by=WORDED), "title", [{"title": title}], pl.String) == [passes]


def test_a_check_blames_the_row() -> None:
    block = "CLMay 1, 2024\nOn {}\n\nAnn Bell\n\nThey hold every bell.\n\n"
    listings = tables_of(block.format("Bells") + block.format("Ropes"))["listings"]
    second_ends_early = listings.with_columns(line_end=pl.col("line_start") + 1 - pl.col("position"))
    assert list(failures(Listings, second_ends_early)) == [Failure("line_end", "at_least", (1,))]


def test_the_checks_numbers_travel_with_the_schema() -> None:
    checks = {column.name: column.checks for column in Blocks.definition().columns}
    assert checks["line_end"] == (("at_least", {"other": "line_start"}),)
    assert checks["day"] == (("day_exists", {"month": "month", "year": "year"}),)
    assert checks["names"] == (("reads_like_names", {"letters": 100, "words": 12, "unlike": SENTENCE_END}),)
    assert checks["title"] == (("says_something", {"by": WORDED}),)
