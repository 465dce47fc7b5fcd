"""The content of the pages of a paper, a category and a profile; an author's is in `author_pages`.

In: a release's database, and a row's key. Out: the first rows of each list with its length, and a listing's raw lines.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup

from etl.export.bibtex import bibtex
from etl.export.readable_text import plain, readable
from etl.export.selection import Selection, cited_papers, select_papers
from etl.extract.byline import Byline, render_byline
from etl.extract.page import join_lines
from etl.load.layout import DATABASE
from etl.printable import cut
from etl.release.lineage import ReleaseRows, Row, author_of_slug
from etl.resolve.rendering import listing_lines
from etl.site.cards import PaperCard, paper_cards
from etl.site.safety.sql_limits import CountedRows
from schemas.limits import PAPER_ID, SLUG
from schemas.questions import PAPERS_BY_CATEGORY_AND_YEAR
from schemas.views import SHARE

if TYPE_CHECKING:
    from datasette.app import Datasette

Result = TypeVar("Result")
FINDINGS = "SELECT findings.*, rules.title AS rule FROM findings JOIN rules USING (rule_id)"
_NAMES = "SELECT name FROM paper_authors WHERE paper_id = ? AND source = 'byline' ORDER BY position"
_TAGS = (
    "SELECT name FROM paper_institutions JOIN institutions USING (institution_id) WHERE paper_id = ?"
    " ORDER BY institution_id"
)
SHOWN_LINES = 40
SHOWN_LETTERS = 5_000
"""Raw lines that a page shows of one place, and letters of each line."""


@dataclass(frozen=True)
class RawLines:
    """The first lines of a place on a page, with control characters written out, and the number of lines left out."""

    lines: list[str]
    more: int


@dataclass(frozen=True)
class FirstRows:
    """The first rows of a list, and the number of all its rows."""

    rows: list[Row]
    total: int

    @property
    def more(self) -> int:
        """The number of rows left out."""
        return self.total - len(self.rows)


async def query_in_thread(datasette: "Datasette", read: Callable[[sqlite3.Connection], Result]) -> Result:
    """The result of `read` on the release's database, in a thread; raises `QueryInterrupted` after a second."""

    def read_plainly(database: sqlite3.Connection) -> Result:
        with plain_rows(database):
            return read(database)

    found: Result = await datasette.get_database(DATABASE).execute_fn(read_plainly)
    return found


@contextmanager
def plain_rows(database: sqlite3.Connection) -> Iterator[None]:
    """Make rows tuples for a while, which polars reads, instead of `sqlite3.Row`; the limit of an answer still applies."""
    kind, database.row_factory = database.row_factory, CountedRows(lambda _, values: values)
    try:
        yield
    finally:
        database.row_factory = kind


def first_rows(release: ReleaseRows, most: int, sql: str, *values: object) -> FirstRows:
    """At most `most` rows of a query, and the number of all its rows."""
    rows = list(release.rows(f"{sql} LIMIT {most}", *values))
    if len(rows) < most:
        return FirstRows(rows, len(rows))
    counted = next(release.rows(f"SELECT count(*) AS total FROM ({sql})", *values))  # noqa: S608
    return FirstRows(rows, counted["total"])


def _with_titles(part: FirstRows) -> FirstRows:
    """The part with its titles as HTML."""
    return FirstRows([{**row, "title": readable(row["title"])} for row in part.rows], part.total)


def _raw_lines(lines: list[str]) -> RawLines:
    """The lines as a page shows them."""
    return RawLines([cut(line, SHOWN_LETTERS) for line in lines[:SHOWN_LINES]], max(0, len(lines) - SHOWN_LINES))


def lines_of_listing(release: ReleaseRows, listing: Row, paper: Row, variants: dict[str, str]) -> list[str]:
    """The lines of a listing on its page."""
    names, tags = (tuple(row["name"] for row in release.rows(sql, paper["paper_id"])) for sql in (_NAMES, _TAGS))
    byline = render_byline(Byline(names, bool(paper["authors_truncated"]), tags))
    return listing_lines({**listing, "byline": byline, "block": None, **paper, **variants})


