"""The logical hash: of what a release says, and not of the files that say it.

In: where the tables came from, their schema, their rows in the order of the key. Out: hexadecimal digits. It does not
depend on the versions of SQLite and Arrow, and so the same tables have the same name wherever they are built.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from etl.load.descriptors import render_metadata
from etl.load.sqlite import ddl
from schemas import TABLES, VIEWS, Frames
from schemas.limits import LARGE_PAGE, ROWS_PER_BATCH


@dataclass(frozen=True)
class Wording:
    """What describes the rows: Datasette's metadata as text, and the SQL of views and tables in their order."""

    metadata: str
    views: Iterable[str]
    tables: Iterable[tuple[str, Iterable[pl.DataFrame]]]
    """Each table's CREATE TABLE statement, and its rows in batches of any size."""


def hash_release(tables: Frames, provenance: dict[str, Any]) -> str:
    """The logical hash of tables that are to be published."""
    rows = (
        (ddl(model.definition()), tables[name].iter_slices(ROWS_PER_BATCH))
        for name, model in TABLES.items()
        if name in tables
    )
    metadata = render_metadata(tables["papers"].height)
    return hash_wording(Wording(metadata, (view.sql.strip() for view in VIEWS.values()), rows), provenance)


def hash_wording(wording: Wording, provenance: dict[str, Any]) -> str:
    """The logical hash of tables wherever their words and rows are read."""
    digest = hashlib.sha256()
    digest.update(json.dumps(provenance, sort_keys=True).encode())
    digest.update(wording.metadata.encode())
    for view in wording.views:
        digest.update(view.encode())
    for statement, batches in wording.tables:
        digest.update(statement.encode())
        for part in chain.from_iterable(map(_in_parts, batches)):
            digest.update(part.write_ndjson().encode())
    return digest.hexdigest()


def _in_parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in parts whose text is no longer than a large page, but for a row that is longer itself."""
    texts = [
        pl.col(name).str.len_bytes().cast(pl.Int64).fill_null(0)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    ]
    parts = frame.select(pl.sum_horizontal(texts).cum_sum() // LARGE_PAGE).to_series()
    start = 0
    for length in parts.rle().struct.field("len"):
        yield frame.slice(start, length)
        start += length
