"""What a build prints when it is done: the rows, what the rules found and where, where the release is, what to do next."""

from shlex import quote
from typing import Any

import polars as pl
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.pipeline import Built
from schemas import TABLES, Frames

SHOWN_FINDINGS = 20
AUDIT_TABLES = ("quarantine", "rules", "findings", "merge_candidates")


def summary(built: Built, out: str) -> RenderableType:
    """The whole summary; text from pages is never taken for markup."""
    return Group(
        _headline(built.tables), _rows(built.tables), *_findings(built.tables), *_notes(built.tables), _next(built, out)
    )


def print_summary(console: Console, built: Built, out: str) -> None:
    """Print the summary; without a terminal lines are as long as they need to be."""
    console.print(summary(built, out), soft_wrap=not console.is_terminal)


def _headline(tables: Frames) -> Text:
    quarantine = tables["quarantine"]
    lines = int(sum(tables["profiles"]["lines"]))
    kept = int(sum(quarantine["line_end"] - quarantine["line_start"] + 1))
    counts = ", ".join(_count(tables[name].height, name.removesuffix("s")) for name in ("papers", "authors"))
    told = f"{_count(kept, 'line')} in quarantine" if kept else "no line in quarantine"
    return Text.assemble(
        (f"{_count(tables['profiles'].height, 'page')}, {counts}", "bold"), f" from {_count(lines, 'line')}; {told}"
    )


def _rows(tables: Frames) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("what it holds")
    for name, frame in tables.items():
        words = TABLES[name].definition().description.partition(":")[0].rstrip(".")
        table.add_row(name, f"{frame.height:,}", words, style="dim" if name in AUDIT_TABLES else "")
    return table


def _findings(tables: Frames) -> list[RenderableType]:
    findings = tables["findings"].sort("source", "line_start", "rule_id", nulls_last=True)
    if findings.is_empty():
        return [Text("No findings: the pages break no rule.", style="green")]
    lines = [Text(f"{_count(findings.height, 'finding')}:", style="bold yellow")]
    for row in findings.head(SHOWN_FINDINGS).iter_rows(named=True):
        line = Text("  ").append(_place(row), style="cyan").append(f" {row['rule_id']} ", style="yellow")
        lines.append(line.append(_one_line(row["message"])))
    rest = findings.height - SHOWN_FINDINGS
    if rest > 0:
        lines.append(Text(f"  and {rest:,} more, in the view finding_list", style="dim"))
    return list(lines)


def _notes(tables: Frames) -> list[RenderableType]:
    noted = tables["rules"].filter(pl.col("status") == "noted").select("rule_id", "failed", "checked", "why")
    notes = [f"  {rule_id} {failed:,} of {checked:,}: {why}" for rule_id, failed, checked, why in noted.iter_rows()]
    return [Text("Noted, no fault:", style="bold"), *(Text(note, style="dim") for note in notes)] if notes else []


def _next(built: Built, out: str) -> Text:
    option = "" if out == "build" else f" --out {quote(out)}"
    profile = built.tables["profiles"].row(0, named=True)["profile_id"]
    return Text.assemble(
        ("\nRelease ", "bold"), f"{built.release.path}\n",
        ("Look    ", "bold"), f"paperledger serve{option}\n",
        ("Rebuild ", "bold"), f"paperledger page {profile}{option}",
    )  # fmt: skip


def _place(row: dict[str, Any]) -> str:
    first, last = row["line_start"], row["line_end"]
    lines = "" if first is None else f":{first}" if first == last else f":{first}-{last}"
    return _one_line(row["source"] or row["table_name"]) + lines


def _one_line(text: str) -> str:
    """Text from a page as it can be printed: control characters, which a terminal would obey, are shown escaped."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
