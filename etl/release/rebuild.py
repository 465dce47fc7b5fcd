"""One page of a release, rebuilt from its tables."""

import hashlib
import sqlite3

from etl.errors import BrokenTables, UsageError
from etl.resolve.rendering import rebuild_pages
from schemas import TABLES, Frames

_PAPERS_OF_PAGE = "SELECT paper_id FROM listings WHERE profile_id = :id"
_ROWS_OF_PAGE = {
    "profiles": "profile_id = :id",
    "listings": "profile_id = :id",
    "variants": "profile_id = :id",
    "quarantine": "profile_id = :id",
    "papers": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "paper_authors": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "paper_institutions": f"paper_id IN ({_PAPERS_OF_PAGE})",
    "institutions": "TRUE",
}


def page_tables(database: sqlite3.Connection, profile_id: str) -> Frames:
    """The rows of a release that one page is rebuilt from."""
    frames = {}
    for table, condition in _ROWS_OF_PAGE.items():
        columns = ", ".join(f'"{column}"' for column in TABLES[table].definition().schema)
        rows = database.execute(f"SELECT {columns} FROM {table} WHERE {condition}", {"id": profile_id})  # noqa: S608
        frames[table] = TABLES[table].read(rows.fetchall())
    return frames


def find_profile(database: sqlite3.Connection, wanted: str) -> str:
    """The id of the profile that `wanted` names: its id, its source, or the unique beginning of its id.

    Raises `UsageError` where there is none, or more than one.
    """
    rows = database.execute("SELECT profile_id, source FROM profiles ORDER BY profile_id").fetchall()
    for matches in (
        [profile_id for profile_id, _ in rows if profile_id == wanted],
        [profile_id for profile_id, source in rows if source == wanted],
        [profile_id for profile_id, _ in rows if wanted and profile_id.startswith(wanted)],
    ):
        if len(matches) == 1:
            return str(matches[0])
        if matches:
            raise UsageError(
                f"{wanted}: found {len(matches)} profiles, expected one; give more of an id: {', '.join(matches[:5])}"
            )
    raise UsageError(f"{wanted}: no such profile; see the table profiles for ids and sources")


def rebuild_page(database: sqlite3.Connection, profile_id: str) -> bytes:
    """The bytes of one page of a release.

    Raises `BrokenTables` where they are not those that the profile's hash tells of.
    """
    tables = page_tables(database, profile_id)
    ((_, page),) = rebuild_pages(tables)
    if hashlib.sha256(page).hexdigest() != tables["profiles"]["sha256"].item():
        raise BrokenTables(
            f"{profile_id}: the rebuilt page is not the page that was read; the release is damaged, build it again"
        )
    return page
