"""Which release a Datasette serves, and how Datasette is set for a site that anybody may ask anything."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from etl.load.layout import DATABASE, MANIFEST, read_manifest
from etl.release.release import Release

if TYPE_CHECKING:
    from datasette.app import Datasette

SETTINGS: dict[str, int | bool] = {
    "sql_time_limit_ms": 1000,  # enough for a join over a million rows; who needs more takes the files
    "max_returned_rows": 1000,  # a page of rows is drawn in a second, and held in memory at once
    "num_sql_threads": 6,  # two each for costly and slow requests (etl/site/safety/request_limits.py): pages always find one
    "suggest_facets": False,  # looking for facets takes a million-row page from 0.2 to 1.3 s
    "default_facet_size": 30,  # longer lists hide the rows below them
    "facet_time_limit_ms": 500,  # a facet that takes longer is left out, and the page comes without it
    "max_csv_mb": 100,  # beyond it the Parquet files are the better way, and cost the site nothing
    "template_debug": False,  # ?_context=1 would show what templates are given
    "trace_debug": False,  # ?_trace=1 would show every query, and its traceback
}
"""Datasette's settings by name, as `--setting NAME VALUE` takes them."""


def served(datasette: "Datasette") -> Release | None:
    """The release whose database this Datasette serves; None where it serves none, or a database without its folder."""
    database = datasette.databases.get(DATABASE)
    return _beside(database.path) if database and database.path else None


@cache
def _beside(database: str) -> Release | None:
    """The release that a database lies in; looked for once, since every cell of a page asks."""
    folder = Path(database).resolve().parent
    return Release(folder, read_manifest(folder)) if (folder / MANIFEST).is_file() else None
