"""Pages of sorted tables that lose no row. In: the SQL that Datasette writes for a page. Out: the same with a total order.

Datasette 0.65 puts the primary key behind the sorted column on every page but the first, so that rows which are equal there
come twice or never where the first page ends. And what it asks for the next page (less, or equal and a later key) SQLite
answers by two searches and a sort of all that is left, where a walk along the index gives the page at once.
"""

import functools
import re
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import escape_sqlite

from etl.load.layout import DATABASE
from etl.site.served import served
from schemas import TABLES

if TYPE_CHECKING:
    from datasette.app import Datasette

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
