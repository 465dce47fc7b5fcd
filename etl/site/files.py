"""Files over HTTP: those of the release, with the page of downloads, and those made for a request.

In: a release. Out: `/-/downloads` (the page) and `/-/downloads/FILE`, of the manifest and the files that it lists; and, for other
routes, the answer with a file that is made in the export queue. All are sent whole or in ranges (by starlette), and again only
where they changed.
"""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from io import BufferedRandom
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import format_bytes
from datasette.utils.asgi import Forbidden, NotFound, Request, Response
from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.staticfiles import NotModifiedResponse

from etl.load.layout import CROISSANT, DATA_PACKAGE, DATABASE, DATABASE_FILE, MANIFEST, METADATA, PAPER_LIST_FILE
from etl.load.manifest import file_facts
from etl.release.release import Release
from etl.report import REPORT_FILE
from etl.report.results import RESULTS_FILE
from etl.site.exports import BUSY_STATUS, ExportQueue, ExportRefused, Work, limits_of, new_connection
from etl.site.safety.statement_time import TimedConnection
from etl.site.served import served
from schemas import TABLES, PaperList

if TYPE_CHECKING:
    from datasette.app import Datasette

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
PARQUET = "application/vnd.apache.parquet"
_TYPES = {
    ".parquet": PARQUET,
    ".db": "application/vnd.sqlite3",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}
_SHOWN = (".html", ".json")
"""Files that a browser shows instead of storing them."""
_METHODS = "GET, HEAD, OPTIONS"
_RETRY_SECONDS = "5"
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag",
}
_PREFLIGHT = {
    "access-control-allow-methods": _METHODS,
    "access-control-allow-headers": "Range, If-Range, If-None-Match",
    "access-control-max-age": "86400",
}


@dataclass(frozen=True)
class FileToSend:
    """A file to send: its path, its name and type for the client, and the hash of its content."""

    path: str
    name: str
    type: str
    sha256: str
    modified: str
    """When it changed last, as an HTTP date."""
    shown: bool = False


def _files_of(release: Release) -> dict[str, dict[str, Any]]:
    """Size and hash of the release's files by name: those in its manifest, and the manifest itself."""
    return {**release.manifest["files"], MANIFEST: _own_facts(release)}


def _own_facts(release: Release) -> dict[str, Any]:
    return file_facts(release.path / MANIFEST)


def release_file(release: Release, name: str) -> FileToSend | None:
    """A file of the release; None for a name that is not in its manifest."""
    facts = _own_facts(release) if name == MANIFEST else release.manifest["files"].get(name)
    if facts is None:
        return None
    suffix = Path(name).suffix
    return FileToSend(
        path=str(release.path / name),
        name=name,
        type=_TYPES.get(suffix, "application/octet-stream"),
        sha256=facts["sha256"],
        modified=_last_modified(release),
        shown=suffix in _SHOWN,
    )


def _descriptor_path(file: BufferedRandom) -> str:
    """The path of an open temporary file, which has no name."""
    return f"/dev/fd/{file.fileno()}"


def spool(pieces: Iterable[str]) -> BufferedRandom:
    """A text in a temporary file, written piece by piece; closed where one cannot be made."""
    with ExitStack() as closed_on_error:
        file = closed_on_error.enter_context(TemporaryFile())
        for piece in pieces:
            file.write(piece.encode())
        closed_on_error.pop_all()
    return file


async def _sha256_of(file: BufferedRandom) -> str:
    """The sha256 of a file, computed in a thread: half a gigabyte takes a second."""

    def digest() -> str:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()

    return await asyncio.to_thread(digest)


def _last_modified(release: Release) -> str:
    """When the release was written, as an HTTP date."""
    return formatdate((release.path / MANIFEST).stat().st_mtime, usegmt=True)


def answer_other_method(request: Request, *, cors: bool) -> Response | None:
    """The answer to OPTIONS, and 405 to other methods; None for GET and HEAD; `cors` permits scripts of other sites."""
    if request.method in ("GET", "HEAD"):
        return None
    if request.method == "OPTIONS":
        return Response("", status=204, headers={"allow": _METHODS, **(_CORS | _PREFLIGHT if cors else {})})
    return Response.text("Only GET, HEAD and OPTIONS are answered here", status=405, headers={"allow": _METHODS})


