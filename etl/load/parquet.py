"""The Parquet files: the Arrow schema of each table from its model, and its rows."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import SCHEMA_VERSION, Column, Definition, Table
from schemas.limits import ROWS_PER_BATCH

_TYPES: dict[pl.DataType, pa.DataType] = {
    pl.Int64(): pa.int64(),
    pl.Float64(): pa.float64(),
    pl.Boolean(): pa.bool_(),
    pl.String(): pa.string(),
    pl.Date(): pa.date32(),
    pl.List(pl.String): pa.list_(pa.string()),
}


def arrow_schema(definition: Definition) -> pa.Schema:
    """The Arrow schema: each column's words in its metadata, the table's words and keys, and the schema's version, in the schema's.

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
    """Write a table's rows to a new file, in the types and the order of its model."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow_schema(model.definition())).combine_chunks()
    pq.write_table(table, path, compression="zstd", row_group_size=ROWS_PER_BATCH)


def _field(column: Column) -> "pa.Field[Any]":
    facts: dict[bytes | str, bytes | str] = {"description": column.description, "title": column.title}
    if column.unit:
        facts["unit"] = column.unit
    return pa.field(column.name, _TYPES[column.dtype], nullable=column.nullable, metadata=facts)
