"""Parquet of any table, view or query: the whole result, beside .csv and .json.

In: an address that ends in `.parquet`. Out: a file. Without filters a table, or the list of papers, is the release's own file; all else is the
answer to Datasette's own SQL, run anew and without the limits of a page. Foreign keys stay keys: labels, facets and what
else only a page shows (`PRESENTATION` in `asked`) change nothing.
"""

from typing import TYPE_CHECKING, Any

from datasette import hookimpl

from etl.load.layout import DATABASE
from etl.site.parquet.answers import Answers
from etl.site.served import served

if TYPE_CHECKING:
    from datasette.app import Datasette

_START = rf"^/(?P<database>{DATABASE})"
_END = r"\.(?P<format>parquet)$"


@hookimpl
def register_output_renderer(datasette: "Datasette") -> list[dict[str, Any]]:
    """Datasette lists the format on its pages; the routes answer."""
    known = served(datasette)
    return [{"extension": "parquet", "render": _no_such_page, "can_render": _can_render}] if known else []


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The addresses of SQL, of tables, views and canned queries, and of rows."""
    release = served(datasette)
    if release is None:
        return []
    answers = Answers(datasette, release)
    return [
        (_START + _END, answers.sql),
        (rf"{_START}/(?P<table>[^/.]+){_END}", answers.table),
        (rf"{_START}/(?P<table>[^/]+?)/(?P<pks>[^/]+?){_END}", answers.row),
    ]


def _can_render(database: str, table: str | None, sql: str | None) -> bool:
    return database == DATABASE and bool(table or sql)


def _no_such_page() -> None:
    """Databases that are not a release's have no Parquet; Datasette then says that nothing is there."""
