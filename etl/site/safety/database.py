"""The release's database as Datasette asks it. In: work on a connection. Out: its result in time, or an error that says why not."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import local
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, TypeVar

from datasette.database import Database, QueryInterrupted

from etl.site.safety.clock import WATCH, Connection

if TYPE_CHECKING:
    from datasette.app import Datasette

Found = TypeVar("Found")
IS_COSTLY: ContextVar[bool] = ContextVar("IS_COSTLY", default=False)
"""Whether the request that is worked on may ask for much: what it does gives way to pages."""
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

    async def execute_fn(self, fn: Callable[[Connection], Found]) -> Found:
        """What the work finds; raises `QueryInterrupted` when its time is over, `Busy` where a page finds no memory."""
        seconds = self.ds.sql_time_limit_ms / 1000
        is_costly = IS_COSTLY.get()

        def work() -> Found:
            connection = self._connection()
            for _ in range(1 if is_costly else ATTEMPTS):
                try:
                    with WATCH.watching(connection, seconds, is_costly=is_costly), _cursors_closed():
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
