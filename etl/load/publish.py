"""Publication: a release is written to a hidden folder, and becomes the newest by one rename and one symbolic link.

A reader never sees an incomplete release, and a build that fails does not change the last one. All files are synced to the
disk before the rename, so that this is true after a power failure too. A server has a shared lock on the release that it
serves, and a build removes no locked release.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.errors import PublicationError
from etl.load.dataset_facts import DatasetFacts, dataset_facts
from etl.load.descriptors import render_datapackage, render_metadata
from etl.load.draft import Beside, Draft
from etl.load.layout import (
    CROISSANT,
    CURRENT,
    DATA_PACKAGE,
    DATABASE_FILE,
    LAKE,
    LAKES,
    MANIFEST,
    METADATA,
    RELEASES,
    is_release_id,
)
from etl.load.linked_data import render_croissant
from etl.load.manifest import damaged_files, file_facts, hash_release, make_manifest, render_manifest
from etl.load.sqlite import check_database
from schemas import Frames

HIDDEN = ".build-"
"""Prefix of the name of a folder that is not yet, or no longer, a release."""


def _write_text(path: Path, text: str) -> None:
    """Write a new file; raises `FileExistsError` if there is one, since two writers must not use one name."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems have no fsync of folders; they synchronise entries themselves.
        if not (error.errno == errno.EINVAL and path.is_dir()):
            raise
    finally:
        os.close(handle)


def _point(link: Path, target: Path) -> None:
    """Replace a symbolic link atomically by one to `target`, and sync it."""
    new = link.with_name(f".{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    try:
        new.replace(link)
    except OSError:
        new.unlink()
        raise
    sync(link.parent)


def replace_text(path: Path, text: str) -> None:
    """Write a file that readers see as it was or as it is now, never half of it."""
    new = path.with_name(f".{path.name}")
    new.unlink(missing_ok=True)
    _write_text(new, text)
    sync(new)
    new.replace(path)
    sync(path.parent)


def _remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def take_shared_lock(release: Path) -> None:
    """Lock a release against removal until this process ends, also if it executes Datasette; several processes may.

    Raises `OSError` if there is no such folder.
    """
    handle = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    os.set_inheritable(handle, True)


@contextmanager
def _exclusive_lock(release: Path) -> Iterator[bool]:
    """Lock a release exclusively while the block runs; yields False if another process has a lock."""
    handle = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


KEPT_RELEASES = 5
"""How many of the newest releases are not removed.

Two are enough for a reader of the last one when the next is published. But a Datasette that was started by hand has no lock
and needs time to be restarted: of five, the newest survives four more builds.
"""


def newest_first(out: Path) -> list[Path]:
    """The folders of all releases, the last published first.

    The time is the folder's modification time, since a release itself contains no time.
    """
    return newest_in(out / RELEASES)


def newest_in(folder: Path) -> list[Path]:
    """The folders in a folder that are named by a logical hash, the last published first."""
    folders = [path for path in folder.iterdir() if is_release_id(path.name) and not path.is_symlink()]
    return sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def _remove_older(out: Path, spared: Collection[str]) -> None:
    """Remove all but the newest `KEPT_RELEASES`, oldest first, except those that are `spared` by name or locked."""
    for folder in reversed(newest_first(out)[KEPT_RELEASES:]):
        # The new release is already published; the next build tries again to remove a folder that cannot be removed now.
        with suppress(OSError), _exclusive_lock(folder) as free:
            if free and folder.name not in spared:
                remove_published(folder)


def _clear_debris(out: Path) -> None:
    """Remove what killed builds left; requires the lock of the output folder. Raises `OSError`."""
    hidden = (path for folder in (RELEASES, LAKES) for path in (out / folder).glob(f"{HIDDEN}*"))
    for path in [out / f".{CURRENT}", out / f".{LAKE}", *hidden]:
        _remove(path)


def remove_published(folder: Path) -> None:
    """Rename a release or a lake before its files are removed, so that none is seen incomplete if this build is killed."""
    hidden = folder.with_name(f"{HIDDEN}{folder.name}")
    folder.rename(hidden)
    sync(folder.parent)
    _remove(hidden)


Documents = Callable[[Path], Mapping[str, str]]
"""Makes further texts of a release, by file name, from the folder of its draft, which contains the database."""


@dataclass(frozen=True)
class WrittenTables:
    """Tables in a folder, as database and Parquet files: what they are, and the rows of each Parquet file by name."""

    facts: DatasetFacts
    rows: Mapping[str, int]


WriteTables = Callable[[Path], WrittenTables]
"""Writes the database and the Parquet files of a release into a folder."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Lock the output folder for one build and remove what killed builds left; at the end, remove empty folders.

    Raises `PublicationError` if another build has the lock, or if the folder cannot be created or written.
    """
    handle, made = _open(out)
    try:
        _lock(handle, out)
        try:
            yield
        finally:
            with suppress(OSError):  # What is left is removed by the next build.
                _clear_debris(out)
            _remove_empty([out / LAKES])
            _remove_empty([out / RELEASES, *made])
    finally:
        os.close(handle)


@contextmanager
def new_folder(out: Path, name: str) -> Iterator[Path]:
    """A hidden folder in the folder `name` of the output folder, for files that a build needs; it ends with the block."""
    with failures_reported(out):
        (out / name).mkdir(exist_ok=True)
        sync(out)
        folder = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=out / name))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def drafted(out: Path, beside: Beside | None = None) -> Iterator[Draft]:
    """A draft in the output folder, which the caller has locked; without `beside`, all of it is written by `finish`."""
    with new_folder(out, RELEASES) as folder, ExitStack() as stack:
        yield Draft(folder, beside, stack)