async def _send_file(sent: FileToSend, request: Request, send: Send, *, cors: bool) -> None:
    """Send a file, or the range of it that is requested; `cors` permits scripts of other sites to read it."""
    etag = f'"{sent.sha256}"'
    response = FileResponse(
        sent.path,
        headers={
            "cache-control": "no-cache",  # Cached, but checked each time: the next release has the same address.
            "etag": etag,
            "last-modified": sent.modified,
            "x-content-type-options": "nosniff",
        },
        media_type=sent.type,
        filename=sent.name,
        stat_result=os.stat(sent.path),  # noqa: PTH116  may be the path of a file descriptor
        content_disposition_type="inline" if sent.shown else "attachment",
    )
    unchanged = _matches(request.headers.get("if-none-match", ""), etag)
    answer = NotModifiedResponse(response.headers) if unchanged else response
    await answer(request.scope, request.receive, _with_cors(send) if cors else send)


def _matches(tags: str, etag: str) -> bool:
    """Whether an If-None-Match header matches a tag.

    >>> _matches('"a", W/"b"', '"b"'), _matches("*", '"b"'), _matches("", '"b"')
    (True, True, False)
    """
    return any(tag.strip().removeprefix("W/") in ("*", etag) for tag in tags.split(","))


def _with_cors(send: Send) -> Send:
    """A `send` that permits scripts of other sites to read the answer, errors too."""
    headers = Headers(_CORS).raw

    async def send_with_cors(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return send_with_cors


@dataclass(frozen=True)
class NewFile:
    """A file to make for a request: its name and type for the client, and the work that makes it."""

    name: str
    type: str
    work: Work
    shown: bool = False
    """Whether a browser shows it instead of storing it."""


class Exports:
    """One queue of exports: the answers to requests with files that are made for them."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self.limits = limits_of(datasette)
        self._datasette = datasette
        self._release = release
        self._queue = ExportQueue(self.limits)

    def connect(self) -> TimedConnection:
        """A connection for one export."""
        return new_connection(self._datasette)

    async def answer(
        self, pending: Awaitable[NewFile | FileToSend | Response], request: Request, send: Send
    ) -> Response | None:
        """Send a file once it is made, or answer why there is none; nothing where the client has disconnected."""
        cors = self._datasette.cors
        try:
            found = await pending
            if isinstance(found, Response):
                return found
            if answer := answer_other_method(request, cors=cors):
                return answer
            if isinstance(found, FileToSend):
                await _send_file(found, request, send, cors=cors)
            elif file := await self._queue.run(found.work, request.receive):
                with file:
                    await _send_file(await self._sent(found, file), request, send, cors=cors)
        except ExportRefused as refused:
            return _refusal(refused, cors=cors)
        return None

    async def _sent(self, new: NewFile, file: BufferedRandom) -> FileToSend:
        """A temporary file as one to send; two exports of the same rows have the same hash."""
        digest, modified = await _sha256_of(file), _last_modified(self._release)
        return FileToSend(_descriptor_path(file), new.name, new.type, digest, modified, new.shown)


def _refusal(refused: ExportRefused, *, cors: bool) -> Response:
    """The answer to a refused export."""
    retry = {"retry-after": _RETRY_SECONDS} if refused.status == BUSY_STATUS else {}
    return Response.text(f"{refused}\n", status=refused.status, headers={**retry, **(_CORS if cors else {})})


_PARQUET = {f"{name}.parquet": model.definition() for name, model in TABLES.items()}
_PAPER_LIST = PaperList.definition()
_WORDS: dict[str, tuple[str, str]] = {
    PAPER_LIST_FILE: (_PAPER_LIST.title, _PAPER_LIST.description),
    DATABASE_FILE: ("The whole dataset", "One SQLite file: all tables, the views, and full-text search."),
    **{name: (definition.title, definition.description) for name, definition in _PARQUET.items()},
    REPORT_FILE: ("Quality report", "What the rules found, with the lines of the pages, as one page to keep."),
    RESULTS_FILE: ("Results of the rules", "The same as the report, for programs."),
    DATA_PACKAGE: ("Data Package", "All files, columns, types and keys in the Data Package standard, for programs."),
    CROISSANT: (
        "Croissant",
        "The same in the Croissant standard, from which programs for machine learning load the tables.",
    ),
    METADATA: ("Datasette's metadata", "Titles and descriptions of all tables and columns, as this site shows them."),
    MANIFEST: ("Manifest", "What the release is: its logical hash, and each file's size and sha256."),
}
_GROUPS = {
    "To start with": (PAPER_LIST_FILE, DATABASE_FILE),
    "Tables": tuple(_PARQUET),
}
_REST = "About the release"


@dataclass(frozen=True)
class Download:
    """A file on the page of downloads."""

    name: str
    title: str
    description: str
    rows: int | None
    size: str
    sha256: str


def downloads_by_group(files: dict[str, dict[str, Any]]) -> dict[str, list[Download]]:
    """The files by group, known ones in the order of `_WORDS`.

    >>> groups = downloads_by_group({"papers.parquet": {"sha256": "0" * 64, "bytes": 1024, "rows": 7}})
    >>> {group: [(file.title, file.size) for file in files] for group, files in groups.items()}
    {'Tables': [('Papers', '1.0 KB')]}
    """
    groups: dict[str, list[Download]] = {}
    for name in sorted(files, key=lambda name: (_rank(name), name)):
        group = next((group for group, names in _GROUPS.items() if name in names), _REST)
        groups.setdefault(group, []).append(_download(name, files[name]))
    return groups


def _rank(name: str) -> int:
    known = list(_WORDS)
    return known.index(name) if name in known else len(known)


def _download(name: str, facts: dict[str, Any]) -> Download:
    title, description = _WORDS.get(name, (name, ""))
    return Download(name, title, description, facts.get("rows"), format_bytes(facts["bytes"]), facts["sha256"])


DOWNLOADS = "/-/downloads"
_PAGE = "paperledger-downloads.html"


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of the page and the files, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    files = Downloads(datasette, release)
    return [(rf"{DOWNLOADS}$", files.page), (rf"{DOWNLOADS}/(?P<file>[^/]+)$", files.file)]


class Downloads:
    """The routes of one release's files."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release

    async def page(self, request: Request) -> Response:
        """The page of all files, with descriptions and how to read them."""
        await self._require(request, [])
        urls = self._datasette.urls
        context = {
            "groups": downloads_by_group(_files_of(self._release)),
            "logical_hash": self._release.manifest["logical_hash"],
            "folder": urls.path(DOWNLOADS),
            "address": self._datasette.absolute_url(request, urls.path(DOWNLOADS)),
            "database_address": self._datasette.absolute_url(request, urls.database(DATABASE)),
            "database_url": urls.database(DATABASE),
        }
        return Response.html(await self._datasette.render_template(_PAGE, context, request=request))

    async def file(self, request: Request, send: Send) -> Response | None:
        """One file of the release, or the range of it that is requested."""
        return await self._send(request.url_vars["file"], request, send)

    async def _send(self, name: str, request: Request, send: Send) -> Response | None:
        sent = release_file(self._release, name)
        if sent is None:
            raise NotFound("No file of this name in the release")
        table = name.removesuffix(".parquet")
        await self._require(request, [("view-table", (DATABASE, table))] if table in TABLES else [])
        if name == DATABASE_FILE and not self._datasette.setting("allow_download"):
            raise Forbidden("Database download is forbidden")
        if answer := answer_other_method(request, cors=self._datasette.cors):
            return answer
        await _send_file(sent, request, send, cors=self._datasette.cors)
        return None

    async def _require(self, request: Request, first: list[Any]) -> None:
        """Raise `Forbidden` where the request may not see all of a release."""
        rest = [("view-database-download", DATABASE), ("view-database", DATABASE), "view-instance"]
        await self._datasette.ensure_permissions(request.actor, [*first, *rest])
