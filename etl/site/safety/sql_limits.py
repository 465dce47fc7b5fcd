"""What a connection may do, and SQL functions in place of SQLite's own. In: a connection to the release's database. Out: the same, bounded.

Datasette ends a query that takes too long, but looks only between SQLite's steps: one step may still ask for gigabytes, or
compare two long texts for minutes. Hence bounds on every value, on a whole answer, and on all of SQLite's memory; and
functions that take time that grows with the text alone, where SQLite's take the product of two lengths in one step. LIKE
and GLOB do so too, but only where the product is small: a loop in Python would be slower for each real text.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import cache, partial
from itertools import takewhile
from json import dumps
from sys import getsizeof
from typing import Any
from weakref import ref

from datasette.utils import allowed_pragmas, allowed_sql_res

from etl.site.safety.request_limits import LONGEST_ADDRESS
from etl.site.safety.statement_time import Clock, Connection
from schemas import TABLES
from schemas.limits import UNREAD_LINE

Value = str | bytes | int | float | None
LONGEST_FORMAT = 1000
"""Letters of the longest format of printf and strftime."""
LONGEST_PATTERN = 256
"""Bytes of a pattern of LIKE and GLOB."""
LARGEST_MATCH = 32 << 20
"""Letters of a pattern times letters of a text: some 40 ms, and more than 100,000 letters for the longest pattern."""
LONGEST_KEPT = 4 << 10
"""Letters of the values that a function's statement keeps until its next call: there may be 128 statements a connection."""
WIDE = re.compile(r"\d{5}")
"""A width or precision that printf fills letter by letter, ten thousand and more."""


def instr(text: Value, part: Value) -> int | None:
    """Where a part begins, from 1; 0 where it is not.

    >>> instr("ropes", "pe"), instr("ropes", "x"), instr(None, "x"), instr(b"ab", b"b")
    (3, 0, None, 2)
    """
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def replace(text: Value, part: Value, new: Value) -> Value:
    """A text with every part replaced; raises `OverflowError` before the text is made that is too long.

    >>> replace("a-b-c", "-", "+"), replace("abc", "", "x"), replace(17, 1, 2)
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


def ltrim(text: Value, letters: Value) -> str | None:
    """A text without any of the letters at its beginning.

    >>> ltrim("--a-", "-"), ltrim("abc", "")
    ('a-', 'abc')
    """
    if text is None or letters is None:
        return None
    text, unwanted = _text(text), set(_text(letters))
    return text[sum(1 for _ in takewhile(unwanted.__contains__, text)) :]


def rtrim(text: Value, letters: Value) -> str | None:
    """A text without any of the letters at its end.

    >>> rtrim("-a--", "-"), rtrim("---", "-")
    ('-a', '')
    """
    if text is None or letters is None:
        return None
    return (ltrim(_text(text)[::-1], letters) or "")[::-1]


def trim(text: Value, letters: Value) -> str | None:
    """A text without any of the letters at both ends.

    >>> trim("-a-b--", "-")
    'a-b'
    """
    return rtrim(ltrim(text, letters), letters)


class Native:
    """SQLite's own functions on a connection of their own, for arguments that take little time; one for each connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        own = sqlite3.connect(":memory:", check_same_thread=False)
        own.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
        self._ask = own.cursor().execute

    def printf(self, *values: Value) -> Value:
        """SQLite's printf; raises `OverflowError` for widths that would take minutes.

        >>> Native(Clock()).printf("%05d|%*s|%.1f", 7, 3, "x", 2.5)
        '00007|  x|2.5'
        """
        form = _text(values[0]) if values and values[0] is not None else ""
        widths = [form, *map(str, values[1:])] if "*" in form else [form]
        if len(form) > LONGEST_FORMAT or any(map(WIDE.search, widths)):
            raise OverflowError("printf's format is too wide")
        return self._call("printf", values)

    def strftime(self, *values: Value) -> Value:
        """SQLite's strftime; raises `OverflowError` for formats that would take seconds.

        >>> Native(Clock()).strftime("%Y-%m", "2026-01-02")
        '2026-01'
        """
        if values and len(_text(values[0] if values[0] is not None else "")) > LONGEST_FORMAT:
            raise OverflowError("strftime's format is too long")
        return self._call("strftime", values)

    def like(self, *values: Value) -> Value:
        """SQLite's LIKE: the pattern, the text, and the sign before a letter that is itself; raises `OverflowError`.

        >>> Native(Clock()).like("%pe_", "ropes"), Native(Clock()).like("a#%", "A%", "#")
        (1, 1)
        """
        return self._match("like", values)

    def glob(self, *values: Value) -> Value:
        """SQLite's GLOB: the pattern and the text; raises `OverflowError`.

        >>> Native(Clock()).glob("*pe?", "ropes"), Native(Clock()).glob("*PE?", "ropes")
        (1, 0)
        """
        return self._match("glob", values)

    def _match(self, name: str, values: tuple[Value, ...]) -> Value:
        pattern, text = (len(value) if isinstance(value, str | bytes) else 1 for value in values[:2])
        if pattern > LONGEST_PATTERN or pattern * text > LARGEST_MATCH:
            self._clock.refusal = (
                f"{name.upper()} of a pattern of {pattern:,} letters and a text of {text:,} takes too long;"
                f" expected at most {LONGEST_PATTERN} and, multiplied, {LARGEST_MATCH:,}: shorten one (substr)"
            )
            raise OverflowError(self._clock.refusal)
        return self._call(name, values)

    def _call(self, name: str, values: tuple[Value, ...]) -> Value:
        """What the function finds; its statement is kept, and would keep long values."""
        sql = _calling(name, len(values))
        try:
            row: tuple[Value] = self._ask(sql, values).fetchone()
        finally:
            if sum(len(value) for value in values if isinstance(value, str | bytes)) > LONGEST_KEPT:
                self._ask(sql, [None] * len(values))
        return row[0]


