"""Exports of all formats: the SQL of an address, the limits of its rows, and how many exports run at once.

In: a request and Datasette's configuration of the plugin, `"plugins": {"paperledger_parquet": {"seconds": 10}}`. Out: a query, its
rows in batches, or the reason for which there are none. An export is made in a thread of its queue, into a temporary file.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedRandom
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from datasette import views  # its modules are loaded after the plugins
from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql, derive_named_parameters
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
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
from etl.site.tables import paged

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


def limits_for(request: Request, limits: ExportLimits) -> ExportLimits:
    """The limits, with less time where the address asks for less (`_timelimit`, milliseconds)."""
    asked = request.args.get("_timelimit")
    return replace(limits, seconds=min(limits.seconds, int(asked) / 1000)) if asked else limits


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
        sql = paged(captured.sql.strip()) if limit else captured.sql.strip()
        return ExportQuery(sql.removesuffix(limit).strip(), captured.parameters, named, name)
    except (InvalidSql, sqlite3.Error) as error:
        raise ExportRefused(400, str(error)) from error
    if isinstance(answer, Response):
        return answer
    raise NotFound("Nothing to export: there is no SQL here, or SQL that writes")


_ROWS = 20_000
_LETTERS = 4 << 20
"""Rows and letters (or bytes of blobs) of a batch."""
_LARGEST_ROW = 16 << 20
"""Letters of one row, which is in memory several times until it is written."""
_TOO_LARGE_TO_SORT = (
    "sorting or grouping this takes more memory than the site gives; ask for fewer rows or columns,"
    " or take the release's own files, which DuckDB sorts"
)
Rows = list[tuple[Any, ...]]


def row_batches(cursor: sqlite3.Cursor, limits: ExportLimits, file: BufferedRandom) -> Iterator[Rows]:
    """The rows of a cursor in batches that fit in memory; raises `ExportRefused` beyond the limits of rows and of the file's bytes."""
    rows: Rows = []
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
            _require_within_limits(limits, count, file.tell())
            rows, letters = [], 0
    if rows:
        yield rows
        _require_within_limits(limits, count + len(rows), file.tell())


def _require_within_limits(limits: ExportLimits, rows: int, size: int) -> None:
    files = "or take the release's own files"
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
    except OverflowError as error:  # a number in the address beyond 64 bits
        raise ExportRefused(400, f"SQLite says: {error}") from error
    except MemoryError as error:
        raise ExportRefused(413, _TOO_LARGE_TO_SORT) from error


def _refusal(error: Exception, limits: ExportLimits, stop: Event) -> Exception:
    if stop.is_set():
        return ExportStopped()
    if isinstance(error, SiteBusy):
        return ExportRefused(BUSY_STATUS, "the site needs its memory for pages; try again in a few seconds")
    if isinstance(error, QueryInterrupted):
        return ExportRefused(400, f"the query took too long, more than {limits.seconds:g} seconds; ask for less")
    return ExportRefused(400, f"SQLite says: {sql_message(error)}")


Connect = Callable[[], TimedConnection]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Work = Callable[[Event], BufferedRandom]


class ExportQueue:
    """A queue of exports with threads of its own, apart from those of Datasette's pages."""

    def __init__(self, limits: ExportLimits) -> None:
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="export")
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
