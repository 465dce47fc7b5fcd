"""The manifest of a release: versions, provenance, size and hash of each file; and the validation of a release against it.

In: tables and facts, or a release's folder. Out: the logical hash, and the manifest as a dict and as text; or problems, each
with the file, what was found and what was expected. The logical hash is of the tables, not of the files: it does not depend
on the versions of SQLite and Arrow, so that the same tables have the same name everywhere. The manifest's last entry is a
hash of all others, so that every change of it is detected.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from etl.errors import DamagedRelease, in_words, is_refusal
from etl.load.descriptors import render_metadata
from etl.load.layout import DATABASE_FILE, ID_LENGTH, MANIFEST, METADATA, PAPER_LIST_FILE, is_release_id
from etl.load.sqlite import ddl
from etl.version import __version__
from schemas import TABLES, VIEWS, Frames
from schemas.limits import LARGE_PAGE, ROWS_PER_BATCH
from schemas.table import SCHEMA_VERSION


@dataclass(frozen=True)
class HashedContent:
    """The input of the logical hash: Datasette's metadata as text, and the SQL of views and tables in their order."""

    metadata: str
    views: Iterable[str]
    tables: Iterable[tuple[str, Iterable[pl.DataFrame]]]
    """Each table's CREATE TABLE statement, and its rows in batches of any size."""


def hash_release(tables: Frames, provenance: dict[str, Any]) -> str:
    """The logical hash of tables to publish.

    >>> len(hash_release({"papers": TABLES["papers"].frame()}, {}))
    64
    """
    batches = {name: frame.iter_slices(ROWS_PER_BATCH) for name, frame in tables.items()}
    return hash_tables(batches, tables["papers"].height, provenance)


def hash_tables(
    tables: Mapping[str, Iterable[pl.DataFrame]], papers: int, provenance: Mapping[str, Any], redaction: str = ""
) -> str:
    """The logical hash of tables in batches of any size, with so many papers; `redaction` is the notice of a redacted copy.

    >>> hash_tables({"papers": [TABLES["papers"].frame()]}, 0, {}) == hash_release({"papers": TABLES["papers"].frame()}, {})
    True
    """
    views = (view.sql.strip() for view in VIEWS.values())
    rows = ((ddl(model.definition()), tables[name]) for name, model in TABLES.items() if name in tables)
    return hash_content(HashedContent(render_metadata(papers, redaction), views, rows), provenance)


def hash_content(content: HashedContent, provenance: Mapping[str, Any]) -> str:
    """The logical hash of tables from any source.

    >>> hash_content(HashedContent("", [], []), {})[:16]
    '44136fa355b3678a'
    """
    digest = hashlib.sha256()
    digest.update(json.dumps(provenance, sort_keys=True).encode())
    digest.update(content.metadata.encode())
    for view in content.views:
        digest.update(view.encode())
    for statement, batches in content.tables:
        digest.update(statement.encode())
        for part in chain.from_iterable(map(in_parts, batches)):
            digest.update(part.write_ndjson().encode())
    return digest.hexdigest()


def in_parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in parts with at most `LARGE_PAGE` bytes of text, except a single row that is longer."""
    texts = [
        pl.col(name).str.len_bytes().cast(pl.Int64).fill_null(0)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    ]
    parts = frame.select(pl.sum_horizontal(texts).cum_sum() // LARGE_PAGE).to_series()
    start = 0
    for length in parts.rle().struct.field("len"):
        yield frame.slice(start, length)
        start += length


SEAL = "manifest_sha256"
OWN = ("paperledger", "schema_version", "logical_hash", "files", SEAL)
"""The entries that are not provenance."""


def make_manifest(logical_hash: str, provenance: Mapping[str, Any], files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The manifest of files, given with their facts by name.

    >>> list(make_manifest("0a" * 32, {"pages": []}, {}))
    ['paperledger', 'schema_version', 'logical_hash', 'pages', 'files', 'manifest_sha256']
    """
    version = {"paperledger": __version__, "schema_version": SCHEMA_VERSION}
    return sealed({**version, "logical_hash": logical_hash, **provenance, "files": files})


