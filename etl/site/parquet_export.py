"""Exports: what is asked for, within which limits, how many at once, and the file that answers.

In: a request and Datasette's configuration of the plugin, `"plugins": {"paperledger_parquet": {"seconds": 10}}`. Out: a
Parquet file, made beside the event loop. Types are known only when all rows were seen, so rows go to a file first.
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
from datasette import views  # its modules are loaded after the plugins, so they are named only where they are used
from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql, derive_named_parameters
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
from etl.site.parquet_columns import Column, ColumnLineage, columns_read, distinct, lineage_of
from etl.site.safety.requests import words_of_sql
from etl.site.safety.statement_time import NOTHING_ASKED, WATCH, Asked, Busy, Connection, connect, reason

if TYPE_CHECKING:
    from datasette.app import Datasette

PLUGIN = "paperledger_parquet"
BUSY = 503
"""The status of an export that may come back later."""


@dataclass(frozen=True)
class ExportLimits:
    """ExportLimits of an export: seconds of SQL, rows, megabytes (MiB) of values; and how many run at once, and how many wait."""

    seconds: float = 20
    rows: int = 2_000_000
    megabytes: int = 512
    at_once: int = 2
    waiting: int = 8


def limits_of(datasette: "Datasette") -> ExportLimits:
    """The limits that this Datasette is configured for."""
    return msgspec.convert(datasette.plugin_config(PLUGIN) or {}, ExportLimits)


class Refused(Exception):
    """An export that is not to be had: a status of HTTP, and what to do instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


_PAGE_SIZE = 1
_PAGE_LIMIT = f" limit {_PAGE_SIZE + 1}"
"""What Datasette writes at the end of a table's SQL; a LIMIT of the user's own is another one."""
PRESENTATION = frozenset(
    "_dl _extra _extras _header _json _json_infinity _label _labels _next _nl _nocount _nofacet _nosuggest _shape _size"  # noqa: SIM905
    " _stream _timelimit _trace _ttl".split()
)
"""Arguments that say how a page looks, or which page it is; those that begin with `_facet` are others."""


@dataclass(frozen=True)
class ExportQuery:
    """SQL and the values of its parameters; `named` holds those that stand in the address, for people."""

    sql: str
    parameters: Any
    named: dict[str, str]
    page: str | None = None
    """The table, view or canned query whose address it is."""


class _Handed(Exception):
    def __init__(self, sql: str, parameters: Any) -> None:
        self.sql = sql
        self.parameters = parameters


class _Asking:
    """A Datasette, or a database of one, that hands over the SQL of a page instead of running it."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_database(self, *args: Any, **named: Any) -> "_Asking":
        return _Asking(self._real.get_database(*args, **named))

    async def execute(self, *args: Any, truncate: bool = False, **named: Any) -> Any:
        if truncate:  # only the rows of the page are
            raise _Handed(*args[-2:])
        return await self._real.execute(*args, **named)


async def query_of_sql(datasette: "Datasette", request: Request) -> ExportQuery | Response:
    """What the SQL in the address asks for."""
    return await _query(views.database.DatabaseView(_Asking(datasette)).data(request))


async def query_of_question(datasette: "Datasette", request: Request, name: str) -> ExportQuery | Response:
    """What a canned query asks for; Datasette finds it among the tables."""
    return await _query(views.table.TableView(_Asking(datasette)).data(request), name)


async def query_of_table(datasette: "Datasette", request: Request, table: str) -> ExportQuery | Response:
    """What the request asks of a table or view: all its rows that pass the filters, whatever page was looked at."""
    query = urlencode(content_arguments(request)).encode()
    whole = Request({**request.scope, "query_string": query}, request.receive)
    return await _query(views.table.TableView(_Asking(datasette)).data(whole, _size=_PAGE_SIZE), table, _PAGE_LIMIT)


async def query_of_row(datasette: "Datasette", request: Request, table: str) -> ExportQuery | Response:
    """What the request asks of a row; raises `NotFound` where there is none, as Datasette's own page does."""
    found = await _query(views.row.RowView(_Asking(datasette)).data(request), table)
    await views.row.RowView(datasette).data(request)
    return found


