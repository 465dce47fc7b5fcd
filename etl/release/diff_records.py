"""What a comparison of two releases says: plain records, and how severe each difference is.

`paperledger diff --format json` writes the records as they are. A row is named by its key as Datasette writes it in the
row's address, which `paperledger why` takes too. Rows or coverage lost and rules newly broken are worse; the rest is said,
not blamed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from etl.printable import count
from schemas.views import coverage_share

FORMAT = 1
Tier = Literal["worse", "schema", "changed", "more"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""How severe a difference is, the worst first."""
Value = str | int | float | bool | list[str] | None
SchemaKind = Literal[
    "table_added", "table_removed", "column_added", "column_removed", "type_changed", "primary_key_changed"
]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that one release lacks; `label` is what people call it, where its table has such a column."""

    key: str
    label: str | None


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """A column's value before and after; dates are ISO text."""

    column: str
    old: Value
    new: Value


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """A row of both releases whose values differ."""

    key: str
    label: str | None
    values: list[ValueChange]


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """What differs in the rows of one table; `lost` counts the rows removed that no page saved again replaces."""

    table: str
    old_rows: int
    new_rows: int
    lost: int
    removed: list[Row]
    added: list[Row]
    changed: list[ChangedRow]

    @property
    def is_empty(self) -> bool:
        """Whether both releases hold the same rows."""
        return not (self.removed or self.added or self.changed)


@dataclass(frozen=True, kw_only=True)
class SchemaChange:
    """A table, column, type or key that the releases do not share."""

    kind: SchemaKind
    table: str
    column: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, kw_only=True)
class RuleCount:
    """How many items broke a rule before and after; None where a release does not know the rule."""

    rule_id: str
    severity: str
    title: str
    old: int | None
    new: int | None


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many papers pages list, of those that they state; pages that state none are left out."""

    pages: int
    stated_papers: int
    listed_papers: int

    @property
    def share(self) -> float | None:
        """The one divided by the other; None where no page states any.

        >>> Coverage(pages=1, stated_papers=4, listed_papers=3).share
        0.75
        """
        return coverage_share(self.listed_papers, self.stated_papers)


@dataclass(frozen=True, kw_only=True)
class PageChange:
    """A page that was saved again, or that lists or states another number of papers than before."""

    name: str | None
    source: str
    old_id: str
    new_id: str
    old: Coverage
    new: Coverage


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A release: the path that was given, the tool's version and the hash that names it."""

    path: str
    version: str | None
    logical_hash: str | None


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One difference in a sentence, and how grave it is."""

    tier: Tier
    words: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All that differs between two releases, format 1; everything is in a stable order."""

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
        """Whether the releases hold the same tables."""
        return not (self.schema or self.tables or self.audit)

    @property
    def is_worse(self) -> bool:
        """Whether the new release lost something, or breaks rules that the old one kept."""
        return any(reason.tier == "worse" for reason in self.reasons)


_BLAMED = ("error", "warning")
_SCHEMA_WORDS = {
    "table_added": "the table is new",
    "table_removed": "the table is gone",
    "column_added": "the column is new ({new})",
    "column_removed": "the column is gone ({old})",
    "type_changed": "was {old}, is {new}; its values were not compared",
    "primary_key_changed": "the key was {old}, is {new}; rows were not compared",
}


def has_lost(change: PageChange) -> bool:
    """Whether a page lists a smaller share of its papers than before; without a count, fewer papers."""
    before, after = change.old, change.new
    if before.stated_papers and after.stated_papers:
        return after.listed_papers * before.stated_papers < before.listed_papers * after.stated_papers
    return after.listed_papers < before.listed_papers


def find_reasons(difference: Difference) -> Difference:
    """The difference with its reasons, the gravest first and otherwise in the order of schema, pages, tables, rules."""
    found = [
        *(_reason("schema", schema_words(change)) for change in difference.schema),
        *_coverage(difference.old_coverage, difference.new_coverage),
        *(_reason("worse", _page_words(page)) for page in difference.pages if has_lost(page)),
        *(reason for table in difference.tables for reason in _table(table)),
        *(reason for table in difference.audit for reason in _audit(table)),
        *(_reason("worse", _rule_words(rule)) for rule in difference.rules if _is_worse(rule)),
    ]
    return replace(difference, reasons=sorted(found, key=lambda reason: TIERS.index(reason.tier)))


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
        yield _reason("changed", f"coverage: pages list {coverage_words(new)}; before {coverage_words(old)}")


def _page_words(page: PageChange) -> str:
    return f"coverage: {page.source} lists {coverage_words(page.new)}; before {coverage_words(page.old)}"


def _table(table: TableDifference) -> Iterator[Reason]:
    again = len(table.removed) - table.lost
    if table.lost:
        yield _reason("worse", f"{table.table}: {count(table.lost, 'row')} of {table.old_rows:,} removed")
    if again:
        yield _reason("changed", f"{table.table}: {count(again, 'row')} of pages that were saved again replaced")
    yield from _changed(table)
    if table.added:
        yield _reason("more", f"{table.table}: {count(len(table.added), 'row')} added")


def _audit(table: TableDifference) -> Iterator[Reason]:
    """More lines in quarantine are lost; what the other audit tables hold is blamed by rule."""
    if table.added:
        lost = table.table == "quarantine" and table.new_rows > table.old_rows
        tier: Tier = "worse" if lost else "changed"
        yield _reason(tier, f"{table.table}: {count(len(table.added), 'row')} added")
    if table.removed:
        yield _reason("changed", f"{table.table}: {count(len(table.removed), 'row')} removed")
    yield from _changed(table)


def _changed(table: TableDifference) -> Iterator[Reason]:
    if table.changed:
        yield _reason("changed", f"{table.table}: {count(len(table.changed), 'row')} changed")


def _is_worse(rule: RuleCount) -> bool:
    return rule.severity in _BLAMED and (rule.new or 0) > (rule.old or 0)


def _rule_words(rule: RuleCount) -> str:
    broken = count(rule.new or 0, "time")
    return f"{rule.rule_id} ({rule.severity}: {rule.title}): broken {broken}; before {rule.old or 0:,}"


def _reason(tier: Tier, words: str) -> Reason:
    return Reason(tier=tier, words=words)
