"""One file of metadata serves both Datasettes: 0.65 takes it as `-m`, the newest 1.0 pre-release as `-m` and `-c`.

The pre-release gets a virtual environment of its own, from the package index, once a session; its tests are slow ones.
"""

import html
import json
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from etl.load.layout import DATABASE_FILE, METADATA
from schemas import QUESTIONS, TABLES, VIEWS

PRE_RELEASE = "datasette>=1.0a0"
READY = "Uvicorn running on "
NO_INDEX = "connection broken by"
"""Part of pip's message where it reaches no package index."""
NAMES = [*TABLES, *VIEWS]
FACETS = ["category_id", "year_inferred", "authors_truncated", "has_code"]


@dataclass(frozen=True)
class Server:
    """A running Datasette: its address, and the file of its output."""

    address: str
    log: Path

    def html(self, path: str) -> str:
        return html.unescape(self._read(path))

    def json(self, path: str, **asked: str) -> Any:
        return json.loads(self._read(f"{path}.json?{urlencode(asked)}"))

    def _read(self, path: str) -> str:
        with urlopen(f"{self.address}/{path}", timeout=30) as answer:  # noqa: S310  the address is this machine's
            assert answer.status == 200
            return str(answer.read().decode())


@pytest.fixture(scope="session")
def pre_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the newest pre-release of Datasette 1.0."""
    place = tmp_path_factory.mktemp("datasette-1")
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--retries", "1", "--pre", PRE_RELEASE]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode and NO_INDEX in done.stderr:
        pytest.skip("no package index can be reached for Datasette 1.0")
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="module", params=["0.65", pytest.param("1.0", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, release: Path) -> Iterator[Server]:
    """Either Datasette over a release, once it is ready."""
    python, options = Path(sys.executable), ["--metadata", str(release / METADATA)]
    if request.param == "1.0":
        python, options = request.getfixturevalue("pre_release"), [*options, "--config", str(release / METADATA)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [python, "-u", "-m", "datasette", "serve", "-i", str(release / DATABASE_FILE), "--port", port, *options]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
            try:
                yield Server(_address(process, log), log)
            finally:
                process.terminate()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    while READY not in log.read_text(encoding="utf-8"):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    return log.read_text(encoding="utf-8").partition(READY)[2].split()[0]


@pytest.fixture(scope="module")
def metadata(release: Path) -> Any:
    return json.loads((release / METADATA).read_text(encoding="utf-8"))


def test_every_table_and_view_shows_its_words_and_rights(server: Server, metadata: Any) -> None:
    for name, facts in metadata["databases"]["paperledger"]["tables"].items():
        page = server.html(f"paperledger/{name}")
        expected = [
            facts["title"],
            facts["description"],
            facts["license"],
            facts["license_url"],
            *facts["columns"].values(),
        ]
        assert [words for words in expected if words not in page] == []
        assert server.json(f"paperledger/{name}")["rows"] is not None


def test_home_and_database_tell_what_this_is_and_whose(server: Server, metadata: Any) -> None:
    for page in (server.html(""), server.html("paperledger")):
        assert metadata["description"] in page
        assert metadata["license_url"] in page


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_answers_with_its_words(server: Server, name: str) -> None:
    question, page = QUESTIONS[name], server.html(f"paperledger/{name}")
    expected = [question.title, question.description, *question.params]
    assert [words for words in expected if words not in page] == []
    assert isinstance(server.json(f"paperledger/{name}", _shape="array"), list)


def test_a_question_takes_its_parameter(server: Server) -> None:
    found = server.json("paperledger/search_papers", q="distillation", _shape="array")
    assert found
    assert all("«" in row["title"] + row["abstract"] for row in found)


def test_facets_are_there(server: Server) -> None:
    expected = server.json("paperledger/papers", _extra="facet_results")["facet_results"]
    assert [*expected.get("results", expected)] == FACETS
    expected = server.json("paperledger/paper_list", _extra="facet_results")["facet_results"]
    assert [*expected.get("results", expected)] == ["category_id", "has_code", "author_names"]


def test_rows_are_in_order_and_pages_have_their_size(server: Server) -> None:
    rows = server.json("paperledger/papers", _shape="objects")["rows"]
    dates = [row["published"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert len(rows) == 20


def test_labels_stand_for_keys(server: Server) -> None:
    row = server.json("paperledger/listings", _shape="objects", _labels="on")["rows"][0]
    assert row["paper_id"]["label"] != row["paper_id"]["value"]


def test_search_works_on_the_table_of_papers(server: Server) -> None:
    found = server.json("paperledger/papers", _search="dylora", _shape="objects")["rows"]
    assert [row["citekey"] for row in found] == ["valipour2022dylora"]


def test_the_search_index_is_hidden(server: Server) -> None:
    tables = server.json("paperledger")["tables"]
    # 1.0 hides only indexes over a table's own columns; that of authors holds the spellings of another table.
    assert {table["name"] for table in tables if not table["hidden"]} - {"authors_fts"} == set(TABLES)


def test_nothing_is_complained_of(server: Server) -> None:
    server.html("")
    output = server.log.read_text(encoding="utf-8").lower()
    assert [word for word in ("traceback", "error", "warning", "unknown", "deprecat") if word in output] == []
