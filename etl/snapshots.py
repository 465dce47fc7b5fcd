"""Pages of one person that were saved on several days: which of them counts. The view `coverage` says the same in SQL."""

import polars as pl


def newest_pages(profiles: pl.DataFrame) -> pl.DataFrame:
    """The page of each owner that was saved last (of several the smallest id), and all pages without one, by id.

    In and out are rows of `profiles` with at least profile_id, author_id, observed_on and last_observed_on.
    """
    saved = pl.coalesce("last_observed_on", "observed_on")
    owned = profiles.drop_nulls("author_id").sort(
        pl.col("author_id"), saved, "profile_id", descending=[False, True, False], nulls_last=True
    )
    newest = owned.unique("author_id", keep="first", maintain_order=True)
    return pl.concat([newest, profiles.filter(pl.col("author_id").is_null())]).sort("profile_id")
