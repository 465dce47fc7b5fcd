"""Compare two releases: rows added, removed and changed, by table and by page; and the release before another, with its papers.

In: two releases. Out: a `Difference`. Tables are compared in batches of rows, so that memory depends on the number of
differences alone. A page that was saved again is another row, since its identity is its bytes; it is recognised by its
file's name without the date, or by its owner.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from etl.errors import UsageError
from etl.load.layout import RELEASES
from etl.load.publish import newest_first
from etl.release.diff_records import (
    ChangedRow,
    Coverage,
    Difference,
    JsonValue,
    PageChange,
    ReleaseFacts,
    Rows,
    RuleCount,
    SchemaChange,
    TableDifference,
    UnmatchedRow,
    ValueChange,
    find_reasons,
)
from etl.release.release import Release, TableFile, open_release
from etl.resolve.dates import newest_pages
from etl.validate.rule_results import row_key
from schemas import JUDGING_TABLES, TABLES


def _compare_schemas(old: Release, new: Release) -> list[SchemaChange]:
    """Every table and column that differs between the releases or is in only one of them, by table."""
    return [change for table in sorted({*old.tables, *new.tables}) for change in _table(table, old, new)]


def _same_key(old: TableFile, new: TableFile) -> bool:
    """Whether rows of both can be compared: they have the same key, of the same types."""
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


_NEW = "\nnew"
"""Suffix of the columns of new values in a frame of both versions; no column of a table can have it."""
_KEY, _LABEL = "\nkey", "\nlabel"
_PAGE = "profile_id"
_BATCH = 10_000
"""Rows of each version of a table that are compared at once."""


def compare_rows(
    table: str,
    old: Iterable[pl.DataFrame],
    new: Iterable[pl.DataFrame],
    key: Sequence[str],
    replaced: Collection[str] = (),
) -> TableDifference:
    """The differing rows, sorted by key; `replaced` are the ids of pages that were saved again.

    Both versions are at least one frame, sorted by the first key column. Only columns that both have, with the same type,
    are compared.

    >>> found = compare_rows("bells", [pl.DataFrame({"id": [1, 2]})], [pl.DataFrame({"id": [2, 3]})], ["id"])
    >>> [row.key for row in found.removed], [row.key for row in found.added]
    (['1'], ['3'])
    """
    old_rows = new_rows = lost = 0
    removed, added, changed = Rows(_unmatched_row), Rows(_unmatched_row), Rows(_changed_row)
    for before, after in _aligned(iter(old), iter(new), key[0]):
        old_rows, new_rows = old_rows + before.height, new_rows + after.height
        if before.equals(after):
            continue
        label = _label(table, before, after)
        gone = before.join(after.select(key), on=key, how="anti")
        lost += _lost(gone, key, replaced)
        removed.add(_rows(gone, key, label))
        added.add(_rows(after.join(before.select(key), on=key, how="anti"), key, label))
        changed.add(_changed(before, after, key, label))
    return TableDifference(
        table=table,
        old_rows=old_rows,
        new_rows=new_rows,
        lost=lost,
        removed=removed,
        added=added,
        changed=changed,
    )


def _aligned(
    old: Iterator[pl.DataFrame], new: Iterator[pl.DataFrame], key: str
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The rows of both sides in parts, so that equal values of the column `key` are in the same part."""
    sides, rest = (old, new), [next(old), next(new)]
    while True:
        rest = [frame if len(frame) else next(side, frame) for frame, side in zip(rest, sides, strict=True)]
        ends = [frame[-1, key] for frame in rest if len(frame)]
        if not ends:
            return
        end = min(ends)
        rest = [_past(end, frame, side, key) for frame, side in zip(rest, sides, strict=True)]
        # Slices, since a filtered frame of polars keeps the texts of all its rows in memory.
        lengths = [frame[key].search_sorted(end, "right") for frame in rest]
        before, after = (frame.head(length) for frame, length in zip(rest, lengths, strict=True))
        yield before, after
        rest = [frame.slice(length) for frame, length in zip(rest, lengths, strict=True)]


def _past(end: Any, frame: pl.DataFrame, rows: Iterator[pl.DataFrame], key: str) -> pl.DataFrame:
    """The frame with the rows behind it until one has a larger key than `end`."""
    while len(frame) and frame[-1, key] == end and (more := next(rows, None)) is not None:
        frame = pl.concat([frame, more])
    return frame


def _label(table: str, old: pl.DataFrame, new: pl.DataFrame) -> str | None:
    """The label column of a table, if this version has the table and both releases have the column."""
    label = TABLES[table].definition().label if table in TABLES else None
    return label if label in old.columns and label in new.columns else None


