"""`paperledger serve`: Datasette on this machine, with every page answering and search at work."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from rich.console import Console

from etl.pipeline import Request, build
from etl.progress import Progress
from schemas import TABLES, VIEWS

COMMAND = Path(sys.executable).with_name("paperledger")
READY = "Uvicorn running on "


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over the sample page; it says itself when it is up."""
    out = tmp_path_factory.mktemp("serve") / "build"
    build(Request([str(files("etl").joinpath("sample"))], out), Progress(Console(quiet=True)))
    command = [COMMAND, "serve", "--out", out, "--port", str(free_port())]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stderr
        said = next((line for line in server.stderr if READY in line), None)
        try:
            assert said, "the server ended before it was up"
            yield said.partition(READY)[2].split()[0]
        finally:
            server.terminate()


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
    assert [get(row)[0] for row in rows] == [200, 200, 200]
