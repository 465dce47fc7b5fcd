"""The home page: what the dataset is, and where to go. In: a release's folder. Out: what index.html shows."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils.asgi import Request
from markupsafe import Markup

from etl.load.layout import DATABASE, DATABASE_FILE
from etl.site.safety.statement_time import WATCH, Connection
from etl.site.served import served
from etl.site.tex import readable
from schemas import TABLES, VIEWS, Definition, View
from schemas.views import coverage_share

if TYPE_CHECKING:
    from datasette.app import Datasette

SEARCH = "search_papers"
"""The canned query that the search box asks."""
GROUPS: dict[str, tuple[str, tuple[type, ...]]] = {
    "Views to read": ("data", (View,)),
    "Tables": ("data", (Definition,)),
    "Audit: how the dataset came about": ("audit", (View, Definition)),
}
"""Titles of what the page leads to, with the group and the kinds of it."""
_NUMBERS = """
SELECT
  (SELECT count(*) FROM papers) AS papers,
  (SELECT count(*) FROM papers WHERE authors_truncated) AS cut_bylines,
  (SELECT count(*) FROM authors) AS authors,
  (SELECT count(*) FROM categories) AS categories,
  (SELECT count(*) FROM findings) AS findings,
  (SELECT min(published) FROM papers) AS oldest,
  (SELECT max(published) FROM papers) AS newest,
  (SELECT count(*) FROM profiles) AS pages,
  sum(stated_papers) AS stated,
  sum(listed_papers) FILTER (WHERE stated_papers IS NOT NULL) AS listed,
  (SELECT max(last_observed_on) FROM profiles) AS saved
FROM coverage
"""
FACTS_SECONDS = 5.0
"""Seconds in which the numbers are counted, once for a release: 5,000 papers take some milliseconds."""
_NEWEST = "SELECT paper_id, title, published FROM papers WHERE published = ? ORDER BY paper_id LIMIT 1"
Variables = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Facts:
    """A release in numbers, and its newest paper."""

    numbers: dict[str, Any]
    newest: dict[str, Any] | None
    newest_title: Markup

    @property
    def coverage(self) -> float | None:
        """The share of the stated papers that the newest pages of all people list; None where none states any."""
        return coverage_share(self.numbers["listed"], self.numbers["stated"])


@dataclass(frozen=True)
class Place:
    """A table, a view or a query that the page leads to."""

    name: str
    title: str
    description: str
    rows: int | None = None


@hookimpl
def extra_template_vars(view_name: str | None, request: Request | None, datasette: "Datasette") -> Variables | None:
    """`home`: what the home page shows."""
    release = served(datasette)
    if view_name != "index" or release is None:
        return None

    async def variables() -> dict[str, Any]:
        queries = await datasette.get_canned_queries(DATABASE, request.actor if request else None)
        return {
            "home": {
                "facts": await asyncio.to_thread(facts, release.path),
                "database": DATABASE,
                "search": SEARCH if SEARCH in queries else None,
                "questions": [_question(query) for query in queries.values()],
                "groups": _groups(await datasette.get_database(DATABASE).table_counts()),
            }
        }

    return variables


@cache
def facts(folder: Path) -> Facts | None:
    """The numbers of a release; counted once, since a release never changes; None where that takes too long."""
    address = (folder / DATABASE_FILE).as_uri() + "?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, factory=Connection, check_same_thread=False)) as database:
        database.row_factory = sqlite3.Row
        try:
            with WATCH.watching(database, FACTS_SECONDS):
                numbers = dict(database.execute(_NUMBERS).fetchone())
                newest = database.execute(_NEWEST, [numbers["newest"]]).fetchone()
        except sqlite3.OperationalError:
            if database.clock.is_over:
                return None
            raise
    return Facts(numbers, newest and dict(newest), readable(newest["title"]) if newest else Markup())


def _groups(counts: dict[str, int | None]) -> dict[str, list[Place]]:
    """The views and tables of the dataset, then those of the audit, under the title of each group."""
    every: list[View | Definition] = [*VIEWS.values(), *(model.definition() for model in TABLES.values())]
    return {
        title: [_place(one, counts) for one in every if one.group == group and isinstance(one, kinds)]
        for title, (group, kinds) in GROUPS.items()
    }


def _place(one: View | Definition, counts: dict[str, int | None]) -> Place:
    return Place(one.name, one.title, one.description, counts.get(one.name))


def _question(query: dict[str, Any]) -> Place:
    return Place(query["name"], query.get("title") or query["name"], query.get("description") or "")
