"""What a request may take of a site: time, memory, and connections; and how the site ends."""

# ruff: noqa: S608, SLF001  all SQL is made of words in this file, and places are looked into

import asyncio
import gc
import json
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils import InvalidSql, validate_sql_select
from site_words import Fetch

from etl.load.layout import DATABASE
from etl.site import row_files
from etl.site.safety import request_limits, sockets
from etl.site.safety.request_limits import ConcurrencyLimits
from etl.site.safety.sql_limits import LARGEST_ANSWER, LONGEST_PATTERN, limit_connection, limited_functions
from etl.site.safety.statement_time import INTERRUPTER, Clock, SiteBusy, TimedConnection, TimeIsUp
from schemas import QUESTIONS

COUNT = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
ENDLESS = f"{COUNT} SELECT count(*) FROM c"
LONG = "replace(hex(zeroblob(500000)), '0', 'a')"
PAPER = "/paperledger/papers/{}"


@pytest.fixture
def connection(release: Path) -> Iterator[TimedConnection]:
    """A bounded connection to the release."""
    with closing(
        sqlite3.connect(release / "paperledger.db", check_same_thread=False, factory=TimedConnection)
    ) as bounded:
        limit_connection(bounded)
        yield bounded


@pytest.fixture
def paper(fetch: Fetch) -> str:
    """The address of a paper."""
    (row,) = fetch("/paperledger/papers.json", params={"_size": 1, "_shape": "array"}).json()
    return PAPER.format(row["paper_id"])


STEPS = {
    "many small": ENDLESS,
    "a match": f"{COUNT} SELECT count(*) FROM c WHERE substr({LONG}, 1, 100000) || n GLOB '*{'a' * 200}b*'",
    "one row": f"SELECT max({', '.join(f'substr({LONG}, 1, {100_000 - n}) GLOB :p' for n in range(40))})",
    "words": f"SELECT count(*) FROM papers_fts WHERE papers_fts MATCH '{' OR '.join('abcdefgh' * 30)} a*'",
}


@pytest.mark.parametrize("name", STEPS)
def test_a_statement_ends_when_its_time_is_over(connection: TimedConnection, name: str) -> None:
    start = time.process_time()
    values = {"p": f"*{'a' * 200}b*"} if ":p" in STEPS[name] else {}
    try:
        with INTERRUPTER.watch(connection, 0.1):
            connection.execute(STEPS[name], values).fetchall()
    except sqlite3.OperationalError:
        assert connection.clock.is_over
    assert time.process_time() - start < 1
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_the_first_search_of_a_connection_opens_no_table_that_an_interruption_could_break(
    connection: TimedConnection,
) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    connection.execute("SELECT count(*) FROM papers_fts('bells')").fetchall()
    assert [one for one in statements if "_config" in one] == []


def test_a_statement_ends_when_its_client_disconnects(connection: TimedConnection) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    start = time.process_time()
    with pytest.raises(sqlite3.OperationalError, match="interrupted"), INTERRUPTER.watch(connection, 60, stop):
        connection.execute(ENDLESS)
    assert time.process_time() - start < 1


def test_the_sql_of_a_canned_query_runs_from_its_editor_too(fetch: Fetch) -> None:
    sql = QUESTIONS["search_papers"].sql.strip()
    answer = fetch("/paperledger.json", params={"sql": sql, "q": "thousand", "_shape": "array"})
    assert [row for row in answer.json() if "«" in row["abstract"]]


LIST = "WITH x AS MATERIALIZED (SELECT '[' || replace(hex(zeroblob(900000)), '0', '1,') || '1]' AS j)"
COSTLY_JSON = ["json_valid(j || '@')", "json_array_length(j || '@')", "(j || '@') ->> '$[1]'", "json_quote(j || '@')"]


@pytest.mark.parametrize("call", COSTLY_JSON)
def test_long_json_is_not_read_in_sql_of_ones_own(fetch: Fetch, call: str) -> None:
    start = time.process_time()
    sql = f"{LIST} SELECT max({', '.join(call.replace('@', ' ' * number) for number in range(60))}) FROM x"
    answer = fetch("/paperledger.json", params={"sql": sql})
    assert (answer.status_code, "with JSON 256 KiB" in answer.text) == (400, True)
    assert time.process_time() - start < 1


