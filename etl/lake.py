"""A lake: the tables as folders of Parquet files, for what outgrows one machine.

    OUT/lake.json                              the manifest: readers begin here, and follow it to the newest lake
    OUT/lakes/ID/papers/part-00000.parquet …   the rows of a table in the order of its key

In: checked tables, and a function by which an engine writes Parquet files. Out: a lake. It is written into a fresh folder, read
again and compared with the tables before the manifest names it, so that no reader sees half of one, and a build that fails
leaves the last lake as it was.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import DamagedRelease, PublicationError, UsageError
from etl.load.layout import ID_LENGTH, LAKE, LAKES
from etl.load.manifest import (
    file_facts,
    hash_release,
    hash_tables,
    in_parts,
    make_manifest,
    render_manifest,
    sealed,
)
from etl.load.parquet import arrow_schema, as_arrow, read_batches
from etl.load.publish import failures_reported, new_folder, newest_in, remove_published, replace_text, sync
from etl.release.release import require_schema_version
from schemas import TABLES, Frames
from schemas.limits import ROWS_PER_BATCH

KEPT_LAKES = 2
"""How many of the newest lakes are not removed: the last one may still be read."""
_PARTS = "[!.]*.parquet"
"""The files of a table, without hidden ones that other programs put beside them."""
WriteFiles = Callable[[Path, pa.Schema, Sequence[Path]], Sequence[Path]]
"""Writes the rows of Arrow files into a new folder, each a Parquet file; returns these in the order of the files."""


@dataclass(frozen=True)
class Lake:
    """A lake: the folder that its manifest is in, and the manifest."""

    path: Path
    manifest: dict[str, Any]

    def rows(self, table: str) -> int:
        """The number of a table's rows."""
        return sum(facts["rows"] for facts in self._files(table).values())

    def batches(self, table: str) -> Iterator[pl.DataFrame]:
        """The rows of a table in the order of its key; raises `DamagedRelease` for a file that is not as published."""
        return _read((self._sound(name, facts) for name, facts in self._files(table).items()), table)

    def document(self, name: str) -> str | None:
        """The text of a document of the lake, or None without one; raises `DamagedRelease` as `batches` does."""
        place = f"{self.manifest['lake']}/{name}"
        facts = self.manifest["files"].get(place)
        return self._sound(place, facts).read_text(encoding="utf-8") if facts else None

    def _files(self, table: str) -> dict[str, dict[str, Any]]:
        prefix = f"{self.manifest['lake']}/{table}/"
        return {name: facts for name, facts in self.manifest["files"].items() if name.startswith(prefix)}

    def _sound(self, name: str, facts: Mapping[str, Any]) -> Path:
        path = self.path / name
        found = file_facts(path)["sha256"] if path.is_file() else "no file"
        if found != facts["sha256"]:
            raise DamagedRelease(
                f"{path}: found {found}, expected a file with SHA-256 {facts['sha256']}; fetch it again, or build the lake again"
            )
        return path


