"""Links in cells that Datasette leaves bare: keys in views and query results lead to the row that they name.

In: a cell. Out: a link to a row of a table of ours; tables themselves are linked by Datasette from their foreign keys.
"""

from functools import cache
from typing import TYPE_CHECKING

from datasette import hookimpl
from datasette.utils import tilde_encode
from markupsafe import Markup

from etl.load.layout import DATABASE
from etl.site.served import served
from schemas import TABLES, Findings

if TYPE_CHECKING:
    import sqlite3

    from datasette.app import Datasette

ROW_KEY = "row_key"
"""The column of `findings` that holds the address of another table's row."""


@hookimpl
def render_cell(
    row: "sqlite3.Row", value: object, column: str, table: str | None, database: str, datasette: "Datasette"
) -> Markup | None:
    """A link where the column holds keys of a table, else None."""
    if not isinstance(value, str) or not value or database != DATABASE or served(datasette) is None:
        return None
    if table == Findings.definition().name and column == ROW_KEY:
        return _link(datasette, row["table_name"], value, value) if row["table_name"] in TABLES else None
    target = keys().get(column)
    if table in TABLES or target is None:
        return None
    return _link(datasette, target, tilde_encode(value), value)


@cache
def keys() -> dict[str, str]:
    """The columns that are foreign keys, each with the table whose rows they name.

    >>> keys()["other_id"], keys()["category_id"]
    ('authors', 'categories')
    """
    references = [reference for model in TABLES.values() for reference in model.definition().references]
    return {reference.columns[0]: reference.table for reference in references if len(reference.columns) == 1}


def _link(datasette: "Datasette", table: str, row_path: str, words: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(datasette.urls.row(DATABASE, table, row_path), words)
