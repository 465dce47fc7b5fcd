"""The page of a profile. In: the row's key. Out: what its template shows: header, coverage, listings, quarantine, findings."""

import json
import sqlite3
from dataclasses import dataclass

from etl.release.lineage import ReleaseRows, Row
from etl.site.rows.reading import FINDINGS, SHARE, Part, first, raw, with_titles

SHOWN_LISTINGS = 200
SHOWN_OTHERS = 50
"""Listings, and rows of the other lists, that the page shows; the rest is behind links."""
_PROFILE = (
    f"SELECT profiles.*, {SHARE}, categories.name AS category FROM profiles"  # noqa: S608
    " LEFT JOIN categories USING (category_id) WHERE profile_id = ?"
)
_LISTINGS = (
    "SELECT listings.*, title, published FROM listings JOIN papers USING (paper_id) WHERE profile_id = ?"
    " ORDER BY position"
)
_QUARANTINE = "SELECT * FROM quarantine WHERE profile_id = ? ORDER BY line_start"


@dataclass(frozen=True)
class ProfilePage:
    """All that the page of a profile shows."""

    row: Row
    listings: Part
    quarantine: Part
    findings: Part


def profile_page(database: sqlite3.Connection, profile_id: str) -> ProfilePage | None:
    """The page of a profile; None where there is no such profile."""
    release = ReleaseRows(database)
    row = next(release.rows(_PROFILE, profile_id), None)
    if row is None:
        return None
    return ProfilePage(
        row=row,
        listings=with_titles(first(release, SHOWN_LISTINGS, _LISTINGS, profile_id)),
        quarantine=_readable(first(release, SHOWN_OTHERS, _QUARANTINE, profile_id)),
        findings=first(
            release, SHOWN_OTHERS, f"{FINDINGS} WHERE profile_id = ? ORDER BY line_start, rule_id", profile_id
        ),
    )


def _readable(kept: Part) -> Part:
    rows = [
        {**row, "rule_ids": json.loads(row["rule_ids"]), "raw": raw(row["raw_text"].split("\n"))} for row in kept.rows
    ]
    return Part(rows, kept.total)
