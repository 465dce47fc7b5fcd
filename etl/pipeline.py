"""The way of the data, in order: pages, blocks, good blocks, tables, checked tables, a release.

Read this page first. It calls the stages and does nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain, starmap
from pathlib import Path

from etl.engine.embedded import map_batches
from etl.extract.sources import PageFile, find_others, find_pages, parse_files
from etl.load.publish import locked, publish
from etl.printable import path_text
from etl.progress import Progress
from etl.release.release import Release, open_release
from etl.report import REPORT_FILE, render_html
from etl.report.baseline import compare_with_baseline, read_baseline
from etl.report.charts import charts_of
from etl.report.results import RESULTS_FILE, FailOn, Results, summarize, write_results
from etl.report.wording import judged, require_good
from etl.resolve.overrides import read_overrides
from etl.resolve.tables import resolve
from etl.validate.blocks import StagedBatch, combine, stage, up_to_limit
from etl.validate.findings import validate
from etl.validate.severity import read_thresholds
from schemas import Frames

PAGES_PER_BATCH = 100


@dataclass(frozen=True)
class Request:
    """What a run is asked for; `report` is the folder of its reports, which the command writes."""

    pages: Sequence[str]
    out: Path
    observed_on: date | None = None
    overrides: Path | None = None
    thresholds: Path | None = None
    baseline: Path | None = None
    report: Path | None = None
    fail_on: FailOn = "error"
    allow_unreadable: bool = False
    workers: int = 1


@dataclass(frozen=True)
class Checked:
    """What a run found: the tables, the results that they hold, and those results as judged, against a baseline too.

    `provenance` tells what else the tables depend on; `paths` leads from a page's source to its file. `passed_over` are
    files in the folders given that may be saved pages, but are none by their names.
    """

    tables: Frames
    provenance: dict[str, object]
    in_release: Results
    results: Results
    paths: dict[str, str]
    passed_over: list[str]


@dataclass(frozen=True)
class Built:
    """What a build made: the release, and the tables in it."""

    release: Release
    tables: Frames


def check(request: Request, progress: Progress) -> Checked:
    """Run all stages but the last on the pages that the request names."""
    files = find_pages(request.pages)
    overrides = read_overrides(request.overrides)
    thresholds = read_thresholds(request.thresholds)
    baseline = read_baseline(request.baseline) if request.baseline else None
    staged = combine(_extract(files, request, progress))
    with progress.step("Telling who is who"):
        resolved = resolve(staged.profiles, staged.blocks, overrides)
    with progress.step("Checking the tables"):
        tables = validate(resolved, staged, overrides, thresholds, allow_unreadable=request.allow_unreadable)
        results = summarize(tables)
    held = compare_with_baseline(results, baseline, str(request.baseline), thresholds) if baseline else results
    provenance = overrides.provenance | {"skipped": sorted(error.source for error in staged.unreadable)}
    paths = {file.source: file.path.as_posix() for file in files}
    if request.overrides:
        paths |= {path_text(request.overrides.name): request.overrides.as_posix()}
    return Checked(tables, provenance, results, judged(held, request.fail_on), paths, find_others(request.pages))


def build(request: Request, progress: Progress) -> Built:
    """Check the pages, and publish a release where they are good enough; the output folder is locked all the while."""
    with locked(request.out):
        return release(check(request, progress), request, progress)


def release(checked: Checked, request: Request, progress: Progress) -> Built:
    """Publish what was checked, with the output folder locked; raises `BadData` where it is not good enough."""
    require_good(checked.results, request.fail_on, request.report)
    with progress.step("Writing the release"):
        documents = partial(_documents, checked.in_release)
        folder = publish(request.out, checked.tables, checked.provenance, documents)
    return Built(open_release(folder), checked.tables)


def _documents(results: Results, draft: Path) -> dict[str, str]:
    """The results as the release has them, with the charts of its database, in JSON and in HTML."""
    drawn = results.with_charts(charts_of(draft))
    return {RESULTS_FILE: write_results(drawn), REPORT_FILE: render_html(drawn)}


def _extract(files: Sequence[PageFile], request: Request, progress: Progress) -> Iterator[StagedBatch]:
    """Read the pages batch by batch; blocks that break a rule leave for the quarantine here."""
    batches = [files[start : start + PAGES_PER_BATCH] for start in range(0, len(files), PAGES_PER_BATCH)]
    staged = map_batches(partial(_stage, observed_on=request.observed_on), batches, request.workers)
    return chain.from_iterable(progress.each("Reading pages", staged, total=len(batches)))


def _stage(files: Sequence[PageFile], observed_on: date | None) -> list[StagedBatch]:
    """Batches of the files' pages, portion by portion; the last is the one with which large pages become too many."""
    return list(up_to_limit(starmap(stage, parse_files(files, observed_on))))