_WITHIN = "profile_id = ? AND line_end >= ? AND line_start <= ?"
_PAGE_LISTINGS = (
    f"SELECT listings.*, papers.* FROM listings JOIN papers USING (paper_id) WHERE {_WITHIN} ORDER BY position"  # noqa: S608
)
_PAGE_STRAYS = f"SELECT line_start, raw_text FROM quarantine WHERE {_WITHIN} ORDER BY line_start"  # noqa: S608


def page_pieces(release: ReleaseRows, profile: Row) -> Iterator[str]:
    """The text of a page, one listing or run of other lines after another."""
    newline = join_lines(profile["newline"], ["", ""])
    at = 1
    for line_start, lines in _places(release, profile, 1, profile["lines"]):
        yield newline * (line_start - at) + newline.join(lines)
        at = line_start + len(lines) - 1
    yield newline * (profile["lines"] - at)


def page_lines(release: ReleaseRows, profile: Row, first: int, last: int) -> list[str]:
    """Lines of a page, from `first` to `last`, or to the page's last line; numbered from 1."""
    lines = dict.fromkeys(range(first, min(last, profile["lines"]) + 1), "")
    for line_start, piece in _places(release, profile, first, last):
        lines |= {number: line for number, line in enumerate(piece, line_start) if number in lines}
    return list(lines.values())


def _places(release: ReleaseRows, profile: Row, first: int, last: int) -> Iterator[tuple[int, list[str]]]:
    """The pieces of a page in order, those with a line of a range, and the header: the number of the first line, and the lines."""
    within = (profile["profile_id"], first, last)
    listings = ((row["line_start"], row) for row in release.rows(_PAGE_LISTINGS, *within))
    strays = ((row["line_start"], row) for row in release.rows(_PAGE_STRAYS, *within))
    yield 1, profile["header"].split("\n")
    for line_start, row in merge(listings, strays, key=itemgetter(0)):
        yield (
            line_start,
            row["raw_text"].split("\n")
            if "raw_text" in row
            else lines_of_listing(release, row, row, _variants(release, row)),
        )


SHOWN_OTHERS = 50
"""Rows of most lists; links refer to the rest."""


SHOWN_CARDS = 20
"""Papers on the page of a category, which the page of a question lists all."""
_CATEGORY = """
SELECT categories.*, (SELECT count(*) FROM profiles WHERE profiles.category_id = categories.category_id) AS profiles
FROM categories WHERE category_id = ?
"""
_MEMBERS = (
    "SELECT count(*) AS total, count(*) FILTER (WHERE is_primary) AS first FROM paper_categories WHERE category_id = ?"
)


@dataclass(frozen=True)
class CategoryPage:
    """The content of a category's page: the numbers of its papers, of those whose first category it is, and of profiles; the newest papers."""

    row: Row
    total: int
    primary: int
    profiles: int
    cards: list[PaperCard]
    question: str = PAPERS_BY_CATEGORY_AND_YEAR.name


def category_page(database: sqlite3.Connection, category_id: str) -> CategoryPage | None:
    """The content of a category's page; None where there is no such category."""
    release = ReleaseRows(database)
    row = next(release.rows(_CATEGORY, category_id), None)
    if row is None:
        return None
    members = next(release.rows(_MEMBERS, category_id))
    newest = select_papers(database, Selection(category_id=category_id), SHOWN_CARDS)
    return CategoryPage(row, members["total"], members["first"], row["profiles"], paper_cards(database, newest))


