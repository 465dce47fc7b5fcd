"""Explain a row (`paperledger why`): its source lines, related rows and the result of each rule; and render it as text.

Text from pages is not interpreted by a terminal.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from shlex import quote

from datasette.utils import tilde_encode
from rich.console import Group
from rich.text import Text

from etl.printable import count, cut, visible
from etl.release import lineage_papers as papers
from etl.release import lineage_people as people
from etl.release.lineage import Reasons, RelatedRow, ReleaseRows, Row, RuleCheck, SourceSpan, Trace, Value, find_row

_EVERY_TABLE = "tables"
"""The table name of rules that check every table."""


def _quarantined(release: ReleaseRows, row: Row) -> Trace:
    """Lines in quarantine: the lines, every rule that they break, and the page."""
    page = next(release.rows("SELECT * FROM profiles WHERE profile_id = ?", row["profile_id"]))
    spans = [release.span(page, row["line_start"], row["line_end"], row["reason"])]
    rules = [_related_rule(release, rule_id) for rule_id in json.loads(row["rule_ids"])]
    return Trace(spans, [*rules, RelatedRow("profiles", row["profile_id"], f"{page['source']}, the page")])


def _finding(release: ReleaseRows, row: Row) -> Trace:
    """A finding: its lines, its rule and its row."""
    about = [RelatedRow(row["table_name"], row["row_key"], "the row that breaks the rule")]
    return Trace(_shown(release, [row]), [_related_rule(release, row["rule_id"]), *about])


def _rule(release: ReleaseRows, row: Row) -> Trace:
    """A rule: all its findings."""
    found = list(release.rows(
        "SELECT * FROM findings WHERE rule_id = ? ORDER BY source NULLS LAST, line_start, finding_id", row["rule_id"]
    ))  # fmt: skip
    related = [RelatedRow("findings", one["finding_id"], one["message"]) for one in found]
    counts = f"{row['failed']:,} of {row['checked']:,} broke it"
    counted = "; only counted, since a column of the table has it" if row["severity"] == "info" else ""
    return Trace(_shown(release, found), [RelatedRow(row["table_name"], "", counts + counted), *related])


def _rule_checks(release: ReleaseRows, table: str, key: str) -> Iterator[RuleCheck]:
    """The result of each rule of the table for the row, broken rules first."""
    messages: dict[str, list[str]] = {}
    found = "SELECT rule_id, message FROM findings WHERE table_name = ? AND row_key = ? ORDER BY rule_id, finding_id"
    for row in release.rows(found, table, key):
        messages.setdefault(row["rule_id"], []).append(row["message"])
    rules = release.rows("SELECT * FROM rules WHERE table_name IN (?, ?) ORDER BY rule_id", table, _EVERY_TABLE)
    checks = [_rule_check(row, messages.get(row["rule_id"], [])) for row in rules]
    yield from sorted(checks, key=lambda check: not check.messages)


def _rule_check(row: Row, messages: list[str]) -> RuleCheck:
    counts = f"{row['failed']:,} of {row['checked']:,}"
    if messages:
        words = "broken"
    elif row["severity"] == "info" and row["failed"]:
        words = f"only counted: {counts} in this release"
    else:
        words = "holds" if row["checked"] else "had nothing to look at"
    return RuleCheck(row["rule_id"], row["severity"], row["title"], words, tuple(messages))


def _shown(release: ReleaseRows, findings: list[Row]) -> Iterator[SourceSpan]:
    for one in findings:
        if one["profile_id"] and one["line_start"]:
            yield release.span(one, one["line_start"], one["line_end"], f"{one['rule_id']}: {one['message']}")


def _related_rule(release: ReleaseRows, rule_id: str) -> RelatedRow:
    row = next(release.rows("SELECT * FROM rules WHERE rule_id = ?", rule_id))
    return RelatedRow("rules", tilde_encode(rule_id), f"{row['title']}. {row['why']}")


MOST_SPANS = 50
"""The most source spans of an explanation: a category may be on every page, and each page has to be rebuilt."""
_TRACES: dict[str, Callable[[ReleaseRows, Row], Trace]] = {
    "author_names": people.author_name,
    "authors": people.author,
    "categories": papers.category,
    "findings": _finding,
    "institutions": papers.institution,
    "links": papers.link,
    "listings": papers.listing,
    "merge_candidates": people.merge_candidate,
    "paper_authors": people.paper_author,
    "paper_candidates": papers.candidate,
    "paper_categories": papers.paper_category,
    "paper_identifiers": papers.identifier,
    "paper_institutions": papers.paper_institution,
    "papers": papers.paper,
    "profiles": people.profile,
    "quarantine": _quarantined,
    "rules": _rule,
    "variants": papers.variant,
}


def why(database: sqlite3.Connection, table: str, key: str) -> Reasons:
    """Explain a row of a release; the key is escaped as in `findings.row_key`, or plain.

    Raises `UsageError` if there is no such table or row, `BrokenTables` if a page cannot be rebuilt.
    """
    escaped, row = find_row(database, table, key)
    release = ReleaseRows(database)
    trace = _TRACES[table](release, row)
    spans = tuple(islice(trace.spans, MOST_SPANS + 1))
    return Reasons(
        table=table,
        key=escaped,
        row=row,
        spans=spans[:MOST_SPANS],
        more_spans=len(spans) > MOST_SPANS,
        related=tuple(trace.related),
        rules=tuple(_rule_checks(release, table, escaped)),
    )


SHOWN_SPANS = 5
SHOWN_LINES = 12
SHOWN_RELATED = 20
SHOWN_LETTERS = 160
_SEVERITY_STYLES = {"error": "bold red", "warning": "yellow"}


def render_text(reasons: Reasons) -> Group:
    """The row, its source lines, related rows and rule checks; long lists are cut.

    >>> reasons = Reasons("papers", "bells", {"title": "On Bells"}, (), more_spans=False, related=(), rules=())
    >>> [text.plain for text in render_text(reasons).renderables[:2]]
    ['papers bells', '  title: On Bells']
    """
    return Group(
        Text(f"{reasons.table} {visible(reasons.key)}", "bold"),
        *(_value(column, value) for column, value in reasons.row.items()),
        *_spans(reasons),
        *_related(reasons.related),
        *_rules(reasons.rules),
    )


def _value(column: str, value: Value) -> Text:
    shown = "null" if value is None else cut(str(value), SHOWN_LETTERS)
    return Text.assemble((f"  {column}: ", "dim"), (shown, "dim" if value is None else ""))


def _spans(reasons: Reasons) -> Iterator[Text]:
    yield Text("\nRaw lines", "bold")
    if not reasons.spans:
        yield Text("  none: no page shows it", "dim")
    for span in reasons.spans[:SHOWN_SPANS]:
        yield from _span(span)
    rest = len(reasons.spans) - SHOWN_SPANS
    if rest > 0:
        yield Text(f"  and {'at least ' if reasons.more_spans else ''}{count(rest, 'more place')}", "dim")


def _span(span: SourceSpan) -> Iterator[Text]:
    lines = f"{span.line_start}" if span.line_start == span.line_end else f"{span.line_start}-{span.line_end}"
    yield Text.assemble((f"  {visible(span.source)}:{lines}", "cyan"), f"  {visible(span.words)}")
    for number, line in enumerate(span.lines[:SHOWN_LINES], start=span.line_start):
        yield Text.assemble((f"  {number:>6} │ ", "dim"), cut(line, SHOWN_LETTERS))
    if len(span.lines) > SHOWN_LINES:
        yield Text(f"         and {count(len(span.lines) - SHOWN_LINES, 'more line')}", "dim")


def _related(related: Sequence[RelatedRow]) -> Iterator[Text]:
    """The related rows; each line begins with the arguments of `paperledger why`."""
    if related:
        yield Text("\nJoins", "bold")
    for row in related[:SHOWN_RELATED]:
        key = f" {quote(visible(row.key))}" if row.key else ""
        yield Text.assemble((f"  {row.table}{key}", "cyan"), f"  {cut(row.words, 2 * SHOWN_LETTERS)}")
    if len(related) > SHOWN_RELATED:
        yield Text(f"  and {len(related) - SHOWN_RELATED:,} more", "dim")


def _rules(checks: Sequence[RuleCheck]) -> Iterator[Text]:
    yield Text("\nRules", "bold")
    for check in checks:
        style = _SEVERITY_STYLES.get(check.severity, "") if check.messages else "dim"
        yield Text.assemble((f"  {check.rule_id} {check.words}", style), (f"  {visible(check.title)}", "dim"))
        for message in check.messages:
            yield Text(f"      {cut(message, 2 * SHOWN_LETTERS)}")
