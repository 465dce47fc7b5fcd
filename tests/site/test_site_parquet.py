"""Parquet of tables, views, canned queries, SQL and rows: the whole answer, in sound types, and never more than may be asked."""

# ruff: noqa: S608  all SQL is made of names in this file and in the schemas

import asyncio
import io
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasette.app import Datasette
from site_words import Fetch, ask

from etl.load.layout import DATABASE_FILE, METADATA, read_manifest
from etl.load.parquet import arrow_schema
from etl.site.exports import PLUGIN
from etl.site.served import SETTINGS
from schemas import QUESTIONS, TABLES, VIEWS

ENDLESS = "with recursive c(n) as (select 1 union all select n + 1 from c)"
SPIN = f"{ENDLESS} select n from c where n < 0"
FORMS = ("parquet", "csv")
"""The formats that are made in the queue of exports."""
SAID = {"q": "model", "author_id": "mehdi-rezagholizadeh", "category_id": "cs.CL", "year": "2023"}
"""Something that the sample answers, for the canned queries' parameters."""


def make_site(release: Path, limits: dict[str, Any] | None = None, **facts: Any) -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    metadata["plugins"] = {PLUGIN: limits or {}}
    metadata |= facts.pop("metadata", {})
    settings = dict(SETTINGS) | facts.pop("settings", {})
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings, **facts)


