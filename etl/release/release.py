"""Read a published release: find it, check its version, read its tables and pages.

In: a path that a person gave. Out: a `Release`, its database or its Parquet files, or an error with what was found there.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import SCRATCH_ADVICE, BrokenTables, DamagedRelease, UsageError, is_refusal, refusal
from etl.load.layout import CURRENT, DATABASE_FILE, LAKE, MANIFEST, PAPER_LIST_FILE, REDACTED, read_manifest
from etl.load.manifest import require_undamaged
from etl.load.parquet import read_batches
from etl.printable import command
from etl.resolve.rendering import rebuild_pages
from etl.version import __version__
from schemas import TABLES, VIEWS, Frames
from schemas.table import SCHEMA_VERSION

FIRST_VERSION = 1
"""The schema version of a release that does not contain one."""


def require_schema_version(place: object, found: object, tool: object) -> None:
    """Check the schema version `found` at `place`; `tool` is the version of paperledger that made it.

    Raises `UsageError` if it is another one than this version's.

    >>> require_schema_version("build", SCHEMA_VERSION, "0.1.0")
    """
    if found != SCHEMA_VERSION:
        raise UsageError(
            f"{place}: found schema version {found}, expected version {SCHEMA_VERSION}, that of paperledger {__version__};"
            f" build it again with this version, or use the paperledger that made it ({tool})"
        )


_UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True)
class TableFile:
    """The Parquet file of a table: its primary key, and its columns with the names of their Arrow types."""

    path: Path
    key: tuple[str, ...]
    columns: dict[str, str]

    def read(self, columns: Iterable[str]) -> pl.DataFrame:
        """Read some columns; raises `UsageError` if the file is damaged."""
        try:
            # glob=False, since a folder's name may contain brackets.
            return pl.read_parquet(self.path, columns=list(columns), glob=False)
        except _UNREADABLE as error:
            raise _damaged(self.path, error) from error

    def batches(self, size: int) -> Iterator[pl.DataFrame]:
        """Read the rows in batches of at most `size`, sorted by the first key column.

        Raises `UsageError` if the file is damaged or not sorted.
        """
        before: list[pl.Series] = []
        try:
            for batch in read_batches(self.path, size):
                keys = pl.concat([*before, batch[self.key[0]]])
                if not keys.is_sorted():
                    raise LookupError(f"its rows are not sorted by {keys.name}")
                before = [keys.tail(1)]
                yield batch
        except (*_UNREADABLE, LookupError) as error:
            raise _damaged(self.path, error) from error


@dataclass(frozen=True)
class Release:
    """A release: its folder and its manifest."""

    path: Path
    manifest: dict[str, Any]

    @cached_property
    def tables(self) -> dict[str, TableFile]:
        """The published tables by name, without the list of papers, which is derived from them.

        Raises `UsageError` if a file is damaged.
        """
        names = sorted(name for name in self.manifest["files"] if name.endswith(".parquet") and name != PAPER_LIST_FILE)
        return {name.removesuffix(".parquet"): table_file(self.path / name) for name in names}

    def read(self, table: str, columns: Iterable[str]) -> pl.DataFrame | None:
        """Read some columns of a table; None if this release lacks one of them."""
        file = self.tables.get(table)
        wanted = list(columns)
        return file.read(wanted) if file and set(wanted) <= file.columns.keys() else None


def open_release(path: Path) -> Release:
    """Open the release in a folder, or the newest one of an output folder; raises `UsageError` if there is none."""
    folder = find_release(path)
    try:
        manifest = read_manifest(folder)
        if not isinstance(manifest["files"], dict):
            raise TypeError("its files are no table")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{folder / MANIFEST}: not the manifest of a release ({error}); build it again") from error
    return Release(folder, manifest)


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database of the newest release at a path, read-only.

    Raises `UsageError` if there is none or it is of another version, `DamagedRelease` if it is not as published.
    """
    release = newest_release(path)
    require_known_schema(release)
    require_undamaged(release, [DATABASE_FILE])
    try:
        with closing(sqlite3.connect(database_address(release), uri=True)) as database:
            require_known_tables(release, database)
            yield database
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.Error) and is_refusal(error):
            raise refusal(error, "cannot be read", SCRATCH_ADVICE, release / DATABASE_FILE) from error
        raise DamagedRelease(f"{release / DATABASE_FILE}: cannot be read ({error}); build the release again") from error


def newest_release(path: Path) -> Path:
    """The folder, without links, of the newest release of an output folder, or of the release at `path`.

    Raises `UsageError` if there is none, or if the path cannot be read. The release may be damaged.
    """
    return _found(path, f"no release here; run {command('build')}, or give its folder with --out")


def find_release(path: Path) -> Path:
    """As `newest_release`, but the error does not advise to build, for releases that were built elsewhere."""
    return _found(path, "no release here, expected the folder of one, or an output folder of paperledger build")


def _found(path: Path, missing: str) -> Path:
    current = path / CURRENT
    try:
        if _is_there(current) and current.is_dir():
            return current.resolve()
        if any(_is_there(path / name) for name in (MANIFEST, DATABASE_FILE)):
            return path.resolve()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the folder and its permissions") from error
    if current.is_symlink():
        missing = f"{CURRENT} refers to {current.readlink()}, where no release is; run {command('build')} again"
    elif (path / LAKE).is_file():
        missing = f"found a lake, expected a release; make one with {command('export', 'sqlite', '--from', str(path))}"
    raise UsageError(f"{path}: {missing}")


