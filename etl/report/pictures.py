"""Pictures of charts: SVG without scripts.

In: a `Chart`. Out: its `Picture`, as an element of a page that includes `style()`, or as a file. Marks of an element are links
where the page has an address for their row. Equal charts give equal bytes on every machine. Sizes and places are computed
here; the templates in `svg` put them into elements, and escape names from pages.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.cells import cell_len, chop_cells

from etl.printable import ELLIPSIS, count
from etl.report.charts import OTHER, Cell, Chart
from etl.report.force_layout import force_layout
from schemas.views import coverage_share

_REPLACEMENT = "\ufffd"
"""Replaces an invisible character; its escape would be too long for a label."""


def _drawable(text: str) -> str:
    r"""The text with controls, direction marks and zero-width characters replaced, all others unchanged.

    >>> _drawable("Ann\u202e\u00a0Bell")
    'Ann� Bell'
    """
    return text if text.isprintable() else "".join(map(_seen, text))


def _label(text: str, cells: int) -> str:
    """Visible text, cut to so many cells; letters of East Asia are two cells wide.

    >>> _label("Ann Bell", 8), _label("Ann Bell", 6), _label("鐘の音の研究", 7)
    ('Ann Bell', 'Ann B…', '鐘の音…')
    """
    shown = _drawable(text[: cells + 1])
    return shown if cell_len(shown) <= cells else chop_cells(shown, cells - 1)[0] + ELLIPSIS


def _seen(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character if character.isprintable() else _REPLACEMENT


LONGEST_AXIS = 60
"""Periods of the longest axis that includes periods without papers."""
LETTER_WIDTH, GAP = 8, 12


def _without_gaps(present: Iterable[str]) -> list[str]:
    """The periods in order, including those between them without papers; a word such as "earlier" comes first.

    >>> _without_gaps(["2024-02", "2023-12", "earlier"])
    ['earlier', '2023-12', '2024-01', '2024-02']
    """
    words = {period for period in present if not period[0].isdigit()}
    dated = sorted(set(present) - words)
    if not dated:
        return sorted(words)
    first, last = _period_number(dated[0]), _period_number(dated[-1])
    if last - first < LONGEST_AXIS:
        dated = [_period(number, dated[0]) for number in range(first, last + 1)]
    return [*sorted(words), *dated]


def _axis_labels(periods: Sequence[str], width: int) -> list[str]:
    """As many of the periods, at equal distances, as have room on an axis of this width in pixels.

    >>> _axis_labels(["2021", "2022", "2023", "2024"], 100)
    ['2021', '2023']
    """
    needed = len(periods) * (max(map(len, periods)) * LETTER_WIDTH + GAP)
    return list(periods[:: -(-needed // width)])


def _period_number(period: str) -> int:
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


def _period(number: int, like: str) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}" if "-" in like else f"{number:04}"


Record = dict[str, Cell]
Records = Sequence[Record]
Address = Callable[[Record], str | None]
"""The address of the rows behind a mark, which is of some cells of the chart; None where a page has none."""
Shape = dict[str, Any]
"""Places, sizes, colours and texts of a shape by name, which a template puts into elements."""


@dataclass(frozen=True)
class Picture:
    """A drawn chart: its size in pixels, its marks, each with the cells that it is of, and other shapes by name."""

    id: str
    title: str
    template: str
    width: int
    height: int
    marks: Sequence[Shape]
    others: dict[str, Any]

    def element(self, address: Address = lambda _: None) -> Markup:
        """The picture as an element of an HTML page, whose marks are links where they have an address.

        The Tab key skips these links, since there may be hundreds; the page has the same links elsewhere.
        """
        role = "group" if any(address(mark["cells"]) for mark in self.marks) else "img"
        return self._rendered("element", address, role=role)

    @property
    def file(self) -> str:
        """The picture as the text of an SVG file without links, light or dark by the reader's setting."""
        return str(self._rendered("file", lambda _: None, style=Markup(style())))  # noqa: S704 - a file of ours

    def _rendered(self, frame: str, address: Address, **words: object) -> Markup:
        context = {**vars(self), **self.others, "address_of": address, **words}
        return Markup(_templates().get_template(f"{frame}.svg.j2").render(context))  # noqa: S704 - Jinja escapes


@cache
def _templates() -> Environment:
    loader = PackageLoader("etl.report", "svg")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def draw(chart: Chart) -> Picture | None:
    """The picture of a chart; None where there is nothing to draw.

    >>> draw(Chart(id="papers", title="Papers", says="", sql="", columns=["year", "category", "papers"], rows=[])) is None
    True
    """
    drawing = _DRAWINGS.get(chart.id)
    return drawing(chart) if drawing and chart.rows else None


