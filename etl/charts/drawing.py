"""Pictures of charts: SVG without a script, drawn by Vega.

In: a `Chart`. Out: its `Picture`, as an element of a page that has `style()`, or as a file. The same chart gives the same
bytes on every machine.
"""

from dataclasses import dataclass
from importlib.resources import files

import vl_convert
from markupsafe import Markup

from etl.charts.chart import Chart
from etl.charts.labels import visible
from etl.charts.specifications import specification

_ELEMENT = Markup('<svg class="{id}" role="img" aria-label="{title}" viewBox="0 0 {width} {height}">{marks}')
_FILE = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    "<title>{title}</title><style>{style}</style>"
    '<rect width="{width}" height="{height}" fill="var(--chart-back)"/>{marks}'
)


@dataclass(frozen=True)
class Picture:
    """A chart as drawn: its size, and the SVG behind the opening tag."""

    id: str
    title: str
    width: int
    height: int
    marks: Markup

    @property
    def element(self) -> Markup:
        """The picture as a part of a page."""
        return _ELEMENT.format(**vars(self))

    @property
    def file(self) -> str:
        """The picture as the text of an SVG file, light or dark as its reader likes."""
        own = Markup(style())  # noqa: S704 - a file of ours
        return str(_FILE.format(style=own, **vars(self)))


def draw(chart: Chart) -> Picture | None:
    """The picture of a chart; None where there is nothing to draw."""
    spec = specification(chart)
    if spec is None:
        return None
    around = spec["padding"]
    _, _, marks = vl_convert.vega_to_svg(spec).partition(">")
    return Picture(
        id=chart.id,
        title=visible(chart.title),
        width=around["left"] + spec["width"] + around["right"],
        height=around["top"] + spec["height"] + around["bottom"],
        marks=Markup(marks),  # noqa: S704 - Vega escapes what it draws
    )


def style() -> str:
    """The style sheet of all pictures: their colours, light and dark, and their size."""
    return files("etl.charts").joinpath("pictures.css").read_text(encoding="utf-8")
