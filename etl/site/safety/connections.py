"""What a connection may do. In: a connection to the release's database. Out: the same, bounded in size and to reading.

Datasette ends a query that takes too long, but looks only between SQLite's steps: one step may still ask for gigabytes, or
compare two long texts for minutes. Hence bounds on every value, on a whole answer, and on all of SQLite's memory.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from json import dumps
from sys import getsizeof
from typing import Any
from weakref import ref

from datasette.utils import allowed_pragmas

from etl.site.safety.clock import Clock, Connection
from etl.site.safety.door import LONGEST_ADDRESS
from etl.site.safety.functions import Value, functions
from schemas.limits import UNREAD_LINE

LONGEST_VALUE = UNREAD_LINE
"""Bytes of a value that SQL may read or make: any line that a page may hold."""
LARGEST_ANSWER = 16 << 20
"""Bytes of all rows of an answer, by `weight`."""
JSON_BEGINS = ("[", "{")
BYTES_OF_A_THING = 64
"""What an empty list takes, and its place in another."""
SQLITE_MEMORY = 96 << 20
"""Bytes that SQLite may hold in this process, all connections together, what it sorts included: no file takes that, since
SQLite has no bound for its files, and a short query filled a disk at 700 MB a second. It is enough to sort 50,000 papers
with all columns, or a million short rows; who sorts more is told to take the files.
"""
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * LONGEST_ADDRESS,  # Datasette puts its own around what a person asks
    sqlite3.SQLITE_LIMIT_COLUMN: 100,  # a thousand rows of them are drawn in a second
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 2500,  # nobody looks at the time within a row; ours take 500 at most
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
MakeRow = Callable[[sqlite3.Cursor, tuple[Any, ...]], Any]
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
    """Makes rows, and stops an answer that grows too large; Datasette's own rows unless another kind is named."""

    def __init__(self, make: MakeRow = sqlite3.Row) -> None:
        self._make = make
        self._cursor: ref[sqlite3.Cursor] | None = None
        self._bytes = self._names = 0

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
        """A row of a cursor; raises `AnswerTooLarge`."""
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._bytes = ref(cursor), 0
            self._names = sum(weight(name) for name, *_ in cursor.description)
        self._bytes += self._names + sum(map(weight, values))
        if self._bytes > LARGEST_ANSWER:
            values = ()  # else the error would keep them
            raise AnswerTooLarge(
                f"the answer is larger than {LARGEST_ANSWER >> 20} MiB: ask for fewer rows or columns,"
                " or take the files of the release"
            )
        return self._make(cursor, values)


def weight(value: Value) -> int:
    r"""Bytes that a value takes in an answer at most, be it as Python has it or as JSON writes or reads it.

    A sign that nobody sees is six bytes of JSON; and a text of a list is what Datasette reads as one where it is asked
    to (`_json=`), where every comma is a thing of Python's.

    >>> weight("ab"), weight("\0" * 100), weight("[" + "[]," * 99 + "[]]") > 6000
    (51, 602, True)
    """
    if isinstance(value, str):
        things = value.count("[") + value.count("{") + value.count(",") if value.lstrip()[:1] in JSON_BEGINS else 0
        return max(getsizeof(value), len(dumps(value))) + BYTES_OF_A_THING * things
    return getsizeof(value) * (2 if isinstance(value, bytes) else 1)


def guard(connection: sqlite3.Connection) -> None:
    """Bound a connection."""
    sqlite3.enable_callback_tracebacks(False)  # Datasette has one printed for each value that a function refuses
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    clock = connection.clock if isinstance(connection, Connection) else Clock()
    for (name, arity), function in functions(clock).items():
        connection.create_function(name, arity, function, deterministic=True)
    connection.execute("PRAGMA temp_store=MEMORY")  # see `SQLITE_MEMORY`
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
