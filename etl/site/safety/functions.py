"""SQL functions in place of SQLite's own. In and out: what SQLite's take and give, in time that grows with the text alone.

SQLite's take the product of two lengths, in one step that nothing interrupts: a short query could hold a thread for an hour.
LIKE and GLOB do so too, but only where the product is small: a loop in Python would be slower for each real text.
"""

import re
import sqlite3
from collections.abc import Callable
from functools import cache
from itertools import takewhile

from etl.site.safety.clock import Clock
from schemas.limits import UNREAD_LINE

Value = str | bytes | int | float | None
LONGEST_FORMAT = 1000
"""Letters of the longest format of printf."""
LONGEST_PATTERN = 256
"""Bytes of a pattern of LIKE and GLOB."""
LARGEST_MATCH = 32 << 20
"""Letters of a pattern times letters of a text: some 40 ms, and more than 100,000 letters for the longest pattern."""
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
        row: tuple[Value] = self._ask(_calling(name, len(values)), values).fetchone()
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
