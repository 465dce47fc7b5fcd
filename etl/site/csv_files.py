"""CSV of tables, views and queries: the addresses that end in .csv, each in one pass over its rows.

In: requests. Out: all rows with the columns, values and options of Datasette's own CSV. That makes a stream of pages, each with a
query of its own, which for a view begins again at the first row: a minute for 70,000 pairs of co-authors. For SQL it
stops after `max_returned_rows` rows, and does not say so.
"""

import csv
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import BufferedRandom, TextIOWrapper
from tempfile import TemporaryFile
from threading import Event
from typing import TYPE_CHECKING, Any

from datasette import (
    hookimpl,
    views,  # its modules are loaded after the plugins
)
from datasette.utils import escape_sqlite, path_with_format, tilde_decode
from datasette.utils.asgi import Request, Response

from etl.load.layout import DATABASE
from etl.release.release import Release
from etl.site.exports import (
    Connect,
    ExportLimits,
    ExportQuery,
    Rows,
    in_time,
    limits_for,
    query_of_question,
    query_of_sql,
    query_of_table,
    row_batches,
)
from etl.site.files import Exports, NewFile, Send
from etl.site.safety.statement_time import SqlQuery
from etl.site.served import served
from schemas import TABLES, VIEWS

if TYPE_CHECKING:
    from datasette.app import Datasette

_SHOWN, _STORED = "text/plain; charset=utf-8", "text/csv; charset=utf-8"
_TRUE = ("on", "true", "1")
BlobAddress = Callable[[str, bytes], str]
"""The address of a blob, by its column and value."""
Labels = Mapping[str, str]
"""SQL of the label of a row that a column refers to, by column."""


@dataclass(frozen=True)
class CsvExport:
    """One export: how to connect, the query, its limits, columns with labels, whether it has a header, and where its blobs are."""

    connect: Connect
    query: ExportQuery
    limits: ExportLimits
    labels: Labels
    has_header: bool
    blob_address: BlobAddress

    def __call__(self, stop: Event) -> BufferedRandom:
        """The file; raises `ExportRefused` beyond the limits, `ExportStopped` once `stop` is set."""
        query = SqlQuery(self.query.sql, self.query.parameters)
        with ExitStack() as closed_on_error:
            file = closed_on_error.enter_context(TemporaryFile())
            with closing(self.connect()) as connection, in_time(connection, self.limits, stop, query):
                self._write(connection.execute(self._sql(connection), self.query.parameters), file)
            closed_on_error.pop_all()
        return file

    def _sql(self, connection: sqlite3.Connection) -> str:
        """The SQL with a column behind each that has labels."""
        if not self.labels:
            return self.query.sql
        cursor = connection.execute(f"SELECT * FROM ({self.query.sql}) LIMIT 0", self.query.parameters)  # noqa: S608
        return with_labels(self.query.sql, [name for name, *_ in cursor.description], self.labels)

    def _write(self, cursor: sqlite3.Cursor, file: BufferedRandom) -> None:
        names = [name for name, *_ in cursor.description]
        text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        try:
            writer = csv.writer(text)
            if self.has_header:
                writer.writerow(names)
            for rows in row_batches(cursor, self.limits, file):
                writer.writerows(rows if self.query.page else self._with_addresses(names, rows))
        finally:
            text.detach()

    def _with_addresses(self, names: list[str], rows: Rows) -> Iterator[list[Any]]:
        """Rows of SQL of a person's own with addresses of blobs, of which tables have none."""
        for row in rows:
            yield [
                self.blob_address(name, value) if isinstance(value, bytes) else value
                for name, value in zip(names, row, strict=True)
            ]


def with_labels(sql: str, columns: list[str], labels: Labels) -> str:
    """SQL of the same rows in the same order, with a label behind each column that has one.

    >>> with_labels("select a from t", ["a"], {"a": "(SELECT name FROM u WHERE id = page.a)"})
    'SELECT a, (SELECT name FROM u WHERE id = page.a) AS a_label FROM (select a from t) AS page'
    """
    selected = [
        part
        for name in columns
        for part in (
            escape_sqlite(name),
            *([f"{labels[name]} AS {escape_sqlite(f'{name}_label')}"] if name in labels else ()),
        )
    ]
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS page"  # noqa: S608


