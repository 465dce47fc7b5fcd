"""Pages of tables: keys in views and query results lead to the row that they name, and sorted pages lose no row.

In: a cell, or the SQL that Datasette writes for a page. Out: a link to a row of a table of ours (tables themselves are linked
by Datasette from their foreign keys), or the same SQL with a total order.

Datasette 0.65 puts the primary key behind the sorted column on every page but the first, so that rows which are equal there
come twice or never where the first page ends. And what it asks for the next page (less, or equal and a later key) SQLite
answers by two searches and a sort of all that is left, where a walk along the index gives the page at once.
"""

import functools
import re
from collections.abc import Collection
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import escape_sqlite, tilde_encode
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
    if not isinstance(value, str) or not value or column not in _linked():
        return None
    if database != DATABASE or served(datasette) is None:
        return None
    if table == Findings.definition().name and column == ROW_KEY:
        return _link(datasette, row["table_name"], value, value) if row["table_name"] in TABLES else None
    if table == Listings.definition().name and column == ALIAS:
        return _link(datasette, Papers.definition().name, value, value)
    target = target_of(column, row.keys() if len(_keys().get(column, ())) > 1 else ())
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
def _linked() -> frozenset[str]:
    """The names of all columns that may lead somewhere."""
    return frozenset({ROW_KEY, ALIAS, *_keys()})


@cache
def _keys() -> dict[str, dict[str, str]]:
    """The columns that are foreign keys, each with the tables whose rows they name and the keys of these."""
    found: dict[str, dict[str, str]] = {}
    for reference in (reference for model in TABLES.values() for reference in model.definition().references):
        if len(reference.columns) == 1:
            found.setdefault(reference.columns[0], {})[reference.table] = reference.targets[0]
    return found


def _link(datasette: "Datasette", table: str, row_path: str, words: str) -> Markup:
    return Markup('<a href="{}{}">{}</a>').format(_folder(datasette, table), row_path, words)


@lru_cache(maxsize=1000)
def _folder(datasette: "Datasette", table: str) -> str:
    """The address of a table's rows; every cell of a page asks."""
    return str(datasette.urls.row(DATABASE, table, ""))


_ORDER = re.compile(r"order by \w+(?: desc)?(?= limit \d+$)")
_LATER = re.compile(
    r"\((?P<column>\w+) (?:is not null|[<>] (?P<value>:p\d+)(?: or (?P=column) is null)?)"
    r" or \((?P=column) (?:= (?P=value)|is null) and "
)


@hookimpl
def startup(datasette: "Datasette") -> None:
    """Let the database of a release run pages in a total order."""
    if served(datasette) is None:
        return
    database = datasette.databases[DATABASE]
    run = database.execute

    @functools.wraps(run)
    async def execute(sql: str, *parameters: Any, **named: Any) -> Any:
        # Only tables and rows are asked for with their parameters in the second place; SQL of a person's own stays.
        return await run(paged(sql) if parameters and named.get("truncate") else sql, *parameters, **named)

    database.execute = execute


def paged(sql: str) -> str:
    """The SQL of a page of one of our tables, in a total order; that of other tables as it is.

    >>> paged("select name from authors order by name desc limit 101")
    'select name from authors order by name desc, author_id limit 101'
    >>> paged("select name from authors where (name > :p1 or (name = :p1 and author_id > :p0)) order by name, author_id limit 2")
    'select name from authors where +(name > :p1 or (name = :p1 and author_id > :p0)) order by name, author_id limit 2'
    """
    table = sql.partition(" from ")[2].partition(" ")[0]
    if table in TABLES:
        keys = ", ".join(map(escape_sqlite, TABLES[table].definition().primary_key))
        sql = _ORDER.sub(lambda order: f"{order[0]}, {keys}", sql)
    # A sign keeps SQLite from taking the condition apart; it is true or false as before.
    return _LATER.sub(lambda clause: f"+{clause[0]}", sql)