SHOWN_AUTHORS = 100
SHOWN_LISTINGS = 10
"""Authors (and rows of every other list) and listings on a paper's page; links refer to the rest."""
SHOWN_ABSTRACT = 20_000
"""Letters of an abstract on the page; the page of the table has the rest."""
_PAPER = (
    "SELECT papers.*, categories.name AS category, archive_name"
    " FROM papers LEFT JOIN categories USING (category_id) WHERE paper_id = ?"
)
_AUTHORS = (
    "SELECT author_id, position, paper_authors.name AS written, authors.name, kind, given, family"
    " FROM paper_authors JOIN authors USING (author_id) WHERE paper_id = ? AND position IS {} NULL"
    " ORDER BY position, author_id"
)
_INSTITUTIONS = (
    "SELECT institution_id, name FROM paper_institutions JOIN institutions USING (institution_id)"
    " WHERE paper_id = ? ORDER BY institution_id"
)
_IDENTIFIERS = "SELECT scheme, value, url, evidence FROM paper_identifiers WHERE paper_id = ? ORDER BY scheme, value"
_CATEGORIES = (
    "SELECT category_id, name FROM paper_categories JOIN categories USING (category_id)"
    " WHERE paper_id = ? AND NOT is_primary ORDER BY category_id"
)
_LINKS = "SELECT url, host, kind FROM links WHERE paper_id = ? ORDER BY url"
_ALIASES = "SELECT DISTINCT alias_id FROM listings WHERE paper_id = ? AND alias_id IS NOT NULL ORDER BY alias_id"
_PAPER_CANDIDATES = """
SELECT paper_candidates.*, papers.paper_id AS that_id, title, published
FROM paper_candidates JOIN papers ON papers.paper_id = iif(paper_candidates.paper_id = ?, other_id, paper_candidates.paper_id)
WHERE paper_candidates.paper_id = ? OR other_id = ?
ORDER BY that_id
"""
_BY_ALIAS = (
    "SELECT paper_id FROM listings JOIN papers USING (paper_id) WHERE alias_id = ?"
    " ORDER BY published NULLS LAST, paper_id LIMIT 1"
)
_VARIANTS = "SELECT field, value FROM variants WHERE profile_id = ? AND position = ? ORDER BY field"
_FOUND = f"""
{FINDINGS} WHERE finding_id IN (
  SELECT finding_id FROM findings WHERE table_name = 'papers' AND row_key = ?
  UNION
  SELECT finding_id FROM listings JOIN findings ON findings.profile_id = listings.profile_id
    AND findings.line_start <= listings.line_end AND findings.line_end >= listings.line_start
  WHERE listings.paper_id = ?
) ORDER BY rule_id, finding_id
"""  # noqa: S608


@dataclass(frozen=True)
class ListingShown:
    """A listing with its raw lines, and its variants by field."""

    row: Row
    raw: RawLines
    variants: dict[str, str]


@dataclass(frozen=True)
class PaperPage:
    """The content of a paper's page."""

    row: Row
    title: Markup
    plain_title: str
    abstract: Markup
    authors: FirstRows
    hidden: FirstRows
    identifiers: FirstRows
    categories: FirstRows
    institutions: FirstRows
    links: FirstRows
    aliases: FirstRows
    candidates: FirstRows
    listings: list[ListingShown]
    more_listings: int
    findings: FirstRows
    bibtex: str | None
    """None where there are more authors than the page shows."""


def paper_page(database: sqlite3.Connection, paper_id: str) -> PaperPage | None:
    """The content of a paper's page; None where there is no such paper."""
    release = ReleaseRows(database)
    row = next(release.rows(_PAPER, paper_id), None)
    if row is None:
        return None
    listings = release.listings(paper_id)
    authors = first_rows(release, SHOWN_AUTHORS, _AUTHORS.format("NOT"), paper_id)
    return PaperPage(
        row=row,
        title=readable(row["title"]),
        plain_title=plain(row["title"]),
        abstract=readable(_shortened(row["abstract"])),
        authors=authors,
        hidden=first_rows(release, SHOWN_AUTHORS, _AUTHORS.format(""), paper_id),
        identifiers=first_rows(release, SHOWN_AUTHORS, _IDENTIFIERS, paper_id),
        categories=first_rows(release, SHOWN_AUTHORS, _CATEGORIES, paper_id),
        institutions=first_rows(release, SHOWN_AUTHORS, _INSTITUTIONS, paper_id),
        links=first_rows(release, SHOWN_AUTHORS, _LINKS, paper_id),
        aliases=first_rows(release, SHOWN_AUTHORS, _ALIASES, paper_id),
        candidates=_with_titles(first_rows(release, SHOWN_AUTHORS, _PAPER_CANDIDATES, paper_id, paper_id, paper_id)),
        listings=[_listing(release, listing, row) for listing in listings[:SHOWN_LISTINGS]],
        more_listings=max(0, len(listings) - SHOWN_LISTINGS),
        findings=first_rows(release, SHOWN_AUTHORS, _FOUND, paper_id, paper_id),
        bibtex=None if authors.more else _bibtex(database, paper_id),
    )


