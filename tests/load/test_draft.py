"""Drafts: what is written while the checks run, by a process beside them, is what would be written after them."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from etl import pipeline
from etl.engine.embedded import Processes
from etl.errors import BadData, PublicationError, WorkerDied
from etl.load import draft
from etl.load.draft import FIRST, Draft, Part, Write, write_part
from etl.load.publish import drafted, locked, publish
from etl.progress import Progress
from etl.release.release import newest_release
from etl.release.verify import verify
from schemas import RESULT_TABLES, Frames

QUIET = Progress(Console(quiet=True))
PROVENANCE = {"overrides": None}


@pytest.fixture(autouse=True)
def begun_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MANY", 0)


@pytest.fixture
def pages(texts: tuple[str, str], tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder


def request(pages: Path, out: Path, workers: int) -> pipeline.Request:
    return pipeline.Request([str(pages)], out, workers=workers)


def contents(release: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in release.iterdir()}


def fails(_: Part) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def fails_later(part: Part) -> None:
    (fails if "papers" in part.tables else write_part)(part)


def dies(_: Part) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_later(part: Part) -> None:
    (dies if "papers" in part.tables else write_part)(part)


def in_process(function: Write) -> draft.Beside:
    """Runs another function than it is given, in a process of its own."""

    @contextmanager
    def beside(_: Write) -> Iterator[Write]:
        with Processes(2).beside(function) as write:
            yield write

    return beside


def begin(writing: Draft, tables: Frames) -> None:
    writing.begin({name: tables[name] for name in FIRST}, tables["papers"])
    writing.go_on({name: frame for name, frame in tables.items() if name not in RESULT_TABLES})


def test_a_process_beside_the_checks_writes_the_same_bytes(pages: Path, tmp_path: Path) -> None:
    one, two = (pipeline.build(request(pages, tmp_path / str(workers), workers), QUIET) for workers in (1, 2))
    assert contents(one.release.path) == contents(two.release.path)
    assert verify(two.release.path) == []
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("stage", "query"),
    [
        pytest.param("resolve", "SELECT count(*) FROM listings", id="listings before their people are known"),
        pytest.param("resolve", "SELECT count(*) FROM papers_fts WHERE papers_fts MATCH 'bells'", id="search too"),
        pytest.param("validate", "SELECT count(*) FROM authors", id="authors before they are checked"),
    ],
)
def test_what_is_known_is_written_while_the_next_stage_works(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, query: str
) -> None:
    asked = request(pages, tmp_path / "out", 2)
    whole = pipeline.build(replace(asked, out=tmp_path / "whole"), QUIET).release.path
    work = getattr(pipeline, stage)

    def later(*given: object, **named: object) -> object:
        database = next((tmp_path / "out" / "releases").glob(".build-*")) / "paperledger.db"
        until = time.monotonic() + 30
        while counted(database, query) != counted(whole / "paperledger.db", query):
            assert time.monotonic() < until
            time.sleep(0.01)
        return work(*given, **named)

    assert counted(whole / "paperledger.db", query)
    monkeypatch.setattr(pipeline, stage, later)
    assert contents(pipeline.build(asked, QUIET).release.path) == contents(whole)


def counted(database: Path, query: str) -> int | None:
    """The number that a query tells; None where the database or the table is not there yet."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        return int(opened.execute(query).fetchone()[0])
    return None


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (
            fails,
            PublicationError,
            r"cannot be written \(database or disk is full, or .+ \(TMPDIR\), .+\); the last release is as it was",
        ),
        (fails_later, PublicationError, "cannot be written"),
        (dies, WorkerDied, "a worker process died"),
        (dies_later, WorkerDied, "a worker process died"),
    ],
)
def test_a_process_that_fails_leaves_the_last_release_as_it_was(
    tables: Frames, tmp_path: Path, function: Write, error: type[Exception], words: str
) -> None:
    publish(tmp_path, tables, PROVENANCE)
    last = newest_release(tmp_path)
    changed = tables | {"links": tables["links"].clear()}
    told = pytest.raises(error, match=words)
    with locked(tmp_path), told, drafted(tmp_path, in_process(function)) as writing:
        begin(writing, changed)
        publish(tmp_path, changed, PROVENANCE, draft=writing)
    assert newest_release(tmp_path) == last
    assert [path.name for path in (tmp_path / "releases").iterdir()] == [last.name]
    assert multiprocessing.active_children() == []


def test_a_draft_of_bad_data_is_removed(pages: Path, tmp_path: Path) -> None:
    (pages / "other.txt").write_text("A page about something else.\n", encoding="utf-8")
    with pytest.raises(BadData):
        pipeline.build(request(pages, tmp_path / "out", 2), QUIET)
    assert not (tmp_path / "out").exists()
    assert multiprocessing.active_children() == []


def test_a_draft_of_a_release_that_exists_is_removed(pages: Path, tmp_path: Path) -> None:
    first = pipeline.build(request(pages, tmp_path / "out", 2), QUIET).release.path
    before = contents(first)
    assert pipeline.build(request(pages, tmp_path / "out", 2), QUIET).release.path == first
    assert contents(first) == before
    assert list((tmp_path / "out" / "releases").iterdir()) == [first.resolve()]


PROGRAM = "import sys; from etl.load import draft; draft.MANY = 0; from etl.cli import main; main()"


@pytest.mark.parametrize(
    ("written", "later"), [("listings", 0), ("profiles", 0), ("profiles", 0.2), ("profiles", 0.5), ("profiles", 0.8)]
)
def test_ctrl_c_while_a_process_writes_ends_both(pages: Path, tmp_path: Path, written: str, later: float) -> None:
    command = [sys.executable, "-c", PROGRAM, "build", str(pages), "--workers", "2", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as build:
        while not any(tmp_path.glob(f"out/releases/.build-*/{written}.parquet")) and build.poll() is None:
            time.sleep(0.002)
        time.sleep(later)
        os.killpg(build.pid, signal.SIGINT)
        _, said = build.communicate(timeout=10)
    published = (tmp_path / "out" / "current").exists()
    interrupted = [line for line in said.splitlines() if "interrupted" in line]
    assert (build.returncode, len(interrupted)) in [(130, 1), (0, 0)]
    assert published == (build.returncode == 0 or "was published before" in said)
    assert not any(tmp_path.glob("out/releases/.build-*"))
    assert "Traceback" not in said


def beside_none() -> AbstractContextManager[Write]:
    pytest.fail("a process was started")


def test_few_rows_are_written_without_a_process(
    tables: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "MANY", sum(tables[name].height for name in FIRST))
    with locked(tmp_path), drafted(tmp_path, lambda _: beside_none()) as writing:
        begin(writing, tables)
        assert verify(publish(tmp_path, tables, PROVENANCE, draft=writing)) == []
