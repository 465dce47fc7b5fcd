"""The questions: what each answers on invented pages, that no input makes one fail, and that its order is total."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch

from etl.load.layout import DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.report.results import RESULTS_FILE, SHOWN_LINES, read_results, shown
from etl.site.served import SETTINGS
from schemas import QUESTIONS
from schemas.questions import FOUND_PAPERS

ANN = r"""Ann Bell

CL
h-index9
5papers
9citations
Novelty50%
AI Score58
C:\new\table "quoted"

5 Papers

CVMar 14, 2025Code
On Bells in C++

Cy Dole, Eve Fox, Gil Hart et al. · Tower Lab, mila

Bells ring loudly. See https://github.com/example/bells and https://example.org/.

Advertisement
of a \newtower

CLApr 2
Naïve 日本語 Chimes


Ann Bell, Cy Dole


"They" chime, 'softly', a-b AND c, in $\textit{two}
\\new lines with \n and "quotes",
and

CLMay 1, 2024
Ropes <b>hold</b>

Ann Bell, Cy Dole, Eve Fox

Ropes hold bells; a \textit{brace and a bell, loudly ringing.

CLJun 3, 2023
Knots

Gil Hart, Ivo Jay et al.

Knots, as at https://gitlab.com/example/knots, hold.
"""
EVE = """Eve Fox

6 Papers

LGMar 14, 2025
On Bells in C++!

Cy Dole, Eve Fox, Gil Hart et al.

Bells rang.

CLFebruary 30, 2025
No Day

Eve Fox

None.

CLJun 9, 2022
Ropes hold

Eve Fox, Kim Law

"""
PAGES = {
    "ann@2026-06-01.txt": ANN,
    "eve@2025-01-01.txt": EVE,
    "crlf.txt": ANN.replace("Ann Bell", "Mo Nye", 1).replace("\n", "\r\n"),
}
HOSTILE = {
    "empty": "",
    "c++": "c++",
    "quote": '"',
    "quotes": '""',
    "open-quote": '"bells',
    "apostrophe": "'; DROP TABLE papers; --",
    "AND": "AND",
    "OR NOT": "OR NOT AND",
    "hyphen": "a-b",
    "japanese": "日本語",
    "star": "*",
    "prefix": "bell*",
    "NEAR(": "NEAR(",
    "near": "NEAR(bells ropes, 2)",
    "column": "title:bells",
    "caret": "^bells + {ropes}",
    "nul": "bells\0ropes",
    "line-breaks": "bells\n\tropes",
    "markup": "<b>&amp;</b>",
    "bidi": "\u202ebells\u200b",
    "emoji": "🔔",
    "percent": "%",
    "word-10000": "x" * 10_000,
    "words-100": "x " * 100,
    "quotes-3000": '"' * 3_000,
}
ASKED = [
    pytest.param(name, param, text, id=f"{name}-{param}-{words}")
    for name, question in QUESTIONS.items()
    for param in question.params
    for words, text in HOSTILE.items()
]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the pages above, in place of the sample."""
    folder = tmp_path_factory.mktemp("questions")
    for name, text in PAGES.items():
        (folder / name).write_bytes(text.encode())
    request = Request([str(folder / name) for name in PAGES], folder / "build")
    return build(request, Progress(Console(quiet=True))).release.path.resolve()


@pytest.fixture(scope="module")
def fetch(release: Path) -> Fetch:
    """Ask one site for everything: each takes memory of its own."""
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=dict(SETTINGS))
    return lambda path, **asked: asyncio.run(site.client.get(path, **asked))


