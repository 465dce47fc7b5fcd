"""The columns of an export: their types from the values, and their lineage as far as the SQL shows it.

In: values; a connection of its own, and SQL. Out: Arrow columns; types and words by column name. SQLite says which columns
a statement reads; a column of the answer that bears the name of one that is read is that one. A type that the values do not
fit is not believed.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from etl.load.parquet import arrow_schema
from schemas import TABLES, VIEWS

_EXACT = 1 << 53
"""The integer up to which a float holds every integer."""
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INFERRED = (pa.int64(), pa.float64(), pa.date32(), pa.string(), pa.binary())
"""The types that are tried, the narrowest first."""

Reads = frozenset[tuple[str, str]]
"""Tables and views, each with a column that is read."""
Words = Mapping[Any, Any]


@dataclass(frozen=True)
class ColumnLineage:
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


def lineage_of(reads: Reads, page: str | None = None) -> dict[str, ColumnLineage]:
    """Where the columns come from, by name; the words of the page's own table or view go before those of others.

    >>> lineage_of(frozenset({("papers", "has_code"), ("authors", "name")}))["has_code"].type
    DataType(bool)
    """
    sources: dict[str, list[str]] = {}
    for table, column in sorted(reads):
        if column in _columns(table):
            sources.setdefault(column, []).append(table)
    return {name: ColumnLineage(_type(name, tables), _words(name, tables, page)) for name, tables in sources.items()}


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


class Column:
    """One column, and the types that its values so far allow."""

    def __init__(self, name: str, origin: ColumnLineage) -> None:
        self.name = name
        self._words = origin.words
        self._types: tuple[pa.DataType, ...] = (origin.type, *_INFERRED) if origin.type else _INFERRED
        self._empty: pa.DataType | None = origin.type or pa.string()

    def look(self, values: Sequence[Any]) -> None:
        """Drop the types that do not hold these values."""
        there = [value for value in values if value is not None]
        if there:
            self._empty = None
            kinds = frozenset(map(type, there))
            self._types = tuple(kind for kind in self._types if _HOLDS[kind](there, kinds))

    @property
    def type(self) -> pa.DataType:
        """The type that all values allow."""
        return self._empty or self._types[0]

    @property
    def field(self) -> "pa.Field[Any]":
        """The column in the file's schema."""
        return pa.field(self.name, self.type, metadata=dict(self._words))

    def array(self, values: Sequence[Any]) -> "pa.Array[Any]":
        """Values of this column in its type."""
        convert = _CONVERT.get(self.type)
        if convert:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, self.type)


def distinct(names: Sequence[str]) -> list[str]:
    """Names that no two columns share.

    >>> distinct(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    given: dict[str, None] = {}
    for name in names:
        new, count = name, 1
        while new in given or (count > 1 and new in names):
            count += 1
            new = f"{name}_{count}"
        given[new] = None
    return list(given)


_Holds = Callable[[Sequence[Any], frozenset[type]], bool]


def _date(text: str) -> date:
    """The day that a text is; raises `ValueError` for other ways of writing one, which Python reads too."""
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _are_dates(values: Sequence[str]) -> bool:
    try:
        return all(map(_date, values))
    except ValueError:
        return False


_HOLDS: dict[pa.DataType, _Holds] = {
    pa.bool_(): lambda values, kinds: kinds == {int} and set(values) <= {0, 1},
    pa.int64(): lambda _, kinds: kinds == {int},
    pa.float64(): lambda values, kinds: (
        kinds <= {int, float} and all(-_EXACT <= value <= _EXACT for value in values if type(value) is int)
    ),
    pa.date32(): lambda values, kinds: kinds == {str} and _are_dates(values),
    pa.string(): lambda _, kinds: bytes not in kinds,
    pa.binary(): lambda *_: True,
}
_CONVERT: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.bool_(): bool,
    pa.date32(): date.fromisoformat,
    pa.string(): str,
    pa.binary(): lambda value: value if isinstance(value, bytes) else str(value).encode(),
}
