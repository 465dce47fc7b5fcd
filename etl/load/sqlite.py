"""The SQLite file: tables from the models, rows in one transaction, then views, search, indexes and statistics."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from sqlite_utils import Database

from etl.errors import PublicationError
from schemas import RESULT_TABLES, SCHEMA_VERSION, TABLES, VIEWS, Column, Definition
from schemas.table import COLUMN_TYPES

OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables came with 3.37, JSON functions in every build with 3.38."""
_DRAFT = ("journal_mode = OFF", "synchronous = OFF", "ignore_check_constraints = ON")
"""Settings while a new file is written: it is removed if that fails, and its publisher syncs and checks it.

SQLite evaluates a CHECK for all rows together, as `check_database` does, in a tenth of the time that it takes row by row.
"""
_SEARCH_MEMORY = 32 << 20
"""Bytes of words that are sorted in memory; by default 1 MiB, so that a large index is merged again and again."""


def ddl(definition: Definition) -> str:
    """The CREATE TABLE statement of a table.

    >>> from schemas import Institutions
    >>> print(ddl(Institutions.definition()))
    CREATE TABLE "institutions" (
      "institution_id" TEXT NOT NULL,
      "name" TEXT NOT NULL,
      PRIMARY KEY ("institution_id")
    ) STRICT
    """
    foreign_keys = (
        f"FOREIGN KEY ({_names(key.columns)}) REFERENCES {quoted(key.table)} ({_names(key.targets)})"
        for key in definition.references
    )
    lines = [
        *map(_column_sql, definition.columns),
        f"PRIMARY KEY ({_names(definition.primary_key)})",
        *foreign_keys,
    ]
    options = "STRICT, WITHOUT ROWID" if definition.short_rows else "STRICT"
    return f"CREATE TABLE {quoted(definition.name)} (\n  " + ",\n  ".join(lines) + f"\n) {options}"


def _indexes(definition: Definition) -> Iterator[tuple[str, ...]]:
    """The columns to index: orders, foreign keys, facets, except prefixes of another index."""
    found = [definition.primary_key, *((column.name,) for column in definition.columns if column.unique)]
    wanted = [*definition.orders, *(reference.columns for reference in definition.references)]
    wanted += [(column.name,) for column in definition.columns if column.facet]
    wanted += [(definition.sort.removeprefix("-"),)] if definition.sort else []
    for columns in wanted:
        if not any(index[: len(columns)] == columns for index in found):
            found.append(columns)
            yield columns


def search_table(definition: Definition) -> str | None:
    """The name of a table's full-text index, or None.

    >>> from schemas import Institutions, Papers
    >>> search_table(Papers.definition()), search_table(Institutions.definition())
    ('papers_fts', None)
    """
    return f"{definition.name}_fts" if definition.search else None


def searched_columns(table: str) -> tuple[str, ...]:
    """The columns of words in a table's full-text index.

    >>> searched_columns("papers")
    ('title', 'abstract')
    """
    search = TABLES[table].definition().search
    return tuple(name for name, _ in search.columns) if search else ()


def searched_rows(definition: Definition) -> str | None:
    """The query for the rows of a separate full-text index (rowid, key, words), or None if the index uses the table itself.

    >>> from schemas import Papers
    >>> searched_rows(Papers.definition()) is None
    True
    """
    search, key = definition.search, definition.primary_key[0]
    if search is None or search.is_own:
        return None
    words = ", ".join(f"{_gathered(source, definition)} AS {quoted(name)}" for name, source in search.columns)
    return f"SELECT rowid, {quoted(key)}, {words} FROM {quoted(definition.name)} ORDER BY rowid"  # noqa: S608


Batches = Mapping[str, Iterable[pl.DataFrame]]
"""Rows of tables by name, in batches."""


