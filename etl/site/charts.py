"""The page of charts, each with its numbers as a table and their SQL.

In: the charts in a release's `results.json`. Out: `/-/charts`, and each picture as a file at `/-/charts/ID.svg`. They are drawn
at the first request, once a release.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup

from etl.load.layout import DATABASE
from etl.release.release import Release
from etl.report.charts import Chart
from etl.report.pictures import Drawn, draw_all, style
from etl.report.results import stored_charts
from etl.site.served import served
from etl.site.tables import target_of
from schemas import PaperAuthors

if TYPE_CHECKING:
    from datasette.app import Datasette

CHARTS = "/-/charts"
_PAGE, _FIGURES = "paperledger-charts.html", "paperledger-figures.html"
_PAIRED = PaperAuthors.definition().name
LARGEST_PAIRING = 100_000
"""Rows of `paper_authors` whose pairs SQLite counts in a second, the site's time limit."""
_drawing = Lock()


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of the page and the pictures, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    charts = ChartPages(datasette, release)
    return [(rf"{CHARTS}$", charts.page), (rf"{CHARTS}/(?P<chart>[^/]+)\.svg$", charts.picture)]


class ChartPages:
    """The page and the pictures of one release."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._figures_html: dict[tuple[bool, frozenset[str]], Markup] = {}

    async def page(self, request: Request) -> Response:
        """The page of all charts."""
        drawn = await self._drawn(request)
        may_run_sql = await self._datasette.permission_allowed(request.actor, "execute-sql", DATABASE, default=True)
        context = {
            "charts": drawn,
            "style": Markup(style()),  # noqa: S704 - a file of the package
            "figures": await self._figures(drawn, may_run_sql),
        }
        return Response.html(await self._datasette.render_template(_PAGE, context, request=request))

    async def _figures(self, drawn: Sequence[Drawn], may_run_sql: bool) -> Markup:
        """The charts in HTML, with links to their SQL where it is permitted; cached, since a release never changes."""
        slow = frozenset(one.chart.id for one in drawn if self._is_slow(one.chart))
        if (may_run_sql, slow) not in self._figures_html:
            urls = self._datasette.urls
            context = {
                "charts": drawn,
                "database": DATABASE,
                "target_of": target_of,
                "folder": urls.path(CHARTS),
                "slow": slow,
                "queries": {
                    one.chart.id: f"{urls.database(DATABASE)}?{urlencode({'sql': one.chart.sql})}"
                    for one in drawn
                    if may_run_sql and one.chart.id not in slow
                },
            }
            written = await self._datasette.render_template(_FIGURES, context)
            self._figures_html[may_run_sql, slow] = Markup(written)  # noqa: S704 - a template escaped it
        return self._figures_html[may_run_sql, slow]

    async def picture(self, request: Request) -> Response:
        """One chart as an SVG file."""
        pictures = {one.chart.id: one.picture for one in await self._drawn(request)}
        picture = pictures.get(request.url_vars["chart"])
        if picture is None:
            raise NotFound("No chart of this name in the release")
        return Response(picture.file, content_type="image/svg+xml; charset=utf-8")

    def _is_slow(self, chart: Chart) -> bool:
        """Whether a chart's SQL exceeds the site's time limit, as pairs of the authors of many papers do."""
        pairs = chart.sql.count(f" {_PAIRED} ") > 1
        return pairs and self._release.manifest["files"][f"{_PAIRED}.parquet"]["rows"] > LARGEST_PAIRING

    async def _drawn(self, request: Request) -> Sequence[Drawn]:
        """The charts; raises `Forbidden` where the request may not see the database."""
        await self._datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
        return await asyncio.to_thread(_draw_once, self._release.path)


def _draw_once(folder: Path) -> Sequence[Drawn]:
    # Requests that arrive while the charts are drawn wait for them instead of drawing them again.
    with _drawing:
        return _draw_all(folder)


@cache
def _draw_all(folder: Path) -> Sequence[Drawn]:
    return draw_all(stored_charts(folder))
