"""A page and a paper as files. In: an address. Out: the page's bytes as they were read, the paper's BibTeX."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import add_cors_headers, await_me_maybe, tilde_decode
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
from etl.release.release import rebuild_page
from etl.site.row_pages import author_page, in_thread, paper_bibtex, paper_of_alias, paper_page, profile_page
from etl.site.served import served
from schemas.limits import PAPER_ID

if TYPE_CHECKING:
    from datasette.app import Datasette

PAGE_ROUTE = r"^/-/pages/(?P<key>[0-9a-f]{16})\.txt$"
BIBTEX_ROUTE = r"^/-/bibtex/(?P<key>[a-z2-7]{16})\.bib$"


async def page_text(datasette: "Datasette", request: Request) -> Response:
    """The bytes of a page, as plain text."""
    return await _file(datasette, request, "profiles", _page, "text/plain; charset=utf-8")


async def paper_file(datasette: "Datasette", request: Request) -> Response:
    """The BibTeX of a paper."""
    return await _file(datasette, request, "papers", paper_bibtex, "application/x-bibtex; charset=utf-8")


async def _file(
    datasette: "Datasette",
    request: Request,
    table: str,
    read: Callable[[sqlite3.Connection, str], str | bytes | None],
    content_type: str,
) -> Response:
    if served(datasette) is None:
        raise NotFound("No release is served here")
    seen = [("view-table", (DATABASE, table)), ("view-database", DATABASE), "view-instance"]
    await datasette.ensure_permissions(request.actor, seen)
    key = request.url_vars["key"]
    body = await in_thread(datasette, lambda database: read(database, key))
    if body is None:
        raise NotFound(f"There is no row {key} in {table}")
    headers = {"x-content-type-options": "nosniff"}
    if datasette.cors:
        add_cors_headers(headers)
    return Response(body, headers=headers, content_type=content_type)


def _page(database: sqlite3.Connection, profile_id: str) -> bytes | None:
    known = database.execute("SELECT 1 FROM profiles WHERE profile_id = ?", [profile_id]).fetchone()
    return rebuild_page(database, profile_id) if known else None


_PAGES: dict[str, Callable[[sqlite3.Connection, str], Any]] = {
    "papers": paper_page,
    "authors": author_page,
    "profiles": profile_page,
}
Variables = Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def extra_template_vars(
    database: str | None, table: str | None, view_name: str | None, request: Request | None, datasette: "Datasette"
) -> Variables | None:
    """`shown`: what the page of a paper, an author or a profile shows."""
    read = _PAGES.get(table or "") if view_name == "row" and database == DATABASE else None
    if read is None or request is None or served(datasette) is None:
        return None
    key = tilde_decode(request.url_vars["pks"])

    async def variables() -> dict[str, Any]:
        try:
            return {"shown": await in_thread(datasette, lambda connection: read(connection, key))}
        except sqlite3.DatabaseError:  # a value too long for the site, say: Datasette's own page does without
            return {}

    return variables


@hookimpl(wrapper=True, tryfirst=True)
def handle_exception(request: Request, datasette: "Datasette", exception: Exception) -> Generator[None, Any, Any]:
    """The way from a paper's other identifier to the paper, where there is no row of that key."""
    answers = yield
    asked = request.url_vars if isinstance(exception, NotFound) else {}
    key = tilde_decode(asked.get("pks") or "")
    is_paper = (asked.get("database"), asked.get("table")) == (DATABASE, "papers") and re.search(PAPER_ID, key)
    if not is_paper or served(datasette) is None:
        return answers

    async def redirect() -> Response:
        paper_id = await in_thread(datasette, lambda connection: paper_of_alias(connection, key))
        if paper_id:
            return Response.redirect(_address(datasette, request, paper_id))
        return await await_me_maybe(answers[0])

    return [redirect]


def _address(datasette: "Datasette", request: Request, paper_id: str) -> str:
    """The address of a paper in the format, and with the arguments, that were asked for."""
    form = request.url_vars.get("format")
    address = datasette.urls.row(DATABASE, "papers", paper_id, format=form)
    return f"{address}?{request.query_string}" if request.query_string else str(address)


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[object]]]]:
    """Where the files are."""
    return [(PAGE_ROUTE, page_text), (BIBTEX_ROUTE, paper_file)]
