"""Publication: a release is written aside, named by its contents, and becomes the newest by one rename and one link.

A reader never sees half a release, and a build that fails leaves the last one as it was.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl import __version__
from etl.errors import PublicationError
from etl.load.layout import (
    CURRENT,
    DATABASE_FILE,
    ID_LENGTH,
    MANIFEST,
    METADATA,
    PAPER_LIST_FILE,
    RELEASES,
    read_manifest,
)
from etl.load.metadata import render_metadata
from etl.load.paper_list import paper_list
from etl.load.parquet import write_parquet
from etl.load.sqlite import ddl, write_database
from schemas import TABLES, VIEWS, Frames, PaperList
from schemas.limits import ROWS_PER_BATCH

_ASIDE = ".build-"
"""How the hidden folder begins in which a release is written."""


@dataclass(frozen=True)
class Release:
    """A published release: its folder, and the manifest that tells what is in it."""

    path: Path
    manifest: dict[str, Any]


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the output folder for one build, and leave no folder behind that was made for nothing.

    Raises `PublicationError` at once where another build holds it, or where it cannot be made or written.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PublicationError(
            f"{out}: cannot be written ({error.strerror}); choose another folder with --out"
        ) from error
    try:
        _lock(handle, out)
        try:
            yield
        finally:
            _remove_empty([out / RELEASES, *made])
    finally:
        os.close(handle)


def publish(out: Path, tables: Frames, provenance: dict[str, Any]) -> Release:
    """Write all files of a release and make it the newest; one that exists already only becomes the newest again.

    Raises `PublicationError` where that fails; the last release is then untouched.
    """
    try:
        logical_hash = hash_release(tables, provenance)
        place = out / RELEASES / logical_hash[:ID_LENGTH]
        place.parent.mkdir(exist_ok=True)
        _clear_debris(place.parent)
        if not place.exists():
            _write_aside(place, tables, {"logical_hash": logical_hash, **provenance})
        _point(out / CURRENT, Path(RELEASES) / place.name)
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        problem = getattr(error, "strerror", None) or error
        raise PublicationError(f"{out}: cannot be written ({problem}); the last release is as it was") from error
    return Release(place, read_manifest(place))


def hash_release(tables: Frames, provenance: dict[str, Any]) -> str:
    """The logical hash: of what describes the tables and where they came from, and of their rows in the order of the key.

    It does not depend on the files that hold them, and so not on the versions of SQLite and Arrow.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps(provenance, sort_keys=True).encode())
    digest.update(render_metadata().encode())
    digest.update("".join(view.sql for view in VIEWS.values()).encode())
    for name, frame in tables.items():
        digest.update(ddl(TABLES[name].definition()).encode())
        for batch in frame.iter_slices(ROWS_PER_BATCH):
            digest.update(batch.write_ndjson().encode())
    return digest.hexdigest()


def _write_aside(place: Path, tables: Frames, facts: dict[str, Any]) -> None:
    """Write a release into a hidden folder beside its place, its manifest last, and move it there."""
    folder = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=place.parent))
    try:
        rows = {f"{name}.parquet": frame.height for name, frame in tables.items()}
        write_database(folder / DATABASE_FILE, tables)
        for name, frame in tables.items():
            write_parquet(folder / f"{name}.parquet", TABLES[name], frame)
        papers = paper_list(tables)
        write_parquet(folder / PAPER_LIST_FILE, PaperList, papers)
        (folder / METADATA).write_text(render_metadata(), encoding="utf-8")
        files = {path.name: _file_facts(path) for path in sorted(folder.iterdir())}
        for name, count in {**rows, PAPER_LIST_FILE: papers.height}.items():
            files[name]["rows"] = count
        manifest = {"paperledger": __version__, **facts, "files": files}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        folder.chmod(0o755)
        folder.rename(place)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _file_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _point(link: Path, target: Path) -> None:
    """Make a link lead to `target` in one step."""
    new = link.with_name(f".{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    try:
        new.replace(link)
    except OSError:
        new.unlink()
        raise


def _lock(handle: int, out: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PublicationError(
            f"{out}: another build holds this folder; wait for it, or choose another with --out"
        ) from error


def _clear_debris(releases: Path) -> None:
    """Take away the folders of builds that were killed; the lock says that no build is at work."""
    for folder in releases.glob(f"{_ASIDE}*"):
        shutil.rmtree(folder)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        elif folder.exists():
            return