def _picture(chart: Chart, template: str, size: tuple[int, int], marks: Sequence[Shape], **others: object) -> Picture:
    return Picture(chart.id, _drawable(chart.title), template, *size, marks, others)


BAR_LETTERS, PERSON_LETTERS, CATEGORY_LETTERS = 60, 20, 17
"""Letters that fit above a bar, above a person in the network, and in a column of the legend."""
PAPERS_WIDTH, PAPERS_HEIGHT = 345, 220
"""The size of the bars of papers in pixels, without axes and legend."""
GRID_LINES = 7
"""The most lines above zero."""
_FREE = 0.15
"""The part of a period's width between its bar and the next."""


def _papers(chart: Chart) -> Picture:
    records, unit = chart.records(), chart.columns[0]
    periods = _without_gaps([str(row[unit]) for row in records])
    step = PAPERS_WIDTH / (len(periods) + _FREE)
    left = {period: (number + _FREE) * step for number, period in enumerate(periods)}
    colours = _colours(records)
    stacked = _stacked(records, list(colours))
    lines = grid(max(below + _count(row["papers"]) for below, row in zip(stacked, records, strict=True)))
    scale = PAPERS_HEIGHT / lines[-1]
    marks = [
        {
            "x": round(left[str(row[unit])], 2),
            "y": round(PAPERS_HEIGHT - (below + _count(row["papers"])) * scale, 2),
            "height": round(_count(row["papers"]) * scale, 2),
            "colour": colours[str(row["category"])],
            **_target(row, f"{row[unit]}, {row['category']}: {count(_count(row['papers']), 'paper')}"),
        }
        for below, row in zip(stacked, records, strict=True)
    ]
    return _picture(
        chart,
        "papers",
        (PAPERS_WIDTH + 90, PAPERS_HEIGHT + 53 + 22 * -(-len(colours) // 3)),
        marks,
        bar_width=round(step * (1 - _FREE), 2),
        lines=[{"y": round(PAPERS_HEIGHT - line * scale, 2), "papers": f"{line:,}"} for line in lines],
        periods=[
            {"x": round(left[period] + step * (1 - _FREE) / 2, 2), "text": period}
            for period in _axis_labels(periods, PAPERS_WIDTH)
        ],
        legend=_legend(colours),
    )


def _colours(records: Records) -> dict[str, str]:
    """A colour for each category, the category with the most papers first and "other" last."""
    papers: Counter[str] = Counter()
    for row in records:
        papers[str(row["category"])] += _count(row["papers"])
    order = sorted(papers, key=lambda name: (name == OTHER, -papers[name], name))
    return {name: f"var(--chart-{OTHER if name == OTHER else number})" for number, name in enumerate(order, 1)}


def _legend(colours: dict[str, str]) -> list[Shape]:
    return [
        {
            "x": 145 * (place % 3) - 65,
            "y": PAPERS_HEIGHT + 37 + 22 * (place // 3),
            "category": _label(name, CATEGORY_LETTERS),
            "colour": colour,
        }
        for place, (name, colour) in enumerate(colours.items())
    ]


def _stacked(records: Records, order: Sequence[str]) -> list[int]:
    """For each record the papers of its period in categories that are drawn below it.

    >>> _stacked([{"year": "2024", "category": name, "papers": 2} for name in ("cs.LG", "cs.CL")], ["cs.CL", "cs.LG"])
    [2, 0]
    """
    unit = next(iter(records[0]))
    below, heights = [0] * len(records), Counter[Cell]()
    for number in sorted(range(len(records)), key=lambda number: order.index(str(records[number]["category"]))):
        below[number] = heights[records[number][unit]]
        heights[records[number][unit]] += _count(records[number]["papers"])
    return below


def grid(most: int) -> list[int]:
    """Round numbers at equal distances from zero up to this number at least, `GRID_LINES` above zero at most.

    >>> grid(3), grid(640), grid(1700)
    ([0, 1, 2, 3], [0, 100, 200, 300, 400, 500, 600, 700], [0, 500, 1000, 1500, 2000])
    """
    step = next(step for step in _round_numbers() if most <= GRID_LINES * step)
    return list(range(0, max(most, 1) + step, step)) if most % step else list(range(0, max(most, 1) + 1, step))


def _round_numbers() -> Iterator[int]:
    ten = 1
    while True:
        yield from (ten, 2 * ten, 5 * ten)
        ten *= 10


BARS_WIDTH, BAR_HEIGHT = 420, 40
"""The width of the longest bar, and the height of a bar with the words above it."""


def _coauthors(chart: Chart) -> Picture:
    most = max(_count(row["coauthors"]) for row in chart.records())
    return _bars(
        chart,
        lambda row: _bar(row["author"], f"{row['coauthors']:,}", _count(row["coauthors"]) / most, "var(--chart-1)"),
    )


def _findings(chart: Chart) -> Picture:
    most = max(_count(row["findings"]) for row in chart.records())
    return _bars(
        chart,
        lambda row: _bar(
            f"{row['rule_id']} {row['title']}",
            count(_count(row["findings"]), str(row["severity"])),
            _count(row["findings"]) / most,
            f"var(--chart-{row['severity']})",
        ),
    )


def _coverage(chart: Chart) -> Picture:
    return _bars(chart, lambda row: _covered(row["name"], _count(row["listed_papers"]), row["stated_papers"]))


def _covered(name: Cell, listed: int, stated: Cell) -> Shape:
    if not isinstance(stated, int):
        return _bar(name, f"{listed:,} of unknown", 0, "var(--chart-1)")
    share = min(1, coverage_share(listed, stated) or 0)
    return _bar(name, f"{listed:,} of {stated:,}", share, "var(--chart-1)") | {"whole": True}


def _bar(name: Cell, number: str, share: float, colour: str) -> Shape:
    label = "no name" if name is None else _label(str(name), BAR_LETTERS - len(number))
    width = round(BARS_WIDTH * share, 2)
    return {"label": label, "number": number, "width": width, "colour": colour, "whole": False}


def _bars(chart: Chart, bar: Callable[[Record], Shape]) -> Picture:
    records = chart.records()
    marks = [
        {"top": BAR_HEIGHT * number, **shape, **_target(row, f"{shape['label']}: {shape['number']}")}
        for number, (row, shape) in enumerate(zip(records, map(bar, records), strict=True))
    ]
    return _picture(chart, "bars", (BARS_WIDTH + 16, BAR_HEIGHT * len(marks) + 8), marks, longest=BARS_WIDTH)


NETWORK_WIDTH = 740
THICKEST = 7
"""The width of the network without its margins, and of its thickest line."""


def _network(chart: Chart) -> Picture:
    records = chart.records()
    names = {row[key]: row[name] for row in records for key, name in (("author_id", "author"), ("other_id", "other"))}
    numbers = {author: number for number, author in enumerate(names)}
    pairs = [(numbers[row["author_id"]], numbers[row["other_id"]]) for row in records]
    high = 100 + 7 * len(names)  # few people still need room for their names
    places = _fitted(force_layout(len(names), pairs), NETWORK_WIDTH, high)
    most = max(_count(row["papers"]) for row in records)
    marks = [
        {"x": x, "y": y, "label": _label(str(name), PERSON_LETTERS), **_target({"author_id": author}, str(name))}
        for (author, name), (x, y) in zip(names.items(), places, strict=True)
    ]
    lines = [
        {"one": marks[one], "two": marks[two], "thickness": _thickness(_count(row["papers"]), most)}
        for (one, two), row in zip(pairs, records, strict=True)
    ]
    return _picture(chart, "network", (NETWORK_WIDTH + 140, high + 34), marks, pairs=lines)


def _thickness(papers: int, most: int) -> float:
    return round(1 + (THICKEST - 1) * (papers - 1) / max(most - 1, 1), 2)


def _fitted(places: Sequence[tuple[float, float]], width: int, height: int) -> list[tuple[float, float]]:
    """The places, moved and scaled into a picture; narrow or flat ones are not stretched to its whole width or height.

    >>> _fitted([(-200, -900), (200, 900)], 740, 380)
    [(120.0, 0.0), (620.0, 380.0)]
    """
    x = _scaled([one for one, _ in places], width, width / 1.25)
    y = _scaled([two for _, two in places], height, height / 0.5)
    return list(zip(x, y, strict=True))


def _scaled(values: Sequence[float], size: int, least: float) -> list[float]:
    """Values scaled so that an extent of `least`, or theirs if larger, has a size in pixels; the middle is kept."""
    extent = max(max(values) - min(values), least)
    first = (max(values) + min(values) - extent) / 2
    return [round((value - first) / extent * size, 1) for value in values]


def _target(cells: Record, words: str) -> Shape:
    """What a mark is of: cells of the chart, and words for people who cannot see it."""
    return {"cells": cells, "words": _label(words, BAR_LETTERS)}


def _count(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


_DRAWINGS: dict[str, Callable[[Chart], Picture]] = {
    "papers": _papers,
    "coauthors": _coauthors,
    "network": _network,
    "coverage": _coverage,
    "findings": _findings,
}


@dataclass(frozen=True)
class Drawn:
    """A chart with its picture; None where there is nothing to draw."""

    chart: Chart
    picture: Picture | None


def draw_all(charts: Iterable[Chart]) -> list[Drawn]:
    """The charts with their pictures."""
    return [Drawn(chart, draw(chart)) for chart in charts]


def style() -> str:
    """The style sheet of all pictures: colours, light and dark, and sizes."""
    return files("etl.report").joinpath("pictures.css").read_text(encoding="utf-8")
