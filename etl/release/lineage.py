"""Lineage: find a row of a release, and the lines and rows from which it was made.

In: an open database, a table's name and a key as a person types it. Out: the row, and plain records of its sources. Keys are
escaped as in Datasette's address of the row, so that each is a valid argument again.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl
from datasette.utils import tilde_decode, tilde_encode

from etl.errors import UsageError
from etl.extract.blocks import Block
from etl.extract.header import Header, parse_header
from etl.extract.page import Page, parse_page, split_lines
from etl.printable import command, cut
from etl.release.release import rebuild_page
from etl.resolve.folding import slug
from etl.resolve.papers import winner_first
from schemas import TABLES, Definition
from schemas.limits import SLUG

Value = str | int | None


@dataclass(frozen=True)
class SourceSpan:
    """Raw lines of a page, numbered from 1, and their relation to the row in words."""

    profile_id: str
    source: str
    line_start: int
    line_end: int
    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class RelatedRow:
    """Another row that contributed to this one, and how; an empty key refers to several rows of the table."""

    table: str
    key: str
    words: str


@dataclass(frozen=True)
class RuleCheck:
    """A rule that checked the row, its result in words, and a message for each finding."""

    rule_id: str
    severity: str
    title: str
    words: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Reasons:
    """The explanation of a row: its source lines, related rows and rule checks; `more_spans` if there are more lines."""

    table: str
    key: str
    row: dict[str, Value]
    spans: tuple[SourceSpan, ...]
    more_spans: bool
    related: tuple[RelatedRow, ...]
    rules: tuple[RuleCheck, ...]


@dataclass(frozen=True)
class Trace:
    """The lazy source lines of a row, and the rows from which it was made."""

    spans: Iterable[SourceSpan]
    related: Iterable[RelatedRow]


Row = dict[str, Any]
LISTINGS = """
SELECT
  listings.*,
  profiles.source,
  profiles.observed_on,
  profiles.last_observed_on,
  coalesce(variants.value, papers.abstract) AS abstract
FROM listings JOIN profiles USING (profile_id) JOIN papers USING (paper_id)
LEFT JOIN variants ON
  variants.profile_id = listings.profile_id AND variants.position = listings.position AND variants.field = 'abstract'
"""
BY_PAGE = "ORDER BY profiles.source, listings.profile_id, listings.position"
_ORDERED_BY = {
    "paper_id": pl.String,
    "abstract": pl.String,
    "last_observed_on": pl.String,
    "profile_id": pl.String,
    "position": pl.Int64,
}
"""The columns that sort listings within a paper, with their types in SQLite."""


class ReleaseRows:
    """Rows and rebuilt pages of a release, by SQL and by page."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._pages: dict[str, list[str]] = {}
        self._blocks: dict[str, dict[int, Block]] = {}

    def rows(self, sql: str, *values: object) -> Iterator[Row]:
        """The rows of a query, as dicts by column."""
        cursor = self._database.execute(sql, values)
        names = [name for name, *_ in cursor.description]
        yield from (dict(zip(names, row, strict=True)) for row in cursor)

    def listings(self, paper_id: str) -> list[Row]:
        """The listings of a paper with source and dates of their page, the winning listing first."""
        rows = list(self.rows(f"{LISTINGS} WHERE listings.paper_id = ?", paper_id))
        columns = {name: [row[name] for row in rows] for name in _ORDERED_BY}
        order = winner_first(pl.DataFrame(columns, schema=_ORDERED_BY).with_row_index("row"))
        return [rows[number] for number in order["row"]]

    def lines(self, profile_id: str) -> list[str]:
        """The lines of a page; raises `BrokenTables` if they differ from the lines that were read."""
        if profile_id not in self._pages:
            page = rebuild_page(self._database, profile_id).decode()
            self._pages[profile_id] = split_lines(page)[1]
        return self._pages[profile_id]

    def span(self, page: Row, line_start: int, line_end: int, words: str) -> SourceSpan:
        """Lines of the page with the id and source of `page`."""
        lines = self.lines(page["profile_id"])[line_start - 1 : line_end]
        return SourceSpan(page["profile_id"], page["source"], line_start, line_end, words, tuple(lines))

    def listing_span(self, listing: Row, words: str) -> SourceSpan:
        """All lines of a listing."""
        return self.span(listing, listing["line_start"], listing["line_end"], words)

    def block(self, listing: Row) -> Block:
        """A listing as parsed from its page."""
        profile_id = listing["profile_id"]
        if profile_id not in self._blocks:
            text = "\n".join(self.lines(profile_id))
            blocks = parse_page(Page(listing["source"], None, "", 0, text)).blocks
            self._blocks[profile_id] = {block.line_start: block for block in blocks}
        return self._blocks[profile_id][listing["line_start"]]

    def header(self, profile: Row) -> Header:
        """A page's header, parsed."""
        known = {profile["name"]: 1} if profile["name"] else {}
        return parse_header(profile["header"].split("\n"), lambda: known)


