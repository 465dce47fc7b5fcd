"""Pages of tables: links from keys to rows, pages that show every row once, and wide rows."""

import asyncio
import re
import sqlite3
import time
from contextvars import copy_context
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from datasette.app import Datasette
from site_words import Fetch

from etl.load.layout import DATABASE_FILE
from etl.site import safety, tables
from schemas import TABLES


def links(page: httpx.Response) -> set[str]:
    return {unescape(address) for address in re.findall(r'<td[^>]*><a href="([^"]+)">', page.text)}


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/paperledger/paper_list?_size=5", "papers"),
        ("/paperledger/paper_list?_size=5", "categories"),
        ("/paperledger/coauthors?_size=5", "authors"),
        ("/paperledger/coverage", "profiles"),
        ("/paperledger/finding_list", "rules"),
        ("/paperledger?sql=select+paper_id+from+listings+limit+3", "papers"),
    ],
)
def test_a_key_links_to_its_row(fetch: Fetch, path: str, table: str) -> None:
    rows = [address for address in links(fetch(path)) if address.startswith(f"/paperledger/{table}/")]
    assert rows
    assert fetch(rows[0]).status_code == 200


def test_a_finding_links_to_its_row(fetch: Fetch) -> None:
    rows = {address for address in links(fetch("/paperledger/findings")) if "/findings/" not in address}
    assert any(address.startswith("/paperledger/papers/") for address in rows)
    assert [fetch(address).status_code for address in rows] == [200] * len(rows)


def test_text_that_only_looks_like_a_key_is_escaped(fetch: Fetch) -> None:
    page = fetch("/paperledger", params={"sql": "select '<script>\"/../' as paper_id"})
    assert '<script>"' not in page.text
    assert '<a href="/paperledger/papers/~3Cscript~3E~22~2F~2E~2E~2F">' in page.text


def test_a_database_of_others_is_left_alone(tmp_path: Path, release: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE a (paper_id TEXT)")
        database.execute("INSERT INTO a VALUES ('x')")
    from_others = Datasette([str(other)], immutables=[str(release / DATABASE_FILE)])
    page = asyncio.run(from_others.client.get("/other?sql=select+paper_id+from+a"))
    assert "/papers/x" not in page.text


WIDE = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {}) SELECT {} FROM c"


@pytest.mark.parametrize("names", [("a",), ("author_id", "paper_id", "category_id", "other_id")])
def test_a_page_of_wide_rows_shows_fewer(fetch: Fetch, names: tuple[str, ...]) -> None:
    columns = ", ".join(f"'x/y' AS {names[number % len(names)]}" for number in range(100))
    start = time.process_time()
    page = fetch("/paperledger", params={"sql": WIDE.format(1000, columns)})
    assert time.process_time() - start < 1.5
    assert (page.text.count("<tr>") - 1, "more than 100 rows" in page.text) == (100, True)
    assert len(fetch("/paperledger.json", params={"sql": WIDE.format(1000, columns)}).json()["rows"]) == 1000
    short = fetch("/paperledger", params={"sql": WIDE.format(1000, "n")}).text
    assert (short.count("<tr>") - 1, "more than" in short) == (1000, False)


def test_a_page_of_a_table_shows_all_its_rows(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "MOST_CELLS", 20)
    assert fetch("/paperledger/papers?_size=5").text.count('class="col-title') >= 5


def folded(page: httpx.Response) -> dict[str, bool]:
    """The parts that a page folds away, and whether each is open."""
    found = re.findall(r'<details class="pl-fold"( open)?><summary>(.*?)</summary>', page.text)
    return {summary: bool(is_open) for is_open, summary in found}


def test_what_explains_and_filters_a_table_is_folded_away(fetch: Fetch) -> None:
    closed = {"What the columns mean": False, "Filter and sort": False}
    facets = "Facets: category_id, year_inferred, has_code, authors_truncated"
    assert folded(fetch("/paperledger/papers")) == {**closed, facets: False}
    assert folded(fetch("/paperledger/profiles")) == closed
    assert [*folded(fetch("/paperledger/papers?has_code=1")).values()] == [False, True, True]
    assert [*folded(fetch("/paperledger/authors?_facet=family")).values()] == [False, False, True]
    page = fetch("/paperledger/papers")
    assert page.text.count("<details") == page.text.count("</details>")


