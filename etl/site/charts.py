"""The page of charts: each with its numbers as a table and the SQL behind them.

In: the charts in a release's `results.json`. Out: `/-/charts`, and each picture as a file at `/-/charts/ID.svg`. They are
drawn when first asked for, once a release.
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
from etl.report.results import kept_charts
from etl.site.served import served
from etl.site.tables import target_of
from schemas import PaperAuthors

if TYPE_CHECKING:
    from datasette.app import Datasette

CHARTS = "/-/charts"
_PAGE, _FIGURES = "paperledger-charts.html", "paperledger-figures.html"
_PAIRED = PaperAuthors.definition().name
LARGEST_PAIRING = 100_000
"""Rows of `paper_authors` whose pairs SQLite counts in a second; more of them take longer than a site lets SQL run."""
_drawing = Lock()


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The addresses of the page and of the pictures, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    charts = Charts(datasette, release)
    return [(rf"{CHARTS}$", charts.page), (rf"{CHARTS}/(?P<chart>[^/]+)\.svg$", charts.picture)]


class Charts:
    """The page and the pictures of one release."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._written: dict[tuple[bool, frozenset[str]], Markup] = {}

    async def page(self, request: Request) -> Response:
        """All charts, one under the other."""
        drawn = await self._drawn(request)
        asks = await self._datasette.permission_allowed(request.actor, "execute-sql", DATABASE, default=True)
        context = {
            "charts": drawn,
            "style": Markup(style()),  # noqa: S704 - a file of ours
            "figures": await self._figures(drawn, asks),
        }
        return Response.html(await self._datasette.render_template(_PAGE, context, request=request))

    async def _figures(self, drawn: Sequence[Drawn], asks: bool) -> Markup:
        """The charts in HTML, with their SQL to ask where a person may; written once for each, since a release never changes."""
        slow = frozenset(one.chart.id for one in drawn if self._is_slow(one.chart))
        if (asks, slow) not in self._written:
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
                    if asks and one.chart.id not in slow
                },
            }
            written = await self._datasette.render_template(_FIGURES, context)
            self._written[asks, slow] = Markup(written)  # noqa: S704 - a template escaped it
        return self._written[asks, slow]

    async def picture(self, request: Request) -> Response:
        """One chart as an SVG file."""
        pictures = {one.chart.id: one.picture for one in await self._drawn(request)}
        picture = pictures.get(request.url_vars["chart"])
        if picture is None:
            raise NotFound("No chart of this name in the release")
        return Response(picture.file, content_type="image/svg+xml; charset=utf-8")

    def _is_slow(self, chart: Chart) -> bool:
        """Whether a chart's SQL runs longer here than the site lets it: where it pairs the authors of many papers."""
        pairs = chart.sql.count(f" {_PAIRED} ") > 1
        return pairs and self._release.manifest["files"][f"{_PAIRED}.parquet"]["rows"] > LARGEST_PAIRING

    async def _drawn(self, request: Request) -> Sequence[Drawn]:
        """The charts for those who may see the database; raises `Forbidden` for others."""
        await self._datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
        return await asyncio.to_thread(_once, self._release.path)


def _once(folder: Path) -> Sequence[Drawn]:
    # Whoever asks while the charts are being drawn waits for them, instead of drawing them too.
    with _drawing:
        return _draw_all(folder)


@cache
def _draw_all(folder: Path) -> Sequence[Drawn]:
    return draw_all(kept_charts(folder))
