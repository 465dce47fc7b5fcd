"""The installed command end to end: what it prints, what it leaves behind, and how it fails."""

import gzip
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from etl import __version__
from schemas import TABLES, VIEWS

COMMAND = Path(sys.executable).with_name("paperledger")
SAMPLE = Path(str(files("etl").joinpath("sample", "mehdi-rezagholizadeh.txt")))
ANN = "Ann Bell\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold.\n"
FAILURES = {
    "missing path": (["missing.txt"], 2, "missing.txt: no such file or folder; give a saved page"),
    "folder without pages": (["notes"], 2, "notes: no pages in this folder, expected files ending in .txt"),
    "empty file": (["empty.txt"], 1, "empty.txt: empty file, expected a saved page"),
    "binary file": (["binary.txt"], 1, "binary.txt: line 2, byte 8: found 0xff, expected UTF-8 text"),
    "unwritable output": (["ann.txt", "--out", "notes/file/out"], 4, "notes/file/out: cannot be written ("),
    "page of 70 MiB": (["large.txt"], 1, "large.txt: larger than 64 MiB (byte 67108864)"),
}
Result = subprocess.CompletedProcess[bytes]
Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the command; where compiled modules are not kept, they are kept aside from one run to the next."""
    aside = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pycache"))}
    keep = aside if sys.dont_write_bytecode else {}

    def run_command(*arguments: str | Path, folder: Path, stdin: bytes = b"") -> Result:
        command = [COMMAND, *arguments]
        return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, env=os.environ | keep, check=False)

    return run_command


@pytest.fixture(scope="session")
def sample(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A folder in which the sample page was built, and what the command said."""
    folder = tmp_path_factory.mktemp("sample")
    return folder, run("build", folder=folder)


