"""Limits of requests: their size, and how many are processed at once.

In: requests. Out: answers in order; refusals with their reason; 503 where too many wait. There is a limit for each kind of
request, so that costly ones (SQL of a person's own, whole tables) leave threads and memory to plain pages. A request has its
place until its answer is computed. What its client has not received then waits in memory, which each limit bounds too.
"""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.load.layout import DATABASE
from etl.site.safety.statement_time import IS_COSTLY
from schemas import TABLES

LONGEST_ADDRESS = 16 << 10
"""Bytes of an address: SQL of some hundred lines, and about what common proxies let through."""
LARGEST_BODY = 16 << 10
"""Bytes of a request's body: the site has small forms only."""
DEBUGGING = frozenset({"/-/allow-debug", "/-/messages", "/-/patterns", "/-/threads", "/-/threads.json"})
"""Pages of Datasette for developers of plugins."""


class RequestLimits:
    """ASGI middleware that refuses requests which are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        refused = self._refuse(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to a refused request; None for one to pass on."""
        headers = Headers(scope=scope)
        size = headers.get("content-length", "0")
        if len(scope["path"]) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS:
            return PlainTextResponse(f"The address is longer than {LONGEST_ADDRESS} bytes; shorten the SQL.", 414)
        if "transfer-encoding" in headers:
            return PlainTextResponse("The request's body must say its length.", 411)
        if not size.isdecimal() or int(size) > LARGEST_BODY:
            return PlainTextResponse(f"The request's body is larger than {LARGEST_BODY} bytes.", 413)
        if scope["path"] in DEBUGGING:
            return PlainTextResponse("There is no such page here.", 404)
        return None


BUSY_MESSAGE = "Too many requests at once; try again in a moment."
RETRY = {"retry-after": "5"}
PATIENCE = 20.0
"""Seconds that a request waits for its place, and that a client may take to receive a piece of its answer."""
BODY_SECONDS = 10.0
"""Seconds in which a request's body comes; it takes no place before."""
PIECE = 64 << 10
"""Bytes of an answer that are sent to the server at once: as many as its buffer takes."""
STREAMED = 256 << 10
"""Bytes of a streamed answer that may wait for its client while more is made; an answer made at once waits whole."""
ANSWER_MEMORY = 16 << 20
"""Bytes of answers that wait for their clients, in each limit."""
SLOW_SECONDS = 1.0
"""Seconds without a piece received after which a client is disconnected where the limit has no memory left."""
LOOK_SECONDS = 0.05
"""Seconds between two attempts to get memory."""
UNLIMITED_PATH = re.compile(r"/-/(static|static-plugins)/|/favicon\.ico$")
"""Small files, which are sent at once and need no place."""
FILE_PATH = re.compile(r"/-/downloads/|/[^/]+\.db$")
"""Files, which are read piece by piece and may take an hour: they have many places."""
WHOLE_TABLE_PATH = re.compile(rf"/{DATABASE}/({'|'.join(TABLES)})\.parquet$")
"""A file too, unless the query asks for some of its rows."""
SLOW_PATH = re.compile(rf"/{DATABASE}/[^/]+/.")
"""Pages of rows, and files made of rows."""
QUICK_QUERY = re.compile(rb"((^|&)(_search|q|_next|page|year|category)=[^&]{0,200})*$")
"""Queries that a page answers quickly: a search for some words, or the next rows."""
QUICK_GAPS = 12
GAP = re.compile(rb'[+" ]|%2[02]')
"""Gaps between the words of such a search: one word fifty times takes a second where it is all of an abstract."""
COSTLY_PATH = re.compile(r"\.(csv|parquet|blob|txt)$|^/-/(cite|feed)(?!/papers/)")
COSTLY_QUERY = re.compile(rb"(^|&)(sql|_where|_searchmode|_stream|_size|_json)=")


class ClientGone(BaseException):
    """The client has disconnected; not an `Exception`, so that it is neither logged nor answered by an error page."""


