"""The SQLite file says what the tables say, refuses what their models refuse, and can be searched."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from datasette.utils import detect_fts
from helpers import write_database

from etl.errors import PublicationError
from etl.load.sqlite import check_database
from schemas import SCHEMA_VERSION, TABLES, VIEWS, Frames

BELLS, CHIMES = "hahtrdf4xtbog7nf", "qz7akguwedbohkiy"
ANN_FORGES = (
    "INSERT INTO papers VALUES ('forged', 'On Forgery', '', NULL, '2025-03-14', 0, 1, 1, 0, 0, 'bell2025forgery')"
)


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database)) as connected:
        connected.execute("PRAGMA foreign_keys = ON")
        yield connected
        connected.rollback()


def stored(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


def rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def test_every_table_is_strict_and_the_rest_are_views_and_the_search_index(connection: sqlite3.Connection) -> None:
    listed = rows(connection, "SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main'")
    tables = {name: strict for name, kind, strict in listed if kind == "table" and not name.startswith("sqlite_")}
    assert tables == dict.fromkeys(TABLES, 1)
    assert {name for name, kind, _ in listed if kind == "view"} == set(VIEWS)
    assert {name for name, kind, _ in listed if kind == "virtual"} == {"papers_fts", "authors_fts"}


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_the_tables_in_the_order_of_the_key(connection: sqlite3.Connection, tables: Frames, name: str) -> None:
    expected = [tuple(map(stored, row)) for row in tables[name].iter_rows()]
    assert rows(connection, f"SELECT * FROM {name}") == expected  # noqa: S608
    key = [TABLES[name].definition().schema.names().index(column) for column in TABLES[name].definition().primary_key]
    assert expected == sorted(expected, key=lambda row: [row[place] for place in key])


def test_sqlites_own_checks_find_nothing(connection: sqlite3.Connection) -> None:
    assert rows(connection, "PRAGMA foreign_key_check") == []
    assert rows(connection, "PRAGMA integrity_check") == [("ok",)]
    connection.execute("INSERT INTO papers_fts(papers_fts, rank) VALUES ('integrity-check', 1)")
    connection.execute("INSERT INTO authors_fts(authors_fts, rank) VALUES ('integrity-check', 1)")


@pytest.mark.parametrize("name", TABLES)
def test_foreign_keys_are_declared(connection: sqlite3.Connection, name: str) -> None:
    declared = rows(connection, f'SELECT "from", "table", "to" FROM pragma_foreign_key_list(\'{name}\')')  # noqa: S608
    expected = [
        (column, key.table, target)
        for key in TABLES[name].definition().references
        for column, target in zip(key.columns, key.targets, strict=True)
    ]
    assert sorted(declared) == sorted(expected)


@pytest.mark.parametrize("name", TABLES)
def test_an_index_begins_with_every_foreign_key_and_facet(connection: sqlite3.Connection, name: str) -> None:
    sql = (
        "SELECT group_concat(columns.name) FROM pragma_index_list(?) AS indexes, pragma_index_info(indexes.name) AS columns"
        " GROUP BY indexes.name ORDER BY columns.seqno"
    )
    indexed = [tuple(columns.split(",")) for (columns,) in connection.execute(sql, [name])]
    definition = TABLES[name].definition()
    wanted = [*(key.columns for key in definition.references), *((c.name,) for c in definition.columns if c.facet)]
    assert [columns for columns in wanted if not any(index[: len(columns)] == columns for index in indexed)] == []


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        pytest.param("UPDATE papers SET published = '2025-02-30'", "CHECK", id="no-such-day"),
        pytest.param("UPDATE papers SET published = '2025-02-32'", "CHECK", id="day-32"),
        pytest.param("UPDATE papers SET published = '14.03.2025'", "CHECK", id="no-iso-date"),
        pytest.param("UPDATE papers SET has_code = 2", "CHECK", id="no-boolean"),
        pytest.param("UPDATE papers SET has_code = 'yes'", "cannot store TEXT", id="text-for-a-number"),
        pytest.param("UPDATE papers SET title = ''", "CHECK", id="no-title"),
        pytest.param("UPDATE papers SET title = NULL", "NOT NULL", id="null-title"),
        pytest.param("UPDATE papers SET listed_author_count = 0", "CHECK", id="no-author"),
        pytest.param("UPDATE papers SET citekey = 'same'", "UNIQUE", id="citekey-twice"),
        pytest.param("UPDATE papers SET category_id = 'cs.XX'", "FOREIGN KEY", id="no-such-category"),
        pytest.param("UPDATE papers SET paper_id = NULL", "NOT NULL", id="null-key"),
        pytest.param("DELETE FROM papers", "FOREIGN KEY", id="paper-that-is-listed"),
        pytest.param("DELETE FROM listings", "FOREIGN KEY", id="listing-with-variants"),
        pytest.param("UPDATE listings SET line_end = line_start - 1", "CHECK", id="lines-backwards"),
        pytest.param("UPDATE listings SET position = 0", "CHECK", id="position-0"),
        pytest.param("UPDATE links SET kind = 'blog'", "CHECK", id="unknown-kind"),
        pytest.param("UPDATE profiles SET newline = 'CR'", "CHECK", id="unknown-newline"),
        pytest.param("UPDATE profiles SET h_index = -1", "CHECK", id="negative-figure"),
        pytest.param("UPDATE rules SET severity = 'fatal'", "CHECK", id="unknown-severity"),
        pytest.param(f"{ANN_FORGES}, {ANN_FORGES.partition('VALUES ')[2]}", "UNIQUE", id="key-twice"),
    ],
)
def test_the_file_refuses_what_the_models_refuse(
    connection: sqlite3.Connection, statement: str, complaint: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=complaint):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(ANN_FORGES, id="paper"),
        pytest.param("UPDATE papers SET published = NULL", id="unknown-date"),
        pytest.param("UPDATE papers SET category_id = NULL", id="unknown-category"),
        pytest.param("UPDATE paper_authors SET position = NULL", id="behind-et-al"),
        pytest.param("UPDATE profiles SET observed_on = '2024-02-29'", id="leap-day"),
        pytest.param("UPDATE listings SET line_end = line_start", id="one-line"),
    ],
)
def test_the_file_takes_what_the_models_take(connection: sqlite3.Connection, statement: str) -> None:
    assert connection.execute(statement).rowcount > 0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("bell", [BELLS], id="stem"),
        pytest.param("naive", [CHIMES], id="without-diacritics"),
        pytest.param("ringing", [BELLS], id="abstract"),
        pytest.param("softly OR ring", [BELLS, CHIMES], id="both"),
        pytest.param("drums", [], id="none"),
    ],
)
def test_search_finds_title_and_abstract(connection: sqlite3.Connection, words: str, found: list[str]) -> None:
    sql = "SELECT paper_id FROM papers JOIN papers_fts ON papers_fts.rowid = papers.rowid WHERE papers_fts MATCH ?"
    assert sorted(paper for (paper,) in connection.execute(sql, [words])) == sorted(found)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("eve", ["eve-fox"], id="without-diacritics"),
        pytest.param("ÈVE", ["eve-fox"], id="with-diacritics"),
        pytest.param("dole", ["c-dole", "cy-dole"], id="several"),
        pytest.param('"c dole"', ["c-dole"], id="phrase"),
        pytest.param("dol*", ["c-dole", "cy-dole"], id="beginning"),
        pytest.param("bells", [], id="no-stem"),
    ],
)
def test_search_finds_authors_by_any_spelling(connection: sqlite3.Connection, words: str, found: list[str]) -> None:
    sql = (
        "SELECT authors.author_id FROM authors_fts JOIN authors USING (author_id) WHERE authors_fts MATCH ? ORDER BY 1"
    )
    assert rows_of(connection, sql, words) == found
    by_row = "SELECT author_id FROM authors WHERE rowid IN (SELECT rowid FROM authors_fts WHERE authors_fts MATCH ?) ORDER BY 1"
    assert rows_of(connection, by_row, words) == found


def rows_of(connection: sqlite3.Connection, sql: str, words: str) -> list[str]:
    return [one for (one,) in connection.execute(sql, [words])]


def test_search_of_authors_holds_every_spelling_a_line_each(connection: sqlite3.Connection, tables: Frames) -> None:
    names = tables["author_names"].sort("author_id", "name").group_by("author_id", maintain_order=True).agg("name")
    expected = [(author_id, "\n".join(spellings)) for author_id, spellings in names.iter_rows()]
    assert rows(connection, "SELECT author_id, names FROM authors_fts ORDER BY author_id") == expected


def test_datasette_takes_no_index_for_the_search_of_another_table(connection: sqlite3.Connection) -> None:
    found = {name: detect_fts(connection, name) for name in TABLES}
    assert {name: index for name, index in found.items() if index} == {"papers": "papers_fts"}


def test_the_file_names_the_version_of_its_schema(connection: sqlite3.Connection) -> None:
    assert rows(connection, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_the_search_index_is_declared_as_datasette_looks_for_it(connection: sqlite3.Connection) -> None:
    ((sql,),) = rows(connection, "SELECT sql FROM sqlite_master WHERE name = 'papers_fts'")
    assert "tokenize='porter unicode61'" in sql
    assert 'content="papers"' in sql or "content=[papers]" in sql


def test_statistics_for_the_query_planner_are_there(connection: sqlite3.Connection) -> None:
    analysed = {name for (name,) in rows(connection, "SELECT DISTINCT tbl FROM sqlite_stat1")}
    assert set(TABLES) <= analysed


def test_writing_leaves_no_file_but_the_database(tables: Frames, tmp_path: Path) -> None:
    write_database(tmp_path / "paperledger.db", tables)
    assert [path.name for path in tmp_path.iterdir()] == ["paperledger.db"]


def test_tables_without_rows_can_be_written(tables: Frames, tmp_path: Path) -> None:
    write_database(tmp_path / "empty.db", {name: frame.clear() for name, frame in tables.items()})
    with closing(sqlite3.connect(tmp_path / "empty.db")) as empty:
        assert [rows(empty, f"SELECT count(*) FROM {name}") for name in (*TABLES, *VIEWS)] == [  # noqa: S608
            [(0,)] for _ in (*TABLES, *VIEWS)
        ]


def test_a_foreign_key_that_leads_nowhere_stops_the_release(tables: Frames, tmp_path: Path) -> None:
    lost = tables | {"categories": tables["categories"].filter(pl.col("category_id") != "cs.RO")}
    write_database(tmp_path / "paperledger.db", lost)
    with pytest.raises(PublicationError, match=r"fails SQLite's own checks.*'papers'.*nothing was published"):
        check_database(tmp_path / "paperledger.db")


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("papers", pl.lit(0).cast(pl.Int64).alias("listed_author_count")),
        ("paper_authors", pl.lit("rumour").alias("source")),
        ("listings", (pl.col("line_start") - 1).alias("line_end")),
    ],
    ids=["number", "word", "two-columns"],
)
def test_a_value_that_its_column_does_not_allow_stops_the_release(
    tables: Frames, tmp_path: Path, table: str, value: pl.Expr
) -> None:
    write_database(tmp_path / "paperledger.db", tables | {table: tables[table].with_columns(value)})
    with pytest.raises(PublicationError, match=rf"CHECK constraint failed in {table}.*nothing was published"):
        check_database(tmp_path / "paperledger.db")


@pytest.mark.parametrize("table", ["papers_fts", "authors_fts"])
def test_an_index_of_other_words_stops_the_release(tables: Frames, tmp_path: Path, table: str) -> None:
    write_database(tmp_path / "paperledger.db", tables)
    with closing(sqlite3.connect(tmp_path / "paperledger.db")) as database, database:
        database.execute(f"DELETE FROM {table}_docsize WHERE id = 1")  # noqa: S608
    with pytest.raises(sqlite3.DatabaseError):
        check_database(tmp_path / "paperledger.db")


def test_equal_tables_make_equal_bytes(tables: Frames, tmp_path: Path) -> None:
    for name in ("one.db", "two.db"):
        write_database(tmp_path / name, tables)
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()


def test_the_search_indexes_have_no_settings_of_their_own(connection: sqlite3.Connection) -> None:
    for table in ("papers_fts", "authors_fts"):
        assert [name for (name, _) in rows(connection, f"SELECT * FROM {table}_config")] == ["version"]  # noqa: S608


def test_an_old_sqlite_is_told_at_once(tables: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(PublicationError, match=r"expected 3\.38\.0 or newer; use a newer Python"):
        write_database(tmp_path / "paperledger.db", tables)
    assert list(tmp_path.iterdir()) == []
