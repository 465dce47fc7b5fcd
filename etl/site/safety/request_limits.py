"""Limits of requests: what is refused before Datasette sees it, and how many are worked on at once.

In: requests. Out: answers, in turn; a refusal that says why; and 503 where too many wait. Costly requests (SQL that anybody
wrote, whole tables) have a limit of their own, so that they cannot keep plain pages from their threads and memory. A request
has its place until its answer is computed. What its reader has not taken then waits in memory, of which each lane has some.
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
"""Bytes of a request's body: nothing here takes more than a small form."""
DEBUGGING = frozenset({"/-/allow-debug", "/-/messages", "/-/patterns", "/-/threads", "/-/threads.json"})
"""Pages of Datasette that serve those who write plugins."""


class RequestLimits:
    """Lets requests of a sensible size through to an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        refused = self._refuse(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to a request that is not handed on."""
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


BUSY = "Too many requests at once; try again in a moment."
RETRY = {"retry-after": "5"}
PATIENCE = 20.0
"""Seconds that a request waits for its turn, and that a reader may take for a piece of its answer."""
BODY_SECONDS = 10.0
"""Seconds in which a request's body comes; it takes no place before."""
PIECE = 64 << 10
"""Bytes of an answer that are handed to the server at once: as many as its buffer holds before it says stop."""
STREAMED = 256 << 10
"""Bytes of an answer that may wait while more of it is made; one that is made as a whole waits as a whole."""
ROOM = 16 << 20
"""Bytes of answers that wait for their readers, in each lane."""
SLOW_SECONDS = 1.0
"""Seconds without a piece taken after which a reader is let go where the lane has no room."""
LOOK_SECONDS = 0.05
"""Seconds between two looks for room."""
FREE = re.compile(r"/-/(static|static-plugins)/|/favicon\.ico$")
"""Small files, which are sent at once: they take no place."""
FILES = re.compile(r"/-/downloads/|/[^/]+\.db$")
"""Files, which are read piece by piece and may take an hour: many places."""
WHOLE_TABLE = re.compile(rf"/{DATABASE}/({'|'.join(TABLES)})\.parquet$")
"""A file too, unless the query asks for some of its rows."""
SLOW_PATH = re.compile(rf"/{DATABASE}/[^/]+/.")
"""Rows, and what is made of them."""
QUICK_QUERY = re.compile(rb"((^|&)(_search|q|_next)=[^&]{0,200})*$")
"""What a page is asked without taking longer: some words to search, or the rows behind a row."""
QUICK_GAPS = 12
GAP = re.compile(rb'[+" ]|%2[02]')
"""Gaps between the words of such a search: one word fifty times takes a second where an abstract holds nothing else."""
COSTLY_PATH = re.compile(r"\.(csv|parquet|blob|txt)$")
COSTLY_QUERY = re.compile(rb"(^|&)(sql|_where|_searchmode|_stream|_size|_json)=")


class ReaderGone(BaseException):
    """Nobody takes the answer any more; no error, so that nobody answers it with a page or logs it."""


@dataclass
class ConcurrencyLimit:
    """Places for requests, and for those who wait for one; and room for the answers that their readers have not taken."""

    places: asyncio.Semaphore
    most_waiting: int
    waiting: int = 0
    room: "Room" = field(default_factory=lambda: Room())  # noqa: PLW0108  it is defined below

    async def enter(self) -> bool:
        """Wait for a place; whether there is one, which the caller then gives back by `leave`."""
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
        """Give the place back."""
        self.places.release()


