"""What keeps a public site up: one Datasette plugin that stands between a release and anybody's requests.

In: every request, every connection to the release's database, and every error. Out: refusals that say why, bounds on
what an answer may cost, and headers that tell browsers what a page may do. All of it only where a release is served.
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
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.load.layout import DATABASE
from etl.site.safety.headers import SafeHeaders, WithoutPrefix, policy
from etl.site.safety.request_limits import BUSY, RETRY, ConcurrencyLimits, RequestLimits
from etl.site.safety.requests import Requests, as_csv, as_page, page_of, words_of_sql
from etl.site.safety.sql_limits import bound_memory, check_sql_in_time, guard
from etl.site.safety.statement_time import Busy, bound
from etl.site.served import served

if TYPE_CHECKING:
    from datasette.app import Datasette

MOST_CELLS = 10_000
"""Cells that a page of an answer to SQL shows: they are drawn in a tenth of a second, while nobody else is answered."""


@hookimpl
def asgi_wrapper(datasette: "Datasette") -> Any:
    """Around all of Datasette, from the outside in: the prefix, headers, sensible requests, the request limits, and the concurrency limits behind them."""

    def wrap(app: ASGIApp) -> ASGIApp:
        if served(datasette) is None:
            return app
        site = SafeHeaders(Requests(RequestLimits(ConcurrencyLimits(app))), policy(datasette.jinja_env))
        return _bounded(WithoutPrefix(site, datasette.setting("base_url")))

    return wrap


def _bounded(app: ASGIApp) -> ASGIApp:
    """The application in a process of its own: where a server starts it, and not where a program asks it a question."""

    async def start(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            bound_memory()
            # What Datasette meant to await when a facet could not be counted is no event of the server.
            warnings.filterwarnings("ignore", r"coroutine '(TableView|\w+Facet)\b", RuntimeWarning)
        await app(scope, receive, send)

    return start


@hookimpl
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: "Datasette") -> None:
    """Bound what a connection to the release may read, hold and do."""
    if database == DATABASE and served(datasette) is not None:
        queries = datasette.metadata("queries", database=DATABASE, fallback=False) or {}
        guard(conn, [query["sql"] if isinstance(query, dict) else query for query in queries.values()])


@hookimpl(tryfirst=True)
def startup(datasette: "Datasette") -> None:
    """Have the release's database asked within bounds of time; other plugins change the database that is there then.

    SQL that fails leaves no lines in the log, and is an error where CSV is asked for, which Datasette leaves empty. A page
    shows as many rows of its answer as are drawn in a moment.
    """
    if served(datasette) is None:
        return
    check_sql_in_time()
    bound(datasette, DATABASE)
    database = datasette.databases[DATABASE]
    run = database.execute

    @functools.wraps(run)
    async def execute(*arguments: Any, **named: Any) -> Any:
        try:
            found = await run(*arguments, **{**named, "log_sql_errors": False})
        except sqlite3.Error as error:
            words = words_of_sql(error)
            if as_csv.get():
                raise DatasetteError(words, title="Invalid SQL", status=400) from error
            if words != str(error):
                raise sqlite3.OperationalError(words) from error
            raise
        # Tables, which hand their parameters in the second place, count their rows to find the next page.
        is_of_a_person = named.get("truncate") and len(arguments) == 1
        return drawable(found) if is_of_a_person and as_page.get() else found

    database.execute = execute


def drawable(found: Results) -> Results:
    """As many rows as a page draws, said to be more where there are more."""
    most = MOST_CELLS // max(1, len(found.description))
    if len(found.rows) <= most:
        return found
    return Results(found.rows[:most], True, found.description)


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The page of databases without the folders that they lie in."""
    if served(datasette) is None:
        return []

    def databases() -> list[dict[str, Any]]:
        known = datasette._connected_databases()  # noqa: SLF001  no public name for it
        return [{**one, "path": one["path"] and Path(one["path"]).name} for one in known]

    view = special.JsonDataView.as_view(datasette, "databases.json", databases)
    return [(r"/-/databases(\.(?P<format>json))?$", view)]


@hookimpl(wrapper=True)
def handle_exception(datasette: "Datasette", request: Request, exception: Exception) -> Generator[None, Any, Any]:
    """An error that a person caused is told on a page, without the traceback that Datasette prints for each."""
    answers = yield
    if isinstance(exception, Busy):
        return [Response.text(BUSY, status=503, headers=RETRY)]
    page = page_of(datasette, request, exception) if served(datasette) is not None else None
    return answers if page is None else [page]
