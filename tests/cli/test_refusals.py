"""What the system refuses is told in one line, whichever path it is of: permissions, odd files, full disks, readers that leave."""

import concurrent.futures.process  # noqa: F401  a library imports it late, and without rights it is not found
import os
import pwd
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import Result
from helpers import run

from etl.cli import main
from etl.release import verify as checks

PAGE = (
    "Ann Bell\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold the bells of the tower. https://x.org/a\n"
)
COMMANDS = {
    "check": ["check", "{}"],
    "overrides": ["check", "ann.txt", "--overrides", "{}"],
    "rules": ["check", "ann.txt", "--rules", "{}"],
    "baseline": ["check", "ann.txt", "--baseline", "{}"],
    "report": ["check", "ann.txt", "--report", "{}"],
    "out": ["build", "ann.txt", "--out", "{}"],
    "page": ["page", "ann.txt", "{}"],
    "why": ["why", "authors", "ann-bell", "--out", "{}"],
    "authors": ["authors", "{}"],
    "verify": ["verify", "{}"],
    "serve": ["serve", "{}", "--port", "0"],
    "old": ["diff", "{}", "build"],
    "new": ["diff", "build", "{}"],
}
READERS = ("page", "why", "authors", "verify", "serve", "old", "new")
SERVED = 77
"""The exit code that stands for having become Datasette."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    page, settings = folder / "ann.txt", folder / "settings.toml"
    page.write_text(PAGE, encoding="utf-8")
    settings.write_text("same = []\n", encoding="utf-8")
    assert run("build", str(page), "--out", str(folder / "build"), "--overrides", str(settings)).exit_code == 0
    assert run("check", str(page), "--report", str(folder / "report")).exit_code == 0
    return folder


@pytest.fixture
def folder(release: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a page and its release, where one stands; not pytest's, which is nobody else's to look at."""

    def served(*_: object) -> NoReturn:
        raise SystemExit(SERVED)

    monkeypatch.setattr(os, "execve", served)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(release, Path(name) / "folder", symlinks=True)).resolve()
        for path in (folder.parent, folder):
            path.chmod(0o777)
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            yield folder


@contextmanager
def without_rights() -> Iterator[None]:
    """Permissions count, for root too, who becomes nobody."""
    if os.geteuid():
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        if not os.access(Path.cwd(), os.X_OK, effective_ids=True):
            pytest.skip("the folder for temporary files is nobody's to look at")
        yield
    finally:
        os.seteuid(0)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file can be written beyond so many bytes, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def in_one_line(result: Result, *codes: int) -> None:
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in codes, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith(("paperledger: ", "Error: "))]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr


def file_in(folder: Path, name: str) -> Path:
    """A file of the release; without a name its folder."""
    (path,) = (folder / "build" / "releases").iterdir()
    return path / name


def closed(path: Path, mode: int = 0) -> str:
    path.chmod(mode)
    return str(path)


def in_closed(folder: Path) -> str:
    (folder / "report").chmod(0)
    return "report/results.json"


