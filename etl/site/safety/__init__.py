"""Limits of a public site: one Datasette plugin around all requests, connections and errors.

In: every request, every connection to the release's database, and every error. Out: refusals with their reason, limits of time
and memory, and security headers. All of it applies only where a release is served.
"""

import functools
import sqlite3
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.database import Results
from datasette.utils.asgi import Request, Response
from datasette.views import special
from datasette.views.base import DatasetteError
from jinja2 import Environment
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.load.layout import DATABASE
from etl.site.safety.bad_requests import AS_CSV, AS_PAGE, RejectBadRequests, error_page, missing_page, sql_message
from etl.site.safety.headers import SafeHeaders, WithoutPrefix, content_security_policy
from etl.site.safety.request_limits import BUSY_MESSAGE, RETRY, ConcurrencyLimits, RequestLimits
from etl.site.safety.sql_limits import check_select_in_linear_time, limit_connection, limit_sqlite_memory
from etl.site.safety.statement_time import SiteBusy, limit_database
from etl.site.served import served

if TYPE_CHECKING:
    from datasette.app import Datasette

MOST_CELLS = 10_000
"""Cells of the page of an SQL result: they are rendered in a tenth of a second, during which no other request is answered."""


@hookimpl
def asgi_wrapper(datasette: "Datasette") -> Any:
    """Wrap Datasette, from the outside in: base URL, headers, malformed requests, sizes of requests, requests at once."""

    def wrap(app: ASGIApp) -> ASGIApp:
        if served(datasette) is None:
            return app
        site = SafeHeaders(
            RejectBadRequests(RequestLimits(ConcurrencyLimits(app))), content_security_policy(datasette.jinja_env)
        )
        return _in_server_process(WithoutPrefix(site, datasette.setting("base_url")))

    return wrap


def _in_server_process(app: ASGIApp) -> ASGIApp:
    """Set the limits of a process where a server starts the application, and not where a program calls it."""

    async def start(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            limit_sqlite_memory()
            # Datasette leaves coroutines without await where a facet could not be counted: not an event for the log.
            warnings.filterwarnings("ignore", r"coroutine '(TableView|\w+Facet)\b", RuntimeWarning)
        await app(scope, receive, send)

    return start


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Add a filter for what a request asks for whose page was not found."""
    env.filters["missing"] = missing_page


@hookimpl
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: "Datasette") -> None:
    """Apply all limits to a connection to the release."""
    if database == DATABASE and served(datasette) is not None:
        queries = datasette.metadata("queries", database=DATABASE, fallback=False) or {}
        limit_connection(conn, [query["sql"] if isinstance(query, dict) else query for query in queries.values()])


@hookimpl(tryfirst=True)
def startup(datasette: "Datasette") -> None:
    """Replace the release's database by one with time limits, before other plugins change it.

    SQL that fails logs nothing, and is an error for CSV too, where Datasette's answer is empty. An HTML page has at most
    `MOST_CELLS`.
    """
    if served(datasette) is None:
        return
    check_select_in_linear_time()
    limit_database(datasette, DATABASE)
    database = datasette.databases[DATABASE]
    run = database.execute

    @functools.wraps(run)
    async def execute(*arguments: Any, **named: Any) -> Any:
        try:
            found = await run(*arguments, **{**named, "log_sql_errors": False})
        except sqlite3.Error as error:
            message = sql_message(error)
            if AS_CSV.get():
                raise DatasetteError(message, title="Invalid SQL", status=400) from error
            if message != str(error):
                raise sqlite3.OperationalError(message) from error
            raise
        # Tables, whose parameters are the second argument, count their rows to find the next page.
        is_of_a_person = named.get("truncate") and len(arguments) == 1
        return _drawable(found) if is_of_a_person and AS_PAGE.get() else found

    database.execute = execute


def _drawable(found: Results) -> Results:
    """The rows of a result that a page shows, marked as truncated where there are more."""
    most = MOST_CELLS // max(1, len(found.description))
    if len(found.rows) <= most:
        return found
    return Results(found.rows[:most], True, found.description)


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """Replace the page of databases by one without their folders."""
    if served(datasette) is None:
        return []

    def databases() -> list[dict[str, Any]]:
        known = datasette._connected_databases()  # noqa: SLF001  no public name for it
        return [{**one, "path": one["path"] and Path(one["path"]).name} for one in known]

    view = special.JsonDataView.as_view(datasette, "databases.json", databases)
    return [(r"/-/databases(\.(?P<format>json))?$", view)]


@hookimpl(wrapper=True)
def handle_exception(datasette: "Datasette", request: Request, exception: Exception) -> Generator[None, Any, Any]:
    """Answer an error that a request caused by a page, without the traceback that Datasette logs for each."""
    answers = yield
    if isinstance(exception, SiteBusy):
        return [Response.text(BUSY_MESSAGE, status=503, headers=RETRY)]
    page = error_page(datasette, request, exception) if served(datasette) is not None else None
    return answers if page is None else [page]
