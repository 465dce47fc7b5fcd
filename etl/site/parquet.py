"""The answers to addresses that end in .parquet.

In: requests. Out: the release's own file for a whole table, else a file made for the request, or words why there is none.
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
    FileResponse,
    Send,
    digest_of,
    last_modified,
    other_method,
    path_of,
    released,
    send_file,
)
from etl.site.parquet_export import (
    BUSY,
    Export,
    ExportQuery,
    ExportQueue,
    Refused,
    content_arguments,
    limits_of,
    own_connection,
    query_of_question,
    query_of_row,
    query_of_sql,
    query_of_table,
)
from etl.site.served import served
from schemas import QUESTIONS, TABLES, VIEWS, Definition, PaperList, Question, View

if TYPE_CHECKING:
    from datasette.app import Datasette

Asking = Awaitable[ExportQuery | Response]
_RETRY_SECONDS = "5"
_SOURCES: dict[str, Definition | View | Question] = {
    **{name: model.definition() for name, model in TABLES.items()},
    **VIEWS,
    **QUESTIONS,
}


class Answers:
    """What one Datasette answers; each method is a view of it."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._limits = limits_of(datasette)
        self._queue = ExportQueue(self._limits)

    async def sql(self, request: Request, send: Send) -> Response | None:
        """SQL that stands in the address."""
        return await self._answer(query_of_sql(self._datasette, request), DATABASE, request, send)

    async def table(self, request: Request, send: Send) -> Response | None:
        """A table, a view, or a canned query."""
        name = tilde_decode(request.url_vars["table"])
        if await self._datasette.get_canned_query(DATABASE, name, request.actor):
            return await self._answer(query_of_question(self._datasette, request, name), name, request, send)
        has_file = name in TABLES or name == PaperList.definition().name
        whole = released(self._release, f"{name}.parquet") if has_file and not content_arguments(request) else None
        return await self._answer(query_of_table(self._datasette, request, name), name, request, send, whole)

    async def row(self, request: Request, send: Send) -> Response | None:
        """One row of a table."""
        table, key = tilde_decode(request.url_vars["table"]), request.url_vars["pks"]
        return await self._answer(query_of_row(self._datasette, request, table), f"{table}-{key}", request, send)

    async def _answer(
        self, asking: Asking, name: str, request: Request, send: Send, whole: FileResponse | None = None
    ) -> Response | None:
        """Send a file: the whole one where there is one, else one that is made; or words why there is none."""
        try:
            found = await asking
            if isinstance(found, Response):
                return found
            if answer := other_method(request, is_open=self._datasette.cors):
                return answer
            if whole:
                await send_file(whole, request, send, is_open=self._datasette.cors)
            else:
                await self._make(found, name, request, send)
        except Refused as refused:
            return refusal(refused)
        return None

    async def _make(self, found: ExportQuery, name: str, request: Request, send: Send) -> None:
        export = Export(partial(own_connection, self._datasette), found, self._limits, self._words(found))
        file = await self._queue.run(export, request.receive)
        if file:
            with file:
                await send_file(await self._sent(file, name), request, send, is_open=self._datasette.cors)

    def _words(self, found: ExportQuery) -> dict[str, str]:
        """What the file says of itself."""
        words = {
            "logical_hash": self._release.manifest["logical_hash"],
            "parameters": json.dumps(found.named, ensure_ascii=False),
            "sql": found.sql,
        }
        source = _SOURCES.get(found.page or "")
        return words | ({"title": source.title, "description": source.description} if source else {})

    async def _sent(self, file: BufferedRandom, name: str) -> FileResponse:
        """An open file without a name, as one to send; two exports of the same rows have the same hash."""
        return FileResponse(
            path_of(file), f"{name}.parquet", PARQUET, await digest_of(file), last_modified(self._release)
        )


def refusal(refused: Refused) -> Response:
    """The answer to who gets no export."""
    headers = {"retry-after": _RETRY_SECONDS} if refused.status == BUSY else {}
    return Response.text(f"{refused}\n", status=refused.status, headers=headers)


_START = rf"^/(?P<database>{DATABASE})"
_END = r"\.(?P<format>parquet)$"


@hookimpl
def register_output_renderer(datasette: "Datasette") -> list[dict[str, Any]]:
    """Datasette lists the format on its pages; the routes answer."""
    known = served(datasette)
    return [{"extension": "parquet", "render": _no_such_page, "can_render": _can_render}] if known else []


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The addresses of SQL, of tables, views and canned queries, and of rows."""
    release = served(datasette)
    if release is None:
        return []
    answers = Answers(datasette, release)
    return [
        (_START + _END, answers.sql),
        (rf"{_START}/(?P<table>[^/.]+){_END}", answers.table),
        (rf"{_START}/(?P<table>[^/]+?)/(?P<pks>[^/]+?){_END}", answers.row),
    ]


def _can_render(database: str, table: str | None, sql: str | None) -> bool:
    return database == DATABASE and bool(table or sql)


def _no_such_page() -> None:
    """Databases that are not a release's have no Parquet; Datasette then says that nothing is there."""