def _lost(removed: pl.DataFrame, key: Sequence[str], replaced: Collection[str]) -> int:
    if _PAGE not in key:
        return removed.height
    return removed.filter(~pl.col(_PAGE).is_in(list(replaced))).height


def _rows(frame: pl.DataFrame, key: Sequence[str], label: str | None) -> pl.DataFrame:
    words = pl.col(label).cast(pl.String) if label else pl.lit(None, pl.String)
    return frame.sort(key).select(row_key(tuple(key)).alias(_KEY), words.alias(_LABEL))


def _unmatched_row(row: dict[str, Any]) -> UnmatchedRow:
    return UnmatchedRow(key=row[_KEY], label=row[_LABEL])


def _changed(old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str], label: str | None) -> pl.DataFrame:
    """Key and label of the changed rows, and the old and new values of changed columns, null where a row has not changed."""
    columns = [name for name, dtype in new.schema.items() if name not in key and old.schema.get(name) == dtype]
    if not columns:
        return pl.DataFrame()
    after = new.select(*key, pl.col(columns).name.suffix(_NEW))
    both = old.select(*key, *columns).join(after, on=key, how="inner")
    differs = {name: pl.col(name).ne_missing(pl.col(name + _NEW)) for name in columns}
    changed = both.filter(pl.any_horizontal(*differs.values())).sort(key)
    words = next(
        (pl.col(name).cast(pl.String) for name in (f"{label}{_NEW}", label) if name in both.columns),
        pl.lit(None, pl.String),
    )
    values = [
        pl.when(differs[name]).then(pl.col(side)).alias(side)
        for name in columns
        if changed.select(differs[name].any()).item()
        for side in (name, name + _NEW)
    ]
    return changed.select(row_key(tuple(key)).alias(_KEY), words.alias(_LABEL), *values)


def _changed_row(row: dict[str, Any]) -> ChangedRow:
    values = [
        ValueChange(column=name, old=_plain(value), new=_plain(row[name + _NEW]))
        for name, value in row.items()
        if name + _NEW in row and value != row[name + _NEW]
    ]
    return ChangedRow(key=row[_KEY], label=row[_LABEL], values=values)


def _plain(value: Any) -> JsonValue:
    plain: JsonValue = value.isoformat() if isinstance(value, date) else value
    return plain


