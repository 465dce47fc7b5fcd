"""Papers: listings that are one paper become one row, and what the row does not say for a listing is kept.

In: listings (good blocks with category and date). Out: frames of papers, of merged listings and of variants.
"""

import hashlib
from base64 import b32encode
from collections.abc import Iterator

import polars as pl

from etl.extract.byline import render_byline
from etl.extract.page import render_block
from etl.records import Byline
from etl.resolve.categories import RANKS
from etl.resolve.folding import fold
from schemas import Variants

PAPER_ID_LENGTH = 16
WINNER_ORDER = {"observed_on": True, "abstract_length": True, "profile_id": False, "position": False}
"""The listing that a merged row is taken from: the newest, then the longest abstract, then the smallest key. True: descending."""


def work_key(title: str, first_author: str) -> str:
    """What a work is known by whatever its date: the folded title and the last word of the first author's folded name.

    >>> work_key("On Bells", "Ann B. Bell") == work_key("ON BELLS!", "A. Bell")
    True
    """
    last_word = (fold(first_author).split() or [first_author])[-1]
    return f"{fold(title) or title}\n{last_word}"


def paper_id(work: str, month: int, day: int) -> str:
    """The identity of a paper: its work, and month and day of the badge (the year a page may leave out).

    >>> paper_id(work_key("On Bells", "Ann B. Bell"), 5, 1)
    'smxzv55o6hmd4b2i'
    """
    key = f"{work}\n{month:02}-{day:02}"
    return b32encode(hashlib.sha256(key.encode()).digest()).decode().lower()[:PAPER_ID_LENGTH]


def identify(blocks: pl.DataFrame) -> pl.DataFrame:
    """Blocks with their `work` and `paper_id`, sorted so that within a paper the winning listing comes first."""
    works = [work_key(title, names[0]) for title, names in blocks.select("title", "names").iter_rows()]
    ids = [paper_id(work, *day) for work, day in zip(works, blocks.select("month", "day").iter_rows(), strict=True)]
    identified = blocks.with_columns(
        pl.Series("work", works, dtype=pl.String),
        pl.Series("paper_id", ids, dtype=pl.String),
        pl.col("abstract").str.len_chars().alias("abstract_length"),
    )
    return identified.sort("paper_id", *WINNER_ORDER, descending=[False, *WINNER_ORDER.values()], nulls_last=True)


def merge(listings: pl.DataFrame) -> pl.DataFrame:
    """One row a paper: whole from the winning listing, but for the category and the date, which the surest listing tells."""
    winners = listings.unique("paper_id", keep="first", maintain_order=True)
    category = _surest(
        listings.with_columns(pl.col("category_resolution").replace_strict(RANKS, return_dtype=pl.Int64).alias("rank")),
        ["category_id", "category_resolution"],
    )
    unsure = pl.when(pl.col("published").is_null()).then(2).when("year_inferred").then(1).otherwise(0)
    date = _surest(listings.with_columns(unsure.alias("rank")), ["published", "year_inferred"])
    return (
        winners.drop("category_id", "category_resolution", "published", "year_inferred")
        .join(category, on="paper_id", how="left", maintain_order="left")
        .join(date, on="paper_id", how="left", maintain_order="left")
    )


def find_variants(listings: pl.DataFrame, papers: pl.DataFrame, bylines: dict[str, Byline]) -> pl.DataFrame:
    """What each listing says where its merged paper does not give it back; `bylines` hold the merged papers'."""
    merged = papers.select("paper_id", "title", "abstract", "category_id", "published", "year_inferred")
    pairs = listings.join(merged, on="paper_id", how="left", suffix="_merged", maintain_order="left")
    written = {paper: render_byline(byline) for paper, byline in bylines.items()}
    return Variants.frame(
        [
            (row["profile_id"], row["position"], field, value)
            for row in pairs.iter_rows(named=True)
            for field, value in _variants(row, written[row["paper_id"]])
        ]
    )


def _variants(row: dict[str, object], byline: str) -> Iterator[tuple[str, str]]:
    merged = {"title": row["title_merged"], "byline": byline, "abstract": row["abstract_merged"]}
    for field, value in merged.items():
        if row[field] != value:
            yield field, str(row[field])
    lines = int(str(row["line_end"])) - int(str(row["line_start"])) + 1
    parts = [str(row[part]) for part in ("badge", "title", "byline", "abstract")]
    if "\n".join(render_block(parts[0], parts[1], parts[2], parts[3], lines)) != row["raw"]:
        yield "block", str(row["raw"])
    if row["category_id"] is not None and row["category_id"] != row["category_id_merged"]:
        yield "category_id", str(row["category_id"])
    if row["year"] is not None and row["published"] != row["published_merged"]:
        yield "published", str(row["published"])


def _surest(ranked: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The columns of each paper's listing of lowest `rank`, the winner's order deciding between equals."""
    order = ranked.with_row_index("place").sort("paper_id", "rank", "place")
    return order.unique("paper_id", keep="first", maintain_order=True).select("paper_id", *columns)