@cache
def _calling(name: str, arity: int) -> str:
    return f"SELECT {name}({', '.join('?' * arity)})"


def _text(value: str | bytes | float) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


FUNCTIONS: dict[tuple[str, int], Callable[..., Value]] = {
    ("instr", 2): instr,
    ("replace", 3): replace,
    ("ltrim", 2): ltrim,
    ("rtrim", 2): rtrim,
    ("trim", 2): trim,
}
"""By name and number of arguments."""


def functions(clock: Clock) -> dict[tuple[str, int], Callable[..., Value]]:
    """What a connection calls instead of SQLite's own functions, by name and number of arguments, while its clock runs."""
    native = Native(clock)
    natives: dict[tuple[str, int], Callable[..., Value]] = {
        ("printf", -1): native.printf,
        ("format", -1): native.printf,
        ("strftime", -1): native.strftime,
        ("like", 2): native.like,
        ("like", 3): native.like,
        ("glob", 2): native.glob,
    }
    return {name: _in_time(function, clock) for name, function in (FUNCTIONS | natives).items()}


def _in_time(function: Callable[..., Value], clock: Clock) -> Callable[..., Value]:
    """The function; raises `TimeIsUp` where its statement has to end."""

    def call(*values: Value) -> Value:
        clock.look()
        return function(*values)

    return call


LONGEST_VALUE = UNREAD_LINE
"""Bytes of a value that SQL may read or make: any line that a page may hold."""
LONGEST_SEARCHED = 32 << 10
"""The same for costly SQL that searches words: SQLite takes seconds in one step to read a text of 100,000 words to search."""
LONGEST_JSON = 256 << 10
"""The same for costly SQL that reads or writes JSON: SQLite takes 24 ms for a list of 4 MiB, in one step as often as a row asks."""
JSON = re.compile(r"json|->")
"""How the names of SQLite's functions and tables for JSON begin."""
MOST_WORDS = 100
"""Words and signs of a parameter to search for: to rank papers or mark words takes some 0.3 s in an abstract of 20,000 letters
that has them everywhere.
"""
WORD = re.compile(r"\w+|[^\w\s]+")
RANKING = {"bm25", "highlight", "snippet"}
"""Functions that look in one step at each word searched times each place where it is found, so only canned queries use them:
2,300 words took SQLite 7 s in an abstract of the usual size. `snippet` takes the square, and is for nobody: 24 s for five
words in an abstract of 20,000 letters.
"""
RANK = "rank"
"""The column of a search's table that is `bm25`."""
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
    # Nobody looks at the time within a row, where a step reads a number of 4 MiB in 5 ms; ours take 500 steps at most. SQLite
    # doubles its room for them, so that this is 672.
    sqlite3.SQLITE_LIMIT_VDBE_OP: 1200,
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


