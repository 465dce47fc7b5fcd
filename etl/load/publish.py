"""Publication: a release is written aside, named by its contents, and becomes the newest by one rename and one link.

A reader never sees half a release, and a build that fails leaves the last one as it was. Everything is on the disk
for good before a name leads to it, so that this holds even where the power fails. A release that is in use stays: a server
has a shared lock on it, and a build removes none that is locked.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.errors import PublicationError
from etl.load.descriptors import render_datapackage, render_metadata
from etl.load.layout import (
    CURRENT,
    DATA_PACKAGE,
    DATABASE_FILE,
    ID_LENGTH,
    MANIFEST,
    METADATA,
    PAPER_LIST_FILE,
    RELEASES,
    is_release_id,
)
from etl.load.manifest import damaged_files, file_facts, hash_release, make_manifest, render_manifest
from etl.load.parquet import paper_list, write_parquet
from etl.load.sqlite import write_database
from schemas import TABLES, Frames, PaperList

HIDDEN = ".build-"
"""How the name of a folder begins that is no release yet, or none any more; nobody reads it."""


def write_text(path: Path, text: str) -> None:
    """Write a new file; one that is there already is an error, since two writers would then claim one name."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems know no fsync of folders; they keep names in step by themselves.
        if not (error.errno == errno.EINVAL and path.is_dir()):
            raise
    finally:
        os.close(handle)


def point(link: Path, target: Path) -> None:
    """Make a link lead to `target` in one step, for good."""
    new = link.with_name(f".{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    try:
        new.replace(link)
    except OSError:
        new.unlink()
        raise
    sync(link.parent)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def take_shared_lock(release: Path) -> None:
    """Hold a release for as long as this process lives, even where it becomes Datasette; many may hold one.

    Raises `OSError` where the folder is not there.
    """
    handle = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    os.set_inheritable(handle, True)


@contextmanager
def exclusive_lock(release: Path) -> Iterator[bool]:
    """Whether nobody holds a release; while the block runs, nobody gets it."""
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
"""How many of the newest releases stay.

Two would do for a reader who is half-way through the last one when the next is published. A Datasette that somebody
started by hand holds no lock, though, and must be given time to be started anew: five survive four more builds.
"""


def newest_first(out: Path) -> list[Path]:
    """The folders of all releases, the one that was published last first.

    The time stands on the folder and not in it: a release itself knows no clock.
    """
    folders = [path for path in (out / RELEASES).iterdir() if is_release_id(path.name) and not path.is_symlink()]
    return sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def remove_older(out: Path, spared: Collection[str]) -> None:
    """Remove releases beyond the newest `KEPT_RELEASES`, oldest first, but for those spared by name or held."""
    for folder in reversed(newest_first(out)[KEPT_RELEASES:]):
        # The new release is published by now; a folder that cannot be removed is tried again by the next build.
        with suppress(OSError), exclusive_lock(folder) as free:
            if free and folder.name not in spared:
                _remove_release(folder)


def clear_debris(out: Path) -> None:
    """Take away what killed builds left; the lock says that no build is at work. Raises `OSError`."""
    for path in [out / f".{CURRENT}", *(out / RELEASES).glob(f"{HIDDEN}*")]:
        remove(path)


def _remove_release(folder: Path) -> None:
    """Hide a release before its files go, so that nobody sees half of it even where this build is killed."""
    hidden = folder.with_name(f"{HIDDEN}{folder.name}")
    folder.rename(hidden)
    sync(folder.parent)
    remove(hidden)


ManifestOf = Callable[[dict[str, dict[str, Any]]], dict[str, Any]]
"""Makes a manifest from the facts of each file."""
Documents = Callable[[Path], Mapping[str, str]]
"""Makes further texts of a release, by file name, from the folder of its draft, where its database is already."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the output folder for one build, cleared of what killed builds left; no empty folder stays behind.

    Raises `PublicationError` at once where another build holds it, or where it cannot be made or written.
    """
    handle, made = _open(out)
    try:
        _lock(handle, out)
        try:
            yield
        finally:
            _remove_empty([out / RELEASES, *made])
    finally:
        os.close(handle)


def publish(out: Path, tables: Frames, provenance: dict[str, Any], documents: Documents = lambda _: {}) -> Path:
    """Write all files of a release, `documents` too, and make it the newest; its folder.

    One that exists already only becomes the newest again. Raises `PublicationError` where that fails; the last
    release is then untouched.
    """
    try:
        logical_hash = hash_release(tables, provenance)
        place = out / RELEASES / logical_hash[:ID_LENGTH]
        if place.exists():
            _renew(place)
        else:
            place.parent.mkdir(exist_ok=True)
            sync(out)
            _write_aside(place, tables, documents, partial(make_manifest, logical_hash, provenance))
        _make_newest(out, place)
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise _unwritable(out, error) from error
    return place


def _write_aside(place: Path, tables: Frames, documents: Documents, manifest_of: ManifestOf) -> None:
    """Write a release into a hidden folder beside its place, its manifest last, and move it there."""
    folder = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=place.parent))
    try:
        rows = _write_files(folder, tables, documents)
        _write_manifest(folder, rows, manifest_of)
        folder.chmod(0o755)
        sync(folder)
        folder.rename(place)
        sync(place.parent)
    except BaseException:
        # What went wrong first is what is told; debris that stays is the next build's.
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write_files(folder: Path, tables: Frames, documents: Documents) -> dict[str, int]:
    """Write all files but the manifest; the rows of each Parquet file by name."""
    write_database(folder / DATABASE_FILE, tables)
    for name, frame in tables.items():
        write_parquet(folder / f"{name}.parquet", TABLES[name], frame)
    papers = paper_list(tables)
    write_parquet(folder / PAPER_LIST_FILE, PaperList, papers)
    package = render_datapackage({path.name: file_facts(path) for path in folder.iterdir()})
    for name, text in {METADATA: render_metadata(papers.height), DATA_PACKAGE: package, **documents(folder)}.items():
        write_text(folder / name, text)
    return {f"{name}.parquet": frame.height for name, frame in tables.items()} | {PAPER_LIST_FILE: papers.height}


