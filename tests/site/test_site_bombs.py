"""What would bring a site down does not: a real `paperledger serve`, requests that ask for everything, and its memory."""

import http.client
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import pytest
from serving import serving

MOST_MEMORY_MB = 500
COUNT = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
THOUSAND = COUNT.replace("FROM c)", "FROM c LIMIT 1000)")
LONG = "replace(hex(zeroblob(500000)), '0', 'a')"
BOMBS = {
    "randomblob": "SELECT randomblob(100000000)",
    "zeroblob": "SELECT zeroblob(1000000000)",
    "hex": "SELECT hex(randomblob(50000000))",
    "printf": "SELECT printf('%.*c', 1000000000, 'x')",
    "printf-width": "SELECT printf('%1000000000d', 1), format('%.1000000000f', 1.5)",
    "many-blobs": " ".join((THOUSAND, "SELECT randomblob(2000000) FROM c")),
    "many-zeroblobs": " ".join((THOUSAND, "SELECT zeroblob(2000000) FROM c")),
    "many-columns": "SELECT " + ", ".join(["randomblob(2000000)"] * 100),
    "many-cells": " ".join((THOUSAND, "SELECT", ", ".join("n" * 100), "FROM c")),
    "too-many-columns": "SELECT " + ", ".join(["1"] * 2000),
    "endless": " ".join((COUNT, "SELECT count(*) FROM c")),
    "endless-rows": " ".join((COUNT, "SELECT n FROM c")),
    "endless-sort": " ".join((COUNT, "SELECT n, randomblob(1000) AS r FROM c ORDER BY r")),
    "endless-large-sort": " ".join((COUNT, "SELECT n, zeroblob(1500000) FROM c ORDER BY n")),
    "endless-text": "WITH RECURSIVE c(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM c) SELECT max(length(t)) FROM c",
    "endless-array": " ".join((COUNT, "SELECT json_group_array(n) FROM c")),
    "cross-join": "SELECT count(*) FROM papers, papers AS b, papers AS c, papers AS d, papers AS e",
    "cross-join-text": "SELECT group_concat(a.abstract || b.abstract) FROM papers AS a, papers AS b, papers AS c",
    "array-of-text": "SELECT json_group_array(a.abstract) FROM papers AS a, papers AS b, papers AS c",
    "replace": f"SELECT replace({LONG}, 'a', {LONG})",
    "replace-slow": f"SELECT replace({LONG}, substr({LONG}, 1, 500000) || 'b', '')",
    "instr-slow": f"SELECT instr({LONG}, substr({LONG}, 1, 500000) || 'b')",
    "trim-slow": f"SELECT length(trim({LONG}, replace(hex(zeroblob(250000)), '0', 'b') || 'a'))",
    "like-slow": f"SELECT {LONG} LIKE '%' || substr({LONG}, 1, 40000) || 'b'",
    "glob-slow": f"SELECT {LONG} GLOB '*a*a*a*a*a*a*a*a*b*' || substr({LONG}, 1, 40000)",
    "json-patch": "SELECT json_patch('{}', '{}')",
    "compound": " UNION ALL ".join(["SELECT 1"] * 400),
    "deep": f"SELECT {'(' * 900}1{')' * 900} + {'+'.join('1' * 2000)}",
    "search": "SELECT snippet(papers_fts, 0, '', '', '', 64) FROM papers_fts, papers AS a, papers AS b"
    " WHERE papers_fts MATCH 'a* OR b* OR c* OR d* OR e*'",
}
LONG_RUNNING = {name for name in BOMBS if name.startswith(("endless", "cross-join", "many-cells"))}
"""Those that take all of their second, or of an export's longer time."""
PLAIN = ["/", "/paperledger/papers", "/paperledger/papers.json?_size=max", "/paperledger/papers.csv?_stream=on"]
FORMATS = (".json", ".csv", ".parquet", "")


@dataclass(frozen=True)
class Server:
    """A server that runs: where, and as which process."""

    port: int
    process: int

    def get(self, path: str, method: str = "GET", body: bytes | None = None, timeout: float = 120) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def peak_mb(self) -> int:
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


@pytest.fixture(scope="module")
def server(release: Path) -> Iterator[Server]:
    with serving(release.parents[1]) as running:
        port = urlsplit(running.address).port
        assert port
        yield Server(port, running.process)


@pytest.fixture
def still_up(server: Server) -> Iterator[None]:
    """After the test the home page answers, and the memory was never above what is allowed."""
    yield
    assert server.get("/", timeout=10)[0] == 200
    assert server.peak_mb() < MOST_MEMORY_MB


