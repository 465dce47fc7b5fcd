"""Builds on Spark: the tables of an embedded build, whatever processes are lost; or one line, and the lake as it was."""

import doctest
import importlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal
from records import lines, record
from regenerate import ROOT
from rich.console import Console
from spark_cluster import (
    COMMAND,
    EXECUTOR,
    Marked,
    connect_server,
    java_version,
    marked,
    may_hide_folders,
    run,
    standalone_cluster,
)

from etl import pipeline
from etl.api import BUNDLED
from etl.lake import open_lake
from etl.packing import pack
from etl.progress import Progress
from schemas import TABLES, Frames

pytest.importorskip("pyspark", reason="needs Spark: pip install 'paperledger[spark]'")
pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(java_version() < 17, reason=f"needs Java 17 or newer, found {java_version() or 'none'}"),
]
ANN = "Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell, Cy Dole et al.\n\nThey ring at every hour.\n"
PAPERS, MANY_PAPERS = 2_500, 50_000
QUIET = Progress(Console(quiet=True))
Cluster = tuple[str, Marked]


def invented(folder: Path, papers: int) -> Path:
    """Pages with people under several spellings, listings that differ, and damage."""
    script = ROOT / "tests" / "benchmarks" / "invented_pages.py"
    subprocess.run([sys.executable, script, "--varied", folder, str(papers)], check=True)
    return folder


def shuffled(shards: Path, folder: Path, files: int, group: int) -> Path:
    """The pages in another order, in so many files, so many in a row group."""
    rows = pl.read_parquet(shards / "*.parquet").sample(fraction=1, shuffle=True, seed=files).to_arrow()
    rows = rows.cast(pq.read_schema(next(shards.iterdir())))
    folder.mkdir()
    size = -(-len(rows) // files)
    for number in range(files):
        pq.write_table(rows.slice(number * size, size), folder / f"{number}.parquet", row_group_size=group)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with standalone_cluster(tmp_path_factory.mktemp("cluster")) as (address, processes):
        yield address, processes


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = invented(tmp_path_factory.mktemp("pages") / "of-people", PAPERS)
    (folder / "ann.txt").write_text(ANN, encoding="utf-8")
    shutil.copytree(BUNDLED, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def shards(pages: Path) -> Path:
    folder = pages.with_name("shards")
    pack([str(pages)], folder, QUIET)
    return folder


@pytest.fixture(scope="module")
def reference(pages: Path) -> Path:
    path = pages.with_name("arxiv.jsonl")
    path.write_bytes(lines(record()))
    return path


@pytest.fixture(scope="module")
def completed(pages: Path, reference: Path) -> Frames:
    """The tables of an embedded build with the reference."""
    request = pipeline.Request([str(pages)], pages.with_name("completed"), reference=[reference])
    tables = pipeline.build(request, QUIET).tables
    assert [name for name in ("quarantine", "paper_identifiers", "paper_categories") if tables[name].is_empty()] == []
    return tables


@pytest.fixture(scope="module")
def before(cluster: Cluster, shards: Path) -> Path:
    """An output folder with a lake that was built without the reference, to be copied."""
    out = shards.with_name("before")
    succeed(out, shards, "--master", cluster[0])
    return out


@pytest.fixture
def out(before: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(before, tmp_path / "out"))


def build(out: Path, *arguments: str | Path) -> list[str | Path]:
    return [COMMAND, "build", "--engine", "spark", "--out", out, *arguments]


def succeed(out: Path, *arguments: str | Path) -> None:
    log = out.with_suffix(".log")
    assert run(*build(out, *arguments), log=log) == 0, log.read_text(encoding="utf-8")


def tables_in(out: Path) -> Frames:
    """The tables of the newest lake; an error where one of its files is not as it was published."""
    lake = open_lake(out)
    return {name: pl.concat(lake.batches(name)) for name in TABLES}


def assert_equal(tables: Frames, others: Frames) -> None:
    assert list(tables) == list(others)
    for name, frame in tables.items():
        assert_frame_equal(frame, others[name])


def manifest_in(out: Path) -> bytes:
    """The manifest of the newest lake; an error where one of its files is not as it was published."""
    assert tables_in(out)
    return (out / "lake.json").read_bytes()


def messages(driver: Marked) -> list[str]:
    """The lines of the command itself, among those of Spark."""
    printed = driver.printed.splitlines()
    assert "Traceback (most recent call last):" not in printed
    return [line for line in printed if line.startswith("paperledger: ")]


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_pandera_sets_no_address_of_spark_that_other_machines_cannot_reach() -> None:
    code = "import os, schemas; print('SPARK_LOCAL_IP' in os.environ)"
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "SPARK_LOCAL_IP"}}
    asked = [sys.executable, "-W", "error::FutureWarning", "-c", code]
    assert subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout == "False\n"


def test_tables_are_those_of_an_embedded_build_whatever_the_partitions_and_the_order_of_pages(
    cluster: Cluster, pages: Path, shards: Path, before: Path, tmp_path: Path
) -> None:
    embedded = pipeline.build(pipeline.Request([str(pages)], tmp_path / "embedded"), QUIET)
    succeed(tmp_path / "out", shuffled(shards, tmp_path / "shuffled", files=5, group=7), "--master", cluster[0])
    for out in (before, tmp_path / "out"):
        assert open_lake(out).manifest["logical_hash"] == embedded.release.manifest["logical_hash"]
        assert_equal(tables_in(out), embedded.tables)


