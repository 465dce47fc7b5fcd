"""Parquet of tables, views, queries and rows: the addresses that end in .parquet.

In: requests. Out: the release's own file for a whole table, else a file made for the request, or the reason why there is none.
Types are known only after the last row, so rows are written to a temporary file first.

A column has the narrowest type that fits its values. SQLite reports the columns that a statement reads; a column of the result is
taken for the one of the same name, and has its description, and its type where that fits the values.
"""

import json
import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import date
from io import BufferedRandom
from tempfile import TemporaryFile
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from datasette import hookimpl
from datasette.utils import tilde_decode
from datasette.utils.asgi import Request, Response

from etl.load.layout import DATABASE
from etl.load.parquet import arrow_schema
from etl.release.release import Release
from etl.site.exports import (
    Connect,
    ExportLimits,
    ExportQuery,
    ExportStopped,
    Rows,
    content_arguments,
    in_time,
    limits_for,
    query_of_question,
    query_of_row,
    query_of_sql,
    query_of_table,
    row_batches,
)
from etl.site.files import PARQUET, Exports, FileToSend, NewFile, Send, release_file
from etl.site.safety.statement_time import SqlQuery
from etl.site.served import served
from schemas import QUESTIONS, TABLES, VIEWS, Definition, PaperList, Question, View

if TYPE_CHECKING:
    from datasette.app import Datasette

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


PendingQuery = Awaitable[ExportQuery | Response]
_SOURCES: dict[str, Definition | View | Question] = {
    **{name: model.definition() for name, model in TABLES.items()},
    **VIEWS,
    **QUESTIONS,
}


@dataclass(frozen=True)
class ParquetExport:
    """One export: how to connect, the query, its limits, and the metadata of its file."""

    connect: Connect
    query: ExportQuery
    limits: ExportLimits
    metadata: Metadata

    def __call__(self, stop: Event) -> BufferedRandom:
        """The Parquet file; raises `ExportRefused` beyond the limits, `ExportStopped` once `stop` is set."""
        with TemporaryFile() as spool:
            columns, lengths = self._spool(spool, stop)
            spool.seek(0)
            return _write(columns, (spool.read(length) for length in lengths), self.metadata, stop)

    def _spool(self, spool: BufferedRandom, stop: Event) -> tuple[list[ExportColumn], list[int]]:
        """Write the rows to a file batch by batch; the columns, and the length of each batch in bytes."""
        with closing(self.connect()) as connection, in_time(connection, self.limits, stop):
            reads = columns_read(connection, self.query.sql, self.query.parameters)
        query = SqlQuery(self.query.sql, self.query.parameters)
        with closing(self.connect()) as connection, in_time(connection, self.limits, stop, query):
            cursor = connection.execute(self.query.sql, self.query.parameters)
            known = lineage_of(reads, self.query.page)
            names = [name for name, *_ in cursor.description]
            columns = [
                ExportColumn(new, known.get(name, ColumnLineage()))
                for name, new in zip(names, distinct_names(names), strict=True)
            ]
            batches = row_batches(cursor, self.limits, spool)
            return columns, [_spool_batch(batch, columns, spool) for batch in batches]


def _spool_batch(rows: Rows, columns: list[ExportColumn], spool: BufferedRandom) -> int:
    """Narrow the columns' types by a batch, and write it to the file; its length in bytes."""
    values = list(zip(*rows, strict=True))
    for column, cells in zip(columns, values, strict=True):
        column.narrow(cells)
    return spool.write(msgspec.msgpack.encode(values))


def _write(columns: list[ExportColumn], batches: Iterator[bytes], metadata: Metadata, stop: Event) -> BufferedRandom:
    """The file, of a row group for each batch."""
    schema = pa.schema([column.field for column in columns], metadata=dict(metadata))
    with ExitStack() as closed_on_error:
        file = closed_on_error.enter_context(TemporaryFile())
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                if stop.is_set():
                    raise ExportStopped
                values = msgspec.msgpack.decode(batch)
                arrays = [column.array(cells) for column, cells in zip(columns, values, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        closed_on_error.pop_all()
    return file


class ParquetRoutes:
    """The routes of one Datasette."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._exports = Exports(datasette, release)

    async def sql(self, request: Request, send: Send) -> Response | None:
        """SQL in the address."""
        return await self._answer(query_of_sql(self._datasette, request), DATABASE, request, send)

    async def table(self, request: Request, send: Send) -> Response | None:
        """A table, a view, or a canned query."""
        name = tilde_decode(request.url_vars["table"])
        if await self._datasette.get_canned_query(DATABASE, name, request.actor):
            return await self._answer(query_of_question(self._datasette, request, name), name, request, send)
        has_file = name in TABLES or name == PaperList.definition().name
        whole = release_file(self._release, f"{name}.parquet") if has_file and not content_arguments(request) else None
        return await self._answer(query_of_table(self._datasette, request, name), name, request, send, whole)

    async def row(self, request: Request, send: Send) -> Response | None:
        """One row of a table."""
        table, key = tilde_decode(request.url_vars["table"]), request.url_vars["pks"]
        return await self._answer(query_of_row(self._datasette, request, table), f"{table}-{key}", request, send)

    async def _answer(
        self, pending: PendingQuery, name: str, request: Request, send: Send, whole: FileToSend | None = None
    ) -> Response | None:
        """Send the release's file where there is one, else a new one; or answer why there is none."""

        async def new_file() -> NewFile | FileToSend | Response:
            query = await pending
            if whole or isinstance(query, Response):
                return whole or query
            limits = limits_for(request, self._exports.limits)
            export = ParquetExport(self._exports.connect, query, limits, self._metadata(query))
            return NewFile(f"{name}.parquet", PARQUET, export)

        return await self._exports.answer(new_file(), request, send)

    def _metadata(self, query: ExportQuery) -> dict[str, str]:
        """The metadata of the file's schema."""
        metadata = {
            "logical_hash": self._release.manifest["logical_hash"],
            "parameters": json.dumps(query.named, ensure_ascii=False),
            "sql": query.sql,
        }
        source = _SOURCES.get(query.page or "")
        return metadata | ({"title": source.title, "description": source.description} if source else {})


_START = rf"^/(?P<database>{DATABASE})"
_END = r"\.(?P<format>parquet)$"


@hookimpl
def register_output_renderer(datasette: "Datasette") -> list[dict[str, Any]]:
    """List the format on Datasette's pages; the routes answer it."""
    known = served(datasette)
    return [{"extension": "parquet", "render": _no_such_page, "can_render": _can_render}] if known else []


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of SQL, of tables, views and canned queries, and of rows."""
    release = served(datasette)
    if release is None:
        return []
    routes = ParquetRoutes(datasette, release)
    return [
        (_START + _END, routes.sql),
        (rf"{_START}/(?P<table>[^/.]+){_END}", routes.table),
        (rf"{_START}/(?P<table>[^/]+?)/(?P<pks>[^/]+?){_END}", routes.row),
    ]


def _can_render(database: str, table: str | None, sql: str | None) -> bool:
    return database == DATABASE and bool(table or sql)


def _no_such_page() -> None:
    """Render nothing: databases that are not a release's have no Parquet, and Datasette answers 404."""
