"""Whatever a stranger asks gets an answer in words: no status above 499 but 503, and nothing in the server's log."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote

import httpx
import pytest
from datasette.app import Datasette
from helpers import cpu_limit
from site_words import Fetch

from etl.load.layout import DATABASE_FILE, METADATA
from etl.site.safety.bad_requests import MOST_FACETS, MOST_PARAMETERS, is_caused_by_request
from etl.site.served import SETTINGS

TABLE, VIEW, QUERY, SQL = "/paperledger/papers", "/paperledger/paper_list", "/paperledger/search_papers", "/paperledger"
PARAMETERS = """
_through _facet _facet_array _facet_date _facet_size _timelimit _size _next _sort _sort_desc _sort_by_desc _nofacet
_nosuggest _nocount _trace _shape _nl _json _json_infinity _blob_column _blob_hash _col _nocol _where _extra _extras
_labels _label _ttl _dl _header _stream _search _search_title _search_nocol _searchmode _fts_table _fts_pk
_filter_column _filter_op _filter_value _filter_column_1 _show_hidden _success _context sql rowid rowid__gt nosuch
nosuch__exact paper_id__in paper_id__notin title__exact title__in title__arraycontains title__arraynotcontains
title__date title__like title__glob title__gt title__isnull title__nosuch published__date has_code__in
author_names__arraycontains words __ __exact _ all
""".split()  # noqa: SIM905
FEW_VALUES = ("", "x", "[", "{}", "9" * 30)
VALUES = (*FEW_VALUES, "1", "-1.5", "\0", "'", '"', "max", "title", '{"table": 1, "column": [], "value": {}}')
ODD = {
    "_through": [
        '{"table": "paper_authors"}',
        '{"table": "paper_authors", "column": "nosuch", "value": "x"}',
        '{"table": "nosuch", "column": "x", "value": "x"}',
    ],
    "_shape": ["object", "array", "arrayfirst", "objects"],
    "_blob_column": ["author_count", "published"],
    "sql": ["select 1; select 2", "select :x", "delete from papers", "select 'a", "--", "pragma database_list"],
    "_stream": ["on&_next=1", "on&_size=max", "on&_shape=x"],
}
PATHS = """
/papers/papers/~ /paperledger/papers/~ /paperledger/papers/~~ /paperledger/papers/%00 /paperledger/papers/a,b,c
/paperledger/papers/a,b /paperledger/papers/%FF /paperledger/papers/~FF~FE /paperledger/papers/..
/paperledger/../papers /paperledger/papers/%2e%2e%2fx /paperledger/papers.exe /paperledger.exe
/paperledger/papers.json.json /paperledger/.json /paperledger/papers/.json /paperledger/papers/x.blob
/paperledger/papers/x.parquet /paperledger/papers/x.csv /paperledger/~/x /paperledger/%00 /paperledger/%00.json /%00
/~ /. /.. // /// //example.org/ /%5cexample.org/ /-/ /- /-/static/ /-/static/.. /-/static/%00 /-/static/%2e%2e/app.py
/-/static/app.css/x /-/static-plugins/paperledger/ /-/static-plugins/paperledger/%00 /-/static-plugins/nosuch/x
/-/downloads/ /-/downloads/%00 /-/downloads/..%2fx /-/downloads/manifest.json/ /-/downloads/nosuch /-/charts/%00.svg
/-/charts/nosuch.svg /-/pages/x.txt /-/pages/0000000000000000.txt /-/bibtex/aaaaaaaaaaaaaaaa.bib /-/bibtex/.bib
/-/report/ /-/metadata.json /-/versions.json /-/plugins.json /-/plugins.json?all=1 /-/settings.json /-/config
/-/config.json /-/databases /-/databases.json /-/actor.json /-/auth-token /-/auth-token?token=x /-/logout
/-/permissions /-/messages /-/allow-debug?actor={ /-/patterns /-/threads /:memory: /:memory:/x /_memory /_internal
/favicon.ico /favicon.icox /paperledger.db /nosuch.db /.json /.jsono /.csv /paperledger/papers_fts/1
/paperledger/papers_fts_data /paperledger/sqlite_schema /paperledger/coauthors/1 /paperledger/search_papers/x
/paperledger/papers/x?_extras=foreign_key_tables /paperledger/authors/ann-b-bell?_shape=x
/paperledger/authors/ann-b-bell.blob?_blob_column=spelling_count /paperledger/authors/ann-b-bell.json?_json=name
""".split()  # noqa: SIM905
METHODS = ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "", "GÉT"]
HEADERS = [
    (b"cookie", b"ds_actor=x; ds_messages=x; ds_csrftoken=x"),
    (b"cookie", b"a b=c; =; ;;\xff=\xfe"),
    (b"cookie", b'ds_messages="\\777'),
    (b"authorization", b"Bearer x"),
    (b"range", b"bytes=9-1"),
    (b"range", b"bytes=a-b,"),
    (b"if-none-match", b"\xff"),
    (b"accept", b"\xff"),
    (b"host", b"\xff:x"),
    (b"content-length", b"x"),
]
SAFE_STATUSES = {*range(200, 500), 503}


@dataclass
class Answer:
    """What came of one request."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    statuses: int = 0

    async def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.statuses = message["status"], self.statuses + 1
            self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        self.body += message.get("body", b"")


def ask(
    site: Datasette,
    address: str,
    method: str = "GET",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    body: bytes = b"",
    raw: bytes | None = None,
) -> Answer:
    """What a site answers, asked as a server asks it: with an address that no client has made sound."""
    path, _, query = address.partition("?")
    length = ((b"content-length", str(len(body)).encode()),) if body else ()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode() if raw is None else raw,
        "query_string": query.encode("latin-1"),
        "headers": [(b"host", b"localhost"), *length, *headers],
        "server": ("127.0.0.1", 8001),
        "client": ("127.0.0.1", 1),
    }

    whole = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not whole:
            await asyncio.sleep(3600)  # nobody leaves
        return whole.pop()

    answer = Answer()
    asyncio.run(_app(site)(scope, receive, answer.take))
    return answer


