"""Render a difference for people and for programs. In: a `Difference`. Out: text for rich to print, or JSON.

Text from pages is not interpreted as markup, nor by a terminal.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, takewhile
from typing import Any, TypeVar

import msgspec
from rich.console import Group
from rich.text import Text

from etl.load.layout import ID_LENGTH
from etl.printable import ELLIPSIS, count, cut, inert_json, visible
from etl.release.diff_records import (
    ChangedRow,
    Difference,
    JsonValue,
    PageChange,
    ReasonSeverity,
    ReleaseFacts,
    Rows,
    RuleCount,
    TableDifference,
    UnmatchedRow,
    ValueChange,
    coverage_words,
)

Item = TypeVar("Item")

SHOWN_ROWS = 10
SHOWN_LETTERS = 60
_JSON_ROWS = 10_000
_CONTEXT = 20
"""Letters that are shown before the first different one."""
_STYLES: dict[ReasonSeverity, str] = {"worse": "bold red", "schema": "magenta", "changed": "yellow", "more": "green"}
_TALLIES = {"rules": ("checked", "failed")}
"""Columns whose changes are in the list of rules already."""


def render_json(difference: Difference) -> Iterator[str]:
    """The difference as the text of a JSON file, the same for equal releases, with invisible characters escaped.

    The text comes in parts of whole lines, since all rows of large tables do not fit into memory.
    """
    found: list[Rows[Any]] = []

    def place(rows: Rows[Any]) -> list[dict[str, Any]]:
        found.extend([rows] if rows else [])
        return [{}] if rows else []

    text = msgspec.json.format(msgspec.json.encode(difference, enc_hook=place), indent=2).decode()
    *heads, tail = text.split(_PLACE)
    for head, rows in zip(heads, found, strict=True):
        yield inert_json(head) + "\n"
        yield from _json_rows(rows)
    yield inert_json(tail) + "\n"


_PLACE = "\n        {}\n"
"""The line in place of a table's rows; no string of JSON has a line break, and nothing else is an empty object."""


def _json_rows(rows: Rows[Any]) -> Iterator[str]:
    left, items = len(rows), iter(rows)
    while batch := list(islice(items, _JSON_ROWS)):
        left -= len(batch)
        lines = msgspec.json.format(msgspec.json.encode(batch), indent=2).decode().removeprefix("[").removesuffix("\n]")
        yield inert_json(lines.replace("\n", "\n      ").removeprefix("\n")) + (",\n" if left else "\n")


def render_text(difference: Difference) -> Group:
    """The difference for people: the reasons, then the tables; long lists are cut."""
    head = [_release("Old ", difference.old), _release("New ", difference.new), Text()]
    if difference.is_empty:
        return Group(*head, *_no_difference(difference))
    parts = [
        *(
            Text(f"{reason.severity:8}", _STYLES[reason.severity]).append(visible(reason.words), "")
            for reason in difference.reasons
        ),
        *_section("Pages", difference.pages, _page),
        *(line for table in difference.tables for line in _table(table)),
        *_section("Rules", difference.rules, _rule),
        *(line for table in difference.audit for line in _table(table)),
    ]
    return Group(*head, *parts)


def _no_difference(difference: Difference) -> Iterator[Text]:
    yield Text("No difference: every table has the same rows.", "green")
    if difference.old.logical_hash != difference.new.logical_hash:
        yield Text("The releases' hashes differ, since their descriptions, views or overrides do.", "dim")


def _release(label: str, release: ReleaseFacts) -> Text:
    name = (release.logical_hash or "")[:ID_LENGTH]
    facts = f"  {visible(name)}  paperledger {visible(release.version or 'of an unknown version')}"
    return Text.assemble((label, "bold"), visible(release.path), (facts, "dim"))


def _section(title: str, items: Sequence[Item], line: Callable[[Item], Text]) -> Iterator[Text]:
    """A title and the first items, a line each; nothing if there are no items."""
    if items:
        yield Text(f"\n{title}", "bold")
        yield from _first(items, line)


def _first(items: Sequence[Item] | Rows[Item], line: Callable[[Item], Text]) -> Iterator[Text]:
    yield from map(line, islice(items, SHOWN_ROWS))
    if len(items) > SHOWN_ROWS:
        yield Text(f"  and {len(items) - SHOWN_ROWS:,} more", "dim")


def _page(page: PageChange) -> Text:
    known = "saved again" if page.old_id != page.new_id else "the same page"
    words = f"  {visible(page.source)}: {known}; lists {coverage_words(page.new)}; before {coverage_words(page.old)}"
    return Text(words)


def _rule(rule: RuleCount) -> Text:
    before, after = ("unknown" if number is None else f"{number:,}" for number in (rule.old, rule.new))
    style = "red" if rule.severity != "info" and (rule.new or 0) > (rule.old or 0) else ""
    return Text.assemble((f"  {visible(rule.rule_id)} {before} → {after}", style), (f"  {visible(rule.title)}", "dim"))


def _table(table: TableDifference) -> Iterator[Text]:
    yield Text(f"\n{visible(table.table)}", "bold").append(
        f"  {count(table.new_rows, 'row')}; before {table.old_rows:,}", "dim"
    )
    yield from _first(table.removed, partial(_row, "-", "red"))
    yield from _first(table.added, partial(_row, "+", "green"))
    yield from _first(list(_untallied(table)) if table.table in _TALLIES else table.changed, _changed)


def _untallied(table: TableDifference) -> Iterator[ChangedRow]:
    """The changed rows without the values of `_TALLIES`."""
    for row in table.changed:
        values = [value for value in row.values if value.column not in _TALLIES[table.table]]
        if values:
            yield replace(row, values=values)


def _row(sign: str, style: str, row: UnmatchedRow | ChangedRow) -> Text:
    label = "" if row.label is None or row.label == row.key else f"  {cut(row.label, SHOWN_LETTERS)}"
    return Text.assemble((f"  {sign} {visible(row.key)}", style), label)


def _changed(row: ChangedRow) -> Text:
    return Text("\n").join([_row("~", "yellow", row), *map(_value, row.values)])


def _value(value: ValueChange) -> Text:
    old, new = _apart(value)
    return Text.assemble((f"      {visible(value.column)}: ", "dim"), (old, "red"), (" → ", "dim"), (new, "green"))


def _apart(value: ValueChange) -> tuple[str, str]:
    """Both values; long ones begin shortly before the first different letter."""
    old, new = _words(value.old), _words(value.new)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    start = common - _CONTEXT if max(len(old), len(new)) > SHOWN_LETTERS and common > _CONTEXT else 0
    mark = ELLIPSIS if start else ""
    return mark + cut(old[start:], SHOWN_LETTERS), mark + cut(new[start:], SHOWN_LETTERS)


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "null" if value is None else str(value)
