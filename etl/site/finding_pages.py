"""The content of the pages of a finding and of lines in quarantine: the rules, and the lines with their neighbours.

In: a release's database, and a row's key. Out: records of limited size.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from datasette.utils import tilde_decode, tilde_encode
from markupsafe import Markup

from etl.export.readable_text import readable
from etl.printable import cut
from etl.release.lineage import ReleaseRows, Row
from etl.site.row_pages import SHOWN_LETTERS, SHOWN_LINES, page_lines
from schemas import RULES, TABLES, Rule

NEIGHBOURS = 3
"""Lines shown before and after those of a row."""
_PROFILE = "SELECT * FROM profiles WHERE profile_id = ?"
_NAMES = {
    "papers": "SELECT title AS name FROM papers WHERE paper_id = ?",
    "authors": "SELECT name FROM authors WHERE author_id = ?",
    "profiles": "SELECT coalesce(name, source) AS name FROM profiles WHERE profile_id = ?",
}
_REFERRED = ("papers", "authors")
"""Tables whose rows have a title or a name for people; the page of a finding is shown beside them."""
_RULE = "SELECT severity, failed FROM rules WHERE rule_id = ?"
_QUARANTINE = "SELECT * FROM quarantine WHERE profile_id = ? AND line_start = ?"
_SAME_LINES = """
SELECT finding_id, rule_id, message FROM findings
WHERE profile_id = ? AND line_start <= ? AND line_end >= ? AND finding_id <> ? ORDER BY rule_id, finding_id LIMIT 20
"""


@dataclass(frozen=True)
class NumberedLine:
    """A line of a page, and whether it is one of the row's and no neighbour."""

    number: int
    text: str
    is_own: bool


@dataclass(frozen=True)
class RuleShown:
    """A rule with its severity in this release, and the number of its findings."""

    rule: Rule
    severity: str
    findings: int


@dataclass(frozen=True)
class NamedRow:
    """A paper, author or page that a finding is about: table, key as in addresses, and title or name."""

    table: str
    key: str
    name: Markup | str


@dataclass(frozen=True)
class FindingPage:
    """The content of the page of a finding or of lines in quarantine; `more` counts own lines left out."""

    row: Row
    table: str | None
    """The table of the row that a finding is of; None where no table has it."""
    about: list["NamedRow"]
    rules: list[RuleShown]
    profile: Row | None
    lines: list[NumberedLine]
    more: int
    others: list[Row]
    """Findings at the same lines."""


def finding_page(database: sqlite3.Connection, finding_id: str) -> FindingPage | None:
    """The content of a finding's page; None where there is no such finding."""
    release = ReleaseRows(database)
    row = next(release.rows("SELECT * FROM findings WHERE finding_id = ?", finding_id), None)
    return _page(release, row, [row["rule_id"]]) if row else None


def quarantine_page(database: sqlite3.Connection, key: str) -> FindingPage | None:
    """The content of the page of lines in quarantine; None where there are none of this key.

    `key`: the profile's identifier and the first line, as in `0f1e2d3c4b5a6978,12`.
    """
    profile_id, _, line_start = key.partition(",")
    release = ReleaseRows(database)
    row = next(release.rows(_QUARANTINE, profile_id, line_start), None)
    return _page(release, row, json.loads(row["rule_ids"])) if row else None


def _page(release: ReleaseRows, row: Row, rule_ids: Iterable[str]) -> FindingPage:
    profile = next(release.rows(_PROFILE, row["profile_id"]), None)
    first, last = row["line_start"], row["line_end"] or row["line_start"]
    lines = _lines(release, profile, first, last) if profile and first else []
    others = release.rows(_SAME_LINES, row["profile_id"], last, first, row.get("finding_id", "")) if lines else ()
    return FindingPage(
        row=row,
        table=row.get("table_name") if row.get("table_name") in TABLES else None,
        about=named_rows(release, row["table_name"], row["row_key"]) if "row_key" in row else [],
        rules=[shown for rule_id in rule_ids if (shown := _rule(release, rule_id))],
        profile=profile,
        lines=lines,
        more=max(0, last - first + 1 - SHOWN_LINES) if lines else 0,
        others=list(others),
    )


def named_rows(release: ReleaseRows, table: str, row_key: str) -> list[NamedRow]:
    """The paper, author or page that a row is, or the papers and authors that it refers to; none for other rows.

    `row_key` is the row's key as in addresses.
    """
    if table in _NAMES:
        return _named(release, table, tilde_decode(row_key))
    definition = TABLES[table].definition() if table in TABLES else None
    key = [tilde_decode(part) for part in row_key.split(",")]
    if definition is None or len(key) != len(definition.primary_key):
        return []
    where = " AND ".join(f"{column} = ?" for column in definition.primary_key)
    row = next(release.rows(f"SELECT * FROM {table} WHERE {where}", *key), {})  # noqa: S608 - names of ours
    places = {(one.table, row.get(one.columns[0])): None for one in definition.references if one.table in _REFERRED}
    return [named for table, key in places if key for named in _named(release, table, key)]


def _named(release: ReleaseRows, table: str, key: str) -> list[NamedRow]:
    rows = release.rows(_NAMES[table], key)
    return [
        NamedRow(table, tilde_encode(key), readable(row["name"]) if table == "papers" else cut(row["name"], 200))
        for row in rows
    ]


def _lines(release: ReleaseRows, profile: Row, first: int, last: int) -> list[NumberedLine]:
    """The first `SHOWN_LINES` of a range with their neighbours."""
    start, last_shown = max(1, first - NEIGHBOURS), min(last, first + SHOWN_LINES - 1)
    end = last_shown if last_shown < last else last + NEIGHBOURS
    lines = enumerate(page_lines(release, profile, start, end), start)
    return [NumberedLine(number, cut(line, SHOWN_LETTERS), first <= number <= last) for number, line in lines]


def _rule(release: ReleaseRows, rule_id: str) -> RuleShown | None:
    """A rule; None for one of another version of the tool."""
    row = next(release.rows(_RULE, rule_id), None)
    return RuleShown(RULES[rule_id], row["severity"], row["failed"]) if row and rule_id in RULES else None
