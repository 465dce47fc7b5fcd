"""What SQL may do on a connection, with functions in place of some of SQLite's. In: a connection to the release's database. Out: the same, bounded.

A statement is interrupted only between SQLite's steps: one step may still allocate gigabytes, or compare two long texts for
minutes. Hence limits for each value, for a whole answer, and for all of SQLite's memory; and functions whose time grows with
the length of the text, where SQLite's need the product of two lengths in one step. LIKE of a part or a beginning is a search of
bytes, which takes a third of the time; other patterns and GLOB are SQLite's, for small products only.
"""

import re
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from functools import cache, lru_cache, partial
from itertools import takewhile
from json import dumps
from sys import getsizeof
from typing import Any
from weakref import ref

from datasette.utils import allowed_pragmas, allowed_sql_res

from etl.site.safety.request_limits import LONGEST_ADDRESS
from etl.site.safety.search_limits import parameters_refusal, search_refusal
from etl.site.safety.statement_time import Clock, TimedConnection
from schemas import TABLES
from schemas.limits import UNREAD_LINE

SqlValue = str | bytes | int | float | None
LONGEST_FORMAT = 1000
"""Letters of the longest format of printf and strftime."""
LONGEST_PATTERN = 256
"""Bytes of a pattern of LIKE and GLOB."""
LARGEST_MATCH = 32 << 20
"""Letters of a pattern times letters of a text: some 40 ms, and more than 100,000 letters for the longest pattern."""
LONGEST_REMAINING = 4 << 10
"""Letters of the values that stay bound to a function's statement until its next call: a connection may have 128 statements."""
WIDE_FIELD = re.compile(r"\d{5}")
"""A width or precision of ten thousand and more, which printf fills letter by letter."""


def _instr(text: SqlValue, part: SqlValue) -> int | None:
    """The position of a part in a text, from 1; 0 where there is none.

    >>> _instr("ropes", "pe"), _instr("ropes", "x"), _instr(None, "x"), _instr(b"ab", b"b")
    (3, 0, None, 2)
    """
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def _replace(text: SqlValue, part: SqlValue, new: SqlValue) -> SqlValue:
    """A text with every part replaced; raises `OverflowError`, before it is made, where the new text is too long.

    >>> _replace("a-b-c", "-", "+"), _replace("abc", "", "x"), _replace(17, 1, 2)
    ('a+b+c', 'abc', '27')
    """
    if text is None or part is None or new is None:
        return None
    text, part, new = _text(text), _text(part), _text(new)
    if not part:
        return text
    if len(text) + text.count(part) * (len(new) - len(part)) > UNREAD_LINE:
        raise OverflowError("the text grows too long")
    return text.replace(part, new)


def _ltrim(text: SqlValue, letters: SqlValue) -> str | None:
    """A text without any of the letters at its beginning.

    >>> _ltrim("--a-", "-"), _ltrim("abc", "")
    ('a-', 'abc')
    """
    if text is None or letters is None:
        return None
    text, unwanted = _text(text), set(_text(letters))
    return text[sum(1 for _ in takewhile(unwanted.__contains__, text)) :]


def _rtrim(text: SqlValue, letters: SqlValue) -> str | None:
    """A text without any of the letters at its end.

    >>> _rtrim("-a--", "-"), _rtrim("---", "-")
    ('-a', '')
    """
    if text is None or letters is None:
        return None
    return (_ltrim(_text(text)[::-1], letters) or "")[::-1]


def _trim(text: SqlValue, letters: SqlValue) -> str | None:
    """A text without any of the letters at both ends.

    >>> _trim("-a-b--", "-")
    'a-b'
    """
    return _rtrim(_ltrim(text, letters), letters)


