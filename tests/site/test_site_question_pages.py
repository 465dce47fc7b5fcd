"""Pages of questions: fields to ask with, rows with links, any order, fifty rows a page, and an answer in words to everything."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch, ask, element, links, words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.site.question_pages import ROWS
from etl.site.served import SETTINGS
from schemas import QUESTIONS

BLOCK = """{badge}
{title}

{byline}

Bells ring.

"""
DAYS = [f"{month} {day}, {year}" for year in (2023, 2024) for month in ("Mar", "Apr") for day in range(1, 26)]
HOSTILE = ['<script>alert("1")</script>', "[/foo] [bold]", "Bells \"of\" 'Towers' & <b>", "Ünïcode 日本語"]


def page(owner: str, blocks: list[tuple[str, str, str]]) -> str:
    """A page of an owner with blocks of badge, title and byline."""
    text = "".join(BLOCK.format(badge=badge, title=title, byline=byline) for badge, title, byline in blocks)
    return f"{owner}\n\n{len(blocks)} Papers\n\n{text}".rstrip("\n") + "\n"


ANN = [(f"CL{day}", f"Peal {number:03}", "Ann Bell, Cy Dole") for number, day in enumerate(DAYS)]
EVE = [
    ("CLMay 1, 2025", HOSTILE[0], "Eve Fox"),
    ("LGMay 2, 2025Code", HOSTILE[1], "Eve Fox, Cy Dole"),
    ("CLMay 3, 2025", HOSTILE[2], "Cy Dole et al."),
    ("ASMay 4, 2025", HOSTILE[3], "Cy Dole, Ann Bell, Cy Dole"),
    ("CLMay 5, 2025", "Ropes hold", "Eve Fox,  Gil Hart"),
    ("CLMay 6, 2025", "Knots", "Eve Fox, Gil Hart, Eve Fox et al. · Tower_100% Lab"),
    ("CLMay 7, 2025", "Chimes", "Eve Fox, Gil Hart"),
]
GIL = [
    ("CLMay 7, 2025", "Chimes!", "Eve Fox, Gil Hart, Cy Dole"),
    ("CLMay 5, 2025", "Ropes hold", "Eve Fox, Gil Hart, Gil Hart"),
]
PAGES = {"ann@2026-06-02.txt": page("Ann Bell", ANN), "eve@2026-06-02.txt": page("Eve Fox", EVE)} | {
    "<i>gil@2026-06-01.txt": page("Gil Hart", GIL)
}
ASKED = {
    "search_papers": {"q": "bells"},
    "papers_of_author": {"author_id": "cy-dole"},
    "coauthors_of_author": {"author_id": "cy-dole"},
    "papers_by_category_and_year": {},
    "papers_with_code": {},
    "changed_papers": {},
    "coverage_by_profile": {},
    "findings_with_lines": {},
}
SORTED = [(name, cell.sort) for name, question in QUESTIONS.items() for cell in question.cells if cell.sort]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the pages above, in place of the sample."""
    folder = tmp_path_factory.mktemp("question-pages")
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    request = Request([str(folder / name) for name in PAGES], folder / "build")
    return build(request, Progress(Console(quiet=True))).release.path.resolve()


def site_of(release: Path, **settings: Any) -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    settings = dict(SETTINGS) | settings
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings)


@pytest.fixture(scope="module")
def fetch(release: Path) -> Fetch:
    site = site_of(release)
    return lambda path, **asked: ask(site, path, **asked)


@pytest.fixture(scope="module")
def shown(fetch: Fetch) -> Callable[..., httpx.Response]:
    """The page of a question with these arguments."""
    return lambda name, **arguments: fetch(f"/paperledger/{name}", params={**ASKED[name], **arguments})


def cells(answer: httpx.Response) -> list[list[str]]:
    """The rows of a page, each cell as text."""
    rows = element(answer).iter("tr")
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row.findall("td")]
        for row in rows
        if row.find("td") is not None
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_has_words_fields_and_rows_before_any_sql(shown: Callable[..., httpx.Response], name: str) -> None:
    answer, question = shown(name), QUESTIONS[name]
    assert answer.status_code == 200
    text = words(answer)
    assert text.startswith(question.title)
    assert question.description in text
    assert "Run SQL" not in answer.text
    assert answer.text.index("<tbody>") < answer.text.index("<summary>SQL</summary>")
    fields = re.findall(r'<(?:input type="text"|select) id="([^"]+)" name="([^"]+)"', answer.text)
    assert [field for _, field in fields] == [*question.params]
    labels = re.findall(r'<label for="([^"]+)">', answer.text)
    assert [field for field, _ in fields] == labels
    assert ('<input type="submit" value="Search">\n</form>' in answer.text) == bool(fields)


@pytest.mark.parametrize("name", QUESTIONS)
def test_all_links_of_a_page_lead_somewhere(fetch: Fetch, shown: Callable[..., httpx.Response], name: str) -> None:
    for link in dict.fromkeys(links(shown(name))):
        if not link.startswith("http"):
            answer = fetch(link)
            assert answer.status_code in (200, 302), link