def _write_manifest(folder: Path, rows: dict[str, int], manifest_of: ManifestOf) -> None:
    """Write the manifest of the files in a folder, once they are on the disk for good."""
    files = {}
    for path in sorted(folder.iterdir()):
        sync(path)
        files[path.name] = file_facts(path) | ({"rows": rows[path.name]} if path.name in rows else {})
    write_text(folder / MANIFEST, render_manifest(manifest_of(files)))
    sync(folder / MANIFEST)


def _renew(place: Path) -> None:
    """See that a release which is there already is whole, and count it as published now."""
    problem = next(iter(damaged_files(place)), None)
    if problem:
        raise PublicationError(f"{place}: damaged ({problem}); remove this folder and build again")
    os.utime(place)


def _make_newest(out: Path, place: Path) -> None:
    """Let the link lead to a release, and take away the oldest ones; a reader of the last one may still be at it."""
    current = out / CURRENT
    last = current.readlink().name if current.is_symlink() else ""
    point(current, Path(RELEASES) / place.name)
    remove_older(out, spared=(place.name, last))


def _open(out: Path) -> tuple[int, list[Path]]:
    """Make the output folder and the missing ones above it, for good, and open it; the folders made, the innermost first."""
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
        clear_debris(out)
    except BlockingIOError as error:
        raise PublicationError(
            f"{out}: another build holds this folder; wait for it, or choose another with --out"
        ) from error
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: Exception) -> PublicationError:
    number = getattr(error, "errno", None)
    # Arrow's own words name the hidden folder; other words may be many lines, the first of which says what is wrong.
    problem = os.strerror(number) if number else str(error).partition("\n")[0]
    return PublicationError(f"{out}: cannot be written ({problem}); the last release is as it was")


def _remove_empty(folders: list[Path]) -> None:
    # Where a folder may not be looked at or removed, that is no news: what was done in it is told already.
    with suppress(OSError):
        for folder in folders:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
            elif folder.exists():
                return
