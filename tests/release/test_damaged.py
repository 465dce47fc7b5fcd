"""A release that is damaged is noticed by whatever reads it: one line with the file, what was found and what to do."""

import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from etl.cli import main
from etl.load.manifest import file_facts, render_manifest, sealed
from etl.pipeline import Request, build
from etl.progress import Progress

COMMAND = Path(sys.executable).with_name("paperledger")
PAGE = (
    "Ann Bell\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold the bells of the tower. https://x.org/a\n"
)
DATABASE, MANIFEST = "paperledger.db", "manifest.json"
ADVICE = "; the release is damaged: remove this folder, and build or fetch it again\n"
SERVED = 77
"""The exit code that stands for having become Datasette."""
GOOD = {"page": 0, "why": 0, "serve": SERVED, "diff": 0}
DAMAGED = {"page": 1, "why": 1, "serve": 1, "diff": 2}
UNREAD = DAMAGED | {"page": 0, "why": 0}
NOTICE = {DATABASE: DAMAGED, MANIFEST: DAMAGED} | dict.fromkeys(
    ("papers.parquet", "paper_list.parquet", "datasette-metadata.json", "results.json", "report.html"), UNREAD
)
"""What each command does where one file is damaged: page and why read the database alone, the others look at all."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    (folder / "ann.txt").write_text(PAGE, encoding="utf-8")
    return build(Request([str(folder / "ann.txt")], folder / "out"), Progress(Console(quiet=True))).release.path


@pytest.fixture
def copied(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def served(*_: object) -> NoReturn:
        raise SystemExit(SERVED)

    monkeypatch.setattr(os, "execve", served)
    return Path(shutil.copytree(sound, tmp_path / "copy"))


def results_of(release: Path, sound: Path) -> dict[str, Result]:
    commands = {
        "page": ("ann.txt", release),
        "why": ("authors", "ann-bell", release),
        "serve": (release, "--port", "0"),
        "diff": (sound, release),
    }
    return {name: CliRunner().invoke(main, [name, *map(str, rest)]) for name, rest in commands.items()}


def codes(results: dict[str, Result]) -> dict[str, int]:
    return {name: result.exit_code for name, result in results.items()}


def assert_told(results: dict[str, Result], file: str) -> None:
    """Each command that failed said one line, of this file."""
    for result in results.values():
        assert isinstance(result.exception, SystemExit | None)
        if result.exit_code not in (0, SERVED):
            assert result.stderr.count("\n") == 1
            assert f"/copy/{file}: found " in result.stderr
            assert ", expected " in result.stderr
            assert result.stderr.endswith(ADVICE)


def flip(path: Path, share: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(share * (len(data) - 1))] ^= 1
    path.write_bytes(data)


def overwrite(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 100] = b"\xff" * 100
    path.write_bytes(data)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_link(path: Path) -> None:
    """The same bytes, but where they lie somebody else may change them."""
    path.symlink_to(path.rename(path.parents[1] / path.name))


CHANGES: dict[str, Callable[[Path], object]] = {
    "first-byte": lambda path: flip(path, 0),
    "byte-in-the-middle": lambda path: flip(path, 0.5),
    "last-byte": lambda path: flip(path, 1),
    "garbage": overwrite,
    "cut-short": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "missing": Path.unlink,
    "folder": replace_by_folder,
    "pipe": replace_by_pipe,
    "link": replace_by_link,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("file", NOTICE)
def test_damage_is_noticed_by_every_command_that_reads_the_file(
    sound: Path, copied: Path, file: str, change: str
) -> None:
    CHANGES[change](copied / file)
    results = results_of(copied, sound)
    assert codes(results) == NOTICE[file]
    assert_told(results, file)


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "1", '"text"', "null", "{}", "[" * 100_000, "9" * 5_000, "NaN", "\x00", "\ufeff{}",
        '{"paperledger": 1, "logical_hash": "a", "files": {}}',
        '{"paperledger": "1", "logical_hash": "\\ud800", "files": {}}',
        '{"paperledger": "1", "logical_hash": "a", "files": []}',
    ],
    ids=range(14),
)  # fmt: skip
def test_a_manifest_of_another_shape_is_told(sound: Path, copied: Path, text: str) -> None:
    (copied / MANIFEST).write_text(text, encoding="utf-8")
    results = results_of(copied, sound)
    assert codes(results) == DAMAGED
    assert_told(results, MANIFEST)


Files = dict[str, dict[str, int | str]]
UNFIT: dict[str, tuple[Callable[[Files], object], dict[str, int]]] = {
    "no-files": (dict.clear, DAMAGED),
    "no-database": (lambda files: files.pop(DATABASE), DAMAGED),
    "no-table": (lambda files: files.pop("links.parquet"), UNREAD),
    "no-rows": (lambda files: files["links.parquet"].pop("rows"), UNREAD),
    "outside": (lambda files: files.update({"../x": files[DATABASE]}), UNREAD),
    "absolute": (lambda files: files.update({"/etc/passwd": files[DATABASE]}), UNREAD),
    "one-more": (lambda files: files.update({"x": files[DATABASE]}), UNREAD),
}


@pytest.mark.parametrize("change", UNFIT)
def test_a_manifest_that_does_not_fit_the_files_is_told(sound: Path, copied: Path, change: str) -> None:
    manifest = json.loads((copied / MANIFEST).read_bytes())
    spoil, expected = UNFIT[change]
    spoil(manifest["files"])
    (copied / MANIFEST).write_text(render_manifest(sealed(manifest)), encoding="utf-8")
    results = results_of(copied, sound)
    assert codes(results) == expected
    assert {result.stderr.count("\n") for result in results.values() if result.exit_code in (1, 2)} == {1}


@pytest.mark.parametrize("name", ["x", "paperledger.db-wal", ".x"])
def test_a_file_that_the_manifest_does_not_name_is_told(sound: Path, copied: Path, name: str) -> None:
    (copied / name).write_text("x", encoding="utf-8")
    results = results_of(copied, sound)
    assert codes(results) == UNREAD
    assert_told(results, name)


def test_a_table_without_a_file_is_told(sound: Path, copied: Path) -> None:
    manifest = json.loads((copied / MANIFEST).read_bytes())
    del manifest["files"]["links.parquet"]
    (copied / "links.parquet").unlink()
    (copied / MANIFEST).write_text(render_manifest(sealed(manifest)), encoding="utf-8")
    results = results_of(copied, sound)
    assert codes(results) == UNREAD
    assert_told(results, MANIFEST)


def test_files_that_changed_places_are_noticed(sound: Path, copied: Path) -> None:
    (copied / "papers.parquet").rename(copied / "x")
    (copied / "authors.parquet").rename(copied / "papers.parquet")
    (copied / "x").rename(copied / "authors.parquet")
    results = results_of(copied, sound)
    assert codes(results) == UNREAD
    assert_told(results, "authors.parquet")


def test_a_damaged_release_is_noticed_whichever_of_the_two_it_is(sound: Path, copied: Path) -> None:
    (copied / "papers.parquet").unlink()
    result = CliRunner().invoke(main, ["diff", str(copied), str(sound)])
    assert result.exit_code == 2
    assert_told({"diff": result}, "papers.parquet")


def reseal(release: Path) -> None:
    """Make the manifest true of the files as they are now."""
    manifest = json.loads((release / MANIFEST).read_bytes())
    for name, facts in manifest["files"].items():
        facts.update(file_facts(release / name))
    (release / MANIFEST).write_text(render_manifest(sealed(manifest)), encoding="utf-8")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE papers RENAME COLUMN citekey TO cite", "papers without citekey"),
        ("DROP VIEW coverage", "no coverage"),
        ("DROP TABLE links", "no links"),
    ],
)
def test_a_release_of_other_tables_is_told_as_one_of_another_version(
    sound: Path, copied: Path, statement: str, found: str
) -> None:
    with closing(sqlite3.connect(copied / DATABASE)) as database:
        database.execute(statement)
    reseal(copied)
    results = results_of(copied, sound)
    assert codes(results) == GOOD | {"page": 1, "why": 1}
    for name in ("page", "why"):
        assert f"/copy/{DATABASE}: found {found}, expected the tables of paperledger " in results[name].stderr
        assert results[name].stderr.endswith("another version built the release: build it again with this one\n")


def test_a_site_of_other_tables_is_not_served(copied: Path) -> None:
    with closing(sqlite3.connect(copied / DATABASE)) as database:
        database.execute("ALTER TABLE papers RENAME COLUMN citekey TO cite")
    reseal(copied)
    command = [COMMAND, "serve", copied, "--port", "0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[1].endswith("another version built the release: build it again with this one")
    assert "Traceback" not in result.stderr


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("releases/0123456789abcdef")
    for command in (["page", "x"], ["serve"], ["verify"]):
        result = CliRunner().invoke(main, [*command, str(tmp_path)])
        assert result.exit_code == 2
        assert result.stderr == (
            f"paperledger: {tmp_path}: current refers to releases/0123456789abcdef, where no release is;"
            " run paperledger build again\n"
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("command", [["page", "x"], ["why", "papers", "x"], ["serve"], ["verify"], ["diff", "other"]])
@pytest.mark.parametrize("closed", ["out", "out/copy", f"out/copy/{MANIFEST}", "out/copy/papers.parquet"])
def test_what_may_not_be_read_is_told_in_one_line(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], closed: str
) -> None:
    if command[0] in ("page", "why") and closed.endswith(".parquet"):
        pytest.skip("is not read")
    (tmp_path / "out").mkdir()
    place = copied.rename(tmp_path / "out" / "copy")
    shutil.copytree(place, tmp_path / "other")
    (tmp_path / closed).chmod(0)
    monkeypatch.chdir(tmp_path)
    nobody = pwd.getpwnam("nobody").pw_uid
    os.seteuid(nobody)
    try:
        if os.access(sys.prefix, os.R_OK) and os.access(".", os.X_OK):
            result = CliRunner().invoke(main, [*command, "out/copy"])
    finally:
        os.seteuid(0)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in (1, 2)
    assert result.stderr.count("\n") == 1
    assert "Permission denied" in result.stderr