def test_cells_link_to_papers_authors_categories_findings_and_listings(shown: Callable[..., httpx.Response]) -> None:
    expected = {
        "search_papers": {"papers", "categories"},
        "papers_of_author": {"papers", "authors", "categories"},
        "coauthors_of_author": {"authors"},
        "papers_by_category_and_year": {"papers", "authors", "categories"},
        "papers_with_code": {"papers"},
        "changed_papers": {"papers", "profiles", "listings"},
        "coverage_by_profile": {"profiles"},
        "findings_with_lines": {"rules", "findings", "profiles"},
    }
    for name, tables in expected.items():
        found = {link.split("/")[2] for link in links(shown(name)) if link.count("/") == 3 and "?" not in link}
        assert found - {"cite", "feed"} == tables, name


def test_a_few_values_are_a_list_of_choices(shown: Callable[..., httpx.Response]) -> None:
    page = shown("papers_by_category_and_year", category_id="cs.CL", year="1999").text
    assert '<option value="cs.CL" selected>cs.CL: Computation and Language</option>' in page
    assert '<option value="2024">2024</option>' in page
    assert '<option value="1999" selected>1999</option>' in page
    assert '<option value="PAG-004">' not in shown("findings_with_lines").text
    assert '<option value="PAP-' in shown("findings_with_lines").text


@pytest.mark.parametrize(("name", "column"), SORTED)
def test_every_whitelisted_column_sorts_both_ways_with_nothing_last(
    release: Path, shown: Callable[..., httpx.Response], name: str, column: str
) -> None:
    question = QUESTIONS[name]
    with closing(sqlite3.connect(release / DATABASE_FILE)) as database:
        named = {**dict.fromkeys(question.params, ""), **ASKED[name]}
        for sort, ends in ((column, ""), (f"-{column}", " DESC")):
            page = question.page_sql([f"{column}{ends} NULLS LAST"])
            expected = len(database.execute(page, {**named, "_rows": ROWS, "_passed": 0}).fetchall())
            answer = shown(name, sort=sort)
            assert answer.status_code == 200
            assert len(cells(answer)) == expected > 0
            assert f'aria-sort="{"descending" if ends else "ascending"}"' in answer.text


def test_numbers_are_sorted_as_numbers(shown: Callable[..., httpx.Response]) -> None:
    counts = [int(row[1]) for row in cells(shown("coauthors_of_author", sort="-papers_together_at_least"))]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 10 > counts[-1]
    places = [row[4] for row in cells(shown("papers_of_author", sort="position"))]
    assert places[0].startswith("1 of")


def test_a_head_leads_to_the_other_direction_and_the_usual_order_is_marked(
    shown: Callable[..., httpx.Response],
) -> None:
    page = shown("papers_by_category_and_year", year="2024")
    assert 'aria-sort="descending"' in page.text
    assert "/paperledger/papers_by_category_and_year?year=2024&sort=published" in links(page)
    page = shown("papers_by_category_and_year", year="2024", sort="published")
    assert "/paperledger/papers_by_category_and_year?year=2024&sort=-published" in links(page)
    assert cells(page)[0][2] == "2024-03-01"


@pytest.mark.parametrize("sort", ["nosuch", "abstract", "published; DROP TABLE papers", "-", "rowid", "(select 1)"])
def test_other_columns_sort_nothing(shown: Callable[..., httpx.Response], sort: str) -> None:
    assert cells(shown("papers_by_category_and_year", sort=sort)) == cells(shown("papers_by_category_and_year"))


def test_all_rows_come_once_in_pages_of_fifty(fetch: Fetch, shown: Callable[..., httpx.Response]) -> None:
    total = len(ANN) + len(EVE)
    titles, answer = [], shown("papers_by_category_and_year", sort="category_id")
    assert f"{total} rows, 1 to {ROWS}" in words(answer)
    for number in range(1, 4):
        titles += [row[0] for row in cells(answer)]
        following = re.findall(r'<a rel="next" href="([^"]+)"', answer.text)
        assert bool(following) == (number < 3)
        if following:
            answer = fetch(following[0].replace("&amp;", "&"))
    assert len(titles) == len(set(titles)) == total
    assert 'rel="prev"' in answer.text


@pytest.mark.parametrize("number", ["x", "0", "-1", "1.5", "9" * 500, ""])
def test_a_page_that_is_no_number_is_the_first(shown: Callable[..., httpx.Response], number: str) -> None:
    assert cells(shown("papers_of_author", page=number)) == cells(shown("papers_of_author"))


def test_a_page_behind_the_last_leads_to_the_first(shown: Callable[..., httpx.Response]) -> None:
    for name in ASKED:
        answer = shown(name, page="999999")
        assert answer.status_code == 200
        assert "There is no page 999999" in words(answer)