def address_of(sql: str, form: str = ".json") -> str:
    return f"/paperledger{form}?sql={quote_plus(sql)}"


def statuses(server: Server, paths: list[str]) -> set[int]:
    """What two hundred requests at once get, these and these again."""
    with ThreadPoolExecutor(200) as pool:
        return {status for status, _ in pool.map(server.get, islice(cycle(paths), 200))}


@pytest.mark.usefixtures("still_up")
@pytest.mark.parametrize("name", BOMBS)
def test_a_query_that_asks_for_everything_is_refused_or_cut(server: Server, name: str) -> None:
    status, body = server.get(address_of(BOMBS[name]), timeout=30)
    assert status in {200, 400}
    assert len(body) < 32 << 20


def temporary_mb(process: int) -> int:
    """What a process has written to files without a name."""
    total = 0
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            total += file.stat().st_size if str(file.readlink()).endswith("(deleted)") else 0
    return total >> 20


@pytest.mark.usefixtures("still_up")
@pytest.mark.parametrize("name", ["endless-sort", "endless-large-sort"])
def test_what_is_sorted_for_an_export_fills_no_disk(server: Server, name: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        export = pool.submit(server.get, address_of(BOMBS[name], ".parquet"))
        most = 0
        while not export.done():
            most = max(most, temporary_mb(server.process))
            time.sleep(0.02)
    status, words = export.result()
    assert (status, b"more memory than the site gives" in words) == (413, True)
    assert most < 64


@pytest.mark.usefixtures("still_up")
def test_two_hundred_requests_at_once_leave_the_server_answering(server: Server) -> None:
    quick = [address_of(sql, form) for form in FORMATS for name, sql in BOMBS.items() if name not in LONG_RUNNING]
    slow = [address_of(BOMBS[name]) for name in ("endless", "cross-join")]
    assert statuses(server, [*quick, *slow, *PLAIN]) <= {200, 400, 413, 503}


@pytest.mark.slow
@pytest.mark.usefixtures("still_up")
@pytest.mark.parametrize("form", FORMATS)
def test_two_hundred_requests_that_take_all_their_time_leave_the_server_answering(server: Server, form: str) -> None:
    assert statuses(server, [*(address_of(sql, form) for sql in BOMBS.values()), *PLAIN * 5]) <= {200, 400, 413, 503}


@pytest.mark.usefixtures("still_up")
def test_functions_keep_no_long_values(server: Server) -> None:
    """Each number of arguments is a statement of its own, and all of SQLite's memory is for all."""
    for count in range(1, 18):
        server.get(address_of(f"SELECT printf('%.1s'{f', {LONG}' * count})"))
    assert server.get(address_of("SELECT DISTINCT abstract || title FROM papers"))[0] == 200
    assert server.get("/paperledger/papers")[0] == 200


@pytest.mark.usefixtures("still_up")
def test_two_hundred_plain_requests_at_once_are_all_answered(server: Server) -> None:
    assert statuses(server, ["/", "/paperledger/papers.json"]) == {200}


@pytest.mark.usefixtures("still_up")
def test_pages_answer_while_costly_queries_wait(server: Server) -> None:
    with ThreadPoolExecutor(12) as pool:
        bombs = [pool.submit(server.get, address_of(BOMBS["endless"])) for _ in range(12)]
        assert server.get("/paperledger/papers", timeout=10)[0] == 200
        assert sum(not bomb.done() for bomb in bombs) > 5
    assert {bomb.result()[0] for bomb in bombs} <= {400, 503}


@pytest.mark.usefixtures("still_up")
@pytest.mark.parametrize("kilobytes", [20, 1024])
def test_sql_of_a_megabyte_is_refused(server: Server, kilobytes: int) -> None:
    sql = f"SELECT '{'x' * (kilobytes << 10)}'"
    assert server.get("/-/logout", "POST", f"sql={sql}".encode())[0] == 413
    try:
        status, _ = server.get(address_of(sql))
    except (ConnectionError, http.client.HTTPException):
        assert kilobytes > 64  # the server closes the connection on an address that it has not read to its end
    else:
        assert status in {400, 414}


@pytest.mark.usefixtures("still_up")
def test_readers_who_do_not_read_hold_no_memory(server: Server) -> None:
    """Answers of 15 MB each: what they do not take must not pile up, and plain pages must go on."""
    address = address_of(" ".join((THOUSAND, "SELECT hex(zeroblob(5000)) FROM c")))
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    for connection in idle:
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert server.get("/paperledger/papers", timeout=10)[0] == 200
    for connection in idle:
        connection.close()