def write_rows(path: Path, tables: Batches, application_id: int = 0) -> None:
    """Write tables, given as batches of rows, to a new file at `path`, with an application's number in its header.

    Raises `PublicationError` if SQLite is too old.
    """
    begin_database(path)
    add_tables(path, {name: batches for name, batches in tables.items() if name not in RESULT_TABLES})
    finish_database(path, {name: batches for name, batches in tables.items() if name in RESULT_TABLES}, application_id)


def begin_database(path: Path) -> None:
    """Write all tables without rows, and the views, to a new file at `path`; raises `PublicationError` if SQLite is too old."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise PublicationError(f"SQLite is {sqlite3.sqlite_version}, expected {wanted} or newer; use a newer Python")
    with _draft(path) as database:
        for model in TABLES.values():
            database.execute(ddl(model.definition()))
        for view in VIEWS.values():
            database.create_view(view.name, view.sql.strip())


def add_search(path: Path, name: str, words: Iterable[pl.DataFrame]) -> None:
    """Add the full-text index of a table that has no rows yet, from the columns that it searches, in the order of the rows."""
    columns = searched_columns(name)
    with _draft(path) as database, _search(database, TABLES[name].definition()) as table:
        values = f"INSERT INTO {table} (rowid, {_names(columns)}) VALUES (?{', ?' * len(columns)})"  # noqa: S608
        number = 1
        for batch in words:
            rows = batch.select(columns).with_row_index("rowid", number)
            database.conn.executemany(values, rows.iter_rows())
            number += batch.height


def add_tables(path: Path, tables: Batches) -> None:
    """Add the rows of tables to a file that has none of them, with their indexes, and search where it has none yet."""
    with _draft(path) as database:
        _fill(database, tables)
        for definition in (TABLES[name].definition() for name in tables):
            name = search_table(definition)
            if name and not database.table(name).exists():
                with _search(database, definition) as table:
                    database.execute(f"INSERT INTO {table} {_words_of(definition)}")


def finish_database(path: Path, tables: Batches, application_id: int = 0) -> None:
    """Write the `RESULT_TABLES` to a file, then its statistics, the version of its tables, and an application's number."""
    with _draft(path) as database:
        _fill(database, tables)
        database.analyze()
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        database.execute(f"PRAGMA application_id = {application_id}")


@contextmanager
def _draft(path: Path) -> Iterator[Database]:
    database = Database(path, execute_plugins=False)
    try:
        for setting in _DRAFT:
            database.execute(f"PRAGMA {setting}")
        yield database
    finally:
        database.close()


def _fill(database: Database, tables: Batches) -> None:
    with database.atomic():
        for name, batches in tables.items():
            _insert(database, name, batches)
    for name in tables:
        for columns in _indexes(TABLES[name].definition()):
            database.table(name).create_index(columns)


def _insert(database: Database, name: str, batches: Iterable[pl.DataFrame]) -> None:
    columns = TABLES[name].definition().columns
    dates = [column.name for column in columns if column.dtype == pl.Date]
    statement = f"INSERT INTO {quoted(name)} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    for batch in batches:
        rows = batch.with_columns(pl.col(dates).dt.to_string("%Y-%m-%d"))
        database.conn.executemany(statement, rows.iter_rows())


@contextmanager
def _search(database: Database, definition: Definition) -> Iterator[str]:
    """Create a table's full-text index and fill it in the block: over the table itself, or a separate one over words of other tables.

    A separate index stores its words and the key, with the table's rowids, and has no content table, so that Datasette
    does not use it as the index of another table.
    """
    table, tokenizer = quoted(f"{definition.name}_fts"), definition.search.tokenizer if definition.search else ""
    declared, content = _names(searched_columns(definition.name)), f", content={quoted(definition.name)}"
    if searched_rows(definition):
        declared, content = f"{quoted(definition.primary_key[0])} UNINDEXED, {declared}", ""
    database.execute(f"CREATE VIRTUAL TABLE {table} USING fts5({declared}, tokenize={_literal(tokenizer)}{content})")
    with database.atomic():
        for setting, value in {"hashsize": _SEARCH_MEMORY, "automerge": 0}.items():
            database.execute(f"INSERT INTO {table} ({table}, rank) VALUES (?, ?)", [setting, value])  # noqa: S608
        yield table
        database.execute(f"DELETE FROM {quoted(f'{definition.name}_fts_config')} WHERE k <> 'version'")  # noqa: S608


