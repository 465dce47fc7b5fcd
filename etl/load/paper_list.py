"""The rows of `paper_list.parquet`: the view of that name, with authors and institutions as lists."""

import polars as pl

from schemas import Frames, PaperList

_SCHEMES = {"arxiv": "arxiv_id", "doi": "doi"}


def paper_list(tables: Frames) -> pl.DataFrame:
    """One row a paper, in the order of its key, with what hangs on it."""
    people = tables["paper_authors"].join(
        tables["authors"].select("author_id", pl.col("name").alias("author_name")), on="author_id", how="left"
    )
    ordered = people.sort("paper_id", "position", "author_id", nulls_last=True)
    tagged = tables["paper_institutions"].join(tables["institutions"], on="institution_id", how="left")
    lists = {
        "authors": (ordered.drop_nulls("position"), "name"),
        "author_names": (ordered, "author_name"),
        "institutions": (tagged.sort("paper_id", "institution_id"), "name"),
    }
    papers = tables["papers"].join(
        tables["categories"].select("category_id", pl.col("name").alias("category")), on="category_id", how="left"
    )
    for name, (rows, column) in lists.items():
        grouped = rows.group_by("paper_id", maintain_order=True).agg(pl.col(column).alias(name))
        papers = papers.join(grouped, on="paper_id", how="left").with_columns(pl.col(name).fill_null([]))
    for scheme, name in _SCHEMES.items():
        first = (
            tables["paper_identifiers"]
            .filter(scheme=scheme)
            .group_by("paper_id")
            .agg(pl.col("value").min().alias(name))
        )
        papers = papers.join(first, on="paper_id", how="left")
    return PaperList.sorted(papers)