@cache
def _app(site: Datasette) -> Any:
    return site.app()


def under(release: Path, base_url: str) -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    settings = {**SETTINGS, "base_url": base_url}
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings)


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After the test the log is empty."""
    yield
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


# Datasette has begun some of what it wanted to await when it stumbles.
unawaited = pytest.mark.filterwarnings(
    "ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def failures(site: Datasette, addresses: list[str]) -> dict[str, int]:
    """The addresses that are answered as no address should be."""
    statuses = {address: ask(site, address) for address in addresses}
    return {
        address: one.status for address, one in statuses.items() if one.status not in SAFE_STATUSES or one.statuses != 1
    }


def addresses(page: str, values: tuple[str, ...]) -> Iterator[str]:
    """Every special parameter of a page with every bad value."""
    start = f"{page}?" + ("sql=select+1+as+title&" if page.startswith(f"{SQL}.") or page == SQL else "")
    for name in PARAMETERS:
        yield from (f"{start}{name}={quote_plus(value)}" for value in values)
    for name, odd_values in ODD.items():
        yield from (f"{start}{name}={quote_plus(value, safe='&=')}" for value in odd_values)
    for odd in ("_size=%zz", "_size=%ff", "%5fsize=x", "_size=\xff", "%", "=", "&&&", "%00=%00"):
        yield f"{start}{odd}"


@unawaited
@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("page", [TABLE, VIEW, QUERY, SQL])
def test_no_value_of_a_parameter_is_an_error_of_the_server(site: Datasette, page: str) -> None:
    assert failures(site, [*addresses(f"{page}.json", FEW_VALUES)]) == {}


@unawaited
@pytest.mark.slow
@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("form", ["", ".json", ".csv", ".blob", ".parquet"])
@pytest.mark.parametrize("page", [TABLE, VIEW, QUERY, SQL, "/paperledger/authors/ann-b-bell"])
def test_no_value_of_a_parameter_is_an_error_of_the_server_in_any_format(site: Datasette, page: str, form: str) -> None:
    assert failures(site, [*addresses(f"{page}{form}", VALUES)]) == {}


@unawaited
@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "page", ["/", "/-/charts", "/-/downloads", "/-/report", "/paperledger/authors/ann-b-bell", TABLE, SQL]
)
def test_no_parameter_is_an_error_of_a_page(site: Datasette, page: str) -> None:
    bad = [
        f"{page}?{name}=x" for name in ("_size", "_timelimit", "_through", "_facet", "_sort", "_shape", "_next", "sql")
    ]
    bad += [f"{page}.{form}?_size=x" for form in ("json", "csv", "blob", "parquet", "exe")]
    assert failures(site, bad) == {}


@pytest.mark.usefixtures("log")
def test_no_path_is_an_error_of_the_server(site: Datasette) -> None:
    long = [
        f"/paperledger/papers/{'x' * 15_000}",
        "/paperledger/papers/" + "~" * 5_000,
        "/" * 10_000,
        "/x" * 5_000,
        "/-/static/" + "x" * 5_000,
    ]
    assert failures(site, [*PATHS, *long, *(path.partition("?")[0] + "/" for path in PATHS)]) == {}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_an_error_of_the_server(site: Datasette, method: str) -> None:
    for path in (
        "/",
        SQL,
        f"{SQL}?sql=select+1",
        TABLE,
        f"{TABLE}.json",
        f"{TABLE}.csv",
        f"{TABLE}.parquet",
        "/-/logout",
        "/-/charts",
        "/-/report",
        "/-/downloads",
        "/-/permissions",
        "/-/messages",
        "/nosuch",
        "/-/static/app.css",
    ):
        answer = ask(site, path, method)
        assert answer.status in SAFE_STATUSES, path
        if method not in {"HEAD", "OPTIONS"} and not (method == "POST" and path.startswith("/-/")):
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
            assert answer.body.count(b"\n") == 0


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("header", HEADERS)
def test_no_header_is_an_error_of_the_server(site: Datasette, header: tuple[bytes, bytes]) -> None:
    for path in ("/", TABLE, f"{TABLE}.json", f"{TABLE}.parquet", "/-/report", "/-/downloads/manifest.json"):
        assert ask(site, path, headers=(header,)).status in SAFE_STATUSES


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "kind", [b"multipart/form-data", b"multipart/form-data; boundary=x", b"application/json", b"\xff", b""]
)
@pytest.mark.parametrize("body", [b"x", b"\xff\xfe", b"--x\r\n\r\n--x--", b"csrftoken=x", b"{"])
def test_no_body_is_an_error_of_the_server(site: Datasette, kind: bytes, body: bytes) -> None:
    headers = ((b"content-type", kind), (b"cookie", b"ds_csrftoken=x"))
    for path in ("/-/logout", "/-/permissions", "/-/messages", "/-/report", TABLE):
        assert ask(site, path, "POST", headers, body).status in SAFE_STATUSES


@pytest.mark.parametrize("raw", [b"/\xff", b"/\\example.org/", b"/a b", b"/a\nb"])
def test_bytes_that_no_address_holds_are_refused(site: Datasette, raw: bytes) -> None:
    assert ask(site, "/", raw=raw).status == 400


@pytest.mark.parametrize("name", ["_facet", "%5ffacet", "_facet_array", "_facet_date"])
def test_more_facets_than_a_page_needs_are_refused(site: Datasette, name: str) -> None:
    with cpu_limit(5):
        assert ask(site, f"{TABLE}?" + "&".join([f"{name}=title"] * (MOST_FACETS + 1))).status == 400
    assert ask(site, f"{TABLE}.json?_facet_size=2&" + "&".join(["_facet=title"] * MOST_FACETS)).status == 200


def test_more_parameters_than_a_page_needs_are_refused(site: Datasette) -> None:
    assert ask(site, f"{TABLE}?" + "&".join(["x=1"] * (MOST_PARAMETERS + 1))).status == 400


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"{TABLE}.json?_timelimit=x", "invalid literal for int() with base 10: 'x'"),
        (f"{TABLE}.json?_sort=x", "Cannot sort table by x"),
        (f"{TABLE}.json?_size=x", "_size must be a positive integer"),
        (f"{SQL}.json?sql=select+1;select+2", "one statement at a time"),
        (f"{SQL}.csv?sql=select+nosuch", "no such column: nosuch"),
        (f"{SQL}.csv?sql=select+instr(1)", "wrong number of arguments"),
        (f"{TABLE}.csv?_where=nosuch", "no such column: nosuch"),
        (f"{TABLE}.parquet?rowid__gt={'9' * 30}", "int too large"),
    ],
)
def test_an_error_states_what_is_wrong(site: Datasette, address: str, words: str) -> None:
    answer = ask(site, address)
    assert (answer.status, words in answer.body.decode()) == (400, True)


def test_an_error_of_this_project_is_not_caused_by_the_request() -> None:
    with pytest.raises(ValueError, match="x") as ours:
        int("x")
    assert not is_caused_by_request(ours.value)
    with pytest.raises(KeyError) as datasettes:
        Datasette([]).get_database("nosuch")
    assert is_caused_by_request(datasettes.value)


@pytest.mark.parametrize(
    "page", ["databases", "plugins", "plugins.json?all=1", "versions", "settings", "metadata", "config"]
)
@pytest.mark.parametrize("form", ["", ".json"])
def test_no_page_reveals_the_path_of_the_release(site: Datasette, release: Path, page: str, form: str) -> None:
    answer = ask(site, f"/-/{page}{form}" if "?" not in page else f"/-/{page}")
    assert answer.status in {200, 301}
    for folder in {str(release), str(release.parents[1]), str(Path.home()), str(Path(__file__).parents[2])}:
        assert folder not in answer.body.decode()


def test_no_sql_reveals_the_path_of_the_release(fetch: Fetch) -> None:
    rows = fetch("/paperledger.json", params={"sql": "select name, file from pragma_database_list()"}).json()["rows"]
    assert rows == [["main", None]]


@pytest.mark.parametrize("base_url", ["/papers/", "/paperledger/", "/a/b/"])
def test_pages_for_debugging_are_not_there_under_any_spelling_of_a_base_url(release: Path, base_url: str) -> None:
    site = under(release, base_url)
    doubled = base_url + base_url[1:]
    for start in (
        "/",
        base_url,
        doubled,
        doubled + base_url[1:],
        f"{base_url}/",
        f"/{base_url}",
        base_url.replace("a", "%61"),
    ):
        for page in (
            "threads",
            "threads.json",
            "patterns",
            "messages",
            "allow-debug",
            "Threads",
            "threads/",
            "threads.",
            "%74hreads",
        ):
            answer = ask(site, f"{start}-/{page}")
            while answer.status == 302:
                answer = ask(site, answer.headers["location"])
            assert answer.status in {400, 404}, (start, page)
            assert b"num_threads" not in answer.body


@pytest.mark.parametrize("base_url", ["/papers/", "/paperledger/"])
def test_a_site_under_a_base_url_answers_and_redirects_under_it(release: Path, base_url: str) -> None:
    site = under(release, base_url)
    for page in ("", "paperledger", "paperledger/papers", "paperledger/papers.json", "paperledger/authors/ann-b-bell"):
        assert ask(site, base_url + page).status == 200
    assert ask(site, f"{base_url}paperledger/papers/").headers["location"] == f"{base_url}paperledger/papers"


LINK = re.compile(r'(?:href|src|action)="(/[^"#]*)')
FIRST = ["/data/", "/data/paperledger", "/data/paperledger/papers", "/data/-/charts", "/data/-/downloads"]
MOST = 120


async def walk(site: Datasette) -> dict[str, httpx.Response]:
    """The answers of so many pages, found link by link."""
    transport = httpx.ASGITransport(site.app())
    answers: dict[str, httpx.Response] = {}
    waiting = list(FIRST)
    async with httpx.AsyncClient(transport=transport, base_url="http://here", follow_redirects=True) as client:
        while waiting and len(answers) < MOST:
            place = waiting.pop(0)
            answers[place] = await client.get(place)
            if answers[place].headers["content-type"].startswith("text/html"):
                found = [unescape(link) for link in LINK.findall(answers[place].text)]
                waiting += [link for link in dict.fromkeys(found) if link not in answers and link not in waiting]
    return answers


def test_every_link_has_the_prefix_once_and_works(release: Path) -> None:
    answers = asyncio.run(walk(under(release, "/data/")))
    assert len(answers) == MOST
    assert [place for place in answers if not place.startswith("/data/") or place.startswith("/data/data/")] == []
    assert {place: answer.status_code for place, answer in answers.items() if answer.status_code != 200} == {}
