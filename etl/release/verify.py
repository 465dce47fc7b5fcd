"""Verify the integrity of a release (files, database, logical hash), and the parity of Parquet and SQLite.

In: the folder of a release of this version of the schema, which is only read. Out: problems in words, or none. Tables are
those of the files, not those of this version's models, and are read in batches.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import SCRATCH_ADVICE, in_words, is_refusal, refusal
from etl.load.layout import DATABASE_FILE, METADATA, PAPER_LIST_FILE, read_manifest
from etl.load.manifest import HashedContent, damaged_files, hash_content, provenance_of
from etl.load.parquet import paper_list, read_batches
from etl.load.sqlite import quoted, search_table, searched_rows
from etl.release.release import database_address
from schemas import SCHEMA_VERSION, TABLES, Definition, PaperList

BATCH = 10_000
"""Rows that are compared at once, since they are large as Python objects."""
PAPERS = 25_000
"""Papers that are checked against the list of papers at once."""
_TABLES = """
    SELECT stored.name, stored.sql FROM sqlite_schema AS stored JOIN pragma_table_list AS listed ON listed.name = stored.name
    WHERE stored.type = 'table' AND listed.type = 'table' AND stored.name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY stored.rowid
"""
"""The tables in the order of their creation, without those of full-text indexes and of SQLite itself."""
_KEY = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
_Row = tuple[Any, ...]


@dataclass(frozen=True)
class _StoredTable:
    """A table of an SQLite file: its name, its CREATE TABLE statement and its key columns."""

    name: str
    sql: str
    key: tuple[str, ...]


def _stored_tables(database: sqlite3.Connection) -> list[_StoredTable]:
    """The tables of the dataset in an SQLite file."""
    found = database.execute(_TABLES).fetchall()
    return [_StoredTable(name, sql, tuple(key for (key,) in database.execute(_KEY, [name]))) for name, sql in found]


def _differing_rows(table: _StoredTable, database: sqlite3.Connection, path: Path) -> Iterator[str]:
    """The first row of a Parquet file that differs from the table's row, in words; nothing if all are equal."""
    order = ", ".join(map(quoted, table.key))
    cursor = database.execute(f"SELECT * FROM {quoted(table.name)} ORDER BY {order}")  # noqa: S608
    columns = [column[0] for column in cursor.description]
    found = pq.read_schema(path).names
    if found != columns:
        yield f"found the columns {', '.join(found)}, expected {', '.join(columns)} as in SQLite"
        return
    number = 0
    mine: list[_Row]
    stored: list[_Row]
    for mine, stored in zip_longest(map(_as_stored, read_batches(path, BATCH)), _fetched(cursor), fillvalue=[]):
        if mine != stored:
            yield _first_difference(number, columns, mine, stored)
            return
        number += len(mine)


def _fetched(cursor: sqlite3.Cursor) -> Iterator[list[_Row]]:
    while rows := cursor.fetchmany(BATCH):
        yield rows


def _as_stored(frame: pl.DataFrame) -> list[_Row]:
    """The rows of a frame as SQLite stores them."""
    columns = [_column_as_stored(column) for column in frame.get_columns()]
    return pl.DataFrame(columns).rows()


def _column_as_stored(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int64)
    if column.dtype == pl.List:
        texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column


def _first_difference(before: int, columns: list[str], mine: list[_Row], stored: list[_Row]) -> str:
    for number, (row, other) in enumerate(zip_longest(mine, stored), before + 1):
        if row is None or other is None:
            return f"found {'no' if row is None else 'a'} row {number}, expected {'one' if row is None else 'none'} as in SQLite"
        if row != other:
            column, value, expected = next(
                (column, value, expected)
                for column, value, expected in zip(columns, row, other, strict=True)
                if value != expected
            )
            return f"row {number}: {column}: found {value!r:.80}, expected {expected!r:.80} as in SQLite"
    raise AssertionError("the rows are the same")


_UNREADABLE = (
    OSError,
    sqlite3.Error,
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    UnicodeDecodeError,
)
_VIEWS = "SELECT sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid"
Check = Callable[[Path, sqlite3.Connection], Iterable[str]]


