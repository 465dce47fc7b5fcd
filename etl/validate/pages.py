"""Pages against the tables: every line is accounted for once, and every page can be rebuilt from its rows."""

import hashlib
from collections.abc import Iterator

import polars as pl

from etl.rebuild import rebuild_pages
from etl.validate.keys import TableFailure
from schemas import Frames


def check_pages(tables: Frames) -> Iterator[TableFailure]:
    """Every page whose lines stand in two places, or that the tables do not give back byte for byte."""
    sources = dict(tables["profiles"].select("profile_id", "source").iter_rows())
    for profile_id, line in _claimed_twice(tables):
        message = (
            f"{sources[profile_id]}: line {line} is in two rows; this is an error of the program, please report it"
        )
        yield TableFailure("PAG-002", 1, message, profile_id, line)
    hashes = dict(tables["profiles"].select("profile_id", "sha256").iter_rows())
    for profile_id, page in rebuild_pages(tables):
        if hashlib.sha256(page).hexdigest() != hashes[profile_id]:
            message = f"{sources[profile_id]}: cannot be rebuilt from the tables; this is an error of the program, please report it"
            yield TableFailure("PAG-003", 1, message, profile_id)


def _claimed_twice(tables: Frames) -> list[tuple[str, int]]:
    """The first line of each run that header, listings and quarantine claim more than once, or that is not on the page."""
    header = pl.col("header")
    headers = (
        tables["profiles"]
        .filter(header != "")
        .select(
            "profile_id",
            pl.lit(1, dtype=pl.Int64).alias("line_start"),
            (header.str.count_matches("\n") + 1).cast(pl.Int64).alias("line_end"),
        )
    )
    runs = [tables[table].select("profile_id", "line_start", "line_end") for table in ("listings", "quarantine")]
    every = pl.concat([headers, *runs]).sort("profile_id", "line_start", "line_end")
    counted = every.join(tables["profiles"].select("profile_id", "lines"), on="profile_id")
    before = pl.col("line_end").shift(1).over("profile_id").fill_null(0)
    wrong = counted.filter((pl.col("line_start") <= before) | (pl.col("line_end") > pl.col("lines")))
    return list(wrong.select("profile_id", "line_start").iter_rows())