@pytest.fixture(scope="session")
def failures(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What the command did with each of the failures; nothing is left of any."""
    folder = tmp_path_factory.mktemp("failures")
    (folder / "notes").mkdir()
    (folder / "notes" / "file").write_text("no page", encoding="utf-8")
    (folder / "ann.txt").write_text(ANN, encoding="utf-8")
    (folder / "empty.txt").touch()
    (folder / "binary.txt").write_bytes(b"Ann\nBell\xff\xfe\x00")
    with (folder / "large.txt").open("wb") as large:
        large.truncate(70 << 20)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        started = {
            name: pool.submit(run, "build", "--out", f"out of {name}", *arguments, folder=folder)
            for name, (arguments, *_) in FAILURES.items()
        }
    assert sorted(path.name for path in folder.iterdir()) == [
        "ann.txt",
        "binary.txt",
        "empty.txt",
        "large.txt",
        "notes",
    ]
    assert [path.name for path in (folder / "notes").iterdir()] == ["file"]
    return {name: result.result() for name, result in started.items()}


def test_a_build_of_the_sample_page_is_good_and_says_what_it_made(
    sample: tuple[Path, Result],
) -> None:
    folder, result = sample
    text = result.stdout.decode()
    assert (result.returncode, result.stderr) == (0, b"")
    assert text.startswith("1 page, 50 papers, 69 authors from 360 lines; no line in quarantine\n")
    assert re.findall(r"^  (\S+) ([A-Z]{3}-\d{3}) ", text.partition("2 findings:")[2], re.MULTILINE) == [
        ("mehdi-rezagholizadeh.txt:339", "PAP-002"),
        ("mehdi-rezagholizadeh.txt:4", "PRO-001"),
    ]
    assert (folder / "build" / "current" / "manifest.json").is_file()
    assert sorted(path.name for path in (folder / "build").iterdir()) == ["current", "releases"]


def test_the_page_comes_back_byte_for_byte_by_the_command_that_the_build_names(sample: tuple[Path, Result]) -> None:
    folder, built = sample
    (line,) = re.findall(r"^Rebuild (.*)$", built.stdout.decode(), re.MULTILINE)
    assert shlex.split(line)[0] == str(COMMAND)
    result = subprocess.run(line, shell=True, cwd=folder, capture_output=True, check=False)  # noqa: S602
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == SAMPLE.read_bytes()


def test_hints_name_the_command_as_it_was_called(tmp_path: Path) -> None:
    (tmp_path / "my tools").symlink_to(COMMAND.parent)
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    called = "'my tools/paperledger'"
    line = f"{called} build ann.txt --out 'a b' && {called} serve nowhere; {called} page"
    result = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602
    assert f"\nLook    {called} serve --out 'a b'\n" in result.stdout
    assert result.stderr.splitlines()[0] == (
        f"paperledger: nowhere: no release here; run {called} build, or give its folder with --out"
    )
    assert f"Try '{called} page -h' for help." in result.stderr


def test_an_error_is_printed_once_where_output_and_errors_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "ann.html").write_text("<!DOCTYPE html><p>Ann Bell</p>\n", encoding="utf-8")
    one = subprocess.run(
        [COMMAND, "check", "ann.html"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    two = subprocess.run([COMMAND, "check", "ann.html"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (one.stdout.count("this seems to be HTML"), one.returncode) == (1, 1)
    assert "\n1 finding, at the end\n" in one.stdout
    assert [text.count("this seems to be HTML") for text in (two.stdout, two.stderr)] == [1, 1]


def test_an_unreadable_page_is_told_by_workers_as_by_one(run: Run, tmp_path: Path) -> None:
    for number in range(101):
        (tmp_path / f"{number:03}.txt").write_text(ANN.replace("Ropes", f"Rope {number}"), encoding="utf-8")
    (tmp_path / "001.txt").write_bytes(b"Ann\nBell\xff")
    results = [run("check", ".", "--workers", workers, folder=tmp_path) for workers in "12"]
    assert [result.returncode for result in results] == [1, 1]
    assert b"001.txt: line 2, byte 8: found 0xff, expected UTF-8 text" in results[0].stderr
    assert results[0].stderr == results[1].stderr
    assert results[0].stdout == results[1].stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["build", "."], 0),
        (["build", ".", "--annotate", "github"], 0),
        (["check", ".", "--annotate", "github", "--fail-on", "warning"], 1),
    ],
)
def test_a_reader_that_leaves_stops_nothing(tmp_path: Path, arguments: list[str], code: int) -> None:
    (tmp_path / "ann.txt").write_text(ANN.replace("\n\nCL", "\n\nCL\n3papers\n\n3 Papers\n\nCL"), encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [COMMAND, *arguments], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writer)
    assert result.returncode == code
    told = result.stderr.splitlines()
    assert [line for line in told if not line.startswith("paperledger: ann.txt:")] == []
    assert bool(told) == bool(code)
    assert (tmp_path / "build" / "current").exists() == (arguments[0] == "build")


def test_a_page_on_standard_input_is_built_and_comes_back_with_every_byte(run: Run, tmp_path: Path) -> None:
    page = b"\xef\xbb\xbf" + ANN.replace("\n", "\r\n").replace("hold", "hold\u2028\x0b\x00").encode() + b"Advertisement"
    built = run("build", "-", "--out", "o ut#?%20", folder=tmp_path, stdin=page)
    assert (built.returncode, built.stderr) == (0, b"")
    assert run("page", "-", "--out", "o ut#?%20", folder=tmp_path).stdout == page


def test_folders_globs_and_compressed_pages_are_built_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pages" / "more").mkdir(parents=True)
    (tmp_path / "pages" / "more" / "ann.txt").write_text(ANN, encoding="utf-8")
    (tmp_path / "cy@2026-06-01.txt.gz").write_bytes(
        gzip.compress(ANN.replace("Ann Bell\n\nCL", "Cy Dole\n\nCL").encode())
    )
    assert run("build", "pages", "*.gz", folder=tmp_path).returncode == 0
    with closing(sqlite3.connect(tmp_path / "build" / "current" / "paperledger.db")) as database:
        assert database.execute("SELECT source, observed_on FROM profiles ORDER BY 1").fetchall() == [
            ("cy@2026-06-01.txt.gz", "2026-06-01"),
            ("more/ann.txt", None),
        ]


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_built_is_told_in_one_line(failures: dict[str, Result], name: str) -> None:
    _, code, message = FAILURES[name]
    result = failures[name]
    assert (result.returncode, result.stdout) == (code, b"")
    assert result.stderr.decode().startswith(f"paperledger: {message}")
    assert result.stderr.endswith(b"\n")
    assert result.stderr.count(b"\n") == 1


def test_the_schema_as_sql_makes_every_table_and_view(run: Run, tmp_path: Path) -> None:
    result = run("schema", "--format", "sql", folder=tmp_path)
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(result.stdout.decode())
        made = database.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    assert result.returncode == 0
    assert set(made) == {*(("table", name) for name in TABLES), *(("view", name) for name in VIEWS)}


def test_version_and_help_come_without_a_dataset(run: Run, tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).stdout.decode() == f"paperledger, version {__version__}\n"
    told = run("-h", folder=tmp_path).stdout.decode()
    commands = [
        "authors",
        "build",
        "check",
        "diff",
        "export",
        "pack",
        "page",
        "pages",
        "redact",
        "rules",
        "schema",
        "serve",
        "verify",
        "why",
    ]
    assert re.findall(r"^  (\w+)  ", told, re.MULTILINE) == commands
    assert list(tmp_path.iterdir()) == []