def test_json_of_the_usual_size_is_read_many_times(fetch: Fetch) -> None:
    calls = ", ".join(
        f"json_array_length(json_set('[1, 2]', '$[{number}]', json('{{}}'))) AS n{number}" for number in range(50)
    )
    answer = fetch("/paperledger.json", params={"sql": f"SELECT {calls}", "_shape": "array"})
    assert answer.json()[0]["n2"] == 3


@pytest.mark.parametrize("groups", [2, 3, 6])
def test_numbers_of_many_digits_are_read_in_time(connection: TimedConnection, groups: int) -> None:
    digits = "WITH x AS MATERIALIZED (SELECT replace(hex(zeroblob(1990000)), '0', '1') AS a)"
    row = ", ".join(f"max({', '.join(['-a'] * 90)})" for _ in range(groups))
    start = time.process_time()
    with pytest.raises((sqlite3.Error, MemoryError)), INTERRUPTER.watch(connection, 0.1, is_costly=True):
        connection.execute(f"{digits} SELECT {row} FROM x").fetchall()
    assert time.process_time() - start < 5  # what three groups take on a slow machine; six would take twice as long


def test_long_formats_of_dates_are_refused(fetch: Fetch) -> None:
    answer = fetch("/paperledger.json", params={"sql": f"SELECT strftime({LONG}, 1)"})
    assert answer.status_code == 400
    answer = fetch("/paperledger.json", params={"sql": "SELECT strftime('%Y', '2026-01-02') AS y", "_shape": "array"})
    assert answer.json() == [{"y": "2026"}]


def test_functions_look_at_the_clock() -> None:
    clock = Clock()
    clock.start(-1)
    for (name, arity), function in limited_functions(clock).items():
        with pytest.raises(TimeIsUp):
            function(*["x"] * max(arity, 1))
        assert name


@pytest.mark.parametrize(
    ("form", "ended"), [(".json", "took too long"), (".csv", "took too long"), (".parquet", "more than 1 seconds")]
)
def test_costly_steps_are_cut_in_every_format(release: Path, form: str, ended: str) -> None:
    site = Datasette(
        [], immutables=[str(release / "paperledger.db")], metadata={"plugins": {"paperledger_parquet": {"seconds": 1}}}
    )
    start = time.process_time()
    answer = asyncio.run(site.client.get(f"/paperledger{form}", params={"sql": STEPS["a match"]}))
    assert (answer.status_code, ended in answer.text) == (400, True), answer.text[:200]
    assert time.process_time() - start < 5


@pytest.mark.parametrize("call", ["like", "glob"])
def test_matches_in_long_texts_are_refused_in_words(fetch: Fetch, call: str) -> None:
    sql = f"SELECT {LONG} {call} '%{'a' * 100}b'"
    start = time.process_time()
    for form in ("", ".json"):
        answer = fetch(f"/paperledger{form}", params={"sql": sql})
        assert answer.status_code == 400
    assert time.process_time() - start < 3


BLANKS = [
    "/**/" + " " * 16_000,
    "/**/\n" * 3000,
    "/**/--\n" * 2000,
    ("/**/" + " " * 100) * 150,
    "explain" + " " * 16_000,
]


@pytest.mark.parametrize("beginning", BLANKS)
def test_a_statement_is_checked_in_linear_time(fetch: Fetch, beginning: str) -> None:
    assert fetch("/").status_code == 200
    start = time.process_time()
    with pytest.raises(InvalidSql):
        validate_sql_select(f"{beginning}x")
    validate_sql_select(f"{beginning}select 1")
    assert time.process_time() - start < 0.1


MATCHES = [
    ("abc", "A_c"),
    ("abc", "a%"),
    ("Ropes", "%PE%"),
    ("Ropes", "%"),
    ("a%b", "%%%"),
    ("Éxé", "%XÉ%"),
    ("x\0y", "%y%"),
    ("ropes", "%s"),
    ("50%", "50#%"),
    ("É", "é"),
    ("x\0y", "x%"),
    (12.5, "12%"),
    (None, "a"),
    (b"ab", "a%"),
    ("[a]", "[[]a]"),
    ("a" * 20_000, "%" + "a" * (LONGEST_PATTERN - 2) + "%"),
    ("ab" * 10_000, "*" + "ba" * 120 + "c*"),
    ("x" * 20_000 + "é", "*é"),
]