@pytest.fixture
def database(release: Path) -> Iterator[sqlite3.Connection]:
    """Plain SQLite, without Datasette's functions and ours."""
    with closing(sqlite3.connect(release / DATABASE_FILE)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows_of(fetch: Fetch, name: str, **params: str) -> list[dict[str, Any]]:
    """The rows that the site answers with."""
    answer = fetch(f"/paperledger/{name}.json", params={**params, "_shape": "array"})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


@pytest.mark.parametrize(("name", "param", "text"), ASKED)
def test_no_input_makes_a_question_fail(
    fetch: Fetch, database: sqlite3.Connection, name: str, param: str, text: str
) -> None:
    params = {**dict.fromkeys(QUESTIONS[name].params, ""), param: text}
    page = fetch(f"/paperledger/{name}", params=params)
    assert page.status_code == 200
    assert "message-error" not in page.text
    rows = rows_of(fetch, name, **params)
    assert [dict(row) for row in database.execute(QUESTIONS[name].sql, params)] == rows


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_a_title_and_labels_for_its_fields(fetch: Fetch, name: str) -> None:
    page = fetch(f"/paperledger/{name}")
    assert page.status_code == 200
    assert QUESTIONS[name].title.replace("'", "&#39;") in page.text
    assert [param for param in QUESTIONS[name].params if f'name="{param}"' not in page.text] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_order_of_a_questions_rows_is_total(database: sqlite3.Connection, name: str) -> None:
    given = {"q": "bells", "author_id": "eve-fox"}
    params = {param: given.get(param, "") for param in QUESTIONS[name].params}
    forwards = [tuple(row) for row in database.execute(QUESTIONS[name].sql, params)]
    database.execute("PRAGMA reverse_unordered_selects = ON")
    assert len(forwards) > 1
    assert [tuple(row) for row in database.execute(QUESTIONS[name].sql, params)] == forwards


def test_lower_bounds_are_described() -> None:
    for name in ("coauthors_of_author", "papers_of_author", "coverage_by_profile"):
        assert "lower bound" in QUESTIONS[name].description


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        pytest.param("bells", ["On «Bells» in C++", "Ropes <b>hold</b>"], id="title-before-abstract"),
        pytest.param("c++", ["On Bells in «C»++", "Naïve 日本語 Chimes"], id="c++"),
        pytest.param("日本語", ["Naïve «日本語» Chimes"], id="japanese"),
        pytest.param("AND", ["Naïve 日本語 Chimes", "On Bells in C++", "Ropes <b>hold</b>"], id="AND-is-a-word"),
        pytest.param("a-b", ["Naïve 日本語 Chimes"], id="hyphen"),
        pytest.param("ringing loudly", ["On Bells in C++", "Ropes <b>hold</b>"], id="all-words-in-any-form"),
        pytest.param('"ring loudly"', ["On Bells in C++"], id="phrase"),
        pytest.param('ring" loudly', ["On Bells in C++", "Ropes <b>hold</b>"], id="lone-quote"),
        pytest.param("naive", ["«Naïve» 日本語 Chimes"], id="without-diacritics"),
        pytest.param("bells drums", [], id="all-words-must-occur"),
        pytest.param("", [], id="nothing"),
        pytest.param("*", [], id="no-word"),
    ],
)
def test_search_finds_ranks_and_marks(fetch: Fetch, words: str, titles: list[str]) -> None:
    assert sorted(row["title"] for row in rows_of(fetch, "search_papers", q=words)) == sorted(titles)
    if words == "bells":
        assert [row["title"] for row in rows_of(fetch, "search_papers", q=words)] == titles


def test_search_shows_where_the_words_stand_and_no_markup_of_pages(fetch: Fetch) -> None:
    (found,) = rows_of(fetch, "search_papers", q='"ring loudly"')
    assert found["abstract"].startswith("Bells «ring loudly». See")
    page = fetch("/paperledger/search_papers", params={"q": "ropes"})
    assert "«Ropes» &lt;b&gt;hold&lt;/b&gt;" in page.text
    assert "<b>hold" not in page.text


def test_search_shows_the_best_only(release: Path) -> None:
    with closing(sqlite3.connect(release / DATABASE_FILE)) as database:
        for number in range(FOUND_PAPERS + 1):
            values = (f"{number:016}", "Peals", "peals", f"x{number}")
            database.execute("INSERT INTO papers VALUES (?, ?, ?, NULL, NULL, 0, 1, 1, 0, 0, ?)", values)
        database.execute("INSERT INTO papers_fts(papers_fts) VALUES ('rebuild')")
        found = database.execute(QUESTIONS["search_papers"].sql, {"q": "peals"}).fetchall()
    assert [row[0] for row in found] == [f"{number:016}" for number in range(FOUND_PAPERS)]


def test_coauthors_are_counted_hidden_owners_included(fetch: Fetch) -> None:
    rows = rows_of(fetch, "coauthors_of_author", author_id="ann-bell")
    assert [(row["author_id"], row["papers_together_at_least"]) for row in rows] == [
        ("mo-nye", 4),
        ("cy-dole", 3),
        ("eve-fox", 2),
        ("gil-hart", 2),
        ("ivo-jay", 1),
    ]


def test_papers_of_an_author_tell_the_place_in_the_byline(fetch: Fetch) -> None:
    rows = rows_of(fetch, "papers_of_author", author_id="ann-bell")
    assert [(row["title"], row["place_in_byline"]) for row in rows] == [
        ("Naïve 日本語 Chimes", "1 of 2"),
        ("On Bells in C++", "hidden: not in the byline as printed"),
        ("Ropes <b>hold</b>", "1 of 3"),
        ("Knots", "hidden: not in the byline as printed"),
    ]
    assert rows_of(fetch, "papers_of_author", author_id="eve-fox")[0]["place_in_byline"] == "2 of more than 3"


