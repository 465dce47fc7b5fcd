"""What a run prints when it is done: the rows, what the rules found and where, and what to do next.

In: results, as every report. Out: renderables for a terminal; text from pages is never taken for markup, and
control characters, which a terminal would obey, are shown escaped.
"""

from shlex import quote

import polars as pl
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.load.release import Release
from etl.printable import count, visible
from etl.validate.reports.text import by_urgency
from etl.validate.reports.text import lines as lines_of
from etl.validate.results import FindingResult, Results
from schemas import TABLES

SHOWN_FINDINGS = 20
AUDIT_TABLES = ("quarantine", "rules", "findings", "merge_candidates")


def print_results(console: Console, results: Results) -> None:
    """Print what a run found; without a terminal lines are as long as they need to be."""
    parts = [_headline(results), _rows(results), *_baseline(results), *_findings(results), *_notes(results)]
    console.print(Group(*parts), soft_wrap=not console.is_terminal)


def print_release(console: Console, release: Release, profiles: pl.DataFrame, out: str) -> None:
    """Print where the release is, and what can be done with it."""
    option = "" if out == "build" else f" --out {quote(out)}"
    first = profiles.sort("source")["profile_id"].head(1).to_list()
    profile = f"paperledger page {first[0]}{option}" if first else ""
    lines = {"Release": str(release.path), "Look": f"paperledger serve{option}", "Rebuild": profile}
    console.print(
        *(Text.assemble((f"{word:<8}", "bold"), line) for word, line in lines.items() if line),
        sep="\n",
        soft_wrap=not console.is_terminal,
    )


def _headline(results: Results) -> Text:
    lines = sum(page.lines for page in results.pages)
    kept = sum(page.quarantined_lines for page in results.pages)
    counts = ", ".join(count(results.rows[name], name.removesuffix("s")) for name in ("papers", "authors"))
    told = f"{count(kept, 'line')} in quarantine" if kept else "no line in quarantine"
    return Text.assemble(
        (f"{count(len(results.pages), 'page')}, {counts}", "bold"), f" from {count(lines, 'line')}; {told}"
    )


def _rows(results: Results) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("what it holds")
    for name, rows in results.rows.items():
        words = TABLES[name].definition().description.partition(":")[0].partition(".")[0]
        table.add_row(name, f"{rows:,}", words, style="dim" if name in AUDIT_TABLES else "")
    return table


def _baseline(results: Results) -> list[RenderableType]:
    held = results.baseline
    if held is None:
        return []
    told = f"Against {visible(held.source)}: {held.new:,} new, {held.unchanged:,} unchanged, {held.gone:,} gone"
    return [Text(told, style="bold")]


def _findings(results: Results) -> list[RenderableType]:
    findings = [finding for finding in results.findings if finding.state != "unchanged"]
    new = "new " if results.baseline else ""
    if not findings:
        return [Text(f"No {new}findings.", style="green")]
    lines = [Text(f"{count(len(findings), f'{new}finding')}:", style="bold yellow")]
    for finding in by_urgency(findings)[:SHOWN_FINDINGS]:
        style = "bold red" if finding.severity == "error" else "yellow"
        place = Text("  ").append(_place(finding), style="cyan")
        lines.append(place.append(f" {finding.rule_id} ", style=style).append(visible(finding.message)))
    rest = len(findings) - SHOWN_FINDINGS
    if rest > 0:
        lines.append(Text(f"  and {rest:,} more; --report FOLDER writes them all", style="dim"))
    return list(lines)


def _notes(results: Results) -> list[RenderableType]:
    noted = [rule for rule in results.rules if rule.status == "noted"]
    notes = [f"  {rule.id} {rule.failed:,} of {rule.checked:,}: {rule.why}" for rule in noted]
    return [Text("Noted, no fault:", style="bold"), *(Text(note, style="dim") for note in notes)] if notes else []


def _place(finding: FindingResult) -> str:
    return ":".join(filter(None, (visible(finding.source or finding.table), lines_of(finding))))
