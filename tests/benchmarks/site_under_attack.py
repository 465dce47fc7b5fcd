"""What a site gives to others while it is attacked: `python tests/benchmarks/site_under_attack.py [OUT] [--only NAME]`.

OUT is an output folder of `paperledger build`; without it one of some thousand invented papers, and of people with very many
co-authors, is made first. For each attack a server is started, attacked for some seconds from this machine only, and asked
meanwhile for the home page, a table and a search; then as soon as the attack is over; and then it has to end.
"""

# ruff: noqa: S608  all SQL is made of words in this file

import http.client
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import click
import invented_pages
from rich.console import Console
from rich.table import Table

from etl.load.layout import DATABASE_FILE
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.release import newest_release
from schemas.limits import ABSTRACT_LETTERS

COMMAND = Path(sys.executable).with_name("paperledger")
SECONDS = 8.0
CLIENTS = 8
PATIENCE = 30.0
PAPERS = 3000
CROWD = 800
"""Authors of each paper of one person."""
COUNT = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
LONG = "replace(hex(zeroblob(500000)), '0', 'a')"
THE = "replace(hex(zeroblob(1150)), '0', 'the OR ')"
PRINTFS = [f"printf('%.1s'{f', {LONG}' * count}" for count in range(1, 12)]


@dataclass
class Site:
    """A server under attack."""

    port: int
    process: int
    paths: dict[str, str]
    over: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str, timeout: float = PATIENCE) -> int:
        """The status of an answer; 0 for none."""
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                return answer.status
        except (OSError, http.client.HTTPException):
            return 0

    def memory(self) -> int:
        """MB that the server and its children hold now, and held at most since `forget`."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024


Attack = Callable[[Site], None]
ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    """Name an attack; it goes on until the site's sign."""

    def named(function: Attack) -> Attack:
        ATTACKS[name] = function
        return function

    return named


def again(site: Site, path: str, timeout: float = PATIENCE) -> None:
    """Ask for one path by some clients at once, again and again."""

    def ask() -> None:
        while not site.over.is_set():
            site.get(path, timeout)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(CLIENTS):
            pool.submit(ask)


def sql(text: str, form: str = ".json") -> str:
    """The address of SQL."""
    return f"/paperledger{form}?sql={quote_plus(text)}"


QUERIES = {
    "GLOB over long texts": f"{COUNT} SELECT count(*) FROM c WHERE {LONG} || n GLOB '*{'a' * 200}b*'",
    "GLOB over shorter texts": f"{COUNT} SELECT count(*) FROM c WHERE substr({LONG}, 1, 100000) || n GLOB '*{'a' * 200}b*'",
    "GLOBs in one row": f"SELECT max({','.join([f'substr({LONG}, 1, 100000) GLOB :p'] * 100)})",
    "JSON in one row": f"WITH x AS MATERIALIZED (SELECT {LONG} AS a) SELECT max({','.join(['json_quote(a)'] * 120)}) FROM x",
    "words of search": "SELECT count(*) FROM papers_fts WHERE papers_fts MATCH '"
    + " OR ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz" * 40)
    + "'",
    "snippets": f"SELECT snippet(papers_fts, 1, '', '', '', 64) FROM papers_fts WHERE papers_fts MATCH ({THE} || 'the')",
    "marks": f"SELECT highlight(papers_fts, 1, '', '') FROM papers_fts WHERE papers_fts MATCH ({THE} || 'the')",
    "ranks": f"SELECT rank FROM papers_fts WHERE papers_fts MATCH ({THE} || 'the') ORDER BY rank",
    "near words": "SELECT 1 FROM papers_fts WHERE papers_fts MATCH 'NEAR(' || replace(hex(zeroblob(500)), '0', 'the ') || ', 99)'",
    "near words of a choice": "SELECT 1 FROM papers_fts WHERE papers_fts MATCH"
    " CASE WHEN random() THEN 'NEAR(' || replace(hex(zeroblob(500)), '0', 'the ') || ', 99)' ELSE 'the' END",
    "long JSON": f"WITH x AS MATERIALIZED (SELECT '[' || replace(hex(zeroblob(900000)), '0', '1,') || '1]' AS j)"
    f" SELECT max({','.join(f'json_valid(j || {n})' for n in range(100))}) FROM x",
    "short JSON": f"WITH x AS MATERIALIZED (SELECT '[' || replace(hex(zeroblob(60000)), '0', '1,') || '1]' AS j)"
    f" SELECT max({','.join(f'json_valid(j || {n})' for n in range(100))}) FROM x",
    "digits": f"WITH x AS MATERIALIZED (SELECT replace(hex(zeroblob(1990000)), '0', '1') AS a)"
    f" SELECT {','.join(['max(' + ','.join(['-a'] * 90) + ')'] * 3)} FROM x",
    "long values of functions": f"SELECT {','.join(printf + ')' for printf in PRINTFS)}",
    "tables without end": "WITH a1 AS (SELECT 1 AS x), "
    + ", ".join(f"a{n + 1} AS (SELECT p.x FROM a{n} AS p, a{n} AS q)" for n in range(1, 30))
    + " SELECT count(*) FROM a30",
    "sort without end": f"{COUNT} SELECT n, zeroblob(1500000) FROM c ORDER BY n",
    "small sort without end": f"{COUNT} SELECT n, randomblob(100) AS r FROM c ORDER BY r",
    "control characters": f"{COUNT.replace('FROM c)', 'FROM c LIMIT 16)')} SELECT replace(hex(zeroblob(500000)), '0', char(1)) FROM c",
    "lists to read": f"{COUNT.replace('FROM c)', 'FROM c LIMIT 16)')} SELECT '[' || replace(hex(zeroblob(160000)), '0', '[],') || '1]' AS j FROM c",
    "wide rows": f"SELECT {', '.join(['zeroblob(500000)'] * 100)}",
}
FORMS = {"lists to read": (".json?_json=j&",)}
for query, words in QUERIES.items():
    for form in (".json", ".csv", ".parquet"):

        @attack(f"{query} {form}")
        def _(site: Site, words: str = words, form: str = form, query: str = query) -> None:
            extra = "&_json=j" if query == "lists to read" else "&p=*" + "a" * 200 + "b*" if ":p" in words else ""
            again(site, sql(words, form) + extra)


