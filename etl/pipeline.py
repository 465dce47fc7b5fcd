"""The way of the data, in order: pages, blocks, good blocks, tables, checked tables, a release.

Read this page first. It calls the stages and does nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from etl.extract.page import parse_page
from etl.extract.pages import PageFile, find_pages, read_pages
from etl.load.release import Release, locked, publish
from etl.progress import Progress
from etl.resolve.categories import field_codes
from etl.resolve.overrides import read_overrides
from etl.resolve.tables import resolve
from etl.validate.blocks import Intake, combine, take_in
from etl.validate.tables import validate
from schemas import Frames

PAGES_PER_BATCH = 500


@dataclass(frozen=True)
class Request:
    """What a build is asked for."""

    pages: Sequence[str]
    out: Path
    observed_on: date | None = None
    overrides: Path | None = None


@dataclass(frozen=True)
class Built:
    """What a build made: the release, and the tables in it."""

    release: Release
    tables: Frames


def build(request: Request, progress: Progress) -> Built:
    """Build a release of the pages that the request names."""
    files = find_pages(request.pages)
    overrides = read_overrides(request.overrides)
    with locked(request.out):
        intake = combine(_extract(files, request.observed_on, progress))
        with progress.step("Telling who is who"):
            resolved = resolve(intake.profiles, intake.blocks, overrides)
        with progress.step("Checking the tables"):
            tables = validate(resolved, intake.quarantine, overrides)
        with progress.step("Writing the release"):
            release = publish(request.out, tables, overrides.provenance)
    return Built(release, tables)


def _extract(files: Sequence[PageFile], observed_on: date | None, progress: Progress) -> Iterator[Intake]:
    """Read the pages batch by batch; blocks that break a rule leave for the quarantine here."""
    for pages in read_pages(progress.each("Reading pages", files), observed_on, PAGES_PER_BATCH):
        yield take_in([parse_page(page, field_codes()) for page in pages])
