"""Which row is meant. In: a table's name and a key as people write it. Out: the row and its key as Datasette writes it."""

import sqlite3
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from urllib.parse import unquote_plus

import polars as pl

from etl.errors import UsageError
from etl.printable import cut
from etl.validate.rule_results import escape
from etl.why.reasons import Value
from schemas import TABLES, Definition

_SHOWN_KEYS = 5
_SHOWN_LETTERS = 80
_COMPARED_KEYS = 20_000
"""Keys that a mistyped one is compared with; comparing takes some 20 µs each."""
_LARGEST_DIGITS = 18
"""Digits of a whole number that SQLite surely holds."""


def find_row(database: sqlite3.Connection, table: str, key: str) -> tuple[str, dict[str, Value]]:
    """The key of the row, escaped, and the row; an escaped key is understood before a plain one.

    Raises `UsageError` where there is no such table, or no such row in it.
    """
    if table not in TABLES:
        raise UsageError(f"{cut(table, _SHOWN_LETTERS)}: no such table; expected one of {', '.join(sorted(TABLES))}")
    definition = TABLES[table].definition()
    for parts in _readings(key, len(definition.primary_key)):
        row = _row(database, definition, parts)
        if row:
            return row_key(row, definition.primary_key), row
    other = _by_other_name(database, definition, key)
    if other:
        return row_key(other, definition.primary_key), other
    raise UsageError(_missing(database, definition, key))


def row_key(row: dict[str, Value], columns: Sequence[str]) -> str:
    """The key of a row as Datasette writes it in the row's address.

    >>> row_key({"paper_id": "smxz", "url": "https://x.org"}, ["paper_id", "url"])
    'smxz,https~3A~2F~2Fx~2Eorg'
    """
    return ",".join(escape(str(row[column])) for column in columns)


def unescape(part: str) -> str:
    """What a part of a row's address stands for.

    >>> unescape("Ann+B~2E+Bell")
    'Ann B. Bell'
    """
    return unquote_plus(part.replace("%", "%25").replace("~", "%"))


def _readings(key: str, parts: int) -> Iterator[tuple[str, ...]]:
    """What a key may mean: escaped parts, parts as they are, or all commas but the first ones text."""
    for one in (key.split(","), key.split(",", parts - 1)):
        if len(one) == parts:
            yield tuple(map(unescape, one))
            yield tuple(one)


def _row(database: sqlite3.Connection, definition: Definition, parts: Sequence[str]) -> dict[str, Value] | None:
    if any("\x00" in part for part in parts):
        return None
    schema = definition.schema
    values: list[str | int] = []
    for column, part in zip(definition.primary_key, parts, strict=True):
        if schema[column] == pl.Int64 and not _is_number(part):
            return None
        values.append(int(part) if schema[column] == pl.Int64 else part)
    condition = " AND ".join(f'"{column}" = ?' for column in definition.primary_key)
    cursor = database.execute(f'SELECT * FROM "{definition.name}" WHERE {condition}', values)  # noqa: S608
    names = [name for name, *_ in cursor.description]
    found = cursor.fetchone()
    return dict(zip(names, found, strict=True)) if found else None


def _by_other_name(database: sqlite3.Connection, definition: Definition, key: str) -> dict[str, Value] | None:
    """The one row that a key means in another way: a paper by an identifier it had alone, a spelling by itself."""
    ways = {
        "papers": "SELECT papers.* FROM papers JOIN listings USING (paper_id) WHERE alias_id = ?",
        "author_names": "SELECT * FROM author_names WHERE name = ?",
    }
    if definition.name not in ways or "\x00" in key:
        return None
    cursor = database.execute(f"SELECT DISTINCT * FROM ({ways[definition.name]}) LIMIT 2", [unescape(key)])  # noqa: S608
    names = [name for name, *_ in cursor.description]
    found = cursor.fetchall()
    return dict(zip(names, found[0], strict=True)) if len(found) == 1 else None


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= _LARGEST_DIGITS


def _missing(database: sqlite3.Connection, definition: Definition, key: str) -> str:
    columns = ", ".join(definition.primary_key)
    close = _close_keys(database, definition, key)
    hint = f"perhaps {' or '.join(close)}" if close else f"see the table {definition.name} for its keys"
    return f"{cut(key, _SHOWN_LETTERS)}: no such row in {definition.name}, whose key is {columns}; {hint}"


def _close_keys(database: sqlite3.Connection, definition: Definition, key: str) -> list[str]:
    """Keys that hold the wanted one or begin alike; else those that look like it."""
    columns = ", ".join(f'"{column}"' for column in definition.primary_key)
    select = f'SELECT {columns} FROM "{definition.name}"'  # noqa: S608
    first = f'"{definition.primary_key[0]}"'
    wanted = unescape(key.partition(",")[0]).replace("\x00", "")
    found = database.execute(
        f"{select} WHERE instr(lower({first}), lower(?)) ORDER BY {columns} LIMIT {_SHOWN_KEYS}", [wanted]
    ).fetchall()
    if found and wanted:
        return [_joined(row) for row in found]
    rows = database.execute(f"{select} ORDER BY {columns} LIMIT {_COMPARED_KEYS}")
    keys = {",".join(map(str, row)): _joined(row) for row in rows}
    return [keys[close] for close in get_close_matches(unescape(key)[:_SHOWN_LETTERS], keys, n=_SHOWN_KEYS)]


def _joined(row: Sequence[Value]) -> str:
    return ",".join(escape(str(part)) for part in row)