@dataclass
class ConcurrencyLimit:
    """Places for requests of one kind, the number that may wait for one, and memory for answers not yet received."""

    places: asyncio.Semaphore
    most_waiting: int
    waiting: int = 0
    memory: "AnswerMemory" = field(default_factory=lambda: AnswerMemory())  # noqa: PLW0108  it is defined below

    async def enter(self) -> bool:
        """Wait for a place; whether there is one, which the caller then returns by `leave`."""
        if self.waiting >= self.most_waiting:
            return False
        self.waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.places.acquire()
        except TimeoutError:
            return False
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Return the place."""
        self.places.release()


class ConcurrencyLimits:
    """ASGI middleware that bounds how many requests of each kind are processed at once.

    All places and all waiting requests are fewer than the server's connections (`sockets.py`): requests that wait for one limit
    leave connections for the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = ConcurrencyLimit(asyncio.Semaphore(6), most_waiting=200)
        self._slow = ConcurrencyLimit(asyncio.Semaphore(2), most_waiting=50)
        self._costly = ConcurrencyLimit(asyncio.Semaphore(2), most_waiting=50)
        self._files = ConcurrencyLimit(asyncio.Semaphore(32), most_waiting=32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        limit = self._limit_of(scope) if scope["type"] == "http" else None
        if limit is None:
            await self._app(scope, receive, send)
            return
        try:
            client = await Client.with_body(receive)
        except TimeoutError:
            await PlainTextResponse("The request's body did not come.", 408, {"connection": "close"})(
                scope, receive, send
            )
            return
        try:
            if client.is_gone:
                return
            if not await limit.enter():
                await _busy()(scope, receive, send)
                return
            async with PacedAnswer(client, limit.memory, send) as answer:
                try:
                    await self._work(limit, scope, client, answer)
                finally:
                    limit.leave()
        finally:
            client.stop_waiting()

    def _limit_of(self, scope: Scope) -> ConcurrencyLimit | None:
        path, query = scope["path"], scope.get("query_string", b"")
        if UNLIMITED_PATH.match(path):
            return None
        if FILE_PATH.match(path) or (WHOLE_TABLE_PATH.match(path) and not query):
            return self._files
        if COSTLY_PATH.search(path) or COSTLY_QUERY.search(unquote_to_bytes(query)):  # Datasette decodes names too
            return self._costly
        is_quick = QUICK_QUERY.match(query) and len(GAP.findall(query)) <= QUICK_GAPS
        return self._pages if is_quick and not SLOW_PATH.match(path) else self._slow

    async def _work(self, limit: ConcurrencyLimit, scope: Scope, client: "Client", answer: "PacedAnswer") -> None:
        """Answer, unless the client disconnected while it waited."""
        await asyncio.sleep(0)  # so that a message of the client is received first
        if not client.is_gone:
            IS_COSTLY.set(limit is self._costly)
            await self._app(scope, client.receive, answer.put)


class Client:
    """The client of a request: its body, and whether it is still connected."""

    def __init__(self, body: Message, receive: Receive) -> None:
        self._body: Message | None = body
        self._next = asyncio.ensure_future(receive())
        self._receive = receive

    @classmethod
    async def with_body(cls, receive: Receive) -> "Client":
        """The client once its body is here; raises `TimeoutError`."""
        body = b""
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return cls({**message, "body": body}, receive)

    @property
    def is_gone(self) -> bool:
        """Whether the client has disconnected."""
        came = [self._body, self._next.result() if self._next.done() else None]
        return any(message and message["type"] == "http.disconnect" for message in came)

    async def receive(self) -> Message:
        """The body, then the server's next message."""
        if self._body is None:
            await asyncio.sleep(0)  # whoever asks again and again lets others work
            return await asyncio.shield(self._next)
        body, self._body = self._body, None
        return body

    def stop_waiting(self) -> None:
        """Wait no longer for the client to disconnect."""
        self._next.cancel()


class AnswerMemory:
    """Memory for the answers of one limit that wait for their clients."""

    def __init__(self) -> None:
        self.free = ANSWER_MEMORY
        self.answers: set[PacedAnswer] = set()

    def drop_slowest(self) -> bool:
        """Disconnect the client that has received nothing for longest; whether there is one."""
        slowest = min(
            (answer for answer in self.answers if answer.waiting), key=lambda one: one.last_received, default=None
        )
        if slowest is None or time.monotonic() - slowest.last_received < SLOW_SECONDS:
            return False
        slowest.drop()
        return True


class PacedAnswer:
    """An answer that is made as fast as there is memory for it, and sent piece by piece as fast as its client receives it.

    A client that receives nothing for `PATIENCE` is disconnected.
    """

    def __init__(self, client: Client, memory: AnswerMemory, send: Send) -> None:
        self.last_received = time.monotonic()
        """When the client received the last piece."""
        self.waiting = 0
        """Bytes that wait for the client."""
        self._client, self._memory, self._send = client, memory, send
        self._pieces: deque[Message] = deque()
        self._changed, self._taken = asyncio.Event(), asyncio.Event()
        self._is_whole = self._is_gone = False

    async def __aenter__(self) -> "PacedAnswer":
        self._memory.answers.add(self)
        self._sending = asyncio.ensure_future(self._send_all())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Wait until all is sent, or the client has disconnected."""
        self._is_whole = True
        self._changed.set()
        if isinstance(error, ClientGone | asyncio.CancelledError):
            self.drop()
        try:
            await asyncio.wait([self._sending])
        finally:
            self.drop()
            self._memory.answers.discard(self)
        if self._sending.done() and not self._sending.cancelled():
            self._sending.result()
        return isinstance(error, ClientGone)

    async def put(self, message: Message) -> None:
        """Accept a message of the application; raises `ClientGone`."""
        body = message.get("body", b"")
        for start in range(0, len(body) - PIECE, PIECE):
            await self._put({"type": message["type"], "body": body[start : start + PIECE], "more_body": True})
        if len(body) > PIECE:
            message = {**message, "body": body[(len(body) - 1) // PIECE * PIECE :]}
        await self._put(message)
        while message.get("more_body") and self.waiting > STREAMED:
            self._taken.clear()
            await self._taken.wait()
            self._require_client()

    def drop(self) -> None:
        """Stop sending, and free the memory."""
        self._is_gone = True
        self._sending.cancel()
        self._pieces.clear()
        self._free(self.waiting)

    async def _put(self, piece: Message) -> None:
        self._require_client()
        size = len(piece.get("body", b""))
        while self._memory.free < size:
            if not self._memory.drop_slowest():
                await asyncio.sleep(LOOK_SECONDS)
            self._require_client()
        if not self._pieces:
            self.last_received = time.monotonic()
        self._memory.free -= size
        self.waiting += size
        self._pieces.append(piece)
        self._changed.set()

    def _require_client(self) -> None:
        if self._is_gone or self._sending.done() or self._client.is_gone:
            raise ClientGone

    async def _send_all(self) -> None:
        try:
            while self._pieces or not self._is_whole:
                if self._pieces:
                    await self._send_piece(self._pieces[0])
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.drop()
        finally:
            self._taken.set()

    async def _send_piece(self, piece: Message) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._send(piece)
        self._pieces.popleft()
        self._free(len(piece.get("body", b"")))
        self.last_received = time.monotonic()

    def _free(self, size: int) -> None:
        self.waiting -= size
        self._memory.free += size
        self._taken.set()


def _busy() -> PlainTextResponse:
    return PlainTextResponse(BUSY_MESSAGE, 503, RETRY)
