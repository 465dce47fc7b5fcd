"""Check tables against their models: values, keys, foreign keys, every line in one row, every page rebuilt.

In: tables. Out: failures, each with its rule, row and message.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from etl.resolve.rendering import rebuild_pages
from schemas import TABLES, Definition, Frames, Reference, Table
from schemas.limits import ROWS_PER_BATCH


@dataclass(frozen=True)
class Failure:
    """A check that rows of a frame fail: its column and name, and the rows by their index in the frame.

    Where the frame's shape is wrong (a column missing, of another type) there is no column and no row.
    """

    column: str | None
    check: str
    rows: tuple[int, ...]


def failures(model: type[Table], frame: pl.DataFrame) -> Iterator[Failure]:
    """Every check of the model that the frame fails.

    >>> from schemas import Institutions
    >>> list(failures(Institutions, Institutions.frame([("mila", "mila"), ("M!", "M!")])))
    [Failure(column='institution_id', check='str_matches', rows=(1,))]
    """
    if not _has_all_values(model, frame):
        yield from _failures_of_shape(model, frame)
        return
    checks = _checks(model)
    for start in range(0, max(len(frame), 1), ROWS_PER_BATCH):
        rows = frame.slice(start, ROWS_PER_BATCH).lazy()
        results = pl.collect_all([check.apply(pa.PolarsData(rows, column)) for column, _, check in checks])
        for (column, name, _), result in zip(checks, results, strict=True):
            failed = _failed(result, start)
            if failed:
                yield Failure(column, name, failed)


def _has_all_values(model: type[Table], frame: pl.DataFrame) -> bool:
    """Whether the frame has the model's columns and types, and no null where none may be."""
    needed = [name for name, column in model.to_schema().columns.items() if not column.nullable]
    return frame.schema == model.definition().schema and not any(frame.select(needed).null_count().row(0))


@cache
def _checks(model: type[Table]) -> list[tuple[str, str, Any]]:
    """The columns, names and pandera's backends of the model's checks.

    Run all at once they take a fifth of the time that pandera's `validate` takes to run one after the other.
    """
    empty = model.frame().lazy()
    checks = [(name, check) for name, column in model.to_schema().columns.items() for check in column.checks]
    for name, check in checks:
        check(empty, name)  # The first call sets the check up for polars.
    return [(name, str(check.name), check.get_backend(empty)(check)) for name, check in checks]


def _failures_of_shape(model: type[Table], frame: pl.DataFrame) -> Iterator[Failure]:
    """Every failure of a frame whose columns, types or missing values differ from the model's."""
    schema = model.to_schema()
    for start in range(0, max(len(frame), 1), ROWS_PER_BATCH):
        try:
            schema.validate(frame.slice(start, ROWS_PER_BATCH), lazy=True)
        except SchemaErrors as errors:
            for error in errors.schema_errors:
                yield _failure(error, start)


def _failure(error: SchemaError, start: int) -> Failure:
    check = getattr(error.check, "name", None) or str(error.check)
    if error.column_name is None or not isinstance(error.check_output, pl.DataFrame):
        return Failure(None, f"{check}: {error}", ())
    return Failure(error.column_name, check, _failed(error.check_output, start))


def _failed(result: pl.DataFrame, start: int) -> tuple[int, ...]:
    """The rows from `start` on that fail a check; without a result, since a value is missing, none fails."""
    return tuple((~result.to_series().fill_null(value=True)).arg_true() + start)


SHOWN = 3
"""How many rows of a failure are named."""


@dataclass(frozen=True)
class TableFailure:
    """A table that breaks a rule: the rule, the number of rows, and the message."""

    rule_id: str
    rows: int
    message: str
    row_key: str = ""
    line: int | None = None


def check_tables(tables: Frames, names: Collection[str] | None = None) -> Iterator[TableFailure]:
    """Every way in which the tables, or those of them in `names`, break their models.

    >>> from schemas import Institutions
    >>> [failure.message for failure in check_tables({"institutions": Institutions.frame([("a", "A"), ("a", "B")])})]
    ["institutions: 2 rows share a key (institution_id), such as {'institution_id': 'a', 'name': 'A'}"]
    """
    wanted = {name: frame for name, frame in tables.items() if names is None or name in names}
    misshapen = [failure for name, frame in wanted.items() for failure in _shape(name, frame)]
    if misshapen:
        yield from misshapen
        return
    for name, frame in wanted.items():
        yield from _values(name, frame)
        yield from _keys(name, frame)
        yield from _references(name, frame, tables)
    if names is None:
        yield from _orphans(tables)


def _shape(name: str, frame: pl.DataFrame) -> Iterator[TableFailure]:
    """How a frame's columns differ from its model's; where they do nothing else can be checked."""
    expected = TABLES[name].definition().schema
    if frame.schema != expected:
        yield TableFailure("TAB-001", frame.height, f"{name}: found the columns {frame.schema}, expected {expected}")


