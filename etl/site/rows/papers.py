"""The page of a paper. In: its row's key. Out: what its template shows, the BibTeX and each listing's raw lines included."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from etl.release.lineage import ReleaseRows, Row
from etl.site.bibtex import Author, Entry, bibtex
from etl.site.rows.reading import FINDINGS, Part, Raw, first, lines_of, raw, with_titles
from etl.site.tex import plain, readable

SHOWN_AUTHORS = 100
SHOWN_LISTINGS = 10
"""Authors (and rows of every other list) and listings that the page shows; the rest is behind links."""
SHOWN_ABSTRACT = 20_000
"""Letters of an abstract that the page shows; the rest is in the table's own page."""
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
_LINKS = "SELECT url, host, kind FROM links WHERE paper_id = ? ORDER BY url"
_ALIASES = "SELECT DISTINCT alias_id FROM listings WHERE paper_id = ? AND alias_id IS NOT NULL ORDER BY alias_id"
_CANDIDATES = """
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
    """A listing with its raw lines, and what it says otherwise."""

    row: Row
    raw: Raw
    variants: dict[str, str]


@dataclass(frozen=True)
class PaperPage:
    """All that the page of a paper shows."""

    row: Row
    title: Markup
    plain_title: str
    abstract: Markup
    authors: Part
    hidden: Part
    institutions: Part
    links: Part
    aliases: Part
    candidates: Part
    listings: list[ListingShown]
    more_listings: int
    findings: Part
    bibtex: str | None
    """None where it is too long to read."""


def paper_page(database: sqlite3.Connection, paper_id: str) -> PaperPage | None:
    """The page of a paper; None where there is no such paper."""
    release = ReleaseRows(database)
    row = next(release.rows(_PAPER, paper_id), None)
    if row is None:
        return None
    listings = release.listings(paper_id)
    authors = first(release, SHOWN_AUTHORS, _AUTHORS.format("NOT"), paper_id)
    return PaperPage(
        row=row,
        title=readable(row["title"]),
        plain_title=plain(row["title"]),
        abstract=readable(_shortened(row["abstract"])),
        authors=authors,
        hidden=first(release, SHOWN_AUTHORS, _AUTHORS.format(""), paper_id),
        institutions=first(release, SHOWN_AUTHORS, _INSTITUTIONS, paper_id),
        links=first(release, SHOWN_AUTHORS, _LINKS, paper_id),
        aliases=first(release, SHOWN_AUTHORS, _ALIASES, paper_id),
        candidates=with_titles(first(release, SHOWN_AUTHORS, _CANDIDATES, paper_id, paper_id, paper_id)),
        listings=[_listing(release, listing, row) for listing in listings[:SHOWN_LISTINGS]],
        more_listings=max(0, len(listings) - SHOWN_LISTINGS),
        findings=first(release, SHOWN_AUTHORS, _FOUND, paper_id, paper_id),
        bibtex=None if authors.more else _bibtex(row, authors.rows),
    )


def paper_bibtex(database: sqlite3.Connection, paper_id: str) -> str | None:
    """The BibTeX of a paper; None where there is no such paper."""
    release = ReleaseRows(database)
    row = next(release.rows(_PAPER, paper_id), None)
    return _bibtex(row, release.rows(_AUTHORS.format("NOT"), paper_id)) if row else None


def paper_of_alias(database: sqlite3.Connection, alias_id: str) -> str | None:
    """The paper that a listing's other identifier leads to; of several the one published first."""
    row = next(ReleaseRows(database).rows(_BY_ALIAS, alias_id), None)
    return row["paper_id"] if row else None


def _listing(release: ReleaseRows, listing: Row, paper: Row) -> ListingShown:
    kept = {row["field"]: row["value"] for row in release.rows(_VARIANTS, listing["profile_id"], listing["position"])}
    # A block stands for the raw lines, which the page shows anyway.
    variants = {field: value for field, value in kept.items() if field != "block"}
    return ListingShown(listing, raw(lines_of(release, listing, paper, kept)), variants)


def _bibtex(row: Row, authors: Iterable[Row]) -> str:
    return bibtex(
        Entry(
            citekey=row["citekey"],
            title=row["title"],
            authors=[Author(author["given"], author["family"], author["kind"] == "group") for author in authors],
            cut=bool(row["authors_truncated"]),
            published=date.fromisoformat(row["published"]) if row["published"] else None,
            year_inferred=bool(row["year_inferred"]),
        )
    )


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_ABSTRACT else text[: SHOWN_ABSTRACT - 1] + "…"
