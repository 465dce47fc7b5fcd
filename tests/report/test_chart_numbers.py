"""The charts' numbers: those that their SQL gives, few however many papers there are, and lower bounds called so."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chart_cases import CASES, SOUND, UNDATED, many
from helpers import tables_of

from etl.load.sqlite import write_database
from etl.report.charts import (
    CATEGORIES,
    PEOPLE_IN_NETWORK,
    PERIODS,
    SHOWN_PAGES,
    SHOWN_PAIRS,
    SHOWN_PEOPLE,
    Chart,
    charts_of,
)
from etl.resolve.dates import newest_pages
from schemas import Frames


def chart(tables: Frames, name: str) -> Chart:
    return next(chart for chart in charts_of(tables) if chart.id == name)


@pytest.fixture(scope="module")
def crowd() -> Frames:
    return many()


@pytest.mark.parametrize("tables", CASES.values(), ids=CASES)
def test_the_sql_gives_exactly_the_numbers(tables: Callable[[], Frames], tmp_path: Path) -> None:
    frames = tables()
    path = tmp_path / "paperledger.db"
    write_database(path, frames)
    with closing(sqlite3.connect(path)) as connection:
        for one in charts_of(frames):
            cursor = connection.execute(one.sql)
            assert [column[0] for column in cursor.description] == one.columns
            assert [list(row) for row in cursor] == one.rows, one.id


def test_every_paper_with_a_date_is_counted_once(crowd: Frames) -> None:
    one = chart(crowd, "papers")
    assert sum(int(row["papers"] or 0) for row in one.records()) == crowd["papers"]["published"].drop_nulls().len()
    assert "Papers without a known date (1) are left out." in one.says


def test_rare_categories_and_old_years_are_grouped(crowd: Frames) -> None:
    one = chart(crowd, "papers")
    assert one.columns[0] == "year"
    assert len({row["category"] for row in one.records()} - {"other"}) == CATEGORIES
    assert len({row["year"] for row in one.records()} - {"earlier"}) == PERIODS


def test_a_few_months_are_counted_by_month() -> None:
    assert chart(tables_of(SOUND), "papers").rows == [["2024-02", "cs.CL", 1]]


def test_numbers_are_few_however_many_papers_there_are(crowd: Frames) -> None:
    assert len(chart(crowd, "coverage").rows) == SHOWN_PAGES
    assert len(chart(crowd, "coauthors").rows) == SHOWN_PEOPLE
    pairs = chart(crowd, "network").records()
    assert 0 < len(pairs) <= SHOWN_PAIRS
    assert len({row[key] for row in pairs for key in ("author_id", "other_id")}) <= PEOPLE_IN_NETWORK


def test_what_is_left_out_is_told(crowd: Frames) -> None:
    pages = newest_pages(crowd["profiles"]).height
    assert f"Shown are {SHOWN_PAGES} of {pages} pages." in chart(crowd, "coverage").says
    assert f"Shown are {SHOWN_PEOPLE} of " in chart(crowd, "coauthors").says
    assert f"Shown are {len(chart(crowd, 'network').rows)} of " in chart(crowd, "network").says
    assert "Bylines of more than 50 names (1) are left out." in chart(crowd, "network").says
    assert "Shown are" not in "".join(one.says for one in charts_of(tables_of(SOUND)))


def test_the_page_that_lists_least_of_its_papers_comes_first(crowd: Frames) -> None:
    rows = chart(crowd, "coverage").records()
    shares = [int(row["listed_papers"] or 0) / int(row["stated_papers"] or 1) for row in rows]
    assert shares == sorted(shares)
    assert shares[0] == 3 / 8


@pytest.mark.parametrize("name", ["coauthors", "network"])
def test_numbers_over_cut_bylines_are_called_a_lower_bound(name: str, crowd: Frames) -> None:
    assert "A lower bound: 135 of 139 bylines are cut" in chart(crowd, name).says
    assert "lower bound" not in chart(tables_of(SOUND), name).says


def test_numbers_over_pages_that_list_a_part_are_called_a_lower_bound(crowd: Frames) -> None:
    assert "A lower bound: on 44 of 45 pages fewer papers are listed than stated" in chart(crowd, "papers").says
    assert "lower bound" not in chart(tables_of(SOUND), "papers").says


def test_nothing_to_count_gives_no_rows() -> None:
    assert [one.rows for one in charts_of(tables_of())] == [[]] * 5
    assert chart(tables_of(UNDATED), "papers").rows == []