def _is_there(path: Path) -> bool:
    """Whether there is a file or folder; raises `OSError` if that is unknown, unlike `Path.exists`."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def database_address(release: Path) -> str:
    """The SQLite URI of a release's database; immutable, so that SQLite creates no temporary file next to it.

    >>> database_address(Path("/releases/bells"))
    'file:///releases/bells/paperledger.db?mode=ro&immutable=1'
    """
    return f"{(release / DATABASE_FILE).resolve().as_uri()}?mode=ro&immutable=1"


def require_known_schema(release: Path) -> None:
    """Check that a release's manifest has this version of the schema.

    Raises `UsageError` if it has another; an unreadable manifest is not reported here.
    """
    manifest = _manifest(release)
    if manifest is not None:
        require_schema_version(release, manifest.get("schema_version", FIRST_VERSION), manifest.get("paperledger"))


def require_known_tables(release: Path, database: sqlite3.Connection) -> None:
    """Check that a database has each table and view of this version with all its columns.

    Raises `DamagedRelease` if one is missing, as in a release of another version, or if the file is no database.
    """
    wanted = {name: set(model.definition().schema) for name, model in TABLES.items()}
    wanted |= {name: set(view.columns) for name, view in VIEWS.items()}
    try:
        problem = next(filter(None, (_missing(database, name, columns) for name, columns in wanted.items())), None)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        problem = f"what cannot be read ({error})"
    if problem:
        raise DamagedRelease(
            f"{release / DATABASE_FILE}: found {problem}, expected the tables of paperledger {__version__};"
            " another version built the release: build it again with this one"
        )


def _manifest(release: Path) -> dict[str, Any] | None:
    """The manifest of a release of any version, or None if it cannot be read."""
    path = release / MANIFEST
    try:
        # Opening a pipe of that name would block.
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    named = isinstance(manifest, dict) and re.fullmatch("[0-9a-f]{64}", str(manifest.get("logical_hash")))
    return manifest if named else None


def _missing(database: sqlite3.Connection, table: str, columns: set[str]) -> str | None:
    """The missing table or columns in words, or None."""
    found = {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", [table])}
    if not found:
        return f"no {table}"
    missing = ", ".join(sorted(columns - found))
    return f"{table} without {missing}" if missing else None


def table_file(path: Path) -> TableFile:
    """The table in a Parquet file of a release; raises `UsageError` if the file is damaged."""
    try:
        schema = pq.read_schema(path)
        columns = {field.name: str(field.type) for field in schema}
        key = msgspec.json.decode((schema.metadata or {})[b"primary_key"], type=tuple[str, ...])
        missing = ", ".join(set(key) - columns.keys())
        if missing:
            raise LookupError(f"its key has the column {missing}, which is not there")
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    return TableFile(path, key, columns)


def _damaged(path: Path, error: Exception) -> UsageError:
    first = str(error).partition("\n")[0]
    return UsageError(f"{path}: not a table of a release ({first}); build the release again")


_PAPERS_OF_PAGE = "SELECT paper_id FROM listings WHERE profile_id = :id"
_ROWS_OF_PAGE = {
    "profiles": "profile_id = :id",
    "listings": "profile_id = :id",
    "variants": "profile_id = :id",
    "quarantine": "profile_id = :id",
    "papers": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "paper_authors": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "paper_institutions": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "institutions": (
        f"institution_id IN (SELECT institution_id FROM paper_institutions WHERE paper_id IN ({_PAPERS_OF_PAGE}))"  # noqa: S608
    ),
}


def _page_tables(database: sqlite3.Connection, profile_id: str) -> Frames:
    """The rows of a release from which one page is rebuilt."""
    frames = {}
    for table, condition in _ROWS_OF_PAGE.items():
        columns = ", ".join(f'"{column}"' for column in TABLES[table].definition().schema)
        rows = database.execute(f"SELECT {columns} FROM {table} WHERE {condition}", {"id": profile_id})  # noqa: S608
        frames[table] = TABLES[table].read(rows.fetchall())
    return frames


def find_profile(database: sqlite3.Connection, wanted: str) -> str:
    """The id of a profile, given by its id, its source or a unique prefix of its id.

    Raises `UsageError` if there is none, or more than one.
    """
    rows = database.execute("SELECT profile_id, source FROM profiles ORDER BY profile_id").fetchall()
    for matches in (
        [profile_id for profile_id, _ in rows if profile_id == wanted],
        [profile_id for profile_id, source in rows if source == wanted],
        [profile_id for profile_id, _ in rows if wanted and profile_id.startswith(wanted)],
    ):
        if len(matches) == 1:
            return str(matches[0])
        if matches:
            raise UsageError(
                f"{wanted}: found {len(matches)} profiles, expected one; give more of an id: {', '.join(matches[:5])}"
            )
    raise UsageError(f"{wanted}: no such profile; see the table profiles for ids and sources")


def rebuild_page(database: sqlite3.Connection, profile_id: str) -> bytes:
    """Rebuild the bytes of one page of a release.

    Raises `UsageError` if the release is a redacted copy, `BrokenTables` if their hash is not that of the page that was read.
    """
    if database.execute("PRAGMA application_id").fetchone()[0] == REDACTED:
        raise UsageError(
            f"{profile_id}: this release is a redacted copy, from which no page can be rebuilt;"
            " use the release that it was made from, which its manifest names"
        )
    tables = _page_tables(database, profile_id)
    ((_, page),) = rebuild_pages(tables)
    require_read(profile_id, hashlib.sha256(page).hexdigest(), tables["profiles"]["sha256"].item())
    return page


def require_read(profile_id: str, rebuilt: str, read: str) -> None:
    """Raise `BrokenTables` if the SHA-256 of a rebuilt page is not that of the page that was read.

    >>> require_read("ann", "0a1b", "0a1b")
    """
    if rebuilt != read:
        raise BrokenTables(
            f"{profile_id}: the rebuilt page is not the page that was read; the release is damaged, build it again"
        )
