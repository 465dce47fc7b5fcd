"""The views say what the design promises of them."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from helpers import tables_of, write_database

from etl.resolve.dates import newest_pages
from schemas import VIEWS, Profiles


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database)) as connected:
        connected.row_factory = sqlite3.Row
        yield connected


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_columns_that_are_described(connection: sqlite3.Connection, name: str) -> None:
    cursor = connection.execute(f"SELECT * FROM {name}")  # noqa: S608
    assert [column[0] for column in cursor.description] == list(VIEWS[name].columns)


def test_paper_list_joins_the_byline_and_ends_it_where_it_is_cut(connection: sqlite3.Connection) -> None:
    found = connection.execute("SELECT * FROM paper_list ORDER BY published").fetchall()
    assert [row["authors"] for row in found] == ["Ann Bell; Cy Dole; et al.", "Ève Fox; C. Dole; Ann Bell"]
    assert [row["institutions"] for row in found] == ["mila; Tower Lab", None]
    assert [row["category"] for row in found] == ["Robotics", "Computation and Language"]
    assert [row["has_code"] for row in found] == [1, 0]


def test_paper_lists_author_names_are_a_json_list_with_those_behind_the_cut_last(
    connection: sqlite3.Connection,
) -> None:
    found = connection.execute("SELECT author_names FROM paper_list ORDER BY published")
    assert [json.loads(row["author_names"]) for row in found] == [
        ["Ann Bell", "Cy Dole", "Ève Fox"],
        ["Ève Fox", "C. Dole", "Ann Bell"],
    ]


def test_coauthors_hold_each_pair_in_both_directions(connection: sqlite3.Connection) -> None:
    pairs = {
        (row["author_id"], row["other_id"]): row["papers"] for row in connection.execute("SELECT * FROM coauthors")
    }
    assert pairs == {(other, author): papers for (author, other), papers in pairs.items()}
    assert pairs["ann-bell", "eve-fox"] == 2
    assert pairs["ann-bell", "c-dole"] == 1
    assert ("ann-bell", "ann-bell") not in pairs
    assert ("c-dole", "cy-dole") not in pairs


def test_coauthors_say_that_they_are_a_lower_bound() -> None:
    assert "lower bound" in VIEWS["coauthors"].description


def test_papers_are_counted_by_month_and_category(connection: sqlite3.Connection) -> None:
    found = connection.execute("SELECT * FROM papers_by_month ORDER BY month")
    assert [tuple(row) for row in found] == [("2025-03", "cs.RO", 1), ("2026-04", "cs.CL", 1)]


def test_finding_list_names_the_rule_and_the_lines(connection: sqlite3.Connection) -> None:
    found = connection.execute(
        "SELECT severity, rule_id, rule, source, lines, value FROM finding_list ORDER BY rule_id"
    )
    assert [tuple(row) for row in found][:2] == [
        ("warning", "PAG-004", "Lines belong to the header or to a block", "p0.txt", "19-20", "Advertisement"),
        ("warning", "PAG-006", "A page lists the papers that it states, up to the site's limit", "p0.txt", "5", "2/3"),
    ]


def test_coverage_is_a_share_or_null_where_nothing_is_stated(connection: sqlite3.Connection) -> None:
    found = connection.execute("SELECT name, stated_papers, listed_papers, share FROM coverage ORDER BY name")
    assert [tuple(row) for row in found] == [("Ann Bell", 3, 2, pytest.approx(2 / 3)), ("Eve Fox", None, 1, None)]


def test_paper_list_shows_the_first_identifier_of_each_kind(connection: sqlite3.Connection) -> None:
    found = connection.execute("SELECT arxiv_id, doi FROM paper_list ORDER BY arxiv_id IS NULL")
    assert [tuple(row) for row in found] == [("2404.00002", "10.1000/a"), (None, None)]


def page(owner: str, listed: int, stated: int, h_index: int) -> str:
    blocks = [
        f"CLMay {number}, 2024\nOn Bells of Tower {number}\n\n{owner}, Cy Dole\n\nThey ring."
        for number in range(1, listed + 1)
    ]
    head = f"{owner}\n\nCL\nh-index{h_index}\n{stated}papers\n\n{stated} Papers"
    return "\n\n".join([head, *blocks])


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Ann's page saved on three days, in an order that is not theirs, Eve's once, and one without a name twice."""
    texts = [page("Ann Bell", 3, 6, 2), page("Ann Bell", 5, 8, 4), page("Ann Bell", 4, 7, 3), page("Eve Fox", 1, 2, 1)]
    nameless = [f"CLJun {day}, 2024\nOn Ropes {day}\n\nCy Dole, Ida Hale\n\nThey hold." for day in (1, 2)]
    days = [date(2026, 1, 1), date(2026, 3, 1), date(2026, 2, 1), None, date(2026, 1, 1), date(2026, 2, 1)]
    write_database(tmp_path / "snapshots.db", tables_of(*texts, *nameless, observed_on=days))
    with closing(sqlite3.connect(tmp_path / "snapshots.db")) as connected:
        yield connected


