"""The home page: the dataset in numbers, with links. In: a release's folder. Out: the variables of index.html."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils.asgi import Request
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from etl.export.readable_text import readable
from etl.load.dataset_facts import DatasetFacts, published_facts
from etl.load.descriptors import FileFacts
from etl.load.layout import DATABASE, DATABASE_FILE
from etl.load.linked_data import schema_org_dataset
from etl.site.safety.statement_time import INTERRUPTER, TimedConnection
from etl.site.served import served
from schemas import TABLES, VIEWS, Definition, View
from schemas.views import coverage_share

if TYPE_CHECKING:
    from datasette.app import Datasette

GROUPS: dict[str, tuple[str, tuple[type, ...]]] = {
    "Views to read": ("data", (View,)),
    "Tables": ("data", (Definition,)),
    "Audit: how the dataset came about": ("audit", (View, Definition)),
}
"""Titles of the lists of links, with the group and the kinds of each."""
_NUMBERS = """
SELECT
  (SELECT count(*) FROM papers) AS papers,
  (SELECT count(*) FROM papers WHERE authors_truncated) AS cut_bylines,
  (SELECT count(*) FROM papers WHERE authors_truncated AND author_count IS NOT NULL) AS completed_bylines,
  (SELECT count(DISTINCT paper_id) FROM paper_identifiers) AS matched,
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
"""Seconds for counting the numbers, once a release: 5,000 papers take some milliseconds."""
_NEWEST = "SELECT paper_id, title, published FROM papers WHERE published = ? ORDER BY paper_id LIMIT 1"
Variables = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class HomeFacts:
    """A release in numbers, and its newest paper."""

    numbers: dict[str, Any]
    newest: dict[str, Any] | None
    newest_title: Markup

    @property
    def coverage(self) -> float | None:
        """The share of stated papers that the newest pages of all people list; None where no page states a number."""
        return coverage_share(self.numbers["listed"], self.numbers["stated"])

    @property
    def saved(self) -> date | None:
        """The day on which the newest page was saved."""
        return date.fromisoformat(self.numbers["saved"]) if self.numbers["saved"] else None


@dataclass(frozen=True)
class HomeLink:
    """A link to a table, a view or a query."""

    name: str
    title: str
    description: str
    rows: int | None = None


@hookimpl
def extra_template_vars(view_name: str | None, request: Request | None, datasette: "Datasette") -> Variables | None:
    """The variable `home` of the home page."""
    release = served(datasette)
    if view_name != "index" or release is None:
        return None

    async def variables() -> dict[str, Any]:
        queries = await datasette.get_canned_queries(DATABASE, request.actor if request else None)
        counted = await asyncio.to_thread(facts, release.path)
        described = published_facts(release.manifest, counted.saved if counted else None)
        return {
            "home": {
                "facts": counted,
                "citation": described.citation,
                "linked_data": _linked_data(datasette, request, release.manifest["files"], described)
                if request
                else None,
                "reference": [file["name"] for file in release.manifest.get("reference", [])],
                "database": DATABASE,
                "questions": [_link_to_question(query) for query in queries.values()],
                "groups": _groups(await datasette.get_database(DATABASE).table_counts()),
            }
        }

    return variables


@cache
def facts(folder: Path) -> HomeFacts | None:
    """The numbers of a release, cached since a release never changes; None where counting takes too long."""
    address = (folder / DATABASE_FILE).as_uri() + "?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, factory=TimedConnection, check_same_thread=False)) as database:
        database.row_factory = sqlite3.Row
        try:
            with INTERRUPTER.watch(database, FACTS_SECONDS):
                numbers = dict(database.execute(_NUMBERS).fetchone())
                newest = database.execute(_NEWEST, [numbers["newest"]]).fetchone()
        except sqlite3.OperationalError:
            if database.clock.is_over:
                return None
            raise
    return HomeFacts(numbers, newest and dict(newest), readable(newest["title"]) if newest else Markup())


def _linked_data(
    datasette: "Datasette", request: Request, files: Mapping[str, FileFacts], described: DatasetFacts
) -> Markup:
    """The release as a schema.org Dataset, as JSON that is safe within a page."""
    here, downloads = (datasette.absolute_url(request, datasette.urls.path(path)) for path in ("/", "/-/downloads"))
    return htmlsafe_json_dumps(schema_org_dataset(files, described, here, downloads))


def _groups(counts: dict[str, int | None]) -> dict[str, list[HomeLink]]:
    """The views and tables of each group by the group's title."""
    every: list[View | Definition] = [*VIEWS.values(), *(model.definition() for model in TABLES.values())]
    return {
        title: [_link_to(one, counts) for one in every if one.group == group and isinstance(one, kinds)]
        for title, (group, kinds) in GROUPS.items()
    }


def _link_to(one: View | Definition, counts: dict[str, int | None]) -> HomeLink:
    return HomeLink(one.name, one.title, one.description, counts.get(one.name))


def _link_to_question(query: dict[str, Any]) -> HomeLink:
    return HomeLink(query["name"], query.get("title") or query["name"], query.get("description") or "")
