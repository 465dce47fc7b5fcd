"""A release as its Parquet files tell it, so that one of an older version can be read too.

In: a folder. Out: each published table's key, columns and rows. The list of papers, made of other tables, is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import UsageError
from etl.load.layout import CURRENT, MANIFEST, PAPER_LIST_FILE, read_manifest


@dataclass(frozen=True)
class TableFile:
    """One table's file: its primary key, and its columns with Arrow's names of their types."""

    path: Path
    key: tuple[str, ...]
    columns: dict[str, str]

    def read(self, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """The rows, all columns or some; raises `UsageError` where the file is damaged."""
        try:
            # Brackets in the name of a folder are no pattern.
            return pl.read_parquet(self.path, columns=None if columns is None else list(columns), glob=False)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise _damaged(self.path, error) from error


@dataclass(frozen=True)
class ReleaseFiles:
    """A release: the path that was given, its manifest, and its tables by name."""

    path: Path
    manifest: dict[str, Any]
    tables: dict[str, TableFile]

    def read(self, table: str, columns: Iterable[str]) -> pl.DataFrame | None:
        """Some columns of a table, or None where this release lacks one of them."""
        file = self.tables.get(table)
        wanted = list(columns)
        return file.read(wanted) if file and set(wanted) <= file.columns.keys() else None


def open_release(path: Path) -> ReleaseFiles:
    """The release in a folder, or the newest one of an output folder; raises `UsageError` where there is none."""
    try:
        folder = next((place for place in (path / CURRENT, path) if (place / MANIFEST).is_file()), None)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the folder and its permissions") from error
    if folder is None:
        raise UsageError(f"{path}: no release here; expected the folder of a release, or that of a build's output")
    try:
        manifest = read_manifest(folder)
        names = sorted(name for name in manifest["files"] if name.endswith(".parquet") and name != PAPER_LIST_FILE)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{folder / MANIFEST}: not the manifest of a release ({error}); build it again") from error
    return ReleaseFiles(path, manifest, {name.removesuffix(".parquet"): _table_file(folder / name) for name in names})


def _table_file(path: Path) -> TableFile:
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
