"""Parquet files read by the libraries that analysts use: each gives the rows as plain tuples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

Rows = list[tuple[Any, ...]]


def by_pyarrow(path: Path) -> Rows:
    return [tuple(row.values()) for row in pq.read_table(path).to_pylist()]


def by_polars(path: Path) -> Rows:
    return pl.read_parquet(path).rows()


def by_duckdb(path: Path) -> Rows:
    with duckdb.connect() as connection:
        return connection.read_parquet(str(path)).fetchall()


def by_pandas(path: Path) -> Rows:
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    return [tuple(map(plain, row)) for row in frame.itertuples(index=False, name=None)]


def plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return None if value is pd.NA else value


PARQUET_READERS: list[Callable[[Path], Rows]] = [by_pyarrow, by_polars, by_duckdb, by_pandas]
