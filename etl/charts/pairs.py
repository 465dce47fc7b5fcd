"""Who wrote with whom, counted in slices so that memory stays small. In: paper_authors. Out: pairs and people, by number."""

from dataclasses import dataclass

import polars as pl

LONGEST_BYLINE = 50
"""Authors of the longest byline that makes pairs: in a collaboration's everybody is beside everybody."""
PAIRS_AT_ONCE = 4_000_000
_PAIRS = pl.Schema({"one": pl.UInt32, "two": pl.UInt32, "papers": pl.UInt32})
_PEOPLE = pl.Schema({"one": pl.UInt32, "coauthors": pl.UInt32})


@dataclass(frozen=True)
class Pairs:
    """How many pairs and people there are, and the first of them.

    `pairs` has author_id, other_id and papers, the most papers first; `people` author_id and coauthors, the most first.
    """

    pair_count: int
    people_count: int
    pairs: pl.DataFrame
    people: pl.DataFrame


def count_pairs(paper_authors: pl.DataFrame, kept: int) -> Pairs:
    """The `kept` pairs with the most papers, and the `kept` people with the most co-authors."""
    rows = _numbered(paper_authors)
    slices = max(1, -(-int(rows["beside"].sum()) // PAIRS_AT_ONCE))
    pair_count, pairs, people = 0, _PAIRS.to_frame(), _PEOPLE.to_frame()
    for number in range(slices):
        found = _pairs(rows, number, slices)
        pair_count += found.height
        pairs = _first(pl.concat([pairs, found]), "papers", kept)
        people = _add(people, found)
    ids = paper_authors["author_id"].unique().sort()
    return Pairs(
        pair_count,
        people.height,
        pairs.select(ids.gather(pairs["one"]), ids.gather(pairs["two"]).alias("other_id"), "papers"),
        _people(_first(people, "coauthors", kept), ids),
    )


def _numbered(paper_authors: pl.DataFrame) -> pl.DataFrame:
    """Papers and authors by number, in the order of their identifiers; `beside` counts the others in the byline."""
    numbers = paper_authors.select(
        pl.col("paper_id").rank("dense").alias("paper"), (pl.col("author_id").rank("dense") - 1).alias("one")
    )
    beside = (pl.len().over("paper") - 1).alias("beside")
    return numbers.with_columns(beside).filter(pl.col("beside").is_between(1, LONGEST_BYLINE - 1))


def _pairs(rows: pl.DataFrame, number: int, slices: int) -> pl.DataFrame:
    """The pairs whose first author is in this slice: all papers of a pair are in one."""
    left = rows.filter(pl.col("one") % slices == number).select("paper", "one")
    both = left.join(rows.select("paper", pl.col("one").alias("two")), on="paper").filter(pl.col("one") < pl.col("two"))
    return both.group_by("one", "two").agg(pl.len().alias("papers"))


def _first(frame: pl.DataFrame, by: str, kept: int) -> pl.DataFrame:
    keys = [name for name in frame.columns if name != by]
    return frame.sort(by, *keys, descending=[True, *[False] * len(keys)]).head(kept)


def _add(people: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The co-authors of each person with those that these pairs add: no pair is in two slices."""
    sides = [pairs.group_by(pl.col(side).alias("one")).agg(pl.len().alias("coauthors")) for side in ("one", "two")]
    return pl.concat([people, *sides]).group_by("one").agg(pl.col("coauthors").sum())


def _people(people: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return people.select(ids.gather(people["one"]), "coauthors")
