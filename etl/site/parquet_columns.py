"""The columns of an export: types from their values, types and descriptions from the columns that the SQL reads.

In: values; a separate connection, and SQL. Out: Arrow columns; types and descriptions by column name. SQLite reports the columns
that a statement reads; a column of the result is taken for the one of the same name. A type that does not fit the values is
ignored.
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
"""The integer up to which a float represents every integer exactly."""
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INFERRED = (pa.int64(), pa.float64(), pa.date32(), pa.string(), pa.binary())
"""Candidate types, the narrowest first."""

Reads = frozenset[tuple[str, str]]
"""Pairs of a table or view and a column that is read."""
Metadata = Mapping[Any, Any]


@dataclass(frozen=True)
class ColumnLineage:
    """A column's type in the dataset, where it has one, and its description."""

    type: pa.DataType | None = None
    metadata: Metadata = field(default_factory=dict)


def columns_read(connection: sqlite3.Connection, sql: str, parameters: Any) -> Reads:
    """The columns that a statement reads, by SQLite's authorizer; the statement does not run; use the connection for nothing else."""
    found: set[tuple[str, str]] = set()

    def note(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table and column:
            found.add((table, column))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    with suppress(sqlite3.Error):  # Errors are reported when the statement runs; an EXPLAIN reads nothing.
        connection.execute(f"EXPLAIN {sql}", parameters)
    return frozenset(found)


def lineage_of(reads: Reads, page: str | None = None) -> dict[str, ColumnLineage]:
    """The lineage of the columns read, by name; of several descriptions the one of the page's table or view.

    >>> lineage_of(frozenset({("papers", "has_code"), ("authors", "name")}))["has_code"].type
    DataType(bool)
    """
    sources: dict[str, list[str]] = {}
    for table, column in sorted(reads):
        if column in _columns(table):
            sources.setdefault(column, []).append(table)
    return {name: ColumnLineage(_type(name, tables), _metadata(name, tables, page)) for name, tables in sources.items()}


def _columns(table: str) -> Collection[str]:
    if table in VIEWS:
        return VIEWS[table].columns
    return TABLES[table].definition().schema if table in TABLES else ()


def _type(name: str, tables: list[str]) -> pa.DataType | None:
    """The type that all tables agree on; views have none of their own."""
    types = {arrow_schema(TABLES[table].definition()).field(name).type for table in tables if table in TABLES}
    return types.pop() if len(types) == 1 else None


def _metadata(name: str, tables: list[str], page: str | None) -> Metadata:
    """A view reads tables, so its description precedes theirs; of two descriptions none is used."""
    described = [page] if page in tables else [table for table in tables if table in VIEWS] or tables
    return _metadata_in(described[0], name) if len(described) == 1 and described[0] else {}


def _metadata_in(table: str, name: str) -> Metadata:
    if table in VIEWS:
        return {"description": VIEWS[table].columns[name]}
    return arrow_schema(TABLES[table].definition()).field(name).metadata or {}


class ExportColumn:
    """A column of an export, and the types that fit its values so far."""

    def __init__(self, name: str, origin: ColumnLineage) -> None:
        self.name = name
        self._metadata = origin.metadata
        self._types: tuple[pa.DataType, ...] = (origin.type, *_INFERRED) if origin.type else _INFERRED
        self._empty: pa.DataType | None = origin.type or pa.string()

    def narrow(self, values: Sequence[Any]) -> None:
        """Remove the types that do not fit these values."""
        present = [value for value in values if value is not None]
        if present:
            self._empty = None
            kinds = frozenset(map(type, present))
            self._types = tuple(kind for kind in self._types if _FITS[kind](present, kinds))

    @property
    def type(self) -> pa.DataType:
        """The narrowest type that fits all values."""
        return self._empty or self._types[0]

    @property
    def field(self) -> "pa.Field[Any]":
        """The column in the file's schema."""
        return pa.field(self.name, self.type, metadata=dict(self._metadata))

    def array(self, values: Sequence[Any]) -> "pa.Array[Any]":
        """Values of this column in its type."""
        convert = _CONVERT.get(self.type)
        if convert:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, self.type)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Unique names of columns.

    >>> distinct_names(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    unique: dict[str, None] = {}
    for name in names:
        new, count = name, 1
        while new in unique or (count > 1 and new in names):
            count += 1
            new = f"{name}_{count}"
        unique[new] = None
    return list(unique)


_Fits = Callable[[Sequence[Any], frozenset[type]], bool]


def _date(text: str) -> date:
    """The date of an ISO text; raises `ValueError` for other formats, of which Python reads some."""
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _are_dates(values: Sequence[str]) -> bool:
    try:
        return all(map(_date, values))
    except ValueError:
        return False


_FITS: dict[pa.DataType, _Fits] = {
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
