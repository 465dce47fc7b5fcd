"""The pictures: every number has its mark, names from pages do no harm, and light and dark can both be read."""

import re
from itertools import combinations, pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from chart_cases import PEOPLE, SOUND, charts_of, many
from helpers import tables_of
from msgspec.structs import replace

from etl.report.charts import Cell, Chart
from etl.report.network import PEOPLE_IN_NETWORK
from etl.report.pictures import Picture, draw, style

MARK = {"papers": "bar", "coauthors": "bar", "network": "pair", "coverage": "bar", "findings": "bar"}
HOSTILE = {
    "script": "</text></svg><script>alert(1)</script>",
    "handler": '" onload="alert(1)" x=\'<img src=x onerror=alert(1)>',
    "bidi": "א\u202eb\u2066c\u200f",
    "control": "a\x00\x08\x1b\x7f\ud800\ufffe\u2028\n",
    "expression": "{datum.row} ${1+1} signal('width') __proto__",
    "long": "W" * 10_000,
    "marks": "Z" + "\u0301" * 5_000,
    "blank": "",
}


def root(picture: Picture | None) -> Element:
    assert picture is not None
    return fromstring(picture.file)  # noqa: S314 - drawn by ourselves


def marks(picture: Picture | None, name: str) -> list[Element]:
    groups = [element for element in root(picture).iter() if name in element.get("class", "").split()]
    return [mark for group in groups for mark in group]


def labels(picture: Picture | None) -> list[str]:
    return ["".join(mark.itertext()) for mark in marks(picture, "label")]


def network(*names: str) -> Chart:
    rows = [[f"a{number}", name, "b", "Cy Dole", 1] for number, name in enumerate(names)]
    columns = ["author_id", "author", "other_id", "other", "papers"]
    return Chart(id="network", title="Network", says="", sql="", columns=columns, rows=rows)


def coverage(*rows: tuple[str | None, int | None, int]) -> Chart:
    columns = ["profile_id", "name", "stated_papers", "listed_papers"]
    keyed = [[str(number), *row] for number, row in enumerate(rows)]
    return Chart(id="coverage", title="Coverage", says="", sql="", columns=columns, rows=keyed)


@pytest.fixture(scope="module")
def charts() -> list[Chart]:
    return charts_of(many())


def test_every_row_has_its_mark(charts: list[Chart]) -> None:
    assert {chart.id: len(marks(draw(chart), MARK[chart.id])) for chart in charts} == {
        chart.id: len(chart.rows) for chart in charts
    }
    assert {chart.id for chart in charts if chart.rows} == set(MARK)


def test_every_person_of_the_network_has_a_point_and_a_name_within_the_picture(charts: list[Chart]) -> None:
    (chart,) = [chart for chart in charts if chart.id == "network"]
    picture = draw(chart)
    assert picture is not None
    people = {row[key] for row in chart.records() for key in ("author_id", "other_id")}
    places = [(float(mark.get("cx", "")), float(mark.get("cy", ""))) for mark in marks(picture, "person")]
    assert len(places) == len(labels(picture)) == len(people)
    assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in places)


def test_the_names_of_a_full_network_lie_apart() -> None:
    people = PEOPLE[:PEOPLE_IN_NETWORK]
    rows: list[list[Cell]] = [[one, one, two, two, 1] for far in (1, 3) for one, two in pairwise(people[::far])]
    chart = replace(network("Ann Bell"), rows=rows)
    places = [(float(mark.get("x", "")), float(mark.get("y", ""))) for mark in marks(draw(chart), "label")]
    # A name is at most 120 wide, and its letters 12 high.
    over = [
        pair
        for pair in combinations(places, 2)
        if abs(pair[0][0] - pair[1][0]) < 80 and abs(pair[0][1] - pair[1][1]) < 12
    ]
    assert len(places) == PEOPLE_IN_NETWORK
    assert over == []


def test_bars_are_as_long_as_their_numbers() -> None:
    picture = draw(coverage(("Ann Bell", 4, 1), ("Cy Dole", 4, 4), ("Eve Fox", None, 3), ("Ida Orr", 2, 3)))
    lengths = [mark.get("width", "") for mark in marks(picture, "bar")]
    assert [float(length) / 420 for length in lengths] == [0.25, 1, 0, 1]
    told = ["".join(mark.itertext()) for mark in marks(picture, "number")]
    assert told == ["1 of 4", "4 of 4", "3 of unknown", "3 of 2"]


