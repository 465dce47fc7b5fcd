"""The data flow, in order: pages, blocks, good blocks, tables, checked tables, a release.

Read this file first. It calls the stages (extract, validate, resolve, load, report) and contains no rule of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

import polars as pl

from etl.engine import Engine
from etl.engine.embedded import Processes
from etl.extract.archives import batches, named_only
from etl.extract.reading import PageFile
from etl.extract.records import Reference, facts_of, read_reference
from etl.extract.sources import find_others, find_pages
from etl.lake import Lake, WriteFiles, publish_lake
from etl.load.draft import Draft
from etl.load.publish import drafted, locked, publish
from etl.on_disk import on_disk
from etl.printable import path_text
from etl.progress import Progress
from etl.release.release import Release, open_release
from etl.report import REPORT_FILE, render_html
from etl.report.baseline import compare_with_baseline, read_baseline
from etl.report.charts import charts_of
from etl.report.results import RESULTS_FILE, FailOn, Results, summarize, write_results
from etl.report.wording import judged, require_good
from etl.resolve.overrides import Overrides, read_overrides
from etl.resolve.papers import IN_FILE
from etl.resolve.reference import wanted
from etl.resolve.tables import Resolved, list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.severity import read_thresholds
from etl.validate.staging import StagedBatch, combine, stage_elsewhere, stage_files
from schemas import Frames


@dataclass(frozen=True)
class Request:
    """The options of a run; the command writes reports into the folder `report`.

    `engine` reads the pages and the reference, by default as many processes as there are `workers`.
    """

    pages: Sequence[str]
    out: Path
    observed_on: date | None = None
    overrides: Path | None = None
    reference: Sequence[Path] = ()
    thresholds: Path | None = None
    baseline: Path | None = None
    report: Path | None = None
    fail_on: FailOn = "error"
    allow_unreadable: bool = False
    workers: int = 1
    engine: Engine | None = None


@dataclass(frozen=True)
class Checked:
    """The outcome of all stages before publication.

    `in_release` are the results that a release contains, `results` the same compared with the baseline and with a verdict.
    `provenance` is what the tables depend on besides the pages. `paths` maps the source of each page, reference file and
    overrides file to its path. `passed_over` are files that were not read since their names are not those of pages.
    """

    tables: Frames
    provenance: dict[str, object]
    in_release: Results
    results: Results
    paths: dict[str, str]
    passed_over: list[str]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(verdict={self.results.verdict!r}, rows={self.results.rows})"


@dataclass(frozen=True)
class Built:
    """A published release, and its tables."""

    release: Release
    tables: Frames


def check(request: Request, progress: Progress, draft: Draft | None = None) -> Checked:
    """Extract, validate and resolve the requested pages, and publish nothing; a draft gets tables before they are checked."""
    files = find_pages(request.pages)
    overrides = read_overrides(request.overrides)
    thresholds = read_thresholds(request.thresholds)
    baseline = read_baseline(request.baseline) if request.baseline else None
    resolved, staged = _resolve(combine(_extract(files, request, progress)), overrides, request, progress, draft)
    if draft:
        draft.go_on(resolved.tables)
    with progress.step("Checking the tables"):
        tables = validate(resolved, staged, overrides, thresholds, allow_unreadable=request.allow_unreadable)
        results = summarize(tables, resolved.reference.files)
    compared = compare_with_baseline(results, baseline, str(request.baseline), thresholds) if baseline else results
    provenance = overrides.provenance | {"skipped": sorted(error.source for error in staged.unreadable)}
    if resolved.reference.files:
        provenance |= {"reference": facts_of(resolved.reference.files)}
    paths = {file.source: file.path for file in files}
    paths |= {path_text(path.name): path.as_posix() for path in request.reference}
    if request.overrides:
        paths |= {path_text(request.overrides.name): request.overrides.as_posix()}
    return Checked(tables, provenance, results, judged(compared, request.fail_on), paths, find_others(request.pages))


def build(request: Request, progress: Progress) -> Built:
    """Check the pages and publish a release, with the output folder locked from start to end."""
    with locked(request.out), drafting(request) as draft:
        return release(check(request, progress, draft), request, progress, draft)


def drafting(request: Request) -> AbstractContextManager[Draft]:
    """A draft of the request's release; the caller holds the lock of the output folder."""
    return drafted(request.out, Processes(request.workers).beside if request.workers > 1 else None)


