"""Parquet of tables, views, queries and rows: the addresses that end in .parquet.

In: requests. Out: the release's own file for a whole table, else a file made for the request, or the reason why there is none.
"""

import json
from collections.abc import Awaitable
from functools import partial
from io import BufferedRandom
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import tilde_decode
from datasette.utils.asgi import Request, Response

from etl.load.layout import DATABASE
from etl.release.release import Release
from etl.site.files import (
    PARQUET,
    FileToSend,
    Send,
    answer_other_method,
    descriptor_path,
    last_modified,
    release_file,
    send_file,
    sha256_of,
)
from etl.site.parquet_export import (
    BUSY_STATUS,
    Export,
    ExportQuery,
    ExportQueue,
    ExportRefused,
    content_arguments,
    limits_of,
    new_connection,
    query_of_question,
    query_of_row,
    query_of_sql,
    query_of_table,
)
from etl.site.served import served
from schemas import QUESTIONS, TABLES, VIEWS, Definition, PaperList, Question, View

if TYPE_CHECKING:
    from datasette.app import Datasette

PendingQuery = Awaitable[ExportQuery | Response]
_RETRY_SECONDS = "5"
_SOURCES: dict[str, Definition | View | Question] = {
    **{name: model.definition() for name, model in TABLES.items()},
    **VIEWS,
    **QUESTIONS,
}


class ParquetRoutes:
    """The routes of one Datasette."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._limits = limits_of(datasette)
        self._queue = ExportQueue(self._limits)

    async def sql(self, request: Request, send: Send) -> Response | None:
        """SQL in the address."""
        return await self._answer(query_of_sql(self._datasette, request), DATABASE, request, send)

    async def table(self, request: Request, send: Send) -> Response | None:
        """A table, a view, or a canned query."""
        name = tilde_decode(request.url_vars["table"])
        if await self._datasette.get_canned_query(DATABASE, name, request.actor):
            return await self._answer(query_of_question(self._datasette, request, name), name, request, send)
        has_file = name in TABLES or name == PaperList.definition().name
        whole = release_file(self._release, f"{name}.parquet") if has_file and not content_arguments(request) else None
        return await self._answer(query_of_table(self._datasette, request, name), name, request, send, whole)

    async def row(self, request: Request, send: Send) -> Response | None:
        """One row of a table."""
        table, key = tilde_decode(request.url_vars["table"]), request.url_vars["pks"]
        return await self._answer(query_of_row(self._datasette, request, table), f"{table}-{key}", request, send)

    async def _answer(
        self, pending: PendingQuery, name: str, request: Request, send: Send, whole: FileToSend | None = None
    ) -> Response | None:
        """Send the release's file where there is one, else a new one; or answer why there is none."""
        try:
            found = await pending
            if isinstance(found, Response):
                return found
            if answer := answer_other_method(request, cors=self._datasette.cors):
                return answer
            if whole:
                await send_file(whole, request, send, cors=self._datasette.cors)
            else:
                await self._make(found, name, request, send)
        except ExportRefused as refused:
            return refusal(refused)
        return None

    async def _make(self, found: ExportQuery, name: str, request: Request, send: Send) -> None:
        export = Export(partial(new_connection, self._datasette), found, self._limits, self._metadata(found))
        file = await self._queue.run(export, request.receive)
        if file:
            with file:
                await send_file(await self._sent(file, name), request, send, cors=self._datasette.cors)

    def _metadata(self, found: ExportQuery) -> dict[str, str]:
        """The metadata of the file's schema."""
        metadata = {
            "logical_hash": self._release.manifest["logical_hash"],
            "parameters": json.dumps(found.named, ensure_ascii=False),
            "sql": found.sql,
        }
        source = _SOURCES.get(found.page or "")
        return metadata | ({"title": source.title, "description": source.description} if source else {})

    async def _sent(self, file: BufferedRandom, name: str) -> FileToSend:
        """An open temporary file as one to send; two exports of the same rows have the same hash."""
        return FileToSend(
            descriptor_path(file), f"{name}.parquet", PARQUET, await sha256_of(file), last_modified(self._release)
        )


def refusal(refused: ExportRefused) -> Response:
    """The answer to a refused export."""
    headers = {"retry-after": _RETRY_SECONDS} if refused.status == BUSY_STATUS else {}
    return Response.text(f"{refused}\n", status=refused.status, headers=headers)


_START = rf"^/(?P<database>{DATABASE})"
_END = r"\.(?P<format>parquet)$"


@hookimpl
def register_output_renderer(datasette: "Datasette") -> list[dict[str, Any]]:
    """List the format on Datasette's pages; the routes answer it."""
    known = served(datasette)
    return [{"extension": "parquet", "render": _no_such_page, "can_render": _can_render}] if known else []


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of SQL, of tables, views and canned queries, and of rows."""
    release = served(datasette)
    if release is None:
        return []
    routes = ParquetRoutes(datasette, release)
    return [
        (_START + _END, routes.sql),
        (rf"{_START}/(?P<table>[^/.]+){_END}", routes.table),
        (rf"{_START}/(?P<table>[^/]+?)/(?P<pks>[^/]+?){_END}", routes.row),
    ]


def _can_render(database: str, table: str | None, sql: str | None) -> bool:
    return database == DATABASE and bool(table or sql)


def _no_such_page() -> None:
    """Render nothing: databases that are not a release's have no Parquet, and Datasette answers 404."""
