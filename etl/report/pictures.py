"""Pictures of charts: SVG without scripts, drawn by Vega.

In: a `Chart`. Out: its `Picture`, as an element of a page that includes `style()`, or as a file. Marks of an element are links
where the page has an address for their row. Equal charts give equal bytes on every machine. The Vega specifications in `specs` are filled with a chart's rows; names from pages are used as
data only, which Vega draws as text.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import vl_convert
from markupsafe import Markup
from rich.cells import cell_len, chop_cells

from etl.printable import ELLIPSIS, count
from etl.report.charts import OTHER, Cell, Chart
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


Spec = dict[str, Any]
Record = dict[str, Cell]
Records = Sequence[Record]
Address = Callable[[Record], str | None]
"""The address of the rows behind a mark, which is of some cells of the chart; None where a page has none."""


@dataclass(frozen=True)
class Target:
    """What a mark with a link is of: cells of the chart, and words for who cannot see the mark."""

    cells: Record
    words: str


BAR_LETTERS, PERSON_LETTERS, CATEGORY_LETTERS = 60, 20, 17
"""Letters that fit above a bar, above a person in the network, and in a column of the legend."""
BAR_HEIGHT, BELOW_AXIS, LEGEND_LINE = 40, 45, 22
"""Heights in pixels that `specs` uses too."""


def _specification(chart: Chart) -> tuple[Spec, list[Target]] | None:
    """The Vega specification of a chart, and what its marks are of, by the number in their link; None where it has no rows."""
    fill = _FILLS.get(chart.id)
    return fill(chart.records()) if fill and chart.rows else None


def _link(number: int) -> str:
    """The link of a mark in a specification, which `Picture` replaces."""
    return f"#{number}"


def _papers(records: Records) -> tuple[Spec, list[Target]]:
    unit = next(iter(records[0]))
    periods = _without_gaps([str(row[unit]) for row in records])
    colours = _colours(records)
    legend = [
        {"category": _label(name, CATEGORY_LETTERS), "colour": colour, "column": place % 3, "line": place // 3}
        for place, (name, colour) in enumerate(colours.items())
    ]
    order = list(colours)
    bars = [
        {
            "period": row[unit],
            "papers": row["papers"],
            "colour": colours[name],
            "order": order.index(name),
            "link": _link(number),
        }
        for number, (row, name) in enumerate((row, str(row["category"])) for row in records)
    ]
    spec = _spec("papers", bars=bars, legend=legend)
    spec["padding"]["bottom"] = BELOW_AXIS + LEGEND_LINE * -(-len(legend) // 3)
    spec["scales"][0]["domain"] = periods
    spec["axes"][1]["values"] = _axis_labels(periods, spec["width"])
    words = (f"{row[unit]}, {row['category']}: {count(_count(row['papers']), 'paper')}" for row in records)
    return spec, _targets(records, words)


def _colours(records: Records) -> dict[str, str]:
    """A colour for each category, the category with the most papers first and "other" last."""
    papers: Counter[str] = Counter()
    for row in records:
        papers[str(row["category"])] += _count(row["papers"])
    order = sorted(papers, key=lambda name: (name == OTHER, -papers[name], name))
    return {name: f"var(--chart-{OTHER if name == OTHER else number})" for number, name in enumerate(order, 1)}


def _coauthors(records: Records) -> tuple[Spec, list[Target]]:
    most = max(_count(row["coauthors"]) for row in records)
    return _bars(
        records,
        [
            _bar(row["author"], f"{row['coauthors']:,}", _count(row["coauthors"]) / most, "var(--chart-1)")
            for row in records
        ],
    )


def _findings(records: Records) -> tuple[Spec, list[Target]]:
    most = max(_count(row["findings"]) for row in records)
    return _bars(
        records,
        [
            _bar(
                f"{row['rule_id']} {row['title']}",
                f"{row['findings']:,} {row['severity']}" + "s" * (row["findings"] != 1),
                _count(row["findings"]) / most,
                f"var(--chart-{row['severity']})",
            )
            for row in records
        ],
    )


def _coverage(records: Records) -> tuple[Spec, list[Target]]:
    bars = [_covered(row["name"], _count(row["listed_papers"]), row["stated_papers"]) for row in records]
    return _bars(records, bars)


def _covered(name: Cell, listed: int, stated: Cell) -> dict[str, Any]:
    if not isinstance(stated, int):
        return _bar(name, f"{listed:,} of unknown", 0, "var(--chart-1)")
    share = min(1, coverage_share(listed, stated) or 0)
    return _bar(name, f"{listed:,} of {stated:,}", share, "var(--chart-1)") | {"whole": 1}


def _bar(name: Cell, number: str, share: float, colour: str) -> dict[str, Any]:
    label = "no name" if name is None else _label(str(name), BAR_LETTERS - len(number))
    return {"label": label, "number": number, "share": share, "colour": colour, "whole": 0}


def _bars(records: Records, bars: Sequence[dict[str, Any]]) -> tuple[Spec, list[Target]]:
    spec = _spec("bars", bars=[{"row": row, "link": _link(row), **bar} for row, bar in enumerate(bars)])
    words = (f"{bar['label']}: {bar['number']}" for bar in bars)
    return spec | {"height": BAR_HEIGHT * len(bars)}, _targets(records, words)


def _network(records: Records) -> tuple[Spec, list[Target]]:
    names = {row[key]: row[name] for row in records for key, name in (("author_id", "author"), ("other_id", "other"))}
    numbers = {author: number for number, author in enumerate(names)}
    people = [
        {"id": number, "label": _label(str(names[author]), PERSON_LETTERS), "link": _link(number)}
        for author, number in numbers.items()
    ]
    pairs = [
        {"source": numbers[row["author_id"]], "target": numbers[row["other_id"]], "papers": row["papers"]}
        for row in records
    ]
    # The height grows with the number of people; few people still need room for their names.
    spec = _spec("network", people=people, pairs=pairs) | {"height": 100 + 7 * len(people)}
    return spec, _targets([{"author_id": author} for author in names], map(str, names.values()))


def _targets(records: Records, words: Iterable[str]) -> list[Target]:
    return [Target(cells, _label(text, BAR_LETTERS)) for cells, text in zip(records, words, strict=True)]


def _count(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _spec(name: str, **data: object) -> Spec:
    spec: Spec = json.loads(files("etl.report").joinpath(f"specs/{name}.json").read_text(encoding="utf-8"))
    for source in spec["data"]:
        source["values"] = data[source["name"]]
    return spec


_FILLS: dict[str, Callable[[Records], tuple[Spec, list[Target]]]] = {
    "papers": _papers,
    "coauthors": _coauthors,
    "network": _network,
    "coverage": _coverage,
    "findings": _findings,
}


_ELEMENT = Markup('<svg class="{id}" role="{role}" aria-label="{title}" viewBox="0 0 {width} {height}">{marks}')
_MARK = re.compile(r'<a xlink:href="[^"]*#(?P<number>[0-9]+)">(?P<mark>.*?)</a>')
"""A mark with its link, which Vega puts behind an address of its own."""
_LINK = Markup('<a href="{address}"><title>{words}</title>{mark}</a>')
_HIDDEN = ' aria-hidden="true"'
_FILE = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    "<title>{title}</title><style>{style}</style>"
    '<rect width="{width}" height="{height}" fill="var(--chart-back)"/>{marks}'
)


@dataclass(frozen=True)
class Picture:
    """A drawn chart: its size in pixels, the SVG after the opening tag, and what the marks are of."""

    id: str
    title: str
    width: int
    height: int
    marks: Markup
    targets: Sequence[Target]

    def element(self, address: Address = lambda _: None) -> Markup:
        """The picture as an element of an HTML page, whose marks are links where they have an address."""
        marks, role = self._linked(address), "img"
        if "<a " in marks:
            marks, role = Markup(marks.replace(_HIDDEN, "")), "group"  # noqa: S704 - as safe as before
        return _ELEMENT.format(**{**vars(self), "marks": marks, "role": role})

    def _linked(self, address: Address) -> Markup:
        def link(found: re.Match[str]) -> str:
            target, mark = self.targets[int(found["number"])], Markup(found["mark"])  # noqa: S704 - drawn by Vega
            to = address(target.cells)
            return str(_LINK.format(address=to, words=target.words, mark=mark) if to else mark)

        return Markup(_MARK.sub(link, self.marks))  # noqa: S704 - Vega and markupsafe escape

    @property
    def file(self) -> str:
        """The picture as the text of an SVG file without links, light or dark by the reader's setting."""
        own = Markup(style())  # noqa: S704 - a file of ours
        return str(_FILE.format(**{**vars(self), "style": own, "marks": self._linked(lambda _: None)}))


def draw(chart: Chart) -> Picture | None:
    """The picture of a chart; None where there is nothing to draw.

    >>> draw(Chart(id="papers", title="Papers", says="", sql="", columns=["year", "category", "papers"], rows=[])) is None
    True
    """
    specification = _specification(chart)
    if specification is None:
        return None
    spec, targets = specification
    around = spec["padding"]
    _, _, marks = vl_convert.vega_to_svg(spec).partition(">")
    return Picture(
        id=chart.id,
        title=_drawable(chart.title),
        width=around["left"] + spec["width"] + around["right"],
        height=around["top"] + spec["height"] + around["bottom"],
        marks=Markup(marks),  # noqa: S704 - Vega escapes what it draws
        targets=targets,
    )


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
