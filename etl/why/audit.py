"""What rules say. In: a row. Out: for quarantine, findings and rules the lines they speak of; for any row the rules' verdicts."""

import json
from collections.abc import Iterator

from etl.validate.rule_results import escape
from etl.why.book import Book, Row
from etl.why.reasons import Join, Look, Place, Told

_EVERY_TABLE = "tables"
"""The table of rules that look at every table."""


def quarantined(book: Book, row: Row) -> Told:
    """Lines in quarantine: themselves, and every rule that they break."""
    page = next(book.rows("SELECT * FROM profiles WHERE profile_id = ?", row["profile_id"]))
    places = [book.place(page, row["line_start"], row["line_end"], row["reason"])]
    rules = [_rule_join(book, rule_id) for rule_id in json.loads(row["rule_ids"])]
    return Told(places, [*rules, Join("profiles", row["profile_id"], f"{page['source']}, the page")])


def finding(book: Book, row: Row) -> Told:
    """A finding: the lines that show it, the rule, and the row it is about."""
    about = [Join(row["table_name"], row["row_key"], "the row that breaks the rule")]
    return Told(_shown(book, [row]), [_rule_join(book, row["rule_id"]), *about])


def rule(book: Book, row: Row) -> Told:
    """A rule: everything that breaks it."""
    found = list(book.rows(
        "SELECT * FROM findings WHERE rule_id = ? ORDER BY source NULLS LAST, line_start, finding_id", row["rule_id"]
    ))  # fmt: skip
    joins = [Join("findings", one["finding_id"], one["message"]) for one in found]
    counts = f"{row['failed']:,} of {row['checked']:,} broke it"
    counted = "; only counted, since a column of the table tells it" if row["severity"] == "info" else ""
    return Told(_shown(book, found), [Join(row["table_name"], "", counts + counted), *joins])


def looks(book: Book, table: str, key: str) -> Iterator[Look]:
    """What each rule about the table says of the row, those that it breaks first."""
    messages: dict[str, list[str]] = {}
    found = "SELECT rule_id, message FROM findings WHERE table_name = ? AND row_key = ? ORDER BY rule_id, finding_id"
    for row in book.rows(found, table, key):
        messages.setdefault(row["rule_id"], []).append(row["message"])
    rules = book.rows("SELECT * FROM rules WHERE table_name IN (?, ?) ORDER BY rule_id", table, _EVERY_TABLE)
    told = [_look(row, messages.get(row["rule_id"], [])) for row in rules]
    yield from sorted(told, key=lambda look: not look.messages)


def _look(row: Row, messages: list[str]) -> Look:
    counts = f"{row['failed']:,} of {row['checked']:,}"
    if messages:
        words = "broken"
    elif row["severity"] == "info" and row["failed"]:
        words = f"only counted: {counts} in this release"
    else:
        words = "holds" if row["checked"] else "had nothing to look at"
    return Look(row["rule_id"], row["severity"], row["title"], words, tuple(messages))


def _shown(book: Book, findings: list[Row]) -> Iterator[Place]:
    for one in findings:
        if one["profile_id"] and one["line_start"]:
            yield book.place(one, one["line_start"], one["line_end"], f"{one['rule_id']}: {one['message']}")


def _rule_join(book: Book, rule_id: str) -> Join:
    row = next(book.rows("SELECT * FROM rules WHERE rule_id = ?", rule_id))
    return Join("rules", escape(rule_id), f"{row['title']}. {row['why']}")