def test_rows_are_counted_only_where_that_is_quick(
    shown: Callable[..., httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "rows, 1 to" not in words(shown("search_papers"))
    monkeypatch.setattr("etl.site.question_pages.COUNT_MS", 0)
    assert "1 to 50" in words(shown("papers_by_category_and_year"))


def test_an_empty_field_asks_for_a_value(shown: Callable[..., httpx.Response]) -> None:
    for name in ("search_papers", "papers_of_author", "coauthors_of_author"):
        answer = shown(name, **dict.fromkeys(QUESTIONS[name].params, ""))
        assert "Fill in the field, then search." in words(answer)
        assert "Nothing found" not in words(answer)


def test_nothing_found_is_said_with_what_to_do(shown: Callable[..., httpx.Response]) -> None:
    answer = shown("papers_by_category_and_year", year="1999")
    assert "Nothing found" in words(answer)
    assert {"/paperledger/papers_by_category_and_year", "/-/search"} <= set(links(answer))


@pytest.mark.parametrize("asked", ["Ann Bell", "bell", "ann_bell", "ANN-BELL", "anne-bel"])
def test_people_are_offered_where_no_author_has_the_identifier(
    shown: Callable[..., httpx.Response], asked: str
) -> None:
    answer = shown("coauthors_of_author", author_id=asked)
    assert "No author has this identifier" in words(answer)
    assert "/paperledger/coauthors_of_author?author_id=ann-bell" in links(answer)


def test_too_many_words_are_refused_in_words(shown: Callable[..., httpx.Response]) -> None:
    answer = shown("search_papers", q="bells " * 101)
    assert answer.status_code == 400
    assert "expected at most 100" in words(answer)


def test_text_of_pages_is_text(shown: Callable[..., httpx.Response]) -> None:
    by_category = shown("papers_by_category_and_year", year="2025")
    for title in HOSTILE:
        assert any(title == row[0] for row in cells(by_category)), title
    by_source = shown("findings_with_lines", sort="source")
    assert any("<i>gil" in row[3] for row in cells(by_source))
    asked = [shown("papers_of_author", author_id='"><script>'), shown("search_papers", q="<script>")]
    for answer in (by_category, shown("changed_papers"), by_source, *asked):
        assert "<script>alert" not in answer.text
        assert '"><script>' not in answer.text
        assert "<i>gil" not in answer.text


def test_a_name_twice_in_one_byline_is_no_disagreement(fetch: Fetch, shown: Callable[..., httpx.Response]) -> None:
    found = [(row[0], row[1], row[2]) for row in cells(shown("changed_papers"))]
    assert [one for one in found if one[1] == "byline"] == [("Chimes", "byline", "Eve Fox, Gil Hart, Cy Dole")]
    assert {field for _, field, _ in found} == {"title", "byline"}
    assert len(fetch("/paperledger/changed_papers.json?_shape=array").json()) == len(found)


def test_printed_lines_have_their_numbers(release: Path, shown: Callable[..., httpx.Response]) -> None:
    with closing(sqlite3.connect(release / DATABASE_FILE)) as database:
        found = database.execute("SELECT line_start FROM findings ORDER BY rule_id, source, line_start, finding_id")
        starts = [str(start) for (start,) in found.fetchmany(ROWS)]
    answer = shown("findings_with_lines").text
    assert re.findall(r'<ol class="pl-lines pl-low"[^>]* start="(\d+)"', answer) == starts


def test_other_forms_keep_their_columns_and_all_rows(fetch: Fetch) -> None:
    rows = fetch("/paperledger/papers_by_category_and_year.json?_shape=array&sort=title&page=2").json()
    assert len(rows) == len(ANN) + len(EVE)
    assert [*rows[0]] == ["paper_id", "title", "authors", "published", "category_id", "category"]


def test_the_sql_leads_to_its_editor_where_sql_is_allowed(release: Path, shown: Callable[..., httpx.Response]) -> None:
    page = shown("papers_by_category_and_year", year="2024").text
    address = re.search(r'<a href="(/paperledger\?sql=[^"]+)">View and edit SQL', page)
    assert address
    assert unquote(address[1]).endswith("&amp;year=2024")
    assert "View and edit SQL" not in shown("search_papers", q="bells").text  # its ranking is refused in other SQL
    closed = ask(site_of(release, default_allow_sql=False), "/paperledger/papers_with_code")
    assert "View and edit SQL" not in closed.text
    assert cells(closed)


def test_who_may_not_see_a_question_gets_none(release: Path) -> None:
    site = site_of(release)
    site._metadata_local["databases"]["paperledger"]["queries"]["papers_with_code"]["allow"] = False  # noqa: SLF001
    assert ask(site, "/paperledger/papers_with_code").status_code == 403
    bare = Datasette([], immutables=[str(release / DATABASE_FILE)])
    assert ask(bare, "/paperledger/papers_with_code").status_code == 404