_SHOWN_KEYS = 5
_SHOWN_LETTERS = 80
_COMPARED_KEYS = 20_000
"""Keys with which a mistyped one is compared, at 20 µs each."""
_LARGEST_DIGITS = 18
"""Most digits of an integer that certainly fits into SQLite's 64 bits."""
_NAME_WORDS = 20
_SPELLINGS = """
SELECT author_id, author_names.name FROM authors_fts JOIN author_names USING (author_id)
WHERE authors_fts MATCH ? LIMIT 1000
"""


def find_row(database: sqlite3.Connection, table: str, key: str) -> tuple[str, dict[str, Value]]:
    """Find a row by its key, escaped or plain; returns the escaped key and the row.

    Raises `UsageError` if there is no such table or row.
    """
    if table not in TABLES:
        raise UsageError(f"{cut(table, _SHOWN_LETTERS)}: no such table; expected one of {', '.join(sorted(TABLES))}")
    definition = TABLES[table].definition()
    for parts in _readings(key, len(definition.primary_key)):
        row = _row(database, definition, parts)
        if row:
            return tilde_key(row, definition.primary_key), row
    other = _by_other_name(database, definition, key)
    if other:
        return tilde_key(other, definition.primary_key), other
    raise UsageError(_missing(database, definition, key))


def tilde_key(row: dict[str, Value], columns: Sequence[str]) -> str:
    """The key of a row as in Datasette's address of the row.

    >>> tilde_key({"paper_id": "smxz", "url": "https://x.org"}, ["paper_id", "url"])
    'smxz,https~3A~2F~2Fx~2Eorg'
    """
    return ",".join(tilde_encode(str(row[column])) for column in columns)


def _readings(key: str, parts: int) -> Iterator[tuple[str, ...]]:
    """The interpretations of a key: escaped parts, plain parts, and with additional commas as text of the last part."""
    for one in (key.split(","), key.split(",", parts - 1)):
        if len(one) == parts:
            yield tuple(map(tilde_decode, one))
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
    """The only row that something else identifies.

    A paper by its alias or citation key, a page by its source, a spelling by its name alone, an author by a spelling.
    """
    ways = {
        "papers": (
            "SELECT papers.* FROM papers JOIN listings USING (paper_id) WHERE alias_id = :decoded"
            " UNION SELECT * FROM papers WHERE citekey = :decoded"
        ),
        "profiles": "SELECT * FROM profiles WHERE source IN (:decoded, :typed)",
        "author_names": "SELECT * FROM author_names WHERE name = :decoded",
    }
    if definition.name == "authors":
        author_id = author_of_slug(database, key)
        return _row(database, definition, [author_id]) if author_id else None
    if definition.name not in ways or "\x00" in key:
        return None
    named = {"decoded": tilde_decode(key), "typed": key}
    cursor = database.execute(f"SELECT DISTINCT * FROM ({ways[definition.name]}) LIMIT 2", named)  # noqa: S608
    names = [name for name, *_ in cursor.description]
    found = cursor.fetchall()
    return dict(zip(names, found[0], strict=True)) if len(found) == 1 else None


def author_of_slug(database: sqlite3.Connection, key: str) -> str | None:
    """The only author with a spelling of this slug, which was an author's id before a fuller spelling was known."""
    words = key.split("-")
    if not re.search(SLUG, key) or len(words) > _NAME_WORDS:
        return None
    found = database.execute(_SPELLINGS, [" ".join(f'"{word}"' for word in words)])
    authors = {str(author_id) for author_id, name in found if slug(name) == key}
    return authors.pop() if len(authors) == 1 else None


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= _LARGEST_DIGITS


def _missing(database: sqlite3.Connection, definition: Definition, key: str) -> str:
    columns = ", ".join(definition.primary_key)
    close = _close_keys(database, definition, key)
    hint = f"perhaps {' or '.join(close)}" if close else f"{command('serve')} shows the table {definition.name}"
    return f"{cut(key, _SHOWN_LETTERS)}: no such row in {definition.name}, whose key is {columns}; {hint}"


def _close_keys(database: sqlite3.Connection, definition: Definition, key: str) -> list[str]:
    """Keys that contain the wanted one, or else similar keys."""
    columns = ", ".join(f'"{column}"' for column in definition.primary_key)
    select = f'SELECT {columns} FROM "{definition.name}"'  # noqa: S608
    first = f'"{definition.primary_key[0]}"'
    wanted = tilde_decode(key.partition(",")[0]).replace("\x00", "")
    found = database.execute(
        f"{select} WHERE instr(lower({first}), lower(?)) ORDER BY {columns} LIMIT {_SHOWN_KEYS}", [wanted]
    ).fetchall()
    if found and wanted:
        return [_joined(row) for row in found]
    rows = database.execute(f"{select} ORDER BY {columns} LIMIT {_COMPARED_KEYS}")
    keys = {",".join(map(str, row)): _joined(row) for row in rows}
    return [keys[close] for close in get_close_matches(tilde_decode(key)[:_SHOWN_LETTERS], keys, n=_SHOWN_KEYS)]


def _joined(row: Sequence[Value]) -> str:
    return ",".join(tilde_encode(str(part)) for part in row)
