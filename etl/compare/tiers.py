"""How grave a difference is: rows or coverage lost and rules newly broken are worse; the rest is told, not blamed.

In: what differs. Out: the same with a sentence for each thing that differs, the gravest first.
"""

from collections.abc import Iterator
from dataclasses import replace

from etl.compare.coverage import has_lost
from etl.compare.difference import (
    TIERS,
    Coverage,
    Difference,
    PageChange,
    Reason,
    RuleCount,
    SchemaChange,
    TableDifference,
    Tier,
)
from etl.printable import count

_BLAMED = ("error", "warning")
_SCHEMA_WORDS = {
    "table_added": "the table is new",
    "table_removed": "the table is gone",
    "column_added": "the column is new ({new})",
    "column_removed": "the column is gone ({old})",
    "type_changed": "was {old}, is {new}; its values were not compared",
    "primary_key_changed": "the key was {old}, is {new}; rows were not compared",
}


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
