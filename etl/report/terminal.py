"""The summary that a run prints: rows, broken rules and findings.

In: `Results`. Out: renderables for a terminal; text from pages is never parsed as markup, and its control characters
are escaped.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.errors import UsageError
from etl.lake import Lake
from etl.load.dataset_facts import published_facts
from etl.load.layout import CURRENT, LAKE
from etl.printable import command, count, visible
from etl.release.diff import papers_only_in, release_before
from etl.release.release import Release, open_release
from etl.report.baseline import LOST
from etl.report.results import FindingResult, Results, RuleSummary
from etl.report.wording import by_failure, left_out, matched, more, named, picked, stopping_findings
from etl.report.wording import lines as lines_of
from etl.validate.severity import UNREADABLE
from schemas import JUDGING_TABLES, TABLES
from schemas.rules import SEVERE

SHOWN_FINDINGS = 20
SHOWN_WARNINGS = 3
"""Findings that are shown in all, and warnings of one rule."""


def print_results(
    console: Console,
    results: Results,
    passed_over: Sequence[str] = (),
    report: Path | None = None,
    *,
    errors_follow: bool = False,
) -> None:
    """Print the results of a run; lines are wrapped on a terminal only.

    `passed_over` are files that were not read though they may be pages; `report` is the folder of the reports. Findings that
    stop the run are only counted if `errors_follow`, the message of the error, which names them.
    """
    counts = [_headline(results)] if results.pages else []
    rows = [_rows(results)] if results.rows.get("papers") else []
    broken = [
        *_baseline(results),
        *_rules(results),
        *_findings(results, report, errors_follow=errors_follow),
        *_notes(results),
    ]
    reports = [Text.assemble((f"{'Reports':<8}", "bold"), visible(str(report)))] if report else []
    parts: list[RenderableType] = [
        *counts,
        *_reference(results),
        *rows,
        *broken,
        *_left_out(results),
        *_passed_over(passed_over),
        *reports,
    ]
    console.print(Group(*parts), soft_wrap=not console.is_terminal)


def print_unpublished(console: Console, results: Results, out: Path) -> None:
    """Print that nothing was published, the state of the last release, and the option that leaves pages out."""
    last = out / CURRENT
    state = f"the last release is as it was: {last}" if last.is_dir() else f"there is no release in {out}"
    rules = sorted({finding.rule_id for finding in stopping_findings(results, "error")}.intersection(UNREADABLE))
    option = (
        f"; --allow-unreadable makes warnings of {' and '.join(rules)}" if rules and results.fail_on == "error" else ""
    )
    console.print(Text(visible(f"Nothing was published; {state}{option}"), style="bold"), soft_wrap=True)


def print_release(console: Console, release: Release, profiles: pl.DataFrame, out: str) -> None:
    """Print the path of the release, commands for it and how to cite it, one a line so that they can be pasted."""
    option = () if out == "build" else ("--out", out)
    can_rebuild = "redacted" not in release.manifest
    first = profiles.sort("source")["profile_id"].head(1 if can_rebuild else 0).to_list()
    profile = command("page", *first, *option) if first else ""
    saved: date | None = profiles["last_observed_on"].max()  # type: ignore[assignment]
    lines = {
        "Release": str(release.path),
        "New": _new(release),
        "Look": command("serve", *option),
        "Rebuild": profile,
        "Cite": published_facts(release.manifest, saved).citation,
    }
    _print_lines(console, lines)


def print_lake(console: Console, lake: Lake) -> None:
    """Print the path of the lake's manifest, and the command that makes a release of it."""
    place = str(lake.path)
    lines = {
        "Lake": f"{lake.path / LAKE}: {count(lake.rows('papers'), 'paper')} in {lake.path / lake.manifest['lake']}",
        "SQLite": command("export", "sqlite", "--from", place, *(() if place == "build" else ("--out", place))),
    }
    _print_lines(console, lines)


def _print_lines(console: Console, lines: Mapping[str, str]) -> None:
    for word, line in lines.items():
        if line:
            console.print(Text.assemble((f"{word:<8}", "bold"), line), soft_wrap=True)


def _new(release: Release) -> str:
    """How many papers the release before does not have, and the command that shows them; empty where it cannot be read."""
    try:
        before = release_before(release.path)
        if before is None:
            return ""
        new = papers_only_in(release, open_release(before)).height
    except (UsageError, OSError):
        return ""
    return f"{count(new, 'paper')} since {before.name}: {command('diff', str(before), str(release.path))}"


def _passed_over(names: Sequence[str]) -> list[RenderableType]:
    folders = [name for name in names if name.endswith("/")]
    files = [name for name in names if name not in folders]
    lines = []
    if files:
        them = "it" if len(files) == 1 else "them"
        lines.append(
            f"Passed over {count(len(files), 'file')} that may be pages: {named(files)}; name {them}, or rename {them} to .txt"
        )
    if folders:
        links = f"{count(len(folders), 'link')} to folders elsewhere: {named(folders)}"
        lines.append(f"Passed over {links}; name what shall be read itself")
    return [Text(line, style="bold") for line in lines]


