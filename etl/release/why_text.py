"""Reasons for people. In: `Reasons`. Out: something rich can print. No terminal obeys what a page says."""

from collections.abc import Iterator, Sequence
from shlex import quote

from rich.console import Group
from rich.text import Text

from etl.printable import count, cut, visible
from etl.release.lineage import Reasons, RelatedRow, RuleCheck, SourceSpan, Value

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
