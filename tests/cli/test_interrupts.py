"""Ctrl-C, which reaches the whole process group, at any moment of a command: one line, exit code 130, and soon."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.limits import BATCH_PAGES

COMMAND = Path(sys.executable).with_name("paperledger")
PAGE = "Ann Bell {0}\n\nCLMay 1, 2024\nOn Rope {0}\n\nCy Dole {0}, Ann Bell {0}\n\nRopes hold the bells of tower {0}.\n"
PAGES = 2 * BATCH_PAGES + 1
"""Pages for three batches, so that two workers have work."""
SOON = 10
"""Seconds in which a command ends, however much else the machine does; of a command that goes on, the exit code is another."""
Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for number in range(PAGES):
        (folder / f"{number:03}.txt").write_text(PAGE.format(number), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that takes seconds to read."""
    path = tmp_path_factory.mktemp("archive") / "pages.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as members:
        for number in range(20 * BATCH_PAGES):
            data = PAGE.format(number).encode()
            info = tarfile.TarInfo(f"{number:05}.txt")
            info.size = len(data)
            members.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def start() -> Iterator[Started]:
    """Starts a command in a process group of its own, which is ended when the test is over."""
    groups = []

    def started(*arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            list(map(str, arguments)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        groups.append(process)
        return process

    yield started
    for process in groups:
        if living(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stderr
        process.stderr.close()


def living(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
            if int(process_group) == group and state not in "ZX":
                found.append((path.parent / "cmdline").read_text(encoding="utf-8"))
        except OSError:
            continue
    return [one for one in found if one]


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and what was said of a process whose group gets Ctrl-C; both it and its children end by themselves."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=SOON)
    started = time.monotonic()
    while living(process.pid) and time.monotonic() - started < SOON:
        time.sleep(0.01)
    assert living(process.pid) == []
    return process.returncode, said


def until(process: subprocess.Popen[str], there: Callable[[], object]) -> None:
    while not there() and process.poll() is None:
        time.sleep(0.002)


def is_open(process: subprocess.Popen[str], path: Path) -> bool:
    try:
        return path in [link.readlink() for link in Path(f"/proc/{process.pid}/fd").iterdir()]
    except OSError:
        return False


def children(process: subprocess.Popen[str]) -> int:
    return sum("spawn_main" in one for one in living(process.pid))


NOTHING = "paperledger: interrupted; nothing was published\n"


@pytest.mark.parametrize("seconds", [0.15, 0.5, 0.9])
def test_a_command_that_is_still_starting_ends_with_one_line(
    pages: Path, tmp_path: Path, start: Started, seconds: float
) -> None:
    process = start(COMMAND, "build", pages, "--workers", "2", "--out", tmp_path / "out")
    time.sleep(seconds)
    code, said = interrupted(process)
    # Until Python itself is up, the system's own way applies.
    assert (code, said) in [(130, NOTHING), (-signal.SIGINT, "")]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("later", [0, 0.05, 0.3, 0.6])
def test_workers_that_start_import_or_work_end_without_a_word(pages: Path, start: Started, later: float) -> None:
    process = start(COMMAND, "check", pages, "--workers", "2")
    until(process, lambda: children(process))
    time.sleep(later)
    assert interrupted(process) == (130, NOTHING)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("later", [0, 0.3, 1])
def test_an_archive_that_is_read_leaves_nothing(
    archive: Path, tmp_path: Path, start: Started, workers: str, later: float
) -> None:
    process = start(COMMAND, "build", archive, "--workers", workers, "--out", tmp_path / "out")
    until(process, lambda: is_open(process, archive))
    time.sleep(later)
    assert interrupted(process) == (130, NOTHING)
    assert list(tmp_path.iterdir()) == []


def test_pages_that_are_packed_leave_nothing(archive: Path, tmp_path: Path, start: Started) -> None:
    process = start(COMMAND, "pack", archive, "-o", tmp_path / "out")
    until(process, lambda: any(tmp_path.glob(".pack-*")))
    assert interrupted(process) == (130, "paperledger: interrupted; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_writes_its_release_leaves_nothing_of_it(pages: Path, tmp_path: Path, start: Started) -> None:
    process = start(COMMAND, "build", pages, "--out", tmp_path / "out")
    until(process, lambda: any(tmp_path.glob("out/releases/.build-*")))
    assert interrupted(process) == (130, NOTHING)
    assert not (tmp_path / "out").exists()


COMPUTES = """
import signal, sqlite3, sys
from etl.cli.interrupts import clearing_away, leave_at_once
leave_at_once()
with clearing_away():
    print("up", file=sys.stderr, flush=True)
    {}
"""
"""A program that says when it is at work, which follows; what it says of the interrupt itself is a traceback."""


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(
            "sqlite3.connect(':memory:').execute("
            "'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n').fetchall()",
            id="computes-outside-python",
        ),
        pytest.param(
            "import time\n    try:\n        time.sleep(60)\n    except BaseException:\n        time.sleep(60)",
            id="loses-the-exception",
        ),
    ],
)
def test_what_does_not_end_by_itself_is_ended(start: Started, work: str) -> None:
    process = start(sys.executable, "-c", COMPUTES.format(work))
    assert process.stderr
    assert process.stderr.readline() == "up\n"
    time.sleep(0.3)
    assert interrupted(process) == (130, NOTHING)


def test_what_fails_since_the_interrupt_came_is_no_error_of_its_own(start: Started) -> None:
    work = "import time\n    try:\n        time.sleep(60)\n    except BaseException:\n        raise ImportError('x')"
    process = start(sys.executable, "-c", COMPUTES.format(work))
    assert process.stderr
    assert process.stderr.readline() == "up\n"
    code, said = interrupted(process)
    assert said.splitlines()[-1] == "etl.errors.Interrupted: interrupted; nothing was published"
    assert code == 1