@pytest.mark.parametrize(
    "path", ["papers", "paper_list", "paper_categories", "categories", "papers?_facet=has_code&has_code=0"]
)
def test_booleans_are_yes_or_no_in_rows_and_facets(fetch: Fetch, path: str) -> None:
    text = fetch(f"/paperledger/{path}").text
    booleans = "year_inferred|has_code|authors_truncated|is_primary|active"
    assert set(re.findall(rf'<td class="col-(?:{booleans}) [^>]*>(.*?)</td>', text)) <= {"yes", "no"}
    assert re.search(rf'<td class="col-(?:{booleans}) [^>]*>(yes|no)</td>', text)
    facets = re.findall(r'data-column="has_code">.*?</ul>', text, re.DOTALL)
    assert not re.search(r"<li>(?:<a [^>]*>)?[01-]\b", "".join(facets))


def test_a_number_of_ones_own_query_stays_a_number(fetch: Fetch) -> None:
    assert ">1</td>" in fetch("/paperledger?sql=select+1+as+has_code").text


def test_a_pages_raw_header_is_a_link_to_its_text(fetch: Fetch) -> None:
    page = fetch("/paperledger/profiles")
    cells = re.findall(r'<td class="col-header [^>]*>(.*?)</td>', page.text, re.DOTALL)
    assert cells
    assert all(re.fullmatch(r'<a href="/-/pages/[0-9a-f]{16}\.txt">\d+ lines?</a>', cell) for cell in cells)
    assert "\n" in fetch("/paperledger/profiles.json?_shape=array").json()[0]["header"]


def test_a_count_that_takes_too_long_is_left_out(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"\d rows", fetch("/paperledger/coauthors").text)
    monkeypatch.setattr(tables, "COUNT_MS", 0.001)
    page = fetch("/paperledger/coauthors")
    assert page.status_code == 200
    assert not re.search(r"\d rows", page.text)
    assert 'class="col-other_id' in page.text


def test_all_facets_of_a_page_share_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 10.1, 10.2])
    monkeypatch.setattr(tables, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    assert copy_context().run(lambda: [tables.facet_ms(150) for _ in range(3)]) == [150, 50, 1]


def test_facets_that_take_too_long_are_left_out(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "facet_ms", lambda _: 0.001)
    page = fetch("/paperledger/papers")
    assert "These facets timed out: category_id" in page.text
    assert 'class="col-title' in page.text


def test_long_text_is_cut_on_pages_of_tables_and_whole_in_data(fetch: Fetch) -> None:
    cells = re.findall(r'<td class="col-abstract [^>]*>(.*?)</td>', fetch("/paperledger/papers").text, re.DOTALL)
    assert max(map(len, cells)) < 500
    assert any(cell.endswith("…") for cell in cells)
    whole = fetch("/paperledger/papers.json?_shape=array").json()
    assert max(len(row["abstract"]) for row in whole) > 500


SORTS = [
    (name, column.name, direction)
    for name, model in TABLES.items()
    for column in model.definition().columns
    for direction in ("_sort", "_sort_desc")
    if column.sortable
]


async def pages(site: Datasette, table: str, **asked: str) -> list[dict[str, Any]]:
    """All rows of a table, page after page."""
    rows: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None:
        arguments = {**asked, "_shape": "objects", **({"_next": following} if following else {})}
        answer = (await site.client.get(f"/paperledger/{table}.json?{urlencode(arguments)}")).json()
        rows += answer["rows"]
        following = answer["next"]
    return rows


@pytest.mark.parametrize(("table", "column", "direction"), SORTS)
def test_page_after_page_shows_every_row_once(site: Datasette, table: str, column: str, direction: str) -> None:
    key = TABLES[table].definition().primary_key
    rows = asyncio.run(pages(site, table, **{direction: column, "_size": "7"}))
    whole = asyncio.run(pages(site, table, _size="1000"))
    in_order = sorted(whole, key=lambda row: tuple(row[name] for name in key))
    falling = direction == "_sort_desc"
    in_order.sort(key=lambda row: (row[column] is not None, row[column] or type(row[column])()), reverse=falling)
    assert rows == in_order


def test_a_filter_and_a_search_page_too(site: Datasette) -> None:
    asked = {"_search": "the", "has_code": "0", "_sort_desc": "authors_truncated"}
    rows = asyncio.run(pages(site, "papers", **asked, _size="4"))
    whole = asyncio.run(pages(site, "papers", **asked, _size="1000"))
    assert len(rows) > 8
    assert [row["paper_id"] for row in rows] == [row["paper_id"] for row in whole]


def test_sql_of_ones_own_is_run_as_it_is(site: Datasette) -> None:
    sql = "select title from papers where 1 union select name from authors where 1 order by title limit 3"
    answer = asyncio.run(site.client.get("/paperledger.json", params={"sql": sql})).json()
    assert (answer["query"]["sql"], len(answer["rows"])) == (sql, 3)
