"""When statements end. In: a connection and its seconds. Out: an interrupt when they are over, or when nobody waits any more.

Datasette looks at the time between SQLite's steps only, once in a thousand: a thousand searches in long texts take minutes.
So a thread of its own looks, and interrupts: SQLite then ends at its next step or read, and the functions of
`functions.py` before they begin. No step of SQLite's own takes longer than some milliseconds.
"""

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event, Thread

TICK = 0.02
"""Seconds between two looks at the statements that run."""


class TimeIsUp(sqlite3.OperationalError):
    """The statement's time is over."""


class Clock:
    """How long the statements of one connection may go on, and why they ended."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        """What a function has against its arguments: SQLite hands no message on."""
        self.is_costly = False
        self.gave_way = False
        """Whether its statements were ended so that pages find memory."""
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

    def start(self, seconds: float, stop: Event | None = None, *, is_costly: bool = False) -> None:
        """Let statements begin."""
        self.refusal, self.gave_way, self.is_costly = None, False, is_costly
        self._ends, self._stop = time.monotonic() + seconds, stop


class Connection(sqlite3.Connection):
    """A connection with a clock."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
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
        self, connection: Connection, seconds: float, stop: Event | None = None, *, is_costly: bool = False
    ) -> Iterator[None]:
        """End the connection's statements when their seconds are over or the sign to stop is given."""
        connection.clock.start(seconds, stop, is_costly=is_costly)
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
