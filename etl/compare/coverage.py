"""Pages of two releases: which were saved again, and how many of their papers they list.

In: two releases. Out: coverage of each, and the pages that changed. A page saved again is another row, since its
identity is its bytes; it is known by its file's name without the date, or by its owner.
"""

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from etl.compare.difference import Coverage, PageChange
from etl.release.release import Release
from etl.snapshots import newest_pages

_SCHEMA = {
    "profile_id": pl.String,
    "author_id": pl.String,
    "name": pl.String,
    "source": pl.String,
    "stated_papers": pl.Int64,
    "listed_papers": pl.Int64,
    "observed_on": pl.Date,
    "last_observed_on": pl.Date,
}
_SAVED_ON = re.compile(r"@[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_pages(release: Release) -> pl.DataFrame:
    """The pages of a release; none where it does not know a column that this needs."""
    frame = release.read("profiles", _SCHEMA)
    return pl.DataFrame(schema=_SCHEMA) if frame is None else frame.cast(pl.Schema(_SCHEMA))


def coverage(pages: pl.DataFrame) -> Coverage:
    """How many papers the newest pages of all people together list of those that they state."""
    stated = newest_pages(pages).filter(pl.col("stated_papers") > 0)
    return Coverage(
        pages=stated.height,
        stated_papers=int(stated["stated_papers"].sum()),
        listed_papers=int(stated["listed_papers"].sum()),
    )


def compare_pages(old: pl.DataFrame, new: pl.DataFrame) -> list[PageChange]:
    """The pages saved again, and those whose counts differ, by source."""
    kept = old.join(new, on="profile_id", suffix="_new").filter(
        pl.col("stated_papers").ne_missing(pl.col("stated_papers_new"))
        | (pl.col("listed_papers") != pl.col("listed_papers_new"))
    )
    pairs = [(row, _after(row)) for row in kept.iter_rows(named=True)]
    changes = [_change(*pair) for pair in (*pairs, *_saved_again(old, new))]
    return sorted(changes, key=lambda change: (change.source, change.old_id))


def has_lost(change: PageChange) -> bool:
    """Whether a page lists a smaller share of its papers than before; without a count, fewer papers."""
    before, after = change.old, change.new
    if before.stated_papers and after.stated_papers:
        return after.listed_papers * before.stated_papers < before.listed_papers * after.stated_papers
    return after.listed_papers < before.listed_papers


def _saved_again(old: pl.DataFrame, new: pl.DataFrame) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each page that is gone with the new page that stands for it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in new.join(old, on="profile_id", how="anti").sort("source", "profile_id").iter_rows(named=True):
        for mark in _marks(row):
            found.setdefault(mark, row)
    for row in old.join(new, on="profile_id", how="anti").iter_rows(named=True):
        again = next((found[mark] for mark in _marks(row) if mark in found), None)
        if again:
            yield row, again


def _after(row: dict[str, Any]) -> dict[str, Any]:
    """The newer half of a row that holds both."""
    return {name: row.get(f"{name}_new", row[name]) for name in _SCHEMA}


def _marks(row: dict[str, Any]) -> list[tuple[str, str]]:
    """What tells that a page is the same page, the surest first."""
    owner = [("author", row["author_id"])] if row["author_id"] else []
    return [("source", _SAVED_ON.sub("", row["source"])), *owner]


def _change(old: dict[str, Any], new: dict[str, Any]) -> PageChange:
    return PageChange(
        name=new["name"],
        source=new["source"],
        old_id=old["profile_id"],
        new_id=new["profile_id"],
        old=_of_page(old),
        new=_of_page(new),
    )


def _of_page(row: dict[str, Any]) -> Coverage:
    return Coverage(pages=1, stated_papers=row["stated_papers"] or 0, listed_papers=row["listed_papers"])