@attack("exports that are left")
def _(site: Site) -> None:
    again(site, sql(f"{COUNT} SELECT n FROM c WHERE n < 0", ".parquet"), timeout=0.3)


@attack("an author of thousands")
def _(site: Site) -> None:
    again(site, f"/paperledger/authors/{site.paths['author']}")


@attack("a paper of thousands")
def _(site: Site) -> None:
    again(site, site.paths["paper"])


WORDS = quote_plus("the of a in to and is we " * 12)
PAGES = {
    "questions of all papers": "/paperledger/papers_by_category_and_year?sort=title&page=999999",
    "disagreements": "/paperledger/changed_papers?sort=-page_saved_on&page=999999",
    "papers with code": "/paperledger/papers_with_code?sort=-url",
    "findings with lines": "/paperledger/findings_with_lines?page=9999",
    "a question's many words": f"/paperledger/search_papers?q={WORDS}",
    "an author's papers as a question": "/paperledger/papers_of_author?author_id={author}",
    "the report": "/-/report",
    "findings of a rule": "/-/report/{rule}?page=999999",
    "a search of many words": f"/-/search?q={WORDS}",
    "a search for near names": "/-/search?q=" + quote_plus("zq " * 40),
    "a search for beginnings": "/-/search?q=a",
    "a narrowed search": "/-/search?q={word}&year=2020&category=cs.CL&page=99999",
    "a part of all titles": "/paperledger/papers?title__contains=zzz&_facet_date=published",
    "changes": "/-/changes",
    "charts": "/-/charts",
    "not found": f"/paperledger/authors/{'a-' * 2000}",
}
"""Addresses that cost most of each kind of page, by what they are."""
FILES = {
    "citations of all papers": "/-/cite.json",
    "citations of a search": f"/-/cite/search.ris?q={WORDS}",
    "feeds of a search": f"/-/feed/search.atom?q={WORDS}",
    "feeds of an author": "/-/feed/authors/{author}.atom",
    "CSV of a view": "/paperledger/coauthors.csv",
    "CSV of a question": "/paperledger/findings_with_lines.csv",
    "CSV of a table": "/paperledger/papers.csv?_sort=title",
}
"""The same for files that are made of rows."""
for name, address in (PAGES | FILES).items():

    @attack(name)
    def _(site: Site, address: str = address) -> None:
        again(site, address.format_map(site.paths))


for name, address in FILES.items():

    @attack(f"{name} that are left")
    def _(site: Site, address: str = address) -> None:
        again(site, address.format_map(site.paths), timeout=0.3)


@attack("one word many times")
def _(site: Site) -> None:
    again(site, f"/paperledger/search_papers?q={quote_plus('the ' * 49)}")


@attack("pages of text")
def _(site: Site) -> None:
    again(site, site.paths["page"])


