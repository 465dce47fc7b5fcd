"""Connections to a served release. In: what uvicorn accepts. Out: requests that come in time, and an end that comes in seconds.

uvicorn waits without end for a request that was begun, for its body, and for a reader who stalls; it takes connections until
the process has no file left; and it ends when the last answer is computed.
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
from etl.site.safety.statement_time import WATCH

REQUEST_SECONDS = 10.0
"""Seconds from a connection, or the answer before, to the end of a request."""
STALLED_SECONDS = 20.0
"""Seconds that a reader may take nothing of an answer: 64 KiB in them is the slowest that is served."""
UNSEEN = 64 << 10
"""Bytes of an answer that wait for a reader before the server says stop."""
MOST_CONNECTIONS = 1000
FILES = 2500
"""Open files that the process asks the system for: two for each connection, and the database's."""
OWN_FILES = 100
AT_ONCE = 64
"""Connections that are taken before they are looked at: asyncio takes as many as the queue is long."""
QUEUE = 1024
LOGGED = 500
"""Letters of an address in the log."""
GRACE_SECONDS = 2
"""Seconds that answers may take when the server ends."""
LAST_SECONDS = 5.0
"""Seconds after which it ends whatever happens."""
FULL = "socket.accept() out of system resource"
SILENCE_SECONDS = 60.0
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 22\r\n\r\nToo many connections.\n"
)


class Protocol(H11Protocol):
    """uvicorn's own, with an end to each wait for the client, and to how many there are."""

    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._request_ends: asyncio.TimerHandle | None = None
        self._reading_ends: asyncio.TimerHandle | None = None

    @property
    def waits_since(self) -> float | None:
        """When the wait for the request that is not here yet ends; None while one is worked on."""
        return self._request_ends.when() if self._request_ends else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, and let one go where there are too many: who waits longest without a request, or this one."""
        super().connection_made(transport)
        see_what_is_read(transport)
        if len(self.connections) > self.most:
            waiting = [other for other in self.connections if isinstance(other, Protocol) and other.waits_since]
            if waiting:
                min(waiting, key=lambda other: other.waits_since or 0).drop()
            else:
                transport.write(BUSY)
                transport.close()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came; the wait goes on until a request is whole."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """The answer is sent: wait for another request."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """The client does not read: wait for it."""
        super().pause_writing()
        self._reading_ends = self._reading_ends or self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._end_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._end_wait()
        self._end_stall()

    def drop(self) -> None:
        """Let the connection go, and count it no more."""
        self._end_wait()
        self.connections.discard(self)
        self.transport.abort()

    def _look(self) -> None:
        """Have the wait for a request begin or end."""
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


class Server(uvicorn.Server):
    """uvicorn's own, which ends whatever is computed."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and have the system queue more connections than are taken at once."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                with socket.socket(fileno=os.dup(listener.fileno())) as again:
                    again.listen(QUEUE)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End: statements at once, answers in a moment, and all the rest soon after."""
        super().handle_exit(sig, frame)
        WATCH.close()
        last = Timer(LAST_SECONDS, os._exit, [128 + sig])
        last.daemon = True
        last.start()


class ShortAddresses(logging.Filter):
    """Cuts the addresses in the log, which hold what anybody writes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Have the record logged, its address cut."""
        record.args = tuple(cut(value, LOGGED) if isinstance(value, str) else value for value in record.args or ())
        return True


class FullTable(logging.Filter):
    """Makes one line a minute of what asyncio says, with a traceback, of each connection that finds no file free."""

    def __init__(self) -> None:
        super().__init__()
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if not record.getMessage().startswith(FULL):
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
    """Be a server, as `uvicorn.run` is one; the options are its own."""
    Protocol.most = most_connections(_raise_limit())
    logging.getLogger("asyncio").addFilter(FullTable())
    config = uvicorn.Config(app, **options, http=Protocol, backlog=AT_ONCE, timeout_graceful_shutdown=GRACE_SECONDS)
    logging.getLogger("uvicorn.access").addFilter(ShortAddresses())  # once uvicorn has set up its log
    server = Server(config)
    try:
        server.run()
    finally:
        if config.uds and os.path.exists(config.uds):  # noqa: PTH110
            os.remove(config.uds)  # noqa: PTH107
    if not server.started:
        sys.exit(3)


def see_what_is_read(transport: asyncio.Transport) -> None:
    """Have little of an answer wait unseen, in the system and before it: else a slow reader is taken for one who stalls."""
    transport.set_write_buffer_limits(high=UNSEEN, low=UNSEEN - 1)
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSEEN)


def most_connections(files: int) -> int:
    """Connections that are taken where a process may have so many files open.

    >>> most_connections(1024), most_connections(2500), most_connections(65536)
    (462, 1000, 1000)
    """
    return max(1, min(MOST_CONNECTIONS, (files - OWN_FILES) // 2))


def _raise_limit() -> int:
    """How many files this process may have open, which is made enough where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