def _left_out(results: Results) -> list[RenderableType]:
    files = left_out(results)
    words = f"Left out {count(len(files), 'file')} that cannot be read: {named(files)}"
    return [Text(words, style="bold yellow")] if files else []


def _headline(results: Results) -> Text:
    lines = sum(page.lines for page in results.pages)
    quarantined = sum(page.quarantined_lines for page in results.pages)
    counts = ", ".join(count(results.rows.get(name, 0), name.removesuffix("s")) for name in ("papers", "authors"))
    rest = f"{count(quarantined, 'line')} in quarantine" if quarantined else "no line in quarantine"
    return Text.assemble(
        (f"{count(len(results.pages), 'page')}, {counts}", "bold"), f" from {count(lines, 'line')}; {rest}"
    )


def _reference(results: Results) -> list[RenderableType]:
    words = matched(results)
    return [Text(f"{words}")] if words else []


def _rows(results: Results) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("contents")
    for name, rows in results.rows.items():
        words = TABLES[name].definition().description.partition(":")[0].partition(".")[0]
        table.add_row(name, f"{rows:,}", words, style="dim" if name in JUDGING_TABLES else "")
    return table


def _baseline(results: Results) -> list[RenderableType]:
    base = results.baseline
    if base is None:
        return []
    text = f"Against {visible(base.source)}: {base.new:,} new, {base.unchanged:,} unchanged, {base.gone:,} gone"
    return [Text(text, style="bold")]


def _rules(results: Results) -> list[RenderableType]:
    """A line for each broken rule with its numbers of failed and checked items, the most severe first."""
    broken = [rule for rule in by_failure(results.rules) if rule.status in SEVERE]
    counts = [_counts(rule, results) for rule in broken]
    width = max(map(len, counts), default=0)
    lines = [
        Text(f"  {rule.id}  ")
        .append(f"{rule.severity:<7}", style=_style(rule.severity))
        .append(f"  {numbers:>{width}}  {rule.title}")
        for rule, numbers in zip(broken, counts, strict=True)
    ]
    return [Text("Rules that were broken:", style="bold"), *lines] if lines else []


def _counts(rule: RuleSummary, results: Results) -> str:
    counts = f"{rule.failed:,} of {rule.checked:,}"
    if results.baseline is None or rule.id in LOST:
        return counts
    new = sum(finding.rule_id == rule.id and finding.state == "new" for finding in results.findings)
    return f"{counts}, {new:,} new"


def _findings(results: Results, report: Path | None, *, errors_follow: bool) -> list[RenderableType]:
    """The first findings of each rule, errors first; with a baseline, only new findings."""
    later = {finding.id for finding in stopping_findings(results, results.fail_on)} if errors_follow else set()
    findings = [finding for finding in results.findings if finding.state != "unchanged"]
    new = "new " if results.baseline else ""
    if not findings:
        return [Text(f"No {new}findings.", style="green")]
    some = "" if len(later) == len(findings) else f"{len(later):,} of them "
    head = count(len(findings), f"{new}finding") + (f", {some}at the end" if later else "")
    findings = [finding for finding in findings if finding.id not in later]
    lines = [Text(f"{head}:" if findings else head, style="bold yellow")]
    shown = picked(findings, results.rules, SHOWN_FINDINGS, SHOWN_WARNINGS)
    if len(findings) - len(shown) == 1:
        shown = picked(findings, results.rules, len(findings))
    lines += map(_line, shown)
    rest = len(findings) - len(shown)
    if rest:
        lines.append(Text(f"  {more(rest, report)}", style="dim"))
    return list(lines)


def _line(finding: FindingResult) -> Text:
    words = [(_place(finding), "cyan"), (finding.rule_id, _style(finding.severity)), (visible(finding.message), "")]
    return Text("  ").append(Text(" ").join(Text(word, style=style) for word, style in words if word))


def _notes(results: Results) -> list[RenderableType]:
    """The rules whose failures are only counted, and the rules that are off."""
    noted = [rule for rule in results.rules if rule.status == "noted"]
    off = [rule.id for rule in results.rules if rule.status == "off"]
    notes = [f"  {rule.id} {rule.failed:,} of {rule.checked:,}: {rule.why}" for rule in noted]
    head = [Text("Noted, no fault:", style="bold")] if noted else []
    ignored = [Text(f"Off by the rules file: {', '.join(off)}", style="dim")] if off else []
    return [*head, *(Text(note, style="dim") for note in notes), *ignored]


def _place(finding: FindingResult) -> str:
    """The file, or table, and lines of a finding; empty for lost data, whose message names the place."""
    table = "" if finding.rule_id in LOST else finding.table
    return ":".join(filter(None, (visible(finding.source or table), lines_of(finding))))


def _style(severity: str) -> str:
    return "bold red" if severity == "error" else "yellow"
