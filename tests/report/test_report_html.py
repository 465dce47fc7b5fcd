"""The HTML report: read by html5lib in strict mode, harmless whatever the pages say, and complete."""

import base64
import hashlib
import re
import warnings
from xml.etree.ElementTree import Element

import html5lib
import pytest
from chart_cases import drawn_results
from report_cases import HOSTILE, ODD, SOUND, baseline, finding, hostile, results, results_of, rule

from etl.report import render_html
from etl.report.charts import Chart
from etl.report.html import SHOWN_FINDINGS, SHOWN_PAGES
from etl.report.results import PageResult, Results
from etl.report.wording import clipped


def charted(text: str) -> Results:
    """Results that hold a text in every field, those of charts included."""
    rows = [["a", text, "b", text, 1]]
    columns = ["author_id", "author", "other_id", "other", "papers"]
    network = Chart(id="network", title=text, says=text, sql=text, columns=columns, rows=rows)
    unknown = Chart(id=text, title=text, says=text, sql=text, columns=[text], rows=[[text], [None]])
    return hostile(text).with_charts([network, unknown])


CASES = [pytest.param(charted(text), id=name) for name, text in HOSTILE.items()]
CASES += [
    pytest.param(results_of(SOUND), id="sound"),
    pytest.param(drawn_results(SOUND, ODD), id="odd"),
    pytest.param(results([], []), id="nothing"),
]
EVERY_REPORT = pytest.mark.parametrize("results", CASES)
STRUCTURE = {"html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "div"}
TEXT = {"a", "p", "h1", "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "br", "span", "code", "bdi", "mark"}
TABLES = {"table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "rect", "details", "summary"}
CHARTS = {"figure", "figcaption", "g", "circle", "line", "text"}
ELEMENTS = STRUCTURE | TEXT | TABLES | CHARTS
HEAD = {"lang", "charset", "http-equiv", "content", "name"}
PLACES = {"class", "id", "href", "tabindex", "scope", "open", "start", "value", "dir"}
NAMES = {"aria-label", "aria-labelledby", "aria-hidden", "role", "focusable"}
SIZES = {
    "viewBox",
    "preserveAspectRatio",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "transform",
}
LOOKS = {"fill", "fill-opacity", "stroke", "stroke-width"}
LETTERS = {"font-family", "font-size", "text-anchor"}
ATTRIBUTES = HEAD | PLACES | NAMES | SIZES | LOOKS | LETTERS


def tree_of(results: Results) -> Element:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    with warnings.catch_warnings():
        # html5lib warns of a character that XML forbids; the page must not hold one.
        warnings.simplefilter("error")
        root: Element = parser.parse(render_html(results))
    return root


def tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def words(root: Element, path: str = ".") -> str:
    return " ".join("".join(element.itertext()) for element in root.iterfind(path))


def classes(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]


@EVERY_REPORT
def test_the_page_holds_no_element_and_no_attribute_but_those_of_the_template(results: Results) -> None:
    elements = list(tree_of(results).iter())
    assert {tag(element) for element in elements} <= ELEMENTS
    assert {name for element in elements for name in element.attrib} <= ATTRIBUTES


@EVERY_REPORT
def test_every_link_leads_to_a_place_on_the_page(results: Results) -> None:
    root = tree_of(results)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {element.get("href") for element in root.iter("a")} <= {f"#{name}" for name in ids}


@EVERY_REPORT
def test_the_policy_allows_the_pages_own_style_and_nothing_else(results: Results) -> None:
    root = tree_of(results)
    (policy,) = [meta.get("content") for meta in root.iter("meta") if meta.get("http-equiv")]
    (style,) = root.iter("style")
    digest = base64.b64encode(hashlib.sha256((style.text or "").encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:", style.text or "")


@EVERY_REPORT
def test_no_character_is_hidden(results: Results) -> None:
    assert [line for line in render_html(results).split("\n") if not line.isprintable()] == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_as_text_in_every_place(text: str) -> None:
    root = tree_of(charted(text))
    shown = clipped(text)
    assert [words(code) for line in classes(root, "lines") for code in line.iter("code")] == [shown] * 4
    assert [words(message) for message in classes(root, "message")] == [shown] * 2
    assert words(root, ".//h3/bdi") == shown
    assert [words(cell) for cell in root.iterfind(".//figure//td/bdi")] == ["a", shown, "b", shown]
    assert [words(head) for head in root.iterfind(".//figcaption/h3")] == [shown] * 2
    assert words(root, ".//header//code") == shown


def test_text_is_apart_from_what_stands_beside_it_in_another_direction() -> None:
    root = tree_of(hostile("א\u202eb"))
    apart = {id(inner) for bdi in root.iter("bdi") for inner in bdi.iter()}
    places = [*classes(root, "message"), *classes(root, "lines")]
    assert places
    assert all(id(mark) in apart for place in places for mark in place.iter("mark"))


def test_a_reader_without_eyes_finds_the_way() -> None:
    root = tree_of(results_of(SOUND, ODD))
    assert root.get("lang") == "en"
    assert [len(list(root.iter(name))) for name in ("main", "header", "nav", "footer", "h1")] == [1, 1, 1, 1, 1]
    assert next(element.get("href") for element in root.iter("a")) == "#main"
    assert all(table.find("caption") is not None for table in root.iter("table"))
    assert all(cell.get("scope") in {"col", "row"} for cell in root.iter("th"))
    named = {element.get("aria-labelledby") for element in root.iter("section")}
    assert named <= {element.get("id") for element in root.iter("h2")}


def test_the_verdict_and_the_counts_stand_on_top() -> None:
    told = [finding(1, "PAG-001", severity="error"), finding(2, "PAP-001")]
    root = tree_of(results([rule("PAG-001", "failed"), rule("PAP-001")], told))
    assert words(root, ".//h1") == "Failed, with 1 error and 1 warning."
    counts = {words(pair, "dt"): words(pair, "dd") for pair in classes(root, "counts")[0]}
    assert counts == {
        "Pages": "0",
        "Papers": "3",
        "Authors": "0",
        "Errors": "1",
        "Warnings": "1",
        "Lines in quarantine": "0",
    }


def test_rules_stand_in_the_order_of_what_went_wrong_with_bars_of_their_share() -> None:
    rules = [rule("A-1", "passed"), rule("A-2", checked=200), rule("A-3", "failed"), rule("A-4", "noted", checked=0)]
    rows = [row for row in tree_of(results(rules, [])).iter("tr") if (row.get("id") or "").startswith("rule-")]
    assert [words(row, "th/span[@class='id']") for row in rows] == ["A-3", "A-2", "A-4", "A-1"]
    bars = [[part.get("width") for part in row.iter() if part.get("class") == "part"] for row in rows]
    assert bars == [["33.3"], ["1.5"], [], ["0.0"]]


def test_findings_stand_by_file_with_their_lines_and_numbers() -> None:
    told = [
        finding(1, "PAP-001", source="cy.txt", line_start=12, line_end=14, raw=["Twelve", "Thirteen"]),
        finding(2, "PAP-001", source=None, line_start=None, line_end=None, raw=[]),
        finding(3, "PAP-001"),
    ]
    root = tree_of(results([rule("PAP-001")], told))
    assert [words(head) for head in root.iter("h3")] == ["ann.txt", "cy.txt", "On no page"]
    lines = [(item.get("value"), words(item)) for item in root.iter("li") if item.get("value")]
    assert lines == [("7", "On Bells"), ("12", "Twelve"), ("13", "Thirteen")]
    assert "and 1 more line, to line 14" in words(root)


def test_a_file_with_an_error_comes_first() -> None:
    told = [finding(1, "PAP-001"), finding(2, "PAG-001", source="dee.txt", severity="error")]
    root = tree_of(results([rule("PAP-001"), rule("PAG-001", "failed")], told))
    assert [words(head) for head in root.iter("h3")] == ["dee.txt", "ann.txt"]


def test_every_chart_stands_with_its_picture_its_numbers_and_its_sql() -> None:
    held = drawn_results(SOUND, ODD)
    figures = list(tree_of(held).iter("figure"))
    assert len(figures) == len(held.charts) > 0
    for figure, chart in zip(figures, held.charts, strict=True):
        assert words(figure, "figcaption") == f"{chart.title} {chart.says}"
        assert [element.get("aria-label") for element in figure.iterfind(".//{*}svg")] == [chart.title]
        assert len(figure.findall(".//tbody/tr")) == len(chart.rows)
        assert "\n".join("".join(line.itertext()) for line in figure.iterfind("details/ol/li")) == chart.sql


def test_links_of_charts_lead_to_rules_of_the_report_and_nowhere_else() -> None:
    root = tree_of(drawn_results(SOUND, ODD))
    found = [link.get("href", "") for figure in root.iter("figure") for link in figure.iter() if "href" in link.attrib]
    assert found
    assert {address[1:] for address in found} <= {row.get("id", "") for row in root.iter("tr")}


def test_a_chart_of_nothing_says_so() -> None:
    figures = list(tree_of(drawn_results()).iter("figure"))
    assert figures
    assert [words(figure, "p") for figure in figures] == ["Nothing to draw."] * len(figures)


def test_results_without_a_release_have_no_section_of_charts_and_say_where_charts_are() -> None:
    root = tree_of(results_of(SOUND))
    assert not list(root.iter("figure"))
    assert "Charts are drawn from a release" in words(root, "body/footer")
    assert "Charts are drawn" not in words(tree_of(drawn_results()))
    assert "#charts" not in {link.get("href") for link in root.iter("a")}


def test_states_and_rows_are_told_against_a_baseline() -> None:
    told = [finding(1, "PAP-001", state="new"), finding(2, "PAP-001", state="unchanged")]
    root = tree_of(results([rule("PAP-001")], told, baseline=baseline(), rows={"papers": 3, "links": 2}))
    assert [words(head) for head in classes(root, "new") + classes(root, "unchanged")] == ["new", "unchanged"]
    assert "Against the baseline 1 new, 1 unchanged, 1 gone. The baseline is old." in words(root, ".//header/p")
    assert words(root, ".//section[@aria-labelledby='rows']//td").split() == ["3", "1", "2", "none"]


def test_pages_stand_with_their_coverage_the_least_first() -> None:
    kept = {"name": None, "observed_on": None, "lines": 9, "quarantined_lines": 0}
    shares = {"all.txt": 2, "half.txt": 4, "unknown.txt": None}
    pages = [
        PageResult(profile_id="0", source=source, stated_papers=stated, listed_papers=2, **kept)
        for source, stated in shares.items()
    ]
    root = tree_of(results([], [], pages=pages))
    table = root.find(".//table[@class='pages']")
    assert table is not None
    assert words(table, ".//tbody//th/bdi").split() == ["unknown.txt", "half.txt", "all.txt"]
    assert [part.get("width") for part in table.iter() if part.get("class") == "part"] == [
        "0.0",
        "50.0",
        "0.0",
        "100.0",
        "0.0",
    ]


def test_what_a_browser_could_not_show_is_counted() -> None:
    page = {"profile_id": "0", "name": None, "observed_on": None, "stated_papers": 1, "listed_papers": 1, "lines": 1}
    pages = [PageResult(source=f"{n}.txt", quarantined_lines=0, **page) for n in range(SHOWN_PAGES + 1)]
    told = [finding(number, "PAP-001") for number in range(SHOWN_FINDINGS + 2)]
    text = words(tree_of(results([rule("PAP-001")], told, pages=pages)))
    assert "2 more findings in results.json" in text
    assert "1 more page in results.json" in text


def test_results_without_a_finding_say_so() -> None:
    assert "None: the pages break no rule that is told." in words(tree_of(results_of(SOUND)))


def test_in_a_file_errors_come_before_warnings() -> None:
    told = [finding(1, "PAP-001", line_start=3), finding(2, "PAG-001", line_start=9, severity="error")]
    page = tree_of(results([rule("PAG-001", "failed"), rule("PAP-001")], told))
    assert [item.get("class") for item in page.iter("li") if item.get("class") in {"error", "warning"}] == [
        "error",
        "warning",
    ]
