"""Links in cells that Datasette leaves bare: keys in views and query results lead to the row that they name.

In: a cell. Out: a link to a row of a table of ours; tables themselves are linked by Datasette from their foreign keys.
"""

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

from datasette import hookimpl
from datasette.utils import tilde_encode
from markupsafe import Markup

from etl.load.layout import DATABASE
from etl.site.served import served
from schemas import TABLES, Findings, Listings, Papers

if TYPE_CHECKING:
    import sqlite3

    from datasette.app import Datasette

ROW_KEY = "row_key"
"""The column of `findings` that holds the address of another table's row."""
ALIAS = "alias_id"
"""The column of `listings` that holds another identifier of a paper, whose address leads to the paper."""


@hookimpl
def render_cell(
    row: "sqlite3.Row", value: object, column: str, table: str | None, database: str, datasette: "Datasette"
) -> Markup | None:
    """A link where the column holds keys of a table, else None."""
    if not isinstance(value, str) or not value or database != DATABASE or served(datasette) is None:
        return None
    if table == Findings.definition().name and column == ROW_KEY:
        return _link(datasette, row["table_name"], value, value) if row["table_name"] in TABLES else None
    if table == Listings.definition().name and column == ALIAS:
        return _link(datasette, Papers.definition().name, value, value)
    target = target_of(column, row.keys())
    if table in TABLES or target is None:
        return None
    return _link(datasette, target, tilde_encode(value), value)


def target_of(column: str, columns: Collection[str]) -> str | None:
    """The table whose rows a column names; one that names rows of several is told by the keys beside it.

    >>> target_of("category_id", ()), target_of("other_id", ("author_id",)), target_of("other_id", ("paper_id",))
    ('categories', 'authors', 'papers')
    """
    found = _keys().get(column, {})
    if len(found) == 1:
        return next(iter(found))
    return next((table for table, key in found.items() if key in columns), None)


@cache
def _keys() -> dict[str, dict[str, str]]:
    """The columns that are foreign keys, each with the tables whose rows they name and the keys of these."""
    found: dict[str, dict[str, str]] = {}
    for reference in (reference for model in TABLES.values() for reference in model.definition().references):
        if len(reference.columns) == 1:
            found.setdefault(reference.columns[0], {})[reference.table] = reference.targets[0]
    return found


def _link(datasette: "Datasette", table: str, row_path: str, words: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(datasette.urls.row(DATABASE, table, row_path), words)
