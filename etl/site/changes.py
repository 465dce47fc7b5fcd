"""What a release has that the release before it does not. In: a release in its output folder. Out: `/-/changes`.

The releases are compared once, at the first request, in a process of its own: that takes 200 MB for 100,000 papers.
Requests in the meantime wait for `PATIENCE` seconds at most, and then get a page that asks to wait.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
from datasette import hookimpl
from datasette.utils.asgi import Request, Response
from markupsafe import Markup

from etl.errors import PaperledgerError
from etl.export.readable_text import readable
from etl.load.layout import DATABASE
from etl.printable import count
from etl.release.diff import compare, papers_only_in, release_before
from etl.release.diff_records import Difference, TableDifference, schema_words
from etl.release.release import Release, open_release
from etl.site import CHANGES
from etl.site.cards import paper_cards, require_cards
from etl.site.row_pages import paper_of_alias, query_in_thread
from etl.site.served import OwnProcess, served
from schemas import TABLES

if TYPE_CHECKING:
    from datasette.app import Datasette

SHOWN_PAPERS = 100
"""New papers on the page, and removed ones."""
PATIENCE = 2.0
"""Seconds that a request waits for the comparison: of two releases of 100,000 papers it takes some two."""
_PLACES = "SELECT paper_id, rowid FROM papers WHERE paper_id IN ({})"


@dataclass(frozen=True)
class TableChange:
    """A table with its title and its numbers of rows and of differing rows."""

    name: str
    title: str
    rows: int
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class RemovedPaper:
    """A paper of the release before, and the key under which this release has it; None where it does not."""

    paper_id: str
    title: Markup
    now: str | None = None


@dataclass(frozen=True)
class Changes:
    """The differences from the release before: its name, or why there is nothing to compare; totals and first papers."""

    before: str | None
    problem: str | None = None
    schema: Sequence[str] = ()
    tables: Sequence[TableChange] = ()
    new_total: int = 0
    new: Sequence[str] = ()
    removed_total: int = 0
    removed: Sequence[RemovedPaper] = ()


def changes_of(release: Release) -> Changes:
    """The changes of a release; a damaged release before it is a problem in words."""
    try:
        before = release_before(release.path)
        return Changes(None) if before is None else _compare(open_release(before), release)
    except PaperledgerError as error:
        # The path of the output folder is private.
        return Changes(None, problem=str(error).replace(f"{release.path.parent}/", ""))
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
        return Changes(None, problem=f"the release before cannot be read ({reason})")


def _has_before(release: Release) -> bool:
    try:
        return release_before(release.path) is not None
    except OSError:
        return False


def _compare(old: Release, new: Release) -> Changes:
    difference = compare(old.path, new.path)
    added, removed = papers_only_in(new, old), papers_only_in(old, new)
    first = removed.head(SHOWN_PAPERS).select("paper_id", "title")
    return Changes(
        before=old.path.name,
        schema=tuple(map(schema_words, difference.schema)),
        tables=_tables(difference),
        new_total=added.height,
        new=tuple(added["paper_id"].head(SHOWN_PAPERS)),
        removed_total=removed.height,
        removed=tuple(RemovedPaper(paper_id, readable(title)) for paper_id, title in first.iter_rows()),
    )


def _tables(difference: Difference) -> tuple[TableChange, ...]:
    """The tables that differ, in the order of the dataset."""
    order = list(TABLES)
    found = [table for table in (*difference.tables, *difference.audit) if table.table in TABLES]
    return tuple(map(_table, sorted(found, key=lambda table: order.index(table.table))))


def _table(table: TableDifference) -> TableChange:
    title = TABLES[table.table].definition().title
    return TableChange(table.table, title, table.new_rows, len(table.added), len(table.removed), len(table.changed))


class ChangesPage:
    """The route of one release's changes."""

    def __init__(self, datasette: "Datasette", release: Release) -> None:
        self._datasette = datasette
        self._release = release
        self._comparison = OwnProcess(partial(changes_of, release)) if _has_before(release) else None

    async def answer(self, request: Request) -> Response:
        """The page of changes, or one that asks to wait."""
        await require_cards(self._datasette, request)
        context: dict[str, Any] = {"database": DATABASE, "changes": None, "count": count}
        if changes := await self._changes():
            cards, removed = await query_in_thread(self._datasette, partial(_rows, changes=changes))
            context |= {"changes": changes, "cards": cards, "removed": removed, "release": self._release.path.name}
        html = await self._datasette.render_template("paperledger-changes.html", context, request=request)
        return Response.html(html)

    async def _changes(self) -> Changes | None:
        """The changes; None while the releases are compared."""
        if self._comparison is None:
            return changes_of(self._release)
        try:
            return await self._comparison.result(PATIENCE)
        except BrokenProcessPool:
            return Changes(None, problem="the system ended the comparison, perhaps for its memory; ask again later")


def _rows(database: sqlite3.Connection, changes: Changes) -> tuple[Any, Any]:
    """The cards of the new papers, and the removed papers with their keys in this release."""
    places = dict(database.execute(_PLACES.format(",".join("?" * len(changes.new))), changes.new).fetchall())
    removed = [RemovedPaper(one.paper_id, one.title, paper_of_alias(database, one.paper_id)) for one in changes.removed]
    return paper_cards(database, [places[paper_id] for paper_id in changes.new if paper_id in places]), removed


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The route of the changes, where a release is served."""
    release = served(datasette)
    return [(rf"^{CHANGES}$", ChangesPage(datasette, release).answer)] if release else []