def made(make: Callable[[Path], object], path: Path) -> str:
    make(path)
    return str(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


PLACES: dict[str, Callable[[Path], str]] = {
    "nothing": lambda _: "nothing/nothing",
    "empty": lambda _: "",
    "nul": lambda _: "a\x00b",
    "file": lambda folder: made(lambda path: path.write_text("no", encoding="utf-8"), folder / "file"),
    "below a file": lambda _: "ann.txt/below",
    "long name": lambda _: "n" * 300,
    "long path": lambda _: "n/" * 3000,
    "circle": lambda folder: made(lambda path: path.symlink_to(path.name), folder / "circle"),
    "link to nothing": lambda folder: made(lambda path: path.symlink_to("nothing"), folder / "link"),
    "socket": lambda folder: made(listening, folder / "socket"),
    "device": lambda _: "/dev/zero",
    "memory": lambda _: "/proc/self/mem",
    "closed folder": lambda folder: closed(folder / "report"),
    "in a closed folder": in_closed,
    "closed file": lambda folder: closed(folder / "report" / "results.json"),
}
"""Each makes something in a folder that no command can use, and gives its path."""
MADE = {"nothing": ("report", "out")}
"""What is made where there is nothing."""


@pytest.mark.parametrize("place", PLACES)
def test_a_path_that_cannot_be_used_is_told_in_one_line(folder: Path, place: str) -> None:
    path = PLACES[place](folder)
    with without_rights():
        results = {
            name: run(*(path if part == "{}" else part for part in command))
            for name, command in COMMANDS.items()
            if name not in MADE.get(place, ())
        }
    for name, result in results.items():
        in_one_line(result, *({"out": (2, 4), "check": (1, 2), "report": (2, 4)}.get(name, (2,))))


@pytest.mark.parametrize("name", ["manifest.json", "paperledger.db", ""])
def test_a_release_that_may_not_be_read_is_not_called_damaged(folder: Path, name: str) -> None:
    file_in(folder, name).chmod(0)
    with without_rights():
        results = [run(*("build" if part == "{}" else part for part in COMMANDS[name])) for name in READERS]
        built = run("build", "ann.txt")
    for result in results:
        in_one_line(result, 2)
        assert "Permission denied" in result.stderr
        assert "damaged" not in result.stderr
    in_one_line(built, 4)
    assert "Permission denied" in built.stderr


@pytest.mark.parametrize("name", ["build", "build/releases"])
def test_a_folder_of_releases_that_may_not_be_searched_is_told(folder: Path, name: str) -> None:
    (folder / name).chmod(0)
    with without_rights():
        results = [
            run(*("build" if part == "{}" else part for part in COMMANDS[name])) for name in (*READERS, "baseline")
        ]
        built = run("build", "ann.txt")
    for result in results:
        in_one_line(result, 2)
        assert "Permission denied" in result.stderr
    in_one_line(built, 4)


@pytest.mark.parametrize("mode", [0o555, 0])
def test_a_folder_that_may_not_be_written_to_is_told(folder: Path, mode: int) -> None:
    (folder / "out").mkdir(mode=mode)
    with without_rights():
        for place in ("out", "out/below"):
            in_one_line(run("build", "ann.txt", "--out", place), 4)
            in_one_line(run("check", "ann.txt", "--report", place), 2)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["a[1]", "a*", "a?b", "[", "a b#%20", "ü"])
def test_a_release_is_whole_whatever_its_folder_is_called(name: str) -> None:
    shutil.copytree("build", name, symlinks=True)
    for command in ("verify", "old", "new", "authors", "page", "why"):
        result = run(*(name if part == "{}" else part for part in COMMANDS[command]))
        assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not UTF-8")
def test_a_folder_whose_name_is_not_utf8_is_told() -> None:
    name = os.fsdecode(b"a\xffb")
    shutil.copytree("build", name, symlinks=True)
    for command in (*READERS, "out"):
        result = run(*(name if part == "{}" else part for part in COMMANDS[command]))
        in_one_line(result, 2)
        assert "expected one in UTF-8" in result.stderr
    shutil.copytree("report", f"{name} report")
    Path(f"{name}.toml").touch()
    settings = ("--overrides", f"{name}.toml", "--rules", f"{name}.toml", "--baseline", f"{name} report")
    assert run("build", "ann.txt", "--report", f"{name} report", *settings).exit_code == 0


@pytest.mark.parametrize(("name", "size"), [("results.json", 0), ("results.json", 1000), ("report.html", 35_000)])
@pytest.mark.usefixtures("folder")
def test_reports_that_a_full_disk_cuts_short_are_an_error_and_are_not_left(name: str, size: int) -> None:
    shutil.rmtree("report")
    with largest_file(size):
        result = run("check", "ann.txt", "--report", "report")
    in_one_line(result, 4)
    assert f"report/{name}: cannot be written (File too large); give another folder with --report" in result.stderr
    assert "Reports" not in result.stdout
    assert name not in [path.name for path in Path("report").iterdir()]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_release_that_cannot_be_copied_is_not_called_damaged(size: int) -> None:
    with largest_file(size):
        result = run("verify")
    in_one_line(result, 4)
    assert "cannot be checked (File too large); check its permissions, and the space in the folder for" in result.stderr
    assert "damaged" not in result.stderr
    assert run("verify").exit_code == 0


