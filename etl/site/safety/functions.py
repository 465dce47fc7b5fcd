"""SQL functions in place of SQLite's own. In and out: what SQLite's take and give, in time that grows with the text alone.

SQLite's take the product of two lengths, in one step that nothing interrupts: a short query could hold a thread for an hour.
"""

import re
import sqlite3
from collections.abc import Callable
from itertools import takewhile

from schemas.limits import LONGEST_LINE

Value = str | bytes | int | float | None
LONGEST_FORMAT = 1000
"""Letters of the longest format of printf."""
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
    if len(text) + text.count(part) * (len(new) - len(part)) > 2 * LONGEST_LINE:
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


def make_printf() -> Callable[..., str | None]:
    """SQLite's own printf, but for widths that would take minutes, for one connection; those raise `OverflowError`.

    >>> make_printf()("%05d|%*s|%.1f", 7, 3, "x", 2.5)
    '00007|  x|2.5'
    """
    own = sqlite3.connect(":memory:", check_same_thread=False)

    def printf(*values: Value) -> str | None:
        form = _text(values[0]) if values and values[0] is not None else ""
        widths = [form, *map(str, values[1:])] if "*" in form else [form]
        if len(form) > LONGEST_FORMAT or any(map(WIDE.search, widths)):
            raise OverflowError("printf's format is too wide")
        row: tuple[str | None] = own.execute(f"SELECT printf({', '.join('?' * len(values))})", values).fetchone()
        return row[0]

    return printf


def _text(value: str | bytes | float) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


FUNCTIONS: dict[str, tuple[int, Callable[..., Value]]] = {
    "instr": (2, instr),
    "replace": (3, replace),
    "ltrim": (2, ltrim),
    "rtrim": (2, rtrim),
    "trim": (2, trim),
}
"""By name, with the number of arguments."""
