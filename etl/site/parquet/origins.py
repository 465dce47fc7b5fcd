"""Which columns of the dataset an answer's columns are, as far as the SQL shows it.

In: a connection of its own, SQL. Out: types and words by column name. SQLite tells which columns a statement reads; a
column of the answer that bears the name of one that is read is that one. A type that the values do not fit is not believed.
"""

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from etl.load.parquet import arrow_schema
from schemas import TABLES, VIEWS

Reads = frozenset[tuple[str, str]]
"""Tables and views, each with a column that is read."""
Words = Mapping[Any, Any]


@dataclass(frozen=True)
class Origin:
    """What the dataset says of a column: its type where it has one, and its words for people."""

    type: pa.DataType | None = None
    words: Words = field(default_factory=dict)


def columns_read(connection: sqlite3.Connection, sql: str, parameters: Any) -> Reads:
    """What a statement reads, by SQLite's own account; the statement does not run, and the connection is spent."""
    found: set[tuple[str, str]] = set()

    def note(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table and column:
            found.add((table, column))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    with suppress(sqlite3.Error):  # What is wrong is told when it runs; what is an EXPLAIN itself reads nothing.
        connection.execute(f"EXPLAIN {sql}", parameters)
    return frozenset(found)


def origins(reads: Reads, page: str | None = None) -> dict[str, Origin]:
    """Where the columns come from, by name; the words of the page's own table or view go before those of others.

    >>> origins(frozenset({("papers", "has_code"), ("authors", "name")}))["has_code"].type
    DataType(bool)
    """
    sources: dict[str, list[str]] = {}
    for table, column in sorted(reads):
        if column in _columns(table):
            sources.setdefault(column, []).append(table)
    return {name: Origin(_type(name, tables), _words(name, tables, page)) for name, tables in sources.items()}


def _columns(table: str) -> Collection[str]:
    if table in VIEWS:
        return VIEWS[table].columns
    return TABLES[table].definition().schema if table in TABLES else ()


def _type(name: str, tables: list[str]) -> pa.DataType | None:
    """The type that all tables agree on; views have none of their own."""
    types = {arrow_schema(TABLES[table].definition()).field(name).type for table in tables if table in TABLES}
    return types.pop() if len(types) == 1 else None


def _words(name: str, tables: list[str], page: str | None) -> Words:
    """A view reads tables, so its words go before theirs; where two say something, none does."""
    speaking = [page] if page in tables else [table for table in tables if table in VIEWS] or tables
    return _words_of(speaking[0], name) if len(speaking) == 1 and speaking[0] else {}


def _words_of(table: str, name: str) -> Words:
    if table in VIEWS:
        return {"description": VIEWS[table].columns[name]}
    return arrow_schema(TABLES[table].definition()).field(name).metadata or {}
