"""Refuses malformed requests in one line, and makes pages of errors. In: a request. Out: the application's answer, 400 or 405.

Datasette and its libraries raise various errors for parameters, cookies and paths that they do not expect, each with a traceback
in the log, which any client could cause.
"""

import errno
import re
import sqlite3
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.cookies import CookieError
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from datasette.database import QueryInterrupted
from datasette.utils import add_cors_headers, tilde_decode
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.load.layout import DATABASE
from etl.site.safety.sql_limits import LONGEST_JSON, LONGEST_VALUE
from schemas import TABLES, VIEWS

if TYPE_CHECKING:
    from datasette.app import Datasette

READ_METHODS = ("GET", "HEAD", "OPTIONS")
MOST_PARAMETERS = 100
"""Parameters of an address: those of SQL, and a table's filters."""
MOST_FACETS = 5
"""Facets of a page."""
UNESCAPED = re.compile(rb"[^!-~]|\\")
"""Bytes that clients escape in a path; browsers read a backslash as a slash."""
REQUEST_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    CookieError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Errors that an unexpected value of a request may cause."""
FILE_NAME_ERRORS = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)
"""Errors of a file's name, not of the disk."""
OWN, DATASETTE = ("etl", "schemas"), ("datasette", "asgi_csrf")
AS_CSV: ContextVar[bool] = ContextVar("AS_CSV", default=False)
"""Whether the current request is for CSV."""
AS_PAGE: ContextVar[bool] = ContextVar("AS_PAGE", default=False)
"""Whether it is for an HTML page."""


class RejectBadRequests:
    """ASGI middleware that refuses requests which no page can answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refused := _refuse(scope):
            await refused(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        start: Message | None = None

        async def send_on(message: Message) -> None:
            """Delay the status until there is a body: where making it fails, the status is another one."""
            nonlocal started, start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                started, first, start = True, start, None
                await send(first)
            await send(message)

        before = AS_CSV.set(scope["path"].endswith(".csv"))
        page_before = AS_PAGE.set("." not in scope["path"].rpartition("/")[2])
        try:
            await self._app(scope, receive, send_on)
        except REQUEST_ERRORS as error:
            if started or not is_caused_by_request(error):
                raise
            await PlainTextResponse(_bad_request_message(error), 400)(scope, receive, send)
        finally:
            AS_CSV.reset(before)
            AS_PAGE.reset(page_before)


def is_caused_by_request(error: BaseException) -> bool:
    """Whether a request caused an error in Datasette, and not in this project's code."""
    if not isinstance(error, REQUEST_ERRORS) or (isinstance(error, OSError) and error.errno not in FILE_NAME_ERRORS):
        return False
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    known = (name for file in reversed(files) for name in (*OWN, *DATASETTE) if file.is_relative_to(_location(name)))
    return next(known, None) in DATASETTE


def _bad_request_message(error: BaseException) -> str:
    """The message about a request that caused an error.

    >>> _bad_request_message(ValueError("no number: 'x'"))
    "The address cannot be answered (no number: 'x'); see whether its parameters have sensible values."
    """
    problem = str(error).partition("\n")[0] or type(error).__name__
    return f"The address cannot be answered ({problem}); see whether its parameters have sensible values."


def _refuse(scope: Scope) -> PlainTextResponse | None:
    """The answer to a refused request; None for one to pass on."""
    method, path = scope["method"], scope["path"]
    if method not in READ_METHODS and not (method == "POST" and path.startswith("/-/")):
        allowed = ", ".join(READ_METHODS)
        return PlainTextResponse(f"This site is read only: {allowed}.", 405, {"allow": allowed})
    if UNESCAPED.search(scope.get("raw_path") or b""):
        return PlainTextResponse("The address has bytes that no address may have: write them as %XX.", 400)
    try:
        query = scope.get("query_string", b"").decode("latin-1")
        names = [name for name, _ in parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)]
    except ValueError:
        return PlainTextResponse(f"The address has more than {MOST_PARAMETERS} parameters.", 400)
    if sum(name.startswith("_facet") and name != "_facet_size" for name in names) > MOST_FACETS:
        return PlainTextResponse(f"The address asks for more than {MOST_FACETS} facets.", 400)
    return None


@cache
def _location(package: str) -> Path:
    """The path of a package or module."""
    spec = find_spec(package)
    assert spec is not None  # noqa: S101  all of them are installed
    assert spec.origin is not None  # noqa: S101
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


