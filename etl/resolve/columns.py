"""Columns computed by plain functions: each distinct value is computed once, however many rows have it."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

DataType = pl.DataType | type[pl.DataType]


def mapped(
    frame: pl.DataFrame, columns: Sequence[str], function: Callable[..., Any], name: str, dtype: DataType
) -> pl.DataFrame:
    """The frame with the column `name` of what a function returns for the values of `columns`.

    >>> names = pl.DataFrame({"name": ["Ann Bell", "Cy Dole", "Ann Bell"]})
    >>> mapped(names, ["name"], len, "letters", pl.Int64)["letters"].to_list()
    [8, 7, 8]
    """
    distinct = frame.select(columns).unique()
    found = pl.Series(name, [function(*values) for values in distinct.iter_rows()], dtype)
    return frame.join(distinct.with_columns(found), on=columns, how="left", nulls_equal=True, maintain_order="left")