def content_arguments(request: Request) -> list[tuple[str, str]]:
    """The arguments of a table's address that change its rows or columns, or their order."""
    return [(name, value) for name, value in parse_qsl(request.query_string, keep_blank_values=True) if _matters(name)]


def _matters(name: str) -> bool:
    return "__" in name or not (name in PRESENTATION or name.startswith("_facet"))


async def _query(page: Awaitable[Any], name: str | None = None, limit: str = "") -> ExportQuery | Response:
    """The SQL that a page of Datasette's asks for, without its limit; the page itself where that is a redirect."""
    try:
        answer = await page
    except _Handed as handed:
        names = await derive_named_parameters(None, handed.sql)  # which asks no database
        values = dict(handed.parameters)
        named = {name: values[name] for name in sorted(names) if name in values}
        return ExportQuery(handed.sql.strip().removesuffix(limit).strip(), handed.parameters, named, name)
    except (InvalidSql, sqlite3.Error) as error:
        raise Refused(400, str(error)) from error
    if isinstance(answer, Response):
        return answer
    raise NotFound("Nothing to export: there is no SQL here, or SQL that writes")


Connect = Callable[[], Connection]
_ROWS = 20_000
_LETTERS = 4 << 20
"""Rows and letters (or bytes of blobs) of a batch, which is one row group of the file."""
_NO_MEMORY = (
    "sorting or grouping this takes more memory than the site gives; ask for fewer rows or columns,"
    " or take the release's own files, which DuckDB sorts"
)
_LARGEST_ROW = 16 << 20
"""Letters of one row: it is in memory several times until it is written."""


@dataclass(frozen=True)
class Export:
    """One export: what to run, where, within which limits, and what to say of it in the file."""

    connect: Connect
    query: ExportQuery
    limits: ExportLimits
    words: Mapping[Any, Any]

    def __call__(self, stop: Event) -> BufferedRandom:
        """The Parquet file; raises `Refused` where there is none to be had, `Stopped` after the sign to stop."""
        with TemporaryFile() as spool:
            try:
                columns, lengths = self._spool(spool, stop)
            except OverflowError as error:  # a number in the address that SQLite cannot hold
                raise Refused(400, f"SQLite says: {error}") from error
            except MemoryError as error:
                raise Refused(413, _NO_MEMORY) from error
            spool.seek(0)
            return _write(columns, (spool.read(length) for length in lengths), self.words, stop)

    def _spool(self, spool: BufferedRandom, stop: Event) -> tuple[list[Column], list[int]]:
        """Write the answer's rows to a file, batch by batch; its columns, and the length of each batch."""
        with closing(self.connect()) as connection, in_time(connection, self.limits, stop):
            reads = columns_read(connection, self.query.sql, self.query.parameters)
        asked = Asked(self.query.sql, self.query.parameters)
        with closing(self.connect()) as connection, in_time(connection, self.limits, stop, asked):
            cursor = connection.execute(self.query.sql, self.query.parameters)
            known = lineage_of(reads, self.query.page)
            names = [name for name, *_ in cursor.description]
            columns = [
                Column(new, known.get(name, ColumnLineage())) for name, new in zip(names, distinct(names), strict=True)
            ]
            return columns, [_keep(batch, columns, spool) for batch in self._batches(cursor, spool)]

    def _batches(self, cursor: sqlite3.Cursor, spool: BufferedRandom) -> Iterator[list[Any]]:
        """The rows in batches that fit in memory; raises `Refused` where there are more than the limits allow."""
        rows: list[Any] = []
        count = letters = 0
        for row in cursor:
            size = sum(len(value) for value in row if isinstance(value, str | bytes))
            if size > _LARGEST_ROW:
                del row, rows  # else the error would keep them
                raise Refused(413, f"a row of more than {_LARGEST_ROW >> 20} MiB; ask for fewer columns")
            rows.append(row)
            letters += size
            if len(rows) == _ROWS or letters > _LETTERS:
                count += len(rows)
                yield rows
                self._require_little(count, spool.tell())
                rows, letters = [], 0
        if rows:
            yield rows
            self._require_little(count + len(rows), spool.tell())

    def _require_little(self, rows: int, size: int) -> None:
        if rows > self.limits.rows:
            raise Refused(413, f"more than {self.limits.rows:,} rows; ask for fewer, or take the release's own files")
        if size > self.limits.megabytes << 20:
            raise Refused(
                413, f"more than {self.limits.megabytes:,} MiB; ask for less, or take the release's own files"
            )