def check_sql_in_time() -> None:
    """Have Datasette see in linear time whether SQL is a SELECT: its patterns try each division of the blanks after a comment."""
    allowed_sql_res[:] = [
        re.compile(pattern.pattern.replace(r"\s*)*\s*", r"\s*)*+\s*+"), pattern.flags) for pattern in allowed_sql_res
    ]


SEARCHED = {f"{name}_fts" for name in TABLES}
"""The tables where words are searched, by any of their columns or as functions."""


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


def guard(connection: sqlite3.Connection, canned: Collection[str] = ()) -> None:
    """Bound a connection; SQL of canned queries may rank papers and mark words."""
    sqlite3.enable_callback_tracebacks(False)  # Datasette has one printed for each value that a function refuses
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    clock = connection.clock if isinstance(connection, Connection) else Clock()
    for (name, arity), function in functions(clock).items():
        connection.create_function(name, arity, function, deterministic=True)
    connection.execute("PRAGMA temp_store=MEMORY")  # see `SQLITE_MEMORY`
    connection.row_factory = CountedRows()
    clock.begins = partial(connection.setlimit, sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.set_authorizer(partial(_authorize, connection, clock, frozenset(map(str.strip, canned))))


def bound_memory() -> None:
    """Bound what all of SQLite may hold in this process, for good: SQLite lets nobody widen it again."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit={SQLITE_MEMORY}")


def _authorize(
    connection: sqlite3.Connection,
    clock: Clock,
    canned: Collection[str],
    action: int,
    first: str | None,
    second: str | None,
    *_: str | None,
) -> int:
    """Let SQL read, and nothing else."""
    if (action, first, second) == (sqlite3.SQLITE_READ, "pragma_database_list", "file"):
        return sqlite3.SQLITE_IGNORE  # null: where the release lies is nobody's business
    name = (second if action == sqlite3.SQLITE_FUNCTION else first) or ""
    is_own = clock.is_costly and clock.asked.sql.strip() not in canned
    if is_own:
        _shorten(
            connection, LONGEST_SEARCHED if first in SEARCHED else LONGEST_JSON if JSON.match(name) else LONGEST_VALUE
        )
    if name in RANKING or first in SEARCHED:
        ranks = second if name in RANKING or second == RANK else None
        clock.refusal = (ranks and _against_ranking(ranks, is_own=is_own)) or _against_words(clock)
        if clock.refusal:
            return sqlite3.SQLITE_DENY
    allowed = (action in ALLOWED and name not in REFUSED.get(action, ())) or name in ALLOWED_WITH.get(action, ())
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _shorten(connection: sqlite3.Connection, most: int) -> None:
    """Let the statement have no longer values, since it does what takes long in one step."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(most, connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)))


def _against_ranking(name: str, *, is_own: bool) -> str | None:
    """What is said against a statement that ranks papers, or marks words; None where there is nothing."""
    if name == "snippet":
        return (
            "snippet takes the square of the words found, too long for this site; use highlight in a canned query, or"
            " build the release again"
        )
    if is_own:
        return (
            f"{name} takes too long in SQL of one's own, which may search for thousands of words; expected in canned"
            " queries only: ask search_papers, or leave it out"
        )
    return None


def _against_words(clock: Clock) -> str | None:
    """What is said against a search for very many words; None where there is nothing."""
    asked = clock.asked.parameters
    values = asked.values() if isinstance(asked, Mapping) else asked
    words = max((len(WORD.findall(value)) for value in values if isinstance(value, str)), default=0)
    if words > MOST_WORDS:
        return f"There are {words:,} words and signs to search for; expected at most {MOST_WORDS}: search for fewer"
    return None