class SqliteFunctions:
    """SQLite's own functions, called on a separate connection, for arguments that take little time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        own = sqlite3.connect(":memory:", check_same_thread=False)
        own.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
        self._ask = own.cursor().execute

    def printf(self, *values: SqlValue) -> SqlValue:
        """SQLite's printf; raises `OverflowError` for widths that would take minutes.

        >>> SqliteFunctions(Clock()).printf("%05d|%*s|%.1f", 7, 3, "x", 2.5)
        '00007|  x|2.5'
        """
        form = _text(values[0]) if values and values[0] is not None else ""
        widths = [form, *map(str, values[1:])] if "*" in form else [form]
        if len(form) > LONGEST_FORMAT or any(map(WIDE_FIELD.search, widths)):
            raise OverflowError("printf's format is too wide")
        return self._call("printf", values)

    def strftime(self, *values: SqlValue) -> SqlValue:
        """SQLite's strftime; raises `OverflowError` for formats that would take seconds.

        >>> SqliteFunctions(Clock()).strftime("%Y-%m", "2026-01-02")
        '2026-01'
        """
        if values and len(_text(values[0] if values[0] is not None else "")) > LONGEST_FORMAT:
            raise OverflowError("strftime's format is too long")
        return self._call("strftime", values)

    def like(self, *values: SqlValue) -> SqlValue:
        """SQLite's LIKE of a pattern, a text and an escape character; raises `OverflowError` where they are too long.

        >>> SqliteFunctions(Clock()).like("%pe_", "ropes"), SqliteFunctions(Clock()).like("a#%", "A%", "#")
        (1, 1)
        """
        part = _part_of_pattern(values[0]) if len(values) == 2 and isinstance(values[0], str) else None
        if part is None or not isinstance(values[1], str) or "\0" in values[1]:
            return self._match("like", values)
        text = values[1].encode().lower()
        return int(part[0] in text if part[1] else text.startswith(part[0]))

    def glob(self, *values: SqlValue) -> SqlValue:
        """SQLite's GLOB of a pattern and a text; raises `OverflowError` where they are too long.

        >>> SqliteFunctions(Clock()).glob("*pe?", "ropes"), SqliteFunctions(Clock()).glob("*PE?", "ropes")
        (1, 0)
        """
        return self._match("glob", values)

    def _match(self, name: str, values: tuple[SqlValue, ...]) -> SqlValue:
        pattern, text = (len(value) if isinstance(value, str | bytes) else 1 for value in values[:2])
        if pattern > LONGEST_PATTERN or pattern * text > LARGEST_MATCH:
            self._clock.refusal = (
                f"{name.upper()} of a pattern of {pattern:,} letters and a text of {text:,} takes too long;"
                f" expected at most {LONGEST_PATTERN} and, multiplied, {LARGEST_MATCH:,}: shorten one (substr)"
            )
            raise OverflowError(self._clock.refusal)
        return self._call(name, values)

    def _call(self, name: str, values: tuple[SqlValue, ...]) -> SqlValue:
        """The function's result; its statement is cached, and so would be the long values bound to it."""
        sql = _calling(name, len(values))
        try:
            row: tuple[SqlValue] = self._ask(sql, values).fetchone()
        finally:
            if sum(len(value) for value in values if isinstance(value, str | bytes)) > LONGEST_REMAINING:
                self._ask(sql, [None] * len(values))
        return row[0]


@lru_cache(maxsize=100)
def _part_of_pattern(pattern: str) -> tuple[bytes, bool] | None:
    """The bytes that a pattern of LIKE asks for, in lower case, and whether at any place or at the beginning; None for other patterns.

    >>> _part_of_pattern("%Pe%"), _part_of_pattern("ro%"), _part_of_pattern("r_pe")
    ((b'pe', True), (b'ro', False), None)
    """
    part = pattern.removesuffix("%").removeprefix("%")
    if len(pattern) > LONGEST_PATTERN or not pattern.endswith("%") or re.search("[%_\0]", part):
        return None
    return part.encode().lower(), pattern.startswith("%")  # as in SQLite, letters beyond ASCII have one case each


@cache
def _calling(name: str, arity: int) -> str:
    return f"SELECT {name}({', '.join('?' * arity)})"


def _text(value: str | bytes | float) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


LINEAR_FUNCTIONS: dict[tuple[str, int], Callable[..., SqlValue]] = {
    ("instr", 2): _instr,
    ("replace", 3): _replace,
    ("ltrim", 2): _ltrim,
    ("rtrim", 2): _rtrim,
    ("trim", 2): _trim,
}
"""Functions in linear time, by name and number of arguments."""


def limited_functions(clock: Clock) -> dict[tuple[str, int], Callable[..., SqlValue]]:
    """The functions of a connection in place of SQLite's, by name and number of arguments; each checks the clock first."""
    native = SqliteFunctions(clock)
    natives: dict[tuple[str, int], Callable[..., SqlValue]] = {
        ("printf", -1): native.printf,
        ("format", -1): native.printf,
        ("strftime", -1): native.strftime,
        ("like", 2): native.like,
        ("like", 3): native.like,
        ("glob", 2): native.glob,
    }
    return {name: _in_time(function, clock) for name, function in (LINEAR_FUNCTIONS | natives).items()}