def test_spark_connect_gives_the_same_tables(shards: Path, reference: Path, completed: Frames, tmp_path: Path) -> None:
    pages = shuffled(shards, tmp_path / "shuffled", files=2, group=20)
    with connect_server(tmp_path) as address:
        succeed(tmp_path / "out", pages, "--reference", reference, "--remote", address)
    assert_equal(tables_in(tmp_path / "out"), completed)


def test_a_driver_that_is_killed_in_the_write_leaves_the_lake_as_it_was_and_the_next_build_clears_up(
    cluster: Cluster, shards: Path, reference: Path, completed: Frames, out: Path, tmp_path: Path
) -> None:
    before = manifest_in(out)
    asked = (shards, "--reference", reference, "--master", cluster[0])
    with marked(tmp_path / "log") as driver:
        process = driver.start(*build(out, *asked))
        driver.until(lambda: any(out.glob("lakes/.build-*/papers")))
        process.kill()
        cluster[1].until(lambda: not driver.living() and not cluster[1].living(EXECUTOR))
    assert manifest_in(out) == before
    assert list(out.glob("lakes/.build-*")) != []
    succeed(out, *asked)
    assert_equal(tables_in(out), completed)
    assert list(out.rglob(".*")) == []


def test_ctrl_c_while_pages_are_read_ends_all_processes_and_leaves_the_lake_as_it_was(
    cluster: Cluster, shards: Path, out: Path, tmp_path: Path
) -> None:
    before = manifest_in(out)
    with marked(tmp_path / "log") as driver:
        process = driver.start(*build(out, shards, "--master", cluster[0]))
        driver.first(cluster[1].python_workers, lambda one: one.cpu_seconds > 0.1)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 130
        cluster[1].until(lambda: not driver.living() and not cluster[1].living(EXECUTOR))
        assert messages(driver) == ["paperledger: interrupted; nothing was published"]
    assert manifest_in(out) == before


@pytest.mark.parametrize(("option", "address"), [("--master", "spark://127.0.0.1:1"), ("--remote", "sc://127.0.0.1:1")])
def test_an_address_that_does_not_answer_is_reported_in_one_line(option: str, address: str, tmp_path: Path) -> None:
    with marked(tmp_path / "log") as driver:
        assert driver.start(*build(tmp_path / "out", option, address)).wait() == 2
        (line,) = messages(driver)
    assert line.startswith(f"paperledger: Spark at {address}: ")
    assert not (tmp_path / "out").exists()


def test_a_worker_without_paperledger_is_reported_in_one_line(cluster: Cluster, shards: Path, tmp_path: Path) -> None:
    (tmp_path / "etl.py").write_text("raise ModuleNotFoundError(\"No module named 'etl'\")\n", encoding="utf-8")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}:$PYTHONPATH exec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    with marked(tmp_path / "log") as driver:
        asked = build(tmp_path / "out", shards, "--master", cluster[0])
        assert driver.start(*asked, PYSPARK_PYTHON=str(python)).wait() == 1
        (line,) = messages(driver)
    assert "No module named 'etl'" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not may_hide_folders(), reason="needs unshare and mount, and the right to use them")
def test_an_output_folder_that_workers_do_not_share_is_reported_in_one_line(shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with connect_server(tmp_path, hidden=out) as address, marked(tmp_path / "log") as driver:
        assert driver.start(*build(out, shards, "--remote", address)).wait() == 1
        (line,) = messages(driver)
    assert str(out) in line
    assert "not found by a worker; the driver and all workers must have this folder at the same path" in line
    assert list(out.iterdir()) == []


@pytest.mark.skipif(not may_hide_folders(), reason="needs unshare and mount, and the right to use them")
def test_pages_that_a_worker_does_not_see_are_an_error_also_where_unreadable_ones_are_allowed(
    shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with connect_server(tmp_path, hidden=shards) as address, marked(tmp_path / "log") as driver:
        assert driver.start(*build(out, shards, "--remote", address), "--allow-unreadable").wait() == 1
        (line,) = messages(driver)
    assert str(shards) in line
    assert "not found by a worker; the driver and all workers must have the pages at the same path" in line
    assert not out.exists()


def test_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(importlib.import_module("etl.engine.spark")).failed == 0


def test_a_release_of_a_lake_has_the_bytes_of_an_embedded_build_though_a_python_worker_and_an_executor_were_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    pack([str(invented(tmp_path / "pages", MANY_PAPERS))], tmp_path / "shards", QUIET)
    with marked(tmp_path / "log") as driver:
        process = driver.start(*build(tmp_path / "out", tmp_path / "shards", "--master", cluster[0]))
        driver.first(cluster[1].python_workers, lambda one: one.cpu_seconds > 1).kill()
        driver.until(lambda: "Lost task" in driver.printed)
        writes = r"/lakes/\.build-[^/]*/papers/.*\.parquet"
        driver.first(lambda: cluster[1].living(EXECUTOR), lambda one: one.has_open(writes)).kill()
        assert process.wait() == 0
        assert "Lost executor" in driver.printed
    for arguments in (
        ("build", tmp_path / "pages", "--out", tmp_path / "embedded"),
        ("export", "sqlite", "--from", tmp_path / "out", "--out", tmp_path / "out"),
    ):
        assert run(COMMAND, *arguments, log=tmp_path / "log") == 0
    assert bytes_in(tmp_path / "out" / "current") == bytes_in(tmp_path / "embedded" / "current")