def _values(name: str, frame: pl.DataFrame) -> Iterator[TableFailure]:
    for failure in failures(TABLES[name], frame):
        examples = frame[list(failure.rows[:SHOWN]), failure.column].to_list() if failure.column else []
        found = ", ".join(repr(value)[:80] for value in examples)
        message = f"{name}.{failure.column}: fails {failure.check}; found {found}"
        yield TableFailure("TAB-001", len(failure.rows), message)


def _keys(name: str, frame: pl.DataFrame) -> Iterator[TableFailure]:
    definition = TABLES[name].definition()
    unique = [(column.name,) for column in definition.columns if column.unique]
    for key in (definition.primary_key, *unique):
        twice = frame.filter(frame.select(key).is_duplicated())
        if len(twice):
            row = twice.row(0, named=True)
            yield TableFailure(
                "TAB-002", len(twice), f"{name}: {len(twice)} rows share a key ({', '.join(key)}), such as {row}"[:300]
            )


def _orphans(tables: Frames) -> Iterator[TableFailure]:
    """Rows of people, institutions and categories that no other table refers to."""
    for name, users in _users().items():
        if name not in tables or not {user for user, _ in users} <= set(tables):
            continue
        (key,) = TABLES[name].definition().primary_key
        used = pl.concat([tables[user][column].drop_nulls() for user, column in users]).unique()
        orphans = tables[name].filter(~pl.col(key).is_in(used.implode()))
        if len(orphans):
            message = f"{name}: {len(orphans)} rows that nothing refers to, such as {orphans[key].sort()[0]}"
            yield TableFailure("TAB-004", len(orphans), message)


@cache
def _users() -> dict[str, list[tuple[str, str]]]:
    """The tables whose every row must be referred to, each with the tables and columns that may do so.

    They are the data tables without references. A table that only describes such rows, as spellings describe authors,
    does not count: its key contains theirs, and it refers to no other table.
    """
    definitions = [model.definition() for model in TABLES.values()]
    named = [one.name for one in definitions if one.group == "data" and not one.references]
    return {
        name: [
            (user.name, reference.columns[0])
            for user in definitions
            for reference in user.references
            if reference.table == name and not _describes(user, reference)
        ]
        for name in named
    }


def _describes(user: Definition, reference: Reference) -> bool:
    alone = {other.table for other in user.references} == {reference.table}
    return alone and set(reference.columns) <= set(user.primary_key)


def _references(name: str, frame: pl.DataFrame, tables: Frames) -> Iterator[TableFailure]:
    for reference in TABLES[name].definition().references:
        if reference.table not in tables:
            continue
        keys = frame.select(reference.columns).drop_nulls().unique()
        lost = keys.join(tables[reference.table], left_on=reference.columns, right_on=reference.targets, how="anti")
        if len(lost):
            example = lost.sort(reference.columns).row(0)
            yield TableFailure(
                "TAB-003",
                len(lost),
                f"{name}.{', '.join(reference.columns)}: {len(lost)} keys are not in {reference.table}, such as {example}",
            )


def check_pages(tables: Frames) -> Iterator[TableFailure]:
    """Every page with a line in two rows, and every page that cannot be rebuilt from the tables byte for byte.

    >>> page = {"profile_id": "ann", "header": "Ann Bell", "lines": 1, "newline": "LF", "sha256": "another page's"}
    >>> tables = {name: model.frame([page] if name == "profiles" else []) for name, model in TABLES.items()}
    >>> [(failure.rule_id, failure.row_key) for failure in check_pages(tables)]
    [('PAG-003', 'ann')]
    """
    sources = dict(tables["profiles"].select("profile_id", "source").iter_rows())
    for profile_id, line in _claimed_twice(tables):
        message = (
            f"{sources[profile_id]}: line {line} is in two rows; this is an error of the program, please report it"
        )
        yield TableFailure("PAG-002", 1, message, profile_id, line)
    hashes = dict(tables["profiles"].select("profile_id", "sha256").iter_rows())
    for profile_id, page in rebuild_pages(tables):
        if hashlib.sha256(page).hexdigest() != hashes[profile_id]:
            message = f"{sources[profile_id]}: cannot be rebuilt from the tables; this is an error of the program, please report it"
            yield TableFailure("PAG-003", 1, message, profile_id)


def _claimed_twice(tables: Frames) -> list[tuple[str, int]]:
    """The first line of each run that header, listings and quarantine contain more than once, or that is not on the page."""
    header = pl.col("header")
    headers = (
        tables["profiles"]
        .filter(header != "")
        .select(
            "profile_id",
            pl.lit(1, dtype=pl.Int64).alias("line_start"),
            (header.str.count_matches("\n") + 1).cast(pl.Int64).alias("line_end"),
        )
    )
    runs = [tables[table].select("profile_id", "line_start", "line_end") for table in ("listings", "quarantine")]
    every = pl.concat([headers, *runs]).sort("profile_id", "line_start", "line_end")
    counted = every.join(tables["profiles"].select("profile_id", "lines"), on="profile_id")
    before = pl.col("line_end").shift(1).over("profile_id").fill_null(0)
    wrong = counted.filter((pl.col("line_start") <= before) | (pl.col("line_end") > pl.col("lines")))
    return list(wrong.select("profile_id", "line_start").iter_rows())
