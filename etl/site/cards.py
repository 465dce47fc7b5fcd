"""Papers as cards, for pages that list them. In: row numbers of papers. Out: what a card shows of each, in the same order."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasette.utils.asgi import Request
from markupsafe import Markup

from etl.export.readable_text import readable
from etl.load.layout import DATABASE
from etl.release.lineage import ReleaseRows, Row

if TYPE_CHECKING:
    from datasette.app import Datasette

SHOWN_AUTHORS = 8
"""Authors of a card; the paper's page has the rest."""
_PAPERS = """
SELECT papers.rowid AS place, paper_id, title, published, category_id, categories.name AS category, author_count, has_code, citekey
FROM papers LEFT JOIN categories USING (category_id)
WHERE papers.rowid IN ({})
"""
_AUTHORS = f"""
SELECT author_id, authors.name FROM paper_authors JOIN authors USING (author_id)
WHERE paper_id = ? AND position IS NOT NULL ORDER BY position, author_id LIMIT {SHOWN_AUTHORS + 1}
"""  # noqa: S608
_IDENTIFIERS = "SELECT scheme, value, url FROM paper_identifiers WHERE paper_id = ? ORDER BY scheme, value LIMIT 5"


@dataclass(frozen=True)
class PaperCard:
    """A paper's row with its category's name, its title as HTML, and its first authors and identifiers."""

    row: Row
    title: Markup
    authors: list[Row]
    has_more_authors: bool
    identifiers: list[Row]


def paper_cards(database: sqlite3.Connection, places: Sequence[int]) -> list[PaperCard]:
    """The cards of papers, given by their row numbers."""
    release = ReleaseRows(database)
    rows = {row["place"]: row for row in release.rows(_PAPERS.format(",".join("?" * len(places))), *places)}
    return [_card(release, rows[place]) for place in places]


def _card(release: ReleaseRows, row: Row) -> PaperCard:
    authors = first_authors(release, row["paper_id"])
    return PaperCard(
        row=row,
        title=readable(row["title"]),
        authors=authors[:SHOWN_AUTHORS],
        has_more_authors=len(authors) > SHOWN_AUTHORS or row["author_count"] is None,
        identifiers=list(release.rows(_IDENTIFIERS, row["paper_id"])),
    )


def first_authors(release: ReleaseRows, paper_id: str) -> list[Row]:
    """The first authors of a paper, and one more where there are more than `SHOWN_AUTHORS`."""
    return list(release.rows(_AUTHORS, paper_id))


async def require_cards(datasette: "Datasette", request: Request) -> None:
    """Raise `Forbidden` where the request may not see papers and authors."""
    for table in ("papers", "authors"):
        seen = [("view-table", (DATABASE, table)), ("view-database", DATABASE), "view-instance"]
        await datasette.ensure_permissions(request.actor, seen)
