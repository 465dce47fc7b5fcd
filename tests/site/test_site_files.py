"""The release's files over HTTP: whole, in ranges and from other sites; the page of downloads; nothing beside them."""

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import html5lib
import httpx
import pyarrow.parquet as pq
import pytest
from datasette.app import Datasette
from site_words import Fetch, ask

from etl.load.layout import DATABASE_FILE, MANIFEST, METADATA, read_manifest
from etl.site.served import SETTINGS
from schemas import TABLES

PAPERS = ["/paperledger/papers.parquet", "/-/downloads/papers.parquet"]


@pytest.fixture
def papers(release: Path) -> bytes:
    return (release / "papers.parquet").read_bytes()


@pytest.fixture
def tag(papers: bytes) -> str:
    return f'"{hashlib.sha256(papers).hexdigest()}"'


class Ranged(io.RawIOBase):
    """A file that is read over HTTP in ranges, as DuckDB and browsers do."""

    def __init__(self, fetch: Fetch, path: str) -> None:
        self._fetch = fetch
        self._path = path
        self._place = 0
        self._size = int(self._ask(0, 1).headers["content-range"].partition("/")[2])

    def _ask(self, start: int, end: int) -> httpx.Response:
        answer = self._fetch(self._path, headers={"range": f"bytes={start}-{end - 1}"})
        assert answer.status_code == 206
        return answer

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._place + size, self._size)
        content = self._ask(self._place, end).content if end > self._place else b""
        self._place += len(content)
        return content


@pytest.mark.parametrize("path", PAPERS)
def test_a_file_comes_whole_with_its_hash_as_its_tag(fetch: Fetch, papers: bytes, tag: str, path: str) -> None:
    answer = fetch(path)
    assert (answer.status_code, answer.content) == (200, papers)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-disposition"] == 'attachment; filename="papers.parquet"'


@pytest.mark.parametrize("path", PAPERS)
@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-3", slice(0, 4)), ("bytes=-8", slice(-8, None)), ("bytes=100-", slice(100, None))],
)
def test_a_range_comes_alone(fetch: Fetch, papers: bytes, path: str, asked: str, part: slice) -> None:
    answer = fetch(path, headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, papers[part])
    assert answer.headers["content-range"].endswith(f"/{len(papers)}")


@pytest.mark.parametrize("path", PAPERS)
def test_a_range_beyond_the_end_is_refused(fetch: Fetch, papers: bytes, path: str) -> None:
    answer = fetch(path, headers={"range": f"bytes={len(papers)}-"})
    assert answer.status_code == 416


@pytest.mark.parametrize("path", PAPERS)
def test_a_range_of_another_release_comes_whole(fetch: Fetch, papers: bytes, tag: str, path: str) -> None:
    same = fetch(path, headers={"range": "bytes=0-3", "if-range": tag})
    other = fetch(path, headers={"range": "bytes=0-3", "if-range": '"older"'})
    assert (same.status_code, same.content) == (206, papers[:4])
    assert (other.status_code, other.content) == (200, papers)


