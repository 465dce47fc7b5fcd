"""The version of the schema: every file of a release names it, and a release or results of another one are refused."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from helpers import run

from etl import __version__
from etl.load.manifest import render_manifest, sealed
from schemas import SCHEMA_VERSION

ANN = "Ann Bell\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold the bells.\n"
REFUSED = (
    f": found schema version {{}}, expected version {SCHEMA_VERSION}, that of paperledger {__version__};"
    " build it again with this version, or use the paperledger that made it ({})\n"
)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The real folder of a release of one page, which lies beside it."""
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    assert run("build", tmp_path / "ann.txt", "--out", tmp_path / "build").exit_code == 0
    return (tmp_path / "build" / "current").resolve()


def change(path: Path, by: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest or results, and seal a manifest anew."""
    text = json.loads(path.read_text(encoding="utf-8"))
    by(text)
    path.write_text(render_manifest(sealed(text) if "files" in text else text), encoding="utf-8")


def first(facts: dict[str, Any]) -> None:
    """What releases of the first version have."""
    del facts["schema_version"]


def newer(facts: dict[str, Any]) -> None:
    facts |= {"schema_version": 3, "paperledger": "9.1.0", "version": "9.1.0"}


def test_database_parquet_files_manifest_and_results_name_the_version(release: Path) -> None:
    with closing(sqlite3.connect(release / "paperledger.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    named = {path.name: pq.read_schema(path).metadata[b"schema_version"] for path in release.glob("*.parquet")}
    assert named == dict.fromkeys(named, str(SCHEMA_VERSION).encode())
    assert "paper_list.parquet" in named
    for name in ("manifest.json", "results.json"):
        assert json.loads((release / name).read_text(encoding="utf-8"))["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize(("by", "version", "tool"), [(first, 1, __version__), (newer, 3, "9.1.0")])
@pytest.mark.parametrize(
    "command",
    [["page", "ann.txt"], ["why", "authors", "ann-bell"], ["verify"], ["serve"], ["serve", "--port", "0"]],
    ids=" ".join,
)
def test_a_release_of_another_version_is_refused_in_one_line(
    release: Path, command: list[str], by: Callable[[dict[str, Any]], object], version: int, tool: str
) -> None:
    change(release / "manifest.json", by)
    result = run(*command, release)
    assert result.exit_code == 2
    assert result.stderr == f"paperledger: {release}{REFUSED.format(version, tool)}"


@pytest.mark.parametrize("is_new", [False, True])
def test_diff_refuses_another_version_whichever_of_the_two_it_is(release: Path, tmp_path: Path, is_new: bool) -> None:
    run("build", tmp_path / "ann.txt", "--out", tmp_path / "other")
    change(release / "manifest.json", first)
    pair = [tmp_path / "other", release] if is_new else [release, tmp_path / "other"]
    result = run("diff", *pair)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"paperledger: {release}{REFUSED.format(1, __version__)}"


@pytest.mark.parametrize(("by", "version", "tool"), [(first, 1, __version__), (newer, 3, "9.1.0")])
def test_a_baseline_of_another_version_is_refused(
    release: Path, tmp_path: Path, by: Callable[[dict[str, Any]], object], version: int, tool: str
) -> None:
    change(release / "results.json", by)
    for baseline in (release, release / "results.json"):
        result = run("check", tmp_path / "ann.txt", "--baseline", baseline)
        assert result.exit_code == 2
        assert result.stderr == f"paperledger: {release / 'results.json'}{REFUSED.format(version, tool)}"


def test_a_damaged_manifest_is_told_as_damage_and_not_as_another_version(release: Path) -> None:
    (release / "manifest.json").write_text('{"logical_hash": "a"}', encoding="utf-8")
    result = run("verify", release)
    assert result.exit_code == 1
    assert "schema version" not in result.stderr