def open_lake(path: Path) -> Lake:
    """The newest lake of an output folder, or that of a manifest.

    Raises `UsageError` where there is none, `DamagedRelease` where its manifest is not as published.
    """
    place = path / LAKE if path.is_dir() else path
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        advice = "give the output folder of a build with --engine spark"
        raise UsageError(f"{place}: cannot be read ({error.strerror}), expected a lake's manifest; {advice}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedRelease(f"{place}: found no JSON ({error}); build the lake again") from error
    if not isinstance(manifest, dict) or sealed(manifest) != manifest or "lake" not in manifest:
        raise DamagedRelease(f"{place}: found another manifest than was published; build the lake again")
    require_schema_version(place, manifest["schema_version"], manifest["paperledger"])
    return Lake(place.parent, manifest)


def publish_lake(
    out: Path, tables: Frames, provenance: dict[str, Any], documents: Mapping[str, str], write: WriteFiles
) -> Lake:
    """Write a lake and its documents, make it the newest, and open it; the caller has the lock of the output folder.

    Raises `PublicationError` on failure, without changing the last lake.
    """
    with failures_reported(out):
        logical_hash = hash_release(tables, provenance)
        place = out / LAKES / logical_hash[:ID_LENGTH]
        if not place.exists():
            with new_folder(out, LAKES) as draft:
                _write_draft(draft, tables, documents, write)
                _require_rows(draft, logical_hash, provenance)
                draft.rename(place)
            sync(place.parent)
        else:
            _require_rows(place, logical_hash, provenance)
            for name, text in documents.items():
                replace_text(place / name, text)
        own = {"lake": place.relative_to(out).as_posix()}
        files = {path.relative_to(out).as_posix(): _facts(path) for path in _files_in(place, documents)}
        manifest = make_manifest(logical_hash, provenance | own, files)
        replace_text(out / LAKE, render_manifest(manifest))
        _remove_older(place)
    return Lake(out, manifest)


def _write_draft(draft: Path, tables: Frames, documents: Mapping[str, str], write: WriteFiles) -> None:
    """Write the files of a lake and sync them."""
    for name, frame in tables.items():
        _write_table(draft / name, name, frame, write)
    for name, text in documents.items():
        (draft / name).write_text(text, encoding="utf-8", newline="\n")
    draft.chmod(0o755)
    for path in (*_files_in(draft, documents), *map(draft.joinpath, tables), draft):
        sync(path)


def _write_table(folder: Path, name: str, frame: pl.DataFrame, write: WriteFiles) -> None:
    """Write a table as Parquet files of `ROWS_PER_BATCH` rows each."""
    schema = arrow_schema(TABLES[name].definition())
    with TemporaryDirectory(prefix=f"{name}-", dir=folder.parent) as staged:
        slices = frame.iter_slices(ROWS_PER_BATCH) if frame.height else [frame]
        files = [_stage(Path(staged) / f"{number}.arrow", name, rows) for number, rows in enumerate(slices)]
        for number, path in enumerate(write(folder, schema, files)):
            path.rename(folder / f"part-{number:05}.parquet")
    for path in folder.iterdir():
        if path.suffix != ".parquet" or path.name.startswith("."):  # Spark's mark of success, and its checksums.
            path.unlink()


def _stage(path: Path, name: str, rows: pl.DataFrame) -> Path:
    """Write rows to an Arrow file, in batches of few bytes."""
    with pa.ipc.new_file(str(path), arrow_schema(TABLES[name].definition())) as file:
        for part in in_parts(rows):
            file.write_table(as_arrow(TABLES[name], part))
    return path


def _files_in(place: Path, documents: Iterable[str]) -> list[Path]:
    return sorted([*place.glob(f"*/{_PARTS}"), *map(place.joinpath, documents)])


def _facts(path: Path) -> dict[str, Any]:
    return file_facts(path) | ({"rows": pq.read_metadata(path).num_rows} if path.suffix == ".parquet" else {})


def _require_rows(place: Path, logical_hash: str, provenance: dict[str, Any]) -> None:
    """Raise `PublicationError` where the files of a lake have other rows than the tables of this hash."""
    paths = {name: sorted((place / name).glob(_PARTS)) for name in TABLES}
    papers = sum(pq.read_metadata(path).num_rows for path in paths["papers"])
    found = {name: _read(paths[name], name) for name in TABLES}
    if hash_tables(found, papers, provenance) != logical_hash:
        raise PublicationError(f"{place}: found other rows than were checked; remove this folder and build again")


def _read(paths: Iterable[Path], table: str) -> Iterator[pl.DataFrame]:
    """The rows of a table's files, with the types of its model."""
    for path in paths:
        yield from map(TABLES[table].select, read_batches(path, ROWS_PER_BATCH))


def _remove_older(place: Path) -> None:
    """Remove all but the newest `KEPT_LAKES`; what cannot be removed now is removed by the next build."""
    place.touch()
    for path in newest_in(place.parent)[KEPT_LAKES:]:
        with suppress(OSError):
            remove_published(path)
