"""Errors that a person caused, told on a page. In: an exception. Out: an answer with its status, or None for a bug.

Datasette prints a traceback with all variables for each of them, a wrong address included: work that anybody could order.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup

from etl.site.safety.requests import is_of_the_request, words_of
from etl.site.safety.sql_limits import LONGEST_VALUE

if TYPE_CHECKING:
    from datasette.app import Datasette

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

    headers = {"Access-Control-Allow-ColumnLineage": "*"} if datasette.cors else {}
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
        f"A value is longer than {LONGEST_VALUE >> 20} MiB, too long for this site: leave its column out (_nocol=),"
        " or take the files of the release"
    )
