"""`paperledger serve`: Datasette on this machine, with every page answering, search at work, and options handed on."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlsplit
from urllib.request import urlopen

import pytest
from rich.console import Console
from serving import COMMAND, READY, serving

from etl.pipeline import Request, build
from etl.progress import Progress
from etl.site.served import SETTINGS
from schemas import TABLES, VIEWS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release of the sample page."""
    folder = tmp_path_factory.mktemp("serve") / "build"
    build(Request([str(files("etl").joinpath("sample"))], folder), Progress(Console(quiet=True)))
    return folder


@pytest.fixture(scope="module")
def address(out: Path) -> Iterator[str]:
    with serving(out) as server:
        yield server.address


def run(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "serve", "--out", out, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def get(address: str) -> tuple[int, bytes]:
    try:
        with urlopen(address) as answer:  # noqa: S310  the address is this machine's
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def get_json(address: str) -> Any:
    return json.loads(get(address)[1])


def test_it_serves_this_machine_only(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")


def test_the_home_page_tells_what_this_is(address: str) -> None:
    status, page = get(address)
    assert status == 200
    assert b"counts are lower bounds" in page


@pytest.mark.parametrize("name", ["", *TABLES, *VIEWS])
def test_every_page_answers(address: str, name: str) -> None:
    assert get(f"{address}/paperledger/{name}".rstrip("/"))[0] == 200


def test_the_papers_come_as_json(address: str) -> None:
    answer = get_json(f"{address}/paperledger/papers.json?_size=max")
    assert answer["filtered_table_rows_count"] == len(answer["rows"]) == 50


def test_the_tables_are_those_of_the_dataset_and_the_search_index_is_hidden(address: str) -> None:
    tables = get_json(f"{address}/paperledger.json")["tables"]
    assert {table["name"] for table in tables if not table["hidden"]} == set(TABLES)


@pytest.mark.parametrize(("words", "count"), [("lora", 1), ("LORA", 1), ("distilled", 11), ("bells", 0)])
def test_search_finds_words_and_their_forms(address: str, words: str, count: int) -> None:
    answer = get_json(f"{address}/paperledger/papers.json?_search={words}&_shape=objects")
    assert answer["filtered_table_rows_count"] == count


def test_search_for_lora_finds_dylora(address: str) -> None:
    answer = get_json(f"{address}/paperledger/papers.json?_search=lora&_shape=objects")
    assert [row["citekey"] for row in answer["rows"]] == ["valipour2022dylora"]


def test_the_database_cannot_be_written(address: str) -> None:
    assert get_json(f"{address}/-/databases.json")[0]["is_mutable"] is False


def test_a_findings_row_key_is_the_address_of_its_row(address: str) -> None:
    findings = get_json(f"{address}/paperledger/findings.json?_shape=array")
    rows = [f"{address}/paperledger/{row['table_name']}/{row['row_key']}.json" for row in findings]
    assert rows
    assert {get(row)[0] for row in rows} == {200}


def test_the_settings_of_a_public_site_are_served(address: str) -> None:
    assert SETTINGS.items() <= get_json(f"{address}/-/settings.json").items()


def test_what_stands_behind_two_dashes_reaches_datasette_and_wins(out: Path) -> None:
    port = str(free_port())
    options = ["--setting", "base_url", "/data/", "--setting", "default_allow_sql", "off", "--cors", "-p", port]
    with serving(out, "--port", "1", "--", *options, "--setting", "max_returned_rows", "7") as server:
        address = server.address
        assert f"http://127.0.0.1:{port}/data/ - stop with Ctrl+C" in server.said
        settings = get_json(f"{address}/data/-/settings.json")
        assert (settings["max_returned_rows"], settings["suggest_facets"]) == (7, False)
        assert get(f"{address}/data/paperledger.json?sql=select+1")[0] == 403
        with urlopen(f"{address}/data/-/settings.json") as answer:  # noqa: S310  the address is this machine's
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_port_that_is_taken_is_told_in_one_line(out: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run(out, "--port", str(port))
    assert result.returncode == 2
    assert result.stderr == (
        f"paperledger: 127.0.0.1:{port}: cannot listen here (Address already in use);"
        " stop what listens there, or give another port (--port 0: any)\n"
    )


def test_a_host_that_is_not_this_machine_is_told_in_one_line(out: Path) -> None:
    result = run(out, "--host", "203.0.113.7")
    assert result.returncode == 2
    assert result.stderr.startswith("paperledger: 203.0.113.7:8001: cannot listen here (")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--nonsense"], "No such option"), (["--setting", "x"], "--setting")],
    ids=["unknown", "cut-short"],
)
def test_what_is_wrong_with_datasettes_options_is_told_by_datasette(out: Path, options: list[str], told: str) -> None:
    result = run(out, "--port", "0", "--", *options)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_an_option_without_the_two_dashes_is_a_usage_error(out: Path) -> None:
    result = run(out, "--cors")
    assert result.returncode == 2
    assert "Usage: paperledger serve" in result.stderr


def test_one_answer_can_be_asked_for_without_a_server(out: Path) -> None:
    result = run(out, "--", "--get", "/paperledger/papers.json?_size=1&_shape=array")
    assert (result.returncode, len(json.loads(result.stdout))) == (0, 1)


def test_a_file_in_the_folder_where_somebody_stands_is_no_module_of_ours(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit('run')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run(out, "--", "--get", "/paperledger/papers.json?_size=1&_shape=array")
    assert (result.returncode, len(json.loads(result.stdout))) == (0, 1)


def test_a_releases_folder_is_served(out: Path) -> None:
    asked = ["--", "--get", "/paperledger/papers.json?_size=1&_shape=array"]
    command = [COMMAND, "serve", (out / "current").resolve(), *asked]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, len(json.loads(result.stdout))) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "paperledger: nowhere: no release here; run "),
        (["one", "two"], "Got unexpected extra argument (two); options for Datasette come after --\n"),
        (["--cors"], "; options for Datasette come after --\n"),
        (["one", "--out", "two"], "paperledger: one: found another folder than two of --out, expected one; give only"),
    ],
    ids=["no-release", "two-folders", "datasettes-option", "folder-and-option"],
)
def test_what_serve_does_not_know_it_refuses(tmp_path: Path, arguments: list[str], told: str) -> None:
    command = [COMMAND, "serve", *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_site_that_is_stopped_while_it_starts_ends_with_one_line(out: Path) -> None:
    command = [COMMAND, "serve", out, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("Serving release ")
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        assert (process.stderr.read(), process.wait()) == ("paperledger: stopped\n", 130)


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, -15), (signal.SIGINT, 130)], ids=["terminate", "ctrl-c"])
def test_a_site_that_computes_ends_soon(out: Path, sign: int, code: int) -> None:
    sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"
    command = [COMMAND, "serve", "--out", out, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        address = next(line for line in process.stderr if READY in line).partition(READY)[2].split()[0]
        port = urlsplit(address).port
        with socket.create_connection(("127.0.0.1", port)) as one, socket.create_connection(("127.0.0.1", port)) as two:
            for connection, form in ((one, ".parquet"), (two, ".json")):
                head = f"GET /paperledger{form}?sql={quote_plus(sql)} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                connection.sendall(head.encode())
            time.sleep(0.5)
            process.send_signal(sign)
            assert process.wait(10) == code