def _words_of(definition: Definition) -> str:
    """The columns of a table's full-text index, and the query for its rows."""
    words, gathered = _names(searched_columns(definition.name)), searched_rows(definition)
    if gathered:
        return f"(rowid, {quoted(definition.primary_key[0])}, {words}) {gathered}"
    return f"(rowid, {words}) SELECT rowid, {words} FROM {quoted(definition.name)}"  # noqa: S608


def _gathered(source: str, definition: Definition) -> str:
    """The SQL of a column, or of all values of another table's column in rows that refer to the row."""
    table, _, column = source.rpartition(".")
    if not table:
        return quoted(column)
    key = quoted(definition.primary_key[0])
    same = f"others.{key} = {quoted(definition.name)}.{key}"
    words = f"SELECT {quoted(column)} AS word FROM {quoted(table)} AS others WHERE {same} ORDER BY word"  # noqa: S608
    return f"(SELECT group_concat(word, char(10)) FROM ({words}))"  # noqa: S608


def check_database(path: Path) -> None:
    """Check the keys, the integrity and the full-text indexes of a new file; raises `PublicationError` if a check fails."""
    searches = filter(None, (search_table(model.definition()) for model in TABLES.values()))
    checks = ["PRAGMA integrity_check", "PRAGMA foreign_key_check"]
    checks += [f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)" for table in searches]  # noqa: S608
    with ThreadPoolExecutor(max_workers=2) as threads:  # SQLite checks without the interpreter's lock.
        problems = list(chain.from_iterable(threads.map(partial(_problems, path), checks)))
    if problems:
        raise PublicationError(f"{path.name}: fails SQLite's own checks, first {problems[0]}; nothing was published")


def _problems(path: Path, check: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return [row for row in database.execute(check) if row != ("ok",)]


def _column_sql(column: Column) -> str:
    parts = [
        quoted(column.name),
        str(COLUMN_TYPES[column.dtype].sql),
    ]
    if not column.nullable:
        parts.append("NOT NULL")
    if column.unique:
        parts.append("UNIQUE")
    checks = [*_type_checks(column), *(_check_sql(column.name, name, facts) for name, facts in column.checks)]
    return " ".join([*parts, *(f"CHECK ({check})" for check in checks if check)])


def _type_checks(column: Column) -> Iterator[str]:
    if column.dtype == pl.Boolean:
        yield f"{quoted(column.name)} IN (0, 1)"
    if column.dtype == pl.Date:
        yield f"{quoted(column.name)} IS date({quoted(column.name)}, '+0 days')"


def _check_sql(column: str, check: str, facts: dict[str, Any]) -> str | None:
    """A pandera check as SQL; None for a pattern, since SQLite has no regular expressions."""
    name = quoted(column)
    match check:
        case "greater_than_or_equal_to":
            return f"{name} >= {facts['min_value']}"
        case "less_than_or_equal_to":
            return f"{name} <= {facts['max_value']}"
        case "isin":
            return f"{name} IN ({', '.join(map(_literal, sorted(facts['allowed_values'])))})"
        case "at_least":
            return f"{name} >= {quoted(facts['other'])}"
        case "str_length" if facts["min_value"] == 1 and facts["max_value"] is None:
            return f"{name} <> ''"
        case "str_matches":
            return None
    raise NotImplementedError(f"{column}: no SQL for the check {check} with {facts}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an identifier in SQL.

    >>> print(quoted('paper"id'))
    "paper""id"
    """
    return '"' + name.replace('"', '""') + '"'


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))