@pytest.mark.parametrize(("text", "pattern"), MATCHES)
@pytest.mark.parametrize("call", [":t LIKE :p", ":t LIKE :p ESCAPE '#'", ":t GLOB :p", ":t NOT LIKE :p"])
def test_matches_are_those_of_sqlite(connection: TimedConnection, call: str, text: object, pattern: str) -> None:
    values = {"t": text, "p": pattern}
    with closing(sqlite3.connect(":memory:")) as own:
        expected = own.execute(f"SELECT {call}", values).fetchone()
        assert tuple(connection.execute(f"SELECT {call}", values).fetchone()) == expected


def test_a_row_page_that_takes_too_long_is_an_error_page(
    fetch: Fetch, paper: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(row_files._PAGES, "papers", lambda database, _: database.execute(ENDLESS).fetchone())
    start = time.process_time()
    answer = fetch(paper)
    assert (answer.status_code, "took too long" in answer.text) == (400, True)
    assert "Traceback" not in "".join(capsys.readouterr())
    assert time.process_time() - start < 3


def test_a_page_that_finds_no_memory_is_answered_503(fetch: Fetch, paper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(row_files._PAGES, "papers", full)
    answer = fetch(paper)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert fetch("/paperledger/papers").status_code == 200


def test_costly_statements_end_when_pages_need_memory(connection: TimedConnection) -> None:
    def cost() -> None:
        with pytest.raises(sqlite3.OperationalError), INTERRUPTER.watch(connection, 60, is_costly=True):
            connection.execute(ENDLESS)

    running = threading.Thread(target=cost)
    running.start()
    while not INTERRUPTER._running:
        time.sleep(0.01)
    INTERRUPTER.free_memory(5)
    running.join(5)
    assert not running.is_alive()
    assert connection.clock.is_preempted


def test_a_page_gets_the_memory_that_a_costly_statement_gives_back(site: Datasette, fetch: Fetch) -> None:
    assert fetch("/").status_code == 200
    attempts = []

    def second(_: sqlite3.Connection) -> int:
        attempts.append(1)
        if len(attempts) < 2:
            raise MemoryError
        return 7

    async def ask(work: Callable[[sqlite3.Connection], int]) -> int:
        return int(await site.get_database(DATABASE).execute_fn(work))

    assert asyncio.run(ask(second)) == 7

    def never(_: sqlite3.Connection) -> int:
        raise MemoryError

    with pytest.raises(SiteBusy):
        asyncio.run(ask(never))


def test_an_error_keeps_no_cursor(site: Datasette, fetch: Fetch) -> None:
    """The event loop, clearing it away, would wait for the connection's next statement."""
    assert fetch("/").status_code == 200

    async def ask() -> None:
        await site.get_database(DATABASE).execute(ENDLESS, custom_time_limit=20)

    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(thing, sqlite3.Cursor) for thing in gc.get_objects())
        with pytest.raises(QueryInterrupted) as _caught:
            asyncio.run(ask())
        assert sum(isinstance(thing, sqlite3.Cursor) for thing in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_release_is_never_written(site: Datasette, fetch: Fetch) -> None:
    assert fetch("/").status_code == 200
    with pytest.raises(sqlite3.OperationalError, match="never written"):
        site.get_database(DATABASE).connect(write=True)


def test_the_schema_is_asked_once(site: Datasette, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = ["/", "/paperledger/papers"]
    first = [fetch(path).text for path in pages]
    database, asked = site.get_database(DATABASE), []
    run = type(database).execute_fn
    monkeypatch.setattr(type(database), "execute_fn", lambda *work: asked.append(1) or run(*work))
    assert [fetch(path).text.split("Queries took")[0] for path in pages] == [
        text.split("Queries took")[0] for text in first
    ]
    assert len(asked) < 30
    fetch("/paperledger/nosuch")
    asyncio.run(database.table_columns("papers")).clear()
    assert asyncio.run(database.table_columns("papers"))


def test_counts_that_took_too_long_are_counted_again(site: Datasette, fetch: Fetch) -> None:
    assert fetch("/").status_code == 200
    database = site.get_database(DATABASE)
    stored = database._cached_table_counts
    database._cached_table_counts = None
    assert asyncio.run(database.table_counts(limit=-1))["papers"] is None
    assert asyncio.run(database.table_counts(limit=1000)) == stored


@pytest.mark.parametrize(
    "value",
    ["replace(hex(zeroblob(500000)), '0', char(1))", "'[' || replace(hex(zeroblob(100000)), '0', '[],') || '1]'"],
)
def test_an_answer_is_counted_as_it_is_written_or_read(fetch: Fetch, value: str) -> None:
    count = LARGEST_ANSWER // (4 << 20)
    sql = COUNT.replace("FROM c)", f"FROM c LIMIT {count})") + f" SELECT {value} AS j FROM c"
    answer = fetch("/paperledger.json", params={"sql": sql, "_json": "j"})
    assert (answer.status_code, "ask for fewer rows" in answer.text) == (400, True)


def test_a_statement_of_too_many_steps_a_row_is_refused(fetch: Fetch) -> None:
    inner = f"SELECT {LONG} AS a0"
    for level in range(4):
        inner = f"SELECT max({', '.join([f'abs(a{level})'] * 20)}) AS a{level + 1} FROM ({inner})"
    start = time.process_time()
    assert fetch("/paperledger.json", params={"sql": inner}).status_code == 400
    assert time.process_time() - start < 3


def visit(site: ConcurrencyLimits, receive: Callable[[], Any], path: str = "/") -> "asyncio.Task[list[dict[str, Any]]]":
    async def go() -> list[dict[str, Any]]:
        got: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            got.append(message)

        scope = {"type": "http", "path": path, "query_string": b"", "headers": [], "method": "POST"}
        await site(scope, receive, send)  # type: ignore[arg-type]
        return got

    return asyncio.ensure_future(go())


async def answer_ok(_scope: Any, receive: Any, send: Any) -> None:
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_a_body_that_does_not_come_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crowd() -> None:
        monkeypatch.setattr(request_limits, "BODY_SECONDS", 0.3)
        site = ConcurrencyLimits(answer_ok)

        async def never() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {}

        pieces = iter([(b"a", True), (b"b", False)])

        async def soon() -> dict[str, Any]:
            for body, more in pieces:
                return {"type": "http.request", "body": body, "more_body": more}
            await asyncio.sleep(60)
            return {}

        late = [visit(site, never) for _ in range(50)]
        await asyncio.sleep(0)
        got = await asyncio.wait_for(visit(site, soon), 0.2)
        assert [got[0]["status"], got[1]["body"]] == [200, b"ab"]
        assert {got[0]["status"] for got in await asyncio.gather(*late)} == {408}

    asyncio.run(crowd())


@pytest.mark.parametrize(
    ("path", "query", "limit"),
    [
        ("/", b"", "_pages"),
        ("/paperledger/papers", b"_search=some+words", "_pages"),
        ("/paperledger/papers", b"_next=x&_search=y", "_pages"),
        ("/paperledger/search_papers", b"q=bells", "_pages"),
        ("/paperledger/papers", b"_search=" + b"the+" * 100, "_slow"),
        ("/paperledger/search_papers", b"q=" + b"the+" * 20, "_slow"),
        ("/paperledger/search_papers", b"q=the" + b"%22the" * 20, "_slow"),
        ("/paperledger/search_papers", b"q=" + b"%D0%B0" * 20, "_pages"),
        ("/-/pages/0123456789abcdef.txt", b"", "_costly"),
        ("/paperledger/papers", b"_facet=category_id", "_slow"),
        ("/paperledger/authors/ann-bell", b"", "_slow"),
        ("/paperledger/papers", b"_searchmode=raw&_search=a*", "_costly"),
        ("/paperledger.json", b"sql=select+1", "_costly"),
        ("/paperledger.json", b"s%71l=select+1", "_costly"),
        ("/paperledger.db", b"", "_files"),
        ("/paperledger/papers.parquet", b"", "_files"),
    ],
)
def test_each_request_has_its_limit(path: str, query: bytes, limit: str) -> None:
    site = ConcurrencyLimits(answer_ok)
    assert site._limit_of({"path": path, "query_string": query}) is getattr(site, limit)


def test_all_who_wait_are_fewer_than_the_connections() -> None:
    site = ConcurrencyLimits(answer_ok)
    every = [site._pages, site._slow, site._costly, site._files]
    assert sum(limit.most_waiting + limit.places._value for limit in every) < sockets.most_connections(1024)


class Running:
    """A server of ours in this event loop."""

    def __init__(self, most: int = 100, app: Any = answer_ok) -> None:
        sockets.TimedProtocol.most = most
        config = uvicorn.Config(app, port=0, http=sockets.TimedProtocol, lifespan="off", log_level="critical")
        self.server = sockets.PromptServer(config)

    async def __aenter__(self) -> int:
        self.task = asyncio.ensure_future(self.server._serve())
        while not self.server.started:
            await asyncio.sleep(0.01)
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task
        sockets.TimedProtocol.most = sockets.MOST_CONNECTIONS


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234",
    ],
)
def test_a_request_that_is_not_ended_is_not_waited_for(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        monkeypatch.setattr(sockets, "REQUEST_SECONDS", 0.2)
        async with Running() as port, opened(port) as (reader, writer):
            writer.write(beginning)
            with suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 5)  # to the end, which the server makes

    asyncio.run(ask())


def test_a_client_that_sends_little_by_little_is_not_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        monkeypatch.setattr(sockets, "REQUEST_SECONDS", 0.3)
        async with Running() as port, opened(port) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\n")
            for _ in range(100):
                if reader.at_eof() or reader.exception():
                    return
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.05)
            raise AssertionError("the connection is open after five seconds")

    asyncio.run(ask())