@attack("facets")
def _(site: Site) -> None:
    again(
        site, "/paperledger/paper_authors?" + "&".join(f"_facet={name}" for name in ("name", "author_id", "position"))
    )


def connect(site: Site, beginning: bytes) -> socket.socket | None:
    """A connection that sent the beginning of a request."""
    with suppress(OSError):
        connection = socket.create_connection(("127.0.0.1", site.port), timeout=2)
        connection.sendall(beginning)
        return connection
    return None


def hold(site: Site, beginning: bytes, count: int, more: bytes = b"") -> None:
    """Keep connections that have sent the beginning of a request, opening those anew that the server closed."""
    held: list[socket.socket | None] = [None] * count
    while not site.over.is_set():
        for number, connection in enumerate(held):
            if site.over.is_set():
                break
            held[number] = connection if connection and _is_open(connection, more) else connect(site, beginning)
        site.over.wait(0.5)
    for connection in held:
        if connection:
            connection.close()


def _is_open(connection: socket.socket, more: bytes) -> bool:
    try:
        connection.setblocking(False)
        if more:
            connection.send(more)
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


HEAD = b"GET /paperledger/papers HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /paperledger HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
LARGE = f"GET {sql(COUNT.replace('FROM c)', 'FROM c LIMIT 500)') + ' SELECT hex(zeroblob(10000)) FROM c')} HTTP/1.1\r\nHost: x\r\n\r\n"


@attack("1,100 idle connections")
def _(site: Site) -> None:
    hold(site, b"", 1100)


@attack("500 requests begun")
def _(site: Site) -> None:
    hold(site, HEAD, 500, b"X: y\r\n")


@attack("500 bodies announced")
def _(site: Site) -> None:
    hold(site, POST, 500)


@attack("500 readers who stall")
def _(site: Site) -> None:
    hold(site, LARGE.encode(), 500)


@attack("500 readers of CSV who stall")
def _(site: Site) -> None:
    hold(site, b"GET /paperledger/papers.csv HTTP/1.1\r\nHost: x\r\n\r\n", 500)


@attack("500 readers of citations who stall")
def _(site: Site) -> None:
    hold(site, b"GET /-/cite.bib HTTP/1.1\r\nHost: x\r\n\r\n", 500)


@attack("300 downloads that stall")
def _(site: Site) -> None:
    hold(site, b"GET /paperledger.db HTTP/1.1\r\nHost: x\r\n\r\n", 300)


