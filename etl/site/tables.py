"""Pages of tables: links from keys in views and query results to their rows, words for booleans, sorted pages without lost rows.

In: a cell, or Datasette's SQL for a page. Out: a link to a row of the dataset (in tables Datasette links foreign keys itself), yes
or no, or the same SQL with a total order.

Datasette 0.65 sorts by the primary key behind the sorted column on every page but the first, so that rows with equal values
appear twice or never where the first page ends. And SQLite answers the condition of the next page (less, or equal and a later
key) by two searches and a sort of all remaining rows, where following the index gives the page at once.
"""

import functools
import re
import time
from collections.abc import Collection
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl
from datasette import hookimpl
from datasette.utils import escape_sqlite, tilde_decode, tilde_encode
from jinja2 import Environment
from markupsafe import Markup, escape

from etl.load.layout import DATABASE
from etl.site.served import served
from schemas import TABLES, VIEWS, Findings, Listings, Papers, Profiles

if TYPE_CHECKING:
    import sqlite3

    from datasette.app import Datasette

ROW_KEY = "row_key"
"""The column of `findings` with the address of another table's row."""
ALIAS = "alias_id"
"""The column of `listings` with another identifier of a paper, whose address redirects to the paper."""

HEADER, PAGE = "header", "profile_id"
"""The column of `profiles` with a page's first lines, and the key of the page."""


@hookimpl
def render_cell(
    row: "sqlite3.Row", value: object, column: str, table: str | None, database: str, datasette: "Datasette"
) -> Markup | None:
    """A link where the column contains keys of a table, yes or no for a boolean, a page's raw header as a link; else None."""
    if database != DATABASE or served(datasette) is None:
        return None
    if column in _booleans() and (table in TABLES or table in VIEWS):
        return escape(yes_or_no(value, column)) if value is not None else None
    if not isinstance(value, str) or not value:
        return None
    if (table, column) == (Profiles.definition().name, HEADER):
        return _header(datasette, row[PAGE], value)
    return _key_link(datasette, row, value, column, table) if column in _linked() else None


def _key_link(datasette: "Datasette", row: "sqlite3.Row", value: str, column: str, table: str | None) -> Markup | None:
    """A link from a key to its row; None where Datasette has one, or the table is unknown."""
    if table == Findings.definition().name and column == ROW_KEY:
        return _link(datasette, row["table_name"], value, value) if row["table_name"] in TABLES else None
    if table == Listings.definition().name and column == ALIAS:
        return _link(datasette, Papers.definition().name, value, value)
    target = target_of(column, row.keys() if len(_keys().get(column, ())) > 1 else ())
    if table in TABLES or target is None:
        return None
    return _link(datasette, target, tilde_encode(value), value)


def yes_or_no(value: object, column: str) -> object:
    """The words for a boolean column's values; any other value as it is.

    >>> yes_or_no(1, "has_code"), yes_or_no("0", "has_code"), yes_or_no(1, "papers")
    ('yes', 'no', 1)
    """
    return {"1": "yes", "0": "no"}.get(str(value), value) if column in _booleans() else value


@cache
def _booleans() -> frozenset[str]:
    """The names of all boolean columns."""
    columns = (column for model in TABLES.values() for column in model.definition().columns)
    return frozenset(column.name for column in columns if column.dtype == pl.Boolean)


def _header(datasette: "Datasette", profile_id: str, header: str) -> Markup:
    """A link to a page's text instead of the lines of its header."""
    lines = header.count("\n") + 1
    address = datasette.urls.path(f"/-/pages/{profile_id}.txt")
    return Markup('<a href="{}">{} line{}</a>').format(address, lines, "" if lines == 1 else "s")


def target_of(column: str, columns: Collection[str]) -> str | None:
    """The table that a column's keys refer to; of several tables the one whose own key is among the other columns.

    >>> target_of("category_id", ()), target_of("other_id", ("author_id",)), target_of("other_id", ("paper_id",))
    ('categories', 'authors', 'papers')
    """
    found = _keys().get(column, {})
    if len(found) == 1:
        return next(iter(found))
    return next((table for table, key in found.items() if key in columns), None)