class CsvRoutes:
    """The routes of one Datasette."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._exports = Exports(datasette, release)

    async def sql(self, request: Request, send: Send) -> Response | None:
        """SQL in the address."""
        if not request.args.get("sql"):
            return await self._own_csv(views.database.DatabaseView, request)
        return await self._answer(query_of_sql(self._datasette, request), DATABASE, request, send)

    async def table(self, request: Request, send: Send) -> Response | None:
        """A table, a view, or a canned query; one page of a table, and tables of full-text search, are Datasette's own CSV."""
        name = tilde_decode(request.url_vars["table"])
        if await self._datasette.get_canned_query(DATABASE, name, request.actor):
            return await self._answer(query_of_question(self._datasette, request, name), name, request, send)
        if not (name in TABLES or name in VIEWS) or not self._is_whole(request):
            return await self._own_csv(views.table.TableView, request)
        labels = await self._labels(request, name)
        return await self._answer(query_of_table(self._datasette, request, name), name, request, send, labels)

    def _is_whole(self, request: Request) -> bool:
        """Whether a request is for all rows, and not for one page (`_size=20`, `_next=`)."""
        asked = request.args
        sizes = asked.getlist("_size")  # links of a page with a size of its own add `max`
        is_page = "_next" in asked or (sizes and "max" not in sizes and not asked.get("_stream"))
        return bool(self._datasette.setting("allow_csv_stream")) and not is_page

    async def _own_csv(self, view: Any, request: Request) -> Response | None:
        answer: Response | None = await view(self._datasette).dispatch_request(request)
        return answer

    async def _labels(self, request: Request, table: str) -> Labels:
        """SQL of labels of the columns whose labels a request asks for."""
        wanted, every = request.args.getlist("_label"), (request.args.get("_labels") or "").lower() in _TRUE
        references = await views.table.TableView(self._datasette).expandable_columns(DATABASE, table)
        return {
            key["column"]: _label(key, label)
            for key, label in references
            if (key["column"] in wanted if "_label" in request.args else every)
        }

    async def _answer(
        self,
        pending: Awaitable[ExportQuery | Response],
        name: str,
        request: Request,
        send: Send,
        labels: Labels | None = None,
    ) -> Response | None:
        async def new_file() -> NewFile | Response:
            query = await pending
            if isinstance(query, Response):
                return query
            is_shown = not request.args.get("_dl")
            export = CsvExport(
                connect=self._exports.connect,
                query=query,
                limits=limits_for(request, self._exports.limits),
                labels=labels or {},
                has_header=request.args.get("_header") != "off",
                blob_address=partial(_blob_address, self._datasette, request),
            )
            return NewFile(f"{name}.csv", _SHOWN if is_shown else _STORED, export, is_shown)

        return await self._exports.answer(new_file(), request, send)


def _label(key: Mapping[str, str], label: str | None) -> str:
    """SQL of the label of the row that a foreign key refers to; the key where its table has no labels."""
    column = f"page.{escape_sqlite(key['column'])}"
    if label is None:
        return column
    table, target = escape_sqlite(key["other_table"]), escape_sqlite(key["other_column"])
    return f"(SELECT {escape_sqlite(label)} FROM {table} WHERE {target} = {column})"  # noqa: S608


def _blob_address(datasette: "Datasette", request: Request, column: str, value: bytes) -> str:
    named = {"_blob_column": column, "_blob_hash": sha256(value).hexdigest()}
    path = path_with_format(request=request, format="blob", extra_qs=named, replace_format="csv")
    address: str = datasette.absolute_url(request, path)
    return address


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of SQL, and of tables, views and canned queries; CSV of a row is Datasette's own."""
    release = served(datasette)
    if release is None:
        return []
    routes = CsvRoutes(datasette, release)
    start, end = rf"^/(?P<database>{DATABASE})", r"\.(?P<format>csv)$"
    return [(start + end, routes.sql), (rf"{start}/(?P<table>[^/.]+){end}", routes.table)]
