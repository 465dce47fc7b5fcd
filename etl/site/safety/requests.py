"""Requests that no page can answer are refused in one line. In: a request. Out: the application's answer, or 400 or 405.

Datasette and what it stands on raise on parameters, cookies and paths that they do not expect, each in its own way, and each
is a traceback in the log: work that anybody could order.
"""

import errno
import re
import sqlite3
import traceback
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import cache
from http import HTTPStatus
from http.cookies import CookieError
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from datasette.database import QueryInterrupted
from datasette.utils import add_cors_headers
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etl.site.safety.sql_limits import LONGEST_JSON, LONGEST_SEARCHED, LONGEST_VALUE

if TYPE_CHECKING:
    from datasette.app import Datasette

READING = ("GET", "HEAD", "OPTIONS")
MOST_PARAMETERS = 100
"""Parameters of an address: SQL has some, and a table's filters."""
MOST_FACETS = 5
"""Facets of a page; each may take as long as the setting `facet_time_limit_ms` says."""
UNWRITTEN = re.compile(rb"[^!-~]|\\")
"""What no client writes into a path as it is; browsers take a backslash for a slash."""
STUMBLES = (
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
"""What is raised where a value is not what was expected."""
NO_PLACES = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)
"""What is wrong with the name of a file, and not with the disk."""
OURS, OTHERS = ("etl", "schemas"), ("datasette", "asgi_csrf")
as_csv: ContextVar[bool] = ContextVar("as_csv", default=False)
"""Whether the request that is worked on asks for CSV."""
as_page: ContextVar[bool] = ContextVar("as_page", default=False)
"""Whether it asks for a page to look at, and no other format."""


class Requests:
    """Lets requests through to an application that its pages may answer."""

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
        held: Message | None = None

        async def send_on(message: Message) -> None:
            """Hold the status back until there is a body: an answer that fails to make one gets another status."""
            nonlocal started, held
            if message["type"] == "http.response.start":
                held = message
                return
            if held:
                started, first, held = True, held, None
                await send(first)
            await send(message)

        before = as_csv.set(scope["path"].endswith(".csv"))
        page_before = as_page.set("." not in scope["path"].rpartition("/")[2])
        try:
            await self._app(scope, receive, send_on)
        except STUMBLES as error:
            if started or not is_of_the_request(error):
                raise
            await PlainTextResponse(words_of(error), 400)(scope, receive, send)
        finally:
            as_csv.reset(before)
            as_page.reset(page_before)


def is_of_the_request(error: BaseException) -> bool:
    """Whether Datasette stumbled over what a request holds, and no code of this project did."""
    if not isinstance(error, STUMBLES) or (isinstance(error, OSError) and error.errno not in NO_PLACES):
        return False
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    known = (name for file in reversed(files) for name in (*OURS, *OTHERS) if file.is_relative_to(_place(name)))
    return next(known, None) in OTHERS


def words_of(error: BaseException) -> str:
    """What is said of a request that was stumbled over.

    >>> words_of(ValueError("no number: 'x'"))
    "The address cannot be answered as it stands (no number: 'x'); see whether its parameters have sensible values."
    """
    problem = str(error).partition("\n")[0] or type(error).__name__
    return f"The address cannot be answered as it stands ({problem}); see whether its parameters have sensible values."


def _refuse(scope: Scope) -> PlainTextResponse | None:
    """The answer to a request that is not handed on."""
    method, path = scope["method"], scope["path"]
    if method not in READING and not (method == "POST" and path.startswith("/-/")):
        allowed = ", ".join(READING)
        return PlainTextResponse(f"This site is read only: {allowed}.", 405, {"allow": allowed})
    if UNWRITTEN.search(scope.get("raw_path") or b""):
        return PlainTextResponse("The address holds bytes that no address holds: write them as %XX.", 400)
    try:
        query = scope.get("query_string", b"").decode("latin-1")
        names = [name for name, _ in parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)]
    except ValueError:
        return PlainTextResponse(f"The address has more than {MOST_PARAMETERS} parameters.", 400)
    if sum(name.startswith("_facet") and name != "_facet_size" for name in names) > MOST_FACETS:
        return PlainTextResponse(f"The address asks for more than {MOST_FACETS} facets.", 400)
    return None


@cache
def _place(package: str) -> Path:
    """Where a package, or a module, lies."""
    spec = find_spec(package)
    assert spec is not None  # noqa: S101  all of them are there
    assert spec.origin is not None  # noqa: S101
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


TOO_BIG = "string or blob too big"
"""What SQLite says of a value beyond its limit."""


def page_of(datasette: "Datasette", request: Request, error: Exception) -> Callable[[], Awaitable[Response]] | None:
    """What makes the page of an error; None where the error is not a person's."""
    told = _tell(error)
    if told is None:
        return None
    status, title, message = told
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


def _tell(error: Exception) -> tuple[int, str | None, str] | None:
    """The status, the title and the words for an error."""
    if isinstance(error, Base400 | DatasetteError):
        return _tell_of_datasettes(error)
    if isinstance(error, QueryInterrupted):
        return 400, "SQL Interrupted", "The query took too long; ask for less, or take the files of the release"
    if isinstance(error, MemoryError):
        return 400, "Too large", "This takes more memory than the site gives to all; ask for less."
    if isinstance(error, sqlite3.Error | sqlite3.Warning):  # a warning: two statements in one
        return 400, "Invalid SQL", words_of_sql(error)
    if is_of_the_request(error):
        return 400, "Bad request", words_of(error)
    return None


def _tell_of_datasettes(error: Base400 | DatasetteError) -> tuple[int, str | None, str]:
    """The same for errors that Datasette words itself."""
    if isinstance(error, Base400):
        return error.status, None, str(error)
    # 500 is what stands there where Datasette names no status, as of a column that it cannot sort by.
    status = error.status if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.BAD_REQUEST
    return status, error.title, _without_script(error)


def _without_script(error: DatasetteError) -> str:
    """The message; of one in HTML not the inline script behind it, whose text, and so whose hash, hangs on the query."""
    if not error.message_is_html:
        return words_of_sql(error)
    return Markup(error.message.partition("<script>")[0])  # noqa: S704  Datasette's own, its query escaped


def words_of_sql(error: Exception) -> str:
    """What is said of SQL that failed."""
    words = error.message if isinstance(error, DatasetteError) else str(error)
    if words != TOO_BIG:
        return str(words)
    return (
        f"A value is longer than {LONGEST_VALUE >> 20} MiB (in SQL that searches words, {LONGEST_SEARCHED >> 10} KiB,"
        f" with JSON {LONGEST_JSON >> 10} KiB),"
        " too long for this site: leave its column out (_nocol=), or take the files of the release"
    )
