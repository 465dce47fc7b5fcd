"""The answer to `why`: the row, where it came from, what made it, and what each rule found in it; and its text for people.

No terminal obeys what a page says.
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
"""The table of rules that look at every table."""


def quarantined(release: ReleaseRows, row: Row) -> Trace:
    """Lines in quarantine: themselves, and every rule that they break."""
    page = next(release.rows("SELECT * FROM profiles WHERE profile_id = ?", row["profile_id"]))
    places = [release.place(page, row["line_start"], row["line_end"], row["reason"])]
    rules = [_rule_join(release, rule_id) for rule_id in json.loads(row["rule_ids"])]
    return Trace(places, [*rules, RelatedRow("profiles", row["profile_id"], f"{page['source']}, the page")])


def finding(release: ReleaseRows, row: Row) -> Trace:
    """A finding: the lines that show it, the rule, and the row it is about."""
    about = [RelatedRow(row["table_name"], row["row_key"], "the row that breaks the rule")]
    return Trace(_shown(release, [row]), [_rule_join(release, row["rule_id"]), *about])


def rule(release: ReleaseRows, row: Row) -> Trace:
    """A rule: everything that breaks it."""
    found = list(release.rows(
        "SELECT * FROM findings WHERE rule_id = ? ORDER BY source NULLS LAST, line_start, finding_id", row["rule_id"]
    ))  # fmt: skip
    joins = [RelatedRow("findings", one["finding_id"], one["message"]) for one in found]
    counts = f"{row['failed']:,} of {row['checked']:,} broke it"
    counted = "; only counted, since a column of the table tells it" if row["severity"] == "info" else ""
    return Trace(_shown(release, found), [RelatedRow(row["table_name"], "", counts + counted), *joins])


def looks(release: ReleaseRows, table: str, key: str) -> Iterator[RuleCheck]:
    """What each rule about the table says of the row, those that it breaks first."""
    messages: dict[str, list[str]] = {}
    found = "SELECT rule_id, message FROM findings WHERE table_name = ? AND row_key = ? ORDER BY rule_id, finding_id"
    for row in release.rows(found, table, key):
        messages.setdefault(row["rule_id"], []).append(row["message"])
    rules = release.rows("SELECT * FROM rules WHERE table_name IN (?, ?) ORDER BY rule_id", table, _EVERY_TABLE)
    told = [_look(row, messages.get(row["rule_id"], [])) for row in rules]
    yield from sorted(told, key=lambda look: not look.messages)


def _look(row: Row, messages: list[str]) -> RuleCheck:
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
            yield release.place(one, one["line_start"], one["line_end"], f"{one['rule_id']}: {one['message']}")


def _rule_join(release: ReleaseRows, rule_id: str) -> RelatedRow:
    row = next(release.rows("SELECT * FROM rules WHERE rule_id = ?", rule_id))
    return RelatedRow("rules", tilde_encode(rule_id), f"{row['title']}. {row['why']}")


MOST_PLACES = 50
"""Places that an answer holds: a category may stand on every page, and each page has to be rebuilt."""
_TELLERS: dict[str, Callable[[ReleaseRows, Row], Trace]] = {
    "author_names": people.author_name,
    "authors": people.author,
    "categories": papers.category,
    "findings": finding,
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
    "quarantine": quarantined,
    "rules": rule,
    "variants": papers.variant,
}


def why(database: sqlite3.Connection, table: str, key: str) -> Reasons:
    """Why a row of a release is what it is; the key is as in `findings.row_key`, or plain text.

    Raises `UsageError` where there is no such table or row, `BrokenTables` where a page does not rebuild.
    """
    escaped, row = find_row(database, table, key)
    release = ReleaseRows(database)
    told = _TELLERS[table](release, row)
    places = tuple(islice(told.places, MOST_PLACES + 1))
    return Reasons(
        table=table,
        key=escaped,
        row=row,
        places=places[:MOST_PLACES],
        more_places=len(places) > MOST_PLACES,
        joins=tuple(told.joins),
        rules=tuple(looks(release, table, escaped)),
    )


SHOWN_PLACES = 5
SHOWN_LINES = 12
SHOWN_JOINS = 20
SHOWN_LETTERS = 160
_SEVERITY_STYLES = {"error": "bold red", "warning": "yellow"}


def render_text(reasons: Reasons) -> Group:
    """The row, the lines it came from, what made it and the rules that looked at it; long lists are cut."""
    return Group(
        Text(f"{reasons.table} {visible(reasons.key)}", "bold"),
        *(_value(column, value) for column, value in reasons.row.items()),
        *_places(reasons),
        *_joins(reasons.joins),
        *_rules(reasons.rules),
    )


def _value(column: str, value: Value) -> Text:
    shown = "null" if value is None else cut(str(value), SHOWN_LETTERS)
    return Text.assemble((f"  {column}: ", "dim"), (shown, "dim" if value is None else ""))


def _places(reasons: Reasons) -> Iterator[Text]:
    yield Text("\nRaw lines", "bold")
    if not reasons.places:
        yield Text("  none: no page shows it", "dim")
    for place in reasons.places[:SHOWN_PLACES]:
        yield from _place(place)
    rest = len(reasons.places) - SHOWN_PLACES
    if rest > 0:
        yield Text(f"  and {'at least ' if reasons.more_places else ''}{count(rest, 'more place')}", "dim")


def _place(place: SourceSpan) -> Iterator[Text]:
    lines = f"{place.line_start}" if place.line_start == place.line_end else f"{place.line_start}-{place.line_end}"
    yield Text.assemble((f"  {visible(place.source)}:{lines}", "cyan"), f"  {visible(place.words)}")
    for number, line in enumerate(place.lines[:SHOWN_LINES], start=place.line_start):
        yield Text.assemble((f"  {number:>6} │ ", "dim"), cut(line, SHOWN_LETTERS))
    if len(place.lines) > SHOWN_LINES:
        yield Text(f"         and {count(len(place.lines) - SHOWN_LINES, 'more line')}", "dim")


def _joins(joins: Sequence[RelatedRow]) -> Iterator[Text]:
    """What made the row; each line begins as `paperledger why` takes it."""
    if joins:
        yield Text("\nJoins", "bold")
    for join in joins[:SHOWN_JOINS]:
        key = f" {quote(visible(join.key))}" if join.key else ""
        yield Text.assemble((f"  {join.table}{key}", "cyan"), f"  {cut(join.words, 2 * SHOWN_LETTERS)}")
    if len(joins) > SHOWN_JOINS:
        yield Text(f"  and {len(joins) - SHOWN_JOINS:,} more", "dim")


def _rules(looks: Sequence[RuleCheck]) -> Iterator[Text]:
    yield Text("\nRules", "bold")
    for look in looks:
        style = _SEVERITY_STYLES.get(look.severity, "") if look.messages else "dim"
        yield Text.assemble((f"  {look.rule_id} {look.words}", style), (f"  {visible(look.title)}", "dim"))
        for message in look.messages:
            yield Text(f"      {cut(message, 2 * SHOWN_LETTERS)}")
