"""Vega specifications of charts: those in `specs`, filled with a chart's numbers. In: a `Chart`. Out: a specification.

Names from pages go into the data only, where Vega takes them for text and for nothing else.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from etl.charts.chart import Cell, Chart
from etl.charts.labels import label
from etl.charts.periods import axis_labels, without_gaps
from etl.charts.words import OTHER

Spec = dict[str, Any]
Records = Sequence[dict[str, Cell]]

BAR_LETTERS, PERSON_LETTERS, CATEGORY_LETTERS = 60, 20, 17
"""What fits over a bar, over a person in the network, and into a column of the legend."""
BAR_HEIGHT, BELOW_AXIS, LEGEND_LINE = 40, 45, 22
"""Heights that `specs` counts with too."""


def specification(chart: Chart) -> Spec | None:
    """The specification of a chart; None where there is nothing to draw."""
    fill = _FILLS.get(chart.id)
    return fill(chart.records()) if fill and chart.rows else None


def _papers(records: Records) -> Spec:
    unit = next(iter(records[0]))
    periods = without_gaps([str(row[unit]) for row in records])
    colours = _colours(records)
    legend = [
        {"category": label(name, CATEGORY_LETTERS), "colour": colour, "column": place % 3, "line": place // 3}
        for place, (name, colour) in enumerate(colours.items())
    ]
    order = list(colours)
    bars = [
        {"period": row[unit], "papers": row["papers"], "colour": colours[name], "order": order.index(name)}
        for row, name in ((row, str(row["category"])) for row in records)
    ]
    spec = _spec("papers", bars=bars, legend=legend)
    spec["padding"]["bottom"] = BELOW_AXIS + LEGEND_LINE * -(-len(legend) // 3)
    spec["scales"][0]["domain"] = periods
    spec["axes"][1]["values"] = axis_labels(periods, spec["width"])
    return spec


def _colours(records: Records) -> dict[str, str]:
    """A colour for each category, the one with the most papers first and the others' last."""
    papers: Counter[str] = Counter()
    for row in records:
        papers[str(row["category"])] += _number(row["papers"])
    order = sorted(papers, key=lambda name: (name == OTHER, -papers[name], name))
    return {name: f"var(--chart-{OTHER if name == OTHER else number})" for number, name in enumerate(order, 1)}


def _coauthors(records: Records) -> Spec:
    most = max(_number(row["coauthors"]) for row in records)
    return _bars(
        [
            _bar(row["author"], f"{row['coauthors']:,}", _number(row["coauthors"]) / most, "var(--chart-1)")
            for row in records
        ]
    )


def _findings(records: Records) -> Spec:
    most = max(_number(row["findings"]) for row in records)
    return _bars(
        [
            _bar(
                f"{row['rule_id']} {row['title']}",
                f"{row['findings']:,} {row['severity']}" + "s" * (row["findings"] != 1),
                _number(row["findings"]) / most,
                f"var(--chart-{row['severity']})",
            )
            for row in records
        ]
    )


def _coverage(records: Records) -> Spec:
    return _bars([_covered(row["name"], _number(row["listed_papers"]), row["stated_papers"]) for row in records])


def _covered(name: Cell, listed: int, stated: Cell) -> dict[str, Any]:
    if not isinstance(stated, int):
        return _bar(name, f"{listed:,} of unknown", 0, "var(--chart-1)")
    share = min(1, listed / stated) if stated else 0
    return _bar(name, f"{listed:,} of {stated:,}", share, "var(--chart-1)") | {"whole": 1}


def _bar(name: Cell, number: str, share: float, colour: str) -> dict[str, Any]:
    told = "no name" if name is None else label(str(name), BAR_LETTERS - len(number))
    return {"label": told, "number": number, "share": share, "colour": colour, "whole": 0}


def _bars(bars: Sequence[dict[str, Any]]) -> Spec:
    spec = _spec("bars", bars=[{"row": row, **bar} for row, bar in enumerate(bars)])
    return spec | {"height": BAR_HEIGHT * len(bars)}


def _network(records: Records) -> Spec:
    names = {row[key]: row[name] for row in records for key, name in (("author_id", "author"), ("other_id", "other"))}
    numbers = {author: number for number, author in enumerate(names)}
    people = [{"id": numbers[author], "label": label(str(name), PERSON_LETTERS)} for author, name in names.items()]
    pairs = [
        {"source": numbers[row["author_id"]], "target": numbers[row["other_id"]], "papers": row["papers"]}
        for row in records
    ]
    # People fill a plane, but few of them still need room for their names.
    return _spec("network", people=people, pairs=pairs) | {"height": 100 + 7 * len(people)}


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _spec(name: str, **data: object) -> Spec:
    spec: Spec = json.loads(files("etl.charts.specs").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    for source in spec["data"]:
        source["values"] = data[source["name"]]
    return spec


_FILLS: dict[str, Callable[[Records], Spec]] = {
    "papers": _papers,
    "coauthors": _coauthors,
    "network": _network,
    "coverage": _coverage,
    "findings": _findings,
}
