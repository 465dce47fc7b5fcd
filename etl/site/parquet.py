"""Parquet of tables, views, queries and rows: the addresses that end in .parquet.

In: requests. Out: the release's own file for a whole table, else a file made for the request, or the reason why there is none.
Types are known only after the last row, so rows are written to a temporary file first.
"""

import json
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
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
from etl.site.parquet_columns import ColumnLineage, ExportColumn, Metadata, columns_read, distinct_names, lineage_of
from etl.site.safety.statement_time import SqlQuery
from etl.site.served import served
from schemas import QUESTIONS, TABLES, VIEWS, Definition, PaperList, Question, View

if TYPE_CHECKING:
    from datasette.app import Datasette

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