@cache
def _linked() -> frozenset[str]:
    """The names of all columns that may be links."""
    return frozenset({ROW_KEY, ALIAS, *_keys()})


@cache
def _keys() -> dict[str, dict[str, str]]:
    """The columns that are foreign keys, each with the tables that they refer to and the keys of these."""
    found: dict[str, dict[str, str]] = {}
    for reference in (reference for model in TABLES.values() for reference in model.definition().references):
        if len(reference.columns) == 1:
            found.setdefault(reference.columns[0], {})[reference.table] = reference.targets[0]
    return found


def _link(datasette: "Datasette", table: str, row_path: str, words: str) -> Markup:
    return Markup('<a href="{}{}">{}</a>').format(_folder(datasette, table), row_path, words)


@lru_cache(maxsize=1000)
def _folder(datasette: "Datasette", table: str) -> str:
    """The address of a table's rows; cached, since every cell of a page needs it."""
    return str(datasette.urls.row(DATABASE, table, ""))


COUNT_MS = 200
"""Milliseconds for counting the rows of a page: beyond it the page comes without their number, as that of millions of co-authors."""
_FACETS_END: ContextVar[float | None] = ContextVar("_FACETS_END", default=None)
"""When the time of a page's facets is over; Datasette asks for the page's rows, then for its facets, one after another."""
_COUNT = "select count(*) from "
_ORDER = re.compile(r"order by (\w+)(?: desc)?(?= limit \d+$)")
_LATER = re.compile(
    r"\((?P<column>\w+) (?:is not null|[<>] (?P<value>:p\d+)(?: or (?P=column) is null)?)"
    r" or \((?P=column) (?:= (?P=value)|is null) and "
)


@hookimpl
def prepare_jinja2_environment(env: Environment) -> None:
    """Add filters for booleans and for keys of addresses."""
    env.filters |= {"yes_or_no": yes_or_no, "tilde_decode": tilde_decode}


@hookimpl
def startup(datasette: "Datasette") -> None:
    """Replace the database's `execute` by one that sorts pages in a total order, and bounds the time of counts and facets."""
    if served(datasette) is None:
        return
    database, all_facets_ms = datasette.databases[DATABASE], datasette.setting("facet_time_limit_ms")
    run = database.execute

    @functools.wraps(run)
    async def execute(sql: str, *parameters: Any, **named: Any) -> Any:
        if sql.startswith(_COUNT) and not named.get("truncate"):
            named.setdefault("custom_time_limit", COUNT_MS)
        if named.get("custom_time_limit") == all_facets_ms:
            named["custom_time_limit"] = facet_ms(all_facets_ms)
        # Only the SQL of tables and rows has its parameters as the second argument; SQL of a person's own does not change.
        if parameters and named.get("truncate"):
            sql = paged(sql)
            _FACETS_END.set(None)
        return await run(sql, *parameters, **named)

    database.execute = execute


def facet_ms(all_facets_ms: int) -> int:
    """The milliseconds of the next facet, of those of all facets of a page; at least one, which ends it."""
    now = time.monotonic()
    end = _FACETS_END.get() or now + all_facets_ms / 1000
    _FACETS_END.set(end)
    return max(1, round((end - now) * 1000))


def paged(sql: str) -> str:
    """The SQL of a page of the dataset's tables in a total order; that of other tables does not change.

    >>> paged("select name from authors order by name desc limit 101")
    'select name from authors order by name desc, author_id limit 101'
    >>> paged("select name from authors where (name > :p1 or (name = :p1 and author_id > :p0)) order by name, author_id limit 2")
    'select name from authors where +(name > :p1 or (name = :p1 and author_id > :p0)) order by name, author_id limit 2'
    """
    table = sql.partition(" from ")[2].partition(" ")[0]
    if table in TABLES:
        keys = [escape_sqlite(name) for name in TABLES[table].definition().primary_key]
        sql = _ORDER.sub(lambda order: ", ".join([order[0], *(key for key in keys if key != order[1])]), sql)
    # The unary plus keeps SQLite from splitting the condition; its value is the same.
    return _LATER.sub(lambda clause: f"+{clause[0]}", sql)