@pytest.mark.parametrize("place", ["nowhere", "ann.txt", "closed"])
def test_without_a_folder_for_temporary_files_nothing_is_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (folder / "closed").mkdir(mode=0o555)
    file_in(folder, "").chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / place))
    with without_rights():
        result = run("verify", "build")
    in_one_line(result, 2)
    assert "cannot be checked (" in result.stderr
    assert "damaged" not in result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("code", "exit_code"), [(sqlite3.SQLITE_FULL, 4), (sqlite3.SQLITE_IOERR_WRITE, 2), (sqlite3.SQLITE_CANTOPEN, 2)]
)
@pytest.mark.parametrize("place", ["searched_rows", "_stored_tables"])
def test_what_sqlite_cannot_write_is_no_damage(
    monkeypatch: pytest.MonkeyPatch, place: str, code: int, exit_code: int
) -> None:
    def refuses(*_: object) -> NoReturn:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(checks, place, refuses)
    result = run("verify")
    in_one_line(result, exit_code)
    assert "cannot be checked (database or disk is full)" in result.stderr


PRINTING = {
    "check": ["check", "ann.txt"],
    "annotations": ["check", "ann.txt", "--annotate", "github"],
    "build": ["build", "ann.txt", "--out", "new"],
    "page": ["page", "ann.txt"],
    "authors": ["authors"],
    "review": ["authors", "--review"],
    "why": ["why", "authors", "ann-bell"],
    "verify": ["verify"],
    "diff": ["diff", "build", "build"],
    "json": ["diff", "build", "build", "--format", "json"],
    "rules": ["rules"],
    "rule": ["rules", "PAP-002"],
    "schema": ["schema"],
    "version": ["--version"],
    "help": ["check", "--help"],
}


def run_into(stream: int, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a command whose standard output is a file that is open for writing."""
    with monkeypatch.context() as patch, os.fdopen(stream, "w", encoding="utf-8") as output:
        patch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as ended:
            main(arguments, "paperledger")
    return int(str(ended.value.code or 0))


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="other systems have no disk that is always full")
@pytest.mark.parametrize("command", PRINTING)
def test_output_that_a_full_disk_cuts_short_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    assert run_into(full, monkeypatch, *PRINTING[command]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("paperledger: standard output")
    assert "(No space left on device)" in line
    assert not Path("new").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="other systems have no disk that is always full")
def test_a_full_disk_hides_no_bad_data(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.txt").touch()
    full = os.open("/dev/full", os.O_WRONLY)
    assert run_into(full, monkeypatch, "check", "bad.txt", "ann.txt", "--report", "ann.txt/x") == 1
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("paperledger: bad.txt: empty file")
    assert "ann.txt/x: cannot be written (" in second
    assert "standard output: cannot be written (" in third


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", [name for name in PRINTING if name not in ("version", "help")])
def test_a_reader_that_leaves_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert run_into(writer, monkeypatch, *PRINTING[command]) == 0
    assert capsys.readouterr().err == ""
    assert Path("new").exists() == (command == "build")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", PRINTING)
def test_a_closed_output_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        with pytest.raises(SystemExit) as ended:
            main(PRINTING[command], "paperledger")
    assert not ended.value.code
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("folder")
def test_an_error_that_cannot_be_said_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, os.fdopen(os.open("/dev/full", os.O_WRONLY), "w") as full:
        patch.setattr(sys, "stderr", full)
        with pytest.raises(SystemExit) as ended:
            main(["check", "nothing"], "paperledger")
    assert ended.value.code == 2
