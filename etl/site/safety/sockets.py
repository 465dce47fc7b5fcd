"""Limits of a server's connections. In: connections that uvicorn accepts. Out: requests within a time, and an exit within seconds.

uvicorn waits without limit for a request, for its body, and for a client that stops reading; it accepts connections until the
process has no file left; and it exits only when the last answer is computed.
"""

import asyncio
import logging
import os
import resource
import socket
import sys
import time
from threading import Timer
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from etl.printable import cut
from etl.site.safety.statement_time import INTERRUPTER

REQUEST_SECONDS = 10.0
"""Seconds from a connection, or from its last answer, to the end of a request."""
STALLED_SECONDS = 20.0
"""Seconds in which a client may receive nothing: 64 KiB in that time is the slowest client that is served."""
UNSENT = 64 << 10
"""Bytes of an answer that wait for a client before the server pauses the application."""
MOST_CONNECTIONS = 1000
OPEN_FILES = 2500
"""Open files that the process requests of the system: two for each connection, and its own."""
OWN_FILES = 100
ACCEPTED_AT_ONCE = 64
"""Connections that asyncio accepts in one turn of its loop."""
BACKLOG = 1024
LOGGED = 500
"""Letters of an address in the log."""
GRACE_SECONDS = 2
"""Seconds that answers may take when the server exits."""
EXIT_SECONDS = 5.0
"""Seconds after which the process exits in any case."""
NO_FILE_LEFT = "socket.accept() out of system resource"
SILENCE_SECONDS = 60.0
BUSY_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 22\r\n\r\nToo many connections.\n"
)


class TimedProtocol(H11Protocol):
    """uvicorn's protocol with time limits for its client, and a limit of connections."""

    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._request_ends: asyncio.TimerHandle | None = None
        self._reading_ends: asyncio.TimerHandle | None = None

    @property
    def request_deadline(self) -> float | None:
        """When the wait for the next request ends; None while one is processed."""
        return self._request_ends.when() if self._request_ends else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; of too many, close the one that has waited longest without a request, or this one."""
        super().connection_made(transport)
        _limit_unsent_bytes(transport)
        if len(self.connections) > self.most:
            waiting = [
                other for other in self.connections if isinstance(other, TimedProtocol) and other.request_deadline
            ]
            if waiting:
                min(waiting, key=lambda other: other.request_deadline or 0).drop()
            else:
                transport.write(BUSY_ANSWER)
                transport.close()
        self._update_timer()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request; the time limit applies until it is whole."""
        super().data_received(data)
        self._update_timer()

    def on_response_complete(self) -> None:
        """The answer is sent: begin the time of the next request."""
        super().on_response_complete()
        self._update_timer()

    def pause_writing(self) -> None:
        """The client does not read: begin its time limit."""
        super().pause_writing()
        self._reading_ends = self._reading_ends or self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads: end its time limit."""
        super().resume_writing()
        self._end_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all time limits."""
        super().connection_lost(exc)
        self._end_wait()
        self._end_stall()

    def drop(self) -> None:
        """Close the connection, and stop counting it."""
        self._end_wait()
        self.connections.discard(self)
        self.transport.abort()

    def _update_timer(self) -> None:
        """Begin or end the time limit of a request."""
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._end_wait()
        elif self._request_ends is None:
            self._request_ends = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _end_wait(self) -> None:
        if self._request_ends:
            self._request_ends.cancel()
            self._request_ends = None

    def _end_stall(self) -> None:
        if self._reading_ends:
            self._reading_ends.cancel()
            self._reading_ends = None


class PromptServer(uvicorn.Server):
    """uvicorn's server, which exits in time even while answers are computed."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with a longer queue in the system than the number of connections accepted at once."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                with socket.socket(fileno=os.dup(listener.fileno())) as again:
                    again.listen(BACKLOG)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Exit: end statements at once, answers within `GRACE_SECONDS`, the process within `EXIT_SECONDS`."""
        super().handle_exit(sig, frame)
        INTERRUPTER.close()
        last = Timer(EXIT_SECONDS, os._exit, [128 + sig])
        last.daemon = True
        last.start()


class ShortAddressFilter(logging.Filter):
    """Cuts the addresses in the log, which requests choose freely."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the address of a record, which is then logged."""
        record.args = tuple(cut(value, LOGGED) if isinstance(value, str) else value for value in record.args or ())
        return True


class NoFileLeftFilter(logging.Filter):
    """Logs one line a minute where asyncio logs a traceback for each connection that finds no file free."""

    def __init__(self) -> None:
        super().__init__()
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if not record.getMessage().startswith(NO_FILE_LEFT):
            return True
        if time.monotonic() < self._silent_until:
            return False
        self._silent_until = time.monotonic() + SILENCE_SECONDS
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        record.msg, record.args, record.exc_info = (
            f"No connection is taken: all {limit} files are open (ulimit -n)",
            (),
            None,
        )
        return True


def run(app: Any, **options: Any) -> None:
    """Serve an application in place of `uvicorn.run`, with its options."""
    TimedProtocol.most = most_connections(_raise_limit())
    logging.getLogger("asyncio").addFilter(NoFileLeftFilter())
    config = uvicorn.Config(
        app, **options, http=TimedProtocol, backlog=ACCEPTED_AT_ONCE, timeout_graceful_shutdown=GRACE_SECONDS
    )
    logging.getLogger("uvicorn.access").addFilter(ShortAddressFilter())  # once uvicorn has set up its log
    server = PromptServer(config)
    try:
        server.run()
    finally:
        if config.uds and os.path.exists(config.uds):  # noqa: PTH110
            os.remove(config.uds)  # noqa: PTH107
    if not server.started:
        sys.exit(3)


def _limit_unsent_bytes(transport: asyncio.Transport) -> None:
    """Keep the buffers of a connection small: with large ones a slow client looks like one that has stopped reading."""
    transport.set_write_buffer_limits(high=UNSENT, low=UNSENT - 1)
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


def most_connections(files: int) -> int:
    """The limit of connections of a process that may have so many files open.

    >>> most_connections(1024), most_connections(2500), most_connections(65536)
    (462, 1000, 1000)
    """
    return max(1, min(MOST_CONNECTIONS, (files - OWN_FILES) // 2))


def _raise_limit() -> int:
    """The number of files that this process may open, raised where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
