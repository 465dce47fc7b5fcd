"""The floor: the least that any tool must do to write a release. `python tests/benchmarks/floor.py RELEASE`.

RELEASE is a release's folder. Its rows are read in portions, which is not timed, and written: bare `executemany` in one
transaction with the release's own DDL, its indexes, a rebuild and an optimize of each full-text index, ANALYZE, VACUUM INTO,
and its Parquet files. Prints wall and CPU seconds as JSON.
"""

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from etl.load.layout import DATABASE_FILE

ROWS = 100_000


class Stopwatch:
    """Wall and CPU seconds of what runs within `running`."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what the block takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def floor(release: Path) -> Stopwatch:
    """What writing a release's tables takes, in a folder beside it that is removed again."""
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(dir=release.parent) as folder:
        source = sqlite3.connect(f"file:{release / DATABASE_FILE}?mode=ro", uri=True)
        draft = sqlite3.connect(Path(folder) / "draft.db", isolation_level=None)
        with closing(source), closing(draft):
            _write_database(source, draft, Path(folder) / DATABASE_FILE, watch)
        for file in sorted(release.glob("*.parquet")):
            table = pq.read_table(file)
            with watch.running():
                pq.write_table(table, Path(folder) / file.name, compression="zstd")
    return watch


def _write_database(source: sqlite3.Connection, draft: sqlite3.Connection, final: Path, watch: Stopwatch) -> None:
    statements = source.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    of_kind = {kind: [(name, sql) for type_, name, sql in statements if type_ == kind] for kind in ("table", "index")}
    searches = [(name, sql) for name, sql in of_kind["table"] if sql.upper().startswith("CREATE VIRTUAL")]
    tables = [(name, sql) for name, sql in of_kind["table"] if not _is_internal(name, [name for name, _ in searches])]
    with watch.running():
        for _, sql in tables:
            draft.execute(sql)
        draft.execute("BEGIN")
    for name, _ in tables:
        _copy(source, draft, name, watch)
    with watch.running():
        draft.execute("COMMIT")
        for _, sql in of_kind["index"]:
            draft.execute(sql)
        for name, sql in searches:
            draft.execute(sql)
            for action in ("rebuild", "optimize"):
                draft.execute(f'INSERT INTO "{name}"("{name}") VALUES (?)', [action])  # noqa: S608
        draft.execute("ANALYZE")
        draft.execute("VACUUM INTO ?", [str(final)])


def _is_internal(name: str, searches: list[str]) -> bool:
    """Whether a table is a full-text index, one of its own tables, or one of SQLite's."""
    return name.startswith(("sqlite_", *(f"{search}_" for search in searches))) or name in searches


def _copy(source: sqlite3.Connection, draft: sqlite3.Connection, table: str, watch: Stopwatch) -> None:
    rows = source.execute(f'SELECT * FROM "{table}"')  # noqa: S608
    insert = f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(rows.description))})'  # noqa: S608
    while portion := rows.fetchmany(ROWS):
        with watch.running():
            draft.executemany(insert, portion)


if __name__ == "__main__":
    print(json.dumps(vars(floor(Path(sys.argv[1])))))  # noqa: T201
