"""Rebuild pages from the tables, byte for byte.

A page is its stored header, then for each listing its variants or else the merged row, and the quarantine, each at its line
number; all other lines are blank.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from etl.extract.byline import Byline, render_byline
from etl.extract.page import join_lines, render_block
from schemas import Frames

_PARTS = ("title", "byline", "abstract", "block")


def listing_lines(printed: Mapping[str, Any]) -> list[str]:
    """The raw lines of a listing: its variant `block` if there is one, else its parts with blank lines between them.

    `printed` has badge, title, byline and abstract (the variant or else the merged row's), block (None without such a
    variant), line_start and line_end.

    >>> bells = {"badge": "CLMay 1", "title": "On Bells", "byline": "Ann Bell", "abstract": "They ring."}
    >>> listing_lines({**bells, "block": None, "line_start": 3, "line_end": 8})
    ['CLMay 1', 'On Bells', '', 'Ann Bell', '', 'They ring.']
    """
    if printed["block"] is not None:
        return str(printed["block"]).split("\n")
    count = printed["line_end"] - printed["line_start"] + 1
    return render_block(printed["badge"], printed["title"], printed["byline"], printed["abstract"], count)


def rebuild_pages(tables: Frames) -> Iterator[tuple[str, bytes]]:
    """The id and the bytes of every page in `tables`, sorted by id."""
    listings = _parts_of_listings(tables).partition_by("profile_id", as_dict=True)
    strays = tables["quarantine"].partition_by("profile_id", as_dict=True)
    none = pl.DataFrame()
    for profile in tables["profiles"].sort("profile_id").iter_rows(named=True):
        key = (profile["profile_id"],)
        yield profile["profile_id"], _rebuild(profile, listings.get(key, none), strays.get(key, none))


def merged_bylines(tables: Frames) -> dict[str, Byline]:
    """Each paper's byline as far as the tables contain it: not its part after "et al."."""
    names = _lists(tables["paper_authors"].filter(source="byline").sort("paper_id", "position"))
    tagged = tables["paper_institutions"].join(tables["institutions"], on="institution_id")
    tags = _lists(tagged.sort("paper_id", "institution_id"))
    return {
        paper: Byline(tuple(names.get(paper, ())), truncated, tuple(tags.get(paper, ())))
        for paper, truncated in tables["papers"].select("paper_id", "authors_truncated").iter_rows()
    }


def _parts_of_listings(tables: Frames) -> pl.DataFrame:
    """The listings with their printed title, byline and abstract, and their raw lines if they are a variant."""
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
        variant = (
            tables["variants"]
            .filter(pl.col("field") == part)
            .select("profile_id", "position", pl.col("value").alias("variant"))
        )
        parts = (
            parts.join(variant, on=["profile_id", "position"], how="left")
            .with_columns(pl.coalesce("variant", part).alias(part))
            .drop("variant")
        )
    return parts


def _rebuild(profile: dict[str, object], listings: pl.DataFrame, strays: pl.DataFrame) -> bytes:
    lines = [""] * int(str(profile["lines"]))
    _place(lines, 1, str(profile["header"]).split("\n"))
    for row in listings.iter_rows(named=True):
        _place(lines, row["line_start"], listing_lines(row))
    for row in strays.iter_rows(named=True):
        _place(lines, row["line_start"], row["raw_text"].split("\n"))
    return join_lines(str(profile["newline"]), lines).encode()


def _place(lines: list[str], line_start: int, placed: list[str]) -> None:
    lines[line_start - 1 : line_start - 1 + len(placed)] = placed


def _lists(named: pl.DataFrame) -> dict[str, list[str]]:
    grouped = named.group_by("paper_id", maintain_order=True).agg("name")
    return dict(grouped.select("paper_id", "name").iter_rows())