def release(checked: Checked, request: Request, progress: Progress, draft: Draft) -> Built:
    """Finish the draft and publish it; the caller holds the lock of the output folder.

    Raises `BadData` where the results fail by the request's `fail_on`.
    """
    require_good(checked.results, request.fail_on, request.report)
    with progress.step("Writing the release"):
        documents = partial(_documents, checked.in_release)
        folder = publish(request.out, checked.tables, checked.provenance, documents, draft)
    return Built(open_release(folder), checked.tables)


def release_lake(checked: Checked, request: Request, write: WriteFiles, progress: Progress) -> Lake:
    """Publish the checked tables as a lake, whose files an engine writes; the caller holds the lock of the output folder.

    Raises `BadData` where the results fail by the request's `fail_on`.
    """
    require_good(checked.results, request.fail_on, request.report)
    with progress.step("Writing the lake"):
        documents = {RESULTS_FILE: write_results(checked.in_release)}
        return publish_lake(request.out, checked.tables, checked.provenance, documents, write)


def _documents(results: Results, draft: Path) -> dict[str, str]:
    """The release's results with the charts of its database, as JSON and HTML; `draft` is the folder of the new release."""
    drawn = results.with_charts(charts_of(draft))
    return {RESULTS_FILE: write_results(drawn), REPORT_FILE: render_html(drawn)}


def _engine_of(request: Request) -> Engine:
    return request.engine or Processes(request.workers)


def _extract(files: Sequence[PageFile], request: Request, progress: Progress) -> Iterator[StagedBatch]:
    """Read, parse and stage the pages in batches, by the workers of the engine."""
    engine = _engine_of(request)
    found, run = batches(files), partial(stage_files, observed_on=request.observed_on)
    if not engine.takes_text:
        found, run = named_only(found), partial(stage_elsewhere, observed_on=request.observed_on)
    staged = engine.map(run, found)
    return chain.from_iterable(progress.each("Reading pages", staged))


def _resolve(
    staged: StagedBatch, overrides: Overrides, request: Request, progress: Progress, draft: Draft | None
) -> tuple[Resolved, StagedBatch]:
    """The tables of the staged pages, and the pages without their blocks: blocks and listings are in memory only once."""
    with progress.step("Resolving papers"):
        listings = on_disk(list_papers(staged.profiles, staged.blocks, overrides), IN_FILE)
        staged = replace(staged, blocks=staged.blocks.clear())
    reference = _look_up(listings, request, progress)
    with progress.step("Resolving people"):
        settled = settle(listings, overrides, reference)
        if draft:
            draft.begin({"listings": settled.listings_table, "quarantine": staged.quarantine}, settled.papers)
        return _moved(resolve(staged.profiles, settled, overrides, _engine_of(request).shuffle_map)), staged


def _moved(resolved: Resolved) -> Resolved:
    """The same with its listings on disk, which leave the memory as their file is written."""
    listings = [resolved.listings]
    resolved = replace(resolved, listings=resolved.listings.clear())
    return replace(resolved, listings=on_disk(listings.pop(), IN_FILE))


def _look_up(listings: pl.DataFrame, request: Request, progress: Progress) -> Reference:
    """The records of the request's reference that may be about these papers, read by the workers of the engine."""
    if not request.reference:
        return Reference()
    with progress.step("Reading the reference"):
        return read_reference(request.reference, wanted(listings), _engine_of(request).map)