@pytest.mark.parametrize("path", PAPERS)
def test_a_copy_that_is_still_good_is_not_sent_again(fetch: Fetch, tag: str, path: str) -> None:
    answer = fetch(path, headers={"if-none-match": f'"older", W/{tag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert fetch(path, headers={"if-none-match": '"older"'}).status_code == 200


@pytest.mark.parametrize("path", PAPERS)
def test_a_head_request_gets_the_size_without_the_file(site: Datasette, papers: bytes, path: str) -> None:
    answer = ask(site, path, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(papers))


@pytest.fixture(scope="module")
def open_site(release: Path) -> Datasette:
    """A site that was started with --cors."""
    return Datasette([], immutables=[str(release / "paperledger.db")], cors=True)


def asks_of_another_site(tag: str) -> list[tuple[str, dict[str, str]]]:
    """A method with its headers: a file whole, in part, beyond its end, still good, and what a browser asks first."""
    first = {"access-control-request-method": "GET", "access-control-request-headers": "range"}
    parts = [{}, {"range": "bytes=0-3"}, {"range": "bytes=99999999-"}, {"if-none-match": tag}]
    return [*(("GET", part) for part in parts), ("HEAD", {}), ("OPTIONS", first), ("PUT", {})]


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
def test_scripts_of_other_sites_read_what_is_wrong_with_their_sql(
    site: Datasette, open_site: Datasette, form: str
) -> None:
    answers = [ask(each, f"/paperledger{form}?sql=select+nosuch") for each in (site, open_site)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [None, "*"]


@pytest.mark.parametrize("path", PAPERS)
def test_a_browser_may_ask_for_ranges_from_another_site(open_site: Datasette, tag: str, path: str) -> None:
    answers = [
        ask(open_site, path, method, headers={"origin": "https://here.example", **headers})
        for method, headers in asks_of_another_site(tag)
    ]
    *files, first, _ = answers
    assert [answer.status_code for answer in answers] == [200, 206, 416, 304, 200, 204, 405]
    assert {answer.headers["access-control-allow-origin"] for answer in (*files, first)} == {"*"}
    assert "Range" in first.headers["access-control-allow-headers"].split(", ")
    shown = files[0].headers["access-control-expose-headers"].split(", ")
    assert {"Accept-Ranges", "Content-Length", "Content-Range"} <= set(shown)


EVERY_ROUTE = [
    *PAPERS,
    *("/", "/paperledger", "/paperledger.db", "/paperledger.json?sql=select+1", "/paperledger.parquet?sql=select+1"),
    *(
        "/paperledger/papers",
        "/paperledger/papers.json",
        "/paperledger/papers.csv",
        "/paperledger/papers.parquet?_size=1",
    ),
    *("/paperledger/papers.json?_sort=x", "/paperledger/papers.parquet?_where=x", "/paperledger/paper_list.parquet"),
    *("/-/downloads", "/-/downloads/manifest.json", "/-/downloads/nosuch", "/-/downloads/paperledger.db", "/-/report"),
    *("/-/charts", "/-/charts/nosuch.svg", "/-/pages/0000000000000000.txt", "/-/bibtex/aaaaaaaaaaaaaaaa.bib"),
    *("/-/databases.json", "/-/metadata.json", "/-/static/app.css", "/-/threads.json", "/nosuch.json"),
]


@pytest.mark.parametrize("path", EVERY_ROUTE)
def test_nothing_is_open_to_scripts_of_other_sites_without_cors(site: Datasette, tag: str, path: str) -> None:
    for method, headers in asks_of_another_site(tag):
        answer = ask(site, path, method, headers={"origin": "https://here.example", **headers})
        assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_pages_and_bibtex_are_open_with_cors(open_site: Datasette) -> None:
    for table, key, route in (("profiles", "profile_id", "pages/{}.txt"), ("papers", "paper_id", "bibtex/{}.bib")):
        row = ask(open_site, f"/paperledger/{table}.json?_shape=array&_size=1", "GET").json()[0]
        answer = ask(open_site, "/-/" + route.format(row[key]))
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("path", PAPERS)
def test_nothing_can_be_written(site: Datasette, path: str) -> None:
    assert ask(site, path, "PUT").status_code == 405


@pytest.mark.parametrize("path", PAPERS)
def test_parquet_is_read_over_ranges(fetch: Fetch, papers: bytes, path: str) -> None:
    table = pq.read_table(Ranged(fetch, path), columns=["citekey"], use_threads=False, pre_buffer=False)
    assert table.equals(pq.read_table(io.BytesIO(papers), columns=["citekey"]))


def test_the_page_names_every_file_with_its_size_and_hash(fetch: Fetch, release: Path) -> None:
    page = fetch("/-/downloads").text
    html5lib.HTMLParser(strict=True).parse(page)
    names = set(re.findall(r'href="/-/downloads/([^"]+)"', page))
    assert names == {path.name for path in release.iterdir()}
    for name in names:
        answer = fetch(f"/-/downloads/{name}")
        assert answer.content == (release / name).read_bytes()
        assert hashlib.sha256(answer.content).hexdigest() in page


def test_the_page_describes_each_table_with_its_size(fetch: Fetch, release: Path) -> None:
    page = fetch("/-/downloads").text
    manifest = read_manifest(release)
    assert manifest["logical_hash"] in page
    assert all(model.definition().title in page for model in TABLES.values())
    assert f"<dd>{manifest['files']['paper_authors.parquet']['rows']:,}</dd>" in page


def test_the_page_shows_how_to_read_from_this_very_server(fetch: Fetch) -> None:
    page = fetch("/-/downloads", headers={"host": "papers.example"}).text
    assert "http://papers.example/-/downloads/paper_list.parquet" in page
    hostile = fetch("/-/downloads", headers={"host": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in hostile


@pytest.mark.parametrize(
    "name",
    ["nothing.parquet", "..", "%2e%2e%2fmanifest.json", "..%2F..%2F..%2Fetc%2Fpasswd", "~2E~2E~2Fcurrent", "", "a/b"],
)
def test_only_files_of_the_manifest_are_sent(site: Datasette, name: str) -> None:
    answer = ask(site, f"/-/downloads/{name}", "GET", follow_redirects=True)
    assert "root:" not in answer.text
    assert answer.status_code == 404 or str(answer.url).endswith("/-/downloads")


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        (MANIFEST, "application/json", "inline"),
        (DATABASE_FILE, "application/vnd.sqlite3", "attachment"),
        ("report.html", "text/html; charset=utf-8", "inline"),
    ],
)
def test_each_file_has_its_type(fetch: Fetch, name: str, kind: str, shown: str) -> None:
    headers = fetch(f"/-/downloads/{name}").headers
    assert headers["content-type"] == kind
    assert headers["content-disposition"].startswith(shown)
    assert headers["x-content-type-options"] == "nosniff"


def make_site(release: Path, metadata: dict[str, Any], **settings: Any) -> Datasette:
    metadata_of_release = json.loads((release / METADATA).read_text(encoding="utf-8")) | metadata
    database = [str(release / DATABASE_FILE)]
    return Datasette([], immutables=database, metadata=metadata_of_release, settings={**SETTINGS, **settings})


def test_who_may_not_see_the_site_gets_no_file(release: Path) -> None:
    site = make_site(release, {"allow": False})
    paths = ["/-/downloads", "/-/report", *PAPERS, f"/-/downloads/{DATABASE_FILE}"]
    assert [ask(site, path, "GET").status_code for path in paths] == [403] * len(paths)


def test_the_database_is_refused_where_datasette_refuses_it(release: Path) -> None:
    site = make_site(release, {}, allow_download=False)
    assert ask(site, f"/-/downloads/{DATABASE_FILE}", "GET").status_code == 403
    assert ask(site, PAPERS[1], "GET").status_code == 200


def test_links_are_below_a_base_url(release: Path) -> None:
    page = ask(make_site(release, {}, base_url="/data/"), "/-/downloads").text
    assert 'href="/data/-/downloads/papers.parquet"' in page
    assert "/data/-/static-plugins/paperledger/site.css" in page
    assert "http://localhost/data/-/downloads/papers.parquet" in page


@pytest.mark.parametrize("path", ["/-/downloads", "/-/downloads/papers.parquet", "/-/report"])
def test_a_datasette_without_a_release_has_no_such_pages(path: str) -> None:
    assert ask(Datasette([]), path).status_code == 404
