"""What is refused before Datasette sees it. In: a request. Out: the request handed on, or an answer that says why not."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_ADDRESS = 16 << 10
"""Bytes of an address: SQL of some hundred lines, and about what common proxies let through."""
LARGEST_BODY = 16 << 10
"""Bytes of a request's body: nothing here takes more than a small form."""
DEBUGGING = frozenset({"/-/allow-debug", "/-/messages", "/-/patterns", "/-/threads", "/-/threads.json"})
"""Pages of Datasette that serve those who write plugins."""


class Door:
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
