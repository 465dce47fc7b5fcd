"""When statements end: the release's database as Datasette asks it, with a clock on each connection.

In: work on a connection, and its seconds. Out: its result in time, or an error that says why not. Datasette looks at the
time between SQLite's steps only, once in a thousand: a thousand searches in long texts take minutes. So a thread of its own
looks, and interrupts: SQLite then ends at its next step or read, and the functions of `sql_limits.py` before they begin. No
step of SQLite's own takes longer than some milliseconds.
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
"""Seconds between two looks at the statements that run."""


class TimeIsUp(sqlite3.OperationalError):
    """The statement's time is over."""


@dataclass(frozen=True)
class Asked:
    """SQL, and the values of its parameters."""

    sql: str = ""
    parameters: Any = ()


NOTHING_ASKED = Asked()


class Clock:
    """How long the statements of one connection may go on, and why they ended."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        """What a function has against its arguments: SQLite hands no message on."""
        self.is_costly = False
        self.asked = NOTHING_ASKED
        """What runs, as far as anybody may have written it."""
        self.gave_way = False
        """Whether its statements were ended so that pages find memory."""
        self.begins: Callable[[], object] = lambda: None
        """What is done before statements begin."""
        self._ends = math.inf
        self._stop: Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether the statement that runs has to end."""
        return self.gave_way or time.monotonic() > self._ends or (self._stop is not None and self._stop.is_set())

    def look(self) -> None:
        """Raise `TimeIsUp` where the statement has to end."""
        if self.is_over:
            raise TimeIsUp("interrupted")

    def start(
        self, seconds: float, stop: Event | None = None, *, is_costly: bool = False, asked: Asked = NOTHING_ASKED
    ) -> None:
        """Let statements begin."""
        self.refusal, self.gave_way, self.is_costly, self.asked = None, False, is_costly, asked
        self.begins()
        self._ends, self._stop = time.monotonic() + seconds, stop


class Connection(sqlite3.Connection):
    """A connection with a clock; it keeps no statement, so that each is looked at before it runs."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **{"cached_statements": 0, **named})  # type: ignore[arg-type]
        self.clock = Clock()


class Watch:
    """The thread that interrupts; it sleeps while nothing runs."""

    def __init__(self) -> None:
        self._running: set[Connection] = set()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_closing = False

    @contextmanager
    def watching(
        self,
        connection: Connection,
        seconds: float,
        stop: Event | None = None,
        *,
        is_costly: bool = False,
        asked: Asked = NOTHING_ASKED,
    ) -> Iterator[None]:
        """End the connection's statements when their seconds are over or the sign to stop is given."""
        connection.clock.start(seconds, stop, is_costly=is_costly, asked=asked)
        with self._changed:
            self._running.add(connection)
            self._wake()
        try:
            yield
        finally:
            with self._changed:
                self._running.discard(connection)
                self._changed.notify_all()

    def make_room(self, patience: float) -> None:
        """End the costly statements, which may hold all memory, and wait for it."""
        with self._changed:
            costly = {connection for connection in self._running if connection.clock.is_costly}
            for connection in costly:
                connection.clock.gave_way = True
                connection.interrupt()
            self._changed.wait_for(lambda: not costly & self._running, patience)

    def close(self) -> None:
        """End all statements, and those that begin from now on."""
        self._is_closing = True  # no lock: a signal may come while this very thread has it

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._look, name="clock", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _look(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._running)
                for connection in self._running:
                    if self._is_closing or connection.clock.is_over:
                        connection.interrupt()  # again each time: what runs may be the next statement
            time.sleep(TICK)


WATCH = Watch()
"""The watch of this process."""


Found = TypeVar("Found")
IS_COSTLY: ContextVar[bool] = ContextVar("IS_COSTLY", default=False)
"""Whether the request that is worked on may ask for much: what it does gives way to pages."""
ASKED: ContextVar[Asked] = ContextVar("ASKED", default=NOTHING_ASKED)
"""What the database is asked now."""
MOST_KNOWN = 1000
"""Answers about the schema that are kept."""
ATTEMPTS = 3
ROOM_SECONDS = 0.3
"""Times that a page asks for memory, and seconds that it waits for what costly statements give back."""


class Busy(Exception):
    """The site has no room for this now; later it may."""


