"""Row pages that read well: a paper with its authors and raw lines, an author with papers and spellings, a page with its listings.

In: a row's address. Out: what the templates row-paperledger-*.html show, beside the files of a page and a paper.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import tilde_decode
from datasette.utils.asgi import Request

from etl.load.layout import DATABASE
from etl.site.rows.authors import author_page
from etl.site.rows.papers import paper_page
from etl.site.rows.profiles import profile_page
from etl.site.rows.reading import in_thread
from etl.site.rows.texts import BIBTEX_ROUTE, PAGE_ROUTE, page_text, paper_file
from etl.site.served import served

if TYPE_CHECKING:
    from datasette.app import Datasette

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


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[object]]]]:
    """Where the files are."""
    return [(PAGE_ROUTE, page_text), (BIBTEX_ROUTE, paper_file)]