_SCHEMA = {
    "profile_id": pl.String,
    "author_id": pl.String,
    "name": pl.String,
    "source": pl.String,
    "stated_papers": pl.Int64,
    "listed_papers": pl.Int64,
    "observed_on": pl.Date,
    "last_observed_on": pl.Date,
}
_SAVED_ON = re.compile(r"@[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_pages(release: Release) -> pl.DataFrame:
    """The pages of a release; none if it lacks a column of `_SCHEMA`."""
    frame = release.read("profiles", _SCHEMA)
    return pl.DataFrame(schema=_SCHEMA) if frame is None else frame.cast(pl.Schema(_SCHEMA))


def _coverage(pages: pl.DataFrame) -> Coverage:
    """The papers that the newest pages of all people list and state, in total."""
    stated = newest_pages(pages).filter(pl.col("stated_papers") > 0)
    return Coverage(
        pages=stated.height,
        stated_papers=int(stated["stated_papers"].sum()),
        listed_papers=int(stated["listed_papers"].sum()),
    )


def _compare_pages(old: pl.DataFrame, new: pl.DataFrame) -> list[PageChange]:
    """The pages that were saved again or have other counts, by source."""
    both = old.join(new, on="profile_id", suffix="_new").filter(
        pl.col("stated_papers").ne_missing(pl.col("stated_papers_new"))
        | (pl.col("listed_papers") != pl.col("listed_papers_new"))
    )
    pairs = [(row, _after(row)) for row in both.iter_rows(named=True)]
    changes = [_change(*pair) for pair in (*pairs, *_saved_again(old, new))]
    return sorted(changes, key=lambda change: (change.source, change.old_id))


def _saved_again(old: pl.DataFrame, new: pl.DataFrame) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each removed page with the new page that replaces it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in new.join(old, on="profile_id", how="anti").sort("source", "profile_id").iter_rows(named=True):
        for mark in _marks(row):
            found.setdefault(mark, row)
    for row in old.join(new, on="profile_id", how="anti").iter_rows(named=True):
        again = next((found[mark] for mark in _marks(row) if mark in found), None)
        if again:
            yield row, again


def _after(row: dict[str, Any]) -> dict[str, Any]:
    """The newer half of a row of both versions."""
    return {name: row.get(f"{name}_new", row[name]) for name in _SCHEMA}


def _marks(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The keys by which a page is recognised, the most reliable first."""
    owner = [("author", row["author_id"])] if row["author_id"] else []
    return [("source", _SAVED_ON.sub("", row["source"])), *owner]


def _change(old: dict[str, Any], new: dict[str, Any]) -> PageChange:
    return PageChange(
        name=new["name"],
        source=new["source"],
        old_id=old["profile_id"],
        new_id=new["profile_id"],
        old=_of_page(old),
        new=_of_page(new),
    )


def _of_page(row: dict[str, Any]) -> Coverage:
    return Coverage(pages=1, stated_papers=row["stated_papers"] or 0, listed_papers=row["listed_papers"])


_COUNTED = ("rule_id", "severity", "title", "failed")


def compare(old: Path, new: Path) -> Difference:
    """All differences of two releases, each given by its folder or by an output folder, which means its newest release.

    Raises `UsageError` if a path is no release, or if a table is damaged.
    """
    before, after = open_release(old), open_release(new)
    old_pages, new_pages = _read_pages(before), _read_pages(after)
    pages = _compare_pages(old_pages, new_pages)
    tables = list(_tables(before, after, {page.old_id for page in pages if page.old_id != page.new_id}))
    found = Difference(
        old=_facts(old, before),
        new=_facts(new, after),
        reasons=[],
        schema=_compare_schemas(before, after),
        tables=[table for table in tables if table.table not in JUDGING_TABLES],
        audit=[table for table in tables if table.table in JUDGING_TABLES],
        rules=_rules(before, after),
        pages=pages,
        old_coverage=_coverage(old_pages),
        new_coverage=_coverage(new_pages),
    )
    return find_reasons(found)


def _tables(old: Release, new: Release, replaced: Collection[str]) -> Iterator[TableDifference]:
    """The tables of both whose rows differ, by name."""
    for name in sorted(old.tables.keys() & new.tables.keys()):
        before, after = old.tables[name], new.tables[name]
        if _same_key(before, after):
            table = compare_rows(name, before.batches(_BATCH), after.batches(_BATCH), after.key, replaced)
            if not table.is_empty:
                yield table


def _rules(old: Release, new: Release) -> list[RuleCount]:
    """The rules with another number of failed items, by id."""
    before, after = _counts(old), _counts(new)
    counts = [
        RuleCount(
            rule_id=rule_id,
            severity=known["severity"],
            title=known["title"],
            old=before[rule_id]["failed"] if rule_id in before else None,
            new=after[rule_id]["failed"] if rule_id in after else None,
        )
        for rule_id, known in sorted({**before, **after}.items())
    ]
    return [count for count in counts if count.old != count.new]


def _counts(release: Release) -> dict[str, dict[str, Any]]:
    frame = release.read("rules", _COUNTED)
    return {} if frame is None else {row["rule_id"]: row for row in frame.iter_rows(named=True)}


def _facts(path: Path, release: Release) -> ReleaseFacts:
    version, logical_hash = (release.manifest.get(fact) for fact in ("paperledger", "logical_hash"))
    return ReleaseFacts(
        path=str(path),
        version=None if version is None else str(version),
        logical_hash=None if logical_hash is None else str(logical_hash),
    )


def release_before(folder: Path) -> Path | None:
    """The folder of the release published before this one; None where it is the first, or is not in an output folder.

    Raises `OSError` if the releases cannot be listed.
    """
    if folder.parent.name != RELEASES:
        return None
    folders = newest_first(folder.parent.parent)
    return next(iter(folders[folders.index(folder) + 1 :]), None) if folder in folders else None


def papers_only_in(release: Release, other: Release) -> pl.DataFrame:
    """The papers (paper_id, title, published) that the other release does not have, the newest first.

    Raises `UsageError` if a table is damaged or lacks a column.
    """
    own, others = release.read("papers", _PAPER_COLUMNS), other.read("papers", _PAPER_COLUMNS[:1])
    if own is None or others is None:
        lacking = release if own is None else other
        raise UsageError(
            f"{lacking.path}: no papers with {', '.join(_PAPER_COLUMNS)}; expected a release of paperledger"
        )
    only = own.join(others, on="paper_id", how="anti")
    return only.sort("published", "paper_id", descending=[True, False], nulls_last=True)


_PAPER_COLUMNS = ("paper_id", "title", "published")
