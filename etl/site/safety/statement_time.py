"""Time limits of SQL statements: the database that Datasette queries, with a clock for each connection.

In: work on a connection, and its seconds. Out: its result in time, or an error with the reason. Datasette checks the time only
once in a thousand of SQLite's steps: a thousand searches in long texts take minutes. So a thread checks it and interrupts:
SQLite then ends at its next step or read, and the functions of `sql_limits.py` before they begin. None of SQLite's own steps
takes longer than some milliseconds.
"""

import asyncio
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Condition, Event, Thread, local
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, TypeVar

from datasette.database import Database, QueryInterrupted

if TYPE_CHECKING:
    from datasette.app import Datasette

TICK = 0.02
"""Seconds between two checks of the running statements."""


class TimeIsUp(sqlite3.OperationalError):
    """The time of a statement is over."""


@dataclass(frozen=True)
class SqlQuery:
    """An SQL statement and the values of its parameters."""

    sql: str = ""
    parameters: Any = ()


NO_QUERY = SqlQuery()


class Clock:
    """The time limit of one connection's statements, and the reason for which they ended."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        """Why the statement was refused: SQLite passes no message on."""
        self.is_costly = False
        self.query = NO_QUERY
        """The running statement, where a request may have written it."""
        self.is_preempted = False
        """Whether its statements were ended to free memory for pages."""
        self.on_start: Callable[[], object] = lambda: None
        """Called within their time before statements begin; what it raises ends them."""
        self._ends = math.inf
        self._stop: Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether the statement that runs has to end."""
        return self.is_preempted or time.monotonic() > self._ends or (self._stop is not None and self._stop.is_set())

    def require_time(self) -> None:
        """Raise `TimeIsUp` where the running statement has to end."""
        if self.is_over:
            raise TimeIsUp("interrupted")

    def start(
        self, seconds: float, stop: Event | None = None, *, is_costly: bool = False, query: SqlQuery = NO_QUERY
    ) -> None:
        """Begin the time of the next statements: some seconds, or until `stop` is set."""
        self.refusal, self.is_preempted, self.is_costly, self.query = None, False, is_costly, query
        self._ends, self._stop = time.monotonic() + seconds, stop


class TimedConnection(sqlite3.Connection):
    """A connection with a clock; it caches no statements, so that SQLite authorizes each before it runs."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **{"cached_statements": 0, **named})  # type: ignore[arg-type]
        self.clock = Clock()


class Interrupter:
    """Interrupts statements whose time is over, from a thread that sleeps while nothing runs."""

    def __init__(self) -> None:
        self._running: set[TimedConnection] = set()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_closing = False

    @contextmanager
    def watch(
        self,
        connection: TimedConnection,
        seconds: float,
        stop: Event | None = None,
        *,
        is_costly: bool = False,
        query: SqlQuery = NO_QUERY,
    ) -> Iterator[None]:
        """End the connection's statements when their seconds are over or `stop` is set."""
        connection.clock.start(seconds, stop, is_costly=is_costly, query=query)
        with self._changed:
            self._running.add(connection)
            self._wake()
        try:
            connection.clock.on_start()
            yield
        finally:
            with self._changed:
                self._running.discard(connection)
                self._changed.notify_all()

    def free_memory(self, patience: float) -> None:
        """Interrupt the costly statements, which may use all memory, and wait at most `patience` seconds until they ended."""
        with self._changed:
            costly = {connection for connection in self._running if connection.clock.is_costly}
            for connection in costly:
                connection.clock.is_preempted = True
                connection.interrupt()
            self._changed.wait_for(lambda: not costly & self._running, patience)

    def close(self) -> None:
        """Interrupt all statements, and those that begin from now on."""
        self._is_closing = True  # no lock: a signal may arrive while this thread has it

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._interrupt, name="clock", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _interrupt(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._running)
                for connection in self._running:
                    if self._is_closing or connection.clock.is_over:
                        connection.interrupt()  # again each time: what runs may be the next statement
            time.sleep(TICK)


INTERRUPTER = Interrupter()
"""The one of this process."""


Result = TypeVar("Result")
IS_COSTLY: ContextVar[bool] = ContextVar("IS_COSTLY", default=False)
"""Whether the current request may need much time or memory: its statements end when pages need the memory."""
CURRENT_QUERY: ContextVar[SqlQuery] = ContextVar("CURRENT_QUERY", default=NO_QUERY)
"""The statement that the current request runs."""
MOST_CACHED = 1000
"""Results about the schema that are cached."""
ATTEMPTS = 3
MEMORY_SECONDS = 0.3
"""Attempts of a page that finds no memory, and seconds that each waits for costly statements to end."""


class SiteBusy(Exception):
    """The site has no memory for this statement now; a later attempt may succeed."""