def test_several_pages_of_one_person_count_once_in_coverage_by_the_newest(snapshots: sqlite3.Connection) -> None:
    found = snapshots.execute(
        "SELECT name, observed_on, listed_papers, stated_papers FROM coverage ORDER BY name, observed_on"
    )
    assert found.fetchall() == [
        (None, "2026-01-01", 1, None),
        (None, "2026-02-01", 1, None),
        ("Ann Bell", "2026-03-01", 5, 8),
        ("Eve Fox", None, 1, 2),
    ]


def test_the_newest_pages_of_a_frame_are_those_of_the_view(snapshots: sqlite3.Connection) -> None:
    ids = {one for (one,) in snapshots.execute("SELECT profile_id FROM coverage")}
    frame = Profiles.read(snapshots.execute("SELECT * FROM profiles").fetchall())
    assert set(newest_pages(frame)["profile_id"]) == ids
    assert newest_pages(frame.clear()).is_empty()


def test_of_pages_saved_on_one_day_the_smallest_identifier_counts(tmp_path: Path) -> None:
    tables = tables_of(page("Ann Bell", 3, 6, 2), page("Ann Bell", 5, 8, 4), observed_on=date(2026, 1, 1))
    write_database(tmp_path / "same.db", tables)
    with closing(sqlite3.connect(tmp_path / "same.db")) as connected:
        found = [one for (one,) in connected.execute("SELECT profile_id FROM coverage")]
    assert found == [tables["profiles"]["profile_id"].min()] == newest_pages(tables["profiles"])["profile_id"].to_list()


def test_profile_history_has_a_row_for_each_page_with_an_owner_by_date(snapshots: sqlite3.Connection) -> None:
    found = snapshots.execute("SELECT * FROM profile_history WHERE author_id = 'ann-bell'")
    assert found.fetchall() == [
        ("ann-bell", "2026-01-01", 2, None, 6),
        ("ann-bell", "2026-02-01", 3, None, 7),
        ("ann-bell", "2026-03-01", 4, None, 8),
    ]
    assert snapshots.execute("SELECT count(*) FROM profile_history").fetchone() == (4,)


def plan(connection: sqlite3.Connection, sql: str, *values: str) -> list[str]:
    """How SQLite goes about a query, the outermost loops first."""
    return [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values) if row["parent"] == 0]


@pytest.mark.parametrize(
    ("sql", "begins"),
    [
        pytest.param(
            "SELECT * FROM paper_list ORDER BY published DESC LIMIT 50", "SCAN papers USING INDEX", id="first"
        ),
        pytest.param("SELECT * FROM paper_list WHERE paper_id = ''", "SEARCH papers USING INDEX", id="one-paper"),
        pytest.param(
            "SELECT has_code, count(*) FROM paper_list GROUP BY 1", "SCAN papers USING COVERING INDEX", id="facet"
        ),
        pytest.param(
            "SELECT category_id, count(*) FROM paper_list GROUP BY 1", "SCAN papers USING COVERING INDEX", id="category"
        ),
        pytest.param("SELECT count(*) FROM paper_list", "SCAN papers USING COVERING INDEX", id="count"),
        pytest.param("SELECT * FROM coauthors LIMIT 50", "SCAN authors", id="coauthors"),
        pytest.param("SELECT * FROM coauthors WHERE author_id = ''", "SEARCH authors USING INDEX", id="one-author"),
    ],
)
def test_a_view_is_read_by_an_index_and_not_sorted_whole(connection: sqlite3.Connection, sql: str, begins: str) -> None:
    steps = plan(connection, sql)
    assert steps[0].startswith(begins), steps
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps
