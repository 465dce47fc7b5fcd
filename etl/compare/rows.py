"""Two versions of one table, row by row. In: two frames and their key. Out: the rows added, removed and changed.

Frames are joined by key; Python sees only the rows that differ.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import polars as pl

from etl.compare.difference import ChangedRow, Row, TableDifference, Value, ValueChange
from etl.validate.rule_results import row_key
from schemas import TABLES

_NEW = "\x00new"
"""Ends the names of new values while both versions stand in one frame; no column of a table can end so."""
_KEY = "\x00key"
_PAGE = "profile_id"


def compare_rows(
    table: str, old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str], replaced: Collection[str] = ()
) -> TableDifference:
    """What differs, in the order of the key; `replaced` are the ids of pages that were saved again.

    Only columns of both frames that have the same type are compared.
    """
    label = _label(table, old, new)
    removed = old.join(new.select(key), on=key, how="anti").sort(key)
    added = new.join(old.select(key), on=key, how="anti").sort(key)
    return TableDifference(
        table=table,
        old_rows=old.height,
        new_rows=new.height,
        lost=_lost(removed, key, replaced),
        removed=_rows(removed, key, label),
        added=_rows(added, key, label),
        changed=_changed(old, new, key, label),
    )


def _label(table: str, old: pl.DataFrame, new: pl.DataFrame) -> str | None:
    """The column that people call a row by, where this version knows the table and both releases have the column."""
    label = TABLES[table].definition().label if table in TABLES else None
    return label if label in old.columns and label in new.columns else None


def _lost(removed: pl.DataFrame, key: Sequence[str], replaced: Collection[str]) -> int:
    if _PAGE not in key:
        return removed.height
    return removed.filter(~pl.col(_PAGE).is_in(list(replaced))).height


def _rows(frame: pl.DataFrame, key: Sequence[str], label: str | None) -> list[Row]:
    keys = frame.select(row_key(tuple(key))).to_series()
    labels = frame[label].cast(pl.String) if label else [None] * frame.height
    return [Row(key=one, label=words) for one, words in zip(keys, labels, strict=True)]


def _changed(old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str], label: str | None) -> list[ChangedRow]:
    columns = [name for name, dtype in new.schema.items() if name not in key and old.schema.get(name) == dtype]
    if not columns:
        return []
    after = new.select(*key, pl.col(columns).name.suffix(_NEW))
    both = old.select(*key, *columns).join(after, on=key, how="inner")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name + _NEW)) for name in columns)
    changed = both.filter(differs).sort(key).with_columns(row_key(tuple(key)).alias(_KEY))
    return [_changed_row(row, columns, label) for row in changed.iter_rows(named=True)]


def _changed_row(row: dict[str, Any], columns: Sequence[str], label: str | None) -> ChangedRow:
    values = [
        ValueChange(column=name, old=_plain(row[name]), new=_plain(row[name + _NEW]))
        for name in columns
        if row[name] != row[name + _NEW]
    ]
    words = row.get(f"{label}{_NEW}", row.get(label or ""))
    return ChangedRow(key=row[_KEY], label=None if words is None else str(words), values=values)


def _plain(value: Any) -> Value:
    plain: Value = value.isoformat() if isinstance(value, date) else value
    return plain
