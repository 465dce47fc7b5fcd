"""The result of comparing two releases: plain records, and the severity of each difference.

`paperledger diff --format json` writes the records unchanged. A row is identified by its key as in Datasette's address of the
row, which `paperledger why` accepts too. Lost rows, lost coverage and newly broken rules are "worse"; all else is neutral.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar, get_args

import msgspec
import polars as pl
import pyarrow as pa

from etl.printable import count
from schemas.views import coverage_share

FORMAT = 1
ReasonSeverity = Literal["worse", "schema", "changed", "more"]
"""The severity of a difference, the worst first."""
JsonValue = str | int | float | bool | list[str] | None
SchemaKind = Literal[
    "table_added", "table_removed", "column_added", "column_removed", "type_changed", "primary_key_changed"
]


@dataclass(frozen=True, kw_only=True)
class UnmatchedRow:
    """A row that only one release has; `label` is the value of its table's label column, if there is one."""

    key: str
    label: str | None


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """A column's value before and after; dates are ISO text."""

    column: str
    old: JsonValue
    new: JsonValue


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """A row of both releases whose values differ."""

    key: str
    label: str | None
    values: list[ValueChange]


_Row = TypeVar("_Row")
_READ_ROWS = 10_000
"""Rows that become records at once."""


class Rows(Generic[_Row]):
    """Rows in compact columns, each made into a record when it is read: millions of records do not fit into memory.

    >>> rows = Rows(lambda row: UnmatchedRow(**row))
    >>> rows.add(pl.DataFrame({"key": ["a", "b"], "label": ["A", None]}))
    >>> len(rows), next(iter(rows))
    (2, UnmatchedRow(key='a', label='A'))
    """

    def __init__(self, make: Callable[[dict[str, Any]], _Row]) -> None:
        self._make = make
        self._tables: list[pa.Table] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Copy the rows of a frame, whose buffers may have many more."""
        if len(rows):
            self._tables.append(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))

    def __len__(self) -> int:
        return sum(table.num_rows for table in self._tables)

    def __iter__(self) -> Iterator[_Row]:
        for table in self._tables:
            for batch in table.to_batches(_READ_ROWS):
                yield from map(self._make, pl.DataFrame(batch).iter_rows(named=True))


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """The differing rows of one table; `lost` is the number of removed rows without those of pages that were saved again."""

    table: str
    old_rows: int
    new_rows: int
    lost: int
    removed: Rows[UnmatchedRow]
    added: Rows[UnmatchedRow]
    changed: Rows[ChangedRow]

    @property
    def is_empty(self) -> bool:
        """Whether both releases have the same rows."""
        return not (self.removed or self.added or self.changed)


@dataclass(frozen=True, kw_only=True)
class SchemaChange:
    """A table, column, type or key that differs."""

    kind: SchemaKind
    table: str
    column: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, kw_only=True)
class RuleCount:
    """How many items failed a rule before and after; None if a release does not have the rule."""

    rule_id: str
    severity: str
    title: str
    old: int | None
    new: int | None


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The numbers of papers that pages list and state; pages that state none are left out."""

    pages: int
    stated_papers: int
    listed_papers: int

    @property
    def share(self) -> float | None:
        """Listed divided by stated papers; None if no page states any.

        >>> Coverage(pages=1, stated_papers=4, listed_papers=3).share
        0.75
        """
        return coverage_share(self.listed_papers, self.stated_papers)


@dataclass(frozen=True, kw_only=True)
class PageChange:
    """A page that was saved again, or lists or states another number of papers than before."""

    name: str | None
    source: str
    old_id: str
    new_id: str
    old: Coverage
    new: Coverage


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A release: the given path, the version of the tool and the logical hash."""

    path: str
    version: str | None
    logical_hash: str | None


class Reason(msgspec.Struct, frozen=True):
    """One difference in a sentence, and its severity."""

    severity: ReasonSeverity = msgspec.field(name="tier")
    words: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All differences of two releases, format 1, in a stable order."""

    format: int = FORMAT
    old: ReleaseFacts
    new: ReleaseFacts
    reasons: list[Reason]
    schema: list[SchemaChange]
    tables: list[TableDifference]
    audit: list[TableDifference]
    rules: list[RuleCount]
    pages: list[PageChange]
    old_coverage: Coverage
    new_coverage: Coverage

    @property
    def is_empty(self) -> bool:
        """Whether the releases have the same tables."""
        return not (self.schema or self.tables or self.audit)

    @property
    def is_worse(self) -> bool:
        """Whether the new release lost something, or breaks rules more often than the old one."""
        return any(reason.severity == "worse" for reason in self.reasons)


