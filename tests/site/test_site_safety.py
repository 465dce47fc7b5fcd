"""What a public site allows: scripts, links, SQL, addresses, and requests at once."""

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import html5lib
import httpx
import pytest
from datasette.app import Datasette
from site_words import Fetch

from etl.site.safety import request_limits
from etl.site.safety.headers import INLINE_SCRIPT, VARIABLES, script_hash, template_sources
from etl.site.safety.request_limits import LARGEST_BODY, LONGEST_ADDRESS, PIECE, ConcurrencyLimits
from etl.site.safety.sql_limits import LARGEST_ANSWER, LONGEST_VALUE, SQLITE_MEMORY, limit_connection, limited_functions
from etl.site.safety.statement_time import Clock
from etl.site.served import SETTINGS

PAGES = [
    "/",
    "/paperledger",
    "/paperledger/papers",
    "/paperledger/papers?_facet=category_id",
    "/paperledger?sql=select+1+as+one",
    "/paperledger?sql=select+nothing",
    "/paperledger/authors/ann-bell",
    "/-/metadata",
    "/no/such/page",
]
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"


def sql(fetch: Fetch, text: str, form: str = ".json") -> httpx.Response:
    return fetch(f"/paperledger{form}", params={"sql": text})


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["content-security-policy"].split("; "))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", [*PAGES, "/paperledger/papers.json", "/paperledger/papers.csv", "/-/static/app.css"])
def test_every_answer_has_security_headers(fetch: Fetch, path: str) -> None:
    answer = fetch(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    allowed = directives(answer)
    scripts = allowed.pop("script-src")
    assert scripts[0] == "'self'"
    assert all(re.fullmatch(r"'sha256-[\w+/=]{44}'", hashed) for hashed in scripts[1:])
    assert allowed["default-src"] == allowed["object-src"] == allowed["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("path", PAGES)
def test_every_inline_script_of_a_page_may_run_and_no_attribute_is_one(fetch: Fetch, path: str) -> None:
    answer = fetch(path)
    page = html5lib.parse(answer.text, namespaceHTMLElements=False)
    programs = (script for script in page.iter("script") if script.get("type") != "application/ld+json")
    inline = {script.text or "" for script in programs if "src" not in script.attrib}
    assert {script_hash(script) for script in inline} <= set(directives(answer)["script-src"])
    assert [name for element in page.iter() for name in element.attrib if str(name).startswith("on")] == []


def test_the_inline_scripts_of_all_templates_are_known(site: Datasette) -> None:
    """A new variable in one of them would leave it without a hash."""
    scripts = {script for text in template_sources(site.jinja_env) for script in INLINE_SCRIPT.findall(text)}
    assert scripts
    for variable in VARIABLES:
        scripts = {script.replace(variable, "") for script in scripts}
    assert [script for script in scripts if "{{" in script or "{%" in script] == []


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
def test_a_query_that_takes_too_long_is_an_error_without_a_script(fetch: Fetch, form: str) -> None:
    answer = fetch(f"/paperledger{form}", params={"sql": ENDLESS, "_timelimit": 20})
    assert answer.status_code == 400
    assert "took too long" in answer.text
    assert "let ta" not in answer.text


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("https://example.org/a?b=1&c=%22", ["https://example.org/a?b=1&c=%22"]),
        ("http://example.org", ["http://example.org"]),
        ("javascript:alert(1)", []),
        ("JaVaScRiPt:alert(1)//http://", []),
        ("data:text/html,<script>alert(1)</script>", []),
        ("ftp://example.org", []),
        ("//example.org", []),
        ('https://example.org/"onclick=alert(1)', ['https://example.org/"onclick=alert(1)']),
    ],
)
def test_only_addresses_of_the_web_become_links(fetch: Fetch, value: str, links: list[str]) -> None:
    answer = fetch("/paperledger", params={"sql": "select :v as v", "v": value})
    page = html5lib.parse(answer.text, namespaceHTMLElements=False)
    assert [link.get("href") for link in page.findall(".//td[@class='col-v']//a")] == links


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO institutions VALUES ('x', 'x')",
        "WITH x AS (SELECT 1) DELETE FROM papers",
        "WITH x AS (SELECT 1) UPDATE sqlite_master SET sql = ''",
        "ATTACH ':memory:' AS other",
        "VACUUM INTO '/tmp/copy.db'",
        "PRAGMA writable_schema = 1",
        "SELECT * FROM pragma_compile_options()",
        "SELECT load_extension('x')",
        "SELECT json_patch('{}', '{}')",
        "SELECT sql FROM sqlite_stmt",
        "CREATE TEMP TABLE t (x)",
    ],
)
def test_sql_that_is_more_than_reading_is_refused(fetch: Fetch, text: str) -> None:
    assert sql(fetch, text).status_code == 400


