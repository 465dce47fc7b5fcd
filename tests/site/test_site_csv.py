"""CSV of tables, views, canned queries and SQL: all rows, as Datasette's own CSV has those of a page."""

# ruff: noqa: S608  all SQL is made of names in this file and in the schemas

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from site_words import Fetch, ask, links
from test_site_parquet import ENDLESS, SAID, make_site

from etl.load.layout import DATABASE_FILE
from schemas import QUESTIONS, TABLES, VIEWS

MANY = f"{ENDLESS} select n from c limit 25000"
OPTIONS = [
    "",
    "_labels=on",
    "_label=category_id",
    "_header=off",
    "_header=off&_labels=1",
    "_search=distillation&_sort_desc=published",
    "_where=has_code%3D1&_sort=published&_labels=on",
    "category_id=cs.CL&_facet=category_id&_sort_desc=category_id",
    "title__contains=the&_col=title&_col=published&_sort=category_id",
    "_nocol=abstract&_sort=title&has_code=1",
    "category_id__isnull=1",
]


def cells(answer: httpx.Response) -> list[list[str]]:
    """The header and the rows of an answer."""
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text, newline="")))


def printed(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    """Rows of SQLite as CSV has them."""
    return [["" if value is None else str(value) for value in row] for row in rows]


def run(release: Path, sql: str, parameters: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(release / DATABASE_FILE)) as connection:
        return connection.execute(sql, parameters or {}).fetchall()


@pytest.mark.parametrize("options", OPTIONS)
def test_a_table_is_as_datasette_writes_one_page_of_it(fetch: Fetch, options: str) -> None:
    own = fetch(f"/paperledger/papers.csv?{options}&_size=1000")
    for whole in ("", "&_stream=1", "&_size=max", "&_stream=on&_size=5"):
        answer = fetch(f"/paperledger/papers.csv?{options}{whole}")
        assert answer.content == own.content
        assert answer.headers["content-type"] == own.headers["content-type"]


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
@pytest.mark.parametrize("options", ["_stream=1", "_stream=1&_labels=on"])
def test_a_table_or_view_comes_whole_with_labels_where_asked(fetch: Fetch, name: str, options: str) -> None:
    whole, own = (cells(fetch(f"/paperledger/{name}.csv?{asked}")) for asked in (options, f"{options[10:]}&_size=1000"))
    assert whole[: len(own)] == own
    assert len(whole) == 1 + fetch(f"/paperledger/{name}.json?_size=1").json()["filtered_table_rows_count"]


def test_filters_sort_and_arrays_of_a_view_hold(fetch: Fetch) -> None:
    options = "author_names__arraycontains=Ivan+Kobyzev&_sort_desc=published&_facet=category"
    own, answer = (fetch(f"/paperledger/paper_list.csv?{options}{size}") for size in ("&_size=1000", ""))
    assert len(cells(answer)) > 2
    assert answer.content == own.content


@pytest.mark.parametrize("answers", [SAID, {}], ids=["answered", "empty"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_canned_query_comes_whole(fetch: Fetch, release: Path, name: str, answers: dict[str, str]) -> None:
    parameters = {parameter: answers.get(parameter, "") for parameter in QUESTIONS[name].params}
    rows = cells(fetch(f"/paperledger/{name}.csv", params=parameters))[1:]
    assert rows == printed(run(release, QUESTIONS[name].sql, parameters))


def test_sql_is_never_cut(fetch: Fetch) -> None:
    rows = cells(fetch("/paperledger.csv", params={"sql": MANY}))
    assert rows == [["n"], *([str(number)] for number in range(1, 25_001))]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        pytest.param("select null as a, '' as b, 1.5 as c", ",,1.5", id="nothing"),
        pytest.param("""select 'x "y", z' as a, '=1' as b""", '"x ""y"", z",=1', id="quotes"),
        pytest.param("select 'a' || char(10) || 'b' as a", '"a\nb"', id="a line break"),
        pytest.param("select '日本語 é 😀' as a", "日本語 é 😀", id="any script"),
        pytest.param("select :p as a", "c++ & d", id="a parameter"),
    ],
)
def test_values_are_written_as_datasette_writes_them(fetch: Fetch, sql: str, line: str) -> None:
    answer = fetch("/paperledger.csv", params={"sql": sql, "p": "c++ & d"})
    assert answer.text.partition("\r\n")[2] == f"{line}\r\n"


def test_a_blob_is_the_address_of_its_bytes(fetch: Fetch) -> None:
    (_, (address, word)) = cells(fetch("/paperledger.csv", params={"sql": "select x'00ff' as a, 'b' as b"}))
    assert word == "b"
    assert fetch(address.removeprefix("http://localhost")).content == b"\x00\xff"


def test_a_page_of_a_table_is_still_to_be_had(fetch: Fetch) -> None:
    assert len(cells(fetch("/paperledger/papers.csv?_size=3"))) == 4
    assert fetch("/paperledger/papers.csv?_size=3&_next=x").status_code == 200
    assert fetch("/paperledger/papers.csv?_stream=1&_next=x").status_code == 400
    assert fetch("/paperledger/papers.csv?_size=x").status_code == 400


def test_a_download_has_a_name_and_the_type_of_csv(fetch: Fetch) -> None:
    answer = fetch("/paperledger/coverage.csv?_dl=on")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="coverage.csv"'


def test_links_of_a_tables_page_lead_to_the_whole_table(fetch: Fetch) -> None:
    page = fetch("/paperledger/paper_authors?_size=3")
    (address,) = [link for link in links(page) if ".csv" in link]
    count = fetch("/paperledger/paper_authors.json?_size=1").json()["filtered_table_rows_count"]
    assert len(cells(fetch(address))) == count + 1 > 4
    assert "paper_id_label" in cells(fetch(address))[0]


def test_who_may_not_see_it_gets_no_csv(release: Path) -> None:
    site = make_site(release, settings={"default_allow_sql": False})
    site._metadata_local["databases"]["paperledger"]["tables"]["papers"]["allow"] = False  # noqa: SLF001
    paths = (".csv?sql=select+1", "/papers.csv", "/papers.csv?_labels=on", "/authors.csv?_where=1")
    assert [ask(site, f"/paperledger{path}").status_code for path in paths] == [403] * 4


def test_streams_may_be_off(release: Path) -> None:
    site = make_site(release, settings={"allow_csv_stream": False})
    assert ask(site, "/paperledger/paper_authors.csv?_stream=1").status_code == 400
    assert len(cells(ask(site, "/paperledger/paper_authors.csv"))) == 101


def test_tables_of_the_full_text_search_are_datasettes_own(fetch: Fetch) -> None:
    assert cells(fetch("/paperledger/papers_fts_config.csv?_stream=1"))[0] == ["k", "v"]
