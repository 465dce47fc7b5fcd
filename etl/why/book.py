"""A release as `why` reads it: rows by SQL, and pages rebuilt from the tables when first asked for."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import polars as pl

from etl.extract.header import parse_header
from etl.extract.page import parse_page, split_lines
from etl.extract.records import Block, Header, Page
from etl.rebuild import rebuild_page
from etl.resolve.papers import winner_first
from etl.why.reasons import Place

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
"""What the order of listings within a paper looks at, with the types that SQLite has for it."""


class Book:
    """A release's rows and pages."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._pages: dict[str, list[str]] = {}
        self._blocks: dict[str, dict[int, Block]] = {}

    def rows(self, sql: str, *values: object) -> Iterator[Row]:
        """The rows of a query, by column."""
        cursor = self._database.execute(sql, values)
        names = [name for name, *_ in cursor.description]
        yield from (dict(zip(names, row, strict=True)) for row in cursor)

    def listings(self, paper_id: str) -> list[Row]:
        """The listings of a paper with source and date of their page, the winner first."""
        rows = list(self.rows(f"{LISTINGS} WHERE listings.paper_id = ?", paper_id))
        columns = {name: [row[name] for row in rows] for name in _ORDERED_BY}
        order = winner_first(pl.DataFrame(columns, schema=_ORDERED_BY).with_row_index("row"))
        return [rows[number] for number in order["row"]]

    def lines(self, profile_id: str) -> list[str]:
        """The lines of a page; raises `BrokenTables` where they are not those that were read."""
        if profile_id not in self._pages:
            page = rebuild_page(self._database, profile_id).decode()
            self._pages[profile_id] = split_lines(page)[1]
        return self._pages[profile_id]

    def place(self, page: Row, line_start: int, line_end: int, words: str) -> Place:
        """Lines of the page whose id and source `page` holds."""
        lines = self.lines(page["profile_id"])[line_start - 1 : line_end]
        return Place(page["profile_id"], page["source"], line_start, line_end, words, tuple(lines))

    def listing_place(self, listing: Row, words: str) -> Place:
        """All lines of a listing."""
        return self.place(listing, listing["line_start"], listing["line_end"], words)

    def block(self, listing: Row) -> Block:
        """A listing as the grammar reads it."""
        profile_id = listing["profile_id"]
        if profile_id not in self._blocks:
            text = "\n".join(self.lines(profile_id))
            blocks = parse_page(Page(listing["source"], None, "", 0, text)).blocks
            self._blocks[profile_id] = {block.line_start: block for block in blocks}
        return self._blocks[profile_id][listing["line_start"]]

    def header(self, profile: Row) -> Header:
        """A page's header as the grammar reads it."""
        return parse_header(
            profile["header"].split("\n"), {profile["name"]: 1} if profile["name"] else None, has_blocks=True
        )