def test_a_connection_refuses_what_slips_through_datasettes_own_check(release: Path) -> None:
    with closing(sqlite3.connect(f"file:{release / 'paperledger.db'}?immutable=1", uri=True)) as connection:
        limit_connection(connection)
        for text in ("CREATE TEMP TABLE t (x)", "PRAGMA temp_store_directory", "ATTACH ':memory:' AS other", "BEGIN"):
            with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
                connection.execute(text)


def test_search_works_on_a_bounded_connection(fetch: Fetch) -> None:
    assert fetch("/paperledger/papers.json", params={"_search": "bells"}).json()["filtered_table_rows_count"] > 0


TOO_LONG = [
    f"zeroblob({LONGEST_VALUE + 1})",
    f"replace(hex(zeroblob({LONGEST_VALUE // 2})), '0', 'ab')",
    "printf('%.*c', 1000000000, 'x')",
    "printf('%99999d', 1)",
]


@pytest.mark.parametrize("value", TOO_LONG)
@pytest.mark.parametrize("form", ["", ".json"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_value_that_is_too_long_is_refused_in_words(fetch: Fetch, form: str, value: str) -> None:
    query = sql(fetch, f"SELECT {value}", form)
    assert (query.status_code, f"A value is longer than {LONGEST_VALUE >> 20} MiB" in query.text) == (400, True)
    table = fetch(f"/paperledger/papers{form}", params={"_where": value})
    assert (table.status_code, f"A value is longer than {LONGEST_VALUE >> 20} MiB" in table.text) == (400, True)


def test_rows_that_are_too_large_together_are_refused_in_words(fetch: Fetch) -> None:
    count = 2 * LARGEST_ANSWER // LONGEST_VALUE
    answer = sql(fetch, " UNION ALL ".join([f"SELECT zeroblob({LONGEST_VALUE // 2})"] * count))
    assert answer.status_code == 400
    assert "ask for fewer rows or columns" in answer.text


@pytest.mark.parametrize(
    "call",
    [
        "instr('ropes', 'pe')",
        "instr('ropes', '')",
        "instr(x'0102', x'02')",
        "instr(NULL, 'x')",
        "instr(1234, 34)",
        "replace('a-b-c', '-', '')",
        "replace('abc', '', 'x')",
        "replace(17, 1, 2)",
        "replace('abc', NULL, 'x')",
        "trim('--a-b--', '-')",
        "ltrim('xyxa', 'yx')",
        "rtrim('axyx', 'yx')",
        "trim('日本日', '日')",
        "trim('abc', '')",
        "trim(' a ')",
        "printf('%05d|%-4s|%.2f|%,d', 7, 'a', 2.5, 1234567)",
        "printf('%*s', 3, 'a')",
        "printf(NULL)",
        "format('%s', 'a')",
    ],
)
def test_functions_that_are_replaced_answer_as_sqlites_own(call: str) -> None:
    with closing(sqlite3.connect(":memory:")) as own, closing(sqlite3.connect(":memory:")) as guarded:
        limit_connection(guarded)
        (expected,) = own.execute(f"SELECT {call}").fetchone()
        (found,) = guarded.execute(f"SELECT {call}").fetchone()
        assert (found, type(found)) == (expected, type(expected))
        assert any(call.startswith(name) for name, _ in limited_functions(Clock()))


def test_an_address_or_a_body_that_is_too_long_is_refused(site: Datasette) -> None:
    async def ask() -> list[int]:
        answers = [
            await site.client.get("/paperledger", params={"sql": "x" * LONGEST_ADDRESS}),
            await site.client.post("/-/logout", content="x" * (LARGEST_BODY + 1)),
            await site.client.post("/-/logout", content=_chunks()),
            await site.client.post("/-/logout", content="x"),
        ]
        return [answer.status_code for answer in answers]

    async def _chunks() -> Any:
        yield b"x"

    assert asyncio.run(ask())[:3] == [414, 413, 411]


@pytest.mark.parametrize("path", ["/-/allow-debug", "/-/messages", "/-/patterns", "/-/permissions", "/-/threads.json"])
def test_pages_for_debugging_are_not_there(fetch: Fetch, path: str) -> None:
    assert fetch(path).status_code in {403, 404}


def test_what_templates_are_given_and_queries_run_is_not_shown(fetch: Fetch) -> None:
    assert "<pre>" not in fetch("/?_context=1").text
    assert "traceback" not in fetch("/paperledger.json?_trace=1").text


def test_a_wrong_address_leaves_no_traceback(fetch: Fetch, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch("/paperledger/nothing").status_code == 404
    assert capsys.readouterr() == ("", "")


def test_the_settings_are_shown(fetch: Fetch) -> None:
    assert SETTINGS.items() <= fetch("/-/settings.json").json().items()


def test_a_datasette_without_a_release_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE t AS SELECT 1 AS x")
    other = Datasette([str(tmp_path / "other.db")])

    async def ask() -> httpx.Response:
        return await other.client.get("/other.json", params={"sql": "select length(zeroblob(3000000)) as n"})

    answer = asyncio.run(ask())
    assert answer.json()["rows"] == [[3_000_000]]
    assert "content-security-policy" not in answer.headers


Send = Callable[[dict[str, Any]], Awaitable[None]]


class Visitor:
    """One request to an application, and what came of it."""

    def __init__(self, path: str = "/", query: str = "", gone: bool = False, reads: bool = True) -> None:
        self.scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": [], "method": "GET"}
        self.gone, self.reads = gone, reads
        self.got: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.disconnect"} if self.gone else {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        self.got.append(message)
        if not self.reads:
            await asyncio.sleep(3600)

    @property
    def status(self) -> int | None:
        return next((message["status"] for message in self.got if "status" in message), None)


class Counting:
    """An application that counts how many requests it works on, and answers with a body when it is let go."""

    def __init__(self, body: bytes = b"") -> None:
        self.now = self.most = self.all = 0
        self.go = asyncio.Event()
        self.body = body

    async def __call__(self, _scope: Any, _receive: Any, send: Send) -> None:
        self.now, self.all = self.now + 1, self.all + 1
        self.most = max(self.most, self.now)
        try:
            await self.go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self.body})
        finally:
            self.now -= 1


async def visit(site: ConcurrencyLimits, *visitors: Visitor) -> list[asyncio.Task[None]]:
    """Let visitors in, and wait until nothing moves by itself any more."""
    tasks = [asyncio.ensure_future(site(visitor.scope, visitor.receive, visitor.send)) for visitor in visitors]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize(
    "costly",
    [
        Visitor("/paperledger.json", "sql=select+1"),
        Visitor("/paperledger/papers", "_where=1"),
        Visitor("/paperledger/papers.csv"),
        Visitor("/paperledger/papers.parquet", "has_code=1"),
        Visitor("/paperledger/paper_list.parquet"),
    ],
    ids=lambda visitor: visitor.scope["path"],
)
def test_costly_requests_take_no_place_from_pages(costly: Visitor) -> None:
    async def crowd() -> None:
        app = Counting()
        site = ConcurrencyLimits(app)
        tasks = await visit(site, *[costly] * 10)
        assert app.now == 2
        tasks += await visit(site, *[Visitor("/paperledger/papers")] * 10)
        assert app.now == 8
        files = ("/-/static/app.css", "/paperledger.db", "/paperledger/papers.parquet")
        tasks += await visit(site, *map(Visitor, files * 10))
        assert app.now == 38
        app.go.set()
        await asyncio.gather(*tasks)
        assert app.all == 50

    asyncio.run(crowd())


def test_more_than_can_wait_are_sent_away_at_once() -> None:
    async def crowd() -> None:
        app = Counting()
        visitors = [Visitor(query="sql=1") for _ in range(2 + 50 + 5)]
        tasks = await visit(ConcurrencyLimits(app), *visitors)
        assert [visitor.status for visitor in visitors if visitor.got] == [503] * 5
        assert (b"retry-after", b"5") in visitors[-1].got[0]["headers"]
        app.go.set()
        await asyncio.gather(*tasks)
        assert [visitor.status for visitor in visitors[:-5]] == [200] * 52

    asyncio.run(crowd())


def test_a_request_that_waited_too_long_is_answered_503(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crowd() -> None:
        monkeypatch.setattr(request_limits, "PATIENCE", 0.01)
        app = Counting()
        late = Visitor(query="sql=1")
        tasks = await visit(ConcurrencyLimits(app), Visitor(query="sql=1"), Visitor(query="sql=1"), late)
        await tasks[-1]
        assert late.status == 503
        app.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(crowd())


def test_who_went_away_while_waiting_costs_nothing() -> None:
    async def crowd() -> None:
        app = Counting()
        tasks = await visit(ConcurrencyLimits(app), *[Visitor(query="sql=1", gone=True) for _ in range(50)])
        assert app.all == 0
        await asyncio.gather(*tasks)

    asyncio.run(crowd())


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
def test_a_large_answer_comes_in_pieces_and_whole(size: int) -> None:
    async def crowd() -> None:
        app = Counting(bytes(range(256)) * (size // 256 + 1))
        app.body = app.body[:size]
        app.go.set()
        visitor = Visitor()
        await asyncio.gather(*await visit(ConcurrencyLimits(app), visitor))
        bodies = visitor.got[1:]
        assert b"".join(message.get("body", b"") for message in bodies) == app.body
        assert max(len(message["body"]) for message in bodies) <= PIECE
        assert [message.get("more_body", False) for message in bodies] == [True] * (len(bodies) - 1) + [False]

    asyncio.run(crowd())


def test_a_reader_who_stalls_gives_the_place_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crowd() -> None:
        monkeypatch.setattr(request_limits, "PATIENCE", 0.01)
        app = Counting(bytes(10 * PIECE))
        app.go.set()
        site = ConcurrencyLimits(app)
        await asyncio.gather(*await visit(site, *[Visitor(query="sql=1", reads=False) for _ in range(2)]))
        reader = Visitor(query="sql=1")
        await asyncio.gather(*await visit(site, reader))
        assert reader.status == 200

    asyncio.run(crowd())


def test_clients_that_stop_reading_block_no_page() -> None:
    async def crowd() -> None:
        app = Counting(bytes(2 * PIECE))
        app.go.set()
        site = ConcurrencyLimits(app)
        stalled = await visit(site, *[Visitor(reads=False) for _ in range(50)])
        assert app.now == 0
        reader = Visitor()
        await asyncio.wait_for(asyncio.gather(*await visit(site, reader)), 1)
        assert reader.status == 200
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)
        memory = site._pages.memory  # noqa: SLF001  it is visible nowhere else
        assert (memory.free, memory.answers) == (request_limits.ANSWER_MEMORY, set())

    asyncio.run(crowd())


def test_where_answers_fill_their_memory_the_slowest_client_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crowd() -> None:
        monkeypatch.setattr(request_limits, "ANSWER_MEMORY", 40 * PIECE)
        monkeypatch.setattr(request_limits, "SLOW_SECONDS", 0.1)
        app = Counting(bytes(10 * PIECE))
        app.go.set()
        site = ConcurrencyLimits(app)
        stalled = await visit(site, *[Visitor(reads=False) for _ in range(10)])
        reader = Visitor()
        await asyncio.wait_for(asyncio.gather(*await visit(site, reader)), 5)
        assert sum(len(message.get("body", b"")) for message in reader.got) == 10 * PIECE
        assert 0 < sum(task.done() for task in stalled) < 10
        for task in stalled:
            task.cancel()

    asyncio.run(crowd())


def test_an_answer_that_is_made_bit_by_bit_ends_when_its_reader_leaves() -> None:
    async def crowd() -> None:
        made, left = 0, asyncio.Event()
        asked: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def endless(_scope: Any, receive: Any, send: Any) -> None:
            nonlocal made
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                made += 1
                await send({"type": "http.response.body", "body": bytes(1000), "more_body": True})
                await asyncio.sleep(0)

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        visitor = Visitor("/paperledger/papers.csv", "_stream=1")
        task = asyncio.ensure_future(ConcurrencyLimits(endless)(visitor.scope, receive, visitor.send))
        await asyncio.sleep(0.05)
        assert not task.done()
        left.set()
        await asyncio.wait_for(task, 1)
        assert made > 1

    asyncio.run(crowd())


@pytest.mark.parametrize("path", ["/paperledger/papers", "/paperledger/papers.csv?_stream=1"])
def test_a_reader_who_leaves_leaves_nothing_in_the_log(
    site: Datasette, path: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_limits, "PATIENCE", 0.05)
    monkeypatch.setattr(request_limits, "STREAMED", 10)

    async def leave() -> None:
        name, _, query = path.partition("?")
        visitor = Visitor(name, query, reads=False)
        visitor.scope |= {"raw_path": name.encode(), "http_version": "1.1", "scheme": "http"}
        await asyncio.wait_for(site.app()(visitor.scope, visitor.receive, visitor.send), 5)
        assert visitor.status == 200

    asyncio.run(leave())
    assert "Traceback" not in "".join(capfd.readouterr())


def test_pages_for_debugging_are_refused_under_a_base_url(release: Path) -> None:
    metadata = json.loads((release / "datasette-metadata.json").read_text(encoding="utf-8"))
    database = str(release / "paperledger.db")
    site = Datasette([], immutables=[database], metadata=metadata, settings={"base_url": "/data/"})

    async def ask() -> list[tuple[int, str]]:
        paths = ["/", "/-/static/app.css", "/paperledger/papers", "/-/patterns"]
        answers = [await site.client.get(path) for path in paths]
        return [(answer.status_code, answer.url.path[:6]) for answer in answers]

    assert asyncio.run(ask()) == [(status, "/data/") for status in (200, 200, 200, 404)]


HEAP_LIMIT = """
import asyncio, sqlite3, sys
from datasette.app import Datasette

site = Datasette([], immutables=[sys.argv[1]])

def limit():
    return sqlite3.connect(":memory:").execute("PRAGMA hard_heap_limit").fetchone()[0]

async def receive():
    return {"type": "lifespan.shutdown"}

async def send(message):
    pass

asyncio.run(site.client.get("/paperledger/papers.json"))
asked = limit()
asyncio.run(site.app()({"type": "lifespan"}, receive, send))
print(asked, limit())
"""


def test_memory_is_bounded_where_a_server_starts_and_not_where_a_program_asks(release: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAP_LIMIT, release / "paperledger.db"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", str(SQLITE_MEMORY)]