_BLAMED = ("error", "warning")
_SCHEMA_WORDS = {
    "table_added": "the table is new",
    "table_removed": "the table is gone",
    "column_added": "the column is new ({new})",
    "column_removed": "the column is gone ({old})",
    "type_changed": "was {old}, is {new}; its values were not compared",
    "primary_key_changed": "the key was {old}, is {new}; rows were not compared",
}


def _has_lost(change: PageChange) -> bool:
    """Whether a page lists a smaller share of its stated papers than before; without a stated number, fewer papers."""
    before, after = change.old, change.new
    if before.stated_papers and after.stated_papers:
        return after.listed_papers * before.stated_papers < before.listed_papers * after.stated_papers
    return after.listed_papers < before.listed_papers


def find_reasons(difference: Difference) -> Difference:
    """Add the reasons to a difference, by severity and then in the order of schema, pages, tables, rules.

    >>> release, pages = ReleaseFacts(path="build", version=None, logical_hash=None), Coverage(pages=1, stated_papers=4, listed_papers=4)
    >>> more = RuleCount(rule_id="PAP-002", severity="warning", title="", old=1, new=3)
    >>> same = {"schema": [], "tables": [], "audit": [], "pages": [], "old_coverage": pages, "new_coverage": pages}
    >>> [reason.words for reason in find_reasons(Difference(old=release, new=release, reasons=[], rules=[more], **same)).reasons]
    ['PAP-002 (warning: ): broken 3 times; before 1']
    """
    found = [
        *(Reason("schema", schema_words(change)) for change in difference.schema),
        *_coverage(difference.old_coverage, difference.new_coverage),
        *(Reason("worse", _page_words(page)) for page in difference.pages if _has_lost(page)),
        *(reason for table in difference.tables for reason in _table(table)),
        *(reason for table in difference.audit for reason in _audit(table)),
        *(Reason("worse", _rule_words(rule)) for rule in difference.rules if _is_worse(rule)),
    ]
    severities = get_args(ReasonSeverity)
    return replace(difference, reasons=sorted(found, key=lambda reason: severities.index(reason.severity)))


def schema_words(change: SchemaChange) -> str:
    """A schema change in words.

    >>> schema_words(SchemaChange(kind="column_added", table="papers", column="doi", new="string"))
    'papers.doi: the column is new (string)'
    """
    place = f"{change.table}.{change.column}" if change.column else change.table
    return f"{place}: {_SCHEMA_WORDS[change.kind].format(old=change.old, new=change.new)}"


def coverage_words(coverage: Coverage) -> str:
    """Coverage in words.

    >>> coverage_words(Coverage(pages=1, stated_papers=76, listed_papers=50))
    '50 of 76 papers (65.8%)'
    """
    if coverage.share is None:
        return f"{count(coverage.listed_papers, 'paper')} of an unknown number"
    return f"{coverage.listed_papers:,} of {count(coverage.stated_papers, 'paper')} ({coverage.share:.1%})"


def _coverage(old: Coverage, new: Coverage) -> Iterator[Reason]:
    if (old.stated_papers, old.listed_papers) != (new.stated_papers, new.listed_papers):
        yield Reason("changed", f"coverage: pages list {coverage_words(new)}; before {coverage_words(old)}")


def _page_words(page: PageChange) -> str:
    return f"coverage: {page.source} lists {coverage_words(page.new)}; before {coverage_words(page.old)}"


def _table(table: TableDifference) -> Iterator[Reason]:
    again = len(table.removed) - table.lost
    if table.lost:
        yield Reason("worse", f"{table.table}: {count(table.lost, 'row')} of {table.old_rows:,} removed")
    if again:
        yield Reason("changed", f"{table.table}: {count(again, 'row')} of pages that were saved again replaced")
    yield from _changed(table)
    if table.added:
        yield Reason("more", f"{table.table}: {count(len(table.added), 'row')} added")


def _audit(table: TableDifference) -> Iterator[Reason]:
    """More rows in quarantine are "worse"; other audit tables are neutral here, since rules count their rows."""
    if table.added:
        lost = table.table == "quarantine" and table.new_rows > table.old_rows
        yield Reason("worse" if lost else "changed", f"{table.table}: {count(len(table.added), 'row')} added")
    if table.removed:
        yield Reason("changed", f"{table.table}: {count(len(table.removed), 'row')} removed")
    yield from _changed(table)


def _changed(table: TableDifference) -> Iterator[Reason]:
    if table.changed:
        yield Reason("changed", f"{table.table}: {count(len(table.changed), 'row')} changed")


def _is_worse(rule: RuleCount) -> bool:
    return rule.severity in _BLAMED and (rule.new or 0) > (rule.old or 0)


def _rule_words(rule: RuleCount) -> str:
    broken = count(rule.new or 0, "time")
    return f"{rule.rule_id} ({rule.severity}: {rule.title}): broken {broken}; before {rule.old or 0:,}"
