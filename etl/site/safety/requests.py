"""Requests that no page can answer are refused in one line. In: a request. Out: the application's answer, or 400 or 405.

Datasette and what it stands on raise on parameters, cookies and paths that they do not expect, each in its own way, and each
is a traceback in the log: work that anybody could order.
"""

import errno
import re
import traceback
from contextvars import ContextVar
from functools import cache
from http.cookies import CookieError
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        try:
            await self._app(scope, receive, send_on)
        except STUMBLES as error:
            if started or not is_of_the_request(error):
                raise
            await PlainTextResponse(words_of(error), 400)(scope, receive, send)
        finally:
            as_csv.reset(before)


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
