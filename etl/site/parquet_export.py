"""Parquet exports: their SQL, their limits, how many run at once, and their files.

In: a request and Datasette's configuration of the plugin, `"plugins": {"paperledger_parquet": {"seconds": 10}}`. Out: a Parquet
file, made in a thread. Types are known only after the last row, so rows are written to a temporary file first.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from tempfile import TemporaryFile
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from datasette import views  # its modules are loaded after the plugins
from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql, derive_named_parameters
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
from etl.site.parquet_columns import ColumnLineage, ExportColumn, Metadata, columns_read, distinct_names, lineage_of
from etl.site.safety.bad_requests import sql_message
from etl.site.safety.statement_time import (
    INTERRUPTER,
    NO_QUERY,
    SiteBusy,
    SqlQuery,
    TimedConnection,
    connect,
    ending_error,
)

if TYPE_CHECKING:
    from datasette.app import Datasette

PLUGIN = "paperledger_parquet"
BUSY_STATUS = 503
"""The status of an export that may be retried later."""


@dataclass(frozen=True)
class ExportLimits:
    """Limits of an export: seconds of SQL, rows, MiB of values; and how many exports run at once, and how many wait."""

    seconds: float = 20
    rows: int = 2_000_000
    megabytes: int = 512
    at_once: int = 2
    waiting: int = 8


def limits_of(datasette: "Datasette") -> ExportLimits:
    """The limits in this Datasette's configuration."""
    return msgspec.convert(datasette.plugin_config(PLUGIN) or {}, ExportLimits)


class ExportRefused(Exception):
    """The export is refused, with an HTTP status and what to do instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


_PAGE_SIZE = 1
_PAGE_LIMIT = f" limit {_PAGE_SIZE + 1}"
"""The end of Datasette's SQL of a table; it differs from any LIMIT of a person's own."""
PRESENTATION = frozenset(
    "_dl _extra _extras _header _json _json_infinity _label _labels _next _nl _nocount _nofacet _nosuggest _shape _size"  # noqa: SIM905
    " _stream _timelimit _trace _ttl".split()
)
"""Arguments that affect only the look of a page, or which page it is; so do all that begin with `_facet`."""


@dataclass(frozen=True)
class ExportQuery:
    """SQL and the values of its parameters; `named` are those in the address."""

    sql: str
    parameters: Any
    named: dict[str, str]
    page: str | None = None
    """The table, view or canned query whose address it is."""


class _CapturedSql(Exception):
    def __init__(self, sql: str, parameters: Any) -> None:
        self.sql = sql
        self.parameters = parameters


class _SqlCapture:
    """A proxy of a Datasette or a database that raises `_CapturedSql` with the SQL of a page instead of running it."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_database(self, *args: Any, **named: Any) -> "_SqlCapture":
        return _SqlCapture(self._real.get_database(*args, **named))

    async def execute(self, *args: Any, truncate: bool = False, **named: Any) -> Any:
        if truncate:  # only the rows of the page are
            raise _CapturedSql(*args[-2:])
        return await self._real.execute(*args, **named)


async def query_of_sql(datasette: "Datasette", request: Request) -> ExportQuery | Response:
    """The query of SQL in the address."""
    return await _query(views.database.DatabaseView(_SqlCapture(datasette)).data(request))


async def query_of_question(datasette: "Datasette", request: Request, name: str) -> ExportQuery | Response:
    """The query of a canned query, which Datasette serves at the address of a table."""
    return await _query(views.table.TableView(_SqlCapture(datasette)).data(request), name)


async def query_of_table(datasette: "Datasette", request: Request, table: str) -> ExportQuery | Response:
    """The query of a table or view: all rows that pass the filters, from every page."""
    query = urlencode(content_arguments(request)).encode()
    whole = Request({**request.scope, "query_string": query}, request.receive)
    return await _query(views.table.TableView(_SqlCapture(datasette)).data(whole, _size=_PAGE_SIZE), table, _PAGE_LIMIT)


async def query_of_row(datasette: "Datasette", request: Request, table: str) -> ExportQuery | Response:
    """The query of a row; raises `NotFound` where there is none, as Datasette's page does."""
    found = await _query(views.row.RowView(_SqlCapture(datasette)).data(request), table)
    await views.row.RowView(datasette).data(request)
    return found


def content_arguments(request: Request) -> list[tuple[str, str]]:
    """The arguments of a table's address that change its rows or columns, or their order."""
    return [(name, value) for name, value in parse_qsl(request.query_string, keep_blank_values=True) if _matters(name)]


def _matters(name: str) -> bool:
    return "__" in name or not (name in PRESENTATION or name.startswith("_facet"))


async def _query(page: Awaitable[Any], name: str | None = None, limit: str = "") -> ExportQuery | Response:
    """The SQL of a Datasette page without its limit; the page itself where it is a redirect."""
    try:
        answer = await page
    except _CapturedSql as captured:
        names = await derive_named_parameters(None, captured.sql)  # which uses no database
        values = dict(captured.parameters)
        named = {name: values[name] for name in sorted(names) if name in values}
        return ExportQuery(captured.sql.strip().removesuffix(limit).strip(), captured.parameters, named, name)
    except (InvalidSql, sqlite3.Error) as error:
        raise ExportRefused(400, str(error)) from error
    if isinstance(answer, Response):
        return answer
    raise NotFound("Nothing to export: there is no SQL here, or SQL that writes")


