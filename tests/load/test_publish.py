"""Publication: a release is whole or not there, is named by its contents, and the last one survives every failure."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import tables_of

from etl import __version__
from etl.errors import PublicationError, UsageError
from etl.load import draft
from etl.load import manifest as manifests
from etl.load import publish as publication
from etl.load.manifest import hash_release
from etl.load.publish import locked
from etl.release.release import Release, find_release, newest_release, open_release
from etl.release.verify import verify
from schemas import TABLES, Frames

NO_OVERRIDES = {"overrides": None}
OTHER_PAGE = "Cy Dole\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold.\n"
FULL_DISK = OSError(28, "No space left on device")


def publish(out: Path, *given: Any) -> Release:
    return open_release(publication.publish(out, *given))


@pytest.fixture(scope="session")
def other_tables() -> Frames:
    return tables_of(OTHER_PAGE)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, links and hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_release_is_a_flat_folder_with_its_manifest(tables: Frames, tmp_path: Path) -> None:
    published = publish(tmp_path, tables, NO_OVERRIDES)
    names = {
        "paperledger.db",
        "croissant.json",
        "datapackage.json",
        "datasette-metadata.json",
        "manifest.json",
        "paper_list.parquet",
    }
    assert {path.name for path in published.path.iterdir()} == names | {f"{name}.parquet" for name in TABLES}
    assert published.path == tmp_path / "releases" / hash_release(tables, NO_OVERRIDES)[:16]
    assert json.loads((published.path / "manifest.json").read_text(encoding="utf-8")) == published.manifest


def test_the_manifests_hashes_sizes_and_rows_are_true(tables: Frames, tmp_path: Path) -> None:
    published = publish(tmp_path, tables, NO_OVERRIDES)
    told = published.manifest["files"]
    assert set(told) == {path.name for path in published.path.iterdir()} - {"manifest.json"}
    for name, facts in told.items():
        data = (published.path / name).read_bytes()
        assert facts["sha256"] == hashlib.sha256(data).hexdigest()
        assert facts["bytes"] == len(data)
        if name.endswith(".parquet"):
            assert facts["rows"] == pq.read_metadata(published.path / name).num_rows


def test_documents_stand_in_the_release_and_its_manifest(tables: Frames, tmp_path: Path) -> None:
    def documents(draft: Path) -> dict[str, str]:
        assert (draft / "paperledger.db").is_file()
        return {"results.json": '{"é": 1}\n', "report.html": "<p>"}

    published = publish(tmp_path, tables, NO_OVERRIDES, documents)
    assert (published.path / "results.json").read_bytes() == '{"é": 1}\n'.encode()
    assert published.manifest["files"]["report.html"] == {"sha256": hashlib.sha256(b"<p>").hexdigest(), "bytes": 3}
    assert verify(published.path) == []


def test_a_document_never_takes_the_place_of_a_file_of_the_release(tables: Frames, tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match=r"cannot be written \(File exists\)"):
        publish(tmp_path, tables, NO_OVERRIDES, lambda _: {"papers.parquet": "text"})
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_damaged_release_is_not_published_again(tables: Frames, other_tables: Frames, tmp_path: Path) -> None:
    damaged = publish(tmp_path, tables, NO_OVERRIDES)
    last = publish(tmp_path, other_tables, NO_OVERRIDES)
    (damaged.path / "papers.parquet").write_bytes(b"PAR1")
    told = r"damaged \(papers\.parquet: found 4 bytes, expected \d+\); remove this folder and build again$"
    with pytest.raises(PublicationError, match=told):
        publish(tmp_path, tables, NO_OVERRIDES)
    assert newest_release(tmp_path) == last.path.resolve()


def test_a_release_is_found_by_its_folder_by_its_link_and_by_the_output_folder(tables: Frames, tmp_path: Path) -> None:
    published = publish(tmp_path, tables, NO_OVERRIDES)
    for path in (published.path, tmp_path / "current", tmp_path):
        assert find_release(path) == published.path.resolve()
    (published.path / "manifest.json").unlink()
    assert find_release(tmp_path) == published.path.resolve()
    with pytest.raises(UsageError, match="no release here, expected the folder of one"):
        find_release(tmp_path / "releases")


def test_the_manifest_tells_the_logical_hash_the_version_and_the_overrides(tables: Frames, tmp_path: Path) -> None:
    provenance = {"overrides": {"source": "names.toml", "sha256": "ab"}}
    manifest = publish(tmp_path, tables, provenance).manifest
    assert manifest["logical_hash"] == hash_release(tables, provenance)
    assert manifest["overrides"] == provenance["overrides"]
    assert manifest["paperledger"] == __version__


def test_current_leads_to_the_newest_release_by_a_relative_link(tables: Frames, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    published = publish(tmp_path / "out", tables, NO_OVERRIDES)
    assert (tmp_path / "out" / "current").readlink() == Path("releases") / published.path.name
    (tmp_path / "out").rename(tmp_path / "moved")
    assert newest_release(tmp_path / "moved") == tmp_path / "moved" / "releases" / published.path.name


def test_the_newest_release_is_a_real_folder_and_not_the_link(tables: Frames, tmp_path: Path) -> None:
    published = publish(tmp_path, tables, NO_OVERRIDES)
    assert newest_release(tmp_path) == published.path.resolve()


def test_without_a_release_the_user_is_told_to_build(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no release here; run paperledger build"):
        newest_release(tmp_path)


def test_the_last_release_stays_when_another_is_published(tables: Frames, other_tables: Frames, tmp_path: Path) -> None:
    first = publish(tmp_path, tables, NO_OVERRIDES)
    before = contents(first.path)
    second = publish(tmp_path, other_tables, NO_OVERRIDES)
    assert newest_release(tmp_path) == second.path.resolve()
    assert contents(first.path) == before
    assert {path.name for path in (tmp_path / "releases").iterdir()} == {first.path.name, second.path.name}


def test_building_what_exists_only_points_current_at_it(tables: Frames, other_tables: Frames, tmp_path: Path) -> None:
    first = publish(tmp_path, tables, NO_OVERRIDES)
    before = {path: path.stat().st_ino for path in first.path.iterdir()}
    publish(tmp_path, other_tables, NO_OVERRIDES)
    again = publish(tmp_path, tables, NO_OVERRIDES)
    assert again == first
    assert newest_release(tmp_path) == first.path.resolve()
    assert {path: path.stat().st_ino for path in first.path.iterdir()} == before


def test_the_manifest_tells_the_overrides_of_this_build_even_where_the_tables_are_the_same(
    tables: Frames, tmp_path: Path
) -> None:
    publish(tmp_path, tables, {"overrides": {"source": "names.toml", "sha256": "old"}})
    again = publish(tmp_path, tables, {"overrides": {"source": "names.toml", "sha256": "new"}})
    assert again.manifest["overrides"]["sha256"] == "new"


@pytest.mark.parametrize(
    ("writer", "error"),
    [
        pytest.param("begin_database", FULL_DISK, id="database"),
        pytest.param("finish_database", sqlite3.OperationalError("database or disk is full"), id="sqlite"),
        pytest.param("write_parquet", FULL_DISK, id="parquet"),
        pytest.param("write_parquet", pa.ArrowInvalid("cannot cast"), id="arrow"),
        pytest.param("render_metadata", FULL_DISK, id="metadata"),
        pytest.param("render_datapackage", FULL_DISK, id="data-package"),
        pytest.param("render_croissant", FULL_DISK, id="croissant"),
        pytest.param("_point", FULL_DISK, id="link"),
        pytest.param("sync", FULL_DISK, id="fsync"),
        pytest.param("_write_text", FULL_DISK, id="text"),
    ],
)
def test_a_failure_leaves_the_last_release_as_it_was(
    tables: Frames,
    other_tables: Frames,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    writer: str,
    error: Exception,
) -> None:
    last = publish(tmp_path, tables, NO_OVERRIDES)
    before = contents(last.path)
    monkeypatch.setattr(draft if hasattr(draft, writer) else publication, writer, raises(error))
    with pytest.raises(PublicationError, match=r"cannot be written \(.+\); the last release is as it was") as caught:
        publish(tmp_path, other_tables, NO_OVERRIDES)
    assert caught.value.exit_code == 4
    assert newest_release(tmp_path) == last.path.resolve()
    assert contents(last.path) == before
    assert [path for path in (tmp_path / "releases").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()], ids=["interrupt", "memory"])
def test_an_interrupted_build_leaves_no_debris(
    tables: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(draft, "write_parquet", raises(error))
    with pytest.raises(type(error)):
        publish(tmp_path, tables, NO_OVERRIDES)
    assert contents(tmp_path) == {}
    assert not (tmp_path / "current").exists()


def test_the_next_build_clears_the_debris_of_a_killed_one(tables: Frames, tmp_path: Path) -> None:
    debris = tmp_path / "releases" / ".build-killed"
    debris.mkdir(parents=True)
    (debris / "paperledger.draft").write_bytes(b"half a database")
    (tmp_path / ".current").symlink_to("releases/killed")
    with locked(tmp_path):
        publish(tmp_path, tables, NO_OVERRIDES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "releases"]
    assert [path for path in (tmp_path / "releases").iterdir() if path.name.startswith(".")] == []


def test_debris_that_cannot_be_cleared_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "_clear_debris", raises(PermissionError(13, "Permission denied")))
    with pytest.raises(PublicationError, match=r"cannot be written \(Permission denied\)"), locked(tmp_path):
        pytest.fail("cannot be held")


def test_a_hidden_file_among_the_releases_stops_no_build(tables: Frames, tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / ".DS_Store").touch()
    published = publish(tmp_path, tables, NO_OVERRIDES)
    assert newest_release(tmp_path) == published.path.resolve()


def test_a_folder_in_the_links_place_is_told_and_kept(tables: Frames, tmp_path: Path) -> None:
    (tmp_path / "current" / "mine").mkdir(parents=True)
    with pytest.raises(PublicationError, match="cannot be written"):
        publish(tmp_path, tables, NO_OVERRIDES)
    assert (tmp_path / "current" / "mine").is_dir()


def test_a_link_that_cannot_take_its_place_leaves_no_debris(tables: Frames, tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    with pytest.raises(PublicationError):
        publish(tmp_path, tables, NO_OVERRIDES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "releases"]


def test_two_builds_cannot_hold_one_folder(tmp_path: Path) -> None:
    told = pytest.raises(PublicationError, match="another build is writing to this folder")
    with locked(tmp_path), told as caught, locked(tmp_path):
        pytest.fail("both hold it")
    assert caught.value.exit_code == 4
    with locked(tmp_path):
        pass


def test_who_does_not_get_the_lock_leaves_the_folder_to_who_has_it(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / "releases").mkdir()
        with pytest.raises(PublicationError), locked(tmp_path):
            pytest.fail("both hold it")
        assert (tmp_path / "releases").is_dir()


def test_a_lock_makes_the_folder_and_leaves_none_that_was_made_for_nothing(tmp_path: Path) -> None:
    with locked(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_no_folder_above_it_is_left_either(tmp_path: Path) -> None:
    with locked(tmp_path / "far" / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_first_build_that_fails_leaves_no_folder(
    tables: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "begin_database", raises(FULL_DISK))
    with pytest.raises(PublicationError), locked(tmp_path / "out"):
        publish(tmp_path / "out", tables, NO_OVERRIDES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/out"])
def test_a_file_in_the_folders_place_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    told = pytest.raises(PublicationError, match=r"cannot be written \(.+\); choose another folder with --out")
    with told, locked(tmp_path / place):
        pytest.fail("cannot be held")


def test_a_build_that_would_block_is_not_told_as_another_build(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path):
        raise BlockingIOError(11, "standard input would block")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(pl.lit("Bells").alias("title"), id="value"),
        pytest.param(pl.lit(None, dtype=pl.Date).alias("published"), id="null"),
        pytest.param(pl.col("abstract") + " ", id="space"),
    ],
)
def test_the_hash_changes_with_every_value(tables: Frames, change: pl.Expr) -> None:
    changed = tables | {"papers": tables["papers"].with_columns(change)}
    assert hash_release(changed, NO_OVERRIDES) != hash_release(tables, NO_OVERRIDES)


def test_the_hash_does_not_depend_on_chunks_or_batches(tables: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hash_release(tables, NO_OVERRIDES)
    chunked = {name: pl.concat([frame.head(1), frame.slice(1)], rechunk=False) for name, frame in tables.items()}
    monkeypatch.setattr(manifests, "ROWS_PER_BATCH", 2)
    assert hash_release(chunked, NO_OVERRIDES) == whole


def test_a_release_can_be_read_by_others(tables: Frames, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        published: Release = publish(tmp_path, tables, NO_OVERRIDES)
    finally:
        os.umask(before)
    assert published.path.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in published.path.iterdir()} == {0o644}


def test_a_database_that_fails_its_checks_is_not_published(tables: Frames, tmp_path: Path) -> None:
    lost = tables | {"categories": tables["categories"].filter(pl.col("category_id") != "cs.RO")}
    with pytest.raises(PublicationError, match=r"fails SQLite's own checks"):
        publish(tmp_path, lost, NO_OVERRIDES)
    assert contents(tmp_path) == {}
