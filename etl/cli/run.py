"""The commands that read pages: `build` and `check`. In: pages. Out: findings, reports, and a release."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from etl.cli.interrupts import NOTHING, clearing_away
from etl.cli.options import DEFAULT_OUT, OUT, engine_options, run_options
from etl.cli.output import Output, is_one_place, stopped_commands, write_exactly
from etl.errors import BadData, OutputError, PaperledgerError, UsageError
from etl.load.layout import LAKES

if TYPE_CHECKING:
    from etl.pipeline import Checked, Request
    from etl.progress import Progress


@click.command()
@run_options
@OUT
@engine_options
def build(out: Path, annotate: str | None, engine: str, master: str | None, remote: str | None, **asked: Any) -> None:
    """Build a release of PAGES: files, folders, globs, archives, shards, - (standard input).

    Archives are .tar; shards are .jsonl and .parquet, with source, text and optionally observed_on in each row. All but
    .parquet may be compressed: .gz, .zst.

    Without PAGES it builds the page that comes with paperledger.

    With --engine spark the workers of a cluster read PAGES, which are shards of `paperledger pack` in a folder that all of them
    can read, and the release is a lake of Parquet files, of which `paperledger export sqlite` makes one with a database.
    """
    if engine == "spark":
        _build_lake(out, annotate, master, remote, asked)
        return
    if master or remote:
        raise UsageError("--master and --remote are addresses of Spark, expected only with --engine spark; give it too")
    from etl import pipeline
    from etl.engine.embedded import rare_collection
    from etl.load.publish import locked
    from etl.report import write_reports
    from etl.report.results import stored_charts
    from etl.report.terminal import print_release

    request, progress = _request(out, asked), _progress()
    with clearing_away(words_of_interrupt(out)), rare_collection(), locked(out), pipeline.drafting(request) as draft:
        checked = pipeline.check(request, progress, draft)
        _report(checked, request, annotate, publishes=True)
        built = pipeline.release(checked, request, progress, draft)
    print_release(Output(), built.release, built.tables["profiles"], str(out))
    if request.report:
        # Written before the release, so that none is published without them; now the release has charts.
        write_reports(checked.results.with_charts(stored_charts(built.release.path)), request.report, checked.paths)


def _build_lake(out: Path, annotate: str | None, master: str | None, remote: str | None, asked: dict[str, Any]) -> None:
    from etl import pipeline
    from etl.engine.embedded import rare_collection
    from etl.load.publish import locked, new_folder
    from etl.report import write_reports
    from etl.report.terminal import print_lake

    if master and remote:
        raise UsageError("found --master and --remote, expected one address of Spark; give only one of the two")
    try:
        from etl.engine.spark import spark_engine
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--engine spark needs the package {error.name}, which is not installed; install paperledger[spark]"
        ) from error
    request, progress = _request(out, asked), _progress()
    with (
        clearing_away(),
        rare_collection(),
        locked(out),
        new_folder(out, LAKES) as shared,
        spark_engine(shared, master, remote) as spark,
    ):
        checked = pipeline.check(replace(request, engine=spark), progress)
        _report(checked, request, annotate, publishes=True)
        lake = pipeline.release_lake(checked, request, spark.write, progress)
    print_lake(Output(), lake)
    if request.report:
        write_reports(checked.results, request.report, checked.paths)


@click.command()
@run_options
def check(annotate: str | None, **asked: Any) -> None:
    """Check PAGES and publish nothing.

    Runs all stages of a build but the last, for CI that must fail if the data gets worse.
    """
    from etl import pipeline
    from etl.engine.embedded import rare_collection
    from etl.report.wording import require_good

    request = _request(DEFAULT_OUT, asked)
    with clearing_away(), rare_collection():
        checked = pipeline.check(request, _progress())
        _report(checked, request, annotate, publishes=False)
    require_good(checked.results, request.fail_on, request.report)


def words_of_interrupt(out: Path) -> Callable[[], str]:
    """The message for a build that is interrupted; it has published if the link has changed, its last step."""
    from etl.load.layout import CURRENT

    link = out / CURRENT
    before = os.path.realpath(link)
    return lambda: NOTHING if os.path.realpath(link) == before else "interrupted; the release was published before"


def _request(out: Path, asked: dict[str, Any]) -> "Request":
    from etl.api import BUNDLED
    from etl.pipeline import Request

    observed_on: datetime | None = asked.pop("observed_on")
    pages = asked.pop("pages") or (BUNDLED,)
    return Request(pages, out, observed_on.date() if observed_on else None, **asked)


def _report(checked: "Checked", request: "Request", annotate: str | None, *, publishes: bool) -> None:
    """Write reports, print the results, and annotate them, according to the request."""
    unwritten = _unwritten_reports(checked, request.report)
    try:
        with stopped_commands() if annotate else nullcontext():
            _print(checked, request, unwritten, publishes=publishes)
        if annotate:
            _annotate(checked)
    except OutputError as error:
        raise _with_data_errors([*filter(None, [unwritten]), error], checked, request) from error
    if unwritten:
        raise _with_data_errors([unwritten], checked, request)


def _print(checked: "Checked", request: "Request", unwritten: PaperledgerError | None, *, publishes: bool) -> None:
    from etl.report.terminal import print_results, print_unpublished

    results, console = checked.results, Output()
    if results.pages:
        report = None if unwritten else request.report
        print_results(console, results, checked.passed_over, report, errors_follow=is_one_place())
        if publishes and (unwritten or results.verdict == "failed"):
            print_unpublished(console, results, request.out)


def _annotate(checked: "Checked") -> None:
    from etl.report import render_annotations

    write_exactly(render_annotations(checked.results, checked.paths))


def _unwritten_reports(checked: "Checked", folder: Path | None) -> PaperledgerError | None:
    """Write the reports; returns the error if that fails."""
    from etl.report import write_reports

    try:
        if folder:
            write_reports(checked.results, folder, checked.paths)
    except PaperledgerError as error:
        return error
    return None


def _with_data_errors(errors: list[PaperledgerError], checked: "Checked", request: "Request") -> PaperledgerError:
    """Merge errors into one; if the data is bad too, into a `BadData` with that first."""
    from etl.report.wording import require_good

    lines = [line for error in errors for line in error.lines]
    try:
        require_good(checked.results, request.fail_on)
    except BadData as bad:
        return BadData(*bad.lines, *lines)
    return type(errors[0])(*lines)


def _progress() -> "Progress":
    from etl.progress import Progress

    return Progress(Console(stderr=True))
