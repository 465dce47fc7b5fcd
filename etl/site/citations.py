"""Bibliographies and feeds over HTTP: of a paper, an author, a category, a search, or of all papers.

In: `/-/cite/authors/KEY.bib` (or .json, .ris), `/-/cite/search.bib?q=&year=&category=`, `/-/cite.bib`; the same under `/-/feed`, with
.atom.
Out: a file, written in the thread of an export, or a redirect from a former key.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from io import BufferedRandom
from threading import Event
from typing import TYPE_CHECKING, Any

from datasette.utils import tilde_decode, tilde_encode
from datasette.utils.asgi import NotFound, Request, Response

from etl.export.formats import BY_NAME, Format, feed_of
from etl.export.selection import Selection, cited_papers, select_papers
from etl.load.layout import DATABASE
from etl.site import SEARCH
from etl.site.exports import in_time
from etl.site.files import Exports, NewFile, Send, spool
from etl.site.row_pages import query_in_thread, successor
from etl.site.safety.statement_time import SqlQuery
from etl.site.search import search_of
from schemas import TABLES

if TYPE_CHECKING:
    from datasette.app import Datasette

FEED_ENTRIES = 100
"""The newest papers, which a feed has."""
_FORMATS = {form.suffix: form for form in BY_NAME.values()}
_WHAT = r"(?:/(?P<table>papers|authors|categories)/(?P<key>[^/]+)|/(?P<search>search))?"
ROUTES = (
    rf"^/-/cite{_WHAT}\.(?P<suffix>bib|json|ris)$",
    rf"^/-/feed{_WHAT}\.(?P<suffix>atom)$",
    r"^/-/(?P<table>bibtex)/(?P<key>[a-z2-7]{16})\.(?P<suffix>bib)$",
)
"""The last is the former address of a paper's BibTeX."""


@dataclass(frozen=True)
class CitationRequest:
    """What an address asks for: papers by one condition, or all, and their format; and the address of their page."""

    selection: Selection
    form: Format
    name: str
    page: str
    address: str


class Citations:
    """The routes of one release."""

    def __init__(self, datasette: "Datasette", exports: Exports) -> None:
        self._datasette = datasette
        self._exports = exports

    async def answer(self, request: Request, send: Send) -> Response | None:
        """A file of citations or a feed, or the range of it that is requested."""
        seen = [("view-table", (DATABASE, "papers")), ("view-database", DATABASE), "view-instance"]
        await self._datasette.ensure_permissions(request.actor, seen)
        return await self._exports.answer(self._file(request), request, send)

    async def _file(self, request: Request) -> NewFile | Response:
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        return NewFile(asked.name, asked.form.media_type, partial(self._write, asked), shown=True)

    async def _asked(self, request: Request) -> CitationRequest | Response:
        """What a request asks for, or a redirect from a former key; raises `NotFound`."""
        named, urls = request.url_vars, self._datasette.urls
        suffix, address = named["suffix"], urls.path(request.path)
        if named.get("search"):
            search = search_of(request.args.get)
            query = search.address(page=1)
            selection = Selection(search=search.words, year=search.year, primary_category=search.category)
            page = f"{urls.path(SEARCH)}{query}"
            return CitationRequest(selection, _FORMATS[suffix], f"search.{suffix}", page, f"{address}{query}")
        if not named.get("table"):
            return CitationRequest(
                Selection(), _FORMATS[suffix], f"papers.{suffix}", str(urls.instance()), str(address)
            )
        table = "papers" if named["table"] == "bibtex" else named["table"]
        key = tilde_decode(named["key"])
        current = await query_in_thread(self._datasette, partial(_current, table=table, key=key))
        if current is None:
            raise NotFound(f"There is no row {key} in {table}")
        if current != key:
            return Response.redirect(urls.path(_citation_path(table, current, suffix)))
        page, selection = str(urls.row(DATABASE, table, tilde_encode(key))), Selection(**{_key_of(table): key})
        return CitationRequest(selection, _FORMATS[suffix], f"{key}.{suffix}", page, str(address))

    def _write(self, asked: CitationRequest, stop: Event) -> BufferedRandom:
        query = SqlQuery(parameters=[asked.selection.search or ""])
        most = FEED_ENTRIES if asked.form is BY_NAME["atom"] else None
        limits = self._exports.limits
        with closing(self._exports.connect()) as connection:
            with in_time(connection, limits, stop, query):
                places = select_papers(connection, asked.selection, most)
            with in_time(connection, limits, stop):
                # The addresses are relative, since the site does not know its name.
                feed = replace(
                    feed_of(connection, asked.selection),
                    page=asked.page,
                    address=asked.address,
                    paper_page=lambda paper_id: str(self._datasette.urls.row(DATABASE, "papers", paper_id)),
                )
                return spool(asked.form.pieces(cited_papers(connection, places), feed))


def _citation_path(table: str, key: str, suffix: str) -> str:
    """The address of a row's citations or feed.

    >>> _citation_path("authors", "ann-bell", "bib"), _citation_path("categories", "cs.CL", "atom")
    ('/-/cite/authors/ann-bell.bib', '/-/feed/categories/cs~2ECL.atom')
    """
    return f"/-/{'feed' if suffix == 'atom' else 'cite'}/{table}/{tilde_encode(key)}.{suffix}"


def _current(database: sqlite3.Connection, table: str, key: str) -> str | None:
    """The key of the row that has this key, or had it in an earlier release; None where there is none."""
    is_there = database.execute(f"SELECT 1 FROM {table} WHERE {_key_of(table)} = ?", [key]).fetchone()  # noqa: S608
    return key if is_there else successor(database, table, key)


def _key_of(table: str) -> str:
    return TABLES[table].definition().primary_key[0]


def citation_routes(datasette: "Datasette", exports: Exports) -> list[tuple[str, Any]]:
    """The routes of bibliographies and feeds."""
    return [(route, Citations(datasette, exports).answer) for route in ROUTES]
