"""How many requests are worked on at once. In: requests. Out: answers, in turn; and 503 where too many wait.

Two lanes, so that costly requests (SQL that anybody wrote, whole tables) cannot keep plain pages from their threads and
memory. A request holds its place until the reader has taken the answer, for an answer that waits in a buffer is memory too.
"""

import asyncio
import re
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.load.layout import DATABASE
from schemas import TABLES

PATIENCE = 20.0
"""Seconds that a request waits for its turn, and that a reader may take for a piece of its answer."""
PIECE = 64 << 10
"""Bytes of an answer that are handed to the server at once: as many as its buffer holds before it says stop."""
FREE = re.compile(r"/-/(static|static-plugins|downloads)/|/favicon\.ico$|/[^/]+\.db$")
"""Files, which are read piece by piece: they take no place."""
WHOLE_TABLE = re.compile(rf"/{DATABASE}/({'|'.join(TABLES)})\.parquet$")
"""A file too, unless the query asks for some of its rows."""
COSTLY_PATH = re.compile(r"\.(csv|parquet|blob)$")
COSTLY_QUERY = re.compile(rb"(^|&)(sql|_where|_search_mode|_stream|_size)=")


class ReaderGone(Exception):
    """Nobody takes the answer any more."""


@dataclass
class Lane:
    """Places for requests, and for those who wait for one."""

    places: asyncio.Semaphore
    most_waiting: int
    waiting: int = 0

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


class Lanes:
    """Lets an application work on a bounded number of requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = Lane(asyncio.Semaphore(6), most_waiting=400)
        self._costly = Lane(asyncio.Semaphore(2), most_waiting=200)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        lane = self._lane(scope) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
        elif await lane.enter():
            try:
                await self._work(scope, receive, send)
            finally:
                lane.leave()
        else:
            await _busy()(scope, receive, send)

    def _lane(self, scope: Scope) -> Lane | None:
        path, query = scope["path"], scope.get("query_string", b"")
        if FREE.match(path) or (WHOLE_TABLE.match(path) and not query):
            return None
        costly = COSTLY_PATH.search(path) or COSTLY_QUERY.search(query)
        return self._costly if costly else self._pages

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the client went away while it waited."""
        first: Message | None = await receive()
        if first and first["type"] == "http.disconnect":
            return

        async def receive_again() -> Message:
            nonlocal first
            message, first = first, None
            return message or await receive()

        try:
            await self._app(scope, receive_again, _in_pieces(send))
        except ReaderGone:
            return


def _in_pieces(send: Send) -> Send:
    """Send a large answer piece by piece, each when the one before is on its way; a reader who stalls is let go."""
    gone = False

    async def send_piece(message: Message) -> None:
        nonlocal gone
        if gone:
            raise ReaderGone
        try:
            async with asyncio.timeout(PATIENCE):
                await send(message)
        except TimeoutError as error:
            gone = True
            raise ReaderGone from error

    async def send_pieces(message: Message) -> None:
        body = message.get("body", b"")
        for start in range(0, len(body) - PIECE, PIECE):
            await send_piece({"type": message["type"], "body": body[start : start + PIECE], "more_body": True})
        if len(body) > PIECE:
            message = {**message, "body": body[(len(body) - 1) // PIECE * PIECE :]}
        await send_piece(message)

    return send_pieces


def _busy() -> PlainTextResponse:
    return PlainTextResponse("Too many requests at once; try again in a moment.", 503, {"retry-after": "5"})