class Stopped(Exception):
    """Nobody waits for the file any more."""


def own_connection(datasette: "Datasette") -> Connection:
    """A connection of an export's own, with all that Datasette and its plugins do to theirs."""
    connection = connect(datasette.get_database(DATABASE))
    datasette._prepare_connection(connection, DATABASE)  # noqa: SLF001  no public name for it
    connection.row_factory = None
    return connection


@contextmanager
def in_time(connection: Connection, limits: ExportLimits, stop: Event, asked: Asked = NOTHING_ASKED) -> Iterator[None]:
    """Work on a connection within the limits; raises `Refused` beyond them, `Stopped` after the sign to stop."""
    try:
        with WATCH.watching(connection, limits.seconds, stop, is_costly=True, asked=asked):
            yield
    except sqlite3.Error as error:
        raise _refusal(reason(connection, error), limits, stop) from error


def _keep(rows: list[Any], columns: list[Column], spool: BufferedRandom) -> int:
    """Look at a batch, and write it to the file; its length there."""
    values = list(zip(*rows, strict=True))
    for column, cells in zip(columns, values, strict=True):
        column.look(cells)
    return spool.write(msgspec.msgpack.encode(values))


def _write(columns: list[Column], batches: Iterator[bytes], words: Mapping[Any, Any], stop: Event) -> BufferedRandom:
    schema = pa.schema([column.field for column in columns], metadata=dict(words))
    with ExitStack() as closed_on_error:
        file = closed_on_error.enter_context(TemporaryFile())
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                if stop.is_set():
                    raise Stopped
                values = msgspec.msgpack.decode(batch)
                arrays = [column.array(cells) for column, cells in zip(columns, values, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        closed_on_error.pop_all()
    return file


def _refusal(error: Exception, limits: ExportLimits, stop: Event) -> Exception:
    if stop.is_set():
        return Stopped()
    if isinstance(error, Busy):
        return Refused(BUSY, "the site needs its memory for pages; try again in a few seconds")
    if isinstance(error, QueryInterrupted):
        return Refused(400, f"the query took more than {limits.seconds:g} seconds; ask for less")
    return Refused(400, f"SQLite says: {words_of_sql(error)}")


Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Work = Callable[[Event], BufferedRandom]


class ExportQueue:
    """The threads of the exports, apart from those of Datasette's pages."""

    def __init__(self, limits: ExportLimits) -> None:
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="parquet")
        self._places = BoundedSemaphore(limits.at_once + limits.waiting)

    async def run(self, work: Work, receive: Receive) -> BufferedRandom | None:
        """The file that the work makes, None where the client left; raises `Refused` where too many wait."""
        if not self._places.acquire(blocking=False):
            raise Refused(BUSY, "too many exports at once; try again in a few seconds")
        stop = Event()
        running = self._threads.submit(work, stop)
        running.add_done_callback(lambda _: self._places.release())
        result, left = asyncio.wrap_future(running), asyncio.ensure_future(_left(receive))
        both: set[asyncio.Future[Any]] = {result, left}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return result.result() if result.done() else None
        finally:
            stop.set()
            left.cancel()
            if not result.done():
                result.cancel()
                running.add_done_callback(_close)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _close(done: "Future[BufferedRandom]") -> None:
    """Close the file that nobody waits for."""
    if not done.cancelled() and not done.exception():
        done.result().close()
