"""The page of charts, each with its numbers as a table and their SQL.

In: the charts in a release's `results.json`. Out: `/-/charts`, and each picture as a file at `/-/charts/ID.svg`. They are drawn
at the first request, once a release, in a thread, so that the site answers meanwhile. On the page marks and numbers are links to
the rows behind them.
"""

import asyncio
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.utils import tilde_encode
from datasette.utils.asgi import NotFound, Request, Response
from markupsafe import Markup

from etl.load.layout import DATABASE
from etl.release.release import Release
from etl.report.charts import EARLIER, OTHER, UNKNOWN, Chart
from etl.report.pictures import Drawn, Record, draw_all, style
from etl.report.results import stored_charts
from etl.site import REPORT
from etl.site.served import served
from etl.site.tables import target_of
from schemas import PaperAuthors
from schemas.questions import COAUTHORS_OF_AUTHOR

if TYPE_CHECKING:
    from datasette.app import Datasette

CHARTS = "/-/charts"
_PAGE, _FIGURES = "paperledger-charts.html", "paperledger-figures.html"
_PAIRED = PaperAuthors.definition().name
_ALL_PAIRS = "coauthors"
"""The chart whose SQL counts the pairs of all authors."""
LARGEST_PAIRING = 100_000
"""Rows of `paper_authors` whose pairs SQLite counts in a second, the site's time limit."""


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
                "rows_behind": {one.chart.id: partial(self._rows_behind, one.chart) for one in drawn},
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

    def _rows_behind(self, chart: Chart, cells: Record) -> str | None:
        """The address of the rows behind some cells of a chart; None where there is none."""
        urls, key = self._datasette.urls, tilde_encode(str(cells[chart.columns[0]]))
        match chart.id:
            case "papers":
                return f"{urls.table(DATABASE, 'papers')}?{urlencode(paper_filters(chart, cells))}"
            case "coauthors":
                return (
                    f"{urls.query(DATABASE, COAUTHORS_OF_AUTHOR.name)}?{urlencode({'author_id': cells['author_id']})}"
                )
            case "network" if len(cells) == 1:  # a person, not a pair
                return str(urls.row(DATABASE, "authors", key))
            case "coverage":
                return str(urls.row(DATABASE, "profiles", key))
            case "findings":
                return str(urls.path(f"{REPORT}/{key}"))
        return None

    async def picture(self, request: Request) -> Response:
        """One chart as an SVG file."""
        drawn = await self._drawn(request)
        pictures = {one.chart.id: one.picture for one in drawn}
        picture = pictures.get(request.url_vars["chart"])
        if picture is None:
            raise NotFound("No chart of this name in the release")
        return Response(picture.file, content_type="image/svg+xml; charset=utf-8")

    def _is_slow(self, chart: Chart) -> bool:
        """Whether a chart's SQL exceeds the site's time limit, as pairs of the authors of many papers do."""
        return (
            chart.id == _ALL_PAIRS and self._release.manifest["files"][f"{_PAIRED}.parquet"]["rows"] > LARGEST_PAIRING
        )

    async def _drawn(self, request: Request) -> Sequence[Drawn]:
        """The charts with their pictures. Raises `Forbidden` where the request may not see the database."""
        await self._datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
        return await asyncio.to_thread(_draw_all, self._release.path)


@cache
def _draw_all(folder: Path) -> Sequence[Drawn]:
    return draw_all(stored_charts(folder))


def paper_filters(chart: Chart, cells: Record) -> dict[str, str]:
    """The filters of the table of papers for a bar of the chart of papers: its period and category.

    >>> rows = [["earlier", "other", 2], ["2023", "cs.CL", 1], ["2024", "unknown", 4]]
    >>> chart = Chart(id="papers", title="", says="", sql="", columns=["year", "category", "papers"], rows=rows)
    >>> [urlencode(paper_filters(chart, cells)) for cells in chart.records()]
    ['published__lt=2023&category_id__notin=cs.CL', 'published__startswith=2023&category_id=cs.CL', 'published__startswith=2024&category_id__isnull=1']
    """
    unit, records = chart.columns[0], chart.records()
    period, category = str(cells[unit]), str(cells["category"])
    first = min(str(row[unit]) for row in records if row[unit] != EARLIER)
    named = sorted({str(row["category"]) for row in records} - {OTHER, UNKNOWN})
    dated = {"published__lt": first} if period == EARLIER else {"published__startswith": period}
    among = {OTHER: {"category_id__notin": ",".join(named)}, UNKNOWN: {"category_id__isnull": "1"}}
    return dated | among.get(category, {"category_id": category})
