"""The comparison itself: one table after the other, so that no more than two versions of one are in memory.

In: two releases. Out: a `Difference`.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from etl.compare.columns import compare_schemas, same_key
from etl.compare.coverage import compare_pages, coverage, read_pages
from etl.compare.difference import AUDIT_TABLES, Difference, ReleaseFacts, RuleCount, TableDifference
from etl.compare.rows import compare_rows
from etl.compare.tiers import find_reasons
from etl.release.release import Release, open_release

_COUNTED = ("rule_id", "severity", "title", "failed")


def compare(old: Path, new: Path) -> Difference:
    """All that differs between two releases: their folders, or output folders whose newest release is meant.

    Raises `UsageError` where a path is no release, or a table of one is damaged.
    """
    before, after = open_release(old), open_release(new)
    old_pages, new_pages = read_pages(before), read_pages(after)
    pages = compare_pages(old_pages, new_pages)
    tables = list(_tables(before, after, {page.old_id for page in pages if page.old_id != page.new_id}))
    found = Difference(
        old=_facts(old, before),
        new=_facts(new, after),
        reasons=[],
        schema=compare_schemas(before, after),
        tables=[table for table in tables if table.table not in AUDIT_TABLES],
        audit=[table for table in tables if table.table in AUDIT_TABLES],
        rules=_rules(before, after),
        pages=pages,
        old_coverage=coverage(old_pages),
        new_coverage=coverage(new_pages),
    )
    return find_reasons(found)


def _tables(old: Release, new: Release, replaced: Collection[str]) -> Iterator[TableDifference]:
    """The tables of both whose rows differ, by name."""
    for name in sorted(old.tables.keys() & new.tables.keys()):
        before, after = old.tables[name], new.tables[name]
        if same_key(before, after):
            table = compare_rows(name, before.read(), after.read(), after.key, replaced)
            if not table.is_empty:
                yield table


def _rules(old: Release, new: Release) -> list[RuleCount]:
    """The rules that another number of items broke, by id."""
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
