"""Whether a Parquet file holds the rows of a table of SQLite, in the order of its key.

In: both. Out: the first difference in words. Types map as they are stored: a date is ISO text in SQLite, a boolean 0 or
1, a list JSON text.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 10_000
"""Rows that are compared at once: as Python's objects they are large."""
_TABLES = """
    SELECT kept.name, kept.sql FROM sqlite_schema AS kept JOIN pragma_table_list AS listed ON listed.name = kept.name
    WHERE kept.type = 'table' AND listed.type = 'table' AND kept.name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY kept.rowid
"""
"""Tables in the order in which they were made; those of the search index and of SQLite itself are apart."""
_KEY = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
_Row = tuple[Any, ...]


@dataclass(frozen=True)
class StoredTable:
    """A table as an SQLite file has it: its name, its CREATE TABLE statement, the columns of its key."""

    name: str
    sql: str
    key: tuple[str, ...]


def stored_tables(database: sqlite3.Connection) -> list[StoredTable]:
    """The tables of the dataset in an SQLite file."""
    found = database.execute(_TABLES).fetchall()
    return [StoredTable(name, sql, tuple(key for (key,) in database.execute(_KEY, [name]))) for name, sql in found]


def read_batches(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a Parquet file, a batch after the other."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))


def differing_rows(table: StoredTable, database: sqlite3.Connection, path: Path) -> Iterator[str]:
    """The first row of a Parquet file that is not the table's row, in words; nothing where all are the same."""
    order = ", ".join(map(_quoted, table.key))
    cursor = database.execute(f"SELECT * FROM {_quoted(table.name)} ORDER BY {order}")  # noqa: S608
    columns = [column[0] for column in cursor.description]
    found = pq.read_schema(path).names
    if found != columns:
        yield f"found the columns {', '.join(found)}, expected {', '.join(columns)} as in SQLite"
        return
    number = 0
    mine: list[_Row]
    stored: list[_Row]
    for mine, stored in zip_longest(map(_as_stored, read_batches(path)), _fetched(cursor), fillvalue=[]):
        if mine != stored:
            yield _first_difference(number, columns, mine, stored)
            return
        number += len(mine)


def _fetched(cursor: sqlite3.Cursor) -> Iterator[list[_Row]]:
    while rows := cursor.fetchmany(BATCH):
        yield rows


def _as_stored(frame: pl.DataFrame) -> list[_Row]:
    """The rows of a frame as SQLite holds them."""
    columns = [_column_as_stored(column) for column in frame.get_columns()]
    return pl.DataFrame(columns).rows()


def _column_as_stored(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int64)
    if column.dtype == pl.List:
        texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column


def _first_difference(before: int, columns: list[str], mine: list[_Row], stored: list[_Row]) -> str:
    for number, (row, other) in enumerate(zip_longest(mine, stored), before + 1):
        if row is None or other is None:
            return f"found {'no' if row is None else 'a'} row {number}, expected {'one' if row is None else 'none'} as in SQLite"
        if row != other:
            column, value, expected = next(
                (column, value, expected)
                for column, value, expected in zip(columns, row, other, strict=True)
                if value != expected
            )
            return f"row {number}: {column}: found {value!r:.80}, expected {expected!r:.80} as in SQLite"
    raise AssertionError("the rows are the same")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
