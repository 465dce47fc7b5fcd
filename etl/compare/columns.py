"""What two releases promise differently: tables, columns, types and keys. In: their files. Out: schema changes."""

from collections.abc import Iterator

from etl.compare.difference import SchemaChange
from etl.release.release import Release, TableFile


def compare_schemas(old: Release, new: Release) -> list[SchemaChange]:
    """Every table and column that one of the releases lacks or holds otherwise, by table."""
    return [change for table in sorted({*old.tables, *new.tables}) for change in _table(table, old, new)]


def same_key(old: TableFile, new: TableFile) -> bool:
    """Whether rows of both can be held against each other: the same key, of the same types."""
    return old.key == new.key and all(old.columns[name] == new.columns[name] for name in old.key)


def _table(table: str, old: Release, new: Release) -> Iterator[SchemaChange]:
    before, after = old.tables.get(table), new.tables.get(table)
    if before is None or after is None:
        yield SchemaChange(kind="table_removed" if before else "table_added", table=table)
        return
    if before.key != after.key:
        keys = (", ".join(file.key) for file in (before, after))
        yield SchemaChange(kind="primary_key_changed", table=table, old=next(keys), new=next(keys))
    for column in dict.fromkeys([*after.columns, *before.columns]):
        yield from _column(table, column, before.columns.get(column), after.columns.get(column))


def _column(table: str, column: str, old: str | None, new: str | None) -> Iterator[SchemaChange]:
    if old is None:
        yield SchemaChange(kind="column_added", table=table, column=column, new=new)
    elif new is None:
        yield SchemaChange(kind="column_removed", table=table, column=column, old=old)
    elif old != new:
        yield SchemaChange(kind="type_changed", table=table, column=column, old=old, new=new)