def verify(release: Path) -> list[str]:
    """The problems of a release, each with the file, what was found and what was expected.

    Raises `OSError`, `UsageError` or, on a full disk, `PublicationError` if it cannot be checked.
    """
    problems = [*damaged_files(release)]
    if problems:
        # The contents of files that are not as published need no check.
        return problems
    if not (release / DATABASE_FILE).is_file():
        return [f"{DATABASE_FILE}: found no such file, expected the database"]
    # SQLite's own checks take half of the time, and run beside the others, since they do not need the lock of Python.
    with ThreadPoolExecutor(2) as pool:
        return [*chain.from_iterable(pool.map(partial(_problems, release), CHECKS))]


def _problems(release: Path, check: Check) -> list[str]:
    try:
        with closing(sqlite3.connect(database_address(release), uri=True)) as database:
            return [*check(release, database)]
    except _UNREADABLE as error:
        if isinstance(error, OSError | sqlite3.Error) and is_refusal(error):
            raise refusal(error, "cannot be checked", SCRATCH_ADVICE, release) from error
        file = DATABASE_FILE if isinstance(error, sqlite3.Error) else "*.parquet"
        return [f"{file}: found what cannot be read ({in_words(error)}), expected {CHECKS[check]}"]


def _names(release: Path, database: sqlite3.Connection) -> Iterator[str]:
    """Check that there is one Parquet file a table, and the list of papers."""
    expected = {f"{table.name}.parquet" for table in _stored_tables(database)} | {PAPER_LIST_FILE}
    found = {path.name for path in release.glob("*.parquet")}
    for name in sorted(expected - found):
        yield f"{name}: found no such file, expected one for each table of {DATABASE_FILE}"
    for name in sorted(found - expected):
        yield f"{name}: found a file without a table in {DATABASE_FILE}, expected none"


def _database(_: Path, database: sqlite3.Connection) -> Iterator[str]:
    for (words,) in database.execute("PRAGMA integrity_check"):
        if words != "ok":
            # The result for a damaged B-tree has many lines: a title, then a problem for each page.
            first = next(line for line in words.splitlines() if not line.startswith("***"))
            yield f"{DATABASE_FILE}: found {first}, expected a sound database"
    for table, rowid, parent, _number in database.execute("PRAGMA foreign_key_check"):
        yield f"{DATABASE_FILE}: {table}: found row {rowid} without its row in {parent}, expected one for every foreign key"


def _versions(release: Path, database: sqlite3.Connection) -> Iterator[str]:
    """Check the version of the schema in the database and in each Parquet file."""
    found = {DATABASE_FILE: str(database.execute("PRAGMA user_version").fetchone()[0])}
    for path in sorted(release.glob("*.parquet")):
        found[path.name] = (pq.read_schema(path).metadata or {}).get(b"schema_version", b"none").decode()
    for name, version in found.items():
        if version != str(SCHEMA_VERSION):
            yield f"{name}: found schema version {version}, expected {SCHEMA_VERSION} as in the manifest"


def _search(release: Path, _: sqlite3.Connection) -> Iterator[str]:
    """Check the full-text indexes, on a copy, since FTS5's own check writes."""
    with _copied(release) as copy, closing(sqlite3.connect(copy)) as database:
        for model in TABLES.values():
            if name := search_table(model.definition()):
                yield from _search_problems(name, model.definition(), database)


@contextmanager
def _copied(release: Path) -> Iterator[Path]:
    """A temporary copy of the database while the block runs."""
    try:
        folder = tempfile.TemporaryDirectory()
    except OSError as error:
        # A missing folder for temporary files must not be reported as a missing file of the release.
        raise refusal(error, "cannot be checked", SCRATCH_ADVICE, release) from error
    with folder as name:
        yield shutil.copyfile(release / DATABASE_FILE, Path(name) / DATABASE_FILE)


def _search_problems(name: str, definition: Definition, database: sqlite3.Connection) -> Iterator[str]:
    """The result of FTS5's own check, and whether a separate index has the words of the tables."""
    try:
        database.execute(f"INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)")  # noqa: S608
        rows = searched_rows(definition)
        stored = f"SELECT rowid, * FROM {name} ORDER BY rowid"  # noqa: S608
        differs = rows and any(one != other for one, other in zip_longest(*map(database.execute, (stored, rows))))
        problem = "other words" if differs else None
    except sqlite3.Error as error:
        if is_refusal(error):
            raise
        problem = str(error)
    if problem:
        yield f"{DATABASE_FILE}: {name}: found {problem}, expected the words of {definition.name}"


