"""Builds that are killed, that meet a full disk or a limit, or one another: what is published stays whole."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from etl import pipeline
from etl.load.publish import locked
from etl.progress import Progress
from etl.release.release import newest_release
from etl.release.verify import verify

COMMAND = Path(sys.executable).with_name("paperledger")
PAGE = Path(__file__).parents[1] / "data" / "ann-bell.txt"
EARLIER = "Cy Dole\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold.\n"
SEED = 20240501
COUNTS = [pytest.param(20, id="20"), pytest.param(200, id="200", marks=pytest.mark.slow)]
KIB = 1024
FULL = {
    "No space left on device",
    "database or disk is full, or that for temporary files (TMPDIR), where SQLite sorts",
    "disk I/O error",
    "unable to open database file",
}
"""How a full disk is told by the system, and by SQLite."""
Result = subprocess.CompletedProcess[str]


def build(page: Path, out: Path) -> Path:
    """Build here and now; the release."""
    return pipeline.build(pipeline.Request([str(page)], out), Progress(Console(quiet=True))).release.path


def command(out: Path) -> list[str]:
    return [str(COMMAND), "build", str(PAGE), "--out", str(out)]


def run(out: Path, limit: Callable[[], object] | None = None) -> Result:
    return subprocess.run(command(out), capture_output=True, text=True, check=False, preexec_fn=limit)


def hidden(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if path.name.startswith(".")]


def publishing(out: Path) -> bool:
    return any((out / "releases").glob(".build-*"))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with an earlier release, to be copied."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "cy.txt").write_text(EARLIER, encoding="utf-8")
    build(folder / "cy.txt", folder / "build")
    return folder / "build"


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Kill a build at a moment of its whole run."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def kill_within(process: subprocess.Popen[bytes], out: Path, seconds: float) -> None:
    """Kill a build at a moment of its publication, which begins when the hidden folder is there."""
    while process.poll() is None and not publishing(out):
        time.sleep(0.001)
    time.sleep(seconds)
    process.kill()


def durations(out: Path) -> tuple[float, float]:
    """Seconds of a whole build, and of the time in which its hidden folder is there."""
    started = time.monotonic()
    with subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not publishing(out):
            assert process.poll() is None, "the build ended before it wrote anything"
            time.sleep(0.001)
        began = time.monotonic()
        while publishing(out):
            time.sleep(0.001)
        ended = time.monotonic()
    return time.monotonic() - started, ended - began


@pytest.mark.parametrize("count", COUNTS)
def test_a_build_killed_at_any_moment_leaves_a_whole_release_and_the_next_build_clears_up(
    before: Path, tmp_path: Path, count: int
) -> None:
    whole, publication = durations(Path(shutil.copytree(before, tmp_path / "timed", symlinks=True)))
    moments = random.Random(SEED)  # noqa: S311
    outcomes = []
    for number in range(count):
        out = Path(shutil.copytree(before, tmp_path / str(number), symlinks=True))
        earlier = newest_release(out)
        with subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            # Every other build dies while it publishes, the others at any time; each in a slice of time of its own.
            share = (number + moments.random()) / count
            if number % 2:
                kill_within(process, out, share * publication)
            else:
                kill_after(process, share * whole)
        outcomes.append((process.returncode, bool(hidden(out)), newest_release(out) != earlier))
        for release in {newest_release(out), earlier}:
            assert verify(release) == []
        after = build(PAGE, out)
        assert newest_release(out) == after.resolve()
        assert verify(after) == []
        assert hidden(out) == []
        shutil.rmtree(out)
    killed, debris, _ = zip(*outcomes, strict=True)
    assert -signal.SIGKILL in killed, "no build was killed in time"
    assert True in debris, "no build died with files half written"


def test_a_first_build_that_is_killed_leaves_no_release(tmp_path: Path) -> None:
    out = tmp_path / "build"
    with subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        kill_within(process, out, 0)
    assert not (out / "current").exists()
    assert len(hidden(out)) > 0
    assert verify(build(PAGE, out)) == []
    assert hidden(out) == []


def test_a_build_with_workers_that_is_killed_holds_no_lock(before: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(before, tmp_path / "build", symlinks=True))
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(250):
        (pages / f"{number}.txt").write_text(EARLIER.replace("Ropes", f"Rope {number}"), encoding="utf-8")
    asked = [str(COMMAND), "build", str(pages), "--workers", "2", "--out", str(out)]
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        kill_after(process, 2.5)
    assert verify(newest_release(out)) == []
    assert verify(build(PAGE, out)) == []


def problem_of(result: Result) -> str:
    return result.stderr.rpartition("cannot be written (")[2].partition(");")[0]


def told_and_whole(result: Result, out: Path, problem: str) -> None:
    """A clear line and exit code 4, no debris, and the earlier release as it was."""
    assert result.returncode == 4, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("paperledger: ")]
    assert lines == [f"paperledger: {out}: cannot be written ({problem}); the last release is as it was"]
    assert "Traceback" not in result.stderr
    assert hidden(out) == []
    assert verify(newest_release(out)) == []
    assert len(list((out / "releases").iterdir())) == 1


@pytest.mark.parametrize(
    ("kib", "problem"),
    [
        pytest.param(1, "File too large", id="parquet"),
        pytest.param(16, "disk I/O error", id="growing-database"),
        pytest.param(200, "disk I/O error", id="database-with-indexes"),
    ],
)
def test_a_limit_of_file_sizes_is_told(before: Path, tmp_path: Path, kib: int, problem: str) -> None:
    out = Path(shutil.copytree(before, tmp_path / "build", symlinks=True))
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (kib * KIB, kib * KIB))
    told_and_whole(run(out, limit), out, problem)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk with these options; skips where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not unmount:
        pytest.skip("mounting a small disk needs root, mount and umount")

    def mounted(options: str) -> Path:
        asked = [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        result = subprocess.run(asked, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"mounting a small disk is refused: {result.stderr.strip()}")
        return place

    yield mounted
    if place.is_mount():
        subprocess.run([unmount, str(place)], check=True)


@pytest.mark.parametrize("share", [0, 0.4, 0.9, 1.2, 1.8])
def test_a_full_disk_is_told(before: Path, small_disk: Callable[[str], Path], share: float) -> None:
    """The database needs most of the room, and the other files as much again in so small a release."""
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in (before / "releases").rglob("*") if path.is_file())
    room = int(share * (before / "current" / "paperledger.db").stat().st_size)
    out = Path(shutil.copytree(before, small_disk(f"size={used + room + 8 * KIB}") / "build", symlinks=True))
    result = run(out)
    problem = problem_of(result)
    assert any(words in problem for words in FULL)
    told_and_whole(result, out, problem)


@pytest.mark.parametrize("files", [1, 2, 3, 4, 12, 19, 21])
def test_a_disk_that_takes_no_more_files_is_told(before: Path, small_disk: Callable[[str], Path], files: int) -> None:
    used = len(list(before.rglob("*"))) + 2
    out = Path(shutil.copytree(before, small_disk(f"nr_inodes={used + files}") / "build", symlinks=True))
    result = run(out)
    problem = problem_of(result)
    assert problem in FULL
    told_and_whole(result, out, problem)


def test_a_build_that_finds_another_at_work_ends_at_once(before: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(before, tmp_path / "build", symlinks=True))
    with locked(out):
        result = run(out)
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1] == (
        f"paperledger: {out}: another build is writing to this folder; wait for it, or choose another with --out"
    )
    assert verify(newest_release(out)) == []
    assert len(list((out / "releases").iterdir())) == 1


def test_of_two_builds_at_once_one_publishes_and_the_other_says_so(tmp_path: Path) -> None:
    out = tmp_path / "build"
    first, second = (
        subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)
    )
    told = {process.returncode: said for process in (first, second) for _, said in [process.communicate()]}
    # A machine that is busy enough may run them one after the other.
    assert told.keys() <= {0, 4}
    assert 0 in told
    assert "another build is writing to this folder" in told.get(4, "another build is writing to this folder")
    assert verify(newest_release(out)) == []