def linked(picture: Picture | None, name: str) -> list[tuple[str, str]]:
    """The addresses and words of the links of a picture whose rows are at /NAME/ and their cell of this name."""
    assert picture is not None
    element = picture.element(lambda cells: f"/{name}/{cells[name]}" if name in cells else None)
    found = fromstring(str(element)).iter("a")  # noqa: S314 - drawn by ourselves
    return [(link.get("href", ""), link.findtext("title") or "") for link in found]


def test_marks_are_links_where_their_rows_have_an_address(charts: list[Chart]) -> None:
    for chart, key in zip(charts, ("category", "author_id", "author_id", "profile_id", "rule_id"), strict=True):
        found = linked(draw(chart), key)
        keys = {str(row[key]) for row in chart.records()}
        if chart.id == "network":
            keys |= {str(row["other_id"]) for row in chart.records()}
        assert {address for address, _ in found} == {f"/{key}/{one}" for one in keys}
        assert all(words for _, words in found)
        assert linked(draw(chart), "nosuch") == []


def test_a_picture_with_links_is_no_image_and_hides_no_mark(charts: list[Chart]) -> None:
    picture = draw(charts[0])
    assert picture is not None
    element, bare = picture.element(lambda _: "/x"), picture.element()
    assert ('role="group"' in element, "aria-hidden" in element) == (True, False)
    assert ('role="img"' in bare, "<a " in bare, "href" in bare) == (True, False, False)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_and_addresses_of_links_are_escaped(text: str) -> None:
    picture = draw(coverage((text, 2, 1)))
    assert picture is not None
    root = fromstring(str(picture.element(lambda _: '/"><script>&')))  # noqa: S314 - drawn by ourselves
    (link,) = root.iter("a")
    assert link.get("href") == '/"><script>&'
    assert (link.findtext("title") or "").isprintable()
    assert not {name for element in root.iter() for name in element.attrib if name.startswith("on")}


def test_nothing_to_draw_gives_no_picture() -> None:
    assert [draw(chart) for chart in charts_of(tables_of())] == [None] * 5
    assert draw(Chart(id="unheard-of", title="", says="", sql="", columns=["a"], rows=[[1]])) is None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("chart", [network, lambda text: coverage((text, 2, 1))], ids=["network", "bars"])
def test_hostile_names_are_short_text_in_sight(chart: object, text: str) -> None:
    assert callable(chart)
    picture = draw(chart(text))
    elements = {element.tag.rpartition("}")[2] for element in root(picture).iter()}
    assert elements <= {"svg", "title", "style", "rect", "g", "circle", "line", "text"}
    names = {name for element in root(picture).iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or name in {"style", "href", "id"}}
    assert all(label.isprintable() and len(label) <= 60 for label in labels(picture))


def test_a_name_is_drawn_as_it_is() -> None:
    assert sorted(labels(draw(network("Ann {B} <Bell> & Söns")))) == ["Ann {B} <Bell> & Sö…", "Cy Dole"]
    assert labels(draw(coverage(("鐘" * 40, 2, 1), (None, 2, 1)))) == ["鐘" * 26 + "…", "no name"]


def test_the_same_chart_gives_the_same_bytes(charts: list[Chart]) -> None:
    assert [draw(chart) for chart in charts] == [draw(chart) for chart in charts]


def test_no_place_depends_on_the_width_of_a_text() -> None:
    thin, wide = (draw(network("i" * 20, *["Ann Bell"] * 5)), draw(network("W" * 20, *["Ann Bell"] * 5)))
    assert thin is not None
    assert wide is not None
    assert thin.file.replace("i" * 20, "W" * 20) == wide.file


def schemes() -> list[dict[str, str]]:
    light, _, dark = style().partition("@media")
    found = [dict(re.findall(r"--(chart-[a-z0-9]+): (#[0-9a-f]{3,6});", part)) for part in (light, dark)]
    assert found[0].keys() == found[1].keys()
    return found


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_stands_out_from_the_ground(scheme: int) -> None:
    colours = schemes()[scheme]
    ground, text = colours.pop("chart-back"), colours.pop("chart-text")
    # Lines of the grid are there to be overlooked.
    colours.pop("chart-grid")
    assert contrast(text, ground) >= 7
    assert {name: colour for name, colour in colours.items() if contrast(colour, ground) < 3} == {}


def test_every_colour_of_a_picture_is_in_the_style_sheet(charts: list[Chart]) -> None:
    drawn = [picture for picture in map(draw, [*charts, *charts_of(tables_of(SOUND))]) if picture]
    used = {name for picture in drawn for name in re.findall(r"var\(--([^)]*)\)", picture.element())}
    assert used <= set(schemes()[0])
    literal = {value for picture in drawn for value in re.findall(r'(?:fill|stroke)="(#[^"]*)"', picture.element())}
    assert literal == set()
