"""What the row pages read with. In: a release's database. Out: the first rows of a list with its length, and a listing's raw lines."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from etl.extract.byline import render_byline
from etl.extract.records import Byline
from etl.load.layout import DATABASE
from etl.printable import cut
from etl.release.lineage import ReleaseRows, Row
from etl.resolve.rendering import listing_lines
from etl.site.safety.connections import CountedRows
from etl.site.tex import readable

if TYPE_CHECKING:
    from datasette.app import Datasette

Found = TypeVar("Found")
FINDINGS = "SELECT findings.*, rules.title AS rule FROM findings JOIN rules USING (rule_id)"
SHARE = "1.0 * listed_papers / nullif(stated_papers, 0) AS share"
"""A page's share of the papers that it states; `coverage` has only the newest page of a person."""
_NAMES = "SELECT name FROM paper_authors WHERE paper_id = ? AND position IS NOT NULL ORDER BY position"
_TAGS = (
    "SELECT name FROM paper_institutions JOIN institutions USING (institution_id) WHERE paper_id = ?"
    " ORDER BY institution_id"
)


SHOWN_LINES = 40
SHOWN_LETTERS = 5_000
"""Raw lines of one place that a page shows, and letters of each."""


@dataclass(frozen=True)
class Raw:
    """The first lines of a place on a page, as text that can be looked at without harm, and how many are not here."""

    lines: list[str]
    more: int


@dataclass(frozen=True)
class Part:
    """The first rows of a list, and how many it has."""

    rows: list[Row]
    total: int

    @property
    def more(self) -> int:
        """How many rows are not here."""
        return self.total - len(self.rows)


async def in_thread(datasette: "Datasette", read: Callable[[sqlite3.Connection], Found]) -> Found:
    """What `read` finds in the release's database, read beside the event loop; raises `QueryInterrupted` after a second."""

    def read_plainly(database: sqlite3.Connection) -> Found:
        with plain_rows(database):
            return read(database)

    found: Found = await datasette.get_database(DATABASE).execute_fn(read_plainly)
    return found


@contextmanager
def plain_rows(database: sqlite3.Connection) -> Iterator[None]:
    """Rows as tuples, which polars takes, where Datasette has its own kind; no list of them larger than an answer."""
    kind, database.row_factory = database.row_factory, CountedRows(lambda _, values: values)
    try:
        yield
    finally:
        database.row_factory = kind


def first(release: ReleaseRows, most: int, sql: str, *values: object) -> Part:
    """At most `most` rows of a query, and how many it has."""
    rows = list(release.rows(f"{sql} LIMIT {most}", *values))
    if len(rows) < most:
        return Part(rows, len(rows))
    counted = next(release.rows(f"SELECT count(*) AS total FROM ({sql})", *values))  # noqa: S608
    return Part(rows, counted["total"])


def with_titles(part: Part) -> Part:
    """The part with its titles as HTML."""
    return Part([{**row, "title": readable(row["title"])} for row in part.rows], part.total)


def raw(lines: list[str]) -> Raw:
    """The lines as a page shows them."""
    return Raw([cut(line, SHOWN_LETTERS) for line in lines[:SHOWN_LINES]], max(0, len(lines) - SHOWN_LINES))


def lines_of(release: ReleaseRows, listing: Row, paper: Row, variants: dict[str, str]) -> list[str]:
    """A listing's lines as its page has them."""
    names, tags = (tuple(row["name"] for row in release.rows(sql, paper["paper_id"])) for sql in (_NAMES, _TAGS))
    byline = render_byline(Byline(names, bool(paper["authors_truncated"]), tags))
    return listing_lines({**listing, "byline": byline, "block": None, **paper, **variants})
