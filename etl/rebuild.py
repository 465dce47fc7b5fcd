"""Rebuild pages from the tables alone, byte for byte.

One total rule: the header as kept, then for each listing the variant where there is one, else the merged
row; blank lines and the quarantine fall into place by line number.
"""

import hashlib
import sqlite3
from collections.abc import Iterator

import polars as pl

from etl.errors import BrokenTables, UsageError
from etl.extract.byline import render_byline
from etl.extract.page import join_lines, render_block
from etl.extract.records import Byline
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
_PARTS = ("title", "byline", "abstract", "block")


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


def rebuild_pages(tables: Frames) -> Iterator[tuple[str, bytes]]:
    """The bytes of every page in `tables`, by profile, in order."""
    listings = _parts_of_listings(tables).partition_by("profile_id", as_dict=True)
    strays = tables["quarantine"].partition_by("profile_id", as_dict=True)
    none = pl.DataFrame()
    for profile in tables["profiles"].sort("profile_id").iter_rows(named=True):
        key = (profile["profile_id"],)
        yield profile["profile_id"], _rebuild(profile, listings.get(key, none), strays.get(key, none))


def merged_bylines(tables: Frames) -> dict[str, Byline]:
    """Each paper's byline, as far as the tables hold it."""
    names = _lists(tables["paper_authors"].filter(source="byline").sort("paper_id", "position"))
    tagged = tables["paper_institutions"].join(tables["institutions"], on="institution_id")
    tags = _lists(tagged.sort("paper_id", "institution_id"))
    return {
        paper: Byline(tuple(names.get(paper, ())), truncated, tuple(tags.get(paper, ())))
        for paper, truncated in tables["papers"].select("paper_id", "authors_truncated").iter_rows()
    }


def _parts_of_listings(tables: Frames) -> pl.DataFrame:
    """The listings with title, byline and abstract as they print them, and their raw lines where kept."""
    bylines = {paper: render_byline(byline) for paper, byline in merged_bylines(tables).items()}
    papers = tables["papers"].select(
        "paper_id",
        "title",
        "abstract",
        pl.col("paper_id").replace_strict(bylines, return_dtype=pl.String).alias("byline"),
        pl.lit(None, dtype=pl.String).alias("block"),
    )
    parts = tables["listings"].join(papers, on="paper_id", how="left")
    for part in _PARTS:
        kept = (
            tables["variants"]
            .filter(pl.col("field") == part)
            .select("profile_id", "position", pl.col("value").alias("kept"))
        )
        parts = (
            parts.join(kept, on=["profile_id", "position"], how="left")
            .with_columns(pl.coalesce("kept", part).alias(part))
            .drop("kept")
        )
    return parts


def _rebuild(profile: dict[str, object], listings: pl.DataFrame, strays: pl.DataFrame) -> bytes:
    lines = [""] * int(str(profile["lines"]))
    _place(lines, 1, str(profile["header"]))
    for row in listings.iter_rows(named=True):
        count = row["line_end"] - row["line_start"] + 1
        block = render_block(row["badge"], row["title"], row["byline"], row["abstract"], count)
        _place(lines, row["line_start"], "\n".join(block) if row["block"] is None else row["block"])
    for row in strays.iter_rows(named=True):
        _place(lines, row["line_start"], row["raw_text"])
    return join_lines(str(profile["newline"]), lines).encode()


def _place(lines: list[str], line_start: int, text: str) -> None:
    placed = text.split("\n")
    lines[line_start - 1 : line_start - 1 + len(placed)] = placed


def _lists(named: pl.DataFrame) -> dict[str, list[str]]:
    grouped = named.group_by("paper_id", maintain_order=True).agg("name")
    return dict(grouped.select("paper_id", "name").iter_rows())
