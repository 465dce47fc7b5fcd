"""The commands that read pages: `build` and `check`. In: pages. Out: what a run found, its reports, and a release."""

import os
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from etl.cli.interrupts import NOTHING, clearing_away
from etl.cli.options import DEFAULT_OUT, OUT, run_options

if TYPE_CHECKING:
    from etl.pipeline import Checked, Request
    from etl.progress import Progress


@click.command()
@run_options
@OUT
def build(out: Path, report: Path | None, annotate: str | None, **asked: Any) -> None:
    """Build a release of PAGES: files, folders, globs, .gz, .zst, or - for standard input.

    Without PAGES it builds the page that comes with paperledger.
    """
    from etl import pipeline
    from etl.summary import print_release

    with clearing_away(words_of_interrupt(out)):
        built = pipeline.build(_request(out, asked), _progress(), lambda checked: _tell(checked, report, annotate))
    print_release(Console(), built.release, built.tables["profiles"], str(out))


@click.command()
@run_options
def check(report: Path | None, annotate: str | None, **asked: Any) -> None:
    """Check PAGES and publish nothing.

    All stages of a build but the last: for a CI that must go red when the data gets worse.
    """
    from etl import pipeline
    from etl.validate.verdict import require_good

    request = _request(DEFAULT_OUT, asked)
    with clearing_away():
        checked = pipeline.check(request, _progress())
        _tell(checked, report, annotate)
    require_good(checked.results, request.fail_on)


def words_of_interrupt(out: Path) -> Callable[[], str]:
    """What can be said of a build that is interrupted now or later: its last step is to change a link."""
    from etl.load.layout import CURRENT

    link = out / CURRENT
    before = os.path.realpath(link)
    return lambda: NOTHING if os.path.realpath(link) == before else "interrupted; the release was published before"


def _request(out: Path, asked: dict[str, Any]) -> "Request":
    from etl.pipeline import Request

    observed_on: datetime | None = asked.pop("observed_on")
    pages = asked.pop("pages") or (str(files("etl").joinpath("sample")),)
    return Request(pages, out, observed_on.date() if observed_on else None, **asked)


def _tell(checked: "Checked", report: Path | None, annotate: str | None) -> None:
    """Print what a run found, write its reports, and annotate it, as asked."""
    from etl.summary import print_results
    from etl.validate.reports import render_annotations, write_reports

    if checked.results.pages:
        print_results(Console(), checked.results, checked.passed_over)
    if report:
        write_reports(checked.results, report, checked.paths)
    if annotate:
        click.echo(render_annotations(checked.results, checked.paths), nl=False)


def _progress() -> "Progress":
    from etl.progress import Progress

    return Progress(Console(stderr=True))
