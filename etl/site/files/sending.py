"""Files over HTTP: whole or in ranges, from other sites' scripts where the server says so, and asked for anew only where they changed.

In: a file and what it is. Out: ASGI messages; the ranges are starlette's.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

from datasette.utils.asgi import Request, Response
from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.staticfiles import NotModifiedResponse

from etl.load.layout import MANIFEST
from etl.load.manifest import file_facts
from etl.site.served import Served

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
PARQUET = "application/vnd.apache.parquet"
_TYPES = {
    ".parquet": PARQUET,
    ".db": "application/vnd.sqlite3",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}
_SHOWN = (".html", ".json")
"""What a browser shows instead of storing it."""
_METHODS = "GET, HEAD, OPTIONS"
_OPEN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag",
}
_PREFLIGHT = {
    "access-control-allow-methods": _METHODS,
    "access-control-allow-headers": "Range, If-Range, If-None-Match",
    "access-control-max-age": "86400",
}


@dataclass(frozen=True)
class Sent:
    """A file to send: its path, the name and the type that a client sees, and a hash of what is in it."""

    path: str
    name: str
    type: str
    sha256: str
    modified: str
    """When it changed last, as HTTP writes it."""
    shown: bool = False


def files_of(release: Served) -> dict[str, dict[str, Any]]:
    """The facts of the release's files by name: those that its manifest names, and the manifest itself."""
    return {**release.manifest["files"], MANIFEST: _own_facts(release)}


def _own_facts(release: Served) -> dict[str, Any]:
    return file_facts(release.folder / MANIFEST)


def released(release: Served, name: str) -> Sent | None:
    """A file of the release; None for a name that its manifest does not hold."""
    facts = _own_facts(release) if name == MANIFEST else release.manifest["files"].get(name)
    if facts is None:
        return None
    suffix = Path(name).suffix
    return Sent(
        path=str(release.folder / name),
        name=name,
        type=_TYPES.get(suffix, "application/octet-stream"),
        sha256=facts["sha256"],
        modified=last_modified(release),
        shown=suffix in _SHOWN,
    )


def last_modified(release: Served) -> str:
    """When the release was written, as HTTP writes it."""
    return formatdate((release.folder / MANIFEST).stat().st_mtime, usegmt=True)


def other_method(request: Request, *, is_open: bool) -> Response | None:
    """The answer to a request that is no GET or HEAD; `is_open` lets scripts of other sites ask."""
    if request.method in ("GET", "HEAD"):
        return None
    if request.method == "OPTIONS":
        return Response("", status=204, headers={"allow": _METHODS, **(_OPEN | _PREFLIGHT if is_open else {})})
    return Response.text("Only GET, HEAD and OPTIONS are answered here", status=405, headers={"allow": _METHODS})


async def send_file(sent: Sent, request: Request, send: Send, *, is_open: bool) -> None:
    """Send a file, or the part of it that is asked for; `is_open` lets scripts of other sites read it."""
    etag = f'"{sent.sha256}"'
    response = FileResponse(
        sent.path,
        headers={
            "cache-control": "no-cache",  # Kept, but asked for anew: the next release has the same address.
            "etag": etag,
            "last-modified": sent.modified,
            "x-content-type-options": "nosniff",
        },
        media_type=sent.type,
        filename=sent.name,
        stat_result=os.stat(sent.path),  # noqa: PTH116  may be an open file without a name
        content_disposition_type="inline" if sent.shown else "attachment",
    )
    unchanged = _holds(request.headers.get("if-none-match", ""), etag)
    answer = NotModifiedResponse(response.headers) if unchanged else response
    await answer(request.scope, request.receive, _opened(send) if is_open else send)


def _holds(tags: str, etag: str) -> bool:
    """Whether the tags of a client's copies, as it sends them, hold this one.

    >>> _holds('"a", W/"b"', '"b"'), _holds("*", '"b"'), _holds("", '"b"')
    (True, True, False)
    """
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in tags.split(","))


def _opened(send: Send) -> Send:
    """A `send` that lets scripts of other sites read what is sent, errors too."""
    headers = Headers(_OPEN).raw

    async def opened(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return opened
