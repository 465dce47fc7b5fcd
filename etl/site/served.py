"""The release that a Datasette serves, Datasette's settings for a public site, and work in a process of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from etl.load.layout import DATABASE, MANIFEST, read_manifest
from etl.release.release import Release

if TYPE_CHECKING:
    from datasette.app import Datasette

Result = TypeVar("Result")
SETTINGS: dict[str, int | bool] = {
    "sql_time_limit_ms": 1000,  # enough for a join over a million rows; for more there are the files
    "max_returned_rows": 1000,  # as many as a page renders in a second, in memory at once
    "num_sql_threads": 6,  # two each for costly and slow requests (etl/site/safety/request_limits.py), the rest for pages
    "suggest_facets": False,  # it takes the page of a million rows from 0.2 to 1.3 s
    "truncate_cells_html": 300,  # an abstract of a screen's height would push all other rows away
    "default_facet_size": 30,  # longer lists push the rows off the screen
    "facet_time_limit_ms": 120,  # of all facets of a page together (tables.py): it leaves out those that take longer
    "max_csv_mb": 100,  # beyond it the Parquet files are faster, and cost the site nothing
    "template_debug": False,  # ?_context=1 would show the variables of templates
    "trace_debug": False,  # ?_trace=1 would show every query with its traceback
}
"""Datasette's settings by name, as `--setting NAME VALUE` takes them."""


def served(datasette: "Datasette") -> Release | None:
    """The release whose database this Datasette serves; None where it serves none, or a database without its folder."""
    database = datasette.databases.get(DATABASE)
    return _beside(database.path) if database and database.path else None


@cache
def _beside(database: str) -> Release | None:
    """The release that contains a database; cached, since every cell of a page needs it."""
    folder = Path(database).resolve().parent
    return Release(folder, read_manifest(folder)) if (folder / MANIFEST).is_file() else None


class OwnProcess(Generic[Result]):
    """Work that a process of its own does once, so that the site answers meanwhile, and whose memory is free afterwards."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._future: Future[Result] | None = None

    async def result(self, seconds: float | None = None) -> Result | None:
        """The result; None where it takes longer.

        Raises what the work raises, and `BrokenProcessPool` where the system ended the process: the next call tries again.
        """
        if self._future is None:
            pool = ProcessPoolExecutor(1, get_context("spawn"))
            self._future = pool.submit(self._work)
            pool.shutdown(wait=False)
        waiting = asyncio.wrap_future(self._future)
        waiting.add_done_callback(asyncio.Future.exception)  # it is no secret where nobody waits any more
        # A request that ends does not cancel the work, for which others may wait.
        await asyncio.wait([waiting], timeout=seconds)
        try:
            return waiting.result() if waiting.done() else None
        except BrokenProcessPool:
            self._future = None
            raise