def _in_time(function: Callable[..., SqlValue], clock: Clock) -> Callable[..., SqlValue]:
    """The function, which raises `TimeIsUp` where its statement has to end."""

    def call(*values: SqlValue) -> SqlValue:
        clock.require_time()
        return function(*values)

    return call


LONGEST_VALUE = UNREAD_LINE
"""Bytes of a value that SQL may read or make: as many as the longest line of a page."""
LONGEST_JSON = 256 << 10
"""The same for SQL of a person's own that reads or writes JSON: one step takes 24 ms for a list of 4 MiB, and a row may have many."""
JSON_NAME = re.compile(r"json|->")
"""How the names of SQLite's functions and tables for JSON begin."""
RANKING_FUNCTIONS = {"bm25", "highlight", "snippet"}
"""Functions whose one step takes the number of words searched times the places found, so only canned queries use them: 2,300
words took SQLite 7 s in an abstract of the usual size. `snippet` takes the square, and is always refused: five words took 24 s
in an abstract of 20,000 letters.
"""
RANK_COLUMN = "rank"
"""The column of a full-text table whose value is `bm25`."""
LARGEST_ANSWER = 16 << 20
"""Bytes of all rows of an answer, by `answer_bytes`."""
JSON_STARTS = ("[", "{")
BYTES_AN_ELEMENT = 64
"""Bytes of an empty list and its place in another."""
SQLITE_MEMORY = 96 << 20
"""Bytes of SQLite's memory in this process, for all connections and for sorting: temporary files have no limit, and a short
query filled a disk at 700 MB a second. It is enough to sort 50,000 papers with all columns, or a million short rows; an error
refers larger sorts to the files.
"""
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * LONGEST_ADDRESS,  # Datasette adds its own to a person's
    sqlite3.SQLITE_LIMIT_COLUMN: 100,  # a thousand rows of them are drawn in a second
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    # The time is not checked within a row, where a step reads a number of 4 MiB in 5 ms; our SQL takes 500 steps at most.
    # SQLite doubles its array of them, so that this is 672.
    sqlite3.SQLITE_LIMIT_VDBE_OP: 1200,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
MakeRow = Callable[[sqlite3.Cursor, tuple[Any, ...]], Any]
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
ALLOWED_WITH = {
    sqlite3.SQLITE_PRAGMA: {*allowed_pragmas, "data_version"},  # the last is read by full-text search
    sqlite3.SQLITE_UPDATE: {"sqlite_master"},  # how a full-text index is declared; the file does not change
}
REFUSED = {
    sqlite3.SQLITE_FUNCTION: {
        "load_extension",
        "fts3_tokenizer",
        "json_patch",
    },  # the last takes quadratic time
    sqlite3.SQLITE_READ: {"sqlite_stmt"},  # it shows the SQL of other people
}


def check_select_in_linear_time() -> None:
    """Let Datasette check in linear time whether SQL is a SELECT: its patterns try each division of the blanks after a comment."""
    allowed_sql_res[:] = [
        re.compile(pattern.pattern.replace(r"\s*)*\s*", r"\s*)*+\s*+"), pattern.flags) for pattern in allowed_sql_res
    ]


SEARCH_TABLES = {f"{name}_fts" for name in TABLES}
"""The full-text tables, searched by any of their columns or as functions."""


class AnswerTooLarge(sqlite3.OperationalError):
    """The rows of an answer are together larger than its limit."""


class CountedRows:
    """A row factory that ends answers which grow too large; it makes `sqlite3.Row` unless another factory is given."""

    def __init__(self, make: MakeRow = sqlite3.Row) -> None:
        self._make = make
        self._cursor: ref[sqlite3.Cursor] | None = None
        self._bytes = self._names = 0

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Any:
        """A row of a cursor; raises `AnswerTooLarge`."""
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._bytes = ref(cursor), 0
            self._names = sum(_answer_bytes(name) for name, *_ in cursor.description)
        self._bytes += self._names + sum(map(_answer_bytes, values))
        if self._bytes > LARGEST_ANSWER:
            values = ()  # else the error would refer to them
            raise AnswerTooLarge(
                f"the answer is larger than {LARGEST_ANSWER >> 20} MiB: ask for fewer rows or columns,"
                " or take the files of the release"
            )
        return self._make(cursor, values)