def paper_of_alias(database: sqlite3.Connection, alias_id: str) -> str | None:
    """The paper of a listing's other identifier; of several the one published first; None where there is none."""
    row = next(ReleaseRows(database).rows(_BY_ALIAS, alias_id), None)
    return row["paper_id"] if row else None


_SUCCESSORS: dict[str, tuple[str, Callable[[sqlite3.Connection, str], str | None]]] = {
    "papers": (PAPER_ID, paper_of_alias),
    "authors": (SLUG, author_of_slug),
}
"""The patterns of keys of tables whose rows may have another key in a later release, and how to find them by a former one."""


def successor(database: sqlite3.Connection, table: str, key: str) -> str | None:
    """The key of the row that had this key in an earlier release; None where there is none."""
    if table not in _SUCCESSORS:
        return None
    pattern, find = _SUCCESSORS[table]
    return find(database, key) if re.search(pattern, key) else None


def _listing(release: ReleaseRows, listing: Row, paper: Row) -> ListingShown:
    stored = _variants(release, listing)
    # The variant `block` is the raw lines, which the page shows already.
    variants = {field: value for field, value in stored.items() if field != "block"}
    return ListingShown(listing, _raw_lines(lines_of_listing(release, listing, paper, stored)), variants)


def _variants(release: ReleaseRows, listing: Row) -> dict[str, str]:
    """Values of a listing that differ from its paper's, by field."""
    return {row["field"]: row["value"] for row in release.rows(_VARIANTS, listing["profile_id"], listing["position"])}


def _bibtex(database: sqlite3.Connection, paper_id: str) -> str:
    return "".join(map(bibtex, cited_papers(database, select_papers(database, Selection(paper_id)))))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_ABSTRACT else text[: SHOWN_ABSTRACT - 1] + "…"


SHOWN_PAGE_LISTINGS = 200
"""Listings on a profile's page; links refer to the rest."""
_PROFILE = (
    f"SELECT profiles.*, {SHARE} AS share, categories.name AS category FROM profiles"  # noqa: S608
    " LEFT JOIN categories USING (category_id) WHERE profile_id = ?"
)
_LISTINGS = (
    "SELECT listings.*, title, published FROM listings JOIN papers USING (paper_id) WHERE profile_id = ?"
    " ORDER BY position"
)
_QUARANTINE = "SELECT * FROM quarantine WHERE profile_id = ? ORDER BY line_start"


@dataclass(frozen=True)
class ProfilePage:
    """The content of a profile's page."""

    row: Row
    listings: FirstRows
    quarantine: FirstRows
    findings: FirstRows


def profile_page(database: sqlite3.Connection, profile_id: str) -> ProfilePage | None:
    """The content of a profile's page; None where there is no such profile."""
    release = ReleaseRows(database)
    row = next(release.rows(_PROFILE, profile_id), None)
    if row is None:
        return None
    return ProfilePage(
        row=row,
        listings=_with_titles(first_rows(release, SHOWN_PAGE_LISTINGS, _LISTINGS, profile_id)),
        quarantine=_readable(first_rows(release, SHOWN_OTHERS, _QUARANTINE, profile_id)),
        findings=first_rows(
            release, SHOWN_OTHERS, f"{FINDINGS} WHERE profile_id = ? ORDER BY line_start, rule_id", profile_id
        ),
    )


def _readable(part: FirstRows) -> FirstRows:
    rows = [
        {**row, "rule_ids": json.loads(row["rule_ids"]), "raw": _raw_lines(row["raw_text"].split("\n"))}
        for row in part.rows
    ]
    return FirstRows(rows, part.total)