def sealed(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest with the hash of all its other entries added.

    >>> list(sealed({"files": {}}))
    ['files', 'manifest_sha256']
    >>> sealed(sealed({"files": {}})) == sealed({"files": {}})
    True
    """
    rest = {key: value for key, value in manifest.items() if key != SEAL}
    return {**rest, SEAL: hashlib.sha256(render_manifest(rest).encode()).hexdigest()}


def render_manifest(manifest: dict[str, Any]) -> str:
    """The text of the file.

    >>> print(render_manifest({"files": {}}), end="")
    {
      "files": {}
    }
    """
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def provenance_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The provenance that was passed to `make_manifest`.

    >>> provenance_of({"schema_version": 1, "pages": []})
    {'pages': []}
    """
    return {key: value for key, value in manifest.items() if key not in OWN}


def file_facts(path: Path) -> dict[str, Any]:
    """A file's SHA-256 and its size in bytes."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


ADVICE = "the release is damaged: remove this folder, and build or fetch it again"
TABLE_FILES = (*(f"{name}.parquet" for name in TABLES), PAPER_LIST_FILE)
NEEDED = (DATABASE_FILE, METADATA, *TABLE_FILES)
"""The files that every release has, and the site depends on."""


class _File(msgspec.Struct):
    sha256: str
    bytes: int
    rows: int | None = None


class _Manifest(msgspec.Struct):
    """The required entries of a manifest; provenance is further ones."""

    paperledger: str
    logical_hash: str
    files: dict[str, _File]


def damaged_files(release: Path) -> Iterator[str]:
    """The problems of a release's manifest, or if there are none, of its files' names, sizes and hashes."""
    try:
        files = _files_of(release)
        yield from _file_problems(release, files, files.keys() | _names_in(release))
    except DamagedRelease as problem:
        yield str(problem)


def require_undamaged(release: Path, names: Collection[str] | None = None) -> None:
    """Check that the manifest and these files of a release are as published.

    Without names, all files are checked, also ones that are not in the manifest. Raises `DamagedRelease` with the first
    problem.
    """
    try:
        files = _files_of(release)
        if names is None:
            _require_needed(files)
        problem = next(
            _file_problems(release, files, files.keys() | _names_in(release) if names is None else names), None
        )
    except DamagedRelease as error:
        problem = str(error)
    if problem:
        raise DamagedRelease(f"{release}/{problem}; {ADVICE}")


def _files_of(release: Path) -> dict[str, _File]:
    """The files in a release's manifest; raises `DamagedRelease`, without the folder, if it is not as published."""
    text = _manifest_text(release)
    try:
        manifest = json.loads(text)
        checked = msgspec.convert(manifest, _Manifest)
        rendered = render_manifest(sealed(manifest)).encode()
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise DamagedRelease(
            f"{MANIFEST}: found what is not the manifest of a release ({in_words(error)}), expected the one that was published"
        ) from error
    if rendered != text:
        raise DamagedRelease(
            f"{MANIFEST}: found other text than it was published with, expected the entries that its last one hashes"
        )
    _require_own_hash(release.resolve().name, checked.logical_hash)
    return checked.files


def _require_needed(files: dict[str, _File]) -> None:
    """Check that a manifest has every required file, and each table's number of rows."""
    for name in NEEDED:
        if name not in files:
            raise DamagedRelease(f"{MANIFEST}: found no entry for {name}, expected one")
        if name in TABLE_FILES and files[name].rows is None:
            raise DamagedRelease(f"{MANIFEST}: found no number of rows of {name}, expected one")


def _manifest_text(release: Path) -> bytes:
    path = release / MANIFEST
    try:
        # Opening a pipe of that name would block for ever.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise DamagedRelease(f"{MANIFEST}: found no manifest (not a file), expected that of a release")
        return path.read_bytes()
    except OSError as error:
        _reraise_refusal(error, path)
        raise DamagedRelease(
            f"{MANIFEST}: found no manifest ({in_words(error)}), expected that of a release"
        ) from error


def _require_own_hash(name: str, logical_hash: str) -> None:
    if not re.fullmatch("[0-9a-f]{64}", logical_hash):
        raise DamagedRelease(f"{MANIFEST}: found the logical hash {logical_hash!r}, expected 64 hexadecimal digits")
    if is_release_id(name) and name != logical_hash[:ID_LENGTH]:
        raise DamagedRelease(
            f"{MANIFEST}: found the logical hash {logical_hash}, expected one that begins with the folder's name {name}"
        )


def _file_problems(release: Path, expected: dict[str, _File], names: Collection[str]) -> Iterator[str]:
    found = _names_in(release)
    for name in sorted(names):
        if name not in expected and name not in found:
            yield f"{MANIFEST}: found no entry for {name}, expected one"
        elif name not in expected:
            yield f"{name}: found a file that the manifest does not name, expected none"
        elif name not in found:
            yield f"{name}: found no such file, expected one of {expected[name].bytes} bytes"
        else:
            yield from _problems_of_file(release / name, expected[name])


def _names_in(release: Path) -> set[str]:
    try:
        return {path.name for path in release.iterdir()} - {MANIFEST}
    except OSError as error:
        _reraise_refusal(error, release)
        raise DamagedRelease(
            f".: found a folder that cannot be read ({in_words(error)}), expected a release's"
        ) from error


def _problems_of_file(path: Path, expected: _File) -> Iterator[str]:
    try:
        if path.is_symlink() or not path.is_file():
            yield f"{path.name}: found a link or a folder, expected a file"
            return
        facts = file_facts(path)
    except OSError as error:
        _reraise_refusal(error, path)
        yield f"{path.name}: found a file that cannot be read ({in_words(error)}), expected one of {expected.bytes} bytes"
        return
    if facts["bytes"] != expected.bytes:
        yield f"{path.name}: found {facts['bytes']} bytes, expected {expected.bytes}"
    elif facts["sha256"] != expected.sha256:
        yield f"{path.name}: found the sha256 {facts['sha256']}, expected {expected.sha256}"


def _reraise_refusal(error: OSError, path: Path) -> None:
    """Raise a system error that is no fault of the release again, with the file's name, which reading omits."""
    if is_refusal(error):
        raise OSError(error.errno, error.strerror, str(error.filename or path)) from error