def ask_all(site: Datasette, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Run work with a client of one application, as a server has it."""

    async def run() -> Any:
        transport = httpx.ASGITransport(site.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=60) as client:
            return await work(client)

    return asyncio.run(run())


def opened(answer: httpx.Response) -> pa.Table:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    return pq.read_table(io.BytesIO(answer.content))


def stored(value: Any) -> Any:
    """A value as SQLite holds it."""
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(map(stored, row)) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def run(release: Path, sql: str, parameters: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(release / DATABASE_FILE)
    try:
        return connection.execute(sql, parameters or {}).fetchall()
    finally:
        connection.close()


def of_sql(fetch: Fetch, sql: str, **parameters: str) -> pa.Table:
    return opened(fetch("/paperledger.parquet", params={"sql": sql, **parameters}))


@pytest.mark.parametrize("name", TABLES)
def test_a_whole_table_is_the_releases_own_file(fetch: Fetch, release: Path, name: str) -> None:
    answer = fetch(f"/paperledger/{name}.parquet")
    assert answer.content == (release / f"{name}.parquet").read_bytes()
    assert sorted(rows(opened(answer)), key=repr) == sorted(run(release, f"SELECT * FROM {name}"), key=repr)


@pytest.mark.parametrize("name", TABLES)
def test_a_filtered_table_has_the_tables_types_and_words(fetch: Fetch, release: Path, name: str) -> None:
    definition = TABLES[name].definition()
    key = definition.primary_key[0]
    table = opened(fetch(f"/paperledger/{name}.parquet?{key}__notnull=1&_sort={key}"))
    declared = arrow_schema(definition)
    assert [(field.name, field.type, field.metadata) for field in table.schema] == [
        (field.name, field.type, field.metadata) for field in declared
    ]
    assert sorted(rows(table), key=repr) == sorted(run(release, f"SELECT * FROM {name}"), key=repr)


def test_the_list_of_papers_is_the_releases_own_file_and_has_the_views_columns(fetch: Fetch, release: Path) -> None:
    answer = fetch("/paperledger/paper_list.parquet")
    assert answer.content == (release / "paper_list.parquet").read_bytes()
    assert answer.content == fetch("/-/downloads/paper_list.parquet").content
    assert opened(answer).column_names == list(VIEWS["paper_list"].columns)
    filtered = opened(fetch("/paperledger/paper_list.parquet?has_code=1"))
    assert filtered.column_names == list(VIEWS["paper_list"].columns)


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "paper_list"])
def test_a_view_comes_whole_and_with_its_words(fetch: Fetch, release: Path, name: str) -> None:
    table = opened(fetch(f"/paperledger/{name}.parquet"))
    assert sorted(rows(table), key=repr) == sorted(run(release, f"SELECT * FROM {name}"), key=repr)
    assert {field.name: field.metadata[b"description"].decode() for field in table.schema} == VIEWS[name].columns


def test_a_view_has_the_types_of_the_columns_that_it_shows(fetch: Fetch) -> None:
    types = {field.name: field.type for field in opened(fetch("/paperledger/paper_list.parquet?_sort=paper_id")).schema}
    assert types["published"] == pa.date32()
    assert types["has_code"] == pa.bool_()
    assert types["author_names"] == pa.string()


@pytest.mark.parametrize("answers", [SAID, {}], ids=["answered", "empty"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_canned_query_comes_whole(fetch: Fetch, release: Path, name: str, answers: dict[str, str]) -> None:
    question = QUESTIONS[name]
    parameters = {parameter: answers.get(parameter, "") for parameter in question.params}
    table = opened(fetch(f"/paperledger/{name}.parquet", params=parameters))
    assert rows(table) == run(release, question.sql, parameters)
    assert table.schema.metadata[b"title"].decode() == question.title
    assert json.loads(table.schema.metadata[b"parameters"]) == parameters


def test_every_canned_query_of_the_metadata_answers(fetch: Fetch, release: Path) -> None:
    queries = json.loads((release / METADATA).read_text(encoding="utf-8"))["databases"]["paperledger"]["queries"]
    assert queries
    for name in queries:
        opened(fetch(f"/paperledger/{name}.parquet"))


@pytest.mark.parametrize(
    "arguments",
    [
        "_search=distillation",
        "_where=has_code%3D1&_sort=published",
        "category_id=cs.CL&_facet=category_id&_sort_desc=citekey",
        "title__contains=the&_col=title&_col=published&_sort=paper_id",
        "_nocol=abstract&_sort=title&has_code=1",
        "category_id__isnull=1",
    ],
)
def test_filters_search_columns_and_order_of_the_address_hold(fetch: Fetch, arguments: str) -> None:
    page = fetch(f"/paperledger/papers.json?{arguments}&_shape=arrays&_size=max").json()
    table = opened(fetch(f"/paperledger/papers.parquet?{arguments}"))
    assert table.column_names == page["columns"]
    assert rows(table) == [tuple(row) for row in page["rows"]]


def test_array_facets_of_a_view_hold(fetch: Fetch) -> None:
    asked = {"author_names__arraycontains": "Ivan Kobyzev"}
    table = opened(fetch("/paperledger/paper_list.parquet", params=asked))
    assert table.num_rows == len(fetch("/paperledger/paper_list.json", params={**asked, "_shape": "array"}).json()) > 0


@pytest.mark.parametrize("arguments", ["_size=3", "_size=3&_next=3", "_next=a", "_facet=has_code&_labels=on&_dl=1"])
def test_which_page_was_looked_at_cuts_nothing(fetch: Fetch, release: Path, arguments: str) -> None:
    assert fetch(f"/paperledger/papers.parquet?{arguments}").content == (release / "papers.parquet").read_bytes()
    assert rows(opened(fetch(f"/paperledger/coverage.parquet?{arguments}"))) == run(release, "SELECT * FROM coverage")


def test_a_row_comes_alone(fetch: Fetch, release: Path) -> None:
    key, title = run(release, "SELECT paper_id, title FROM papers")[0]
    table = opened(fetch(f"/paperledger/papers/{key}.parquet"))
    assert (table.num_rows, table["title"].to_pylist()) == (1, [title])
    assert table.schema.field("published").type == pa.date32()


def test_a_row_of_several_keys_comes_alone(fetch: Fetch, release: Path) -> None:
    profile = run(release, "SELECT profile_id FROM profiles")[0][0]
    table = opened(fetch(f"/paperledger/listings/{profile},2.parquet"))
    assert table.select(["profile_id", "position"]).to_pylist() == [{"profile_id": profile, "position": 2}]


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        pytest.param("select 1 as a union all select null", [pa.int64()], id="integers with a null"),
        pytest.param("select 9223372036854775807 as a union all select -9223372036854775808", [pa.int64()], id="large"),
        pytest.param("select 1 as a union all select 2.5", [pa.float64()], id="integers and fractions"),
        pytest.param("select '2025-03-14' as a union all select null", [pa.date32()], id="dates"),
        pytest.param("select '2025-03-14' as a union all select '2025-02-30'", [pa.string()], id="a day that is none"),
        pytest.param("select '20250314' as a", [pa.string()], id="a date written otherwise"),
        pytest.param("select '٢٠٢٥-03-14' as a", [pa.string()], id="digits of another script"),
        pytest.param("select x'00ff' as a union all select null", [pa.binary()], id="blobs"),
        pytest.param("select null as a, 'b' as b where 0", [pa.string(), pa.string()], id="nothing"),
        pytest.param("select null as a", [pa.string()], id="only null"),
        pytest.param("select has_code from papers where 0", [pa.bool_()], id="nothing of a known column"),
        pytest.param("select 7 as has_code from papers", [pa.int64()], id="the name alone is no type"),
        pytest.param("select '日本語 é 😀' as \"ключ\" union all select 'a\nb'", [pa.string()], id="any script"),
        pytest.param("select 9e999 as a", [pa.float64()], id="infinity"),
        pytest.param("-- first\nselect 1 as a; ", [pa.int64()], id="a comment and a semicolon"),
    ],
)
def test_sql_gets_the_narrowest_types_that_hold_its_values(
    fetch: Fetch, release: Path, sql: str, types: list[pa.DataType]
) -> None:
    table = of_sql(fetch, sql)
    assert table.schema.types == types
    assert rows(table) == run(release, sql)


def test_numbers_and_text_in_one_column_are_text(fetch: Fetch) -> None:
    table = of_sql(fetch, "select 1 as a union all select 2.5 union all select 'x' union all select null")
    assert table["a"].to_pylist() == ["1", "2.5", "x", None]


def test_integers_that_no_float_holds_stay_exact_beside_fractions(fetch: Fetch) -> None:
    table = of_sql(fetch, "select 9007199254740993 as a union all select 0.5")
    assert table["a"].to_pylist() == ["9007199254740993", "0.5"]


def test_a_blob_among_text_makes_the_column_binary(fetch: Fetch) -> None:
    table = of_sql(fetch, "select x'ff' as a union all select 'é' union all select 1")
    assert table["a"].to_pylist() == [b"\xff", "é".encode(), b"1"]


def test_a_value_far_below_still_decides_the_type(fetch: Fetch) -> None:
    sql = f"{ENDLESS} select case when n = 45000 then 'end' else n end as a from c limit 45000"
    table = of_sql(fetch, sql)
    assert table.schema.types == [pa.string()]
    assert table["a"].to_pylist() == [*map(str, range(1, 45000)), "end"]


def test_columns_of_one_name_get_names_of_their_own(fetch: Fetch) -> None:
    assert of_sql(fetch, 'select 1 as a, 2 as a, 3 as "a_2", 4 as a').column_names == ["a", "a_3", "a_2", "a_4"]


def test_more_than_a_thousand_rows_come_whole_and_in_batches(fetch: Fetch) -> None:
    answer = fetch("/paperledger.parquet", params={"sql": f"{ENDLESS} select n from c limit 50000"})
    assert opened(answer)["n"].to_pylist() == list(range(1, 50001))
    assert pq.ParquetFile(io.BytesIO(answer.content)).num_row_groups == 3


def test_a_limit_of_ones_own_holds(fetch: Fetch) -> None:
    assert of_sql(fetch, "select paper_id from papers limit 2").num_rows == 2


def test_the_plan_of_a_query_comes_too(fetch: Fetch) -> None:
    assert of_sql(fetch, "explain query plan select * from papers").column_names == [
        "id",
        "parent",
        "notused",
        "detail",
    ]


def test_parameters_come_from_the_address(fetch: Fetch) -> None:
    table = of_sql(fetch, "select :word as word, :none as none", word='c++ " AND 日本語')
    assert table.to_pylist() == [{"word": 'c++ " AND 日本語', "none": ""}]
    assert json.loads(table.schema.metadata[b"parameters"]) == {"word": 'c++ " AND 日本語', "none": ""}


def test_the_file_describes_itself(fetch: Fetch, release: Path) -> None:
    table = opened(fetch("/paperledger/papers.parquet?has_code=1&_sort=paper_id&_next=zzz"))
    stored = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    definition = TABLES["papers"].definition()
    assert stored["logical_hash"] == read_manifest(release)["logical_hash"]
    assert stored["sql"].endswith('from papers where "has_code" = :p0 order by paper_id')
    assert json.loads(stored["parameters"]) == {"p0": "1"}
    assert (stored["title"], stored["description"]) == (definition.title, definition.description)


def test_the_same_question_has_the_same_bytes_and_tag(fetch: Fetch) -> None:
    first, second = (fetch("/paperledger/paper_list.parquet?has_code=1") for _ in range(2))
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["content-disposition"] == 'attachment; filename="paper_list.parquet"'
    unchanged = fetch("/paperledger/paper_list.parquet?has_code=1", headers={"if-none-match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_a_part_of_an_answer_comes_alone(fetch: Fetch) -> None:
    whole = fetch("/paperledger/coverage.parquet").content
    part = fetch("/paperledger/coverage.parquet", headers={"range": "bytes=-8"})
    assert (part.status_code, part.content) == (206, whole[-8:])


@pytest.mark.parametrize(
    "path",
    ["/paperledger/papers", "/paperledger/coverage", "/paperledger/coverage_by_profile", "/paperledger?sql=select+1"],
)
def test_pages_link_to_their_parquet(fetch: Fetch, path: str) -> None:
    assert ".parquet" in fetch(path).text.partition("This data as")[2].partition("</p>")[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/paperledger.parquet", 404),
        ("/paperledger.parquet?sql=select+nothing", 400),
        ("/paperledger.parquet?sql=delete+from+papers", 400),
        ("/paperledger.parquet?sql=select+1;+select+2", 400),
        ("/paperledger.parquet?sql=select+1%00", 400),
        ("/paperledger.parquet?sql=select+?", 400),
        ("/paperledger/nothing.parquet", 404),
        ("/paperledger/papers/nothing.parquet", 404),
        ("/paperledger/papers.parquet?_where=nothing", 400),
        ("/paperledger/papers.parquet?_col=nothing", 400),
    ],
)
def test_what_cannot_be_answered_has_a_status_and_a_reason(fetch: Fetch, path: str, status: int) -> None:
    answer = fetch(path)
    assert answer.status_code == status
    assert answer.text
    assert "parquet" not in answer.headers["content-type"]


@pytest.mark.parametrize(
    ("sql", "limits", "status", "words"),
    [
        pytest.param("select randomblob(100000000)", {}, 400, "longer than 4 MiB", id="a large blob"),
        pytest.param(f"{ENDLESS} select n from c", {"rows": 30_000}, 413, "more than 30,000 rows", id="endless rows"),
        pytest.param(
            f"{ENDLESS} select hex(randomblob(500000)) from c", {"megabytes": 20}, 413, "more than 20 MiB", id="endless bytes"
        ),
        pytest.param(SPIN, {"seconds": 0.3}, 400, "more than 0.3 seconds", id="endless work"),
        pytest.param(
            "select count(*) from papers a, papers b, papers c, papers d, papers e, papers f, papers g",
            {"seconds": 0.3}, 400, "more than 0.3 seconds", id="a cross join",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
def test_a_bomb_is_refused_in_words_and_the_site_goes_on(
    release: Path, sql: str, limits: dict[str, Any], status: int, words: str, form: str
) -> None:
    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        bomb = await client.get(f"/paperledger.{form}", params={"sql": sql})
        return [bomb, await client.get(f"/paperledger.{form}?sql=select+1")]

    bomb, after = ask_all(make_site(release, limits), work)
    assert (bomb.status_code, after.status_code) == (status, 200)
    assert words in bomb.text


async def until_refused(client: httpx.AsyncClient, form: str) -> httpx.Response:
    """Ask until there is no place left; an endless query then runs for sure."""
    async with asyncio.timeout(30):
        while (answer := await client.get(f"/paperledger.{form}?sql=select+1")).status_code != 503:
            await asyncio.sleep(0.01)
    return answer


async def until_answered(client: httpx.AsyncClient, form: str) -> httpx.Response:
    async with asyncio.timeout(30):
        while (answer := await client.get(f"/paperledger.{form}?sql=select+1")).status_code == 503:
            await asyncio.sleep(0.01)
    return answer


@pytest.mark.parametrize("form", FORMS)
def test_where_too_many_wait_the_next_is_asked_to_come_again(release: Path, form: str) -> None:
    async def work(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        slow = asyncio.create_task(client.get(f"/paperledger.{form}", params={"sql": SPIN}))
        refused = await until_refused(client, form)
        return refused, await slow, await until_answered(client, form)

    refused, slow, after = ask_all(make_site(release, {"at_once": 1, "waiting": 0, "seconds": 2}), work)
    assert refused.headers["retry-after"] == "5"
    assert (slow.status_code, after.status_code) == (400, 200)


@pytest.mark.parametrize("form", FORMS)
def test_a_client_who_leaves_takes_the_query_along(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def work(client: httpx.AsyncClient) -> httpx.Response:
        slow = asyncio.create_task(client.get(f"/paperledger.{form}", params={"sql": SPIN}))
        await until_refused(client, form)
        slow.cancel()
        return await until_answered(client, form)

    after = ask_all(make_site(release, {"at_once": 1, "waiting": 0, "seconds": 3600}), work)
    assert after.status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("connections", [1, 20])
def test_connections_that_close_take_their_queries_along(release: Path, connections: int, form: str) -> None:
    site = make_site(release, {"at_once": 1, "waiting": 0, "seconds": 3600})

    async def work() -> httpx.Response:
        app = site.app()
        gone = asyncio.Event()
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        path = f"/paperledger.{form}"
        url = httpx.URL("http://here", path=path, params={"sql": SPIN})
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": url.query}
        scope |= {"headers": [], "scheme": "http", "http_version": "1.1"}
        slow = [asyncio.create_task(app(scope, receive_until(gone), send)) for _ in range(connections)]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            await until_refused(client, form)
            gone.set()
            await asyncio.wait(slow)
            assert {message.get("status") for message in sent} <= {None, 503}
            return await until_answered(client, form)

    assert asyncio.run(work()).status_code == 200


def receive_until(gone: asyncio.Event) -> Callable[[], Awaitable[dict[str, Any]]]:
    """The messages of a client who asks, and later disconnects."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


@pytest.mark.parametrize("path", ["/paperledger/papers.parquet", "/paperledger/papers.parquet?has_code=1"])
def test_scripts_of_other_sites_read_where_datasette_lets_them(release: Path, path: str) -> None:
    allowed = "access-control-allow-origin"
    assert allowed not in ask(make_site(release), path).headers
    assert ask(make_site(release, cors=True), path).headers[allowed] == "*"


def test_who_may_not_see_a_table_gets_no_parquet_of_it(release: Path) -> None:
    site = make_site(release)
    site._metadata_local["databases"]["paperledger"]["tables"]["papers"]["allow"] = False  # noqa: SLF001
    paths = ["papers.parquet", "papers.parquet?has_code=1", "papers/3qufasoqhmlkjxd6.parquet"]
    assert [ask(site, f"/paperledger/{path}").status_code for path in paths] == [403, 403, 403]


def test_who_may_not_run_sql_gets_no_parquet_of_it(release: Path) -> None:
    site = make_site(release, settings={"default_allow_sql": False})
    paths = ["/paperledger.parquet?sql=select+1", "/paperledger/papers.parquet?_where=1"]
    assert [ask(site, path).status_code for path in paths] == [403, 403]
    assert ask(site, "/paperledger/coverage_by_profile.parquet").status_code == 200


def test_it_works_below_a_base_url(release: Path) -> None:
    paths = ["/paperledger/papers", "/data/paperledger/papers.parquet", "/data/paperledger/papers.parquet?has_code=1"]

    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.get(path) for path in paths]

    page, whole, part = ask_all(make_site(release, settings={"base_url": "/data/"}), work)
    assert 'href="/data/paperledger/papers.parquet' in page.text
    assert whole.content == (release / "papers.parquet").read_bytes()
    assert opened(part).num_rows > 0


def test_a_datasette_without_a_release_has_no_parquet(tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE pets (name TEXT)")
    connection.close()
    site = Datasette([str(database)])
    assert "parquet" not in site.renderers
    assert "parquet" not in ask(site, "/other/pets").text


def test_a_database_beside_the_release_has_no_parquet(release: Path, tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE pets (name TEXT)")
    connection.close()
    site = Datasette([str(database)], immutables=[str(release / DATABASE_FILE)])
    assert "parquet" not in ask(site, "/other/pets").text
    assert ask(site, "/other/pets.parquet").status_code == 404
    assert ask(site, "/paperledger/papers.parquet").status_code == 200