@contextmanager
def serving(out: Path, log: Path) -> Iterator[tuple[int, int, subprocess.Popen[bytes]]]:
    """A server's port and process, with the number of open files that a shell gives."""
    command = [COMMAND, "serve", "--out", out, "--port", "0"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

    with log.open("wb") as file, subprocess.Popen(command, stderr=file, stdout=file, preexec_fn=limit) as process:  # noqa: PLW1509
        try:
            ends = time.monotonic() + 60
            while "Uvicorn running on" not in log.read_text(encoding="utf-8", errors="replace"):
                assert time.monotonic() < ends and process.poll() is None, log.read_text(encoding="utf-8")  # noqa: PT018
                time.sleep(0.1)
            said = log.read_text(encoding="utf-8").partition("Uvicorn running on ")[2].split()[0]
            yield urlsplit(said).port or 0, process.pid, process
        finally:
            process.kill()


@dataclass(frozen=True)
class RuleResult:
    """What became of a site: seconds by page, memory, statuses, and how it ended."""

    slowest: dict[str, float]
    statuses: set[int]
    after: float
    memory: int
    disk: int
    log: int
    end: float


def measure(out: Path, paths: dict[str, str], function: Attack, seconds: float) -> RuleResult:
    """Attack a server, and look at it from outside."""
    pages = {name: paths[name] for name in ("home", "table", "search")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with serving(out, log) as (port, process, running):
            site = Site(port, process, paths)
            for page in pages.values():
                site.get(page)
            slowest, statuses, disk = dict.fromkeys(pages, 0.0), set(), 0
            attacker = threading.Thread(target=function, args=[site])
            attacker.start()
            ends = time.monotonic() + seconds
            time.sleep(0.5)
            while time.monotonic() < ends:
                for name, page in pages.items():
                    taken, status = timed(site, page)
                    slowest[name] = max(slowest[name], taken)
                    statuses.add(status)
                disk = max(disk, temporary_bytes(process))
                time.sleep(0.05)
            # While it is attacked still: what is computed is not waited for.
            site.over.set()
            after = max(timed(site, page)[0] for page in pages.values())
            memory = site.memory()
            attacker.join()
            late = threading.Thread(target=site.get, args=[sql(QUERIES["small sort without end"], ".parquet")])
            late.start()
            time.sleep(0.3)
            start = time.monotonic()
            os.kill(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                running.wait(30)
            return RuleResult(
                slowest, statuses, after, memory, disk >> 20, log.stat().st_size >> 10, time.monotonic() - start
            )


def timed(site: Site, page: str) -> tuple[float, int]:
    """How long an answer takes, and its status."""
    start = time.monotonic()
    status = site.get(page)
    return time.monotonic() - start, status


def temporary_bytes(process: int) -> int:
    """Bytes of files without a name that a process has open."""
    total = 0
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            if str(file.readlink()).endswith("(deleted)"):
                total += file.stat().st_size
    return total


def paths_of(out: Path) -> dict[str, str]:
    """What is asked for: pages for everybody, and the row pages that show most."""
    with closing(sqlite3.connect(newest_release(out) / DATABASE_FILE)) as database:

        def first(text: str) -> str:
            return str(database.execute(text).fetchone()[0])

        most = "SELECT {} FROM paper_authors GROUP BY {} ORDER BY count(*) DESC LIMIT 1"
        author = "SELECT author_id FROM coauthors GROUP BY author_id ORDER BY count(*) DESC LIMIT 1"
        word = first("SELECT substr(title, 1, instr(title, ' ') - 1) FROM papers WHERE title LIKE '% %' LIMIT 1")
        return {
            "home": "/",
            "table": "/paperledger/papers",
            "search": f"/paperledger/papers?_search={quote_plus(word)}",
            "page": f"/-/pages/{first('SELECT profile_id FROM profiles ORDER BY bytes DESC LIMIT 1')}.txt",
            "author": first(author),
            "rule": first("SELECT rule_id FROM findings GROUP BY rule_id ORDER BY count(*) DESC LIMIT 1"),
            "word": quote_plus(word),
            "paper": f"/paperledger/papers/{first(most.format('paper_id', 'paper_id'))}",
        }


def crowd() -> str:
    """A page of fifty papers, each by thousands; an abstract is as long as may be, and one word."""
    blocks = []
    for number in range(50):
        people = ", ".join(
            f"Bo {invented_pages.WORDS[n // 300].title()}{invented_pages.WORDS[n % 300]}" for n in range(CROWD)
        )
        abstract = f"We count to {number}." if number else "the " * (ABSTRACT_LETTERS // 4)
        blocks.append(
            f"CLMay {number % 28 + 1}, 2020\nA long work number {number}\n\nAnn Crowd, {people}\n\n{abstract}\n"
        )
    head = [
        "Ann Crowd",
        "",
        "CL",
        "h-index50",
        "50papers",
        "900citations",
        "Novelty50%",
        "AI Score58",
        "",
        "50 Papers",
        "",
    ]
    return "\n".join(head) + "\n" + "\n".join(blocks)


def make(folder: Path) -> Path:
    """An output folder of invented papers."""
    pages, out = folder / "pages", folder / "build"
    invented_pages.write(pages, PAPERS)
    (pages / "crowd@2026-06-01.txt").write_text(crowd(), encoding="utf-8")
    build(Request([str(pages)], out), Progress(Console(quiet=True)))
    return out


@click.command()
@click.argument("out", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--only", multiple=True, help="Part of an attack's name.")
@click.option("--seconds", default=SECONDS, show_default=True, help="How long each attack goes on.")
def main(out: Path | None, only: tuple[str, ...], seconds: float) -> None:
    """Attack the site of the newest release in OUT; without it, of one made for it."""
    with tempfile.TemporaryDirectory() as folder:
        out = out or make(Path(folder))
        paths = paths_of(out)
        names = (
            "attack",
            "home s",
            "table s",
            "search s",
            "statuses",
            "after s",
            "peak MB",
            "disk MB",
            "log KB",
            "end s",
        )
        table = Table(*names)
        console = Console(width=140)
        for name, function in ATTACKS.items():
            if only and not any(part in name for part in only):
                continue
            found = measure(out, paths, function, seconds)
            figures = [*found.slowest.values(), *[" ".join(map(str, sorted(found.statuses)))]]
            row = [f"{figure:.2f}" if isinstance(figure, float) else figure for figure in figures]
            row += [f"{found.after:.2f}", *map(str, (found.memory, found.disk, found.log)), f"{found.end:.1f}"]
            table.add_row(name, *row)
            print(name, *row, sep=" | ", flush=True)  # noqa: T201
        console.print(table)


if __name__ == "__main__":
    main()
