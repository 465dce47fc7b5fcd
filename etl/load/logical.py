"""The logical hash: of what a release says, and not of the files that say it.

In: where the tables came from, their schema, their rows in the order of the key. Out: hexadecimal digits. It does not
depend on the versions of SQLite and Arrow, and so the same tables have the same name wherever they are built.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from etl.load.metadata import render_metadata
from etl.load.sqlite import ddl
from schemas import TABLES, VIEWS, Frames
from schemas.limits import ROWS_PER_BATCH


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
        for batch in batches:
            digest.update(batch.write_ndjson().encode())
    return digest.hexdigest()