@pytest.mark.parametrize(
    ("category", "year", "dates"),
    [
        pytest.param("", "", ["2026-04-02", "2025-03-14", "2024-05-01", "2023-06-03", "2022-06-09"], id="all"),
        pytest.param("cs.LG", "", ["2025-03-14"], id="category"),
        pytest.param("", "2024", ["2024-05-01"], id="year"),
        pytest.param("cs.CL", "2022", ["2022-06-09"], id="both"),
        pytest.param("cs.LG", "2022", [], id="none"),
        pytest.param("", "202", [], id="no-year"),
    ],
)
def test_papers_by_category_and_year_take_either_both_or_none(
    fetch: Fetch, category: str, year: str, dates: list[str]
) -> None:
    rows = rows_of(fetch, "papers_by_category_and_year", category_id=category, year=year)
    assert [row["published"] for row in rows] == dates


def test_papers_with_code_show_the_evidence(fetch: Fetch) -> None:
    rows = rows_of(fetch, "papers_with_code")
    assert [(row["title"], row["told_by"], row["url"]) for row in rows] == [
        ("On Bells in C++", "flag and address", "https://github.com/example/bells"),
        ("Knots", "an address in the abstract", "https://gitlab.com/example/knots"),
    ]


def test_changed_papers_show_both_values_and_the_page(fetch: Fetch) -> None:
    rows = rows_of(fetch, "changed_papers")
    assert {row["title"] for row in rows} == {"On Bells in C++"}
    changes = {(row["differs_in"], row["page_of"]): (row["this_page_says"], row["dataset_says"]) for row in rows}
    merged = "Cy Dole, Eve Fox, Gil Hart et al. · mila, Tower Lab"
    abstract = "Bells ring loudly. See https://github.com/example/bells and https://example.org/."
    # The text is too short to decide between the two categories of that code, so either may be on the page.
    unsure = [changes.pop(("category_id", owner)) for owner in ("Ann Bell", "Mo Nye")]
    assert [(category.partition(".")[2], dataset) for category, dataset in unsure] == [("CV", "cs.LG")] * 2
    assert changes == {
        ("title", "Eve Fox"): ("On Bells in C++!", "On Bells in C++"),
        ("byline", "Eve Fox"): ("Cy Dole, Eve Fox, Gil Hart et al.", merged),
        ("byline", "Ann Bell"): ("Cy Dole, Eve Fox, Gil Hart et al. · Tower Lab, mila", merged),
        ("byline", "Mo Nye"): ("Cy Dole, Eve Fox, Gil Hart et al. · Tower Lab, mila", merged),
        ("abstract", "Eve Fox"): ("Bells rang.", abstract),
    }
    assert [row["differs_in"] for row in rows][:3] == ["title", "category_id", "category_id"]


def test_coverage_puts_the_smallest_share_first(fetch: Fetch) -> None:
    rows = rows_of(fetch, "coverage_by_profile")
    assert [(row["name"], row["missing_papers"], row["percent_listed"]) for row in rows] == [
        ("Eve Fox", 4, 33.3),
        ("Ann Bell", 1, 80.0),
        ("Mo Nye", 1, 80.0),
    ]


def test_findings_come_with_the_lines_that_the_report_shows(fetch: Fetch, release: Path) -> None:
    findings = read_results((release / RESULTS_FILE).read_text(encoding="utf-8")).findings
    expected = sorted((f.rule_id, f.source, f.line_start, f.message, f.raw) for f in findings)
    rows = rows_of(fetch, "findings_with_lines", rule_id="")
    found = [
        (
            row["rule_id"],
            row["source"],
            int(row["lines"].partition("-")[0]),
            row["message"],
            row["raw_lines"].split("\n"),
        )
        for row in rows
    ]
    assert len({rule for rule, *_ in found}) > 8
    assert [(*row[:4], [shown(line) for line in row[4][:SHOWN_LINES]]) for row in sorted(found)] == expected


def test_findings_of_one_rule_are_asked_for_by_its_name(fetch: Fetch) -> None:
    rows = rows_of(fetch, "findings_with_lines", rule_id="PAG-004")
    assert {row["rule_id"] for row in rows} == {"PAG-004"}
    assert rows[0]["raw_lines"] == "Advertisement\nof a \\newtower"
