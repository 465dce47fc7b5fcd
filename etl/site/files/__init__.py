"""The release's own files over HTTP: Parquet with ranges, the quality report, and a page of downloads.

In: a release. Out: `/-/downloads` (the page), `/-/downloads/FILE` and `/-/report`. Only files that the manifest names are
sent, and the manifest itself.
"""

from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils.asgi import Forbidden, NotFound, Request, Response

from etl.load.layout import DATABASE, DATABASE_FILE
from etl.report import REPORT_FILE
from etl.site.files.listing import listing
from etl.site.files.sending import Send, files_of, other_method, released, send_file
from etl.site.served import Served, served
from schemas import TABLES

if TYPE_CHECKING:
    from datasette.app import Datasette

DOWNLOADS = "/-/downloads"
REPORT = "/-/report"
_PAGE = "paperledger-downloads.html"


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The addresses of the page and the files, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    files = Files(datasette, release)
    return [
        (rf"{DOWNLOADS}$", files.page),
        (rf"{DOWNLOADS}/(?P<file>[^/]+)$", files.file),
        (rf"{REPORT}$", files.report),
    ]


class Files:
    """The pages and files of one release."""

    def __init__(self, datasette: "Datasette", release: Served) -> None:
        self._datasette = datasette
        self._release = release

    async def page(self, request: Request) -> Response:
        """Every file, what it is, and how to read it."""
        await self._require(request, [])
        urls = self._datasette.urls
        context = {
            "groups": listing(files_of(self._release)),
            "logical_hash": self._release.manifest["logical_hash"],
            "folder": urls.path(DOWNLOADS),
            "address": self._datasette.absolute_url(request, urls.path(DOWNLOADS)),
            "database_address": self._datasette.absolute_url(request, urls.database(DATABASE)),
            "database_url": urls.database(DATABASE),
        }
        return Response.html(await self._datasette.render_template(_PAGE, context, request=request))

    async def file(self, request: Request, send: Send) -> Response | None:
        """One file of the release, or the part of it that is asked for."""
        return await self._send(request.url_vars["file"], request, send)

    async def report(self, request: Request, send: Send) -> Response | None:
        """The report on the release's quality."""
        return await self._send(REPORT_FILE, request, send)

    async def _send(self, name: str, request: Request, send: Send) -> Response | None:
        sent = released(self._release, name)
        if sent is None:
            raise NotFound("No file of this name in the release")
        table = name.removesuffix(".parquet")
        await self._require(request, [("view-table", (DATABASE, table))] if table in TABLES else [])
        if name == DATABASE_FILE and not self._datasette.setting("allow_download"):
            raise Forbidden("Database download is forbidden")
        if answer := other_method(request, is_open=self._datasette.cors):
            return answer
        await send_file(sent, request, send, is_open=self._datasette.cors)
        return None

    async def _require(self, request: Request, first: list[Any]) -> None:
        """Raise `Forbidden` for those who may not see all that a release holds."""
        rest = [("view-database-download", DATABASE), ("view-database", DATABASE), "view-instance"]
        await self._datasette.ensure_permissions(request.actor, [*first, *rest])