class BoundedDatabase(Database):  # type: ignore[misc]
    """Datasette's database with a time limit on each use; pages get memory before costly statements do."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._of_thread = local()
        self._cache: dict[Any, Any] = {}

    def connect(self, write: bool = False) -> TimedConnection:
        """A connection for reading; raises `OperationalError` for one to write with."""
        if write:
            raise sqlite3.OperationalError("a release is never written")
        connection = connect(self)
        self._all_file_connections.append(connection)
        return connection

    async def table_counts(self, limit: int = 10) -> dict[str, int | None]:
        """The number of rows of each table, None where the time is over, which Datasette would cache for good."""
        counts: dict[str, int | None] = await super().table_counts(limit)
        if None in counts.values():
            self._cached_table_counts = None
        return counts

    async def execute(self, sql: str, params: Any = None, truncate: bool = False, *more: Any, **named: Any) -> Any:
        """As Datasette's; results of queries of the schema are cached."""
        ask = partial(super().execute, sql, params, truncate, *more, **named)
        is_of_schema = not truncate and "from sqlite_master" in sql and isinstance(params, tuple | None)
        before = CURRENT_QUERY.set(SqlQuery(sql, params or ()))
        try:
            return await (self._cached((sql, params), ask) if is_of_schema else ask())
        finally:
            CURRENT_QUERY.reset(before)

    async def table_columns(self, table: str) -> Any:
        """As Datasette's, cached."""
        return await self._cached(("columns", table), partial(super().table_columns, table))

    async def primary_keys(self, table: str) -> Any:
        """As Datasette's, cached."""
        return await self._cached(("keys", table), partial(super().primary_keys, table))

    async def fts_table(self, table: str) -> Any:
        """As Datasette's, cached."""
        return await self._cached(("search", table), partial(super().fts_table, table))

    async def foreign_keys_for_table(self, table: str) -> Any:
        """As Datasette's, cached."""
        return await self._cached(("references", table), partial(super().foreign_keys_for_table, table))

    async def _cached(self, key: Any, ask: Callable[[], Awaitable[Any]]) -> Any:
        """A result about the schema, which never changes: the home page asks for 168 of them, each in a thread's queue."""
        if self.is_mutable:
            return await ask()
        if key not in self._cache:
            found = await ask()
            if len(self._cache) >= MOST_CACHED:  # requests may name any number of tables that do not exist
                self._cache.clear()
            self._cache[key] = found
        return copy(self._cache[key])

    async def execute_fn(self, fn: Callable[[TimedConnection], Result]) -> Result:
        """The result of `fn`; raises `QueryInterrupted` when its time is over, `SiteBusy` where a page finds no memory."""
        seconds = self.ds.sql_time_limit_ms / 1000
        is_costly, query = IS_COSTLY.get(), CURRENT_QUERY.get()

        def work() -> Result:
            connection = self._connection()
            for _ in range(1 if is_costly else ATTEMPTS):
                try:
                    with INTERRUPTER.watch(connection, seconds, is_costly=is_costly, query=query), _cursors_closed():
                        return fn(connection)
                except (sqlite3.Error, QueryInterrupted) as error:
                    raise ending_error(connection, error) from error
                except MemoryError:
                    if is_costly:
                        raise
                    INTERRUPTER.free_memory(MEMORY_SECONDS)
            raise SiteBusy

        if self.ds.executor is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, work)

    def _connection(self) -> TimedConnection:
        """The connection of this thread."""
        connection: TimedConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self.connect()
            self.ds._prepare_connection(connection, self.name)  # noqa: SLF001  no public name for it
            self._of_thread.connection = connection
        return connection


@contextmanager
def _cursors_closed() -> Iterator[None]:
    """Release the cursors that an error refers to: else the event loop would, and wait for the connection's next statement."""
    try:
        yield
    except BaseException as error:
        clear_frames(error.__traceback__)
        raise


def limit_database(datasette: "Datasette", name: str) -> None:
    """Replace a database of Datasette's by a bounded one."""
    own = datasette.databases[name]
    if isinstance(own, BoundedDatabase):
        return
    database = BoundedDatabase(datasette, own.path, is_mutable=own.is_mutable)
    database._cached_table_counts = own.cached_table_counts  # noqa: SLF001  counted already in some programs
    datasette.remove_database(name)
    datasette.add_database(database, name, own.route)


def connect(database: Database) -> TimedConnection:
    """A connection with a clock to the file of a database; Datasette has still to prepare it."""
    address = f"{Path(database.path).resolve().as_uri()}?{'mode=ro' if database.is_mutable else 'immutable=1'}"
    return sqlite3.connect(address, uri=True, check_same_thread=False, factory=TimedConnection)


def ending_error(connection: TimedConnection, error: Exception) -> Exception:
    """The error with the reason for which a statement ended: SQLite reports only that it was interrupted, or failed."""
    clock = connection.clock
    if clock.is_preempted:
        return SiteBusy()
    if not isinstance(error, QueryInterrupted) and (clock.is_over or error.args == ("interrupted",)):
        interrupted: Exception = QueryInterrupted(error, "", {})
        return interrupted
    return sqlite3.OperationalError(clock.refusal) if clock.refusal else error
