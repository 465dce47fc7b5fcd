"""A page and a paper as files. In: an address. Out: the page's bytes as they were read, the paper's BibTeX."""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from datasette.utils import add_cors_headers
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
from etl.release.rebuild import rebuild_page
from etl.site.rows.papers import paper_bibtex
from etl.site.rows.reading import in_thread
from etl.site.served import served

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