def _rows(release: Path, _: sqlite3.Connection) -> Iterator[str]:
    """Check the number of rows of each Parquet file against the manifest."""
    files = read_manifest(release)["files"]
    for path in sorted(release.glob("*.parquet")):
        expected = files[path.name].get("rows")
        try:
            found = pq.read_metadata(path).num_rows
        except (OSError, pa.ArrowException) as error:
            if is_refusal(error):
                raise
            yield f"{path.name}: found no Parquet file ({in_words(error)}), expected one of {expected} rows"
            continue
        if expected != found:
            yield f"{path.name}: found {found} rows, expected {expected}"


def _logical_hash(release: Path, database: sqlite3.Connection) -> Iterator[str]:
    manifest = read_manifest(release)
    content = HashedContent(
        metadata=(release / METADATA).read_bytes().decode(),
        views=(sql.partition(" AS ")[2] for (sql,) in database.execute(_VIEWS)),
        tables=(
            (table.sql, read_batches(release / f"{table.name}.parquet", BATCH)) for table in _stored_tables(database)
        ),
    )
    found = hash_content(content, provenance_of(manifest))
    if found != manifest["logical_hash"]:
        yield f"*.parquet: found rows and schema of the logical hash {found}, expected {manifest['logical_hash']}"


def _parquet_is_sqlite(release: Path, database: sqlite3.Connection) -> Iterator[str]:
    for table in _stored_tables(database):
        path = release / f"{table.name}.parquet"
        yield from (f"{path.name}: {problem}" for problem in _differing_rows(table, database, path))


_FACTS_OF_PAPERS = ("paper_authors", "paper_institutions", "paper_identifiers")
_NAMED_ON_PAPERS = ("authors", "categories", "institutions")


def _paper_list(release: Path, _: sqlite3.Connection) -> Iterator[str]:
    """Check the list of papers against the other tables, for a range of papers at once."""
    found, papers = _scan(release / PAPER_LIST_FILE), _scan(release / "papers.parquet")
    count, expected = (rows.select(pl.len()).collect().item() for rows in (found, papers))
    if count != expected:
        yield _another_list(f"{count} papers where there are {expected}")
        return
    start = 0
    for other in paper_lists(release):
        mine = PaperList.select(found.slice(start, other.height).collect())
        if not mine.equals(other):
            yield _another_list(_first_other_paper(start, mine, other))
            return
        start += other.height


def paper_lists(release: Path) -> Iterator[pl.DataFrame]:
    """The list of papers as the other Parquet files of a release give it, for a range of papers at once."""
    papers = _scan(release / "papers.parquet")
    named = {
        name: _scan(release / f"{name}.parquet").select(*TABLES[name].definition().primary_key, "name").collect()
        for name in _NAMED_ON_PAPERS
    }
    for start in range(0, papers.select(pl.len()).collect().item(), PAPERS):
        part = papers.slice(start, PAPERS).select(pl.exclude("abstract")).collect()
        ids = part["paper_id"]
        facts = {
            name: _scan(release / f"{name}.parquet")
            .filter(pl.col("paper_id").is_between(pl.lit(ids.min()), pl.lit(ids.max())))
            .collect()
            for name in _FACTS_OF_PAPERS
        }
        yield paper_list({**named, **facts, "papers": part})


def _scan(path: Path) -> pl.LazyFrame:
    # glob=False, since a folder's name may contain brackets.
    return pl.scan_parquet(path, glob=False)


def _another_list(found: str) -> str:
    return f"{PAPER_LIST_FILE}: found {found}, expected the values in the other tables"


def _first_other_paper(before: int, found: pl.DataFrame, expected: pl.DataFrame) -> str:
    pairs = zip(found.iter_rows(), expected.iter_rows(), strict=True)
    return next(
        f"another row {number} ({mine[0]})" for number, (mine, other) in enumerate(pairs, before + 1) if mine != other
    )


CHECKS: dict[Check, str] = {
    _names: "the tables of a release",
    _rows: "a Parquet file",
    _database: "an SQLite database",
    _versions: "files that name the version of their schema",
    _search: "an SQLite database with its search index",
    _logical_hash: "the tables that the manifest hashes",
    _parquet_is_sqlite: "the same tables in Parquet and SQLite",
    _paper_list: "all papers with what hangs on them",
}
"""The checks in order, each with what it expects to read."""