Connect = Callable[[], TimedConnection]
_ROWS = 20_000
_LETTERS = 4 << 20
"""Rows and letters (or bytes of blobs) of a batch, which is one row group of the file."""
_TOO_LARGE_TO_SORT = (
    "sorting or grouping this takes more memory than the site gives; ask for fewer rows or columns,"
    " or take the release's own files, which DuckDB sorts"
)
_LARGEST_ROW = 16 << 20
"""Letters of one row, which is in memory several times until it is written."""


@dataclass(frozen=True)
class Export:
    """One export: how to connect, the query, its limits, and the metadata of its file."""

    connect: Connect
    query: ExportQuery
    limits: ExportLimits
    metadata: Metadata

    def __call__(self, stop: Event) -> BufferedRandom:
        """The Parquet file; raises `ExportRefused` beyond the limits, `ExportStopped` once `stop` is set."""
        with TemporaryFile() as spool:
            try:
                columns, lengths = self._spool(spool, stop)
            except OverflowError as error:  # a number in the address beyond 64 bits
                raise ExportRefused(400, f"SQLite says: {error}") from error
            except MemoryError as error:
                raise ExportRefused(413, _TOO_LARGE_TO_SORT) from error
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
            return columns, [_spool_batch(batch, columns, spool) for batch in self._batches(cursor, spool)]

    def _batches(self, cursor: sqlite3.Cursor, spool: BufferedRandom) -> Iterator[list[Any]]:
        """The rows in batches that fit in memory; raises `ExportRefused` beyond the limits."""
        rows: list[Any] = []
        count = letters = 0
        for row in cursor:
            size = sum(len(value) for value in row if isinstance(value, str | bytes))
            if size > _LARGEST_ROW:
                del row, rows  # else the error would refer to them
                raise ExportRefused(413, f"a row of more than {_LARGEST_ROW >> 20} MiB; ask for fewer columns")
            rows.append(row)
            letters += size
            if len(rows) == _ROWS or letters > _LETTERS:
                count += len(rows)
                yield rows
                self._require_within_limits(count, spool.tell())
                rows, letters = [], 0
        if rows:
            yield rows
            self._require_within_limits(count + len(rows), spool.tell())

    def _require_within_limits(self, rows: int, size: int) -> None:
        limits, files = self.limits, "or take the release's own files"
        if rows > limits.rows:
            raise ExportRefused(413, f"more than {limits.rows:,} rows; ask for fewer, {files}")
        if size > limits.megabytes << 20:
            raise ExportRefused(413, f"more than {limits.megabytes:,} MiB; ask for less, {files}")


class ExportStopped(Exception):
    """The client of the export has disconnected."""


def new_connection(datasette: "Datasette") -> TimedConnection:
    """A separate connection for an export, prepared by Datasette and its plugins as all are."""
    connection = connect(datasette.get_database(DATABASE))
    datasette._prepare_connection(connection, DATABASE)  # noqa: SLF001  no public name for it
    connection.row_factory = None
    return connection


@contextmanager
def in_time(
    connection: TimedConnection, limits: ExportLimits, stop: Event, query: SqlQuery = NO_QUERY
) -> Iterator[None]:
    """Limit the time of a connection's statements; raises `ExportRefused` beyond it, `ExportStopped` once `stop` is set."""
    try:
        with INTERRUPTER.watch(connection, limits.seconds, stop, is_costly=True, query=query):
            yield
    except sqlite3.Error as error:
        raise _refusal(ending_error(connection, error), limits, stop) from error


def _spool_batch(rows: list[Any], columns: list[ExportColumn], spool: BufferedRandom) -> int:
    """Narrow the columns' types by a batch, and write it to the file; its length in bytes."""
    values = list(zip(*rows, strict=True))
    for column, cells in zip(columns, values, strict=True):
        column.narrow(cells)
    return spool.write(msgspec.msgpack.encode(values))


def _write(columns: list[ExportColumn], batches: Iterator[bytes], metadata: Metadata, stop: Event) -> BufferedRandom:
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


def _refusal(error: Exception, limits: ExportLimits, stop: Event) -> Exception:
    if stop.is_set():
        return ExportStopped()
    if isinstance(error, SiteBusy):
        return ExportRefused(BUSY_STATUS, "the site needs its memory for pages; try again in a few seconds")
    if isinstance(error, QueryInterrupted):
        return ExportRefused(400, f"the query took more than {limits.seconds:g} seconds; ask for less")
    return ExportRefused(400, f"SQLite says: {sql_message(error)}")


Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Work = Callable[[Event], BufferedRandom]


class ExportQueue:
    """A queue of exports with threads of its own, apart from those of Datasette's pages."""

    def __init__(self, limits: ExportLimits) -> None:
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="parquet")
        self._places = BoundedSemaphore(limits.at_once + limits.waiting)

    async def run(self, work: Work, receive: Receive) -> BufferedRandom | None:
        """The file that `work` makes, None where the client disconnected; raises `ExportRefused` where too many wait."""
        if not self._places.acquire(blocking=False):
            raise ExportRefused(BUSY_STATUS, "too many exports at once; try again in a few seconds")
        stop = Event()
        running = self._threads.submit(work, stop)
        running.add_done_callback(lambda _: self._places.release())
        result, gone = asyncio.wrap_future(running), asyncio.ensure_future(_until_disconnect(receive))
        both: set[asyncio.Future[Any]] = {result, gone}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return result.result() if result.done() else None
        finally:
            stop.set()
            gone.cancel()
            if not result.done():
                result.cancel()
                running.add_done_callback(_close)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _close(done: "Future[BufferedRandom]") -> None:
    """Close the file of an abandoned export."""
    if not done.cancelled() and not done.exception():
        done.result().close()