def _answer_bytes(value: SqlValue) -> int:
    r"""The most bytes that a value takes in an answer: as Python's object, as JSON, or as JSON that is parsed.

    A control character is six bytes of JSON; and Datasette parses the text of a list (`_json=`), where each comma is one more
    Python object.

    >>> _answer_bytes("ab"), _answer_bytes("\0" * 100), _answer_bytes("[" + "[]," * 99 + "[]]") > 6000
    (51, 602, True)
    """
    if isinstance(value, str):
        elements = value.count("[") + value.count("{") + value.count(",") if value.lstrip()[:1] in JSON_STARTS else 0
        return max(getsizeof(value), len(dumps(value))) + BYTES_AN_ELEMENT * elements
    return getsizeof(value) * (2 if isinstance(value, bytes) else 1)


def limit_connection(connection: sqlite3.Connection, canned: Collection[str] = ()) -> None:
    """Apply all limits to a connection; the SQL of canned queries may rank papers and mark words."""
    sqlite3.enable_callback_tracebacks(False)  # Datasette prints one for each value that a function refuses
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    clock = connection.clock if isinstance(connection, TimedConnection) else Clock()
    for (name, arity), function in limited_functions(clock).items():
        connection.create_function(name, arity, function, deterministic=True)
    connection.execute("PRAGMA temp_store=MEMORY")  # see `SQLITE_MEMORY`
    _open_search_tables(connection)
    connection.row_factory = CountedRows()
    trusted = frozenset(map(str.strip, canned))
    clock.on_start = partial(_start, connection, clock, trusted)
    connection.set_authorizer(partial(_authorize, connection, clock, trusted))


def _open_search_tables(connection: sqlite3.Connection) -> None:
    """Open the full-text tables: a statement that ends while it opens them would fail as if they were damaged."""
    with suppress(sqlite3.Error, MemoryError):
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        ).fetchall():
            if name in SEARCH_TABLES:
                connection.execute(f"SELECT 1 FROM {name} LIMIT 0").fetchall()  # noqa: S608  a name of ours


def limit_sqlite_memory() -> None:
    """Limit the memory of all of SQLite in this process; SQLite cannot raise the limit again."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit={SQLITE_MEMORY}")


def _start(connection: sqlite3.Connection, clock: Clock, canned: Collection[str]) -> None:
    """Prepare for a statement; raises `OperationalError` for one of a person's own that searches too much."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    if _is_ad_hoc(clock, canned) and clock.query.sql:
        clock.refusal = search_refusal(connection, clock.query)
        if clock.refusal:
            raise sqlite3.OperationalError(clock.refusal)


def _is_ad_hoc(clock: Clock, canned: Collection[str]) -> bool:
    """Whether a person may have written the statement that runs."""
    return clock.is_costly and clock.query.sql.strip() not in canned


def _authorize(
    connection: sqlite3.Connection,
    clock: Clock,
    canned: Collection[str],
    action: int,
    first: str | None,
    second: str | None,
    *_: str | None,
) -> int:
    """SQLite's authorizer: SQL may read, and nothing else."""
    if (action, first, second) == (sqlite3.SQLITE_READ, "pragma_database_list", "file"):
        return sqlite3.SQLITE_IGNORE  # null: the path of the release is private
    name = (second if action == sqlite3.SQLITE_FUNCTION else first) or ""
    is_ad_hoc = _is_ad_hoc(clock, canned)
    if is_ad_hoc and JSON_NAME.match(name):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_JSON)
    if name in RANKING_FUNCTIONS or first in SEARCH_TABLES:
        ranks = second if name in RANKING_FUNCTIONS or second == RANK_COLUMN else None
        clock.refusal = (ranks and _ranking_refusal(ranks, is_ad_hoc=is_ad_hoc)) or parameters_refusal(clock.query)
        if clock.refusal:
            return sqlite3.SQLITE_DENY
    allowed = (action in ALLOWED and name not in REFUSED.get(action, ())) or name in ALLOWED_WITH.get(action, ())
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _ranking_refusal(name: str, *, is_ad_hoc: bool) -> str | None:
    """Why a statement that ranks papers or marks words is refused; None where it is allowed."""
    if name == "snippet":
        return (
            "snippet takes the square of the words found, too long for this site; use highlight in a canned query, or"
            " build the release again"
        )
    if is_ad_hoc:
        return (
            f"{name} takes too long in SQL of one's own, which may search for thousands of words; expected in canned"
            " queries only: ask search_papers, or leave it out"
        )
    return None