class BoundedDatabase(Database):  # type: ignore[misc]
    """Datasette's database, whose every use ends in time and gives memory to pages first."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._of_thread = local()
        self._known: dict[Any, Any] = {}

    def connect(self, write: bool = False) -> Connection:
        """A connection to read with, and to count on."""
        if write:
            raise sqlite3.OperationalError("a release is never written")
        connection = connect(self)
        self._all_file_connections.append(connection)
        return connection

    async def table_counts(self, limit: int = 10) -> dict[str, int | None]:
        """The rows of each table, None where the time is over; Datasette would remember that for good."""
        counts: dict[str, int | None] = await super().table_counts(limit)
        if None in counts.values():
            self._cached_table_counts = None
        return counts

    async def execute(self, sql: str, params: Any = None, truncate: bool = False, *more: Any, **named: Any) -> Any:
        """Datasette's own; what it asks of the schema is asked once."""
        ask = partial(super().execute, sql, params, truncate, *more, **named)
        is_of_schema = not truncate and "from sqlite_master" in sql and isinstance(params, tuple | None)
        before = ASKED.set(Asked(sql, params or ()))
        try:
            return await (self._once((sql, params), ask) if is_of_schema else ask())
        finally:
            ASKED.reset(before)

    async def table_columns(self, table: str) -> Any:
        """Datasette's own, asked once."""
        return await self._once(("columns", table), partial(super().table_columns, table))

    async def primary_keys(self, table: str) -> Any:
        """Datasette's own, asked once."""
        return await self._once(("keys", table), partial(super().primary_keys, table))

    async def fts_table(self, table: str) -> Any:
        """Datasette's own, asked once."""
        return await self._once(("search", table), partial(super().fts_table, table))

    async def foreign_keys_for_table(self, table: str) -> Any:
        """Datasette's own, asked once."""
        return await self._once(("references", table), partial(super().foreign_keys_for_table, table))

    async def _once(self, key: Any, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What is found of the schema, which never changes: home asks 168 times, and each waits its turn behind all others."""
        if self.is_mutable:
            return await ask()
        if key not in self._known:
            found = await ask()
            if len(self._known) >= MOST_KNOWN:  # anybody may ask for a table that is not there
                self._known.clear()
            self._known[key] = found
        return copy(self._known[key])

    async def execute_fn(self, fn: Callable[[Connection], Found]) -> Found:
        """What the work finds; raises `QueryInterrupted` when its time is over, `Busy` where a page finds no memory."""
        seconds = self.ds.sql_time_limit_ms / 1000
        is_costly, asked = IS_COSTLY.get(), ASKED.get()

        def work() -> Found:
            connection = self._connection()
            for _ in range(1 if is_costly else ATTEMPTS):
                try:
                    with WATCH.watching(connection, seconds, is_costly=is_costly, asked=asked), _cursors_closed():
                        return fn(connection)
                except (sqlite3.Error, QueryInterrupted) as error:
                    raise reason(connection, error) from error
                except MemoryError:
                    if is_costly:
                        raise
                    WATCH.make_room(ROOM_SECONDS)
            raise Busy

        if self.ds.executor is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, work)

    def _connection(self) -> Connection:
        """The connection of this thread."""
        connection: Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self.connect()
            self.ds._prepare_connection(connection, self.name)  # noqa: SLF001  no public name for it
            self._of_thread.connection = connection
        return connection


@contextmanager
def _cursors_closed() -> Iterator[None]:
    """No error keeps a cursor: whoever clears it away later, the event loop say, would wait for the connection's next statement."""
    try:
        yield
    except BaseException as error:
        clear_frames(error.__traceback__)
        raise


def bound(datasette: "Datasette", name: str) -> None:
    """Put a bounded database in the place of Datasette's own."""
    own = datasette.databases[name]
    if isinstance(own, BoundedDatabase):
        return
    database = BoundedDatabase(datasette, own.path, is_mutable=own.is_mutable)
    database._cached_table_counts = own.cached_table_counts  # noqa: SLF001  counted already where a program asks
    datasette.remove_database(name)
    datasette.add_database(database, name, own.route)


def connect(database: Database) -> Connection:
    """A connection to the file of Datasette's database, with a clock; Datasette prepares it."""
    address = f"{Path(database.path).resolve().as_uri()}?{'mode=ro' if database.is_mutable else 'immutable=1'}"
    return sqlite3.connect(address, uri=True, check_same_thread=False, factory=Connection)


def reason(connection: Connection, error: Exception) -> Exception:
    """The error that says why the connection's statement ended: SQLite knows only that it was interrupted, or failed."""
    clock = connection.clock
    if clock.gave_way:
        return Busy()
    if not isinstance(error, QueryInterrupted) and (clock.is_over or error.args == ("interrupted",)):
        interrupted: Exception = QueryInterrupted(error, "", {})
        return interrupted
    return sqlite3.OperationalError(clock.refusal) if clock.refusal else error
