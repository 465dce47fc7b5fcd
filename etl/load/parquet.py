"""The Parquet files: each table's Arrow schema from its model, its rows, and the rows of `paper_list.parquet`."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import SCHEMA_VERSION, Column, Definition, Frames, PaperList, Table
from schemas.limits import ROWS_PER_BATCH
from schemas.table import COLUMN_TYPES

_READ_BYTES = 1 << 16
_WORDS = 10_000
"""Texts that are written at a time."""


def arrow_schema(definition: Definition) -> pa.Schema:
    """The Arrow schema, with descriptions as metadata of columns and table, and keys and version as metadata of the table.

    >>> from schemas import Profiles
    >>> arrow_schema(Profiles.definition()).field("bytes").metadata[b"unit"]
    b'bytes'
    """
    facts: dict[bytes | str, bytes | str] = {
        "description": definition.description,
        "primary_key": json.dumps(definition.primary_key),
        "references": json.dumps({",".join(key.columns): key.table for key in definition.references}),
        "schema_version": str(SCHEMA_VERSION),
        "table": definition.name,
        "title": definition.title,
    }
    return pa.schema([_field(column) for column in definition.columns], metadata=facts)


def write_parquet(path: Path, model: type[Table], frame: pl.DataFrame) -> None:
    """Write a table's rows to a new file, with the types and the column order of its model.

    A row group is converted and written at a time: in Arrow's form a table has its text once more.
    """
    write_parquet_batches(path, model, frame.iter_slices(ROWS_PER_BATCH) if frame.height else [frame])


def write_parquet_batches(path: Path, model: type[Table], batches: Iterable[pl.DataFrame]) -> int:
    """Write a table's rows to a new file batch by batch, each a row group; returns the number of rows."""
    rows = 0
    with pq.ParquetWriter(path, arrow_schema(model.definition()), compression="zstd") as file:
        for batch in batches:
            file.write_table(as_arrow(model, batch))
            rows += batch.height
    return rows


def write_words(path: Path, frame: pl.DataFrame) -> None:
    """Write texts to a new file that is read soon and removed, so that it is hardly compressed."""
    arrow = partial(pl.DataFrame.to_arrow, compat_level=pl.CompatLevel.oldest())
    with pq.ParquetWriter(path, arrow(frame.clear()).schema, compression="lz4", use_dictionary=False) as file:
        for batch in frame.iter_slices(_WORDS):
            file.write_table(arrow(batch))


def as_arrow(model: type[Table], frame: pl.DataFrame) -> pa.Table:
    """A table's rows in Arrow's form, with the types and the column order of its model."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow_schema(model.definition())).combine_chunks()


def read_batches(path: Path, size: int) -> Iterator[pl.DataFrame]:
    """Read the rows of a Parquet file in batches of at most `size` rows; a file without rows is one batch."""
    # Else the compressed columns of a whole row group are in memory.
    with pq.ParquetFile(path, buffer_size=_READ_BYTES, pre_buffer=False) as file:
        none = () if file.metadata.num_rows else (file.schema_arrow.empty_table(),)
        batches = (pa.Table.from_batches([batch]) for batch in file.iter_batches(size))
        yield from map(pl.DataFrame, chain(none, batches))
    pa.default_memory_pool().release_unused()


def _field(column: Column) -> "pa.Field[Any]":
    facts: dict[bytes | str, bytes | str] = {"description": column.description, "title": column.title}
    if column.unit:
        facts["unit"] = column.unit
    return pa.field(column.name, COLUMN_TYPES[column.dtype].arrow, nullable=column.nullable, metadata=facts)


_SCHEMES = {"arxiv": "arxiv_id", "doi": "doi"}


def paper_list(tables: Frames) -> pl.DataFrame:
    """One row a paper, sorted by its key, with authors, institutions, category and identifiers.

    >>> from schemas import TABLES
    >>> bells, mila = {"paper_id": "bells"}, {"institution_id": "mila", "name": "Mila"}
    >>> rows = {"papers": [bells], "institutions": [mila], "paper_institutions": [bells | mila]}
    >>> paper_list({name: model.frame(rows.get(name, [])) for name, model in TABLES.items()})["institutions"].to_list()
    [['Mila']]
    """
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