def test_a_connection_stays_open_for_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        monkeypatch.setattr(sockets, "REQUEST_SECONDS", 0.5)
        async with Running() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(4):
                assert (await client.post("/", content=b"body")).content == b"body"
                await asyncio.sleep(0.2)

    asyncio.run(ask())


def test_idle_connections_give_way_to_those_who_ask() -> None:
    async def ask() -> None:
        async with Running(most=20) as port, AsyncExitStack() as idle:
            for _ in range(100):
                await idle.enter_async_context(opened(port))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
                assert (await client.get("/")).status_code == 200

    asyncio.run(ask())


def test_where_all_are_busy_a_new_connection_is_answered_503() -> None:
    async def ask() -> None:
        async with Running(most=0) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.get("/")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    asyncio.run(ask())


@pytest.mark.parametrize("pause", [0.1, 1.2])
def test_a_slow_reader_is_served_and_one_who_stalls_is_not(pause: float, monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes(6 << 20)

    async def answer(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    async def ask() -> int:
        monkeypatch.setattr(sockets, "STALLED_SECONDS", 0.6)
        monkeypatch.setattr(request_limits, "PATIENCE", 0.6)
        got = 0
        async with Running(app=ConcurrencyLimits(answer)) as port:
            with socket.socket() as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
                reader.connect(("127.0.0.1", port))
                reader.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                reader.setblocking(False)
                loop = asyncio.get_running_loop()
                with suppress(ConnectionError):
                    while piece := await loop.sock_recv(reader, 256 << 10):
                        got += len(piece)
                        await asyncio.sleep(pause if got < 2 << 20 else 0)
        return got

    assert (asyncio.run(ask()) >= len(body)) == (pause < 0.6)


def test_a_full_file_table_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.Logger("asyncio-like")
    logger.addFilter(sockets.NoFileLeftFilter())
    logger.addHandler(caplog.handler)
    for _ in range(1000):
        logger.error("%s\nsocket: x", sockets.NO_FILE_LEFT, exc_info=OSError("too many open files"))
    logger.error("something else")
    first, second = caplog.records
    assert ("ulimit" in first.getMessage(), first.exc_info, second.getMessage()) == (True, None, "something else")


def test_addresses_in_the_log_are_cut() -> None:
    record = logging.LogRecord("x", 20, "", 0, '%s "%s" %d', ("127.0.0.1:1", "/" + "x" * 10_000, 200), None)
    assert sockets.ShortAddressFilter().filter(record)
    assert len(record.getMessage()) < sockets.LOGGED + 50
    assert json.dumps(record.args)
