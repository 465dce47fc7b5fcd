"""The page of an author. In: the row's key. Out: what its template shows: papers, co-authors, spellings, pages, candidates."""

import sqlite3
from dataclasses import dataclass

from etl.release.lineage import ReleaseRows, Row
from etl.site.rows.reading import SHARE, Part, first, with_titles

SHOWN_PAPERS = 100
SHOWN_OTHERS = 50
"""Papers, and rows of every other list, that the page shows; the rest is behind links."""
_PAPERS = (
    "SELECT paper_id, title, published, category_id, position, has_code"
    " FROM paper_authors JOIN papers USING (paper_id) WHERE author_id = ?"
    " ORDER BY published DESC NULLS LAST, paper_id"
)
_COAUTHORS = "SELECT other_id, other, papers FROM coauthors WHERE author_id = ? ORDER BY papers DESC, other_id"
_SPELLINGS = "SELECT * FROM author_names WHERE author_id = ? ORDER BY matched_by <> 'exact', name"
_PROFILES = (
    f"SELECT profiles.*, {SHARE} FROM profiles WHERE author_id = ?"  # noqa: S608
    " ORDER BY last_observed_on DESC NULLS LAST, profile_id"
)
_CANDIDATES = """
SELECT merge_candidates.*, authors.author_id AS that_id, authors.name
FROM merge_candidates
JOIN authors ON authors.author_id = iif(merge_candidates.author_id = ?, other_id, merge_candidates.author_id)
WHERE merge_candidates.author_id = ? OR other_id = ?
ORDER BY that_id
"""


@dataclass(frozen=True)
class AuthorPage:
    """All that the page of an author shows."""

    row: Row
    papers: Part
    coauthors: Part
    spellings: Part
    profiles: Part
    candidates: Part


def author_page(database: sqlite3.Connection, author_id: str) -> AuthorPage | None:
    """The page of an author; None where there is no such author."""
    release = ReleaseRows(database)
    row = next(release.rows("SELECT * FROM authors WHERE author_id = ?", author_id), None)
    if row is None:
        return None
    return AuthorPage(
        row=row,
        papers=with_titles(first(release, SHOWN_PAPERS, _PAPERS, author_id)),
        coauthors=first(release, SHOWN_OTHERS, _COAUTHORS, author_id),
        spellings=first(release, SHOWN_OTHERS, _SPELLINGS, author_id),
        profiles=first(release, SHOWN_OTHERS, _PROFILES, author_id),
        candidates=first(release, SHOWN_OTHERS, _CANDIDATES, author_id, author_id, author_id),
    )
