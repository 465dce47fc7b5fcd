"""Files of rows: a profile's page as it was read; and the hooks of the pages in `row_pages.py` and of `citations.py`.

In: an address. Out: a file, the variables of a row's page, or a redirect from a row's former key. A page may have 64 MiB: it is rebuilt in the
thread of an export, piece by piece into a temporary file, which is then sent.
"""

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack, closing
from functools import partial
from io import BufferedRandom
from threading import Event
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import await_me_maybe, tilde_decode
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.dataset_facts import redaction_words
from etl.load.layout import DATABASE
from etl.release.lineage import ReleaseRows
from etl.release.release import Release, require_read
from etl.site.author_pages import author_page, part_number
from etl.site.citations import citation_routes
from etl.site.exports import in_time
from etl.site.files import Exports, NewFile, Send, spool
from etl.site.finding_pages import finding_page, quarantine_page
from etl.site.row_pages import (
    category_page,
    page_pieces,
    paper_page,
    profile_page,
    query_in_thread,
    successor,
)
from etl.site.served import served

if TYPE_CHECKING:
    from datasette.app import Datasette

PAGE_ROUTE = r"^/-/pages/(?P<key>[0-9a-f]{16})\.txt$"
_TEXT = "text/plain; charset=utf-8"


class PageTexts:
    """The route of one release's pages as plain text; of a redacted copy, which has none, the answer that says so."""

    def __init__(self, datasette: "Datasette", release: Release, exports: Exports) -> None:
        self._datasette = datasette
        self._release = release
        self._exports = exports

    async def answer(self, request: Request, send: Send) -> Response | None:
        """The bytes of a page, or the range of them that is requested."""
        await _require(self._datasette, request, "profiles")
        return await self._exports.answer(self._file(request.url_vars["key"]), request, send)

    async def _file(self, key: str) -> NewFile | Response:
        if "redacted" in self._release.manifest:
            return Response.text(redaction_words(self._release.manifest), status=410)
        return NewFile(f"{key}.txt", _TEXT, partial(self._rebuild, key), shown=True)

    def _rebuild(self, profile_id: str, stop: Event) -> BufferedRandom:
        """A page in a temporary file; raises `NotFound`, and `BrokenTables` where its hash is not that of the page read."""
        with closing(self._exports.connect()) as connection, in_time(connection, self._exports.limits, stop):
            release = ReleaseRows(connection)
            profile = next(release.rows("SELECT * FROM profiles WHERE profile_id = ?", profile_id), None)
            if profile is None:
                raise NotFound(f"There is no row {profile_id} in profiles")
            with ExitStack() as closed_on_error:
                file = closed_on_error.enter_context(spool(page_pieces(release, profile)))
                file.seek(0)
                require_read(profile_id, hashlib.file_digest(file, "sha256").hexdigest(), profile["sha256"])
                closed_on_error.pop_all()
        return file


async def _require(datasette: "Datasette", request: Request, table: str) -> None:
    seen = [("view-table", (DATABASE, table)), ("view-database", DATABASE), "view-instance"]
    await datasette.ensure_permissions(request.actor, seen)


_PAGES: dict[str, Callable[[sqlite3.Connection, str], Any]] = {
    "papers": paper_page,
    "authors": author_page,
    "categories": category_page,
    "profiles": profile_page,
    "findings": finding_page,
    "quarantine": quarantine_page,
}
Variables = Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def extra_template_vars(
    database: str | None, table: str | None, view_name: str | None, request: Request | None, datasette: "Datasette"
) -> Variables | None:
    """The variable `shown` of the page of a paper, an author, a category or a profile."""
    read = _PAGES.get(table or "") if view_name == "row" and database == DATABASE else None
    if read is None or request is None or served(datasette) is None:
        return None
    key = tilde_decode(request.url_vars["pks"])
    part = {"part": part_number(request.args.get("page"))} if read is author_page else {}

    async def variables() -> dict[str, Any]:
        try:
            return {"shown": await query_in_thread(datasette, lambda connection: read(connection, key, **part))}
        except sqlite3.DatabaseError:  # for example a value too long for the site: the page is Datasette's own
            return {}

    return variables


@hookimpl(wrapper=True, tryfirst=True)
def handle_exception(request: Request, datasette: "Datasette", exception: Exception) -> Generator[None, Any, Any]:
    """Redirect from a former key of a paper or an author to its page, where there is no row of that key."""
    answers = yield
    named = request.url_vars if isinstance(exception, NotFound) else {}
    table, key = named.get("table") or "", tilde_decode(named.get("pks") or "")
    if named.get("database") != DATABASE or not key or served(datasette) is None:
        return answers

    async def redirect() -> Response:
        current = await query_in_thread(datasette, lambda connection: successor(connection, table, key))
        if current:
            return Response.redirect(_address(datasette, request, table, current))
        return await await_me_maybe(answers[0])

    return [redirect]


def _address(datasette: "Datasette", request: Request, table: str, key: str) -> str:
    """The address of a row in the requested format and with the same arguments."""
    form = request.url_vars.get("format")
    address = datasette.urls.row(DATABASE, table, key, format=form)
    return f"{address}?{request.query_string}" if request.query_string else str(address)


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Callable[..., Awaitable[object]]]]:
    """The routes of pages, bibliographies and feeds, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    exports = Exports(datasette, release)
    return [(PAGE_ROUTE, PageTexts(datasette, release, exports).answer), *citation_routes(datasette, exports)]