def publish(
    out: Path,
    tables: Frames,
    provenance: dict[str, Any],
    documents: Documents = lambda _: {},
    draft: Draft | None = None,
) -> Path:
    """Finish the draft of tables, if one is begun, add `documents`, make it the newest release, and return its folder.

    If the release already exists it only becomes the newest again. Raises `PublicationError` on failure, without changing the
    last release.
    """
    with failures_reported(out):
        facts = dataset_facts(tables, hash_release(tables, provenance), provenance)
        place = out / RELEASES / facts.release_id
        if place.exists():
            _renew(place)
        else:
            with nullcontext(draft) if draft else drafted(out) as begun:
                begun.finish(tables)
                _finish(begun.folder, WrittenTables(facts, begun.rows), documents)
        _make_newest(out, place)
    return place


def publish_written(out: Path, write: WriteTables, documents: Documents = lambda _: {}) -> Path:
    """As `publish`, with database and Parquet files that `write` puts into a folder, so that they need not be in memory."""
    with failures_reported(out), new_folder(out, RELEASES) as folder:
        place = _finish(folder, write(folder), documents)
        _make_newest(out, place)
    return place


@contextmanager
def failures_reported(out: Path) -> Iterator[None]:
    """Raise what the system, SQLite or Arrow say about writing in the block as a `PublicationError`."""
    try:
        yield
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise _unwritable(out, error) from error


def _finish(folder: Path, written: WrittenTables, documents: Documents) -> Path:
    """Check and describe what is written in a hidden folder, and rename it to a release; one that exists is only renewed."""
    place = folder.with_name(written.facts.release_id)
    if place.exists():
        _renew(place)
        return place
    with ThreadPoolExecutor(max_workers=1) as beside:  # SQLite checks without the interpreter's lock.
        checked = beside.submit(check_database, folder / DATABASE_FILE)
        files = _write_documents(folder, written, documents)
        checked.result()
    _write_manifest(folder, written.facts, files)
    folder.chmod(0o755)
    sync(folder)
    folder.rename(place)
    sync(place.parent)
    return place


def _write_documents(folder: Path, written: WrittenTables, documents: Documents) -> dict[str, dict[str, Any]]:
    """Write the descriptors and the further texts beside the tables; returns the facts of each file by name."""
    facts, files = written.facts, {path.name: file_facts(path) for path in folder.iterdir()}
    for name, rows in written.rows.items():
        files[name]["rows"] = rows
    for name, text in {
        METADATA: render_metadata(facts.papers, facts.redaction),
        DATA_PACKAGE: render_datapackage(files, facts),
        CROISSANT: render_croissant(files, facts),
        **documents(folder),
    }.items():
        _write_text(folder / name, text)
        files[name] = file_facts(folder / name)
    return files


def _write_manifest(folder: Path, facts: DatasetFacts, files: dict[str, dict[str, Any]]) -> None:
    """Sync files to the disk, then write their manifest and sync it."""
    for name in sorted(files):
        sync(folder / name)
    manifest = make_manifest(facts.logical_hash, facts.provenance, dict(sorted(files.items())))
    _write_text(folder / MANIFEST, render_manifest(manifest))
    sync(folder / MANIFEST)


def _renew(place: Path) -> None:
    """Check that an existing release is undamaged, and set its time of publication to now."""
    problem = next(iter(damaged_files(place)), None)
    if problem:
        raise PublicationError(f"{place}: damaged ({problem}); remove this folder and build again")
    os.utime(place)


def _make_newest(out: Path, place: Path) -> None:
    """Point the link to a release, and remove old ones, but not the last, which may still be read."""
    current = out / CURRENT
    last = current.readlink().name if current.is_symlink() else ""
    _point(current, Path(RELEASES) / place.name)
    _remove_older(out, spared=(place.name, last))


def _open(out: Path) -> tuple[int, list[Path]]:
    """Create the output folder with its parents, and open it; returns its handle and the new folders, innermost first."""
    try:
        made = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        for folder in made:
            sync(folder.parent)
        return os.open(out, os.O_RDONLY | os.O_DIRECTORY), made
    except OSError as error:
        raise PublicationError(
            f"{out}: cannot be written ({error.strerror}); choose another folder with --out"
        ) from error


def _lock(handle: int, out: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear_debris(out)
    except BlockingIOError as error:
        raise PublicationError(
            f"{out}: another build is writing to this folder; wait for it, or choose another with --out"
        ) from error
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: Exception) -> PublicationError:
    number = getattr(error, "errno", None)
    # Arrow's message contains the hidden folder; other messages may have many lines, of which the first is the problem.
    problem = os.strerror(number) if number else str(error).partition("\n")[0]
    if isinstance(error, sqlite3.Error) and problem.endswith("is full"):
        problem += ", or that for temporary files (TMPDIR), where SQLite sorts"
    return PublicationError(f"{out}: cannot be written ({problem}); the last release is as it was")


def _remove_empty(folders: list[Path]) -> None:
    # An error here is not reported: if it matters, the work in the folder failed with it too.
    with suppress(OSError):
        for folder in folders:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
            elif folder.exists():
                return
