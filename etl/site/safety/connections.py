"""What a connection may do. In: a connection to the release's database. Out: the same, bounded in size and to reading.

Datasette ends a query that takes too long, but looks only between SQLite's steps: one step may still ask for gigabytes, or
compare two long texts for minutes. Hence bounds on every value, on a whole answer, and on all of SQLite's memory.
"""

import sqlite3
from contextlib import closing
from sys import getsizeof
from typing import Any
from weakref import ref

from datasette.utils import allowed_pragmas

from etl.site.safety.door import LONGEST_ADDRESS
from etl.site.safety.functions import FUNCTIONS, make_printf
from schemas.limits import LONGEST_LINE

LONGEST_VALUE = 2 * LONGEST_LINE
"""Bytes of a value that SQL may read or make: any line that a page may hold, and room to work on it."""
LARGEST_ANSWER = 16 << 20
"""Bytes of all rows of an answer, as Python holds them."""
SQLITE_MEMORY = 64 << 20
"""Bytes that SQLite may hold in this process, all connections together."""
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * LONGEST_ADDRESS,  # Datasette puts its own around what a person asks
    sqlite3.SQLITE_LIMIT_COLUMN: 100,  # a thousand rows of them are drawn in a second
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 256,  # LIKE takes the product of both lengths, in one step
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
ALLOWED_WITH = {
    sqlite3.SQLITE_PRAGMA: {*allowed_pragmas, "data_version"},  # the last is asked by full-text search
    sqlite3.SQLITE_UPDATE: {"sqlite_master"},  # a full-text index declares itself so; the file stays as it is
}
REFUSED = {
    sqlite3.SQLITE_FUNCTION: {
        "load_extension",
        "fts3_tokenizer",
        "json_patch",
    },  # the last takes the square of its time
    sqlite3.SQLITE_READ: {"sqlite_stmt"},  # it shows what other people ask
}


class AnswerTooLarge(sqlite3.OperationalError):
    """Rows that together are larger than one answer may be."""


class CountedRows:
    """Makes Datasette's rows, and stops an answer that grows too large."""

    def __init__(self) -> None:
        self._cursor: ref[sqlite3.Cursor] | None = None
        self._bytes = 0

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        """A row of a cursor; raises `AnswerTooLarge`."""
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._bytes = ref(cursor), 0
        self._bytes += sum(map(getsizeof, values))
        if self._bytes > LARGEST_ANSWER:
            raise AnswerTooLarge(
                f"the answer is larger than {LARGEST_ANSWER >> 20} MiB: ask for fewer rows or columns,"
                " or take the files of the release"
            )
        return sqlite3.Row(cursor, values)


def guard(connection: sqlite3.Connection) -> None:
    """Bound a connection."""
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    for name, (arity, function) in FUNCTIONS.items():
        connection.create_function(name, arity, function, deterministic=True)
    for name in ("printf", "format"):
        connection.create_function(name, -1, make_printf(), deterministic=True)
    connection.row_factory = CountedRows()
    connection.set_authorizer(_authorize)


def bound_memory() -> None:
    """Bound what all of SQLite may hold in this process, for good: SQLite lets nobody widen it again."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit={SQLITE_MEMORY}")


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let SQL read, and nothing else."""
    if (action, first, second) == (sqlite3.SQLITE_READ, "pragma_database_list", "file"):
        return sqlite3.SQLITE_IGNORE  # null: where the release lies is nobody's business
    name = second if action == sqlite3.SQLITE_FUNCTION else first
    allowed = (action in ALLOWED and name not in REFUSED.get(action, ())) or name in ALLOWED_WITH.get(action, ())
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
