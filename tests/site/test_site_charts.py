"""The page of charts: every chart of the release with its numbers, its SQL and its picture, and nothing without a release."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element, fromstring

import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch, read

from etl.load.layout import DATABASE, DATABASE_FILE
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.report.pictures import draw_all
from etl.report.results import RESULTS_FILE, read_results
from etl.site import charts

SVG = "{http://www.w3.org/2000/svg}svg"


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def figures(fetch: Fetch) -> dict[str, Element]:
    page = read(fetch(charts.CHARTS).text)
    return {figure.get("id", ""): figure for figure in page.iter("figure")}


def asked(release: Path, path: str, **options: Any) -> int:
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], **options)
    return asyncio.run(site.client.get(path)).status_code


@pytest.fixture(scope="module")
def stored(release: Path) -> list[charts.Chart]:
    return read_results((release / RESULTS_FILE).read_text(encoding="utf-8")).charts


def test_every_chart_of_the_release_has_a_picture_and_a_description(fetch: Fetch, stored: list[charts.Chart]) -> None:
    found = figures(fetch)
    assert list(found) == [chart.id for chart in stored]
    for chart in stored:
        assert chart.says in words(found[chart.id])
        (picture,) = found[chart.id].iter(SVG)
        assert (picture.get("role"), picture.get("aria-label")) == ("group", chart.title)


def test_the_table_shows_the_numbers(fetch: Fetch, stored: list[charts.Chart]) -> None:
    found = figures(fetch)
    for chart in stored:
        rows = [[words(cell) for cell in row.iter("td")] for row in found[chart.id].iterfind(".//tbody/tr")]
        assert rows == [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in chart.rows]


def test_the_sql_opens_in_datasette_and_gives_the_numbers(fetch: Fetch, stored: list[charts.Chart]) -> None:
    found = figures(fetch)
    for chart in stored:
        (link,) = [a.get("href", "") for a in found[chart.id].iter("a") if words(a).endswith("with SQL")]
        address = urlsplit(link)
        assert parse_qs(address.query) == {"sql": [chart.sql]}
        answer = fetch(f"{address.path}.json?{address.query}", params={"sql": chart.sql, "_shape": "arrays"})
        assert answer.json()["rows"] == chart.rows


def test_sql_that_takes_too_long_here_is_noted_and_not_linked(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "LARGEST_PAIRING", 1)
    found = figures(fetch)
    noted = [name for name, figure in found.items() if "takes longer than this site lets a query run" in words(figure)]
    linked = [name for name, figure in found.items() if any(words(a).endswith("with SQL") for a in figure.iter("a"))]
    assert (noted, linked) == (["coauthors"], ["papers", "network", "coverage", "findings"])


def test_a_person_of_the_table_links_to_their_row(fetch: Fetch) -> None:
    links = [a.get("href", "") for a in figures(fetch)["coauthors"].find(".//tbody") or () for a in a.iter("a")]
    assert links[0].startswith("/paperledger/authors/")
    assert fetch(links[0]).status_code == 200


def test_the_keyboard_passes_marks_by_and_finds_their_links_in_the_numbers(fetch: Fetch) -> None:
    for figure in figures(fetch).values():
        marks = [one for svg in figure.iter(SVG) for one in svg.iter(f"{SVG.removesuffix('svg')}a")]
        numbers = {one.get("href") for body in figure.iter("tbody") for one in body.iter("a")}
        assert {one.get("tabindex") for one in marks} == {"-1"}
        assert {one.get("href") for one in marks} <= numbers


def test_every_picture_is_a_file_too(fetch: Fetch, stored: list[charts.Chart]) -> None:
    for chart in stored:
        answer = fetch(f"{charts.CHARTS}/{chart.id}.svg")
        assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
        drawn = fromstring(answer.text)  # noqa: S314 - drawn by ourselves
        assert drawn.tag == SVG
        assert drawn.findtext("{*}title") == chart.title
        assert "prefers-color-scheme: dark" in (drawn.findtext("{*}style") or "")


@pytest.mark.parametrize("name", ["nothing", "Papers", ".."])
def test_a_picture_that_is_not_there_is_not_found(fetch: Fetch, name: str) -> None:
    assert fetch(f"{charts.CHARTS}/{name}.svg").status_code == 404


def test_addresses_follow_the_base_url(release: Path) -> None:
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], settings={"base_url": "/bells/"})
    page = read(asyncio.run(site.client.get(charts.CHARTS)).text)
    links = [a.get("href", "") for figure in page.iter("figure") for a in figure.iter("a")]
    assert links
    assert [link for link in links if not link.startswith("/bells/")] == []


def test_who_may_not_see_the_database_sees_no_chart(release: Path) -> None:
    shut = {"databases": {DATABASE: {"allow": False}}}
    assert asked(release, charts.CHARTS, metadata=shut) == 403
    assert asked(release, f"{charts.CHARTS}/papers.svg", metadata=shut) == 403


def test_who_may_not_ask_sql_gets_no_link_to_it(release: Path) -> None:
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata={"allow_sql": False})
    page = asyncio.run(site.client.get(charts.CHARTS)).text
    assert "SQL that gives these numbers" in page
    assert "?sql=" not in page


def test_a_release_without_charts_is_noted(release: Path, tmp_path: Path) -> None:
    old = shutil.copytree(release, tmp_path / release.name)
    results = json.loads((old / RESULTS_FILE).read_text(encoding="utf-8"))
    del results["charts"]
    (old / RESULTS_FILE).write_text(json.dumps(results), encoding="utf-8")
    site = Datasette([], immutables=[str(old / DATABASE_FILE)])
    assert "This release has no charts" in asyncio.run(site.client.get(charts.CHARTS)).text
    assert asked(old, f"{charts.CHARTS}/papers.svg") == 404


def test_there_is_no_page_where_no_release_is_served() -> None:
    assert asyncio.run(Datasette([], memory=True).client.get(charts.CHARTS)).status_code == 404


def test_charts_are_drawn_once_a_release(site: Datasette, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    monkeypatch.setattr(charts, "draw_all", lambda given: [drawn.append(given), draw_all(given)][1])
    charts._draw_all.cache_clear()  # noqa: SLF001
    assert [asyncio.run(site.client.get(charts.CHARTS)).status_code for _ in range(3)] == [200] * 3
    assert len(drawn) == 1


def test_marks_and_numbers_lead_to_the_rows_that_they_count(fetch: Fetch, stored: list[charts.Chart]) -> None:
    found = figures(fetch)
    for chart in stored:
        marks = [link.get("href") for link in found[chart.id].find(".//{*}svg").iter() if link.get("href")]  # type: ignore[union-attr]
        numbers = [a.get("href") for a in found[chart.id].iterfind(".//tbody//td[@class='charts-number']/a")]
        assert marks
        assert numbers == (marks if chart.id != "network" else [])
        assert {address: fetch(str(address)).status_code for address in marks} == dict.fromkeys(marks, 200)


def test_a_bar_of_papers_leads_to_as_many_rows(tmp_path: Path) -> None:
    pages = ["CL", "LG", "RO", "SE", "DB", "HC", "CR", "CY", "XX"]
    blocks = [
        f"{code}{day}\nOn Bells {code} {day}\n\nAnn Bell\n\nBells ring at noon."
        for number, code in enumerate(pages)
        for day in ("Mar 1, 2024", "May 2, 2022", f"Mar 1, {1970 + 2 * number}")
    ]
    (tmp_path / "ann@2024-06-01.txt").write_text(
        "\n\n".join(["Ann Bell\n\nCL\n27papers\n\n27 Papers", *blocks]), encoding="utf-8"
    )
    built = build(Request([str(tmp_path)], tmp_path / "build"), Progress(Console(quiet=True))).release.path.resolve()
    site = Datasette([], immutables=[str(built / DATABASE_FILE)])
    chart = next(
        chart
        for chart in read_results((built / RESULTS_FILE).read_text(encoding="utf-8")).charts
        if chart.id == "papers"
    )
    assert {"other", "unknown"} <= {row["category"] for row in chart.records()}
    for cells in chart.records():
        answer = asyncio.run(site.client.get("/paperledger/papers.json", params=charts.paper_filters(chart, cells)))
        assert answer.json()["filtered_table_rows_count"] == cells["papers"], cells


def test_the_page_is_written_once(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch(charts.CHARTS).text
    monkeypatch.delattr(charts, "target_of")
    assert fetch(charts.CHARTS).text == first