@dataclass(frozen=True)
class MissingPage:
    """What an address without a page asks for: a table, perhaps the key of a row, and words to search for."""

    path: str
    words: str
    table: str | None = None
    key: str | None = None
    key_columns: Sequence[str] = ()
    """The columns of the table's key; none of a view, and where there is no such table."""
    is_known: bool = False
    """Whether there is such a table or view."""
    database: str = DATABASE

    @property
    def is_impossible(self) -> bool:
        """Whether the table is unknown, or its keys have another number of parts: the SQL of the row's page is wrong then."""
        return self.key is not None and self.key.count(",") + 1 != len(self.key_columns)


_SUFFIX = re.compile(r"\.(atom|bib|csv|db|json|parquet|ris|svg|txt)$")


def missing_page(request: Request) -> MissingPage:
    """What a request asks for, whose page was not found."""
    named = request.url_vars
    is_of_dataset = named.get("database") == DATABASE and not request.path.startswith("/-/")
    table, pks = (tilde_decode(named[name]) if is_of_dataset and named.get(name) else None for name in ("table", "pks"))
    path = unquote(tilde_decode(request.path), errors="replace")
    asked = pks or _SUFFIX.sub("", path.rpartition("/")[2])
    model = TABLES.get(table or "")
    columns = model.definition().primary_key if model else ()
    words = " ".join(re.split(r"[-,_+\s]+", asked)).strip()
    return MissingPage(path, words, table, pks, columns, is_known=table in TABLES or table in VIEWS)


TOO_BIG = "string or blob too big"
"""SQLite's message about a value beyond its limit."""


def error_page(datasette: "Datasette", request: Request, error: Exception) -> Callable[[], Awaitable[Response]] | None:
    """A function that makes the page of an error; None for errors that no request caused."""
    described = _describe(error)
    if isinstance(error, sqlite3.Error | DatasetteError) and missing_page(request).is_impossible:
        described = 404, None, "There is no such row"
    if described is None:
        return None
    status, title, message = described
    context = {"ok": False, "error": message, "status": status, "title": title}

    async def answer() -> Response:
        if request.path.endswith(".json"):
            return Response.json(context, status=status, headers=headers)
        if request.path.endswith(".csv"):
            return Response.text(f"{message}\n", status=status, headers=headers)
        html = await datasette.render_template([f"{status}.html", "error.html"], context, request=request)
        return Response.html(html, status=status, headers=headers)

    headers: dict[str, str] = {}
    if datasette.cors:
        add_cors_headers(headers)
    return answer


def _describe(error: Exception) -> tuple[int, str | None, str] | None:
    """The status, title and message of an error; None for errors that no request caused."""
    if isinstance(error, Base400 | DatasetteError):
        return _describe_datasette_error(error)
    if isinstance(error, QueryInterrupted):
        return 400, "SQL Interrupted", "The query took too long; ask for less, or take the files of the release"
    if isinstance(error, MemoryError):
        return 400, "Too large", "This takes more memory than the site gives to all; ask for less."
    if isinstance(error, sqlite3.Error | sqlite3.Warning):  # a warning: two statements in one
        return 400, "Invalid SQL", sql_message(error)
    if is_caused_by_request(error):
        return 400, "Bad request", _bad_request_message(error)
    return None


def _describe_datasette_error(error: Base400 | DatasetteError) -> tuple[int, str | None, str]:
    """The same for Datasette's own errors."""
    if isinstance(error, Base400):
        return error.status, None, str(error)
    # 500 is the default where Datasette sets no status, for example for a column that it cannot sort by.
    status = error.status if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.BAD_REQUEST
    return status, error.title, _without_script(error)


def _without_script(error: DatasetteError) -> str:
    """The message; of one in HTML without its inline script, whose text, and so whose hash, depends on the query."""
    if not error.message_is_html:
        return sql_message(error)
    return Markup(error.message.partition("<script>")[0])  # noqa: S704  Datasette's own, its query escaped


def sql_message(error: Exception) -> str:
    """The message of an SQL error, with what to do about a value beyond the limit.

    >>> sql_message(sqlite3.DataError("string or blob too big")).partition(" (")[0]
    'A value is longer than 4 MiB'
    """
    message = error.message if isinstance(error, DatasetteError) else str(error)
    if message != TOO_BIG:
        return str(message)
    return (
        f"A value is longer than {LONGEST_VALUE >> 20} MiB (in SQL with JSON {LONGEST_JSON >> 10} KiB),"
        " too long for this site: leave its column out (_nocol=), or take the files of the release"
    )