class ConcurrencyLimits:
    """Lets an application work on a bounded number of requests.

    All places and all who wait are fewer than the connections that a server takes (`sockets.py`): who waits in one lane
    keeps nobody of another out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = ConcurrencyLimit(asyncio.Semaphore(6), most_waiting=200)
        self._slow = ConcurrencyLimit(asyncio.Semaphore(2), most_waiting=50)
        self._costly = ConcurrencyLimit(asyncio.Semaphore(2), most_waiting=50)
        self._files = ConcurrencyLimit(asyncio.Semaphore(32), most_waiting=32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        lane = self._lane(scope) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        try:
            client = await Client.of(receive)
        except TimeoutError:
            await PlainTextResponse("The request's body did not come.", 408, {"connection": "close"})(
                scope, receive, send
            )
            return
        try:
            if client.is_gone:
                return
            if not await lane.enter():
                await _busy()(scope, receive, send)
                return
            async with Answer(client, lane.room, send) as answer:
                try:
                    await self._work(lane, scope, client, answer)
                finally:
                    lane.leave()
        finally:
            client.forget()

    def _lane(self, scope: Scope) -> ConcurrencyLimit | None:
        path, query = scope["path"], scope.get("query_string", b"")
        if FREE.match(path):
            return None
        if FILES.match(path) or (WHOLE_TABLE.match(path) and not query):
            return self._files
        if COSTLY_PATH.search(path) or COSTLY_QUERY.search(unquote_to_bytes(query)):  # Datasette decodes names too
            return self._costly
        is_quick = QUICK_QUERY.match(query) and len(GAP.findall(query)) <= QUICK_GAPS
        return self._pages if is_quick and not SLOW_PATH.match(path) else self._slow

    async def _work(self, lane: ConcurrencyLimit, scope: Scope, client: "Client", answer: "Answer") -> None:
        """Answer, unless the client went away while it waited."""
        await asyncio.sleep(0)  # so that what came of the client is known
        if not client.is_gone:
            IS_COSTLY.set(lane is self._costly)
            await self._app(scope, client.receive, answer.put)


class Client:
    """Who asked: the body that was sent, and whether anybody is still there."""

    def __init__(self, body: Message, receive: Receive) -> None:
        self._body: Message | None = body
        self._next = asyncio.ensure_future(receive())
        self._receive = receive

    @classmethod
    async def of(cls, receive: Receive) -> "Client":
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
        """Whether the client went away."""
        came = [self._body, self._next.result() if self._next.done() else None]
        return any(message and message["type"] == "http.disconnect" for message in came)

    async def receive(self) -> Message:
        """The body, and then what the server says."""
        if self._body is None:
            return await asyncio.shield(self._next)
        body, self._body = self._body, None
        return body

    def forget(self) -> None:
        """Wait no longer for the client to leave."""
        self._next.cancel()


class Room:
    """Memory for the answers of a lane that wait for their readers."""

    def __init__(self) -> None:
        self.free = ROOM
        self.answers: set[Answer] = set()

    def let_go(self) -> bool:
        """Let the reader go who has taken nothing for longest; whether there is one."""
        slowest = min((answer for answer in self.answers if answer.waiting), key=lambda one: one.moved, default=None)
        if slowest is None or time.monotonic() - slowest.moved < SLOW_SECONDS:
            return False
        slowest.drop()
        return True


class Answer:
    """An answer on its way to a reader: made as fast as there is room for it, sent piece by piece as fast as it is read.

    A reader who takes nothing of it for `PATIENCE` is let go.
    """

    def __init__(self, client: Client, room: Room, send: Send) -> None:
        self.moved = time.monotonic()
        """When the reader took a piece."""
        self.waiting = 0
        """Bytes that wait."""
        self._client, self._room, self._send = client, room, send
        self._pieces: deque[Message] = deque()
        self._changed, self._taken = asyncio.Event(), asyncio.Event()
        self._is_whole = self._is_gone = False

    async def __aenter__(self) -> "Answer":
        self._room.answers.add(self)
        self._sending = asyncio.ensure_future(self._send_all())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Wait until all is sent, or the reader gone."""
        self._is_whole = True
        self._changed.set()
        if isinstance(error, ReaderGone | asyncio.CancelledError):
            self.drop()
        try:
            await asyncio.wait([self._sending])
        finally:
            self.drop()
            self._room.answers.discard(self)
        if self._sending.done() and not self._sending.cancelled():
            self._sending.result()
        return isinstance(error, ReaderGone)

    async def put(self, message: Message) -> None:
        """Take a message of the application's; raises `ReaderGone`."""
        body = message.get("body", b"")
        for start in range(0, len(body) - PIECE, PIECE):
            await self._put({"type": message["type"], "body": body[start : start + PIECE], "more_body": True})
        if len(body) > PIECE:
            message = {**message, "body": body[(len(body) - 1) // PIECE * PIECE :]}
        await self._put(message)
        while message.get("more_body") and self.waiting > STREAMED:
            self._taken.clear()
            await self._taken.wait()
            self._look()

    def drop(self) -> None:
        """Let the reader go, and free the memory."""
        self._is_gone = True
        self._sending.cancel()
        self._pieces.clear()
        self._free(self.waiting)

    async def _put(self, piece: Message) -> None:
        self._look()
        size = len(piece.get("body", b""))
        while self._room.free < size:
            if not self._room.let_go():
                await asyncio.sleep(LOOK_SECONDS)
            self._look()
        if not self._pieces:
            self.moved = time.monotonic()
        self._room.free -= size
        self.waiting += size
        self._pieces.append(piece)
        self._changed.set()

    def _look(self) -> None:
        if self._is_gone or self._sending.done() or self._client.is_gone:
            raise ReaderGone

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
        self.moved = time.monotonic()

    def _free(self, size: int) -> None:
        self.waiting -= size
        self._room.free += size
        self._taken.set()


def _busy() -> PlainTextResponse:
    return PlainTextResponse(BUSY, 503, RETRY)
